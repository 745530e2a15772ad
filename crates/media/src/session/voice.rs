//! What a session says frame by frame: clips, silence, and a peer that speaks another codec.

use base::time::Instant;

use super::{Session, Source};
use crate::codec::{Codec, Rate, WIDE_FRAME};
use crate::dtmf::Event;
use crate::g711::{ALAW_SILENCE, Law};
use crate::line::FRAME_SAMPLES;
use crate::relay::Span;
use crate::rtp::{HEADER_BYTES, Header};
use crate::session::Heard;
use crate::transcode::{Transcoder, Voice};

/// An event that has lasted longer when it is first heard, in 1/8,000 s, is left out: half a press is no press.
const EVENT_BEGINNING: u16 = 400;

impl Session {
    /// Puts a packet on the line as it is, but for its numbers.
    pub(super) fn place(
        &mut self,
        heard: &Heard,
        span: Span,
        payload_type: u8,
        now: Instant,
    ) -> Option<Header> {
        let placed = self.relay.place(&mut self.line, &heard.packet.header, heard.order, span, now)?;
        Some(Header { payload_type, ..placed })
    }

    /// Puts a packet of an event on a line whose audio goes out by the clock.
    pub(super) fn place_event(&mut self, header: &Header, event: &Event, payload_type: u8) -> Option<Header> {
        let (timestamp, marker) = match self.event {
            Some((theirs, ours)) if theirs == header.timestamp => (ours, false),
            Some(_) | None if event.samples > EVENT_BEGINNING => return None,
            Some(_) | None => {
                self.event = Some((header.timestamp, self.line.timestamp));
                (self.line.timestamp, true)
            }
        };
        let seq = self.line.seq;
        self.line.seq = seq.wrapping_add(1);
        Some(Header { marker, payload_type, seq, timestamp, ssrc: self.line.ssrc })
    }

    /// Takes a packet of a peer that speaks another codec. The first one allocates what hears and speaks for it.
    pub(super) fn interpret(&mut self, codec: Codec, header: &Header, payload: &[u8], now: Instant) {
        if self.transcoder.as_ref().is_none_or(|peer| !peer.codec().is_same_coding(codec)) {
            self.transcoder = Some(Transcoder::new(codec));
        }
        let ours = self.description.codec;
        if self.voice.as_ref().is_none_or(|voice| !voice.codec().is_same_coding(ours)) {
            self.voice = Some(Voice::new(ours));
        }
        let begin = self.transcoder.as_mut().and_then(|peer| peer.put(header, payload, now));
        if let Some(begin) = begin {
            self.line.settle(begin);
        }
    }

    /// Another source speaks: what the peer said before is not heard any more.
    pub(super) fn release(&mut self) {
        self.relay.release();
        self.event = None;
        if let Some(peer) = &mut self.transcoder {
            peer.rest();
        }
    }

    /// Writes the next 20 ms of what is said now as a payload; gives its length, 0 when there is nothing to send.
    pub(super) fn speak(&mut self, now: Instant, frame: &mut [u8]) -> usize {
        let peer = self.transcoder.as_mut().filter(|_| self.playing.is_none() && self.source == Source::Peer);
        if let (Some(peer), Some(voice)) = (peer, &mut self.voice) {
            let mut samples = [0; WIDE_FRAME];
            let rate = peer.codec().rate();
            return voice.say(peer.frame(now, &mut samples), rate, frame);
        }
        let law = match self.description.codec {
            Codec::G711(law) => law,
            Codec::G722 | Codec::Opus { .. } => Law::Pcma,
        };
        let mut narrow = [ALAW_SILENCE; FRAME_SAMPLES];
        match &mut self.playing {
            Some(playing) => playing.reel.fill(&mut narrow, law),
            None => narrow.fill(law.silence()),
        }
        match &mut self.voice {
            Some(voice) if !matches!(self.description.codec, Codec::G711(_)) => {
                voice.say(&narrow.map(|byte| law.decode(byte)), Rate::Narrow, frame)
            }
            Some(_) | None => {
                frame.copy_from_slice(&narrow);
                FRAME_SAMPLES
            }
        }
    }

    /// Gives a header that was written in 1/8,000 s the codec's own clock.
    #[inline]
    pub(super) fn clock_out(&self, header: &mut [u8; HEADER_BYTES]) {
        let ticks = self.description.codec.ticks();
        if ticks > 1
            && let Some(timestamp) = header[4..8].first_chunk_mut::<4>()
        {
            *timestamp = u32::from_be_bytes(*timestamp).wrapping_mul(ticks).to_be_bytes();
        }
    }
}
