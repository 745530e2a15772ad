//! The window of one party: packets find their place in it, what is missing is noted and concealed when it leaves.

use std::ops::Range;

use super::{AHEAD, CONCEALED_MAX, SAMPLES_MAX, WINDOW};
use crate::codec::{Codec, Decoder, PACKET_SAMPLES_MAX, Rate};
use crate::conceal::{HISTORY_MILLIS, Pace, bridge};
use crate::g711::{ALAW_SILENCE, Law, transcode};
use crate::resample::Resampler;
use crate::rtp::{Header, seq_distance, timestamp_distance};

/// How far ahead of its arrival a packet may stand, in samples, and be no sign that those before it were late: 20 ms.
const JITTER: u64 = 160;

const CONCEALED_SAMPLES_MAX: u64 = CONCEALED_MAX.as_millis() as u64 * 8;

/// Numbers that a late packet may be behind the newest; more is a sender that has begun again.
const MISORDER_MAX: i16 = 100;

/// Samples of a gap that are made at once.
const GAP_MAX: usize = CONCEALED_SAMPLES_MAX as usize;

/// What a concealment may look back at.
const HISTORY: usize = HISTORY_MILLIS * Pace::Narrow as usize;

/// One party's samples, placed on the time line.
pub(super) struct Track {
    pub(super) window: Box<[u8; WINDOW]>,
    /// Which samples of the window were in packets that have not come, and how many they are.
    missing: Box<[bool; WINDOW]>,
    missing_count: usize,
    /// The newest samples that have left the window, the newest last.
    past: [u8; HISTORY],
    /// Stream, number and samples of the newest packet.
    newest: Option<(u32, u16, u64)>,
    /// Hears what is not G.711.
    interpreter: Option<Box<Interpreter>>,
    anchor: Option<Anchor>,
    /// Behind the last sample that stands in the window or did.
    end: u64,
}

struct Interpreter {
    codec: Codec,
    decoder: Decoder,
    resampler: Resampler,
}

#[derive(Clone, Copy)]
struct Anchor {
    ssrc: u32,
    /// The newest packet's timestamp and its place on the time line.
    timestamp: u32,
    place: u64,
    /// Where what it has placed begins.
    begin: u64,
    /// Behind what had been placed before: so far it may be moved back.
    floor: u64,
}

impl Track {
    pub(super) fn new() -> Self {
        Self {
            window: Box::new([ALAW_SILENCE; WINDOW]),
            missing: Box::new([false; WINDOW]),
            missing_count: 0,
            past: [ALAW_SILENCE; HISTORY],
            newest: None,
            interpreter: None,
            anchor: None,
            end: 0,
        }
    }

