//! Rows 6 to 12 and 29 to 35: a signature in a header or in the address.

use chrono::{TimeDelta, Utc};
use huihu_tests::http::Request;
use huihu_tests::ksyun::{Customer, Escapes, V4, VERIFY};
use serde_json::json;

use super::parameter::temporary;
use crate::ksyun::scene::Scene;
use crate::ksyun::town::Kind;
use crate::ksyun::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    [shapes(), faults(), absences(), special()].into_iter().flatten().collect()
}

/// What clients really send.
fn shapes() -> Vec<Case> {
    vec![
        v4("6", "V4, no parameter of the other signature, no Service", "200", |v4| v4),
        v4("6b", "V4 with the body's hash, as the python SDK", "200", V4::with_payload_hash),
        v4("6c", "V4 that signs more headers, as kscore", "200", |v4| {
            v4.header("accept", "*/*").header("x-action", VERIFY).header("x-version", "2020-05-01")
        }),
        v4("6d", "V4 that signs the content's length, as npm aws4", "200", |v4| {
            let length = v4.body.len().to_string();
            v4.header("content-length", &length)
        }),
        case("7", "V4, Action and Version in the query only", "200", |scene| {
            let form = scene.lean(VERIFY);
            let body = form.without("Action").without("Version");
            scene
                .send_v4(&V4 { query: form.only(&["Action", "Version"]), ..V4::post(&scene.customer, &body) })
        }),
        case("7b", "V4, everything in the query, as the node SDK", "200", |scene| {
            scene.send_v4(&V4::query(&scene.customer, "POST", &scene.lean(VERIFY)))
        }),
        case("8", "V4, Action and Version in query and body alike", "200", |scene| {
            let form = scene.lean(VERIFY);
            scene
                .send_v4(&V4 { query: form.only(&["Action", "Version"]), ..V4::post(&scene.customer, &form) })
        }),
        case(
            "8b",
            "V4, another Action in the query than in the body",
            "400 InvalidParameterValue",
            |scene| {
                let form = scene.lean(VERIFY);
                let query = form.only(&["Action"]).with("Action", "CallIvr");
                scene.send_v4(&V4 { query, ..V4::post(&scene.customer, &form) })
            },
        ),
        case("8c", "V4, Action and Version in the query, the others in JSON", "200", |scene| {
            let form = scene.lean(VERIFY);
            let body = json!({"Mobile": form.value("Mobile"), "TplId": 100_001, "Code": "123456"});
            let v4 = V4 { query: form.only(&["Action", "Version"]), ..V4::post(&scene.customer, &form) };
            scene.send_v4(&v4.header("content-type", "application/json").body(body.to_string()))
        }),
        v4("9", "V4 with x-amz-date …+00:00, as the node SDK", "200", |v4| {
            let time = Utc::now().format("%Y%m%dT%H%M%S+00:00").to_string();
            v4.at(&time)
        }),
        case("10", "V4 and a Signature in the body, as the document's samples", "200", |scene| {
            let form = scene
                .lean(VERIFY)
                .with("Signature", "xxxx")
                .with("SignatureVersion", "1.0")
                .with("Timestamp", "2020-08-13T17:18:36Z")
                .with("Service", "voice")
                .with("Accesskey", &scene.customer.key);
            scene.send_v4(&V4::post(&scene.customer, &form))
        }),
        case("10b", "V4 and another Accesskey in the body", "403 SignatureDoesNotMatch", |scene| {
            let form = scene.lean(VERIFY).with("Accesskey", "AKLTnobodyhasthiskey0000");
            scene.send_v4(&V4::post(&scene.customer, &form))
        }),
        v4("+", "V4 with a Host that has a scheme, as the python SDK may send it", "200", |v4| {
            let host = format!("http://{}", v4.customer.address);
            v4.header("host", &host)
        }),
        case("12", "V4 of a temporary key, its token signed", "200", |scene| {
            let scene = temporary(scene);
            scene.send_v4(&V4::post(&scene.customer, &scene.lean(VERIFY)))
        })
        .given(|_| ()),
        case("12b", "V4 of a temporary key without its token", "403 SignatureDoesNotMatch", |scene| {
            let scene = temporary(scene);
            let v4 = V4::post(&scene.customer, &scene.lean(VERIFY));
            scene.send_v4(&v4.without("x-amz-security-token"))
        })
        .given(|_| ()),
        case("12c", "V4 of a temporary key, its token not signed", "403 SignatureDoesNotMatch", |scene| {
            let scene = temporary(scene);
            let token = scene.customer.token.clone().expect("a temporary key has one");
            let v4 = V4::post(&scene.customer, &scene.lean(VERIFY)).without("x-amz-security-token");
            let request = v4.request().header("x-amz-security-token", &token);
            request.send(&scene.customer.address)
        })
        .given(|_| ()),
    ]
}

