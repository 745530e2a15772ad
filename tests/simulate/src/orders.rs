//! The calls of a world, drawn.

use std::time::Duration;

use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::id::{AppId, CallId, ClipId, Leg};
use base::number::E164;
use base::order::{
    Callback, CalleeMedia, Choice, Code, Collect, Ears, Longest, Menu, MenuNode, MenuTree, Notice,
    NoticeItem, Product, Recorded, Repeats, Then,
};
use base::private::Private;
use base::time::Timestamp;
use base::url::PushUrl;
use media::clip::Clip;
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

/// The app that orders all of them.
pub(crate) const APP: AppId = AppId(7);

/// The nth call of a world, accepted at a time.
pub(crate) fn draw(nth: usize, accepted_at: Timestamp, rng: &mut SmallRng) -> Call {
    let by_report = rng.random_bool(0.3);
    let url = |is_wanted: bool, path: &str| {
        is_wanted.then(|| PushUrl::parse(&format!("https://example.com/{path}")).ok()).flatten()
    };
    let numbers = [Leg::A, Leg::B].map(|leg| number(&format!("+86138{nth:04}000{}", 1 + leg.index())));
    let shown = number("+8675500000001");
    let product = match rng.random_range(0..10) {
        0..5 => Product::Callback(callback(numbers, shown, rng)),
        5..6 => Product::Code(code(numbers, shown, rng)),
        6..8 => Product::Notice(notice(numbers, shown, rng)),
        _ => Product::Menu(menu(numbers, shown, rng)),
    };
    Call {
        id: CallId::new(accepted_at, rng.random()),
        dialect: "huawei".into(),
        node: "here".into(),
        account: "shop".into(),
        app: APP,
        key: "key".into(),
        accepted_at,
        product,
        status_url: url(!by_report, "status"),
        fee_url: url(!by_report, "fee"),
        report_url: url(by_report, "report"),
        asked_shown: None,
        user_data: None,
        tell_who_hung_up: rng.random(),
    }
}

/// The clips that a call may play; now and then one is missing.
pub(crate) fn clips(call: &Call, rng: &mut SmallRng) -> Vec<(ClipKey, Clip)> {
    let lost = rng.random_bool(0.03);
    let frames = |frames: usize| Clip::from_alaw(&vec![0x55; frames * 160]);
    let clip = |key: ClipKey| match key {
        ClipKey::System(SystemClip::RingBack) => frames(50),
        ClipKey::System(_) => frames(10),
        ClipKey::Uploaded(_) => frames(40),
        ClipKey::Spoken(_) => frames(75),
    };
    let all = call.clips().into_iter().map(|key| (key, clip(key)));
    all.skip(usize::from(lost)).collect()
}

fn callback([caller, callee]: [E164; 2], shown: E164, rng: &mut SmallRng) -> Callback<ClipKey> {
    let last_minute = ClipKey::System(SystemClip::LastMinute);
    let ears = *[Ears::A, Ears::B, Ears::Both].choose(rng).unwrap_or(&Ears::Both);
    let longest = Longest { talk: Duration::from_secs(60), last_minute, ears };
    Callback {
        caller,
        callee,
        shown_to_caller: shown.clone(),
        shown_to_callee: shown,
        longest: rng.random_bool(0.1).then_some(longest),
        pre_voice: rng.random_bool(0.3).then_some(UPLOADED),
        wait_voice: ClipKey::System(SystemClip::RingBack),
        callee_media: *MEDIA.choose(rng).unwrap_or(&CalleeMedia::All),
        recorded: rng.random_bool(0.4).then_some(Recorded { hint: ClipKey::System(SystemClip::HintTone) }),
    }
}

fn code([callee, _]: [E164; 2], shown: E164, rng: &mut SmallRng) -> Code<ClipKey> {
    let digits = (0..rng.random_range(2..=8)).map(|_| rng.random_range(0..=9)).collect();
    Code {
        callee,
        shown,
        before: ClipKey::System(SystemClip::Transferring),
        digits: Private::new(digits),
        after: rng.random_bool(0.3).then_some(UPLOADED),
        times: rng.random_bool(0.9).then(|| rng.random_range(1..=3)),
        repeats: if rng.random() { Repeats::Digits } else { Repeats::Everything },
    }
}

fn notice([callee, _]: [E164; 2], shown: E164, rng: &mut SmallRng) -> Notice<ClipKey> {
    let item = |rng: &mut SmallRng| {
        let replay_on = rng.random_bool(0.5).then(|| Private::new("1".into()));
        let collect = Collect { digits_max: rng.random_range(1..=4), replay_on };
        let voice = if rng.random() { UPLOADED } else { SPOKEN };
        NoticeItem { voice, collect: rng.random_bool(0.5).then_some(collect) }
    };
    let items = (0..rng.random_range(1..=3)).map(|_| item(rng)).collect();
    Notice { callee, shown, items }
}

fn menu([callee, _]: [E164; 2], shown: E164, rng: &mut SmallRng) -> Menu<ClipKey> {
    let nodes = rng.random_range(1..=4);
    let node = |rng: &mut SmallRng| {
        let then = |rng: &mut SmallRng| {
            if rng.random_bool(0.2) { Then::End } else { Then::Node(rng.random_range(0..nodes)) }
        };
        let choices = "123*".chars().filter(|_| rng.random_bool(0.6)).collect::<Vec<_>>();
        MenuNode {
            prompt: if rng.random() { UPLOADED } else { SPOKEN },
            choices: choices.into_iter().map(|key| Choice { key, then: then(rng) }).collect(),
            wait: Duration::from_secs(rng.random_range(1..5)),
            plays: rng.random_range(1..=2),
            wrong: rng.random_bool(0.4).then_some(UPLOADED),
        }
    };
    let nodes = (0..nodes).map(|_| node(rng)).collect();
    Menu { callee, shown, tree: MenuTree { nodes, bye: rng.random_bool(0.4).then_some(UPLOADED) } }
}

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number of ours is one")
}

const UPLOADED: ClipKey = ClipKey::Uploaded(ClipId::from_bytes([1; 16]));

const SPOKEN: ClipKey = ClipKey::Spoken(ClipId::from_bytes([2; 16]));

const MEDIA: [CalleeMedia; 3] = [CalleeMedia::All, CalleeMedia::Nothing, CalleeMedia::FailureOnly];
