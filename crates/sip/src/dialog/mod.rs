//! The dialog layer: a leg is one call as one side sees it, from its INVITE to its last BYE (RFC 3261 12 to 15).
//!
//! ```text
//! we call      Calling ─2xx─▶ Talking ─we hang up─▶ Releasing ─BYE answered─▶ Over
//!                 │ └─we hang up─▶ Cancelling ─2xx: ACK, BYE─▶ Releasing       ▲
//!                 └─failure──────────┴─failure────────────────────────────────┤
//! we are called Ringing ─we answer─▶ Answering ─ACK─▶ Talking ─BYE comes──────┤
//!                 └─CANCEL, we reject───┴─BYE comes───────────────────────────┘
//! ```
//!
//! [`caller`] places calls and [`redirect`] follows them elsewhere, [`callee`] takes them, [`reliable`] does RFC 3262 for both, [`offer`] changes the session
//! of an answered call, [`session`] keeps it alive, [`in_dialog`] is everything else inside a dialog, [`info`] reads keys in INFO, [`adopt`] releases
//! what a former life left, [`letter`] writes the messages, [`heard`] reads them and [`route`] says where they go.
//!
//! A leg that is over stays in the table until its last client transaction is gone: a late 2xx of another fork must
//! still be acknowledged and released.

pub(crate) mod adopt;
pub(crate) mod callee;
pub(crate) mod caller;
pub(crate) mod heard;
pub(crate) mod in_dialog;
mod info;
pub(crate) mod letter;
pub(crate) mod offer;
pub(crate) mod proof;
mod redirect;
pub(crate) mod reliable;
pub(crate) mod route;
pub(crate) mod session;
pub(crate) mod tools;

use std::net::IpAddr;
use std::time::Duration;

use base::time::Instant;

use crate::event::{Datagram, Event, Fork, LegKey};
use crate::message::{Message, Method, Name};
use crate::reason::Reason;
use crate::registration::RegistrationKey;
use crate::timer::{TIMERS_PER_LEG, Timer, Timers, Who};
use crate::transport::Hop;
use route::RouteSet;
use tools::Tools;

/// One call as we see it.
pub(crate) struct Leg {
    pub(crate) key: LegKey,
    /// Who we are and whom we talk to, the same in every message of the leg.
    names: Names,
    /// Where requests go when the dialog names no address.
    peer: Hop,
    stage: Stage,
    /// One dialog per tag of the other side; only a forked call has several. None is ever removed, so that an index
    /// stays what it was.
    dialogs: Vec<Dialog>,
    timers: Timers<TIMERS_PER_LEG>,
    /// Client transactions of the leg that are open.
    open_clients: u32,
    prover: proof::Prover,
    /// The INVITE of a call that we placed.
    outgoing: Option<Box<Outgoing>>,
    /// What we still have to do as the callee of a call that is not acknowledged.
    incoming: Option<Box<Incoming>>,
    /// A 2xx of ours that waits for its ACK.
    unacknowledged: Option<Box<Unacknowledged>>,
    /// The offer of the peer that waits for our answer.
    offered: Option<Offered>,
    /// The offer of ours that waits for the peer's answer.
    offering: Option<Box<offer::Offering>>,
    session: session::Session,
    /// Our session description as last sent.
    our_sdp: Box<[u8]>,
}

/// What every message of a leg repeats.
pub(crate) struct Names {
    call_id: Box<str>,
    /// Our side as it stands in From or To, without the tag.
    local: Box<str>,
    local_tag: Box<str>,
    /// The other side as it stands in To or From, without a tag.
    remote: Box<str>,
    /// Our Contact, in angle brackets.
    contact: Box<str>,
    /// Request URI of the INVITE.
    request_uri: Box<str>,
}

/// Where a leg is in its life.
enum Stage {
    /// Our INVITE has no final response.
    Calling,
    /// We gave our INVITE up; its CANCEL waits for a provisional, or its final response is awaited.
    Cancelling { reason: Option<Reason>, sent: bool },
    /// The peer's INVITE has no final response.
    Ringing,
    /// We answered the peer's INVITE and its ACK has not come. `hang_up`: then a BYE.
    Answering { hang_up: Option<Option<Reason>> },
    /// Answered and acknowledged. The dialog is the index of the one that talks.
    Talking { dialog: usize },
    /// Our BYE waits for its answer.
    Releasing { dialog: usize },
    /// The final event was told.
    Over,
}

