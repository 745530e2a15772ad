//! How many orders there is time for: measurements in, [`Pressure`] out.
//!
//! ```text
//! late or slow four looks running ─▶ Slow: fewer ─ calm, and orders held back ─▶ Slow: more ─ nobody held back ─▶ None
//! short of memory ─────────────────▶ Shut ─ clearly less short ─▶ as before
//! ```
//!
//! Nobody knows what a call will cost on this machine, with these telephones, beside these neighbours. So the judge looks
//! at what happens when it is too much: threads come late. It lets fewer orders pass at once, and slowly more again, as
//! TCP does with its window; where it had to cut last it goes on carefully. One bad moment is none: only what stays bad
//! for some looks is believed. What passes is a rate, not a share, so that twice as many who ask change nothing.

use std::time::Duration;

use base::time::Instant;

/// From when on orders are held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverloadSettings {
    /// How late our threads may be; `None`: nobody looks.
    pub late: Option<Duration>,
    /// How long an order may wait for the journal to look at it; `None`: nobody looks.
    pub journal: Option<Duration>,
    /// How much of the memory that the process may have it may use, in per cent, 1 to 100; `None`: nobody looks.
    pub memory_percent: Option<u8>,
    /// How many bytes the machine must have left; 0: nobody looks.
    pub memory_free: u64,
    /// Orders a second that are never exceeded; `None`: any number.
    pub per_second: Option<u32>,
}

impl Default for OverloadSettings {
    fn default() -> Self {
        Self {
            late: Some(Duration::from_millis(20)),
            journal: Some(Duration::from_millis(100)),
            memory_percent: Some(90),
            memory_free: 64 << 20,
            per_second: None,
        }
    }
}

/// What was seen since the look before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// How late the latest of our threads was.
    pub late: Duration,
    /// How long the oldest order waits that the journal has not looked at.
    pub journal: Duration,
    /// What there is of memory, when it was measured.
    pub memory: Option<Memory>,
    /// Orders that passed.
    pub passed: u64,
    /// Orders that were held back.
    pub refused: u64,
}

/// What there is of memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What the process uses.
    pub used: u64,
    /// What it may use.
    pub allowed: u64,
    /// What the machine has left for everybody.
    pub free: u64,
}

/// What is done with orders for calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pressure {
    /// All may pass.
    #[default]
    None,
    /// So many may pass.
    Slow {
        /// In a second.
        per_second: u32,
        /// Because of this.
        by: Strain,
    },
    /// None may pass.
    Shut {
        /// Because of this.
        by: Strain,
    },
}

/// What is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strain {
    /// Time: threads are late.
    Late,
    /// The journal: orders wait for it.
    Journal,
    /// Memory.
    Memory,
    /// Nothing; the operator wants no more orders in a second.
    Rate,
    /// Nothing; the process is about to end.
    Ending,
}

/// Remembers what it saw, to be neither hasty nor forgetful.
#[derive(Debug)]
pub struct Judge {
    settings: OverloadSettings,
    looked_at: Option<Instant>,
    /// Orders a second that pass, as they were lately.
    flow: f64,
    /// Looks in a row that found something too late.
    strained: u32,
    held: Option<Held>,
    short_of_memory: bool,
}

/// How much passes while not everything does.
#[derive(Clone, Copy, Debug)]
struct Held {
    per_second: f64,
    by: Strain,
    /// What was too much when it had grown.
    too_much: f64,
    cut_at: Instant,
    /// Whether it has grown since it was cut: otherwise it may be on the way to what is not too much, or past it.
    has_grown: bool,
    /// When somebody was held back last, or something was late.
    needed_at: Instant,
}

impl Judge {
    /// One that has seen nothing yet.
    #[must_use]
    pub const fn new(settings: OverloadSettings) -> Self {
        Self { settings, looked_at: None, flow: 0.0, strained: 0, held: None, short_of_memory: false }
    }

