//! The far end of the trunk: one SIP endpoint, and a telephone with an RTP socket for each INVITE.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant as StdInstant};

use base::time::Instant;
use media::rtp::{HEADER_BYTES, Header, Packet};
use sip::sdp::{Agreed, AudioDescription, Codec, Direction, KEYING_BYTES, OurSide};
use sip::{EndedBy, Endpoint, Event, LegKey, Output, Outputs, PeerRule, Reason, Ring};

/// How long the far end waits for a datagram before the story looks again.
const GLANCE: Duration = Duration::from_millis(1);

/// Telephone events, as the engine offers them.
const EVENTS: u8 = 101;

/// See the module.
pub(crate) struct Far {
    socket: UdpSocket,
    sip: Endpoint,
    outputs: Outputs,
    began: StdInstant,
    pub(crate) phones: Vec<Phone>,
}

/// A telephone that was called.
pub(crate) struct Phone {
    key: LegKey,
    pub(crate) dialled: String,
    offer: Vec<u8>,
    side: OurSide,
    /// What it answered to the last offer.
    pub(crate) agreed: Option<Agreed>,
    rtp: UdpSocket,
    /// Where the engine hears it.
    pub(crate) engine: SocketAddr,
    seq: u16,
    timestamp: u32,
    /// Every packet that it heard from there.
    pub(crate) heard: Vec<Vec<u8>>,
    pub(crate) acked: bool,
    pub(crate) cancelled: bool,
    /// Whether the engine sent the BYE, once there is one.
    pub(crate) ended: Option<bool>,
    pub(crate) failed: Option<u16>,
    pub(crate) reason: Option<Reason>,
    /// What the engine answered to our offers.
    pub(crate) answers: Vec<Vec<u8>>,
    /// How many INFOs it accepted.
    pub(crate) informed: usize,
}

