//! Plays rows to a push. Each row is written as a few words with times of one day, in UTC:
//!
//! ```text
//! report menu call=10:44:12 over=10:44:39 by=Platform cause=Normal keys=1
//! A dialled=10:44:10 ringing=10:44:15 answered=10:44:20
//! ```
//!
//! Settings of an exchange: `url`, `codes` (`status` or `detailed`), `numbers` (`text`), `menus are`, `caller`, `ext id`.

use base::account::{NumberForm, PushSignature, ReportCodes, ReportForm};
use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::id::{AppId, CallId, Leg};
use base::number::E164;
use base::order::{Code, Menu, MenuTree, Notice, Product, Repeats};
use base::private::Private;
use base::record::CallRecord;
use base::row::{Row, StatusKind, StatusRow};
use base::url::PushUrl;
use huihu_dialects::ksyun::{Ksyun, session};
use huihu_dialects::{Dialect, PushId, Stamp};

use super::request;
use crate::transcript::Exchange;
use crate::words::{Words, at};

/// The call of the vendor's own sample; other calls differ in their second.
const CALL: &str = "655e08e182c11590662652";

/// The day of that sample.
const DAY: &str = "2020-05-28";

/// The push that an exchange's rows become, as text; `nothing` when they cannot travel together.
pub(super) fn play(exchange: &Exchange) -> String {
    let rows = rows(exchange);
    let key = request::key();
    let stamp = Stamp {
        id: PushId(7),
        key: &key,
        signature: PushSignature::Joined,
        reports: form(exchange),
        now: at(DAY, "11:00:00"),
        nonce: 1,
    };
    let Some(push) = Ksyun.push(&rows, &stamp) else { return "nothing".to_owned() };
    assert_eq!(push.id, PushId(7));
    let headers: String = push.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("POST {}\n{headers}\n{}", push.url, String::from_utf8(push.body).unwrap())
}

fn form(exchange: &Exchange) -> ReportForm {
    ReportForm {
        codes: match exchange.setting("codes") {
            None | Some("status") => ReportCodes::Status,
            Some("detailed") => ReportCodes::Detailed,
            Some(other) => panic!("no codes are called {other}"),
        },
        numbers: match exchange.setting("numbers") {
            None => NumberForm::Number,
            Some("text") => NumberForm::Text,
            Some(other) => panic!("no form of numbers is called {other}"),
        },
        menus_are: exchange.setting("menus are").map_or(2, |number| number.parse().unwrap()),
    }
}

fn rows(exchange: &Exchange) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in exchange.input.lines() {
        let words = Words::of(line, DAY);
        match words.words[0] {
            "report" => rows.push(Row::Report(Box::new(record(&words, exchange)))),
            "fee" => rows.push(Row::Fee(Box::new(record(&words, exchange)))),
            "status" => rows.push(Row::Status(status(&words, exchange))),
            "A" => {
                let Some(Row::Report(record)) = rows.last_mut() else { panic!("a leg of what? {line}") };
                record.legs[0] = words.leg(record.ended_at);
            }
            other => panic!("no row is called {other}"),
        }
    }
    rows
}

fn record(words: &Words<'_>, exchange: &Exchange) -> CallRecord {
    CallRecord {
        call: call(words, exchange),
        legs: Default::default(),
        trunks: Default::default(),
        bridged_at: None,
        ended_at: words.at("over").unwrap(),
        ending: words.ending(),
        recording: None,
        speech: Default::default(),
        pressed: Private::new(words.value("keys").unwrap_or("").into()),
    }
}

/// A row that the vendor does not know.
fn status(words: &Words<'_>, exchange: &Exchange) -> StatusRow {
    let call = call(words, exchange);
    let numbers = call.numbers(Leg::A).unwrap();
    StatusRow {
        call: call.id,
        node: call.node.clone(),
        product: call.product.kind(),
        at: words.at("over").unwrap(),
        kind: StatusKind::Ringing,
        leg: Leg::A,
        shown: numbers.shown.clone(),
        dialled: numbers.dialled.clone(),
        user_data: None,
        url: call.report_url.clone(),
    }
}

fn call(words: &Words<'_>, exchange: &Exchange) -> Call {
    let sample: CallId = *session::find(CALL).unwrap().start();
    let number = |text| E164::parse(text).unwrap();
    let (callee, shown) = (number("+8613800000000"), number("+8687510000000"));
    let product = match words.words[1] {
        "code" => Product::Code(Code {
            callee,
            shown,
            before: ClipKey::System(SystemClip::Pause),
            digits: Private::new(Vec::new()),
            after: None,
            times: Some(2),
            repeats: Repeats::Everything,
        }),
        "notice" => Product::Notice(Notice { callee, shown, items: Vec::new() }),
        "menu" => Product::Menu(Menu { callee, shown, tree: MenuTree { nodes: Vec::new(), bye: None } }),
        other => panic!("no product is called {other}"),
    };
    let url = exchange.setting("url").unwrap_or("http://example.com/voice_report/callback");
    let url = words.value("to").unwrap_or(url);
    Call {
        id: words.at("call").map_or(sample, |at| CallId::new(at, sample.random())),
        dialect: "ksyun".into(),
        node: "n".into(),
        account: "golden".into(),
        app: AppId(1),
        key: request::key().id,
        accepted_at: words.at("call").unwrap_or_else(|| sample.at()),
        product,
        status_url: None,
        fee_url: None,
        report_url: (url != "none").then(|| PushUrl::parse(url).unwrap()),
        asked_shown: exchange.setting("caller").map(Into::into),
        user_data: exchange.setting("ext id").map(Into::into),
        tell_who_hung_up: false,
    }
}
