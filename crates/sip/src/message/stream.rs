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