impl Far {
    pub(crate) fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(GLANCE)).unwrap();
        let address = socket.local_addr().unwrap();
        let mut manners = sip::Settings::new(address.to_string());
        manners.peers = vec![PeerRule::Host(address.ip())];
        manners.accept_calls = true;
        Self {
            socket,
            sip: Endpoint::new(manners, 1),
            outputs: Vec::new(),
            began: StdInstant::now(),
            phones: Vec::new(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    fn now(&self) -> Instant {
        Instant::from_millis(1) + self.began.elapsed()
    }

    /// Hears what has come, for a millisecond at most.
    pub(crate) fn pump(&mut self) {
        let mut buffer = [0; 4_096];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                let now = self.now();
                self.sip.receive(from, &buffer[..length], now, &mut self.outputs);
            }
            Err(fault) => assert!(matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        }
        let now = self.now();
        self.sip.on_time(now, &mut self.outputs);
        self.drain();
        self.phones.iter_mut().for_each(Phone::listen);
    }

    fn drain(&mut self) {
        for output in std::mem::take(&mut self.outputs) {
            match output {
                Output::Send { to, datagram, .. } => {
                    self.socket.send_to(&datagram, to).unwrap();
                }
                Output::Event { leg, event: Event::Invited(invited) } => {
                    let dialled = invited.request_uri.trim_start_matches("sip:");
                    let dialled = dialled.split('@').next().unwrap().to_owned();
                    let offer = invited.offer.unwrap();
                    self.phones.push(Phone::new(leg, dialled, offer));
                }
                Output::Event { leg, event } => {
                    if let Some(phone) = self.phones.iter_mut().find(|phone| phone.key == leg) {
                        phone.on(event);
                    }
                }
                Output::Pong { .. } | Output::Registration { .. } => {}
            }
        }
    }

    fn act(&mut self, phone: usize, act: impl FnOnce(&mut Endpoint, &mut Phone, Instant, &mut Outputs)) {
        let now = self.now();
        act(&mut self.sip, &mut self.phones[phone], now, &mut self.outputs);
        self.drain();
    }

    pub(crate) fn ring(&mut self, phone: usize) {
        self.act(phone, |sip, phone, now, out| {
            sip.ring(phone.key, Ring { status: 180, sdp: None, reliably: false }, now, out);
        });
    }

    /// 183 with a session description.
    pub(crate) fn begin_early_media(&mut self, phone: usize) {
        self.act(phone, |sip, phone, now, out| {
            let sdp = Some(phone.describe());
            sip.ring(phone.key, Ring { status: 183, sdp, reliably: false }, now, out);
        });
    }

    /// 183 with a session description and the reason why the call will fail.
    pub(crate) fn announce_failure(&mut self, phone: usize, q850: u8) {
        let (now, sdp) = (self.now(), self.phones[phone].describe());
        let ring = Ring { status: 183, sdp: Some(sdp), reliably: false };
        self.sip.ring(self.phones[phone].key, ring, now, &mut self.outputs);
        self.rewrite(|text| {
            let line = format!("\r\nReason: Q.850;cause={q850}\r\nContent-Type:");
            text.replacen("\r\nContent-Type:", &line, 1)
        });
    }

    /// 183 with a session description, and what the network allows of its early media (RFC 5009).
    pub(crate) fn begin_early_media_that_is(&mut self, phone: usize, allowed: &str) {
        let (now, sdp) = (self.now(), self.phones[phone].describe());
        let ring = Ring { status: 183, sdp: Some(sdp), reliably: false };
        self.sip.ring(self.phones[phone].key, ring, now, &mut self.outputs);
        self.rewrite(|text| {
            let line = format!("\r\nP-Early-Media: {allowed}\r\nContent-Type:");
            text.replacen("\r\nContent-Type:", &line, 1)
        });
    }

    /// 183 of another branch of the call, by a telephone that nobody hears.
    pub(crate) fn another_branch_rings(&mut self, phone: usize) {
        let (now, sdp) = (self.now(), self.phones[phone].describe());
        let ring = Ring { status: 183, sdp: Some(sdp), reliably: false };
        self.sip.ring(self.phones[phone].key, ring, now, &mut self.outputs);
        self.rewrite(|text| {
            let elsewhere = |line: &str| match line {
                line if line.starts_with("To:") => format!("{line}x"),
                line if line.starts_with("m=audio") => "m=audio 9 RTP/AVP 8".to_owned(),
                line => line.to_owned(),
            };
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let lines = |part: &str| part.split("\r\n").map(elsewhere).collect::<Vec<_>>().join("\r\n");
            let (head, body) = (lines(head), lines(body));
            let is_kept = |line: &&str| !line.starts_with("Content-Length");
            let head = head.split("\r\n").filter(is_kept).collect::<Vec<_>>().join("\r\n");
            format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        });
    }

    /// Sends the call to another target.
    pub(crate) fn redirect(&mut self, phone: usize, target: &str) {
        let now = self.now();
        self.sip.reject(self.phones[phone].key, 302, None, now, &mut self.outputs);
        self.rewrite(|text| {
            text.replacen("\r\nContent-Length:", &format!("\r\nContact: <{target}>\r\nContent-Length:"), 1)
        });
    }

    /// A 200 that says nothing of the session: what it said early holds.
    pub(crate) fn answer_as_said_early(&mut self, phone: usize) {
        let (now, sdp) = (self.now(), self.phones[phone].describe());
        self.sip.answer(self.phones[phone].key, &sdp, now, &mut self.outputs);
        self.rewrite(|text| {
            let head = text.split("\r\n\r\n").next().unwrap();
            let is_kept = |line: &&str| !line.starts_with("Content-");
            let head = head.split("\r\n").filter(is_kept).collect::<Vec<_>>().join("\r\n");
            format!("{head}\r\nContent-Length: 0\r\n\r\n")
        });
    }

    pub(crate) fn answer(&mut self, phone: usize) {
        self.act(phone, |sip, phone, now, out| {
            let sdp = phone.describe();
            sip.answer(phone.key, &sdp, now, out);
        });
    }

    pub(crate) fn answer_with(&mut self, phone: usize, sdp: &[u8]) {
        self.act(phone, |sip, phone, now, out| sip.answer(phone.key, sdp, now, out));
    }

    pub(crate) fn reject(&mut self, phone: usize, status: u16) {
        self.act(phone, |sip, phone, now, out| sip.reject(phone.key, status, None, now, out));
    }

    pub(crate) fn hang_up(&mut self, phone: usize) {
        self.act(phone, |sip, phone, now, out| sip.hang_up(phone.key, None, now, out));
    }

    /// Offers another session; only a dialog whose ACK has come can carry it.
    pub(crate) fn offer(&mut self, phone: usize, direction: Direction) {
        assert!(self.phones[phone].acked, "an offer before the ACK goes nowhere");
        self.act(phone, |sip, phone, now, out| {
            let sdp = phone.side.offer(direction);
            sip.offer(phone.key, &sdp, now, out);
        });
    }

    /// Sends what the endpoint wants sent in other words, for what it has none itself.
    fn rewrite(&mut self, words: impl Fn(&str) -> String) {
        for output in &mut self.outputs {
            if let Output::Send { datagram, .. } = output {
                *datagram = words(&String::from_utf8_lossy(datagram)).into_bytes().into();
            }
        }
        self.drain();
    }

    /// Tells a key in an INFO; only a dialog whose ACK has come can carry one.
    pub(crate) fn inform(&mut self, phone: usize, digit: char) {
        assert!(self.phones[phone].acked, "an INFO before the ACK goes nowhere");
        let body = format!("Signal={digit}\r\nDuration=160\r\n");
        self.act(phone, |sip, phone, now, out| {
            sip.info(phone.key, "application/dtmf-relay", body.as_bytes(), now, out);
        });
    }
}

