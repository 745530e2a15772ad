//! The media of one leg: what comes in is judged, counted and handed on; what goes out is one line of packets, from
//! whatever source.
//!
//! ```text
//! Silent ─play─▶ Playing ─ClipEnded─▶ Silent          Relaying ─announce─▶ Announcing ─ClipEnded─▶ Relaying
//!    └───────────────relay───────────────────────────────▶│
//! every state ─press─▶ sending keys, the source waits ─Pressed all─▶ the same state
//! ```
//!
//! Silent sends nothing, or, once [`Session::fill_pauses`] was asked for, frames of silence.
//!
//! The driver calls [`Session::receive`] for every packet, [`Session::forward`] on the peer's session for what may be
//! relayed, and [`Session::tick`] until it gives nothing, whenever [`Session::next_due`] has come. Changing the source
//! never moves sequence numbers or timestamps back and never cuts a frame.

mod clock;
mod counts;
mod description;
mod listening;
mod news;
mod protection;
mod voice;

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use base::time::{Instant, Timestamp};

use crate::clip::{Playlist, Reel};
use crate::codec::Codec;
use crate::dtmf::{CannotPress, Ear, Event, Key, Keypad, Stroke};
use crate::g711::{Law, transcode};
use crate::inband::ToneEar;
use crate::line::{FRAME, FRAME_SAMPLES, FRAME_TICKS, Line};
use crate::reception::{Loss, Order, Reception};
use crate::relay::{Relay, Span};
use crate::rtcp::{Account, COMPOUND_BYTES_MAX, Rtcp};
use crate::rtp::{HEADER_BYTES, Header, Packet};
use crate::source::{Gate, Policy, Verdict};
use crate::srtp::{RTCP_BYTES_ADDED, Srtp, TAG_BYTES_MAX};
use crate::transcode::{Transcoder, Voice};

use self::clock::Clock;
use self::counts::Counts;
pub use self::counts::Report;
pub use self::description::{Description, EventTypes, Hears};
use self::listening::Listening;
pub use self::news::{Due, Heard, Incoming, Play, Unheard};

/// Bytes that [`Session::tick`] may write: an RTP frame or an RTCP compound.
pub const OUT_BYTES: usize = 192;

/// How late a tick may be and still send the frames it missed, at most three at once. Later, the frames are put
/// after a silence instead: the far end's jitter buffer has given up on them.
pub const CATCH_UP: Duration = Duration::from_millis(60);

const _: () = assert!(HEADER_BYTES + FRAME_SAMPLES + TAG_BYTES_MAX <= OUT_BYTES);
const _: () = assert!(COMPOUND_BYTES_MAX + RTCP_BYTES_ADDED <= OUT_BYTES);

/// What a session starts with. The random numbers are the owner's to draw (RFC 3550 section 5.1).
#[derive(Clone, Debug)]
pub struct Params {
    /// Our stream's identifier, random.
    pub ssrc: u32,
    /// Our first sequence number, random.
    pub seq: u16,
    /// Our first timestamp, random.
    pub timestamp: u32,
    /// Who may be heard besides the described address.
    pub policy: Policy,
    /// What the signalling agreed to so far.
    pub description: Description,
    /// The time of day at creation, for sender reports.
    pub wall: Timestamp,
    /// Seed of the RTCP intervals and of the CNAME.
    pub seed: u64,
}

