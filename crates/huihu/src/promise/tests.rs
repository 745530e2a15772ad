//! Orders between the journal and their shard, with a real journal, a real engine and a voice that waits to be told.

use std::net::SocketAddr;
use std::task::{Context, Waker};

use base::call::{About, Text};
use base::clip::SystemClip;
use base::id::ClipId;
use base::number::E164;
use base::order::{Notice, NoticeItem, Product};
use base::permit::{Permit, Ports};
use base::private::Private;
use base::quota::{Counted, Window};
use speech::cache::CacheSettings;
use speech::shelf::Shelf;
use speech::speech::Speech;
use speech::text::Speed;
use speech::voice::{Pcm, Speaking, Voice};
use speech::wording::Wording;
use store::{Admin, JournalTask, Opened, Store};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::*;

/// The rooms that a promise goes through, and what it takes.
struct Stage {
    _dir: TempDir,
    promises: Promises,
    admin: Admin,
    writer: JournalTask,
    ports: Arc<Ports>,
    /// Texts that the voice may speak.
    turns: Arc<Semaphore>,
}

/// A voice that speaks a text for each permit, and panics when there will be none any more.
#[derive(Debug)]
struct Patient(Arc<Semaphore>);

impl Voice for Patient {
    fn name(&self) -> &'static str {
        "patient"
    }

    fn identity(&self) -> &str {
        "patient"
    }

    fn workers(&self) -> usize {
        1
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn speak<'a>(&'a self, _: &'a Wording, _: Speed) -> Speaking<'a> {
        Box::pin(async {
            self.0.acquire().await.expect("somebody wants to hear it").forget();
            Ok(Pcm { samples: vec![0.5; 8_000], rate: 8_000 })
        })
    }
}

/// The engine's pen.
struct Pen(Journal);

impl engine::Journal for Pen {
    fn append(&mut self, entries: &mut Vec<Entry>) {
        if let Err(refused) = self.0.append(std::mem::take(entries)) {
            *entries = refused;
        }
    }
}

impl Stage {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let term = store.serve("node", wall()).await.unwrap();
        let Opened { journal, task, .. } = Journal::open(&store, term, wall).await.unwrap();
        let pen = || Box::new(Pen(journal.clone())) as Box<dyn engine::Journal>;
        let engine = Engine::start(&settings(), pen).unwrap();
        let turns = Arc::new(Semaphore::new(0));
        let voices: Vec<Box<dyn Voice>> = vec![Box::new(Patient(Arc::clone(&turns)))];
        let speech = Speech::new(voices, &CacheSettings::at(dir.path().join("speech"))).unwrap();
        let promises = Promises {
            journal,
            engine: Arc::new(engine),
            clips: Arc::new(Clips::new(Shelf::open(dir.path().join("clips")).unwrap())),
            words: Words(speech),
            tally: Arc::new(Tally::new()),
            patience: Duration::from_secs(60),
            ring: Duration::from_secs(60),
            waiting: Waiting::default(),
            tasks: TaskTracker::new(),
        };
        Self { _dir: dir, promises, admin: Admin::new(&store), writer: task, ports: Arc::default(), turns }
    }

    /// An admitted notice that plays this, counted once.
    fn admission(&self, voice: ClipKey) -> Admission {
        let number = |text| E164::parse(text).unwrap();
        let notice = Notice {
            callee: number("+8613800000001"),
            shown: number("+8675500000001"),
            items: vec![NoticeItem { voice, collect: None }],
        };
        let call = Call {
            id: CallId::new(wall(), 7),
            dialect: "huawei".into(),
            node: "node".into(),
            account: "acme".into(),
            app: APP,
            key: "key".into(),
            accepted_at: wall(),
            product: Product::Notice(notice),
            status_url: None,
            fee_url: None,
            report_url: None,
            asked_shown: None,
            user_data: None,
            tell_who_hung_up: false,
        };
        let words = Private::new("您好".into());
        let texts = match voice {
            ClipKey::Spoken(id) => vec![Text { id, words, speed: 100, about: About::OnePerson }],
            ClipKey::Uploaded(_) | ClipKey::System(_) => Vec::new(),
        };
        self.promises.tally.load([(charge(), 1)]);
        let permit = Permit::take(&self.ports, 1, &Arc::default(), 1).unwrap();
        Admission {
            admitted: Admitted { call, permit, texts, objection: None },
            charges: vec![charge()],
            idle_ports: 0,
        }
    }

    fn counted(&self) -> u32 {
        self.promises.tally.used(&charge())
    }

    /// What the journal knows of a call when every promise is kept and every call is over.
    async fn told(self, call: CallId) -> Vec<Fact> {
        let Promises { journal, engine, tasks, waiting, .. } = self.promises;
        tasks.close();
        tasks.wait().await;
        assert!(waiting.locked().is_empty());
        while engine.live() > 0 {
            tokio::task::yield_now().await;
        }
        tokio::task::spawn_blocking(move || drop(engine)).await.unwrap();
        journal.close();
        self.writer.ended().await;
        assert_eq!(self.ports.taken(), 0);
        let entries = self.admin.entries(call).await.unwrap();
        assert!(self.admin.record(call).await.unwrap().is_some(), "it is closed");
        entries.into_iter().skip(1).map(|entry| entry.fact).collect()
    }
}

