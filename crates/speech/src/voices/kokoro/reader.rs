//! How Chinese characters are read: words are found first, because the same character is read differently in each.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use crate::text::is_han;

use super::syllable::Syllable;

/// The dictionaries. They take about 60 MB of memory.
#[derive(Debug)]
pub(super) struct Reader {
    /// The logarithm of how often a word is met.
    words: HashMap<Box<str>, f32>,
    /// How a word is read whose characters have several readings.
    phrases: Phrases,
    /// How a character is read that stands alone.
    characters: HashMap<char, Box<str>>,
}

/// Words with the reading of each character.
type Phrases = HashMap<Box<str>, Box<[Box<str>]>>;

/// A word on its way to being spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    characters: Vec<char>,
    syllables: Vec<Syllable>,
}

impl Reader {
    /// Reads the three dictionaries: words with how often they are met, one a line; phrases and characters in JSON.
    pub(super) fn open(words: &Path, phrases: &Path, characters: &Path) -> io::Result<Self> {
        let words = read_words(BufReader::new(std::fs::File::open(words)?))?;
        let phrases = read_phrases(&std::fs::read(phrases)?)?;
        Ok(Self::new(words, phrases, read_characters(&std::fs::read(characters)?)?))
    }

    fn new(mut words: HashMap<Box<str>, f32>, phrases: Phrases, characters: HashMap<char, Box<str>>) -> Self {
        for phrase in phrases.keys().filter(|phrase| phrase.chars().count() <= WORD_CHARS_MAX) {
            let likely = words.entry(phrase.clone()).or_insert(PHRASE);
            *likely = likely.max(PHRASE);
        }
        Self { words, phrases, characters }
    }

    /// The sounds of Chinese characters with `，` and `。` between them.
    pub(super) fn sounds(&self, text: &str) -> String {
        let mut sounds = String::new();
        let chars: Vec<char> = text.chars().collect();
        for phrase in chars.chunk_by(|a, b| is_han(*a) == is_han(*b)) {
            if is_han(phrase[0]) {
                self.phrase(phrase, &mut sounds);
            } else {
                sounds.extend(phrase.iter().map(|c| if *c == '，' { ", " } else { ". " }));
            }
        }
        sounds
    }

    fn phrase(&self, phrase: &[char], sounds: &mut String) {
        let mut words = self.words(phrase);
        change_tones(&mut words);
        let spoken: Vec<String> = words
            .iter()
            .map(|word| word.syllables.iter().filter_map(Syllable::sounds).collect())
            .filter(|sounds: &String| !sounds.is_empty())
            .collect();
        sounds.push_str(&spoken.join(" "));
    }

    /// Cuts a phrase into the words that are most likely together.
    fn words(&self, phrase: &[char]) -> Vec<Word> {
        // The best that can be made of the rest from each place on, and how long its first word is.
        let mut best = vec![(0.0_f32, 1_usize); phrase.len() + 1];
        for at in (0..phrase.len()).rev() {
            best[at] = (1..=WORD_CHARS_MAX.min(phrase.len() - at))
                .filter_map(|length| {
                    Some((self.likely(&phrase[at..at + length])? + best[at + length].0, length))
                })
                .max_by(|(one, _), (other, _)| one.total_cmp(other))
                .unwrap_or((UNKNOWN + best[at + 1].0, 1));
        }
        let mut words = Vec::new();
        let mut at = 0;
        while at < phrase.len() {
            let length = best[at].1;
            words.push(self.read(&phrase[at..at + length]));
            at += length;
        }
        words
    }

    fn likely(&self, word: &[char]) -> Option<f32> {
        let text: String = word.iter().collect();
        match self.words.get(&*text) {
            Some(likely) => Some(*likely),
            None if word.len() == 1 => Some(UNKNOWN),
            None => None,
        }
    }