impl Phone {
    fn new(key: LegKey, dialled: String, offer: Vec<u8>) -> Self {
        let rtp = UdpSocket::bind("127.0.0.1:0").unwrap();
        rtp.set_nonblocking(true).unwrap();
        let engine = AudioDescription::read(&offer)
            .or_else(|_| AudioDescription::read_protected(&offer))
            .unwrap()
            .address;
        Self {
            key,
            dialled,
            offer,
            side: OurSide::new(rtp.local_addr().unwrap(), &[Codec::Pcma], key.0),
            agreed: None,
            rtp,
            engine,
            seq: 65_530,
            timestamp: u32::MAX - 1_000,
            heard: Vec::new(),
            acked: false,
            cancelled: false,
            ended: None,
            failed: None,
            reason: None,
            answers: Vec::new(),
            informed: 0,
        }
    }

    fn describe(&mut self) -> Vec<u8> {
        let (body, agreed) = self.side.answer(&self.offer, Direction::SendRecv).unwrap();
        self.agreed = Some(agreed);
        body
    }

    /// Speaks only this codec; to be said before it answers.
    pub(crate) fn speaks(&mut self, codec: Codec) {
        self.side = OurSide::new(self.rtp.local_addr().unwrap(), &[codec], self.key.0);
    }

    /// Wants everything protected by this key; to be said before it answers.
    pub(crate) fn protects(&mut self, keying: [u8; KEYING_BYTES]) {
        self.side = self.side.clone().protected_by(keying);
    }

    fn payload_type(&self) -> u8 {
        self.agreed.map_or(8, |agreed| agreed.payload)
    }

    fn on(&mut self, event: Event) {
        match event {
            Event::Acked => self.acked = true,
            Event::Cancelled { reason } => (self.cancelled, self.reason) = (true, reason),
            Event::Failed { status, .. } => self.failed = Some(status),
            Event::Ended { by, reason } => {
                (self.ended, self.reason) = (Some(by == EndedBy::Peer), reason);
            }
            Event::OfferAnswered { sdp, .. } => self.answers.push(sdp),
            Event::InfoDone { status } => {
                assert_eq!(status, 200);
                self.informed += 1;
            }
            other => panic!("the far end did not expect {other:?}"),
        }
    }