/// The media of one leg.
#[derive(Debug)]
pub struct Session {
    description: Description,
    gate: Gate,
    reception: Reception,
    ear: Ear,
    /// Hears tones, where that was asked for and no event has come.
    tone_ear: Option<Box<ToneEar>>,
    events_heard: bool,
    /// What else is listened for, where that was asked for and is not told yet.
    listening: Option<Listening>,
    line: Line,
    source: Source,
    /// When silence goes out where nothing is played, if it does: not before this moment.
    fills_from: Option<Instant>,
    playing: Option<Playing>,
    plays: u32,
    relay: Relay,
    /// Speaks what cannot be put together from bytes: clips in G.722, another codec's voice.
    voice: Option<Box<Voice>>,
    /// Hears the peer, where it speaks another codec.
    transcoder: Option<Box<Transcoder>>,
    /// The event of the peer that goes out beside transcoded audio: their beginning and ours.
    event: Option<(u32, u32)>,
    clock: Clock,
    /// Keys of SRTP, if the descriptions agreed to it.
    srtp: Option<Box<Srtp>>,
    keypad: Keypad,
    rtcp: Rtcp,
    rtcp_learned: Option<SocketAddr>,
    held: bool,
    created: Instant,
    counts: Counts,
}

/// What goes out when no playlist plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Silent,
    Peer,
}

#[derive(Debug)]
struct Playing {
    reel: Reel,
    play: Play,
}

impl Session {
    /// A session that listens and sends nothing yet.
    #[must_use]
    pub fn new(params: Params, now: Instant) -> Self {
        Self {
            description: params.description,
            gate: Gate::new(params.description.remote, params.policy, now),
            reception: Reception::default(),
            ear: Ear::default(),
            tone_ear: None,
            events_heard: false,
            listening: None,
            line: Line::new(params.ssrc, params.seq, params.timestamp, now),
            source: Source::Silent,
            fills_from: None,
            playing: None,
            plays: 0,
            relay: Relay::default(),
            voice: voice_of(params.description.codec),
            transcoder: None,
            event: None,
            clock: Clock::default(),
            srtp: None,
            keypad: Keypad::new(),
            rtcp: Rtcp::new(params.seed, params.wall, now),
            rtcp_learned: None,
            held: false,
            created: now,
            counts: Counts::default(),
        }
    }

    /// Takes a new answer, or an offer that we accepted. What is being sent goes on.
    pub fn describe(&mut self, description: Description, now: Instant) {
        let had_rtcp = self.rtcp_target().is_some();
        self.gate.describe(description.remote, now);
        if description.remote != self.description.remote {
            self.rtcp_learned = None;
        }
        if !description.codec.is_same_coding(self.description.codec) {
            self.voice = voice_of(description.codec);
            self.transcoder = None;
        }
        self.description = description;
        if !had_rtcp {
            self.rtcp.schedule(now);
        }
    }

    /// The far end wants to hear nothing for a while (`sendonly` or `inactive` in its description). It is still heard,
    /// clips go on unheard, and nothing but RTCP is sent.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// The far end wants to hear us again.
    pub fn resume(&mut self) {
        self.held = false;
        self.release();
    }

    /// Listens for keys in the voice too, until the first event comes: many telephones send both, and events are
    /// surer. The press that this event is of may have been told as a tone before. A leg that nobody asked this for
    /// pays nothing for it.
    pub fn listen_for_tones(&mut self) {
        if !self.events_heard && self.tone_ear.is_none() {
            self.tone_ear = Some(Box::new(ToneEar::new()));
        }
    }

    /// Sends silence instead of nothing from now on, so that no gateway takes a party that waits for a dead one.
    pub fn fill_pauses(&mut self, now: Instant) {
        if self.fills_from.is_none() {
            self.fills_from = Some(now);
            self.line.settle(now);
        }
    }

    /// The leg is being released: sends nothing any more but RTCP.
    pub fn finish(&mut self) {
        self.fills_from = None;
        self.listening = None;
        self.silence();
    }

    /// What was last described.
    #[must_use]
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// Where RTP goes: the described address or the one learned behind NAT. `None` sends nothing: nobody is described
    /// or the leg is held.
    #[must_use]
    #[inline]
    pub const fn target(&self) -> Option<SocketAddr> {
        if self.held { None } else { self.gate.target() }
    }

    /// Where RTCP goes. Behind NAT that is known only once the far end's RTCP has come from its learned address.
    #[must_use]
    pub fn rtcp_target(&self) -> Option<SocketAddr> {
        if self.gate.is_learned() { self.rtcp_learned } else { self.description.remote_rtcp }
    }

