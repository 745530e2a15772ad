//! What may stand in spoken words: characters that can be said, no addresses of the web, none of the words that the
//! operator forbids. Texts are folded before they are compared, so that nobody slips through in wide letters.

use std::fmt;

use aho_corasick::AhoCorasick;
use unicode_normalization::UnicodeNormalization;

/// Whether a text holds only Chinese and English, digits and common signs: no line breaks, no other control characters,
/// no emoji.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    text.chars().all(|char| {
        matches!(char,
            ' '..='~'
            | '\u{a2}'..='\u{a5}' | '\u{b0}' | '\u{b1}' | '\u{b7}' | '\u{d7}' | '\u{f7}'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{203b}' | '\u{20ac}' | '\u{2103}' | '\u{2116}'
            | '\u{3000}'..='\u{303f}'
            | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
            | '\u{ff01}'..='\u{ff5e}' | '\u{ffe0}'..='\u{ffe6}'
            | '\u{20000}'..='\u{323af}')
    })
}

/// Whether a text holds an address of the web: a scheme, `www.`, or a host under a known top-level domain.
#[must_use]
pub fn contains_address(text: &str) -> bool {
    let folded: String =
        text.nfkc().flat_map(char::to_lowercase).filter(|char| !is_invisible(*char)).collect();
    folded.contains("://")
        || folded.split(|char| !is_of_host(char)).any(is_host)
        || CHINESE_DOMAINS.iter().any(|domain| folded.contains(domain))
}

/// A run of letters, digits, hyphens and dots.
fn is_host(run: &str) -> bool {
    // A Chinese full stop is a dot to every browser.
    let run = run.replace('\u{3002}', ".");
    let mut labels = run.split('.').skip_while(|label| label.is_empty()).peekable();
    let Some(first) = labels.next() else { return false };
    let is_known = |label: &str| DOMAINS.contains(&label);
    match labels.peek() {
        Some(second) if first == "www" => !second.is_empty(),
        Some(_) => {
            let all: Vec<&str> = std::iter::once(first).chain(labels).collect();
            all.windows(2).any(|pair| !pair[0].is_empty() && is_known(pair[1]))
        }
        None => false,
    }
}

const fn is_of_host(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '\u{3002}')
}

const fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Top-level domains that addresses for Chinese readers end with.
const DOMAINS: &[&str] = &[
    "com", "cn", "net", "org", "gov", "edu", "mil", "int", "info", "biz", "name", "mobi", "asia", "cc", "tv",
    "me", "io", "co", "ai", "app", "dev", "hk", "tw", "mo", "jp", "kr", "sg", "us", "uk", "eu", "de", "fr",
    "ru", "in", "top", "xyz", "vip", "shop", "store", "site", "online", "club", "wang", "ltd", "ink", "link",
    "live", "fun", "tech", "work", "cloud", "win", "pub", "red", "ren", "xin", "icu", "cyou", "mom", "lol",
    "pro", "group", "art", "space", "website", "host", "press", "ly", "gl", "gd", "ws", "la", "so", "sh",
    "im", "pw", "cm", "tk", "ml", "ga", "gq",
];

/// The same in Chinese.
const CHINESE_DOMAINS: &[&str] =
    &[".中国", ".公司", ".网络", ".网址", ".商城", ".在线", ".集团", ".我爱你", ".手机"];

/// Words that must not be spoken.
#[derive(Clone, Default)]
pub struct ForbiddenWords {
    words: Vec<String>,
    finder: Option<AhoCorasick>,
}

impl ForbiddenWords {
    /// At most [`WORDS_MAX`] words; what is beyond them, and what has neither letter nor digit, is left out.
    #[must_use]
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let folded = words.into_iter().map(fold).filter(|word| !word.is_empty());
        let mut words: Vec<String> = folded.take(WORDS_MAX).collect();
        words.sort();
        words.dedup();
        let finder = (!words.is_empty())
            .then(|| AhoCorasick::new(&words).expect("so few words of such length always fit"));
        Self { words, finder }
    }

    /// Whether one of them stands in the text, however it is spaced or written.
    #[must_use]
    pub fn stand_in(&self, text: &str) -> bool {
        self.finder.as_ref().is_some_and(|finder| finder.is_match(&fold(text)))
    }
}

impl PartialEq for ForbiddenWords {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for ForbiddenWords {}

impl fmt::Debug for ForbiddenWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} forbidden words", self.words.len())
    }
}

/// Letters and digits only, in one form and one case.
fn fold(text: &str) -> String {
    let cut: String = text.chars().take(WORD_CHARS_SEEN).collect();
    cut.nfkc().flat_map(char::to_lowercase).filter(|char| char.is_alphanumeric()).collect()
}

/// Forbidden words that are looked for.
pub const WORDS_MAX: usize = 10_000;

/// Characters of a text or word that are looked at: more than any text has.
const WORD_CHARS_SEEN: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_what_can_be_said() {
        for (text, plain) in [
            ("张三, Order 8 9~*+!？（好）《》￥5·℃", true),
            ("", true),
            ("a\nb", false),
            ("a\u{8}b", false),
            ("a\tb", false),
            ("好😀", false),
            ("☎", false),
            ("a\u{200b}b", false),
            ("\u{7f}", false),
        ] {
            assert_eq!(is_plain(text), plain, "{text:?}");
        }
    }

    #[test]
    fn an_address_is_found_however_it_is_written() {
        for text in [
            "http://a.cn",
            "详见ftp://x",
            "www.a.com",
            "WWW．A．COM",
            "www.x",
            "a.com/x",
            "点a.cn领取",
            "ａ．ｃｎ",
            "a。com",
            "x.y.example.com.cn:80",
            "a\u{200b}.c\u{ad}om",
            "淘宝.中国",
            "t.cn",
        ] {
            assert!(contains_address(text), "{text}");
        }
        for text in [
            "",
            "1.5",
            "版本2.0.1",
            "A.B",
            "共3.5元。com口",
            "我爱你。中国",
            "com",
            ".com",
            "e.g.",
            "上午9.30",
            "a@b",
            "10:30",
            "50%/天",
        ] {
            assert!(!contains_address(text), "{text}");
        }
    }

    #[test]
    fn a_forbidden_word_is_found_however_it_is_spaced() {
        let words = ForbiddenWords::new(["赌博", "Casino", "  ", "!"]);
        for text in ["来赌博吧", "赌 博", "赌-博", "ＣＡＳＩＮＯ", "ca.si.no"] {
            assert!(words.stand_in(text), "{text}");
        }
        for text in ["", "赌", "博赌", "casin"] {
            assert!(!words.stand_in(text), "{text}");
        }
        assert!(!ForbiddenWords::new([]).stand_in("赌博"));
        assert_eq!(format!("{words:?}"), "2 forbidden words");
    }
}
