//! Feeds a target until its budget is used up or it breaks.

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use std::{fmt, fs};

use anyhow::Result;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rustix::time::{ClockId, clock_gettime};

use crate::change::changed;
use crate::target::Target;

/// How long a target is fed.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    /// So many inputs; the same seed brings the same ones.
    Runs(u64),
    /// So much of a processor's time, however long the machine takes to give it; an input that takes a second of it
    /// has broken the target, as has memory that grows by more than 64 MiB.
    Time(Duration),
}

impl Budget {
    const fn is_long(self) -> bool {
        matches!(self, Self::Time(_))
    }
}

/// What came of it. Times are those of the processor, so that other work on the machine changes little.
#[derive(Clone, Debug)]
pub struct Report {
    /// The target.
    pub name: &'static str,
    /// Inputs.
    pub runs: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Different things that the target saw.
    pub sights: usize,
    /// The longest that one input took.
    pub slowest: Duration,
    /// Bytes of that input.
    pub slowest_bytes: usize,
    /// Resident memory at the end less that after the first tenth of the inputs, in KiB.
    pub grown_kib: i64,
    /// The input that broke it, if any did.
    pub broken: Option<Broken>,
}

/// An input that broke a target.
#[derive(Clone, Debug)]
pub struct Broken {
    /// As small as we could make it.
    pub input: Vec<u8>,
    /// What the panic said.
    pub said: String,
}

/// Feeds a target.
///
/// # Errors
/// Its corpus cannot be read.
pub fn drive(target: &Target, seed: u64, budget: Budget) -> Result<Report> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut pool = target.corpus()?;
    let own = pool.len();
    let began = worked();
    let mut sights = HashSet::new();
    let mut report = Report::of(target.name);
    let mut settled_kib = None;
    loop {
        let done = match budget {
            Budget::Runs(runs) => report.runs as f64 / runs as f64,
            Budget::Time(time) => (worked() - began).as_secs_f64() / time.as_secs_f64(),
        };
        if done >= 1.0 {
            break;
        }
        if done >= 0.1 && settled_kib.is_none() {
            settled_kib = Some(resident_kib());
        }
        let fresh = usize::try_from(report.runs).ok().filter(|run| *run < own);
        let input = match fresh {
            Some(run) => pool[run].clone(),
            None => {
                let from = rng.random_range(0..pool.len());
                changed(&pool[from], &pool, target.words, target.bytes_max, &mut rng)
            }
        };
        let before = worked();
        let seen = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        let took = worked() - before;
        report.count(&input, took);
        match seen {
            Ok(_) if took > SLOW && budget.is_long() => {
                report.broken = Some(Broken { input, said: format!("it took {took:.1?}") });
                break;
            }
            Ok(seen) => {
                if sights.len() < SIGHTS_MAX && sights.insert(seen) && fresh.is_none() {
                    keep(&mut pool, own, input, &mut rng);
                }
            }
            Err(panic) => {
                let (input, said) = smaller(target, input, said(&*panic));
                report.broken = Some(Broken { input, said });
                break;
            }
        }
    }
    report.sights = sights.len();
    report.grown_kib = settled_kib.map_or(0, |settled| resident_kib() - settled);
    if report.grown_kib > GROWTH_KIB && budget.is_long() && report.broken.is_none() {
        let said = "its memory grew and grew; no single input did it".to_owned();
        report.broken = Some(Broken { input: Vec::new(), said });
    }
    Ok(report)
}

/// Puts an input into the pool, in the place of another when it is full; those of the corpus stay.
fn keep(pool: &mut Vec<Vec<u8>>, own: usize, input: Vec<u8>, rng: &mut SmallRng) {
    if pool.len() < own + POOL_MAX {
        pool.push(input);
    } else {
        let at = rng.random_range(own..pool.len());
        pool[at] = input;
    }
}

