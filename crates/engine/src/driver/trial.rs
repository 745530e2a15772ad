//! Trying a trunk out: does it answer, does it take a call, is anything heard in it.
//!
//! Runs beside everything else, on sockets of its own, and blocks whoever asks until the answer is there. The socket is
//! connected, so that a port that nobody listens at is told apart from a network that swallows everything.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant as StdInstant};

use base::call::Numbers;
use base::id::{CallId, Leg};
use base::number::E164;
use base::time::Instant;
use media::clip::{Clip, Playlist, Plays};
use media::g711::Law;
use media::rtp::{Packet, timestamp_distance};
use media::session::{Due, OUT_BYTES, Params, Session};
use media::source::Policy;
use media::tone::{alaw_tone, tone_share};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sip::sdp::{Direction, OurSide};
use sip::{Endpoint, Event, LegKey, Output, Outputs, PeerRule, RegistrationKey, RegistrationState};

use super::clock::Clock;
use super::names::{self, Way};
use super::talk;
use crate::trunk::{CODECS, Trunk};

/// What a trunk is tried out with.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The trunk; its peers do not matter.
    pub trunk: Trunk,
    /// The gateway.
    pub peer: SocketAddr,
    /// Where SIP is sent from; port 0 lets the system choose, and so does an address of all.
    pub local: SocketAddr,
    /// The address that SIP and SDP tell, when it is not the one that is sent from.
    pub advertised: Option<IpAddr>,
    /// Ports for RTP.
    pub rtp_ports: RangeInclusive<u16>,
    /// How long a call speaks and listens, at most a minute; eight seconds are enough for the far end's first RTCP to come.
    pub speaks: Duration,
}

/// What the trunk said to OPTIONS.
#[derive(Debug)]
pub enum Pong {
    /// It answered.
    Answered {
        /// With that status.
        status: u16,
        /// So fast.
        after: Duration,
    },
    /// It did not, although it was asked for four seconds.
    Silent,
    /// Its machine says that nobody listens at the port.
    Closed,
}

/// What the trunk said to REGISTER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It took it.
    Yes {
        /// So fast.
        after: Duration,
    },
    /// It did not.
    No {
        /// With that status; 401 and 407 also when it was given credentials.
        status: u16,
    },
    /// It said nothing for four seconds.
    Silent,
    /// Its machine says that nobody listens at the port.
    Closed,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// When the telephone rang.
    pub rang_after: Option<Duration>,
    /// When somebody answered.
    pub answered_after: Option<Duration>,
    /// The SIP status with which it failed; 408 also when nothing came back.
    pub failed: Option<u16>,
    /// Nobody listens at the port.
    pub is_closed: bool,
    /// Packets of voice that came.
    pub packets: u32,
    /// How long what we said took to come back, if it did.
    pub echo: Option<Duration>,
    /// Whether the far end tells by RTCP that it hears us.
    pub hears_us: bool,
}

impl Trial {
    /// Asks the trunk whether it is there.
    ///
    /// # Errors
    /// When there is no socket, or the network knows no way.
    pub fn ask(&self) -> io::Result<Pong> {
        let mut stage = Stage::open(self)?;
        let now = stage.now();
        stage.sip.options(self.peer, now, &mut stage.outputs);
        while stage.began.elapsed() < PONG {
            for output in stage.turn()? {
                if let Output::Pong { status: Some(status), .. } = output {
                    return Ok(Pong::Answered { status, after: stage.began.elapsed() });
                }
            }
            if stage.is_closed {
                return Ok(Pong::Closed);
            }
        }
        Ok(Pong::Silent)
    }

