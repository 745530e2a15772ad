//! Requests to Ksyun's only path: any bytes, forms of parameters that exist, and signed requests that were changed.

use std::net::Ipv4Addr;

use base::time::Timestamp;
use huihu_dialects::ksyun::{Ksyun, client, routes};
use huihu_dialects::{Dialect, Headers, Settings, WireReply, WireRequest};
use proptest::prelude::*;

use crate::documented::ksyun as documented;
use crate::{account, answer, refusals};

/// Checks that the reply says what the document lets it say, in the document's form.
fn assert_sound(reply: &WireReply, settings: &Settings) {
    assert_eq!(reply.headers.first("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let is_uuid = |text: &str| text.len() == 36 && text.as_bytes()[14] == b'4';
    assert!(body["RequestId"].as_str().is_some_and(is_uuid), "{body}");
    if reply.status == 200 {
        return assert!(body.get("Error").is_none(), "{body}");
    }
    let (code, kind) = (body["Error"]["Code"].as_str().unwrap(), body["Error"]["Type"].as_str().unwrap());
    assert!(documented::answers().contains(&(reply.status.into(), code)), "{body}");
    assert_eq!(kind == "server", reply.status == 500, "{body}");
    assert!(body["Error"]["Message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    let of_headers = ["SignatureDoesNotMatch", "MissingAuthenticationToken"].contains(&code);
    assert!(!(of_headers && settings.one_error_family), "{body}");
}

/// Parameters that exist, so that random ones reach the code behind them.
const NAMES: &[&str] = &[
    "Action",
    "Version",
    "Service",
    "Accesskey",
    "Timestamp",
    "SignatureVersion",
    "SignatureMethod",
    "Signature",
    "Region",
    "SecurityToken",
    "DryRun",
    "Mobile",
    "Caller",
    "TplId",
    "TplParams",
    "Code",
    "PlayTimes",
    "ExtId",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Expires",
];

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "(CallVerify|CallNotify|CallIvr|2020-05-01|voice|app|HMAC-SHA256|1\\.0|1970-01-01T00:00:00Z|true|1)",
        2 => "(13800000000|100001|123456|\\{\\}|\\{\"a\":1\\}|19700101T000000Z|host|AWS4-HMAC-SHA256)",
        1 => "app/19700101/r/voice/aws4_request",
        1 => "%?[0-9a-fA-F]{0,3}[+%&=]{0,2}",
        1 => any::<String>(),
    ]
}

fn form() -> impl Strategy<Value = String> {
    let pair = (
        prop_oneof![9 => proptest::sample::select(NAMES).prop_map(str::to_owned), 1 => any::<String>()],
        value(),
    );
    proptest::collection::vec(pair, 0..14)
        .prop_map(|pairs| pairs.iter().map(|(name, value)| format!("{name}={value}&")).collect())
}

fn settings() -> impl Strategy<Value = Settings> {
    (any::<bool>(), any::<bool>()).prop_map(|(allow_get, one_error_family)| Settings {
        allow_get,
        one_error_family,
        ..Settings::default()
    })
}

fn header() -> impl Strategy<Value = (String, String)> {
    let authorization = "AWS4-HMAC-SHA256 (Credential=[a-z0-9/_]{0,40}|SignedHeaders=[a-z;-]{0,20}|Signature=[0-9a-f]{0,8}|,| ){0,6}";
    let content_type = "(application/json|application/x-www-form-urlencoded|text/plain|.{0,9})";
    prop_oneof![
        authorization.prop_map(|value| ("authorization".to_owned(), value)),
        content_type.prop_map(|value| ("content-type".to_owned(), value)),
        ("(authorization|host|date|x-amz-date|x-amz-security-token|x-amz-content-sha256)", any::<String>()),
    ]
}

fn request(method: &str, query: &str, headers: Headers, body: &[u8]) -> WireRequest {
    WireRequest {
        id: 7,
        method: method.into(),
        path: "/".into(),
        query: query.into(),
        headers,
        body: body.into(),
        peer: Ipv4Addr::LOCALHOST.into(),
    }
}

fn any_request() -> impl Strategy<Value = WireRequest> {
    let body = prop_oneof![3 => form().prop_map(String::into_bytes), 1 => any::<Vec<u8>>()];
    let query = prop_oneof![3 => form(), 1 => any::<String>()];
    ("(POST|POST|GET|\\PC{0,9})", query, proptest::collection::vec(header(), 0..5), body).prop_map(
        |(method, query, headers, body)| request(&method, &query, headers.into_iter().collect(), &body),
    )
}

/// A request that is proven, in one of both ways, with some of its parameters.
fn signed_request() -> impl Strategy<Value = WireRequest> {
    let action = proptest::sample::select(routes().collect::<Vec<_>>());
    let given = proptest::collection::btree_map(
        proptest::sample::select(
            &["Mobile", "Caller", "TplId", "TplParams", "Code", "PlayTimes", "ExtId", "DryRun"][..],
        ),
        value(),
        0..8,
    );
    (action, given, any::<bool>()).prop_map(|(action, given, in_headers)| {
        let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let key = account().key;
        let headers = Headers::from_iter([("Host", "h"), ("Content-Type", client::FORM)]);
        if !in_headers {
            let body = client::sign(&key, action, &given, Timestamp::default());
            return request("POST", "", headers, body.as_bytes());
        }
        let mut request = request("POST", "", headers, client::body(action, &given).as_bytes());
        for (name, value) in client::sign_headers(&key, &request, Timestamp::default()).unwrap().iter() {
            request.headers.add(name, value);
        }
        request
    })
}

/// The same request with one byte of its body changed, taken out or put in.
fn changed(request: &WireRequest, at: usize, byte: u8, how: u8) -> WireRequest {
    let mut changed = request.clone();
    let at = at % changed.body.len();
    match how % 3 {
        0 => changed.body[at] = byte,
        1 => drop(changed.body.remove(at)),
        _ => changed.body.insert(at, byte),
    }
    changed
}

/// What a form says, whatever way it is written in; `None` when it says nothing.
fn meaning(body: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut pairs: Vec<_> = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| Some((decoded(name)?, decoded(value)?)))
        .collect::<Option<_>>()?;
    pairs.sort();
    Some(pairs)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '%' {
            let pair = rest.get(1..3).filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
            rest = &rest[3..];
        } else {
            let whole = if first == '+' { " " } else { &rest[..first.len_utf8()] };
            bytes.extend_from_slice(whole.as_bytes());
            rest = &rest[first.len_utf8()..];
        }
    }
    String::from_utf8(bytes).ok()
}

