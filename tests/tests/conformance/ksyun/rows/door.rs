//! Rows 36 to 45 and 74: what is asked, where, and whether its account may.

use huihu_tests::http::{Answer, Request};
use huihu_tests::ksyun::{Escapes, IVR, NOTIFY, VERIFY};
use serde_json::json;

use crate::case::repeated;
use crate::ksyun::scene::{BUSY, Scene};
use crate::ksyun::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    [doors(), forms(), dry_runs(), accounts()].into_iter().flatten().collect()
}

/// Methods, actions, versions, services.
fn doors() -> Vec<Case> {
    let with = |row, words: &str, expected: &str, name: &'static str, value: &'static str| {
        case(row, words, expected, move |scene: &Scene| scene.verify(&[(name, value)]))
    };
    vec![
        case("36", "GET with the usual parameters in the query", "404 NoSuchEntity", |scene| {
            let query = scene.customer.signed(scene.form(VERIFY)).written(Escapes::Strict);
            Request::new("GET", &format!("/?{query}")).send(&scene.customer.address)
        }),
        case("36c", "PUT", "404 NoSuchEntity", |scene| {
            let form = scene.customer.signed(scene.form(VERIFY));
            let request = scene.customer.post(&form);
            Request { method: "PUT".to_owned(), ..request }.send(&scene.customer.address)
        }),
        case(
            "37",
            "no Action, and no Version",
            "400 MissingParameter (Action), 400 MissingParameter (Version)",
            |scene| ["Action", "Version"].map(|name| scene.without(VERIFY, name)),
        ),
        with("38", "Action=CallFoo", "404 NoSuchEntity", "Action", "CallFoo"),
        with("38b", "Action=callverify", "404 NoSuchEntity", "Action", "callverify"),
        with("39", "Version=2019-05-01", "404 NoSuchEntity", "Version", "2019-05-01"),
        with("40", "Service=ksms", "404 ServiceUnavailable", "Service", "ksms"),
    ]
}

/// The body as such.
fn forms() -> Vec<Case> {
    let typed = |row, kind: &'static str| {
        case(row, format!("Content-Type: {kind}"), "400 MissingParameter (Action)", move |scene: &Scene| {
            let form = scene.customer.signed(scene.form(VERIFY));
            scene.customer.post(&form).header("Content-Type", kind).send(&scene.customer.address)
        })
    };
    let typed_well = |row, kind: &'static str| {
        case(row, format!("Content-Type: {kind}"), "200", move |scene: &Scene| {
            let form = scene.customer.signed(scene.form(VERIFY));
            scene.customer.post(&form).header("Content-Type", kind).send(&scene.customer.address)
        })
    };
    vec![
        case(
            "41",
            "the same name twice in the body, alike and otherwise",
            "400 InvalidParameterValue, 400 InvalidParameterValue",
            |scene| ["123456", "654321"].map(|code| scene.send(scene.form(VERIFY).and("Code", code))),
        ),
        typed("74", "multipart/form-data; boundary=x"),
        typed("74b", "text/plain"),
        typed_well("+", "application/x-www-form-urlencoded; charset=utf-8"),
        case("+", "no body at all", "400 MissingParameter (Action)", |scene| {
            scene.customer.posted(String::new()).send(&scene.customer.address)
        }),
    ]
}

/// Whether one may, without doing it.
fn dry_runs() -> Vec<Case> {
    vec![
        case("43", "DryRun=true", "200 RequestId only, nobody called", |scene| {
            let answer = scene.verify(&[("DryRun", "true")]);
            format!("{}, {}", told(&answer), scene.called(&scene.mobile(BUSY)))
        }),
        case(
            "43b",
            "DryRun True and 1, false and 0",
            "200 RequestId only, 200 RequestId only, 200, 200",
            |scene| ["True", "1", "false", "0"].map(|value| scene.verify(&[("DryRun", value)])),
        ),
        case(
            "43c",
            "DryRun of a trial whose last call is left, then the call",
            "200 RequestId only, 200",
            |scene| [scene.verify(&[("DryRun", "true")]), scene.verify(&[])],
        )
        .given(|scene| {
            let app = huihu_tests::operator::Whose::App(scene.app());
            scene.operator().limit(app, "app", "ever", 1);
        }),
        case("43d", "DryRun with a wrong signature", "403 SignatureNotMatch", |scene| {
            let form = scene.form(VERIFY).with("DryRun", "true").with("Signature", &"0".repeat(64));
            scene.as_is(&form)
        }),
    ]
}

/// What an operator says of an app or an enterprise.
fn accounts() -> Vec<Case> {
    vec![
        case("42", "more requests than the app may make in a minute", "409 FlowLimitExceeded", |scene| {
            // Three are two more than it may; a minute may end between them, but not twice.
            let answers = [(); 3].map(|()| told(&scene.verify(&[])));
            answers.into_iter().rfind(|told| told != "200").unwrap_or_default()
        })
        .given(|scene| scene.operator().change_app(scene.app(), &json!({"requests_per_minute": 1}))),
        case("44", "voice not opened for the app", "500 AccountVoiceServiceUnavailable 3 times", everything)
            .given(|scene| scene.operator().open_only(scene.app(), &["callback"])),
        case("44b", "voice opened for codes only", "200, 500 AccountVoiceServiceUnavailable", |scene| {
            [scene.verify(&[]), scene.notify(&[])]
        })
        .given(|scene| scene.operator().open_only(scene.app(), &["code"])),
        case("45", "a suspended enterprise", "400 InvalidAccountId 3 times", everything)
            .given(|scene| scene.operator().set_enterprise(scene.app(), "suspended")),
        case("45b", "an enterprise in arrears", "400 InvalidAccountId 3 times", everything)
            .given(|scene| scene.operator().set_enterprise(scene.app(), "in_arrears")),
        case("45c", "a paused app", "400 InvalidAccountId 3 times", everything)
            .given(|scene| scene.operator().change_app(scene.app(), &json!({"state": "paused"}))),
        case("+", "an address that is not on the app's list", "403 AccessDenied 3 times", everything)
            .given(|scene| scene.operator().allow_addresses(scene.app(), &["192.0.2.0/24"])),
    ]
}

/// What every action is answered with.
fn everything(scene: &Scene) -> String {
    let answers: [Answer; 3] = [VERIFY, NOTIFY, IVR].map(|action| scene.send(scene.form(action)));
    repeated(&answers.each_ref().map(told))
}
