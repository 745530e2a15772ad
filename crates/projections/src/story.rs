//! Calls told in a line, for tests: `0 accepted; 104 dialled A; 900 ringing A; 950 released A Caller Busy; …`.
//!
//! Each fact begins with its time in milliseconds after the acceptance.

use std::time::Duration;

use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::fact::{Entry, Fact, KeySource};
use base::id::{AppId, CallId, ClipId, Leg};
use base::number::E164;
use base::order::{
    Callback, CalleeMedia, Choice, Code, Collect, Menu, MenuNode, MenuTree, Notice, NoticeItem, Product,
    Recorded, Repeats, Then,
};
use base::private::Private;
use base::record::CallRecord;
use base::release::{Cause, Ending, Party, Release};
use base::row::{Row, StatusKind};
use base::time::Timestamp;
use base::url::PushUrl;

use crate::fold::Fold;

/// A callback in which both parties answer and A hangs up.
pub(crate) const CONNECTED: &str = "0 accepted; 100 dialled A; 1000 ringing A; 4000 answered A; 4050 clip A; \
    4100 dialled B; 5000 ringing B; 6000 early A; 9000 answered B; 9001 bridged; 30000 released A Caller Normal; \
    30200 released B Caller Normal; 30201 over Caller Normal A";

/// A callback whose first party is busy at once.
pub(crate) const A_BUSY: &str = "0 accepted; 5 dialled A; 90 released A Caller Busy; 90 over Caller Busy A";

/// The entries of a callback.
pub(crate) fn callback(text: &str) -> Vec<Entry> {
    let wait_voice = ClipKey::System(SystemClip::RingBack);
    entries(
        text,
        Product::Callback(Callback {
            caller: number("+8613800000001"),
            callee: number("+8613800000002"),
            shown_to_caller: number("+8675500000001"),
            shown_to_callee: number("+8675500000002"),
            longest: None,
            pre_voice: None,
            wait_voice,
            callee_media: CalleeMedia::All,
            recorded: Some(Recorded { hint: ClipKey::System(SystemClip::HintTone) }),
        }),
    )
}

/// The entries of a notice that is spoken and asks for a key.
pub(crate) fn notice(text: &str) -> Vec<Entry> {
    let collect = Some(Collect { digits_max: 1, replay_on: None });
    entries(
        text,
        Product::Notice(Notice {
            callee: number("+8613800000001"),
            shown: number("+8675500000001"),
            items: vec![NoticeItem { voice: SPEECH, collect }],
        }),
    )
}

/// The entries of a spoken menu, where 1 leads from the root to itself.
pub(crate) fn menu(text: &str) -> Vec<Entry> {
    let root = MenuNode {
        prompt: SPEECH,
        choices: vec![Choice { key: '1', then: Then::Node(0) }],
        wait: Duration::from_secs(5),
        plays: 2,
        wrong: None,
    };
    entries(
        text,
        Product::Menu(Menu {
            callee: number("+8613800000001"),
            shown: number("+8675500000001"),
            tree: MenuTree { nodes: vec![root], bye: None },
        }),
    )
}

/// The entries of a verification code.
pub(crate) fn code(text: &str) -> Vec<Entry> {
    let before = ClipKey::System(SystemClip::Transferring);
    let digits = Private::new(vec![4, 7, 1, 1]);
    let callee = number("+8613800000001");
    let shown = number("+8675500000001");
    let repeats = Repeats::Digits;
    entries(text, Product::Code(Code { callee, shown, before, digits, after: None, times: Some(1), repeats }))
}

/// The same call, ordered by somebody who does not want to be told.
pub(crate) fn without_receivers(mut entries: Vec<Entry>) -> Vec<Entry> {
    let call = promised(&mut entries);
    call.status_url = None;
    call.fee_url = None;
    entries
}

/// The same call, ordered by somebody who is told by a report when it is over.
pub(crate) fn told_by_report(entries: Vec<Entry>) -> Vec<Entry> {
    let mut entries = without_receivers(entries);
    promised(&mut entries).report_url = url("report");
    entries
}

/// The fold after all entries.
pub(crate) fn fold(entries: &[Entry], rows: &mut Vec<Row>) -> Fold {
    let mut fold = Fold::begin(&entries[0]).unwrap();
    for entry in entries {
        fold.apply(entry, rows);
    }
    fold
}

/// All rows that follow from the entries.
pub(crate) fn rows(entries: &[Entry]) -> Vec<Row> {
    let mut rows = Vec::new();
    fold(entries, &mut rows);
    rows
}

/// The record, if the call is over.
pub(crate) fn record(entries: &[Entry]) -> Option<CallRecord> {
    let mut fold = Fold::begin(&entries[0]).unwrap();
    let mut rows = Vec::new();
    let mut records: Vec<_> = entries.iter().filter_map(|entry| fold.apply(entry, &mut rows)).collect();
    assert!(records.len() <= 1, "a call has one record");
    records.pop()
}

/// The rows in a story's words.
pub(crate) fn told(entries: &[Entry]) -> Vec<String> {
    rows(entries).iter().map(tell).collect()
}

/// A moment of the story.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(BEGAN_MILLIS + millis)
}

/// Milliseconds after the acceptance.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.millis() - BEGAN_MILLIS
}

const SPEECH: ClipKey = ClipKey::Spoken(ClipId::from_bytes([3; 16]));

const BEGAN_MILLIS: i64 = 1_767_323_045_000;

