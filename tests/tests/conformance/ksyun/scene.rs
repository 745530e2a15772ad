//! What a case has at hand: a house, an app, telephones that nobody else calls, and the ways to ask.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use huihu_tests::http::Answer;
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::ksyun::{Customer, Form, IVR, NOTIFY, V4, VERIFY, call_id};
use huihu_tests::operator::{App, Operator};
use huihu_tests::receiver::Reply;
use serde_json::{Value, json};

use super::town::{House, Kind, Usual};
use crate::house::Stage;

/// How long anything may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The stage of one case.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) house: Arc<House>,
    /// Tells the telephones and addresses of the cases apart.
    n: u16,
    pub(super) customer: Customer,
    /// The app, when it is the case's own.
    app: Option<App>,
    /// Its notice `尊敬的{name},订单{no}已发货`.
    pub(super) notice: String,
    /// Its menu without places.
    pub(super) menu: String,
}

impl Stage for Scene {
    type Kind = Kind;
    type Usual = Usual;

    fn prepare(_: Kind, _: &Installation) {}

    fn furnish(installation: &Installation, server: &Server, operator: &Operator) -> Usual {
        let customer = Customer::from(installation.customer(server));
        let demo = operator.app_named("demo");
        operator.open_all(&demo);
        let (notice, menu) = templates(operator, &demo);
        let unreviewed = operator.template_of("named", &demo, "尊敬的{name}，您好", false);
        Usual { customer, notice, menu, unreviewed }
    }

    fn new(house: &Arc<House>, n: u16) -> Self {
        let Usual { customer, notice, menu, .. } = &house.usual;
        let customer = Customer { from: Some(address(n)), ..customer.clone() };
        Self { house: Arc::clone(house), n, customer, app: None, notice: notice.clone(), menu: menu.clone() }
    }

    /// It has an enterprise, a key, a number, templates, every kind of call, and ports for all.
    fn take_app(&mut self) {
        let house = Arc::clone(&self.house);
        let operator = &house.operator;
        let app = operator.app(&format!("enterprise {}", self.n), &format!("app {}", self.n));
        operator.open_all(&app);
        let (key, secret) = operator.key(&app);
        self.customer = Customer { key, secret, ..self.customer.clone() };
        operator.add_number(&app, &format!("+86{}", self.own_number()));
        (self.notice, self.menu) = templates(operator, &app);
        self.app = Some(app);
    }

    fn told(answer: &Answer) -> String {
        super::told(answer)
    }
}

impl Scene {
    /// The operator of the house.
    pub(super) fn operator(&self) -> &Operator {
        &self.house.operator
    }

    /// The app of its own.
    pub(super) fn app(&self) -> &App {
        self.app.as_ref().expect("a case that is given something has an app of its own")
    }

    /// The number of an app of its own, without +86.
    pub(super) fn own_number(&self) -> String {
        format!("7551{:07}", self.n)
    }

    /// A telephone with that fate: the last four digits.
    pub(super) fn mobile(&self, fate: &str) -> String {
        format!("138{:04}{fate}", self.n)
    }

    /// Another one.
    pub(super) fn other(&self, fate: &str) -> String {
        format!("139{:04}{fate}", self.n)
    }

    /// The parameters of an action, unsigned. Its call is over at once: the telephone is busy.
    pub(super) fn form(&self, action: &str) -> Form {
        let form = self.customer.common(action).with("Mobile", &self.mobile(BUSY));
        match action {
            NOTIFY => form.with("TplId", &self.notice).with("TplParams", VALUES),
            IVR => form.with("TplId", &self.menu).with("TplParams", "{}"),
            _ => form.with("TplId", "100001").with("Code", "123456"),
        }
    }

    /// The same as clients send it who sign in a header: without what the other signature needs.
    pub(super) fn lean(&self, action: &str) -> Form {
        self.form(action).only(&["Action", "Version", "Mobile", "TplId", "Code", "TplParams"])
    }

