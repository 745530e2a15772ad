//! Rows 46 to 60 but those of values: the parameters of the actions.

use huihu_tests::ksyun::{IVR, NOTIFY, VERIFY};

use crate::case::repeated;
use crate::ksyun::scene::Scene;
use crate::ksyun::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    [mobiles(), templates(), codes(), others()].into_iter().flatten().collect()
}

/// Who is called.
fn mobiles() -> Vec<Case> {
    const BAD: &str = "400 InvalidMobile";
    let with = |row, words: &str, mobile: &'static str| {
        case(row, format!("Mobile {words}"), BAD, move |scene: &Scene| scene.verify(&[("Mobile", mobile)]))
    };
    vec![
        case(
            "46",
            "Mobile absent, empty",
            "400 MissingParameter (Mobile), 400 MissingParameter (Mobile)",
            |scene| [scene.without(VERIFY, "Mobile"), scene.verify(&[("Mobile", "")])],
        ),
        case(
            "46b",
            "Mobile absent from a notice, a menu",
            "400 MissingParameter (Mobile), 400 MissingParameter (Mobile)",
            |scene| [NOTIFY, IVR].map(|action| scene.without(action, "Mobile")),
        ),
        with("47", "of 10 digits", "1380000000"),
        with("47b", "of 12 digits", "138000000000"),
        with("47c", "+8613800000000", "+8613800000000"),
        with("47d", "with letters", "1380000000a"),
        with("47e", "with a comma", "13800000000,13800000001"),
        with("47f", "that is no mobile number", "07550000001"),
        with("47g", "in full-width digits", "１３８００００００００"),
    ]
}

/// What is said.
fn templates() -> Vec<Case> {
    const BAD: &str = "400 InvalidTplId";
    let with = |row, id: &'static str| {
        case(row, format!("TplId {id}"), BAD, move |scene: &Scene| scene.verify(&[("TplId", id)]))
    };
    vec![
        case("48", "TplId absent", "400 MissingParameter (TplId) 3 times", |scene| {
            repeated(&[VERIFY, NOTIFY, IVR].map(|action| told(&scene.without(action, "TplId"))))
        }),
        with("49", "abc"),
        with("49b", "-1"),
        with("49c", "999999"),
        with("49d", "0100001"),
        case("49e", "an unknown TplId of a notice, a menu", "400 InvalidTplId, 400 InvalidTplId", |scene| {
            let more = [("TplId", "999999")];
            [scene.notify(&more), scene.ivr(&more)]
        }),
        case("50", "a notice with TplId 100001", BAD, |scene| scene.notify(&[("TplId", "100001")])),
        case("50b", "a code with the template of a notice", BAD, |scene| {
            scene.verify(&[("TplId", &scene.notice)])
        }),
        case("50c", "a template that is not approved", BAD, |scene| {
            scene.notify(&[("TplId", &scene.house.usual.unreviewed)])
        }),
        case("50d", "another tenant's template", BAD, |scene| {
            scene.notify(&[("TplId", &scene.house.usual.notice)])
        })
        .given(|_| ()),
        case(
            "50e",
            "a notice with a menu, a menu with a notice",
            "400 InvalidTplId, 400 InvalidTplId",
            |scene| [scene.notify(&[("TplId", &scene.menu)]), scene.ivr(&[("TplId", &scene.notice)])],
        ),
    ]
}

/// Codes, and how often they are said.
fn codes() -> Vec<Case> {
    let code = |row, words: &str, code: &'static str| {
        case(row, words, "400 InvalidVerifyCode", move |scene: &Scene| scene.verify(&[("Code", code)]))
    };
    let times = |row, times: &'static str| {
        let words = format!("PlayTimes {times}");
        case(row, words, "400 InvalidPlayTimes", move |scene: &Scene| scene.verify(&[("PlayTimes", times)]))
    };
    vec![
        case("51", "Code absent", "400 MissingParameter (Code)", |scene| scene.without(VERIFY, "Code")),
        code("52", "Code of 3 digits", "123"),
        code("52b", "Code of 9 digits", "123456789"),
        code("52c", "Code 12a4", "12a4"),
        code("52d", "Code in full-width digits", "１２３４"),
        times("55", "0"),
        times("55b", "3"),
        times("55c", "x"),
    ]
}

/// The customer's own id, and whether there are values at all.
fn others() -> Vec<Case> {
    const NO_VALUES: &str = "400 MissingParameter (TplParams)";
    let ext_id = |row, words: &str, id: String| {
        case(row, words, "400 InvalidExtId", move |scene: &Scene| scene.verify(&[("ExtId", &id)]))
    };
    vec![
        ext_id("56", "ExtId of 51 characters", "a".repeat(51)),
        ext_id("56b", "ExtId a-b", "a-b".to_owned()),
        ext_id("56c", "a Chinese ExtId", "订单".to_owned()),
        case("58", "a notice without TplParams and with a Code, as in the document", NO_VALUES, |scene| {
            scene.send(scene.form(NOTIFY).without("TplParams").with("Code", "123456"))
        }),
        case("58b", "a menu without TplParams and with a Code, as in the document", NO_VALUES, |scene| {
            scene.send(scene.form(IVR).without("TplParams").with("Code", "123456"))
        }),
        case("60", "TplParams.name=…, as python flattens it", NO_VALUES, |scene| {
            let form = scene.form(NOTIFY).without("TplParams");
            scene.send(form.with("TplParams.name", "张三").with("TplParams.no", "1"))
        }),
    ]
}
