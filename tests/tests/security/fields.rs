//! A customer with a key of his own who writes into fields what would be something else elsewhere: ends of lines, headers,
//! paths, numbers that no machine holds.

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use huihu_tests::api::{NUMBER, encoded};
use huihu_tests::http::Answer;
use huihu_tests::huihu::Installation;
use huihu_tests::wait;
use serde_json::{Value, json};

use crate::world::{PATIENCE, nowhere};

/// Ways of writing the end of a line, and what would follow it.
const BREAKS: [&str; 12] = [
    "\r\nX-Evil: 1",
    "\nX-Evil: 1",
    "\rX-Evil: 1",
    "\r\n\r\nX-Evil: 1",
    "\u{0}X-Evil: 1",
    "%0d%0aX-Evil: 1",
    "\\r\\nX-Evil: 1",
    "\u{85}X-Evil: 1",
    "\u{2028}X-Evil: 1",
    "\u{560d}\u{560a}X-Evil: 1",
    "\r\n X-Evil: 1",
    "\t\r\n\tX-Evil: 1",
];

/// Names of a file that would lead out of a folder.
const PATHS: [&str; 24] = [
    "../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "....//....//etc/passwd",
    "%2e%2e%2fetc%2fpasswd",
    "..%252f..%252fetc/passwd",
    "..%c0%af..%c0%afetc/passwd",
    "..;/..;/etc/passwd",
    "file:///etc/passwd",
    "\\\\host\\share",
    "/proc/self/environ",
    "/dev/stdin",
    "|id",
    "`id`",
    "$(id)",
    "a.wav;id",
    "a.wav\u{0}.txt",
    "../secret.key",
    "./huihu.db",
    "clips/../secret.key",
    "~/.ssh/id_rsa",
    "C:\\boot.ini",
    "CON",
    "../../../../../../../../../../etc/hostname",
];

/// A second reading of SIP, which shares nothing with ours: names of headers as they stand, in the head of each message.
fn headers(datagram: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(datagram);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.split(['\r', '\n']).filter(|line| !line.is_empty()).skip(1);
    lines.map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
}

