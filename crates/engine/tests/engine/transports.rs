//! TCP, TLS, IPv6 and several addresses: calls by each, connections that break, and certificates that are wrong.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base::id::Leg;
use base::trunk::LinkFault;
use carrier::Carrier;
use huihu_engine::Trunk;
use huihu_engine::numbering::Step;
use huihu_engine::tls::{Identity, TlsClient, TlsServer};
use huihu_engine::trunk::{FromHost, Identity as TrunkIdentity, Peer, Probe};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sip::{Hop, Transport};

use crate::world::{APP, World, code, dialled};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Any port of this machine.
pub(crate) const ANY: SocketAddr = SocketAddr::new(LOCALHOST, 0);

/// An authority, in PEM.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Shown {
    certificates: String,
    key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn signs(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Shown {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Shown { certificates: certificate.pem(), key: key.serialize_pem() }
    }

    pub(crate) fn certifies(&self, name: &str) -> Shown {
        self.signs(name, |_| {})
    }

    /// Whoever trusts this authority, and shows that.
    pub(crate) fn trusted(&self, own: Option<&Shown>) -> TlsClient {
        TlsClient::new(Some(self.pem.as_bytes()), own.map(Shown::identity)).unwrap()
    }
}

impl Shown {
    fn identity(&self) -> Identity<'_> {
        Identity { certificates: self.certificates.as_bytes(), key: self.key.as_bytes() }
    }

    fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let certificates = CertificateDer::pem_slice_iter(self.certificates.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        (certificates.map(Result::unwrap).collect(), key)
    }

    /// What the carrier does with it; with an authority it wants a certificate of ours too.
    pub(crate) fn server(&self, wants: Option<&Authority>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let (certificates, key) = self.parts();
        let builder = match wants {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
                let verifier =
                    rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        Arc::new(builder.with_single_cert(certificates, key).unwrap())
    }
}

/// A carrier that takes connections too, whose telephones take no time.
pub(crate) fn carrier(tls: Option<Arc<ServerConfig>>) -> Carrier {
    let mut settings = carrier::Settings::new(ANY);
    settings.times = settings.times.scaled(0.01);
    settings.tcp = Some(ANY);
    settings.tls = tls.map(|shown| (ANY, shown));
    Carrier::start(settings).unwrap()
}

fn by_tcp(name: &str, to: SocketAddr) -> Trunk {
    Trunk { peers: vec![Hop::new(Transport::Tcp, to).into()], ..Trunk::new(name, to) }
}

fn by_tls(name: &str, to: SocketAddr, certificate: &str, client: TlsClient) -> Trunk {
    let peer = Peer { name: Some(certificate.into()), ..Hop::new(Transport::Tls, to).into() };
    Trunk { peers: vec![peer], tls: Some(client), ..Trunk::new(name, to) }
}

/// Has a trunk dial another number for the party of call 0, which chooses the party's fate there.
fn with_fate(trunk: Trunk, fate: &str) -> Trunk {
    let steps = vec![Step::Strip(dialled(0, Leg::A).into()), Step::Add(format!("+861380000{fate}").into())];
    Trunk { dialled: steps, ..trunk }
}

/// What is wrong with the connection to the first trunk.
fn link(world: &World) -> Option<LinkFault> {
    let now = base::time::Timestamp::from_millis(0);
    world.engine().trunks().views(now)[0].link
}

/// Both ways to listen that need no certificate.
fn udp_and_tcp() -> Vec<Hop> {
    vec![ANY.into(), Hop::new(Transport::Tcp, ANY)]
}

#[test]
fn calls_go_by_tcp_and_share_one_connection() {
    let carrier = carrier(None);
    let mut world = World::listening_at(udp_and_tcp(), None, vec![by_tcp("tcp", carrier.tcp().unwrap())]);
    for number in 0..3 {
        let words = world.answered(number);
        assert!(words.starts_with("dialled A, ringing A, answered A"), "{words}");
    }
    assert_eq!((carrier.heard().len(), carrier.connections(), link(&world)), (3, 1, None));
    world.until("every BYE has come", |_| carrier.open_legs() == 0);
}

