//! What transactions and dialogs are found by: one keyed 64-bit hash instead of long strings.
//!
//! The seed is secret, so nobody outside can make two keys meet; by chance two of a hundred thousand meet once in
//! four billion such tables.

use std::hash::{DefaultHasher, Hasher};
use std::net::IpAddr;

/// Makes keys with a secret seed.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    seed: u64,
}

impl Keys {
    /// Keys that differ for each seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The client transaction that a response belongs to: its branch and the method of its CSeq (RFC 3261 17.1.3).
    pub(crate) fn client(&self, branch: &[u8], method: &[u8]) -> u64 {
        self.hash(b'c', &[branch, method])
    }

    /// The server transaction of a request: branch, sent-by and method (RFC 3261 17.2.3); for ACK and CANCEL the
    /// method is that of the INVITE they are about.
    pub(crate) fn server(&self, branch: &[u8], sent_by: &[u8], method: &[u8]) -> u64 {
        self.hash(b's', &[branch, sent_by, method])
    }

    /// The leg that an in-dialog request belongs to: Call-ID and our tag.
    pub(crate) fn leg(&self, call_id: &[u8], our_tag: &[u8]) -> u64 {
        self.hash(b'l', &[call_id, our_tag])
    }

    /// A request as its sender numbered it, whatever way it took: Call-ID, From tag and CSeq (RFC 3261 8.2.2.2).
    pub(crate) fn origin(&self, call_id: &[u8], from_tag: &[u8]) -> u64 {
        self.hash(b'o', &[call_id, from_tag])
    }

    /// Where a datagram came from, whatever port it has.
    pub(crate) fn source(&self, from: IpAddr) -> u64 {
        match from {
            IpAddr::V4(from) => self.hash(b'4', &[&from.octets()]),
            IpAddr::V6(from) => self.hash(b'6', &[&from.octets()]),
        }
    }

    fn hash(&self, kind: u8, parts: &[&[u8]]) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        hasher.write_u8(kind);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let keys = Keys::new(7);
        assert_ne!(keys.server(b"ab", b"c", b"INVITE"), keys.server(b"a", b"bc", b"INVITE"));
        assert_ne!(keys.client(b"ab", b"BYE"), keys.leg(b"ab", b"BYE"));
    }

    #[test]
    fn another_seed_gives_other_keys() {
        assert_ne!(Keys::new(1).leg(b"call", b"tag"), Keys::new(2).leg(b"call", b"tag"));
    }
}
