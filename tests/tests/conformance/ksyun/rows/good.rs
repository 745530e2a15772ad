//! Rows 1 to 5, 53, 54, 57, 61 and 73: what succeeds.

use serde_json::json;

use crate::ksyun::scene::BUSY;
use crate::ksyun::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("1", "a code", "200", |scene| scene.verify(&[])),
        case("1b", "the document's sample of a code", "200", |scene| {
            // It has no SignatureMethod, for its header signs; a client that signs by a parameter needs one.
            let form = scene.form("CallVerify").with("PlayTimes", "1").with("Region", "cn-beijing-6");
            scene.send(form)
        }),
        case("2", "ExtId=abc123", "200 abc123", |scene| scene.verify(&[("ExtId", "abc123")])),
        case("3", "a notice with signs in its values", "200", |scene| {
            scene.notify(&[("TplParams", r#"{"name":"张三","no":"8 9~*+"}"#)])
        }),
        case("3b", "a notice with a value that nobody needs", "200", |scene| {
            scene.notify(&[("TplParams", r#"{"name":"张三","no":"8","more":"x"}"#)])
        }),
        case("4", "a menu without variables", "200", |scene| scene.ivr(&[])),
        case("4b", "a menu with variables in both levels", "200, 400 InvalidTplParams", |scene| {
            let menu = json!({
                "nodes": {
                    "root": {"prompt": "您好{name}", "keys": {"1": "next"}},
                    "next": {"prompt": "单号{no}"},
                },
            });
            let menu = scene.operator().template_of("menu", scene.app(), &menu.to_string(), true);
            [r#"{"name":"张三","no":1}"#, r#"{"name":"张三"}"#]
                .map(|values| scene.ivr(&[("TplId", &menu), ("TplParams", values)]))
        })
        .given(|_| ()),
        case("5", "each of the system's templates", "200, 200, 200, 200", |scene| {
            ["100002", "100003", "100004", "100005"].map(|id| scene.verify(&[("TplId", id)]))
        }),
        case("53", "a Code of 4 and of 8 digits", "200, 200", |scene| {
            ["1234", "12345678"].map(|code| scene.verify(&[("Code", code)]))
        }),
        case("54", "PlayTimes 1, 2, absent", "200, 200, 200", |scene| {
            [&[("PlayTimes", "1")][..], &[("PlayTimes", "2")], &[]].map(|more| scene.verify(more))
        }),
        case("54b", "PlayTimes 3 of a notice and of a menu, which know none", "200, 200", |scene| {
            let more = [("PlayTimes", "3")];
            [scene.notify(&more), scene.ivr(&more)]
        }),
        case("57", "an ExtId of 50 characters, and an empty one", "200 of 50, 200", |scene| {
            let long = "a1".repeat(25);
            let answer = told(&scene.verify(&[("ExtId", &long)]));
            let empty = told(&scene.verify(&[("ExtId", "")]));
            format!("{}, {empty}", answer.replace(&long, "of 50"))
        }),
        case("61", "a number and a flag as values", "200, 200", |scene| {
            [r#"{"name":123456,"no":20.50}"#, r#"{"name":true,"no":"1"}"#]
                .map(|values| scene.notify(&[("TplParams", values)]))
        }),
        case("73", "Accept: application/xml", "200", |scene| {
            let form = scene.customer.signed(scene.form("CallVerify"));
            scene.customer.post(&form).header("Accept", "application/xml").send(&scene.customer.address)
        }),
        case("73b", "Accept: application/xml, and a fault", "400 InvalidMobile", |scene| {
            let form = scene.customer.signed(scene.form("CallVerify").with("Mobile", BUSY));
            scene.customer.post(&form).header("Accept", "application/xml").send(&scene.customer.address)
        }),
    ]
}
