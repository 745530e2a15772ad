//! What the carrier's telephones went through, readable from other threads while they do.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::time::Timestamp;

/// One call as the telephone saw it.
#[derive(Clone, PartialEq, Eq)]
pub struct LegReport {
    /// Whom the caller wanted: the user part of the request URI.
    pub dialled: String,
    /// The number that the telephone was shown: the user part of From.
    pub shown: String,
    /// Call-ID.
    pub call_id: String,
    /// Whether it was picked up.
    pub answered: bool,
    /// Who ended it; `None` while it rings or is up.
    pub ended_by: Option<EndedBy>,
    /// What the telephone heard from its answer on, as mono A-law WAV. The file is complete once the call has ended.
    pub heard: Option<PathBuf>,
    /// The keys that it heard.
    pub digits: String,
    /// When the INVITE came.
    pub started: Timestamp,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// RTP packets that it heard, as of a tenth of a second ago.
    pub packets_in: u32,
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The caller, by CANCEL or BYE.
    Caller,
    /// The telephone or its network, by a failure or BYE.
    Callee,
    /// Nobody: the caller vanished, and the telephone gave up.
    Nobody,
    /// The call was never heard of, as the number wants it.
    Ignored,
}

impl LegReport {
    /// A call that has just come.
    pub(crate) const fn new(dialled: String, shown: String, call_id: String, started: Timestamp) -> Self {
        Self {
            dialled,
            shown,
            call_id,
            answered: false,
            ended_by: None,
            heard: None,
            digits: String::new(),
            started,
            ended: None,
            packets_in: 0,
        }
    }

    /// Whether it rings or is up.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.ended_by.is_none()
    }
}

// Numbers and keys are nobody's business in a log.
impl fmt::Debug for LegReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegReport")
            .field("call_id", &self.call_id)
            .field("answered", &self.answered)
            .field("ended_by", &self.ended_by)
            .field("digits", &self.digits.len())
            .field("packets_in", &self.packets_in)
            .finish_non_exhaustive()
    }
}

/// All reports, in the order in which the calls came. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<BTreeMap<u64, LegReport>>>);

impl Ledger {
    /// Opens a report. Past [`REPORTS_MAX`] the oldest one is forgotten.
    pub(crate) fn open(&self, serial: u64, report: LegReport) {
        let mut reports = self.reports();
        reports.insert(serial, report);
        if reports.len() > REPORTS_MAX {
            reports.pop_first();
        }
    }

    /// Changes a report that is still there.
    pub(crate) fn change(&self, serial: u64, change: impl FnOnce(&mut LegReport)) {
        if let Some(report) = self.reports().get_mut(&serial) {
            change(report);
        }
    }

    pub(crate) fn all(&self) -> Vec<LegReport> {
        self.reports().values().cloned().collect()
    }

    pub(crate) fn open_legs(&self) -> usize {
        self.reports().values().filter(|report| report.is_open()).count()
    }

    fn reports(&self) -> MutexGuard<'_, BTreeMap<u64, LegReport>> {
        // A report is whole after every line above, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports that are kept: half an hour at 50 calls a second, in under 50 MB.
const REPORTS_MAX: usize = 100_000;