    /// Reads a word by the longest phrases that it is made of: 银行卡 by 银行 and 卡.
    fn read(&self, word: &[char]) -> Word {
        let mut syllables = Vec::with_capacity(word.len());
        while let Some(rest @ [first, ..]) = word.get(syllables.len()..) {
            let longest = (2..=rest.len()).rev().find_map(|length| self.phrase_of(&rest[..length]));
            match longest {
                Some(readings) => syllables.extend(readings.iter().map(|reading| Syllable::parse(reading))),
                None => syllables.push(self.alone(*first)),
            }
        }
        Word { characters: word.to_vec(), syllables }
    }

    fn phrase_of(&self, characters: &[char]) -> Option<&[Box<str>]> {
        let text: String = characters.iter().collect();
        self.phrases
            .get(&*text)
            .map(|readings| &**readings)
            .filter(|readings| readings.len() == characters.len())
    }

    fn alone(&self, character: char) -> Syllable {
        Syllable::parse(self.characters.get(&character).map_or("", |reading| &**reading))
    }
}

/// What tones do to each other: 不 and 一 before others, and the first of two third tones.
fn change_tones(words: &mut [Word]) {
    let mut flat: Vec<(char, bool, &mut Syllable)> = Vec::new();
    for word in words {
        let alone = word.characters.len() == 1;
        let last = word.characters.len() - 1;
        let spoken = word.characters.iter().zip(&mut word.syllables).enumerate();
        flat.extend(spoken.map(|(at, (c, syllable))| (*c, alone || at < last, syllable)));
    }
    for at in 0..flat.len().saturating_sub(1) {
        let before = at.checked_sub(1).map(|at| flat[at].0);
        let (next, next_tone) = (flat[at + 1].0, flat[at + 1].2.tone);
        let (character, leans_on_next, syllable) = &mut flat[at];
        let figures = is_figure(*character) && (is_figure(next) || before.is_some_and(is_figure));
        match (*character, syllable.tone, next_tone) {
            ('不', 4, 4) => syllable.tone = 2,
            ('一', _, _) if figures || ordinal(before, next) => syllable.tone = 1,
            ('一', 1, 4) => syllable.tone = 2,
            ('一', 1, 1..=3) => syllable.tone = 4,
            (_, 3, 3) if !figures && *leans_on_next => syllable.tone = 2,
            _ => {}
        }
    }
}

const fn is_figure(c: char) -> bool {
    matches!(c, '零' | '〇' | '一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十' | '点')
}

/// 一 in 第一, 星期一, 一月, 一号.
fn ordinal(before: Option<char>, next: char) -> bool {
    matches!(before, Some('第' | '期' | '周' | '初')) || matches!(next, '月' | '日' | '号' | '楼')
}

/// `您好 34 l`: a word, how often it is met, and what kind of word it is.
fn read_words(file: impl BufRead) -> io::Result<HashMap<Box<str>, f32>> {
    let mut words = HashMap::new();
    let mut total = 0.0;
    for line in file.lines() {
        let line = line?;
        let mut fields = line.split(' ');
        let (Some(word), Some(count)) =
            (fields.next(), fields.next().and_then(|count| count.parse::<f32>().ok()))
        else {
            continue;
        };
        total += count;
        if word.chars().all(is_han) && word.chars().count() <= WORD_CHARS_MAX && words.len() < ENTRIES_MAX {
            words.insert(word.into(), count.max(1.0));
        }
    }
    let all = f32::max(total, 1.0).ln();
    words.values_mut().for_each(|count: &mut f32| *count = count.ln() - all);
    Ok(words)
}

/// `{"银行": [["yín"], ["háng"]]}`; of several readings the first is the usual one.
fn read_phrases(file: &[u8]) -> io::Result<Phrases> {
    let found: HashMap<String, Vec<Vec<String>>> = serde_json::from_slice(file)?;
    let first = |readings: &[Vec<String>]| {
        readings.iter().map(|all| all.first().map_or("", |one| one).into()).collect()
    };
    Ok(found
        .iter()
        .take(ENTRIES_MAX)
        .map(|(word, readings)| (word.as_str().into(), first(readings)))
        .collect())
}

