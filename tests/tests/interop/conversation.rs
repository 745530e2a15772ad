//! Two telephones, a customer who connects them, and what they hear of each other.

use std::time::Duration;

use huihu_tests::api::encoded;
use huihu_tests::baresip::{Answers, Baresip, Line};
use huihu_tests::certificate::Certificate;
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
        let certificate = Certificate::new(&installation.path(""));
        let [shown, key] = [certificate.alone(), certificate.key()].map(|file| file.display().to_string());
        let server = installation.serve_with(&[
            ("HUIHU_SIP__LISTEN", "[\"127.0.0.1:0\", \"127.0.0.1:0/tls\"]"),
            ("HUIHU_SIP__TLS_CERTIFICATE", &shown),
            ("HUIHU_SIP__TLS_KEY", &key),
        ]);
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
        for (telephone, hears, itself) in [(a, B.says, A.says), (&*b, A.says, B.says)] {
            let heard = telephone.heard().remove(0);
            let end = &heard[heard.len() - ears::RATE..];
            let (loud, quiet) = (mostly(hears, end), mostly(itself, end));
            assert!(
                loud > 0.9 && quiet < 0.02,
                "{hears} Hz is heard by {loud:.2}, {itself} Hz by {quiet:.2}"
            );
        }
    }

    /// The record of the only call.
    pub(crate) fn record(&self) -> Value {
        wait::until("the record", PATIENCE, || self.installation.records(1).pop())
    }
}

/// The share of a tone in most of what was heard: a packet that comes late on a busy machine moves what follows it.
fn mostly(hz: f64, heard: &[i16]) -> f64 {
    let mut shares: Vec<f64> = heard.chunks_exact(ears::RATE / 20).map(|part| ears::tone(hz, part)).collect();
    shares.sort_by(f64::total_cmp);
    shares[shares.len() / 2]
}