    /// A packet's samples in A-law. The first packet of a codec allocates its decoder.
    pub(super) fn decode<'a>(
        &mut self,
        codec: Codec,
        payload: &[u8],
        out: &'a mut [u8; SAMPLES_MAX],
    ) -> &'a [u8] {
        let fresh =
            || Box::new(Interpreter { codec, decoder: Decoder::new(codec), resampler: Resampler::new() });
        let interpreter = match &mut self.interpreter {
            Some(known) if known.codec.is_same_coding(codec) => known,
            unknown => unknown.insert(fresh()),
        };
        let (mut samples, mut narrow) = ([0; PACKET_SAMPLES_MAX], [0; SAMPLES_MAX]);
        let count = interpreter.decoder.decode(payload, &mut samples);
        let count = interpreter.resampler.convert(&samples[..count], codec.rate(), Rate::Narrow, &mut narrow);
        out.iter_mut().zip(&narrow[..count]).for_each(|(byte, sample)| *byte = Law::Pcma.encode(*sample));
        &out[..count]
    }

    /// The place of a packet by its timestamp, or by its arrival when it begins a stream or its clock has strayed. `None`
    /// when more comes at once than there is room for.
    pub(super) fn place(&mut self, ssrc: u32, timestamp: u32, place_now: u64, earliest: u64) -> Option<u64> {
        let latest = place_now + AHEAD;
        if let Some(anchor) = self.anchor.as_mut().filter(|anchor| anchor.ssrc == ssrc) {
            let distance = timestamp_distance(timestamp, anchor.timestamp);
            let place = anchor.place.checked_add_signed(i64::from(distance));
            // A packet is never later than that and still of use: then the party's clock was set back.
            if (-(WINDOW as i32)..=0).contains(&distance) {
                return place;
            }
            if let Some(place) = place.filter(|place| (earliest..=latest).contains(place)) {
                (anchor.timestamp, anchor.place) = (timestamp, place);
                let ahead = place.saturating_sub(place_now);
                return Some(if ahead > JITTER { place - self.move_back(ahead, earliest) } else { place });
            }
        }
        // What already stands there stays.
        let place = Some(place_now.max(self.end)).filter(|place| *place <= latest)?;
        self.anchor = Some(Anchor { ssrc, timestamp, place, begin: place, floor: self.end });
        Some(place)
    }

    /// Moves what the anchor has placed to where it was said, as far as it still is in the window and there is room before
    /// it, and gives how far. Nothing is heard before it is said: what would stand so far ahead of its arrival shows that
    /// the packet that was placed by its arrival had been late.
    fn move_back(&mut self, ahead: u64, earliest: u64) -> u64 {
        let Some(anchor) = &mut self.anchor else { return 0 };
        let by = ahead.min(anchor.begin.saturating_sub(anchor.floor.max(earliest)));
        if by == 0 {
            return 0;
        }
        for place in anchor.begin..self.end {
            let sample = std::mem::replace(&mut self.window[place as usize % WINDOW], ALAW_SILENCE);
            self.window[(place - by) as usize % WINDOW] = sample;
            if self.missing_count > 0 {
                let missing = std::mem::take(&mut self.missing[place as usize % WINDOW]);
                self.missing[(place - by) as usize % WINDOW] = missing;
            }
        }
        anchor.begin -= by;
        anchor.place -= by;
        self.end -= by;
        by
    }

    /// Notes what is missing right before a packet that was placed: as many samples as the packets whose numbers were left
    /// out would have had. Anything else is a pause.
    pub(super) fn miss(&mut self, header: &Header, place: u64, samples: u64, earliest: u64) {
        let Some((ssrc, seq, length)) = self.newest.filter(|newest| newest.0 == header.ssrc) else {
            self.newest = Some((header.ssrc, header.seq, samples));
            return;
        };
        let ahead = seq_distance(header.seq, seq);
        if ahead <= 0 && ahead > -MISORDER_MAX {
            return;
        }
        self.newest = Some((ssrc, header.seq, samples));
        let gap = place.saturating_sub(self.end);
        if ahead < 2 || gap > CONCEALED_SAMPLES_MAX || gap != u64::from(ahead.unsigned_abs() - 1) * length {
            return;
        }
        for place in self.end.max(earliest)..place {
            let missing = &mut self.missing[place as usize % WINDOW];
            self.missing_count += usize::from(!std::mem::replace(missing, true));
        }
    }

    /// A packet without audio has come: between the one before it and the next one is a pause.
    pub(super) fn pause(&mut self, header: &Header) {
        if let Some((ssrc, seq, samples)) = &mut self.newest
            && *ssrc == header.ssrc
            && seq_distance(header.seq, *seq) > 0
        {
            (*seq, *samples) = (header.seq, 0);
        }
    }

    /// Conceals what is missing in a stretch of the window that leaves it.
    pub(super) fn conceal(&mut self, stretch: Range<usize>) {
        if self.missing_count == 0 {
            self.remember(stretch);
            return;
        }
        let mut at = stretch.start;
        while at < stretch.end {
            let run = self.missing[at..stretch.end].iter().take_while(|missing| !**missing).count();
            self.remember(at..at + run);
            at += run;
            if at < stretch.end {
                self.bridge(at);
            }
        }
    }

    /// Fills the gap that begins at a place of the window, by what stands before and after it.
    fn bridge(&mut self, from: usize) {
        let place = |n: usize| (from + n) % WINDOW;
        let length = (0..GAP_MAX).take_while(|n| self.missing[place(*n)]).count();
        let follows = (length..length + HISTORY).take_while(|n| !self.missing[place(*n)]).count();
        let (mut gap, mut after) = ([0; GAP_MAX], [0; HISTORY]);
        let (gap, after) = (&mut gap[..length], &mut after[..follows]);
        for (n, sample) in after.iter_mut().enumerate() {
            *sample = Law::Pcma.decode(self.window[place(length + n)]);
        }
        bridge(&self.past.map(|byte| Law::Pcma.decode(byte)), gap, after);
        for (n, sample) in gap.iter().enumerate() {
            self.window[place(n)] = Law::Pcma.encode(*sample);
            self.missing[place(n)] = false;
        }
        self.missing_count -= length;
    }

    fn remember(&mut self, stretch: Range<usize>) {
        let passed = &self.window[stretch];
        let newest = &passed[passed.len().saturating_sub(HISTORY)..];
        self.past.copy_within(newest.len().., 0);
        self.past[HISTORY - newest.len()..].copy_from_slice(newest);
    }

    /// Writes a packet's samples at their place; what is too late or too far ahead for the window is left out.
    pub(super) fn write(&mut self, place: u64, payload: &[u8], law: Law, earliest: u64) {
        let late = usize::try_from(earliest.saturating_sub(place)).unwrap_or(usize::MAX);
        let Some(in_time) = payload.get(late..) else { return };
        let first = place.max(earliest);
        let room = usize::try_from((earliest + WINDOW as u64).saturating_sub(first)).unwrap_or(0);
        let samples = &in_time[..in_time.len().min(room)];
        let at = first as usize % WINDOW;
        let (to_the_end, from_the_beginning) = samples.split_at(samples.len().min(WINDOW - at));
        for (at, part) in [(at, to_the_end), (0, from_the_beginning)] {
            let window = &mut self.window[at..at + part.len()];
            window.copy_from_slice(part);
            transcode(window, law, Law::Pcma);
            if self.missing_count > 0 {
                for missing in &mut self.missing[at..at + part.len()] {
                    self.missing_count -= usize::from(std::mem::take(missing));
                }
            }
        }
        self.end = self.end.max(first + samples.len() as u64);
        if let Some(anchor) = &mut self.anchor {
            anchor.begin = anchor.begin.min(first);
        }
    }
}
