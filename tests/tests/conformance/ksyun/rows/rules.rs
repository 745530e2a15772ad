//! Rows 68 to 71: how many calls, from which number, through which port.

use huihu_tests::operator::Whose;
use serde_json::json;

use crate::ksyun::scene::{BUSY, STAYS, Scene};
use crate::ksyun::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    let limited = |row, of: &'static str, per: &'static str, expected: &str| {
        case(
            row,
            format!("two calls where one is allowed by {of} and {per}"),
            format!("200, {expected}"),
            |scene| [(); 2].map(|()| scene.verify(&[])),
        )
        .given(move |scene| scene.operator().limit(Whose::App(scene.app()), of, per, 1))
    };
    vec![
        limited("68", "app", "ever", "400 TrialTimesLimit"),
        limited("68b", "account", "ever", "400 TrialTimesLimit"),
        // The longest window, so that none ends between two orders.
        limited("69", "callee", "month", "400 MobileFrequencyLimit"),
        limited("+", "app", "month", "409 FlowLimitExceeded"),
        case("69c", "two telephones where one call to each is allowed", "200, 200", |scene| {
            [scene.verify(&[]), scene.verify(&[("Mobile", &scene.other(BUSY))])]
        })
        .given(|scene| scene.operator().limit(Whose::App(scene.app()), "callee", "month", 1)),
        case("70", "an app without numbers", "400 EmptyVoiceChannel", |scene| scene.verify(&[])).given(
            |scene| {
                scene.operator().remove_number(scene.app(), &format!("+86{}", scene.own_number()));
            },
        ),
        case(
            "70b",
            "Caller of nobody, of another app, and one that is no number",
            "400 EmptyVoiceChannel, 400 EmptyVoiceChannel, 400 EmptyVoiceChannel",
            |scene| ["075599999999", "075500000001", "abc"].map(|caller| scene.verify(&[("Caller", caller)])),
        )
        .given(|_| ()),
        case("70c", "Caller of the app's own, with and without 0", "200, 200", |scene| {
            let own = scene.own_number();
            [format!("0{own}"), own].map(|caller| scene.verify(&[("Caller", &caller)]))
        })
        .given(|_| ()),
        case("71", "a second call of an app with one port", "200, 400 SendVoiceFailed", |scene| {
            [
                scene.verify(&[("Mobile", &scene.mobile(STAYS))]),
                scene.verify(&[("Mobile", &scene.other(BUSY))]),
            ]
        })
        .given(|scene| scene.operator().change_app(scene.app(), &json!({"ports": 1}))),
        hours(),
    ]
}

/// Nobody may be called at any time of the day.
fn hours() -> Case {
    case("71b", "forbidden hours", "400 SendVoiceFailed", |scene: &Scene| scene.verify(&[]))
        .given(|scene| scene.operator().forbid_hours(Whose::App(scene.app()), "00:00", "00:00"))
}
