//! The model's alphabet: sounds of Chinese and English, tones, pauses; each has a number.

/// The numbers of these sounds, in pieces that the model takes at once. Sounds that it does not know are left out.
///
/// A piece ends at a full stop where there is one, else at a comma or a space.
pub(super) fn pieces(phonemes: &str) -> Vec<Vec<i64>> {
    let known: Vec<(char, i64)> = phonemes.chars().filter_map(|c| Some((c, number(c)?))).collect();
    let mut pieces = Vec::new();
    let mut rest = &known[..];
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(length_of_piece(rest));
        rest = behind;
        if piece.iter().any(|(c, _)| c.is_alphabetic()) {
            pieces.push(piece.iter().map(|(_, number)| *number).collect());
        }
    }
    pieces
}

fn length_of_piece(rest: &[(char, i64)]) -> usize {
    if rest.len() <= PIECE_TOKENS {
        return rest.len();
    }
    let last = |ends: &[char]| rest[..PIECE_TOKENS].iter().rposition(|(c, _)| ends.contains(c));
    let end = last(&['.']).or_else(|| last(&[','])).or_else(|| last(&[' ']));
    end.map_or(PIECE_TOKENS, |end| end + 1)
}

fn number(sound: char) -> Option<i64> {
    let at = VOCABULARY.iter().position(|(known, _)| *known == sound)?;
    Some(i64::from(VOCABULARY[at].1))
}

/// Sounds that are spoken at once: about 20 s. The model takes 510.
pub(super) const PIECE_TOKENS: usize = 300;

/// As the model was taught; the numbers between them are not used.
const VOCABULARY: &[(char, u8)] = &[
    (';', 1),
    (':', 2),
    (',', 3),
    ('.', 4),
    ('!', 5),
    ('?', 6),
    ('—', 9),
    ('…', 10),
    ('"', 11),
    ('(', 12),
    (')', 13),
    ('“', 14),
    ('”', 15),
    (' ', 16),
    ('\u{303}', 17),
    ('ʣ', 18),
    ('ʥ', 19),
    ('ʦ', 20),
    ('ʨ', 21),
    ('ᵝ', 22),
    ('ꭧ', 23),
    ('A', 24),
    ('I', 25),
    ('O', 31),
    ('Q', 33),
    ('S', 35),
    ('T', 36),
    ('W', 39),
    ('Y', 41),
    ('ᵊ', 42),
    ('a', 43),
    ('b', 44),
    ('c', 45),
    ('d', 46),
    ('e', 47),
    ('f', 48),
    ('h', 50),
    ('i', 51),
    ('j', 52),
    ('k', 53),
    ('l', 54),
    ('m', 55),
    ('n', 56),
    ('o', 57),
    ('p', 58),
    ('q', 59),
    ('r', 60),
    ('s', 61),
    ('t', 62),
    ('u', 63),
    ('v', 64),
    ('w', 65),
    ('x', 66),
    ('y', 67),
    ('z', 68),
    ('ɑ', 69),
    ('ɐ', 70),
    ('ɒ', 71),
    ('æ', 72),
    ('β', 75),
    ('ɔ', 76),
    ('ɕ', 77),
    ('ç', 78),
    ('ɖ', 80),
    ('ð', 81),
    ('ʤ', 82),
    ('ə', 83),
    ('ɚ', 85),
    ('ɛ', 86),
    ('ɜ', 87),
    ('ɟ', 90),
    ('ɡ', 92),
    ('ɥ', 99),
    ('ɨ', 101),
    ('ɪ', 102),
    ('ʝ', 103),
    ('ɯ', 110),
    ('ɰ', 111),
    ('ŋ', 112),
    ('ɳ', 113),
    ('ɲ', 114),
    ('ɴ', 115),
    ('ø', 116),
    ('ɸ', 118),
    ('θ', 119),
    ('œ', 120),
    ('ɹ', 123),
    ('ɾ', 125),
    ('ɻ', 126),
    ('ʁ', 128),
    ('ɽ', 129),
    ('ʂ', 130),
    ('ʃ', 131),
    ('ʈ', 132),
    ('ʧ', 133),
    ('ʊ', 135),
    ('ʋ', 136),
    ('ʌ', 138),
    ('ɣ', 139),
    ('ɤ', 140),
    ('χ', 142),
    ('ʎ', 143),
    ('ʒ', 147),
    ('ʔ', 148),
    ('ˈ', 156),
    ('ˌ', 157),
    ('ː', 158),
    ('ʰ', 162),
    ('ʲ', 164),
    ('↓', 169),
    ('→', 171),
    ('↗', 172),
    ('↘', 173),
    ('ᵻ', 177),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sound_has_a_number_of_its_own() {
        for (at, (sound, number)) in VOCABULARY.iter().enumerate() {
            assert!(
                VOCABULARY[..at].iter().all(|(other, taken)| other != sound && taken != number),
                "{sound}"
            );
        }
    }

    #[test]
    fn a_long_text_is_cut_where_it_pauses() {
        let sentence = format!("{}. ", "a".repeat(120));
        assert_eq!(pieces(&sentence.repeat(5)).iter().map(Vec::len).collect::<Vec<_>>(), [243, 244, 123]);
        assert_eq!(pieces(&"a".repeat(700)).iter().map(Vec::len).collect::<Vec<_>>(), [300, 300, 100]);
        assert_eq!(pieces("§"), Vec::<Vec<i64>>::new());
        assert_eq!(pieces(" . "), Vec::<Vec<i64>>::new());
        assert_eq!(pieces("ni↗"), [[56, 51, 172]]);
    }
}
