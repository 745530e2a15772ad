//! What goes wrong outside of us: a machine that is not ready, a configuration with a mistake, clients and strangers who
//! send what nobody should. Each is told in a sentence, or not answered at all, and disturbs nobody else.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use carrier::{Carrier, LegReport, Settings};
use huihu_tests::api::{AUTHORIZATION, NUMBER, encoded, send, try_send};
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::ksyun::{self, VERIFY, call_id};
use huihu_tests::operator::Operator;
use huihu_tests::receiver::{Receiver, Reply};
use huihu_tests::sipp::free_port;
use huihu_tests::wait;
use media::clip::Clip;
use serde_json::json;
use tempfile::TempDir;

const A: &str = "+8613800000001";
const B: &str = "+8613800010001";

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// A trunk that nobody calls.
fn nowhere() -> SocketAddr {
    "127.0.0.1:9".parse().expect("this is an address")
}

/// Asserts that a complaint has these words in it.
#[track_caller]
fn says(complaint: &str, words: &[&str]) {
    for word in words {
        assert!(complaint.contains(word), "{word:?} is missing in: {complaint}");
    }
}

#[test]
fn a_taken_port_is_named_with_its_holder_and_the_flag() {
    let installation = Installation::new(nowhere());
    let us = format!("pid {} (", std::process::id());
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a loopback port is free");
    let address = udp.local_addr().expect("a socket has an address").to_string();
    says(&installation.complaint(&["serve", "--sip", &address], &[]), &[&address, "/udp", &us, "--sip"]);
    says(&installation.complaint(&["serve"], &[("HUIHU_SIP__LISTEN", &address)]), &[&address, &us, "--sip"]);
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let address = tcp.local_addr().expect("a listener has an address").to_string();
    says(&installation.complaint(&["serve", "--http", &address], &[]), &[&address, "/tcp", &us, "--http"]);
}

#[test]
fn an_address_of_another_machine_is_told_as_such() {
    let installation = Installation::new(nowhere());
    // TEST-NET-1 (RFC 5737): nobody has it.
    for flag in ["--sip", "--http"] {
        let complaint = installation.complaint(&["serve", flag, "192.0.2.1:5060"], &[]);
        says(&complaint, &["192.0.2.1:5060", flag, "an address of this machine"]);
    }
}

#[test]
fn a_data_directory_that_cannot_be_one_is_named() {
    let installation = Installation::new(nowhere());
    let file = installation.path("huihu.toml").join("data");
    let file = file.to_string_lossy();
    let complaint = installation.complaint(&["serve", "--data-dir", &file], &[]);
    says(&complaint, &["cannot create", &file, "check that"]);
}

#[test]
fn one_data_directory_has_one_server() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    let complaint = installation.complaint(&["serve"], &[]);
    says(&complaint, &["another huihu serves from", "data", "stop it"]);
    drop(server);
    let _next = installation.serve();
}

#[test]
fn the_wrong_key_file_opens_nothing() {
    let installation = Installation::new(nowhere());
    let data = installation.path("data");
    let files = fs::read_dir(&data).expect("the data directory is there");
    let holds_a_key = |path: &std::path::PathBuf| {
        fs::read_to_string(path).is_ok_and(|text| text.trim().len() == 64 && !text.contains(' '))
    };
    let key = files.map(|item| item.expect("a folder can be read").path()).find(holds_a_key);
    let key = key.expect("the data directory has a key file");
    fs::write(&key, "0".repeat(64)).expect("the key file can be written");
    says(&installation.complaint(&["serve"], &[]), &["is not the key", "put the right file back"]);
    fs::remove_file(&key).expect("the key file can be removed");
    says(&installation.complaint(&["serve"], &[]), &["is missing", "backup"]);
}

