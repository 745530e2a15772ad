//! What a case has at hand: a house, an app, parties that nobody else calls, and the ways to ask.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use huihu_tests::api::{self, Customer, NUMBER, encoded};
use huihu_tests::http::{Answer, Request};
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::operator::{App, Operator};
use huihu_tests::wait;
use serde_json::{Value, json};

use crate::house::Stage;
use crate::huawei::told;
use crate::huawei::town::{House, Kind, LOST_CLIP, UNREVIEWED_CLIP, Usual};

/// The number of the usual app that second parties are shown.
pub(crate) const SECOND_NUMBER: &str = "+8675500000002";

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The stage of one case.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) house: Arc<House>,
    /// Tells the parties and addresses of the cases apart.
    n: u16,
    pub(crate) customer: Customer,
    /// The app, when it is the case's own.
    pub(crate) app: Option<App>,
    /// The numbers that the first and the second party are shown.
    pub(crate) shown: [String; 2],
    /// The template that it speaks.
    pub(crate) template: String,
}

/// The interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Callback,
    Notice,
    Code,
    Stop,
    Record,
}

impl Api {
    pub(crate) const ALL: [Self; 5] = [Self::Callback, Self::Notice, Self::Code, Self::Stop, Self::Record];

    /// Those that place a call.
    pub(crate) const CALLS: [Self; 3] = [Self::Callback, Self::Notice, Self::Code];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Callback => api::CALLBACK,
            Self::Notice => api::NOTICE,
            Self::Code => api::CODE,
            Self::Stop => api::STOP,
            Self::Record => api::RECORD,
        }
    }
}

impl Stage for Scene {
    type Kind = Kind;
    type Usual = Usual;

    fn prepare(kind: Kind, installation: &Installation) {
        if kind == Kind::Frail {
            installation.add_lost_clip("demo", LOST_CLIP);
        }
    }

    fn furnish(installation: &Installation, server: &Server, operator: &Operator) -> Usual {
        let customer = installation.customer(server);
        let demo = operator.app_named("demo");
        operator.open_all(&demo);
        operator.change_app(&demo, &json!({"recording": true}));
        operator.add_number(&demo, SECOND_NUMBER);
        operator.add_clip(&demo, UNREVIEWED_CLIP);
        let template = operator.template(&demo, "您好${TXT_9}，您的号码是${NUM_6}", true);
        let unreviewed = operator.template(&demo, "您好，欢迎", false);
        Usual { customer, template, unreviewed }
    }

    fn new(house: &Arc<House>, n: u16) -> Self {
        let from = match house.kind {
            Kind::Strict => None,
            _ => Some(address(n)),
        };
        let customer = Customer { from, ..house.usual.customer.clone() };
        let shown = [NUMBER, SECOND_NUMBER].map(str::to_owned);
        let template = house.usual.template.clone();
        Self { house: Arc::clone(house), n, customer, app: None, shown, template }
    }

    /// It has an enterprise, a key, two numbers, every kind of call, and ports for all.
    fn take_app(&mut self) {
        let house = Arc::clone(&self.house);
        let operator = &house.operator;
        let app = operator.app(&format!("enterprise {}", self.n), &format!("app {}", self.n));
        operator.open_all(&app);
        let (key, secret) = operator.key(&app);
        self.customer = Customer { key, secret, ..self.customer.clone() };
        self.shown = [1, 2].map(|which| format!("+86755{which}{:07}", self.n));
        for number in &self.shown {
            operator.add_number(&app, number);
        }
        operator.add_approved_clip(&app, "welcome.wav");
        self.app = Some(app);
    }

    fn told(answer: &Answer) -> String {
        told(answer)
    }
}

impl Scene {
    /// The operator of the house.
    pub(crate) fn operator(&self) -> &Operator {
        &self.house.operator
    }

    /// The app of its own.
    pub(crate) fn app(&self) -> &App {
        self.app.as_ref().expect("a case that is given something has an app of its own")
    }

    /// The loopback address that its requests come from.
    pub(crate) fn address(&self) -> IpAddr {
        address(self.n)
    }

    /// A first party with that fate: the last four digits.
    pub(crate) fn a(&self, fate: &str) -> String {
        format!("+86138{:04}{fate}", self.n)
    }

    /// A second party with that fate.
    pub(crate) fn b(&self, fate: &str) -> String {
        format!("+86139{:04}{fate}", self.n)
    }