    /// Signs parameters and asks.
    pub(super) fn send(&self, form: Form) -> Answer {
        self.as_is(&self.customer.signed(form))
    }

    /// Asks with parameters as they are.
    pub(super) fn as_is(&self, form: &Form) -> Answer {
        self.customer.post(form).send(&self.customer.address)
    }

    /// Asks for a code with some parameters otherwise.
    pub(super) fn verify(&self, more: &[(&str, &str)]) -> Answer {
        self.ask(VERIFY, more)
    }

    /// Asks for a notice with some parameters otherwise.
    pub(super) fn notify(&self, more: &[(&str, &str)]) -> Answer {
        self.ask(NOTIFY, more)
    }

    /// Asks for a menu with some parameters otherwise.
    pub(super) fn ivr(&self, more: &[(&str, &str)]) -> Answer {
        self.ask(IVR, more)
    }

    fn ask(&self, action: &str, more: &[(&str, &str)]) -> Answer {
        let lay = |form: Form, (name, value): &(&str, &str)| form.with(name, value);
        self.send(more.iter().fold(self.form(action), lay))
    }

    /// Asks without a parameter.
    pub(super) fn without(&self, action: &str, name: &str) -> Answer {
        self.send(self.form(action).without(name))
    }

    /// Sends what was signed in a header.
    pub(super) fn send_v4(&self, v4: &V4) -> Answer {
        v4.request().send(&self.customer.address)
    }

    /// Whether a telephone was called, before another one was that is called now.
    pub(super) fn called(&self, mobile: &str) -> &'static str {
        let other = self.other(BUSY);
        let call = self.verify(&[("Mobile", &other)]);
        let _id = call_id(&call);
        let dialled =
            |number: &str| self.house.carrier.heard().iter().any(|leg| leg.dialled == format!("+86{number}"));
        huihu_tests::wait::until("the other telephone", PATIENCE, || dialled(&other).then_some(()));
        if dialled(mobile) { "somebody called" } else { "nobody called" }
    }

    /// Has the operator of the house send the reports of the app of its own to a path of its own, which takes them.
    pub(super) fn takes_reports(&self) {
        let path = self.report_path();
        let url = self.house.receiver.url(&path);
        self.house.receiver.answer(&path, |_| Reply::code(0));
        self.operator().change_app(self.app(), &json!({"report_url": url}));
    }

    /// Where its reports go.
    pub(super) fn report_path(&self) -> String {
        format!("voice_report/{}", self.n)
    }

    /// The report of an accepted call.
    pub(super) fn report(&self, answer: &Answer) -> Value {
        self.house.receiver.report(&call_id(answer))
    }
}

/// The two templates that every app has.
fn templates(operator: &Operator, app: &App) -> (String, String) {
    (operator.template_of("named", app, NOTICE, true), operator.template_of("menu", app, MENU, true))
}

/// What a notice says: nine characters besides its values.
const NOTICE: &str = "尊敬的{name},订单{no}已发货";

/// Values of the notice.
pub(super) const VALUES: &str = r#"{"name":"张三","no":"1"}"#;

/// A menu of two levels. Nobody waits long in it.
const MENU: &str = r#"{
    "nodes": {
        "root": {"prompt": "一", "keys": {"1": "next", "0": "end"}, "waitSecs": 1, "plays": 1},
        "next": {"prompt": "二", "keys": {"2": "last"}, "waitSecs": 1, "plays": 1},
        "last": {"prompt": "三"}
    },
    "bye": "再见"
}"#;

/// Says that he is busy.
pub(super) const BUSY: &str = "0486";

/// Answers and never hangs up.
pub(super) const STAYS: &str = "0001";

/// Answers, and hangs up after three and a half seconds.
pub(super) const TALKS: &str = "0002";

/// A loopback address for each case: bans, lists and areas of one are nothing to the others.
fn address(n: u16) -> IpAddr {
    let [high, low] = n.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 2, high, low.saturating_add(1)))
}
