//! Ksyun's transcripts.

mod conformance;
mod request;
mod rows;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use conformance::{LAST, OF_OTHERS, OF_PUSHES, ROWS};
use huihu_dialects::ksyun::{self, API_CODES, RECEIPTS, Receipt};

use crate::transcript::{self, Exchange};
use crate::{Vendor, assert_conforms, holds_rows, missing, value};

pub(crate) const VENDOR: Vendor =
    Vendor { dialect: &ksyun::Ksyun, request: request::play, rows: rows::play, own: &[] };

/// Codes of the vendor's general pages, and our own.
const OTHER_CODES: &[(u16, &str)] = &[
    (400, "InvalidParameterValue"),
    (403, "SignatureDoesNotMatch"),
    (403, "MissingAuthenticationToken"),
    (403, "AccessDenied"),
];

fn code(text: &str) -> &str {
    value("Code", text)
}

#[test]
fn every_action_has_a_request_that_succeeds() {
    let good = VENDOR.played().into_iter().filter(|(_, played)| played.text.starts_with("200\n"));
    let seen: BTreeSet<String> = good.map(|(_, played)| played.path).collect();
    assert_eq!(missing(ksyun::routes().map(str::to_owned), &seen), Vec::<String>::new());
}

#[test]
fn every_code_has_a_transcript_and_the_status_of_its_document() {
    let of_document = API_CODES.iter().map(|code| (code.status, code.code));
    let known: BTreeSet<(u16, String)> = of_document
        .chain(OTHER_CODES.iter().copied())
        .map(|(status, code)| (status, code.to_owned()))
        .chain([(200, String::new())])
        .collect();
    let played = VENDOR.played().into_iter().map(|(_, played)| {
        let status = played.text.lines().next().and_then(|line| line.parse().ok()).unwrap();
        (status, code(&played.text).to_owned())
    });
    assert_eq!(played.collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_page_about_the_vendor_has_every_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ksyun.md");
    let page = fs::read_to_string(page).unwrap();
    for Receipt { code, meaning, advice } in RECEIPTS {
        let or_none = |text: &'static str| if text.is_empty() { "–" } else { text };
        let [theirs, ours] = [advice.chinese, advice.english].map(or_none);
        let line = format!("| `{code}` | {} | {} | {theirs} | {ours} |", meaning.chinese, meaning.english);
        assert!(page.contains(&line), "{line}");
    }
    for code in API_CODES.iter().map(|code| code.code).chain(OTHER_CODES.iter().map(|(_, code)| *code)) {
        assert!(page.contains(&format!("`{code}`")), "{code}");
    }
}

#[test]
fn every_row_of_the_conformance_table_has_a_transcript_that_agrees() {
    assert_conforms(&VENDOR, ROWS, code);
}

#[test]
fn no_row_of_the_conformance_table_is_forgotten() {
    let known = ROWS.iter().map(|(row, ..)| *row).chain(OF_OTHERS.iter().chain(OF_PUSHES).copied());
    assert_eq!(missing(1..=LAST, &known.collect()), Vec::<u32>::new());
}

#[test]
fn two_hundred_reports_travel_together_and_no_more() {
    let reports = |count| vec!["report code over=10:44:39 by=Caller cause=Normal of=A"; count].join("\n");
    assert_eq!(rows::play(&Exchange::of(reports(200))).matches("CallId").count(), 200);
    assert_eq!(rows::play(&Exchange::of(reports(201))), "nothing");
    assert_eq!(rows::play(&Exchange::of(String::new())), "nothing");
}

#[test]
fn every_report_is_strict_json_of_the_documented_types() {
    for file in transcript::all(&VENDOR.folder()).iter().filter(|file| holds_rows(file)) {
        for exchange in &file.exchanges {
            let Some((_, body)) = exchange.output.split_once("\n\n") else { continue };
            let reports: Vec<serde_json::Map<String, serde_json::Value>> =
                serde_json::from_str(body).unwrap();
            for report in reports {
                assert_eq!(report.len(), 14, "{}", exchange.title);
                for (name, value) in report {
                    let right = match &*name {
                        "Duration" | "VoiceType" => value.is_u64(),
                        "ErrCode" => value.is_u64() || value.is_string(),
                        _ => value.is_string(),
                    };
                    assert!(right, "{}: {name}", exchange.title);
                }
            }
        }
    }
}
