//! Rows 115 and 116: the login of the oldest clients; and the signatures of before 2021.

use huihu_tests::http::{Answer, Request};
use huihu_tests::wait;
use serde_json::json;

use super::proof;
use crate::huawei::scene::{Api, PATIENCE, Scene};
use crate::huawei::town::Kind;
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("115", "fastlogin", "200 0 Succeed, two tokens for 2 seconds", |scene| {
            let answer = login(scene, PASSWORD);
            let tokens = ["access_token", "refresh_token"].map(|name| !text(&answer, name).is_empty());
            let (word, life) = (answer.text(), text(&answer, "expires_in"));
            let tokens = if tokens == [true; 2] { "two tokens" } else { "too few tokens" };
            format!("{} {word}, {tokens} for {life} seconds", told(&answer))
        })
        .given(password),
        case("115b", "fastlogin with a wrong password", "401 1010010", |scene| login(scene, "another"))
            .given(password),
        case("115c", "fastlogin where it is not served", "404 1010006", |scene| login(scene, PASSWORD))
            .given(password)
            .at(Kind::Open),
        case("115d", "a callback with a token", "200 0", |scene| {
            with_token(scene, &text(&login(scene, PASSWORD), "access_token"))
        })
        .given(password),
        case("115e", "refresh, and the token of before", "200 0, 403 1010004, 200 0", |scene| {
            let first = login(scene, PASSWORD);
            let (access, refresh) = (text(&first, "access_token"), text(&first, "refresh_token"));
            let second = post(
                scene,
                &format!(
                    "/omp/oauth/refresh?app_key={}&grant_type=refresh_token&refresh_token={}&app_secret={}",
                    scene.customer.key,
                    escaped(&refresh),
                    scene.customer.secret
                ),
            );
            let new = text(&second, "access_token");
            [second, with_token(scene, &access), with_token(scene, &new)]
                .map(|answer| told(&answer))
                .join(", ")
        })
        .given(password),
        case("115f", "logout, and the token of before", "200 0, 403 1010004", |scene| {
            let access = text(&login(scene, PASSWORD), "access_token");
            let path =
                format!("/rest/logout/v1.0?app_key={}&access_token={}", scene.customer.key, escaped(&access));
            [post(scene, &path), with_token(scene, &access)]
        })
        .given(password),
        case("116", "an unknown token", "403 1010004", |scene| with_token(scene, "NjEy")).given(|_| ()),
        case("116b", "an expired token", "403 1010005", |scene| {
            let access = text(&login(scene, PASSWORD), "access_token");
            wait::until("the end of the token", PATIENCE, || {
                let answer = with_token(scene, &access);
                (answer.code() != "0").then_some(answer)
            })
        })
        .given(password),
        old("29b", "the digest of before 2021, where it is taken", "200 0", "WSSE", "X-WSSE")
            .at(Kind::Legacy),
        old("29c", "the same, where it is not", "400 1023033", "WSSE", "X-WSSE").at(Kind::Open),
    ]
    .into_iter()
    .map(
        |case| {
            if case.kind == Kind::Open && !OPEN.contains(&case.row) { case.at(Kind::Legacy) } else { case }
        },
    )
    .collect()
}

/// Cases of a house that serves no old clients.
const OPEN: [&str; 2] = ["115c", "29c"];

const PASSWORD: &str = "pass-word-1";

/// The operator gives the enterprise its password.
fn password(scene: &mut Scene) {
    scene.operator().set_password(scene.app(), PASSWORD);
}

fn login(scene: &Scene, password: &str) -> Answer {
    let account = escaped(&scene.app().account);
    let path = format!("/rest/fastlogin/v1.0?app_key={}&username={account}&format=json", scene.customer.key);
    plain(scene, &path).header("Authorization", password).send(&scene.customer.address)
}

fn post(scene: &Scene, path: &str) -> Answer {
    plain(scene, path).send(&scene.customer.address)
}

fn plain(scene: &Scene, path: &str) -> Request {
    let mut request =
        Request::new("POST", path).header("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8");
    request.from = scene.customer.from;
    request
}

/// A callback that is not signed but carries a token.
fn with_token(scene: &Scene, token: &str) -> Answer {
    let mut request = scene.request(Api::Callback).without("Authorization").without("X-AKSK");
    let (key, token) = (&scene.customer.key, escaped(token));
    request.path = format!("{}?app_key={key}&access_token={token}&format=json", request.path);
    request.send(&scene.customer.address)
}

/// A callback with headers of before 2021.
fn old(row: &'static str, words: &str, expected: &str, scheme: &'static str, header: &'static str) -> Case {
    case(row, words, expected, move |scene: &Scene| {
        let token = proof::old(scene).to_string();
        let authorization = format!(r#"{scheme} realm="SDP",profile="UsernameToken",type="Appkey""#);
        let request = scene.request_with(Api::Callback, &json!({})).without("X-AKSK");
        scene.send(&request.header("Authorization", &authorization).header(header, &token))
    })
}

fn text(answer: &Answer, name: &str) -> String {
    answer.body[name].as_str().unwrap_or_default().to_owned()
}

/// A text as a query has it.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
