//! The twelve defects that were seen in other stacks, and what happens inside a call, on the wire: sipp on loopback plays the far end and checks what
//! it hears by its own rules. Needs `sipp` (Debian: sip-tester).

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base::time::Instant;
use huihu_sip::message::{Arrived, Inbox};
use huihu_sip::{
    Datagram, Endpoint, Event, Hop, Invite, LegKey, Output, Outputs, Pace, PeerRule, Privacy, Settings,
    Transport,
};

const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
const LEG: LegKey = LegKey(1);

/// A test may take so long before it is given up.
const PATIENCE: Duration = Duration::from_secs(8);

/// Our endpoint on a socket of its own, and what it told.
struct Near {
    endpoint: Endpoint,
    socket: UdpSocket,
    began: std::time::Instant,
    told: Vec<(std::time::Instant, Event)>,
    /// What is to go by a connection.
    by_connection: Vec<Datagram>,
}

impl Near {
    fn new(peer: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let ours = socket.local_addr().expect("it is bound");
        let mut settings = Settings::new(ours.to_string());
        settings.peers = vec![PeerRule::Host(peer.ip())];
        settings.accept_calls = true;
        settings.pace = Pace {
            t1: Duration::from_millis(50),
            t2: Duration::from_millis(200),
            t4: Duration::from_millis(100),
            timer_c: Duration::from_millis(700),
        };
        let began = std::time::Instant::now();
        Self {
            endpoint: Endpoint::new(settings, 1),
            socket,
            began,
            told: Vec::new(),
            by_connection: Vec::new(),
        }
    }

    fn call(&mut self, peer: SocketAddr, change: impl FnOnce(&mut Invite)) {
        let ours = self.socket.local_addr().expect("it is bound");
        let mut invite = Invite {
            peer: peer.into(),
            request_uri: format!("sip:callee@{peer}").parse().expect("it is well-formed"),
            from: "<sip:caller@127.0.0.1>".parse().expect("it is well-formed"),
            to: "<sip:callee@127.0.0.1>".parse().expect("it is well-formed"),
            contact: format!("<sip:{ours}>").parse().expect("it is well-formed"),
            call_id: format!("wire-{}", ours.port()),
            from_tag: "near".into(),
            branch: format!("z9hG4bKwire{}", ours.port()),
            offer: SDP.to_vec(),
            credentials: None,
            asserted_identity: None,
            privacy: Privacy::Unsaid,
            redirects_max: 0,
            redirects_to: Vec::new(),
            supported_100rel: true,
            headers: Vec::new(),
        };
        change(&mut invite);
        self.act(|endpoint, now, out| endpoint.invite(LEG, invite, now, out));
    }

    fn hang_up(&mut self) {
        self.act(|endpoint, now, out| endpoint.hang_up(LEG, None, now, out));
    }

    fn act(&mut self, act: impl FnOnce(&mut Endpoint, Instant, &mut Outputs)) {
        let (mut out, now) = (Outputs::new(), self.now());
        act(&mut self.endpoint, now, &mut out);
        for output in out {
            match output {
                // A far end that is not there yet refuses; the next repetition will find it.
                Output::Send { to, transport: Transport::Udp, datagram } => {
                    drop(self.socket.send_to(&datagram, to));
                }
                Output::Send { datagram, .. } => self.by_connection.push(datagram),
                Output::Event { event, .. } => self.told.push((std::time::Instant::now(), event)),
                Output::Pong { .. } | Output::Registration { .. } => {}
            }
        }
    }

    /// Receives and lets timers fire until `done`; `false` when it never is.
    fn until(&mut self, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = std::time::Instant::now() + PATIENCE;
        let mut buffer = vec![0; 65_536];
        while !done(self) {
            if std::time::Instant::now() > end {
                return false;
            }
            self.socket.set_read_timeout(Some(Duration::from_millis(5))).expect("a timeout above zero");
            if let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                let datagram = buffer[..length].to_vec();
                self.act(|endpoint, now, out| endpoint.receive(from, &datagram, now, out));
            }
            self.act(|endpoint, now, out| endpoint.on_time(now, out));
        }
        true
    }

    fn until_told(&mut self, start: &str) {
        let came =
            self.until(|near| near.told.iter().any(|(_, event)| format!("{event:?}").starts_with(start)));
        assert!(came, "{start} never came: {}", self.story());
    }

    fn story(&self) -> String {
        self.told.iter().map(|(_, event)| format!("{event:?}")).collect::<Vec<_>>().join(", ")
    }

    fn now(&self) -> Instant {
        Instant::START + self.began.elapsed()
    }
}

