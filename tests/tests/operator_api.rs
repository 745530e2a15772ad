//! The operator API of a real server, asked whatever its document allows and what it does not.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use carrier::{Carrier, Settings};
use huihu_tests::api::NUMBER;
use huihu_tests::huihu::Installation;
use huihu_tests::ksyun::{self, call_id};
use huihu_tests::receiver::{Receiver, Reply};
use huihu_tests::wait;
use serde_json::Value;

/// A trunk that nobody answers from.
fn nowhere() -> SocketAddr {
    "127.0.0.1:9".parse().expect("this is an address")
}

#[test]
fn whatever_is_asked_is_answered_as_the_document_says() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/api/check.sh");
    let checked = Command::new(script)
        .arg(format!("http://{}", server.http))
        .arg(installation.path("data").join("operator.key"))
        .args(["--max-examples", "10", "--seed", "1"])
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&checked.stdout);
    let complaint = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}\n{complaint}");
    assert!(!installation.log().contains("panicked"), "{}", installation.log());
}

#[test]
fn an_order_is_explained_and_nobody_is_dialled() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    let customer = installation.customer(&server);
    let url = format!("http://{}", server.http);
    let parties = ["--caller", "+8613800000001", "--callee", "+8613800000002", "--display", NUMBER];
    let explain = || {
        let output = installation.run(&[&["explain", "--app", "demo", "callback"], &parties[..]].concat());
        String::from_utf8(output.stdout).expect("an explanation is text")
    };
    let said = explain();
    assert!(said.contains("The call would be placed.") && !said.contains("FAIL"), "{said}");
    installation.run(&["limit", "set", "callee", "day", "3"]);
    installation.run(&["list", "add", "callee_block", "+8613800000002"]);
    // What was changed holds from the next request on.
    let said = explain();
    assert!(said.contains("3 of 3 calls a day by callee left (platform)"), "{said}");
    assert!(said.contains("The call would be refused: the callee is blocked."), "{said}");
    let asked = ["--url", &url, "--key", &customer.key, "--secret", &customer.secret, "--explain"];
    let output = installation.run(&[&["call", "callback"], &parties[..], &asked[..]].concat());
    let said = String::from_utf8(output.stdout).expect("an explanation is text");
    assert!(said.contains("The customer would be answered 403") && said.contains("1013004"), "{said}");
    assert_eq!(installation.records(9).len(), 0);
    let running = installation.run(&["record", "live"]);
    assert!(running.stdout.is_empty(), "a call was placed");
}

#[test]
fn the_command_line_finds_the_server_and_does_without_it() {
    let installation = Installation::new(nowhere());
    let said = installation.complaint(&["trunk", "list"], &[]);
    assert!(said.contains("only a running platform"), "{said}");
    let server = installation.serve();
    let trunks = installation.run(&["trunk", "list"]);
    assert!(String::from_utf8_lossy(&trunks.stdout).contains("127.0.0.1:9"));
    installation.run(&["app", "pause", "demo"]);
    server.kill();
    // The address that the killed server left behind is nobody's now.
    let listed = installation.run(&["audit", "list", "--latest", "1"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("operator from 127.0.0.1"));
    installation.run(&["app", "resume", "demo"]);
    let listed = installation.run(&["audit", "list", "--latest", "1"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("operator on this machine"));
}

#[test]
fn a_customer_of_the_other_vendor_is_served_by_the_command_line_alone() {
    let mut telephones = Settings::new("127.0.0.1:0".parse().expect("this is an address"));
    telephones.times = telephones.times.scaled(0.1);
    let carrier = Carrier::start(telephones).expect("a carrier can be started");
    let installation = Installation::new(carrier.address());
    let receiver = Receiver::start();
    receiver.answer("report", |_| Reply::code(0));
    let run =
        |words: &[&str]| String::from_utf8(installation.run(words).stdout).expect("what is printed is text");
    let json = |words: &[&str]| -> Value {
        serde_json::from_str(&run(&[words, &["--json"]].concat())).expect("it is printed as JSON")
    };
    // The notice is made before a server runs, and everything else by one that does.
    let text = "尊敬的{name},订单{no}已发货";
    let notice = json(&["template", "create", "--kind", "named", "--name", "sent", text, "--approve"]);
    let server = installation.serve();
    run(&["app", "set", "demo", "--report-url", &receiver.url("report"), "--report-codes", "detailed"]);
    run(&["app", "set", "demo", "--products", "notice,menu", "--lengths", "strict", "--menus-are", "3"]);
    std::fs::write(installation.path("menu.json"), MENU).expect("the folder can be written");
    let menu = installation.path("menu.json");
    let menu = menu.to_string_lossy();
    let menu =
        json(&["template", "create", "--kind", "menu", "--name", "menu", "--file", &menu, "--approve"]);
    run(&["list", "add", "word", "违禁词语"]);
    let forbidden = ["template", "create", "--kind", "named", "--name", "no", "这是违禁词语", "--approve"];
    let complaint = installation.complaint(&forbidden, &[]);
    assert!(complaint.contains("one of the words on the platform's list"), "{complaint}");
    run(&["limit", "set", "app", "ever", "2", "--app", "demo"]);
    let key = json(&["key", "create", "--app", "demo", "--temporary-secs", "600"]);

    let text = |from: &Value, name: &str| from[name].as_str().expect("it is text").to_owned();
    let customer = ksyun::Customer {
        address: server.http.clone(),
        key: text(&key, "appKey"),
        secret: text(&key, "appSecret"),
        token: Some(text(&key, "token")),
        from: None,
    };
    let (notice, menu) = (text(&notice, "id"), text(&menu, "id"));
    let code =
        |answer: &huihu_tests::http::Answer| answer.body["Error"]["Code"].as_str().unwrap_or("").to_owned();
    assert_eq!(code(&customer.verify("13800000486", "123456")), "AccountVoiceServiceUnavailable");
    let long = format!(r#"{{"name":"{}","no":"1"}}"#, "长".repeat(51));
    assert_eq!(code(&customer.notify("13800000486", &notice, &long)), "InvalidTplLen");
    let sent = call_id(&customer.notify("13800000486", &notice, r#"{"name":"张三","no":"1"}"#));
    let walked = call_id(&customer.ivr("13800001129", &menu, r#"{"name":"张三"}"#));
    assert_eq!(code(&customer.ivr("13800001129", &menu, r#"{"name":"张三"}"#)), "TrialTimesLimit");

    assert_eq!(receiver.report(&sent)["ErrCode"], "DH:0001");
    let report = receiver.report(&walked);
    assert_eq!((&report["PressKey"], &report["VoiceType"]), (&"12".into(), &3.into()));
    let record = json(&["record", "show", &walked]);
    assert_eq!(record["pressed"], "12", "{record}");
    assert!(run(&["record", "show", &walked, "--ladder"]).contains("A chose where to go"));
    wait::until("the push to be noted", Duration::from_secs(10), || {
        let listed = run(&["push", "list", "--channel", "report", "--call", &walked, "--json"]);
        let push: Value = serde_json::from_str(listed.lines().next()?).expect("a push is JSON");
        (push["state"] == "delivered").then_some(())
    });
    wait::until("the host to be known", Duration::from_secs(10), || {
        let listed = run(&["push", "hosts"]);
        (listed.starts_with("127.0.0.1 ") && listed.contains("  working  ")).then_some(())
    });
}

/// A menu of two levels.
const MENU: &str = r#"{
    "nodes": {
        "root": {"prompt": "您好{name}", "keys": {"1": "next"}},
        "next": {"prompt": "二", "keys": {"2": "end"}}
    },
    "bye": "再见"
}"#;
