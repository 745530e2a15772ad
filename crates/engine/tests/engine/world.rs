//! The engine under test, its journal, and the words of the stories.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use base::call::{Admitted, Call};
use base::clip::{ClipKey, SystemClip};
use base::fact::{Dialog, Entry, Fact};
use base::id::{AppId, CallId, ClipId, Leg};
use base::number::E164;
use base::order::{Callback, CalleeMedia, Code, Collect, Notice, NoticeItem, Product, Recorded, Repeats};
use base::permit::{Permit, Ports};
use base::private::Private;
use base::time::Timestamp;
use huihu_engine::answering::Answering;
use huihu_engine::tls::TlsServer;
use huihu_engine::{Backend, Engine, Journal, Launch, Settings, Speech, Trunk};
use media::clip::Clip;
use sip::Hop;
use sip::sdp::Codec;

use crate::allocations;
use crate::far::{Far, Phone};

/// How long a story waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Away from the ports that the system gives to sockets that ask for none.
pub(crate) const RTP_PORTS: RangeInclusive<u16> = 10_000..=29_999;

pub(crate) const APP: AppId = AppId(7);

/// Three frames.
pub(crate) const GREETING: [u8; 3] = [0x11, 0x12, 0x13];
/// Two frames, looped.
pub(crate) const WAIT: [u8; 2] = [0x21, 0x22];
/// A second.
pub(crate) const WORDS: [u8; 50] = [0x51; 50];
pub(crate) const BEFORE: u8 = 0x30;
pub(crate) const PAUSE: u8 = 0x31;
/// One frame; plus the digit.
pub(crate) const DIGIT: u8 = 0x40;

/// See the module.
pub(crate) struct World {
    pub(crate) engine: Option<Engine>,
    pub(crate) far: Far,
    pub(crate) settings: Settings,
    pub(crate) ports: Arc<Ports>,
    pages: Arc<Mutex<Vec<Entry>>>,
    /// Whether the journal has no room.
    pub(crate) full: Arc<AtomicBool>,
    /// What the shard's thread had allocated when the journal was last asked, and when it had answered.
    pub(crate) allocated: Arc<[AtomicU64; 2]>,
}

/// A journal in memory.
#[derive(Clone)]
struct Pen {
    pages: Arc<Mutex<Vec<Entry>>>,
    full: Arc<AtomicBool>,
    allocated: Arc<[AtomicU64; 2]>,
}

impl Journal for Pen {
    fn append(&mut self, entries: &mut Vec<Entry>) {
        // Room for one at a time, so that what stays behind is always seen.
        if !self.full.load(Ordering::Acquire) && !entries.is_empty() {
            let mut pages = self.pages.lock().unwrap();
            self.allocated[0].store(allocations::of_this_thread(), Ordering::Release);
            pages.push(entries.remove(0));
            self.allocated[1].store(allocations::of_this_thread(), Ordering::Release);
        }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_shards(1)
    }

    pub(crate) fn with_shards(shards: usize) -> Self {
        Self::with(shards, RTP_PORTS)
    }

