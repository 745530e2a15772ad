//! Real receivers on this machine that fail in every way that we could think of.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base::limits::PUSH_ATTEMPT;
use base::url::PushUrl;
use dialects::{Headers, PushId};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::task::JoinSet;

use super::*;
use crate::fault::CertificateFault;
use crate::receiver::{Receiver, Reply};
use crate::resolver::Found;

/// A name server that never answers.
struct Deaf;

impl Lookup for Deaf {
    fn lookup(&self, _: &str) -> Found {
        Box::pin(std::future::pending())
    }
}

struct Table(HashMap<&'static str, Vec<IpAddr>>);

impl Lookup for Table {
    fn lookup(&self, host: &str) -> Found {
        let found = self.0.get(host).cloned().ok_or_else(|| io::Error::other("no such name"));
        Box::pin(async move { found })
    }
}

fn table(names: &[(&'static str, &[&str])]) -> Table {
    let parse = |list: &&[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
    Table(names.iter().map(|(name, list)| (*name, parse(list))).collect())
}

fn push(url: &str) -> Push {
    let headers = Headers::from_iter([("X-One", "1")]);
    Push { id: PushId(1), url: PushUrl::parse(url).unwrap(), headers, body: b"hello".to_vec() }
}

fn open(block: &str) -> Guard {
    Guard::new(vec![block.parse().unwrap()])
}

fn with_lookup(guard: Guard, lookup: impl Lookup) -> Poster {
    Poster::with(guard, PUSH_ATTEMPT, lookup, tls(trusted_roots()))
}

/// A client that may connect to this machine.
fn loopback() -> Poster {
    Poster::new(open("127.0.0.0/8"), PUSH_ATTEMPT)
}

fn url(host: &str, address: SocketAddr) -> String {
    format!("http://{host}:{}/x", address.port())
}

#[tokio::test]
async fn no_way_of_writing_our_own_address_is_connected_to() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let names = table(&[
        ("private.example", &["127.0.0.1"]),
        ("mixed.example", &["8.8.8.8", "127.0.0.1"]),
        ("mapped.example", &["::ffff:127.0.0.1"]),
        ("metadata.example", &["169.254.169.254"]),
        ("localhost", &["127.0.0.1"]),
        // The operating system's resolver takes these for addresses.
        ("127.1", &["127.0.0.1"]),
        ("2130706433", &["127.0.0.1"]),
        ("0x7f000001", &["127.0.0.1"]),
        ("0177.0.0.1", &["127.0.0.1"]),
        ("0", &["0.0.0.0"]),
    ]);
    let poster = with_lookup(Guard::default(), names);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "private.example",
        "mixed.example",
        "mapped.example",
        "metadata.example",
    ] {
        let answer = poster.post(&push(&url(host, receiver.address))).await;
        assert_eq!(answer, Err(PostFault::NotAllowed), "{host}");
    }
    assert_eq!(receiver.connections(), 0);
}

/// A name server that says something else each time.
struct Fickle(AtomicUsize, Vec<IpAddr>);

impl Lookup for Fickle {
    fn lookup(&self, _: &str) -> Found {
        let turn = self.0.fetch_add(1, Ordering::Relaxed);
        let address = self.1[turn % self.1.len()];
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_leads_to_what_was_judged() {
    // It breaks off, so that no connection is kept for the next one.
    let ours = Receiver::start(|_| Reply::hang_up()).await;
    let judged: IpAddr = "127.0.0.99".parse().unwrap();
    let poster =
        with_lookup(open("127.0.0.99"), Fickle(AtomicUsize::new(0), vec![judged, ours.address.ip()]));
    for turn in 0..20 {
        let answer = poster.post(&push(&url("fickle.example", ours.address))).await;
        // A second look before the connection would find the other address.
        let refused = matches!(answer, Err(PostFault::NotAllowed));
        assert!(answer.is_err() && refused == (turn % 2 == 1), "turn {turn}: {answer:?}");
    }
    assert_eq!(ours.connections(), 10);
}

#[tokio::test]
async fn no_spelling_of_any_forbidden_address_is_connected_to() {
    let ours = Receiver::start(|_| Reply::status(200)).await;
    let poster = with_lookup(Guard::default(), AsTheSystemReads);
    let mut tried = 0;
    let forbidden = [
        [127, 0, 0, 1],
        [127, 1, 2, 3],
        [0, 0, 0, 0],
        [10, 0, 0, 1],
        [172, 16, 0, 1],
        [192, 168, 0, 1],
        [169, 254, 169, 254],
        [100, 100, 100, 200],
        [100, 64, 0, 1],
        [192, 0, 0, 192],
        [198, 18, 0, 1],
        [224, 0, 0, 1],
        [240, 0, 0, 1],
        [255, 255, 255, 255],
    ];
    for [a, b, c, d] in forbidden {
        let number = u32::from_be_bytes([a, b, c, d]);
        let hex = format!("{:x}:{:x}", number >> 16, number & 0xffff);
        let not = format!("{:x}:{:x}", !number >> 16, !number & 0xffff);
        let hosts = [
            format!("{a}.{b}.{c}.{d}"),
            format!("{number}"),
            format!("0x{number:x}"),
            format!("0X{number:08X}"),
            format!("0{number:o}"),
            format!("{a}.{}", number & 0xff_ffff),
            format!("{a}.{b}.{}", number & 0xffff),
            format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
            format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
            format!("00{a:o}.{b}.{c}.{d}"),
            format!("0x{a:x}.{b}.0{c:o}.{d}"),
            format!("{a}.{b}.{c}.{d}."),
            format!("[::ffff:{a}.{b}.{c}.{d}]"),
            format!("[::ffff:{hex}]"),
            format!("[::{hex}]"),
            format!("[::ffff:0:{hex}]"),
            format!("[64:ff9b::{hex}]"),
            format!("[64:ff9b:1::{hex}]"),
            format!("[2002:{hex}::1]"),
            format!("[2001:0:0:0:0:0:{not}]"),
            format!("[0:0:0:0:0:ffff:{hex}]"),
            format!("[0000:0000:0000:0000:0000:FFFF:{hex}]"),
            format!("user@{a}.{b}.{c}.{d}"),
            format!("{a}.{b}.{c}.{d}#@example.com"),
            format!("{a}。{b}。{c}。{d}"),
            format!("%31%32%37.{b}.{c}.{d}"),
            format!("{a}.{b}.{c}.{d}\\@example.com"),
            format!("①②⑦.{b}.{c}.{d}"),
        ];
        for host in hosts {
            for scheme in ["http", "https"] {
                tried += 1;
                let port = ours.address.port();
                let Ok(receiver) = PushUrl::parse(&format!("{scheme}://{host}:{port}/x")) else {
                    continue;
                };
                let push = Push { url: receiver, ..push("http://example.com/") };
                let answer = poster.post(&push).await;
                assert!(answer.is_err(), "{host}: {answer:?}");
            }
        }
    }
    assert!(tried > 500, "{tried}");
    assert_eq!(ours.connections(), 0);
}

/// Reads all the ways of writing an IPv4 address that `inet_aton` takes, as the operating system's resolver does.
struct AsTheSystemReads;

impl Lookup for AsTheSystemReads {
    fn lookup(&self, host: &str) -> Found {
        let part = |text: &str| match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8).ok(),
            None => text.parse().ok(),
        };
        let parts: Option<Vec<u32>> = host.trim_end_matches('.').split('.').map(part).collect();
        let parts = parts.filter(|parts| parts.len() <= 4);
        let address = parts.and_then(|parts| {
            let (last, first) = parts.split_last()?;
            let head = first.iter().enumerate().map(|(at, part)| part << (24 - 8 * at)).sum::<u32>();
            Some(IpAddr::from(head.wrapping_add(*last).to_be_bytes()))
        });
        Box::pin(async move {
            address.map(|address| vec![address]).ok_or_else(|| io::Error::other("no such name"))
        })
    }
}

#[tokio::test]
async fn an_allowed_block_is_connected_to_by_the_checked_address() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let names = table(&[("shop.example", &["127.0.0.1"])]);
    let poster = with_lookup(open("127.0.0.0/8"), names);
    let answer = poster.post(&push(&url("shop.example", receiver.address))).await.unwrap();
    assert_eq!(answer.status, 200);
    let request = &receiver.requests()[0];
    assert_eq!((&*request.path, &request.body[..]), ("/x", &b"hello"[..]));
    assert_eq!(request.headers["x-one"], "1");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let target = Receiver::start(|_| Reply::status(200)).await;
    let location = url("127.0.0.1", target.address);
    let receiver = Receiver::start(move |_| Reply::status(302).header("location", &location)).await;
    let poster = loopback();
    let answer = poster.post(&push(&url("127.0.0.1", receiver.address))).await.unwrap();
    assert_eq!((answer.status, target.connections()), (302, 0));
}

#[tokio::test]
async fn a_long_answer_is_read_to_the_limit_only() {
    let receiver = Receiver::start(|_| Reply::status(200).body(vec![b'x'; 1 << 20])).await;
    let poster = loopback();
    let answer = poster.post(&push(&url("127.0.0.1", receiver.address))).await.unwrap();
    assert_eq!(answer.body.len(), PUSH_REPLY_BYTES);
}

#[tokio::test]
async fn whoever_is_not_there_is_told_apart() {
    let gone = Receiver::start(|_| Reply::status(200)).await.stop().await;
    let poster = with_lookup(open("127.0.0.0/8"), table(&[("empty.example", &[])]));
    let post = async |url: String| poster.post(&push(&url)).await;
    assert_eq!(post(url("127.0.0.1", gone)).await, Err(PostFault::NobodyListens));
    assert_eq!(post(url("nowhere.example", gone)).await, Err(PostFault::Nameless));
    assert_eq!(post(url("empty.example", gone)).await, Err(PostFault::Nameless));
    let quiet = Receiver::start(|_| Reply::hang_up()).await;
    assert_eq!(post(url("127.0.0.1", quiet.address)).await, Err(PostFault::Closed));
}

/// A receiver that does one thing with each connection, on a thread of its own.
fn raw(manner: impl Fn(&mut TcpStream) -> io::Result<()> + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let manner = manner.clone();
            // Whoever breaks off has heard enough.
            thread::spawn(move || manner(&mut stream).ok());
        }
    });
    address
}