/// A far end: one run of sipp for one call.
struct Sipp {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Sipp {
    fn plays(scenario: &str) -> Self {
        Self::plays_by(scenario, "u1")
    }

    /// Plays by datagrams (`u1`) or by one connection (`t1`).
    fn plays_by(scenario: &str, transport: &str) -> Self {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(scenario).with_extension("xml");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wire");
        fs::create_dir_all(&folder).expect("the build folder is ours");
        let log = folder.join(format!("{scenario}_{transport}.log"));
        drop(fs::remove_file(&log));
        let address = free_address();
        let child = Command::new("sipp")
            .current_dir(&folder)
            .args(["-i", "127.0.0.1", "-p", &address.port().to_string(), "-m", "1", "-nostdin"])
            .args(["-t", transport, "-timeout", "8", "-timeout_error", "-trace_msg"])
            .arg("-message_file")
            .arg(&log)
            .arg("-sf")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp is installed (Debian: sip-tester)");
        Self { child, address, log }
    }

    /// Whether it has ended, and well: all checks of the scenario held.
    fn is_content(&mut self) -> Option<bool> {
        self.child.try_wait().expect("it is our child").map(|status| status.success())
    }

    /// What it heard: each message that begins with `start`.
    fn heard(&self, start: &str) -> Vec<String> {
        let log = String::from_utf8_lossy(&fs::read(&self.log).expect("it keeps a log")).into_owned();
        let parts = log.split("message received").skip(1);
        let messages = parts.filter_map(|part| part.split_once("\n\n").or_else(|| part.split_once(":\n")));
        messages
            .map(|(_, message)| message.trim_start().to_owned())
            .filter(|text| text.starts_with(start))
            .collect()
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_address() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("it is bound")
}

/// Runs a scenario to its end; `act` does what the owner of our endpoint would.
fn play(scenario: &str, change: impl FnOnce(&mut Invite), act: impl FnOnce(&mut Near)) -> (Near, Sipp) {
    let mut sipp = Sipp::plays(scenario);
    let mut near = Near::new(sipp.address);
    near.call(sipp.address, change);
    act(&mut near);
    let mut verdict = None;
    near.until(|_| {
        verdict = sipp.is_content();
        verdict.is_some()
    });
    assert_eq!(verdict, Some(true), "sipp is not content with {scenario}; we: {}", near.story());
    (near, sipp)
}

/// The usual owner: hangs up as soon as it is answered.
fn answered_then_hung_up(near: &mut Near) {
    near.until_told("Answered");
    near.hang_up();
    near.until_told("Ended");
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    message.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().trim_end()
}

#[test]
fn row_01_an_ignored_prack_does_not_hold_the_answer_up() {
    let (near, _) = play("01_ignored_prack", |_| {}, answered_then_hung_up);
    let at = |start: &str| {
        near.told.iter().find(|(_, event)| format!("{event:?}").starts_with(start)).map(|told| told.0)
    };
    let gap = at("Answered").zip(at("Early")).map(|(answered, early)| answered - early);
    assert!(gap.is_some_and(|gap| gap < Duration::from_secs(1)), "{gap:?}");
}

#[test]
fn row_02_a_prack_takes_the_early_contact_and_the_reversed_route() {
    let (near, _) = play("02_early_route", |_| {}, answered_then_hung_up);
    assert_eq!(near.story(), "Trying, Early 183 fork 0 sdp, Answered fork 0, Ended by us");
}

#[test]
fn row_03_trying_and_then_silence_comes_to_an_end() {
    let (near, _) = play("03_trying_then_silence", |_| {}, |near| near.until_told("Failed"));
    assert_eq!(near.story(), "Trying, Failed 408 local");
}

#[test]
fn row_04_endless_ringing_is_cancelled() {
    let (near, _) = play("04_endless_ringing", |_| {}, |near| near.until_told("Failed"));
    assert_eq!(near.story(), "Trying, Early 180 fork 0, Failed 408 local");
}

#[test]
fn row_05_a_body_without_content_length_counts() {
    let (near, _) = play("05_no_content_length", |_| {}, answered_then_hung_up);
    assert_eq!(near.story(), "Answered fork 0 sdp, Ended by us");
}

#[test]
fn row_06_a_latin_1_byte_hides_nothing() {
    let (near, _) = play("06_latin_1", |_| {}, answered_then_hung_up);
    assert_eq!(near.story(), "Answered fork 0 sdp, Ended by us");
}

#[test]
fn row_07_any_2xx_is_an_answer() {
    let (near, _) = play("07_accepted", |_| {}, answered_then_hung_up);
    assert_eq!(near.story(), "Answered fork 0 sdp, Ended by us");
}

#[test]
fn row_08_an_answer_without_contact_is_acknowledged_and_released() {
    let (near, _) = play("08_no_contact", |_| {}, answered_then_hung_up);
    assert_eq!(near.story(), "Answered fork 0 sdp, Ended by us");
}

#[test]
fn row_09_a_cancel_repeats_branch_uri_and_to() {
    let (near, sipp) = play(
        "09_cancel",
        |_| {},
        |near| {
            near.until_told("Early");
            near.hang_up();
            near.until_told("Failed");
        },
    );
    assert_eq!(near.story(), "Trying, Early 180 fork 0, Failed 487");
    let (invites, cancels) = (sipp.heard("INVITE "), sipp.heard("CANCEL "));
    let (invite, cancel) = (&invites[0], &cancels[0]);
    for name in ["Via", "From", "To", "Call-ID"] {
        assert!(!header(invite, name).is_empty());
        assert_eq!(header(cancel, name), header(invite, name));
    }
    let uri = |message: &str| message.split(' ').nth(1).map(str::to_owned);
    assert_eq!(uri(cancel), uri(invite));
}

#[test]
fn row_10_an_unreadable_via_hurts_nobody() {
    let far = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let mut near = Near::new(far.local_addr().expect("it is bound"));
    let ours = near.socket.local_addr().expect("it is bound");
    let rest = "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n";
    for via in ["", "SIP/2.0/UDP", "SIP/2.0/UDP ;branch=", "x", ",,,", "SIP/2.0/UDP [::1;branch=z9hG4bK1"] {
        for start in ["SIP/2.0 200 OK", "OPTIONS sip:b@h SIP/2.0"] {
            far.send_to(format!("{start}\r\nVia: {via}\r\n{rest}").as_bytes(), ours)
                .expect("loopback takes it");
        }
    }
    let sound = format!(
        "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKok\r\n{}",
        rest.replace("Call-ID: x", "Call-ID: sound")
    );
    far.send_to(sound.as_bytes(), ours).expect("loopback takes it");
    far.set_nonblocking(true).expect("a socket can be made not to wait");
    let mut buffer = [0; 4_096];
    let answered = near.until(|_| {
        let heard = || far.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec());
        std::iter::from_fn(heard).any(|answer| {
            answer.starts_with(b"SIP/2.0 200") && String::from_utf8_lossy(&answer).contains("sound")
        })
    });
    assert!(answered, "the sound request after them is served");
}

#[test]
fn row_11_ack_and_bye_list_the_near_proxy_first() {
    let (near, _) = play("11_record_route", |_| {}, answered_then_hung_up);
    assert_eq!(near.story(), "Answered fork 0 sdp, Ended by us");
}

#[test]
fn row_12_other_schemes_are_understood() {
    let (near, _) = play(
        "12_tel",
        |invite| {
            invite.from = "<tel:+8675500000000>".parse().unwrap();
            invite.to = "<tel:+8613800000000>".parse().unwrap();
        },
        answered_then_hung_up,
    );
    assert_eq!(near.story(), "Answered fork 0 sdp, Ended by us");
}

#[test]
fn inside_a_call_everything_has_its_answer() {
    let hold: &[u8] = b"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 8\r\na=recvonly\r\n";
    let (near, _) = play(
        "13_inside_a_call",
        |_| {},
        |near| {
            near.until_told("Offer fork");
            near.act(|endpoint, now, out| endpoint.answer_offer(LEG, hold, now, out));
            near.until_told("OfferWanted");
            near.act(|endpoint, now, out| endpoint.answer_offer(LEG, SDP, now, out));
            near.until_told("OfferAnswered");
            near.hang_up();
            near.until_told("Ended");
        },
    );
    assert_eq!(
        near.story(),
        "Answered fork 0 sdp, Offer fork 0, OfferWanted fork 0, OfferAnswered, Ended by us"
    );
}

#[test]
fn a_session_interval_that_is_too_small_is_raised() {
    let (near, _) = play("14_interval_too_small", |_| {}, answered_then_hung_up);
    assert_eq!(near.story(), "Answered fork 0 sdp, Ended by us");
}

#[test]
fn a_redirection_is_followed() {
    let (near, _) = play("15_redirect", |invite| invite.redirects_max = 2, answered_then_hung_up);
    assert_eq!(near.story(), "Redirected 302, Redirected 404, Answered fork 0 sdp, Ended by us");
}

#[test]
fn an_offer_that_met_another_comes_again() {
    let (near, _) = play(
        "16_glare",
        |_| {},
        |near| {
            near.until_told("Answered");
            near.act(|endpoint, now, out| endpoint.offer(LEG, SDP, now, out));
            near.until_told("OfferAnswered");
            near.hang_up();
            near.until_told("Ended");
        },
    );
    assert_eq!(near.story(), "Answered fork 0 sdp, OfferAnswered, Ended by us");
}

#[test]
fn a_call_by_a_connection_is_a_call() {
    let mut sipp = Sipp::plays_by("11_record_route", "t1");
    let mut connection = connected(sipp.address);
    let ours = connection.local_addr().expect("it is connected");
    let mut near = Near::new(sipp.address);
    near.endpoint.settings_mut().sent_by.udp = ours.to_string();
    near.endpoint.settings_mut().transports = vec![Transport::Tcp];
    near.call(sipp.address, |invite| invite.peer.transport = Transport::Tcp);
    let (mut inbox, mut buffer, mut verdict) = (Inbox::default(), vec![0; 4_096], None);
    let end = std::time::Instant::now() + PATIENCE;
    while verdict.is_none() && std::time::Instant::now() < end {
        for datagram in std::mem::take(&mut near.by_connection) {
            connection.write_all(&datagram).expect("sipp takes it");
        }
        let length = connection.read(&mut buffer).unwrap_or(0);
        let mut messages = Vec::new();
        inbox
            .take(&buffer[..length], |arrived| {
                if let Arrived::Message(message) = arrived {
                    messages.push(message.to_vec());
                }
            })
            .expect("sipp keeps to the framing");
        let from = Hop::new(Transport::Tcp, sipp.address);
        for message in messages {
            near.act(|endpoint, now, out| endpoint.receive(from, &message, now, out));
        }
        near.act(|endpoint, now, out| endpoint.on_time(now, out));
        if near.story().ends_with("Answered fork 0 sdp") {
            near.hang_up();
        }
        verdict = sipp.is_content();
    }
    assert_eq!(verdict, Some(true), "sipp is not content; we: {}", near.story());
    assert!(header(&sipp.heard("BYE ")[0], "Via").starts_with("SIP/2.0/TCP "));
}

/// A connection to sipp, as soon as it listens.
fn connected(to: SocketAddr) -> TcpStream {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        if let Ok(connection) = TcpStream::connect(to) {
            connection.set_read_timeout(Some(Duration::from_millis(5))).expect("a timeout above zero");
            return connection;
        }
        assert!(std::time::Instant::now() < end, "sipp never listened");
        std::thread::yield_now();
    }
}
