//! The operator API of a real server, asked whatever its document allows and what it does not.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use huihu_tests::api::NUMBER;
use huihu_tests::huihu::Installation;

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