/// Reads a request to its end, which is the body of [`push`].
fn heard(stream: &mut TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"hello") {
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    Ok(())
}

/// Hears the request, says that, and closes the connection.
fn says(text: &'static str) -> SocketAddr {
    raw(move |stream| {
        heard(stream)?;
        stream.write_all(text.as_bytes())
    })
}

/// Hears the request, says that, and resets the connection.
fn says_and_resets(text: &'static str) -> SocketAddr {
    raw(move |stream| {
        heard(stream)?;
        stream.write_all(text.as_bytes())?;
        // A moment later, or what was said is thrown away with the connection.
        thread::sleep(Duration::from_millis(50));
        reset(stream)
    })
}

/// Closes the connection so that the other side is told of an error.
fn reset(stream: &TcpStream) -> io::Result<()> {
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
    Ok(())
}

/// Hears the request, begins so, and then says the same for ever, in pieces that are so far apart.
fn goes_on(begin: &'static str, piece: &'static str, apart: Duration) -> SocketAddr {
    raw(move |stream| {
        heard(stream)?;
        stream.write_all(begin.as_bytes())?;
        let piece = if apart.is_zero() { piece.repeat(100) } else { piece.to_owned() };
        loop {
            stream.write_all(piece.as_bytes())?;
            thread::sleep(apart);
        }
    })
}

