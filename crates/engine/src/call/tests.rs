//! Stories of calls on virtual time: a driver of paper does their deeds, and the journal is read at the end.

use std::sync::Arc;

use base::experience::Conducted;
use base::fact::KeySource;
use base::id::{AppId, CallId, ClipId};
use base::number::E164;
use base::order::{Callback, CalleeMedia, Code, Collect, Notice, NoticeItem, Product, Recorded, Repeats};
use base::permit::Ports;
use sip::EndedBy;

use super::*;
use crate::leg::Failure;

const WAIT: ClipKey = ClipKey::System(SystemClip::RingBack);
const DIGIT: ClipKey = ClipKey::System(SystemClip::Digit(7));

const fn failure(status: u16, local: bool) -> Failure<'static> {
    Failure { status, reason: None, local, pause: None }
}

fn by_event(digit: char) -> Press {
    Press { digit, source: KeySource::Event, held: Duration::from_millis(160) }
}

/// A call, its driver of paper and its journal.
struct Story {
    running: Running,
    now: Instant,
    ports: Arc<Ports>,
    conducted: Arc<Conducted>,
    todo: Todo,
    deeds: VecDeque<Deed>,
    facts: Vec<Entry>,
    done: Vec<String>,
}

impl Story {
    fn new(product: Product<ClipKey>) -> Self {
        let call = call(product);
        let plan = plans::plan_for(&call, limits::RING);
        Self::of(call, plan)
    }

    fn callback() -> Self {
        Self::new(Product::Callback(order(None)))
    }

    /// A call whose plan answers each news with the next of these lists of wishes.
    fn rogue(wishes: impl IntoIterator<Item = Vec<Wish>>) -> Self {
        let plan = Rogue { lists: wishes.into_iter().collect(), deadline: None };
        Self::of(call(Product::Callback(order(None))), Box::new(plan))
    }

    fn of(call: Call, plan: Box<dyn Plan>) -> Self {
        Self::spoken(call, plan, Speech::None)
    }

    fn spoken(call: Call, plan: Box<dyn Plan>, speech: Speech) -> Self {
        let (ports, platform) = (Arc::new(Ports::new()), Arc::new(Ports::new()));
        let conducted = Arc::new(Conducted::new());
        let permit = Permit::take(&ports, 1, &platform, 1).unwrap().teaching(&conducted);
        let now = Instant::from_millis(5_000);
        // The wall clock was set back after the acceptance.
        let running = Running::new(call, plan, permit, speech, now, Timestamp::from_millis(10));
        let (todo, deeds) = (Todo::new(), VecDeque::new());
        let (facts, done) = (Vec::new(), Vec::new());
        let mut story = Self { running, now, ports, conducted, todo, deeds, facts, done };
        story.told(Running::start);
        story
    }

