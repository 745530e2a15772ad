//! Notices to a real telephone: what is spoken, what is pressed, what is heard again, and what the customer is told.

use std::time::{Duration, Instant};

use huihu_tests::api::{Customer, encoded};
use huihu_tests::baresip::{Answers, Baresip, Line};
use huihu_tests::ears::{self, spoken};
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::operator::Operator;
use huihu_tests::receiver::Receiver;
use huihu_tests::wait;
use serde_json::{Value, json};

const A: &str = "+8613800000001";

/// How alike what is heard twice must be: the road is digital, only its first packet may be late.
const ALIKE: f64 = 0.9;

/// A telephone, the platform, and a customer with a receiver and templates.
struct Scene {
    telephone: Baresip,
    _installation: Installation,
    server: Server,
    customer: Customer,
    operator: Operator,
    receiver: Receiver,
}

impl Scene {
    fn new() -> Self {
        let telephone = Baresip::start(&[Line { number: A, answers: Answers::AtOnce, says: 440.0 }]);
        let installation = Installation::new(telephone.address());
        let server = installation.serve();
        let customer = installation.customer(&server);
        let operator = Operator::of(&installation, &server);
        operator.open_all(&operator.app_named("demo"));
        Self {
            telephone,
            _installation: installation,
            server,
            customer,
            operator,
            receiver: Receiver::start(),
        }
    }

    fn template(&self, text: &str) -> String {
        self.operator.template(&self.operator.app_named("demo"), text, true)
    }

    fn notify(&self, items: &Value) -> String {
        let url = |path| encoded(&self.receiver.url(path));
        let more = json!({"statusUrl": url("status"), "feeUrl": url("fee"), "userData": "order 66"});
        self.customer.notify(A, items, &more).session()
    }

    /// The keys of each `collectInfo` of a session, which has nothing else in it.
    fn collected(&self, session: &str) -> Vec<String> {
        let pushes = self.receiver.of(session);
        let told = pushes.iter().filter(|push| push.event() == "collectInfo").map(|push| {
            let info = push.body["statusInfo"].as_object().expect("a status is an object");
            let fields: Vec<&str> = info.keys().map(String::as_str).collect();
            assert_eq!(fields, ["digitInfo", "sessionId", "timestamp", "userData"]);
            info["digitInfo"].as_str().expect("keys are a text").to_owned()
        });
        told.collect()
    }
}

#[test]
fn a_text_is_spoken_again_to_whoever_presses_the_key_for_it_and_other_keys_are_told() {
    let mut scene = Scene::new();
    let template = scene.template("您好${TXT_9}，您的取件码是${NUM_6}。重听请按一，确认请按二。");
    let session = scene.notify(&json!([{
        "templateId": template, "templateParas": ["张三", "204816"],
        "collectInd": 1, "replayAfterCollection": "true", "collectContentTriggerReplaying": "1",
    }]));
    let once = scene.telephone.hears_out(0);
    scene.telephone.press(A, "1");
    let _twice = scene.telephone.hears_out(once);
    scene.telephone.press(A, "2");
    scene.telephone.is_released(A);

    let events = scene.receiver.events(&session);
    assert_eq!(events, ["callout", "alerting", "answer", "collectInfo", "collectInfo", "disconnect"]);
    assert_eq!(scene.collected(&session), ["1", "2"]);
    assert_eq!(scene.receiver.state_code(&session), 0);
    let fee = scene.receiver.fee(&session);
    assert_eq!(
        (&fee["ttsPlayTimes"], &fee["serviceType"], &fee["ulFailReason"]),
        (&json!(2), &json!("001"), &json!(0))
    );

    let heard = &scene.telephone.heard()[0];
    let words = spoken(&heard[..once]);
    let secs = words.len() / ears::RATE;
    assert!((3..30).contains(&secs), "two sentences take some seconds, and not {secs}");
    let (at, alike) = ears::find(words, heard, once).expect("there is more to hear");
    assert!(alike > ALIKE, "the same is heard again at {at}, alike by {alike:.2}");
    drop(scene.server);
}

#[test]
fn other_words_sound_otherwise() {
    let scene = Scene::new();
    let template = scene.template("您的验证码是${NUM_6}");
    let mut said = Vec::new();
    for code in ["111111", "870870", "111111"] {
        let session = scene.notify(&json!([{"templateId": template, "templateParas": [code]}]));
        assert_eq!(scene.receiver.events(&session), ["callout", "alerting", "answer", "disconnect"]);
        assert_eq!(scene.receiver.state_code(&session), 0, "it ends when all is said");
        wait::until("another second", Duration::from_secs(2), || {
            scene.telephone.is_another_second().then_some(())
        });
    }
    for heard in scene.telephone.heard() {
        said.push(spoken(&heard).to_vec());
    }
    let alike = |one: &[i16], other: &[i16]| {
        let length = one.len().min(other.len()) - ears::RATE / 10;
        ears::find(&one[..length], other, 0).map_or(0.0, |(_, alike)| alike)
    };
    assert!(alike(&said[0], &said[2]) > ALIKE, "the same words: {:.2}", alike(&said[0], &said[2]));
    assert!(alike(&said[0], &said[1]) < 0.7, "other words: {:.2}", alike(&said[0], &said[1]));
}

#[test]
fn each_item_has_keys_of_its_own_and_the_first_ends_what_is_played() {
    let mut scene = Scene::new();
    let session = scene.notify(&json!([
        {"notifyVoice": "welcome.wav", "collectInd": 4},
        {"notifyVoice": "welcome.wav", "collectInd": 1},
        {"notifyVoice": "welcome.wav"},
    ]));
    scene.telephone.talks(A);
    scene.telephone.press(A, "48*#");
    wait::until("the first keys", Duration::from_secs(15), || {
        (scene.collected(&session).len() == 1).then_some(())
    });
    scene.telephone.press(A, "7");
    let events = scene.receiver.events(&session);
    assert_eq!(events, ["callout", "alerting", "answer", "collectInfo", "collectInfo", "disconnect"]);
    assert_eq!(scene.collected(&session), ["48*#", "7"]);
    assert_eq!(scene.receiver.state_code(&session), 0);
}

#[test]
fn nobody_who_presses_nothing_is_waited_for() {
    let scene = Scene::new();
    let session = scene.notify(&json!([{"notifyVoice": "welcome.wav", "collectInd": 1}]));
    let _played = scene.telephone.hears_out(0);
    let since = Instant::now();
    scene.telephone.is_released(A);
    // It was silent for a second and a quarter before.
    let secs = since.elapsed().as_secs_f64() + 1.25;
    assert!((4.5..7.0).contains(&secs), "five seconds, and not {secs:.1}");
    assert_eq!(scene.receiver.events(&session), ["callout", "alerting", "answer", "disconnect"]);
    assert_eq!(scene.receiver.state_code(&session), 8008);
    assert_eq!(scene.receiver.fee(&session)["ulFailReason"], 100);
}