#[tokio::test]
async fn each_way_of_breaking_off_is_told_apart() {
    let poster = loopback();
    let resets_when_it_hears = raw(|stream| heard(stream).and_then(|()| reset(stream)));
    for (receiver, fault) in [
        (resets_when_it_hears, PostFault::Reset),
        (says(""), PostFault::Closed),
        (says("HTTP/1.1 200 OK\r\nContent-Le"), PostFault::Closed),
        (says_and_resets("HTTP/1.1 200 OK\r\nContent-Le"), PostFault::Reset),
        (says("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"), PostFault::BrokenOff),
        (says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"), PostFault::BrokenOff),
        (says_and_resets("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"), PostFault::BrokenOff),
        (says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n"), PostFault::NotHttp),
        (says("220 mail.example ESMTP ready\r\n"), PostFault::NotHttp),
        (says("SSH-2.0-OpenSSH_9.2\r\n"), PostFault::NotHttp),
        (says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12"), PostFault::NotHttp),
    ] {
        assert_eq!(poster.post(&push(&url("127.0.0.1", receiver))).await, Err(fault));
    }
}

#[tokio::test]
async fn what_never_ends_is_read_to_a_limit() {
    let poster = loopback();
    let at_once = Duration::ZERO;
    for (begin, piece) in
        [("HTTP/1.1 200 OK\r\n", "X-More: and more\r\n"), ("HTTP/1.1 200 OK\r\nX-Long: ", "and more")]
    {
        let receiver = goes_on(begin, piece, at_once);
        let answer = poster.post(&push(&url("127.0.0.1", receiver))).await;
        assert_eq!(answer, Err(PostFault::LongHead), "{piece}");
    }
    for (begin, piece) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "and more"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "8\r\nand more\r\n"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", "and more"),
    ] {
        let receiver = goes_on(begin, piece, at_once);
        let answer = poster.post(&push(&url("127.0.0.1", receiver))).await.unwrap();
        assert_eq!((answer.body.len(), answer.is_whole), (PUSH_REPLY_BYTES, false), "{begin}");
    }
}

#[tokio::test]
async fn each_way_of_being_late_is_told_apart() {
    let within = Duration::from_secs(2);
    let poster = Arc::new(Poster::with(open("127.0.0.0/8"), within, Deaf, tls(trusted_roots())));
    let (seldom, often) = (Duration::from_millis(100), Duration::from_millis(1));
    let hears_nothing = raw(|_| {
        thread::park();
        Ok(())
    });
    let says_nothing = raw(|stream| {
        heard(stream)?;
        thread::park();
        Ok(())
    });
    let (no_answer, no_end) = (PostFault::NoAnswer { within }, PostFault::NoEnd { within });
    let mut posts = JoinSet::new();
    for (host, receiver, fault) in [
        ("127.0.0.1", hears_nothing, no_answer),
        ("127.0.0.1", says_nothing, no_answer),
        ("127.0.0.1", goes_on("HTTP/1.1 200 OK\r\nX-Slow: ", "x", seldom), no_answer),
        ("127.0.0.1", goes_on("", "HTTP/1.1 100 Continue\r\n\r\n", often), no_answer),
        ("127.0.0.1", goes_on("HTTP/1.1 200 OK\r\n\r\n", "x", seldom), no_end),
        (
            "127.0.0.1",
            goes_on("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", seldom),
            no_end,
        ),
        ("name.example", says_nothing, PostFault::NoConnection { within }),
    ] {
        let (poster, push) = (Arc::clone(&poster), push(&url(host, receiver)));
        posts.spawn(async move { (poster.post(&push).await, Err(fault)) });
    }
    for (answer, expected) in posts.join_all().await {
        assert_eq!(answer, expected);
    }
    assert_eq!(no_end.to_string(), "the answer did not end within 2 s");
}

/// A receiver that shows a certificate and takes everything.
fn over_tls(shown: &Shown) -> SocketAddr {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![shown.0.clone()], shown.1.clone_key())
        .unwrap();
    let config = Arc::new(config);
    raw(move |stream| {
        let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut tls = rustls::Stream::new(&mut session, stream);
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"hello") {
            tls.read_exact(&mut byte)?;
            request.push(byte[0]);
        }
        tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        thread::park();
        Ok(())
    })
}

