//! The golden transcripts of `golden/<vendor>/`: what goes in over the wire, what comes out, byte for byte.
//!
//! `HUIHU_GOLDEN=write cargo test -p huihu-dialects --test golden` writes the outputs anew; read the difference before
//! you keep it.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod huawei;
mod ksyun;
mod refusals;
mod transcript;
mod wire;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use huihu_dialects::{ALL, Dialect};
use transcript::{Exchange, Transcript};
use wire::Played;

/// A vendor and how its transcripts are played.
struct Vendor {
    dialect: &'static dyn Dialect,
    /// The reply to a request.
    request: fn(&Exchange) -> Played,
    /// The push that rows become, as text.
    rows: fn(&Exchange) -> String,
    /// The refusals that the dialect words by itself, before anybody is asked.
    own: &'static [&'static str],
}

const VENDORS: &[&Vendor] = &[&huawei::VENDOR, &ksyun::VENDOR];

impl Vendor {
    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(self.dialect.name())
    }

    fn output(&self, transcript: &Transcript, exchange: &Exchange) -> String {
        if holds_rows(transcript) { (self.rows)(exchange) } else { (self.request)(exchange).text }
    }

    /// Every request of the folder with what came out of it.
    fn played(&self) -> Vec<(Exchange, Played)> {
        let requests =
            transcript::all(&self.folder()).into_iter().filter(|transcript| !holds_rows(transcript));
        let exchanges = requests.flat_map(|transcript| transcript.exchanges);
        exchanges
            .map(|exchange| {
                let played = (self.request)(&exchange);
                (exchange, played)
            })
            .collect()
    }
}

/// Files whose names begin with `push` hold rows, all others requests.
fn holds_rows(transcript: &Transcript) -> bool {
    transcript.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("push"))
}

fn missing<T: Ord + Clone>(all: impl IntoIterator<Item = T>, seen: &BTreeSet<T>) -> Vec<T> {
    all.into_iter().filter(|one| !seen.contains(one)).collect()
}

/// The field of a body; nothing when it has no such text.
fn value<'a>(name: &str, text: &'a str) -> &'a str {
    let after = text.split_once(&format!(r#""{name}":""#)).map_or("", |(_, after)| after);
    after.split('"').next().unwrap_or("")
}

/// Checks that each row of a vendor's conformance table, a number with its HTTP status and codes between blanks, has a
/// transcript that agrees. `code` finds the code in a reply.
fn assert_conforms(vendor: &Vendor, rows: &[(u32, &str, &str)], code: fn(&str) -> &str) {
    let played = vendor.played();
    for (row, status, codes) in rows {
        let of_row = |exchange: &Exchange| {
            let rows = exchange.setting("rows").unwrap_or("");
            rows.split(", ").any(|own| own == row.to_string())
        };
        let mut seen = BTreeSet::new();
        for (exchange, played) in played.iter().filter(|(exchange, _)| of_row(exchange)) {
            let code = code(&played.text);
            let agrees = played.text.starts_with(status) && codes.split(' ').any(|own| own == code);
            assert!(agrees, "row {row} wants {status} and {codes}: {}: {}", exchange.title, played.text);
            seen.insert(code);
        }
        assert_eq!(missing(codes.split(' '), &seen), Vec::<&str>::new(), "row {row} has no transcript");
    }
}

#[test]
fn every_dialect_has_its_transcripts() {
    let seen: BTreeSet<_> = VENDORS.iter().map(|vendor| vendor.dialect.name()).collect();
    assert_eq!(missing(ALL.iter().map(|dialect| dialect.name()), &seen), Vec::<&str>::new());
}

#[test]
fn every_transcript_still_reads_the_same() {
    let write = std::env::var("HUIHU_GOLDEN").is_ok_and(|word| word == "write");
    for vendor in VENDORS {
        for transcript in transcript::all(&vendor.folder()) {
            let outputs: Vec<_> =
                transcript.exchanges.iter().map(|exchange| vendor.output(&transcript, exchange)).collect();
            if write {
                transcript::write(&transcript, &outputs);
                continue;
            }
            for (exchange, output) in transcript.exchanges.iter().zip(&outputs) {
                assert_eq!(output, &exchange.output, "{}: {}", transcript.path.display(), exchange.title);
            }
        }
    }
}

#[test]
fn every_refusal_has_a_transcript() {
    for vendor in VENDORS {
        let played = vendor.played().into_iter().filter_map(|(_, played)| played.refusal);
        let seen: BTreeSet<_> = played.chain(vendor.own.iter().copied()).collect();
        let all = refusals::every();
        let name = vendor.dialect.name();
        assert_eq!(missing(all.iter().map(refusals::name), &seen), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn no_title_stands_twice() {
    for vendor in VENDORS {
        let mut seen = BTreeSet::new();
        for transcript in transcript::all(&vendor.folder()) {
            for exchange in &transcript.exchanges {
                assert!(seen.insert(exchange.title.clone()), "{}", exchange.title);
            }
        }
    }
}
