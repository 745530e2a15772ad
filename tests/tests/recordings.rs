//! Recordings of real telephones: who is on which side, who may fetch one, and for how long.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use huihu_tests::api::{Customer, NUMBER, RECORD, encoded};
use huihu_tests::baresip::{Answers, Baresip, Line};
use huihu_tests::http::{Answer, Request};
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::operator::Operator;
use huihu_tests::receiver::Receiver;
use huihu_tests::{ears, wait};
use serde_json::{Value, json};

const A: &str = "+8613800000001";
const B: &str = "+8613800000002";

/// What A says.
const LOW: f64 = 440.0;
/// What B says.
const HIGH: f64 = 1_000.0;

const PATIENCE: Duration = Duration::from_secs(15);

/// Two telephones, and a platform that gives addresses out for two seconds.
struct Scene {
    telephones: Baresip,
    installation: Installation,
    _server: Server,
    operator: Operator,
    customer: Customer,
    receiver: Receiver,
}

impl Scene {
    fn new() -> Self {
        let lines = [
            Line { number: A, answers: Answers::AtOnce, says: LOW },
            Line { number: B, answers: Answers::ByHand, says: HIGH },
        ];
        let telephones = Baresip::start(&lines);
        let installation = Installation::new(telephones.address());
        installation.configure("[recordings]\naddress_secs = 2\n");
        let server = installation.serve();
        let customer = installation.customer(&server);
        let operator = Operator::of(&installation, &server);
        operator.change_app(&operator.app_named("demo"), &json!({"recording": true}));
        Self { telephones, installation, _server: server, operator, customer, receiver: Receiver::start() }
    }

    /// A recorded callback in which both talk for so many seconds; gives its fee record.
    fn conversation(&mut self, secs: usize) -> Value {
        let url = |path| encoded(&self.receiver.url(path));
        let more = json!({"statusUrl": url("status"), "feeUrl": url("fee"), "recordFlag": "true"});
        let session = self.customer.callback(A, B, &more).session();
        self.telephones.rings(B);
        self.telephones.pick_up(B);
        self.telephones.talks(B);
        self.telephones.hears_for(secs * ears::RATE);
        self.telephones.hang_up(B);
        self.telephones.is_released(A);
        assert_eq!(self.receiver.state_code(&session), 0);
        self.receiver.fee(&session)
    }
}

fn ask(customer: &Customer, fee: &Value) -> Answer {
    let [name, domain] = ["recordObjectName", "recordDomain"]
        .map(|field| fee[field].as_str().unwrap_or_else(|| panic!("{field} is missing in {fee}")));
    customer.get(&format!("{RECORD}?fileName={name}&recordDomain={domain}"))
}

/// Asks at an address that was given out, as anybody can who has it.
fn fetch(address: &str) -> Answer {
    let rest = address.strip_prefix("http://").expect("the platform has no certificate");
    let (host, path) = rest.split_once('/').expect("an address has a path");
    Request::new("GET", &format!("/{path}")).send(host)
}

#[test]
fn a_recording_has_a_on_the_left_and_b_on_the_right_and_is_given_to_its_owner_for_a_while() {
    let mut scene = Scene::new();
    let fee = scene.conversation(5);
    assert_eq!(fee["recordFlag"], 1);
    let started = fee["recordStartTime"].as_str().expect("it started");
    assert!(fee["fwdAnswerTime"].as_str() <= Some(started), "recording began when B answered: {fee}");

    let [left, right] = ears::read_stereo(&only_recording(&scene.installation));
    let alike = |hz: f64, heard: &[i16]| {
        let said = ears::sine(hz, ears::RATE / 2);
        ears::find(&said, &heard[heard.len() - 2 * ears::RATE..], 0).expect("it is long enough").1
    };
    assert!(alike(LOW, &left) > 0.9 && alike(HIGH, &left) < 0.1, "A is on the left");
    assert!(alike(HIGH, &right) > 0.9 && alike(LOW, &right) < 0.1, "B is on the right");

    let answer = ask(&scene.customer, &fee);
    assert_eq!((answer.status, answer.bytes.len()), (301, 0), "a way and nothing else");
    let address = answer.headers["location"].clone();
    let file = fetch(&address);
    assert_eq!((file.status, file.headers["content-type"].as_str()), (200, "audio/wav"));
    let both = ears::parse(&file.bytes, 1);
    assert_eq!(u16::from_le_bytes([file.bytes[20], file.bytes[21]]), 6, "A-law");
    let end = &both[both.len() - 2 * ears::RATE..both.len() - ears::RATE];
    let (low, high) = (ears::tone(LOW, end), ears::tone(HIGH, end));
    assert!(low > 0.3 && high > 0.3, "both are heard: {low:.2} {high:.2}");

    let app = scene.operator.app("another", "another");
    let (key, secret) = scene.operator.key(&app);
    scene.operator.change_app(&app, &json!({"recording": true}));
    let stranger = Customer { key, secret, ..scene.customer.clone() };
    let refused = ask(&stranger, &fee);
    assert_eq!((refused.status, refused.code()), (403, "1010002"), "{}", refused.body);
    for other in [address.replace("signature=", "signature=0"), address.replace("expires=", "expires=9")] {
        assert_eq!(fetch(&other).status / 100, 4, "nobody can make an address up");
    }
    let over = wait::until("the end of the address", PATIENCE, || {
        Some(fetch(&address).status).filter(|status| *status != 200)
    });
    assert_eq!(over / 100, 4);
    assert_eq!(ask(&scene.customer, &fee).status, 301, "a new one is given out");
}

#[test]
fn what_is_shorter_than_three_seconds_is_not_kept() {
    let mut scene = Scene::new();
    let fee = scene.conversation(1);
    assert_eq!(fee["recordFlag"], 0, "{fee}");
    assert!(fee.get("recordObjectName").is_none() && fee.get("recordDomain").is_none(), "{fee}");
    assert_eq!(all_recordings(&scene.installation), Vec::<PathBuf>::new());
}

#[test]
fn both_are_told_that_they_are_recorded() {
    let mut scene = Scene::new();
    let hint = ears::wav(&hint());
    scene.operator.add_sound(&scene.operator.app_named("demo"), "hint.wav", hint);
    let more = json!({"recordFlag": "true", "recordHintTone": "hint.wav", "displayNbr": NUMBER});
    let session = scene.customer.callback(A, B, &more).session();
    scene.telephones.rings(B);
    scene.telephones.pick_up(B);
    scene.telephones.talks(B);
    scene.telephones.hears_for(3 * ears::RATE);
    assert_eq!(scene.customer.stop(&session).code(), "0");
    scene.telephones.is_released(A);
    scene.telephones.is_released(B);
    for heard in scene.telephones.heard() {
        let share = heard.chunks(ears::RATE / 10).map(|piece| ears::tone(HINT, piece)).fold(0.0, f64::max);
        assert!(share > 0.5, "the hint is heard: {share:.2}");
    }
}

/// What a hint sounds like, in hertz.
const HINT: f64 = 2_000.0;

fn hint() -> Vec<i16> {
    ears::sine(HINT, ears::RATE / 2)
}

fn only_recording(installation: &Installation) -> PathBuf {
    let mut all = all_recordings(installation);
    assert_eq!(all.len(), 1, "one call, one recording");
    all.remove(0)
}

/// The recordings on disk.
fn all_recordings(installation: &Installation) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&installation.path("data").join("recordings"), &mut found);
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(items) = fs::read_dir(folder) else { return };
    for path in items.map(|item| item.expect("a folder can be read").path()) {
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}
