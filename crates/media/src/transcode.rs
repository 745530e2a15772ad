//! A far end's packets, decoded in order and on time, for a leg that speaks another codec.
//!
//! ```text
//! put ─▶ slots by timestamp ─▶ decode ─▶ samples ─▶ frame of 20 ms, when the line wants one
//!             nothing there ─▶ conceal ─┘              the playout point is moved, best where it is quiet
//!
//! Idle ─put─▶ Playing ─200 ms without a packet─▶ Idle
//! ```
//!
//! A run of lost packets is concealed, a pause of the far end is silent. Nothing is allocated for a packet; packets that
//! come when [`SLOTS`] wait, or that are longer than [`PAYLOAD_BYTES_MAX`], are left out.

use std::fmt;

use base::time::Instant;

use crate::codec::{Codec, Decoder, Encoder, PACKET_SAMPLES_MAX, Rate, WIDE_FRAME};
use crate::conceal::{Concealer, HISTORY_MILLIS, Pace};
use crate::line::{FRAME_SAMPLES, FRAME_TICKS, samples_at};
use crate::playout::Playout;
use crate::resample::Resampler;
use crate::rtp::{Header, seq_distance, timestamp_distance};

/// Packets that may wait: 640 ms of the usual ones, twice the deepest buffer.
const SLOTS: usize = 32;

/// The longest payload: 80 ms of G.711.
const PAYLOAD_BYTES_MAX: usize = 640;

/// After so long without a packet the far end has paused, in 1/8,000 s: 200 ms.
const IDLE: u32 = 1_600;

/// How late what is given may be before a frame is left out where it is quiet, and before one is left out anywhere, in
/// 1/8,000 s: 20 and 60 ms.
const LATE_QUIET: i32 = 160;
const LATE_MAX: i32 = 480;

/// How early it may be before it is stretched; less than the least depth, so that the buffer is not empty before.
const EARLY_MAX: i32 = 120;

/// What a stretch adds: 10 ms.
const STRETCH: u32 = 80;

/// A packet so far from the playout point belongs to another time line: 4 s.
const FAR: i32 = 32_000;

/// Frames below this mean square are quiet: about -45 dBm0.
const QUIET: i64 = 150 * 150;

const HISTORY: usize = HISTORY_MILLIS * Pace::Wide as usize;

/// Samples that wait to be framed: a packet and what was left before it.
const FIFO: usize = PACKET_SAMPLES_MAX + WIDE_FRAME;

/// Hears one stream and gives its samples frame by frame.
pub(crate) struct Transcoder {
    codec: Codec,
    decoder: Decoder,
    concealer: Concealer,
    playout: Playout,
    state: State,
    ssrc: u32,
    /// Number of the last packet that told a pause.
    paused: Option<u16>,
    slots: [Slot; SLOTS],
    /// Samples that were decoded and not yet given, at the beginning.
    fifo: [i16; FIFO],
    waiting: usize,
    /// The newest samples that were made, the newest last.
    history: [i16; HISTORY],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Playing {
        /// Timestamp of the sample that is decoded next.
        next: u32,
        /// Number of the packet that was decoded last, if it was the one before.
        last_seq: Option<u16>,
        /// How long nothing has been there, in 1/8,000 s.
        missed: u32,
    },
}

#[derive(Clone, Copy)]
struct Slot {
    seq: u16,
    timestamp: u32,
    /// 0 when the slot is empty.
    length: u16,
    bytes: [u8; PAYLOAD_BYTES_MAX],
}

impl Transcoder {
    /// A transcoder for what comes in this codec. Allocates.
    pub(crate) fn new(codec: Codec) -> Box<Self> {
        let pace = match codec.rate() {
            Rate::Narrow => Pace::Narrow,
            Rate::Wide => Pace::Wide,
        };
        Box::new(Self {
            codec,
            decoder: Decoder::new(codec),
            concealer: Concealer::new(pace),
            playout: Playout::default(),
            state: State::Idle,
            ssrc: 0,
            paused: None,
            slots: [Slot { seq: 0, timestamp: 0, length: 0, bytes: [0; PAYLOAD_BYTES_MAX] }; SLOTS],
            fifo: [0; FIFO],
            waiting: 0,
            history: [0; HISTORY],
        })
    }

