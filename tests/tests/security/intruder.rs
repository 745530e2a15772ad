//! Somebody without a key.

use std::fs;
use std::net::IpAddr;

use huihu_tests::api::{Customer, RECORD};
use huihu_tests::http::Request;
use huihu_tests::huihu::Installation;
use serde_json::json;

use crate::world::nowhere;

fn from(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([127, 0, 0, last]))
}

#[test]
fn who_guesses_is_shut_out_and_can_shut_out_nobody_else() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    let customer = installation.customer(&server);
    let guesser = Customer { secret: "guess".to_owned(), from: from(2), ..customer.clone() };
    let unknown = Customer { key: "nobody".to_owned(), ..guesser.clone() };
    let mut refused = 0;
    for turn in 0..40 {
        let who = if turn % 2 == 0 { &guesser } else { &unknown };
        let answer = who
            .request("POST", "/rest/httpsessions/callStop/v2.0")
            .header("X-Forwarded-For", "127.0.0.3")
            .body("{}")
            .send(&server.http);
        assert_ne!(answer.code(), "0");
        refused += usize::from(answer.code() == "1020176");
    }
    assert!(refused >= 15, "it is told to wait: {refused}");
    let stop = |from| {
        Customer { from, ..customer.clone() }.stop("1202_1_2_20260102030405@test.huihu").code().to_owned()
    };
    assert_eq!(stop(from(3)), "1020152", "whom it named is served as before");
    assert_eq!(stop(from(2)), "1020176", "it is not served with the right key either");
}

#[test]
fn recordings_and_the_operators_api_are_closed_to_everybody_without_a_key() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    let call = "019b7d6e5c08000000000000000000a1";
    for path in [
        format!("/recordings/{call}.wav"),
        format!("/recordings/{call}.wav?expires=99999999999&signature=00"),
        format!("/recordings/{call}.wav?expires=99999999999&signature={}", "0".repeat(64)),
        "/recordings/../huihu.db".to_owned(),
        "/recordings/..%2fhuihu.db?expires=99999999999&signature=00".to_owned(),
        "/recordings/%2e%2e/secret.key".to_owned(),
        format!("{RECORD}?fileName=1202_1_2_20260102030405.wav&recordDomain=test.huihu"),
        "/api/v1/apps".to_owned(),
        "/api/v1/openapi.json".to_owned(),
        "/api/v1/nothing".to_owned(),
    ] {
        for method in ["GET", "POST", "HEAD", "PUT", "DELETE"] {
            let answer = Request::new(method, &path).send(&server.http);
            assert_eq!(answer.status / 100, 4, "{method} {path}: {}", answer.text());
            assert!(!answer.bytes.starts_with(b"RIFF") && !answer.bytes.starts_with(b"SQLite"), "{path}");
        }
    }
    let strange = "Bearer ".to_owned() + &"A".repeat(43);
    for token in ["", "Bearer", "Bearer ", "Basic b3BlcmF0b3I6", strange.as_str()] {
        let answer = Request::new("GET", "/api/v1/apps").header("Authorization", token).send(&server.http);
        assert_eq!(answer.status, 401, "{token}");
    }
}

#[test]
fn what_a_process_remembers_is_written_to_no_disk_when_it_dies() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).expect("Linux tells limits");
    let core =
        limits.lines().find(|line| line.starts_with("Max core file size")).expect("there is such a limit");
    assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"]);
}

#[test]
fn a_body_that_is_packed_is_not_unpacked() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    let customer = installation.customer(&server);
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"] {
        let request =
            customer.request("POST", "/rest/httpsessions/callStop/v2.0").header("Content-Encoding", encoding);
        let answer =
            request.body(json!({"sessionid": "x", "signal": "call_stop"}).to_string()).send(&server.http);
        assert_eq!(answer.status, 415, "{encoding}: {}", answer.text());
    }
    let request =
        customer.request("POST", "/rest/httpsessions/callStop/v2.0").header("Content-Encoding", "identity");
    let body = json!({"sessionid": "1202_1_2_20260102030405@test.huihu", "signal": "call_stop"}).to_string();
    assert_eq!(request.body(body).send(&server.http).code(), "1020152");
}
