//! One name that is followed: what it comes to, and when it is looked up again.
//!
//! Pure: the time is an argument, and somebody else asks the name server.

use std::time::{Duration, Instant};

use super::dns::Fault;
use super::locate::{Gateway, Located};

/// A name.
#[derive(Debug)]
pub(super) struct Followed {
    /// The last good answer; empty before the first one.
    gateways: Vec<Gateway>,
    /// When it is looked up again.
    next: Instant,
    /// Looks in a row that came to nothing.
    failures: u32,
}

impl Followed {
    /// A name of which nothing is known yet.
    pub(super) const fn new(now: Instant) -> Self {
        Self { gateways: Vec::new(), next: now, failures: 0 }
    }

    /// The gateways that it has, as far as is known.
    pub(super) fn gateways(&self) -> &[Gateway] {
        &self.gateways
    }

    /// When it is to be looked up again.
    pub(super) const fn next(&self) -> Instant {
        self.next
    }

    /// Takes what a look has come to: a good answer holds as long as the name server says, within bounds. After one that
    /// is none the last good one still holds, and the server is asked again, less and less often.
    pub(super) fn on_look(&mut self, look: Result<Located, Fault>, now: Instant) {
        let pause = match look {
            Ok(Located { gateways, until }) => {
                self.failures = 0;
                self.gateways = gateways;
                until.saturating_duration_since(now).clamp(SOONEST, LATEST)
            }
            Err(_) => {
                self.failures = self.failures.saturating_add(1);
                let doublings = (self.failures - 1).min(DOUBLINGS_MAX);
                (SOONEST * 2_u32.pow(doublings)).min(FAILED_LATEST)
            }
        };
        self.next = now + pause;
    }
}

/// How soon a name is looked up again, however short its answers hold, and after the first failure.
const SOONEST: Duration = Duration::from_secs(30);

/// How late, however long its answers hold: a carrier that moves in haste has not lowered its times to live.
const LATEST: Duration = Duration::from_secs(3_600);

/// How late after failures: when the name server is repaired, calls must not wait for long.
const FAILED_LATEST: Duration = Duration::from_secs(300);

/// Doublings after which that is reached.
const DOUBLINGS_MAX: u32 = 4;

#[cfg(test)]
mod tests {
    use engine::trunk::Turn;
    use sip::{Hop, Transport};

    use super::*;

    const START: Duration = Duration::from_secs(1_000);

    fn gateway(host: u8) -> Gateway {
        let hop = Hop::new(Transport::Udp, ([192, 0, 2, host], 5060).into());
        Gateway { hop, turn: Turn::default() }
    }

    /// A name that is looked up whenever its time has come: each look comes to what `answers` has next, the host and the
    /// seconds that it holds. Gives the second of each look and what the name comes to after it.
    fn story(answers: &[Option<(u8, u64)>]) -> Vec<(u64, Vec<Gateway>)> {
        let zero = Instant::now();
        let mut name = Followed::new(zero + START);
        let look = |answer: &Option<(u8, u64)>| {
            let now = name.next();
            let located = answer.map(|(host, holds)| Located {
                gateways: vec![gateway(host)],
                until: now + Duration::from_secs(holds),
            });
            name.on_look(located.ok_or(Fault::Nothing), now);
            ((now - zero - START).as_secs(), name.gateways().to_vec())
        };
        answers.iter().map(look).collect()
    }

    #[test]
    fn a_name_is_looked_up_again_when_its_answer_holds_no_more() {
        let looks = story(&[Some((1, 300)), Some((2, 60)), Some((2, 60)), Some((3, 90))]);
        assert_eq!(
            looks,
            [
                (0, vec![gateway(1)]),
                (300, vec![gateway(2)]),
                (360, vec![gateway(2)]),
                (420, vec![gateway(3)])
            ]
        );
    }

    #[test]
    fn half_a_minute_is_the_soonest_and_an_hour_the_latest() {
        let looks = story(&[Some((1, 0)), Some((1, 7)), Some((1, 604_800)), Some((1, 30))]);
        assert_eq!(looks.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 30, 60, 3_660]);
    }

    #[test]
    fn a_name_that_is_gone_keeps_what_it_had_and_is_asked_for_less_and_less_often() {
        let mut answers = vec![Some((1, 60))];
        answers.extend([None; 7]);
        answers.extend([Some((2, 60)), None, None]);
        let looks = story(&answers);
        let at: Vec<u64> = looks.iter().map(|(at, _)| *at).collect();
        assert_eq!(at, [0, 60, 90, 150, 270, 510, 810, 1_110, 1_410, 1_470, 1_500]);
        assert!(looks[..8].iter().all(|(_, gateways)| *gateways == [gateway(1)]));
        assert!(looks[8..].iter().all(|(_, gateways)| *gateways == [gateway(2)]));
    }

    #[test]
    fn a_name_that_never_was_has_no_places() {
        assert!(story(&[None; 40]).iter().all(|(_, gateways)| gateways.is_empty()));
    }
}
