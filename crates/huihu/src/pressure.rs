//! Whether there is time for more calls: measured here, judged in [`admission`], asked on the road.
//!
//! Three things are looked at forty times a second: how late the shards were, how late this task itself was (as late as
//! any request), and how long orders wait for the journal. Memory is looked at once a second.

mod memory;

use std::sync::Arc;
use std::time::Duration;

use admission::{Flow, Judge, Measured, OverloadSettings, Pressure, Sluice, Strain};
use engine::Engine;
use store::Journal;
use tokio::time::{Instant, sleep_until};

use self::memory::Gauge;
use crate::road::wall;

/// How often is looked. Three looks in a row are believed.
const LOOK: Duration = Duration::from_millis(25);

/// Looks between two at the memory, which moves slowly.
const MEMORY_LOOKS: u64 = 40;

/// Looks after what it names, and sets the sluice.
pub(crate) struct Watch {
    engine: Arc<Engine>,
    journal: Journal,
    sluice: Arc<Sluice>,
    judge: Judge,
    gauge: Gauge,
    told: Option<Told>,
}

/// That orders are held back was logged.
struct Told {
    since: Instant,
    refused: u64,
}

impl Watch {
    pub(crate) fn new(
        engine: Arc<Engine>,
        journal: Journal,
        sluice: Arc<Sluice>,
        settings: OverloadSettings,
    ) -> Self {
        Self { engine, journal, sluice, judge: Judge::new(settings), gauge: Gauge::open(), told: None }
    }

    /// Looks, for ever. Run it in a task of its own.
    pub(crate) async fn keep(mut self) {
        let began = Instant::now();
        let (mut due, mut before) = (began + LOOK, self.sluice.flow());
        for look in 0_u64.. {
            sleep_until(due).await;
            let now = Instant::now();
            let flow = self.sluice.flow();
            let measured = Measured {
                late: self.engine.lateness().max(now - due),
                journal: self.journal.backlog().oldest,
                memory: look.is_multiple_of(MEMORY_LOOKS).then(|| self.gauge.read()).flatten(),
                passed: flow.passed - before.passed,
                refused: flow.refused - before.refused,
            };
            (due, before) = (now + LOOK, flow);
            let pressure = self.judge.look(since_start(now - began), &measured);
            self.sluice.set(pressure, wall());
            self.tell(pressure, &measured, flow, now);
        }
    }

    /// Logs once when orders are held back, and once when they are not any more.
    fn tell(&mut self, pressure: Pressure, measured: &Measured, flow: Flow, now: Instant) {
        match (strain(pressure), &self.told) {
            (Some(strain), None) => {
                self.told = Some(Told { since: now, refused: flow.refused });
                let per_second = match pressure {
                    Pressure::None | Pressure::Shut { .. } => 0,
                    Pressure::Slow { per_second, .. } => per_second,
                };
                tracing::warn!(
                    per_second, late = ?measured.late, journal = ?measured.journal, calls = self.engine.live(),
                    "orders for calls are held back: {}", reason(strain)
                );
            }
            (None, Some(Told { since, refused })) => {
                tracing::warn!(
                    refused = flow.refused - refused,
                    "orders for calls pass again, after {:.1?}",
                    now - *since
                );
                self.told = None;
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

/// What is short; a rate that the operator set is no news.
const fn strain(pressure: Pressure) -> Option<Strain> {
    match pressure {
        Pressure::None | Pressure::Slow { by: Strain::Rate, .. } | Pressure::Shut { by: Strain::Rate } => {
            None
        }
        Pressure::Slow { by, .. } | Pressure::Shut { by } => Some(by),
    }
}

const fn reason(strain: Strain) -> &'static str {
    match strain {
        Strain::Late => "calls are served late, the machine has more to do than it can",
        Strain::Journal => "the disk takes them too slowly",
        Strain::Memory => "memory is short",
        Strain::Rate => "so the configuration wants it",
        Strain::Ending => "the process is about to end",
    }
}

fn since_start(span: Duration) -> base::time::Instant {
    base::time::Instant::START + span
}
