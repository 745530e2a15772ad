//! Placing a call: INVITE, its provisionals and finals, CANCEL and its crossings (RFC 3261 13.2, 9.1).

use super::proof::Prover;
use super::redirect::Redirects;
use super::session::Session;
use super::tools::Tools;
use super::{
    BYE_AFTER_FAULT, DIALOGS_MAX, Dialog, Errand, Leg, Names, Outgoing, Owner, Stage, fork, heard, letter,
};
use crate::early::EarlyMedia;
use crate::event::{Datagram, Event, Fault, LegKey};
use crate::invite::Invite;
use crate::message::{Message, Method};
use crate::reason::Reason;
use crate::timer::Timers;
use crate::transaction::Class;
use crate::transaction::clients::{News, What};

impl Leg {
    /// Sends the first INVITE.
    pub(crate) fn call(key: LegKey, mut invite: Invite, tools: &mut Tools<'_>) -> Self {
        invite.contact = letter::contact_by(invite.contact, invite.peer.transport);
        let bytes = letter::invite(&invite, tools.settings);
        let owner = Owner::Leg { leg: key, dialog: 0, errand: Errand::Invite, attempt: 0 };
        let transaction = tools.invite(&invite.branch, bytes, invite.peer, owner);
        Self {
            key,
            names: Names {
                call_id: invite.call_id.into(),
                local: invite.from.into(),
                local_tag: invite.from_tag.into(),
                remote: invite.to.into(),
                contact: invite.contact.into(),
                request_uri: invite.request_uri.into(),
            },
            peer: invite.peer,
            stage: Stage::Calling,
            dialogs: Vec::new(),
            timers: Timers::default(),
            open_clients: 1,
            prover: Prover::new(invite.credentials),
            outgoing: Some(Box::new(Outgoing {
                key: transaction,
                branch: invite.branch,
                cseq: crate::FIRST_CSEQ,
                proof: None,
                trying_told: false,
                redirects: Redirects::new(invite.redirects_max, invite.redirects_to),
            })),
            incoming: None,
            unacknowledged: None,
            offered: None,
            offering: None,
            session: Session::default(),
            our_sdp: invite.offer.into(),
        }
    }

    /// Something happened to our INVITE.
    pub(super) fn on_invite_news(
        &mut self,
        news: News<Owner>,
        attempt: u8,
        response: Option<&Message<'_>>,
        tools: &mut Tools<'_>,
    ) {
        match (news.what, response) {
            (What::Response, Some(response)) => match Class::of(response.status().unwrap_or_default()) {
                Class::Trying => self.on_trying(tools),
                Class::Provisional => self.on_provisional(response, tools),
                Class::Success => self.on_success(response, tools),
                Class::Failure => self.on_failure(response, (news, attempt), tools),
            },
            (What::Response, None) => {}
            (What::TimedOut, _) => {
                self.end(Event::Failed { status: 408, reason: None, retry_after: None, local: true }, tools);
                self.forget_acks();
            }
            (What::RangOut, _) => self.on_rang_out(tools),
            (What::Closed, _) => self.forget_acks(),
        }
    }

    /// The owner hangs up before the answer. Without a provisional the CANCEL must wait for one (RFC 3261 9.1).
    pub(super) fn give_up(&mut self, reason: Option<Reason>, tools: &mut Tools<'_>) {
        let sent = self.cancel(reason.as_ref(), tools);
        self.stage = Stage::Cancelling { reason, sent };
    }

    fn on_trying(&mut self, tools: &mut Tools<'_>) {
        if let Some(outgoing) = &mut self.outgoing
            && !outgoing.trying_told
            && matches!(self.stage, Stage::Calling)
        {
            outgoing.trying_told = true;
            self.tell(Event::Trying, tools);
        }
        self.cancel_at_last(tools);
    }

    /// The CANCEL that waited for a provisional.
    fn cancel_at_last(&mut self, tools: &mut Tools<'_>) {
        let Stage::Cancelling { reason, sent: false } = &self.stage else { return };
        let reason = reason.clone();
        let sent = self.cancel(reason.as_ref(), tools);
        self.stage = Stage::Cancelling { reason, sent };
    }

    fn on_provisional(&mut self, response: &Message<'_>, tools: &mut Tools<'_>) {
        self.on_trying(tools);
        if !matches!(self.stage, Stage::Calling) {
            return;
        }
        let Some(dialog) = self.early_dialog(response) else { return };
        if !self.acknowledge_provisional(dialog, response, tools) {
            return;
        }
        let sdp = heard::sdp(response);
        self.dialogs[dialog].has_sdp |= sdp.is_some();
        let (status, reason) = (response.status().unwrap_or_default(), Reason::of(response));
        let allowed = EarlyMedia::of(response);
        self.tell(Event::Early { fork: fork(dialog), status, sdp, reason, allowed }, tools);
    }

    /// The dialog of a provisional: one per To tag (RFC 3261 12.1). `None`: too many.
    fn early_dialog(&mut self, response: &Message<'_>) -> Option<usize> {
        if let Some(dialog) = self.dialog_of(response.to().tag().unwrap_or_default()) {
            self.dialogs[dialog].refresh(response);
            return Some(dialog);
        }
        self.new_dialog(response)
    }

    fn new_dialog(&mut self, response: &Message<'_>) -> Option<usize> {
        if self.dialogs.len() >= DIALOGS_MAX {
            return None;
        }
        let cseq = response.cseq();
        self.dialogs.push(Dialog::of_response(response, &self.names, cseq));
        Some(self.dialogs.len() - 1)
    }