/// `{"20320": "nǐ"}`; of several readings the first is the usual one.
fn read_characters(file: &[u8]) -> io::Result<HashMap<char, Box<str>>> {
    let found: HashMap<String, Value> = serde_json::from_slice(file)?;
    let entry = |(code, readings): (&String, &Value)| {
        let character = char::from_u32(code.parse().ok()?)?;
        Some((character, readings.as_str()?.split(',').next()?.into()))
    };
    Ok(found.iter().take(ENTRIES_MAX).filter_map(entry).collect())
}

/// Entries of one dictionary that are kept; the largest has 349,045.
const ENTRIES_MAX: usize = 500_000;

/// Characters of the longest word that is looked for.
const WORD_CHARS_MAX: usize = 6;

/// As likely as a word that was met once.
const UNKNOWN: f32 = -17.9;

/// A phrase is more likely than its characters by themselves, however rare the list of words has it: its reading is known.
const PHRASE: f32 = -12.5;

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> Reader {
        let words = "您好 34 l\n的 318825 uj\n银行 10000 n\n银行卡 900 n\n时 90000 n\n长 90000 a\n时长 4 n\n银 800 n\n行 5000 v\n不 9000 d\n是 9000 v\n很 900 d\n好 900 a\n一 9000 m\n次 500 q\n天 500 n\nABC 60000000 n\nbroken\n";
        let phrases = r#"{"银行": [["yín"], ["háng"]], "您好": [["nín"], ["hǎo", "hào"]], "时长": [["shí"], ["cháng"]]}"#;
        let characters: Vec<String> = [
            ('您', "nín"),
            ('好', "hǎo,hào"),
            ('的', "de,dí"),
            ('银', "yín"),
            ('行', "xíng,háng"),
            ('不', "bù"),
            ('是', "shì"),
            ('很', "hěn"),
            ('一', "yī"),
            ('次', "cì"),
            ('天', "tiān"),
            ('五', "wǔ"),
            ('九', "jiǔ"),
            ('第', "dì"),
            ('月', "yuè"),
            ('卡', "kǎ"),
            ('时', "shí"),
            ('长', "zhǎng,cháng"),
        ]
        .iter()
        .map(|(c, pinyin)| format!("\"{}\": \"{pinyin}\"", u32::from(*c)))
        .collect();
        let characters = format!("{{{}}}", characters.join(","));
        Reader::new(
            read_words(words.as_bytes()).unwrap(),
            read_phrases(phrases.as_bytes()).unwrap(),
            read_characters(characters.as_bytes()).unwrap(),
        )
    }

    #[test]
    fn characters_are_read_as_their_word_wants() {
        let reader = reader();
        for (text, sounds) in [
            ("您好，您好。", "ni↗nxau↓, ni↗nxau↓. "),
            ("银行", "i↗nxa↗ŋ"),
            ("行", "ɕi↗ŋ"),
            ("的银行", "tɤ i↗nxa↗ŋ"),
            ("银行卡", "i↗nxa↗ŋkʰa↓"),
            ("时长", "ʂɨ↗ꭧʰa↗ŋ"),
            ("龘", ""),
            ("", ""),
        ] {
            assert_eq!(reader.sounds(text), sounds, "{text}");
        }
    }

    #[test]
    fn tones_change_each_other() {
        let reader = reader();
        for (text, sounds) in [
            ("不是", "pu↗ ʂɨ↘"),
            ("不好", "pu↘ xau↓"),
            ("很好", "xə↗n xau↓"),
            ("一次", "i↗ ʦʰɨ↘"),
            ("一天", "i↘ tʰjɛ→n"),
            ("第一天", "ti↘ i→ tʰjɛ→n"),
            ("一月", "i→ ɥe↘"),
            // Digits keep their own.
            ("五九", "u↓ ʨjou↓"),
            ("一九", "i→ ʨjou↓"),
        ] {
            assert_eq!(reader.sounds(text), sounds, "{text}");
        }
    }
}
