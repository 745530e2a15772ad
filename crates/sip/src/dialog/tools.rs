//! What a leg works with while it takes a step: the transaction tables, the clock, chance, and the list of outputs.

use base::time::Instant;
use rand::Rng;
use rand::rngs::SmallRng;

use super::letter;
use super::{Errand, Owner};
use crate::event::{Datagram, Event, LegKey, Output, Outputs};
use crate::message::Message;
use crate::reason::Reason;
use crate::settings::Settings;
use crate::timer::{Agenda, Who};
use crate::transaction::clients::{Clients, Sent, Size};
use crate::transaction::key::Keys;
use crate::transaction::servers::Servers;
use crate::transaction::stored;
use crate::transport::{Hop, Transport};

pub(crate) struct Tools<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) keys: Keys,
    pub(crate) clients: &'a mut Clients<Owner>,
    pub(crate) servers: &'a mut Servers,
    pub(crate) agenda: &'a mut Agenda<Who>,
    pub(crate) rng: &'a mut SmallRng,
    pub(crate) now: Instant,
    pub(crate) out: &'a mut Outputs,
}

impl Tools<'_> {
    /// News for the owner.
    pub(crate) fn tell(&mut self, leg: LegKey, event: Event) {
        self.out.push(Output::Event { leg, event });
    }

    /// Sends a datagram outside any transaction: an ACK, or a 2xx once more.
    pub(crate) fn send(&mut self, to: Hop, datagram: Datagram) {
        self.out.push(Output::send(to, datagram));
    }

    /// Sends an INVITE and opens its transaction; gives its key.
    pub(crate) fn invite(&mut self, branch: &str, bytes: Vec<u8>, to: Hop, owner: Owner) -> u64 {
        let key = self.keys.client(branch.as_bytes(), b"INVITE");
        let sent = self.dispatch(bytes, to, owner);
        self.clients.open_invite(key, sent, self.now, &self.settings.pace, self.agenda);
        key
    }

    /// Sends any other request and opens its transaction.
    pub(crate) fn request(&mut self, (branch, method): (&str, &str), bytes: Vec<u8>, to: Hop, owner: Owner) {
        let key = self.keys.client(branch.as_bytes(), method.as_bytes());
        let sent = self.dispatch(bytes, to, owner);
        self.clients.open_plain(key, sent, self.now, &self.settings.pace, self.agenda);
    }

    /// Sends a request by the transport that its size allows.
    fn dispatch(&mut self, mut bytes: Vec<u8>, mut to: Hop, owner: Owner) -> Sent<Owner> {
        let mut size = Size::Usual;
        if self.settings.is_for_tcp(bytes.len(), to) {
            to.transport = Transport::Tcp;
            let sent_by = self.settings.sent_by(to);
            bytes = stored::by_transport(&bytes, Transport::Tcp.as_str(), sent_by);
            size = Size::Large;
        }
        let bytes = Datagram::from(bytes);
        self.send(to, bytes.clone());
        Sent { bytes, to, size, owner }
    }

    /// Cancels the INVITE of this key, if a provisional has come and no final. Whether it did.
    pub(crate) fn cancel(&mut self, key: u64, leg: LegKey, reason: Option<&Reason>) -> bool {
        let Some((invite, to)) = self.clients.cancellable(key) else { return false };
        let bytes = Datagram::from(stored::cancel(invite, reason.map(Reason::to_string).as_deref()));
        let cancel_key = stored::branch_of(invite).map(|branch| self.keys.client(branch, b"CANCEL"));
        self.clients.cancelled(key, self.now, &self.settings.pace, self.agenda);
        let owner = Owner::Leg { leg, dialog: 0, errand: Errand::Cancel, attempt: 0 };
        if let Some(cancel_key) = cancel_key {
            self.send(to, bytes.clone());
            let sent = Sent { bytes, to, size: Size::Usual, owner };
            self.clients.open_plain(cancel_key, sent, self.now, &self.settings.pace, self.agenda);
        }
        cancel_key.is_some()
    }

    /// Answers the request of this key, if it has no final response. `shape` adds headers and a body.
    pub(crate) fn respond(
        &mut self,
        key: u64,
        status: u16,
        our_tag: Option<&str>,
        extra: &letter::Extra<'_>,
    ) -> Option<Datagram> {
        let (request, from) = self.servers.unanswered(key)?;
        let request = Message::parse(request).ok()?;
        let bytes = Datagram::from(letter::response(&request, from, (status, our_tag), extra, self.settings));
        self.servers.respond(
            key,
            (status, bytes.clone()),
            self.now,
            &self.settings.pace,
            self.agenda,
            self.out,
        );
        Some(bytes)
    }

    /// Answers the request of this key with a failure.
    pub(crate) fn refuse(&mut self, key: u64, status: u16, our_tag: Option<&str>, headers: &[(&str, &str)]) {
        self.respond(key, status, our_tag, &letter::Extra { headers, body: None });
    }

    /// A new branch with the cookie of RFC 3261 8.1.1.7.
    pub(crate) fn branch(&mut self) -> String {
        format!("z9hG4bK{:016x}", self.rng.random::<u64>())
    }

    /// A new tag, or any other word that nobody can guess.
    pub(crate) fn word(&mut self) -> String {
        format!("{:016x}", self.rng.random::<u64>())
    }
}
