//! The one entry: datagrams, commands and deadlines in; datagrams and news out.

use std::fmt;
use std::time::Duration;

use base::table::Table;
use base::time::Instant;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::dialog::tools::Tools;
use crate::dialog::{Leg, Owner, heard, letter, session};
use crate::digest::Credentials;
use crate::event::{Datagram, Event, LegKey, Output, Outputs};
use crate::invite::Invite;
use crate::message::{Fault, Message, Method, Scheme, StartLine};
use crate::passing::Passing;
use crate::reason::Reason;
use crate::registration::{Register, Registration, RegistrationKey, RegistrationState};
use crate::saved::Saved;
use crate::settings::{Settings, Sips};
use crate::timer::{Agenda, CALLS_A_SECOND, LINGERS_SECS, Who};
use crate::transaction::clients::{Clients, News, Stray, What};
use crate::transaction::key::Keys;
use crate::transaction::servers::{Acked, Servers};
use crate::transaction::{Class, stored};
use crate::transport::{Hop, Transport};

/// All legs and transactions behind one signalling address, or one shard of them.
///
/// Everything goes by one pattern: a method takes what happened and `now`, and appends to the caller's list what is
/// to be done about it. Nothing here waits, sends or asks the time.
pub struct Endpoint {
    settings: Settings,
    keys: Keys,
    clients: Clients<Owner>,
    servers: Servers,
    legs: Table<LegKey, Box<Leg>>,
    /// Legs by Call-ID and our tag.
    by_dialog: Table<u64, LegKey>,
    /// Incoming legs by Call-ID and the caller's tag, to know an INVITE that comes by a second way.
    by_origin: Table<u64, LegKey>,
    registrations: Table<RegistrationKey, Box<Registration>>,
    agenda: Agenda<Who>,
    rng: SmallRng,
    next_incoming: u64,
    ignored: Ignored,
    passing: Passing,
}

/// What was heard and not answered, counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Datagrams of strangers.
    pub strangers: u64,
    /// Datagrams of peers that were no message we can read.
    pub unreadable: u64,
    /// Responses that no open transaction waits for, or from another address than it asked.
    pub strays: u64,
    /// Requests outside of all calls, of sources that sent too many of them.
    pub floods: u64,
}

/// How much an endpoint holds right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Legs, those included that are over and wait for late messages.
    pub legs: usize,
    /// Open client transactions.
    pub clients: usize,
    /// Open server transactions.
    pub servers: usize,
}

