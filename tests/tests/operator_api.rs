//! The operator API of a real server, asked whatever its document allows and what it does not.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

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
