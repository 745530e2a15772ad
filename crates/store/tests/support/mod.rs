//! A data directory with a journal, and calls to write into it.

use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::fact::{Dialog, Entry, Fact};
use base::id::{AppId, CallId, Leg};
use base::number::E164;
use base::order::{Callback, CalleeMedia, Product};
use base::release::{Cause, Ending, Party, Release};
use base::time::Timestamp;
use base::url::PushUrl;

/// 2026-01-02T03:04:05Z, when every story begins.
pub(crate) const BEGIN: Timestamp = Timestamp::from_millis(1_767_323_045_000);

/// So many milliseconds after the beginning.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN.millis() + millis)
}

/// The call of that number, a callback whose pushes go to `host`.
pub(crate) fn call(number: u32, host: &str) -> Call {
    let url = |path| PushUrl::parse(&format!("http://{host}/{path}")).expect("a receiver");
    let party = |digit: u32| E164::parse(&format!("+86138{digit}{:07}", number)).expect("a number");
    Call {
        id: CallId::new(BEGIN, u128::from(number)),
        dialect: "huawei".into(),
        node: "node-1".into(),
        account: "acme".into(),
        app: AppId(1),
        key: "key-1".into(),
        accepted_at: BEGIN,
        product: Product::Callback(Callback {
            caller: party(0),
            callee: party(1),
            shown_to_caller: E164::parse("+8675500000001").expect("a number"),
            shown_to_callee: E164::parse("+8675500000002").expect("a number"),
            longest: None,
            pre_voice: None,
            wait_voice: ClipKey::System(SystemClip::RingBack),
            callee_media: CalleeMedia::All,
            recorded: None,
        }),
        status_url: Some(url("status")),
        fee_url: Some(url("fee")),
        report_url: None,
        asked_shown: None,
        user_data: Some("order 17".into()),
        tell_who_hung_up: true,
    }
}

/// Every entry of a call in which both parties answer and talk: the acceptance, then eleven facts.
pub(crate) fn talk(call: Call) -> Vec<Entry> {
    let id = call.id;
    let dialog = || Some(Dialog(r#"{"call":"7f3a9c","from":"a1","to":"b2","cseq":1,"route":[]}"#.into()));
    let released = |leg, by| Fact::released(leg, Release::normal(by));
    let facts = [
        Fact::Accepted(Box::new(call)),
        Fact::dialled(Leg::A),
        Fact::Ringing { leg: Leg::A, dialog: dialog() },
        Fact::Answered { leg: Leg::A, dialog: dialog() },
        Fact::dialled(Leg::B),
        Fact::ClipStarted { leg: Leg::A, clip: ClipKey::System(SystemClip::RingBack) },
        Fact::Ringing { leg: Leg::B, dialog: dialog() },
        Fact::Answered { leg: Leg::B, dialog: dialog() },
        Fact::Bridged,
        released(Leg::A, Party::Caller),
        released(Leg::B, Party::Caller),
        Fact::Over(Ending { by: Party::Caller, cause: Cause::Normal, leg: Some(Leg::A) }),
    ];
    let entry = |(fact, seq): (Fact, u32)| Entry { call: id, seq, at: at(i64::from(seq) * 100), fact };
    facts.into_iter().zip(0..).map(entry).collect()
}