    pub(crate) fn with(shards: usize, rtp_ports: RangeInclusive<u16>) -> Self {
        let far = Far::new();
        let settings = Settings {
            sip: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()],
            advertised: None,
            tls: None,
            rtp_ports,
            shards,
            trunks: vec![Trunk::new("trunk", far.address())],
            recordings: None,
            trace: None,
            // Stories that are told slowly keep their early media.
            answering: Answering { early_silence: Duration::from_secs(3_600), ..Answering::default() },
            backend: backend(),
        };
        let mut world = Self {
            engine: None,
            far,
            settings,
            ports: Arc::default(),
            pages: Arc::default(),
            full: Arc::default(),
            allocated: Arc::default(),
        };
        world.start();
        // A new process would find the old address.
        world.settings.sip = world.engine().listening().to_vec();
        world
    }

    /// Starts another engine, which has these trunks.
    pub(crate) fn by(trunks: Vec<Trunk>) -> Self {
        Self::new().with_trunks(trunks)
    }

    /// The same far end, for another engine, which has these trunks.
    pub(crate) fn with_trunks(mut self, trunks: Vec<Trunk>) -> Self {
        self.engine = None;
        self.settings.trunks = trunks;
        self.start();
        self
    }

    /// Starts another engine, which listens for this.
    pub(crate) fn answering(answering: Answering) -> Self {
        let mut world = Self::new();
        world.engine = None;
        world.settings.answering = answering;
        world.start();
        world
    }

    /// Starts another engine, which listens there and has these trunks.
    pub(crate) fn listening_at(listening: Vec<Hop>, tls: Option<TlsServer>, trunks: Vec<Trunk>) -> Self {
        let mut world = Self::new();
        world.engine = None;
        (world.settings.sip, world.settings.tls, world.settings.trunks) = (listening, tls, trunks);
        world.start();
        world
    }

    /// Starts another engine, whose trunk stands behind NAT.
    pub(crate) fn behind_nat() -> Self {
        let mut world = Self::new();
        world.engine = None;
        world.settings.trunks[0].behind_nat = true;
        world.start();
        world
    }

    /// Starts another engine, whose trunk is offered these codecs.
    pub(crate) fn offering(codecs: &[Codec]) -> Self {
        let mut world = Self::new();
        world.engine = None;
        world.settings.trunks[0].codecs = codecs.to_vec();
        world.start();
        world
    }

    /// Starts the engine, again if it was ended.
    pub(crate) fn start(&mut self) {
        let pen = Pen {
            pages: Arc::clone(&self.pages),
            full: Arc::clone(&self.full),
            allocated: Arc::clone(&self.allocated),
        };
        self.engine = Some(Engine::start(&self.settings, || Box::new(pen.clone())).unwrap());
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    /// A launch that was not made yet. With several shards, odd numbers go to the second one.
    pub(crate) fn admitted(&self, number: u32, product: fn(u32) -> Product<ClipKey>) -> Launch {
        self.spoken(number, product, Speech::None)
    }

    /// A launch whose words were spoken before it, or were not.
    pub(crate) fn spoken(&self, number: u32, product: fn(u32) -> Product<ClipKey>, speech: Speech) -> Launch {
        let call = call(number, product(number));
        let clips = clips(&call);
        Launch::new(
            Admitted { call, permit: self.permit(), texts: Vec::new(), objection: None },
            clips,
            speech,
        )
    }

    /// A launch whose clips were lost on the way.
    pub(crate) fn without_clips(&self, number: u32, product: fn(u32) -> Product<ClipKey>) -> Launch {
        let call = call(number, product(number));
        Launch::new(
            Admitted { call, permit: self.permit(), texts: Vec::new(), objection: None },
            Vec::new(),
            Speech::None,
        )
    }

    fn permit(&self) -> Permit {
        Permit::take(&self.ports, 1_000, &Arc::default(), 1_000).unwrap()
    }

    /// Records into this folder from now on.
    pub(crate) fn recording_to(&mut self, folder: &Path) {
        self.engine = None;
        self.settings.recordings = Some(folder.to_owned());
        self.start();
    }

    pub(crate) fn launch(&self, number: u32, product: fn(u32) -> Product<ClipKey>) -> CallId {
        self.launch_as(number, self.admitted(number, product))
    }

    pub(crate) fn launch_as(&self, number: u32, launch: Launch) -> CallId {
        self.engine().launch(launch).unwrap();
        id(number)
    }

    /// Lets the far end live until something has happened.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, happened: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !happened(self) {
            assert!(began.elapsed() < PATIENCE, "this never happened: {what}\n{}", self.last_words());
            self.far.pump();
        }
    }

    /// The telephone of a leg, once its INVITE has come.
    #[track_caller]
    pub(crate) fn phone(&mut self, number: u32, leg: Leg) -> usize {
        let dialled = dialled(number, leg);
        let find = |world: &Self| world.far.phones.iter().rposition(|phone| phone.dialled == dialled);
        self.until("an INVITE", |world| find(world).is_some());
        find(self).unwrap()
    }

    pub(crate) fn at(&mut self, phone: usize) -> &mut Phone {
        &mut self.far.phones[phone]
    }

    /// Both parties of a callback, answered and bridged.
    #[track_caller]
    pub(crate) fn bridged(&mut self, number: u32) -> (usize, usize) {
        self.bridged_by(number, callback)
    }

    /// Both parties of a certain callback.
    #[track_caller]
    pub(crate) fn bridged_by(&mut self, number: u32, product: fn(u32) -> Product<ClipKey>) -> (usize, usize) {
        self.bridged_with(number, product, [|_: &mut Phone| {}; 2])
    }

    /// Both parties of a certain callback, whose telephones were prepared before they answered.
    #[track_caller]
    pub(crate) fn bridged_with<P: FnOnce(&mut Phone)>(
        &mut self,
        number: u32,
        product: fn(u32) -> Product<ClipKey>,
        [of_a, of_b]: [P; 2],
    ) -> (usize, usize) {
        self.launch(number, product);
        let a = self.phone(number, Leg::A);
        of_a(self.at(a));
        self.far.answer(a);
        let b = self.phone(number, Leg::B);
        of_b(self.at(b));
        self.far.answer(b);
        self.until_fact(number, "bridged");
        self.until_confirmed(&[a, b]);
        (a, b)
    }

    /// Places a call to one party, lets it be answered, ends it, and gives its journal in words.
    #[track_caller]
    pub(crate) fn answered(&mut self, number: u32) -> String {
        self.launch(number, code);
        self.until_fact(number, "answered A");
        assert!(self.stop(number, APP));
        self.over(number)
    }

    /// Telephones that have read their ACKs; the engine's facts may come before that.
    #[track_caller]
    pub(crate) fn until_confirmed(&mut self, phones: &[usize]) {
        self.until("the ACKs", |world| phones.iter().all(|phone| world.far.phones[*phone].acked));
    }

    /// Lets both parties say frames for a while, 20 ms each, and gives their first samples.
    pub(crate) fn talk(&mut self, (a, b): (usize, usize), time: Duration) -> (Vec<u8>, Vec<u8>) {
        let (began, mut due, mut first) = (Instant::now(), Duration::ZERO, 0_u8);
        let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
        while began.elapsed() < time {
            if began.elapsed() >= due {
                // A telephone that was held up goes on from there, and does not hurry.
                due = began.elapsed() + Duration::from_millis(20);
                self.at(a).say(&frame(first));
                self.at(b).say(&frame(first.wrapping_add(100)));
                of_a.push(first);
                of_b.push(first.wrapping_add(100));
                first = first.wrapping_add(1);
            }
            self.far.pump();
        }
        (of_a, of_b)
    }

    /// Waits until both have heard each other's last frame, and it has taken its time: 20 ms, and as much for jitter.
    #[track_caller]
    pub(crate) fn hear_out(&mut self, (a, b): (usize, usize), said_by_a: &[u8], said_by_b: &[u8]) {
        self.until("the last frames are heard", |world| {
            let heard = |phone: usize| world.far.phones[phone].tune().last().copied();
            heard(b) == said_by_a.last().copied() && heard(a) == said_by_b.last().copied()
        });
        let heard = Instant::now();
        while heard.elapsed() < Duration::from_millis(40) {
            self.far.pump();
        }
    }

    /// Waits for a fact, by its word.
    #[track_caller]
    pub(crate) fn until_fact(&mut self, number: u32, word: &str) {
        self.until(word, |world| world.facts(number).iter().any(|fact| self::word(fact).starts_with(word)));
    }

    /// Waits until a call is over and gives its journal in words. Nothing may be left of it.
    #[track_caller]
    pub(crate) fn over(&mut self, number: u32) -> String {
        self.until_fact(number, "over");
        let entries = self.entries(number);
        assert!(entries.iter().map(|entry| entry.seq).eq(1..=entries.len() as u32), "a gap in the journal");
        assert!(entries.is_sorted_by_key(|entry| entry.at), "times go back");
        let ends = entries.iter().filter(|entry| matches!(entry.fact, Fact::Over(_))).count();
        assert!(ends == 1 && matches!(entries[entries.len() - 1].fact, Fact::Over(_)));
        let theirs = [Leg::A, Leg::B].map(|leg| dialled(number, leg));
        self.until("the far end is told of the end", |world| {
            world.far.phones.iter().all(|phone| !theirs.contains(&phone.dialled) || !phone.is_open())
        });
        words(&entries)
    }

    /// As [`World::over`], when it was the only call.
    #[track_caller]
    pub(crate) fn all_over(&mut self, number: u32) -> String {
        let words = self.over(number);
        assert_eq!((self.engine().live(), self.ports.taken()), (0, 0), "capacity is given back");
        words
    }

    pub(crate) fn entries(&self, number: u32) -> Vec<Entry> {
        let pages = self.pages.lock().unwrap();
        pages.iter().filter(|entry| entry.call == id(number)).cloned().collect()
    }

    pub(crate) fn facts(&self, number: u32) -> Vec<Fact> {
        self.entries(number).into_iter().map(|entry| entry.fact).collect()
    }

    fn last_words(&self) -> String {
        let pages = self.pages.lock().unwrap();
        words(&pages[pages.len().saturating_sub(50)..])
    }

    /// The keys that a leg pressed.
    pub(crate) fn keys(&self, number: u32, of: Leg) -> String {
        let key = |fact: &Fact| match fact {
            Fact::Digit { leg, digit, .. } if *leg == of => Some(*digit.expose()),
            _ => None,
        };
        self.facts(number).iter().filter_map(key).collect()
    }

    /// The last dialog that the journal knows of a leg.
    pub(crate) fn dialog(&self, number: u32, of: Leg) -> Option<Dialog> {
        self.facts(number).into_iter().rev().find_map(|fact| match fact {
            Fact::Ringing { leg, dialog } | Fact::Answered { leg, dialog } if leg == of => dialog,
            _ => None,
        })
    }

    /// Asks for a stop and gives the answer.
    #[track_caller]
    pub(crate) fn stop(&mut self, number: u32, app: AppId) -> bool {
        let (sender, receiver) = mpsc::channel();
        self.engine().stop(id(number), app, move |stopped| sender.send(stopped).unwrap());
        receiver.recv_timeout(PATIENCE).unwrap()
    }
}

