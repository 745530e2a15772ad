//! What customers ask for: products of both dialects, to telephones of all kinds, each with a number of its own.

use std::io;

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use tests::api::{self, NUMBER, encoded};
use tests::ksyun;

use crate::history::{Answer, Order, Product};

/// A call that somebody wants.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    what: What,
    /// The mobile numbers, without the country.
    parties: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Callback,
    Code,
    Notice,
    ReportedCode,
    ReportedNotice,
    Menu,
}

/// Where and how to ask.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) customer: api::Customer,
    pub(crate) status: String,
    pub(crate) fee: String,
    pub(crate) notice: String,
    pub(crate) menu: String,
}

impl Wish {
    /// The wish of that number. At most [`WISHES_MAX`] have numbers of their own.
    pub(crate) fn draw(n: usize, dice: &mut SmallRng) -> Self {
        let all = [
            What::Callback,
            What::Callback,
            What::Code,
            What::Notice,
            What::ReportedCode,
            What::ReportedNotice,
            What::Menu,
        ];
        let what = *all.choose(dice).expect("there are products");
        let count = if matches!(what, What::Callback) { 2 } else { 1 };
        let mut party = |which| {
            let fate = FATES.choose(dice).expect("there are fates");
            format!("1{:06}{fate}", FIRST + 2 * n + which)
        };
        Self { what, parties: (0..count).map(&mut party).collect() }
    }

    /// A callback between two such telephones, to be recorded.
    pub(crate) fn callback(fates: [&str; 2]) -> Self {
        let parties = (0..).zip(fates).map(|(which, fate)| format!("1{:06}{fate}", FIRST + which)).collect();
        Self { what: What::Callback, parties }
    }

    /// Asks for it, and says what was heard.
    pub(crate) fn place(&self, desk: &Desk) -> Order {
        let answer = match self.ask(desk) {
            Ok(answer) => heard(&answer),
            Err(fault) if fault.kind() == io::ErrorKind::ConnectionRefused => Answer::NobodyThere,
            Err(_) => Answer::InDoubt,
        };
        let product = match self.what {
            What::Callback => Product::Callback,
            What::Code => Product::Code,
            What::Notice => Product::Notice,
            What::ReportedCode | What::ReportedNotice | What::Menu => Product::Reported,
        };
        Order { product, parties: self.parties.iter().map(|number| last_ten(number)).collect(), answer }
    }

    fn ask(&self, desk: &Desk) -> io::Result<api::Answer> {
        let Desk { customer, status, fee, notice, menu } = desk;
        let abroad = |number: &str| format!("+86{number}");
        let callee = abroad(&self.parties[0]);
        let urls = json!({"statusUrl": encoded(status), "feeUrl": encoded(fee)});
        let post = |path: &str, mut body: Value| {
            api::lay(&mut body, &urls);
            customer.try_post(path, &body)
        };
        let other = ksyun::Customer::from(customer.clone());
        let mobile = ("Mobile", self.parties[0].as_str());
        match self.what {
            What::Callback => post(
                api::CALLBACK,
                json!({
                    "displayNbr": NUMBER, "displayCalleeNbr": NUMBER,
                    "callerNbr": callee, "calleeNbr": abroad(&self.parties[1]), "recordFlag": "true",
                }),
            ),
            What::Code => post(
                api::CODE,
                json!({
                    "displayNbr": NUMBER, "calleeNbr": callee, "languageType": 2, "preTone": "welcome.wav",
                    "verifyCode": "4829",
                }),
            ),
            What::Notice => {
                let items = json!([{"notifyVoice": "welcome.wav"}]);
                post(api::NOTICE, json!({"displayNbr": NUMBER, "calleeNbr": callee, "playInfoList": items}))
            }
            What::ReportedCode => {
                other.try_ask(ksyun::VERIFY, &[mobile, ("TplId", "100001"), ("Code", "4829")])
            }
            What::ReportedNotice => {
                other.try_ask(ksyun::NOTIFY, &[mobile, ("TplId", notice), ("TplParams", "{}")])
            }
            What::Menu => other.try_ask(ksyun::IVR, &[mobile, ("TplId", menu), ("TplParams", "{}")]),
        }
    }
}

/// Asks for an accepted call to end, where its dialect can; whatever comes of it.
pub(crate) fn stop(desk: &Desk, order: &Order, dice: &mut SmallRng) {
    if let (Answer::Accepted(call), Product::Callback | Product::Code | Product::Notice) =
        (&order.answer, order.product)
        && dice.random_range(0..10) == 0
    {
        let body = json!({"sessionid": call, "signal": "call_stop"});
        desk.customer.try_post(api::STOP, &body).ok();
    }
}

fn heard(answer: &api::Answer) -> Answer {
    let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
    let accepted = text("sessionId").or_else(|| text("CallId")).filter(|_| answer.status == 200);
    match accepted {
        Some(call) => Answer::Accepted(call),
        None => {
            let code = text("resultcode").or_else(|| text("Code"));
            let code = code.or_else(|| answer.body["Error"]["Code"].as_str().map(str::to_owned));
            Answer::Refused(code.unwrap_or_else(|| answer.status.to_string()))
        }
    }
}

/// What tells one telephone from another however its number is written.
pub(crate) fn last_ten(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(10)..].iter().collect()
}

/// What becomes of a call, by the last digits that are dialled: most of them are short, a few last until they are ended.
const FATES: [&str; 10] = ["0002", "0002", "0002", "0002", "0001", "0001", "0480", "0486", "0404", "0603"];

/// The first number; the ones after it are all mobile numbers too.
const FIRST: usize = 300_000;

/// How many wishes there are telephones for: a hundred thousand numbers, two for each.
pub(crate) const WISHES_MAX: usize = 50_000;