/// The whole body of an answer.
fn raw(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

#[test]
fn no_field_becomes_a_header_of_sip() {
    // A trunk that takes everything down and says nothing.
    let trunk = UdpSocket::bind("127.0.0.1:0").expect("a loopback port is free");
    trunk.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out can be set");
    let address = trunk.local_addr().expect("a socket has an address");
    let installation = Installation::new(address);
    let server = installation.serve();
    let customer = installation.customer(&server);
    let mut accepted = BTreeSet::new();
    for broken in BREAKS {
        for field in [
            "displayNbr",
            "displayCalleeNbr",
            "callerNbr",
            "calleeNbr",
            "bindNbr",
            "userData",
            "statusUrl",
            "feeUrl",
            "preVoice",
            "waitVoice",
            "lastMinVoice",
            "recordHintTone",
            "calleeMedia",
            "maxDuration",
            "From",
            "Call-ID",
            "x\r\nX-Evil",
        ] {
            let value = match field {
                "statusUrl" | "feeUrl" => encoded(&format!("http://127.0.0.1:9/{broken}")),
                "displayNbr" | "displayCalleeNbr" | "callerNbr" | "calleeNbr" | "bindNbr" => {
                    format!("{NUMBER}{broken}")
                }
                _ => format!("a{broken}"),
            };
            let more = json!({field: value, "playPreVoice": "true"});
            let answer = customer.callback("+8613800000001", "+8613800000002", &more);
            if answer.code() == "0" {
                accepted.insert(field);
            }
            let told = format!("{:?}", answer.headers);
            assert!(!told.to_lowercase().contains("x-evil"), "{field}: {told}");
        }
    }
    // What takes any text, and what nobody reads: this call is neither limited nor recorded.
    let harmless =
        BTreeSet::from(["userData", "From", "Call-ID", "x\r\nX-Evil", "lastMinVoice", "recordHintTone"]);
    assert!(accepted.is_subset(&harmless), "{accepted:?}");
    assert_eq!(customer.callback("+8613800000001", "+8613800000002", &json!({})).code(), "0");
    let usual: BTreeSet<&str> = BTreeSet::from([
        "Via",
        "Max-Forwards",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "Allow",
        "Supported",
        "Session-Expires",
        "Min-SE",
        "User-Agent",
        "Content-Type",
        "Content-Length",
        "Accept",
    ]);
    let (mut buffer, mut seen, end) = ([0; 65_536], 0, Instant::now() + PATIENCE);
    while seen < 20 && Instant::now() < end {
        let Ok((length, _)) = trunk.recv_from(&mut buffer) else { continue };
        seen += 1;
        let strange: Vec<String> =
            headers(&buffer[..length]).into_iter().filter(|name| !usual.contains(&**name)).collect();
        assert_eq!(strange, Vec::<String>::new(), "{}", String::from_utf8_lossy(&buffer[..length]));
        assert!(!String::from_utf8_lossy(&buffer[..length]).to_lowercase().contains("evil"));
    }
    assert!(seen > 0, "nobody was called");
}

#[test]
fn the_name_of_a_file_is_a_key_and_never_a_path() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    let customer = installation.customer(&server);
    let unknown =
        customer.callback("+8613800000001", "+8613800000002", &json!({"waitVoice": "no-such-file.wav"}));
    for path in PATHS {
        for field in ["preVoice", "waitVoice", "recordHintTone", "lastMinVoice"] {
            let more = json!({field: path, "playPreVoice": "true", "recordFlag": "false", "maxDuration": 5});
            let answer = customer.callback("+8613800000001", "+8613800000002", &more);
            if field == "recordHintTone" {
                // Nobody records, so nobody reads it.
                continue;
            }
            assert_eq!(answer.status, unknown.status, "{field} {path:?}: {}", answer.text());
            assert!(!raw(&answer).contains("root:"), "{field} {path:?}");
        }
        let answer = customer.verify("+8613800000001", "12", &json!({"preTone": path, "posTone": path}));
        assert_ne!(answer.code(), "0", "{path:?}");
        // No program can be given a zero byte.
        if !path.contains('\0') {
            let add = ["clip", "add", "--app", "demo", path, "--file", "/etc/hostname"];
            assert!(!installation.complaint(&add, &[]).is_empty());
        }
    }
    assert_eq!(installation.records(10).len(), 0);
}

#[test]
fn a_number_is_taken_only_within_its_bounds() {
    let installation = Installation::new(nowhere());
    installation.configure("[limits]\nports = 1000\n");
    let server = installation.serve();
    let customer = installation.customer(&server);
    let minutes = |value: &Value| {
        customer
            .callback("+8613800000001", "+8613800000002", &json!({"maxDuration": value}))
            .code()
            .to_owned()
    };
    let times =
        |value: &Value| customer.verify("+8613800000001", "12", &json!({"times": value})).code().to_owned();
    for good in [json!(0), json!(1), json!(1440), json!("1440"), json!(null), json!("")] {
        assert_eq!(minutes(&good), "0", "{good}");
    }
    for bad in [
        json!(-1),
        json!(1441),
        json!(2_147_483_648_u64),
        json!(9_223_372_036_854_775_808_u64),
        json!(1440.0),
        json!(1e3),
        json!("-1"),
        json!("1e3"),
        json!("1440.0"),
        json!("0x10"),
        json!("99999999999999999999999"),
        json!([1]),
        json!({"a": 1}),
        json!(true),
        json!("1\u{0}"),
        json!("١"),
    ] {
        assert_ne!(minutes(&bad), "0", "{bad}");
    }
    for good in [json!(1), json!(9), json!("3")] {
        assert_eq!(times(&good), "0", "{good}");
    }
    for bad in
        [json!(-1), json!(65_537), json!(4_294_967_297_u64), json!(1.5), json!("9999999999"), json!([1])]
    {
        assert_ne!(times(&bad), "0", "{bad}");
    }
    wait::until("the platform to be well", PATIENCE, || {
        (!installation.log().contains("panicked")).then_some(())
    });
}
