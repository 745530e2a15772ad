//! How calls end, and what their reports make of it in both families of codes. Every end really happens.

use huihu_tests::http::Answer;
use huihu_tests::operator::Whose;
use serde_json::json;

use super::scene::{BUSY, STAYS, Scene, TALKS};
use super::town::Kind;
use super::{Case, case};

/// Every case.
pub(super) fn all() -> Vec<Case> {
    [dialled(), kept(), menus()].into_iter().flatten().collect()
}

/// Calls that were dialled.
fn dialled() -> Vec<Case> {
    let mut cases = Vec::new();
    for (words, fate, status, detailed) in [
        (
            "a code that is heard to its end",
            STAYS,
            "SUCCESS \"SUCCESS\" 发送成功",
            "SUCCESS \"DH:0000\" 呼叫成功",
        ),
        (
            "a telephone that hangs up before",
            TALKS,
            "SUCCESS \"SUCCESS\" 发送成功",
            "SUCCESS \"DH:0007\" 呼叫接通后，被叫挂机",
        ),
        ("a busy telephone", BUSY, "FAIL 486 被叫忙", "FAIL \"DH:0001\" 被叫忙"),
        ("one whose network says that it is busy", "0183", "FAIL 486 被叫忙", "FAIL \"DH:0001\" 被叫忙"),
        ("a number that nobody has", "0404", "FAIL 404 被叫空号", "FAIL \"DH:0002\" 被叫空号"),
        (
            "a network that says nothing at all",
            "0408",
            "FAIL 408 呼叫超时，无振铃",
            "FAIL \"DH:0003\" 呼叫超时，无振铃",
        ),
        (
            "a telephone that nobody answers",
            "0480",
            "FAIL 480 有振铃，无人接听",
            "FAIL \"DH:0004\" 有振铃，无人接听",
        ),
        ("one that refuses", "0603", "FAIL 603 被叫拒接", "FAIL \"DH:0017\" 被叫拒接"),
    ] {
        cases.push(told("by status", words, status, move |scene| called(scene, fate)));
        cases.push(told("in detail", words, detailed, move |scene| called(scene, fate)));
    }
    cases.push(
        told("by status", "an overloaded gateway", "FAIL 503 服务网关超负载", |scene| {
            called(scene, "0503")
        })
        .at(Kind::Frail),
    );
    cases.push(
        told("in detail", "an overloaded gateway", "FAIL \"DH:9999\" 服务网关超负载", |scene| {
            called(scene, "0503")
        })
        .at(Kind::Frail),
    );
    cases
}

/// Calls that were accepted and that nobody dialled.
fn kept() -> Vec<Case> {
    let blocked = |codes, expected: &str| {
        told(codes, "a callee whom the app may not call", expected, |scene| {
            let callee = format!("+86{}", scene.mobile(BUSY));
            scene.operator().block_callee(Whose::App(scene.app()), &callee);
            scene.verify(&[])
        })
    };
    let forbidden = |codes, word: &'static str, expected: &str| {
        told(codes, "a value with a word that nobody may say", expected, move |scene| {
            scene.operator().forbid_word(word);
            scene.notify(&[("TplParams", &json!({"name": word, "no": "1"}).to_string())])
        })
    };
    vec![
        blocked("by status", "FAIL 404 号码为黑名单"),
        blocked("in detail", "FAIL \"DH:0010\" 号码为黑名单"),
        forbidden("by status", "禁言甲词", "FAIL 403 放音文本含有敏感词"),
        forbidden("in detail", "禁言乙词", "FAIL \"DH:0009\" 放音文本含有敏感词"),
    ]
}

/// What comes of menus.
fn menus() -> Vec<Case> {
    vec![
        told(
            "by status",
            "a menu in which nobody presses a key",
            "SUCCESS \"SUCCESS\" 发送成功",
            |scene| scene.ivr(&[("Mobile", &scene.mobile(STAYS))]),
        ),
        told(
            "in detail",
            "a menu in which nobody presses a key",
            "SUCCESS \"DH:0006\" 没有接收到按键",
            |scene| scene.ivr(&[("Mobile", &scene.mobile(STAYS))]),
        ),
        told("in detail", "a menu that is walked to its end", "SUCCESS \"DH:0000\" 呼叫成功", |scene| {
            scene.ivr(&[("Mobile", &scene.mobile("1123"))])
        }),
    ]
}

/// A call, and what its report says. `codes` says in which family.
fn told(
    codes: &'static str,
    words: &str,
    expected: &str,
    place: impl Fn(&Scene) -> Answer + Send + Sync + 'static,
) -> Case {
    let case = case("+", format!("{words}, {codes}"), expected, move |scene: &Scene| {
        let report = scene.report(&place(scene));
        let text = |name: &str| report[name].as_str().unwrap_or("no text").to_owned();
        format!("{} {} {}", text("Status"), report["ErrCode"], text("ErrDesc"))
    });
    case.given(move |scene| {
        scene.takes_reports();
        let codes = if codes == "in detail" { "detailed" } else { "status" };
        scene.operator().change_app(scene.app(), &json!({"reports": {"codes": codes}}));
    })
}

/// A code to a telephone with that fate.
fn called(scene: &Scene, fate: &str) -> Answer {
    scene.verify(&[("Mobile", &scene.mobile(fate))])
}