fn settings() -> engine::Settings {
    let here = |port| SocketAddr::from(([127, 0, 0, 1], port));
    engine::Settings {
        sip: vec![here(0).into()],
        advertised: None,
        tls: None,
        rtp_ports: 20_000..=29_999,
        shards: 1,
        trunks: vec![engine::Trunk::new("trunk", here(9))],
        recordings: None,
        trace: None,
        answering: engine::answering::Answering::default(),
        backend: engine::Backend::Epoll,
    }
}

fn charge() -> Charge {
    let subject = Private::new("+8613800000001".into());
    Charge { of: Counted::Callee, owner: APP.0, subject, per: Window::Day, began: 0 }
}

const APP: AppId = AppId(7);
const SPOKEN: ClipKey = ClipKey::Spoken(ClipId::from_bytes([7; 16]));

#[test]
fn a_client_that_breaks_off_before_the_promise_is_not_counted() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().max_blocking_threads(1).build().unwrap().block_on(async {
        let stage = Stage::new().await;
        let admission = stage.admission(ClipKey::Uploaded(ClipId::from_bytes([9; 16])));
        let mut order = Box::pin(stage.promises.make(admission));
        // The one thread that could read the clip's file is busy for as long as this is held.
        let (busy, until_idle) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || until_idle.recv());
        assert!(order.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!((stage.counted(), stage.ports.taken()), (1, 1));
        drop(order);
        assert_eq!((stage.counted(), stage.ports.taken()), (0, 0));
        drop(busy);
    });
}

#[tokio::test]
async fn an_order_that_is_refused_is_not_counted() {
    let stage = Stage::new().await;
    let lost = stage.admission(ClipKey::Uploaded(ClipId::from_bytes([9; 16])));
    assert_eq!(stage.promises.make(lost).await, Err(Refusal::ClipUnreadable));
    assert_eq!((stage.counted(), stage.ports.taken()), (0, 0));
    stage.promises.journal.close();
    let closed = stage.admission(ClipKey::System(SystemClip::Pause));
    assert_eq!(stage.promises.make(closed).await, Err(Refusal::CoreDown));
    assert_eq!((stage.counted(), stage.ports.taken()), (0, 0));
}

#[tokio::test]
async fn an_order_that_is_accepted_too_late_is_closed_and_not_counted() {
    let stage = Stage::new().await;
    let Admission { admitted, charges, .. } = stage.admission(ClipKey::System(SystemClip::Pause));
    let (call, tally) = (admitted.call.id, Arc::clone(&stage.promises.tally));
    let charged = Charged { tally: Arc::clone(&tally), charges };
    let (settled, (tell, _)) = (Arc::new(Settled::default()), oneshot::channel());
    assert!(settled.settle(GIVEN_UP));
    stage.promises.clone().promise(admitted, Vec::new(), charged, settled, tell).await;
    assert_eq!(stage.told(call).await, [Fact::Over(OUR_FAULT)]);
    assert_eq!(tally.used(&charge()), 0);
}

#[tokio::test]
async fn a_call_that_is_stopped_before_its_words_are_spoken_rings_nobody() {
    let stage = Stage::new().await;
    let admission = stage.admission(SPOKEN);
    let call = admission.admitted.call.id;
    stage.promises.make(admission).await.unwrap();
    assert!(!stage.promises.stop(call, AppId(8)), "it is somebody else's");
    assert!(stage.promises.stop(call, APP));
    assert!(!stage.promises.stop(call, APP), "it is stopped already");
    stage.turns.add_permits(1);
    let ending = Ending { by: Party::Customer, cause: Cause::Stopped, leg: None };
    assert_eq!(stage.counted(), 1, "it was a call");
    assert_eq!(stage.told(call).await, [Fact::StopAsked, Fact::Over(ending)]);
}

#[tokio::test]
async fn a_voice_that_breaks_ends_its_call() {
    let stage = Stage::new().await;
    let admission = stage.admission(SPOKEN);
    let call = admission.admitted.call.id;
    stage.promises.make(admission).await.unwrap();
    stage.turns.close();
    let ending = Ending { by: Party::Platform, cause: Cause::SpeechFault, leg: None };
    assert_eq!(stage.told(call).await, [Fact::Over(ending)]);
}

#[tokio::test]
async fn a_call_that_something_is_held_against_is_over_at_once() {
    let stage = Stage::new().await;
    let mut admission = stage.admission(SPOKEN);
    admission.admitted.objection = Some(Cause::ForbiddenWords);
    let call = admission.admitted.call.id;
    stage.promises.make(admission).await.unwrap();
    // Nobody speaks: the voice waits for a turn that never comes.
    let ending = Ending { by: Party::Platform, cause: Cause::ForbiddenWords, leg: None };
    assert_eq!(stage.counted(), 1, "it was a call");
    assert_eq!(stage.told(call).await, [Fact::Over(ending)]);
}
