//! Changing the session of a call: re-INVITE (RFC 3261 14) and UPDATE (RFC 3311), offered by us or by the peer.
//!
//! ```text
//! no offer ─we offer─▶ Sent ─2xx─▶ answered
//!             ▲         ├─491, or 500 with Retry-After─▶ Postponed ─back-off─▶ Sent
//!             │         └─any other failure─▶ refused       └─the peer offers─▶ refused with 491
//!             └─the peer offers─▶ Offered ─we answer or refuse─▶ no offer
//! ```

use std::time::Duration;

use rand::Rng;
use smallvec::SmallVec;

use super::tools::Tools;
use super::{Errand, Leg, Offered, Stage, fork, heard, letter, session};
use crate::early::EarlyMedia;
use crate::event::Event;
use crate::message::{Message, Method};
use crate::timer::Timer;
use crate::transaction::Class;
use crate::transaction::clients::What;

/// An offer of ours that has no answer.
pub(super) struct Offering {
    sdp: Box<[u8]>,
    way: Way,
    purpose: Purpose,
    progress: Progress,
    /// How often it was postponed.
    postponed: u8,
}

/// The request that carries an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Reinvite,
    Update,
}

/// Who wants to know what becomes of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The owner: it changes the session.
    Change,
    /// Nobody: it offers the session as it is, to keep it alive.
    Refresh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Sent,
    Postponed,
}

impl Offering {
    pub(super) const fn new(sdp: Box<[u8]>, way: Way, purpose: Purpose) -> Self {
        Self { sdp, way, purpose, progress: Progress::Sent, postponed: 0 }
    }
}

impl Leg {
    /// Offers a new session by re-INVITE. Refused at once with 491 while another offer is open.
    pub(crate) fn offer(&mut self, sdp: &[u8], tools: &mut Tools<'_>) {
        let Stage::Talking { dialog } = self.stage else { return };
        if self.offering.is_some() || self.is_session_busy() {
            return self.tell(Event::OfferRefused { status: 491 }, tools);
        }
        self.send_offer(dialog, Offering::new(sdp.into(), Way::Reinvite, Purpose::Change), tools);
    }

    /// Sends UPDATE, with an offer or only as a sign of life.
    pub(crate) fn update(&mut self, sdp: Option<&[u8]>, tools: &mut Tools<'_>) {
        let dialog = match self.stage {
            Stage::Talking { dialog } => dialog,
            Stage::Ringing => 0,
            _ => return,
        };
        let Some(sdp) = sdp else {
            return self.send_update(dialog, Errand::Update { offer: false }, None, tools);
        };
        if self.offering.is_some() || self.offered.is_some() {
            return self.tell(Event::OfferRefused { status: 491 }, tools);
        }
        self.send_offer(dialog, Offering::new(sdp.into(), Way::Update, Purpose::Change), tools);
    }

    /// Whether an exchange is under way that a re-INVITE of ours must not meet.
    pub(super) fn is_session_busy(&self) -> bool {
        self.is_offering() || self.offered.is_some() || self.unacknowledged.is_some()
    }

    /// Whether an offer of ours is on its way.
    fn is_offering(&self) -> bool {
        self.offering.as_ref().is_some_and(|offering| offering.progress == Progress::Sent)
    }

    /// Sends an offer and remembers it.
    pub(super) fn send_offer(&mut self, dialog: usize, mut offering: Offering, tools: &mut Tools<'_>) {
        offering.progress = Progress::Sent;
        match offering.way {
            Way::Update => {
                self.send_update(dialog, Errand::Update { offer: true }, Some(&offering.sdp), tools);
            }
            Way::Reinvite => {
                let (contact, wish) = (self.names.contact.clone(), self.session_wish());
                let mut headers: Headers<'_> =
                    [("Contact", &*contact), ("Allow", letter::ALLOW)].into_iter().collect();
                headers.push(("Supported", letter::SUPPORTED));
                headers.extend(wish.headers());
                let extra = letter::Extra { headers: &headers, body: Some(letter::of_sdp(&offering.sdp)) };
                self.request(dialog, Errand::Reinvite, &extra, tools);
            }
        }
        self.offering = Some(Box::new(offering));
    }

