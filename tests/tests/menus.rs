//! Menus walked by real telephones, whichever way they press their keys: two levels of prompts are heard, and the report
//! tells the path.
//!
//! What the prompts sound like is known from notices with the same words.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use huihu_tests::baresip::{Answers, Baresip, Line};
use huihu_tests::ears;
use huihu_tests::handset::Handset;
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::ksyun::{Customer, call_id};
use huihu_tests::operator::{App, Operator};
use huihu_tests::receiver::{Receiver, Reply};
use huihu_tests::sipp::Sipp;
use huihu_tests::wait;
use serde_json::{Value, json};

/// The telephone.
const MOBILE: &str = "13800000001";
/// The same as a trunk dials it.
const DIALLED: &str = "+8613800000001";

/// How alike a prompt and what was heard of it must be: the road is digital, only its first packet may be late.
const ALIKE: f64 = 0.9;

/// What is said on the way `12`, in this order. The names are the variables of the templates.
const PROMPTS: [&str; 4] = ["您好{name}，查询请按一", "订单{no}已发货，退出请按二", "谢谢使用", "再见"];

/// What stands in the prompts.
const VALUES: &str = r#"{"name":"张三","no":"8"}"#;

/// The platform, its customer, and where reports go.
struct Scene {
    _installation: Installation,
    _server: Server,
    operator: Operator,
    app: App,
    customer: Customer,
    receiver: Receiver,
}

impl Scene {
    fn new(trunk: std::net::SocketAddr) -> Self {
        let installation = Installation::new(trunk);
        let server = installation.serve();
        let operator = Operator::of(&installation, &server);
        let app = operator.app_named("demo");
        operator.open_all(&app);
        let receiver = Receiver::start();
        receiver.answer("report", |_| Reply::code(0));
        operator.change_app(&app, &json!({"report_url": receiver.url("report")}));
        let customer = Customer::from(installation.customer(&server));
        Self { _installation: installation, _server: server, operator, app, customer, receiver }
    }

    /// Asks for a walk through the menu.
    fn walk(&self) -> String {
        let [root, next, last, bye] = PROMPTS;
        let menu = json!({
            "nodes": {
                "root": {"prompt": root, "keys": {"1": "next", "0": "end"}, "waitSecs": 15},
                "next": {"prompt": next, "keys": {"2": "last", "1": "root"}, "waitSecs": 15},
                "last": {"prompt": last},
            },
            "bye": bye,
        });
        let menu = self.operator.template_of("menu", &self.app, &menu.to_string(), true);
        call_id(&self.customer.ivr(MOBILE, &menu, VALUES))
    }

    /// What the report of a walk says of its end.
    fn told(&self, call: &str) -> [Value; 4] {
        let report = self.receiver.report(call);
        ["Status", "ErrCode", "PressKey", "VoiceType"].map(|name| report[name].clone())
    }
}

/// What the report of a walk to the end says.
fn walked(path: &str) -> [Value; 4] {
    [json!("SUCCESS"), json!("SUCCESS"), json!(path), json!(2)]
}

fn telephone() -> Baresip {
    Baresip::start(&[Line { number: DIALLED, answers: Answers::AtOnce, says: 440.0 }])
}

/// What the prompts sound like, each said in a notice of its own.
fn prompts() -> &'static [Vec<i16>] {
    static PROMPTS_SAID: OnceLock<Vec<Vec<i16>>> = OnceLock::new();
    PROMPTS_SAID.get_or_init(|| {
        let telephone = telephone();
        let scene = Scene::new(telephone.address());
        for text in PROMPTS {
            let template = scene.operator.template_of("named", &scene.app, text, true);
            let call = call_id(&scene.customer.notify(MOBILE, &template, VALUES));
            assert_eq!(scene.receiver.report(&call)["ErrCode"], "SUCCESS");
            wait::until("another second", Duration::from_secs(2), || {
                telephone.is_another_second().then_some(())
            });
        }
        telephone.heard().iter().map(|heard| ears::spoken(heard).to_vec()).collect()
    })
}

/// Asserts that all prompts were heard, one after the other.
#[track_caller]
fn heard_all_prompts(heard: &[i16]) {
    let mut from = 0;
    for (prompt, text) in prompts().iter().zip(PROMPTS) {
        let to = heard.len().min(from + 9 * ears::RATE + prompt.len());
        let (at, alike) = ears::find(prompt, &heard[..to], from).expect("there is more to hear");
        assert!(alike > ALIKE, "{text} at {at} of {} is alike by {alike:.2}", heard.len());
        from = at + prompt.len();
    }
}

