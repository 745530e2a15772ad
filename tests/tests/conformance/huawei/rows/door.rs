//! Rows 26 and 39 to 51: who may come in, and by which door.

use huihu_tests::http::Request;
use serde_json::json;

use crate::case::repeated;
use crate::huawei::scene::{Api, Scene};
use crate::huawei::town::Kind;
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    [states(), addresses(), doors(), paces()].into_iter().flatten().collect()
}

/// What an operator says of an app or an enterprise.
fn states() -> Vec<Case> {
    vec![
        everything("26", "a deleted app", "500 1020150")
            .given(|scene| scene.operator().delete_app(scene.app())),
        everything("40", "a paused app", "403 1010008")
            .given(|scene| scene.operator().change_app(scene.app(), &json!({"state": "paused"}))),
        all_but_stops("41", "a frozen app", "403 1010021", "403 1010008")
            .given(|scene| scene.operator().change_app(scene.app(), &json!({"state": "unavailable"}))),
        everything("42", "an app that is for the sandbox only", "403 1010011")
            .given(|scene| scene.operator().change_app(scene.app(), &json!({"phase": "sandbox"}))),
        case("42b", "the same in the sandbox", "200 0, 200 0, 200 0", |scene| {
            Api::CALLS.map(|api| {
                let mut request = scene.request(api);
                request.path = format!("/sandbox{}", request.path);
                scene.send(&request)
            })
        })
        .given(|scene| scene.operator().change_app(scene.app(), &json!({"phase": "sandbox"}))),
        all_but_stops("43", "an enterprise in arrears", "403 1010007", "403 1010008")
            .given(|scene| scene.operator().set_enterprise(scene.app(), "in_arrears")),
        all_but_stops("43b", "a suspended enterprise", "403 1010007", "403 1010008")
            .given(|scene| scene.operator().set_enterprise(scene.app(), "suspended")),
        case("49", "a callback by an app for codes", "403 1010040", |scene| scene.callback(&json!({})))
            .given(|scene| scene.operator().open_only(scene.app(), &["code"])),
        case("49b", "a notice and a code by an app for callbacks", "403 1010040, 403 1010040", |scene| {
            [Api::Notice, Api::Code].map(|api| scene.ask(api, &json!({})))
        })
        .given(|scene| scene.operator().open_only(scene.app(), &["callback"])),
    ]
}

/// Where a request comes from.
fn addresses() -> Vec<Case> {
    vec![
        everything("39", "an address that is not on the app's list", "403 1020166")
            .given(|scene| scene.operator().allow_addresses(scene.app(), &["192.0.2.0/24"])),
        case("39b", "an address that is on it", "200 0", |scene| scene.callback(&json!({}))).given(|scene| {
            scene.operator().allow_addresses(scene.app(), &["192.0.2.0/24", "127.0.0.0/8"]);
        }),
        all_but_stops("+", "a blocked address", "403 1020168", "403 1020166").given(|scene| {
            scene.operator().block_address(&format!("{}/32", scene.address()));
        }),
        all_but_stops("+", "an address of a blocked area", "403 1020171", "403 1020166").given(|scene| {
            scene.operator().block_area(&format!("{}/31", scene.address()));
        }),
        all_but_stops("+", "no IPv4 address, where the app demands one", "403 1013120", "403 1020166")
            .at(Kind::Strict)
            .given(|scene| scene.operator().change_app(scene.app(), &json!({"origin": "ipv4"}))),
    ]
}

/// Methods and paths.
fn doors() -> Vec<Case> {
    let path = |row, words: &str, expected: &str, path: &'static str| {
        case(row, words, expected, move |scene: &Scene| {
            let mut request = scene.request(Api::Callback);
            request.path = path.to_owned();
            // It is none of the paths that are answered with a session id.
            request.send(&scene.customer.address)
        })
    };
    vec![
        case("44", "GET where a call is placed or stopped", "403 1010006 4 times", |scene| {
            let apis = [Api::Callback, Api::Notice, Api::Code, Api::Stop];
            repeated(&apis.map(|api| told(&scene.send(&with_method(scene.request(api), "GET")))))
        }),
        case("45", "POST where a recording is asked for", "403 1010006", |scene| {
            scene.send(&with_method(scene.request(Api::Record), "POST"))
        }),
        path("46", "an unknown path", "404 1010006", "/rest/httpsessions/nothing/v1.0"),
        path("47", "click2Call/v9.9", "404 1010006", "/rest/httpsessions/click2Call/v9.9"),
        path("48", "clicktocall", "404 1010006", "/rest/httpsessions/clicktocall/v2.0"),
        path("48b", "Click2Call", "404 1010006", "/rest/httpsessions/Click2Call/v2.0"),
    ]
}

/// How many requests.
fn paces() -> Vec<Case> {
    vec![
        case("50", "more requests than the app may make in a minute", "403 1010009", |scene| {
            // Three are two more than it may; a minute may end between them, but not twice.
            let answers = [(); 3].map(|()| told(&scene.callback(&json!({}))));
            answers.into_iter().rfind(|told| told != "200 0").unwrap_or_default()
        })
        .given(|scene| scene.operator().change_app(scene.app(), &json!({"requests_per_minute": 1}))),
        case("51", "more requests than the platform takes in a second", "403 1010010", |scene| {
            // Two a second are taken, and a second may end between them.
            let answers = [(); 6].map(|()| told(&scene.callback(&json!({}))));
            answers.into_iter().rfind(|told| told != "200 0").unwrap_or_default()
        })
        .at(Kind::Brisk),
    ]
}

/// A case whose refusal is the same on every interface.
fn everything(row: &'static str, words: &str, expected: &str) -> Case {
    case(row, words, expected, |scene: &Scene| everywhere(scene, &Api::ALL))
}

/// The same, but that the shorter table of stops has another code for it.
fn all_but_stops(row: &'static str, words: &str, expected: &str, of_stops: &str) -> Case {
    case(row, words, format!("{expected}, {of_stops} for a stop"), |scene: &Scene| {
        let others: Vec<Api> = Api::ALL.into_iter().filter(|api| *api != Api::Stop).collect();
        let stop = told(&scene.send(&scene.request(Api::Stop)));
        format!("{}, {stop} for a stop", everywhere(scene, &others))
    })
}

fn everywhere(scene: &Scene, apis: &[Api]) -> String {
    let answers = apis.iter().map(|api| (api, told(&scene.send(&scene.request(*api)))));
    let answers: Vec<(&Api, String)> = answers.collect();
    let (_, first) = &answers[0];
    match answers.iter().find(|(_, told)| told != first) {
        None => first.clone(),
        Some((api, other)) => format!("{first}, but {other} of {api:?}"),
    }
}

fn with_method(request: Request, method: &str) -> Request {
    Request { method: method.to_owned(), ..request }
}
