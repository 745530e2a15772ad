//! Taking a call: INVITE from a peer, provisionals, the answer and its ACK, CANCEL (RFC 3261 13.3, 9.2).

use super::offer::Headers;
use super::proof::Prover;
use super::route::RouteSet;
use super::session::{Session, Terms};
use super::tools::Tools;
use super::{Dialog, Incoming, Leg, Names, Stage, Unacknowledged, fork, heard, letter, reliable, tag_text};
use crate::event::{Event, Invited, LegKey};
use crate::message::{Message, text};
use crate::reason::Reason;
use crate::timer::{Timer, Timers};
use crate::transport::Hop;

impl Leg {
    /// A peer calls. The INVITE has its transaction already, under `transaction`.
    pub(crate) fn invited(
        key: LegKey,
        (transaction, peer): (u64, Hop),
        invite: &Message<'_>,
        datagram: &[u8],
        tools: &mut Tools<'_>,
    ) -> Self {
        let contact = letter::our_contact(peer, tools.settings);
        let remote_uri = heard::uri(invite.from());
        let offer = heard::sdp(invite);
        let supported = heard::supports_reliable(invite);
        let dialog = Dialog {
            past: false,
            remote_tag: tag_text(invite.from().tag()),
            routes: RouteSet::of_request(heard::record_routes(invite)),
            target: heard::contact(invite).unwrap_or_else(|| remote_uri.clone()).into(),
            our_cseq: 0,
            their_cseq: Some(invite.cseq()),
            rseq: None,
            has_sdp: offer.is_some(),
            takes_update: invite.allow().has_token("UPDATE"),
            ack: None,
        };
        let names = Names {
            call_id: text(invite.call_id()).into(),
            local: format!("<{}>", heard::uri(invite.to())).into(),
            local_tag: tools.word().into(),
            remote: format!("<{remote_uri}>").into(),
            contact: contact.into(),
            request_uri: heard::request_uri(invite).into(),
        };
        tools.respond(transaction, 100, None, &letter::Extra::NONE);
        let invited = Invited {
            peer,
            request_uri: names.request_uri.to_string(),
            from: remote_uri,
            to: heard::uri(invite.to()),
            call_id: names.call_id.to_string(),
            offer,
            reliable: supported,
            request: datagram.to_vec(),
        };
        let had_offer = invited.offer.is_some();
        tools.tell(key, Event::Invited(Box::new(invited)));
        Self {
            key,
            names,
            peer,
            stage: Stage::Ringing,
            dialogs: vec![dialog],
            timers: Timers::default(),
            open_clients: 0,
            prover: Prover::default(),
            outgoing: None,
            incoming: Some(Box::new(Incoming {
                key: transaction,
                cseq: invite.cseq(),
                had_offer,
                reliable: reliable::Sender::new(supported),
            })),
            unacknowledged: None,
            offered: None,
            offering: None,
            session: Session::default(),
            our_sdp: Box::default(),
        }
    }

    /// Sends a provisional.
    pub(crate) fn ring(&mut self, status: u16, sdp: Option<Vec<u8>>, reliably: bool, tools: &mut Tools<'_>) {
        let (Stage::Ringing, Some(incoming)) = (&self.stage, &self.incoming) else { return };
        if reliably && incoming.reliable.supported {
            return self.ring_reliably(status, sdp, tools);
        }
        let headers = [("Contact", &*self.names.contact), ("Allow", letter::ALLOW)];
        let extra = letter::Extra { headers: &headers, body: sdp.as_deref().map(letter::of_sdp) };
        tools.respond(incoming.key, status, Some(&self.names.local_tag), &extra);
        if let Some(sdp) = sdp {
            self.our_sdp = sdp.into();
        }
    }

    /// Sends the 200, now or when the PRACK that it must wait for has come.
    pub(crate) fn answer(&mut self, sdp: &[u8], tools: &mut Tools<'_>) {
        if !matches!(self.stage, Stage::Ringing) || self.hold_answer(sdp) {
            return;
        }
        self.give_way(tools);
        let Some(incoming) = self.incoming.take() else { return };
        self.timers.stop_all();
        self.stage = Stage::Answering { hang_up: None };
        self.accept_invite(incoming.key, (incoming.cseq, !incoming.had_offer), sdp, tools);
    }

    /// Refuses the call.
    pub(crate) fn reject(&mut self, status: u16, reason: Option<&Reason>, tools: &mut Tools<'_>) {
        let (Stage::Ringing, Some(incoming)) = (&self.stage, &self.incoming) else { return };
        let text = reason.map(Reason::to_string);
        let header = text.as_deref().map(|text| ("Reason", text));
        tools.refuse(incoming.key, status, Some(&self.names.local_tag), header.as_slice());
        self.end(Event::Failed { status, reason: None, retry_after: None, local: true }, tools);
    }

