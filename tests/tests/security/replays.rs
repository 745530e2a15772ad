//! A request that was overheard: good for what it was sent for, once, and never again.

use std::sync::Barrier;
use std::thread;

use huihu_tests::api::{CALLBACK, CODE, Customer, NUMBER, STOP};
use huihu_tests::http::{Answer, Request};
use huihu_tests::huihu::Installation;
use huihu_tests::ksyun;
use huihu_tests::operator::Operator;
use serde_json::{Value, json};

use crate::world::carrier;

const THREADS: usize = 8;
const TIMES_EACH: usize = 25;

/// Sends the very same bytes again and again, from many connections at once; how often they were taken.
fn taken(request: &Request, address: &str, is_taken: impl Fn(&Answer) -> bool + Sync) -> usize {
    let start = Barrier::new(THREADS);
    let one = || {
        start.wait();
        (0..TIMES_EACH).filter(|_| is_taken(&request.send(address))).count()
    };
    thread::scope(|scope| {
        let senders: Vec<_> = (0..THREADS).map(|_| scope.spawn(one)).collect();
        senders.into_iter().map(|sender| sender.join().expect("a sender ends")).sum()
    })
}

fn order(callee: &str) -> Value {
    json!({"displayNbr": NUMBER, "displayCalleeNbr": NUMBER, "callerNbr": "+8613800000404", "calleeNbr": callee})
}

#[test]
fn a_signature_is_good_for_one_call_however_often_it_comes_and_whoever_dies_meanwhile() {
    let carrier = carrier();
    let installation = Installation::new(carrier.address());
    installation.configure("[requests]\nrefuse_replays = true\n");
    let server = installation.serve();
    let customer = installation.customer(&server);
    let signed = customer.request("POST", CALLBACK);
    let first = signed.clone().body(order("+8613800000002").to_string());
    assert_eq!(taken(&first, &server.http, |answer| answer.code() == "0"), 1);
    // The digest does not cover path and body: what was signed for one call opens no door for another.
    let other = signed.body(order("+8613800000003").to_string());
    let stolen = Request { path: STOP.to_owned(), ..other.clone() };
    for request in [&other, &stolen] {
        assert_eq!(taken(request, &server.http, |answer| answer.code() == "0"), 0);
    }

    // The other vendor's signature covers everything, and comes again as it is.
    let operator = Operator::of(&installation, &server);
    let (key, secret) = operator.key(&operator.app_named("demo"));
    let theirs = ksyun::Customer { address: server.http.clone(), key, secret, token: None, from: None };
    let form = theirs
        .common(ksyun::VERIFY)
        .with("Mobile", "13800000404")
        .with("TplId", "100001")
        .with("Code", "1234");
    let form = theirs.post(&theirs.signed(form));
    let is_taken = |answer: &Answer| answer.status == 200;
    assert_eq!(taken(&form, &server.http, is_taken), 1);

    // One whose answer nobody heard, because the process died as soon as it was taken.
    let last = customer.request("POST", CODE).body(
        json!({"displayNbr": NUMBER, "calleeNbr": "+8613800000404", "languageType": 2, "preTone": "welcome.wav", "verifyCode": "12"})
            .to_string(),
    );
    assert_eq!(last.send(&server.http).code(), "0");
    server.kill();
    let server = installation.serve();
    for request in [&first, &other, &stolen, &last] {
        assert_eq!(taken(request, &server.http, |answer| answer.code() == "0"), 0, "after a restart");
    }
    assert_eq!(taken(&form, &server.http, is_taken), 0, "after a restart");
    let fresh = Customer { address: server.http.clone(), ..customer };
    assert_eq!(
        fresh.callback("+8613800000404", "+8613800000002", &json!({})).code(),
        "0",
        "nobody else is refused"
    );
}
