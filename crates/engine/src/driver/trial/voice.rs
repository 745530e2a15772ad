//! The voice of a trial: a pattern of tones goes out, and is looked for in what comes back.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use media::clip::{Clip, Playlist, Plays};
use media::g711::Law;
use media::rtp::{Packet, timestamp_distance};
use media::session::{Description, Due, Incoming, OUT_BYTES, Params, Session};
use media::source::Policy;
use media::srtp::TAG_BYTES_MAX;
use media::tone::{alaw_tone, tone_share};
use media::{FRAME, FRAME_SAMPLES};
use rand::Rng;
use sip::sdp::OurSide;

use super::stage::Stage;
use super::{Heard, LONGEST, Trial};
use crate::driver::clock::Clock;
use crate::driver::talk;

/// See the module.
pub(super) struct Voice {
    socket: UdpSocket,
    rtcp: UdpSocket,
    pub(super) ours: OurSide,
    session: Session,
    /// Says in A-law what the session hears, in whatever codec and protection that came.
    mirror: Session,
    /// When our tones began, after the beginning of the trial.
    since: Option<Duration>,
    /// The first packet that was heard since then: its timestamp, and when it came after we began.
    first: Option<(u32, Duration)>,
    /// Whether our tone was in each 20 ms of the far end's own time since that packet; `None` where nothing came.
    tones: Vec<Option<bool>>,
}

impl Voice {
    pub(super) fn open(trial: &Trial, stage: &mut Stage) -> io::Result<Self> {
        let ip = stage.local;
        let bind = |port: u16| {
            let socket = UdpSocket::bind((ip, port)).ok()?;
            socket.set_nonblocking(true).ok()?;
            Some(socket)
        };
        let ports = trial.rtp_ports.clone().filter(|port| port.is_multiple_of(2));
        // From the end: a platform that runs beside us begins anywhere.
        let pair = ports.rev().find_map(|port| Some((port, bind(port)?, bind(port.checked_add(1)?)?)));
        let (port, socket, rtcp) = pair.ok_or_else(|| io::Error::other("no ports for RTP are free"))?;
        let (now, trunk) = (stage.now(), &trial.trunk);
        let mut params = |policy, description| Params {
            ssrc: stage.rng.random(),
            seq: stage.rng.random(),
            timestamp: stage.rng.random(),
            policy,
            description,
            wall: Clock::wall(),
            seed: stage.rng.random(),
        };
        let session = Session::new(params(talk::policy(trunk), talk::NOBODY), now);
        // Nothing is sent to it: it only has to be somebody.
        let ourselves = Description { remote: socket.local_addr().ok(), ..talk::NOBODY };
        let mut mirror = Session::new(params(Policy::Strict, ourselves), now);
        mirror.relay();
        let address = SocketAddr::new(stage.contact.ip(), port);
        Ok(Self {
            socket,
            rtcp,
            ours: talk::side(address, &trunk.codecs, trunk.srtp, &mut stage.rng),
            session,
            mirror,
            since: None,
            first: None,
            tones: vec![None; frames_in(trial.speaks)],
        })
    }

    /// Speaks from now on; whether the answer can be talked by.
    pub(super) fn begin(&mut self, answer: &[u8], at: Duration, stage: &Stage) -> bool {
        let Ok(agreed) = self.ours.accept(answer) else { return false };
        if let Some(keys) = talk::keys(&self.ours, &agreed) {
            self.session.protect(keys);
        }
        self.session.describe(talk::description(&agreed), stage.now());
        let says = pattern(self.tones.len())
            .flat_map(|tone| if tone { tone_frame() } else { vec![QUIET; FRAME_SAMPLES] });
        if let Some(playlist) = Playlist::new([Clip::from_alaw(&says.collect::<Vec<u8>>())], Plays::ONCE) {
            self.session.play(playlist, stage.now());
        }
        self.since = Some(at);
        true
    }

