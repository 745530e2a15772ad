//! Whom a leg listens to and where its packets go.
//!
//! Strict: only the address of the session description. Behind NAT, and only where the operator says so, another
//! address can be learned:
//!
//! ```text
//! described ─packet from the described address─▶ settled on it, whatever was learned before
//!     ├─4 packets in sequence from a likelier address─▶ learned; a still likelier one may take over
//!     └─3 s over─▶ settled
//! settled ─new description─▶ described
//! ```
//!
//! Nothing is ever sent to an address before it is learned, and strangers are counted, never answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::address::Block;
use base::time::Instant;

use crate::rtp::Header;

/// How long after a description another source can be learned. Later, whoever comes is not the party that answered.
pub const LEARNING: Duration = Duration::from_secs(3);

/// Packets that must follow each other before their source is learned.
pub const LEARNING_PACKETS: u8 = 4;

/// Candidates watched at once, so that a stranger cannot crowd out the party by sending in between.
const CANDIDATES: usize = 4;

/// Whether a source other than the described one may be learned.
#[derive(Clone, Debug)]
pub enum Policy {
    /// Never: the peer has a public address and sends from it.
    Strict,
    /// The peer may be behind NAT; what is learned must lie in one of these blocks.
    Nat(Arc<[Block]>),
}

/// The judge of sources of one leg.
#[derive(Debug)]
pub(crate) struct Gate {
    described: Option<SocketAddr>,
    trusted: Option<SocketAddr>,
    policy: Policy,
    /// Boxed, because it is large and soon over.
    learning: Option<Box<Learning>>,
    /// Whether a packet came from the described address, after which nothing else is learned.
    confirmed: bool,
}

#[derive(Debug)]
struct Learning {
    until: Instant,
    likeness: Likeness,
    candidates: [Option<Candidate>; CANDIDATES],
}

#[derive(Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    seq: u16,
    run: u8,
    heard: Instant,
}

/// How much a source looks like the described one, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Nothing,
    Other,
    SamePort,
    SameAddress,
    Exact,
}

/// What the gate says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// From whom we listen to.
    Ours,
    /// From whom we listen to since this very packet.
    OursNow,
    /// From somebody else.
    Foreign,
}

impl Gate {
    pub(crate) fn new(described: Option<SocketAddr>, policy: Policy, now: Instant) -> Self {
        let mut gate = Self { described: None, trusted: None, policy, learning: None, confirmed: false };
        gate.describe(described, now);
        gate
    }

    /// Where our packets go, if we know a place.
    pub(crate) const fn target(&self) -> Option<SocketAddr> {
        self.trusted
    }

    /// Whether the target is another address than the described one.
    pub(crate) fn is_learned(&self) -> bool {
        self.trusted != self.described
    }

    /// Takes the address of a new description. The same address again keeps what has been learned.
    pub(crate) fn describe(&mut self, described: Option<SocketAddr>, now: Instant) {
        if described == self.described && (self.is_learned() || self.confirmed) {
            return;
        }
        self.described = described;
        self.confirmed = false;
        self.trusted = described;
        self.learning = match self.policy {
            Policy::Nat(_) if described.is_some() => {
                let candidates = [const { None }; CANDIDATES];
                Some(Box::new(Learning { until: now + LEARNING, likeness: Likeness::Nothing, candidates }))
            }
            Policy::Nat(_) | Policy::Strict => None,
        };
    }

    /// Judges a packet by where it comes from. The usual case is one comparison.
    #[inline]
    pub(crate) fn judge(&mut self, from: SocketAddr, header: &Header, now: Instant) -> Verdict {
        if self.learning.is_none() {
            return if Some(from) == self.trusted { Verdict::Ours } else { Verdict::Foreign };
        }
        self.learn(from, header, now)
    }