impl Endpoint {
    /// An endpoint with nothing open. The seed feeds tags, branches and the keys of its tables; it must be secret.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        Self {
            settings,
            keys: Keys::new(rand::Rng::random(&mut rng)),
            clients: Clients::new(),
            servers: Servers::default(),
            legs: Table::default(),
            by_dialog: Table::default(),
            by_origin: Table::default(),
            registrations: Table::default(),
            agenda: Agenda::new(),
            rng,
            next_incoming: LegKey::INCOMING,
            ignored: Ignored::default(),
            passing: Passing::new(),
        }
    }

    /// The settings, to be changed while it runs: a new peer, a new pace for what begins from now on.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// What it holds.
    #[must_use]
    pub fn load(&self) -> Load {
        Load { legs: self.legs.len(), clients: self.clients.len(), servers: self.servers.len() }
    }

    /// What it ignored.
    #[must_use]
    pub fn ignored(&self) -> Ignored {
        self.ignored
    }

    /// When [`on_time`](Self::on_time) wants to be called next. Sometimes it then finds nothing to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.agenda.earliest()
    }

    /// Lets everything happen that is due.
    pub fn on_time(&mut self, now: Instant, out: &mut Outputs) {
        while let Some((at, who)) = self.agenda.take_due(now) {
            match who {
                Who::Client(key) => {
                    let pace = &self.settings.pace;
                    let news = self.clients.on_time(key, at, now, pace, &mut self.agenda, out);
                    self.pass_on(news, None, now, out);
                }
                Who::Server(key) => {
                    self.servers.on_time(key, at, now, &self.settings.pace, &mut self.agenda, out);
                }
                Who::Leg(key) => self.with_leg(LegKey(key), now, out, |leg, tools| leg.on_time(at, tools)),
                Who::Registration(key) => {
                    self.with_registration(RegistrationKey(key), now, out, |own, tools| {
                        own.on_time(at, tools);
                    });
                }
            }
        }
    }

    /// Takes one datagram, or one whole message of a connection ([`Inbox`](crate::message::Inbox) finds them).
    pub fn receive(&mut self, from: impl Into<Hop>, datagram: &[u8], now: Instant, out: &mut Outputs) {
        let from = from.into();
        let is_response =
            datagram.get(..RESPONSE.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESPONSE));
        let message = Message::parse(datagram);
        if !is_response && !self.settings.knows(from) && !self.is_named_by_a_leg(from, &message) {
            self.ignored.strangers += 1;
            return;
        }
        match message {
            Ok(message) => match message.start() {
                StartLine::Response { status, .. } => self.on_response(from, status, &message, now, out),
                StartLine::Request { method, .. } => {
                    self.on_request((from, datagram), method, &message, now, out);
                }
            },
            Err(Fault::Empty) => {}
            Err(fault) => self.on_unreadable((from, datagram), fault, now, out),
        }
    }

    /// A message of an [`Output::Send`] could not be delivered: no connection could be made, or it broke. A request that
    /// was only too large for a datagram goes as one after all; any other fails at once instead of in 64*T1. Responses
    /// and acknowledgements are lost, as on any network.
    pub fn undelivered(&mut self, to: impl Into<Hop>, message: &[u8], now: Instant, out: &mut Outputs) {
        let Ok(message) = Message::parse(message) else { return };
        if !message.is_request() || message.method() == Method::Ack {
            return;
        }
        let branch = message.via().branch().unwrap_or_default();
        let key = self.keys.client(branch, message.cseq_value().token);
        let to = to.into();
        let sent_by = self.settings.sent_by(Hop::new(Transport::Udp, to.address));
        let rewrite =
            |bytes: &Datagram| Datagram::from(stored::by_transport(bytes, Transport::Udp.as_str(), sent_by));
        let pace = &self.settings.pace;
        let news = self.clients.undelivered((key, to), rewrite, now, pace, &mut self.agenda, out);
        self.pass_on(news, None, now, out);
    }

    /// Places a call.
    pub fn invite(&mut self, leg: LegKey, invite: Invite, now: Instant, out: &mut Outputs) {
        debug_assert!(leg.0 < LegKey::INCOMING, "keys from LegKey::INCOMING on are for calls that come in");
        debug_assert!(!self.legs.contains_key(&leg), "a key is used once");
        if self.clients.is_full() || self.legs.len() >= LEGS_MAX {
            let failed = Event::Failed { status: 503, reason: None, retry_after: None, local: true };
            out.push(Output::Event { leg, event: failed });
            return;
        }
        let secure = invite.request_uri.is_secure();
        if secure && self.settings.sips == Sips::TlsOnly && invite.peer.transport != Transport::Tls {
            let failed = Event::Failed { status: 416, reason: None, retry_after: None, local: true };
            out.push(Output::Event { leg, event: failed });
            return;
        }
        let placed = Leg::call(leg, invite, &mut self.tools(now, out));
        self.keep(placed);
    }

    /// Ends a call, whatever that takes in its state: CANCEL, a refusal, ACK and BYE, or BYE. Again: nothing.
    pub fn hang_up(&mut self, leg: LegKey, reason: Option<Reason>, now: Instant, out: &mut Outputs) {
        self.with_leg(leg, now, out, |leg, tools| leg.hang_up(reason, tools));
    }

    /// Sends a provisional to a call that came in; reliably, if that is wished and the caller supports it.
    pub fn ring(&mut self, leg: LegKey, ring: Ring, now: Instant, out: &mut Outputs) {
        self.with_leg(leg, now, out, |leg, tools| leg.ring(ring.status, ring.sdp, ring.reliably, tools));
    }

    /// Answers a call that came in with 200 and this session description.
    pub fn answer(&mut self, leg: LegKey, sdp: &[u8], now: Instant, out: &mut Outputs) {
        self.with_leg(leg, now, out, |leg, tools| leg.answer(sdp, tools));
    }

    /// Refuses a call that came in with a status from 300 to 699.
    pub fn reject(
        &mut self,
        leg: LegKey,
        status: u16,
        reason: Option<&Reason>,
        now: Instant,
        out: &mut Outputs,
    ) {
        self.with_leg(leg, now, out, |leg, tools| leg.reject(status, reason, tools));
    }

    /// Offers a new session in an answered call by re-INVITE.
    pub fn offer(&mut self, leg: LegKey, sdp: &[u8], now: Instant, out: &mut Outputs) {
        self.with_leg(leg, now, out, |leg, tools| leg.offer(sdp, tools));
    }

    /// Sends UPDATE in a call: with an offer, or only as a sign of life.
    pub fn update(&mut self, leg: LegKey, sdp: Option<&[u8]>, now: Instant, out: &mut Outputs) {
        self.with_leg(leg, now, out, |leg, tools| leg.update(sdp, tools));
    }

    /// Answers an [`Event::Offer`], or offers what an [`Event::OfferWanted`] asks for.
    pub fn answer_offer(&mut self, leg: LegKey, sdp: &[u8], now: Instant, out: &mut Outputs) {
        self.with_leg(leg, now, out, |leg, tools| leg.answer_offer(sdp, tools));
    }

    /// Refuses an [`Event::Offer`] or [`Event::OfferWanted`], usually with 488; the session goes on as it was.
    pub fn refuse_offer(&mut self, leg: LegKey, status: u16, now: Instant, out: &mut Outputs) {
        self.with_leg(leg, now, out, |leg, tools| leg.refuse_offer(status, tools));
    }

    /// Sends INFO in an answered call.
    pub fn info(&mut self, leg: LegKey, content_type: &str, body: &[u8], now: Instant, out: &mut Outputs) {
        self.with_leg(leg, now, out, |leg, tools| leg.info(content_type, body, tools));
    }

    /// Asks a peer whether it is there; [`Output::Pong`] tells.
    pub fn options(&mut self, peer: impl Into<Hop>, now: Instant, out: &mut Outputs) {
        let peer = peer.into();
        let mut tools = self.tools(now, out);
        let (branch, call_id, tag) = (tools.branch(), tools.word(), tools.word());
        let bytes = letter::ping(peer, (&branch, &call_id, &tag), tools.settings);
        tools.request((&branch, "OPTIONS"), bytes, peer, Owner::Ping { sent: now });
    }

    /// Registers us with a trunk and keeps us registered until [`unregister`](Self::unregister);
    /// [`Output::Registration`] tells how it goes. A key that is in use begins anew with what it is given.
    pub fn register(&mut self, key: RegistrationKey, register: Register, now: Instant, out: &mut Outputs) {
        let before = self.registrations.remove(&key).map_or(0, |before| before.cseq());
        if self.registrations.len() >= REGISTRATIONS_MAX {
            let failed =
                RegistrationState::Failed { status: Some(503), retry_in: None, bound_for: Duration::ZERO };
            return out.push(Output::Registration { key, state: failed });
        }
        let registration = Registration::begin((key, before), register, &mut self.tools(now, out));
        self.registrations.insert(key, Box::new(registration));
    }

    /// Takes a registration back. Its last state is [`RegistrationState::Gone`].
    pub fn unregister(&mut self, key: RegistrationKey, now: Instant, out: &mut Outputs) {
        self.with_registration(key, now, out, |registration, tools| registration.leave(tools));
    }

    /// What to remember of a leg so that another process can release it. `None`: nothing is left to release.
    #[must_use]
    pub fn saved(&self, leg: LegKey) -> Option<Saved> {
        self.legs.get(&leg)?.saved()
    }

    /// Releases a leg that another process left: CANCEL, ACK and BYE, or BYE. Its one event is the final one.
    pub fn adopt(&mut self, leg: LegKey, adopted: Adopted, now: Instant, out: &mut Outputs) {
        let Adopted { saved, credentials, reason } = adopted;
        let adopted = Leg::adopt(leg, &saved, credentials, reason.as_ref(), &mut self.tools(now, out));
        self.keep(adopted);
    }

    fn tools<'a>(&'a mut self, now: Instant, out: &'a mut Outputs) -> Tools<'a> {
        Tools {
            settings: &self.settings,
            keys: self.keys,
            clients: &mut self.clients,
            servers: &mut self.servers,
            agenda: &mut self.agenda,
            rng: &mut self.rng,
            now,
            out,
        }
    }

    /// Lets a leg take a step and forgets it when that was its last.
    fn with_leg(
        &mut self,
        key: LegKey,
        now: Instant,
        out: &mut Outputs,
        step: impl FnOnce(&mut Leg, &mut Tools<'_>),
    ) {
        let Some(leg) = self.legs.get_mut(&key) else { return };
        let mut tools = Tools {
            settings: &self.settings,
            keys: self.keys,
            clients: &mut self.clients,
            servers: &mut self.servers,
            agenda: &mut self.agenda,
            rng: &mut self.rng,
            now,
            out,
        };
        step(leg, &mut tools);
        if leg.is_gone() {
            self.forget(key);
        }
    }

    /// Lets a registration take a step and forgets it when that was its last.
    fn with_registration(
        &mut self,
        key: RegistrationKey,
        now: Instant,
        out: &mut Outputs,
        step: impl FnOnce(&mut Registration, &mut Tools<'_>),
    ) {
        let Some(mut registration) = self.registrations.remove(&key) else { return };
        step(&mut registration, &mut self.tools(now, out));
        if !registration.is_gone() {
            self.registrations.insert(key, registration);
        }
    }

    fn keep(&mut self, leg: Leg) {
        if leg.is_gone() {
            return;
        }
        let (call_id, tag) = leg.identity();
        self.by_dialog.insert(self.keys.leg(call_id.as_bytes(), tag.as_bytes()), leg.key);
        self.legs.insert(leg.key, Box::new(leg));
    }

    fn forget(&mut self, key: LegKey) {
        let Some(leg) = self.legs.remove(&key) else { return };
        let (call_id, tag) = leg.identity();
        self.by_dialog.remove(&self.keys.leg(call_id.as_bytes(), tag.as_bytes()));
        if key.0 >= LegKey::INCOMING {
            self.by_origin.remove(&self.keys.origin(call_id.as_bytes(), leg.first_remote_tag().as_bytes()));
        }
    }

    /// Whether the sender is no peer but an address that the dialog of its request named: a gateway behind a proxy.
    fn is_named_by_a_leg(&self, from: Hop, message: &Result<Message<'_>, Fault>) -> bool {
        let Ok(request) = message else { return false };
        let leg =
            request.to().tag().and_then(|tag| self.by_dialog.get(&self.keys.leg(request.call_id(), tag)));
        let leg = leg.and_then(|leg| self.legs.get(leg));
        leg.is_some_and(|leg| leg.names(from.address.ip(), request.from().tag().unwrap_or_default()))
    }

    fn on_response(
        &mut self,
        from: Hop,
        status: u16,
        response: &Message<'_>,
        now: Instant,
        out: &mut Outputs,
    ) {
        let branch = response.via().branch().unwrap_or_default();
        let key = self.keys.client(branch, response.cseq_value().token);
        let to = heard::to_line(response);
        let heard = (from, Class::of(status), &*to);
        match self.clients.on_response(key, heard, now, &self.settings.pace, &mut self.agenda, out) {
            Ok(news) => self.pass_on(news, Some(response), now, out),
            Err(Stray) => self.ignored.strays += 1,
        }
    }

    /// Tells the owner of a client transaction.
    fn pass_on(
        &mut self,
        news: Option<News<Owner>>,
        response: Option<&Message<'_>>,
        now: Instant,
        out: &mut Outputs,
    ) {
        let Some(news) = news else { return };
        match news.owner {
            Owner::Leg { leg, .. } => {
                self.with_leg(leg, now, out, |leg, tools| leg.on_news(news, response, tools));
            }
            Owner::Ping { sent } => {
                if matches!(news.what, What::Response | What::TimedOut) {
                    let status = response.and_then(Message::status);
                    let round_trip = status.map(|_| now.since(sent));
                    let retry_after = response.and_then(Message::retry_after);
                    let seen_as = response.and_then(|response| response.via().seen_as());
                    let date = response.and_then(Message::date);
                    out.push(Output::Pong { peer: news.to, status, round_trip, retry_after, seen_as, date });
                }
            }
            Owner::Registration { key, .. } => {
                self.with_registration(key, now, out, |own, tools| own.on_news(&news, response, tools));
            }
        }
    }

    fn on_request(
        &mut self,
        (from, datagram): (Hop, &[u8]),
        method: Method,
        request: &Message<'_>,
        now: Instant,
        out: &mut Outputs,
    ) {
        let key = self.server_key(request, method.as_str().as_bytes());
        match method {
            Method::Ack => self.on_ack(request, now, out),
            _ if self.servers.on_repeat(key, out) => {}
            _ if self.servers.is_full() => {
                let overloaded = |settings: &Settings| letter::overloaded(request, from, settings);
                self.answer_in_passing(from, now, out, overloaded);
            }
            Method::Cancel if self.servers.contains(self.server_key(request, b"INVITE")) => {
                self.on_cancel((from, datagram, key), request, now, out);
            }
            _ => {
                let whole = (from, datagram, key);
                match self.leg_of(request) {
                    Some(leg) => self.on_request_in_dialog(whole, (leg, method), request, now, out),
                    None => self.on_request_outside(whole, method, request, now, out),
                }
            }
        }
    }

    /// The leg that a request is about.
    fn leg_of(&self, request: &Message<'_>) -> Option<LegKey> {
        self.by_dialog.get(&self.keys.leg(request.call_id(), request.to().tag()?)).copied()
    }

    fn on_request_in_dialog(
        &mut self,
        (from, datagram, key): (Hop, &[u8], u64),
        (leg, method): (LegKey, Method),
        request: &Message<'_>,
        now: Instant,
        out: &mut Outputs,
    ) {
        let reply_to = heard::reply_to(request, from);
        match method {
            Method::Invite => self.servers.open_invite(key, datagram, from, reply_to),
            _ => self.servers.open_plain(key, datagram, from, reply_to),
        }
        self.servers.give_to(key, leg.0);
        self.with_leg(leg, now, out, |leg, tools| leg.on_request(key, request, tools));
    }

    /// A request that is about none of our legs. Only a call that comes in, where we take such, is worth a transaction: all
    /// else is answered in passing, so that nobody can fill our tables with it.
    fn on_request_outside(
        &mut self,
        (from, datagram, key): (Hop, &[u8], u64),
        method: Method,
        request: &Message<'_>,
        now: Instant,
        out: &mut Outputs,
    ) {
        let refuse = |status, headers: &[(&str, &str)], settings: &Settings| {
            letter::in_passing(request, from, status, headers, settings)
        };
        if request.to().tag().is_some() || method == Method::Cancel {
            return self.answer_in_passing(from, now, out, |settings| refuse(481, &[], settings));
        }
        if let Some(unknown) = heard::unknown_extensions(request) {
            let headers = [("Unsupported", unknown.as_str())];
            return self.answer_in_passing(from, now, out, |settings| refuse(420, &headers, settings));
        }
        let secure = request.request_uri().is_some_and(|uri| uri.scheme() == Scheme::Sips);
        if secure && self.settings.sips == Sips::TlsOnly && from.transport != Transport::Tls {
            return self.answer_in_passing(from, now, out, |settings| refuse(416, &[], settings));
        }
        match method {
            Method::Invite if self.settings.accept_calls => {
                self.servers.open_invite(key, datagram, from, heard::reply_to(request, from));
                self.on_invite((from, datagram, key), request, now, out);
            }
            Method::Invite => self.answer_in_passing(from, now, out, |settings| refuse(403, &[], settings)),
            Method::Options => {
                self.answer_in_passing(from, now, out, |settings| {
                    letter::describe_us_in_passing(request, from, settings)
                });
            }
            Method::Bye | Method::Info | Method::Update | Method::Prack | Method::Notify => {
                self.answer_in_passing(from, now, out, |settings| refuse(481, &[], settings));
            }
            _ => {
                let headers = [("Allow", letter::ALLOW)];
                self.answer_in_passing(from, now, out, |settings| refuse(405, &headers, settings));
            }
        }
    }

    /// Answers without remembering it, unless the source has had too many such answers in this second.
    fn answer_in_passing(
        &mut self,
        from: Hop,
        now: Instant,
        out: &mut Outputs,
        answer: impl FnOnce(&Settings) -> Output,
    ) {
        if self.passing.gets_one(self.keys.source(from.address.ip()), now) {
            out.push(answer(&self.settings));
        } else {
            self.ignored.floods += 1;
        }
    }

    fn on_invite(
        &mut self,
        (from, datagram, key): (Hop, &[u8], u64),
        invite: &Message<'_>,
        now: Instant,
        out: &mut Outputs,
    ) {
        let origin = self.keys.origin(invite.call_id(), invite.from().tag().unwrap_or_default());
        if self.by_origin.contains_key(&origin) {
            // The same call by another way (RFC 3261 8.2.2.2).
            return self.tools(now, out).refuse(key, 482, None, &[]);
        }
        if let Some(status) = invite.check().err().and_then(Fault::status) {
            return self.tools(now, out).refuse(key, status, None, &[]);
        }
        if let Some(least) = session::too_short(invite, &self.settings) {
            return self.tools(now, out).refuse(key, 422, None, &[("Min-SE", &least)]);
        }
        if self.legs.len() >= LEGS_MAX {
            return self.tools(now, out).refuse(key, 503, None, &[("Retry-After", letter::OVERLOAD_SECS)]);
        }
        let leg = LegKey(self.next_incoming);
        self.next_incoming += 1;
        self.servers.give_to(key, leg.0);
        let invited = Leg::invited(leg, (key, from), invite, datagram, &mut self.tools(now, out));
        self.by_origin.insert(origin, leg);
        self.keep(invited);
    }

    fn on_ack(&mut self, ack: &Message<'_>, now: Instant, out: &mut Outputs) {
        let key = self.server_key(ack, b"INVITE");
        if self.servers.on_ack(key, now, &self.settings.pace, &mut self.agenda) == Acked::Absorbed {
            return;
        }
        let leg =
            ack.to().tag().and_then(|tag| self.by_dialog.get(&self.keys.leg(ack.call_id(), tag)).copied());
        if let Some(leg) = leg {
            self.with_leg(leg, now, out, |leg, tools| leg.on_ack(ack, tools));
        }
    }

    fn on_cancel(
        &mut self,
        (from, datagram, key): (Hop, &[u8], u64),
        cancel: &Message<'_>,
        now: Instant,
        out: &mut Outputs,
    ) {
        self.servers.open_plain(key, datagram, from, heard::reply_to(cancel, from));
        let invite = self.server_key(cancel, b"INVITE");
        self.tools(now, out).respond(key, 200, None, &letter::Extra::NONE);
        if let Some(leg) = self.servers.leg(invite) {
            self.with_leg(LegKey(leg), now, out, |leg, tools| leg.on_cancel(invite, cancel, tools));
        }
    }

    fn on_unreadable(
        &mut self,
        (from, datagram): (Hop, &[u8]),
        fault: Fault,
        now: Instant,
        out: &mut Outputs,
    ) {
        self.ignored.unreadable += 1;
        if let Some(bytes) = letter::refusal(datagram, fault) {
            self.answer_in_passing(from, now, out, |_| Output::send(from, bytes.into()));
        }
    }

    /// The server transaction of a request. A peer of RFC 2543 makes no unique branch, so more of its request counts
    /// (RFC 3261 17.2.3).
    fn server_key(&self, request: &Message<'_>, method: &[u8]) -> u64 {
        let via = request.via();
        let method = if method.is_empty() { request.cseq_value().token } else { method };
        match via.branch() {
            Some(branch) if branch.starts_with(COOKIE) => self.keys.server(branch, via.sent_by(), method),
            _ => self.keys.server(
                &[request.call_id(), request.from().tag().unwrap_or_default(), &request.cseq().to_be_bytes()]
                    .concat(),
                via.sent_by(),
                method,
            ),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?}, {:?})", self.load(), self.ignored)
    }
}

/// A provisional response to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Ring {
    /// 101 to 199: 180 rings, 183 brings early media.
    pub status: u16,
    /// A session description.
    pub sdp: Option<Vec<u8>>,
    /// Whether it should be acknowledged by PRACK.
    pub reliably: bool,
}

/// A leg of a former life that is to be released.
pub struct Adopted {
    /// What was remembered of it.
    pub saved: Saved,
    /// What to answer a challenge with.
    pub credentials: Option<Credentials>,
    /// Why it is released.
    pub reason: Option<Reason>,
}

/// What a response begins with.
const RESPONSE: &[u8] = b"SIP/";

/// What a branch of RFC 3261 begins with (8.1.1.7).
const COOKIE: &[u8] = b"z9hG4bK";

/// Legs per endpoint: as many as talk, and those of all calls that ended lately, which stay for a 200 that comes again.
const LEGS_MAX: usize = 2 * (TALKING_MAX + LINGERS_SECS * CALLS_A_SECOND);

/// Calls that talk: a minute each at three hundred a second make 18,000.
const TALKING_MAX: usize = 50_000;

/// Registrations per endpoint: one for each trunk, and some trunks want one for each number.
const REGISTRATIONS_MAX: usize = 10_000;
