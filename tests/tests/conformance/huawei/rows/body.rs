//! Rows 52 to 96: what a body may say.

use huihu_tests::api::encoded;
use serde_json::{Value, json};

use crate::huawei::scene::{Api, Scene, TALKS};
use crate::huawei::town::UNREVIEWED_CLIP;
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    [forms(), numbers(), callback(), receivers(), code(), notice(), templates()]
        .into_iter()
        .flatten()
        .collect()
}

/// The body as such.
fn forms() -> Vec<Case> {
    let raw = |row, words: &str, body: &'static str| {
        case(row, words, "403 1010002", move |scene: &Scene| {
            scene.send(&scene.request(Api::Callback).body(body))
        })
    };
    let typed = |row, kind: &'static str, expected: &str| {
        case(row, format!("Content-Type: {kind}"), expected, move |scene: &Scene| {
            scene.send(&scene.request(Api::Callback).header("Content-Type", kind))
        })
    };
    vec![
        raw("52", "no JSON", "hello"),
        raw("52b", "no body", ""),
        raw("52c", "a list", "[]"),
        typed("53", "text/plain", "403 1010002"),
        typed("54", "application/json", "200 0"),
        typed("54b", "application/json; charset=UTF-8", "200 0"),
        field("55", Api::Callback, json!({"somethingElse": {"a": [1]}}), "200 0"),
    ]
}

/// Numbers of both sides.
fn numbers() -> Vec<Case> {
    const MALFORMED: &str = "403 1010002 \"Invalid request.The number format is incorrect.\"";
    vec![
        field("56", Api::Callback, json!({"displayNbr": null}), "403 1010002"),
        field("56b", Api::Notice, json!({"displayNbr": null}), "403 1010002"),
        field("56c", Api::Code, json!({"displayNbr": null}), "403 1010002"),
        field("56d", Api::Callback, json!({"calleeNbr": null}), "403 1010002"),
        field("57", Api::Callback, json!({"displayNbr": "+8675599999999"}), "403 1010023"),
        field("57b", Api::Callback, json!({"displayCalleeNbr": "+8675599999999"}), "403 1010023"),
        case("58", "bindNbr of another app", "403 1012001", |scene| {
            scene.callback(&json!({"bindNbr": huihu_tests::api::NUMBER}))
        })
        .given(|_| ()),
        case("59", "an app without numbers", "403 1012006", |scene| scene.callback(&json!({}))).given(
            |scene| {
                for number in &scene.shown {
                    scene.operator().remove_number(scene.app(), number);
                }
            },
        ),
        field("60", Api::Callback, json!({"bindNbr": "abc"}), "500 1020151"),
        case("61", "displayNbr paused, another one free", "200 0 with the other one shown", |scene| {
            let [paused, free] = &scene.shown;
            let mut more = scene.receivers();
            more["displayNbr"] = json!(paused);
            let answer = scene.callback(&more);
            let session = answer.session();
            let fee = scene.house.receiver.fee(&session);
            let pushes = scene.house.receiver.of(&session);
            let callout = pushes.iter().find(|push| push.event() == "callout").expect("it was called");
            let shown = [&callout.body["statusInfo"]["caller"], &fee["callerNum"]];
            let other = shown.iter().all(|shown| *shown == free.as_str());
            format!("{} with the {} shown", told(&answer), if other { "other one" } else { "wrong one" })
        })
        .given(|scene| scene.operator().pause_number(scene.app(), &scene.shown[0].clone())),
        case("62", "displayNbr paused, none free", "403 1013119", |scene| scene.callback(&json!({}))).given(
            |scene| {
                for number in &scene.shown {
                    scene.operator().pause_number(scene.app(), number);
                }
            },
        ),
        field("63", Api::Callback, json!({"callerNbr": "13800000001"}), "403 1010024"),
        exactly("64", Api::Callback, json!({"calleeNbr": "13800000001"}), MALFORMED),
        exactly("64b", Api::Notice, json!({"calleeNbr": "138****0001"}), MALFORMED),
        exactly("64c", Api::Code, json!({"calleeNbr": "+8613800000001000000000000000000"}), MALFORMED),
        case("65", "callerNbr = calleeNbr", "403 1010002", |scene| {
            scene.callback(&json!({"callerNbr": scene.a("0001"), "calleeNbr": scene.a("0001")}))
        }),
        field("66", Api::Callback, json!({"calleeNbr": "+85221234567"}), "403 1013112"),
        field("66b", Api::Code, json!({"calleeNbr": "+12025550123"}), "403 1013112"),
        field("+", Api::Callback, json!({"callerNbr": "+85221234567"}), "403 1013111"),
    ]
}

