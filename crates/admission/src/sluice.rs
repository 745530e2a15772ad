//! How many orders pass while the platform has more to do than it can.
//!
//! ```text
//! look ─▶ (proof, body) ─▶ pass ─▶ admission
//!   └─ refused before anything else is done      └─ refused: somebody else was faster
//! ```
//!
//! An order looks before it is proven and passes after that, so that strangers are turned away for nothing and take
//! nobody's place. Only orders for calls are held back: whoever ends a call helps.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::refusal::Refusal;
use base::time::Timestamp;

use crate::bucket::Bucket;
use crate::overload::{Pressure, Strain};

/// One for the whole process. While nothing is held back it costs an order two looks at a number.
pub struct Sluice {
    /// Whether anything is held back.
    pressed: AtomicBool,
    gate: Mutex<Gate>,
    passed: AtomicU64,
    refused: AtomicU64,
}

struct Gate {
    pressure: Pressure,
    /// What passes while orders are slowed down.
    bucket: Bucket,
    /// Whether the process is about to end: then nothing passes any more.
    closed: bool,
}

/// How many orders came since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Those that passed.
    pub passed: u64,
    /// Those that were held back.
    pub refused: u64,
}

impl Sluice {
    /// An open one.
    #[must_use]
    pub fn new() -> Self {
        let gate = Gate { pressure: Pressure::None, bucket: Bucket::new(0, FILLS_IN), closed: false };
        Self {
            pressed: AtomicBool::new(false),
            gate: Mutex::new(gate),
            passed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Lets as many orders pass as that pressure allows, from now on.
    pub fn set(&self, pressure: Pressure, now: Timestamp) {
        let mut gate = self.locked();
        match (gate.pressure, pressure) {
            (Pressure::Slow { .. }, Pressure::Slow { per_second, by: _ }) => {
                gate.bucket.set(per_second, fills_in(per_second), now);
            }
            (_, Pressure::Slow { per_second, by: _ }) => {
                gate.bucket = Bucket::new(per_second, fills_in(per_second));
            }
            (_, Pressure::None | Pressure::Shut { .. }) => {}
        }
        gate.pressure = pressure;
        let pressed = gate.closed || pressure != Pressure::None;
        self.pressed.store(pressed, Ordering::Release);
    }

    /// Lets nothing pass any more.
    pub fn close(&self) {
        self.locked().closed = true;
        self.pressed.store(true, Ordering::Release);
    }

    /// Whether anything is held back: one look at a number.
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::Acquire)
    }

    /// Why an order would be refused now, before anybody looks at it. It takes nobody's place.
    ///
    /// # Errors
    /// [`Refusal::PlatformBusy`].
    pub fn look(&self, now: Timestamp) -> Result<(), Refusal> {
        if !self.is_pressed() || self.locked().has_room(now) {
            return Ok(());
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Refusal::PlatformBusy)
    }

    /// Lets an order pass that has proved who asks.
    ///
    /// # Errors
    /// [`Refusal::PlatformBusy`].
    pub fn pass(&self, now: Timestamp) -> Result<(), Refusal> {
        let passes = !self.is_pressed() || self.locked().take(now);
        let (count, outcome) = match passes {
            true => (&self.passed, Ok(())),
            false => (&self.refused, Err(Refusal::PlatformBusy)),
        };
        count.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    /// How many orders came.
    #[must_use]
    pub fn flow(&self) -> Flow {
        let (passed, refused) = (self.passed.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed));
        Flow { passed, refused }
    }

    /// What holds now.
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        let gate = self.locked();
        if gate.closed { Pressure::Shut { by: Strain::Ending } } else { gate.pressure }
    }

    fn locked(&self) -> MutexGuard<'_, Gate> {
        // Every change under the lock is whole before anything in it can panic.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    fn has_room(&self, now: Timestamp) -> bool {
        !self.closed
            && match self.pressure {
                Pressure::None => true,
                Pressure::Slow { .. } => self.bucket.level(now) > 0,
                Pressure::Shut { .. } => false,
            }
    }

    fn take(&mut self, now: Timestamp) -> bool {
        !self.closed
            && match self.pressure {
                Pressure::None => true,
                Pressure::Slow { .. } => self.bucket.take(now),
                Pressure::Shut { .. } => false,
            }
    }
}

impl Default for Sluice {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sluice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sluice({:?}, {:?})", self.pressure(), self.flow())
    }
}

/// In how much time as many orders may pass as may pass at once.
fn fills_in(per_second: u32) -> Duration {
    FILLS_IN.max(Duration::from_secs(FEW) / per_second.max(1))
}

/// What orders that come at once may take together: so much of a second's.
const FILLS_IN: Duration = Duration::from_millis(50);

/// So few orders at once are not what is too much.
const FEW: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Pressure = Pressure::Slow { per_second: 40, by: Strain::Late };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_767_323_040_000 + millis)
    }

    #[test]
    fn who_only_looks_takes_nobodys_place() {
        let sluice = Sluice::new();
        assert_eq!((sluice.look(at(0)), sluice.pass(at(0))), (Ok(()), Ok(())));
        sluice.set(LATE, at(0));
        for _ in 0..5 {
            assert_eq!(
                (sluice.look(at(0)), sluice.look(at(0)), sluice.pass(at(0))),
                (Ok(()), Ok(()), Ok(()))
            );
        }
        assert_eq!(sluice.look(at(0)), Err(Refusal::PlatformBusy));
        assert_eq!(sluice.pass(at(0)), Err(Refusal::PlatformBusy));
        sluice.set(LATE, at(0));
        assert_eq!(sluice.pass(at(0)), Err(Refusal::PlatformBusy), "it fills by time alone");
        assert_eq!((sluice.pass(at(50)), sluice.pass(at(50))), (Ok(()), Ok(())));
        assert_eq!(sluice.pass(at(50)), Err(Refusal::PlatformBusy));
        assert_eq!(sluice.flow(), Flow { passed: 8, refused: 4 });
        sluice.set(Pressure::None, at(50));
        assert_eq!(sluice.pass(at(50)), Ok(()));
    }

    #[test]
    fn so_many_pass_in_a_second_as_shall() {
        let sluice = Sluice::new();
        sluice.set(LATE, at(0));
        let passed = (0..10_000).filter(|millis| sluice.pass(at(*millis)).is_ok()).count();
        assert_eq!(passed, 404);
    }

    #[test]
    fn a_clock_that_steps_back_keeps_nobody_out() {
        let sluice = Sluice::new();
        sluice.set(LATE, at(0));
        while sluice.pass(at(0)).is_ok() {}
        let hour = 3_600_000;
        let passed = (0..1_000).filter(|millis| sluice.pass(at(*millis - hour)).is_ok()).count();
        assert!((39..=41).contains(&passed), "{passed}");
    }

    #[test]
    fn after_the_end_nothing_passes_whatever_is_set() {
        let sluice = Sluice::new();
        sluice.close();
        sluice.set(Pressure::None, at(0));
        assert_eq!(sluice.look(at(0)), Err(Refusal::PlatformBusy));
        assert_eq!(sluice.pass(at(0)), Err(Refusal::PlatformBusy));
        assert_eq!(sluice.pressure(), Pressure::Shut { by: Strain::Ending });
    }
}
