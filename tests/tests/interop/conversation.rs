//! Two telephones, a customer who connects them, and what they hear of each other.

use std::time::Duration;

use huihu_tests::api::encoded;
use huihu_tests::baresip::{Answers, Baresip, Line};
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::receiver::Receiver;
use huihu_tests::{ears, wait};
use serde_json::{Value, json};

/// The first party and what it says.
pub(crate) const A: Line = Line { number: "+8613800000001", answers: Answers::AtOnce, says: 440.0 };
/// The second one.
pub(crate) const B: Line = Line { number: "+8613800000002", answers: Answers::ByHand, says: 1_000.0 };

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A platform with a trunk, and its customer.
pub(crate) struct Platform {
    pub(crate) installation: Installation,
    pub(crate) server: Server,
    receiver: Receiver,
}

impl Platform {
    pub(crate) fn new(trunks: &str) -> Self {
        let installation = Installation::with_trunks(trunks);
        let server = installation.serve();
        Self { installation, server, receiver: Receiver::start() }
    }

    /// Waits until the trunk is in this state.
    pub(crate) fn trunk_is(&self, state: &str) {
        wait::until(&format!("the trunk to be {state}"), PATIENCE, || {
            let listed = self.installation.run(&["trunk", "list", "--json"]);
            let trunk: Value = serde_json::from_slice(&listed.stdout).expect("a trunk is JSON");
            (trunk["health"] == state).then_some(())
        });
    }

    /// Asks for a call between A and B.
    pub(crate) fn connect(&self) -> String {
        let url = |path| encoded(&self.receiver.url(path));
        let urls = json!({"statusUrl": url("status"), "feeUrl": url("fee")});
        self.installation.customer(&self.server).callback(A.number, B.number, &urls).session()
    }

    /// Has B pick up, lets A and B talk for a while, has B hang up, and makes sure that each heard the other one.
    pub(crate) fn they_talk(&self, session: &str, a: &Baresip, b: &mut Baresip) {
        b.rings(B.number);
        b.pick_up(B.number);
        b.talks(B.number);
        wait::until("the conversation", PATIENCE, || {
            let drawn = self.installation.run(&["record", "show", session, "--ladder"]);
            String::from_utf8_lossy(&drawn.stdout).contains("hear each other").then_some(())
        });
        b.hears_for(3 * ears::RATE);
        b.hang_up(B.number);
        a.is_released(A.number);
        let [a, b] = [a, &*b].map(|telephone| {
            let heard = telephone.heard().remove(0);
            heard[heard.len() - ears::RATE..heard.len() - ears::RATE / 10].to_vec()
        });
        let (loud, quiet) = (ears::tone(B.says, &a), ears::tone(A.says, &a));
        assert!(loud > 0.9 && quiet < 0.02, "A hears B by {loud:.2} and itself by {quiet:.2}");
        let (loud, quiet) = (ears::tone(A.says, &b), ears::tone(B.says, &b));
        assert!(loud > 0.9 && quiet < 0.02, "B hears A by {loud:.2} and itself by {quiet:.2}");
    }

    /// The record of the only call.
    pub(crate) fn record(&self) -> Value {
        wait::until("the record", PATIENCE, || self.installation.records(1).pop())
    }
}
