//! What the scheduler and the kernel say a process used, and what a list of waits amounts to.
//!
//! Processor time is the scheduler's own run time of every thread (`/proc/PID/task/*/schedstat`), not ticks: traffic
//! that comes every 20 ms aliases with tick sampling.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// The processor time of one process, including threads that ended between two looks.
#[derive(Debug)]
pub(crate) struct Account {
    process: u32,
    /// Run time by thread, as last seen.
    threads: HashMap<u32, Duration>,
}

impl Account {
    /// Opens the account of a running process.
    pub(crate) fn new(process: u32) -> Self {
        Self { process, threads: HashMap::new() }
    }

    /// The processor time since the process began. Look at least once a second: the last milliseconds of a thread
    /// that ended between two looks are lost.
    pub(crate) fn cpu(&mut self) -> Result<Duration> {
        let folder = format!("/proc/{}/task", self.process);
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))? {
            let entry = entry?;
            let Some(thread) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A thread may end between the listing and the reading.
            let Ok(text) = fs::read_to_string(entry.path().join("schedstat")) else { continue };
            if let Some(run_time) = parse_schedstat(&text) {
                self.threads.insert(thread, run_time);
            }
        }
        Ok(self.threads.values().sum())
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.process);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        parse_resident(&text).with_context(|| format!("{path} has no VmRSS"))
    }

    /// How often it had to wait for a page of its memory or program to come from the disk, since it began.
    pub(crate) fn page_ins(&self) -> Result<u64> {
        let path = format!("/proc/{}/stat", self.process);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        parse_page_ins(&text).with_context(|| format!("{path} has no major faults"))
    }
}

/// First field of `schedstat`: nanoseconds on the processor.
fn parse_schedstat(text: &str) -> Option<Duration> {
    text.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// `majflt` of `/proc/PID/stat` (proc(5)): the tenth field behind the name, which may hold anything but its last bracket.
fn parse_page_ins(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(9)?.parse().ok()
}

/// The processor time of the calling thread.
pub(crate) fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Binds the calling thread, and the processes it starts from now on, to one core.
pub(crate) fn pin(core: usize) -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("cannot pin to core {core}"))
}

/// Opens as many files as the system lets us: a bridged call is four sockets of the server.
pub(crate) fn raise_open_files() -> Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .context("cannot raise the limit of open files")?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// A list of waits by rank, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Waits {
    pub(crate) count: usize,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) longest: f64,
}

impl Waits {
    /// Ranks the waits, given in microseconds; all zero when there is none.
    pub(crate) fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        let at = |thousandths| rank(&micros, thousandths).map_or(0.0, |wait| f64::from(wait) / 1000.0);
        Self { count: micros.len(), p50: at(500), p99: at(990), p999: at(999), longest: at(1000) }
    }

    pub(crate) fn of_durations(waits: impl Iterator<Item = Duration>) -> Self {
        Self::of(waits.map(|wait| u32::try_from(wait.as_micros()).unwrap_or(u32::MAX)).collect())
    }
}

/// Nearest rank: the smallest value that so many thousandths of the list do not exceed.
fn rank(sorted: &[u32], thousandths: usize) -> Option<u32> {
    let index = (sorted.len() * thousandths).div_ceil(1000).saturating_sub(1);
    sorted.get(index).copied()
}

/// The middle one of a list and its ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// `None` for an empty list.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let median = match values.len() {
            0 => return None,
            odd if odd % 2 == 1 => values[odd / 2],
            even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
        };
        Some(Self { median, least: *values.first()?, most: *values.last()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_ins_stand_behind_a_name_that_may_hold_anything() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1234 0 56 0 78 9";
        assert_eq!(parse_page_ins(stat), Some(56));
        assert_eq!(parse_page_ins("7 (cut"), None);
    }

    #[test]
    fn a_rank_is_a_value_of_the_list() {
        let waits = Waits::of((1..=1000).rev().map(|millis| millis * 1000).collect());
        assert_eq!((waits.p50, waits.p99, waits.p999, waits.longest), (500.0, 990.0, 999.0, 1000.0));
        let one = Waits::of(vec![1500]);
        assert_eq!((one.count, one.p50, one.p99, one.longest), (1, 1.5, 1.5, 1.5));
        assert_eq!(Waits::of(Vec::new()), Waits::default());
    }

    #[test]
    fn the_middle_of_an_even_list_lies_between_two() {
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 9.0].into_iter()).unwrap().median, 3.0);
        assert_eq!(
            Spread::of([3.0, 1.0, 2.0].into_iter()),
            Some(Spread { median: 2.0, least: 1.0, most: 3.0 })
        );
        assert_eq!(Spread::of(std::iter::empty()), None);
    }

    #[test]
    fn the_kernel_s_files_are_read() {
        assert_eq!(parse_schedstat("1500000000 129603 17\n"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_schedstat(""), None);
        assert_eq!(parse_resident("Name:\tx\nVmRSS:\t  12 kB\n"), Some(12 * 1024));
        assert_eq!(parse_resident("Name:\tx\n"), None);
    }

    #[test]
    fn our_own_account_grows() {
        let mut account = Account::new(std::process::id());
        let before = account.cpu().unwrap();
        assert!(account.cpu().unwrap() >= before);
        assert!(account.resident().unwrap() > 100_000);
    }
}