/// Takes parts out of the input as long as it breaks the target.
fn smaller(target: &Target, mut input: Vec<u8>, mut last: String) -> (Vec<u8>, String) {
    let mut part = input.len().div_ceil(2);
    let mut tries = 0;
    while part > 0 && tries < TRIES_MAX {
        let mut at = 0;
        while at < input.len() && tries < TRIES_MAX {
            let end = (at + part).min(input.len());
            let less = [&input[..at], &input[end..]].concat();
            tries += 1;
            match catch_unwind(AssertUnwindSafe(|| (target.run)(&less))) {
                Ok(_) => at = end,
                Err(panic) => (input, last) = (less, said(&*panic)),
            }
        }
        part /= 2;
    }
    (input, last)
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    text.unwrap_or("a panic without words").to_owned()
}

/// How long the calling thread has had a processor.
fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// What the kernel says that we have in memory; 0 where it does not say.
fn resident_kib() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Nothing that is read takes so long. Only long runs are held to it: they are made in release builds.
const SLOW: Duration = Duration::from_secs(1);

/// What a pool of kept inputs and the allocator's ways do not explain.
const GROWTH_KIB: i64 = 64 * 1024;

/// Different sights that are remembered: a few megabytes.
const SIGHTS_MAX: usize = 100_000;

/// Inputs that are kept besides the corpus.
const POOL_MAX: usize = 1_000;

/// Tries to make an input smaller.
const TRIES_MAX: usize = 2_000;

impl Report {
    const fn of(name: &'static str) -> Self {
        Self {
            name,
            runs: 0,
            bytes: 0,
            sights: 0,
            slowest: Duration::ZERO,
            slowest_bytes: 0,
            grown_kib: 0,
            broken: None,
        }
    }

    fn count(&mut self, input: &[u8], took: Duration) {
        self.runs += 1;
        self.bytes += u64::try_from(input.len()).unwrap_or(u64::MAX);
        if took > self.slowest {
            (self.slowest, self.slowest_bytes) = (took, input.len());
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, runs, bytes, sights, slowest, slowest_bytes, grown_kib, broken } = self;
        let count = usize::from(broken.is_some());
        write!(
            f,
            "{name:<14} runs={runs} bytes={bytes} sights={sights} slowest={slowest:.1?} ({slowest_bytes} bytes) \
             grown={grown_kib}KiB broken={count}"
        )?;
        let Some(Broken { input, said }) = broken else { return Ok(()) };
        write!(f, "\n  {said}\n  input: b\"{}\"", input.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::seen;
    use crate::targets;

    /// Inputs of a run that takes a moment.
    const RUNS: u64 = 3_000;

    #[test]
    fn no_target_breaks() {
        let mut broken = Vec::new();
        for target in targets::ALL {
            let report = drive(target, 1, Budget::Runs(targets::runs_worth(target, RUNS))).unwrap();
            println!("{report}");
            broken.extend(report.broken.is_some().then(|| report.to_string()));
        }
        assert_eq!(broken, Vec::<String>::new());
    }

    #[test]
    fn a_target_that_breaks_is_found_and_its_input_made_small() {
        let run = |input: &[u8]| {
            let at = input.windows(4).position(|word| word == b"v=66");
            assert!(at.is_none(), "this must not be");
            seen(input.iter().filter(|byte| **byte == b'=').count())
        };
        let target = Target { name: "sdp", corpora: &[], words: &["66"], bytes_max: 1_000, run };
        let report = drive(&target, 1, Budget::Runs(100_000)).unwrap();
        let broken = report.broken.expect("it is found");
        assert_eq!((broken.input, &*broken.said), (b"v=66".to_vec(), "this must not be"));
        assert!(report.runs < 100_000);
    }

    #[test]
    fn the_same_seed_brings_the_same_inputs() {
        let told = |seed| {
            let report = drive(&targets::ALL[0], seed, Budget::Runs(300)).unwrap();
            (report.bytes, report.sights)
        };
        assert_eq!(told(7), told(7));
        assert_ne!(told(7), told(8));
    }
}
