//! Registering with a trunk: refreshes, challenges, failures, and taking it back.

use std::time::Duration;

use huihu_sip::digest::Credentials;
use huihu_sip::{Register, RegistrationKey, RegistrationState};

use crate::far::{Far, Reply};

const KEY: RegistrationKey = RegistrationKey(1);
const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"trunk\", nonce=\"n1\", qop=\"auth\"";

fn registering() -> Far {
    let mut far = Far::new();
    register(&mut far);
    far
}

fn register(far: &mut Far) {
    let register = Register {
        registrar: far.from,
        domain: "sip:trunk.example".parse().expect("it is well-formed"),
        account: "<sip:user@trunk.example>".parse().expect("it is well-formed"),
        contact: "<sip:user@10.0.0.1:5060>".parse().expect("it is well-formed"),
        call_id: "registration-1".into(),
        lasts: Duration::from_secs(600),
        credentials: Some(Credentials::new("user".into(), "secret".into())),
    };
    far.act(|near, now, out| near.register(KEY, register, now, out));
}

fn registered() -> Far {
    let mut far = registering();
    far.replies("REGISTER", granted(600));
    far
}

fn granted(secs: u32) -> Reply {
    Reply::new(200)
        .header("Contact: <sip:other@10.9.9.9>;expires=5")
        .header(&format!("Contact: <sip:user@10.0.0.1:5060>;expires={secs}"))
}

/// The last state in words, whole seconds.
fn state(far: &Far) -> String {
    match far.registrations.last() {
        None => String::new(),
        Some(RegistrationState::Registered { lasts, .. }) => format!("registered for {}", lasts.as_secs()),
        Some(RegistrationState::Failed { status, bound_for, .. }) => {
            format!("failed by {} with {} left", status.unwrap_or(0), bound_for.as_secs())
        }
        Some(RegistrationState::Gone) => "gone".to_owned(),
    }
}

/// Waits for the next REGISTER, and gives how many seconds that took.
fn refreshed_after(far: &mut Far) -> u64 {
    let before = far.tries("REGISTER");
    (1..)
        .find(|_| {
            far.wait(1_000);
            far.tries("REGISTER") > before
        })
        .expect("it never stays away")
}

fn leave(far: &mut Far) {
    far.act(|near, now, out| near.unregister(KEY, now, out));
}

#[test]
fn a_registration_says_who_we_are_and_is_refreshed_in_its_second_half() {
    let mut far = registering();
    assert!(far.last("REGISTER").starts_with("REGISTER sip:trunk.example SIP/2.0\r\n"));
    assert_eq!(far.header("REGISTER", "To"), "<sip:user@trunk.example>");
    assert_eq!(far.header("REGISTER", "Contact"), "<sip:user@10.0.0.1:5060>");
    assert_eq!(far.header("REGISTER", "Expires"), "600");
    far.replies("REGISTER", granted(300));
    assert_eq!(state(&far), "registered for 300");
    let waited = refreshed_after(&mut far);
    assert!((150..=226).contains(&waited), "{waited}");
    assert_eq!(far.header("REGISTER", "CSeq"), "2 REGISTER");
    let call_ids: Vec<_> = far.heard.iter().filter_map(|(_, text)| text.split("Call-ID: ").nth(1)).collect();
    assert!(call_ids.iter().all(|rest| rest.starts_with("registration-1\r\n")));
    far.replies("REGISTER", Reply::new(200).header("Expires: 120"));
    assert_eq!(state(&far), "registered for 120", "without our contact the header counts");
}

#[test]
fn a_challenge_is_answered_and_a_wrong_password_is_not_hammered() {
    let mut far = registering();
    far.replies("REGISTER", Reply::new(401).header(CHALLENGE));
    assert!(far.header("REGISTER", "Authorization").contains("uri=\"sip:trunk.example\""));
    assert_eq!(far.header("REGISTER", "CSeq"), "2 REGISTER");
    far.replies("REGISTER", Reply::new(401).header(&(CHALLENGE.replace("n1", "n2") + ", stale=true")));
    assert!(far.header("REGISTER", "Authorization").contains("nonce=\"n2\""));
    far.replies("REGISTER", Reply::new(200));
    assert_eq!(state(&far), "registered for 600");

    let mut far = registering();
    far.replies("REGISTER", Reply::new(407).header(&CHALLENGE.replace("WWW", "Proxy")));
    far.replies("REGISTER", Reply::new(407).header(&CHALLENGE.replace("WWW", "Proxy")));
    assert_eq!((state(&far).as_str(), far.tries("REGISTER")), ("failed by 407 with 0 left", 2));
    far.wait(29_000);
    assert_eq!(far.tries("REGISTER"), 2);
    far.wait(31_100);
    assert_eq!(far.tries("REGISTER"), 3);
}

