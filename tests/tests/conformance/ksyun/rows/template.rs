//! Rows 59 and 62 to 67: the values of templates.

use serde_json::json;

use crate::ksyun::scene::Scene;
use crate::ksyun::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [forms(), characters(), lengths()].into_iter().flatten().collect()
}

/// The object as such.
fn forms() -> Vec<Case> {
    let values = |row, words: &str, values: &'static str| {
        let words = format!("TplParams {words}");
        case(row, words, "400 InvalidTplParams", move |scene: &Scene| scene.notify(&[("TplParams", values)]))
    };
    vec![
        values("59", "[]", "[]"),
        values("59b", "\"x\"", "\"x\""),
        values("59c", "that are broken", r#"{"name":"张三","no":"#),
        values("59d", "without a variable", r#"{"name":"张三"}"#),
        values("59e", "with an object in them", r#"{"name":{"a":"b"},"no":"1"}"#),
        values("59f", "with a list in them", r#"{"name":["a"],"no":"1"}"#),
        values("59g", "null", "null"),
        values("59h", "with null in them", r#"{"name":null,"no":"1"}"#),
        values("59i", "with a name twice", r#"{"name":"a","name":"b","no":"1"}"#),
        case("59j", "TplParams {} of a menu with variables", "400 InvalidTplParams", |scene| {
            let menu = json!({"nodes": {"root": {"prompt": "您好{name}"}}}).to_string();
            let menu = scene.operator().template_of("menu", scene.app(), &menu, true);
            scene.ivr(&[("TplId", &menu), ("TplParams", "{}")])
        })
        .given(|_| ()),
    ]
}

/// What a value may not hold.
fn characters() -> Vec<Case> {
    vec![
        value("62", "with a new line", "400 InvalidTplParams", "a\nb"),
        value("62b", "with a backspace", "400 InvalidTplParams", "a\u{8}b"),
        value("62c", "with an emoji", "400 InvalidTplParams", "好😀"),
        value("63", "http://a.cn", "400 TplContainUrl", "http://a.cn"),
        value("63b", "www.a.com", "400 TplContainUrl", "www.a.com"),
        value("63c", "a.com/x", "400 TplContainUrl", "a.com/x"),
        value("63d", "in full width", "400 TplContainUrl", "ｗｗｗ．ａ．ｃｏｍ"),
        value("63e", "with Chinese full stops", "400 TplContainUrl", "请看www。a。com"),
    ]
}

/// How long a value and the whole may be. Nine characters are the template's own.
fn lengths() -> Vec<Case> {
    let long = |row, words: &str, expected: &str, name: usize, no: usize| {
        case(row, words, expected, move |scene: &Scene| {
            let values = json!({"name": "长".repeat(name), "no": "1".repeat(no)});
            scene.notify(&[("TplParams", &values.to_string())])
        })
    };
    let strict = |row, words: &str, expected: &str, name: usize, no: usize| {
        long(row, words, expected, name, no)
            .given(|scene| scene.operator().change_app(scene.app(), &json!({"lengths": "strict"})))
    };
    vec![
        long("64", "a value of 100 characters", "200", 100, 1),
        long("65", "a value of 101 characters", "400 InvalidTplLen", 101, 1),
        long("66", "181 characters in all", "400 InvalidContentLen", 100, 72),
        long("66b", "180 characters in all", "200", 100, 71),
        strict("67", "strict: a value of 51 characters", "400 InvalidTplLen", 51, 1),
        strict("67b", "strict: 101 characters in all", "400 InvalidContentLen", 50, 42),
        strict("67c", "strict: 100 characters in all", "200", 50, 41),
        case("+", "a URL in a value that is too long", "400 TplContainUrl", |scene| {
            let values = json!({"name": format!("{}www.a.com", "长".repeat(101)), "no": "1"});
            scene.notify(&[("TplParams", &values.to_string())])
        }),
    ]
}

/// A notice with that name in it.
fn value(row: &'static str, words: &str, expected: &str, name: &'static str) -> Case {
    case(row, format!("a value {words}"), expected, move |scene: &Scene| {
        let values = json!({"name": name, "no": "1"});
        scene.notify(&[("TplParams", &values.to_string())])
    })
}
