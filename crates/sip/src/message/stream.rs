//! Messages on a stream: where one ends and the next begins (RFC 3261 18.3, RFC 5626 3.5.1).

use super::parse::Index;
use super::{Fault, MESSAGE_BYTES};

/// What the bytes at the head of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Not yet decidable: ask again when there are this many bytes.
    Partial {
        /// Bytes to have before asking again, counted from the head.
        need: usize,
    },
    /// Line ends between messages: take them away.
    Blank {
        /// Bytes to take away.
        len: usize,
    },
    /// A double line end: take it away and answer with a single one.
    Ping {
        /// Bytes to take away.
        len: usize,
    },
    /// One message: give these bytes to [`Message::parse`](super::Message::parse), then take them away.
    Whole {
        /// Bytes of the message.
        len: usize,
    },
    /// Nobody can tell where the next message begins: close the connection.
    Broken(Fault),
}

/// Looks at the head of a stream. A message without Content-Length has no body.
///
/// The caller keeps at most [`MESSAGE_BYTES`] bytes and never fails to make progress: every answer either takes bytes
/// away, asks for more than there are, or ends the stream.
#[must_use]
pub fn frame(stream: &[u8]) -> Frame {
    match stream {
        [] => return Frame::Partial { need: 1 },
        [b'\r', b'\n', b'\r', b'\n', ..] => return Frame::Ping { len: 4 },
        // Half a ping, or the line end that some senders put after a body: the next bytes tell.
        [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return Frame::Partial { need: stream.len() + 1 },
        [b'\r', b'\n', ..] => return Frame::Blank { len: 2 },
        [b'\n', ..] => return Frame::Blank { len: 1 },
        // Half a line end is the beginning of nothing.
        [b'\r', ..] => return Frame::Broken(Fault::LoneCr),
        _ => {}
    }
    let head = &stream[..stream.len().min(MESSAGE_BYTES)];
    let mut index = Index::new(head);
    match index.read() {
        Ok(body) => whole(&index, body, stream.len()),
        Err(Fault::Unfinished) if stream.len() >= MESSAGE_BYTES => Frame::Broken(Fault::TooLong),
        Err(Fault::Unfinished) => Frame::Partial { need: stream.len() + 1 },
        Err(fault) => Frame::Broken(fault),
    }
}

fn whole(index: &Index<'_>, body: usize, have: usize) -> Frame {
    let length = match index.length() {
        Ok(length) => length.unwrap_or(0),
        Err(fault) => return Frame::Broken(fault),
    };
    match body.checked_add(length) {
        Some(len) if len > MESSAGE_BYTES => Frame::Broken(Fault::TooLong),
        None => Frame::Broken(Fault::TooLong),
        Some(len) if len > have => Frame::Partial { need: len },
        Some(len) => Frame::Whole { len },
    }
}

/// What has arrived on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived<'a> {
    /// One whole message, for [`Endpoint::receive`](crate::Endpoint::receive).
    Message(&'a [u8]),
    /// The other side asks for a sign of life: answer with [`PONG`] (RFC 5626 3.5.1).
    Ping,
}

/// The receiving end of one connection: takes bytes as they come and gives messages.
///
/// It keeps less than [`MESSAGE_BYTES`] bytes, reads each byte a bounded number of times however small the pieces are
/// that it comes in, and copies nothing of messages that come in one piece. That it is given bytes at all is the sign of
/// life that a [`PING`] of ours asks for.
#[derive(Clone, Default)]
pub struct Inbox {
    kept: Vec<u8>,
    /// Bytes at the head that are known to hold no end of headers.
    seen: usize,
    /// Bytes to have before looking again.
    need: usize,
}

impl Inbox {
    /// Takes bytes from the connection and hands what has arrived to `each`.
    ///
    /// # Errors
    /// Nobody can tell any more where the next message begins, so there is no way to go on: close the connection. A
    /// message that is malformed within its bounds is no such fault; the endpoint answers it.
    pub fn take(&mut self, bytes: &[u8], each: impl FnMut(Arrived<'_>)) -> Result<(), Fault> {
        if self.kept.is_empty() {
            let used = self.read(bytes, each)?;
            self.kept.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut kept = std::mem::take(&mut self.kept);
        kept.extend_from_slice(bytes);
        let used = self.read(&kept, each)?;
        if used < kept.len() {
            kept.drain(..used);
            self.kept = kept;
        }
        Ok(())
    }

    /// Reads what can be read and gives how much that was.
    fn read(&mut self, bytes: &[u8], mut each: impl FnMut(Arrived<'_>)) -> Result<usize, Fault> {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            if rest.len() < self.need.max(1) || !self.is_worth_reading(rest) {
                return Ok(used);
            }
            let len = match frame(rest) {
                Frame::Partial { need } => {
                    self.need = need;
                    return Ok(used);
                }
                Frame::Blank { len } => len,
                Frame::Ping { len } => {
                    each(Arrived::Ping);
                    len
                }
                Frame::Whole { len } => {
                    each(Arrived::Message(&rest[..len]));
                    len
                }
                Frame::Broken(fault) => return Err(fault),
            };
            used += len;
            (self.seen, self.need) = (0, 0);
        }
    }

    /// Whether the head is one of a message whose headers have all come, or no message at all.
    fn is_worth_reading(&mut self, head: &[u8]) -> bool {
        let is_message = !matches!(head, [b'\r' | b'\n', ..]);
        // Once the end of the headers was found, only the body is waited for.
        if !is_message || self.need > 0 || head.len() >= MESSAGE_BYTES {
            return true;
        }
        let start = self.seen.saturating_sub(BLANK_LINE_BYTES);
        let ends = memchr::memchr_iter(b'\n', &head[start..]).map(|at| &head[start + at + 1..]);
        let found = ends.into_iter().any(|next| matches!(next, [b'\n', ..] | [b'\r', b'\n', ..]));
        self.seen = head.len();
        found
    }
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inbox({} bytes wait)", self.kept.len())
    }
}

/// What asks the other side of a connection for a sign of life (RFC 5626 3.5.1). It has 10 s to answer (4.4.1).
pub const PING: &[u8] = b"\r\n\r\n";

/// What answers it.
pub const PONG: &[u8] = b"\r\n";

/// The longest end of headers, less its last byte: what may already have been seen of it.
const BLANK_LINE_BYTES: usize = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BYE: &[u8] = b"BYE sip:a@h SIP/2.0\r\nVia: x\r\nContent-Length: 5\r\n\r\nhello";
    const OPTIONS: &[u8] = b"OPTIONS sip:a@h SIP/2.0\nVia: x\n\n";

    /// What arrives when these bytes come in pieces of these lengths, the last one for all the rest.
    fn arrives(stream: &[u8], pieces: &[usize]) -> Result<Vec<String>, Fault> {
        let (mut inbox, mut said, mut rest) = (Inbox::default(), Vec::new(), stream);
        for piece in pieces.iter().copied().chain([usize::MAX]) {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            rest = later;
            inbox.take(now, |arrived| {
                said.push(match arrived {
                    Arrived::Ping => "ping".to_owned(),
                    Arrived::Message(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                });
            })?;
        }
        Ok(said)
    }

    #[test]
    fn messages_and_pings_come_out_however_they_are_cut() {
        let stream = [PING, BYE, b"\r\n", OPTIONS, PING, BYE].concat();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let whole = ["ping".to_owned(), text(BYE), text(OPTIONS), "ping".to_owned(), text(BYE)];
        assert_eq!(arrives(&stream, &[]).unwrap(), whole);
        for piece in 1..stream.len() {
            assert_eq!(arrives(&stream, &vec![piece; stream.len()]).unwrap(), whole, "{piece}");
        }
    }

    #[test]
    fn a_stream_that_cannot_be_followed_ends() {
        assert_eq!(arrives(b"GET / HTTP/1.1\r\nno colon\r\n\r\n", &[]), Err(Fault::HeaderLine));
        assert_eq!(arrives(b"\rBYE", &[1]), Err(Fault::LoneCr));
        assert_eq!(arrives(b"BYE a SIP/2.0\r\nl: 99999999\r\n\r\n", &[]), Err(Fault::TooLong));
        assert_eq!(arrives(&vec![b'a'; MESSAGE_BYTES], &vec![999; 70]), Err(Fault::TooLong));
    }

    #[test]
    fn a_drip_is_read_about_once() {
        let mut inbox = Inbox::default();
        let mut stream = b"BYE sip:a@h SIP/2.0\r\n".to_vec();
        stream.extend(b"X: y\r\n".repeat(100));
        for byte in &stream {
            let before = inbox.seen;
            inbox.take(std::slice::from_ref(byte), |_| panic!("nothing is whole")).unwrap();
            assert_eq!(inbox.seen, before + 1);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn cuts_never_change_what_arrives(
            parts in prop::collection::vec(prop::sample::select(&[BYE, OPTIONS, PING, b"\r\n", b"\n", b"x\r\n\r\n", b"\r"][..]), 0..8),
            pieces in prop::collection::vec(0..20_usize, 0..60),
        ) {
            let stream = parts.concat();
            let (whole, cut) = (arrives(&stream, &[]), arrives(&stream, &pieces));
            prop_assert_eq!(whole.is_ok(), cut.is_ok());
            if let (Ok(whole), Ok(cut)) = (whole, cut) {
                prop_assert_eq!(whole, cut);
            }
        }
    }
}