    #[cold]
    fn learn(&mut self, from: SocketAddr, header: &Header, now: Instant) -> Verdict {
        let was_trusted = Some(from) == self.trusted;
        let likeness = self.likeness(from);
        let (Policy::Nat(blocks), Some(learning)) = (&self.policy, &mut self.learning) else {
            return Verdict::Foreign;
        };
        if likeness == Likeness::Exact {
            self.trusted = Some(from);
            self.learning = None;
            self.confirmed = true;
            return if was_trusted { Verdict::Ours } else { Verdict::OursNow };
        }
        if now >= learning.until {
            self.learning = None;
            return if was_trusted { Verdict::Ours } else { Verdict::Foreign };
        }
        if was_trusted {
            return Verdict::Ours;
        }
        let possible = likeness > learning.likeness && blocks.iter().any(|block| block.contains(from.ip()));
        if !possible || !learning.follows(from, header, now) {
            return Verdict::Foreign;
        }
        learning.likeness = likeness;
        self.trusted = Some(from);
        Verdict::OursNow
    }

    fn likeness(&self, from: SocketAddr) -> Likeness {
        let Some(described) = self.described else { return Likeness::Nothing };
        match (from.ip() == described.ip(), from.port() == described.port()) {
            (true, true) => Likeness::Exact,
            (true, false) => Likeness::SameAddress,
            (false, true) => Likeness::SamePort,
            (false, false) => Likeness::Other,
        }
    }
}

