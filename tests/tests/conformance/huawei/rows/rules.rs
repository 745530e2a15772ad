//! Rows 97 to 104: what an operator allows, and how much of it.

use huihu_tests::operator::Whose;
use huihu_tests::wait;
use serde_json::json;

use crate::house::Stage;
use crate::huawei::scene::{Api, PATIENCE, STAYS, Scene};
use crate::huawei::town::Kind;
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    [lists(), limits(), conduct(), ports()].into_iter().flatten().collect()
}

/// Who may be called, and when.
fn lists() -> Vec<Case> {
    vec![
        plain("97", "a callee whom the app may not call", "403 1013004").given(|scene| {
            scene.operator().block_callee(Whose::App(scene.app()), &scene.b("0486"));
        }),
        plain("97b", "a callee whom nobody may call", "403 1013004").given(|scene| {
            scene.operator().block_callee(Whose::Platform, &scene.b("0486"));
        }),
        case(
            "97c",
            "the only party of a notice and of a code is a callee",
            "403 1013004, 403 1013004",
            |scene| [Api::Notice, Api::Code].map(|api| scene.ask(api, &json!({}))),
        )
        .given(|scene| scene.operator().block_callee(Whose::App(scene.app()), &scene.a("0486"))),
        plain("97d", "a caller whom the app may not call", "403 1013010").given(|scene| {
            scene.operator().block_caller(Whose::App(scene.app()), &scene.a("0486"));
        }),
        plain("97e", "a caller whom nobody may call", "403 1013010").given(|scene| {
            scene.operator().block_caller(Whose::Platform, &scene.a("0486"));
        }),
        plain("98", "a callee who is not on the list", "403 1013011").given(|scene| {
            scene.operator().allow_only(scene.app(), &[&scene.b("0001")]);
        }),
        plain("98b", "a callee who is on it", "200 0").given(|scene| {
            scene.operator().allow_only(scene.app(), &[&scene.b("0486")]);
        }),
        plain("101", "forbidden hours, all day", "403 1013121").given(|scene| {
            scene.operator().forbid_hours(Whose::App(scene.app()), "00:00", "00:00");
        }),
        plain("102", "a number whose sub-enterprise is suspended", "403 1013122").given(|scene| {
            scene.operator().suspend_owner(scene.app(), &scene.shown[0].clone());
        }),
        plain("+", "an app that security holds back", "403 1013100").given(|scene| {
            scene.operator().change_app(scene.app(), &json!({"hold": "unspecified"}));
        }),
        plain("+", "an app that is held back for its calls", "403 1013101").given(|scene| {
            scene.operator().change_app(scene.app(), &json!({"hold": "abnormal_calls"}));
        }),
    ]
}

/// How many calls. The window is the longest one, so that none ends between two orders.
fn limits() -> Vec<Case> {
    let limited = |row, of: &'static str, expected: &str| {
        case(
            row,
            format!("two calls where one a month is allowed by {of}"),
            format!("200 0, {expected}"),
            |scene| [(); 2].map(|()| scene.callback(&json!({}))),
        )
        .given(move |scene| scene.operator().limit(Whose::App(scene.app()), of, "month", 1))
    };
    vec![
        limited("99", "account", "403 1013001"),
        limited("99b", "app", "403 1013002"),
        limited("99c", "shown_number", "403 1013003"),
        limited("100", "caller", "403 1013116"),
        limited("100b", "callee", "403 1013117"),
        limited("100c", "service_number", "403 1013118"),
        limited("+", "pair", "403 1013101"),
        case("100d", "the same callee for two apps, limited for all", "200 0, 403 1013117", |scene| {
            let other = Scene::new(&scene.house, 0);
            let callee = json!({"calleeNbr": scene.a("0486")});
            [scene, &other].map(|scene| scene.ask(Api::Code, &callee))
        })
        .given(|scene| {
            // In that house nobody is called twice.
            scene.operator().limit(Whose::Platform, "callee", "month", 1);
        })
        .at(Kind::Forgetful),
    ]
}

/// How the calls before went.
fn conduct() -> Vec<Case> {
    vec![
        case("+", "too few of the calls before were answered", "200 0 2 times, 403 1013115", |scene| {
            let more = scene.receivers();
            let after = |scene: &Scene| {
                let answer = scene.callback(&more);
                let _over = scene.house.receiver.state_code(&answer.session());
                told(&answer)
            };
            let first = [after(scene), after(scene)];
            assert_eq!(first[0], first[1]);
            let third = eventually(scene, "1013115");
            format!("{} 2 times, {third}", first[0])
        })
        .given(|scene| {
            let rule = json!({"conduct": {"answered": {"calls": 2, "percent": 50}, "short": null}});
            scene.operator().change_app(scene.app(), &rule);
        }),
        case("+", "too many of the calls before were short", "200 0 2 times, 403 1013113", |scene| {
            for _ in 0..2 {
                let session = scene.long_call();
                assert_eq!(scene.stop(&session).code(), "0");
                let _over = scene.house.receiver.state_code(&session);
            }
            format!("200 0 2 times, {}", eventually(scene, "1013113"))
        })
        .given(|scene| {
            let rule = json!({"calls": 2, "shorter_than_secs": 600, "percent": 50});
            scene.operator().change_app(scene.app(), &json!({"conduct": {"answered": null, "short": rule}}));
        }),
    ]
}

/// What runs at once.
fn ports() -> Vec<Case> {
    let second = |scene: &Scene| {
        let more = json!({"callerNbr": scene.a(STAYS), "calleeNbr": scene.b(STAYS)});
        let first = scene.callback(&more);
        let second = scene.callback(&json!({}));
        assert_eq!(stopped(scene, &first.session()), "0");
        [first, second]
    };
    vec![
        case("103", "a second call of an app with one port", "200 0, 403 1020165", second)
            .given(|scene| scene.operator().change_app(scene.app(), &json!({"ports": 1}))),
        case("104", "a second call where the platform has one port", "200 0, 500 1020154", second)
            .at(Kind::Strict),
    ]
}

/// A callback whose parties are busy.
fn plain(row: &'static str, words: &str, expected: &str) -> Case {
    case(row, words, expected, |scene: &Scene| scene.callback(&json!({})))
}

/// A call's permit comes back a moment after its last push, and tells how it went: asks until that code is the answer.
fn eventually(scene: &Scene, code: &str) -> String {
    wait::until("the app's conduct to be known", PATIENCE, || {
        let answer = scene.callback(&json!({}));
        (answer.code() == code).then(|| told(&answer))
    })
}

/// The code of a stop; a call can be stopped a moment after it was accepted only.
fn stopped(scene: &Scene, session: &str) -> String {
    wait::until("the call to be stopped", PATIENCE, || {
        let answer = scene.stop(session);
        (answer.code() == "0").then(|| answer.code().to_owned())
    })
}
