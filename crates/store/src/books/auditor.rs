//! What the rows of a database say of each call. Pure: [`reading`](super::reading) hands them over.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use base::fact::{Entry, Fact};
use base::id::CallId;
use base::record::CallRecord;
use base::row::{Channel, Row};
use base::time::Timestamp;
use projections::Fold;

use super::{BookedDay, Books, Flaw, FlawedCall, Told};
use crate::outbox::{channel_of, stored};

/// Takes the journal's entries in their order, each with the pushes that it claims, then the calls under way, then the
/// records.
#[derive(Default)]
pub(super) struct Auditor {
    open: HashMap<CallId, Session>,
    listed: HashSet<CallId>,
    days: BTreeMap<i64, BookedDay>,
    flaws: BTreeMap<CallId, BTreeSet<Flaw>>,
    /// Emptied after each entry; kept for its capacity.
    rows: Vec<Row>,
}

/// A call of which the journal told the acceptance and no end yet.
struct Session {
    /// `None` when its journal is torn, and nothing can be concluded from it.
    fold: Option<Fold>,
    dialect: Box<str>,
    key: Box<str>,
    entries: Vec<i64>,
    next_seq: u32,
}

/// A line of the journal.
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) call: CallId,
    pub(super) seq: u32,
    pub(super) at: Timestamp,
    /// As JSON.
    pub(super) fact: String,
    /// The number of the first push that it claims.
    pub(super) push: i64,
}

/// A push of the outbox.
pub(super) struct PushLine {
    pub(super) id: i64,
    pub(super) call: CallId,
    pub(super) channel: i16,
    pub(super) dialect: String,
    pub(super) key: String,
    pub(super) host: String,
    /// What it tells, as JSON, where it is no record.
    pub(super) row: Option<String>,
}

/// A stored record.
pub(super) struct RecordLine {
    pub(super) app: i64,
    pub(super) ended_at: i64,
    /// As JSON.
    pub(super) record: String,
    /// The numbers of its entries, as JSON.
    pub(super) entries: String,
}

/// A call that is over, as its entries have it.
pub(super) struct Ended {
    pub(super) call: CallId,
    record: CallRecord,
    entries: Vec<i64>,
}

impl Auditor {
    /// The next line of the journal, with the pushes that bear the numbers it claims. Gives what is concluded when the call
    /// is over: look its record up, and go on with [`Self::on_end`].
    pub(super) fn on_entry(&mut self, line: Line, claimed: &[PushLine]) -> Option<Ended> {
        let Line { id, call, seq, at, fact, push } = line;
        if seq == 0 {
            self.day(call).accepted += 1;
        }
        let Ok(fact) = serde_json::from_str::<Fact>(&fact) else {
            self.flag(call, Flaw::Unreadable);
            self.open.entry(call).or_insert_with(Session::torn).fold = None;
            return None;
        };
        let entry = Entry { call, seq, at, fact };
        if let Fact::Accepted(_) = entry.fact {
            self.begin(&entry);
        }
        let Some(session) = self.open.get_mut(&call) else {
            self.flag(call, Flaw::StrayEntry);
            return None;
        };
        if seq != session.next_seq {
            let flaw = if seq < session.next_seq { Flaw::StrayEntry } else { Flaw::MissingEntry };
            session.fold = None;
            session.next_seq = session.next_seq.max(seq + 1);
            self.flag(call, flaw);
            return None;
        }
        session.next_seq += 1;
        session.entries.push(id);
        let fold = session.fold.as_mut()?;
        let mut rows = std::mem::take(&mut self.rows);
        let record = fold.apply(&entry, &mut rows);
        let owed = rows.drain(..).filter(|row| row.url().is_some()).zip(push..);
        let mut left: Vec<&PushLine> = claimed.iter().collect();
        for (row, number) in owed {
            let place = left.iter().position(|push| push.id == number);
            self.compare(call, &row, place.map(|place| left.swap_remove(place)));
        }
        self.rows = rows;
        for push in left {
            self.on_stray(push);
        }
        let record = record?;
        let entries = self.open.remove(&call)?.entries;
        Some(Ended { call, record, entries })
    }

    /// A push, whoever claims it.
    pub(super) fn on_push(&mut self, push: &PushLine) {
        match channel_of(push.channel) {
            Some(channel) => self.told(push.call, channel).found += 1,
            None => self.flag(push.call, Flaw::PushDiffers),
        }
    }

    /// A push that no entry claims.
    pub(super) fn on_stray(&mut self, push: &PushLine) {
        let Some(channel) = channel_of(push.channel) else { return };
        self.flag(push.call, stray(channel));
    }

    /// What is stored of a call that is over.
    pub(super) fn on_end(&mut self, ended: &Ended, found: Option<RecordLine>) {
        let call = ended.call;
        let Some(found) = found else { return self.flag(call, Flaw::NoRecord) };
        match serde_json::from_str::<CallRecord>(&found.record) {
            Err(_) => self.flag(call, Flaw::Unreadable),
            Ok(record) => {
                let columns = (found.app, found.ended_at);
                if record != ended.record || columns != (record.call.app.0, record.ended_at.micros()) {
                    self.flag(call, Flaw::RecordDiffers);
                }
            }
        }
        if serde_json::from_str::<Vec<i64>>(&found.entries).ok().as_ref() != Some(&ended.entries) {
            self.flag(call, Flaw::EntriesDiffer);
        }
    }