    /// Registers with the trunk, and takes that back; `None` when the trunk wants no registration. A trunk that keeps one
    /// address for each account forgets the one that it had.
    ///
    /// # Errors
    /// When there is no socket, or the network knows no way.
    pub fn register(&self) -> io::Result<Option<Registered>> {
        let mut stage = Stage::open(self)?;
        let way = (self.peer.into(), stage.contact);
        let Some(register) = names::register(&self.trunk, way, stage.rng.random()) else {
            return Ok(None);
        };
        let now = stage.now();
        stage.sip.register(THE_REGISTRATION, register, now, &mut stage.outputs);
        while stage.began.elapsed() < PONG {
            for output in stage.turn()? {
                let Output::Registration { state, .. } = output else { continue };
                match state {
                    RegistrationState::Registered { .. } => {
                        let after = stage.began.elapsed();
                        stage.leave()?;
                        return Ok(Some(Registered::Yes { after }));
                    }
                    RegistrationState::Failed { status: Some(status), .. } => {
                        return Ok(Some(Registered::No { status }));
                    }
                    RegistrationState::Failed { status: None, .. } | RegistrationState::Gone => {}
                }
            }
            if stage.is_closed {
                return Ok(Some(Registered::Closed));
            }
        }
        Ok(Some(Registered::Silent))
    }

    /// Calls somebody, says tones for a while, and listens for them to come back.
    ///
    /// # Errors
    /// When there is no socket, or the network knows no way.
    pub fn call(&self, dialled: &E164, shown: &E164) -> io::Result<Heard> {
        let mut stage = Stage::open(self)?;
        let mut voice = Voice::open(self, &mut stage)?;
        let way = Way { trunk: &self.trunk, peer: self.peer.into(), contact: stage.contact, attempt: 1 };
        let call = (CallId::new(Clock::wall(), stage.rng.random()), Leg::A);
        let offer = voice.ours.offer(Direction::SendRecv);
        let invite = names::invite_to(Numbers { shown, dialled }, call, way, offer);
        let invite =
            invite.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the trunk's domain is none"))?;
        let mut heard = Heard::default();
        let now = stage.now();
        stage.sip.invite(THE_CALL, invite, now, &mut stage.outputs);
        let mut hung_up = false;
        while heard.failed.is_none() && stage.began.elapsed() < LONGEST {
            let at = stage.began.elapsed();
            for output in stage.turn()? {
                let Output::Event { event, .. } = output else { continue };
                match event {
                    Event::Early { fork: _, status, sdp, .. } if status == 180 || sdp.is_some() => {
                        heard.rang_after.get_or_insert(at);
                    }
                    Event::Answered { sdp, .. } => {
                        heard.answered_after = Some(at);
                        if !sdp.is_some_and(|sdp| voice.begin(&sdp, at, &stage)) {
                            heard.failed = Some(talk::NOT_ACCEPTABLE);
                        }
                    }
                    Event::Failed { status, .. } => heard.failed = Some(status),
                    Event::Ended { .. } => hung_up = true,
                    _ => {}
                }
            }
            if stage.is_closed && heard.rang_after.is_none() && heard.answered_after.is_none() {
                heard.is_closed = true;
                return Ok(heard);
            }
            voice.turn(&stage);
            let is_heard =
                heard.answered_after.is_some_and(|since| stage.began.elapsed() >= since + self.speaks);
            if hung_up || is_heard {
                break;
            }
        }
        stage.hang_up()?;
        voice.tell(&mut heard);
        Ok(heard)
    }
}

/// The signalling side.
struct Stage {
    socket: UdpSocket,
    sip: Endpoint,
    outputs: Outputs,
    began: StdInstant,
    contact: SocketAddr,
    is_closed: bool,
    rng: StdRng,
}

impl Stage {
    fn open(trial: &Trial) -> io::Result<Self> {
        let socket = UdpSocket::bind(trial.local)?;
        socket.connect(trial.peer)?;
        socket.set_read_timeout(Some(GLANCE))?;
        let local = socket.local_addr()?;
        let contact = SocketAddr::new(trial.advertised.unwrap_or_else(|| local.ip()), local.port());
        let mut manners = sip::Settings::new(contact.to_string());
        manners.peers = vec![PeerRule::Socket(trial.peer)];
        let mut rng = StdRng::from_os_rng();
        Ok(Self {
            socket,
            sip: Endpoint::new(manners, rng.random()),
            outputs: Vec::new(),
            began: StdInstant::now(),
            contact,
            is_closed: false,
            rng,
        })
    }

