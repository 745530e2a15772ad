//! Whether the books add up: every call that was accepted is under way or has one record, and its customer is owed what
//! follows from the journal, once.
//!
//! ```text
//! journal, entry by entry ─▶ fold again ─┬─▶ the record ═?═ the one that is stored
//!                                        └─▶ the pushes ═?═ those in the outbox
//! records, calls under way ─▶ was each of them accepted?
//! ```
//!
//! [`auditor`] judges and is pure; [`reading`] walks through the database in one transaction, so that a server may go on.

mod auditor;
mod reading;

use base::id::CallId;

pub(crate) use self::reading::read;

/// The calls of some days, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Each day on which a call was accepted, in order.
    pub days: Vec<BookedDay>,
    /// Each call that does not add up, by age.
    pub flawed: Vec<FlawedCall>,
}

/// The calls of a day, as Beijing's clocks have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookedDay {
    /// Such as `2026-01-02`.
    pub day: String,
    /// Calls that the journal accepted.
    pub accepted: u64,
    /// Of these, calls that are not over.
    pub under_way: u64,
    /// Records.
    pub records: u64,
    /// Fee records.
    pub fees: Told,
    /// Reports.
    pub reports: Told,
    /// Status events.
    pub events: Told,
    /// Calls with a flaw.
    pub flawed: u64,
}

/// How many pushes of a kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How many customers are owed, by the journal.
    pub owed: u64,
    /// How many the outbox knows, whether they were delivered or not.
    pub found: u64,
}

/// A call that does not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlawedCall {
    /// The call.
    pub call: CallId,
    /// What is wrong with it. What only follows from another flaw is left out.
    pub flaws: Vec<Flaw>,
}

/// What can be wrong with a call. Those from [`Self::NeverAccepted`] to [`Self::StrayEntry`] are of its journal: nothing can
/// be concluded from it then, and the others are not looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// It has a record or is under way, and the journal never accepted it.
    NeverAccepted,
    /// The journal accepted it twice.
    AcceptedTwice,
    /// One of its rows cannot be read.
    Unreadable,
    /// Entries of it are missing.
    MissingEntry,
    /// It has entries before its acceptance, after its end, or twice.
    StrayEntry,
    /// It was accepted, and is neither under way nor over.
    Lost,
    /// It has a record, and the journal knows no end of it.
    NeverEnded,
    /// It is over, and is listed as under way.
    StillListed,
    /// It is over, and has no record.
    NoRecord,
    /// Its record is another than what follows from its entries.
    RecordDiffers,
    /// Its record lists other entries than the journal has.
    EntriesDiffer,
    /// Its fee record is not in the outbox.
    NoFee,
    /// Its report is not in the outbox.
    NoReport,
    /// A status event of it is not in the outbox.
    NoEvent,
    /// The outbox has a fee record of it that nobody is owed.
    StrayFee,
    /// The outbox has a report of it that nobody is owed.
    StrayReport,
    /// The outbox has a status event of it that nobody is owed.
    StrayEvent,
    /// A push of it tells something else than what follows from its entries.
    PushDiffers,
}

impl Books {
    /// Whether everything adds up.
    #[must_use]
    pub fn add_up(&self) -> bool {
        self.flawed.is_empty() && self.days.iter().all(BookedDay::adds_up)
    }
}

impl BookedDay {
    /// Whether it does.
    #[must_use]
    pub const fn adds_up(&self) -> bool {
        self.flawed == 0
            && self.accepted == self.under_way + self.records
            && self.fees.owed == self.fees.found
            && self.reports.owed == self.reports.found
            && self.events.owed == self.events.found
    }
}

impl Flaw {
    /// All of them, those of the journal first.
    pub const ALL: [Self; 18] = [
        Self::NeverAccepted,
        Self::AcceptedTwice,
        Self::Unreadable,
        Self::MissingEntry,
        Self::StrayEntry,
        Self::Lost,
        Self::NeverEnded,
        Self::StillListed,
        Self::NoRecord,
        Self::RecordDiffers,
        Self::EntriesDiffer,
        Self::NoFee,
        Self::NoReport,
        Self::NoEvent,
        Self::StrayFee,
        Self::StrayReport,
        Self::StrayEvent,
        Self::PushDiffers,
    ];

    /// Its word, for people and programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NeverAccepted => "never_accepted",
            Self::AcceptedTwice => "accepted_twice",
            Self::Unreadable => "unreadable",
            Self::MissingEntry => "missing_entry",
            Self::StrayEntry => "stray_entry",
            Self::Lost => "lost",
            Self::NeverEnded => "never_ended",
            Self::StillListed => "still_listed",
            Self::NoRecord => "no_record",
            Self::RecordDiffers => "record_differs",
            Self::EntriesDiffer => "entries_differ",
            Self::NoFee => "no_fee",
            Self::NoReport => "no_report",
            Self::NoEvent => "no_event",
            Self::StrayFee => "stray_fee",
            Self::StrayReport => "stray_report",
            Self::StrayEvent => "stray_event",
            Self::PushDiffers => "push_differs",
        }
    }

    /// Whether nothing can be concluded from the journal of its call.
    const fn is_of_the_journal(self) -> bool {
        matches!(
            self,
            Self::NeverAccepted
                | Self::AcceptedTwice
                | Self::Unreadable
                | Self::MissingEntry
                | Self::StrayEntry
        )
    }
}
