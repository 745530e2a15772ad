//! Both called parties of every call: one SIP port, which is the server's trunk.
//!
//! ```text
//! INVITE → 180 at once → (ring) 200 → ACK → (hold) BYE → 200
//!   Ringing ─ring over─▶ Answered ─ACK─▶ Talking ─hold over, B─▶ HangingUp ─200─▶ Over
//!                                        Talking ─BYE──────────────────────────▶ Over
//! ```
//!
//! What we send is repeated by RFC 3261's timers until it is answered; every repetition in either direction is
//! counted, because a run with repetitions does not count as passed.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::ledger::{Ledger, Parties, Side};
use crate::rtp;
use crate::sip_text::{self, Bye, Message, Start};

/// How long a party rings before it answers.
const RING: Duration = Duration::from_millis(100);

/// RFC 3261 section 17.1.1.1: the first repetition, and the longest pause between two.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);

/// After 64 × T1 nobody answers any more.
const GIVE_UP: Duration = Duration::from_secs(32);

/// SIP messages that were sent more than once, by whom and what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Repeated {
    pub(crate) their_invites: u32,
    pub(crate) their_byes: u32,
    pub(crate) our_answers: u32,
    pub(crate) our_byes: u32,
}

impl Repeated {
    /// All of them.
    pub(crate) fn sum(self) -> u32 {
        self.their_invites + self.their_byes + self.our_answers + self.our_byes
    }
}

/// The telephones behind the trunk.
#[derive(Debug)]
pub(crate) struct FarEnd {
    pub(crate) socket: UdpSocket,
    local: SocketAddr,
    /// Where A and B want their audio.
    media: [SocketAddr; 2],
    /// How long B talks before it hangs up; without it somebody else must.
    hold: Option<Duration>,
    legs: Vec<Leg>,
    by_call_id: HashMap<String, usize>,
    alarms: BinaryHeap<Reverse<(Instant, usize)>>,
    pub(crate) repeated: Repeated,
    /// Ports of the server that new legs have, until somebody takes them out.
    pub(crate) claimed: Vec<u16>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Leg {
    call: usize,
    side: Side,
    /// Where the INVITE came from; everything goes back there.
    peer: SocketAddr,
    call_id: String,
    /// To with our tag: who we are in requests of our own.
    ours: String,
    /// From of the INVITE.
    theirs: String,
    /// Contact of the INVITE.
    target: String,
    invite_cseq: u32,
    /// The lines that every reply to the INVITE repeats.
    head: String,
    /// The latest reply to the INVITE, for when it comes again.
    replied: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    Ringing { until: Instant },
    Answered { again: Again },
    Talking { until: Option<Instant> },
    HangingUp { bye: Vec<u8>, again: Again },
    Over,
}

/// When to send something again.
#[derive(Clone, Copy, Debug)]
struct Again {
    at: Instant,
    pause: Duration,
    until: Instant,
}

impl Again {
    fn first(now: Instant) -> Self {
        Self { at: now + T1, pause: T1, until: now + GIVE_UP }
    }

    fn next(self) -> Self {
        let pause = (self.pause * 2).min(T2);
        Self { at: self.at + pause, pause, until: self.until }
    }
}

impl State {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Ringing { until } => Some(*until),
            Self::Answered { again } | Self::HangingUp { again, .. } => Some(again.at),
            Self::Talking { until } => *until,
            Self::Over => None,
        }
    }
}

impl FarEnd {
    /// Opens the trunk's port; `media` is where A and B want their audio.
    pub(crate) fn new(media: [SocketAddr; 2]) -> Result<Self> {
        let socket = rtp::open_socket()?;
        Ok(Self {
            local: socket.local_addr()?,
            socket,
            media,
            hold: None,
            legs: Vec::new(),
            by_call_id: HashMap::new(),
            alarms: BinaryHeap::new(),
            repeated: Repeated::default(),
            claimed: Vec::new(),
            buffer: vec![0; 65_536],
        })
    }