#[test]
fn a_mistake_in_the_configuration_is_a_sentence_with_the_fix() {
    let installation = Installation::new(nowhere());
    let cases: &[(&str, &str, &[&str])] = &[
        ("HUIHU_NOTE", "x", &["unknown field", "note", "`node`"]),
        ("HUIHU_SIP__PORT", "5060", &["unknown field", "port", "`listen`"]),
        ("HUIHU_NODE", "a b", &["node", "a b", "not a host name", "use letters"]),
        ("HUIHU_NODE", "", &["node", "not a host name"]),
        ("HUIHU_HTTP", "7080", &["HTTP", "7080", "expected socket address"]),
        ("HUIHU_SIP__RTP_PORTS", "30000-20000", &["30000-20000", "write it as 20000-29999"]),
        ("HUIHU_SIP__RTP_PORTS", "20000", &["20000", "write it as 20000-29999"]),
        ("HUIHU_PUSH__ALLOW", "[10.0.0.0/40]", &["push.allow", "10.0.0.0/40", "not a block"]),
        ("HUIHU_TRUNK__USERNAME", "1001", &["[trunk]", "username", "set both"]),
        ("HUIHU_TRUNK__PASSWORD", "canary-4711", &["[trunk]", "password", "set both"]),
        ("HUIHU_LOG", "huihu=loudly", &["HUIHU_LOG", "loudly"]),
        ("HUIHU_CONFIG", "/nowhere/huihu.toml", &["/nowhere/huihu.toml", "no configuration file"]),
    ];
    for (name, value, words) in cases {
        let complaint = installation.complaint(&["serve"], &[(name, value)]);
        says(&complaint, words);
        assert!(!complaint.contains("canary"), "a secret is told: {complaint}");
    }
    let file = installation.path("huihu.toml");
    for (text, words) in [
        ("[trunk]\npear = \"127.0.0.1:5060\"\n", &["pear", "peer"][..]),
        ("[trunk]\npeer = 5060\n", &["peer", "5060"]),
        ("[trunk]\npassword = 47110815\n", &["password", "write it in quotes"]),
        ("node = \n", &["huihu.toml"]),
        ("", &["no trunk is configured", "[trunk]", "HUIHU_TRUNK__PEER"]),
    ] {
        fs::write(&file, text).expect("the folder can be written");
        let complaint = installation.complaint(&["serve", "--http", "127.0.0.1:0"], &[]);
        says(&complaint, words);
        assert!(!complaint.contains("47110815"), "a secret is told: {complaint}");
    }
}

#[test]
fn numbers_are_texts_where_texts_belong() {
    let installation = Installation::new(nowhere());
    let _server = installation.serve_with(&[
        ("HUIHU_NODE", "1"),
        ("HUIHU_TRUNK__USERNAME", "0012"),
        ("HUIHU_TRUNK__PASSWORD", "12345"),
    ]);
}

#[test]
fn dev_cannot_be_reached_from_outside() {
    let installation = Installation::new(nowhere());
    for flag in ["--http", "--sip"] {
        let complaint = installation.complaint(&["dev", flag, "0.0.0.0:0"], &[]);
        says(&complaint, &[flag, "0.0.0.0:0", "from outside", "127.0.0.1"]);
    }
}

#[test]
fn what_is_typed_wrong_is_told_with_what_would_be_right() {
    let installation = Installation::new(nowhere());
    let cases: &[(&[&str], &[&str])] = &[
        (&["number", "add", "--app", "demo", "hello"], &["hello", "no telephone number"]),
        (&["number", "add", "--app", "nobody", "+8675500000009"], &["no app nobody", "huihu app list"]),
        (&["app", "create", "demo"], &["demo"]),
        (&["clip", "add", "--app", "demo", "x.wav", "--file", "/nowhere.wav"], &["/nowhere.wav"]),
        (&["clip", "add", "--app", "demo", "../x.wav", "--file", "/etc/hostname"], &["../x.wav"]),
        (&["clip", "add", "--app", "demo", "x.wav", "--file", "/etc/hostname"], &["/etc/hostname"]),
        (&["clip", "approve", "--app", "demo", "nothing.wav"], &["nothing.wav"]),
        (&["record", "show", "hello"], &["hello", "huihu record list"]),
        (&["sign", "huawei", "--ready-file", "/nowhere.json"], &["/nowhere.json"]),
    ];
    for (words, fragments) in cases {
        says(&installation.complaint(words, &[]), fragments);
    }
}

