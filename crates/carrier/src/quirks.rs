//! What is wrong with a carrier below the manners of an endpoint: datagrams that get lost on purpose, and headers that
//! an endpoint would not write there.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use base::time::Instant;

/// The quirks of the calls that have some, by Call-ID.
#[derive(Debug, Default)]
pub(crate) struct Quirks {
    deaf: HashMap<Box<[u8]>, Instant>,
    extras: HashMap<Box<[u8]>, Extra>,
    /// Call-IDs of the extras, oldest first.
    order: VecDeque<Box<[u8]>>,
    ignored: VecDeque<Box<[u8]>>,
}

/// A header line for every response with this status.
#[derive(Debug)]
struct Extra {
    status: u16,
    line: String,
}

impl Quirks {
    /// Loses the ACKs of a call until then.
    pub(crate) fn deafen(&mut self, call_id: &[u8], until: Instant) {
        self.deaf.insert(call_id.into(), until);
    }

    /// Whether the datagram is lost on its way in.
    pub(crate) fn loses(&self, datagram: &[u8], now: Instant) -> bool {
        if self.deaf.is_empty() || !datagram.starts_with(b"ACK ") {
            return false;
        }
        let until = sip::call_id_of(datagram).and_then(|call_id| self.deaf.get(call_id));
        until.is_some_and(|until| now < *until)
    }

    /// The call is over. Its extra header stays: the response that has it may be repeated.
    pub(crate) fn forget(&mut self, call_id: &[u8]) {
        self.deaf.remove(call_id);
    }

    /// Puts one more header, such as `Retry-After: 5`, into a call's responses with this status.
    pub(crate) fn dress(&mut self, call_id: &[u8], status: u16, line: String) {
        if self.extras.insert(call_id.into(), Extra { status, line }).is_none() {
            self.order.push_back(call_id.into());
        }
        if self.order.len() > EXTRAS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.extras.remove(&oldest);
        }
    }

    /// The datagram as it leaves.
    pub(crate) fn dressed<'a>(&self, datagram: &'a [u8]) -> Cow<'a, [u8]> {
        let extra = || {
            let status = std::str::from_utf8(datagram.strip_prefix(b"SIP/2.0 ")?.get(..3)?).ok()?;
            let extra = self.extras.get(sip::call_id_of(datagram)?)?;
            (status.parse() == Ok(extra.status)).then_some(extra)
        };
        let end = || datagram.windows(END_OF_HEADERS.len()).position(|bytes| bytes == END_OF_HEADERS);
        if self.extras.is_empty() {
            return Cow::Borrowed(datagram);
        }
        match extra().zip(end()) {
            Some((extra, end)) => {
                let (headers, rest) = datagram.split_at(end);
                Cow::Owned([headers, b"\r\n", extra.line.as_bytes(), rest].concat())
            }
            None => Cow::Borrowed(datagram),
        }
    }

    /// Ignores a call; `false` when it is ignored already.
    pub(crate) fn ignore(&mut self, call_id: &[u8]) -> bool {
        if self.ignored.iter().any(|ignored| **ignored == *call_id) {
            return false;
        }
        self.ignored.push_back(call_id.into());
        if self.ignored.len() > IGNORED_MAX {
            self.ignored.pop_front();
        }
        true
    }
}

const END_OF_HEADERS: &[u8] = b"\r\n\r\n";

/// Calls whose responses are dressed: 32 s of 64*T1 at 100 such calls a second.
const EXTRAS_MAX: usize = 4_096;

/// Calls that are ignored and known to be: at most so many are compared with each INVITE to a silent number.
const IGNORED_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"SIP/2.0 503 Service Unavailable\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn one_response_of_one_call_is_dressed() {
        let mut quirks = Quirks::default();
        assert_eq!(quirks.dressed(RESPONSE), RESPONSE);
        quirks.dress(b"x", 503, "Retry-After: 5".to_owned());
        let dressed = quirks.dressed(RESPONSE);
        assert!(dressed.ends_with(b"Content-Length: 0\r\nRetry-After: 5\r\n\r\n"));
        for other in
            ["SIP/2.0 100 Trying\r\nCall-ID: x\r\n\r\n", "SIP/2.0 503 No\r\nCall-ID: y\r\n\r\n", "SIP/2.0 "]
        {
            assert_eq!(quirks.dressed(other.as_bytes()), other.as_bytes());
        }
    }

    #[test]
    fn the_oldest_dress_is_forgotten() {
        let mut quirks = Quirks::default();
        for call in 0..=EXTRAS_MAX {
            quirks.dress(&call.to_be_bytes(), 503, String::new());
        }
        assert_eq!((quirks.extras.len(), quirks.order.len()), (EXTRAS_MAX, EXTRAS_MAX));
    }

    #[test]
    fn acks_are_lost_while_a_call_is_deaf() {
        let mut quirks = Quirks::default();
        quirks.deafen(b"x", Instant::from_millis(5));
        let ack = b"ACK sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n";
        assert!(quirks.loses(ack, Instant::from_millis(4)));
        assert!(!quirks.loses(ack, Instant::from_millis(5)));
        assert!(!quirks.loses(b"BYE sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n", Instant::START));
        quirks.forget(b"x");
        assert!(!quirks.loses(ack, Instant::START));
    }

    #[test]
    fn a_call_is_ignored_once() {
        let mut quirks = Quirks::default();
        assert!(quirks.ignore(b"x"));
        assert!(!quirks.ignore(b"x"));
    }
}