#[test]
fn the_far_end_may_hang_up_by_a_connection_of_its_own() {
    let carrier = carrier(None);
    let trunk = with_fate(by_tcp("tcp", carrier.tcp().unwrap()), "0002");
    let mut world = World::listening_at(udp_and_tcp(), None, vec![trunk]);
    world.launch(0, code);
    let words = world.over(0);
    assert!(words.ends_with("over Normal"), "{words}");
    assert_eq!(carrier.connections(), 2, "ours, and the one to where we listen");
}

#[test]
fn where_we_do_not_listen_the_far_end_answers_by_our_connection() {
    let carrier = carrier(None);
    let trunk = with_fate(by_tcp("tcp", carrier.tcp().unwrap()), "0002");
    let mut world = World::listening_at(vec![ANY.into()], None, vec![trunk]);
    world.launch(0, code);
    let words = world.over(0);
    assert!(words.ends_with("over Normal"), "{words}");
    assert_eq!(carrier.connections(), 1);
}

#[test]
fn a_connection_that_breaks_takes_no_call_with_it() {
    let carrier = carrier(None);
    let mut world = World::listening_at(udp_and_tcp(), None, vec![by_tcp("tcp", carrier.tcp().unwrap())]);
    world.launch(0, code);
    world.until_fact(0, "answered A");
    carrier.cut();
    // Our ACK was the last word, and may have been lost: it is said again.
    world.until("there is another connection", |_| carrier.connections() == 2);
    assert!(world.stop(0, APP));
    let words = world.over(0);
    assert!(words.contains("stop asked, released A"), "{words}");
    world.until("the BYE has come", |_| carrier.open_legs() == 0);
    let words = world.answered(1);
    assert!(words.starts_with("dialled A, ringing A"), "{words}");
}

#[test]
fn where_nobody_takes_connections_the_next_trunk_is_asked_at_once() {
    let second = carrier(None);
    let closed = TcpListener::bind(ANY).unwrap().local_addr().unwrap();
    let mut first = by_tcp("closed", closed);
    first.silence = Duration::from_secs(60);
    let mut other = by_tcp("second", second.tcp().unwrap());
    other.routes[0].priority = 2;
    let mut world = World::listening_at(udp_and_tcp(), None, vec![first, other]);
    let words = world.answered(0);
    assert!(words.starts_with("dialled A, dialled A by second after 408, ringing A"), "{words}");
    assert_eq!(link(&world), Some(LinkFault::Refused));
}

#[test]
fn a_peer_that_takes_connections_and_never_answers_is_given_up() {
    let second = carrier(None);
    // The system accepts for it; nobody ever reads.
    let deaf = TcpListener::bind(ANY).unwrap();
    let mut first = by_tcp("deaf", deaf.local_addr().unwrap());
    first.silence = Duration::from_millis(100);
    let mut other = by_tcp("second", second.tcp().unwrap());
    other.routes[0].priority = 2;
    let mut world = World::listening_at(udp_and_tcp(), None, vec![first, other]);
    for number in 0..20 {
        world.launch(number, code);
    }
    for number in 0..20 {
        world.until_fact(number, "answered A");
    }
    assert_eq!(second.heard().len(), 20);
}

#[test]
fn calls_go_by_tls_to_who_proves_who_it_is() {
    let authority = Authority::new();
    let carrier = carrier(Some(authority.certifies("sbc.example.com").server(None)));
    let trunk = by_tls("tls", carrier.tls().unwrap(), "sbc.example.com", authority.trusted(None));
    let ours = TlsServer::new(authority.certifies("us.example.com").identity()).unwrap();
    let listening = vec![ANY.into(), Hop::new(Transport::Tls, ANY)];
    let mut world = World::listening_at(listening, Some(ours), vec![trunk]);
    for number in 0..2 {
        let words = world.answered(number);
        assert!(words.starts_with("dialled A, ringing A, answered A"), "{words}");
    }
    assert_eq!((carrier.heard().len(), carrier.connections(), link(&world)), (2, 1, None));
}

