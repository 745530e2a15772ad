//! Rows 9 to 24: the two headers, on every interface.

use huihu_tests::api::AUTHORIZATION;
use huihu_tests::http::Request;

use crate::huawei::scene::{Api, Scene};
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        everywhere("9", "no Authorization", "400 1023006", |request| request.without("Authorization")),
        authorized("10", "AKSK profile=\"UsernameToken\",type=\"Appkey\"", "400 1023007"),
        authorized("10b", "Bearer x", "400 1023007"),
        authorized("11", "AKSK realm=\"SDP\",type=\"Appkey\"", "400 1023008"),
        authorized("12", "AKSK realm=\"X\",profile=\"UsernameToken\",type=\"Appkey\"", "400 1023009"),
        authorized("12b", "AKSK realm=\"sdp\",profile=\"UsernameToken\",type=\"Appkey\"", "400 1023009"),
        authorized("13", "AKSK realm=\"SDP\",profile=\"X\",type=\"Appkey\"", "400 1023010"),
        authorized("14", "AKSK realm=\"SDP\",profile=\"UsernameToken\",type=\"X\"", "400 1023011"),
        authorized("15", "AKSK realm=\"SDP\",profile=\"UsernameToken\",type=\"app_key\"", "400 1023011"),
        authorized("16", "AKSK realm=\"SDP\",profile=\"UsernameToken\"", "400 1023012"),
        everywhere("17", "no X-AKSK", "400 1023033", |request| request.without("X-AKSK")),
        everywhere("18", "X-AKSK without its word", "400 1023038", |request| {
            edit(request, |token| token.replace("UsernameToken ", ""))
        }),
    ];
    for (row, empty, name, expected) in [
        ("19", "19b", "Username", "400 1023034"),
        ("20", "20b", "Nonce", "400 1023035"),
        ("21", "21b", "Created", "400 1023036"),
        ("22", "22b", "PasswordDigest", "400 1023037"),
    ] {
        cases.push(everywhere(row, &format!("no {name}"), expected, move |request| {
            edit(request, |token| without(token, name))
        }));
        cases.push(everywhere(empty, &format!("{name}=\"\""), expected, move |request| {
            edit(request, |token| format!("{},{name}=\"\"", without(token, name)))
        }));
    }
    cases.push(everywhere("23", "no realm, and no X-AKSK", "400 1023007", |request| {
        request.without("X-AKSK").header("Authorization", "AKSK profile=\"UsernameToken\"")
    }));
    cases.push(case("24", "other order, blanks, small letters", "200 0", |scene| {
        let token = scene.customer.token();
        let token = format!(
            r#"UsernameToken Created="{}", Nonce="{}", PasswordDigest="{}", Username="{}""#,
            token.created, token.nonce, token.digest, token.username
        );
        let request = scene.request(Api::Callback).without("Authorization").without("X-AKSK");
        let authorization = "AKSK type=\"Appkey\", profile=\"UsernameToken\", realm=\"SDP\"";
        scene.send(&request.header("authorization", authorization).header("x-aksk", &token))
    }));
    // The vendor's own SDK signs in a second way, in a header of the same name.
    cases.push(case("24b", "a second Authorization of another scheme", "200 0", |scene| {
        let mut request = scene.request(Api::Callback).without("Authorization");
        let sdk = "SDK-HMAC-SHA256 Access=x, SignedHeaders=host, Signature=y";
        for value in [sdk, AUTHORIZATION] {
            request.headers.push(("Authorization".to_owned(), value.to_owned()));
        }
        scene.send(&request)
    }));
    cases
}

/// A case of a header that is the same on every interface.
fn everywhere(
    row: &'static str,
    words: &str,
    expected: &str,
    spoil: impl Fn(Request) -> Request + Send + Sync + 'static,
) -> Case {
    case(row, words, expected, move |scene: &Scene| {
        let answers = Api::ALL.map(|api| (api, told(&scene.send(&spoil(scene.request(api))))));
        let (_, first) = &answers[0];
        match answers.iter().find(|(_, told)| told != first) {
            None => first.clone(),
            Some((api, other)) => format!("{first}, but {other} of {api:?}"),
        }
    })
}

fn authorized(row: &'static str, value: &'static str, expected: &str) -> Case {
    everywhere(row, &format!("Authorization: {value}"), expected, move |request| {
        request.header("Authorization", value)
    })
}

/// The request with its token written otherwise.
fn edit(request: Request, edit: impl Fn(&str) -> String) -> Request {
    let token = request.headers.iter().find(|(name, _)| name == "X-AKSK").map(|(_, value)| edit(value));
    let token = token.expect("it is signed");
    request.header("X-AKSK", &token)
}

/// A token without one of its attributes.
fn without(token: &str, name: &str) -> String {
    let attributes = token.trim_start_matches("UsernameToken ").split(',');
    let others: Vec<&str> = attributes.filter(|attribute| !attribute.starts_with(name)).collect();
    format!("UsernameToken {}", others.join(","))
}
