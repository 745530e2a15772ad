//! A Chinese syllable, from pinyin to the sounds that the model knows.

/// A syllable and its tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Syllable {
    /// Without its mark: `lü`.
    plain: String,
    /// 1 to 4; 5 is the neutral tone.
    pub(super) tone: u8,
}

impl Syllable {
    /// A syllable in pinyin with its mark: `lǜ`.
    pub(super) fn parse(pinyin: &str) -> Self {
        let mut syllable = Self { plain: String::new(), tone: NEUTRAL };
        for c in pinyin.chars() {
            match MARKS.iter().find(|(marked, _)| marked.contains(&c)) {
                Some((marked, plain)) => {
                    syllable.tone = 1 + marked
                        .iter()
                        .position(|other| *other == c)
                        .map_or(4, |at| u8::try_from(at).unwrap_or(4));
                    syllable.plain.push(*plain);
                }
                None => syllable.plain.push(c),
            }
        }
        syllable
    }

    /// Its sounds with an arrow for the tone, as the model was taught; `None` for what no Chinese says.
    pub(super) fn sounds(&self) -> Option<String> {
        if self.plain == "er" {
            return Some(format!("ɚ{}", self.arrow()));
        }
        let (initial, consonant) =
            INITIALS.iter().find(|(initial, _)| self.plain.starts_with(initial)).copied().unwrap_or_default();
        let rest = written_out(initial, &self.plain[initial.len()..]);
        let vowel = match (initial, &*rest) {
            ("zh" | "ch" | "sh" | "r" | "z" | "c" | "s", "i") => "ɨ0",
            ("", "o") => "ɔ0",
            _ => FINALS.iter().find(|(last, _)| *last == rest)?.1,
        };
        Some(format!("{consonant}{}", vowel.replace('0', self.arrow())))
    }

    const fn arrow(&self) -> &'static str {
        match self.tone {
            1 => "→",
            2 => "↗",
            3 => "↓",
            4 => "↘",
            _ => "",
        }
    }
}

/// Pinyin leaves letters out; this puts them back: `you` is i-ou, `jun` is j-ün, `liu` is l-iou.
fn written_out(initial: &str, last: &str) -> String {
    if initial.is_empty() {
        return match last {
            "yi" | "yin" | "ying" => last[1..].to_owned(),
            "you" => "iou".to_owned(),
            "wu" => "u".to_owned(),
            "wei" => "uei".to_owned(),
            "wen" => "uen".to_owned(),
            _ => match (last.strip_prefix("yu"), last.strip_prefix('y'), last.strip_prefix('w')) {
                (Some(behind), ..) => format!("ü{behind}"),
                (None, Some(behind), _) => format!("i{behind}"),
                (None, None, Some(behind)) => format!("u{behind}"),
                (None, None, None) => last.to_owned(),
            },
        };
    }
    match (initial, last) {
        ("j" | "q" | "x", _) if last.starts_with('u') => format!("ü{}", &last[1..]),
        (_, "iu") => "iou".to_owned(),
        (_, "ui") => "uei".to_owned(),
        (_, "un") => "uen".to_owned(),
        ("b" | "p" | "m" | "f", "o") => "uo".to_owned(),
        _ => last.replace('v', "ü"),
    }
}

const NEUTRAL: u8 = 5;

/// The letters with the marks of the four tones, and without.
const MARKS: &[([char; 4], char)] = &[
    (['ā', 'á', 'ǎ', 'à'], 'a'),
    (['ē', 'é', 'ě', 'è'], 'e'),
    (['ī', 'í', 'ǐ', 'ì'], 'i'),
    (['ō', 'ó', 'ǒ', 'ò'], 'o'),
    (['ū', 'ú', 'ǔ', 'ù'], 'u'),
    (['ǖ', 'ǘ', 'ǚ', 'ǜ'], 'ü'),
];

