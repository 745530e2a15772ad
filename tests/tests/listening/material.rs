//! Speech: the natural voice of the clips that ship, and what the speech room says with the voice that is always there.

use std::path::{Path, PathBuf};

use huihu_tests::ears;
use speech::cache::CacheSettings;
use speech::settings::{Engine, SpeechSettings};
use speech::text::{Keep, Speed, Text};

/// Some seconds of one voice, as A-law.
pub(crate) struct Speech {
    pub(crate) name: &'static str,
    pub(crate) alaw: Vec<u8>,
}

/// Voices and sentences that are scored, each of 10 to 20 seconds, as PESQ wants them.
pub(crate) fn speech() -> Vec<Speech> {
    let clips = [
        ("the natural voice, greetings", &["welcome", "transferring", "demo-caller", "demo-callee"][..]),
        (
            "the natural voice, codes",
            &[
                "code-log-in-before",
                "digit-4",
                "digit-8",
                "digit-2",
                "digit-9",
                "code-log-in-after",
                "last-minute",
            ],
        ),
        (
            "the natural voice, notices",
            &["code-payment-before", "code-payment-after", "empty-number", "busy", "again"],
        ),
    ];
    let mut all: Vec<Speech> = clips
        .map(|(name, clips)| Speech { name, alaw: in_a_row(clips.iter().map(|clip| shipped(clip))) })
        .into();
    let says = |name, lines: &[&str], speed| Speech { name, alaw: in_a_row(spoken(lines, speed)) };
    all.push(says(
        "a machine's Mandarin",
        &[
            "您好，这里是客户服务中心，您的订单已经发货，请注意查收。",
            "如果需要帮助，请按一，结束通话请按零，谢谢您的来电，再见。",
        ],
        1.0,
    ));
    all.push(says(
        "a machine's English",
        &[
            "The quick brown fox jumps over the lazy dog near the bank of the river.",
            "A large size in stockings is hard to sell, but the sky that morning was clear.",
        ],
        1.0,
    ));
    all
}

/// What the speech room says, kept from one run of the tests to the next.
pub(crate) fn spoken(lines: &[&str], speed: f32) -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Runtime::new().expect("there are threads");
    runtime.block_on(async {
        let cache = CacheSettings::at(tools().join("speech-of-the-tests"));
        let settings = SpeechSettings { engine: Engine::Espeak, espeak: "espeak-ng".into(), cache };
        let opened = speech::speech::Speech::open(settings).await.expect("target can be written");
        let mut spoken = Vec::new();
        for line in lines {
            let text = Text::new(line).expect("a line is short").kept(Keep::OnDisk);
            let text = text.at(Speed::times(speed).expect("it is a speed"));
            spoken.push(opened.speech.speak(&text).await.expect("espeak-ng speaks").alaw.to_vec());
        }
        spoken
    })
}

/// A clip as it is shipped.
fn shipped(name: &str) -> Vec<u8> {
    let clips = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/speech/clips/zh");
    ears::read_alaw(&clips.join(format!("{name}.wav")))
}

/// One after the other, with pauses.
fn in_a_row(parts: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut row = vec![SILENCE; PAUSE];
    for part in parts {
        row.extend(part);
        row.extend([SILENCE; PAUSE]);
    }
    row
}

/// The folder that cargo builds into.
fn tools() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    test.ancestors().nth(3).expect("tests lie in target/debug/deps").to_owned()
}

/// Samples between two sentences.
const PAUSE: usize = ears::RATE / 3;

/// A-law of nothing.
const SILENCE: u8 = 0xd5;