    /// Judges what was seen since the look before. To be asked many times a second.
    pub fn look(&mut self, now: Instant, measured: &Measured) -> Pressure {
        let since = self.looked_at.replace(now).map_or(Duration::ZERO, |before| now.since(before));
        self.follow(measured.passed, since);
        let (strain, by) = self.strain(measured);
        self.strained = if strain >= 1.0 { self.strained.saturating_add(1) } else { 0 };
        match self.held {
            None if self.strained >= BELIEVED => self.hold(strain, by, now),
            None => {}
            Some(held) => self.held = self.adjust(held, (strain, by), measured.refused > 0, since, now),
        }
        if let Some(memory) = measured.memory {
            self.short_of_memory = self.is_short(memory);
        }
        self.pressure()
    }

    fn pressure(&self) -> Pressure {
        if self.short_of_memory {
            return Pressure::Shut { by: Strain::Memory };
        }
        let held = self.held.map(|held| (whole(held.per_second), held.by));
        let most = self.settings.per_second.map(|most| (most, Strain::Rate));
        match held.into_iter().chain(most).min_by_key(|(per_second, _)| *per_second) {
            Some((0, by)) => Pressure::Shut { by },
            Some((per_second, by)) => Pressure::Slow { per_second, by },
            None => Pressure::None,
        }
    }

    fn follow(&mut self, passed: u64, since: Duration) {
        if since.is_zero() {
            return;
        }
        let secs = since.as_secs_f64();
        let weight = secs / (secs + FLOW.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "orders between two looks are few")]
        let rate = passed as f64 / secs;
        self.flow += (rate - self.flow) * weight;
    }

    /// The worst of what is looked at, as a part of what is allowed.
    fn strain(&self, measured: &Measured) -> (f64, Strain) {
        let part = |seen: Duration, allowed: Option<Duration>| {
            allowed.map_or(0.0, |allowed| seen.as_secs_f64() / allowed.as_secs_f64())
        };
        let late = part(measured.late, self.settings.late);
        let journal = part(measured.journal, self.settings.journal);
        if journal > late { (journal, Strain::Journal) } else { (late, Strain::Late) }
    }

    fn hold(&mut self, strain: f64, by: Strain, now: Instant) {
        let per_second = (self.flow * kept(strain).min(FIRST_CUT)).max(FEWEST);
        let too_much = self.flow;
        self.held = Some(Held { per_second, by, too_much, cut_at: now, has_grown: false, needed_at: now });
    }

    /// Fewer when it is still too much, more when it is little; `None` when all may pass again.
    fn adjust(
        &self,
        held: Held,
        (strain, by): (f64, Strain),
        somebody_waits: bool,
        since: Duration,
        now: Instant,
    ) -> Option<Held> {
        if self.strained >= BELIEVED {
            if now.since(held.cut_at) < CUT_PAUSE {
                return Some(Held { needed_at: now, ..held });
            }
            // What passed is what was too much, where fewer came than might have passed.
            let passed = held.per_second.min(self.flow.max(FEWEST));
            let per_second = (passed * kept(strain)).max(FEWEST);
            let too_much = if held.has_grown { passed } else { held.too_much };
            return Some(Held { per_second, by, too_much, cut_at: now, has_grown: false, needed_at: now });
        }
        let needed_at = if somebody_waits { now } else { held.needed_at };
        if now.since(needed_at) >= OVER {
            return None;
        }
        if strain >= CALM || now.since(needed_at) >= WAITED {
            return Some(Held { needed_at, ..held });
        }
        let is_near = held.per_second >= held.too_much * NEAR;
        // What was too much then may be little by now.
        let careful = CAREFUL * (1.0 + now.since(held.cut_at).as_secs_f64());
        let growth = if is_near { careful.min(FAST) } else { FAST };
        let per_second = (held.per_second * (1.0 + growth * since.as_secs_f64())).min(MOST);
        Some(Held { per_second, has_grown: true, needed_at, ..held })
    }

    /// Memory is short until there is clearly more of it than when it became short.
    fn is_short(&self, memory: Memory) -> bool {
        let slack = u64::from(self.short_of_memory);
        let percent = self.settings.memory_percent.map(u64::from);
        let used = percent.is_some_and(|percent| {
            let percent = percent.saturating_sub(slack * MEMORY_SLACK_PERCENT);
            memory.used > memory.allowed / 100 * percent
        });
        let enough = self.settings.memory_free.saturating_add(slack * self.settings.memory_free / 4);
        used || memory.free < enough
    }
}

