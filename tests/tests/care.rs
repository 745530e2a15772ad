//! What keeps an installation sound, with the real binary: backups, the audit of its calls, and the doctor.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use carrier::{Carrier, Settings};
use huihu_tests::api::Customer;
use huihu_tests::huihu::Installation;
use huihu_tests::operator::Operator;
use huihu_tests::receiver::Receiver;
use huihu_tests::sipp::free_port;
use huihu_tests::wait;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of a call, by the last digits that are dialled: it is answered.
const ANSWERS: &str = "0001";
/// It is busy, and the call over at once.
const BUSY: &str = "0486";
/// It rings for longer than any test.
const RINGS: &str = "0480";

/// Calls that are placed beside the backup.
const CALLS: usize = 40;

/// Calls that ring meanwhile.
const RINGING: usize = 3;

fn carrier() -> Carrier {
    let mut settings = Settings::new("127.0.0.1:0".parse().expect("this is an address"));
    settings.quiet_max = None;
    settings.times.ring = Duration::from_millis(50);
    settings.times.give_up = Duration::from_secs(3_600);
    Carrier::start(settings).expect("a carrier can be started")
}

/// Places a verification call, which ends by itself, or one that rings for ever.
fn place(customer: &Customer, number: usize, fate: &str) -> String {
    let callee = format!("+86138{number:04}{fate}");
    customer.verify(&callee, "4829", &json!({"times": 1})).session()
}

fn audit(installation: &Installation, dir: &Path) -> Value {
    let words = ["record", "audit", "--json", "--data-dir", &dir.to_string_lossy()];
    let said = installation.run(&words);
    serde_json::from_slice(&said.stdout).expect("an audit is JSON")
}

/// A column of the audit, over all days.
fn sum(audit: &Value, column: &str) -> u64 {
    let days = audit["days"].as_array().expect("there are days");
    days.iter().map(|day| day[column].as_u64().expect("a number")).sum()
}

fn words<'a>(words: &'a [&'a str], paths: &'a [&'a str]) -> Vec<&'a str> {
    [words, paths].concat()
}

#[test]
fn a_backup_made_under_calls_starts_again_and_adds_up() {
    let carrier = carrier();
    let installation = Installation::new(carrier.address());
    let server = installation.serve();
    let customer = installation.customer(&server);
    let data = installation.path("data");
    let [file, to] = ["backup.tar.gz", "restored"].map(|name| installation.path(name));
    let [file, to] = [&file, &to].map(|path| path.to_str().expect("a path in letters"));

    let mut before: Vec<String> = (0..RINGING).map(|number| place(&customer, number, RINGS)).collect();
    before.extend((0..5).map(|number| place(&customer, number, ANSWERS)));
    let others = Mutex::new(5..CALLS);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let next = || others.lock().expect("no client panics").next();
                while let Some(number) = next() {
                    place(&customer, number, ANSWERS);
                }
            });
        }
        installation.run(&words(&["backup"], &[file, "--with-key"]));
        let beside = audit(&installation, &data);
        assert_eq!(beside["adds_up"], true, "{beside}");
    });
    let again = installation.complaint(&["backup", file], &[]);
    assert!(again.contains("exists already"), "{again}");
    let verified = installation.run(&words(&["restore", file], &["--verify"]));
    let verified = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(
        verified.contains("calls add up") && verified.contains("were under way on test.huihu"),
        "{verified}"
    );
    installation.run(&words(&["restore", file], &["--to", to]));
    let full = installation.complaint(&["restore", file, "--to", to], &[]);
    assert!(full.contains("is not empty"), "{full}");
    server.kill();

    let copied = audit(&installation, Path::new(to));
    assert!(sum(&copied, "under_way") >= RINGING as u64, "{copied}");
    let restored = installation.serve_with(&[("HUIHU_DATA_DIR", to)]);
    let audited = audit(&installation, Path::new(to));
    assert_eq!((&audited["adds_up"], sum(&audited, "under_way")), (&json!(true), 0), "{audited}");
    assert_eq!(sum(&audited, "records"), sum(&copied, "accepted"), "nothing was added and nothing lost");
    let latest = ["record", "list", "--json", "--latest", "1000", "--data-dir", to];
    let known = String::from_utf8(installation.run(&latest).stdout).expect("records are text");
    let missing: Vec<_> = before.iter().filter(|session| !known.contains(session.as_str())).collect();
    assert!(missing.is_empty(), "accepted before the backup began, and not in it: {missing:?}");

    // Its key opens the secrets: the customer is still who it was, and its calls are dialled.
    let session = place(&installation.customer(&restored), 99, BUSY);
    wait::until("a call to be over", PATIENCE, || {
        let known = installation.run(&latest).stdout;
        String::from_utf8_lossy(&known).contains(&session).then_some(())
    });
}

