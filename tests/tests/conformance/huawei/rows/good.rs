//! Rows 1 to 7: what succeeds.

use serde_json::json;

use crate::huawei::scene::Api;
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("1", "a callback", "200 0", |scene| scene.callback(&json!({}))),
        case("1b", "the example of the document of callbacks", "200 0", |scene| {
            let [shown, _] = &scene.shown;
            let more = json!({"displayNbr": shown, "displayCalleeNbr": shown, "userData": "cwgtest"});
            scene.callback(&more)
        }),
        case("2", "returnIdlePort \"true\"", "200 0 with a number of idle ports", |scene| {
            let answer = scene.callback(&json!({"returnIdlePort": "true"}));
            let ports = answer.body["idlePort"].as_u64().filter(|ports| *ports <= 65_535);
            format!("{} with {}", told(&answer), ports.map_or("none", |_| "a number of idle ports"))
        }),
        case("3", "returnIdlePort absent, \"false\"", "200 0, 200 0, no idlePort", |scene| {
            let answers = [json!({}), json!({"returnIdlePort": "false"})].map(|more| scene.callback(&more));
            let silent = answers.iter().all(|answer| answer.body.get("idlePort").is_none());
            let told = answers.each_ref().map(told).join(", ");
            format!("{told}, {}", if silent { "no idlePort" } else { "an idlePort" })
        }),
        case("4", "a notice of a template", "200 0", |scene| {
            let values = ["张三", "123456"];
            let item = json!({"templateId": scene.house.usual.template, "templateParas": values});
            scene.ask(Api::Notice, &json!({"playInfoList": [item]}))
        }),
        case("5", "a notice of a voice file", "200 0", |scene| scene.ask(Api::Notice, &json!({}))),
        case("6", "a verification code", "200 0", |scene| scene.ask(Api::Code, &json!({}))),
        case("6b", "the example of the document of codes", "200 0", |scene| {
            let more = json!({"preTone": "welcome.wav", "verifyCode": "12345678", "times": 3, "userData": "cwgtest"});
            scene.ask(Api::Code, &more)
        }),
        case("7", "a stop of a live session", "200 0", |scene| {
            let session = scene.long_call();
            scene.stop(&session)
        }),
    ]
}