/// How much of a rate is kept: the more, the less it is over.
fn kept(strain: f64) -> f64 {
    1.0 - (CUT * strain).min(CUT_MOST)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between FEWEST and MOST")]
fn whole(per_second: f64) -> u32 {
    per_second as u32
}

/// Looks in a row that must find the same before it is believed: others may have the processor for a moment.
const BELIEVED: u32 = 4;

/// What is kept of the flow at first: by the time that it is seen, more than is good is under way.
const FIRST_CUT: f64 = 0.6;

/// What is cut for each time that the allowed lateness was seen, and at most.
const CUT: f64 = 0.05;
const CUT_MOST: f64 = 0.4;

/// How long a cut may take to be felt.
const CUT_PAUSE: Duration = Duration::from_millis(250);

/// Growth a second, and how much more carefully it begins near the rate that was too much.
const FAST: f64 = 0.5;
const CAREFUL: f64 = 0.02;
const NEAR: f64 = 0.95;

/// A strain of less leaves room for more.
const CALM: f64 = 0.75;

/// Somebody was held back so lately that more are waiting.
const WAITED: Duration = Duration::from_millis(500);

/// So long nobody is held back before all may pass again.
const OVER: Duration = Duration::from_secs(5);

/// Over how long the flow is averaged.
const FLOW: Duration = Duration::from_millis(500);

/// What always passes: so few are not what is too much, and without them nobody would see that there is time again.
const FEWEST: f64 = 5.0;

/// More than any machine takes.
const MOST: f64 = 1e6;

/// How much less of the memory must be used before it is not short any more.
const MEMORY_SLACK_PERCENT: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Duration = Duration::from_millis(25);

    /// A machine that takes so many orders a second: what it cannot do at once makes it late.
    struct Machine {
        judge: Judge,
        takes: f64,
        now: Instant,
        /// Orders that passed and are not done.
        behind: f64,
        pressure: Pressure,
        share: f64,
        latest: Duration,
    }

    impl Machine {
        fn new(takes: f64) -> Self {
            Self {
                judge: Judge::new(OverloadSettings::default()),
                takes,
                now: Instant::from_millis(1_000),
                behind: 0.0,
                pressure: Pressure::None,
                share: 0.0,
                latest: Duration::ZERO,
            }
        }

        /// So many are offered a second for that time. Gives how many passed, a second.
        fn offered(&mut self, rate: f64, time: Duration) -> f64 {
            let (mut all, looks) = (0.0, time.as_millis() / LOOK.as_millis());
            self.latest = Duration::ZERO;
            for _ in 0..looks {
                let come = rate * LOOK.as_secs_f64() + self.share;
                let may = match self.pressure {
                    Pressure::None => come,
                    Pressure::Slow { per_second, .. } => come.min(f64::from(per_second) * LOOK.as_secs_f64()),
                    Pressure::Shut { .. } => 0.0,
                };
                let passed = may.floor();
                self.share = may - passed;
                self.behind = (self.behind + passed - self.takes * LOOK.as_secs_f64()).max(0.0);
                let late = Duration::from_secs_f64(self.behind / self.takes);
                self.latest = self.latest.max(late);
                let refused = (come - may) as u64;
                let measured = Measured { late, passed: passed as u64, refused, ..Measured::default() };
                self.now = self.now + LOOK;
                self.pressure = self.judge.look(self.now, &measured);
                all += passed;
            }
            all / time.as_secs_f64()
        }
    }

    #[test]
    fn twice_what_it_can_take_leaves_it_doing_what_it_can() {
        for takes in [300.0, 1_500.0] {
            let mut machine = Machine::new(takes);
            machine.offered(takes / 2.0, Duration::from_secs(10));
            assert_eq!(machine.pressure, Pressure::None);
            let passed = machine.offered(takes * 2.0, Duration::from_secs(120));
            assert!((0.93..1.02).contains(&(passed / takes)), "{passed} of {takes}");
            machine.offered(takes * 2.0, Duration::from_secs(10));
            assert!(machine.latest < Duration::from_millis(40), "late by {:?}", machine.latest);
            // Then it is over.
            let passed = machine.offered(takes / 2.0, Duration::from_secs(10));
            assert!(passed > takes * 0.49, "{passed} of {takes}");
            assert_eq!(machine.pressure, Pressure::None);
        }
    }

    #[test]
    fn ten_times_as_many_change_nothing() {
        let mut machine = Machine::new(500.0);
        machine.offered(1_000.0, Duration::from_secs(30));
        let passed = machine.offered(5_000.0, Duration::from_secs(30));
        assert!((470.0..=510.0).contains(&passed), "{passed}");
    }

    fn look(judge: &mut Judge, count: u64, measured: Measured) -> Pressure {
        let looks = (1..=count).map(|_| judge.look(judge.looked_at.unwrap_or_default() + LOOK, &measured));
        looks.last().expect("at least one look")
    }

    #[test]
    fn one_bad_moment_is_none() {
        let mut judge = Judge::new(OverloadSettings::default());
        let (bad, good) =
            (Measured { late: Duration::from_secs(9), ..Measured::default() }, Measured::default());
        for _ in 0..50 {
            assert_eq!(look(&mut judge, 3, bad), Pressure::None);
            assert_eq!(look(&mut judge, 1, good), Pressure::None);
        }
        assert_eq!(look(&mut judge, 4, bad), Pressure::Slow { per_second: 5, by: Strain::Late });
    }

    #[test]
    fn what_nobody_looks_at_holds_nobody_back() {
        let settings = OverloadSettings {
            late: None,
            journal: None,
            memory_percent: None,
            memory_free: 0,
            per_second: None,
        };
        let worst = Measured {
            late: Duration::from_secs(9),
            journal: Duration::from_secs(9),
            memory: Some(Memory { used: 100, allowed: 100, free: 0 }),
            ..Measured::default()
        };
        assert_eq!(look(&mut Judge::new(settings.clone()), 100, worst), Pressure::None);
        let settings = OverloadSettings { per_second: Some(30), ..settings };
        let rate = Pressure::Slow { per_second: 30, by: Strain::Rate };
        assert_eq!(look(&mut Judge::new(settings.clone()), 1, Measured::default()), rate);
        let none = OverloadSettings { per_second: Some(0), ..settings };
        assert_eq!(look(&mut Judge::new(none), 1, worst), Pressure::Shut { by: Strain::Rate });
    }

    #[test]
    fn a_journal_that_is_slow_is_named() {
        let mut judge = Judge::new(OverloadSettings::default());
        let slow = Measured { journal: Duration::from_millis(150), passed: 10, ..Measured::default() };
        let Pressure::Slow { per_second, by: Strain::Journal } = look(&mut judge, 5, slow) else {
            panic!("{:?}", judge.pressure());
        };
        assert!(per_second < 400);
    }

    #[test]
    fn memory_is_short_until_there_is_clearly_more() {
        let mut judge = Judge::new(OverloadSettings::default());
        let mut used = |percent: u64| {
            let memory = Memory { used: percent << 20, allowed: 100 << 20, free: 1 << 30 };
            look(&mut judge, 1, Measured { memory: Some(memory), ..Measured::default() })
        };
        let short = Pressure::Shut { by: Strain::Memory };
        assert_eq!([used(90), used(91), used(89), used(86)], [Pressure::None, short, short, short]);
        assert_eq!([used(85), used(89)], [Pressure::None; 2]);
        let mut judge = Judge::new(OverloadSettings::default());
        let mut free = |megabytes: u64| {
            let memory = Memory { used: 0, allowed: 100, free: megabytes << 20 };
            look(&mut judge, 1, Measured { memory: Some(memory), ..Measured::default() })
        };
        assert_eq!([free(65), free(63), free(79), free(81)], [Pressure::None, short, short, Pressure::None]);
    }
}
