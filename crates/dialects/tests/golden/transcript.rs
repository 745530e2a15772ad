//! The form of a golden file: exchanges, each with a title, settings, what goes in and what comes out.
//!
//! ```text
//! ### A callback is accepted.
//! # rows: 1, 24
//! POST /rest/…
//! Content-Type: …
//!
//! {"…"}
//! <<<
//! 200
//! …
//! ```

use std::fs;
use std::path::{Path, PathBuf};

/// One golden file.
pub(crate) struct Transcript {
    pub(crate) path: PathBuf,
    preamble: String,
    pub(crate) exchanges: Vec<Exchange>,
}

/// One thing that goes in, and what comes out.
pub(crate) struct Exchange {
    pub(crate) title: String,
    settings: Vec<(String, String)>,
    pub(crate) input: String,
    pub(crate) output: String,
}

impl Exchange {
    /// An exchange that stands in no file.
    pub(crate) fn of(input: String) -> Self {
        Self { title: String::new(), settings: Vec::new(), input, output: String::new() }
    }

    /// A setting's value.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }
}

/// Reads every file of a folder, in the order of their names.
pub(crate) fn all(folder: &Path) -> Vec<Transcript> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|item| item.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Transcript {
    let text = fs::read_to_string(&path).unwrap();
    let (preamble, rest) = text.split_once("### ").expect("a golden file has an exchange");
    let exchanges = rest.split("\n### ").map(|text| exchange(&path, text)).collect();
    Transcript { path, preamble: preamble.to_owned(), exchanges }
}

fn exchange(path: &Path, text: &str) -> Exchange {
    let (title, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (head, output) = rest.split_once("\n<<<").unwrap_or_else(|| (rest.trim_end(), ""));
    let mut settings = Vec::new();
    let mut input = head;
    while let Some(line) = input.strip_prefix("# ") {
        let (line, rest) = line.split_once('\n').unwrap_or((line, ""));
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{}: # {line}", path.display()));
        settings.push((name.to_owned(), value.to_owned()));
        input = rest;
    }
    Exchange { title: title.to_owned(), settings, input: input.to_owned(), output: output.trim().to_owned() }
}

/// Writes the file anew, with these outputs in place of its own.
pub(crate) fn write(transcript: &Transcript, outputs: &[String]) {
    let mut text = transcript.preamble.clone();
    for (exchange, output) in transcript.exchanges.iter().zip(outputs) {
        text += &format!("### {}\n", exchange.title);
        for (name, value) in &exchange.settings {
            text += &format!("# {name}: {value}\n");
        }
        text += &format!("{}\n<<<\n{output}\n\n", exchange.input);
    }
    fs::write(&transcript.path, text.trim_end().to_owned() + "\n").unwrap();
}