#[test]
fn too_short_a_registration_is_asked_for_once_more_with_a_longer_one() {
    let mut far = registering();
    far.replies("REGISTER", Reply::new(423).header("Min-Expires: 1800"));
    assert_eq!(far.header("REGISTER", "Expires"), "1800");
    far.replies("REGISTER", Reply::new(401).header(CHALLENGE));
    assert_eq!(far.header("REGISTER", "Expires"), "1800");
    far.replies("REGISTER", Reply::new(200));
    assert_eq!(state(&far), "registered for 1800");
    for nonsense in ["Min-Expires: 10", "X: 1", "Min-Expires: 4000000000"] {
        let mut far = registering();
        far.replies("REGISTER", Reply::new(423).header(nonsense));
        assert_eq!(state(&far), "failed by 423 with 0 left", "{nonsense}");
    }
}

#[test]
fn a_refresh_that_fails_tells_how_long_the_last_success_holds() {
    let mut far = registered();
    let left = 600 - refreshed_after(&mut far);
    far.replies("REGISTER", Reply::new(503).header("Retry-After: 90"));
    assert_eq!(state(&far), format!("failed by 503 with {left} left"));
    let Some(RegistrationState::Failed { retry_in: Some(wait), .. }) = far.registrations.last() else {
        panic!()
    };
    assert_eq!(wait.as_secs(), 90, "longer than our own back-off");
    far.wait(90_100);
    assert_eq!(far.tries("REGISTER"), 3);
    far.replies("REGISTER", granted(600));
    assert_eq!(state(&far), "registered for 600");
}

#[test]
fn a_silent_registrar_is_asked_less_and_less() {
    let mut far = registering();
    let mut tries = Vec::new();
    for _ in 0..6 {
        far.wait(3_600_000);
        tries.push(far.tries("REGISTER"));
    }
    assert!(tries[0] >= 5 && tries[0] <= 10, "{tries:?}");
    assert!(tries[5] - tries[4] >= 1 && tries[5] - tries[4] <= 4, "{tries:?}");
    assert_eq!(state(&far), "failed by 0 with 0 left");
    leave(&mut far);
    far.run_out();
    assert_eq!(state(&far), "gone");
}

#[test]
fn a_registration_that_is_taken_back_is_gone_whatever_the_registrar_says() {
    for status in [200, 404, 500] {
        let mut far = registered();
        leave(&mut far);
        leave(&mut far);
        assert_eq!(far.header("REGISTER", "Expires"), "0");
        far.replies("REGISTER", Reply::new(401).header(CHALLENGE));
        assert_eq!(far.header("REGISTER", "Expires"), "0");
        far.replies("REGISTER", Reply::new(status));
        assert_eq!(state(&far), "gone");
        far.run_out();
    }
    let mut far = registered();
    leave(&mut far);
    far.run_out();
    assert_eq!(state(&far), "gone", "also when it says nothing");
}

#[test]
fn an_answer_that_comes_after_we_left_changes_nothing() {
    let mut far = registering();
    let late = far.reply_text("REGISTER", &granted(600));
    leave(&mut far);
    far.says(late);
    assert_eq!(state(&far), "");
    far.replies("REGISTER", Reply::new(200));
    assert_eq!(state(&far), "gone");
    far.run_out();
}

#[test]
fn a_registration_that_begins_anew_is_not_fooled_by_its_past() {
    let mut far = registering();
    let late = far.reply_text("REGISTER", &Reply::new(403));
    register(&mut far);
    far.says(late);
    assert_eq!(state(&far), "");
    far.replies("REGISTER", granted(600));
    assert_eq!(state(&far), "registered for 600");
}

#[test]
fn the_registrar_tells_how_it_sees_us() {
    let mut far = registering();
    let text = far.reply_text("REGISTER", &granted(600));
    far.says(text.replace(";rport;", ";rport=40123;received=203.0.113.5;"));
    let Some(RegistrationState::Registered { seen_as, .. }) = far.registrations.last() else { panic!() };
    assert_eq!(seen_as.map(|address| address.to_string()), Some("203.0.113.5:40123".into()));
}
