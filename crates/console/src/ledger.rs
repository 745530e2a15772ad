//! What the API itself must remember: who changed what, and how requests with an idempotency key were answered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::time::Timestamp;
use serde_json::Value;

use crate::problem::Problem;

/// The API's memory.
#[derive(Default)]
pub(crate) struct Ledger {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    notes: Vec<Note>,
    answers: HashMap<Box<str>, Once>,
}

/// One line of the audit log.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) no: i64,
    pub(crate) draft: Draft,
    /// What came of it; `None` while it is at work, and for ever if the process died on the way.
    pub(crate) outcome: Option<Outcome>,
}

/// Somebody is about to change something.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) at: Timestamp,
    /// Who: `operator` and the address.
    pub(crate) actor: Box<str>,
    pub(crate) method: Box<str>,
    /// The path without a query.
    pub(crate) path: Box<str>,
}

/// What came of a request that would change something.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

/// What is known of an idempotency key.
#[derive(Clone, Debug)]
struct Once {
    digest: [u8; 32],
    at: Timestamp,
    answer: Option<Answer>,
}

/// An answer that is given again.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<Box<str>>,
    pub(crate) body: Vec<u8>,
}

/// Whether a request with an idempotency key is the first.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It is.
    First,
    /// It was answered before.
    Again(Answer),
    /// The first is not answered yet.
    Busy,
    /// The key belongs to another request.
    Foreign,
}

impl Ledger {
    /// Notes that somebody is about to change something: its number in the log.
    pub(crate) async fn begin(&self, draft: Draft) -> Result<i64, Problem> {
        let mut kept = self.kept();
        let no = i64::try_from(kept.notes.len()).unwrap_or(i64::MAX) + 1;
        kept.notes.push(Note { no, draft, outcome: None });
        Ok(no)
    }

    /// Notes what came of it.
    pub(crate) async fn finish(&self, no: i64, outcome: Outcome) -> Result<(), Problem> {
        if let Some(note) = self.kept().notes.iter_mut().find(|note| note.no == no) {
            note.outcome = Some(outcome);
        }
        Ok(())
    }

    /// The log, latest first, from before a number on.
    pub(crate) async fn notes(&self, before: Option<i64>, limit: u64) -> Result<Vec<Note>, Problem> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let kept = self.kept();
        let older = kept.notes.iter().rev().filter(|note| before.is_none_or(|before| note.no < before));
        Ok(older.take(limit).cloned().collect())
    }

    /// Takes a turn with an idempotency key. The first one must [`Self::keep`] its answer or [`Self::release`] the key.
    pub(crate) async fn take(&self, key: &str, digest: [u8; 32], now: Timestamp) -> Result<Turn, Problem> {
        let mut kept = self.kept();
        kept.answers.retain(|_, once| now.since(once.at) < MEMORY);
        let turn = match kept.answers.get(key) {
            None => Turn::First,
            Some(once) if once.digest != digest => Turn::Foreign,
            Some(Once { answer: Some(answer), .. }) => Turn::Again(answer.clone()),
            Some(Once { answer: None, .. }) => Turn::Busy,
        };
        if matches!(turn, Turn::First) {
            kept.answers.insert(key.into(), Once { digest, at: now, answer: None });
        }
        Ok(turn)
    }

    /// Keeps the answer to the first request with a key.
    pub(crate) async fn keep(&self, key: &str, answer: Answer) -> Result<(), Problem> {
        if let Some(once) = self.kept().answers.get_mut(key) {
            once.answer = Some(answer);
        }
        Ok(())
    }

    /// Forgets a key whose request failed through our own fault.
    pub(crate) async fn release(&self, key: &str) -> Result<(), Problem> {
        self.kept().answers.remove(key);
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an answer is given again.
const MEMORY: Duration = Duration::from_secs(24 * 3_600);
