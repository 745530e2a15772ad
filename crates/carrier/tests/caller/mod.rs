//! A caller on real sockets: an endpoint and a session for each call, driven by whoever waits for something.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant as StdInstant};

use base::fact::KeySource;
use base::time::{Instant, Timestamp};
use huihu_carrier::Carrier;
use media::clip::{Clip, Playlist, Plays};
use media::codec::Codec;
use media::dtmf::{Key, Pressed};
use media::session::{Description, Due, EventTypes, Hears, Incoming, OUT_BYTES, Params, Session};
use media::source::Policy;
use sip::sdp::{self, Direction, OurSide};
use sip::{Endpoint, Event, Invite, LegKey, Output, PeerRule, Privacy};

/// How fast the protocol runs in these tests: a message counts as lost after 20 ms.
pub(crate) const PACE: sip::Pace = sip::Pace {
    t1: Duration::from_millis(20),
    t2: Duration::from_millis(160),
    t4: Duration::from_millis(200),
    timer_c: Duration::from_secs(20),
};

pub(crate) struct Caller {
    carrier: SocketAddr,
    started: StdInstant,
    socket: UdpSocket,
    sip: Endpoint,
    pub(crate) calls: BTreeMap<u64, Call>,
    /// Responses that came, by their status lines.
    pub(crate) responses: Vec<String>,
    pub(crate) pongs: Vec<Option<u16>>,
}

pub(crate) struct Call {
    socket: UdpSocket,
    side: OurSide,
    pub(crate) session: Session,
    /// What it says once it is answered.
    says: Option<Playlist>,
    /// A-law samples, in the order in which they came.
    pub(crate) heard: Vec<u8>,
    pub(crate) digits: String,
    /// How each of them came.
    pub(crate) ways: Vec<KeySource>,
    /// What SIP told, as its debug lines.
    pub(crate) news: Vec<String>,
}

impl Caller {
    pub(crate) fn of(carrier: &Carrier) -> Self {
        Self::at_pace(carrier, PACE)
    }

    pub(crate) fn at_pace(carrier: &Carrier, pace: sip::Pace) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut settings = sip::Settings::new(socket.local_addr().unwrap().to_string());
        settings.peers = vec![PeerRule::Host(carrier.address().ip())];
        settings.pace = pace;
        Self {
            carrier: carrier.address(),
            started: StdInstant::now(),
            socket,
            sip: Endpoint::new(settings, 1),
            calls: BTreeMap::new(),
            responses: Vec::new(),
            pongs: Vec::new(),
        }
    }

    /// Calls a number and says this to whoever answers.
    pub(crate) fn call(&mut self, dialled: &str, says: &[u8]) -> u64 {
        let now = self.now();
        let number = self.calls.len() as u64;
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut side = OurSide::new(socket.local_addr().unwrap(), &[sdp::Codec::Pcma], 1);
        let us = self.socket.local_addr().unwrap();
        let invite = Invite {
            peer: self.carrier.into(),
            request_uri: format!("sip:{dialled}@{};user=phone", self.carrier)
                .parse()
                .expect("it is well-formed"),
            from: format!("<sip:+8675500000000@{us}>").parse().expect("it is well-formed"),
            to: format!("<sip:{dialled}@{}>", self.carrier).parse().expect("it is well-formed"),
            contact: format!("<sip:{us}>").parse().expect("it is well-formed"),
            call_id: format!("call-{number}"),
            from_tag: format!("tag-{number}"),
            branch: format!("z9hG4bK-{number}"),
            offer: side.offer(Direction::SendRecv),
            credentials: None,
            asserted_identity: None,
            privacy: Privacy::Unsaid,
            redirects_max: 0,
            redirects_to: Vec::new(),
            supported_100rel: true,
            headers: Vec::new(),
        };
        let call = Call {
            socket,
            side,
            session: listener(number, now),
            says: Playlist::new([Clip::from_alaw(says)], Plays::ONCE),
            heard: Vec::new(),
            digits: String::new(),
            ways: Vec::new(),
            news: Vec::new(),
        };
        self.calls.insert(number, call);
        self.sip(|sip, now, out| sip.invite(LegKey(number), invite, now, out));
        number
    }

    pub(crate) fn hang_up(&mut self, call: u64) {
        self.sip(|sip, now, out| sip.hang_up(LegKey(call), None, now, out));
    }

    pub(crate) fn press(&mut self, call: u64, keys: &str) {
        let keys: Vec<Key> = keys.chars().filter_map(Key::from_char).collect();
        self.calls.get_mut(&call).unwrap().session.press(&keys).unwrap();
    }

    /// Holds the other side, or takes it back.
    pub(crate) fn offer(&mut self, call: u64, direction: Direction) {
        let offer = self.calls.get_mut(&call).unwrap().side.offer(direction);
        self.sip(|sip, now, out| sip.offer(LegKey(call), &offer, now, out));
    }

    pub(crate) fn ping(&mut self) {
        let carrier = self.carrier;
        self.sip(|sip, now, out| sip.options(carrier, now, out));
    }

    /// Runs until the condition holds; fails after ten seconds.
    #[track_caller]
    pub(crate) fn run_until(&mut self, condition: impl Fn(&Self) -> bool) {
        let until = StdInstant::now() + Duration::from_secs(10);
        while !condition(self) {
            assert!(StdInstant::now() < until, "it did not happen; the calls: {:?}", self.story());
            self.turn();
        }
    }

    /// Runs until SIP told this of the call.
    #[track_caller]
    pub(crate) fn run_until_told(&mut self, call: u64, news: &str) {
        self.run_until(|caller| caller.calls[&call].news.iter().any(|told| told == news));
    }

    pub(crate) fn told(&self, call: u64) -> Vec<&str> {
        self.calls[&call].news.iter().map(String::as_str).collect()
    }

    fn story(&self) -> Vec<(u64, Vec<&str>)> {
        self.calls.keys().map(|call| (*call, self.told(*call))).collect()
    }

    fn turn(&mut self) {
        let mut buffer = [0; 4_096];
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            let datagram = &buffer[..length];
            let text = String::from_utf8_lossy(datagram).into_owned();
            self.responses
                .extend(text.lines().next().filter(|line| line.starts_with("SIP")).map(str::to_owned));
            self.sip(|sip, now, out| sip.receive(from, datagram, now, out));
        }
        self.sip(Endpoint::on_time);
        let now = self.now();
        self.calls.values_mut().for_each(|call| call.turn(now));
    }

    fn sip(&mut self, act: impl FnOnce(&mut Endpoint, Instant, &mut sip::Outputs)) {
        let now = self.now();
        let mut outputs = Vec::new();
        act(&mut self.sip, now, &mut outputs);
        for output in outputs {
            match output {
                Output::Send { to, datagram, .. } => {
                    self.socket.send_to(&datagram, to).unwrap();
                }
                Output::Event { leg, event } => self.calls.get_mut(&leg.0).unwrap().on_event(&event, now),
                Output::Pong { status, .. } => self.pongs.push(status),
                Output::Registration { .. } => {}
            }
        }
    }

    fn now(&self) -> Instant {
        Instant::START + self.started.elapsed()
    }
}

