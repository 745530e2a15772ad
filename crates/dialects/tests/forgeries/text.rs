//! Small changes of texts, such as guessers and broken programs make.

use huihu_dialects::WireRequest;
use rand::Rng;
use rand::rngs::SmallRng;

/// The text with one thing changed.
pub(crate) fn twisted(text: &str, rng: &mut SmallRng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.is_empty() {
        return odd(rng).to_string();
    }
    let at = rng.random_range(0..letters.len());
    match rng.random_range(0..10) {
        0 => letters[at] = char::from(rng.random_range(b' '..=b'~')),
        1 => drop(letters.remove(at)),
        2 => letters.insert(at, odd(rng)),
        3 => letters.truncate(at),
        4 => letters.extend(letters[at..].to_vec()),
        5 => letters.push(odd(rng)),
        6 => letters[at] = other_case(letters[at]),
        7 => letters[at] = look_alike(letters[at], rng),
        8 => drop(letters.splice(at..=at, escaped(letters[at], rng))),
        _ => {
            let other = rng.random_range(0..letters.len());
            letters.swap(at, other);
        }
    }
    letters.into_iter().collect()
}

/// Letters that parsers stumble over.
fn odd(rng: &mut SmallRng) -> char {
    const ODD: &[char] = &[
        '"', '\'', ',', ';', '=', '&', '%', '+', '/', '\\', ' ', '\t', '\0', '\r', '\n', '?', '#', 'A', '0',
        'f', '\u{a0}', '\u{200b}', '\u{feff}', '\u{3000}', '\u{301}', '\u{202e}', '张',
    ];
    ODD[rng.random_range(0..ODD.len())]
}

fn other_case(letter: char) -> char {
    if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
}

/// A letter that looks the same, or is the same to whoever normalizes or folds.
pub(crate) fn look_alike(letter: char, rng: &mut SmallRng) -> char {
    const PAIRS: &[(char, char)] = &[
        ('a', 'а'),
        ('e', 'е'),
        ('o', 'о'),
        ('p', 'р'),
        ('c', 'с'),
        ('A', 'А'),
        ('K', 'К'),
        ('K', '\u{212a}'),
        ('s', 'ſ'),
        ('0', '٠'),
        ('1', '１'),
        ('i', 'ı'),
        ('I', 'İ'),
        ('S', 'Ѕ'),
        ('=', '＝'),
        ('"', '＂'),
    ];
    let pairs: Vec<char> = PAIRS.iter().filter(|(own, _)| *own == letter).map(|(_, other)| *other).collect();
    let wide = if letter.is_ascii_graphic() { char::from_u32(u32::from(letter) + 0xfee0) } else { None };
    let all: Vec<char> = pairs.into_iter().chain(wide).collect();
    if all.is_empty() { letter } else { all[rng.random_range(0..all.len())] }
}

/// The letter as forms escape it, perhaps once more than needed.
fn escaped(letter: char, rng: &mut SmallRng) -> Vec<char> {
    let percent = if rng.random_ratio(1, 4) { "%25" } else { "%" };
    let mut bytes = [0; 4];
    let text: String =
        letter.encode_utf8(&mut bytes).bytes().map(|byte| format!("{percent}{byte:02x}")).collect();
    text.chars().collect()
}

/// The pieces of a text between what separates values, as ranges of bytes.
pub(crate) fn pieces(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut from = 0;
    let mut all = Vec::new();
    for (at, letter) in text.char_indices().chain([(text.len(), '&')]) {
        if ",&;=\" /".contains(letter) {
            if from < at {
                all.push(from..at);
            }
            from = at + letter.len_utf8();
        }
    }
    all
}

/// The signature that a request carries, wherever it stands; `None` where it shows a secret instead.
pub(crate) fn signature_of(request: &WireRequest) -> Option<String> {
    let between = |text: &str, name: &str, ends: &[char]| {
        let (_, after) = text.split_once(name)?;
        Some(after.split(ends).next().unwrap_or("").to_owned())
    };
    let of_digest = |name| between(request.headers.first(name)?, "PasswordDigest=\"", &['"']);
    let of_header = || between(request.headers.first("Authorization")?, "Signature=", &[',', ' ']);
    let of_query = || between(&request.query, "&Signature=", &['&']);
    let of_presigned = || between(&request.query, "&X-Amz-Signature=", &['&']);
    let of_body = || between(std::str::from_utf8(&request.body).ok()?, "&Signature=", &['&']);
    of_digest("X-AKSK")
        .or_else(|| of_digest("X-WSSE"))
        .or_else(of_header)
        .or_else(of_presigned)
        .or_else(of_query)
        .or_else(of_body)
}
