//! Rows 25 to 38: who asks, and how he proves it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use huihu_tests::api::{CREATED, Token, hmac, mac, nonce, now};
use huihu_tests::http::Answer;
use huihu_tests::wait;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::case::repeated;
use crate::huawei::scene::{Api, PATIENCE, Scene};
use crate::huawei::town::Kind;
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        proven("25", "an unknown app_key", "403 1010003", |scene| Token {
            username: "ZRBRz4bAXoFgEH7o4Ew308eXc1RA".to_owned(),
            ..scene.customer.token()
        }),
        proven("27", "a wrong digest", "401 1010010", |scene| Token {
            digest: hmac("another secret", "x"),
            ..scene.customer.token()
        }),
        proven("28", "a digest in hex", "401 1010010", |scene| {
            let token = scene.customer.token();
            let bytes = mac(&scene.customer.secret, &format!("{}{}", token.nonce, token.created));
            Token { digest: bytes.iter().map(|byte| format!("{byte:02x}")).collect(), ..token }
        }),
        proven("29", "the digest of before 2021", "401 1010010", old),
        proven("30", "Created an hour ago", "401 1010013", |scene| made(scene, -3_600)),
        proven("30b", "Created in an hour", "401 1010013", |scene| made(scene, 3_600)),
        proven("31", "Created in Beijing's time with a Z", "200 0", |scene| made(scene, 8 * 3_600)),
        proven("31b", "the same, strict clock", "401 1010013", |scene| made(scene, 8 * 3_600))
            .at(Kind::Strict),
        proven("32", "Created with milliseconds", "401 1010013", |scene| {
            scene.customer.token_made(&nonce(), &now().replace('Z', ".000Z"))
        }),
        proven("32b", "Created without Z", "401 1010013", |scene| {
            scene.customer.token_made(&nonce(), now().trim_end_matches('Z'))
        }),
        proven("33", "Created and digest wrong", "401 1010013", |scene| Token {
            digest: "x".to_owned(),
            ..made(scene, -3_600)
        }),
        proven("34", "a nonce of 129 characters", "403 1010002", |scene| {
            scene.customer.token_made(&"a".repeat(129), &now())
        }),
        proven("35", "a nonce with + / =", "200 0", |scene| {
            scene.customer.token_made("b64+/n0nce==", &now())
        }),
        case("36", "the same nonce and time twice", "200 0, 200 0", twice),
        case("36b", "the same, replays refused", "403 1010002, 401 1010010", |scene| {
            let token = scene.customer.token();
            // The first one is refused too, but for what it asks.
            [(); 2].map(|()| signed(scene, &token, &json!({"calleeNbr": null})))
        })
        .at(Kind::Strict),
        case("37", "a good request after 20 bad ones", "401 1010010 20 times, 403 1020176", |scene| {
            format!("{}, {}", fail(scene), told(&scene.callback(&json!({}))))
        }),
        case("37b", "the same on every interface", "403 1020176 5 times", |scene| {
            let _bad = fail(scene);
            let all = Api::ALL.map(|api| told(&scene.send(&scene.request(api))));
            repeated(&all)
        }),
        case("38", "after the ban", "403 1020176, 200 0", |scene| {
            let _bad = fail(scene);
            let banned = told(&scene.callback(&json!({})));
            let free = wait::until("the end of the ban", PATIENCE, || {
                let answer = scene.callback(&json!({}));
                (answer.code() != "1020176").then(|| told(&answer))
            });
            format!("{banned}, {free}")
        }),
        case("38b", "after an operator lifted the ban", "403 1020176, 200 0", |scene| {
            let _bad = fail(scene);
            let banned = scene.callback(&json!({}));
            scene.operator().lift_ban(scene.address());
            [banned, scene.callback(&json!({}))]
        }),
    ]
}

/// A callback with that token.
fn proven(
    row: &'static str,
    words: &str,
    expected: &str,
    token: impl Fn(&Scene) -> Token + Send + Sync + 'static,
) -> Case {
    case(row, words, expected, move |scene: &Scene| signed(scene, &token(scene), &json!({})))
}

fn signed(scene: &Scene, token: &Token, more: &serde_json::Value) -> Answer {
    let request = scene.request_with(Api::Callback, more);
    scene.send(&request.header("X-AKSK", &token.to_string()))
}

fn twice(scene: &Scene) -> [Answer; 2] {
    let token = scene.customer.token();
    [(); 2].map(|()| signed(scene, &token, &json!({})))
}

/// A right proof of a request that was made so many seconds from now.
fn made(scene: &Scene, secs: i64) -> Token {
    let made = Utc::now() + TimeDelta::seconds(secs);
    scene.customer.token_made(&nonce(), &made.format(CREATED).to_string())
}

/// The digest that clients made before 2021: nonce, time and secret hashed together.
pub(super) fn old(scene: &Scene) -> Token {
    let token = scene.customer.token();
    let bytes = Sha256::digest(format!("{}{}{}", token.nonce, token.created, scene.customer.secret));
    Token { digest: STANDARD.encode(bytes), ..token }
}

/// Fails to prove who asks until the address is banned, and tells how that went.
fn fail(scene: &Scene) -> String {
    let bad = Token { digest: "x".to_owned(), ..scene.customer.token() };
    let answers: Vec<String> = (0..FAILURES).map(|_| told(&signed(scene, &bad, &json!({})))).collect();
    repeated(&answers)
}

/// Failures after which an address is banned.
const FAILURES: usize = 20;
