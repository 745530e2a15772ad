//! What the customer was told, in a ladder.

use base::row::{Row as Told, StatusKind};
use base::time::Timestamp;

use super::{Arrow, Row, RowKind};

/// One time that a push was sent, or will be.
#[derive(Clone, Copy, Debug)]
pub struct Pushed<'a> {
    /// When.
    pub at: Timestamp,
    /// What it tells.
    pub row: &'a Told,
    /// What came of it.
    pub came: Came<'a>,
}

/// What came of sending a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came<'a> {
    /// The receiver has it.
    Delivered,
    /// It failed; this is why.
    Failed(&'a str),
    /// It is still to be sent.
    Owed,
}

impl Pushed<'_> {
    pub(super) fn row(&self) -> Row {
        let told = told(self.row);
        let words = match self.came {
            Came::Delivered => format!("push delivered: {told}"),
            Came::Failed(why) => format!("push failed: {told}: {why}"),
            Came::Owed => format!("push owed: {told}"),
        };
        Row { at: self.at, kind: RowKind::Push, arrow: Arrow::Plain, words, message: None }
    }
}

fn told(row: &Told) -> String {
    match row {
        Told::Fee(_) => "fee".into(),
        Told::Report(_) => "report".into(),
        Told::Status(status) => match &status.kind {
            StatusKind::Dialled => format!("{} dialled", status.leg),
            StatusKind::Ringing => format!("{} rings", status.leg),
            StatusKind::Answered => format!("{} answered", status.leg),
            StatusKind::Collected { .. } => format!("keys of {}", status.leg),
            StatusKind::Over { .. } => "over".into(),
        },
    }
}
