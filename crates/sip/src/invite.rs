//! What the owner says of a call that is to be placed.

use std::fmt;

use crate::digest::Credentials;
use crate::identity::{Address, Header, Party, Privacy};
use crate::transport::Hop;

/// One outgoing call. Everything that a new process would need to release it is chosen by the owner.
#[derive(Clone)]
pub struct Invite {
    /// Where the INVITE goes, and how.
    pub peer: Hop,
    /// Whom we call: `sip:+8613800000000@203.0.113.9;user=phone`.
    pub request_uri: Address,
    /// Our side: `<sip:+8675500000000@198.51.100.1>`; [`Party::anonymous`] for a hidden caller.
    pub from: Party,
    /// The other side.
    pub to: Party,
    /// Where we are reached. By another transport than UDP it gets a `transport` parameter if it has none.
    pub contact: Party,
    /// Call-ID, unique for ever.
    pub call_id: String,
    /// Our tag.
    pub from_tag: String,
    /// Branch of the first INVITE; begins with `z9hG4bK`, unique for ever. An INVITE that is sent again, with
    /// credentials, for a longer session or to another target, has `{branch}-2`, then `{branch}-2-3`.
    pub branch: String,
    /// Our session description.
    pub offer: Vec<u8>,
    /// What to answer a challenge with.
    pub credentials: Option<Credentials>,
    /// Who calls, for networks that trust us (RFC 3325).
    pub asserted_identity: Option<Party>,
    /// What the network is to hide of it.
    pub privacy: Privacy,
    /// Whether reliable provisionals are supported (RFC 3262).
    pub supported_100rel: bool,
    /// How many targets a redirection (300, 301, 302) may lead to, all in all. 0 follows none: a redirected call has
    /// failed. Targets that are no peer's address are asked for at the same peer, which knows the way; nobody can send
    /// our calls to a stranger.
    pub redirects_max: u8,
    /// The hosts that a target must name, addresses or names; with none, any. A target elsewhere is left out.
    pub redirects_to: Vec<Box<str>>,
    /// More headers.
    pub headers: Vec<Header>,
}

// Both sides are phone numbers, and the rest is secret.
impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invite({} to {})", self.call_id, self.peer)
    }
}