#[test]
fn a_body_that_is_too_long_is_refused_in_the_vendors_words() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    let customer = installation.customer(&server);
    let body = json!({"displayNbr": NUMBER, "calleeNbr": A, "userData": "x".repeat(1 << 20)});
    let answer = customer.post("/rest/httpsessions/callVerify/v1.0", &body);
    assert_eq!(answer.status / 100, 4, "{}", answer.body);
    assert_ne!(answer.code(), "0");
    assert_eq!(installation.records(10).len(), 0);
}

#[test]
fn requests_that_are_none_disturb_nobody() {
    let installation = Installation::new(nowhere());
    let server = installation.serve();
    // Clients that began a request and do nothing more: heads without an end, and bodies that do not come.
    let halves: Vec<TcpStream> = (0..300)
        .map(|n| {
            let mut stream = TcpStream::connect(&server.http).expect("the server listens");
            let half = if n % 2 == 0 {
                "POST /rest/httpsessions/click2Call/v2.0 HTTP/1.1\r\nHost: x\r\nX-"
            } else {
                "POST /rest/httpsessions/click2Call/v2.0 HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
            };
            stream.write_all(half.as_bytes()).expect("the server reads");
            stream
        })
        .collect();
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    let garbage: &[&[u8]] = &[
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello over TLS",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        b"INVITE sip:x SIP/2.0\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\xfe\r\nAuthorization: \xc3\x28\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ];
    for bytes in garbage {
        let mut stream = TcpStream::connect(&server.http).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
        // The server may break off before it has read everything.
        stream.write_all(bytes).and_then(|()| stream.shutdown(std::net::Shutdown::Write)).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }
    let signed = [("Authorization", AUTHORIZATION), ("X-AKSK", "UsernameToken \u{fffd}\u{e9}")];
    for body in [deep.as_str(), "", "null", "{", "\u{feff}{}", "{\"displayNbr\":{}}"] {
        let answer = send(&server.http, "POST", "/rest/httpsessions/click2Call/v2.0", &signed, body);
        assert_eq!(answer.status / 100, 4, "{body:.20}: {}", answer.body);
        let proved = installation.customer(&server);
        let value = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
        let answer = proved.post("/rest/httpsessions/click2Call/v2.0", &value);
        assert_eq!(answer.status / 100, 4, "{body:.20}: {}", answer.body);
    }
    for method in ["GET", "PUT", "DELETE", "BREW"] {
        let answer = send(&server.http, method, "/rest/httpsessions/click2Call/v2.0", &signed, "");
        assert_eq!(answer.status / 100, 4, "{method}: {}", answer.body);
    }
    assert_eq!(send(&server.http, "GET", "/nothing/here", &[], "").status, 404);
    assert_eq!(installation.customer(&server).callback("x", "y", &json!({})).status / 100, 4);
    drop(halves);
    assert!(try_send(&server.http, "GET", "/", &[], "").is_ok());
    assert!(!installation.log().contains("panicked"), "{}", installation.log());
}

/// A call between two simulated telephones that speak and are recorded.
struct Conversation {
    carrier: Carrier,
    _tapes: TempDir,
    installation: Installation,
    server: Server,
    receiver: Receiver,
    session: String,
    /// The first of the four ports that the call's RTP and RTCP have.
    rtp: u16,
}

