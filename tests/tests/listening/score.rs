//! Asks PESQ, and says what fell short.

use std::path::Path;
use std::process::Command;

use huihu_tests::ears;
use tempfile::TempDir;

/// What was said and what was heard of it, to be scored together.
#[derive(Default)]
pub(crate) struct Scored {
    pairs: Vec<Pair>,
}

struct Pair {
    what: String,
    least: f64,
    said: Vec<i16>,
    heard: Vec<i16>,
}

impl Scored {
    /// Something that must score so much at least.
    pub(crate) fn add(&mut self, what: String, least: f64, said: &[u8], heard: &[i16]) {
        self.pairs.push(Pair { what, least, said: linear(said), heard: heard.to_vec() });
    }

    /// Prints all scores, and asserts that none fell short.
    pub(crate) fn holds(&self) {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut words = Vec::new();
        for (n, pair) in self.pairs.iter().enumerate() {
            for (name, sound) in [("said", &pair.said), ("heard", &pair.heard)] {
                let file = folder.path().join(format!("{n}-{name}.wav"));
                std::fs::write(&file, ears::wav(sound)).expect("the folder can be written");
                words.push(file);
            }
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/listening/score.sh");
        let output = Command::new(script).args(words).output().expect("there is a shell");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        let said = String::from_utf8(output.stdout).expect("scores are text");
        let scores: Vec<f64> = said.lines().map(|line| line.parse().expect("a score")).collect();
        assert_eq!(scores.len(), self.pairs.len());
        let mut fell_short = Vec::new();
        for (pair, score) in self.pairs.iter().zip(scores) {
            println!("{score:.2} (at least {:.1})  {}", pair.least, pair.what);
            if score < pair.least {
                fell_short.push(format!("{}: {score:.2}", pair.what));
            }
        }
        assert!(fell_short.is_empty(), "{fell_short:#?}");
    }
}

/// A-law as samples, by the ears of the tests.
pub(crate) fn linear(alaw: &[u8]) -> Vec<i16> {
    alaw.iter().map(|byte| ears::alaw(*byte)).collect()
}
