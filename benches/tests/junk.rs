//! A short flood of junk against the program that was built beside this one.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn junk_ends_no_call_and_gets_no_answer() {
    let bench = Path::new(env!("CARGO_BIN_EXE_huihu-bench"));
    let huihu = bench.with_file_name("huihu");
    assert!(huihu.is_file(), "build it first: cargo build --workspace");
    let folder = tempfile::tempdir().unwrap();
    let figures = folder.path().join("figures.json");
    let output = Command::new(bench)
        .args(["junk", "--rate", "1000", "--seconds", "3", "--rest-seconds", "0", "--calls", "4"])
        .arg("--json")
        .arg(&figures)
        .arg("--dir")
        .arg(folder.path())
        .arg("--huihu")
        .arg(&huihu)
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let text = std::fs::read_to_string(&figures).unwrap_or_else(|_| panic!("{said}"));
    // What is lost and late says more about the machine that tests run on; the calls and the strangers say it about us.
    let junk = &serde_json::from_str::<Value>(&text).unwrap()["junk"];
    assert_eq!((&junk["calls_lost"], &junk["answers_to_strangers"]), (&0.into(), &0.into()), "{said}");
    assert!(
        junk["datagrams"].as_u64().unwrap() > 1_000 && junk["quiet"]["sent"].as_u64().unwrap() > 0,
        "{said}"
    );
}