struct Shown(CertificateDer<'static>, PrivateKeyDer<'static>);

fn certificate(
    issuer: &Issuer<'static, KeyPair>,
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> Shown {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    change(&mut params);
    let certificate = params.signed_by(&key, issuer).unwrap();
    Shown(certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

/// An authority, and its certificate.
fn authority() -> (Issuer<'static, KeyPair>, CertificateDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = params.self_signed(&key).unwrap().der().clone();
    (Issuer::new(params, key), own)
}

#[tokio::test]
async fn each_certificate_that_is_wrong_is_wrong_in_its_own_way() {
    const NAME: &str = "shop.example";
    let ((ours, trusted), (theirs, _)) = (authority(), authority());
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let names = table(&[(NAME, &["127.0.0.1"])]);
    let poster = Poster::with(open("127.0.0.0/8"), PUSH_ATTEMPT, names, tls(roots));
    let expired = certificate(&ours, NAME, |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    });
    let early = certificate(&ours, NAME, |params| params.not_before = date_time_ymd(4000, 1, 1));
    let post = async |receiver: SocketAddr| {
        poster.post(&push(&format!("https://{NAME}:{}/x", receiver.port()))).await
    };
    for (shown, fault) in [
        (certificate(&ours, "other.example", |_| {}), CertificateFault::OtherName),
        (certificate(&theirs, NAME, |_| {}), CertificateFault::Stranger),
        (expired, CertificateFault::Expired),
        (early, CertificateFault::NotYetValid),
    ] {
        assert_eq!(post(over_tls(&shown)).await, Err(PostFault::Certificate(fault)));
    }
    let answer = post(over_tls(&certificate(&ours, NAME, |_| {}))).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(post(raw(|stream| stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"))).await, Err(PostFault::NoTls));
    assert_eq!(post(raw(|stream| reset(stream))).await, Err(PostFault::NotConnected));
}
