//! How many calls the system has room for, whatever the configuration lets in: a call that was accepted must not fail
//! because a file or a port is missing.

use std::ops::RangeInclusive;

use anyhow::Result;
use rustix::process::{Resource, getrlimit};

use crate::config::Config;

/// Calls that may run at once: as many as `limits.ports` lets in and there is room for. Says so when it is less.
pub(crate) fn calls(config: &Config) -> Result<u32> {
    let wanted = config.limits.ports;
    let maximum = getrlimit(Resource::Nofile).maximum;
    let by_files = maximum.map_or(u64::MAX, calls_by_files);
    let by_rtp = calls_by_rtp(&config.rtp_ports()?);
    let room = u32::try_from(by_files.min(by_rtp)).unwrap_or(u32::MAX);
    if room < wanted {
        let short = if by_files < by_rtp { "open files (`ulimit -n`)" } else { "RTP ports (sip.rtp_ports)" };
        tracing::warn!("{room} calls at once, although limits.ports is {wanted}: there are not more {short}");
    }
    Ok(wanted.min(room))
}

/// Calls that so many open files are enough for. What everything else opens is kept aside, but never more than half.
pub(crate) fn calls_by_files(maximum: u64) -> u64 {
    (maximum - other_files(maximum)) / FILES_OF_A_CALL
}

/// Open files that so many calls need, beside everything else.
pub(crate) fn files_for(calls: u32) -> u64 {
    OTHER_FILES + FILES_OF_A_CALL * u64::from(calls)
}

/// Calls of two legs that a range has RTP ports for; at least one, since a notice needs one leg only.
pub(crate) fn calls_by_rtp(range: &RangeInclusive<u16>) -> u64 {
    let first = u64::from(*range.start()).next_multiple_of(2);
    let pairs = (u64::from(*range.end()) + 1).saturating_sub(first) / 2;
    (pairs / LEGS).max(1)
}

fn other_files(maximum: u64) -> u64 {
    OTHER_FILES.min(maximum / 2)
}

/// Legs of a call, at most.
const LEGS: u64 = 2;

/// Sockets of RTP and RTCP for each leg.
const FILES_OF_A_CALL: u64 = 2 * LEGS;

/// Connections of customers, at most 4,096, and everything else that is open.
const OTHER_FILES: u64 = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shared_with_everybody_who_connects() {
        assert_eq!(
            [1_048_576, 20_000, 10_000, 4_096, 64, 0].map(calls_by_files),
            [260_894, 3_750, 1_250, 512, 8, 0]
        );
        assert_eq!(calls_by_files(files_for(10_000)), 10_000);
    }

    #[test]
    fn a_callback_takes_four_ports_of_the_range() {
        let calls = |first, last| calls_by_rtp(&(first..=last));
        assert_eq!(calls(20_000, 29_999), 2_500);
        assert_eq!(calls(20_001, 29_998), 2_499);
        assert_eq!([calls(20_000, 20_001), calls(20_000, 20_003), calls(20_000, 20_007)], [1, 1, 2]);
        assert_eq!(calls(1_024, u16::MAX), 16_128);
    }
}
