//! The table of client transactions: requests of ours that wait for responses.

use base::table::Table;
use base::time::Instant;

use super::invite_client::InviteClient;
use super::plain_client::PlainClient;
use super::{Act, Class, stored};
use crate::event::{Datagram, Output, Outputs};
use crate::timer::{Agenda, CALLS_A_SECOND, LINGERS_SECS, Pace, Timer, Timers, Who};
use crate::transport::{Hop, Transport};

/// One request of ours.
pub(crate) struct Client<O> {
    machine: Machine,
    /// Where the request went; its responses must come from there (RFC 3581 4).
    to: Hop,
    /// Whether it would have gone by UDP if it were smaller, and still may (RFC 3261 18.1.1).
    size: Size,
    /// The request, until its final response; then the ACK of a failed INVITE.
    bytes: Option<Datagram>,
    owner: O,
}

enum Machine {
    Invite(InviteClient),
    Plain(PlainClient),
}

/// What the owner of a transaction is told.
pub(crate) struct News<O> {
    pub(crate) owner: O,
    pub(crate) what: What,
    /// The request, when it has just become final: what to send again with credentials.
    pub(crate) request: Option<Datagram>,
    /// Where the request went.
    pub(crate) to: Hop,
}

/// What happened to a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A response for the owner has come.
    Response,
    /// No response came in time, or nobody could be reached; the transaction is closed.
    TimedOut,
    /// Timer C; the owner must cancel.
    RangOut,
    /// The transaction is closed, all was said before.
    Closed,
}

/// A response that belongs to nothing.
#[derive(Debug)]
pub(crate) struct Stray;

/// Client transactions by their key.
pub(crate) struct Clients<O> {
    table: Table<u64, Client<O>>,
}

impl<O: Copy> Clients<O> {
    pub(crate) fn new() -> Self {
        Self { table: Table::default() }
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether one more would be too many.
    pub(crate) fn is_full(&self) -> bool {
        self.table.len() >= CLIENTS_MAX
    }

    /// An INVITE was sent.
    pub(crate) fn open_invite(
        &mut self,
        key: u64,
        sent: Sent<O>,
        now: Instant,
        pace: &Pace,
        agenda: &mut Agenda<Who>,
    ) {
        self.open(key, Machine::Invite(InviteClient::start(sent.to.transport, now, pace)), sent, agenda);
    }

    /// An INVITE was sent in a former life.
    pub(crate) fn resume_invite(
        &mut self,
        key: u64,
        sent: Sent<O>,
        now: Instant,
        pace: &Pace,
        agenda: &mut Agenda<Who>,
    ) {
        self.open(key, Machine::Invite(InviteClient::resume(sent.to.transport, now, pace)), sent, agenda);
    }

    /// A request other than INVITE and ACK was sent.
    pub(crate) fn open_plain(
        &mut self,
        key: u64,
        sent: Sent<O>,
        now: Instant,
        pace: &Pace,
        agenda: &mut Agenda<Who>,
    ) {
        self.open(key, Machine::Plain(PlainClient::start(sent.to.transport, now, pace)), sent, agenda);
    }

    /// Whether the INVITE of this key has had a provisional and no final response, and what it said on the wire.
    pub(crate) fn cancellable(&self, key: u64) -> Option<(&Datagram, Hop)> {
        let client = self.table.get(&key)?;
        let Machine::Invite(invite) = &client.machine else { return None };
        let bytes = client.bytes.as_ref().filter(|_| invite.is_proceeding())?;
        Some((bytes, client.to))
    }

    /// The INVITE of this key was cancelled: it has 64*T1 to end.
    pub(crate) fn cancelled(&mut self, key: u64, now: Instant, pace: &Pace, agenda: &mut Agenda<Who>) {
        let Some(client) = self.table.get_mut(&key) else { return };
        if let Machine::Invite(invite) = &mut client.machine {
            invite.cancelled(now, pace);
            client.book(key, agenda);
        }
    }

    /// A response has come. `to` is the value of its To header, for the ACK of a failure.
    ///
    /// # Errors
    /// Nobody waits for it, or it comes from elsewhere than its request went.
    pub(crate) fn on_response(
        &mut self,
        key: u64,
        (from, class, to): (Hop, Class, &[u8]),
        now: Instant,
        pace: &Pace,
        agenda: &mut Agenda<Who>,
        out: &mut Outputs,
    ) -> Result<Option<News<O>>, Stray> {
        let client = self.table.get_mut(&key).filter(|client| client.to.is_same_way(from)).ok_or(Stray)?;
        let act = match &mut client.machine {
            Machine::Invite(invite) => invite.on_response(class, now, pace),
            Machine::Plain(plain) => plain.on_response(class, now, pace),
        };
        client.book(key, agenda);
        Ok(match act {
            Act::Pass => {
                let request =
                    if matches!(class, Class::Success | Class::Failure) { client.bytes.take() } else { None };
                Some(client.news(What::Response, request))
            }
            Act::AcknowledgeAndPass => {
                let request = client.bytes.take();
                let ack = request.as_ref().map(|invite| Datagram::from(stored::acknowledge(invite, to)));
                client.bytes = ack;
                client.send(out);
                Some(client.news(What::Response, request))
            }
            Act::Resend => {
                client.send(out);
                None
            }
            Act::Nothing | Act::TimedOut | Act::RangOut | Act::Over => None,
        })
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
    ) -> Option<News<O>> {
        let client = self.table.get_mut(&key)?;
        if !client.timers().wake(at) {
            return None;
        }
        let mut news = None;
        while let Some(timer) = client.timers().take_due(now) {
            match client.fire(timer, now, pace) {
                Act::Resend => client.send(out),
                Act::TimedOut => news = Some(What::TimedOut),
                Act::RangOut => news = Some(What::RangOut),
                Act::Over => news = Some(What::Closed),
                Act::Nothing | Act::Pass | Act::AcknowledgeAndPass => {}
            }
            if news.is_some() {
                break;
            }
        }
        client.book(key, agenda);
        let news = client.news(news?, None);
        if client.is_over() {
            self.table.remove(&key);
        }
        Some(news)
    }

    /// A request could not be delivered: there is no connection, or it broke before anything was heard. A large one
    /// goes as a datagram after all, with the bytes that `rewrite` makes; any other has failed at once.
    pub(crate) fn undelivered(
        &mut self,
        (key, by): (u64, Hop),
        rewrite: impl FnOnce(&Datagram) -> Datagram,
        now: Instant,
        pace: &Pace,
        agenda: &mut Agenda<Who>,
        out: &mut Outputs,
    ) -> Option<News<O>> {
        let client = self.table.get_mut(&key).filter(|client| client.to == by && client.is_unheard())?;
        if client.size == Size::Large {
            client.size = Size::Usual;
            client.to.transport = Transport::Udp;
            client.bytes = client.bytes.as_ref().map(rewrite);
            client.machine = match client.machine {
                Machine::Invite(_) => Machine::Invite(InviteClient::start(Transport::Udp, now, pace)),
                Machine::Plain(_) => Machine::Plain(PlainClient::start(Transport::Udp, now, pace)),
            };
            client.send(out);
            client.book(key, agenda);
            return None;
        }
        match &mut client.machine {
            Machine::Invite(invite) => invite.give_up(),
            Machine::Plain(plain) => plain.give_up(),
        }
        let news = client.news(What::TimedOut, None);
        self.table.remove(&key);
        Some(news)
    }

    fn open(&mut self, key: u64, machine: Machine, sent: Sent<O>, agenda: &mut Agenda<Who>) {
        let mut client =
            Client { machine, to: sent.to, size: sent.size, bytes: Some(sent.bytes), owner: sent.owner };
        client.book(key, agenda);
        self.table.insert(key, client);
    }
}

/// Whether a request is too large for the datagram that it should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Usual,
    Large,
}