    fn now(&self) -> Instant {
        Instant::from_millis(1_000) + self.began.elapsed()
    }

    /// Hears what has come, for some milliseconds at most, and sends what is due; gives the news.
    fn turn(&mut self) -> io::Result<Vec<Output>> {
        let mut buffer = [0; 4_096];
        let mut news = self.send()?;
        match self.socket.recv(&mut buffer) {
            Ok(length) => {
                let (now, peer) = (self.now(), self.socket.peer_addr()?);
                self.sip.receive(peer, &buffer[..length], now, &mut self.outputs);
            }
            Err(fault) if fault.kind() == ErrorKind::ConnectionRefused => self.is_closed = true,
            Err(fault) if matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(fault) => return Err(fault),
        }
        let now = self.now();
        self.sip.on_time(now, &mut self.outputs);
        news.extend(self.send()?);
        Ok(news)
    }

    fn send(&mut self) -> io::Result<Vec<Output>> {
        let (to_send, news): (Vec<_>, Vec<_>) =
            self.outputs.drain(..).partition(|output| matches!(output, Output::Send { .. }));
        for output in to_send {
            let Output::Send { datagram, .. } = output else { continue };
            match self.socket.send(&datagram) {
                Err(fault) if fault.kind() == ErrorKind::ConnectionRefused => self.is_closed = true,
                sent => _ = sent?,
            }
        }
        Ok(news)
    }

    /// Ends the call, and waits a moment for the far end to confirm.
    fn hang_up(&mut self) -> io::Result<()> {
        let now = self.now();
        self.sip.hang_up(THE_CALL, None, now, &mut self.outputs);
        self.settle()
    }

    /// Takes the registration back, and waits a moment for the far end to confirm.
    fn leave(&mut self) -> io::Result<()> {
        let now = self.now();
        self.sip.unregister(THE_REGISTRATION, now, &mut self.outputs);
        self.settle()
    }

    fn settle(&mut self) -> io::Result<()> {
        self.turn()?;
        let began = StdInstant::now();
        while began.elapsed() < FAREWELL && self.sip.load().clients > 0 {
            self.turn()?;
        }
        Ok(())
    }
}

/// The voice of the call.
struct Voice {
    socket: UdpSocket,
    rtcp: UdpSocket,
    ours: OurSide,
    session: Session,
    /// When our tones began, after the beginning of the trial.
    since: Option<Duration>,
    /// The first packet that was heard since then: its timestamp, and when it came after we began.
    first: Option<(u32, Duration)>,
    /// Whether our tone was in each 20 ms of the far end's own time since that packet; `None` where nothing came.
    tones: Vec<Option<bool>>,
    packets: u32,
}

impl Voice {
    fn open(trial: &Trial, stage: &mut Stage) -> io::Result<Self> {
        let ip = stage.socket.local_addr()?.ip();
        let bind = |port: u16| {
            let socket = UdpSocket::bind((ip, port)).ok()?;
            socket.set_nonblocking(true).ok()?;
            Some(socket)
        };
        let ports = trial.rtp_ports.clone().filter(|port| port.is_multiple_of(2));
        // From the end: a platform that runs beside us begins anywhere.
        let pair = ports.rev().find_map(|port| Some((port, bind(port)?, bind(port.checked_add(1)?)?)));
        let (port, socket, rtcp) = pair.ok_or_else(|| io::Error::other("no ports for RTP are free"))?;
        let params = Params {
            ssrc: stage.rng.random(),
            seq: stage.rng.random(),
            timestamp: stage.rng.random(),
            policy: Policy::Strict,
            description: talk::NOBODY,
            wall: Clock::wall(),
            seed: stage.rng.random(),
        };
        let address = SocketAddr::new(stage.contact.ip(), port);
        Ok(Self {
            socket,
            rtcp,
            ours: OurSide::new(address, &CODECS, stage.rng.random()),
            session: Session::new(params, stage.now()),
            since: None,
            first: None,
            tones: vec![None; frames_in(trial.speaks)],
            packets: 0,
        })
    }