impl Learning {
    /// Whether this packet completes a run of [`LEARNING_PACKETS`] from its source.
    fn follows(&mut self, from: SocketAddr, header: &Header, now: Instant) -> bool {
        let known = self.candidates.iter().flatten().any(|candidate| candidate.from == from);
        let slot = self.candidates.iter_mut().min_by_key(|slot| match slot {
            Some(candidate) if known => (candidate.from != from, Instant::START),
            None if known => (true, Instant::START),
            Some(candidate) => (true, candidate.heard),
            None => (false, Instant::START),
        });
        let Some(slot) = slot else { return false };
        let run = match slot {
            Some(last) if last.from == from && last.ssrc == header.ssrc => {
                if header.seq == last.seq.wrapping_add(1) { last.run.saturating_add(1) } else { 1 }
            }
            Some(_) | None => 1,
        };
        *slot = Some(Candidate { from, ssrc: header.ssrc, seq: header.seq, run, heard: now });
        run >= LEARNING_PACKETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "10.0.0.7:4000";

    fn gate(policy: Policy) -> Gate {
        Gate::new(SDP.parse().ok(), policy, Instant::START)
    }

    fn nat() -> Policy {
        Policy::Nat(["10.0.0.0/8", "198.51.100.0/24"].map(|block| block.parse().unwrap()).into())
    }

    fn judge(gate: &mut Gate, from: &str, seq: u16, millis: u64) -> Verdict {
        let header = Header { marker: false, payload_type: 8, seq, timestamp: 0, ssrc: 5 };
        gate.judge(from.parse().unwrap(), &header, Instant::from_millis(millis))
    }

    fn target(gate: &Gate) -> String {
        gate.target().map(|target| target.to_string()).unwrap_or_default()
    }

    fn run(gate: &mut Gate, from: &str, first: u16, millis: u64) -> Verdict {
        (0..u16::from(LEARNING_PACKETS))
            .map(|n| judge(gate, from, first.wrapping_add(n), millis + u64::from(n) * 20))
            .last()
            .unwrap()
    }

    #[test]
    fn strict_means_the_described_address_and_no_other() {
        let mut gate = gate(Policy::Strict);
        assert_eq!(run(&mut gate, "10.0.0.7:4002", 0, 0), Verdict::Foreign);
        assert_eq!(judge(&mut gate, SDP, 1, 5_000), Verdict::Ours);
        assert_eq!(target(&gate), SDP);
    }

    #[test]
    fn behind_nat_four_packets_in_sequence_are_learned() {
        let mut gate = gate(nat());
        for seq in [65_534, 65_535, 0] {
            assert_eq!(judge(&mut gate, "198.51.100.9:999", seq, 100), Verdict::Foreign);
            assert_eq!(target(&gate), SDP, "nothing goes to a source that is not learned");
        }
        assert_eq!(judge(&mut gate, "198.51.100.9:999", 1, 160), Verdict::OursNow);
        assert_eq!(judge(&mut gate, "198.51.100.9:999", 2, 9_000), Verdict::Ours);
        assert_eq!(judge(&mut gate, SDP, 1, 9_000), Verdict::Foreign, "locked after three seconds");
        assert_eq!(target(&gate), "198.51.100.9:999");
    }

    #[test]
    fn the_described_address_beats_what_was_learned() {
        let mut gate = gate(nat());
        assert_eq!(run(&mut gate, "198.51.100.9:999", 0, 0), Verdict::OursNow);
        assert_eq!(judge(&mut gate, SDP, 7, 2_999), Verdict::OursNow);
        assert_eq!(run(&mut gate, "198.51.100.9:999", 50, 2_999), Verdict::Foreign);
        assert_eq!(target(&gate), SDP);
    }

    #[test]
    fn a_likelier_source_beats_a_less_likely_one_and_not_the_other_way() {
        let mut gate = gate(nat());
        assert_eq!(run(&mut gate, "198.51.100.9:999", 0, 0), Verdict::OursNow);
        assert_eq!(run(&mut gate, "10.0.0.7:4444", 0, 200), Verdict::OursNow);
        assert_eq!(run(&mut gate, "198.51.100.9:999", 9, 400), Verdict::Foreign);
        assert_eq!(run(&mut gate, "198.51.100.9:4000", 9, 400), Verdict::Foreign);
        assert_eq!(target(&gate), "10.0.0.7:4444");
    }

    #[test]
    fn strangers_outside_the_blocks_out_of_sequence_or_too_late_are_not_learned() {
        let mut gate = gate(nat());
        assert_eq!(run(&mut gate, "203.0.113.1:4000", 0, 0), Verdict::Foreign);
        for seq in [1, 3, 5, 7, 9, 9, 9, 9] {
            assert_eq!(judge(&mut gate, "198.51.100.9:1", seq, 10), Verdict::Foreign);
        }
        assert_eq!(run(&mut gate, "198.51.100.9:1", 100, 3_000), Verdict::Foreign);
        assert_eq!(target(&gate), SDP);
    }

    #[test]
    fn a_crowd_of_strangers_does_not_keep_the_party_out() {
        let mut gate = gate(nat());
        let mut learned = false;
        for seq in 0..4u16 {
            learned |= judge(&mut gate, "10.0.0.7:5000", seq, u64::from(seq) * 20) == Verdict::OursNow;
            for port in 0..3u16 {
                let stranger = format!("198.51.100.9:{}", 100 + seq * 3 + port);
                assert_eq!(judge(&mut gate, &stranger, seq, u64::from(seq) * 20 + 1), Verdict::Foreign);
            }
        }
        assert!(learned);
    }

    #[test]
    fn a_new_description_forgets_and_the_same_one_does_not() {
        let mut gate = gate(nat());
        assert_eq!(run(&mut gate, "198.51.100.9:999", 0, 0), Verdict::OursNow);
        gate.describe(SDP.parse().ok(), Instant::from_millis(1_000));
        assert_eq!(target(&gate), "198.51.100.9:999");
        gate.describe("10.0.0.8:6000".parse().ok(), Instant::from_millis(8_000));
        assert_eq!(target(&gate), "10.0.0.8:6000");
        assert_eq!(run(&mut gate, "198.51.100.9:999", 30, 8_100), Verdict::OursNow);
    }

    #[test]
    fn without_a_description_everybody_is_a_stranger() {
        let mut gate = Gate::new(None, nat(), Instant::START);
        assert_eq!(run(&mut gate, SDP, 0, 0), Verdict::Foreign);
        assert_eq!(gate.target(), None);
    }
}