impl Call {
    fn on_event(&mut self, event: &Event, now: Instant) {
        self.news.push(format!("{event:?}"));
        if let Event::Digit(digit) = event {
            self.digits.push(*digit.expose());
            self.ways.push(KeySource::Info);
        }
        let (Event::Early { sdp: Some(sdp), .. }
        | Event::Answered { sdp: Some(sdp), .. }
        | Event::OfferAnswered { sdp, .. }) = event
        else {
            return;
        };
        let agreed = self.side.accept(sdp).unwrap();
        let description = Description {
            remote: Some(agreed.address),
            remote_rtcp: None,
            codec: Codec::PCMA,
            hears: Hears::Same,
            events: agreed.events.map(|send| EventTypes { receive: 101, send }),
        };
        self.session.describe(description, now);
        if let (Event::Answered { .. }, Some(says)) = (event, self.says.take()) {
            self.session.play(says, now);
        }
    }

    fn hear_keys(&mut self, pressed: Option<Pressed>) {
        self.digits.extend(pressed.map(|pressed| pressed.key.letter()));
        self.ways.extend(pressed.map(|pressed| pressed.source));
    }

    fn turn(&mut self, now: Instant) {
        let mut buffer = [0; 2_048];
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            match self.session.receive(from, &buffer[..length], now) {
                Incoming::Audio(heard, pressed) => {
                    self.heard.extend_from_slice(&buffer[heard.packet.payload()]);
                    self.hear_keys(pressed);
                }
                Incoming::Event(_, pressed) => self.hear_keys(pressed),
                Incoming::Noise(_) | Incoming::Dropped(_) => {}
            }
        }
        let mut out = [0; OUT_BYTES];
        while let Some(due) = self.session.tick(now, &mut out) {
            if let (Due::Rtp(length), Some(to)) = (due, self.session.target()) {
                self.socket.send_to(&out[..length], to).unwrap();
            }
        }
    }
}

/// A session that hears keys as tones too.
fn listener(number: u64, now: Instant) -> Session {
    let mut session = Session::new(params(number), now);
    session.listen_for_tones();
    session
}

fn params(number: u64) -> Params {
    Params {
        ssrc: 1,
        seq: 1,
        timestamp: 1,
        policy: Policy::Strict,
        description: Description {
            remote: None,
            remote_rtcp: None,
            codec: Codec::PCMA,
            hears: Hears::Same,
            events: None,
        },
        wall: Timestamp::from_millis(0),
        seed: number,
    }
}
