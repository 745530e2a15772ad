//! A call as people read it: everything that is known of it on one time axis, between the lines of its parties.
//!
//! ```text
//! entries ─┐
//! trace  ──┼─▶ Timeline: rows in the order of time ─▶ text │ SVG │ whatever else a room makes of its rows
//! pushes ──┘
//! ```
//!
//! Numbers are masked, pressed keys and codes are not shown. What SIP said is shown as its trace has it.

mod facts;
mod pushes;
mod svg;
mod text;
mod wire;

use std::time::Duration;

use base::fact::{Entry, Fact};
use base::id::Leg;
use base::quality::MediaReport;
use base::time::Timestamp;
use base::trace::{Trace, Way};

pub use self::pushes::{Came, Pushed};

/// What is known of a call.
#[derive(Clone, Debug, Default)]
pub struct Known<'a> {
    /// Its entries, in their order.
    pub entries: &'a [Entry],
    /// What went over the wire, if that was kept.
    pub trace: Trace<'a>,
    /// What its customer was told, in any order.
    pub pushes: Vec<Pushed<'a>>,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// When the call was accepted.
    pub began: Timestamp,
    /// How many parties it is for, 1 or 2.
    pub parties: usize,
    /// In the order of time. At the same moment, what came stands before what followed from it.
    pub rows: Vec<Row>,
    /// What the media of each leg came to.
    pub media: Vec<(Leg, MediaReport)>,
    /// Messages and packets that are in no row, because there was no room to keep them.
    pub left_out: u32,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub at: Timestamp,
    /// Who knows of it.
    pub kind: RowKind,
    /// What stands between the lines.
    pub arrow: Arrow,
    /// What it is told as, in a line.
    pub words: String,
    /// The message that was kept; for [`RowKind::Message`] only.
    pub message: Option<String>,
}

/// Who knows of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// The journal.
    Fact,
    /// The trace: a SIP message.
    Message,
    /// The trace: a stream of RTP, where it begins.
    Stream,
    /// The outbox.
    Push,
}

/// What stands between the lines in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrow {
    /// Nothing.
    Plain,
    /// From us to a party.
    To(Leg, String),
    /// From a party to us.
    From(Leg, String),
    /// From the other party, through us, to this one.
    Through(Leg, &'static str),
    /// Both ways between the parties.
    Both(&'static str),
}

impl Timeline {
    /// Everything that is known, in its order. Empty when there are no entries.
    #[must_use]
    pub fn new(known: &Known<'_>) -> Self {
        let Some(first) = known.entries.first() else { return Self::default() };
        let call = match &first.fact {
            Fact::Accepted(call) => Some(&**call),
            _ => None,
        };
        let media = |entry: &Entry| match &entry.fact {
            Fact::Released { leg, media: Some(media), .. } => Some((*leg, **media)),
            _ => None,
        };
        let mut rows = merged(fact_rows(known), wire::messages(&known.trace));
        rows.extend(wire::streams(&known.trace));
        rows.extend(known.pushes.iter().map(Pushed::row));
        // What is of one moment keeps its order.
        rows.sort_by_key(|row| row.at);
        Self {
            began: first.at,
            parties: if call.is_some_and(|call| call.numbers(Leg::B).is_none()) { 1 } else { 2 },
            rows,
            media: known.entries.iter().filter_map(media).collect(),
            left_out: known.trace.left_out,
        }
    }

    /// What is told below the rows: what the media of each leg came to, and what is missing.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let media = self.media.iter().map(|(leg, media)| format!("{leg}'s media: {media}"));
        let missing =
            (self.left_out > 0).then(|| format!("{} more messages and packets were not kept", self.left_out));
        media.chain(missing)
    }

    /// How long after the acceptance something was.
    #[must_use]
    pub fn after(&self, row: &Row) -> Duration {
        row.at.since(self.began)
    }
}

impl Arrow {
    /// What stands on it; empty where there is none.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Plain => "",
            Self::To(_, label) | Self::From(_, label) => label,
            Self::Through(_, label) | Self::Both(label) => label,
        }
    }
}

/// The ladder of a call's entries alone, as text.
#[must_use]
pub fn ladder(entries: &[Entry]) -> String {
    Timeline::new(&Known { entries, ..Known::default() }).text()
}

fn fact_rows(known: &Known<'_>) -> Vec<Row> {
    let call = known.entries.iter().find_map(|entry| match &entry.fact {
        Fact::Accepted(call) => Some(&**call),
        _ => None,
    });
    let mut answered = [false; 2];
    let row = |entry: &Entry| {
        if let Fact::Answered { leg, .. } = entry.fact {
            answered[leg.index()] = true;
        }
        // The messages themselves are the better arrows.
        let is_message = said_by_sip(&entry.fact).is_some_and(|leg| wire::has_messages(&known.trace, leg));
        let arrow = if is_message { Arrow::Plain } else { facts::arrow(&entry.fact, answered) };
        let words = facts::words(&entry.fact, call);
        Row { at: entry.at, kind: RowKind::Fact, arrow, words, message: None }
    };
    known.entries.iter().map(row).collect()
}

/// The leg whose SIP messages say a fact.
const fn said_by_sip(fact: &Fact) -> Option<Leg> {
    match fact {
        Fact::Dialled { leg, .. }
        | Fact::Ringing { leg, .. }
        | Fact::Answered { leg, .. }
        | Fact::Redirected { leg, .. }
        | Fact::Released { leg, .. } => Some(*leg),
        Fact::Accepted(_)
        | Fact::ClipStarted { .. }
        | Fact::CodeStarted { .. }
        | Fact::EarlyMedia { .. }
        | Fact::Announced { .. }
        | Fact::PickedUp { .. }
        | Fact::Bridged
        | Fact::Digit { .. }
        | Fact::Collected { .. }
        | Fact::Spoken { .. }
        | Fact::RecordingStarted
        | Fact::RecordingEnded { .. }
        | Fact::StopAsked
        | Fact::Over(_) => None,
    }
}

/// Facts and messages, each in their order. Of one moment, a message that came stands before the facts, which followed
/// from it, and one that was sent behind them.
fn merged(facts: Vec<Row>, messages: Vec<(Way, Row)>) -> Vec<Row> {
    let mut rows = Vec::with_capacity(facts.len() + messages.len());
    let mut messages = messages.into_iter().peekable();
    for fact in facts {
        let is_before = |(way, message): &(Way, Row)| {
            message.at < fact.at || (message.at == fact.at && *way == Way::Received)
        };
        while let Some((_, message)) = messages.next_if(is_before) {
            rows.push(message);
        }
        rows.push(fact);
    }
    rows.extend(messages.map(|(_, message)| message));
    rows
}

#[cfg(test)]
mod tests;
