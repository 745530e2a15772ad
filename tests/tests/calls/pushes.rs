//! The three generations of push signatures, checked from the vendor's documents.

use chrono::{NaiveDateTime, TimeDelta, Utc};
use huihu_tests::api::{AUTHORIZATION, Customer, hmac};
use huihu_tests::receiver::Received;
use serde_json::json;

use crate::script::attribute;
use crate::stage::{Stage, first, second, with};

/// Places a call of an app of that generation: the app, its pushes, and where they went.
fn pushes(generation: &str) -> (Customer, Vec<(String, Received)>) {
    const SHOWN: &str = "+8675500000003";
    let mut app = None;
    let stage = Stage::furnished(1, |installation| {
        app = Some(installation.app("signed", SHOWN, &["--push-signature", generation]));
    });
    let app = Customer { address: stage.customer.address.clone(), ..app.expect("it was created") };
    let more = with(stage.receivers(), &json!({"displayNbr": SHOWN, "displayCalleeNbr": SHOWN}));
    let session = app.callback(&first(0, "0486"), &second(0, "0001"), &more).session();
    assert_eq!(stage.receiver.events(&session), ["callout", "disconnect"]);
    let _record = stage.receiver.fee(&session);
    stage.trunk.succeeds();
    let url = |push: &Received| stage.receiver.url(push.path.trim_start_matches('/'));
    let pushes = stage.receiver.of(&session).into_iter().map(|push| (url(&push), push));
    (app, pushes.collect())
}

/// Checks a digest over `message(url, nonce, created)`, and that `created` is now by a clock so far from UTC.
fn check(generation: &str, clock: TimeDelta, message: fn(&str, &str, &str) -> String) {
    let (app, pushes) = pushes(generation);
    assert_eq!(pushes.len(), 3);
    let mut nonces = Vec::new();
    for (url, push) in pushes {
        assert_eq!(push.headers["authorization"], AUTHORIZATION);
        assert_eq!(attribute(&push, "Username"), app.key);
        let (nonce, created) = (attribute(&push, "Nonce"), attribute(&push, "Created"));
        let expected = hmac(&app.secret, &message(&url, &nonce, &created));
        assert_eq!(attribute(&push, "PasswordDigest"), expected, "{:?}", push.headers);
        let created = NaiveDateTime::parse_from_str(&created, "%Y-%m-%dT%H:%M:%SZ").expect("a time");
        let age = Utc::now().naive_utc() + clock - created;
        assert!((0..30).contains(&age.num_seconds()), "{created} was {age} ago");
        nonces.push(nonce);
    }
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 3, "no nonce is used twice");
}

#[test]
fn the_usual_signature_joins_address_nonce_and_utc_time() {
    check("joined", TimeDelta::zero(), |url, nonce, created| format!("{url}{nonce}{created}"));
}

#[test]
fn the_newest_signature_puts_beijing_time_on_a_line_of_its_own() {
    check("lines", TimeDelta::hours(8), |url, nonce, created| format!("{url}\n{nonce}\n{created}"));
}

#[test]
fn the_oldest_receivers_know_no_signature() {
    let (_, pushes) = pushes("off");
    for (_, push) in pushes {
        assert_eq!(push.headers.get("authorization").or_else(|| push.headers.get("x-aksk")), None);
    }
}