#[test]
fn a_far_end_that_wants_our_certificate_is_shown_it() {
    let authority = Authority::new();
    let carrier = carrier(Some(authority.certifies("sbc.example.com").server(Some(&authority))));
    let own = authority.certifies("us.example.com");
    let to = carrier.tls().unwrap();
    let trunk = by_tls("tls", to, "sbc.example.com", authority.trusted(Some(&own)));
    let mut world = World::listening_at(vec![ANY.into()], None, vec![trunk]);
    let words = world.answered(0);
    assert!(words.starts_with("dialled A, ringing A, answered A"), "{words}");
    let trunk = by_tls("tls", to, "sbc.example.com", authority.trusted(None));
    let mut world = World::listening_at(vec![ANY.into()], None, vec![trunk]);
    world.launch(0, code);
    world.over(0);
    assert_eq!(link(&world), Some(LinkFault::OursRefused));
}

#[test]
fn each_certificate_that_is_wrong_is_wrong_in_its_own_way() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let expired = authority.signs("sbc.example.com", |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    });
    let early = authority.signs("sbc.example.com", |params| {
        params.not_before = date_time_ymd(4000, 1, 1);
    });
    for (shown, fault) in [
        (authority.certifies("other.example.com"), LinkFault::NameMismatch),
        (stranger.certifies("sbc.example.com"), LinkFault::UnknownAuthority),
        (expired, LinkFault::Expired),
        (early, LinkFault::NotYetValid),
    ] {
        let carrier = carrier(Some(shown.server(None)));
        let to = carrier.tls().unwrap();
        let trunk = by_tls("tls", to, "sbc.example.com", authority.trusted(None));
        let mut world = World::listening_at(vec![ANY.into()], None, vec![trunk]);
        world.launch(0, code);
        let words = world.over(0);
        assert!(words.starts_with("dialled A, released A"), "{words}");
        assert_eq!(link(&world), Some(fault));
        assert!(carrier.heard().is_empty(), "nothing is told to who is not known");
    }
}

#[test]
fn who_does_not_speak_tls_is_told_as_such() {
    let plain = TcpListener::bind(ANY).unwrap();
    let authority = Authority::new();
    let to = plain.local_addr().unwrap();
    let trunk = by_tls("tls", to, "sbc.example.com", authority.trusted(None));
    let mut world = World::listening_at(vec![ANY.into()], None, vec![trunk]);
    world.launch(0, code);
    let (mut socket, _) = plain.accept().unwrap();
    socket.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n").unwrap();
    world.over(0);
    assert_eq!(link(&world), Some(LinkFault::NotTls));
}

#[test]
fn a_trunk_of_the_other_family_is_served_from_there() {
    let here = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let old = carrier(None);
    let mut spare = Trunk::new("old", old.address());
    spare.routes[0].priority = 2;
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut settings = carrier::Settings::new(here);
        // It listens long enough for a packet to come through on a busy machine.
        settings.times = settings.times.scaled(0.1);
        settings.tcp = Some(here);
        let new = Carrier::start(settings).unwrap();
        let trunk = match transport {
            Transport::Udp => Trunk::new("new", new.address()),
            _ => by_tcp("new", new.tcp().unwrap()),
        };
        let listening = vec![ANY.into(), here.into(), Hop::new(Transport::Tcp, here)];
        let mut world = World::listening_at(listening, None, vec![with_fate(trunk, "0002"), spare.clone()]);
        // It hangs up itself: what we told it of where we are is true.
        world.launch(0, code);
        let words = world.over(0);
        assert!(words.starts_with("dialled A, ringing A, answered A"), "{words}");
        assert!(new.heard()[0].packets_in > 0, "RTP goes by IPv6 too");
        let words = world.answered(1);
        assert!(words.starts_with("dialled A, ringing A, answered A"), "{words}");
    }
    assert!(old.heard().is_empty());
}

