//! English sounds in the letters that the model was taught, from those that `espeak-ng` writes.

/// The sounds of a run: `espeak` writes a line for each part of a sentence, `words` say how the run ends.
pub(super) fn sounds(espeak: &str, words: &str) -> String {
    let lines: Vec<&str> = espeak.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut sounds = lines.join(", ");
    for (theirs, ours) in LETTERS {
        sounds = sounds.replace(theirs, ours);
    }
    if let Some(end) = words.chars().last().filter(|end| matches!(end, ',' | '.')) {
        sounds.push(end);
    }
    sounds
}

/// A tie, `^`, binds what is one sound. Of two with the same beginning the longer comes first.
const LETTERS: &[(&str, &str)] = &[
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("ɔ^ɪ", "Y"),
    ("t^ʃ", "ʧ"),
    ("d^ʒ", "ʤ"),
    ("ə^l", "ᵊl"),
    ("ɜː", "ɜɹ"),
    ("ɚ", "əɹ"),
    ("ɐ", "ə"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ɾ", "T"),
    ("ʔ", "t"),
    ("o", "ɔ"),
    ("ː", ""),
    ("^", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_of_the_program_become_those_of_the_model() {
        for (theirs, words, ours) in [
            ("jʊ^ɹ pˈɑː^ɹsə^l ɪz ɹˈɛdi\n", "your parcel is ready.", "jʊɹ pˈɑɹsᵊl ɪz ɹˈɛdi."),
            ("θˈæŋk juː\nnˈo^ʊt t^ʃˈɑː^ɹli", "thank you, note charlie", "θˈæŋk ju, nˈOt ʧˈɑɹli"),
            ("", "", ""),
        ] {
            assert_eq!(sounds(theirs, words), ours);
        }
    }
}