    /// The codec that it hears.
    pub(crate) const fn codec(&self) -> Codec {
        self.codec
    }

    /// Whether there is something to give.
    pub(crate) fn is_playing(&self) -> bool {
        self.state != State::Idle
    }

    /// Forgets what waits: another source speaks now.
    pub(crate) fn rest(&mut self) {
        self.state = State::Idle;
        self.waiting = 0;
        self.slots.iter_mut().for_each(|slot| slot.length = 0);
    }

    /// Takes a packet. When it is the first one after a pause, gives the moment at which its audio is to be heard.
    pub(crate) fn put(&mut self, header: &Header, payload: &[u8], now: Instant) -> Option<Instant> {
        if header.ssrc != self.ssrc {
            self.rest();
            self.playout = Playout::default();
            self.ssrc = header.ssrc;
            self.paused = None;
        }
        if payload.is_empty() || payload.len() > PAYLOAD_BYTES_MAX || self.codec.span(payload) == 0 {
            return None;
        }
        self.playout.note(samples_at(now).wrapping_sub(header.timestamp));
        if let State::Playing { next, .. } = self.state {
            let ahead = timestamp_distance(header.timestamp, next);
            if ahead.unsigned_abs() > FAR.unsigned_abs() {
                self.rest();
            } else if ahead < 0 {
                return None;
            }
        }
        let holds = |slot: &Slot| slot.length > 0 && slot.timestamp == header.timestamp;
        if self.slots.iter().any(holds) {
            return None;
        }
        let slot = self.slots.iter_mut().find(|slot| slot.length == 0)?;
        (slot.seq, slot.timestamp, slot.length) = (header.seq, header.timestamp, payload.len() as u16);
        slot.bytes[..payload.len()].copy_from_slice(payload);
        if self.is_playing() {
            return None;
        }
        self.state = State::Playing { next: header.timestamp, last_seq: None, missed: 0 };
        Some(now + self.playout.depth())
    }

    /// The far end says that it pauses: what is missing next to this packet's number is no loss.
    pub(crate) fn pause(&mut self, header: &Header) {
        if header.ssrc == self.ssrc {
            self.paused = Some(header.seq);
        }
    }

    /// Whether nothing was lost between the packet that was decoded last and the next one, if that has come: they follow
    /// each other, or a pause was told between them.
    fn is_pause(&self, last: Option<u16>, next: Option<u16>) -> bool {
        let Some(last) = last else { return next.is_some() };
        let was_told = self.paused.is_some_and(|paused| {
            seq_distance(paused, last) > 0 && next.is_none_or(|next| seq_distance(next, paused) > 0)
        });
        was_told || next == Some(last.wrapping_add(1))
    }