/// What only a callback has.
fn callback() -> Vec<Case> {
    let mut cases = Vec::new();
    for (row, bad) in [("67", json!(1_441)), ("67b", json!(-1)), ("67c", json!("x")), ("67d", json!(1.5))] {
        cases.push(field(row, Api::Callback, json!({"maxDuration": bad}), "403 1010002"));
    }
    cases.extend([
        field("68", Api::Callback, json!({"maxDuration": "60"}), "200 0"),
        field("69", Api::Callback, json!({"maxDuration": 0, "lastMinVoice": "missing.wav"}), "200 0"),
        exactly(
            "70",
            Api::Callback,
            json!({"maxDuration": 5, "lastMinVoice": "missing.wav"}),
            "403 1010002 \"Invalid request.missing.wav does not exist\"",
        ),
        field("71", Api::Callback, json!({"maxDuration": 5, "lastMinToUE": "x"}), "403 1010002"),
        field("71b", Api::Callback, json!({"calleeMedia": "x"}), "403 1010002"),
        field("71c", Api::Callback, json!({"playPreVoice": "yes"}), "403 1010002"),
        field("72", Api::Callback, json!({"playPreVoice": true}), "200 0"),
        field(
            "73",
            Api::Callback,
            json!({"playPreVoice": "true", "preVoice": UNREVIEWED_CLIP}),
            "403 1010002",
        ),
        field("73b", Api::Callback, json!({"waitVoice": "missing.wav"}), "403 1010002"),
        field("74", Api::Callback, json!({"recordFlag": "true"}), "403 1012012").given(|_| ()),
    ]);
    cases
}

/// What every call has.
fn receivers() -> Vec<Case> {
    let url = |row, words: &str, url: String, expected: &str| {
        field(row, Api::Callback, json!({"statusUrl": url}), expected).named(words)
    };
    let long = format!("http://www.example.com/{}", "x".repeat(129 - "http://www.example.com/".len()));
    vec![
        url("75", "statusUrl in plain text", "http://www.example.com/status".to_owned(), "403 1010002"),
        url("76", "statusUrl ftp://…", encoded("ftp://www.example.com/status"), "403 1010002"),
        url("77", "statusUrl of 129 bytes", encoded(&long), "403 1010002"),
        url("77b", "statusUrl of 128 bytes", encoded(&long[..128]), "200 0"),
        url("78", "statusUrl with _", encoded("http://www.example.com/call_status"), "200 0"),
        url("78b", "statusUrl with line breaks in its base64", broken("http://www.example.com/"), "200 0"),
        field("79", Api::Callback, json!({"userData": "{"}), "403 1010002"),
        field("80", Api::Callback, json!({"userData": "用户"}), "403 1010002"),
        field("81", Api::Callback, json!({"userData": "x".repeat(257)}), "403 1010002")
            .named("userData of 257 characters"),
        field("81b", Api::Callback, json!({"userData": "x".repeat(256)}), "200 0")
            .named("userData of 256 characters"),
    ]
}

/// What only a code has.
fn code() -> Vec<Case> {
    vec![
        field("82", Api::Code, json!({"languageType": 1}), "403 1010002"),
        field("82b", Api::Code, json!({"languageType": "2"}), "200 0"),
        field("83", Api::Code, json!({"verifyCode": "1"}), "403 1010002"),
        field("83b", Api::Code, json!({"verifyCode": "123456789"}), "403 1010002"),
        field("83c", Api::Code, json!({"verifyCode": "12a4"}), "403 1010002"),
        field("84", Api::Code, json!({"times": 10}), "403 1010002"),
        case("85", "times 0", "200 0, and it ends", |scene| {
            let mut more = scene.receivers();
            more["times"] = json!(0);
            more["calleeNbr"] = json!(scene.a(TALKS));
            let answer = scene.ask(Api::Code, &more);
            let code = scene.house.receiver.state_code(&answer.session());
            format!("{}, and it {}", told(&answer), if code == 0 { "ends" } else { "fails" })
        }),
        field("86", Api::Code, json!({"preTone": null}), "403 1010002"),
        field("86b", Api::Code, json!({"posTone": "missing.wav"}), "403 1010002"),
    ]
}

