//! What is found of people and secrets in everything that we leave behind.

use std::fs;
use std::path::{Path, PathBuf};

use huihu_tests::api::{CALLBACK, Customer, encoded};
use huihu_tests::huihu::Installation;
use huihu_tests::ksyun;
use huihu_tests::operator::Operator;
use huihu_tests::receiver::Receiver;
use huihu_tests::wait;
use serde_json::json;

use crate::world::{PATIENCE, at, carrier, two};

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let items = fs::read_dir(folder).expect("a folder can be read");
    let paths = items.map(|item| item.expect("a folder can be read").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The files that have one of these in them, whatever else they hold.
fn that_hold(files: &[PathBuf], canaries: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        // A file may go away while we look.
        let Ok(bytes) = fs::read(file) else { continue };
        for (what, canary) in canaries {
            if bytes.windows(canary.len()).any(|part| part == canary.as_bytes()) {
                found.push(format!("{what} is in {}", file.display()));
            }
        }
    }
    found
}

#[test]
fn secrets_and_codes_are_in_no_file_and_numbers_in_no_log_no_trace_and_no_answer() {
    let carrier = carrier();
    let installation = Installation::with_trunks(&format!(
        "[trunk]\npeer = \"{}\"\nusername = \"trunkuser\"\npassword = \"trunkcanary\"\n",
        carrier.address()
    ));
    installation.configure("[trace]\ncalls = \"all\"\nrtp_headers = true\n");
    let rival = two(&installation);
    let server = installation.serve_with(&[("HUIHU_LOG", "trace")]);
    let (customer, rival) = (installation.customer(&server), at(&server, rival));
    let operator = Operator::of(&installation, &server);
    let (key, secret, token) = operator.temporary_key(&operator.app_named("demo"), 600);
    let theirs =
        ksyun::Customer { address: server.http.clone(), key, secret, token: Some(token.clone()), from: None };
    let receiver = Receiver::start();

    // Numbers, codes and words in every field that takes any, right and wrong.
    let urls = json!({
        "statusUrl": encoded(&receiver.url("status")), "feeUrl": encoded(&receiver.url("fee")),
        "userData": "usercanary", "times": 1,
    });
    let mut answers = Vec::new();
    let session = customer.verify("+8613846820404", "90417263", &urls).session();
    let _fee = receiver.fee(&session);
    for (field, value) in [
        ("callerNbr", "+8613846820001x"),
        ("calleeNbr", "+8613846820001x"),
        ("displayNbr", "+8613846820001"),
        ("displayCalleeNbr", "+8613846820001"),
        ("bindNbr", "+8613846820001"),
        ("maxDuration", "13846820001"),
        ("waitVoice", "13846820001.wav"),
        ("preVoice", "13846820001"),
        ("statusUrl", "13846820001"),
        ("feeUrl", "ZnRwOi8vMTM4NDY4MjAwMDE="),
        ("userData", "{13846820001}"),
        ("calleeMedia", "13846820001"),
        ("recordHintTone", "13846820001.wav"),
        ("playPreVoice", "13846820001"),
    ] {
        let answer = customer.callback(
            "+8613846820404",
            "+8613846820405",
            &json!({field: value, "playPreVoice": "true"}),
        );
        answers.push((field, answer));
    }
    answers.push(("verifyCode", customer.verify("+8613846820404", "9041726x", &json!({}))));
    answers.push((
        "body",
        customer
            .request("POST", CALLBACK)
            .body("{\"calleeNbr\": \"+8613846820001\" 90417263")
            .send(&server.http),
    ));
    answers.push(("TplParams", theirs.notify("13846820404", "100001", "{\"x\": 13846820001 90417263")));
    answers.push(("Mobile", theirs.verify("13846820001x", "90417263")));
    answers.push(("TplId", theirs.notify("13846820404", "13846820001", "{}")));
    let guess = Customer { secret: "guess".to_owned(), ..rival.clone() };
    answers.push(("secret", guess.callback("+8613846820404", "+8613846820405", &json!({}))));
    // A file that is not there is named to who asked for it, as documented.
    answers.retain(|(field, _)| !["waitVoice", "preVoice", "recordHintTone"].contains(field));
    for (field, answer) in &answers {
        let told = String::from_utf8_lossy(&answer.bytes);
        for canary in ["1384682", "90417263", "9041726x", "trunkcanary", &rival.secret] {
            assert!(!told.contains(canary), "{field}: {told}");
        }
    }
    wait::until("the record of the call", PATIENCE, || operator.has_record(&session).then_some(()));
    server.ask_to_end();
    assert!(server.ended().success());

    // The configuration is the operator's own hand; all else was written by us.
    let all: Vec<PathBuf> =
        files(&installation.path("")).into_iter().filter(|file| !file.ends_with("huihu.toml")).collect();
    let secrets = [
        ("a code", "90417263"),
        ("an app's secret", customer.secret.as_str()),
        ("another app's secret", rival.secret.as_str()),
        ("a temporary key's secret", theirs.secret.as_str()),
        ("a temporary key's token", token.as_str()),
        ("the trunk's password", "trunkcanary"),
    ];
    assert_eq!(that_hold(&all, &secrets), Vec::<String>::new());
    let told: Vec<PathBuf> = all
        .into_iter()
        .filter(|file| file.ends_with("log") || file.extension().is_some_and(|ending| ending == "pcap"))
        .collect();
    assert!(told.len() > 1, "there is a log and a trace: {told:?}");
    let people =
        [("a number", "13846820404"), ("a number", "13846820001"), ("the customer's data", "usercanary")];
    let log = installation.log();
    let line = log.lines().find(|line| people.iter().any(|(_, canary)| line.contains(canary)));
    assert_eq!(line, None, "in the log");
    assert_eq!(that_hold(&told, &people), Vec::<String>::new());
}
