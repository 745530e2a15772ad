//! The golden transcripts of `golden/<vendor>/`: what goes in over the wire, what comes out, byte for byte.
//!
//! `HUIHU_GOLDEN=write cargo test -p huihu-dialects --test golden` writes the outputs anew; read the difference before
//! you keep it.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod conformance;
mod refusals;
mod request;
mod rows;
mod texts;
mod transcript;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use conformance::{LAST, OF_OTHERS, ROWS};
use huihu_dialects::{Dialect, huawei};
use request::Played;
use texts::{BEGINNINGS, OURS, TEXTS};
use transcript::{Exchange, Transcript};

const DIALECT: &dyn Dialect = &huawei::Huawei;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(DIALECT.name())
}

/// Files whose names begin with `push` hold rows, all others requests.
fn holds_rows(transcript: &Transcript) -> bool {
    transcript.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("push"))
}

fn output(transcript: &Transcript, exchange: &Exchange) -> String {
    if holds_rows(transcript) { rows::play(DIALECT, exchange) } else { request::play(DIALECT, exchange).text }
}

/// Every request of the folder with what came out of it.
fn played() -> Vec<(Exchange, Played)> {
    let requests = transcript::all(&folder()).into_iter().filter(|transcript| !holds_rows(transcript));
    let exchanges = requests.flat_map(|transcript| transcript.exchanges);
    exchanges
        .map(|exchange| {
            let played = request::play(DIALECT, &exchange);
            (exchange, played)
        })
        .collect()
}

fn missing<T: Ord + Clone>(all: impl IntoIterator<Item = T>, seen: &BTreeSet<T>) -> Vec<T> {
    all.into_iter().filter(|one| !seen.contains(one)).collect()
}

#[test]
fn every_transcript_still_reads_the_same() {
    let write = std::env::var("HUIHU_GOLDEN").is_ok_and(|word| word == "write");
    for transcript in transcript::all(&folder()) {
        let outputs: Vec<_> =
            transcript.exchanges.iter().map(|exchange| output(&transcript, exchange)).collect();
        if write {
            transcript::write(&transcript, &outputs);
            continue;
        }
        for (exchange, output) in transcript.exchanges.iter().zip(&outputs) {
            assert_eq!(output, &exchange.output, "{}: {}", transcript.path.display(), exchange.title);
        }
    }
}

#[test]
fn every_route_has_a_request_that_succeeds() {
    let is_success = |text: &str| text.starts_with("200\n") || text.starts_with("301\n");
    let good = played().into_iter().filter(|(_, played)| is_success(&played.text));
    let seen: BTreeSet<String> = good.map(|(_, played)| played.path).collect();
    let routes = huawei::routes().map(|(_, path)| path);
    assert_eq!(missing(routes, &seen), Vec::<String>::new());
}

#[test]
fn every_refusal_has_a_transcript() {
    let seen: BTreeSet<_> = played()
        .into_iter()
        .filter_map(|(_, played)| played.refusal)
        // The dialect says this one by itself, before anybody is asked.
        .chain(["UnknownPath"])
        .collect();
    let all = refusals::every();
    assert_eq!(missing(all.iter().map(refusals::name), &seen), Vec::<&str>::new());
}

#[test]
fn every_result_code_has_a_transcript_and_the_text_of_its_document() {
    let mut seen = BTreeSet::new();
    for (exchange, played) in played() {
        let (code, text) = (value("resultcode", &played.text), value("resultdesc", &played.text));
        let begins = |(own, beginning): &(&str, &str)| *own == code && text.starts_with(beginning);
        let agrees = TEXTS.contains(&(code, text)) || BEGINNINGS.iter().any(begins) || OURS.contains(&code);
        assert!(agrees || ["0", ""].contains(&code), "{}: {code} {text}", exchange.title);
        seen.insert((code.to_owned(), text.to_owned()));
    }
    let texts = TEXTS.iter().map(|(code, text)| ((*code).to_owned(), (*text).to_owned()));
    assert_eq!(missing(texts, &seen), Vec::new());
    let seen: BTreeSet<String> = seen.into_iter().map(|(code, _)| code).collect();
    let codes = BEGINNINGS.iter().map(|(code, _)| *code).chain(OURS.iter().copied());
    assert_eq!(missing(codes.map(str::to_owned), &seen), Vec::<String>::new());
}

#[test]
fn every_row_of_the_conformance_table_has_a_transcript_that_agrees() {
    let played = played();
    for (row, status, codes) in ROWS {
        let of_row = |exchange: &Exchange| {
            let rows = exchange.setting("rows").unwrap_or("");
            rows.split(", ").any(|own| own == row.to_string())
        };
        let mut seen = BTreeSet::new();
        for (exchange, played) in played.iter().filter(|(exchange, _)| of_row(exchange)) {
            let code = value("resultcode", &played.text);
            let agrees = played.text.starts_with(status) && codes.split(' ').any(|own| own == code);
            assert!(agrees, "row {row} wants {status} and {codes}: {}", exchange.title);
            seen.insert(code);
        }
        assert_eq!(missing(codes.split(' '), &seen), Vec::<&str>::new(), "row {row} has no transcript");
    }
}

#[test]
fn no_row_of_the_conformance_table_is_forgotten() {
    let known: BTreeSet<u32> = ROWS.iter().map(|(row, ..)| *row).chain(OF_OTHERS.iter().copied()).collect();
    assert_eq!(missing(1..=LAST, &known), Vec::<u32>::new());
}

/// A field of a reply's body; nothing when it has no body.
fn value<'a>(name: &str, text: &'a str) -> &'a str {
    let after = text.split_once(&format!(r#""{name}":""#)).map_or("", |(_, after)| after);
    after.split('"').next().unwrap_or("")
}

#[test]
fn fifty_fee_records_travel_together_and_no_more() {
    let fees = |count| vec!["fee code over=02:49:23 by=Caller cause=Normal of=A"; count].join("\n");
    assert!(rows::play(DIALECT, &Exchange::of(fees(50))).contains(r#"{"eventType":"fee","#));
    assert_eq!(rows::play(DIALECT, &Exchange::of(fees(51))), "nothing");
    assert_eq!(rows::play(DIALECT, &Exchange::of(String::new())), "nothing");
}

#[test]
fn no_title_stands_twice() {
    let mut seen = BTreeSet::new();
    for transcript in transcript::all(&folder()) {
        for exchange in &transcript.exchanges {
            assert!(seen.insert(exchange.title.clone()), "{}", exchange.title);
        }
    }
}