fn words(entries: &[Entry]) -> String {
    entries.iter().map(|entry| word(&entry.fact)).collect::<Vec<_>>().join(", ")
}

fn word(fact: &Fact) -> String {
    match fact {
        Fact::Accepted(_) => "accepted".to_owned(),
        Fact::Dialled { leg, after: Some(status), trunk } => {
            format!("dialled {leg} by {} after {status}", trunk.as_deref().unwrap_or("nobody"))
        }
        Fact::Dialled { leg, .. } => format!("dialled {leg}"),
        Fact::Ringing { leg, .. } => format!("ringing {leg}"),
        Fact::Answered { leg, .. } => format!("answered {leg}"),
        Fact::ClipStarted { leg, clip: ClipKey::System(clip) } => format!("{leg} hears {clip:?}"),
        Fact::ClipStarted { leg, clip: ClipKey::Uploaded(_) } => format!("{leg} hears a clip"),
        Fact::ClipStarted { leg, clip: ClipKey::Spoken(_) } => format!("{leg} hears words"),
        Fact::CodeStarted { leg } => format!("{leg} hears a code"),
        Fact::EarlyMedia { leg } => format!("{leg} hears early media"),
        Fact::Announced { leg, cause } => format!("{leg}'s network says {cause:?}"),
        Fact::Redirected { leg, status } => format!("redirected {leg} by {status}"),
        Fact::PickedUp { leg, answerer } => format!("{leg} is {answerer:?}"),
        Fact::Bridged => "bridged".to_owned(),
        Fact::Digit { leg, .. } => format!("{leg} pressed a key"),
        Fact::Collected { leg, digits } => format!("{leg} answered {}", digits.expose()),
        Fact::Spoken { .. } => "spoken".to_owned(),
        Fact::RecordingStarted => "recording".to_owned(),
        Fact::RecordingEnded { .. } => "recorded".to_owned(),
        Fact::StopAsked => "stop asked".to_owned(),
        Fact::Released { leg, release, .. } => {
            format!("released {leg} {:?} by {:?}", release.cause, release.by)
        }
        Fact::Over(ending) => format!("over {:?}", ending.cause),
    }
}

