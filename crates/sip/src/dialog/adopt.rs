//! Legs across a crash: what to remember of one, and how another process releases it.

use super::proof::Prover;
use super::redirect::Redirects;
use super::route::RouteSet;
use super::session::Session;
use super::tools::Tools;
use super::{Dialog, Errand, Leg, Names, Outgoing, Owner, Stage, letter};
use crate::digest::Credentials;
use crate::event::{Datagram, Event, LegKey};
use crate::reason::Reason;
use crate::saved::{Saved, SavedDialog};
use crate::timer::Timers;
use crate::transaction::clients::{Sent, Size};

impl Leg {
    /// What to remember. `None` when nothing is left to release.
    pub(crate) fn saved(&self) -> Option<Saved> {
        let answered = match self.stage {
            Stage::Over => return None,
            Stage::Calling | Stage::Cancelling { .. } | Stage::Ringing => false,
            Stage::Answering { .. } | Stage::Talking { .. } | Stage::Releasing { .. } => true,
        };
        let dialogs = match self.stage {
            Stage::Talking { dialog } | Stage::Releasing { dialog } => &self.dialogs[dialog..=dialog],
            _ => &self.dialogs[..],
        };
        let outgoing = self.outgoing.as_ref();
        Some(Saved {
            peer: self.peer.address,
            transport: self.peer.transport,
            call_id: self.names.call_id.to_string(),
            local: self.names.local.to_string(),
            local_tag: self.names.local_tag.to_string(),
            remote: self.names.remote.to_string(),
            request_uri: self.names.request_uri.to_string(),
            branch: outgoing.map(|outgoing| outgoing.branch.clone()).unwrap_or_default(),
            cseq: outgoing.map_or(0, |outgoing| outgoing.cseq),
            answered,
            dialogs: dialogs.iter().filter(|dialog| !dialog.past).map(Dialog::saved).collect(),
        })
    }

    /// Releases a leg of a former life: BYE when it was answered, with a CSeq number beyond all that may have been
    /// used; else CANCEL, and BYE for each early dialog, and ACK and BYE when the 2xx crosses.
    pub(crate) fn adopt(
        key: LegKey,
        saved: &Saved,
        credentials: Option<Credentials>,
        reason: Option<&Reason>,
        tools: &mut Tools<'_>,
    ) -> Self {
        let mut leg = Self::of_saved(key, saved, tools);
        leg.prover = Prover::new(credentials);
        let dialogs = leg.dialogs.len();
        if saved.answered && dialogs > 0 {
            leg.stage = Stage::Releasing { dialog: 0 };
            leg.bye(0, reason, tools);
        } else if saved.branch.is_empty() {
            // An INVITE of the peer's that we never answered: the peer gives up by itself.
            leg.end(Event::Failed { status: 487, reason: None, retry_after: None, local: true }, tools);
        } else {
            leg.resume_invite(saved, tools);
            let sent = tools.cancel(leg.outgoing.as_ref().map_or(0, |outgoing| outgoing.key), key, reason);
            leg.open_clients += u32::from(sent);
            leg.stage = Stage::Cancelling { reason: reason.cloned(), sent };
            for dialog in 0..dialogs {
                leg.bye(dialog, reason, tools);
            }
        }
        leg
    }

    /// Opens the transaction of an INVITE that was sent in a former life.
    fn resume_invite(&mut self, saved: &Saved, tools: &mut Tools<'_>) {
        let bytes = Datagram::from(letter::invite_again(saved, tools.settings));
        let key = tools.keys.client(saved.branch.as_bytes(), b"INVITE");
        let owner = Owner::Leg { leg: self.key, dialog: 0, errand: Errand::Invite, attempt: 0 };
        let sent = Sent { bytes, to: saved.hop(), size: Size::Usual, owner };
        tools.clients.resume_invite(key, sent, tools.now, &tools.settings.pace, tools.agenda);
        self.open_clients += 1;
        self.outgoing = Some(Box::new(Outgoing {
            key,
            branch: saved.branch.clone(),
            cseq: saved.cseq,
            proof: None,
            trying_told: true,
            redirects: Redirects::new(0, Vec::new()),
        }));
    }

    fn of_saved(key: LegKey, saved: &Saved, tools: &Tools<'_>) -> Self {
        Self {
            key,
            names: Names {
                call_id: saved.call_id.as_str().into(),
                local: saved.local.as_str().into(),
                local_tag: saved.local_tag.as_str().into(),
                remote: saved.remote.as_str().into(),
                contact: letter::our_contact(saved.hop(), tools.settings).into(),
                request_uri: saved.request_uri.as_str().into(),
            },
            peer: saved.hop(),
            stage: Stage::Cancelling { reason: None, sent: false },
            dialogs: saved.dialogs.iter().take(super::DIALOGS_MAX).map(Dialog::of_saved).collect(),
            timers: Timers::default(),
            open_clients: 0,
            prover: Prover::default(),
            outgoing: None,
            incoming: None,
            unacknowledged: None,
            offered: None,
            offering: None,
            session: Session::default(),
            our_sdp: Box::default(),
        }
    }
}

impl Dialog {
    fn saved(&self) -> SavedDialog {
        SavedDialog {
            remote_tag: self.remote_tag.to_string(),
            target: self.target.to_string(),
            routes: self.routes.to_strings(),
            cseq: self.our_cseq,
        }
    }

    fn of_saved(saved: &SavedDialog) -> Self {
        Self {
            past: false,
            remote_tag: saved.remote_tag.as_str().into(),
            routes: RouteSet::of_saved(&saved.routes),
            target: saved.target.as_str().into(),
            our_cseq: saved.cseq.saturating_add(CSEQ_LEAP),
            their_cseq: None,
            rseq: None,
            has_sdp: false,
            takes_update: false,
            ack: None,
        }
    }
}

/// How far the CSeq number leaps after a crash: more than any leg sends between two savings.
const CSEQ_LEAP: u32 = 1_000;