#[test]
fn without_its_key_a_restored_directory_says_what_is_missing() {
    let installation = Installation::new("127.0.0.1:9".parse().expect("this is an address"));
    let [file, to] = ["backup.tar.gz", "restored"].map(|name| installation.path(name));
    let [file, place] = [&file, &to].map(|path| path.to_str().expect("a path in letters"));
    let said = installation.run(&["backup", file]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("The key is not inside"));
    let said = installation.run(&["restore", file, "--to", place]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("secret.key"));
    let missing = installation.complaint(&["serve", "--data-dir", place], &[]);
    assert!(missing.contains("secret.key is missing"), "{missing}");
    fs::copy(installation.path("data").join("secret.key"), to.join("secret.key"))
        .expect("a file can be copied");
    installation.run(&["app", "list", "--data-dir", place]);

    let mut bytes = fs::read(file).expect("there is a backup");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(file, bytes).expect("a file can be written");
    let broken = installation.complaint(&["restore", file, "--verify"], &[]);
    assert!(broken.contains("is no sound backup"), "{broken}");
}

#[test]
fn a_call_that_lost_its_record_is_named_by_the_audit() {
    let carrier = carrier();
    let installation = Installation::new(carrier.address());
    let server = installation.serve();
    let session = place(&installation.customer(&server), 1, BUSY);
    wait::until("the call to be over", PATIENCE, || {
        installation.records(1).first().filter(|record| record["session"] == session.as_str()).map(drop)
    });
    server.kill();
    installation.run(&["record", "audit"]);
    let gone = installation.open_database().execute("DELETE FROM record", []);
    assert_eq!(gone.expect("the database can be broken"), 1);
    let complaint = installation.complaint(&["record", "audit"], &[]);
    assert!(complaint.contains("1 calls do not add up"), "{complaint}");
    let told = installation.try_out(&["record", "audit", "--json"]);
    assert_eq!(told.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&told.stdout).expect("an audit is JSON");
    assert_eq!(told["flawed"][0]["flaws"], json!(["no_record"]), "{told}");
}

