//! What the owner says of a call that is to be placed.

use std::fmt;
use std::net::SocketAddr;

use crate::digest::Credentials;

/// One outgoing call. Everything that a new process would need to release it is chosen by the owner.
#[derive(Clone)]
pub struct Invite {
    /// Where the INVITE goes.
    pub peer: SocketAddr,
    /// Whom we call: `sip:+8613800000000@203.0.113.9;user=phone`.
    pub request_uri: String,
    /// Our side as a `name-addr` without a tag: `<sip:+8675500000000@198.51.100.1>`.
    pub from: String,
    /// The other side as a `name-addr` without a tag.
    pub to: String,
    /// Where we are reached, as a `name-addr`.
    pub contact: String,
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
    /// A `name-addr` for P-Asserted-Identity (RFC 3325).
    pub asserted_identity: Option<String>,
    /// Whether reliable provisionals are supported (RFC 3262).
    pub supported_100rel: bool,
    /// How many targets a redirection (300, 301, 302) may lead to, all in all. 0 follows none: a redirected call has
    /// failed. Targets that are no peer's address are asked for at the same peer, which knows the way; nobody can send
    /// our calls to a stranger.
    pub redirects_max: u8,
    /// More headers, by name and value. Line ends in them are dropped.
    pub headers: Vec<(String, String)>,
}

// Both sides are phone numbers, and the rest is secret.
impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invite({} to {})", self.call_id, self.peer)
    }
}
