//! Ways of spoiling an input.

use rand::Rng;
use rand::rngs::SmallRng;

/// Bytes that parsers stumble over.
const TELLING: &[u8] = b"\r\n \t\0:;,<>\"'\\@?=&%/[]{}()*#+-.0\x7f\x80\xc0\xff";

/// Numbers at the borders of what fits somewhere.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "00",
    "127",
    "128",
    "255",
    "256",
    "32767",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "1e9",
    "0x10",
    "+1",
];

/// The input with one to eight things changed, `bytes_max` long at most. `pool` lends parts of other inputs.
pub fn changed(
    input: &[u8],
    pool: &[Vec<u8>],
    words: &[&str],
    bytes_max: usize,
    rng: &mut SmallRng,
) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..rng.random_range(1..=8) {
        change(&mut bytes, pool, words, rng);
        if rng.random_ratio(1, 3) {
            break;
        }
    }
    bytes.truncate(bytes_max);
    bytes
}

fn change(bytes: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str], rng: &mut SmallRng) {
    let at = rng.random_range(0..=bytes.len());
    let end = rng.random_range(at..=bytes.len().min(at + PART));
    match rng.random_range(0..12) {
        0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
        1 if at < bytes.len() => bytes[at] = rng.random(),
        2 if at < bytes.len() => bytes[at] = TELLING[rng.random_range(0..TELLING.len())],
        3 => bytes.insert(at, TELLING[rng.random_range(0..TELLING.len())]),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let part = bytes[at..end].to_vec();
            let times = if rng.random_ratio(1, 20) { 100 } else { 1 };
            bytes.splice(at..at, part.repeat(times));
        }
        6 => bytes.truncate(at),
        7 if !words.is_empty() => {
            let word = words[rng.random_range(0..words.len())].bytes();
            bytes.splice(at..at, word);
        }
        8 if !words.is_empty() => {
            let word = words[rng.random_range(0..words.len())].bytes();
            bytes.splice(at..end, word);
        }
        9 => {
            let number = NUMBERS[rng.random_range(0..NUMBERS.len())].bytes();
            let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            bytes.splice(at..at + digits, number);
        }
        10 => {
            let other = &pool[rng.random_range(0..pool.len())];
            let from = rng.random_range(0..=other.len());
            let to = rng.random_range(from..=other.len().min(from + PART));
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        // A number of four bytes or fewer at a border, as binary formats have them.
        _ => {
            let number: u32 =
                [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, u32::MAX][rng.random_range(0..9)];
            let width = rng.random_range(1..=4);
            let part = match rng.random() {
                true => number.to_le_bytes()[..width].to_vec(),
                false => number.to_be_bytes()[4 - width..].to_vec(),
            };
            let end = (at + width).min(bytes.len());
            bytes.splice(at..end, part);
        }
    }
}

/// Bytes that one change moves at most.
const PART: usize = 64;
