//! What the system lets the process have: open files, and room for datagrams that wait.

use std::fs;

use anyhow::Result;
use rustix::process::{Resource, getrlimit};

use super::Diagnosis;
use crate::config::Config;
use crate::room;

/// Datagrams that wait to be read.
#[derive(Clone, Copy, Debug, Default)]
struct Buffers {
    /// Bytes that a socket may ask for, to read and to write.
    read_max: u64,
    write_max: u64,
    /// Datagrams that the machine has thrown away for want of room since it started.
    thrown_away: u64,
}

pub(super) fn check(config: &Config) -> Result<Vec<Diagnosis>> {
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let read_max = number("/proc/sys/net/core/rmem_max");
    let write_max = number("/proc/sys/net/core/wmem_max");
    let counters = fs::read_to_string("/proc/net/snmp").unwrap_or_default();
    let mut diagnoses = vec![judge_files(getrlimit(Resource::Nofile).maximum, config.limits.ports)];
    if let (Some(read_max), Some(write_max)) = (read_max, write_max) {
        let thrown_away = counter(&counters, "Udp", "RcvbufErrors").unwrap_or(0);
        diagnoses.push(judge_buffers(Buffers { read_max, write_max, thrown_away }));
    }
    Ok(diagnoses)
}

/// `None` has no limit.
fn judge_files(maximum: Option<u64>, ports: u32) -> Diagnosis {
    let Some(maximum) = maximum else { return Diagnosis::ok(CHECK, "any number of files may be open") };
    let calls = room::calls_by_files(maximum);
    let says = format!("{maximum} files may be open: enough for {calls} calls at once");
    let fix = format!(
        "raise it to {} for the user who serves: LimitNOFILE= in the systemd unit, or /etc/security/limits.conf",
        room::files_for(ports)
    );
    if calls < CALLS_MIN {
        Diagnosis::fault(CHECK, says, fix)
    } else if calls < u64::from(ports) {
        Diagnosis::warning(CHECK, format!("{says}, and limits.ports lets {ports} in"), fix)
    } else {
        Diagnosis::ok(CHECK, says)
    }
}

fn judge_buffers(buffers: Buffers) -> Diagnosis {
    let Buffers { read_max, write_max, thrown_away } = buffers;
    let lost = match thrown_away {
        0 => String::new(),
        thrown_away => {
            format!("; {thrown_away} datagrams were thrown away for want of room since the machine started")
        }
    };
    if read_max.min(write_max) >= SIGNALLING_BUFFER {
        return Diagnosis::ok(CHECK, format!("sockets may have buffers of {} KiB{lost}", read_max >> 10));
    }
    Diagnosis::warning(
        CHECK,
        format!(
            "sockets may have buffers of {} KiB, and SIP asks for {}{lost}",
            read_max.min(write_max) >> 10,
            SIGNALLING_BUFFER >> 10
        ),
        format!(
            "`sysctl -w net.core.rmem_max={SIGNALLING_BUFFER} net.core.wmem_max={SIGNALLING_BUFFER}`, and the same in /etc/sysctl.d"
        ),
    )
}

/// A number of /proc/net/snmp: a line of names, then a line of values.
fn counter(text: &str, table: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(table)?.strip_prefix(':'));
    let (names, values) = (lines.next()?, lines.next()?);
    let place = names.split_ascii_whitespace().position(|other| other == name)?;
    values.split_ascii_whitespace().nth(place)?.parse().ok()
}

/// Calls that the smallest platform should bear.
const CALLS_MIN: u64 = 10;

/// Bytes that the engine asks for where it listens for SIP.
const SIGNALLING_BUFFER: u64 = 4 << 20;

const CHECK: &str = "limits";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::told;

    #[test]
    fn open_files_are_enough_for_the_calls_that_are_let_in() {
        let said = |maximum| told(&judge_files(maximum, 10_000));
        assert_eq!(said(Some(1_048_576)), "ok: 1048576 files may be open: enough for 260894 calls at once");
        assert!(said(Some(9_000)).starts_with("warning: 9000 files may be open: enough for 1125 calls"));
        assert!(said(Some(64)).starts_with("fault: ") && said(Some(64)).contains("raise it to 45000"));
        assert!(said(None).starts_with("ok: "));
    }

    #[test]
    fn buffers_hold_what_sip_asks_for() {
        let said = |read_max, thrown_away| {
            told(&judge_buffers(Buffers { read_max, write_max: 4 << 20, thrown_away }))
        };
        assert_eq!(said(4 << 20, 0), "ok: sockets may have buffers of 4096 KiB");
        assert!(said(4 << 20, 7).contains("7 datagrams were thrown away"));
        assert!(
            said(212_992, 0)
                .starts_with("warning: sockets may have buffers of 208 KiB, and SIP asks for 4096")
        );
    }

    #[test]
    fn a_counter_stands_below_its_name() {
        let text = "Ip: Forwarding\nIp: 1\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\nUdp: 9 8 7 6 5\n";
        assert_eq!(counter(text, "Udp", "RcvbufErrors"), Some(5));
        assert_eq!(counter(text, "Udp", "Other"), None);
        assert_eq!(counter("", "Udp", "RcvbufErrors"), None);
    }
}
