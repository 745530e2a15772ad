//! Plays rows to a push. Each row is written as a few words with times of one day:
//!
//! ```text
//! status callback Over at=03:04:49 leg=A by=Callee cause=Busy of=B rang tell
//! status notice Collected at=03:04:40 digits=1
//! fee callback call=03:04:24 over=03:04:49 by=Caller cause=Normal of=A recorded=03:04:38 plays=2 spoke=1200
//! A dialled=03:04:24 ringing=03:04:27 answered=03:04:31 by=Caller cause=Normal
//! B dialled=03:04:31 by=Callee cause=Busy status=486 q850=17
//! ```
//!
//! Settings of an exchange: `signature` (`off`, `joined` or `lines`), `url`, `user data`.

use std::time::Duration;

use base::account::PushSignature;
use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::id::{AppId, CallId, Leg};
use base::number::E164;
use base::order::{Callback, CalleeMedia, Code, Notice, Product, Repeats};
use base::private::Private;
use base::record::{CallRecord, Recording, SpeechUse};
use base::row::{Row, StatusKind, StatusRow};
use base::url::PushUrl;
use huihu_dialects::huawei::{Huawei, client, session};
use huihu_dialects::{Dialect, PushId, Stamp};

use super::request;
use crate::transcript::Exchange;
use crate::words::{Words, at};

/// The session of the vendor's own status samples; other calls differ in their second.
const SESSION: &str = "1202_14260_4294967295_20190124024846@callenabler245.huaweicaas.com";

/// The day of those samples.
const DAY: &str = "2019-01-24";

/// The push that an exchange's rows become, as text; `nothing` when they cannot travel together.
pub(super) fn play(exchange: &Exchange) -> String {
    let rows = rows(exchange);
    let signature = match exchange.setting("signature") {
        None | Some("joined") => PushSignature::Joined,
        Some("lines") => PushSignature::Lines,
        Some("off") => PushSignature::Off,
        Some(other) => panic!("no signature is called {other}"),
    };
    let key = request::key();
    let nonce = 0xac1c_911c_4792_4926_87f8_f6b2_264a_491e;
    let stamp = Stamp {
        id: PushId(7),
        key: &key,
        signature,
        reports: Default::default(),
        now: at(DAY, "02:49:24"),
        nonce,
    };
    let Some(push) = Huawei.push(&rows, &stamp) else { return "nothing".to_owned() };
    assert_eq!(push.id, PushId(7));
    assert_eq!(client::check_push(&push.headers, push.url.as_str(), &key, signature), Ok(()));
    let headers: String = push.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("POST {}\n{headers}\n{}", push.url, String::from_utf8(push.body).unwrap())
}

fn rows(exchange: &Exchange) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in exchange.input.lines() {
        let words = Words::of(line, DAY);
        match words.words[0] {
            "status" => rows.push(Row::Status(status(&words, exchange))),
            "fee" => rows.push(Row::Fee(Box::new(record(&words, exchange)))),
            leg @ ("A" | "B") => {
                let Some(Row::Fee(record)) = rows.last_mut() else { panic!("a leg of what? {line}") };
                record.legs[usize::from(leg == "B")] = words.leg(record.ended_at);
            }
            other => panic!("no row is called {other}"),
        }
    }
    rows
}

fn call(words: &Words<'_>, exchange: &Exchange) -> Call {
    let (sample, node) = session::parse(SESSION).unwrap();
    let number = |text| E164::parse(text).unwrap();
    let product = match words.words[1] {
        "callback" => Product::Callback(Callback {
            caller: number("+8613700000001"),
            callee: number("+8613700000002"),
            shown_to_caller: number("+8675500008888"),
            shown_to_callee: number("+8675500008889"),
            longest: None,
            pre_voice: None,
            wait_voice: ClipKey::System(SystemClip::RingBack),
            callee_media: CalleeMedia::All,
            recorded: None,
        }),
        "code" => Product::Code(Code {
            callee: number("+8613800000021"),
            shown: number("+8613800000022"),
            before: ClipKey::System(SystemClip::Pause),
            digits: Private::new(Vec::new()),
            after: None,
            times: None,
            repeats: Repeats::Digits,
        }),
        "notice" => Product::Notice(Notice {
            callee: number("+8613800000021"),
            shown: number("+8613800000022"),
            items: Vec::new(),
        }),
        other => panic!("no product is called {other}"),
    };
    let url = exchange.setting("url").unwrap_or("http://127.0.0.1:9000/status");
    let url = (url != "none").then(|| PushUrl::parse(url).unwrap());
    Call {
        id: words.at("call").map_or(sample, |at| CallId::new(at, sample.random())),
        dialect: "huawei".into(),
        node: node.into(),
        account: "golden".into(),
        app: AppId(1),
        key: request::key().id,
        accepted_at: sample.at(),
        product,
        status_url: url.clone(),
        fee_url: url,
        report_url: None,
        asked_shown: None,
        user_data: exchange.setting("user data").map(Into::into),
        tell_who_hung_up: words.has("tell"),
    }
}

fn status(words: &Words<'_>, exchange: &Exchange) -> StatusRow {
    let call = call(words, exchange);
    let leg: Leg = words.one_of("leg").unwrap_or(Leg::A);
    let numbers = call.numbers(leg).unwrap();
    let kind = match words.words[2] {
        "Dialled" => StatusKind::Dialled,
        "Ringing" => StatusKind::Ringing,
        "Answered" => StatusKind::Answered,
        "Collected" => StatusKind::Collected { digits: Private::new(words.value("digits").unwrap().into()) },
        "Over" => StatusKind::Over {
            ending: words.ending(),
            connected: words.has("connected"),
            rang: words.has("rang"),
            tell_who_hung_up: words.has("tell"),
        },
        other => panic!("no status is called {other}"),
    };
    StatusRow {
        call: call.id,
        node: call.node.clone(),
        product: call.product.kind(),
        at: words.at("at").unwrap(),
        kind,
        leg,
        shown: numbers.shown.clone(),
        dialled: numbers.dialled.clone(),
        user_data: call.user_data.clone(),
        url: call.status_url.clone(),
    }
}

fn record(words: &Words<'_>, exchange: &Exchange) -> CallRecord {
    CallRecord {
        call: call(words, exchange),
        legs: Default::default(),
        trunks: Default::default(),
        bridged_at: None,
        ended_at: words.at("over").unwrap(),
        ending: words.ending(),
        recording: words
            .at("recorded")
            .map(|started_at| Recording { started_at, length: Duration::from_secs(11) }),
        speech: SpeechUse {
            plays: words.number("plays").unwrap_or(0),
            took: Duration::from_millis(words.number("spoke").unwrap_or(0)),
        },
        pressed: Default::default(),
    }
}
