//! HEP3, the protocol by which Homer is told of messages: an "Extensible Encapsulation Protocol" of chunks, by UDP.
//!
//! ```text
//! "HEP3" · length of all (2) · chunks: vendor (2) = 0 · type (2) · length with these six (2) · value
//! ```

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use base::id::CallId;
use base::private::Private;
use base::trace::{Packet, Way};
use sip::Transport;

use crate::trace::Homer;

/// Tells one Homer server. Whether it listens is never known.
pub(super) struct Agent {
    socket: UdpSocket,
    id: u32,
    password: Option<Private<String>>,
    /// Room for what is sent.
    packet: Vec<u8>,
}

impl Agent {
    pub(super) fn new(homer: &Homer) -> io::Result<Self> {
        let any: IpAddr = match homer.address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        socket.set_nonblocking(true)?;
        socket.connect(homer.address)?;
        Ok(Self { socket, id: homer.id, password: homer.password.clone(), packet: Vec::new() })
    }

    /// Tells of a SIP message. What cannot be sent at once is not sent.
    pub(super) fn tell(&mut self, message: &Packet<'_>, transport: Transport, call: CallId) {
        self.packet.clear();
        let password = self.password.as_ref().map(|password| password.expose().as_bytes());
        encode(message, transport, call, (self.id, password), &mut self.packet);
        self.socket.send(&self.packet).ok();
    }
}

/// Writes a SIP message as a packet of HEP3. It fits: what a trace keeps of a message leaves room for its headers.
pub(super) fn encode(
    message: &Packet<'_>,
    transport: Transport,
    call: CallId,
    (agent, password): (u32, Option<&[u8]>),
    out: &mut Vec<u8>,
) {
    let (from, to) = match message.way {
        Way::Sent => (message.ours, message.far),
        Way::Received => (message.far, message.ours),
    };
    let protocol = match transport {
        Transport::Udp => UDP,
        Transport::Tcp | Transport::Tls => TCP,
    };
    let micros = message.at.micros().max(0);
    out.extend_from_slice(b"HEP3\0\0");
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            chunk(FAMILY, &[AF_INET], out);
            chunk(SOURCE_V4, &from.octets(), out);
            chunk(DESTINATION_V4, &to.octets(), out);
        }
        (from, to) => {
            chunk(FAMILY, &[AF_INET6], out);
            chunk(SOURCE_V6, &v6(from), out);
            chunk(DESTINATION_V6, &v6(to), out);
        }
    }
    chunk(PROTOCOL, &[protocol], out);
    chunk(SOURCE_PORT, &from.port().to_be_bytes(), out);
    chunk(DESTINATION_PORT, &to.port().to_be_bytes(), out);
    // The protocol has 32 bits for both: it ends in 2106.
    chunk(SECS, &((micros / 1_000_000) as u32).to_be_bytes(), out);
    chunk(MICROS, &((micros % 1_000_000) as u32).to_be_bytes(), out);
    chunk(PAYLOAD_IS, &[SIP], out);
    chunk(AGENT, &agent.to_be_bytes(), out);
    if let Some(password) = password {
        chunk(PASSWORD, password, out);
    }
    chunk(CORRELATION, call.to_string().as_bytes(), out);
    chunk(PAYLOAD, message.payload, out);
    let length = u16::try_from(out.len()).unwrap_or(u16::MAX);
    out[4..6].copy_from_slice(&length.to_be_bytes());
}

fn chunk(number: u16, value: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(CHUNK_BYTES + value.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
}

fn v6(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// Bytes before a chunk's value.
const CHUNK_BYTES: usize = 6;

/// The chunks' types.
const FAMILY: u16 = 1;
const PROTOCOL: u16 = 2;
const SOURCE_V4: u16 = 3;
const DESTINATION_V4: u16 = 4;
const SOURCE_V6: u16 = 5;
const DESTINATION_V6: u16 = 6;
const SOURCE_PORT: u16 = 7;
const DESTINATION_PORT: u16 = 8;
const SECS: u16 = 9;
const MICROS: u16 = 10;
const PAYLOAD_IS: u16 = 11;
const AGENT: u16 = 12;
const PASSWORD: u16 = 14;
const PAYLOAD: u16 = 15;
const CORRELATION: u16 = 17;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const UDP: u8 = 17;
const TCP: u8 = 6;
const SIP: u8 = 1;