    /// The caller gave up; its CANCEL was answered. A re-INVITE can be cancelled too; then the call goes on.
    pub(crate) fn on_cancel(&mut self, invite: u64, cancel: &Message<'_>, tools: &mut Tools<'_>) {
        if self.offered.is_some_and(|offered| offered.key == invite) {
            self.offered = None;
            return tools.refuse(invite, 487, Some(&self.names.local_tag), &[]);
        }
        let (Stage::Ringing, Some(incoming)) = (&self.stage, &self.incoming) else { return };
        if incoming.key != invite {
            return;
        }
        let reason = Reason::of(cancel);
        tools.refuse(invite, 487, Some(&self.names.local_tag), &[]);
        self.tell(Event::Cancelled { reason: reason.clone() }, tools);
        self.end(Event::Failed { status: 487, reason, retry_after: None, local: false }, tools);
    }

    /// Sends a 200 to an INVITE or re-INVITE and repeats it until its ACK comes. `offers`: it carries an offer.
    pub(super) fn accept_invite(
        &mut self,
        key: u64,
        (cseq, offers): (u32, bool),
        sdp: &[u8],
        tools: &mut Tools<'_>,
    ) {
        let Some(to) = tools.servers.reply_to(key) else { return };
        let terms = self.session_terms(key, tools);
        let expires = terms.map(Terms::answer);
        let mut headers: Headers<'_> =
            [("Contact", &*self.names.contact), ("Allow", letter::ALLOW)].into_iter().collect();
        headers.push(("Supported", letter::SUPPORTED));
        headers.extend(expires.as_deref().map(|value| ("Session-Expires", value)));
        headers.extend(terms.filter(|terms| terms.requires()).map(|_| ("Require", letter::TIMER)));
        let extra = letter::Extra { headers: &headers, body: Some(letter::of_sdp(sdp)) };
        let answer = tools.respond(key, 200, Some(&self.names.local_tag), &extra);
        drop(headers);
        let Some(bytes) = answer else { return };
        let interval = tools.settings.pace.t1;
        self.unacknowledged = Some(Box::new(Unacknowledged { bytes, to, interval, cseq, offers }));
        self.timers.set(Timer::Answer, tools.now + interval);
        self.timers.set(Timer::AnswerLost, tools.now + tools.settings.pace.patience());
        self.our_sdp = sdp.into();
        self.run_session(terms, tools);
        self.book(tools);
    }

    pub(super) fn repeat_answer(&mut self, tools: &mut Tools<'_>) {
        let Some(answer) = &mut self.unacknowledged else { return };
        answer.interval = tools.settings.pace.slower(answer.interval);
        self.timers.set(Timer::Answer, tools.now + answer.interval);
        tools.send(answer.to, answer.bytes.clone());
    }

    /// An ACK inside the dialog.
    pub(crate) fn on_ack(&mut self, ack: &Message<'_>, tools: &mut Tools<'_>) {
        let cseq = ack.cseq();
        if self.unacknowledged.as_ref().is_none_or(|answer| answer.cseq != cseq) {
            return;
        }
        let offers = self.unacknowledged.take().is_some_and(|answer| answer.offers);
        self.timers.stop(Timer::Answer);
        self.timers.stop(Timer::AnswerLost);
        if let Stage::Answering { hang_up } = &mut self.stage {
            let hang_up = hang_up.take();
            self.stage = Stage::Talking { dialog: 0 };
            self.tell(Event::Acked, tools);
            if let Some(reason) = hang_up {
                return self.hang_up(reason, tools);
            }
        }
        match heard::sdp(ack) {
            Some(sdp) if offers => {
                let Stage::Talking { dialog } = self.stage else { return };
                self.tell(Event::OfferAnswered { fork: fork(dialog), sdp }, tools);
            }
            // It asked for an offer and leaves it unanswered (RFC 3261 13.2.1): the session stays what it was.
            None if offers => self.tell(Event::OfferRefused { status: 488 }, tools),
            Some(_) | None => {}
        }
    }

    /// 64*T1 without an ACK: the call is released by BYE (RFC 3261 13.3.1.4).
    pub(super) fn on_answer_lost(&mut self, tools: &mut Tools<'_>) {
        self.timers.stop(Timer::Answer);
        self.unacknowledged = None;
        self.tell(Event::AckMissing, tools);
        let reason = match &mut self.stage {
            Stage::Answering { hang_up } => hang_up.take().flatten(),
            _ => None,
        };
        if let Stage::Answering { .. } = self.stage {
            self.stage = Stage::Talking { dialog: 0 };
        }
        self.hang_up(reason, tools);
    }
}
