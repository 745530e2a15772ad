//! One record of a trace: pcap around Ethernet around IP around UDP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Kind, PAYLOAD_MAX, Packet, Way};
use crate::id::Leg;
use crate::time::Timestamp;

/// What a record tells.
pub(super) enum Record<'a> {
    Packet(Packet<'a>),
    LeftOut(u32),
}

pub(super) fn write(packet: &Packet<'_>, file: &mut Vec<u8>) {
    let payload = &packet.payload[..packet.payload.len().min(PAYLOAD_MAX)];
    // Both are at most 65,000.
    let kept = payload.len() as u16;
    let length = packet.length.clamp(kept, PAYLOAD_MAX as u16);
    let far = canonical(packet.far);
    let ours = Some(canonical(packet.ours)).filter(|ours| ours.is_ipv4() == far.is_ipv4());
    let ours = ours.unwrap_or_else(|| match far {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, packet.ours.port()).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, packet.ours.port()).into(),
    });
    let ((from, to), (source, destination)) = match packet.way {
        Way::Sent => ((ours, far), (OURS, station(packet.kind, packet.leg))),
        Way::Received => ((far, ours), (station(packet.kind, packet.leg), OURS)),
    };
    let headers = ETHERNET + if far.is_ipv4() { IPV4 } else { IPV6 } + UDP;
    write_record_header(packet.at, headers + usize::from(kept), headers + usize::from(length), file);
    file.extend_from_slice(&destination);
    file.extend_from_slice(&source);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => write_ipv4(from, to, length, file),
        (from, to) => write_ipv6(octets(from), octets(to), length, file),
    }
    file.extend_from_slice(&from.port().to_be_bytes());
    file.extend_from_slice(&to.port().to_be_bytes());
    file.extend_from_slice(&(UDP as u16 + length).to_be_bytes());
    // No checksum: the payload may be cut.
    file.extend_from_slice(&[0, 0]);
    file.extend_from_slice(payload);
}

pub(super) fn write_left_out(count: u32, at: Timestamp, file: &mut Vec<u8>) {
    let length = ETHERNET + size_of::<u32>();
    write_record_header(at, length, length, file);
    file.extend_from_slice(&OURS);
    file.extend_from_slice(&OURS);
    file.extend_from_slice(&EXPERIMENTAL);
    file.extend_from_slice(&count.to_be_bytes());
}

/// The first record, if it understands it, and what stands behind it; `None` where no whole record stands.
pub(super) fn read(file: &[u8]) -> Option<(Option<Record<'_>>, &[u8])> {
    let (header, rest) = file.split_first_chunk::<RECORD>()?;
    let field = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let kept = usize::try_from(field(8)).ok()?;
    let (frame, rest) = rest.split_at_checked(kept)?;
    let at = Timestamp::from_micros(i64::from(field(0)) * 1_000_000 + i64::from(field(4)));
    Some((read_frame(at, frame), rest))
}

fn read_frame(at: Timestamp, frame: &[u8]) -> Option<Record<'_>> {
    let (destination, rest) = frame.split_first_chunk::<6>()?;
    let (source, rest) = rest.split_first_chunk::<6>()?;
    let (ethertype, rest) = rest.split_first_chunk::<2>()?;
    if *ethertype == EXPERIMENTAL {
        return Some(Record::LeftOut(u32::from_be_bytes(*rest.first_chunk()?)));
    }
    let (way, far) = if *source == OURS { (Way::Sent, destination) } else { (Way::Received, source) };
    let (kind, leg) = read_station(*far)?;
    let (from, to, rest) = match *ethertype {
        ETHERTYPE_IPV4 => {
            let (ip, rest) = rest.split_first_chunk::<IPV4>()?;
            let address = |at: usize| IpAddr::from([ip[at], ip[at + 1], ip[at + 2], ip[at + 3]]);
            (address(12), address(16), rest)
        }
        ETHERTYPE_IPV6 => {
            let (ip, rest) = rest.split_first_chunk::<IPV6>()?;
            let address = |at: usize| ip[at..at + 16].try_into().map(|octets: [u8; 16]| IpAddr::from(octets));
            (address(8).ok()?, address(24).ok()?, rest)
        }
        _ => return None,
    };
    let (udp, payload) = rest.split_first_chunk::<UDP>()?;
    let field = |at: usize| u16::from_be_bytes([udp[at], udp[at + 1]]);
    let (from, to) = (SocketAddr::new(from, field(0)), SocketAddr::new(to, field(2)));
    let (ours, far) = match way {
        Way::Sent => (from, to),
        Way::Received => (to, from),
    };
    let length = field(4).saturating_sub(UDP as u16);
    Some(Record::Packet(Packet { at, leg, way, kind, ours, far, length, payload }))
}

