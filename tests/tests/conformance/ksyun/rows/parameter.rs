//! Rows 13 to 28: a signature among the parameters.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use huihu_tests::http::Answer;
use huihu_tests::ksyun::{Customer, Escapes, NOTIFY, TIMESTAMP, VERIFY, signature};

use crate::ksyun::scene::{PATIENCE, Scene};
use crate::ksyun::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    [tokens(), forms(), signatures(), absences(), times()].into_iter().flatten().collect()
}

/// Temporary keys.
fn tokens() -> Vec<Case> {
    vec![
        case("13", "a temporary key with its SecurityToken", "200", |scene| {
            let scene = temporary(scene);
            scene.send(scene.form(VERIFY))
        })
        .given(|_| ()),
        case(
            "13b",
            "a temporary key without it, and with another",
            "403 SignatureNotMatch, 403 SignatureNotMatch",
            |scene| {
                let scene = temporary(scene);
                let form = scene.form(VERIFY);
                [scene.send(form.without("SecurityToken")), scene.send(form.with("SecurityToken", "x"))]
            },
        )
        .given(|_| ()),
        case("13c", "a key that is not temporary, with a SecurityToken", "403 SignatureNotMatch", |scene| {
            scene.verify(&[("SecurityToken", "x")])
        }),
        case("13d", "a temporary key whose time is over", "403 SignatureNotMatch", |scene| {
            let scene = with_temporary_key(scene, 1);
            huihu_tests::wait::until("the end of the key", PATIENCE, || {
                let told = told(&scene.send(scene.form(VERIFY)));
                (told != "200").then_some(told)
            })
        })
        .given(|_| ()),
    ]
}

/// The four ways of public clients to write one value, and one that some proxies make of them.
fn forms() -> Vec<Case> {
    let written = |row, words: &str, escapes: Escapes| {
        case(row, words, "200", move |scene: &Scene| {
            let form = scene.form(NOTIFY).with("TplParams", r#"{"name":"张 三~*+","no":"8 9"}"#);
            let body = scene.customer.signed(form).written(escapes);
            scene.customer.posted(body).send(&scene.customer.address)
        })
    };
    vec![
        written("14", "written as python does: + ~ %2A", Escapes::Python),
        written("14b", "written as node does: %20 ~ %2A", Escapes::Strict),
        written("14c", "written as php does: + %7E %2A", Escapes::Php),
        written("14d", "written as java does: + %7E *", Escapes::Java),
        written("14e", "written in lower case: %e5", Escapes::LowerCase),
        case("15", "an unknown parameter, signed", "200", |scene| scene.verify(&[("Foo", "1")])),
        case("15b", "Signature, Action and Version in the query, the others in the body", "200", |scene| {
            let form = scene.customer.signed(scene.form(VERIFY));
            let moved = ["Action", "Version", "Signature"];
            let query = form.only(&moved).written(Escapes::Strict);
            let body = moved.iter().fold(form, |form, name| form.without(name));
            let mut request = scene.customer.post(&body);
            request.path = format!("/?{query}");
            request.send(&scene.customer.address)
        }),
    ]
}

/// What the signature says.
fn signatures() -> Vec<Case> {
    vec![
        case("16", "a parameter that was added after signing", "403 SignatureNotMatch", |scene| {
            scene.as_is(&scene.customer.signed(scene.form(VERIFY)).and("Foo", "1"))
        }),
        case("16b", "a parameter that was changed after signing", "403 SignatureNotMatch", |scene| {
            scene.as_is(&scene.customer.signed(scene.form(VERIFY)).with("Code", "654321"))
        }),
        case("17", "one character of Signature changed", "403 SignatureNotMatch", |scene| {
            spoiled(scene, |signature| {
                let first = if signature.starts_with('0') { "1" } else { "0" };
                format!("{first}{}", &signature[1..])
            })
        }),
        case("18", "Signature in upper case", "403 SignatureNotMatch", |scene| {
            spoiled(scene, |signature| format!("{}A", signature[..63].to_uppercase()))
        }),
        case("19", "an unknown Accesskey", "403 SignatureNotMatch", |scene| {
            scene.verify(&[("Accesskey", "AKLTnobodyhasthiskey0000")])
        }),
        case("22", "SignatureMethod=HMAC-SHA1", "403 SignatureNotMatch", |scene| {
            scene.verify(&[("SignatureMethod", "HMAC-SHA1")])
        }),
        case("23", "SignatureVersion=2.0", "403 SignatureNotMatch", |scene| {
            scene.verify(&[("SignatureVersion", "2.0")])
        }),
        case("23b", "SignatureVersion=1, as a client's own test has it", "200", |scene| {
            scene.verify(&[("SignatureVersion", "1")])
        }),
    ]
}

/// What is not there.
fn absences() -> Vec<Case> {
    let without = |row, name: &'static str| {
        case(row, format!("{name} absent"), format!("400 MissingParameter ({name})"), move |scene: &Scene| {
            scene.without(VERIFY, name)
        })
    };
    vec![
        case("20", "Signature absent, no Authorization", "400 MissingParameter (Signature)", |scene| {
            scene.as_is(&scene.form(VERIFY))
        }),
        without("21", "Accesskey"),
        without("24", "Timestamp"),
        without("24b", "SignatureVersion"),
        without("24c", "SignatureMethod"),
        without("24d", "Service"),
    ]
}

