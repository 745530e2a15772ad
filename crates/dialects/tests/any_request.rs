//! Whatever a stranger sends, every dialect answers, in its own form, and never panics.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::net::Ipv4Addr;

use base::account::{Account, App, AppState, Key, PushSignature};
use base::id::{AppId, CallId};
use base::private::Private;
use base::refusal::Refusal;
use base::time::Timestamp;
use huihu_dialects::{ALL, Dialect, Done, Headers, Settings, WireReply, WireRequest, huawei};
use proptest::prelude::*;

fn account() -> Account {
    let app = App {
        id: AppId(1),
        name: "any".into(),
        state: AppState::Active,
        products: Vec::new(),
        ports: 1,
        recording: false,
        status_url: None,
        fee_url: None,
        push_signature: PushSignature::Off,
    };
    let key = Key { id: "app".into(), secret: Private::new("secret".into()) };
    Account { name: "any".into(), app, key, numbers: Vec::new(), clips: Default::default() }
}

fn answer(dialect: &dyn Dialect, request: &WireRequest) -> WireReply {
    let account = account();
    let claim = match dialect.claim(request) {
        Ok(claim) => claim,
        Err(reply) => return reply,
    };
    let key = (claim.key == account.key.id).then_some(&account.key);
    let outcome = dialect
        .prove(&claim, key, Timestamp::default(), &Settings::default())
        .and_then(|()| dialect.read(request, &account))
        .map(|_| Done::Placed {
            call: CallId::from_bytes([7; 16]),
            node: "n".into(),
            idle_ports: Some(u32::MAX),
        });
    dialect.write(request, outcome.as_ref())
}

fn assert_sound(reply: &WireReply) {
    assert!([200, 400, 401, 403, 404, 500].contains(&reply.status), "{reply:?}");
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert!(body["resultcode"].is_string() && body["resultdesc"].as_str().unwrap().chars().count() <= 128);
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

fn body() -> impl Strategy<Value = Vec<u8>> {
    let fields = proptest::collection::hash_map(proptest::sample::select(FIELDS), value(), 0..FIELDS.len());
    let json = fields.prop_map(|fields| serde_json::to_vec(&fields).unwrap());
    prop_oneof![4 => json, 1 => any::<Vec<u8>>()]
}

fn path() -> impl Strategy<Value = String> {
    let routes: Vec<_> = huawei::routes().map(|(_, path)| path.to_owned()).collect();
    prop_oneof![9 => proptest::sample::select(routes), 1 => "/rest/.{0,40}"]
}

fn request() -> impl Strategy<Value = WireRequest> {
    let header = ("(authorization|x-aksk|content-type)", any::<String>());
    let headers = proptest::collection::vec(header, 0..4);
    (any::<bool>(), "(POST|GET|\\PC{0,9})", path(), any::<String>(), headers, body()).prop_map(
        |(signed, method, path, query, mut headers, body)| {
            if signed {
                let own = huawei::client::sign(&account().key, "n0nce", Timestamp::default());
                let own = own.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
                headers = own.chain([("content-type".to_owned(), "application/json".to_owned())]).collect();
            }
            WireRequest {
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
    fn every_request_has_an_answer(request in request()) {
        for dialect in ALL {
            assert_sound(&answer(*dialect, &request));
        }
    }

    #[test]
    fn a_name_from_outside_fits_into_the_answer(name: String, request in request()) {
        for dialect in ALL {
            let refusal = Refusal::UnknownClip { name: name.clone().into() };
            assert_sound(&dialect.write(&request, Err(&refusal)));
        }
    }
}