    /// Speaks from now on; whether the answer can be talked by.
    fn begin(&mut self, answer: &[u8], at: Duration, stage: &Stage) -> bool {
        let Ok(agreed) = self.ours.accept(answer) else { return false };
        self.session.describe(talk::description(&agreed), stage.now());
        let says = pattern(self.tones.len())
            .flat_map(|tone| if tone { tone_frame() } else { vec![QUIET; FRAME_SAMPLES] });
        if let Some(playlist) = Playlist::new([Clip::from_alaw(&says.collect::<Vec<u8>>())], Plays::ONCE) {
            self.session.play(playlist, stage.now());
        }
        self.since = Some(at);
        true
    }

    fn turn(&mut self, stage: &Stage) {
        let mut buffer = [0; 2_048];
        // Whoever sends from elsewhere than described is heard too: what is wrong then is not that nothing comes.
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            self.session.receive(from, &buffer[..length], stage.now());
            let Some(packet) = Packet::parse(&buffer[..length]) else { continue };
            let Some(codec) = Law::of_payload_type(packet.header.payload_type) else { continue };
            self.packets += 1;
            let Some(since) = self.since else { continue };
            let stamp = packet.header.timestamp;
            let now = stage.began.elapsed().saturating_sub(since);
            let (first, _) = *self.first.get_or_insert((stamp, now));
            let place =
                usize::try_from(timestamp_distance(stamp, first)).map(|samples| samples / FRAME_SAMPLES);
            if let Some(tone) = place.ok().and_then(|place| self.tones.get_mut(place)) {
                *tone = Some(tone_share(&buffer[packet.payload()], codec, HERTZ) > 0.5);
            }
        }
        while let Ok((length, from)) = self.rtcp.recv_from(&mut buffer) {
            self.session.receive_rtcp(from, &buffer[..length], stage.now());
        }
        let mut out = [0; OUT_BYTES];
        while let Some(due) = self.session.tick(stage.now(), &mut out) {
            let (socket, to, length) = match due {
                Due::Rtp(length) => (&self.socket, self.session.target(), length),
                Due::Rtcp(length) => (&self.rtcp, self.session.rtcp_target(), length),
                Due::ClipEnded(_) | Due::KeysSent | Due::Pressed(_) => continue,
            };
            if let Some(to) = to {
                // What is not sent is what would be lost on the way.
                socket.send_to(&out[..length], to).ok();
            }
        }
    }

    fn tell(&self, heard: &mut Heard) {
        heard.packets = self.packets;
        heard.hears_us = self.session.report().far_end.is_some();
        heard.echo = self.first.and_then(|(_, offset)| echo(&self.tones, offset));
    }
}

/// After how long the pattern came back in what was heard, whose first packet came after `offset`: the delay at which
/// most of it fits, if that is nearly all.
fn echo(heard: &[Option<bool>], offset: Duration) -> Option<Duration> {
    let said: Vec<bool> = pattern(heard.len()).collect();
    let fit = |(heard, said): (&[Option<bool>], &[bool])| {
        let pairs = heard.iter().zip(said).filter_map(|(heard, said)| Some((*heard)? == *said));
        let (fitting, all) =
            pairs.fold((0, 0), |(fitting, all), fits| (fitting + usize::from(fits), all + 1));
        (all >= PAIRS_MIN).then(|| fitting * 100 / all)
    };
    let later = |frames: usize| {
        Some((fit((heard.get(frames..)?, &said))?, offset + FRAME * u32::try_from(frames).ok()?))
    };
    // The far end may have swallowed our first words.
    let sooner = |frames: usize| {
        let delay = offset.saturating_sub(FRAME * u32::try_from(frames).ok()?);
        Some((fit((heard, said.get(frames..)?))?, delay))
    };
    let fits = (0..DELAY_MAX).filter_map(later).chain((1..SWALLOWED_MAX).filter_map(sooner));
    let (percent, delay) = fits.max_by_key(|(percent, delay)| (*percent, std::cmp::Reverse(*delay)))?;
    (percent >= FITS_PERCENT).then_some(delay)
}

