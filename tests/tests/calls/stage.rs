//! A platform, a customer with his receiver, and the trunk.

use huihu_tests::api::{Answer, Customer, NUMBER, encoded};
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::receiver::{Received, Receiver};
use huihu_tests::sipp::Sipp;
use serde_json::{Value, json};

/// The number that second parties are shown.
pub(crate) const SECOND_NUMBER: &str = "+8675500000002";

/// What every call is given to carry.
pub(crate) const USER_DATA: &str = "order 66";

/// Everybody who takes part.
pub(crate) struct Stage {
    pub(crate) trunk: Sipp,
    pub(crate) installation: Installation,
    pub(crate) server: Server,
    pub(crate) receiver: Receiver,
    pub(crate) customer: Customer,
}

/// An accepted call.
pub(crate) struct Placed {
    pub(crate) session: String,
    /// Who is dialled first, or alone.
    pub(crate) a: String,
    /// Who is dialled then; empty in a verification call.
    pub(crate) b: String,
}

impl Stage {
    /// A stage whose trunk takes so many legs and then ends.
    pub(crate) fn for_legs(legs: u32) -> Self {
        Self::furnished(legs, |_| ())
    }

    /// A stage that was furnished before the server started.
    pub(crate) fn furnished(legs: u32, furnish: impl FnOnce(&Installation)) -> Self {
        let trunk = Sipp::play("trunk", legs);
        let installation = Installation::new(trunk.address());
        installation.run(&["number", "add", "--app", "demo", SECOND_NUMBER]);
        furnish(&installation);
        let server = installation.serve();
        let customer = installation.customer(&server);
        Self { trunk, installation, server, receiver: Receiver::start(), customer }
    }

    /// The fields that send a call's pushes to the receiver.
    pub(crate) fn receivers(&self) -> Value {
        let (status, fee) = (self.receiver.url("status"), self.receiver.url("fee"));
        json!({"statusUrl": encoded(&status), "feeUrl": encoded(&fee), "userData": USER_DATA})
    }

    /// Places a verification call that says `12` once.
    pub(crate) fn verify(&self, callee: &str) -> Placed {
        let more = with(self.receivers(), &json!({"times": 1}));
        Placed::of(&self.customer.verify(callee, "12", &more), callee, "")
    }

    /// Places a callback; `more` is laid over the usual body.
    pub(crate) fn callback(&self, caller: &str, callee: &str, more: &Value) -> Placed {
        let usual = json!({"displayCalleeNbr": SECOND_NUMBER, "partyTypeRequiredInDisconnect": true});
        let more = with(with(self.receivers(), &usual), more);
        Placed::of(&self.customer.callback(caller, callee, &more), caller, callee)
    }
}

impl Placed {
    pub(crate) fn of(answer: &Answer, a: &str, b: &str) -> Self {
        Self { session: answer.session(), a: a.to_owned(), b: b.to_owned() }
    }

    /// Who is called in a status event, `A` or `B`, once it is sure that the right number is shown.
    pub(crate) fn party(&self, push: &Received) -> &'static str {
        let info = &push.body["statusInfo"];
        match (info["caller"].as_str(), info["called"].as_str()) {
            (Some(NUMBER), Some(called)) if called == self.a => "A",
            (Some(SECOND_NUMBER), Some(called)) if called == self.b => "B",
            _ => panic!("whose event is {}", push.body),
        }
    }
}

/// A body with more fields laid over it.
pub(crate) fn with(mut body: Value, more: &Value) -> Value {
    let fields = more.as_object().expect("fields are an object");
    body.as_object_mut().expect("a body is an object").extend(fields.clone());
    body
}

/// A first party with that fate. `n` tells the parties of a test apart.
pub(crate) fn first(n: usize, fate: &str) -> String {
    format!("+86138{n:04}{fate}")
}

/// A second party with that fate.
pub(crate) fn second(n: usize, fate: &str) -> String {
    format!("+86139{n:04}{fate}")
}
