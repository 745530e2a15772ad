//! Who failed too often to prove who they are.
//!
//! A ban is never forgotten before its time: when there is no room for another one, the newcomer goes without. A
//! suspect can be forgotten when very many others came meanwhile; whoever owns that many networks gains nothing by it,
//! as each of them has its own failures to spend anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use base::time::Timestamp;

use super::GateSettings;
use super::recent::Recent;

#[derive(Debug)]
pub(super) struct Bans {
    failures: usize,
    within: Duration,
    ban: Duration,
    suspects: Recent<IpAddr, Vec<Timestamp>>,
    until: BTreeMap<IpAddr, Timestamp>,
    by_end: BTreeSet<(Timestamp, IpAddr)>,
    /// Networks that are banned at once.
    room: usize,
}

impl Bans {
    pub(super) const fn new(settings: &GateSettings) -> Self {
        Self {
            failures: settings.failures,
            within: settings.within,
            ban: settings.ban,
            suspects: Recent::new(SUSPECTS, settings.within),
            until: BTreeMap::new(),
            by_end: BTreeSet::new(),
            room: BANS,
        }
    }

    pub(super) fn banned(&self, peer: IpAddr, now: Timestamp) -> bool {
        self.until.get(&network(peer)).is_some_and(|until| now < *until)
    }

    pub(super) fn failed(&mut self, peer: IpAddr, now: Timestamp) {
        let (peer, within) = (network(peer), self.within);
        let failed_at = self.suspects.touch(peer, now);
        failed_at.retain(|at| now.since(*at) < within);
        failed_at.push(now);
        if failed_at.len() >= self.failures {
            self.suspects.forget(&peer);
            self.ban(peer, now);
        }
    }

    pub(super) fn lift(&mut self, peer: IpAddr) {
        let peer = network(peer);
        self.suspects.forget(&peer);
        if let Some(until) = self.until.remove(&peer) {
            self.by_end.remove(&(until, peer));
        }
    }

    pub(super) fn all(&self, now: Timestamp) -> Vec<(IpAddr, Timestamp)> {
        let live = self.until.iter().filter(|(_, until)| now < **until);
        live.map(|(peer, until)| (*peer, *until)).collect()
    }

    fn ban(&mut self, peer: IpAddr, now: Timestamp) {
        self.forget_the_over(now);
        self.lift(peer);
        if self.until.len() < self.room {
            let until = now + self.ban;
            self.until.insert(peer, until);
            self.by_end.insert((until, peer));
        }
    }

    fn forget_the_over(&mut self, now: Timestamp) {
        while let Some((until, peer)) = self.by_end.first().copied().filter(|(until, _)| *until <= now) {
            self.by_end.remove(&(until, peer));
            self.until.remove(&peer);
        }
    }
}

/// Whom one customer or one attacker can be: an IPv4 address, or a /64 of IPv6, in which everybody has all addresses.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Some 6 MB. Past this a botnet is at work, and bans are not what stops it.
const BANS: usize = 65_536;

/// Networks in a generation of suspects: with 20 failures each, some 30 MB for both generations.
const SUSPECTS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    fn bans() -> Bans {
        Bans::new(&GateSettings::default())
    }

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn fail(bans: &mut Bans, who: &str, times: i64, from: i64) {
        for second in from..from + times {
            bans.failed(peer(who), at(second));
        }
    }

    #[test]
    fn twenty_failures_in_ten_minutes_are_half_an_hour_outside() {
        let mut bans = bans();
        fail(&mut bans, "9.9.9.9", 19, 1_000);
        assert!(!bans.banned(peer("9.9.9.9"), at(1_019)));
        fail(&mut bans, "9.9.9.9", 1, 1_019);
        assert!(bans.banned(peer("9.9.9.9"), at(1_019)));
        assert!(!bans.banned(peer("9.9.9.8"), at(1_019)), "a neighbour is somebody else");
        assert_eq!(bans.all(at(1_020)), [(peer("9.9.9.9"), at(1_019 + 1_800))]);
        assert!(bans.banned(peer("9.9.9.9"), at(1_019 + 1_799)));
        assert!(!bans.banned(peer("9.9.9.9"), at(1_019 + 1_800)));
        assert_eq!(bans.all(at(1_019 + 1_800)), []);
        fail(&mut bans, "9.9.9.9", 19, 5_000);
        assert!(!bans.banned(peer("9.9.9.9"), at(5_019)), "it begins from nothing again");
    }

    #[test]
    fn failures_wear_off() {
        let mut bans = bans();
        for round in 0..50 {
            fail(&mut bans, "9.9.9.9", 19, 10_000 + 620 * round);
        }
        assert_eq!(bans.all(at(10_000)), []);
        for second in [100_000, 100_600] {
            (0..19).for_each(|_| bans.failed(peer("7.7.7.7"), at(second)));
        }
        assert_eq!(bans.all(at(100_600)), [], "ten minutes later nothing of it counts");
    }

    #[test]
    fn a_network_of_ipv6_is_one_stranger_and_mapped_ipv4_is_ipv4() {
        let mut bans = bans();
        for last in 0..20 {
            bans.failed(peer(&format!("2400:1:2:3::{last:x}")), at(1_000));
            bans.failed(peer(&format!("::ffff:9.9.9.{last}")), at(1_000));
        }
        assert!(bans.banned(peer("2400:1:2:3:ffff::"), at(1_000)));
        assert!(!bans.banned(peer("2400:1:2:4::1"), at(1_000)));
        assert!(!bans.banned(peer("9.9.9.1"), at(1_000)));
        fail(&mut bans, "::ffff:9.9.9.9", 19, 1_000);
        assert!(bans.banned(peer("9.9.9.9"), at(1_018)));
    }

    #[test]
    fn a_ban_can_be_lifted_and_comes_back_when_it_is_earned() {
        let mut bans = bans();
        fail(&mut bans, "9.9.9.9", 20, 1_000);
        bans.lift(peer("9.9.9.9"));
        assert!(!bans.banned(peer("9.9.9.9"), at(1_020)));
        fail(&mut bans, "9.9.9.9", 19, 1_020);
        assert!(!bans.banned(peer("9.9.9.9"), at(1_039)));
        fail(&mut bans, "9.9.9.9", 1, 1_039);
        assert!(bans.banned(peer("9.9.9.9"), at(1_040)));
    }

    #[test]
    fn a_crowd_of_strangers_pushes_no_ban_out() {
        let mut bans =
            Bans { room: 3, ..Bans::new(&GateSettings { failures: 1, ..GateSettings::default() }) };
        fail(&mut bans, "9.9.9.9", 1, 1_000);
        for stranger in 0..=255 {
            bans.failed([8, 8, 8, stranger].into(), at(1_001));
        }
        assert!(bans.banned(peer("9.9.9.9"), at(1_001)));
        assert_eq!((bans.until.len(), bans.by_end.len()), (3, 3));
        fail(&mut bans, "7.7.7.7", 1, 10_000);
        assert_eq!((bans.until.len(), bans.by_end.len()), (1, 1), "bans that are over make room");
    }
}
