//! Changing the session of a call: re-INVITE (RFC 3261 14) and UPDATE (RFC 3311), offered by us or by the peer.

use super::tools::Tools;
use super::{Errand, Leg, Offered, Stage, fork, heard, letter};
use crate::event::Event;
use crate::message::{Message, Method};
use crate::transaction::Class;
use crate::transaction::clients::What;

impl Leg {
    /// Offers a new session by re-INVITE. Refused at once with 491 while another offer is open.
    pub(crate) fn offer(&mut self, sdp: &[u8], tools: &mut Tools<'_>) {
        let Stage::Talking { dialog } = self.stage else { return };
        if self.offering.is_some() || self.offered.is_some() || self.unacknowledged.is_some() {
            return self.tell(Event::OfferRefused { status: 491 }, tools);
        }
        self.offering = Some(sdp.into());
        let headers = [
            ("Contact", &*self.names.contact.clone()),
            ("Allow", letter::ALLOW),
            ("Supported", letter::SUPPORTED),
        ];
        self.request(
            dialog,
            Errand::Reinvite,
            &letter::Extra { headers: &headers, body: Some(letter::of_sdp(sdp)) },
            tools,
        );
    }

    /// Sends UPDATE, with an offer or only as a sign of life.
    pub(crate) fn update(&mut self, sdp: Option<&[u8]>, tools: &mut Tools<'_>) {
        let dialog = match self.stage {
            Stage::Talking { dialog } => dialog,
            Stage::Ringing => 0,
            _ => return,
        };
        if sdp.is_some() && (self.offering.is_some() || self.offered.is_some()) {
            return self.tell(Event::OfferRefused { status: 491 }, tools);
        }
        if let Some(sdp) = sdp {
            self.offering = Some(sdp.into());
        }
        let headers = [("Contact", &*self.names.contact.clone())];
        let extra = letter::Extra { headers: &headers, body: sdp.map(letter::of_sdp) };
        self.request(dialog, Errand::Update { offer: sdp.is_some() }, &extra, tools);
    }

    /// Answers the offer of the peer. Nothing happens when there is none.
    pub(crate) fn answer_offer(&mut self, sdp: &[u8], tools: &mut Tools<'_>) {
        let Some(offered) = self.offered.take() else { return };
        let Some((request, _)) = tools.servers.unanswered(offered.key) else { return };
        let Ok(request) = Message::parse(request) else { return };
        self.dialogs[offered.dialog].refresh(&request);
        let (method, cseq) = (request.method(), request.cseq());
        if method == Method::Invite {
            self.accept_invite(offered.key, (cseq, false), sdp, tools);
        } else {
            self.our_sdp = sdp.into();
            self.accept(offered.key, Some(sdp), tools);
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
        if self.offering.is_some() || self.unacknowledged.is_some() {
            return tools.refuse(key, 491, None, &[]);
        }
        let Some(sdp) = heard::sdp(invite) else {
            // Without an offer it asks for ours: the session as it is.
            self.dialogs[dialog].refresh(invite);
            let sdp = self.our_sdp.clone();
            return self.accept_invite(key, (invite.cseq(), true), &sdp, tools);
        };
        tools.respond(key, 100, None, &letter::Extra::NONE);
        self.offered = Some(Offered { key, dialog });
        self.tell(Event::Offer { fork: fork(dialog), sdp }, tools);
    }

    /// An UPDATE has come (RFC 3311 5.2).
    pub(super) fn on_update(&mut self, key: u64, dialog: usize, update: &Message<'_>, tools: &mut Tools<'_>) {
        if matches!(self.stage, Stage::Cancelling { .. } | Stage::Releasing { .. } | Stage::Over) {
            return tools.refuse(key, 481, None, &[]);
        }
        let Some(sdp) = heard::sdp(update) else {
            self.dialogs[dialog].refresh(update);
            return self.accept(key, None, tools);
        };
        if self.offered.is_some() || self.owes_answer() {
            return tools.refuse(key, 500, None, &[("Retry-After", RETRY_SECS)]);
        }
        if self.offering.is_some() || !self.dialogs[dialog].has_sdp {
            return tools.refuse(key, 491, None, &[]);
        }
        self.offered = Some(Offered { key, dialog });
        self.tell(Event::Offer { fork: fork(dialog), sdp }, tools);
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
                Class::Failure => self.on_offer_refused(response.status().unwrap_or_default(), tools),
            },
            (What::TimedOut | What::RangOut, _) => {
                self.on_offer_refused(408, tools);
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
        self.on_offer_answered(heard::sdp(response), tools);
    }

    pub(super) fn on_update_answered(
        &mut self,
        status: u16,
        offer: bool,
        response: Option<&Message<'_>>,
        tools: &mut Tools<'_>,
    ) {
        match (Class::of(status), response) {
            (Class::Success, Some(response)) if offer => self.on_offer_answered(heard::sdp(response), tools),
            (Class::Failure, _) if offer => self.on_offer_refused(status, tools),
            _ => {}
        }
    }

    fn on_offer_answered(&mut self, sdp: Option<Vec<u8>>, tools: &mut Tools<'_>) {
        let ours = self.offering.take();
        let event = match sdp {
            Some(sdp) => {
                self.our_sdp = ours.unwrap_or_default();
                Event::OfferAnswered { sdp }
            }
            None => Event::OfferRefused { status: 488 },
        };
        self.tell(event, tools);
    }

    fn on_offer_refused(&mut self, status: u16, tools: &mut Tools<'_>) {
        self.offering = None;
        self.tell(Event::OfferRefused { status }, tools);
    }
}

/// RFC 3311 5.2 asks for a value between 0 and 10 chosen at random; a trunk has two sides, so one is as good.
const RETRY_SECS: &str = "1";