#[test]
fn recordings_come_along_when_they_are_asked_for() {
    let carrier = carrier();
    let installation = Installation::new(carrier.address());
    let server = installation.serve();
    for number in [1, 2] {
        place(&installation.customer(&server), number, BUSY);
    }
    wait::until("the calls to be over", PATIENCE, || (installation.records(9).len() == 2).then_some(()));
    server.kill();
    // Two calls are said to be recorded, and one of the files is there.
    let database = installation.open_database();
    database.execute("UPDATE record SET recording = 1", []).expect("a record can be changed");
    let call: String =
        database.query_row("SELECT lower(hex(min(call))) FROM record", [], |row| row.get(0)).expect("a call");
    drop(database);
    let place = format!("recordings/{}/{call}.wav", &call[12..14]);
    let recording = installation.path("data").join(&place);
    fs::create_dir_all(recording.parent().expect("it is in a folder")).expect("a folder can be made");
    fs::write(&recording, "voices").expect("a file can be written");

    let [file, to] = ["backup.tar.gz", "restored"].map(|name| installation.path(name));
    let [file, dir] = [&file, &to].map(|path| path.to_str().expect("a path in letters"));
    let said = installation.run(&["backup", file, "--recordings"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("1 recordings, no key") && said.contains("1 recordings are known, and"), "{said}");
    installation.run(&["restore", file, "--to", dir]);
    assert_eq!(fs::read(to.join(place)).expect("it came back"), b"voices");
}

/// What the doctor says of a check: its grades and sentences.
fn of(diagnosed: &Value, check: &str) -> Vec<(String, String)> {
    let text = |one: &Value, field: &str| one[field].as_str().expect("a text").to_owned();
    let all = diagnosed["diagnoses"].as_array().expect("a list").iter();
    all.filter(|one| one["check"] == check).map(|one| (text(one, "grade"), text(one, "says"))).collect()
}

/// The doctor's JSON. Its exit status says whether it found a fault.
fn diagnosed(installation: &Installation) -> Value {
    let said = installation.try_out(&["doctor", "--json"]);
    let diagnosed: Value = serde_json::from_slice(&said.stdout)
        .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&said.stderr)));
    let faults = diagnosed["faults"].as_u64().expect("a number");
    assert_eq!(said.status.code(), Some(i32::from(faults > 0)), "{diagnosed}");
    diagnosed
}

fn has(found: &[(String, String)], grade: &str, words: &str) {
    let fits = |(said, says): &(String, String)| said == grade && says.contains(words);
    assert!(found.iter().any(fits), "no {grade} with {words:?} in {found:#?}");
}

#[test]
fn the_doctor_looks_at_an_installation_with_and_without_its_server() {
    let (carrier, receiver) = (carrier(), Receiver::start());
    let installation = Installation::new(carrier.address());
    let file = installation.path("huihu.toml");
    let config = fs::read_to_string(&file).expect("the configuration is there");
    let sip = free_port();
    let config = config.replace("listen = \"127.0.0.1:0\"", &format!("listen = \"{sip}\""));
    fs::write(&file, &config).expect("the folder can be written");

    let server = installation.serve();
    let operator = Operator::of(&installation, &server);
    let urls = json!({"status_url": receiver.url("status"), "fee_url": "http://192.168.7.7:1/fee"});
    operator.change_app(&operator.app_named("demo"), &urls);
    let beside = diagnosed(&installation);
    has(&of(&beside, "platform"), "ok", "serves and answers");
    has(&of(&beside, "ports"), "ok", &format!("SIP {sip}/udp is the platform's"));
    has(&of(&beside, "trunks"), "ok", "answers 200");
    has(&of(&beside, "nat"), "ok", "the trunk trunk is told 127.0.0.1");
    has(&of(&beside, "database"), "ok", "it is whole");
    has(&of(&beside, "receivers"), "ok", "is reached in");
    has(&of(&beside, "receivers"), "fault", "no push may go to http://192.168.7.7:1");
    for check in ["clock", "disk", "limits", "speech"] {
        assert!(!of(&beside, check).is_empty(), "nothing of {check}: {beside}");
    }
    assert!(receiver.all().is_empty(), "a receiver is told nothing");
    server.kill();

    drop(carrier);
    let somebody = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let http = somebody.local_addr().expect("a bound socket has an address");
    let config = config.replace("http = \"127.0.0.1:0\"", &format!("http = \"{http}\""));
    fs::write(&file, config).expect("the folder can be written");
    let alone = diagnosed(&installation);
    has(&of(&alone, "platform"), "ok", "nobody serves");
    has(&of(&alone, "ports"), "fault", &format!("HTTP {http}/tcp is taken by pid {} (", std::process::id()));
    has(&of(&alone, "ports"), "ok", &format!("SIP {sip}/udp is free"));
    has(&of(&alone, "trunks"), "fault", "nobody listens there");
    let lines = installation.try_out(&["doctor"]);
    let lines = String::from_utf8_lossy(&lines.stdout).into_owned();
    assert!(lines.contains("fault    ports") && lines.contains("→ stop it, or set --http"), "{lines}");
}