#[test]
fn requests_that_are_too_large_go_by_tcp_where_that_is_taken_and_as_datagrams_where_it_is_not() {
    for takes_tcp in [true, false] {
        // The same port for both, as large_by_tcp means it.
        let (carrier, listener) = loop {
            let mut settings = carrier::Settings::new(ANY);
            settings.times = settings.times.scaled(0.01);
            let free = TcpListener::bind(ANY).unwrap();
            settings.listen = free.local_addr().unwrap();
            if takes_tcp {
                settings.tcp = Some(settings.listen);
                drop(free);
                if let Ok(carrier) = Carrier::start(settings) {
                    break (carrier, None);
                }
            } else if let Ok(carrier) = Carrier::start(settings) {
                // Closed again: whoever connects there is refused.
                break (carrier, Some(free));
            }
        };
        drop(listener);
        let mut trunk = Trunk::new("both", carrier.address());
        trunk.large_by_tcp = true;
        // Four times in the INVITE.
        trunk.domain = Some("far-away.".repeat(27) + "com");
        trunk.identity = TrunkIdentity { host: FromHost::Trunk, asserted: true, ..TrunkIdentity::default() };
        let mut world = World::listening_at(udp_and_tcp(), None, vec![trunk]);
        let words = world.answered(0);
        assert!(words.starts_with("dialled A, ringing A, answered A"), "{words}");
        assert_eq!(carrier.connections(), usize::from(takes_tcp));
    }
}

#[test]
fn strangers_who_connect_hear_nothing() {
    let carrier = carrier(None);
    let world = World::listening_at(udp_and_tcp(), None, vec![by_tcp("tcp", carrier.tcp().unwrap())]);
    let engine = world.engine().listening()[1].address;
    let connected = |from: [u8; 4]| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&engine.into()).unwrap();
        TcpStream::from(socket)
    };
    let asks = |socket: &mut TcpStream| {
        let here = socket.local_addr().unwrap();
        let options = format!(
            "OPTIONS sip:us SIP/2.0\r\nVia: SIP/2.0/TCP {here};branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:x>;tag=1\r\n\
             To: <sip:us>\r\nCall-ID: {here}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        // Whoever closed already is no error here.
        socket.write_all(options.as_bytes()).ok();
        let mut answer = [0; 12];
        socket.read(&mut answer).is_ok_and(|bytes| bytes == 12 && answer.starts_with(b"SIP/2.0 200"))
    };
    assert!(asks(&mut connected([127, 0, 0, 1])), "the trunk's machine is served");
    assert!(!asks(&mut connected([127, 0, 0, 2])));
}

#[test]
fn a_trunk_that_is_asked_by_tcp_is_down_and_up_again() {
    let first = carrier(None);
    let mut trunk = by_tcp("asked", first.tcp().unwrap());
    trunk.probe = Some(Probe { every: Duration::from_millis(40), misses: 2 });
    let mut world = World::listening_at(udp_and_tcp(), None, vec![trunk]);
    world.until("it is connected", |_| first.connections() == 1);
    let address = first.tcp().unwrap();
    drop(first);
    world.until("it is missed", |world| link(world) == Some(LinkFault::Refused));
    let mut settings = carrier::Settings::new(ANY);
    settings.tcp = Some(address);
    // The last connection may still be dying there.
    let back = RefCell::new(None);
    world.until("it listens again", |_| {
        *back.borrow_mut() = Carrier::start(settings.clone()).ok();
        back.borrow().is_some()
    });
    world.until("it is reached again", |world| link(world).is_none());
}

#[test]
fn each_trunk_is_told_where_we_are_as_it_was_said() {
    let carrier = carrier(None);
    let mut trunk = Trunk::new("outside", carrier.address());
    trunk.external = Some("127.0.0.9".parse().unwrap());
    let mut world = World::listening_at(
        vec![SocketAddr::from(([0, 0, 0, 0], 0)).into()],
        None,
        vec![with_fate(trunk, "0002")],
    );
    // All of 127/8 is here, so what it is told leads to us.
    world.launch(0, code);
    let words = world.over(0);
    assert!(words.ends_with("over Normal"), "{words}");
}