    /// Judges a packet that came to the RTP socket. Allocates nothing.
    #[inline]
    pub fn receive(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) -> Incoming {
        let Some(mut packet) = Packet::parse(bytes) else { return self.unusable(from, Unheard::Malformed) };
        let header = packet.header;
        let payload = &bytes[packet.payload()];
        let codec = self.codec_of(header.payload_type);
        let is_event = self.description.events.is_some_and(|events| events.receive == header.payload_type);
        let is_noise = header.payload_type == COMFORT_NOISE;
        if payload.is_empty() || (codec.is_none() && !is_event && !is_noise) {
            return self.unusable(from, Unheard::Unknown);
        }
        let moved = match self.gate.judge(from, &header, now) {
            Verdict::Ours => false,
            Verdict::OursNow => true,
            Verdict::Foreign => return self.foreign(from),
        };
        if moved {
            self.move_source(header.ssrc);
        }
        let order = self.reception.note(&header);
        if order == Order::Wild {
            return self.unusable(from, Unheard::Wild);
        }
        if order == Order::New {
            self.begin_stream(now);
        }
        self.counts.heard(payload.len(), now);
        let ticks = self.description.codec.ticks();
        let header = Header { timestamp: self.clock.narrow(header.timestamp, ticks), ..header };
        packet.header = header;
        if let Some(spoken) = codec {
            let mut pressed = None;
            self.reception.time(header.timestamp, now);
            if let Codec::G711(law) = spoken {
                self.counts.quiet = self.counts.quiet.saturating_add(u32::from(law.is_quiet(payload)));
                if order != Order::Late {
                    pressed = self.tone_ear.as_mut().and_then(|ear| ear.hear(&header, payload, law));
                    if let Some(listening) = &mut self.listening {
                        listening.hear(&header, payload, law, now);
                    }
                }
            }
            return Incoming::Audio(Heard { packet, codec, moved, order, event: None }, pressed);
        }
        if is_noise {
            return Incoming::Noise(Heard { packet, codec: None, moved, order, event: None });
        }
        let Some(mut event) = Event::parse(payload) else { return self.unusable(from, Unheard::Malformed) };
        event.samples /= ticks as u16;
        if event.is_key() {
            self.events_heard = true;
            self.tone_ear = None;
        }
        let pressed = self.ear.hear(header.timestamp, event, order, now);
        Incoming::Event(Heard { packet, codec: None, moved, order, event: Some(event) }, pressed)
    }

    /// Reads a packet that came to the RTCP socket. A stranger's is counted and changes nothing.
    pub fn receive_rtcp(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        let learned =
            self.gate.is_learned() && self.gate.target().map(|target| target.ip()) == Some(from.ip());
        if !learned && Some(from) != self.description.remote_rtcp {
            self.counts.foreign = self.counts.foreign.saturating_add(1);
            return;
        }
        if self.rtcp.read(bytes, self.line.ssrc, self.reception.ssrc(), now) {
            if learned && self.rtcp_learned.is_none() {
                self.rtcp_learned = Some(from);
            }
        } else {
            self.counts.unusable = self.counts.unusable.saturating_add(1);
        }
    }