/// Of two with the same beginning the longer comes first.
const INITIALS: &[(&str, &str)] = &[
    ("zh", "ꭧ"),
    ("ch", "ꭧʰ"),
    ("sh", "ʂ"),
    ("b", "p"),
    ("p", "pʰ"),
    ("m", "m"),
    ("f", "f"),
    ("d", "t"),
    ("t", "tʰ"),
    ("n", "n"),
    ("l", "l"),
    ("g", "k"),
    ("k", "kʰ"),
    ("h", "x"),
    ("j", "ʨ"),
    ("q", "ʨʰ"),
    ("x", "ɕ"),
    ("r", "ɻ"),
    ("z", "ʦ"),
    ("c", "ʦʰ"),
    ("s", "s"),
];

/// Where the tone stands there is a 0.
const FINALS: &[(&str, &str)] = &[
    ("a", "a0"),
    ("ai", "ai0"),
    ("an", "a0n"),
    ("ang", "a0ŋ"),
    ("ao", "au0"),
    ("e", "ɤ0"),
    ("ei", "ei0"),
    ("en", "ə0n"),
    ("eng", "ə0ŋ"),
    ("i", "i0"),
    ("ia", "ja0"),
    ("ian", "jɛ0n"),
    ("iang", "ja0ŋ"),
    ("iao", "jau0"),
    ("ie", "je0"),
    ("in", "i0n"),
    ("iou", "jou0"),
    ("ing", "i0ŋ"),
    ("iong", "jʊ0ŋ"),
    ("io", "jɔ0"),
    ("ong", "ʊ0ŋ"),
    ("ou", "ou0"),
    ("o", "wo0"),
    ("u", "u0"),
    ("ua", "wa0"),
    ("uai", "wai0"),
    ("uan", "wa0n"),
    ("uang", "wa0ŋ"),
    ("uei", "wei0"),
    ("uen", "wə0n"),
    ("ueng", "wə0ŋ"),
    ("uo", "wo0"),
    ("ü", "y0"),
    ("üe", "ɥe0"),
    ("üan", "ɥɛ0n"),
    ("ün", "y0n"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinyin_is_heard_as_the_model_was_taught() {
        for (pinyin, sounds) in [
            ("nín", "ni↗n"),
            ("hǎo", "xau↓"),
            ("de", "tɤ"),
            ("yàn", "jɛ↘n"),
            ("zhèng", "ꭧə↘ŋ"),
            ("mǎ", "ma↓"),
            ("shì", "ʂɨ↘"),
            ("yī", "i→"),
            ("èr", "ɚ↘"),
            ("sì", "sɨ↘"),
            ("wǔ", "u↓"),
            ("liù", "ljou↘"),
            ("qī", "ʨʰi→"),
            ("jiǔ", "ʨjou↓"),
            ("yuán", "ɥɛ↗n"),
            ("yuè", "ɥe↘"),
            ("yún", "y↗n"),
            ("jūn", "ʨy→n"),
            ("xué", "ɕɥe↗"),
            ("quán", "ʨʰɥɛ↗n"),
            ("lǜ", "ly↘"),
            ("huí", "xwei↗"),
            ("wèi", "wei↘"),
            ("wǒ", "wo↓"),
            ("bō", "pwo→"),
            ("dōng", "tʊ→ŋ"),
            ("yòng", "jʊ↘ŋ"),
            ("yào", "jau↘"),
            ("nǚ", "ny↓"),
            ("rì", "ɻɨ↘"),
            ("zì", "ʦɨ↘"),
            ("ér", "ɚ↗"),
            ("ò", "ɔ↘"),
        ] {
            assert_eq!(Syllable::parse(pinyin).sounds().as_deref(), Some(sounds), "{pinyin}");
        }
    }

    #[test]
    fn what_is_no_syllable_has_no_sound() {
        for pinyin in ["", "xyz", "b", "ňň"] {
            assert_eq!(Syllable::parse(pinyin).sounds(), None, "{pinyin}");
        }
    }
}