    /// Tells the call something, a while later, and does what it wants done.
    fn told(&mut self, tell: impl FnOnce(&mut Running, Instant, &mut Outcome<'_>)) -> &mut Self {
        self.now = self.now + Duration::from_millis(100);
        self.step(tell);
        while let Some(deed) = self.deeds.pop_front() {
            self.done.push(format!("{deed:?}"));
            match deed {
                Deed::Dial(leg) => {
                    self.step(|call, now, out| call.dialled(leg, ("trunk".into(), None), now, out));
                }
                Deed::Play(leg, clips, _) => self.step(|call, now, out| call.hears(leg, &clips, now, out)),
                Deed::Announce(ears, clip) => {
                    for leg in heard_by(ears) {
                        self.step(|call, now, out| call.hears(*leg, &[clip], now, out));
                    }
                }
                Deed::Record => self.step(|call, now, out| call.recorded(now, now, out)),
                Deed::Silence(_)
                | Deed::PassEarlyMedia(_)
                | Deed::Bridge
                | Deed::EndRecording
                | Deed::HangUp(..)
                | Deed::Over => {}
            }
        }
        self
    }

    fn step(&mut self, tell: impl FnOnce(&mut Running, Instant, &mut Outcome<'_>)) {
        let Self { running, now, todo, deeds, facts, .. } = self;
        tell(running, *now, &mut Outcome { todo, deeds, facts, dialog_of: &|_| None });
    }

    fn rings(&mut self, leg: Leg) -> &mut Self {
        let news = EarlyNews { status: 180, media: false, reason: None };
        self.told(|call, now, out| call.early(leg, &news, now, out))
    }

    fn sends_early_media(&mut self, leg: Leg, reason: Option<&sip::Reason>) -> &mut Self {
        let news = EarlyNews { status: 183, media: true, reason };
        self.told(|call, now, out| call.early(leg, &news, now, out))
    }

    fn answers(&mut self, leg: Leg) -> &mut Self {
        self.told(|call, now, out| call.answered(leg, now, out))
    }

    fn hangs_up(&mut self, leg: Leg) -> &mut Self {
        self.told(|call, now, out| call.gone(leg, |state| state.ended(EndedBy::Peer), None, now, out))
    }

    fn confirms(&mut self, leg: Leg) -> &mut Self {
        self.told(|call, now, out| call.gone(leg, |state| state.ended(EndedBy::Us), None, now, out))
    }

    fn fails(&mut self, leg: Leg, status: u16) -> &mut Self {
        self.told(|call, now, out| {
            call.gone(leg, |state| state.failed(&failure(status, false)), None, now, out);
        })
    }

    fn presses(&mut self, leg: Leg, digit: char) -> &mut Self {
        self.told(|call, now, out| call.pressed(leg, by_event(digit), now, out))
    }

    fn has_heard_it(&mut self, leg: Leg) -> &mut Self {
        self.told(|call, now, out| call.tell(Event::ClipEnded { leg }, now, out))
    }

    /// How long the call was talked, in milliseconds, as its permit told at its end.
    fn talked(&self) -> Option<u128> {
        let lately = self.conducted.lately(self.facts[self.facts.len() - 1].at);
        assert_eq!(lately.len(), 1, "an outcome is told once");
        lately[0].map(|talked| talked.as_millis())
    }

    fn is_stopped(&mut self) -> &mut Self {
        self.told(Running::stop)
    }

    fn is_abandoned(&mut self) -> &mut Self {
        self.told(|call, now, out| call.abandon(Cause::OurFault, now, out))
    }

    /// Lets the time pass until the call wants to be woken.
    fn sleeps(&mut self) -> &mut Self {
        self.now = self.running.deadline().unwrap_or(self.now);
        self.told(Running::wake)
    }

    /// The journal in a few words, and proof that it keeps its promises.
    fn journal(&self) -> String {
        let numbers = self.facts.iter().map(|entry| entry.seq);
        assert!(numbers.eq(1..=self.facts.len() as u32), "numbers count up from 1 without a gap");
        assert!(self.facts.is_sorted_by_key(|entry| entry.at), "times never go back");
        assert!(self.facts[0].at >= self.running.call().accepted_at);
        for leg in [Leg::A, Leg::B] {
            let count = |is: fn(&Fact, Leg) -> bool| self.facts.iter().filter(|e| is(&e.fact, leg)).count();
            let dialled = count(|fact, of| matches!(fact, Fact::Dialled { leg, .. } if *leg == of));
            let released = count(|fact, of| matches!(fact, Fact::Released { leg, .. } if *leg == of));
            assert!(
                dialled <= 1
                    && released <= 1
                    && (released == 1 || self.running.ending.is_none() || dialled == 0)
            );
        }
        let ends = self.facts.iter().filter(|entry| matches!(entry.fact, Fact::Over(_))).count();
        assert_eq!(ends, usize::from(self.running.ending.is_some()), "one end, if it is over");
        if self.running.ending.is_some() {
            assert!(
                matches!(self.facts[self.facts.len() - 1].fact, Fact::Over(_)),
                "the end is the last fact"
            );
            assert_eq!(self.running.deadline(), None);
            assert_eq!(self.done.last().map(String::as_str), Some("Over"));
        }
        self.facts.iter().map(|entry| word(&entry.fact)).collect::<Vec<_>>().join(", ")
    }
}

fn word(fact: &Fact) -> String {
    match fact {
        Fact::Accepted(_) => "accepted".to_owned(),
        Fact::Dialled { leg, .. } => format!("dialled {leg}"),
        Fact::Ringing { leg, .. } => format!("ringing {leg}"),
        Fact::Answered { leg, .. } => format!("answered {leg}"),
        Fact::ClipStarted { leg, clip } => match clip {
            ClipKey::System(clip) => format!("{leg} hears {clip:?}"),
            ClipKey::Uploaded(_) => format!("{leg} hears a clip"),
            ClipKey::Spoken(_) => format!("{leg} hears words"),
        },
        Fact::CodeStarted { leg } => format!("{leg} hears a code"),
        Fact::EarlyMedia { leg } => format!("{leg} hears early media"),
        Fact::Announced { leg, cause } => format!("{leg} announces {cause:?}"),
        Fact::Redirected { leg, status } => format!("redirected {leg} {status}"),
        Fact::PickedUp { leg, answerer } => format!("{leg} is {answerer:?}"),
        Fact::Bridged => "bridged".to_owned(),
        Fact::Digit { leg, .. } => format!("{leg} pressed a key"),
        Fact::Collected { leg, digits } => format!("{leg} answered {}", digits.expose()),
        Fact::Spoken { .. } => "spoken".to_owned(),
        Fact::RecordingStarted => "recording".to_owned(),
        Fact::RecordingEnded { length } => format!("recorded {} ms", length.as_millis()),
        Fact::StopAsked => "stop asked".to_owned(),
        Fact::Released { leg, release, .. } => format!("released {leg} {:?}", release.cause),
        Fact::Over(ending) => format!("over {:?}", ending.cause),
    }
}

/// A plan that follows no rule.
#[derive(Debug)]
struct Rogue {
    lists: VecDeque<Vec<Wish>>,
    deadline: Option<Instant>,
}

impl Rogue {
    fn next(&mut self, todo: &mut Todo) {
        for wish in self.lists.pop_front().unwrap_or_default() {
            match wish {
                Wish::Dial(leg) => todo.dial(leg),
                Wish::Play { leg, clips, repeat } => todo.play(leg, clips, repeat),
                Wish::Silence(leg) => todo.silence(leg),
                Wish::Record { hint } => todo.record(hint),
                Wish::Report { leg, digits } => todo.report(leg, digits),
                Wish::PassEarlyMedia { to } => todo.pass_early_media(to),
                Wish::Bridge => todo.bridge(),
                Wish::Announce { ears, clip } => todo.announce(ears, clip),
                Wish::HangUp { leg, by, cause } => todo.hang_up(leg, by, cause),
                Wish::Over(ending) => todo.over(ending),
            }
        }
    }
}

impl Plan for Rogue {
    fn start(&mut self, _: Instant, todo: &mut Todo) {
        self.next(todo);
    }

    fn on(&mut self, _: Instant, _: Event, todo: &mut Todo) {
        self.next(todo);
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

fn call(product: Product<ClipKey>) -> Call {
    let accepted_at = Timestamp::from_millis(1_000_000);
    Call {
        id: CallId::new(accepted_at, 1),
        dialect: "huawei".into(),
        node: "here".into(),
        account: "shop".into(),
        app: AppId(1),
        key: "key".into(),
        accepted_at,
        product,
        status_url: None,
        fee_url: None,
        report_url: None,
        asked_shown: None,
        user_data: None,
        tell_who_hung_up: false,
    }
}

fn order(pre_voice: Option<ClipKey>) -> Callback<ClipKey> {
    Callback {
        caller: number("+8613800000001"),
        callee: number("+8613800000002"),
        shown_to_caller: number("+8675500000001"),
        shown_to_callee: number("+8675500000002"),
        longest: None,
        pre_voice,
        wait_voice: WAIT,
        callee_media: CalleeMedia::All,
        recorded: None,
    }
}

/// A callback that is recorded.
fn recorded() -> Product<ClipKey> {
    let hint = ClipKey::System(SystemClip::HintTone);
    Product::Callback(Callback { recorded: Some(Recorded { hint }), ..order(None) })
}

/// One item that asks for two keys, and is repeated when they are `11`.
fn notice() -> Product<ClipKey> {
    let collect = Some(Collect { digits_max: 2, replay_on: Some(Private::new("11".into())) });
    let voice = ClipKey::Spoken(ClipId::from_bytes([1; 16]));
    Product::Notice(Notice {
        callee: number("+8613800000001"),
        shown: number("+8675500000001"),
        items: vec![NoticeItem { voice, collect }],
    })
}

fn code() -> Product<ClipKey> {
    Product::Code(Code {
        callee: number("+8613800000001"),
        shown: number("+8675500000001"),
        before: ClipKey::System(SystemClip::Transferring),
        digits: Private::new(vec![7, 3]),
        after: None,
        times: Some(1),
        repeats: Repeats::Digits,
    })
}

fn number(text: &str) -> E164 {
    E164::parse(text).unwrap()
}

const ENDING: Ending = Ending { by: Party::Platform, cause: Cause::Normal, leg: None };

#[test]
fn a_callback_leaves_every_step_in_the_journal() {
    let mut story =
        Story::new(Product::Callback(order(Some(ClipKey::Uploaded(ClipId::from_bytes([1; 16]))))));
    story.rings(Leg::A).answers(Leg::A);
    story.has_heard_it(Leg::A);
    story.sends_early_media(Leg::B, None).answers(Leg::B).presses(Leg::B, '5');
    story.hangs_up(Leg::B).confirms(Leg::A);
    assert_eq!(
        story.journal(),
        "dialled A, ringing A, answered A, A hears a clip, A hears RingBack, dialled B, ringing B, \
         A hears early media, answered B, bridged, B pressed a key, released B Normal, released A Normal, over Normal"
    );
    drop(story.running);
    assert_eq!(story.ports.taken(), 0);
}

#[test]
fn facts_follow_each_other_though_the_wall_clock_stands_in_the_past() {
    let mut story = Story::callback();
    story.fails(Leg::A, 486);
    assert_eq!(story.journal(), "dialled A, released A Busy, over Busy");
    let [first, .., last] = story.facts.as_slice() else { panic!("three facts") };
    assert_eq!(last.at.since(first.at), Duration::from_millis(100), "the steady clock dates them");
}

#[test]
fn the_digits_of_a_code_stand_in_no_fact() {
    let mut story = Story::new(code());
    story.answers(Leg::A);
    story.has_heard_it(Leg::A);
    story.told(|call, now, out| call.hears(Leg::A, &[DIGIT], now, out));
    assert_eq!(
        story.journal(),
        "dialled A, answered A, A hears Transferring, A hears a code, A hears a code"
    );
    assert!(!format!("{:?} {:?}", story.facts, story.running).contains("Digit(7)"));
}

#[test]
fn keys_pressed_for_ever_leave_room_for_the_end() {
    let mut story = Story::callback();
    story.answers(Leg::A).answers(Leg::B);
    for _ in 0..limits::FACTS_PER_CALL + 10 {
        story.step(|call, now, out| call.pressed(Leg::A, by_event('1'), now, out));
    }
    assert_eq!(story.facts.len() as u32, limits::FACTS_PER_CALL - 1);
    story.hangs_up(Leg::A).confirms(Leg::B);
    assert!(story.journal().ends_with("A pressed a key, released A Normal, released B Normal, over Normal"));
}

#[test]
fn a_call_abandoned_in_any_phase_is_closed_like_any_other() {
    type Phase = fn(&mut Story);
    let phases: [(Phase, &str); 6] = [
        (|_| {}, "dialled A, released A OurFault, over OurFault"),
        (
            |story| {
                story.rings(Leg::A);
            },
            "dialled A, ringing A, released A OurFault, over OurFault",
        ),
        (
            |story| {
                story.answers(Leg::A);
            },
            "dialled A, answered A, A hears RingBack, dialled B, released A OurFault, released B OurFault, over OurFault",
        ),
        (
            |story| {
                story.answers(Leg::A).answers(Leg::B);
            },
            "dialled A, answered A, A hears RingBack, dialled B, answered B, bridged, released A OurFault, \
             released B OurFault, over OurFault",
        ),
        (
            |story| {
                story.answers(Leg::A).hangs_up(Leg::A);
            },
            "dialled A, answered A, A hears RingBack, dialled B, released A Normal, released B OtherPartyGone, \
             over OurFault",
        ),
        (
            |story| {
                story.is_stopped();
            },
            "dialled A, stop asked, released A Stopped, over OurFault",
        ),
    ];
    for (phase, journal) in phases {
        let mut story = Story::callback();
        phase(&mut story);
        let up = |of: Leg| story.running.legs[of.index()].as_ref().is_some_and(|leg| !leg.is_gone());
        let hung_up: Vec<_> = [Leg::A, Leg::B].into_iter().filter(|leg| up(*leg)).collect();
        let before = story.done.len();
        story
            .is_abandoned()
            .is_abandoned()
            .answers(Leg::A)
            .hangs_up(Leg::B)
            .presses(Leg::A, '1')
            .is_stopped();
        assert_eq!(story.journal(), journal);
        let deeds = hung_up.iter().map(|leg| format!("HangUp({leg}, OurFault)")).chain(["Over".to_owned()]);
        assert!(deeds.eq(story.done[before..].iter().cloned()), "{journal}: {:?}", &story.done[before..]);
    }
}

#[test]
fn a_second_stop_is_kept_and_changes_nothing() {
    let mut story = Story::callback();
    story.is_stopped().is_stopped().fails(Leg::A, 487).is_stopped();
    assert_eq!(story.journal(), "dialled A, stop asked, stop asked, released A Stopped, over Stopped");
}

#[test]
fn a_leg_that_never_confirms_is_forgotten_at_the_deadline() {
    let mut story = Story::callback();
    story.answers(Leg::A).is_stopped().fails(Leg::B, 487).sleeps();
    assert!(story.journal().ends_with("stop asked, released B Stopped, released A Stopped, over Stopped"));
}

#[test]
fn a_busy_announcement_is_heard_and_named() {
    let mut story = Story::callback();
    story.answers(Leg::A).sends_early_media(Leg::B, Some(&sip::Reason::q850(17))).fails(Leg::B, 480);
    assert!(
        story.journal().ends_with("dialled B, A hears early media, released B Busy"),
        "no telephone rang"
    );
}

#[test]
fn a_leg_that_could_not_be_dialled_is_released_all_the_same() {
    let mut story = Story::callback();
    story.answers(Leg::A);
    story.told(|call, now, out| call.gone(Leg::B, |leg| leg.lost(Cause::OurFault), None, now, out));
    story.confirms(Leg::A);
    assert!(story.journal().ends_with("released B OurFault, released A OtherPartyGone, over OurFault"));
}

#[test]
fn a_plan_dials_a_leg_once_and_ends_once() {
    let (dial, over) = (Wish::Dial(Leg::A), Wish::Over(ENDING));
    let mut story =
        Story::rogue([vec![dial.clone(), dial.clone()], vec![dial, over.clone(), over, Wish::Bridge]]);
    story.answers(Leg::A).answers(Leg::B).hangs_up(Leg::A);
    assert_eq!(story.journal(), "dialled A, answered A, released A Normal, over Normal");
    assert_eq!(story.done, ["Dial(A)", "HangUp(A, Normal)", "Over"], "a leg that is up is not left behind");
}

#[test]
fn wishes_for_legs_that_are_not_there_change_nothing() {
    let hang_up = Wish::HangUp { leg: Leg::B, by: Party::Platform, cause: Cause::Normal };
    let mut story = Story::rogue([
        vec![hang_up, Wish::Bridge, Wish::PassEarlyMedia { to: Leg::A }, Wish::Dial(Leg::A)],
        vec![Wish::Bridge],
    ]);
    story.answers(Leg::A).is_abandoned();
    assert_eq!(story.journal(), "dialled A, answered A, released A OurFault, over OurFault");
}

#[test]
fn a_plan_that_never_ends_is_ended() {
    let mut story = Story::rogue([vec![Wish::Dial(Leg::A)]]);
    story.answers(Leg::A).sleeps();
    assert_eq!(story.journal(), "dialled A, answered A, released A OurFault, over OurFault");
    assert_eq!(story.facts[3].at.since(story.facts[0].at).as_secs(), LIFE.as_secs());
}

#[test]
fn the_keys_of_a_notice_are_told_together() {
    let call = call(notice());
    let plan = plans::plan_for(&call, limits::RING);
    let mut story = Story::spoken(call, plan, Speech::Took(Duration::from_millis(250)));
    story.answers(Leg::A).presses(Leg::A, '1').presses(Leg::A, '1').has_heard_it(Leg::A);
    story.presses(Leg::A, '2').sleeps().confirms(Leg::A);
    assert_eq!(
        story.journal(),
        "spoken, dialled A, answered A, A hears words, A pressed a key, A pressed a key, A answered 11, \
         A hears words, A pressed a key, A answered 2, released A Normal, over Normal"
    );
    assert!(story.done.contains(&"Silence(A)".to_owned()), "the first key ends what is being played");
}

#[test]
fn a_notice_repeated_for_ever_leaves_room_for_the_end() {
    let mut story = Story::new(notice());
    story.answers(Leg::A);
    for _ in 0..limits::FACTS_PER_CALL {
        story.presses(Leg::A, '1');
        story.now = Instant::from_millis(6_000);
    }
    assert_eq!(story.facts.len() as u32, limits::FACTS_PER_CALL - 1);
    story.hangs_up(Leg::A);
    assert!(story.journal().ends_with(", released A Normal, over Normal"));
}

#[test]
fn words_that_could_not_be_spoken_dial_nobody() {
    let call = call(notice());
    let plan = plans::plan_for(&call, limits::RING);
    let story = Story::spoken(call, plan, Speech::Failed);
    assert_eq!(story.journal(), "over SpeechFault");
    assert_eq!(story.talked(), None);
}

#[test]
fn a_conversation_is_recorded_until_somebody_is_gone() {
    let mut story = Story::new(recorded());
    story.answers(Leg::A).answers(Leg::B).hangs_up(Leg::A).confirms(Leg::B);
    let journal = story.journal();
    let recorded =
        "bridged, recording, A hears HintTone, B hears HintTone, recorded 100 ms, released A Normal";
    assert!(journal.contains(recorded), "{journal}");
    let mut story = Story::new(self::recorded());
    story.answers(Leg::A).answers(Leg::B).is_stopped().confirms(Leg::A).confirms(Leg::B);
    let journal = story.journal();
    assert!(journal.contains("stop asked, recorded 100 ms, released A Stopped"), "{journal}");
    let mut story = Story::new(self::recorded());
    story.answers(Leg::A).answers(Leg::B).is_abandoned();
    let journal = story.journal();
    assert!(journal.contains("HintTone, recorded 100 ms, released A OurFault"), "{journal}");
    assert!(story.done.ends_with(
        &["EndRecording", "HangUp(A, OurFault)", "HangUp(B, OurFault)", "Over"].map(str::to_owned)
    ));
}

#[test]
fn a_recording_that_is_lost_has_ended_once() {
    let mut story = Story::new(recorded());
    story.answers(Leg::A).answers(Leg::B);
    let kept = Duration::from_secs(4);
    story.told(|call, now, out| call.recording_lost(kept, now, out));
    story.told(|call, now, out| call.recording_lost(kept, now, out));
    story.hangs_up(Leg::B).confirms(Leg::A);
    let journal = story.journal();
    assert!(journal.contains("B hears HintTone, recorded 4000 ms, released B Normal"), "{journal}");
    assert_eq!(journal.matches("recorded").count(), 1);
}

#[test]
fn a_call_was_talked_from_the_last_answer_to_the_first_end() {
    let mut story = Story::callback();
    story
        .answers(Leg::A)
        .rings(Leg::B)
        .answers(Leg::B)
        .presses(Leg::A, '1')
        .hangs_up(Leg::B)
        .confirms(Leg::A);
    assert_eq!(story.talked(), Some(200));
    let mut story = Story::callback();
    story.answers(Leg::A).fails(Leg::B, 486).confirms(Leg::A);
    assert_eq!(story.talked(), None, "it was for both");
    let mut story = Story::new(code());
    story.answers(Leg::A).presses(Leg::A, '1').is_abandoned();
    assert_eq!(story.talked(), Some(200));
}