pub(crate) fn id(number: u32) -> CallId {
    CallId::new(Timestamp::from_millis(1_000_000), u128::from(number))
}

pub(crate) fn dialled(number: u32, leg: Leg) -> String {
    format!("+86138{number:04}000{}", 1 + leg.index())
}

pub(crate) fn call(number: u32, product: Product<ClipKey>) -> Call {
    Call {
        id: id(number),
        dialect: "huawei".into(),
        node: "here".into(),
        account: "shop".into(),
        app: APP,
        key: "key".into(),
        accepted_at: Timestamp::from_millis(1_000_000),
        product,
        status_url: None,
        fee_url: None,
        report_url: None,
        asked_shown: None,
        user_data: None,
        tell_who_hung_up: false,
    }
}

pub(crate) fn callback(number: u32) -> Product<ClipKey> {
    Product::Callback(order(number))
}

pub(crate) fn order(number: u32) -> Callback<ClipKey> {
    Callback {
        caller: E164::parse(&dialled(number, Leg::A)).unwrap(),
        callee: E164::parse(&dialled(number, Leg::B)).unwrap(),
        shown_to_caller: E164::parse("+8675500000001").unwrap(),
        shown_to_callee: E164::parse("+8675500000002").unwrap(),
        longest: None,
        pre_voice: None,
        wait_voice: ClipKey::System(SystemClip::RingBack),
        callee_media: CalleeMedia::All,
        recorded: None,
    }
}

