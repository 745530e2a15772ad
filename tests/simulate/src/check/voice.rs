//! Where RTP goes: to nobody but the party, and not once its leg was told to go.

use std::net::SocketAddr;

use base::time::Instant;
use sip::message::Method;

use super::Complaints;
use crate::history::{Attempt, By, Far, History, Line, Message, Run, What};

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
    let agreements = agreements(messages);
    let seen = |(_, own, far): &(Instant, Attempt, Far)| match far {
        Far::SendsFrom(address) if *own == attempt => Some(*address),
        _ => None,
    };
    let sources: Vec<_> = history.far.iter().filter_map(seen).collect();
    for run in &line.runs {
        let is_nat = sources.contains(&run.to);
        let mut allowed = agreements.iter().filter(|agreed| agreed.from <= run.first);
        if !is_nat && allowed.all(|agreed| agreed.address != run.to) {
            complaints.push(format!("{attempt}: RTP to {}, which nobody described", run.to));
        } else if let Some(broken) = broken(run, &agreements, is_nat) {
            complaints.push(format!("{attempt}: RTP to {} although {broken:?} was agreed to", run.to));
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

/// What both sides have agreed to of the voice.
#[derive(Clone, Copy, Debug)]
struct Agreement {
    /// Since when.
    from: Instant,
    /// Where they want RTP.
    address: SocketAddr,
    /// Whether they want any.
    hears: bool,
}

/// What was agreed to, one after the other: their answers when they come, their offers when we accept them. What is said
/// again is no other agreement.
fn agreements(messages: &[&Message]) -> Vec<Agreement> {
    let of = |from: Instant, said: &Message| {
        said.media.map(|address| Agreement { from, address, hears: said.hears })
    };
    let agreement = |message: &&Message| match (message.by, message.what) {
        (By::Them, What::Response(101..=299, Method::Invite)) => {
            Some(((By::Them, Method::Invite, message.cseq), of(*message.came.first()?, message)?))
        }
        (By::Us, What::Response(200..=299, method @ (Method::Invite | Method::Update))) => {
            let is_its = |offer: &&&Message| {
                offer.by == By::Them && offer.what == What::Request(method) && offer.cseq == message.cseq
            };
            Some(((By::Us, method, message.cseq), of(message.sent, messages.iter().find(is_its)?)?))
        }
        _ => None,
    };
    let mut agreements: Vec<_> = messages.iter().filter_map(agreement).collect();
    agreements.sort_by_key(|(_, agreement)| agreement.from);
    let mut known = Vec::new();
    agreements.retain(|(exchange, _)| {
        let is_new = !known.contains(exchange);
        known.push(*exchange);
        is_new
    });
    agreements.into_iter().map(|(_, agreement)| agreement).collect()
}

/// An agreement that a run does not keep.
fn broken(run: &Run, agreements: &[Agreement], is_nat: bool) -> Option<Agreement> {
    let before = agreements.iter().rposition(|agreed| agreed.from < run.first);
    let holds = agreements.iter().enumerate().filter(|(at, agreed)| {
        // What was agreed to at the very end binds what comes after.
        Some(*at) == before && agreements.get(at + 1).is_none_or(|next| next.from > run.first)
            || agreed.from >= run.first && agreed.from < run.last
    });
    let is_broken = |agreed: &Agreement| !agreed.hears || !is_nat && agreed.address != run.to;
    holds.map(|(_, agreed)| *agreed).find(is_broken)
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
    fn rtp_against_what_was_agreed_to_is_complained_of() {
        let elsewhere = "10.1.0.1:10000".parse().unwrap();
        let moved = || talking().them(400, "A1", "INVITE").describing(elsewhere).us(402, "A1", "200");
        assert_eq!(check(&moved().rtp(10_000, party(), 30, 402).history), Complaints::new());
        assert_eq!(check(&moved().rtp(10_000, elsewhere, 403, 900).history), Complaints::new());
        let held = talking().them(400, "A1", "INVITE").describing(party()).holding().us(402, "A1", "200");
        for wrong in [
            moved().rtp(10_000, party(), 30, 500),
            moved().rtp(10_000, party(), 450, 500),
            held.rtp(10_000, party(), 30, 500),
        ] {
            let found = check(&wrong.history).join("; ");
            assert!(found.contains("was agreed to"), "{found}");
        }
    }

    #[test]
    fn what_is_said_again_is_no_other_agreement() {
        let elsewhere = "10.1.0.1:10000".parse().unwrap();
        let moved = talking().them(400, "A1", "INVITE").describing(elsewhere).us(402, "A1", "200");
        let again = moved.them(500, "A1", "200").describing(party());
        assert_eq!(check(&again.rtp(10_000, elsewhere, 403, 900).history), Complaints::new());
        let held = talking().them(400, "A1", "INVITE").describing(party()).holding().us(402, "A1", "200");
        let again = held.us(500, "A1", "200");
        assert!(!check(&again.rtp(10_000, party(), 450, 900).history).is_empty());
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