proptest! {
    #[test]
    fn every_request_has_an_answer(request in any_request(), settings in settings()) {
        let (reply, done) = answer(&Ksyun, &request, &settings);
        assert_sound(&reply, &settings);
        prop_assert!(!done, "nobody signed it");
    }

    #[test]
    fn every_signed_request_has_an_answer(request in signed_request(), settings in settings()) {
        let (reply, _) = answer(&Ksyun, &request, &settings);
        assert_sound(&reply, &settings);
        prop_assert_ne!(reply.status, 403, "it is signed");
    }

    #[test]
    fn a_changed_request_is_never_taken_for_a_signed_one(
        request in signed_request(), at: usize, byte: u8, how: u8, settings in settings(),
    ) {
        let changed = changed(&request, at, byte, how);
        let in_headers = request.headers.first("Authorization").is_some();
        // One form has many spellings: only a signature in headers covers the spelling.
        let same = match in_headers {
            true => changed.body == request.body,
            false => meaning(&changed.body).is_some_and(|now| Some(now) == meaning(&request.body)),
        };
        let (reply, _) = answer(&Ksyun, &changed, &settings);
        assert_sound(&reply, &settings);
        if !same {
            let claim = Ksyun.claim(&changed, &settings);
            let account = account();
            let known = huihu_dialects::Credentials {
                key: &account.key, account: "any", password: None, session: None,
            };
            let proven = claim.map(|claim| Ksyun.prove(&claim, Some(&known), Timestamp::default(), &settings));
            prop_assert!(!matches!(proven, Ok(Ok(()))), "{}", String::from_utf8_lossy(&changed.body));
        }
    }

    #[test]
    fn any_answer_to_a_push_is_read(status: u16, body: Vec<u8>) {
        prop_assert!(!Ksyun.received(status, &body) || status == 200);
    }
}

#[test]
fn every_refusal_is_in_the_document() {
    let request = request("POST", "", Headers::new(), b"Action=CallVerify&Mobile=1");
    for settings in [Settings::default(), Settings { one_error_family: true, ..Settings::default() }] {
        for refusal in refusals::every() {
            assert_sound(&Ksyun.write(&request, Err(&refusal), &settings), &settings);
        }
    }
}