/// What a caller remembers of its INVITE.
struct Outgoing {
    /// Key of the INVITE's transaction.
    key: u64,
    branch: String,
    cseq: u32,
    /// The answer to a challenge that the INVITE carries; its ACK repeats it (RFC 3261 22.1).
    proof: Option<(&'static str, String)>,
    trying_told: bool,
    redirects: redirect::Redirects,
}

/// What a callee remembers of the INVITE that it has not answered.
struct Incoming {
    /// Key of the INVITE's transaction.
    key: u64,
    cseq: u32,
    had_offer: bool,
    reliable: reliable::Sender,
}

/// A 2xx of ours that is repeated until its ACK comes (RFC 3261 13.3.1.4).
struct Unacknowledged {
    bytes: Datagram,
    to: Hop,
    interval: Duration,
    cseq: u32,
    /// Whether the 2xx carries an offer, so that the ACK brings the answer.
    offers: bool,
}

/// An offer of the peer, by the key of the transaction that brought it.
#[derive(Clone, Copy)]
struct Offered {
    key: u64,
    dialog: usize,
    /// Whether it brought none and asks for ours.
    wants_ours: bool,
}

/// One dialog (RFC 3261 12): one branch of the call.
struct Dialog {
    /// Whether it ended with an INVITE that was challenged: its successor makes its own.
    past: bool,
    remote_tag: Box<str>,
    routes: RouteSet,
    /// The other side's Contact.
    target: Box<str>,
    /// Last CSeq number of ours.
    our_cseq: u32,
    /// Last CSeq number of the peer's.
    their_cseq: Option<u32>,
    /// Last RSeq that we acknowledged (RFC 3262 4).
    rseq: Option<u32>,
    /// Whether a session description of the peer came by it.
    has_sdp: bool,
    /// Whether the peer takes UPDATE, as its Allow said last.
    takes_update: bool,
    /// The ACK of its last 2xx and the CSeq number of that INVITE, for repetitions of the 2xx.
    ack: Option<(u32, Datagram, Hop)>,
}

/// Whose client transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A request of a leg.
    Leg { leg: LegKey, dialog: usize, errand: Errand, attempt: u8 },
    /// A ping of a peer, and when it was sent.
    Ping { sent: Instant },
    /// A REGISTER, by its CSeq number: the answer to an older one is no news.
    Registration { key: RegistrationKey, cseq: u32, attempt: u8 },
}

/// What a request of a leg is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    Invite,
    Reinvite,
    Cancel,
    Prack,
    Update { offer: bool },
    Info,
    Bye,
}

impl Errand {
    fn method(self) -> Method {
        match self {
            Self::Invite | Self::Reinvite => Method::Invite,
            Self::Cancel => Method::Cancel,
            Self::Prack => Method::Prack,
            Self::Update { .. } => Method::Update,
            Self::Info => Method::Info,
            Self::Bye => Method::Bye,
        }
    }
}