    pub(super) fn turn(&mut self, stage: &Stage) {
        let mut buffer = [0; 2_048];
        let room = buffer.len() - TAG_BYTES_MAX;
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer[..room]) {
            let now = stage.now();
            let Ok(length) = self.session.open(&mut buffer[..length]) else { continue };
            let heard = match self.session.receive(from, &buffer[..length], now) {
                Incoming::Audio(heard, _) | Incoming::Noise(heard) => heard,
                Incoming::Event(..) | Incoming::Dropped(_) => continue,
            };
            if let Some(range) = self.mirror.forward(&heard, &mut buffer, now) {
                self.note(&buffer[range], stage);
            }
        }
        while let Ok((length, from)) = self.rtcp.recv_from(&mut buffer) {
            if let Ok(length) = self.session.open_rtcp(&mut buffer[..length]) {
                self.session.receive_rtcp(from, &buffer[..length], stage.now());
            }
        }
        let mut out = [0; OUT_BYTES];
        while let Some(due) = self.mirror.tick(stage.now(), &mut out) {
            if let Due::Rtp(length) = due {
                self.note(&out[..length], stage);
            }
        }
        while let Some(due) = self.session.tick(stage.now(), &mut out) {
            let (socket, to, length) = match due {
                Due::Rtp(length) => (&self.socket, self.session.target(), length),
                Due::Rtcp(length) => (&self.rtcp, self.session.rtcp_target(), length),
                Due::ClipEnded(_)
                | Due::KeysSent
                | Due::Pressed(_)
                | Due::Announced(_)
                | Due::PickedUp(_) => continue,
            };
            if let Some(to) = to {
                // What is not sent is what would be lost on the way.
                socket.send_to(&out[..length], to).ok();
            }
        }
    }

    /// Notes whether our tone is in a packet that the mirror says.
    fn note(&mut self, packet: &[u8], stage: &Stage) {
        let (Some(since), Some(said)) = (self.since, Packet::parse(packet)) else { return };
        let stamp = said.header.timestamp;
        let now = stage.began.elapsed().saturating_sub(since);
        let (first, _) = *self.first.get_or_insert((stamp, now));
        let place = usize::try_from(timestamp_distance(stamp, first)).map(|samples| samples / FRAME_SAMPLES);
        if let Some(tone) = place.ok().and_then(|place| self.tones.get_mut(place)) {
            *tone = Some(tone_share(&packet[said.payload()], Law::Pcma, HERTZ) > 0.5);
        }
    }

    pub(super) fn tell(&self, heard: &mut Heard, stage: &Stage) {
        heard.media = self.since.map(|since| self.session.quality(stage.now()).report(since));
        heard.hears_us = self.session.report().far_end.is_some();
        heard.echo = self.first.and_then(|(_, offset)| echo(&self.tones, offset));
    }
}

/// After how long the pattern came back in what was heard, whose first packet came after `offset`: the delay at which it
/// fits over the longest stretch. A network or a machine that stumbles breaks the pattern into such stretches.
fn echo(heard: &[Option<bool>], offset: Duration) -> Option<Duration> {
    let said: Vec<bool> = pattern(heard.len()).collect();
    let later = |frames: usize| {
        Some((longest_fit(heard.get(frames..)?, &said), offset + FRAME * u32::try_from(frames).ok()?))
    };
    // The far end may have swallowed our first words.
    let sooner = |frames: usize| {
        let delay = offset.saturating_sub(FRAME * u32::try_from(frames).ok()?);
        Some((longest_fit(heard, said.get(frames..)?), delay))
    };
    let fits = (0..DELAY_MAX).filter_map(later).chain((1..SWALLOWED_MAX).filter_map(sooner));
    let (pairs, delay) = fits.max_by_key(|(pairs, delay)| (*pairs, std::cmp::Reverse(*delay)))?;
    (pairs >= PAIRS_MIN).then_some(delay)
}

/// How many frames the best stretch has in which nearly all that was heard is what was said.
fn longest_fit(heard: &[Option<bool>], said: &[bool]) -> usize {
    let (mut best, mut score, mut pairs, mut best_score) = (0, 0, 0, 0);
    for (heard, said) in heard.iter().zip(said) {
        let Some(heard) = heard else { continue };
        score += if heard == said { 100 - FITS_PERCENT } else { -FITS_PERCENT };
        pairs += 1;
        if score <= 0 {
            (score, pairs) = (0, 0);
        } else if score > best_score {
            (best_score, best) = (score, pairs);
        }
    }
    best
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

/// How many frames a bit of the pattern lasts.
const FRAMES_A_BIT: usize = 5;

/// A maximum-length sequence of 31 bits: shifted by any number of bits, half of it differs.
const SEQUENCE: u32 = 0b011_0011_1110_0011_0111_0101_0000_1001;
const SEQUENCE_BITS: usize = 31;

/// The longest delay of an echo, in frames: two seconds.
const DELAY_MAX: usize = 100;

/// Frames of our first words that the far end may swallow.
const SWALLOWED_MAX: usize = 25;

/// Frames that must fit for the pattern to be known: twelve of its bits.
const PAIRS_MIN: usize = 60;

/// How much of a stretch must fit.
const FITS_PERCENT: i32 = 85;

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
        // The far end stood still twice for some frames: what came after that is later by as much.
        let parts = [&said[..90], &said[97..190], &said[193..]];
        let stumbling: Vec<_> = parts.concat();
        let found = echo(&stumbling, FRAME * 200).map(|delay| delay.as_millis());
        assert!([4_000, 3_860, 3_800].map(Some).contains(&found), "{found:?}");
        for tone in [None, Some(false), Some(true)] {
            assert_eq!(echo(&[tone; FRAMES], offset), None);
        }
        let music: Vec<_> = (0..FRAMES).map(|at| Some(at % 7 < 3)).collect();
        assert_eq!(echo(&music, offset), None);
        assert_eq!(echo(&said[..PAIRS_MIN - 1], offset), None, "too little to be sure");
    }
}
