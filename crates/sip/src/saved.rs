//! What must be remembered of a leg so that it can be released after a crash.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::transport::{Hop, Transport};

/// Enough of a leg to send its CANCEL or BYE from another process. See [`Endpoint::adopt`](crate::Endpoint::adopt).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Where its requests go when nothing better is known.
    pub peer: SocketAddr,
    /// How they go there.
    #[serde(default)]
    pub transport: Transport,
    /// Call-ID.
    pub call_id: String,
    /// Our side as it stands in From (or To), without the tag.
    pub local: String,
    /// Our tag.
    pub local_tag: String,
    /// The other side as it stands in To (or From), without a tag.
    pub remote: String,
    /// Request URI of the INVITE; the last resort as a remote target.
    pub request_uri: String,
    /// Branch of the INVITE that is under way. Empty for a call that came in.
    pub branch: String,
    /// Last CSeq number that we used.
    pub cseq: u32,
    /// Whether the call was answered.
    pub answered: bool,
    /// The dialog with the branch that answered, or the early ones.
    pub dialogs: Vec<SavedDialog>,
}

/// One dialog of a saved leg.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedDialog {
    /// The other side's tag.
    pub remote_tag: String,
    /// The other side's Contact.
    pub target: String,
    /// Route set in the order of sending.
    pub routes: Vec<String>,
    /// Last CSeq number that we used in it.
    pub cseq: u32,
}

impl Saved {
    /// Where its requests go when nothing better is known, and how.
    pub(crate) const fn hop(&self) -> Hop {
        Hop::new(self.transport, self.peer)
    }

    /// What to save of an INVITE before it is sent: nothing but what its owner chose.
    #[must_use]
    pub fn of_invite(invite: &crate::Invite) -> Self {
        Self {
            peer: invite.peer.address,
            transport: invite.peer.transport,
            call_id: invite.call_id.clone(),
            local: invite.from.to_string(),
            local_tag: invite.from_tag.clone(),
            remote: invite.to.to_string(),
            request_uri: invite.request_uri.to_string(),
            branch: invite.branch.clone(),
            cseq: crate::FIRST_CSEQ,
            answered: false,
            dialogs: Vec::new(),
        }
    }
}

// The names of both sides are phone numbers.
impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.answered { "answered" } else { "unanswered" };
        write!(f, "Saved({}, {state}, {} dialogs)", self.call_id, self.dialogs.len())
    }
}
