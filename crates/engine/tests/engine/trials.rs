//! Trunks that are tried out: a good one, and each way in which one can be bad.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;

use base::number::E164;
use base::quality::Trouble;
use base::time::Instant;
use base::trunk::LinkFault;
use huihu_engine::Trunk;
use huihu_engine::trial::{Heard, Pong, Trial};
use huihu_engine::trunk::{Peer, Srtp};
use media::session::{Incoming, Session};
use media::srtp::TAG_BYTES_MAX;
use sip::digest::Credentials;
use sip::sdp::Codec;
use sip::{Hop, Transport};

use crate::codecs;
use crate::far::{Far, Phone};
use crate::transports::{self, Authority};
use crate::world::RTP_PORTS;

fn trial(peer: SocketAddr) -> Trial {
    Trial {
        trunk: Trunk::new("tried", peer),
        peer: peer.into(),
        local: SocketAddr::from(([127, 0, 0, 1], 0)),
        advertised: None,
        rtp_ports: RTP_PORTS,
        speaks: Duration::from_millis(1_500),
    }
}

fn call(trial: &Trial) -> Heard {
    called_at(trial, "+8613800000001")
}

fn called_at(trial: &Trial, dialled: &str) -> Heard {
    let number = |text| E164::parse(text).unwrap();
    trial.call(&number(dialled), &number("+8675500000001")).unwrap()
}

/// Calls a telephone of the far end, which does this all the time once it was answered.
fn called(does: impl FnMut(&mut Far)) -> Heard {
    called_by(|_| {}, |_| {}, does)
}

/// The same by a trunk that wants this, before a telephone that is so.
fn called_by(
    wants: impl FnOnce(&mut Trunk),
    is: impl Fn(&mut Phone),
    mut does: impl FnMut(&mut Far),
) -> Heard {
    let mut far = Far::new();
    let mut trial = trial(far.address());
    wants(&mut trial.trunk);
    let caller = thread::spawn(move || call(&trial));
    while !caller.is_finished() {
        far.pump();
        if far.phones.first().is_some_and(|phone| !phone.acked && phone.agreed.is_none() && phone.is_open()) {
            is(&mut far.phones[0]);
            far.answer(0);
        }
        if far.phones.first().is_some_and(|phone| phone.acked) {
            does(&mut far);
        }
    }
    caller.join().unwrap()
}

/// A telephone that says what it hears, in its codec and by its keys.
fn echo(session: &mut Option<Session>, far: &mut Far) {
    let phone = &mut far.phones[0];
    let session = session.get_or_insert_with(|| codecs::session(phone));
    session.relay();
    let now = Instant::START;
    for mut packet in std::mem::take(&mut phone.heard) {
        let length = packet.len();
        packet.resize(length + TAG_BYTES_MAX, 0);
        let length = session.open(&mut packet[..length]).unwrap();
        if let Incoming::Audio(heard, _) = session.receive(phone.engine, &packet[..length], now)
            && let Some(range) = session.forward(&heard, &mut packet, now)
        {
            phone.send_packet(&packet[range]);
        }
    }
}

fn packets(heard: &Heard) -> u32 {
    heard.media.map_or(0, |media| media.heard.packets)
}

#[test]
fn a_voice_that_comes_back_is_measured() {
    let heard = called(|far| far.phones[0].echo());
    assert!(heard.answered_after.is_some() && packets(&heard) > 50, "{heard:?}");
    assert!(heard.echo.is_some_and(|delay| delay < Duration::from_millis(200)), "{heard:?}");
    assert_eq!((heard.failed, heard.unreached), (None, None));
}

#[test]
fn a_voice_comes_back_in_any_codec_and_through_srtp() {
    for (codec, srtp) in [
        (Codec::G722, Srtp::Off),
        (Codec::Opus, Srtp::Off),
        (Codec::Pcmu, Srtp::Required),
        (Codec::G722, Srtp::Required),
    ] {
        let mut session = None;
        let wants = |trunk: &mut Trunk| (trunk.codecs, trunk.srtp) = (vec![codec], srtp);
        let is = |phone: &mut Phone| {
            phone.speaks(codec);
            if srtp == Srtp::Required {
                phone.protects(codecs::KEY);
            }
        };
        let heard = called_by(wants, is, |far| echo(&mut session, far));
        assert!(heard.echo.is_some() && packets(&heard) > 50, "{codec:?} {srtp:?}: {heard:?}");
    }
}