impl Conversation {
    fn start(environment: &[(&str, &str)]) -> Self {
        let tapes = TempDir::new().expect("a temporary folder can be made");
        let mut settings = Settings::new("127.0.0.1:0".parse().expect("this is an address"));
        settings.voices = vec![Clip::from_alaw(&voice(3)), Clip::from_alaw(&voice(5))];
        settings.recordings = Some(tapes.path().to_owned());
        settings.times.ring = Duration::from_millis(50);
        let carrier = Carrier::start(settings).expect("a carrier can be started");
        let installation = Installation::new(carrier.address());
        let rtp = free_ports();
        let range = format!("{rtp}-{}", rtp + 3);
        let environment = [environment, &[("HUIHU_SIP__RTP_PORTS", &range)]].concat();
        let server = installation.serve_with(&environment);
        let receiver = Receiver::start();
        let urls = json!({
            "statusUrl": encoded(&receiver.url("status")), "feeUrl": encoded(&receiver.url("fee")),
        });
        let session = installation.customer(&server).callback(A, B, &urls).session();
        let this = Self { carrier, _tapes: tapes, installation, server, receiver, session, rtp };
        this.goes_on();
        this
    }

    /// Waits until half a second more of each voice has arrived.
    fn goes_on(&self) {
        let packets = || self.carrier.heard().iter().map(|leg| leg.packets_in).collect::<Vec<_>>();
        let before = packets();
        wait::until("the conversation to go on", PATIENCE, || {
            let now = packets();
            let more = |leg: usize| now.get(leg).unwrap_or(&0) - before.get(leg).unwrap_or(&0);
            (more(0) >= 25 && more(1) >= 25).then_some(())
        });
    }

    /// Ends the call, and gives what each party heard, as A-law.
    fn end(&self) -> [Vec<u8>; 2] {
        let answer = self.installation.customer(&self.server).stop(&self.session);
        assert_eq!(answer.code(), "0");
        assert_eq!(self.receiver.state_code(&self.session), 8017, "it was up until we stopped it");
        let legs = wait::until("the telephones to be released", PATIENCE, || {
            let legs = self.carrier.heard();
            legs.iter().all(|leg| leg.ended.is_some()).then_some(legs)
        });
        let tape = |leg: &LegReport| {
            let file = leg.heard.as_ref().expect("every answered telephone is recorded");
            let bytes = fs::read(file).expect("a recording can be read");
            let data = bytes.windows(4).position(|word| word == b"data").expect("a WAV has a data chunk");
            let length = u32::from_le_bytes(bytes[data + 4..data + 8].try_into().expect("four bytes"));
            bytes[data + 8..][..length as usize].to_vec()
        };
        [tape(&legs[0]), tape(&legs[1])]
    }
}

/// A second of noise that never repeats itself (a linear congruential generator's upper bits).
fn voice(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let sample = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..8_000).map(sample).collect()
}

