//! HTTP/1.1 messages of a known length, as far as a customer's two programs need them.

use std::io::IoSliceMut;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recvmsg};

use crate::rtp::{arrived_at, instant_of};

/// Bytes of one message; a merged fee push of fifty records is under 64 KiB.
const MESSAGE_BYTES: usize = 1 << 20;

/// Bytes read that are no whole message yet.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    came: Option<Instant>,
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
        let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
        loop {
            let mut slices = [IoSliceMut::new(&mut buffer)];
            let flags = MsgFlags::MSG_DONTWAIT;
            match recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut control), flags) {
                Ok(message) if message.bytes == 0 => return Ok(false),
                Ok(message) => {
                    self.came = arrived_at(&message)?.map(instant_of);
                    let length = message.bytes;
                    self.push(&buffer[..length])?;
                }
                Err(Errno::EAGAIN) => return Ok(true),
                Err(Errno::EINTR) => {}
                Err(Errno::ECONNRESET) => return Ok(false),
                Err(fault) => return Err(fault).context("cannot read from a connection"),
            }
        }
    }

    /// When the last bytes came, where the kernel was asked to note it; now otherwise.
    pub(crate) fn came(&self) -> Instant {
        self.came.unwrap_or_else(Instant::now)
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
    use std::io::Write;
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::rtp::note_arrivals;

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
    fn bytes_came_when_the_kernel_had_them() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut here = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut there, _) = listener.accept().unwrap();
        note_arrivals(&here).unwrap();
        let began = Instant::now();
        // The kernel begins to note a moment after it was asked to.
        while began.elapsed() < Duration::from_secs(10) {
            there.write_all(b"HTTP/1.1 200 OK").unwrap();
            let written = Instant::now();
            thread::sleep(Duration::from_millis(50));
            let mut incoming = Incoming::default();
            assert!(incoming.read_from(&mut here).unwrap());
            if incoming.came() < written + Duration::from_millis(25) {
                return;
            }
        }
        panic!("bytes come when they are read");
    }

    #[test]
    fn a_message_of_unknown_length_is_a_fault() {
        let mut incoming = Incoming::default();
        incoming.push(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        assert!(incoming.take().is_err());
    }
}