    /// Hears what has come.
    pub(crate) fn listen(&mut self) {
        let mut buffer = [0; 2_048];
        loop {
            match self.rtp.recv_from(&mut buffer) {
                Ok((length, from)) if from == self.engine => self.heard.push(buffer[..length].to_vec()),
                Ok(_) => {}
                // The engine's port may be closed by now.
                Err(fault) if fault.kind() == ErrorKind::ConnectionRefused => {}
                Err(fault) => {
                    assert_eq!(fault.kind(), ErrorKind::WouldBlock);
                    return;
                }
            }
        }
    }

    /// Sends back what it heard since it was last asked to.
    pub(crate) fn echo(&mut self) {
        for packet in self.heard.drain(..) {
            self.rtp.send_to(&packet, self.engine).unwrap();
        }
    }

    /// Whether the engine may still say something to it.
    pub(crate) fn is_open(&self) -> bool {
        self.ended.is_none() && self.failed.is_none()
    }

    /// Says a frame of these samples.
    pub(crate) fn say(&mut self, samples: &[u8]) {
        self.send(self.payload_type(), self.timestamp, samples);
        self.timestamp = self.timestamp.wrapping_add(160);
    }

    /// Presses a key as RFC 4733 wants it: three packets of it, and its end three times.
    pub(crate) fn press(&mut self, digit: char) {
        let code = media::dtmf::Key::from_char(digit).unwrap().code();
        for (end, samples) in [(0, 160), (0, 320), (0, 480), (0x80, 640), (0x80, 640), (0x80, 640)] {
            let [high, low] = u16::to_be_bytes(samples);
            self.send(EVENTS, self.timestamp, &[code, end | 10, high, low]);
        }
        self.timestamp = self.timestamp.wrapping_add(640);
    }

    /// Presses a key as a telephone without events does: 80 ms of its tones, and 80 ms of silence.
    pub(crate) fn hum(&mut self, digit: char) {
        let key = media::dtmf::Key::from_char(digit).unwrap();
        let mut samples = media::tone::alaw_key(key, Duration::from_millis(80));
        samples.resize(2 * samples.len(), 0xd5);
        samples.chunks(160).for_each(|frame| self.say(frame));
    }

    /// Sends a packet that somebody else made.
    pub(crate) fn send_packet(&self, packet: &[u8]) {
        self.rtp.send_to(packet, self.engine).unwrap();
    }

    fn send(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let mut packet = vec![0; HEADER_BYTES];
        let header = Header { marker: false, payload_type, seq: self.seq, timestamp, ssrc: 77 };
        header.write(packet.first_chunk_mut().unwrap());
        packet.extend_from_slice(payload);
        self.rtp.send_to(&packet, self.engine).unwrap();
        self.seq = self.seq.wrapping_add(1);
    }

    /// The payloads of the voice that it heard.
    pub(crate) fn voice(&self) -> Vec<&[u8]> {
        self.heard
            .iter()
            .filter_map(|packet| {
                let parsed = Packet::parse(packet)?;
                (parsed.header.payload_type == self.payload_type()).then(|| &packet[parsed.payload()])
            })
            .collect()
    }

    /// The voice that it heard, frame by frame, each frame by its first sample; repetitions of a frame once.
    pub(crate) fn tune(&self) -> Vec<u8> {
        let mut frames: Vec<u8> = self.voice().iter().map(|frame| frame[0]).collect();
        frames.dedup();
        frames
    }

    /// Closes its RTP socket: what is sent to it comes back as an error.
    pub(crate) fn goes_deaf(&mut self) -> SocketAddr {
        let address = self.rtp.local_addr().unwrap();
        self.rtp = UdpSocket::bind("127.0.0.1:0").unwrap();
        self.rtp.set_nonblocking(true).unwrap();
        address
    }

    /// Opens it again.
    pub(crate) fn hears_again(&mut self, at: SocketAddr) {
        self.rtp = UdpSocket::bind(at).unwrap();
        self.rtp.set_nonblocking(true).unwrap();
    }
}