/// A callback that is recorded.
pub(crate) fn recorded(number: u32) -> Product<ClipKey> {
    let hint = ClipKey::System(SystemClip::HintTone);
    Product::Callback(Callback { recorded: Some(Recorded { hint }), ..order(number) })
}

/// A notice of two items; the second one is repeated by `1`.
pub(crate) fn notice(number: u32) -> Product<ClipKey> {
    let collect = Some(Collect { digits_max: 1, replay_on: Some(Private::new("1".into())) });
    let spoken = ClipKey::Spoken(ClipId::from_bytes([2; 16]));
    Product::Notice(Notice {
        callee: E164::parse(&dialled(number, Leg::A)).unwrap(),
        shown: E164::parse("+8675500000001").unwrap(),
        items: vec![NoticeItem { voice: greeting(), collect: None }, NoticeItem { voice: spoken, collect }],
    })
}

pub(crate) const fn greeting() -> ClipKey {
    ClipKey::Uploaded(ClipId::from_bytes([1; 16]))
}

pub(crate) fn code(number: u32) -> Product<ClipKey> {
    Product::Code(Code {
        callee: E164::parse(&dialled(number, Leg::A)).unwrap(),
        shown: E164::parse("+8675500000001").unwrap(),
        before: ClipKey::System(SystemClip::Transferring),
        digits: Private::new(vec![4, 7, 1, 0]),
        after: None,
        times: Some(2),
        repeats: Repeats::Digits,
    })
}

fn clips(call: &Call) -> Vec<(ClipKey, Clip)> {
    let frames =
        |first: &[u8]| Clip::from_alaw(&first.iter().flat_map(|first| frame(*first)).collect::<Vec<u8>>());
    let clip = |key: ClipKey| match key {
        ClipKey::System(SystemClip::RingBack) => frames(&WAIT),
        ClipKey::System(SystemClip::Digit(digit)) => frames(&[DIGIT + digit]),
        ClipKey::System(SystemClip::Pause) => frames(&[PAUSE]),
        ClipKey::System(_) => frames(&[BEFORE]),
        ClipKey::Uploaded(_) => frames(&GREETING),
        ClipKey::Spoken(_) => frames(&WORDS),
    };
    call.clips().into_iter().map(|key| (key, clip(key))).collect()
}

/// A frame that is known by its first sample, and no two samples of which are the same as their neighbours.
pub(crate) fn frame(first: u8) -> Vec<u8> {
    (0..160).map(|at: u8| first.wrapping_add(at.wrapping_mul(7))).collect()
}

/// An address where nobody is.
pub(crate) const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The stories are told twice: `tests/epoll` tells them with epoll, `tests/engine` with what the engine chooses.
fn backend() -> Backend {
    if env!("CARGO_CRATE_NAME") == "epoll" { Backend::Epoll } else { Backend::Auto }
}
