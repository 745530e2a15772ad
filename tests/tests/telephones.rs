//! Calls to real telephones: baresip, which knows nothing of us, answers, listens, presses keys and hangs up.

use std::path::Path;
use std::time::Duration;

use huihu_tests::api::{Customer, encoded};
use huihu_tests::baresip::{Answers, Baresip, Line};
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::receiver::Receiver;
use huihu_tests::{ears, wait};
use serde_json::{Value, json};

const A: &str = "+8613800000001";
const B: &str = "+8613800000002";

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// What A says.
const LOW: f64 = 440.0;
/// What B says.
const HIGH: f64 = 1_000.0;

/// Two telephones, the platform between them, and a customer with a receiver.
struct Scene {
    telephones: Baresip,
    installation: Installation,
    _server: Server,
    customer: Customer,
    receiver: Receiver,
}

impl Scene {
    fn new(a: Answers, b: Answers) -> Self {
        let lines = [Line { number: A, answers: a, says: LOW }, Line { number: B, answers: b, says: HIGH }];
        let telephones = Baresip::start(&lines);
        let installation = Installation::new(telephones.address());
        let server = installation.serve();
        let customer = installation.customer(&server);
        Self { telephones, installation, _server: server, customer, receiver: Receiver::start() }
    }

    fn urls(&self) -> Value {
        let url = |path| encoded(&self.receiver.url(path));
        json!({
            "statusUrl": url("status"), "feeUrl": url("fee"), "partyTypeRequiredInDisconnect": "true",
        })
    }

    /// Places a callback from A to B.
    fn callback(&self) -> String {
        self.customer.callback(A, B, &self.urls()).session()
    }

    /// Sends A a verification code.
    fn verify(&self, code: &str, times: u8) -> String {
        let mut more = self.urls();
        more["times"] = times.into();
        more.as_object_mut().expect("the URLs are fields").remove("partyTypeRequiredInDisconnect");
        self.customer.verify(A, code, &more).session()
    }

    /// How a session ended: `stateCode` of its last status event, who hung up, and `ulFailReason` of its fee record.
    fn ending(&self, session: &str) -> (i64, String, i64) {
        let code = self.receiver.state_code(session);
        let pushes = self.receiver.of(session);
        let last =
            pushes.iter().find(|push| push.event() == "disconnect").expect("it was there a moment ago");
        let party = last.body["statusInfo"]["partyType"].as_str().unwrap_or_default().to_owned();
        let reason = self.receiver.fee(session)["ulFailReason"].as_i64().expect("a reason is a number");
        (code, party, reason)
    }

    /// Waits until so many telephones of a session have rung, as the customer is told.
    fn rang(&self, session: &str, telephones: usize) {
        wait::until("the ringing", PATIENCE, || {
            let pushes = self.receiver.of(session);
            let rang = pushes.iter().filter(|push| push.event() == "alerting").count();
            (rang == telephones).then_some(())
        });
    }

    fn ladder(&self, session: &str) -> String {
        let drawn = self.installation.run(&["record", "show", session, "--ladder"]);
        String::from_utf8(drawn.stdout).expect("a ladder is text")
    }
}

/// A clip as it is shipped.
fn shipped(name: &str) -> Vec<i16> {
    let clips = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/speech/clips/zh");
    ears::read(&clips.join(format!("{name}.wav")))
}

#[test]
fn a_code_is_said_after_its_announcement_digit_by_digit() {
    let scene = Scene::new(Answers::AtOnce, Answers::AtOnce);
    let session = scene.verify("4829", 1);
    let events = scene.receiver.events(&session);
    assert_eq!(events, ["callout", "alerting", "answer", "disconnect"]);
    assert_eq!(scene.ending(&session), (0, String::new(), 0));
    scene.telephones.is_released(A);
    let heard = &scene.telephones.heard()[0];
    let mut from = 0;
    for clip in ["welcome", "digit-4", "digit-8", "digit-2", "digit-9"] {
        let sound = shipped(clip);
        let (at, alike) = ears::find(&sound, heard, from).expect("there is more to hear");
        assert!(alike > 0.9, "{clip} at {at} is alike by {alike}");
        from = at + sound.len();
    }
    assert!(heard.len() < from + ears::RATE, "the call ends when the code is said");
}

#[test]
fn the_parties_hear_each_other_and_each_others_keys() {
    let mut scene = Scene::new(Answers::AtOnce, Answers::ByHand);
    let session = scene.callback();
    scene.telephones.rings(B);
    scene.telephones.pick_up(B);
    scene.telephones.talks(B);
    scene.telephones.press(B, "42#");
    scene.telephones.press(A, "7");
    wait::until("the keys", PATIENCE, || {
        (scene.telephones.keys(A) == "42#" && scene.telephones.keys(B) == "7").then_some(())
    });
    scene.telephones.hang_up(B);
    scene.telephones.is_released(A);
    assert_eq!(
        scene.receiver.events(&session),
        ["callout", "alerting", "answer", "callout", "alerting", "answer", "disconnect"]
    );
    assert_eq!(scene.ending(&session), (0, "called".to_owned(), 0));
    let ladder = scene.ladder(&session);
    let pressed = |who: &str| ladder.matches(&format!("{who} pressed a key")).count();
    assert_eq!((pressed("A"), pressed("B")), (1, 3), "{ladder}");
    assert_eq!((scene.telephones.keys(A).as_str(), scene.telephones.keys(B).as_str()), ("42#", "7"));
    let heard = scene.telephones.heard();
    let last_second = |heard: &Vec<i16>| heard[heard.len() - ears::RATE / 2..].to_vec();
    let [a, b] = [last_second(&heard[0]), last_second(&heard[1])];
    assert!(ears::tone(HIGH, &a) > 0.9 && ears::tone(LOW, &a) < 0.01, "A hears B");
    assert!(ears::tone(LOW, &b) > 0.9 && ears::tone(HIGH, &b) < 0.01, "B hears A");
}

