//! Requests to Huawei's paths, and to paths that look like them.

use std::net::Ipv4Addr;

use base::refusal::Refusal;
use base::time::Timestamp;
use huihu_dialects::huawei::{self, Huawei};
use huihu_dialects::{Dialect, Headers, Settings, WireReply, WireRequest};
use proptest::prelude::*;

use crate::documented::huawei as documented;
use crate::{account, answer, refusals};

/// Checks that the reply says what the API's document lets it say.
fn assert_sound(request: &WireRequest, reply: &WireReply, what: &str) {
    if reply.status == 301 {
        assert!(reply.body.is_empty() && reply.headers.first("Location").is_some());
        return;
    }
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let code = body["resultcode"].as_str().unwrap();
    assert!(body["resultdesc"].as_str().unwrap().chars().count() <= 128, "{body}");
    let known = documented::answers(&request.path);
    assert!(known.contains(&(reply.status, code)), "{what}: {request:?}: {} {code}", reply.status);
}

/// Fields that exist, so that a random body reaches the code behind them.
const FIELDS: &[&str] = &[
    "displayNbr",
    "callerNbr",
    "displayCalleeNbr",
    "calleeNbr",
    "maxDuration",
    "lastMinVoice",
    "lastMinToUE",
    "playPreVoice",
    "preVoice",
    "waitVoice",
    "calleeMedia",
    "statusUrl",
    "feeUrl",
    "recordFlag",
    "recordHintTone",
    "partyTypeRequiredInDisconnect",
    "returnIdlePort",
    "userData",
    "bindNbr",
    "languageType",
    "preTone",
    "verifyCode",
    "posTone",
    "times",
    "sessionid",
    "signal",
    "playInfoList",
];

/// Fields of what a notice plays.
const ITEM_FIELDS: &[&str] = &[
    "notifyVoice",
    "templateId",
    "templateParas",
    "ttsContent",
    "collectInd",
    "replayAfterCollection",
    "collectContentTriggerReplaying",
];

/// Parameters that exist, with values that are good sometimes.
const PARAMETERS: &[&str] = &[
    "app_key=app",
    "access_token=access",
    "access_token=%FF",
    "username=any",
    "grant_type=refresh_token",
    "refresh_token=renewal",
    "app_secret=secret",
    "fileName=1202_327687_11_20161228102743.wav",
    "recordDomain=n",
];

fn value() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (0..12i64).prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        "\\+86[0-9]{0,12}".prop_map(Into::into),
        "(true|call_stop|all|toa|12345|a\\.wav|aHR0cDovL2gv)".prop_map(Into::into),
        "1202_[0-9]{1,8}_[0-9]{1,20}_[0-9]{14}@n".prop_map(Into::into),
        proptest::collection::vec(any::<u8>(), 0..3).prop_map(Into::into),
    ]
}

fn some_of(
    fields: &'static [&'static str],
) -> impl Strategy<Value = serde_json::Map<String, serde_json::Value>> {
    let fields = proptest::collection::hash_map(proptest::sample::select(fields), value(), 0..fields.len());
    fields.prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let items = proptest::collection::vec(some_of(ITEM_FIELDS), 0..6);
    let json = (some_of(FIELDS), items, any::<bool>()).prop_map(|(mut fields, items, plays)| {
        if plays {
            fields
                .insert("playInfoList".to_owned(), items.into_iter().map(serde_json::Value::from).collect());
        }
        serde_json::to_vec(&fields).unwrap()
    });
    prop_oneof![4 => json, 1 => any::<Vec<u8>>()]
}

fn query() -> impl Strategy<Value = String> {
    let parameters = proptest::sample::subsequence(PARAMETERS, 0..=PARAMETERS.len());
    prop_oneof![4 => parameters.prop_map(|parameters| parameters.join("&")), 1 => any::<String>()]
}

fn settings() -> impl Strategy<Value = Settings> {
    (any::<bool>(), any::<bool>()).prop_map(|(legacy_signature, legacy_login)| Settings {
        legacy_signature,
        legacy_login,
        ..Settings::default()
    })
}

fn path() -> impl Strategy<Value = String> {
    let routes: Vec<_> = huawei::routes().map(|(_, path)| path).collect();
    prop_oneof![9 => proptest::sample::select(routes), 1 => "/rest/.{0,40}"]
}

fn request() -> impl Strategy<Value = WireRequest> {
    let header = ("(authorization|x-aksk|x-wsse|content-type)", any::<String>());
    let headers = proptest::collection::vec(header, 0..4);
    (any::<bool>(), "(POST|GET|\\PC{0,9})", path(), query(), headers, body()).prop_map(
        |(signed, method, path, query, mut headers, body)| {
            if signed {
                let own = huawei::client::sign(&account().key, "n0nce", Timestamp::default());
                let own = own.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
                headers = own.chain([("content-type".to_owned(), "application/json".to_owned())]).collect();
            }
            WireRequest {
                id: 0,
                method: method.into(),
                path: path.into(),
                query: query.into(),
                headers: headers.into_iter().collect::<Headers>(),
                body,
                peer: Ipv4Addr::LOCALHOST.into(),
            }
        },
    )
}

proptest! {
    #[test]
    fn every_request_has_an_answer(request in request(), settings in settings()) {
        assert_sound(&request, &answer(&Huawei, &request, &settings).0, "any request");
    }

    #[test]
    fn a_name_from_outside_fits_into_the_answer(name: String, request in request()) {
        prop_assume!(huawei::routes().any(|(_, path)| *path == *request.path));
        let refusal = Refusal::UnknownClip { name: name.into() };
        assert_sound(&request, &Huawei.write(&request, Err(&refusal), &Settings::default()), "any name");
    }
}

#[test]
fn every_refusal_that_an_api_can_meet_is_in_its_document() {
    for (method, path) in huawei::routes() {
        let request = WireRequest {
            id: 0,
            method: method.into(),
            path: path.into(),
            query: "".into(),
            headers: Headers::new(),
            body: Vec::new(),
            peer: Ipv4Addr::LOCALHOST.into(),
        };
        for refusal in refusals::every() {
            if documented::can_meet(&request.path, &refusal) {
                let reply = Huawei.write(&request, Err(&refusal), &Settings::default());
                assert_sound(&request, &reply, refusals::name(&refusal));
            }
        }
    }
}
