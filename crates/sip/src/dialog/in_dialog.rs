//! Requests inside a dialog, ours and the peer's: CSeq order, credentials, BYE, INFO, OPTIONS.

use base::private::Private;

use super::info::Content;
use super::tools::Tools;
use super::{Errand, Leg, Owner, Stage, heard, info, letter};
use crate::event::{Datagram, EndedBy, Event};
use crate::message::{Message, Method};
use crate::reason::Reason;
use crate::transaction::clients::{News, What};

impl Leg {
    /// Something happened to a request of ours.
    pub(crate) fn on_news(
        &mut self,
        news: News<Owner>,
        response: Option<&Message<'_>>,
        tools: &mut Tools<'_>,
    ) {
        let Owner::Leg { dialog, errand, attempt, .. } = news.owner else { return };
        if matches!(news.what, What::TimedOut | What::Closed) {
            self.open_clients = self.open_clients.saturating_sub(1);
        }
        match errand {
            Errand::Invite => return self.on_invite_news(news, attempt, response, tools),
            Errand::Cancel => return,
            Errand::Reinvite | Errand::Prack | Errand::Update { .. } | Errand::Info | Errand::Bye => {}
        }
        if self.dialogs.get(dialog).is_none_or(|dialog| dialog.past) {
            return;
        }
        if let (What::Response, Some(response)) = (news.what, response)
            && self.ask_again(response, &news, (dialog, errand, attempt), tools)
        {
            return;
        }
        let status = match news.what {
            What::Response => response.and_then(Message::status).unwrap_or_default(),
            What::TimedOut => 408,
            What::RangOut | What::Closed => 0,
        };
        match errand {
            Errand::Reinvite => self.on_reinvite_news(dialog, news.what, response, tools),
            Errand::Update { offer } if status != 0 => {
                self.on_update_answered(dialog, (status, offer), response, tools);
            }
            Errand::Info if status != 0 => self.tell(Event::InfoDone { status }, tools),
            Errand::Bye if status != 0 => self.on_bye_answered(dialog, tools),
            _ => {}
        }
        // The peer knows nothing of this dialog any more (RFC 3261 12.2.1.2), so the call is over.
        let talking = matches!(self.stage, Stage::Talking { dialog: ours } if ours == dialog);
        if talking && matches!(status, 408 | 481) {
            self.hang_up(None, tools);
        }
    }

    /// A request of the peer inside one of our dialogs, or with the tag of one we do not know.
    pub(crate) fn on_request(&mut self, key: u64, request: &Message<'_>, tools: &mut Tools<'_>) {
        let Some(dialog) = self.dialog_of(request.from().tag().unwrap_or_default()) else {
            return tools.refuse(key, 481, None, &[]);
        };
        // Gaps are fine; a number below the last one is an old request (RFC 3261 12.2.2).
        let cseq = request.cseq();
        if self.dialogs[dialog].their_cseq.is_some_and(|last| cseq < last) {
            return tools.refuse(key, 500, None, &[]);
        }
        self.dialogs[dialog].their_cseq = Some(cseq);
        if let Some(unknown) = heard::unknown_extensions(request) {
            return tools.refuse(key, 420, None, &[("Unsupported", &unknown)]);
        }
        match request.method() {
            Method::Bye => self.on_bye(key, dialog, request, tools),
            Method::Invite => self.on_reinvite(key, dialog, request, tools),
            Method::Update => self.on_update(key, dialog, request, tools),
            Method::Prack => self.on_prack(key, request, tools),
            // After our BYE there is nobody left to press keys (RFC 3261 15.1.1).
            Method::Info if matches!(self.stage, Stage::Releasing { .. } | Stage::Over) => {
                tools.refuse(key, 481, None, &[]);
            }
            Method::Info => self.on_info(key, request, tools),
            // We subscribed to nothing. A 481 would be right too, but some take it for the end of the call (RFC 5057).
            Method::Notify => tools.refuse(key, 489, None, &[]),
            Method::Options => letter::describe_us(key, tools),
            _ => tools.refuse(key, 405, None, &[("Allow", letter::ALLOW)]),
        }
    }

    /// Sends INFO in an answered call.
    pub(crate) fn info(&mut self, content_type: &str, body: &[u8], tools: &mut Tools<'_>) {
        if let Stage::Talking { dialog } = self.stage {
            let extra = letter::Extra { headers: &[], body: Some((content_type, body)) };
            self.request(dialog, Errand::Info, &extra, tools);
        }
    }

    /// Sends BYE in a dialog.
    pub(super) fn bye(&mut self, dialog: usize, reason: Option<&Reason>, tools: &mut Tools<'_>) {
        let text = reason.map(Reason::to_string);
        let header = text.as_deref().map(|text| ("Reason", text));
        self.request(dialog, Errand::Bye, &letter::Extra { headers: header.as_slice(), body: None }, tools);
    }

