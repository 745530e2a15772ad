//! Where RTP goes: to nobody but the party, and not once its leg was told to go.

use base::time::Instant;
use sip::message::Method;

use super::Complaints;
use crate::history::{Attempt, By, Far, History, Line, Message, What};

pub(super) fn check(history: &History) -> Complaints {
    let attempts = history.attempts();
    let mut complaints = Vec::new();
    for line in &history.lines {
        // An INVITE that is said again may outlive its ports.
        let is_of = |messages: &Vec<&Message>| {
            let invite = messages.iter().find(|message| message.is_first_invite());
            invite.is_some_and(|invite| offers(invite, line))
        };
        let Some((attempt, messages)) = attempts.iter().find(|(_, messages)| is_of(messages)) else {
            if !line.runs.is_empty() {
                complaints.push(format!("port {}: RTP from a port that was offered to nobody", line.port));
            }
            continue;
        };
        complaints.extend(of_line(history, *attempt, messages, line));
    }
    complaints
}

fn of_line(history: &History, attempt: Attempt, messages: &[&Message], line: &Line) -> Complaints {
    let mut complaints = Vec::new();
    let told_to_go = messages.iter().filter_map(|message| end_of(message)).min();
    for run in &line.runs {
        let described = messages.iter().any(|message| {
            let had_come = message.came.iter().any(|at| *at <= run.first);
            message.by == By::Them && message.media == Some(run.to) && had_come
        });
        let is_seen =
            |(_, own, far): &(Instant, Attempt, Far)| *own == attempt && *far == Far::SendsFrom(run.to);
        if !described && !history.far.iter().any(is_seen) {
            complaints.push(format!("{attempt}: RTP to {}, which nobody described", run.to));
        }
        if told_to_go.is_some_and(|at| run.last > at) {
            complaints.push(format!("{attempt}: RTP to a leg that was told to go, or had gone"));
        }
        if line.closed.is_some_and(|at| run.last > at) {
            complaints.push(format!("{attempt}: RTP from a closed port"));
        }
    }
    complaints
}

/// Whether an INVITE offers the ports of a line.
fn offers(invite: &Message, line: &Line) -> bool {
    let is_open = line.opened <= invite.sent && line.closed.is_none_or(|closed| invite.sent <= closed);
    is_open && invite.media.is_some_and(|media| media.port() == line.port)
}

/// When a message ends the leg: our BYE or CANCEL when it leaves, theirs when it comes.
fn end_of(message: &Message) -> Option<Instant> {
    match (message.by, message.what) {
        (By::Us, What::Request(Method::Bye | Method::Cancel)) => Some(message.sent),
        (By::Them, What::Request(Method::Bye)) => message.came.first().copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::check::tale::{Tale, tale};

    fn party() -> SocketAddr {
        "10.1.0.0:10000".parse().unwrap()
    }

    fn talking() -> Tale {
        tale().us(10, "A1", "INVITE").offering(10_000).them(20, "A1", "200").describing(party())
    }

    #[test]
    fn rtp_to_a_stranger_is_complained_of() {
        let fine = talking().rtp(10_000, party(), 30, 900).us(900, "A1", "BYE").history;
        assert_eq!(check(&fine), Complaints::new());
        let stranger = "10.9.9.9:1".parse().unwrap();
        let found = check(&talking().rtp(10_000, stranger, 30, 900).history).join("; ");
        assert!(found.contains("which nobody described"), "{found}");
        let soon = check(&talking().rtp(10_000, party(), 15, 900).history).join("; ");
        assert!(soon.contains("which nobody described"), "{soon}");
        let nat = talking().far(25, "A1", Far::SendsFrom(stranger)).rtp(10_000, stranger, 30, 900).history;
        assert_eq!(check(&nat), Complaints::new());
        let nobody = check(&tale().rtp(10_000, party(), 1, 2).history).join("; ");
        assert!(nobody.contains("offered to nobody"), "{nobody}");
    }

    #[test]
    fn rtp_to_a_leg_that_is_gone_is_complained_of() {
        for end in [
            talking().us(500, "A1", "BYE"),
            talking().us(500, "A1", "CANCEL"),
            talking().them(499, "A1", "BYE"),
        ] {
            let found = check(&end.rtp(10_000, party(), 30, 501).history).join("; ");
            assert!(found.contains("told to go"), "{found}");
        }
        let mut closed = talking().rtp(10_000, party(), 30, 501).history;
        closed.lines[0].closed = Some(Instant::from_millis(400));
        assert!(check(&closed).join("; ").contains("from a closed port"));
    }
}