#[test]
fn a_menu_is_walked_with_telephone_events() {
    let mut telephone = telephone();
    let scene = Scene::new(telephone.address());
    let call = scene.walk();
    let first = telephone.hears_out(0);
    telephone.press(DIALLED, "1");
    let _second = telephone.hears_out(first);
    telephone.press(DIALLED, "2");
    assert_eq!(scene.told(&call), walked("12"));
    telephone.is_released(DIALLED);
    heard_all_prompts(&telephone.heard()[0]);
}

#[test]
fn a_menu_is_walked_with_tones_in_the_voice() {
    let mut telephone = telephone();
    let scene = Scene::new(telephone.address());
    let call = scene.walk();
    let first = telephone.hears_out(0);
    telephone.say(DIALLED, &ears::key('1'));
    let _second = telephone.hears_out(first);
    telephone.say(DIALLED, &ears::key('2'));
    assert_eq!(scene.told(&call), walked("12"));
    telephone.is_released(DIALLED);
    heard_all_prompts(&telephone.heard()[0]);
}

#[test]
fn a_menu_is_walked_with_info_by_a_telephone_without_events() {
    let ear = Handset::new();
    let telephone = Sipp::play_with("info", 1, &[("ear_port", &ear.address().port().to_string())]);
    let scene = Scene::new(telephone.address());
    let call = scene.walk();
    assert_eq!(scene.told(&call), walked("12"));
    let _wire = telephone.succeeds();
    heard_all_prompts(&ear.heard());
}

#[test]
fn whoever_talks_in_a_menu_presses_nothing() {
    let mut telephone = telephone();
    let scene = Scene::new(telephone.address());
    let menu = json!({
        "nodes": {"root": {"prompt": PROMPTS[2], "keys": {"1": "end", "2": "end"}, "waitSecs": 20, "plays": 1}},
    });
    let menu = scene.operator.template_of("menu", &scene.app, &menu.to_string(), true);
    let call = call_id(&scene.customer.ivr(MOBILE, &menu, "{}"));
    telephone.talks(DIALLED);
    let clips = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/speech/clips/zh");
    let talk = ["demo-caller", "demo-callee", "welcome", "transferring", "digit-1", "digit-2"];
    let talk: Vec<i16> =
        talk.iter().flat_map(|clip| ears::read(&clips.join(format!("{clip}.wav")))).collect();
    assert!(talk.len() > 8 * ears::RATE, "somebody talks for a while");
    telephone.say(DIALLED, &talk);
    let report = scene.receiver.report(&call);
    assert_eq!((&report["Status"], &report["PressKey"]), (&json!("SUCCESS"), &json!("")));
    let length = report["Duration"].as_u64().expect("a duration is a number");
    assert!(length >= 20, "it was waited for a key while somebody talked, and not only {length} s");
}

#[test]
fn a_wrong_key_and_no_key_hear_the_prompt_again() {
    let mut telephone = telephone();
    let scene = Scene::new(telephone.address());
    let menu = json!({
        "nodes": {"root": {
            "prompt": PROMPTS[2], "keys": {"1": "end"}, "waitSecs": 1, "plays": 3, "wrong": PROMPTS[3],
        }},
    });
    let menu = scene.operator.template_of("menu", &scene.app, &menu.to_string(), true);
    let call = call_id(&scene.customer.ivr(MOBILE, &menu, "{}"));
    telephone.talks(DIALLED);
    telephone.press(DIALLED, "7");
    let report = scene.receiver.report(&call);
    assert_eq!((&report["Status"], &report["PressKey"]), (&json!("SUCCESS"), &json!("")));
    telephone.is_released(DIALLED);
    let heard = &telephone.heard()[0];
    let (prompt, wrong) = (&prompts()[2], &prompts()[3]);
    let mut from = 0;
    for sound in [wrong, prompt, prompt] {
        // The prompt comes back after a second of waiting.
        let to = heard.len().min(from + 3 * ears::RATE / 2 + sound.len());
        let (at, alike) = ears::find(sound, &heard[..to], from).expect("there is more to hear");
        assert!(alike > ALIKE, "alike by {alike:.2} at {at} after {from}");
        from = at + sound.len();
    }
}
