//! The call detail record: facts add up to it, and it is complete when the call is over.

use std::mem;
use std::time::Duration;

use base::call::Call;
use base::clip::ClipKey;
use base::fact::{Entry, Fact};
use base::id::Leg;
use base::limits;
use base::order::Product;
use base::private::Private;
use base::record::{CallRecord, LegRecord, Recording, SpeechUse};
use base::release::Ending;
use base::time::Timestamp;

/// A call that is not over yet, as far as its facts tell.
#[derive(Debug)]
pub(crate) struct Progress {
    call: Box<Call>,
    legs: [LegRecord; 2],
    trunks: [Option<Box<str>>; 2],
    bridged_at: Option<Timestamp>,
    recording_at: Option<Timestamp>,
    recording: Option<Duration>,
    speech: SpeechUse,
    pressed: Private<String>,
}

impl Progress {
    /// A call of which only the acceptance is known.
    pub(crate) fn new(call: &Call) -> Self {
        let mut call = Box::new(call.clone());
        forget_the_code(&mut call);
        Self {
            call,
            legs: [LegRecord::default(); 2],
            trunks: [None, None],
            bridged_at: None,
            recording_at: None,
            recording: None,
            speech: SpeechUse::default(),
            pressed: Private::default(),
        }
    }

    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    pub(crate) const fn leg(&self, leg: Leg) -> &LegRecord {
        &self.legs[leg.index()]
    }

    /// When the recording began that has not ended, if there is one.
    pub(crate) fn records_since(&self) -> Option<Timestamp> {
        self.recording_at.filter(|_| self.recording.is_none())
    }

    /// Takes a fact in. Whether it says something new: the first news of its kind counts, and only while it can be
    /// true (a leg that is answered does not begin to ring, and one that is gone does nothing).
    pub(crate) fn apply(&mut self, entry: &Entry) -> bool {
        let at = entry.at;
        match &entry.fact {
            Fact::Dialled { leg, trunk, .. } => {
                if let Some(trunk) = trunk {
                    self.trunks[leg.index()] = Some(trunk.clone());
                }
                first(&mut self.legs[leg.index()].dialled_at, at)
            }
            Fact::Ringing { leg, .. } => {
                let leg = &mut self.legs[leg.index()];
                !is_gone(leg) && leg.answered_at.is_none() && first(&mut leg.ringing_at, at)
            }
            Fact::Answered { leg, .. } => {
                let leg = &mut self.legs[leg.index()];
                !is_gone(leg) && first(&mut leg.answered_at, at)
            }
            Fact::Released { leg, release, media } => {
                let leg = &mut self.legs[leg.index()];
                leg.media = leg.media.or_else(|| media.as_deref().copied());
                // A leg whose INVITE could not even leave is released too, without having been dialled.
                leg.release.get_or_insert(*release);
                first(&mut leg.released_at, at)
            }
            Fact::Bridged => first(&mut self.bridged_at, at),
            // A party may answer many times, and the same each time.
            Fact::Collected { leg, digits } => {
                let news = self.is_there(*leg);
                if news && matches!(self.call.product, Product::Menu(_)) {
                    self.keep_keys(digits.expose().chars());
                }
                news
            }
            Fact::Digit { leg, digit, .. } => {
                let news = self.is_there(*leg);
                if news && matches!(self.call.product, Product::Code(_) | Product::Notice(_)) {
                    self.keep_keys([*digit.expose()]);
                }
                news
            }
            Fact::ClipStarted { clip: ClipKey::Spoken(_), .. } => {
                self.speech.plays = self.speech.plays.saturating_add(1);
                true
            }
            Fact::Spoken { took } => {
                let news = self.speech.took.is_zero();
                if news {
                    self.speech.took = *took;
                }
                news
            }
            Fact::RecordingStarted => first(&mut self.recording_at, at),
            Fact::RecordingEnded { length } => {
                let news = self.recording.is_none();
                self.recording.get_or_insert(*length);
                news
            }
            Fact::PickedUp { leg, answerer } => {
                let leg = &mut self.legs[leg.index()];
                let news = leg.answerer != Some(*answerer);
                leg.answerer = Some(*answerer);
                news
            }
            // They leave no trace in the record.
            Fact::Accepted(_)
            | Fact::ClipStarted { .. }
            | Fact::CodeStarted { .. }
            | Fact::EarlyMedia { .. }
            | Fact::Announced { .. }
            | Fact::Redirected { .. }
            | Fact::StopAsked
            | Fact::Over(_) => false,
        }
    }