    pub(super) fn send_update(
        &mut self,
        dialog: usize,
        errand: Errand,
        sdp: Option<&[u8]>,
        tools: &mut Tools<'_>,
    ) {
        let (contact, wish) = (self.names.contact.clone(), self.session_wish());
        let mut headers: Headers<'_> =
            [("Contact", &*contact), ("Supported", letter::TIMER)].into_iter().collect();
        headers.extend(wish.headers());
        let extra = letter::Extra { headers: &headers, body: sdp.map(letter::of_sdp) };
        self.request(dialog, errand, &extra, tools);
    }

    /// Answers the offer of the peer, or gives the offer that it asked for. Nothing happens when there is neither.
    pub(crate) fn answer_offer(&mut self, sdp: &[u8], tools: &mut Tools<'_>) {
        let Some(offered) = self.offered.take() else { return };
        let Some((request, _)) = tools.servers.unanswered(offered.key) else { return };
        let Ok(request) = Message::parse(request) else { return };
        self.dialogs[offered.dialog].refresh(&request);
        let (method, cseq) = (request.method(), request.cseq());
        if method == Method::Invite {
            self.accept_invite(offered.key, (cseq, offered.wants_ours), sdp, tools);
        } else {
            self.our_sdp = sdp.into();
            self.accept_update(offered.key, Some(sdp), tools);
        }
    }

    /// Refuses the offer of the peer; the session goes on as it was.
    pub(crate) fn refuse_offer(&mut self, status: u16, tools: &mut Tools<'_>) {
        if let Some(offered) = self.offered.take() {
            tools.refuse(offered.key, status, Some(&self.names.local_tag), &[]);
        }
    }

    /// A re-INVITE has come.
    pub(super) fn on_reinvite(
        &mut self,
        key: u64,
        dialog: usize,
        invite: &Message<'_>,
        tools: &mut Tools<'_>,
    ) {
        match self.stage {
            Stage::Talking { dialog: ours } if ours == dialog => {}
            // An INVITE of ours, or our 2xx, is still under way.
            Stage::Talking { .. } | Stage::Calling | Stage::Ringing | Stage::Answering { .. } => {
                return tools.refuse(key, 491, None, &[]);
            }
            Stage::Cancelling { .. } | Stage::Releasing { .. } | Stage::Over => {
                return tools.refuse(key, 481, None, &[]);
            }
        }
        if self.offered.is_some() {
            return tools.refuse(key, 500, None, &[("Retry-After", RETRY_SECS)]);
        }
        if self.is_offering() || self.unacknowledged.is_some() {
            return tools.refuse(key, 491, None, &[]);
        }
        if let Some(least) = session::too_short(invite, tools.settings) {
            return tools.refuse(key, 422, None, &[("Min-SE", &least)]);
        }
        self.give_way(tools);
        tools.respond(key, 100, None, &letter::Extra::NONE);
        let sdp = heard::sdp(invite);
        self.offered = Some(Offered { key, dialog, wants_ours: sdp.is_none() });
        let fork = fork(dialog);
        self.tell(sdp.map_or(Event::OfferWanted { fork }, |sdp| Event::Offer { fork, sdp }), tools);
    }