#[test]
fn a_caller_who_hangs_up_ends_the_call_for_both() {
    let mut scene = Scene::new(Answers::AtOnce, Answers::ByHand);
    let session = scene.callback();
    scene.telephones.rings(B);
    scene.telephones.pick_up(B);
    scene.telephones.talks(B);
    scene.telephones.hang_up(A);
    scene.telephones.is_released(B);
    assert_eq!(scene.receiver.events(&session).len(), 7);
    assert_eq!(scene.ending(&session), (0, "calling".to_owned(), 0));
}

#[test]
fn a_caller_who_does_not_wait_for_the_answer_ends_the_ringing_too() {
    let mut scene = Scene::new(Answers::AtOnce, Answers::ByHand);
    let session = scene.callback();
    scene.rang(&session, 2);
    scene.telephones.hang_up(A);
    scene.telephones.is_released(B);
    assert_eq!(
        scene.receiver.events(&session),
        ["callout", "alerting", "answer", "callout", "alerting", "disconnect"]
    );
    assert_eq!(scene.ending(&session), (8009, "calling".to_owned(), 552));
}

#[test]
fn a_ringing_call_can_be_stopped() {
    let scene = Scene::new(Answers::ByHand, Answers::ByHand);
    let session = scene.callback();
    scene.rang(&session, 1);
    assert_eq!(scene.customer.stop(&session).code(), "0");
    scene.telephones.is_released(A);
    assert_eq!(scene.receiver.events(&session), ["callout", "alerting", "disconnect"]);
    assert_eq!(scene.ending(&session), (8017, "platform".to_owned(), 8017));
    assert_eq!(scene.customer.stop(&session).code(), "1020152", "what is over cannot be stopped");
}

#[test]
fn a_conversation_can_be_stopped() {
    let mut scene = Scene::new(Answers::AtOnce, Answers::ByHand);
    let session = scene.callback();
    scene.telephones.rings(B);
    scene.telephones.pick_up(B);
    scene.telephones.talks(B);
    wait::until("the conversation", PATIENCE, || {
        scene.ladder(&session).contains("hear each other").then_some(())
    });
    assert_eq!(scene.customer.stop(&session).code(), "0");
    scene.telephones.is_released(A);
    scene.telephones.is_released(B);
    assert_eq!(scene.ending(&session), (8017, "platform".to_owned(), 0));
}

#[test]
fn a_refusal_is_told_by_who_refused() {
    let mut scene = Scene::new(Answers::ByHand, Answers::ByHand);
    let session = scene.callback();
    scene.rang(&session, 1);
    // A telephone that is hung up while it rings says 486.
    scene.telephones.hang_up(A);
    assert_eq!(scene.receiver.events(&session), ["callout", "alerting", "disconnect"]);
    assert_eq!(scene.ending(&session).0, 8001);
    let fee = scene.receiver.fee(&session);
    assert_eq!(fee["sipStatusCode"], 486, "{fee}");
    let session = scene.callback();
    scene.rang(&session, 1);
    scene.telephones.pick_up(A);
    scene.rang(&session, 2);
    scene.telephones.hang_up(B);
    assert_eq!(scene.receiver.events(&session).len(), 6);
    assert_eq!(scene.ending(&session), (8102, "called".to_owned(), 518));
}

#[test]
fn a_number_that_nobody_has_is_told_as_such() {
    let scene = Scene::new(Answers::AtOnce, Answers::AtOnce);
    let session = scene.customer.callback(A, "+8613800000003", &scene.urls()).session();
    assert_eq!(scene.receiver.events(&session), ["callout", "alerting", "answer", "callout", "disconnect"]);
    assert_eq!(scene.ending(&session), (8100, "called".to_owned(), 518));
}

#[test]
fn early_media_is_ringing_and_not_an_answer() {
    let mut scene = Scene::new(Answers::AtOnce, Answers::Early);
    let session = scene.callback();
    wait::until("early media", PATIENCE, || {
        scene.ladder(&session).contains("A hears what B's network sends").then_some(())
    });
    assert_eq!(scene.receiver.of(&session).len(), 5, "nobody has answered yet");
    scene.telephones.pick_up(B);
    scene.telephones.talks(B);
    scene.telephones.hang_up(A);
    assert_eq!(
        scene.receiver.events(&session),
        ["callout", "alerting", "answer", "callout", "alerting", "answer", "disconnect"]
    );
}
