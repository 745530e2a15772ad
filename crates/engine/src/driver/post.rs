//! What reaches a shard for its legs by other ways than its own sockets.

use sip::{Datagram, Hop};

/// News of SIP for a shard. Apart from the letters, so that a flood of strangers' datagrams leaves room for launches.
#[derive(Debug)]
pub(crate) enum Post {
    /// A message of one of its legs, read by somebody else.
    Message { from: Hop, bytes: Box<[u8]> },
    /// A message of its own that could not be delivered.
    Undelivered { to: Hop, message: Datagram },
}