    /// An UPDATE has come (RFC 3311 5.2).
    pub(super) fn on_update(&mut self, key: u64, dialog: usize, update: &Message<'_>, tools: &mut Tools<'_>) {
        if matches!(self.stage, Stage::Cancelling { .. } | Stage::Releasing { .. } | Stage::Over) {
            return tools.refuse(key, 481, None, &[]);
        }
        if let Some(least) = session::too_short(update, tools.settings) {
            return tools.refuse(key, 422, None, &[("Min-SE", &least)]);
        }
        if let (Stage::Calling, Some(allowed)) = (&self.stage, EarlyMedia::of(update)) {
            self.tell(Event::EarlyMedia { fork: fork(dialog), allowed }, tools);
        }
        let Some(sdp) = heard::sdp(update) else {
            self.dialogs[dialog].refresh(update);
            return self.accept_update(key, None, tools);
        };
        if self.offered.is_some() || self.owes_answer() {
            return tools.refuse(key, 500, None, &[("Retry-After", RETRY_SECS)]);
        }
        if self.is_offering() || !self.dialogs[dialog].has_sdp {
            return tools.refuse(key, 491, None, &[]);
        }
        self.give_way(tools);
        self.offered = Some(Offered { key, dialog, wants_ours: false });
        self.tell(Event::Offer { fork: fork(dialog), sdp }, tools);
    }

    /// Answers an UPDATE with 200. In an answered call it has refreshed the session.
    fn accept_update(&mut self, key: u64, sdp: Option<&[u8]>, tools: &mut Tools<'_>) {
        if !matches!(self.stage, Stage::Talking { .. }) {
            return self.accept(key, sdp, tools);
        }
        let terms = self.session_terms(key, tools);
        let expires = terms.map(session::Terms::answer);
        let mut headers: Headers<'_> =
            [("Contact", &*self.names.contact), ("Allow", letter::ALLOW)].into_iter().collect();
        headers.extend(expires.as_deref().map(|value| ("Session-Expires", value)));
        headers.extend(terms.filter(|terms| terms.requires()).map(|_| ("Require", letter::TIMER)));
        let extra = letter::Extra { headers: &headers, body: sdp.map(letter::of_sdp) };
        tools.respond(key, 200, Some(&self.names.local_tag), &extra);
        drop(headers);
        self.run_session(terms, tools);
    }

    /// Whether the offer of the peer's INVITE has had no answer.
    fn owes_answer(&self) -> bool {
        matches!(self.stage, Stage::Ringing) && self.our_sdp.is_empty()
    }

    pub(super) fn on_reinvite_news(
        &mut self,
        dialog: usize,
        what: What,
        response: Option<&Message<'_>>,
        tools: &mut Tools<'_>,
    ) {
        match (what, response) {
            (What::Response, Some(response)) => match Class::of(response.status().unwrap_or_default()) {
                Class::Trying | Class::Provisional => {}
                Class::Success => self.on_reinvite_accepted(dialog, response, tools),
                Class::Failure => self.on_offer_refused(dialog, Some(response), tools),
            },
            (What::TimedOut | What::RangOut, _) => {
                self.on_offer_refused(dialog, None, tools);
                self.hang_up(None, tools);
            }
            (What::Closed, _) => self.dialogs[dialog].ack = None,
            (What::Response, None) => {}
        }
    }

    fn on_reinvite_accepted(&mut self, dialog: usize, response: &Message<'_>, tools: &mut Tools<'_>) {
        if self.acknowledge_again(dialog, response, tools) {
            return;
        }
        self.dialogs[dialog].refresh(response);
        self.acknowledge(dialog, response, tools);
        self.on_refreshed(response, tools);
        self.on_offer_answered(dialog, heard::sdp(response), tools);
    }

    pub(super) fn on_update_answered(
        &mut self,
        dialog: usize,
        (status, offer): (u16, bool),
        response: Option<&Message<'_>>,
        tools: &mut Tools<'_>,
    ) {
        match (Class::of(status), response) {
            (Class::Success, Some(response)) => {
                self.on_refreshed(response, tools);
                if offer {
                    self.on_offer_answered(dialog, heard::sdp(response), tools);
                }
            }
            (Class::Failure, _) if offer => self.on_offer_refused(dialog, response, tools),
            (Class::Failure, _) => self.on_refresh_refused(dialog, response, tools),
            _ => {}
        }
    }

    /// A 2xx to a re-INVITE or UPDATE of ours.
    fn on_refreshed(&mut self, response: &Message<'_>, tools: &mut Tools<'_>) {
        if matches!(self.stage, Stage::Talking { .. }) {
            self.on_session_answer(response, tools);
        }
    }

