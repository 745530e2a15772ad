//! Rows as the vendor's receivers expect them: one list of reports, without any signature.
//!
//! ```text
//! POST <url>
//! Content-Type: application/json;charset=UTF-8
//! ```

mod report;

use base::record::CallRecord;
use base::row::Row;

use super::fields::json::{self, Member};
use crate::dialect::Stamp;
use crate::wire::{Headers, Push};
use report::Report;

/// Reports in one push, as documented.
pub(super) const REPORTS_MAX: usize = 200;

/// Makes a push of rows that belong together.
pub(super) fn push(rows: &[Row], stamp: &Stamp<'_>) -> Option<Push> {
    let url = rows.first()?.url()?;
    if rows.len() > REPORTS_MAX || rows.iter().any(|row| row.url() != Some(url)) {
        return None;
    }
    let mut records = rows.iter().map(report).collect::<Option<Vec<_>>>()?;
    records.sort_by_key(|record| (record.ended_at, record.call.id));
    let reports: Vec<_> = records.into_iter().map(|record| Report::of(record, stamp.reports)).collect();
    let headers = Headers::from_iter([("Content-Type", "application/json;charset=UTF-8")]);
    Some(Push { id: stamp.id, url: url.clone(), headers, body: super::json(&reports) })
}

/// The record of a report; the vendor knows no other rows.
fn report(row: &Row) -> Option<&CallRecord> {
    match row {
        Row::Report(record) => Some(record),
        Row::Status(_) | Row::Fee(_) => None,
    }
}

/// Whether a receiver's answer means that it has the reports: 200, and a `code` of 0 in its JSON.
pub(super) fn received(status: u16, body: &[u8]) -> bool {
    let is_zero = |(name, member): &(String, Member)| {
        name == "code" && matches!(member, Member::Number(text) | Member::Text(text) if text == "0")
    };
    status == 200 && json::members(body).is_some_and(|members| members.iter().any(is_zero))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_received_by_a_code_of_zero() {
        for (status, body, good) in [
            (200, r#"{"code":0,"msg":"success"}"#, true),
            (200, r#" {"msg":"","code":"0"} "#, true),
            (200, r#"{"code":1,"msg":"later"}"#, false),
            (200, r#"{"code":"00"}"#, false),
            (200, r#"{"code":null}"#, false),
            (200, r#"{"code":false}"#, false),
            (200, r#"{"Code":0}"#, false),
            (200, "success", false),
            (200, "[0]", false),
            (200, "0", false),
            (200, "", false),
            (201, r#"{"code":0}"#, false),
            (500, r#"{"code":0}"#, false),
        ] {
            assert_eq!(received(status, body.as_bytes()), good, "{status} {body}");
        }
    }
}