    /// Sends a request in a dialog with the next CSeq number.
    pub(super) fn request(
        &mut self,
        dialog: usize,
        errand: Errand,
        extra: &letter::Extra<'_>,
        tools: &mut Tools<'_>,
    ) {
        self.dialogs[dialog].our_cseq += 1;
        let branch = tools.branch();
        let place = (&self.names, &self.dialogs[dialog], self.peer);
        let cseq = self.dialogs[dialog].our_cseq;
        let (bytes, to) = letter::in_dialog(place, (errand.method(), cseq, &branch), extra, tools.settings);
        let owner = Owner::Leg { leg: self.key, dialog, errand, attempt: 0 };
        self.open_clients += 1;
        if errand == Errand::Reinvite {
            tools.invite(&branch, bytes, to, owner);
        } else {
            tools.request((&branch, errand.method().as_str()), bytes, to, owner);
        }
    }

    /// Answers a request with 200.
    pub(super) fn accept(&mut self, key: u64, sdp: Option<&[u8]>, tools: &mut Tools<'_>) {
        let headers = [("Contact", &*self.names.contact), ("Allow", letter::ALLOW)];
        let extra = letter::Extra { headers: &headers, body: sdp.map(letter::of_sdp) };
        tools.respond(key, 200, Some(&self.names.local_tag), &extra);
    }

    /// The same request once more, with credentials or a longer session. `false`: the response is the last word.
    fn ask_again(
        &mut self,
        response: &Message<'_>,
        news: &News<Owner>,
        (dialog, errand, attempt): (usize, Errand, u8),
        tools: &mut Tools<'_>,
    ) -> bool {
        let Some(request) = &news.request else { return false };
        let Some(amendment) = self.amendment(response, (errand.method(), request), (news.to, attempt), tools)
        else {
            return false;
        };
        let branch = tools.branch();
        self.dialogs[dialog].our_cseq += 1;
        let bytes = amendment.apply(request, &branch, self.dialogs[dialog].our_cseq);
        let owner = Owner::Leg { leg: self.key, dialog, errand, attempt: amendment.attempt };
        self.open_clients += 1;
        if errand == Errand::Reinvite {
            tools.invite(&branch, bytes, news.to, owner);
            let proof = amendment.into_proof();
            self.outgoing.iter_mut().for_each(|outgoing| outgoing.proof = proof.clone());
        } else {
            tools.request((&branch, errand.method().as_str()), bytes, news.to, owner);
        }
        true
    }

    /// Whatever the answer to our BYE is, the call is over.
    fn on_bye_answered(&mut self, dialog: usize, tools: &mut Tools<'_>) {
        if matches!(self.stage, Stage::Releasing { dialog: ours } if ours == dialog) {
            self.end(Event::Ended { by: EndedBy::Us, reason: None }, tools);
        }
    }

    fn on_bye(&mut self, key: u64, dialog: usize, bye: &Message<'_>, tools: &mut Tools<'_>) {
        self.accept_plainly(key, tools);
        let reason = Reason::of(bye);
        match &self.stage {
            Stage::Talking { dialog: ours } if *ours == dialog => {
                self.end(Event::Ended { by: EndedBy::Peer, reason }, tools);
            }
            // It had our 2xx, though its ACK is lost or late.
            Stage::Answering { .. } => self.end(Event::Ended { by: EndedBy::Peer, reason }, tools),
            // Both hung up at once; we did first, as far as we can tell.
            Stage::Releasing { dialog: ours } if *ours == dialog => {
                self.end(Event::Ended { by: EndedBy::Us, reason }, tools);
            }
            // The caller ends an early dialog (RFC 3261 15.1.2).
            Stage::Ringing => {
                if let Some(incoming) = &self.incoming {
                    tools.refuse(incoming.key, 487, Some(&self.names.local_tag), &[]);
                }
                self.end(Event::Failed { status: 487, reason, retry_after: None, local: false }, tools);
            }
            // A callee must not send BYE in an early dialog. If it does, the call will not be.
            Stage::Calling => self.give_up(None, tools),
            Stage::Cancelling { .. } | Stage::Talking { .. } | Stage::Releasing { .. } | Stage::Over => {}
        }
    }

    fn on_info(&mut self, key: u64, request: &Message<'_>, tools: &mut Tools<'_>) {
        match Content::read(request.content_type().unwrap_or_default(), request.body()) {
            Content::Nothing | Content::NoKey => self.accept_plainly(key, tools),
            Content::Key(digit) => {
                self.accept_plainly(key, tools);
                self.tell(Event::Digit(Private::new(digit)), tools);
            }
            Content::Unknown => tools.refuse(key, 415, None, &[("Accept", info::ACCEPT)]),
        }
    }

    fn accept_plainly(&mut self, key: u64, tools: &mut Tools<'_>) {
        let _: Option<Datagram> = tools.respond(key, 200, None, &letter::Extra::NONE);
    }
}