    fn on_offer_answered(&mut self, dialog: usize, sdp: Option<Vec<u8>>, tools: &mut Tools<'_>) {
        let Some(ours) = self.offering.take() else { return };
        let event = match (sdp, ours.purpose) {
            (Some(sdp), _) => {
                self.our_sdp = ours.sdp;
                Event::OfferAnswered { fork: fork(dialog), sdp }
            }
            (None, Purpose::Change) => Event::OfferRefused { status: 488 },
            (None, Purpose::Refresh) => return,
        };
        self.tell(event, tools);
    }

    /// A failure, or nothing at all, came to our offer. After a glare it goes again by itself.
    fn on_offer_refused(&mut self, dialog: usize, response: Option<&Message<'_>>, tools: &mut Tools<'_>) {
        let Some(mut offering) = self.offering.take() else { return };
        let status = response.and_then(Message::status).unwrap_or(408);
        let wait = response.and_then(|response| self.back_off(response, tools));
        if let (Some(wait), true) = (wait, offering.postponed < POSTPONED_MAX) {
            offering.postponed += 1;
            offering.progress = Progress::Postponed;
            self.offering = Some(offering);
            self.timers.set(Timer::OfferAgain, tools.now + wait);
            return self.book(tools);
        }
        match offering.purpose {
            Purpose::Change => self.tell(Event::OfferRefused { status }, tools),
            Purpose::Refresh => self.on_refresh_refused(dialog, response, tools),
        }
    }

    /// How long an offer waits that met another one: whoever owns the Call-ID the longer (RFC 3261 14.1).
    fn back_off(&self, response: &Message<'_>, tools: &mut Tools<'_>) -> Option<Duration> {
        const STEP_MILLIS: u64 = 10;
        let told = response.retry_after().map(u64::from).filter(|&secs| secs <= RETRY_AFTER_MAX);
        match (response.status()?, told) {
            (491, _) => {
                let steps = if self.outgoing.is_some() { 210..=400 } else { 0..=200 };
                Some(Duration::from_millis(tools.rng.random_range(steps) * STEP_MILLIS))
            }
            (500, Some(secs)) => Some(Duration::from_secs(secs)),
            _ => None,
        }
    }

    /// The back-off of a postponed offer is over.
    pub(super) fn offer_again(&mut self, tools: &mut Tools<'_>) {
        let dialog = match self.stage {
            Stage::Talking { dialog } => dialog,
            Stage::Ringing => 0,
            _ => return,
        };
        if let Some(offering) = self.offering.take() {
            self.send_offer(dialog, *offering, tools);
        }
    }

    /// The peer offers while an offer of ours waits for its next try: theirs goes first, and ours is out of date.
    pub(super) fn give_way(&mut self, tools: &mut Tools<'_>) {
        let Some(offering) = self.offering.take_if(|offering| offering.progress == Progress::Postponed)
        else {
            return;
        };
        self.timers.stop(Timer::OfferAgain);
        match offering.purpose {
            Purpose::Change => self.tell(Event::OfferRefused { status: 491 }, tools),
            // The peer's offer refreshes the session too, if it comes to an end.
            Purpose::Refresh => self.refresh_later(tools.settings.pace.patience(), tools),
        }
    }
}

/// The headers of a request or answer that changes a session.
pub(super) type Headers<'a> = SmallVec<[(&'a str, &'a str); 6]>;

/// RFC 3311 5.2 asks for a value between 0 and 10 chosen at random; a trunk has two sides, so one is as good.
const RETRY_SECS: &str = "1";

/// The longest Retry-After that an offer waits for, in seconds: what RFC 3261 14.2 allows.
const RETRY_AFTER_MAX: u64 = 10;

/// How often one offer goes again. Two sides that keep to the back-off meet a second time once in a hundred.
const POSTPONED_MAX: u8 = 4;