/// A request that was sent: its bytes, where to, and who wants to hear of it.
pub(crate) struct Sent<O> {
    pub(crate) bytes: Datagram,
    pub(crate) to: Hop,
    pub(crate) size: Size,
    pub(crate) owner: O,
}

impl<O: Copy> Client<O> {
    fn timers(&mut self) -> &mut Timers {
        match &mut self.machine {
            Machine::Invite(invite) => &mut invite.timers,
            Machine::Plain(plain) => &mut plain.timers,
        }
    }

    fn book(&mut self, key: u64, agenda: &mut Agenda<Who>) {
        self.timers().book(Who::Client(key), agenda);
    }

    fn fire(&mut self, timer: Timer, now: Instant, pace: &Pace) -> Act {
        match &mut self.machine {
            Machine::Invite(invite) => invite.on_timer(timer, now, pace),
            Machine::Plain(plain) => plain.on_timer(timer, now, pace),
        }
    }

    fn is_unheard(&self) -> bool {
        match &self.machine {
            Machine::Invite(invite) => invite.is_unheard(),
            Machine::Plain(plain) => plain.is_unheard(),
        }
    }

    fn is_over(&self) -> bool {
        match &self.machine {
            Machine::Invite(invite) => invite.is_over(),
            Machine::Plain(plain) => plain.is_over(),
        }
    }

    fn send(&self, out: &mut Outputs) {
        if let Some(bytes) = &self.bytes {
            out.push(Output::send(self.to, bytes.clone()));
        }
    }

    fn news(&self, what: What, request: Option<Datagram>) -> News<O> {
        News { owner: self.owner, what, request, to: self.to }
    }
}

/// Open client transactions per endpoint: for each leg an accepted INVITE stays 32 s, a BYE 5 s. More than that is a dead
/// trunk.
pub(crate) const CLIENTS_MAX: usize = 2 * (LINGERS_SECS + 5) * CALLS_A_SECOND;