    /// A call that is listed as under way, and whether the journal accepted it.
    pub(super) fn on_under_way(&mut self, call: CallId, accepted: bool) {
        self.day(call).under_way += 1;
        self.listed.insert(call);
        self.open.remove(&call);
        if !accepted {
            self.flag(call, Flaw::NeverAccepted);
        }
    }

    /// A record, with the number of its first entry, and whether the journal accepted its call there.
    pub(super) fn on_record(&mut self, call: CallId, first: Option<i64>, accepted: bool) {
        self.day(call).records += 1;
        if self.listed.contains(&call) {
            self.flag(call, Flaw::StillListed);
        }
        if let Some(session) = self.open.remove(&call) {
            // That the journal of it is torn was said.
            if session.fold.is_none() {
                return;
            }
            let again = session.entries.first().copied() != first;
            self.flag(call, if again { Flaw::AcceptedTwice } else { Flaw::NeverEnded });
        } else if !accepted && !self.has(call, Flaw::EntriesDiffer) {
            self.flag(call, Flaw::NeverAccepted);
        }
    }

    /// Adds up. A call that is neither under way nor over is lost.
    pub(super) fn finish(mut self) -> Books {
        let lost: Vec<CallId> = self.open.keys().copied().collect();
        for call in lost {
            self.flag(call, Flaw::Lost);
        }
        for flaws in self.flaws.values_mut() {
            if flaws.first().is_some_and(|first| first.is_of_the_journal()) {
                let first = flaws.first().copied();
                flaws.retain(|flaw| Some(*flaw) == first);
            }
        }
        let flaws = std::mem::take(&mut self.flaws);
        for call in flaws.keys() {
            self.day(*call).flawed += 1;
        }
        let flawed = flaws.into_iter();
        Books {
            days: self.days.into_values().collect(),
            flawed: flawed
                .map(|(call, flaws)| FlawedCall { call, flaws: flaws.into_iter().collect() })
                .collect(),
        }
    }

    fn begin(&mut self, entry: &Entry) {
        let Fact::Accepted(call) = &entry.fact else { return };
        let is_open = self.open.contains_key(&entry.call);
        match (is_open, entry.seq) {
            (true, _) => self.flag(entry.call, Flaw::AcceptedTwice),
            (false, 0) => {
                let (dialect, key) = (call.dialect.clone(), call.key.clone());
                let fold = Fold::begin(entry);
                let session = Session { fold, dialect, key, entries: Vec::new(), next_seq: 0 };
                self.open.insert(entry.call, session);
            }
            // It is told as a stray entry.
            (false, _) => {}
        }
    }

    /// Compares what a customer is owed with the push that bears its number.
    fn compare(&mut self, call: CallId, owed: &Row, found: Option<&PushLine>) {
        let channel = owed.channel();
        self.told(call, channel).owed += 1;
        let Some(found) = found else { return self.flag(call, missing(channel)) };
        let same = self.open.get(&call).is_some_and(|session| {
            let host = owed.url().map(|url| url.host().to_ascii_lowercase());
            (found.call, channel_of(found.channel)) == (call, Some(channel))
                && (found.dialect.as_str(), found.key.as_str()) == (&*session.dialect, &*session.key)
                && Some(&found.host) == host.as_ref()
                && tells(found.row.as_deref(), stored(owed))
        });
        if !same {
            self.flag(call, Flaw::PushDiffers);
        }
    }

    fn flag(&mut self, call: CallId, flaw: Flaw) {
        self.flaws.entry(call).or_default().insert(flaw);
    }

    fn has(&self, call: CallId, flaw: Flaw) -> bool {
        self.flaws.get(&call).is_some_and(|flaws| flaws.contains(&flaw))
    }

    fn told(&mut self, call: CallId, channel: Channel) -> &mut Told {
        let day = self.day(call);
        match channel {
            Channel::Status => &mut day.events,
            Channel::Fee => &mut day.fees,
            Channel::Report => &mut day.reports,
        }
    }

    /// The day on which a call was accepted.
    fn day(&mut self, call: CallId) -> &mut BookedDay {
        let begun = || BookedDay { day: call.at().print_beijing("%Y-%m-%d"), ..BookedDay::default() };
        self.days.entry((call.at().secs() + AHEAD_SECS).div_euclid(DAY_SECS)).or_insert_with(begun)
    }
}

impl Session {
    /// Of a call whose acceptance cannot be read.
    fn torn() -> Self {
        Self { fold: None, dialect: "".into(), key: "".into(), entries: Vec::new(), next_seq: 0 }
    }
}

/// Whether a push tells what it should; a record is not stored with it.
fn tells(found: Option<&str>, owed: Option<&Row>) -> bool {
    match (found, owed) {
        (Some(found), Some(owed)) => serde_json::from_str::<Row>(found).is_ok_and(|found| found == *owed),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

const fn missing(channel: Channel) -> Flaw {
    match channel {
        Channel::Status => Flaw::NoEvent,
        Channel::Fee => Flaw::NoFee,
        Channel::Report => Flaw::NoReport,
    }
}

const fn stray(channel: Channel) -> Flaw {
    match channel {
        Channel::Status => Flaw::StrayEvent,
        Channel::Fee => Flaw::StrayFee,
        Channel::Report => Flaw::StrayReport,
    }
}

/// How far Beijing's clocks are ahead.
const AHEAD_SECS: i64 = 8 * 3_600;

const DAY_SECS: i64 = 24 * 3_600;