/// What only a notice has.
fn notice() -> Vec<Case> {
    let item = json!({"notifyVoice": "welcome.wav"});
    let of =
        |row, items: Value, expected: &str| field(row, Api::Notice, json!({"playInfoList": items}), expected);
    let one = |row, more: Value, expected: &str| {
        let mut item = json!({"notifyVoice": "welcome.wav"});
        huihu_tests::api::lay(&mut item, &more);
        of(row, json!([item]), expected)
    };
    vec![
        of("87", json!([]), "403 1010002"),
        of("87b", json!([item, item, item, item, item, item]), "403 1010002")
            .named("playInfoList of 6 items"),
        of("87c", json!("welcome.wav"), "403 1010002"),
        of("87d", json!([item, item, item, item, item]), "200 0").named("playInfoList of 5 items"),
        of("88", json!([{"collectInd": 1}]), "403 1010002"),
        case("88b", "an item with notifyVoice and templateId", "403 1010002", |scene| {
            let item = json!({"notifyVoice": "welcome.wav", "templateId": scene.house.usual.template});
            scene.ask(Api::Notice, &json!({"playInfoList": [item]}))
        }),
        one("95", json!({"collectInd": 33}), "403 1010002"),
        one("95b", json!({"collectInd": 32}), "200 0"),
        one("95c", json!({"collectInd": "1"}), "200 0"),
        one(
            "96",
            json!({"collectInd": 0, "replayAfterCollection": "true", "collectContentTriggerReplaying": "1"}),
            "200 0",
        ),
        one("96b", json!({"notifyVoice": "missing.wav"}), "403 1010002"),
        one("96c", json!({"notifyVoice": UNREVIEWED_CLIP}), "403 1010002"),
    ]
}

/// Templates and their values.
fn templates() -> Vec<Case> {
    let of = |row, words: &str, values: Value, expected: &str| {
        case(row, words, expected, move |scene: &Scene| spoken(scene, &scene.template, &values))
    };
    let fits = |row, words: &str, place: &'static str, value: &'static str| {
        case(row, words, "403 1012005", move |scene: &Scene| spoken(scene, &scene.template, &json!([value])))
            .given(move |scene| {
                scene.template = scene.operator().template(scene.app(), &format!("您好{place}"), true);
            })
    };
    vec![
        case("89", "an unknown template", "403 1012003", |scene| {
            spoken(scene, "0123456789abcdef0123456789abcdef", &json!(["张三"]))
        }),
        case("90", "a template that nobody approved", "403 1012002", |scene| {
            spoken(scene, &scene.house.usual.unreviewed, &json!([]))
        }),
        of("91", "too few values", json!(["张三"]), "403 1012004"),
        of("91b", "too many values", json!(["张三", "1", "2"]), "403 1012004"),
        of("92", "no templateParas where the template has places", Value::Null, "403 1010002"),
        of("93", "${NUM_6} given \"abc\"", json!(["张三", "abc"]), "403 1012005"),
        of("93b", "${TXT_9} given 10 bytes", json!(["1234567890", "1"]), "403 1012005"),
        fits("93c", "${TIME} given \"25:00\"", "${TIME}", "25:00"),
        fits("93d", "${DATE} given \"2026/02/30\"", "${DATE}", "2026/02/30"),
        of("94", "templateParas as a text that holds a list", json!("[\"张三\", \"123456\"]"), "200 0"),
    ]
}

fn spoken(scene: &Scene, template: &str, values: &Value) -> huihu_tests::http::Answer {
    let mut item = json!({"templateId": template});
    if !values.is_null() {
        item["templateParas"] = values.clone();
    }
    scene.ask(Api::Notice, &json!({"playInfoList": [item]}))
}

/// A case of fields laid over the usual body; null takes a field away.
fn field(row: &'static str, api: Api, more: Value, expected: &str) -> Case {
    let words = match more.as_object().filter(|more| more.values().all(Value::is_null)) {
        Some(missing) => {
            format!("{api:?} without {}", missing.keys().cloned().collect::<Vec<_>>().join(", "))
        }
        None => format!("{api:?} {more}"),
    };
    case(row, words, expected, move |scene: &Scene| scene.ask(api, &more))
}

/// A case whose answer has exactly that text.
fn exactly(row: &'static str, api: Api, more: Value, expected: &str) -> Case {
    let words = format!("{api:?} {more}");
    case(row, words, expected, move |scene: &Scene| {
        let answer = scene.ask(api, &more);
        format!("{} {:?}", told(&answer), answer.text())
    })
}

/// Base64 as old encoders write it.
fn broken(url: &str) -> String {
    let whole = encoded(url);
    let (begin, end) = whole.split_at(whole.len() / 2);
    format!("{begin}\r\n{end}\r\n")
}