    /// Gives the next 20 ms at the codec's rate.
    pub(crate) fn frame<'a>(&mut self, now: Instant, out: &'a mut [i16; WIDE_FRAME]) -> &'a [i16] {
        let want = FRAME_SAMPLES * self.codec.rate().samples();
        // Each round makes at least a millisecond, so that their number is bounded.
        while self.waiting < want && self.is_playing() {
            self.make(now);
        }
        out[..want].fill(0);
        let given = want.min(self.waiting);
        out[..given].copy_from_slice(&self.fifo[..given]);
        self.fifo.copy_within(given..self.waiting, 0);
        self.waiting -= given;
        &out[..want]
    }

    /// Makes the next samples: decodes a packet, or conceals that there is none.
    fn make(&mut self, now: Instant) {
        let State::Playing { next, last_seq, missed } = self.state else { return };
        let off = self.off(next, now);
        let is_quiet = self.is_quiet();
        if off < -EARLY_MAX {
            return self.fill(STRETCH, is_quiet);
        }
        let ready = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.length > 0)
            .map(|(n, slot)| (timestamp_distance(slot.timestamp, next), n))
            .min();
        match ready {
            Some((ahead, n)) if ahead <= 0 => {
                let Slot { seq, length, .. } = self.slots[n];
                self.slots[n].length = 0;
                let span = if ahead < 0 { 0 } else { self.decode(n, length) };
                // Too late by more than a frame: this one is not heard.
                if span > 0 && (off > LATE_MAX || (off > LATE_QUIET && is_quiet)) {
                    self.waiting -= self.waiting.min(span as usize * self.codec.rate().samples());
                }
                let next = next.wrapping_add(span);
                self.state = State::Playing { next, last_seq: Some(seq), missed: 0 };
            }
            // It may still come in time.
            Some(_) | None if off < 0 => self.fill(STRETCH, is_quiet),
            Some((ahead, n)) => {
                let is_pause = self.is_pause(last_seq, Some(self.slots[n].seq));
                let span = FRAME_TICKS.min(ahead.unsigned_abs());
                self.fill(span, is_pause);
                self.state = State::Playing { next: next.wrapping_add(span), last_seq, missed };
            }
            None if missed >= IDLE => self.state = State::Idle,
            None => {
                self.fill(FRAME_TICKS, self.is_pause(last_seq, None));
                let (next, missed) = (next.wrapping_add(FRAME_TICKS), missed + FRAME_TICKS);
                self.state = State::Playing { next, last_seq, missed };
            }
        }
    }

    /// How much later than it could be the next packet is wanted, in 1/8,000 s.
    fn off(&self, next: u32, now: Instant) -> i32 {
        let Some(deadline) = self.playout.deadline() else { return 0 };
        timestamp_distance(samples_at(now).wrapping_sub(deadline), next)
    }

    fn is_quiet(&self) -> bool {
        let newest = &self.history[HISTORY - FRAME_SAMPLES..];
        let square: i64 = newest.iter().map(|sample| i64::from(*sample).pow(2)).sum();
        square < QUIET * FRAME_SAMPLES as i64
    }

    /// Decodes a slot into what waits; gives its span, and never 0.
    fn decode(&mut self, slot: usize, length: u16) -> u32 {
        let payload = &self.slots[slot].bytes[..usize::from(length)];
        let span = self.codec.span(payload).max(1);
        let mut samples = [0; PACKET_SAMPLES_MAX];
        let count = self.decoder.decode(payload, &mut samples);
        // What could not be decoded is silence of the right length.
        let count = if count == 0 { span as usize * self.codec.rate().samples() } else { count };
        let samples = &mut samples[..count.min(PACKET_SAMPLES_MAX)];
        if !self.concealer.is_idle() {
            self.concealer.join(samples);
        }
        self.push(samples);
        span
    }

    /// Makes so much, in 1/8,000 s, out of nothing: what could have been said, or silence.
    fn fill(&mut self, span: u32, silence: bool) {
        let mut samples = [0; WIDE_FRAME];
        let count = span as usize * self.codec.rate().samples();
        let samples = &mut samples[..count.min(WIDE_FRAME)];
        if !silence && !self.decoder.conceal(samples) {
            if !self.concealer.is_filling() {
                self.concealer.begin(&self.history);
            }
            self.concealer.fill(samples);
        }
        self.push(samples);
    }

    fn push(&mut self, samples: &[i16]) {
        let count = samples.len().min(FIFO - self.waiting);
        self.fifo[self.waiting..self.waiting + count].copy_from_slice(&samples[..count]);
        self.waiting += count;
        let newest = &samples[samples.len().saturating_sub(HISTORY)..];
        self.history.copy_within(newest.len().., 0);
        self.history[HISTORY - newest.len()..].copy_from_slice(newest);
    }
}

/// What a leg says in a codec that cannot be put together from bytes: linear samples, encoded frame by frame.
pub(crate) struct Voice {
    codec: Codec,
    encoder: Encoder,
    resampler: Resampler,
}

impl Voice {
    /// A voice in this codec. Allocates.
    pub(crate) fn new(codec: Codec) -> Box<Self> {
        Box::new(Self { codec, encoder: Encoder::new(codec), resampler: Resampler::new() })
    }

    /// The codec that it speaks.
    pub(crate) const fn codec(&self) -> Codec {
        self.codec
    }

    /// Encodes 20 ms of samples and gives the bytes of the payload; 0 when there is nothing to send.
    pub(crate) fn say(&mut self, samples: &[i16], rate: Rate, out: &mut [u8]) -> usize {
        let mut frame = [0; WIDE_FRAME];
        let count = self.resampler.convert(samples, rate, self.codec.rate(), &mut frame);
        self.encoder.encode(&frame[..count], out)
    }
}

/// Says nothing of what is heard.
impl fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcoder")
            .field("codec", &self.codec)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Says nothing of what is said.
impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voice").field("codec", &self.codec).finish_non_exhaustive()
    }
}