/// The first of four ports that are free one after the other, an even one.
fn free_ports() -> u16 {
    loop {
        let first = free_port().port() & !1;
        if (first..first + 4).all(|port| UdpSocket::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}

/// Asserts that nothing at all has come to a socket.
fn heard_nothing(stranger: &UdpSocket) {
    stranger.set_nonblocking(true).expect("a socket can be made not to wait");
    let mut datagram = [0; 2_048];
    let heard = stranger
        .recv_from(&mut datagram)
        .map(|(length, from)| format!("{from} says {}", String::from_utf8_lossy(&datagram[..length])));
    assert_eq!(heard.ok(), None);
}

#[test]
fn a_stranger_on_sip_is_not_answered_and_changes_nothing() {
    let call = Conversation::start(&[]);
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a loopback port is free");
    let here = stranger.local_addr().expect("a socket has an address");
    let legs = call.carrier.heard();
    let request = |method: &str, call_id: &str, more: &str| {
        format!(
            "{method} sip:{A}@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKstranger;rport\r\n\
             From: <sip:stranger@{here}>;tag=1\r\nTo: <sip:{A}@{to}>{more}\r\nCall-ID: {call_id}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:stranger@{here}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            to = call.server.sip,
        )
    };
    let mut datagrams: Vec<Vec<u8>> = Vec::new();
    for method in ["OPTIONS", "INVITE", "REGISTER", "SUBSCRIBE", "MESSAGE", "BYE", "CANCEL", "ACK"] {
        datagrams.push(request(method, "stranger", "").into_bytes());
        for leg in &legs {
            datagrams.push(request(method, &leg.call_id, "").into_bytes());
            datagrams.push(request(method, &leg.call_id, ";tag=2").into_bytes());
        }
    }
    for status in ["200 OK", "404 Not Found", "503 Service Unavailable"] {
        let from = request("INVITE", &legs[0].call_id, ";tag=3");
        let (_, headers) = from.split_once("\r\n").expect("a request has lines");
        datagrams.push(format!("SIP/2.0 {status}\r\n{headers}").into_bytes());
    }
    datagrams.extend([b"\r\n\r\n".to_vec(), Vec::new(), vec![0; 1_400], vec![0xff; 60_000]]);
    datagrams.push(request("OPTIONS", &"x".repeat(50_000), "").into_bytes());
    for datagram in &datagrams {
        stranger.send_to(datagram, call.server.sip).expect("a datagram can be sent");
    }
    call.goes_on();
    let _tapes = call.end();
    heard_nothing(&stranger);
}

#[test]
fn a_stranger_on_rtp_is_not_heard_and_hears_nothing() {
    let call = Conversation::start(&[]);
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a loopback port is free");
    const NOISE: u8 = 0x2a;
    for sequence in 0..200_u16 {
        let mut packet = vec![0x80, 8];
        packet.extend(sequence.to_be_bytes());
        packet.extend((u32::from(sequence) * 160).to_be_bytes());
        packet.extend(0xdead_beef_u32.to_be_bytes());
        packet.extend([NOISE; 160]);
        for port in [call.rtp, call.rtp + 2] {
            stranger.send_to(&packet, ("127.0.0.1", port)).expect("a datagram can be sent");
        }
        // RTCP: a BYE for all that it may be about.
        for port in [call.rtp + 1, call.rtp + 3] {
            let bye = [0x81, 203, 0, 1, 0xde, 0xad, 0xbe, 0xef];
            stranger.send_to(&bye, ("127.0.0.1", port)).expect("a datagram can be sent");
        }
    }
    call.goes_on();
    let [a, b] = call.end();
    heard_nothing(&stranger);
    // A hears the voice of B and B that of A, to the bit: where nothing arrived in time the tape is silent.
    for (who, tape, said) in [("A", a, voice(5)), ("B", b, voice(3))] {
        let end = tape.iter().rposition(|sample| *sample != SILENCE).expect("the tape is not silent") + 1;
        let said = [&said[..], &said, &said].concat();
        let last = &tape[end - 80..end];
        let place = said.windows(80).rposition(|sound| sound == last).expect("the voice is heard") + 80;
        let pairs = tape[end - HALF_A_SECOND..end].iter().zip(&said[place - HALF_A_SECOND..place]);
        let wrong = pairs.filter(|(heard, said)| *heard != *said && **heard != SILENCE).count();
        assert_eq!(wrong, 0, "{who} hears what nobody said");
    }
}

/// Samples of half a second, which a conversation has at least.
const HALF_A_SECOND: usize = 4_000;

/// The A-law sample of a tape where nothing was heard.
const SILENCE: u8 = 0xd5;

#[test]
fn nothing_private_is_logged_however_much_is() {
    let call = Conversation::start(&[
        ("HUIHU_LOG", "trace"),
        ("HUIHU_TRUNK__USERNAME", "trunkuser"),
        ("HUIHU_TRUNK__PASSWORD", "trunkcanary"),
    ]);
    let customer = call.installation.customer(&call.server);
    assert_eq!(call.end().len(), 2);
    let urls = json!({
        "statusUrl": encoded(&call.receiver.url("status")), "feeUrl": encoded(&call.receiver.url("fee")),
        "userData": "usercanary", "times": 1,
    });
    // The telephone presses 7, 4 and 9 while it hears the code.
    let callee = "+8613846821749";
    let session = customer.verify(callee, "90417263", &urls).session();
    assert_eq!(call.receiver.state_code(&session), 0);
    let _fee = call.receiver.fee(&session);
    assert!(customer.verify("+8613846829999", "90417263", &json!({"times": 11})).code() != "0");
    assert_eq!(customer.verify("hello13846829999", "90417263", &json!({})).status / 100, 4);
    let log = call.installation.log();
    assert!(log.contains("TRACE"), "everything is logged");
    for (what, canary) in [
        ("the callee", "13846821749"),
        ("a refused callee", "13846829999"),
        ("the caller", &A[3..]),
        ("the shown number", &NUMBER[3..]),
        ("the code", "90417263"),
        ("the app's secret", customer.secret.as_str()),
        ("the trunk's password", "trunkcanary"),
        ("the customer's data", "usercanary"),
    ] {
        let line = log.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{what} is in the log");
    }
}

#[test]
fn nothing_private_of_menus_and_reports_is_logged() {
    let mut telephones = Settings::new("127.0.0.1:0".parse().expect("this is an address"));
    telephones.times = telephones.times.scaled(0.1);
    let carrier = Carrier::start(telephones).expect("a carrier can be started");
    let installation = Installation::new(carrier.address());
    let server = installation.serve_with(&[("HUIHU_LOG", "trace")]);
    let operator = Operator::of(&installation, &server);
    let receiver = Receiver::start();
    let mut refusals = 1..=1;
    receiver.answer(
        "report",
        move |_| if refusals.next().is_some() { Reply::status(500) } else { Reply::code(0) },
    );
    let app = operator.app_named("demo");
    operator.change_app(&app, &json!({"report_url": receiver.url("report")}));
    operator.forbid_word("违禁词语");
    let menu = json!({"nodes": {
        "root": {"prompt": "您好{name}", "keys": {"7": "next"}},
        "next": {"prompt": "您的订单{no}"},
    }});
    let menu = operator.template_of("menu", &app, &menu.to_string(), true);
    let (key, secret, token) = operator.temporary_key(&app, 600);
    let customer =
        ksyun::Customer { address: server.http.clone(), key, secret, token: Some(token.clone()), from: None };

    // One presses 7, 4 and 9; the words of another are forbidden; the others are refused.
    let values = r#"{"name":"诸葛孔明","no":"no-canary-7"}"#;
    let walked = call_id(&customer.ivr("13846821749", &menu, values));
    let unsaid = call_id(&customer.ivr("13846822222", &menu, r#"{"name":"违禁词语","no":"1"}"#));
    let code = [("Mobile", "13846823333"), ("TplId", "100001"), ("Code", "90417263"), ("ExtId", "extcanary")];
    let coded = call_id(&customer.ask(VERIFY, &code));
    for call in [&walked, &unsaid, &coded] {
        let _report = receiver.report(call);
    }
    wait::until("the reports to be taken", PATIENCE, || {
        (operator.push_state(&walked, "report") == "delivered").then_some(())
    });
    assert_eq!(customer.ivr("13846829999", &menu, r#"{"name":"www.canary.com","no":"1"}"#).status, 400);
    let lean = customer.common(VERIFY).only(&["Action", "Version"]).with("Mobile", "13846828888");
    let v4 = ksyun::V4::post(&customer, &lean.with("TplId", "100001").with("Code", "70417264"));
    assert_eq!(v4.request().send(&customer.address).status, 200);
    let wrong = ksyun::Customer { secret: "another".to_owned(), ..customer.clone() };
    assert_eq!(wrong.verify("13846827777", "80417265").status, 403);

    let log = installation.log();
    assert!(log.contains("TRACE"), "everything is logged");
    for (what, canary) in [
        ("a callee", "1384682"),
        ("the shown number", &NUMBER[3..]),
        ("a code", "90417263"),
        ("a code", "70417264"),
        ("a code", "80417265"),
        ("a value", "诸葛孔明"),
        ("a value", "no-canary-7"),
        ("a value", "www.canary.com"),
        ("a forbidden word", "违禁词语"),
        ("the customer's own id", "extcanary"),
        ("a key's secret", customer.secret.as_str()),
        ("a key's token", token.as_str()),
    ] {
        let line = log.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{what} is in the log");
    }
}
