//! What an account has decides how a call goes: its ports, its numbers.

use std::time::Duration;

use huihu_tests::api::{Answer, Customer, NUMBER, encoded};
use huihu_tests::wait;
use serde_json::json;

use crate::stage::{Placed, SECOND_NUMBER, Stage, first, second, with};

#[test]
fn an_app_places_as_many_calls_as_it_has_ports() {
    const SHOWN: &str = "+8675500000003";
    let mut small = None;
    let stage = Stage::furnished(3, |installation| {
        small = Some(installation.app("small", SHOWN, &["--ports", "2"]));
    });
    let small = Customer { address: stage.customer.address.clone(), ..small.expect("it was created") };
    let place = |n: usize| {
        let shown = json!({"displayNbr": SHOWN, "displayCalleeNbr": SHOWN, "returnIdlePort": "true"});
        small.callback(&first(n, "0180"), &second(n, "0001"), &with(stage.receivers(), &shown))
    };

    let (one, two) = (place(0), place(1));
    assert_eq!((&one.body["idlePort"], &two.body["idlePort"]), (&json!(1), &json!(0)));
    let refused = place(2);
    assert_eq!((refused.status, refused.code()), (403, "1020165"), "{}", refused.body);
    assert_eq!(refused.body["sessionId"], "");
    assert_eq!(refused.body.get("idlePort"), None, "a refusal tells no ports");

    // A telephone that rings can be told to stop in one way only.
    let rings = |answer: &Answer| {
        let session = answer.session();
        wait::until("the telephone to ring", Duration::from_secs(10), || {
            (stage.receiver.of(&session).len() == 2).then_some(())
        });
    };
    rings(&one);
    assert_eq!(small.stop(&one.session()).code(), "0");
    let three = wait::until("a port to be idle again", Duration::from_secs(10), || {
        let answer = place(2);
        (answer.code() == "0").then_some(answer)
    });
    assert_eq!(three.body["idlePort"], json!(0));
    for call in [two, three] {
        rings(&call);
        assert_eq!(small.stop(&call.session()).code(), "0");
    }
    stage.trunk.succeeds();
}

#[test]
fn another_number_is_shown_in_place_of_a_paused_one() {
    let stage = Stage::furnished(1, |installation| {
        installation.run(&["number", "pause", "--app", "demo", NUMBER]);
    });
    let callee = first(0, "0486");
    // The request names the paused number.
    let answer = stage.customer.verify(&callee, "12", &stage.receivers());
    let placed = Placed::of(&answer, &callee, "");
    assert_eq!(stage.receiver.events(&placed.session), ["callout", "disconnect"]);
    for push in stage.receiver.of(&placed.session).iter().filter(|push| push.event() != "fee") {
        assert_eq!(push.body["statusInfo"]["caller"], SECOND_NUMBER);
    }
    let fee = stage.receiver.fee(&placed.session);
    assert_eq!((&fee["callerNum"], &fee["bindNum"]), (&json!(SECOND_NUMBER), &json!(SECOND_NUMBER)));
    let trace = stage.trunk.succeeds();
    let leg = trace.leg(&callee);
    assert!(leg[0].header("From").contains(SECOND_NUMBER), "{}", leg[0].text);
    assert!(!leg[0].text.contains(NUMBER), "{}", leg[0].text);
}

#[test]
fn a_call_tells_whom_the_request_names_else_whom_the_app_names_else_nobody() {
    use huihu_tests::receiver::Receiver;

    const SHOWN: &str = "+8675500000003";
    let fallback = Receiver::start();
    let mut named = None;
    let stage = Stage::furnished(4, |installation| {
        let (status, fee) = (fallback.url("status"), fallback.url("fee"));
        named = Some(installation.app("named", SHOWN, &["--status-url", &status, "--fee-url", &fee]));
    });
    let named = Customer { address: stage.customer.address.clone(), ..named.expect("it was created") };
    let shown = json!({"displayNbr": SHOWN, "displayCalleeNbr": SHOWN});
    let call = |customer: &Customer, n: usize, more| {
        customer.callback(&first(n, "0486"), &second(n, "0001"), &more).session()
    };
    let status = encoded(&stage.receiver.url("status"));
    let nobody = call(&stage.customer, 0, json!({}));
    let half = call(&stage.customer, 1, json!({"statusUrl": status}));
    let by_app = call(&named, 2, shown.clone());
    let by_both = call(&named, 3, with(shown, &json!({"statusUrl": status})));

    assert_eq!(stage.receiver.events(&half), ["callout", "disconnect"]);
    assert_eq!(fallback.events(&by_app), ["callout", "disconnect"]);
    assert_eq!(fallback.fee(&by_app)["sessionId"], json!(by_app));
    assert_eq!(stage.receiver.events(&by_both), ["callout", "disconnect"]);
    assert_eq!(fallback.fee(&by_both)["sessionId"], json!(by_both));
    stage.trunk.succeeds();
    wait::until("the record of the silent call", Duration::from_secs(10), || {
        stage.installation.records(4).iter().any(|record| record["session"] == *nobody).then_some(())
    });
    let everything = [stage.receiver.all(), fallback.all()].concat();
    let count = |session: &str| everything.iter().filter(|push| push.is_about(session)).count();
    assert_eq!([&nobody, &half, &by_app, &by_both].map(|session| count(session)), [0, 2, 3, 3]);
}
