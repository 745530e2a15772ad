//! HTTP/1.1 messages of a known length, as far as a customer's two programs need them.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};

/// Bytes of one message; a merged fee push of fifty records is under 64 KiB.
const MESSAGE_BYTES: usize = 1 << 20;

/// Bytes read that are no whole message yet.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
}

/// One request or reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HttpMessage {
    /// First line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl HttpMessage {
    /// The status of a reply.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// Whether the sender closes the connection after this message.
    pub(crate) fn closes(&self) -> bool {
        header(&self.head, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

impl Incoming {
    /// Reads what has come; `false` when the other side has closed.
    pub(crate) fn read_from(&mut self, stream: &mut TcpStream) -> Result<bool> {
        let mut buffer = [0; 16_384];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(length) => self.push(&buffer[..length])?,
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) if fault.kind() == ErrorKind::ConnectionReset => return Ok(false),
                Err(fault) => return Err(fault).context("cannot read from a connection"),
            }
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > MESSAGE_BYTES {
            bail!("an HTTP message has more than {MESSAGE_BYTES} bytes");
        }
        Ok(())
    }

    /// Takes the first whole message out.
    pub(crate) fn take(&mut self) -> Result<Option<HttpMessage>> {
        let Some(end) = self.bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = str::from_utf8(&self.bytes[..end]).context("a head is no text")?.to_owned();
        let Some(length) = header(&head, "content-length") else {
            bail!("an HTTP message has no Content-Length: {}", head.lines().next().unwrap_or(""));
        };
        let length: usize = length.parse().context("a Content-Length is no number")?;
        let (from, to) = (end + 4, end + 4 + length);
        if self.bytes.len() < to {
            return Ok(None);
        }
        let body = self.bytes[from..to].to_vec();
        self.bytes.drain(..to);
        Ok(Some(HttpMessage { head, body }))
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .find_map(|(found, value)| found.trim().eq_ignore_ascii_case(name).then(|| value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_whole_and_in_order() {
        let mut incoming = Incoming::default();
        incoming.push(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{").unwrap();
        assert_eq!(incoming.take().unwrap(), None);
        incoming.push(b"}POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n").unwrap();
        let first = incoming.take().unwrap().unwrap();
        assert_eq!((first.status(), first.closes(), &first.body[..]), (Some(200), true, &b"{}"[..]));
        let second = incoming.take().unwrap().unwrap();
        assert_eq!((second.status(), second.closes(), &second.body[..]), (None, false, &b""[..]));
        assert_eq!(incoming.take().unwrap(), None);
    }

    #[test]
    fn a_message_of_unknown_length_is_a_fault() {
        let mut incoming = Incoming::default();
        incoming.push(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        assert!(incoming.take().is_err());
    }
}