    /// The call is over.
    pub(crate) fn close(self, at: Timestamp, ending: Ending) -> CallRecord {
        let long_enough = |length: &Duration| *length >= limits::RECORDING_SHORTEST;
        let length = self.recording.filter(long_enough);
        let recording = self.recording_at.zip(length);
        let last_gone = self.legs.iter().filter_map(|leg| leg.released_at).max();
        CallRecord {
            call: *self.call,
            legs: self.legs,
            trunks: self.trunks,
            bridged_at: self.bridged_at,
            ended_at: last_gone.unwrap_or(at),
            ending,
            recording: recording.map(|(started_at, length)| Recording { started_at, length }),
            speech: self.speech,
            pressed: Private::new(self.pressed.into_exposed().into_boxed_str()),
        }
    }

    /// Whether the leg can press keys: it was answered and is not gone.
    const fn is_there(&self, leg: Leg) -> bool {
        let leg = self.leg(leg);
        leg.answered_at.is_some() && !is_gone(leg)
    }

    /// The first keys count, as many as a record holds.
    fn keep_keys(&mut self, keys: impl IntoIterator<Item = char>) {
        let mut kept = mem::take(&mut self.pressed).into_exposed();
        let room = KEYS_MAX.saturating_sub(kept.chars().count());
        kept.extend(keys.into_iter().take(room));
        self.pressed = Private::new(kept);
    }
}

/// Whether everybody the call was for had answered.
pub(crate) fn was_connected(record: &CallRecord) -> bool {
    let mut parties = [Leg::A, Leg::B].into_iter().filter(|leg| record.call.numbers(*leg).is_some());
    parties.all(|leg| record.leg(leg).answered_at.is_some())
}

/// Whether a leg's telephone had rung, as far as anybody can tell.
pub(crate) fn had_rung(leg: &LegRecord) -> bool {
    leg.ringing_at.is_some() || leg.answered_at.is_some() || leg.release.is_some_and(|release| release.rang)
}

/// Whether a leg was dialled and is not gone.
pub(crate) const fn is_up(leg: &LegRecord) -> bool {
    leg.dialled_at.is_some() && !is_gone(leg)
}

const fn is_gone(leg: &LegRecord) -> bool {
    leg.released_at.is_some()
}

fn first(time: &mut Option<Timestamp>, at: Timestamp) -> bool {
    let news = time.is_none();
    time.get_or_insert(at);
    news
}

/// The journal never holds the code, so a record that is concluded from live entries must not either.
fn forget_the_code(call: &mut Call) {
    match &mut call.product {
        Product::Code(code) => code.digits = Private::default(),
        Product::Callback(_) | Product::Notice(_) | Product::Menu(_) => {}
    }
}

