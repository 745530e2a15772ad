//! One telephone in a call: its side of the media, and what it still has to do.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use base::time::{Instant, Timestamp};
use media::clip::{Clip, Playlist, Plays};
use media::codec;
use media::dtmf::Key;
use media::session::{Description, Due, EventTypes, Hears, OUT_BYTES, Params, Session};
use media::source::Policy;
use media::srtp::{Keying, Keys, Suite};
use media::tone::alaw_key;
use rand::Rng;
use rand::rngs::SmallRng;
use sip::LegKey;
use sip::sdp::{Agreed, AudioDescription, Codec, Crypto, Direction, KEYING_BYTES, Kind, OurSide};

use crate::history::Attempt;
use crate::temper::{Act, Temper};

/// See the module.
pub(crate) struct Phone {
    /// Its gateway's place, and what the gateway's SIP calls it.
    pub(crate) gateway: usize,
    pub(crate) key: LegKey,
    pub(crate) attempt: Attempt,
    pub(crate) offer: Option<Vec<u8>>,
    pub(crate) is_up: bool,
    pub(crate) is_over: bool,
    pub(crate) is_dead: bool,
    /// When it wants to be woken, as its exchange has noted it.
    pub(crate) wake: Option<Instant>,
    described: SocketAddr,
    is_behind_nat: bool,
    codec: Codec,
    /// What it protects its packets by, if it is to.
    keying: Option<[u8; KEYING_BYTES]>,
    side: OurSide,
    session: Session,
    to_do: VecDeque<(Instant, Act)>,
    once_up: Vec<(Duration, Act)>,
}

impl Phone {
    /// A telephone whose INVITE has just come, the nth of its world.
    pub(crate) fn new(
        nth: usize,
        (gateway, key, attempt): (usize, LegKey, Attempt),
        offer: Option<Vec<u8>>,
        temper: Temper,
        now: Instant,
        rng: &mut SmallRng,
    ) -> Self {
        let described = address(nth, 0);
        let codec = temper.codec;
        let is_safe = offer.as_ref().is_some_and(|offer| AudioDescription::read(offer).is_err());
        let keying = is_safe.then(|| std::array::from_fn(|_| rng.random()));
        let side = side(described, codec, keying, rng);
        let params = Params {
            ssrc: rng.random(),
            seq: rng.random(),
            timestamp: rng.random(),
            policy: Policy::Strict,
            description: NOBODY,
            wall: Timestamp::default(),
            seed: rng.random(),
        };
        let to_do = temper.at_first.iter().map(|(after, act)| (now + *after, *act)).collect();
        Self {
            gateway,
            key,
            attempt,
            offer,
            is_up: false,
            is_over: false,
            is_dead: false,
            wake: None,
            described,
            is_behind_nat: temper.is_behind_nat,
            codec,
            keying,
            side,
            session: Session::new(params, now),
            to_do,
            once_up: temper.once_up,
        }
    }