    /// The address that the server's trunk leads to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.local
    }

    /// Forgets all calls; from now on B hangs up `hold` after its ACK, if it is said.
    pub(crate) fn reset(&mut self, hold: Option<Duration>) {
        self.legs.clear();
        self.by_call_id.clear();
        self.alarms.clear();
        self.repeated = Repeated::default();
        self.claimed.clear();
        self.hold = hold;
    }

    /// Makes room for so many legs, so that nobody waits for it to be made later.
    pub(crate) fn expect(&mut self, legs: usize) {
        self.legs.reserve(legs);
        self.by_call_id.reserve(legs);
        self.alarms.reserve(legs);
    }

    /// From now on B hangs up so long after its ACK; calls that talk already go on.
    pub(crate) fn hang_up_after(&mut self, hold: Duration) {
        self.hold = Some(hold);
    }

    /// The Call-IDs of all legs.
    pub(crate) fn call_ids(&self) -> impl Iterator<Item = &str> {
        self.legs.iter().map(|leg| leg.call_id.as_str())
    }

    /// When we must be looked at without news.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.alarms.peek().map(|Reverse((at, _))| *at)
    }

    /// Reads everything that has come.
    pub(crate) fn on_readable(&mut self, ledger: &mut Ledger) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => self.on_datagram(&buffer[..length], from, ledger),
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => break,
                // A refused datagram of ours, told by ICMP: the server is gone, and the calls will say so.
                Err(fault) if fault.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        self.buffer = buffer;
        Ok(())
    }

    /// Does what has become due.
    pub(crate) fn on_time(&mut self, now: Instant) {
        while let Some(&Reverse((at, leg))) = self.alarms.peek() {
            if at > now {
                break;
            }
            self.alarms.pop();
            // An alarm of a state that has passed.
            if self.legs[leg].state.deadline() == Some(at) {
                self.on_alarm(leg, now);
            }
        }
    }

    /// Makes the last party of a call hang up.
    pub(crate) fn hang_up(&mut self, call: usize, parties: Parties, now: Instant) {
        let side = match parties {
            Parties::One => Side::A,
            Parties::Two => Side::B,
        };
        let found = self.legs.iter().position(|leg| leg.call == call && leg.side == side);
        if let Some(leg) = found.filter(|&leg| matches!(self.legs[leg].state, State::Talking { .. })) {
            self.send_bye(leg, now);
        }
    }

    fn on_datagram(&mut self, datagram: &[u8], from: SocketAddr, ledger: &mut Ledger) {
        let now = Instant::now();
        let Some(message) = Message::parse(datagram) else {
            return ledger.complain(|| "a datagram on the trunk is no SIP".to_owned());
        };
        let leg = message.one("Call-ID").and_then(|call_id| self.by_call_id.get(call_id)).copied();
        match (message.start(), leg) {
            (Some(Start::Request { method: "INVITE", uri }), None) if !message.in_dialog() => {
                self.on_invite(&message, uri, from, now, ledger);
            }
            (Some(Start::Request { method, .. }), Some(leg)) => {
                self.on_request(method, &message, leg, now, ledger);
            }
            (Some(Start::Request { method: "ACK", .. }), None) => {}
            (Some(Start::Request { method, .. }), None) => {
                let code = if method == "OPTIONS" { 200 } else { 481 };
                self.send(&sip_text::reply(code, &message.reply_head("none"), None, ""), from);
            }
            (Some(Start::Reply { code }), Some(leg)) => self.on_reply(code, &message, leg, now, ledger),
            (Some(Start::Reply { .. }), None) | (None, _) => {}
        }
    }

    fn on_invite(
        &mut self,
        message: &Message<'_>,
        uri: &str,
        from: SocketAddr,
        now: Instant,
        ledger: &mut Ledger,
    ) {
        let place = self.legs.len();
        let tag = format!("b{place:x}");
        let head = message.reply_head(&tag);
        let known = sip_text::user_digits(uri).and_then(|digits| ledger.find(digits));
        let (Some((call, side)), Some(call_id), Some((invite_cseq, _))) =
            (known, message.one("Call-ID"), message.cseq())
        else {
            return self.send(&sip_text::reply(481, &head, None, ""), from);
        };
        let times = &mut ledger.calls[call].legs[side as usize];
        times.invited = Some(now);
        times.media = sip_text::audio_address(message.body);
        self.claimed.extend(times.media.map(|media| media.port()));
        let replied = sip_text::reply(180, &head, Some(self.local), "");
        self.send(&replied, from);
        self.by_call_id.insert(call_id.to_owned(), place);
        self.legs.push(Leg {
            call,
            side,
            peer: from,
            call_id: call_id.to_owned(),
            ours: format!("{};tag={tag}", message.one("To").unwrap_or("")),
            theirs: message.one("From").unwrap_or("").to_owned(),
            target: sip_text::uri_of(message.one("Contact").unwrap_or("")).to_owned(),
            invite_cseq,
            head,
            replied,
            state: State::Over,
        });
        self.enter(place, State::Ringing { until: now + RING });
    }

    fn on_request(
        &mut self,
        method: &str,
        message: &Message<'_>,
        place: usize,
        now: Instant,
        ledger: &mut Ledger,
    ) {
        let leg = &self.legs[place];
        let (peer, call, side) = (leg.peer, leg.call, leg.side);
        let times = &mut ledger.calls[call].legs[side as usize];
        match (method, &leg.state) {
            ("INVITE", _) if message.cseq().is_some_and(|(number, _)| number == leg.invite_cseq) => {
                self.repeated.their_invites += 1;
                self.send(&self.legs[place].replied, peer);
            }
            ("ACK", State::Answered { .. }) => {
                times.acked = Some(now);
                let until = self.hold.filter(|_| side == Side::B).map(|hold| now + hold);
                self.enter(place, State::Talking { until });
            }
            ("ACK", _) => {}
            ("BYE", State::Over) => {
                self.repeated.their_byes += 1;
                self.send(&sip_text::reply(200, &message.reply_head(""), None, ""), peer);
            }
            ("BYE", _) => {
                times.over = Some(now);
                self.send(&sip_text::reply(200, &message.reply_head(""), None, ""), peer);
                self.enter(place, State::Over);
            }
            ("CANCEL", State::Ringing { .. }) => {
                ledger.complain(|| format!("leg {side:?} was cancelled while it rang"));
                self.send(&sip_text::reply(200, &message.reply_head(""), None, ""), peer);
                let replied = sip_text::reply(487, &self.legs[place].head, None, "");
                self.send(&replied, peer);
                self.legs[place].replied = replied;
                self.enter(place, State::Over);
            }
            // A new offer within the dialog is answered as the first was.
            ("INVITE" | "UPDATE", _) => {
                times.media = sip_text::audio_address(message.body).or(times.media);
                let body = sip_text::a_law_answer(self.media[side as usize]);
                let body = if method == "INVITE" || !message.body.is_empty() { body.as_str() } else { "" };
                self.send(&sip_text::reply(200, &message.reply_head(""), Some(self.local), body), peer);
            }
            _ => self.send(&sip_text::reply(200, &message.reply_head(""), None, ""), peer),
        }
    }

    fn on_reply(
        &mut self,
        code: u16,
        message: &Message<'_>,
        place: usize,
        now: Instant,
        ledger: &mut Ledger,
    ) {
        let leg = &self.legs[place];
        let is_bye = message.cseq().is_some_and(|(_, method)| method == "BYE");
        if code < 200 || !is_bye || !matches!(leg.state, State::HangingUp { .. }) {
            return;
        }
        let (call, side) = (leg.call, leg.side);
        if code < 300 {
            ledger.calls[call].legs[side as usize].over = Some(now);
        } else {
            ledger.complain(|| format!("the BYE of leg {side:?} was answered with {code}"));
        }
        self.enter(place, State::Over);
    }

    fn on_alarm(&mut self, place: usize, now: Instant) {
        let leg = &self.legs[place];
        match &leg.state {
            State::Ringing { .. } => {
                let body = sip_text::a_law_answer(self.media[leg.side as usize]);
                let replied = sip_text::reply(200, &leg.head, Some(self.local), &body);
                self.send(&replied, leg.peer);
                self.legs[place].replied = replied;
                self.enter(place, State::Answered { again: Again::first(now) });
            }
            State::Answered { again } if now >= again.until => self.enter(place, State::Over),
            State::Answered { again } => {
                let again = again.next();
                self.repeated.our_answers += 1;
                self.send(&leg.replied, leg.peer);
                self.enter(place, State::Answered { again });
            }
            State::Talking { .. } => self.send_bye(place, now),
            State::HangingUp { again, .. } if now >= again.until => self.enter(place, State::Over),
            State::HangingUp { bye, again } => {
                let again = again.next();
                self.repeated.our_byes += 1;
                self.send(bye, leg.peer);
                let bye = bye.clone();
                self.enter(place, State::HangingUp { bye, again });
            }
            State::Over => {}
        }
    }

    fn send_bye(&mut self, place: usize, now: Instant) {
        let leg = &self.legs[place];
        let bye = Bye {
            target: &leg.target,
            local: self.local,
            branch: &format!("z9hG4bK{}-{place:x}", leg.call_id),
            from: &leg.ours,
            to: &leg.theirs,
            call_id: &leg.call_id,
        };
        let bye = bye.write();
        self.send(&bye, leg.peer);
        self.enter(place, State::HangingUp { bye, again: Again::first(now) });
    }

    fn enter(&mut self, place: usize, state: State) {
        if let Some(at) = state.deadline() {
            self.alarms.push(Reverse((at, place)));
        }
        self.legs[place].state = state;
    }

    /// A datagram that the kernel does not take is a lost one; the timers repeat it and the run counts it.
    fn send(&self, datagram: &[u8], to: SocketAddr) {
        let _ = self.socket.send_to(datagram, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Story {
        far_end: FarEnd,
        ledger: Ledger,
        server: UdpSocket,
        now: Instant,
    }

    impl Story {
        fn new(hold: Option<Duration>) -> Self {
            let media = SocketAddr::from(([127, 0, 0, 1], 4000));
            let mut far_end = FarEnd::new([media; 2]).unwrap();
            far_end.reset(hold);
            let server = UdpSocket::bind("127.0.0.1:0").unwrap();
            server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut ledger = Ledger::new(Parties::Two, None);
            ledger.open(Instant::now());
            Self { far_end, ledger, server, now: Instant::now() }
        }

        fn hears(&mut self, method: &str, cseq: &str) {
            let text = format!(
                "{method} sip:+8613900000000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\n\
                 From: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: c\r\nCSeq: {cseq}\r\nContact: <sip:s@127.0.0.1:9>\r\n\r\n\
                 c=IN IP4 127.0.0.1\r\nm=audio 5000 RTP/AVP 8\r\n"
            );
            let from = self.server.local_addr().unwrap();
            self.far_end.on_datagram(text.as_bytes(), from, &mut self.ledger);
            self.now = Instant::now();
        }

        fn after(&mut self, wait: Duration) {
            self.now += wait;
            self.far_end.on_time(self.now);
        }

        fn says(&self, start: &str) {
            let mut buffer = [0; 4096];
            let length = self.server.recv(&mut buffer).unwrap();
            let text = str::from_utf8(&buffer[..length]).unwrap();
            assert!(text.starts_with(start), "{text}");
        }
    }

    #[test]
    fn a_party_rings_answers_talks_and_hangs_up() {
        let mut story = Story::new(Some(Duration::from_secs(2)));
        story.hears("INVITE", "1 INVITE");
        story.says("SIP/2.0 180");
        story.after(RING);
        story.says("SIP/2.0 200");
        story.hears("ACK", "1 ACK");
        story.after(Duration::from_secs(2));
        story.says("BYE sip:s@127.0.0.1:9 SIP/2.0");
        let ok = "SIP/2.0 200 OK\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n";
        story.far_end.on_datagram(ok.as_bytes(), story.server.local_addr().unwrap(), &mut story.ledger);
        let leg = story.ledger.calls[0].legs[Side::B as usize];
        assert!(leg.invited.is_some() && leg.acked.is_some() && leg.over.is_some());
        assert_eq!(leg.media, Some(SocketAddr::from(([127, 0, 0, 1], 5000))));
        assert_eq!(story.far_end.repeated, Repeated::default());
    }

    #[test]
    fn repetitions_are_counted_in_both_directions() {
        let mut story = Story::new(Some(Duration::from_secs(2)));
        story.hears("INVITE", "1 INVITE");
        story.says("SIP/2.0 180");
        story.hears("INVITE", "1 INVITE");
        story.says("SIP/2.0 180");
        story.after(RING);
        story.says("SIP/2.0 200");
        story.after(T1);
        story.says("SIP/2.0 200");
        story.after(T1 * 2);
        story.says("SIP/2.0 200");
        story.hears("ACK", "1 ACK");
        story.after(Duration::from_secs(2));
        story.says("BYE");
        story.after(T1);
        story.says("BYE");
        story.hears("BYE", "2 BYE");
        story.says("SIP/2.0 200");
        story.hears("BYE", "2 BYE");
        story.says("SIP/2.0 200");
        let expected = Repeated { their_invites: 1, their_byes: 1, our_answers: 2, our_byes: 1 };
        assert_eq!(story.far_end.repeated, expected);
        assert_eq!(expected.sum(), 5);
    }

    #[test]
    fn a_cancelled_party_stops_ringing() {
        let mut story = Story::new(None);
        story.hears("INVITE", "1 INVITE");
        story.says("SIP/2.0 180");
        story.hears("CANCEL", "1 CANCEL");
        story.says("SIP/2.0 200");
        story.says("SIP/2.0 487");
        assert_eq!(story.far_end.legs[0].state.deadline(), None);
        assert_eq!(story.ledger.complaints.len(), 1);
    }

    #[test]
    fn a_stranger_s_request_is_told_so_and_a_ping_is_answered() {
        let mut story = Story::new(None);
        story.hears("OPTIONS", "1 OPTIONS");
        story.says("SIP/2.0 200");
        story.hears("BYE", "1 BYE");
        story.says("SIP/2.0 481");
    }
}
