//! The table of server transactions: requests of a peer that we answer or have answered.

use base::table::Table;
use base::time::Instant;

use super::invite_server::InviteServer;
use super::plain_server::PlainServer;
use super::{Act, Class};
use crate::event::{Datagram, Output, Outputs};
use crate::timer::{Agenda, CALLS_A_SECOND, LINGERS_SECS, Pace, Timers, Who};
use crate::transport::Hop;

/// One request of a peer.
pub(crate) struct Server {
    machine: Machine,
    /// The request as it came, until its final response is written.
    request: Option<Box<[u8]>>,
    /// Where it came from.
    from: Hop,
    /// Where responses go (RFC 3261 18.2.2, RFC 3581 4).
    reply_to: Hop,
    /// The last response, as long as a repetition of the request must be answered with it.
    response: Option<Datagram>,
    /// The leg that the request belongs to.
    leg: Option<u64>,
}

enum Machine {
    Invite(InviteServer),
    Plain(PlainServer),
}

/// Server transactions by their key.
#[derive(Default)]
pub(crate) struct Servers {
    table: Table<u64, Server>,
}

impl Servers {
    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether one more would be too many.
    pub(crate) fn is_full(&self) -> bool {
        self.table.len() >= SERVERS_MAX
    }

    /// An INVITE has come.
    pub(crate) fn open_invite(&mut self, key: u64, request: &[u8], from: Hop, reply_to: Hop) {
        self.open(key, Machine::Invite(InviteServer::start(reply_to.transport)), request, from, reply_to);
    }

    /// Another request has come.
    pub(crate) fn open_plain(&mut self, key: u64, request: &[u8], from: Hop, reply_to: Hop) {
        self.open(key, Machine::Plain(PlainServer::start(reply_to.transport)), request, from, reply_to);
    }

    /// The request came again: answers it with what was answered before. `false`: it is new.
    pub(crate) fn on_repeat(&mut self, key: u64, out: &mut Outputs) -> bool {
        let Some(server) = self.table.get(&key) else { return false };
        let act = match &server.machine {
            Machine::Invite(invite) => invite.on_repeat(),
            Machine::Plain(plain) => plain.on_repeat(),
        };
        if act == Act::Resend {
            server.send(out);
        }
        true
    }

    /// An ACK with the branch of an INVITE has come.
    pub(crate) fn on_ack(&mut self, key: u64, now: Instant, pace: &Pace, agenda: &mut Agenda<Who>) -> Acked {
        let Some(server) = self.table.get_mut(&key) else { return Acked::Unknown };
        let Machine::Invite(invite) = &mut server.machine else { return Acked::Absorbed };
        let act = invite.on_ack(now, pace);
        server.book(key, agenda);
        match act {
            Act::Pass => Acked::Success,
            _ => Acked::Absorbed,
        }
    }

    /// Ties the request to a leg.
    pub(crate) fn give_to(&mut self, key: u64, leg: u64) {
        if let Some(server) = self.table.get_mut(&key) {
            server.leg = Some(leg);
        }
    }

    /// Whether there is such a request.
    pub(crate) fn contains(&self, key: u64) -> bool {
        self.table.contains_key(&key)
    }

    /// The leg that the request belongs to.
    pub(crate) fn leg(&self, key: u64) -> Option<u64> {
        self.table.get(&key)?.leg
    }

    /// The request and where it came from, while it has no final response.
    pub(crate) fn unanswered(&self, key: u64) -> Option<(&[u8], Hop)> {
        let server = self.table.get(&key)?;
        let open = match &server.machine {
            Machine::Invite(invite) => invite.is_proceeding(),
            Machine::Plain(plain) => plain.is_trying(),
        };
        let request = server.request.as_deref().filter(|_| open)?;
        Some((request, server.from))
    }

    /// Sends a response and keeps it.
    pub(crate) fn respond(
        &mut self,
        key: u64,
        (status, response): (u16, Datagram),
        now: Instant,
        pace: &Pace,
        agenda: &mut Agenda<Who>,
        out: &mut Outputs,
    ) {
        let Some(server) = self.table.get_mut(&key) else { return };
        let class = Class::of(status);
        match &mut server.machine {
            Machine::Invite(invite) => invite.respond(class, now, pace),
            Machine::Plain(plain) => plain.respond(now, pace),
        }
        server.response = Some(response);
        server.send(out);
        if matches!(class, Class::Success | Class::Failure) {
            server.request = None;
        }
        // The owner repeats the 2xx of an INVITE, so its bytes are not needed here.
        if class == Class::Success && matches!(server.machine, Machine::Invite(_)) {
            server.response = None;
        }
        server.book(key, agenda);
    }

    /// Where responses to the request go.
    pub(crate) fn reply_to(&self, key: u64) -> Option<Hop> {
        self.table.get(&key).map(|server| server.reply_to)
    }

    /// The agenda's entry for `at` has come up.
    pub(crate) fn on_time(
        &mut self,
        key: u64,
        at: Instant,
        now: Instant,
        pace: &Pace,
        agenda: &mut Agenda<Who>,
        out: &mut Outputs,
    ) {
        let Some(server) = self.table.get_mut(&key) else { return };
        if !server.timers().wake(at) {
            return;
        }
        while let Some(timer) = server.timers().take_due(now) {
            let act = match &mut server.machine {
                Machine::Invite(invite) => invite.on_timer(timer, now, pace),
                Machine::Plain(plain) => plain.on_timer(timer),
            };
            if act == Act::Resend {
                server.send(out);
            }
        }
        if server.is_over() {
            self.table.remove(&key);
        } else {
            server.book(key, agenda);
        }
    }

    fn open(&mut self, key: u64, machine: Machine, request: &[u8], from: Hop, reply_to: Hop) {
        let request = Some(request.into());
        self.table.insert(key, Server { machine, request, from, reply_to, response: None, leg: None });
    }
}

/// What an ACK meant to the transaction layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acked {
    /// It is about no INVITE we hold: perhaps the ACK of a 2xx, which has a branch of its own.
    Unknown,
    /// It ended a refusal, or came again.
    Absorbed,
    /// It acknowledges a 2xx under the branch of the INVITE.
    Success,
}

impl Server {
    fn timers(&mut self) -> &mut Timers {
        match &mut self.machine {
            Machine::Invite(invite) => &mut invite.timers,
            Machine::Plain(plain) => &mut plain.timers,
        }
    }

    fn book(&mut self, key: u64, agenda: &mut Agenda<Who>) {
        self.timers().book(Who::Server(key), agenda);
    }

    fn is_over(&self) -> bool {
        match &self.machine {
            Machine::Invite(invite) => invite.is_over(),
            Machine::Plain(plain) => plain.is_over(),
        }
    }

    fn send(&self, out: &mut Outputs) {
        if let Some(response) = &self.response {
            out.push(Output::send(self.reply_to, response.clone()));
        }
    }
}

/// Open server transactions per endpoint: a BYE from the peer of each leg stays 32 s; past that, new requests get a 503
/// without state.
pub(crate) const SERVERS_MAX: usize = 2 * LINGERS_SECS * CALLS_A_SECOND;