#[test]
fn a_voice_that_comes_from_elsewhere_is_told_as_such() {
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    let heard = called(|far| {
        let phone = &mut far.phones[0];
        for packet in phone.heard.drain(..) {
            elsewhere.send_to(&packet, phone.engine).unwrap();
        }
    });
    let media = heard.media.unwrap();
    assert_eq!((media.heard.packets, heard.echo), (0, None));
    assert!(matches!(media.trouble, Some(Trouble::Elsewhere | Trouble::BehindNat)), "{media:?}");
}

#[test]
fn an_offer_that_nothing_fits_is_refused() {
    let carrier = carrier::Carrier::start(carrier::Settings::new("127.0.0.1:0".parse().unwrap())).unwrap();
    let mut trial = trial(carrier.address());
    trial.trunk.srtp = Srtp::Required;
    let heard = call(&trial);
    assert_eq!((heard.failed, heard.answered_after), (Some(488), None));
}

#[test]
fn one_way_audio_is_a_call_without_a_packet() {
    let heard = called(|_| {});
    assert!(heard.answered_after.is_some());
    assert_eq!((packets(&heard), heard.echo, heard.failed), (0, None, None));
}

#[test]
fn a_closed_port_is_no_silence() {
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(trial(closed).ask().unwrap(), Pong::Unreached(LinkFault::Refused)));
    assert_eq!(call(&trial(closed)).unreached, Some(LinkFault::Refused));
}

#[test]
fn a_trunk_that_is_there_answers() {
    let carrier = carrier::Carrier::start(carrier::Settings::new("127.0.0.1:0".parse().unwrap())).unwrap();
    let pong = trial(carrier.address()).ask().unwrap();
    assert!(matches!(pong, Pong::Answered { status: 200, .. }), "{pong:?}");
}

/// A trial that trusts this authority, and wants a certificate for that name.
fn trusting(hop: Hop, authority: &Authority, name: &str) -> Trial {
    let trial = trial(hop.address);
    let trunk = Trunk { tls: Some(authority.trusted(None)), ..trial.trunk };
    Trial { trunk, peer: Peer { name: Some(name.into()), ..hop.into() }, ..trial }
}

#[test]
fn a_trunk_is_tried_by_its_transport_and_its_certificate_is_judged() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let carrier = transports::carrier(Some(authority.certifies("sbc.example.com").server(None)));
    let tcp = Hop::new(Transport::Tcp, carrier.tcp().unwrap());
    let tls = Hop::new(Transport::Tls, carrier.tls().unwrap());
    for hop in [tcp, tls] {
        let good = trusting(hop, &authority, "sbc.example.com");
        assert!(matches!(good.ask().unwrap(), Pong::Answered { status: 200, .. }), "{hop}");
        let heard = called_at(&good, "+8613800000003");
        assert!(heard.echo.is_some(), "{hop}: {heard:?}");
    }
    for (authority, name, expected) in [
        (&authority, "other.example.com", LinkFault::NameMismatch),
        (&stranger, "sbc.example.com", LinkFault::UnknownAuthority),
    ] {
        let bad = trusting(tls, authority, name);
        let pong = bad.ask().unwrap();
        assert!(matches!(pong, Pong::Unreached(fault) if fault == expected), "{pong:?}");
        assert_eq!(call(&bad).unreached, Some(expected));
    }
    let closed = TcpListener::bind(transports::ANY).unwrap().local_addr().unwrap();
    let refused = trusting(Hop::new(Transport::Tcp, closed), &authority, "sbc.example.com").ask().unwrap();
    assert!(matches!(refused, Pong::Unreached(LinkFault::Refused)), "{refused:?}");
}

#[test]
fn a_password_that_is_wrong_is_the_second_challenge() {
    let trunk = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut tried = trial(trunk.local_addr().unwrap());
    tried.trunk.credentials = Some(Credentials::new("us".to_owned(), "guess".to_owned()));
    let caller = thread::spawn(move || call(&tried));
    trunk.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut buffer = [0; 4_096];
    while !caller.is_finished() {
        let Ok((length, from)) = trunk.recv_from(&mut buffer) else { continue };
        let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if request.starts_with("INVITE") {
            let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
            let lines = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
            let lines: Vec<String> = lines
                .map(|line| if line.starts_with("To:") { format!("{line};tag=1") } else { line.to_owned() })
                .collect();
            let reply = format!(
                "SIP/2.0 401 Unauthorized\r\n{}\r\nWWW-Authenticate: Digest realm=\"here\", nonce=\"1\"\r\nContent-Length: 0\r\n\r\n",
                lines.join("\r\n")
            );
            trunk.send_to(reply.as_bytes(), from).unwrap();
        }
    }
    assert_eq!(caller.join().unwrap().failed, Some(401));
}