fn write_record_header(at: Timestamp, kept: usize, whole: usize, file: &mut Vec<u8>) {
    let micros = at.micros().max(0);
    // The format ends in 2106, and frames are far below 4 GB.
    for field in [micros / 1_000_000, micros % 1_000_000, kept as i64, whole as i64] {
        file.extend_from_slice(&(field as u32).to_le_bytes());
    }
}

/// RFC 791 section 3.1.
fn write_ipv4(from: Ipv4Addr, to: Ipv4Addr, length: u16, file: &mut Vec<u8>) {
    let mut header = [0; IPV4];
    header[0] = 0x45;
    header[2..4].copy_from_slice(&((IPV4 + UDP) as u16 + length).to_be_bytes());
    header[6] = 0x40;
    header[8] = HOPS;
    header[9] = PROTOCOL_UDP;
    header[12..16].copy_from_slice(&from.octets());
    header[16..].copy_from_slice(&to.octets());
    let sum: u32 = header.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    // Ten words carry over once at most.
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    file.extend_from_slice(&ETHERTYPE_IPV4);
    file.extend_from_slice(&header);
}

/// RFC 8200 section 3.
fn write_ipv6(from: [u8; 16], to: [u8; 16], length: u16, file: &mut Vec<u8>) {
    let [high, low] = (UDP as u16 + length).to_be_bytes();
    file.extend_from_slice(&ETHERTYPE_IPV6);
    file.extend_from_slice(&[0x60, 0, 0, 0, high, low, PROTOCOL_UDP, HOPS]);
    file.extend_from_slice(&from);
    file.extend_from_slice(&to);
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The far end of the link: what it says, and which leg it is.
const fn station(kind: Kind, leg: Leg) -> [u8; 6] {
    let kind = match kind {
        Kind::Sip => b'S',
        Kind::Rtp => b'R',
    };
    let leg = match leg {
        Leg::A => 0x0a,
        Leg::B => 0x0b,
    };
    [0x02, kind, 0, 0, 0, leg]
}

fn read_station(station: [u8; 6]) -> Option<(Kind, Leg)> {
    let [0x02, kind, 0, 0, 0, leg] = station else { return None };
    let kind = match kind {
        b'S' => Kind::Sip,
        b'R' => Kind::Rtp,
        _ => return None,
    };
    match leg {
        0x0a => Some((kind, Leg::A)),
        0x0b => Some((kind, Leg::B)),
        _ => None,
    }
}

/// Our end of the link, an address that everybody may make up.
const OURS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];

const ETHERTYPE_IPV4: [u8; 2] = [0x08, 0x00];
const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];
/// IEEE 802 leaves it to everybody's own use.
const EXPERIMENTAL: [u8; 2] = [0x88, 0xb5];
const PROTOCOL_UDP: u8 = 17;
const HOPS: u8 = 64;

/// Bytes of the headers.
const RECORD: usize = 16;
const ETHERNET: usize = 14;
const IPV4: usize = 20;
const IPV6: usize = 40;
const UDP: usize = 8;