impl Leg {
    /// Whether the leg may be forgotten.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Over) && self.open_clients == 0
    }

    /// Whether its final event was told.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// What requests inside its dialogs are found by.
    pub(crate) fn identity(&self) -> (&str, &str) {
        (&self.names.call_id, &self.names.local_tag)
    }

    /// Whether the dialog with this tag of the other side goes to this address.
    pub(crate) fn names(&self, ip: IpAddr, remote_tag: &[u8]) -> bool {
        let Some(dialog) = self.dialog_of(remote_tag).map(|dialog| &self.dialogs[dialog]) else {
            return false;
        };
        let ways = [&*dialog.target, dialog.routes.path(&dialog.target).next];
        ways.into_iter()
            .filter_map(|uri| route::hop_of(uri, self.peer.transport, &[]))
            .any(|way| way.address.ip() == ip.to_canonical())
    }

    /// The other side's tag as its INVITE had it.
    pub(crate) fn first_remote_tag(&self) -> &str {
        self.dialogs.first().map_or("", |dialog| &dialog.remote_tag)
    }

    /// Ends the call, whatever that takes now: CANCEL, a refusal, ACK and BYE, or BYE. Again: nothing.
    pub(crate) fn hang_up(&mut self, reason: Option<Reason>, tools: &mut Tools<'_>) {
        match &mut self.stage {
            Stage::Calling => self.give_up(reason, tools),
            Stage::Ringing => self.reject(BUSY_FOR_NO_REASON, reason.as_ref(), tools),
            Stage::Answering { hang_up } => {
                // A callee must not send BYE before the ACK, or 64*T1 without it (RFC 3261 15).
                hang_up.get_or_insert(reason);
            }
            Stage::Talking { dialog } => {
                let dialog = *dialog;
                self.refuse_offer(487, tools);
                self.stop_session();
                self.bye(dialog, reason.as_ref(), tools);
                self.stage = Stage::Releasing { dialog };
            }
            Stage::Cancelling { .. } | Stage::Releasing { .. } | Stage::Over => {}
        }
    }

    /// The agenda's entry for this leg has come up.
    pub(crate) fn on_time(&mut self, at: Instant, tools: &mut Tools<'_>) {
        if !self.timers.wake(at) {
            return;
        }
        while let Some(timer) = self.timers.take_due(tools.now) {
            match timer {
                Timer::Answer => self.repeat_answer(tools),
                Timer::AnswerLost => self.on_answer_lost(tools),
                Timer::Reliable => self.repeat_reliable(tools),
                Timer::ReliableLost => self.on_reliable_lost(tools),
                Timer::Refresh => self.refresh_session(tools),
                Timer::Expiry => self.on_expiry(tools),
                Timer::OfferAgain => self.offer_again(tools),
                _ => debug_assert!(false, "timer {timer:?} belongs to a transaction"),
            }
        }
        self.book(tools);
    }

    fn book(&mut self, tools: &mut Tools<'_>) {
        self.timers.book_until(Some(tools.now + NAP_MAX), Who::Leg(self.key.0), tools.agenda);
    }

    /// Tells news. Nothing comes after the final event.
    fn tell(&self, event: Event, tools: &mut Tools<'_>) {
        if !self.is_over() {
            tools.tell(self.key, event);
        }
    }

    /// Tells the final event. The one road to [`Stage::Over`].
    fn end(&mut self, last: Event, tools: &mut Tools<'_>) {
        if self.is_over() {
            return;
        }
        self.refuse_offer(487, tools);
        self.stage = Stage::Over;
        self.timers.stop_all();
        self.incoming = None;
        self.unacknowledged = None;
        self.offering = None;
        self.our_sdp = Box::default();
        tools.tell(self.key, last);
    }

    /// The dialog with this tag of the other side.
    fn dialog_of(&self, remote_tag: &[u8]) -> Option<usize> {
        self.dialogs.iter().position(|dialog| !dialog.past && dialog.remote_tag.as_bytes() == remote_tag)
    }
}

impl Dialog {
    /// The dialog that a response to our INVITE makes; what it leaves open comes from the request (RFC 3261 12.1.2).
    fn of_response(response: &Message<'_>, names: &Names, cseq: u32) -> Self {
        let mut dialog = Self {
            past: false,
            remote_tag: tag_text(response.to().tag()),
            routes: RouteSet::default(),
            target: names.request_uri.clone(),
            our_cseq: cseq,
            their_cseq: None,
            rseq: None,
            has_sdp: false,
            takes_update: false,
            ack: None,
        };
        dialog.learn(response);
        dialog
    }

    /// Route set and target as a response to our INVITE gives them; the 2xx has the last word (RFC 3261 13.2.2.4).
    fn learn(&mut self, response: &Message<'_>) {
        self.routes = RouteSet::of_response(heard::record_routes(response));
        self.refresh(response);
    }

    /// The remote target moves to the Contact of the message, if it has one (RFC 3261 12.2).
    fn refresh(&mut self, message: &Message<'_>) {
        if message.header(Name::Allow).is_some() {
            self.takes_update = message.allow().has_token(Method::Update.as_str());
        }
        if let Some(contact) = heard::contact(message) {
            self.target = contact.into_boxed_str();
        }
    }
}

fn tag_text(tag: Option<&[u8]>) -> Box<str> {
    String::from_utf8_lossy(tag.unwrap_or_default()).into()
}

fn fork(dialog: usize) -> Fork {
    Fork(u8::try_from(dialog).unwrap_or(u8::MAX))
}

/// The SIP status that a BYE gives as its reason when the answer was no answer (RFC 3261 21.4.26).
const BYE_AFTER_FAULT: u16 = 488;

/// A leg that we give up before we answered it.
const BUSY_FOR_NO_REASON: u16 = 480;

/// Branches of one call: carriers fork to a handful of devices; more is an attack on our table.
const DIALOGS_MAX: usize = 16;

/// A leg sleeps no longer than this, however far its next deadline is: entries of legs that are gone stay on the agenda
/// until their time comes, and half an hour of them would be more than all legs together.
const NAP_MAX: Duration = Duration::from_secs(64);
