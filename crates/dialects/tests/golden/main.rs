//! The golden transcripts of `golden/<vendor>/`: what goes in over the wire, what comes out, byte for byte.
//!
//! `HUIHU_GOLDEN=write cargo test -p huihu-dialects --test golden` writes the outputs anew; read the difference before
//! you keep it.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod refusals;
mod request;
mod rows;
mod transcript;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use huihu_dialects::{Dialect, huawei};
use request::Played;
use transcript::{Exchange, Transcript};

/// The vendor's conformance table: row, HTTP status, result code. Rows are left out that need more than the dialect
/// and a word from admission: the ban of addresses, quotas, notices, recordings and the login of the years before.
const ROWS: &[(u32, &str, &str)] = &[
    (1, "200", "0"),
    (2, "200", "0"),
    (3, "200", "0"),
    (6, "200", "0"),
    (7, "200", "0"),
    (9, "400", "1023006"),
    (10, "400", "1023007"),
    (11, "400", "1023008"),
    (12, "400", "1023009"),
    (13, "400", "1023010"),
    (14, "400", "1023011"),
    (15, "400", "1023011"),
    (16, "400", "1023012"),
    (17, "400", "1023033"),
    (18, "400", "1023038"),
    (19, "400", "1023034"),
    (20, "400", "1023035"),
    (21, "400", "1023036"),
    (22, "400", "1023037"),
    (23, "400", "1023012"),
    (24, "200", "0"),
    (25, "403", "1010003"),
    (27, "401", "1010010"),
    (28, "401", "1010010"),
    (29, "401", "1010010"),
    (30, "401", "1010013"),
    (31, "200", "0"),
    (32, "401", "1010013"),
    (33, "401", "1010013"),
    (34, "403", "1010002"),
    (35, "200", "0"),
    (36, "200", "0"),
    (40, "403", "1010008"),
    (41, "403", "1010021"),
    (44, "403", "1010006"),
    (46, "404", "1010006"),
    (47, "404", "1010006"),
    (48, "404", "1010006"),
    (49, "403", "1010040"),
    (51, "403", "1010010"),
    (52, "403", "1010002"),
    (53, "403", "1010002"),
    (54, "200", "0"),
    (55, "200", "0"),
    (56, "403", "1010002"),
    (57, "403", "1010023"),
    (58, "403", "1012001"),
    (59, "403", "1012006"),
    (60, "500", "1020151"),
    (61, "200", "0"),
    (62, "403", "1013119"),
    (63, "403", "1010024"),
    (64, "403", "1010002"),
    (65, "403", "1010002"),
    (66, "403", "1013112"),
    (67, "403", "1010002"),
    (68, "200", "0"),
    (69, "200", "0"),
    (70, "403", "1010002"),
    (71, "403", "1010002"),
    (72, "200", "0"),
    (73, "403", "1010002"),
    (74, "403", "1012012"),
    (75, "403", "1010002"),
    (76, "403", "1010002"),
    (77, "403", "1010002"),
    (78, "200", "0"),
    (79, "403", "1010002"),
    (80, "403", "1010002"),
    (81, "403", "1010002"),
    (82, "403", "1010002"),
    (83, "403", "1010002"),
    (84, "403", "1010002"),
    (85, "200", "0"),
    (86, "403", "1010002"),
    (103, "403", "1020165"),
    (104, "500", "1020154"),
    (107, "500", "1020152"),
    (108, "403", "1010002"),
    (109, "403", "1010002"),
    (110, "500", "1020152"),
];

/// The result codes of the two authentication headers.
const HEADER_CODES: &[&str] = &[
    "1023006", "1023007", "1023008", "1023009", "1023010", "1023011", "1023012", "1023033", "1023034",
    "1023035", "1023036", "1023037", "1023038",
];

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
    let good = played().into_iter().filter(|(_, played)| played.text.starts_with("200\n"));
    let seen: BTreeSet<String> = good.map(|(_, played)| played.path).collect();
    let routes = huawei::routes().map(|(_, path)| path.to_owned());
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
fn every_code_of_the_authentication_headers_has_a_transcript() {
    let all: String = played().into_iter().map(|(_, played)| played.text).collect();
    let unseen: Vec<_> =
        HEADER_CODES.iter().filter(|code| !all.contains(&format!(r#""resultcode":"{code}""#))).collect();
    assert_eq!(unseen, Vec::<&&str>::new());
}

#[test]
fn every_row_of_the_conformance_table_has_a_transcript_that_agrees() {
    let played = played();
    for (row, status, code) in ROWS {
        let of_row = |exchange: &Exchange| {
            let rows = exchange.setting("rows").unwrap_or("");
            rows.split(", ").any(|own| own == row.to_string())
        };
        let mut seen = 0;
        for (exchange, played) in played.iter().filter(|(exchange, _)| of_row(exchange)) {
            seen += 1;
            let agrees =
                played.text.starts_with(status) && played.text.contains(&format!(r#""resultcode":"{code}""#));
            assert!(agrees, "row {row} wants {status} and {code}: {}", exchange.title);
        }
        assert_ne!(seen, 0, "row {row} has no transcript");
    }
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