/// When the request says it was made.
fn times() -> Vec<Case> {
    let format = |row, value: &'static str| {
        let words = format!("Timestamp {value}");
        case(row, words, format!("400 InvalidTimestampFormat, told {value}"), move |scene: &Scene| {
            let answer = scene.verify(&[("Timestamp", value)]);
            let repeats = answer.body["Error"]["Message"].as_str().is_some_and(|text| text.contains(value));
            format!("{}, told {}", told(&answer), if repeats { value } else { "nothing" })
        })
    };
    let made = |row, words: &str, expected: &str, secs: i64| {
        case(row, words, expected, move |scene: &Scene| scene.verify(&[("Timestamp", &at(secs))]))
    };
    vec![
        format("25", "2026-11-22 05:00:00"),
        format("26", "2026-11-22T05:00:00+08:00"),
        format("26b", "2026-11-22T05:00:00"),
        format("26c", "2026-11-22T05:00:00.000Z"),
        made("27", "Timestamp 15 min 1 s old", "400 InvalidTimestamp", -901),
        made("27b", "Timestamp 15 min 1 s ahead", "400 InvalidTimestamp", 901),
        made("28", "Timestamp 14 min 59 s old", "200", -899),
        made("28b", "Timestamp 14 min 59 s ahead", "200", 899),
    ]
}

/// A time so many seconds from now. It has whole seconds, and is rounded so that what shall be within the window stays
/// within and what shall be outside stays outside.
fn at(secs: i64) -> String {
    const WINDOW: i64 = 900;
    let exact: DateTime<Utc> = Utc::now() + TimeDelta::seconds(secs);
    let down = exact.duration_trunc(TimeDelta::seconds(1)).expect("a second is a length");
    let is_outside = secs.abs() > WINDOW;
    let rounded = if (secs > 0) == is_outside { down + TimeDelta::seconds(1) } else { down };
    rounded.format(TIMESTAMP).to_string()
}

/// A code whose signature is not what it was.
fn spoiled(scene: &Scene, spoil: impl Fn(&str) -> String) -> Answer {
    let form = scene.form(VERIFY);
    let good = signature(&scene.customer.secret, &form);
    scene.as_is(&form.with("Signature", &spoil(&good)))
}

/// The same scene with a temporary key of its app.
pub(super) fn temporary(scene: &Scene) -> Scene {
    with_temporary_key(scene, 600)
}

fn with_temporary_key(scene: &Scene, secs: u32) -> Scene {
    let (key, secret, token) = scene.operator().temporary_key(scene.app(), secs);
    let mut holder = scene.clone();
    holder.customer = Customer { key, secret, token: Some(token), ..scene.customer.clone() };
    holder
}