/// Tone or silence in each 20 ms of what we say: a row of bits that looks like no other part of itself, 100 ms each.
fn pattern(frames: usize) -> impl Iterator<Item = bool> + Clone {
    (0..frames).map(|frame| SEQUENCE >> (frame / FRAMES_A_BIT % SEQUENCE_BITS) & 1 == 1)
}

fn frames_in(span: Duration) -> usize {
    usize::try_from(span.min(LONGEST).as_millis() / FRAME.as_millis()).unwrap_or(0)
}

fn tone_frame() -> Vec<u8> {
    alaw_tone(HERTZ, AMPLITUDE, FRAME)
}

/// The only leg.
const THE_CALL: LegKey = LegKey(0);

/// The only registration.
const THE_REGISTRATION: RegistrationKey = RegistrationKey(0);

/// How long an answer to OPTIONS or REGISTER is waited for.
const PONG: Duration = Duration::from_secs(4);

/// How long the whole trial may last.
const LONGEST: Duration = Duration::from_secs(70);

/// How long the far end may take to confirm the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long one turn waits for a datagram.
const GLANCE: Duration = Duration::from_millis(5);

const FRAME: Duration = Duration::from_millis(20);
const FRAME_SAMPLES: usize = 160;

/// How many frames a bit of the pattern lasts.
const FRAMES_A_BIT: usize = 5;

/// A maximum-length sequence of 31 bits: shifted by any number of bits, half of it differs.
const SEQUENCE: u32 = 0b011_0011_1110_0011_0111_0101_0000_1001;
const SEQUENCE_BITS: usize = 31;

/// The longest delay of an echo, in frames: two seconds.
const DELAY_MAX: usize = 100;

/// Frames of our first words that the far end may swallow.
const SWALLOWED_MAX: usize = 25;

/// Frames that must have come for the pattern to be known: eight of its bits.
const PAIRS_MIN: usize = 40;

/// How much of the pattern must come back.
const FITS_PERCENT: usize = 85;

/// The tone: not one of the keys', and in the middle of every telephone's band.
const HERTZ: f64 = 1_000.0;
const AMPLITUDE: i16 = 4_000;

/// Silence in A-law.
const QUIET: u8 = 0xd5;

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: usize = 300;

    #[test]
    fn an_echo_is_found_by_its_delay_and_other_sounds_are_none() {
        let said: Vec<Option<bool>> = pattern(FRAMES).map(Some).collect();
        let offset = Duration::from_millis(30);
        for delay in [0, 7, 60] {
            let silence = vec![Some(false); delay];
            let heard: Vec<_> = silence.into_iter().chain(said.iter().copied()).take(FRAMES).collect();
            let expected = Some(offset + FRAME * u32::try_from(delay).unwrap());
            assert_eq!(echo(&heard, offset), expected);
            let lossy: Vec<_> =
                heard.iter().enumerate().map(|(at, tone)| tone.filter(|_| at % 10 != 0)).collect();
            assert_eq!(echo(&lossy, offset), expected, "a tenth was lost");
        }
        assert_eq!(echo(&said[5..], FRAME * 8), Some(FRAME * 3), "the first words were swallowed");
        for tone in [None, Some(false), Some(true)] {
            assert_eq!(echo(&[tone; FRAMES], offset), None);
        }
        let music: Vec<_> = (0..FRAMES).map(|at| Some(at % 7 < 3)).collect();
        assert_eq!(echo(&music, offset), None);
        assert_eq!(echo(&said[..PAIRS_MIN - 1], offset), None, "too little to be sure");
    }
}