/// What the signature says.
fn faults() -> Vec<Case> {
    const MISMATCH: &str = "403 SignatureDoesNotMatch";
    let now = |secs: i64| (Utc::now() + TimeDelta::seconds(secs)).format("%Y%m%dT%H%M%SZ").to_string();
    vec![
        v4("29", "V4 by another secret", MISMATCH, |v4| {
            let customer = Customer { secret: "another".to_owned(), ..v4.customer.clone() };
            V4 { customer, ..v4 }
        }),
        v4("29b", "V4 of an unknown key", MISMATCH, |v4| {
            let customer = Customer { key: "AKLTnobodyhasthiskey0000".to_owned(), ..v4.customer.clone() };
            V4 { customer, ..v4 }
        }),
        case("29c", "V4 whose body was changed after signing", MISMATCH, |scene| {
            let request = V4::post(&scene.customer, &scene.lean(VERIFY)).request();
            let other = scene.lean(VERIFY).with("Code", "654321").written(Escapes::Python);
            request.body(other).send(&scene.customer.address)
        }),
        v4("30", "V4 that does not sign the host", MISMATCH, |v4| v4.without("host")),
        v4("31", "V4 with another terminator", MISMATCH, |v4| V4 {
            terminator: "ksc_request".to_owned(),
            ..v4
        }),
        v4("32", "V4 for another service", MISMATCH, |v4| V4 { service: "ksms".to_owned(), ..v4 }),
        v4("32b", "V4 with another date in its scope", MISMATCH, |v4| V4 {
            date: "20200101".to_owned(),
            ..v4
        }),
        v4("32c", "V4 of an hour ago", MISMATCH, move |v4| v4.at(&now(-3_600))),
        v4("32d", "V4 in an hour", MISMATCH, move |v4| v4.at(&now(3_600))),
        v4("35", "V4 with the hash of another body", MISMATCH, |v4| {
            v4.header("x-amz-content-sha256", &"0".repeat(64))
        }),
        v4("35b", "V4 with an unsigned payload", MISMATCH, |v4| {
            v4.header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        }),
    ]
}

/// What is not there.
fn absences() -> Vec<Case> {
    let foreign = |row, authorization: &'static str| {
        case(
            row,
            format!("Authorization: {authorization}"),
            "403 MissingAuthenticationToken",
            move |scene: &Scene| {
                plain(scene).header("Authorization", authorization).send(&scene.customer.address)
            },
        )
    };
    vec![
        case("33", "V4, no date at all", "403 MissingAuthenticationToken … not in Http Header", |scene| {
            let answer = scene.send_v4(&V4::post(&scene.customer, &scene.lean(VERIFY)).without("x-amz-date"));
            let message = answer.body["Error"]["Message"].as_str().unwrap_or("");
            let says = if message.contains("not in Http Header") { " … not in Http Header" } else { "" };
            format!("{}{says}", told(&answer))
        }),
        v4("33b", "V4 with Date in its place", "200", |v4| {
            let time = v4.time.clone();
            v4.without("x-amz-date").header("date", &time)
        }),
        v4("33c", "V4 with Date as HTTP writes it in its place", "200", |v4| {
            // What is signed has the time in its own form all the same.
            let date = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let time = chrono::NaiveDateTime::parse_from_str(&date, "%a, %d %b %Y %H:%M:%S GMT");
            let time = time.expect("it was written so").format("%Y%m%dT%H%M%SZ").to_string();
            v4.at(&time).without("x-amz-date").header("date", &date)
        }),
        foreign("34", "Bearer x"),
        foreign("34b", "Basic eDp5"),
        foreign("34c", "KSC4-HMAC-SHA256 Credential=x"),
    ]
}

/// Where orders are taken by GET too, and faults have the document's codes only.
fn special() -> Vec<Case> {
    vec![
        case("11", "V4 in the address, by GET", "200", |scene| {
            let form = scene.lean(VERIFY);
            V4::query(&scene.customer, "GET", &form).presigned().send(&scene.customer.address)
        })
        .at(Kind::Special),
        case("11b", "V4 in the address, changed after signing", "403 SignatureNotMatch", |scene| {
            let request = V4::query(&scene.customer, "GET", &scene.lean(VERIFY)).presigned();
            let path = request.path.replace("Code=123456", "Code=654321");
            Request { path, ..request }.send(&scene.customer.address)
        })
        .at(Kind::Special),
        case("11c", "V4 in a header, by GET", "200", |scene| {
            scene.send_v4(&V4::query(&scene.customer, "GET", &scene.lean(VERIFY)))
        })
        .at(Kind::Special),
        v4(
            "+",
            "V4 by another secret, where the document's codes are told only",
            "403 SignatureNotMatch",
            |v4| {
                let customer = Customer { secret: "another".to_owned(), ..v4.customer.clone() };
                V4 { customer, ..v4 }
            },
        )
        .at(Kind::Special),
        case("+", "the same V4 twice, where replays are refused", "200, 403 SignatureNotMatch", |scene| {
            let v4 = V4::post(&scene.customer, &scene.lean(VERIFY));
            [(); 2].map(|()| scene.send_v4(&v4))
        })
        .at(Kind::Special),
        case(
            "+",
            "the same Signature twice, where replays are refused",
            "200, 403 SignatureNotMatch",
            |scene| {
                let form = scene.customer.signed(scene.form(VERIFY));
                [(); 2].map(|()| scene.as_is(&form))
            },
        )
        .at(Kind::Special),
        case("+", "the same Signature twice", "200, 200", |scene| {
            let form = scene.customer.signed(scene.form(VERIFY));
            [(); 2].map(|()| scene.as_is(&form))
        }),
        case("36b", "GET with the usual parameters in the query, where it is allowed", "200", |scene| {
            let query = scene.customer.signed(scene.form(VERIFY)).written(Escapes::Strict);
            let request = Request::new("GET", &format!("/?{query}"));
            Request { from: scene.customer.from, ..request }.send(&scene.customer.address)
        })
        .at(Kind::Special),
    ]
}

/// A code that is signed in a header, in some way.
fn v4(
    row: &'static str,
    words: &str,
    expected: &str,
    edit: impl Fn(V4) -> V4 + Send + Sync + 'static,
) -> Case {
    case(row, words, expected, move |scene: &Scene| {
        scene.send_v4(&edit(V4::post(&scene.customer, &scene.lean(VERIFY))))
    })
}

/// A code that nobody signed.
fn plain(scene: &Scene) -> Request {
    scene.customer.post(&scene.lean(VERIFY))
}