    /// When it has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.is_dead || self.is_over {
            return None;
        }
        let act = self.to_do.front().map(|(at, _)| *at);
        [act, self.session.next_due()].into_iter().flatten().min()
    }

    /// The next thing to do, if its time has come.
    pub(crate) fn next_act(&mut self, now: Instant) -> Option<Act> {
        let (_, act) = self.to_do.front().copied().filter(|(at, _)| *at <= now)?;
        self.to_do.pop_front();
        Some(act)
    }

    /// Its answer was acknowledged.
    pub(crate) fn acked(&mut self, now: Instant) {
        if !self.is_up {
            self.is_up = true;
            self.to_do.extend(self.once_up.drain(..).map(|(after, act)| (now + after, act)));
        }
    }

    /// Where its RTP comes from.
    pub(crate) fn source(&self) -> SocketAddr {
        let SocketAddr::V4(own) = self.described else { return self.described };
        let ip = if self.is_behind_nat { NAT } else { *own.ip() };
        SocketAddr::from((ip, own.port()))
    }

    /// Answers an offer: the first one, or a later one.
    pub(crate) fn answer(&mut self, offer: &[u8], now: Instant) -> Option<Vec<u8>> {
        let (body, agreed) = self.side.answer(offer, Direction::SendRecv).ok()?;
        self.agree(&agreed, now);
        Some(body)
    }

    /// Takes the answer to its own offer.
    pub(crate) fn accept(&mut self, answer: &[u8], now: Instant) {
        if let Ok(agreed) = self.side.accept(answer) {
            self.agree(&agreed, now);
        }
    }

    /// What it described last.
    pub(crate) fn said(&self) -> Vec<u8> {
        self.side.said().to_vec()
    }

    /// Its own offer.
    pub(crate) fn describe(&mut self, direction: Direction) -> Vec<u8> {
        self.side.offer(direction)
    }

    /// Wants its RTP elsewhere from now on.
    pub(crate) fn moves(&mut self, nth: usize, times: u16, rng: &mut SmallRng) {
        self.described = address(nth, times);
        self.side = side(self.described, self.codec, self.keying, rng);
    }

    pub(crate) fn speak(&mut self, clip: &Clip, now: Instant) {
        if let Some(playlist) = Playlist::new([clip.clone()], Plays::Endless) {
            self.session.play(playlist, now);
        }
    }

    pub(crate) fn hush(&mut self) {
        self.session.silence();
    }

    /// Whether it can press a key in its media.
    pub(crate) fn press(&mut self, key: char) -> bool {
        let key = Key::from_char(key);
        key.is_some_and(|key| self.session.target().is_some() && self.session.press(&[key]).is_ok())
    }

    /// Hears what has come to its RTP port, or to the next one.
    pub(crate) fn hear(&mut self, is_rtp: bool, from: SocketAddr, bytes: &mut [u8], now: Instant) {
        if is_rtp {
            if let Ok(length) = self.session.open(bytes) {
                self.session.receive(from, &bytes[..length], now);
            }
        } else if let Ok(length) = self.session.open_rtcp(bytes) {
            self.session.receive_rtcp(from, &bytes[..length], now);
        }
    }

    /// Lets the tones of a key be heard.
    pub(crate) fn hum(&mut self, key: char, now: Instant) {
        let tones = Key::from_char(key).map(|key| Clip::from_alaw(&alaw_key(key, TONE)));
        if let Some(playlist) = Playlist::new(tones, Plays::ONCE) {
            self.session.play(playlist, now);
        }
    }

    /// Sends what is due: source and destination of each packet.
    pub(crate) fn tick(&mut self, now: Instant, mut send: impl FnMut((SocketAddr, SocketAddr), &[u8])) {
        let mut out = [0; OUT_BYTES];
        let rtp = self.source();
        let rtcp = SocketAddr::new(rtp.ip(), rtp.port() + 1);
        while let Some(due) = self.session.tick(now, &mut out) {
            match due {
                Due::Rtp(length) => {
                    self.session.target().into_iter().for_each(|to| send((rtp, to), &out[..length]));
                }
                Due::Rtcp(length) => {
                    self.session.rtcp_target().into_iter().for_each(|to| send((rtcp, to), &out[..length]));
                }
                Due::ClipEnded(_)
                | Due::KeysSent
                | Due::Pressed(_)
                | Due::Announced(_)
                | Due::PickedUp(_) => {}
            }
        }
    }

    fn agree(&mut self, agreed: &Agreed, now: Instant) {
        let events = agreed.events.zip(self.events());
        let description = Description {
            remote: Some(agreed.address),
            remote_rtcp: Some(agreed.rtcp),
            codec: match agreed.codec {
                Codec::Pcma => codec::Codec::PCMA,
                Codec::Pcmu => codec::Codec::PCMU,
                Codec::G722 => codec::Codec::G722,
                Codec::Opus => codec::Codec::Opus { receive: agreed.payload_heard, send: agreed.payload },
            },
            hears: Hears::Both,
            events: events.map(|(send, receive)| EventTypes { receive, send }),
        };
        if let Some((ours, theirs)) = self.side.crypto().zip(agreed.crypto.as_ref()) {
            let keying = |crypto: &Crypto| Keying::from_bytes(*crypto.expose());
            let keys = Keys { suite: Suite::Tag80, ours: keying(ours), theirs: keying(theirs) };
            self.session.protect(keys);
        }
        self.session.describe(description, now);
        if agreed.direction.sends() {
            self.session.resume();
        } else {
            self.session.hold();
        }
    }

    /// The payload type of telephone-events in what it said last.
    fn events(&self) -> Option<u8> {
        let said = self.side.said();
        let said = AudioDescription::read(said).or_else(|_| AudioDescription::read_protected(said)).ok()?;
        said.payloads
            .iter()
            .find(|payload| payload.kind == Kind::TelephoneEvent)
            .map(|payload| payload.number)
    }
}

/// What a telephone describes.
fn side(
    address: SocketAddr,
    codec: Codec,
    keying: Option<[u8; KEYING_BYTES]>,
    rng: &mut SmallRng,
) -> OurSide {
    let side = OurSide::new(address, &[codec], rng.random());
    match keying {
        Some(keying) => side.protected_by(keying),
        None => side,
    }
}

/// How long a key is hummed.
const TONE: Duration = Duration::from_millis(120);

/// Where the nth telephone of a world wants its RTP, after it moved so often.
fn address(nth: usize, moved: u16) -> SocketAddr {
    let port = 10_000 + 2 * u16::try_from(nth % 20_000).unwrap_or(0);
    let [high, low] = moved.to_be_bytes();
    SocketAddr::from((Ipv4Addr::new(10, 1, high, low), port))
}

/// The telephone that an address of RTP or RTCP belongs to.
pub(crate) fn nth_of(address: SocketAddr) -> Option<usize> {
    let IpAddr::V4(ip) = address.ip() else { return None };
    let [10, 1 | 2, ..] = ip.octets() else { return None };
    Some(usize::from(address.port().checked_sub(10_000)? / 2))
}

const NAT: Ipv4Addr = Ipv4Addr::new(10, 2, 0, 1);

const NOBODY: Description = Description {
    remote: None,
    remote_rtcp: None,
    codec: codec::Codec::PCMA,
    hears: Hears::Both,
    events: None,
};
