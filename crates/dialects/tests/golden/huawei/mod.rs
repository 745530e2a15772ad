//! Huawei's transcripts.

mod conformance;
mod request;
mod rows;
mod texts;

use std::collections::BTreeSet;

use conformance::{LAST, OF_OTHERS, ROWS};
use huihu_dialects::huawei;
use texts::{BEGINNINGS, OURS, TEXTS};

use crate::transcript::Exchange;
use crate::{Vendor, assert_conforms, missing, value};

pub(crate) const VENDOR: Vendor =
    Vendor { dialect: &huawei::Huawei, request: request::play, rows: rows::play, own: &["UnknownPath"] };

fn code(text: &str) -> &str {
    value("resultcode", text)
}

#[test]
fn every_route_has_a_request_that_succeeds() {
    let is_success = |text: &str| text.starts_with("200\n") || text.starts_with("301\n");
    let good = VENDOR.played().into_iter().filter(|(_, played)| is_success(&played.text));
    let seen: BTreeSet<String> = good.map(|(_, played)| played.path).collect();
    let routes = huawei::routes().map(|(_, path)| path);
    assert_eq!(missing(routes, &seen), Vec::<String>::new());
}

#[test]
fn every_result_code_has_a_transcript_and_the_text_of_its_document() {
    let mut seen = BTreeSet::new();
    for (exchange, played) in VENDOR.played() {
        let (code, text) = (code(&played.text), value("resultdesc", &played.text));
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
    assert_conforms(&VENDOR, ROWS, code);
}

#[test]
fn no_row_of_the_conformance_table_is_forgotten() {
    let known: BTreeSet<u32> = ROWS.iter().map(|(row, ..)| *row).chain(OF_OTHERS.iter().copied()).collect();
    assert_eq!(missing(1..=LAST, &known), Vec::<u32>::new());
}

#[test]
fn fifty_fee_records_travel_together_and_no_more() {
    let fees = |count| vec!["fee code over=02:49:23 by=Caller cause=Normal of=A"; count].join("\n");
    assert!(rows::play(&Exchange::of(fees(50))).contains(r#"{"eventType":"fee","#));
    assert_eq!(rows::play(&Exchange::of(fees(51))), "nothing");
    assert_eq!(rows::play(&Exchange::of(String::new())), "nothing");
}