fn tell(row: &Row) -> String {
    match row {
        Row::Fee(record) => format!("fee {}", millis(record.ended_at)),
        Row::Report(record) => format!("report {}", millis(record.ended_at)),
        Row::Status(row) => {
            let kind = match row.kind {
                StatusKind::Dialled => "dialled",
                StatusKind::Ringing => "ringing",
                StatusKind::Answered => "answered",
                StatusKind::Collected { .. } => "collected",
                StatusKind::Over { .. } => "over",
            };
            let mut told = format!("{kind} {} {}", row.leg, millis(row.at));
            if let StatusKind::Collected { digits } = &row.kind {
                told += &format!(" {}", digits.expose());
            }
            if let StatusKind::Over { ending, connected, rang, .. } = row.kind {
                told += &format!(" {:?} {:?}", ending.by, ending.cause);
                told += if connected { " connected" } else { "" };
                told += if rang { " rang" } else { "" };
            }
            told
        }
    }
}

fn promised(entries: &mut [Entry]) -> &mut Call {
    let Fact::Accepted(call) = &mut entries[0].fact else { panic!("a call begins with its acceptance") };
    call
}

fn url(path: &str) -> Option<PushUrl> {
    Some(PushUrl::parse(&format!("https://example.com/{path}")).unwrap())
}

fn number(text: &str) -> E164 {
    E164::parse(text).unwrap()
}

fn entries(text: &str, product: Product<ClipKey>) -> Vec<Entry> {
    let id = CallId::new(at(0), 7);
    let call = Call {
        id,
        dialect: "huawei".into(),
        node: "node1".into(),
        account: "acme".into(),
        app: AppId(1),
        key: "key".into(),
        accepted_at: at(0),
        product,
        status_url: url("status"),
        fee_url: url("fee"),
        report_url: None,
        asked_shown: None,
        user_data: None,
        tell_who_hung_up: false,
    };
    let entry = |(seq, line): (u32, &str)| {
        let mut words = line.split_whitespace();
        let millis = words.next().unwrap().parse().unwrap();
        Entry { call: id, seq, at: at(millis), fact: fact(&words.collect::<Vec<_>>(), &call) }
    };
    (0..).zip(text.split(';')).map(entry).collect()
}

fn fact(words: &[&str], call: &Call) -> Fact {
    match *words {
        ["accepted"] => Fact::Accepted(Box::new(call.clone())),
        ["dialled", on] => Fact::dialled(leg(on)),
        ["dialled", on, trunk] => Fact::Dialled { leg: leg(on), trunk: Some(trunk.into()), after: None },
        ["dialled", on, trunk, after] => {
            Fact::Dialled { leg: leg(on), trunk: Some(trunk.into()), after: after.parse().ok() }
        }
        ["ringing", on] => Fact::Ringing { leg: leg(on), dialog: None },
        ["answered", on] => Fact::Answered { leg: leg(on), dialog: None },
        ["clip", on] => Fact::ClipStarted { leg: leg(on), clip: ClipKey::System(SystemClip::RingBack) },
        ["speech", on] => Fact::ClipStarted { leg: leg(on), clip: SPEECH },
        ["early", on] => Fact::EarlyMedia { leg: leg(on) },
        ["announced", on, why] => Fact::Announced { leg: leg(on), cause: cause(why) },
        ["redirected", on, status] => Fact::Redirected { leg: leg(on), status: status.parse().unwrap() },
        ["is", on, who] => {
            Fact::PickedUp { leg: leg(on), answerer: serde_json::from_value(who.into()).unwrap() }
        }
        ["bridged"] => Fact::Bridged,
        ["digit", on] => digit(on, "5", KeySource::Event),
        ["digit", on, key] => digit(on, key, KeySource::Event),
        ["digit", on, key, source] => digit(on, key, serde_json::from_value(source.into()).unwrap()),
        ["collected", on, digits] => Fact::Collected { leg: leg(on), digits: Private::new(digits.into()) },
        ["spoken", took] => Fact::Spoken { took: millis_of(took) },
        ["recording"] => Fact::RecordingStarted,
        ["recorded", length] => Fact::RecordingEnded { length: millis_of(length) },
        ["stop"] => Fact::StopAsked,
        ["released", on, by, why] => Fact::released(leg(on), release(by, why)),
        ["over", by, why] => Fact::Over(Ending { by: party(by), cause: cause(why), leg: None }),
        ["over", by, why, on] => Fact::Over(Ending { by: party(by), cause: cause(why), leg: Some(leg(on)) }),
        _ => panic!("no such fact: {words:?}"),
    }
}

fn digit(on: &str, key: &str, source: KeySource) -> Fact {
    Fact::Digit { leg: leg(on), digit: Private::new(key.parse().unwrap()), source }
}

fn millis_of(word: &str) -> Duration {
    Duration::from_millis(word.parse().unwrap())
}

fn leg(word: &str) -> Leg {
    match word {
        "A" => Leg::A,
        "B" => Leg::B,
        _ => panic!("no such leg: {word}"),
    }
}

fn release(by: &str, why: &str) -> Release {
    let cause = cause(why);
    let status = match cause {
        Cause::Busy => Some(486),
        Cause::NoAnswer => Some(480),
        _ => None,
    };
    Release { by: party(by), cause, status, q850: None, rang: false }
}

fn party(word: &str) -> Party {
    serde_json::from_value(word.into()).unwrap()
}

fn cause(word: &str) -> Cause {
    serde_json::from_value(word.into()).unwrap()
}
