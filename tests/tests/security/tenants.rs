//! Two customers of one platform: neither can use, see or stop anything of the other, nor learn that it is there.

use std::collections::BTreeSet;

use carrier::LegReport;
use huihu_tests::api::{CALLBACK, CODE, Customer, NOTICE, NUMBER, RECORD};
use huihu_tests::http::Answer;
use huihu_tests::huihu::Installation;
use huihu_tests::ksyun::{self, call_id};
use huihu_tests::operator::Operator;
use huihu_tests::wait;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::world::{PATIENCE, RIVAL, at, carrier, two};

/// An answer without what differs from one moment to the next.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
    (answer.status, headers, String::from_utf8_lossy(&answer.bytes).into_owned())
}

/// The same answer for what is another's and for what is nobody's.
fn is_alike(what: &str, anothers: &Answer, nobodys: &Answer) {
    assert_ne!(anothers.status, 200, "{what}: {}", anothers.text());
    assert_eq!(told(anothers), told(nobodys), "{what}");
}

#[test]
fn what_is_anothers_is_answered_like_what_is_nobodys() {
    let carrier = carrier();
    let installation = Installation::new(carrier.address());
    let rival = two(&installation);
    let server = installation.serve();
    let (customer, rival) = (installation.customer(&server), at(&server, rival));
    let operator = Operator::of(&installation, &server);
    let (ours, theirs) = (operator.app_named("demo"), operator.app_named("rival"));
    for app in [&ours, &theirs] {
        operator.change_app(app, &json!({"recording": true}));
    }
    // Of the first customer: a call that rings and one that is over, a file, a template of each kind.
    let ringing = customer.callback("+8613800000480", "+8613800000001", &json!({})).session();
    let over = customer.callback("+8613800000404", "+8613800000001", &json!({})).session();
    wait::until("the record of a call", PATIENCE, || operator.has_record(&over).then_some(()));
    operator.add_approved_clip(&ours, "secret-plans.wav");
    let placed = operator.template(&ours, "您好${TXT_9}", true);
    let named = operator.template_of("named", &ours, "您好{name}", true);
    let menu = json!({"nodes": {"root": {"prompt": "您好{name}", "keys": {}}}}).to_string();
    let menu = operator.template_of("menu", &ours, &menu, true);

    let unknown = ["1202_1_2_20260102030405@test.huihu".to_owned(), over.replace(char::is_numeric, "0")];
    for anothers in [&ringing, &over] {
        for nobodys in &unknown {
            is_alike("a call to stop", &rival.stop(anothers), &rival.stop(nobodys));
            let recording = |session: &str| {
                let name = session.split('@').next().unwrap_or_default();
                rival.get(&format!("{RECORD}?fileName={name}.wav&recordDomain=test.huihu"))
            };
            is_alike("a recording", &recording(anothers), &recording(nobodys));
        }
    }
    let notice = |body: &Value| {
        let base = json!({"displayNbr": RIVAL, "calleeNbr": "+8613800000001", "playInfoList": [body]});
        rival.post(NOTICE, &base)
    };
    // The answer names what was asked for, as documented; names of one length make bodies of one length.
    let without = |name: &str, mut answer: Answer| {
        answer.bytes = String::from_utf8_lossy(&answer.bytes).replace(name, "NAME").into_bytes();
        answer
    };
    let file = |name: &str| without(name, notice(&json!({"notifyVoice": name})));
    is_alike("a file", &file("secret-plans.wav"), &file("nobodys-plan.wav"));
    let template = |id: &str| without(id, notice(&json!({"templateId": id, "templateParas": ["x"]})));
    is_alike("a template", &template(&placed), &template(&"f".repeat(placed.len())));
    let shown = |number: &str| {
        let more = json!({"displayNbr": number});
        rival.callback("+8613800000001", "+8613800000002", &more)
    };
    is_alike("a number to show", &shown(NUMBER), &shown("+8675599999999"));
    let shown = |number: &str| {
        rival.callback(
            "+8613800000001",
            "+8613800000002",
            &json!({"displayNbr": RIVAL, "displayCalleeNbr": number}),
        )
    };
    is_alike("a number to show to the second", &shown(NUMBER), &shown("+8675599999999"));

    // The other vendor's customers are kept apart in the same way.
    let (key, secret) = operator.key(&theirs);
    let rival = ksyun::Customer { address: server.http.clone(), key, secret, token: None, from: None };
    for (id, nobodys) in [(&named, "299999"), (&placed, "299999")] {
        let [anothers, nobodys] =
            [id.as_str(), nobodys].map(|id| rival.notify("13800000001", id, r#"{"name":"x"}"#));
        assert_eq!(anothers.body["Error"]["Code"], nobodys.body["Error"]["Code"], "{}", anothers.body);
        assert_eq!(anothers.status, nobodys.status);
    }
    let [anothers, nobodys] = [&*menu, "299999"].map(|id| rival.ivr("13800000001", id, r#"{"name":"x"}"#));
    assert_eq!(anothers.body["Error"]["Code"], nobodys.body["Error"]["Code"], "{}", anothers.body);

    // The owner is served in every one of these points.
    assert_eq!(customer.stop(&ringing).code(), "0");
    let own = json!({"displayNbr": NUMBER, "calleeNbr": "+8613800000001", "playInfoList": [{"notifyVoice": "secret-plans.wav"}]});
    assert_eq!(customer.post(NOTICE, &own).code(), "0");
    let (key, secret) = operator.key(&ours);
    let own = ksyun::Customer { address: server.http.clone(), key, secret, token: None, from: None };
    assert!(!call_id(&own.notify("13800000001", &named, r#"{"name":"x"}"#)).is_empty());
}

/// Whatever two customers ask for, in fields that say who calls and in fields that do not.
fn anything(customer: &Customer, own: &str, others: &str, rng: &mut SmallRng) -> Answer {
    let numbers = [
        own,
        others,
        "+8675599999999",
        "",
        "110",
        "anonymous",
        "<sip:x@y>",
        "+8675500000001;tag=1",
        "+86\r\nX: y",
    ];
    let mut any = |favoured: &str| {
        let picked = numbers[rng.random_range(0..numbers.len())];
        if rng.random_bool(0.6) { favoured.to_owned() } else { picked.to_owned() }
    };
    let callee = |rng: &mut SmallRng| {
        format!("+86138{:08}", rng.random_range(0..100_000_000_u32) / 10_000 * 10_000 + 404)
    };
    let (first, second, bound) = (any(own), any(own), any(own));
    let (a, b) = (callee(rng), callee(rng));
    match rng.random_range(0..3) {
        0 => customer.post(CALLBACK, &json!({
            "displayNbr": first, "displayCalleeNbr": second, "callerNbr": a, "calleeNbr": b, "bindNbr": bound,
            "userData": others, "From": others, "P-Asserted-Identity": others,
        })),
        1 => customer.post(CODE, &json!({
            "displayNbr": first, "calleeNbr": a, "languageType": 2, "preTone": "welcome.wav", "verifyCode": "12", "bindNbr": bound,
            "userData": others,
        })),
        _ => customer.post(NOTICE, &json!({
            "displayNbr": first, "calleeNbr": a, "bindNbr": bound, "playInfoList": [{"notifyVoice": "welcome.wav"}],
            "userData": others,
        })),
    }
}

#[test]
fn no_request_shows_a_number_that_is_not_the_customers_own() {
    let carrier = carrier();
    let trunk = format!(
        "[[trunks]]\nname = \"told\"\npeers = [\"{}\"]\nasserted_identity = true\noptions_secs = 0\n",
        carrier.address()
    );
    let installation = Installation::with_trunks(&trunk);
    let rival = two(&installation);
    let server = installation.serve();
    let (customer, rival) = (installation.customer(&server), at(&server, rival));
    let mut rng = SmallRng::seed_from_u64(20_261_122);
    let (mut accepted, mut refused) = (0, 0);
    for turn in 0..400 {
        // Each has its own parties: the first digit behind the area tells whose call it was.
        let (who, own, others) =
            if turn % 2 == 0 { (&customer, NUMBER, RIVAL) } else { (&rival, RIVAL, NUMBER) };
        let answer = anything(who, own, others, &mut rng);
        if answer.code() == "0" { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 50 && refused > 50, "{accepted} accepted, {refused} refused");
    let legs = wait::until("every accepted call to be dialled and over", PATIENCE, || {
        let legs = carrier.heard();
        (legs.len() >= accepted && legs.iter().all(|leg| leg.ended.is_some())).then_some(legs)
    });
    let shown: BTreeSet<String> = legs.into_iter().map(|LegReport { shown, .. }| shown).collect();
    assert_eq!(shown, BTreeSet::from([NUMBER.to_owned(), RIVAL.to_owned()]));
    // Whose number was shown is told by the record, which names the app.
    for record in installation.records(1_000) {
        let numbers = record.to_string();
        let (own, others) = if record["account"] == "rival" { (RIVAL, NUMBER) } else { (NUMBER, RIVAL) };
        let shown = |number: &str| numbers.contains(&format!("\"shown\":\"{number}\""));
        assert!(!shown(others), "an app shows what is not its own: {record} ({own})");
    }
}
