//! Voice files that customers upload.

use speech::wav::{self, import, wav_alaw};

use crate::target::{Target, seen};

/// A WAV file.
pub(super) const WAV: Target = Target {
    name: "wav",
    corpora: &[],
    words: &[
        "RIFF",
        "WAVE",
        "fmt ",
        "data",
        "LIST",
        "fact",
        "\u{1}\0",
        "\u{6}\0",
        "\u{7}\0",
        "\u{3}\0",
        "\u{10}\0",
        "@\u{1f}\0\0",
    ],
    bytes_max: 16_384,
    run,
};

fn run(input: &[u8]) -> u64 {
    let imported = match import(input) {
        Ok(imported) => imported,
        Err(fault) => {
            assert!(!fault.to_string().is_empty());
            return seen(fault.to_string().split(char::is_numeric).next().map(str::to_owned));
        }
    };
    let samples = imported.alaw.len();
    assert!(samples > 0, "a clip is never empty");
    assert!(samples <= (wav::SECS_MAX + 1) * RATE, "a clip has an end");
    assert!((-96.0..=0.0).contains(&imported.peak_dbfs) && (-96.0..=0.0).contains(&imported.rms_dbfs));
    let again = import(&wav_alaw(&imported.alaw)).expect("what we write is read");
    assert!(again.alaw == imported.alaw, "A-law passes bit by bit");
    seen((samples.ilog2(), imported.clipped, imported.silent))
}

/// Samples of a second.
const RATE: usize = 8_000;
