//! Ports: those that we listen at, and those for voice.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;

use anyhow::Result;
use sip::Transport;

use super::{Diagnosis, Platform};
use crate::config::Config;
use crate::neighbour::{self, Table};

/// A port that we listen at.
struct Port {
    /// What for, and what to set for another one.
    what: &'static str,
    flag: &'static str,
    address: SocketAddr,
    table: Table,
    state: State,
}

enum State {
    Free,
    Taken {
        /// Where the system tells.
        by: Option<String>,
    },
    Unusable {
        why: String,
    },
}

/// The ports for voice.
struct Voice {
    range: RangeInclusive<u16>,
    /// From which ports the system gives other programs theirs.
    others: Option<RangeInclusive<u16>>,
    /// Those for SIP.
    sip: Vec<u16>,
}

pub(super) fn check(config: &Config, platform: &Platform) -> Result<Vec<Diagnosis>> {
    let mut listening = vec![("HTTP", "--http", config.http, Table::Tcp)];
    listening.extend(config.sip.listen.as_slice().iter().map(|own| {
        let table = match own.transport {
            Transport::Udp => Table::Udp,
            Transport::Tcp | Transport::Tls => Table::Tcp,
        };
        ("SIP", "sip.listen", own.address, table)
    }));
    let port =
        |(what, flag, address, table)| Port { what, flag, address, table, state: state(table, address) };
    // Port 0 is whatever is free.
    let fixed = listening.into_iter().filter(|(_, _, address, _)| address.port() != 0);
    let mut diagnoses: Vec<_> = fixed.map(port).map(|port| judge(&port, platform)).collect();
    let ephemeral = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
    diagnoses.push(judge_voice(&Voice {
        range: config.rtp_ports()?,
        others: ephemeral.as_deref().and_then(range),
        sip: config.sip.listen.as_slice().iter().map(|own| own.address.port()).collect(),
    }));
    Ok(diagnoses)
}

fn state(table: Table, address: SocketAddr) -> State {
    let tried = match table {
        Table::Udp => UdpSocket::bind(address).map(drop),
        Table::Tcp => TcpListener::bind(address).map(drop),
    };
    match tried {
        Ok(()) => State::Free,
        Err(fault) if fault.kind() == ErrorKind::AddrInUse => {
            State::Taken { by: neighbour::holder(table, address) }
        }
        Err(fault) => State::Unusable { why: fault.to_string() },
    }
}

fn judge(port: &Port, platform: &Platform) -> Diagnosis {
    let Port { what, flag, address, table, state } = port;
    let place = match table {
        Table::Udp => format!("{what} {address}/udp"),
        Table::Tcp => format!("{what} {address}/tcp"),
    };
    match (state, platform) {
        (State::Free, Platform::Off) => Diagnosis::ok(CHECK, format!("{place} is free")),
        (State::Free, Platform::On { .. }) => {
            Diagnosis::ok(CHECK, format!("{place} is free: the platform that serves listens elsewhere"))
        }
        (State::Taken { by }, Platform::On { holder }) if by == holder => {
            Diagnosis::ok(CHECK, format!("{place} is the platform's"))
        }
        (State::Taken { by }, Platform::On { .. } | Platform::Off) => {
            let by = by.as_deref().unwrap_or("another program");
            Diagnosis::fault(CHECK, format!("{place} is taken by {by}"), format!("stop it, or set {flag}"))
        }
        (State::Unusable { why }, _) => Diagnosis::fault(
            CHECK,
            format!("{place} cannot be opened ({why})"),
            format!("set {flag} to an address of this machine, and a port from 1024 on unless you are root"),
        ),
    }
}

fn judge_voice(voice: &Voice) -> Diagnosis {
    let Voice { range, others, sip } = voice;
    let (first, last) = (range.start(), range.end());
    // A leg takes an even port and the one after it, a call between two parties two of these.
    let calls = (usize::from(*last) + 1).saturating_sub(usize::from(*first)) / 4;
    let ports = format!("RTP {first}-{last}");
    if let Some(port) = sip.iter().find(|port| range.contains(port)) {
        return Diagnosis::fault(
            CHECK,
            format!("{ports} has the port {port}, where SIP listens"),
            "set sip.rtp_ports to another range",
        );
    }
    match others {
        Some(others) if others.start() <= last && first <= others.end() => Diagnosis::warning(
            CHECK,
            format!("{ports} lies among the ports that the system gives to other programs"),
            format!(
                "set sip.rtp_ports to another range, or `sysctl -w net.ipv4.ip_local_reserved_ports={first}-{last}`"
            ),
        ),
        _ => Diagnosis::ok(CHECK, format!("{ports} has room for {calls} calls between two parties at once")),
    }
}

/// Two numbers with white space between them.
fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.trim().split_once(char::is_whitespace)?;
    Some(first.parse().ok()?..=last.trim().parse().ok()?)
}

const CHECK: &str = "ports";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::told;

    fn said(state: State, platform: &Platform) -> String {
        let address = "127.0.0.1:7080".parse().unwrap();
        told(&judge(&Port { what: "HTTP", flag: "--http", address, table: Table::Tcp, state }, platform))
    }

    #[test]
    fn a_port_is_free_or_ours_or_somebodys() {
        let by = |name: &str| Some(format!("pid 812 ({name})"));
        let on = Platform::On { holder: by("huihu") };
        assert_eq!(said(State::Free, &Platform::Off), "ok: HTTP 127.0.0.1:7080/tcp is free");
        assert!(said(State::Free, &on).starts_with("ok: ") && said(State::Free, &on).contains("elsewhere"));
        assert!(said(State::Taken { by: by("huihu") }, &on).ends_with("is the platform's"));
        for platform in [&on, &Platform::Off] {
            let taken = said(State::Taken { by: by("asterisk") }, platform);
            assert_eq!(
                taken,
                "fault: HTTP 127.0.0.1:7080/tcp is taken by pid 812 (asterisk); stop it, or set --http"
            );
        }
        assert!(said(State::Taken { by: None }, &Platform::Off).contains("another program"));
        assert!(said(State::Unusable { why: "not here".into() }, &on).starts_with("fault: "));
    }

    #[test]
    fn ports_for_voice_are_nobody_elses() {
        let said = |others, sip| told(&judge_voice(&Voice { range: 20_000..=29_999, others, sip }));
        assert!(said(Some(32_768..=60_999), vec![5_060]).contains("room for 2500 calls"));
        assert!(said(None, vec![]).starts_with("ok: "));
        assert!(said(Some(29_999..=60_999), vec![]).starts_with("warning: "));
        assert!(said(Some(1_024..=20_000), vec![]).contains("ip_local_reserved_ports=20000-29999"));
        assert!(said(None, vec![25_060]).starts_with("fault: "));
        assert_eq!(range("32768\t60999\n"), Some(32_768..=60_999));
        assert_eq!(range("none"), None);
    }

    #[test]
    fn a_port_that_we_hold_ourselves_is_taken_by_this_program() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let State::Taken { by } = state(Table::Tcp, held.local_addr().unwrap()) else {
            panic!("it is taken")
        };
        assert!(by.unwrap().starts_with(&format!("pid {} ", std::process::id())));
        assert!(matches!(state(Table::Udp, "192.0.2.1:5060".parse().unwrap()), State::Unusable { .. }));
    }
}