    /// The usual body of an interface. Its call is over at once: the party is busy.
    pub(crate) fn body(&self, api: Api) -> Value {
        let [shown, second] = &self.shown;
        let callee = self.a(BUSY);
        match api {
            Api::Callback => json!({
                "displayNbr": shown, "callerNbr": callee, "displayCalleeNbr": second, "calleeNbr": self.b(BUSY),
            }),
            Api::Notice => json!({
                "displayNbr": shown, "calleeNbr": callee, "playInfoList": [{"notifyVoice": "welcome.wav"}],
            }),
            Api::Code => json!({
                "displayNbr": shown, "calleeNbr": callee, "languageType": 2, "preTone": "welcome.wav",
                "verifyCode": "2580",
            }),
            Api::Stop => json!({"sessionid": UNKNOWN_SESSION, "signal": "call_stop"}),
            Api::Record => Value::Null,
        }
    }

    /// A signed request with the usual body.
    pub(crate) fn request(&self, api: Api) -> Request {
        self.request_with(api, &json!({}))
    }

    /// A signed request with fields laid over the usual body; null takes a field away.
    pub(crate) fn request_with(&self, api: Api, more: &Value) -> Request {
        if api == Api::Record {
            let query = "?fileName=unknown.wav&recordDomain=test.huihu";
            return self.customer.request("GET", &format!("{}{query}", api.path()));
        }
        let mut body = self.body(api);
        api::lay(&mut body, more);
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.retain(|name, _| more.get(name) != Some(&Value::Null));
        }
        self.customer.request("POST", api.path()).body(body.to_string())
    }

    /// Sends a request. A refused call has an empty session id, an accepted one has one, and a stop has none.
    pub(crate) fn send(&self, request: &Request) -> Answer {
        let answer = request.send(&self.customer.address);
        let session = answer.body.get("sessionId");
        let path = request.path.trim_start_matches("/sandbox");
        let places = Api::CALLS.iter().any(|api| api.path() == path);
        match (places, answer.code()) {
            (true, "0") => assert!(session.and_then(Value::as_str).is_some_and(|id| !id.is_empty())),
            (true, _) => assert_eq!(session, Some(&json!("")), "the session id of {}", answer.body),
            (false, _) => assert_eq!(session, None, "no session id belongs into {}", answer.body),
        }
        answer
    }

    /// Asks with fields laid over the usual body; null takes a field away.
    pub(crate) fn ask(&self, api: Api, more: &Value) -> Answer {
        self.send(&self.request_with(api, more))
    }

    /// Asks for a callback.
    pub(crate) fn callback(&self, more: &Value) -> Answer {
        self.ask(Api::Callback, more)
    }

    /// Asks for a call of that session to end.
    pub(crate) fn stop(&self, session: &str) -> Answer {
        self.ask(Api::Stop, &json!({"sessionid": session}))
    }

    /// Fields that send all pushes to the receiver of the house.
    pub(crate) fn receivers(&self) -> Value {
        let url = |path: &str| encoded(&self.house.receiver.url(path));
        json!({"statusUrl": url("status"), "feeUrl": url("fee")})
    }

    /// Places a callback whose parties answer and stay; gives its session once both have answered.
    pub(crate) fn long_call(&self) -> String {
        let mut more = json!({"callerNbr": self.a(STAYS), "calleeNbr": self.b(STAYS)});
        api::lay(&mut more, &self.receivers());
        let answer = self.callback(&more);
        let session = answer.session();
        wait::until("the answers", PATIENCE, || {
            let pushes = self.house.receiver.of(&session);
            (pushes.iter().filter(|push| push.event() == "answer").count() == 2).then_some(())
        });
        session
    }
}

/// Says that he is busy.
pub(crate) const BUSY: &str = "0486";

/// Answers and never hangs up.
pub(crate) const STAYS: &str = "0001";

/// Answers, and hangs up after three and a half seconds.
pub(crate) const TALKS: &str = "0002";

/// No call's session.
pub(crate) const UNKNOWN_SESSION: &str = "1200_366_0_20161228102743@callenabler.home1.com";

/// A loopback address for each case: bans, lists and areas of one are nothing to the others.
fn address(n: u16) -> IpAddr {
    let [high, low] = n.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 1, high, low.saturating_add(1)))
}
