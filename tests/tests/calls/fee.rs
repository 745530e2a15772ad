//! What is true of every fee record.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, TimeDelta};
use huihu_tests::api::NUMBER;
use huihu_tests::receiver::Received;
use serde_json::{Value, json};

use crate::stage::{Placed, SECOND_NUMBER, USER_DATA};

/// The fields of every record.
const ALWAYS: &[&str] = &[
    "direction",
    "spId",
    "appKey",
    "icid",
    "bindNum",
    "sessionId",
    "callerNum",
    "calleeNum",
    "callEndTime",
    "fwdUnaswRsn",
    "ulFailReason",
    "sipStatusCode",
    "callOutUnaswRsn",
    "recordFlag",
    "ttsPlayTimes",
    "ttsTransDuration",
    "serviceType",
    "hostName",
    "userData",
];

/// Each leg's name and the beginning of its fields.
const LEGS: [(&str, &str); 2] = [("A", "callOut"), ("B", "fwd")];

/// Status events and the fields that tell of the same moment.
const MOMENTS: [(&str, &str); 3] =
    [("callout", "StartTime"), ("alerting", "AlertingTime"), ("answer", "AnswerTime")];

/// Checks a record against the call and its status events: each time is there exactly when its event was told, and is
/// the same. Gives `ulFailReason`, `sipStatusCode`, `callOutUnaswRsn` and `fwdUnaswRsn`.
pub(crate) fn check(fee: &Value, placed: &Placed, key: &str, status: &[Received]) -> [i64; 4] {
    let is_callback = !placed.b.is_empty();
    let mut fields: BTreeSet<String> = ALWAYS.iter().map(|field| (*field).to_owned()).collect();
    for (leg, begin) in LEGS {
        for (event, end) in MOMENTS {
            let field = format!("{begin}{end}");
            let told = status.iter().find(|push| push.event() == event && placed.party(push) == leg);
            let at = told.map(|push| push.body["statusInfo"]["timestamp"].clone());
            assert_eq!(fee.get(&field), at.as_ref(), "{field} of {fee}");
            fields.extend(at.map(|_| field));
        }
    }
    if is_callback {
        fields.extend(["fwdDisplayNum", "fwdDstNum"].map(str::to_owned));
        assert_eq!((&fee["fwdDisplayNum"], &fee["fwdDstNum"]), (&json!(SECOND_NUMBER), &json!(placed.b)));
    }
    let whole = |field: &str| fee[field].as_i64().unwrap_or_else(|| panic!("{field} is a number in {fee}"));
    let failure = ["ulFailReason", "sipStatusCode", "callOutUnaswRsn", "fwdUnaswRsn"].map(whole);
    if failure[0] != 0 {
        fields.insert("failTime".to_owned());
        assert_eq!(fee["failTime"], fee["callEndTime"]);
    }
    let keys: BTreeSet<String> = fee.as_object().expect("a record is an object").keys().cloned().collect();
    assert_eq!(keys, fields, "the fields of {fee}");

    let end = status.iter().find(|push| push.event() == "disconnect").expect("the call is over");
    assert_eq!(fee["callEndTime"], end.body["statusInfo"]["timestamp"]);
    for (field, value) in [
        ("direction", json!(0)),
        ("spId", json!("huihu")),
        ("appKey", json!(key)),
        ("bindNum", json!(NUMBER)),
        ("sessionId", json!(placed.session)),
        ("callerNum", json!(NUMBER)),
        ("calleeNum", json!(placed.a)),
        ("recordFlag", json!(0)),
        ("serviceType", json!(if is_callback { "002" } else { "001" })),
        ("hostName", json!("test.huihu")),
        ("userData", json!(USER_DATA)),
    ] {
        assert_eq!(fee[field], value, "{field}");
    }
    check_icid(fee["icid"].as_str().expect("the icid is text"), &placed.session);
    failure
}

/// `CAE-<second of acceptance in Beijing>-<8 digits>`; the session id has the same second in UTC.
fn check_icid(icid: &str, session: &str) {
    const SECOND: &str = "%Y%m%d%H%M%S";
    let (head, host) = session.split_once('@').expect("a session id names its node");
    let accepted = head.rsplit('_').next().expect("a session id has a time");
    let accepted = NaiveDateTime::parse_from_str(accepted, SECOND).expect("the time is a time");
    let beijing = (accepted + TimeDelta::hours(8)).format(SECOND).to_string();
    let digits = icid.strip_prefix(&format!("CAE-{beijing}-")).unwrap_or_else(|| panic!("{icid}: {beijing}"));
    assert!(digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{icid}");
    assert_eq!(host, "test.huihu");
}