    /// Puts a packet that the peer's session heard on this leg's line: rewrites the header, and the samples if they are in
    /// the other law, in place. Gives where in `bytes` the packet to send lies; `None` when this leg does not relay
    /// now or the packet has no place on its line. Allocates nothing, but for the first packet of a peer that speaks
    /// another codec: what that one says is decoded and goes out by [`Session::tick`] ([`Session::is_transcoding`]).
    ///
    /// A protected leg ([`Session::protect`]) wants [`crate::srtp::TAG_BYTES_MAX`] more bytes behind the packet.
    ///
    /// While a playlist plays or keys are sent, the peer is not heard. A mix of both would be made here.
    #[inline]
    pub fn forward(&mut self, heard: &Heard, bytes: &mut [u8], now: Instant) -> Option<Range<usize>> {
        if self.source != Source::Peer || self.playing.is_some() || self.keypad.is_busy() {
            return None;
        }
        self.target()?;
        let payload = heard.packet.payload();
        let samples = bytes.get_mut(payload.clone())?;
        let placed = match (heard.codec, &heard.event) {
            (Some(codec), _) => match (codec, self.description.codec) {
                (Codec::G711(theirs), Codec::G711(ours)) => {
                    let span = Span::Audio(samples.len() as u32);
                    let placed = self.place(heard, span, ours.payload_type(), now)?;
                    transcode(samples, theirs, ours);
                    placed
                }
                (theirs, ours) if theirs.is_same_coding(ours) => {
                    self.place(heard, Span::Audio(theirs.span(samples)), ours.payload_type(), now)?
                }
                (theirs, _) => {
                    self.interpret(theirs, &heard.packet.header, samples, now);
                    return None;
                }
            },
            (None, Some(event)) => {
                let Some(types) = self.description.events else {
                    self.relay.skip(heard.order);
                    return None;
                };
                let placed = if self.is_transcoding() {
                    self.place_event(&heard.packet.header, event, types.send)?
                } else {
                    self.place(heard, Span::Event(u32::from(event.samples)), types.send, now)?
                };
                let ticks = self.description.codec.ticks() as u16;
                Event::write_duration(event.samples.saturating_mul(ticks), samples);
                placed
            }
            // The noise of a pause: the pause is silent here, and its packets are no losses.
            (None, None) => {
                self.relay.skip(heard.order);
                if let Some(peer) = &mut self.transcoder {
                    peer.pause(&heard.packet.header);
                }
                return None;
            }
        };
        let range = heard.packet.rewritten();
        let header = bytes.get_mut(range.clone())?.first_chunk_mut::<HEADER_BYTES>()?;
        let timestamp = placed.timestamp.wrapping_mul(self.description.codec.ticks());
        Header { timestamp, ..placed }.write(header);
        let range = self.seal(bytes, range)?;
        self.counts.sent(payload.len(), now);
        Some(range)
    }

    /// Sends nothing from now on, or only silence; a playlist stops without an end being told.
    pub fn silence(&mut self) {
        self.source = Source::Silent;
        self.playing = None;
        self.release();
    }

    /// Plays to this leg from now on, instead of whatever went out. The end is told by [`Due::ClipEnded`]; a playlist
    /// that is replaced tells none.
    pub fn play(&mut self, playlist: Playlist, now: Instant) -> Play {
        self.source = Source::Silent;
        self.announce(playlist, now)
    }

    /// Plays to this leg and afterwards goes on with what went out before. The peer is not heard meanwhile.
    pub fn announce(&mut self, playlist: Playlist, now: Instant) -> Play {
        self.release();
        if !self.keypad.is_busy() {
            self.line.settle(now);
        }
        let play = Play(self.plays);
        self.plays = self.plays.wrapping_add(1);
        self.playing = Some(Playing { reel: Reel::new(playlist), play });
        play
    }

    /// Relays the peer from now on: [`Session::forward`] gives packets. A playlist stops without an end being told.
    pub fn relay(&mut self) {
        self.playing = None;
        if self.source != Source::Peer {
            self.source = Source::Peer;
            self.release();
        }
    }

    /// Sends keys as events, 160 ms each with 100 ms between; the source waits meanwhile.
    ///
    /// # Errors
    ///
    /// When events were not agreed to, or when more than [`crate::dtmf::KEYS_QUEUED_MAX`] keys would wait.
    pub fn press(&mut self, keys: &[Key]) -> Result<(), CannotPress> {
        if self.description.events.is_none() {
            return Err(CannotPress::NotNegotiated);
        }
        self.release();
        self.keypad.press(keys)
    }