/// Keys that a record holds: as many as one item of a notice can ask for. A party may press keys for as long as the call
/// lasts.
const KEYS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use base::quality::{Direction, MediaReport};
    use base::release::{Cause, Party};

    use super::*;
    use crate::story;

    #[test]
    fn the_record_has_every_time_of_a_connected_call() {
        let record = story::record(&story::callback(story::CONNECTED)).unwrap();
        let millis = |time: Option<Timestamp>| time.map(story::millis);
        let times = |leg| {
            let leg: &LegRecord = record.leg(leg);
            [leg.dialled_at, leg.ringing_at, leg.answered_at, leg.released_at].map(millis)
        };
        assert_eq!(times(Leg::A), [Some(100), Some(1_000), Some(4_000), Some(30_000)]);
        assert_eq!(times(Leg::B), [Some(4_100), Some(5_000), Some(9_000), Some(30_200)]);
        assert_eq!(millis(record.bridged_at), Some(9_001));
        assert_eq!(story::millis(record.ended_at), 30_200);
        assert_eq!(record.ending, Ending { by: Party::Caller, cause: Cause::Normal, leg: Some(Leg::A) });
    }

    #[test]
    fn the_record_knows_the_last_trunk_of_a_leg_and_its_first_invite() {
        let told = "0 accepted; 10 dialled A near; 20 answered A; 30 dialled B near; 40 dialled B far 503; \
                    50 released B Callee Busy; 60 released A Platform OtherPartyGone; 60 over Callee Busy B";
        let record = story::record(&story::callback(told)).unwrap();
        assert_eq!(record.trunks, [Some("near".into()), Some("far".into())]);
        assert_eq!(record.leg(Leg::B).dialled_at.map(story::millis), Some(30));
    }

    #[test]
    fn a_leg_that_was_never_dialled_stays_empty() {
        let record = story::record(&story::callback(story::A_BUSY)).unwrap();
        assert_eq!(record.leg(Leg::B), &LegRecord::default());
        assert_eq!(record.leg(Leg::A).release.unwrap().cause, Cause::Busy);
    }

    #[test]
    fn a_leg_that_could_not_be_dialled_has_its_release() {
        let text = "0 accepted; 3 released A Platform TrunkFault; 3 over Platform TrunkFault A";
        let record = story::record(&story::callback(text)).unwrap();
        assert_eq!(record.leg(Leg::A).dialled_at, None);
        assert_eq!(record.leg(Leg::A).release.unwrap().cause, Cause::TrunkFault);
    }

    #[test]
    fn a_call_that_dialled_nobody_ends_when_it_is_over() {
        let record = story::record(&story::callback("0 accepted; 70 over Customer Stopped")).unwrap();
        assert_eq!(story::millis(record.ended_at), 70);
    }

    #[test]
    fn the_first_news_of_a_kind_counts() {
        let record = story::record(&story::callback(
            "0 accepted; 1 dialled A; 2 ringing A; 3 ringing A; 4 answered A; 5 ringing A; 6 answered A; \
             7 released A Caller Normal; 8 released A Platform OurFault; 9 answered A; 9 over Caller Normal A",
        ))
        .unwrap();
        let leg = record.leg(Leg::A);
        assert_eq!(leg.ringing_at.map(story::millis), Some(2));
        assert_eq!(leg.answered_at.map(story::millis), Some(4));
        assert_eq!(leg.released_at.map(story::millis), Some(7));
        assert_eq!(leg.release.unwrap().cause, Cause::Normal);
    }

    #[test]
    fn a_recording_is_in_the_record_unless_it_is_short() {
        let recorded = |ended| {
            let text = format!("0 accepted; 1 dialled A; 9 recording; {ended}; 9999 over Caller Normal A");
            let recording = story::record(&story::callback(&text)).unwrap().recording;
            recording.map(|recording| (story::millis(recording.started_at), recording.length.as_millis()))
        };
        assert_eq!(recorded("3009 recorded 3000"), Some((9, 3_000)));
        assert_eq!(recorded("3009 recorded 4000; 5000 recorded 5000; 6000 recording"), Some((9, 4_000)));
        assert_eq!(recorded("3008 recorded 2999"), None);
        assert_eq!(recorded("3008 bridged"), None, "nobody knows how long");
    }

    #[test]
    fn what_was_spoken_is_counted() {
        let record = story::record(&story::notice(
            "0 accepted; 1 spoken 250; 2 dialled A; 3 answered A; 4 speech A; 5 clip A; 6 speech A; \
             8 released A Platform Normal; 8 over Platform Normal",
        ))
        .unwrap();
        assert_eq!(record.speech, SpeechUse { plays: 2, took: Duration::from_millis(250) });
    }

    fn pressed(entries: &[Entry]) -> String {
        story::record(entries).unwrap().pressed.into_exposed().into()
    }

    const ENDS: &str = "90 released A Caller Normal; 91 over Caller Normal A";

    #[test]
    fn the_path_through_a_menu_is_in_the_record() {
        let text = "0 accepted; 1 dialled A; 2 answered A; 3 digit A 9; 4 digit A 1; 4 collected A 1; 5 digit A *; \
                    5 collected A *; ";
        assert_eq!(pressed(&story::menu(&format!("{text}{ENDS}"))), "1*");
    }

    #[test]
    fn every_key_of_an_only_party_is_in_the_record() {
        let text = format!(
            "0 accepted; 1 digit A 0; 2 dialled A; 3 answered A; 4 digit A 1; 4 collected A 1; 5 digit A #; {ENDS}"
        );
        assert_eq!(pressed(&story::notice(&text)), "1#");
        assert_eq!(pressed(&story::code(&text)), "1#");
        assert_eq!(pressed(&story::menu(&text)), "1");
        assert_eq!(pressed(&story::callback(&text)), "", "what is pressed in a conversation is private");
    }

    #[test]
    fn a_record_holds_as_many_keys_as_fit() {
        let keys = "5 digit A 7; 5 collected A 77; ".repeat(40);
        let text =
            format!("0 accepted; 1 dialled A; 2 answered A; 4 digit A 1; 4 collected A 1; {keys}{ENDS}");
        assert_eq!(pressed(&story::notice(&text)), format!("1{}", "7".repeat(31)));
        assert_eq!(pressed(&story::menu(&text)), format!("1{}", "7".repeat(31)));
    }

    #[test]
    fn the_record_does_not_hold_the_code() {
        let record = story::record(&story::code("0 accepted; 1 over Customer Stopped")).unwrap();
        let Product::Code(code) = &record.call.product else { panic!("a code was ordered") };
        assert!(code.digits.expose().is_empty());
    }

    #[test]
    fn what_a_legs_media_came_to_is_in_its_record() {
        let mut entries = story::callback(story::CONNECTED);
        let direction = Direction { packets: 50, ..Direction::default() };
        let report = MediaReport {
            heard: direction,
            said: direction,
            first_after: None,
            round_trip: None,
            trouble: None,
        };
        for entry in &mut entries {
            if let Fact::Released { leg: Leg::B, media, .. } = &mut entry.fact {
                *media = Some(Box::new(report));
            }
        }
        let record = story::record(&entries).unwrap();
        assert_eq!((record.leg(Leg::A).media, record.leg(Leg::B).media), (None, Some(report)));
        assert!(crate::ladder(&entries).ends_with("B's media: both ways\n"));
    }
}
