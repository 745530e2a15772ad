//! Half an hour of talk, and the ear for keys that hears it.

use std::path::Path;
use std::thread;

use base::time::Instant;
use huihu_tests::ears;
use media::codec::Codec;
use media::g711::Law;
use media::session::Incoming;
use media::{FRAME, FRAME_SAMPLES};

use crate::{material, road};

/// What is talked about: our own documents, in both languages.
const TEXTS: [(&str, &str); 2] = [("README.zh-CN.md", "您好。"), ("docs/words.md", "Hello.")];

/// How fast, against the voice's own speed.
const SPEEDS: [f32; 3] = [0.85, 1.0, 1.3];

/// How high, against the voice's own: as a man, a woman and a child would.
const VOICES: [f64; 3] = [0.8, 1.0, 1.3];

/// Seconds of each language at each speed, before it is given to all voices.
const SECONDS: usize = 100;

/// Bytes of a text that is spoken at once.
const TEXT_BYTES: usize = 300;

/// How many seconds were listened to, and the keys that were heard where nobody pressed any.
pub(crate) fn keys_in_half_an_hour() -> (usize, Vec<String>) {
    let talks: Vec<(String, Vec<u8>)> = TEXTS
        .iter()
        .flat_map(|(file, greeting)| {
            SPEEDS.map(|speed| (format!("{file} at {speed}"), talk(file, greeting, speed)))
        })
        .collect();
    let heard = thread::scope(|threads| {
        let listeners: Vec<_> = VOICES
            .iter()
            .map(|voice| {
                let talks = &talks;
                threads.spawn(move || {
                    let keys = |(what, talk): &(String, Vec<u8>)| {
                        let (samples, keys) = keys_in(&higher(talk, *voice));
                        (
                            samples,
                            keys.into_iter()
                                .map(|at| format!("{what}, {voice} as high: {at}"))
                                .collect::<Vec<_>>(),
                        )
                    };
                    talks.iter().map(keys).collect::<Vec<_>>()
                })
            })
            .collect();
        listeners.into_iter().flat_map(|listener| listener.join().expect("nobody panics")).collect::<Vec<_>>()
    });
    let samples: usize = heard.iter().map(|(samples, _)| samples).sum();
    (samples / ears::RATE, heard.into_iter().flat_map(|(_, keys)| keys).collect())
}

/// So many seconds of talk, from the beginning of a document.
fn talk(file: &str, greeting: &str, speed: f32) -> Vec<u8> {
    let enough = SECONDS * ears::RATE;
    let mut talk = Vec::new();
    for lines in lines(file, greeting).chunks(8) {
        for said in material::spoken(&lines.iter().map(String::as_str).collect::<Vec<_>>(), speed) {
            talk.extend(said);
        }
        if talk.len() >= enough {
            talk.truncate(enough);
            return talk;
        }
    }
    panic!("{file} is too short: {} s", talk.len() / ears::RATE);
}

/// The prose of a document, in pieces that are spoken at once.
fn lines(file: &str, greeting: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(path).expect("the document is there");
    let mut lines = vec![greeting.to_owned()];
    for word in text
        .split_inclusive([' ', '\n', '。', '，', '、'])
        .filter(|word| word.chars().any(char::is_alphabetic))
    {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < TEXT_BYTES => line.push_str(word),
            _ => lines.push(word.chars().take(TEXT_BYTES / 4).collect()),
        }
    }
    lines
}

/// The same talk by another voice, higher and faster by this factor.
fn higher(talk: &[u8], factor: f64) -> Vec<u8> {
    let samples: Vec<f64> = talk.iter().map(|byte| f64::from(ears::alaw(*byte))).collect();
    let length = (talk.len() as f64 / factor) as usize;
    let at = |n: usize| {
        let place = n as f64 * factor;
        let (first, part) = (place as usize, place.fract());
        let next = samples.get(first + 1).copied().unwrap_or(0.0);
        samples[first] * (1.0 - part) + next * part
    };
    (0..length).map(|n| Law::Pcma.encode(at(n) as i16)).collect()
}

/// How much was listened to, and when a key was heard.
fn keys_in(talk: &[u8]) -> (usize, Vec<String>) {
    let (mut session, mut now) = (road::leg(Codec::PCMA), Instant::START);
    session.listen_for_tones();
    let mut keys = Vec::new();
    for (nth, frame) in talk.chunks(FRAME_SAMPLES).enumerate() {
        let Incoming::Audio(_, pressed) = session.receive(road::far_end(), &road::packet(nth, frame), now)
        else {
            panic!("frame {nth} was not heard")
        };
        keys.extend(pressed.map(|pressed| format!("{} after {now:?}", pressed.key.letter())));
        now = now + FRAME;
    }
    (talk.len(), keys)
}