    /// Whether the leg is made to hear a playlist.
    #[must_use]
    pub const fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Does one thing that is due; call it until it gives `None`. Allocates nothing.
    pub fn tick(&mut self, now: Instant, out: &mut [u8; OUT_BYTES]) -> Option<Due> {
        if let Some(pressed) = self.ear.lapse(now) {
            return Some(Due::Pressed(pressed));
        }
        if let Some(listening) = &mut self.listening {
            let told = listening.told(now);
            self.listening.take_if(|listening| listening.is_over());
            if told.is_some() {
                return told;
            }
        }
        if now >= self.rtcp.due() && self.rtcp_target().is_some() {
            let account = self.account(now);
            let form = out.first_chunk_mut::<COMPOUND_BYTES_MAX>()?;
            let length = self.rtcp.report(&account, now, form);
            return Some(Due::Rtcp(self.seal_rtcp(out, length)?));
        }
        let due = if self.keypad.is_busy() { self.press_on(now, out) } else { self.play_on(now, out) };
        match due {
            Some(Due::Rtp(length)) => self.seal(out, 0..length).map(|range| Due::Rtp(range.len())),
            due => due,
        }
    }

    /// Whether the peer speaks another codec, so that ticks bring what it says: ask [`Session::next_due`] after every
    /// packet of it.
    #[must_use]
    #[inline]
    pub fn is_transcoding(&self) -> bool {
        self.source == Source::Peer && self.transcoder.is_some()
    }