    /// Any 2xx, from any fork, at any time: it is acknowledged. One fork talks; the others get a BYE.
    fn on_success(&mut self, response: &Message<'_>, tools: &mut Tools<'_>) {
        let known = self.dialog_of(response.to().tag().unwrap_or_default());
        if let Some(dialog) = known
            && self.acknowledge_again(dialog, response, tools)
        {
            return;
        }
        let Some(dialog) = known.or_else(|| self.new_dialog(response)) else { return };
        self.dialogs[dialog].learn(response);
        self.acknowledge(dialog, response, tools);
        let sdp = heard::sdp(response);
        match &mut self.stage {
            Stage::Calling if sdp.is_none() && !self.dialogs[dialog].has_sdp => {
                self.tell(Event::Fault(Fault::AnswerWithoutSdp), tools);
                self.bye(dialog, Some(&Reason::sip(BYE_AFTER_FAULT)), tools);
                self.stage = Stage::Releasing { dialog };
            }
            Stage::Calling => {
                self.dialogs[dialog].has_sdp = true;
                self.stage = Stage::Talking { dialog };
                self.on_session_answer(response, tools);
                self.tell(Event::Answered { fork: fork(dialog), sdp }, tools);
            }
            Stage::Cancelling { reason, .. } => {
                let reason = reason.take();
                self.bye(dialog, reason.as_ref(), tools);
                self.stage = Stage::Releasing { dialog };
            }
            Stage::Talking { .. } | Stage::Releasing { .. } | Stage::Over => self.bye(dialog, None, tools),
            // A callee sends no INVITE that could be answered.
            Stage::Ringing | Stage::Answering { .. } => {}
        }
    }

    fn on_failure(
        &mut self,
        response: &Message<'_>,
        (news, attempt): (News<Owner>, u8),
        tools: &mut Tools<'_>,
    ) {
        let calling = matches!(self.stage, Stage::Calling);
        if calling
            && (self.call_again(response, &news, attempt, tools) || self.follow(response, &news, tools))
        {
            return;
        }
        self.end(heard::failed(response), tools);
    }

    /// The INVITE once more, with credentials or a longer session: next CSeq number, a branch derived from the first.
    fn call_again(
        &mut self,
        response: &Message<'_>,
        news: &News<Owner>,
        attempt: u8,
        tools: &mut Tools<'_>,
    ) -> bool {
        let Some(request) = &news.request else { return false };
        let Some(amendment) = self.amendment(response, (Method::Invite, request), (news.to, attempt), tools)
        else {
            return false;
        };
        let Some(outgoing) = &mut self.outgoing else { return false };
        outgoing.cseq += 1;
        outgoing.branch = format!("{}-{}", outgoing.branch, outgoing.cseq);
        let bytes = amendment.apply(request, &outgoing.branch, outgoing.cseq);
        let attempt = amendment.attempt;
        let owner = Owner::Leg { leg: self.key, dialog: 0, errand: Errand::Invite, attempt };
        outgoing.key = tools.invite(&outgoing.branch, bytes, news.to, owner);
        outgoing.proof = amendment.into_proof();
        self.begin_anew(tools);
        true
    }

    /// The INVITE was sent once more: what dialogs the last one made are past.
    pub(super) fn begin_anew(&mut self, tools: &mut Tools<'_>) {
        self.open_clients += 1;
        for dialog in &mut self.dialogs {
            dialog.past = true;
        }
        self.refuse_offer(481, tools);
    }

    /// Timer C: it rang too long. The callee must hear of it, the owner at once.
    fn on_rang_out(&mut self, tools: &mut Tools<'_>) {
        if matches!(self.stage, Stage::Calling) {
            self.cancel(Some(&Reason::sip(408)), tools);
            self.end(Event::Failed { status: 408, reason: None, retry_after: None, local: true }, tools);
        }
    }

    fn cancel(&mut self, reason: Option<&Reason>, tools: &mut Tools<'_>) -> bool {
        let Some(outgoing) = &self.outgoing else { return false };
        let sent = tools.cancel(outgoing.key, self.key, reason);
        self.open_clients += u32::from(sent);
        sent
    }

    /// Builds, keeps and sends the ACK of a 2xx: a request of its own inside the dialog (RFC 3261 13.2.2.4).
    pub(super) fn acknowledge(&mut self, dialog: usize, response: &Message<'_>, tools: &mut Tools<'_>) {
        let cseq = response.cseq();
        let proof = self.outgoing.as_ref().and_then(|outgoing| outgoing.proof.as_ref());
        let proof = proof.map(|(name, value)| (*name, value.as_str()));
        let branch = tools.branch();
        let extra = letter::Extra { headers: proof.as_slice(), body: None };
        let (bytes, to) = letter::in_dialog(
            (&self.names, &self.dialogs[dialog], self.peer),
            (Method::Ack, cseq, &branch),
            &extra,
            tools.settings,
        );
        let bytes = Datagram::from(bytes);
        self.dialogs[dialog].ack = Some((cseq, bytes.clone(), to));
        tools.send(to, bytes);
    }

    /// The same ACK for a 2xx that came again. `false`: this 2xx is new.
    pub(super) fn acknowledge_again(
        &self,
        dialog: usize,
        response: &Message<'_>,
        tools: &mut Tools<'_>,
    ) -> bool {
        match &self.dialogs[dialog].ack {
            Some((cseq, bytes, to)) if *cseq == response.cseq() => {
                tools.send(*to, bytes.clone());
                true
            }
            _ => false,
        }
    }

    /// The INVITE's transaction is gone: no 2xx can come again, no fork can answer late.
    fn forget_acks(&mut self) {
        for dialog in &mut self.dialogs {
            dialog.ack = None;
        }
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.proof = None;
        }
    }
}
