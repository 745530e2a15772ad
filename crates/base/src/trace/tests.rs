use std::net::IpAddr;

use etherparse::{LaxSlicedPacket, TransportSlice};
use pcap_parser::PcapCapture;

use super::*;

const SIP: &[u8] = b"INVITE sip:a@192.0.2.9 SIP/2.0\r\n\r\n";

fn packet(at: i64, payload: &[u8]) -> Packet<'_> {
    Packet {
        at: Timestamp::from_micros(at),
        leg: Leg::A,
        way: Way::Sent,
        kind: Kind::Sip,
        ours: "192.0.2.1:5060".parse().unwrap(),
        far: "192.0.2.9:5070".parse().unwrap(),
        length: u16::try_from(payload.len()).unwrap(),
        payload,
    }
}

fn file(packets: &[Packet<'_>]) -> Vec<u8> {
    let mut file = FILE_HEADER.to_vec();
    packets.iter().for_each(|packet| write(packet, &mut file));
    file
}

fn several() -> [Packet<'static>; 4] {
    let (ours, far) = ("[2001:db8::1]:20000".parse().unwrap(), "[2001:db8::9]:4000".parse().unwrap());
    let header = &[0x80, 8, 0, 7, 0, 0, 0, 160, 1, 2, 3, 4];
    [
        packet(1_700_000_000_000_123, SIP),
        Packet { way: Way::Received, leg: Leg::B, ..packet(1_700_000_000_000_124, SIP) },
        Packet { ours, far, kind: Kind::Rtp, length: 172, ..packet(1_700_000_001_999_999, header) },
        Packet { way: Way::Received, kind: Kind::Rtp, length: 172, ..packet(1_700_000_002_000_000, header) },
    ]
}

#[test]
fn what_is_written_is_read_in_the_order_of_time() {
    let mut all = several();
    let mut mixed = file(&[all[3], all[0], all[2]]);
    write_left_out(5, Timestamp::from_millis(0), &mut mixed);
    write(&all[1], &mut mixed);
    write_left_out(2, Timestamp::from_millis(0), &mut mixed);
    let trace = Trace::read(&mixed);
    assert_eq!((&trace.packets[..], trace.left_out), (&all[..], 7));
    assert_eq!(trace.to_pcap(), file(&all));
    all[0].at = Timestamp::from_micros(-1);
    assert_eq!(Trace::read(&file(&all[..1])).packets[0].at, Timestamp::default(), "before all pcap files");
}

/// Two crates that others wrote read what we wrote.
#[test]
fn others_read_the_same() {
    let all = several();
    let written = file(&all);
    let capture = PcapCapture::from_file(&written).unwrap();
    assert_eq!(capture.blocks.len(), all.len());
    for (packet, read) in all.into_iter().zip(capture.blocks) {
        let at = i64::from(read.ts_sec) * 1_000_000 + i64::from(read.ts_usec);
        assert_eq!(at, packet.at.micros());
        assert_eq!(read.origlen - read.caplen, u32::from(packet.length) - packet.payload.len() as u32);
        let sliced = LaxSlicedPacket::from_ethernet(read.data).unwrap();
        let (from, to, checksum_fits) = match sliced.net.unwrap() {
            etherparse::LaxNetSlice::Ipv4(ip) => {
                let header = ip.header();
                let fits = header.to_header().calc_header_checksum() == header.header_checksum();
                (header.source_addr().into(), header.destination_addr().into(), fits)
            }
            etherparse::LaxNetSlice::Ipv6(ip) => {
                (IpAddr::from(ip.header().source_addr()), ip.header().destination_addr().into(), true)
            }
            etherparse::LaxNetSlice::Arp(_) => panic!("this is no ARP"),
        };
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { panic!("this is UDP") };
        let (from, to) = ((from, udp.source_port()), (to, udp.destination_port()));
        let (ours, far) = if packet.way == Way::Sent { (from, to) } else { (to, from) };
        assert!(checksum_fits);
        assert_eq!((SocketAddr::from(ours), SocketAddr::from(far)), (packet.ours, packet.far));
        assert_eq!((udp.payload(), udp.length()), (packet.payload, packet.length + 8));
    }
}

#[test]
fn a_file_that_ends_too_early_is_read_as_far_as_it_goes() {
    let whole = file(&several());
    for length in 0..=whole.len() {
        assert!(Trace::read(&whole[..length]).packets.len() <= 4);
    }
    assert_eq!(Trace::read(&whole[..whole.len() - 1]).packets.len(), 3);
    assert_eq!(Trace::read(b"something else").packets, []);
}

#[test]
fn no_bytes_do_harm() {
    let whole = file(&several());
    for at in FILE_HEADER.len()..whole.len() {
        let mut bad = whole.clone();
        bad[at] ^= 0xff;
        assert!(Trace::read(&bad).packets.len() <= 4, "byte {at}");
    }
}

#[test]
fn an_address_of_another_family_is_nobodys() {
    let mixed = Packet { ours: "[::1]:5060".parse().unwrap(), ..packet(1, SIP) };
    assert_eq!(Trace::read(&file(&[mixed])).packets[0].ours, "0.0.0.0:5060".parse().unwrap());
    let mapped = Packet { ours: "[::ffff:192.0.2.1]:5060".parse().unwrap(), ..packet(1, SIP) };
    assert_eq!(Trace::read(&file(&[mapped])).packets[0].ours, "192.0.2.1:5060".parse().unwrap());
}

#[test]
fn what_is_too_long_is_cut() {
    let long = vec![b'x'; 70_000];
    let cut = Packet { length: u16::MAX, payload: &long, ..packet(1, SIP) };
    let written = file(&[cut]);
    let trace = Trace::read(&written);
    assert_eq!((trace.packets[0].payload.len(), trace.packets[0].length), (65_000, 65_000));
}

#[test]
fn room_for_a_frame_is_enough_for_every_packet() {
    for packet in several() {
        let mut chunk = Vec::with_capacity(FRAME_BYTES + packet.payload.len());
        let before = chunk.capacity();
        write(&packet, &mut chunk);
        assert_eq!(chunk.capacity(), before);
    }
}

#[test]
fn traces_of_an_hour_lie_together() {
    let at = Timestamp::parse("2026-01-02T03:04:05", "%Y-%m-%dT%H:%M:%S").unwrap();
    let call = CallId::new(at, 7);
    assert_eq!(path(Path::new("/t"), call), Path::new(&format!("/t/2026-01-02/03/{call}.pcap")));
}