    /// When [`Session::tick`] has something to do next; `None` when nothing is planned.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        let rtcp = self.rtcp_target().map(|_| self.rtcp.due());
        let source = if self.keypad.is_busy() { self.keypad.due() } else { self.frame_due() };
        let listening = self.listening.as_ref().and_then(Listening::due);
        [rtcp, source, self.ear.due(), listening].into_iter().flatten().min()
    }

    /// Writes the leg's last RTCP compound, with BYE; `None` when there is nobody to send it to.
    pub fn bye(&mut self, now: Instant, out: &mut [u8; OUT_BYTES]) -> Option<usize> {
        self.rtcp_target()?;
        let account = self.account(now);
        let length = self.rtcp.bye(&account, now, out.first_chunk_mut()?);
        self.seal_rtcp(out, length)
    }

    #[inline]
    fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        let ours = self.description.codec;
        if payload_type == ours.payload_type_heard() {
            return Some(ours);
        }
        let other = Law::of_payload_type(payload_type).map(Codec::G711)?;
        (self.description.hears == Hears::Both && matches!(ours, Codec::G711(_))).then_some(other)
    }

    #[cold]
    fn unusable(&mut self, from: SocketAddr, why: Unheard) -> Incoming {
        if Some(from) != self.gate.target() {
            return self.foreign(from);
        }
        self.counts.unusable = self.counts.unusable.saturating_add(1);
        Incoming::Dropped(why)
    }

    #[cold]
    fn foreign(&mut self, from: SocketAddr) -> Incoming {
        self.counts.foreign_from = Some(from);
        self.counts.foreign = self.counts.foreign.saturating_add(1);
        Incoming::Dropped(Unheard::Foreign)
    }

    #[cold]
    fn move_source(&mut self, ssrc: u32) {
        // Who moves and goes on with his stream goes on with what he was pressing.
        if self.reception.ssrc() != Some(ssrc) {
            self.reception.end_stream();
        }
        self.rtcp_learned = None;
    }

    #[cold]
    fn begin_stream(&mut self, now: Instant) {
        self.ear.end_stream();
        if let Some(ear) = &mut self.tone_ear {
            ear.end_stream();
        }
        if let Some(listening) = &mut self.listening {
            listening.end_stream();
        }
        self.rtcp.end_stream();
        self.counts.first_heard.get_or_insert(now);
    }

    fn press_on(&mut self, now: Instant, out: &mut [u8; OUT_BYTES]) -> Option<Due> {
        // A description without events in the middle of a press: the press is finished as it was begun.
        let payload_type = self.description.events.map_or(EVENTS_BY_CUSTOM, |events| events.send);
        match self.keypad.stroke(now, &mut self.line, payload_type, out)? {
            Stroke::Packet(length) => {
                let ticks = self.description.codec.ticks();
                if ticks > 1 {
                    let (header, payload) = out.split_first_chunk_mut::<HEADER_BYTES>()?;
                    self.clock_out(header);
                    if let Some(event) = Event::parse(payload) {
                        Event::write_duration(event.samples.saturating_mul(ticks as u16), payload);
                    }
                }
                Some(self.sent(length, now))
            }
            Stroke::Done => {
                self.line.settle(now);
                Some(Due::KeysSent)
            }
        }
    }

    /// The next frame of what is played, or of the silence in its place.
    fn play_on(&mut self, now: Instant, out: &mut [u8; OUT_BYTES]) -> Option<Due> {
        if self.frame_due().is_none_or(|due| now < due) {
            return None;
        }
        if let Some(over) = self.playing.take_if(|playing| playing.reel.is_over()) {
            // Whoever plays the next clip at once finds its place empty.
            self.fills_from = self.fills_from.map(|_| now + FRAME / 2);
            return Some(Due::ClipEnded(over.play));
        }
        if now.since(self.line.at) > CATCH_UP {
            self.counts.stalls = self.counts.stalls.saturating_add(1);
            self.line.settle(now);
            if now < self.line.at {
                return None;
            }
        }
        let (header, rest) = out.split_first_chunk_mut::<HEADER_BYTES>()?;
        let length = self.speak(now, &mut rest[..FRAME_SAMPLES]);
        if length == 0 {
            self.line.pass(FRAME_TICKS);
            return None;
        }
        self.line.write_audio(self.description.codec.payload_type(), header);
        self.line.pass(FRAME_TICKS);
        self.clock_out(header);
        Some(self.sent(HEADER_BYTES + length, now))
    }

    /// When the next frame of a clip or of silence is due.
    #[inline]
    fn frame_due(&self) -> Option<Instant> {
        match (&self.playing, self.source, self.fills_from) {
            (Some(_), ..) => Some(self.line.at),
            (None, Source::Silent, Some(from)) => Some(self.line.at.max(from)),
            (None, Source::Peer, _) if self.transcoder.as_ref().is_some_and(|peer| peer.is_playing()) => {
                Some(self.line.at)
            }
            (None, Source::Silent | Source::Peer, _) => None,
        }
    }

    /// A clip goes on while there is no target, as a telephone rings in an empty house, but nothing is counted.
    fn sent(&mut self, length: usize, now: Instant) -> Due {
        if self.target().is_some() {
            self.counts.sent(length - HEADER_BYTES, now);
        }
        Due::Rtp(length)
    }

    fn account(&mut self, now: Instant) -> Account {
        let ticks = self.description.codec.ticks();
        Account {
            ssrc: self.line.ssrc,
            timestamp: self.line.timestamp_at(now).wrapping_mul(self.description.codec.ticks()),
            packets: self.counts.packets_out,
            // The field wraps (RFC 3550 section 6.4.1).
            bytes: self.counts.bytes_out as u32,
            loss: self
                .reception
                .report()
                .map(|loss| Loss { jitter: loss.jitter.saturating_mul(ticks), ..loss }),
        }
    }
}

/// The static payload type of comfort noise (RFC 3389 section 4).
const COMFORT_NOISE: u8 = 13;

/// G.711 needs no encoder until somebody is heard who speaks something else.
fn voice_of(codec: Codec) -> Option<Box<Voice>> {
    (!matches!(codec, Codec::G711(_))).then(|| Voice::new(codec))
}

/// The payload type that most of the world uses for telephone events.
const EVENTS_BY_CUSTOM: u8 = 101;

// Thousands of legs share a core's cache; a session that grows should be seen.
const _: () = assert!(size_of::<Session>() <= 1_024);
const _: () = assert!(FRAME.as_millis() == 20);
