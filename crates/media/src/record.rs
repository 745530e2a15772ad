//! Recordings: what one or two parties said, put on one time line as A-law.
//!
//! ```text
//! packets ─hear─▶ window of a second per side (placed by timestamp, gaps are silence) ─advance─▶ Chunk ─▶ owner
//! stereo WAV ─mono─▶ mono WAV
//! ```
//!
//! Samples wait [`REORDER`] in the window, so that late packets find their place. What leaves it fills a chunk that
//! the owner takes, writes and gives back; nothing is allocated here while a call runs.
//!
//! A stream's first packet is placed by its arrival, the others by their distance from it; one that comes too late for the
//! window is a first one again, and is not written over what stands there. When packets come faster than they were said,
//! that first one was late: what stands in the window from there on is moved back.
//!
//! Packets that never came are concealed as [`CONCEALED_MAX`] says; a pause of the party stays silent, because its packets
//! are numbered without a gap.
//!
//! Only the parties are heard: not what they are made to hear, and not their keys.

mod track;
mod wav;

use std::ops::Range;
use std::time::Duration;

use base::time::Instant;

use crate::codec::Codec;
use crate::g711::{ALAW_SILENCE, Law};
use crate::line::samples_in;
use crate::record::track::Track;
pub use crate::record::wav::{WAV_HEADER_BYTES, alaw_wav_header, mix, mono, stereo_bytes};
use crate::session::Heard;

/// How long a packet may be late and still be recorded: on its way, or because the machine was busy with other things.
pub const REORDER: Duration = Duration::from_millis(400);

/// Bytes after which a chunk is worth writing: a write of 16 KiB costs a fifth of what 26 small ones cost.
pub const CHUNK_BYTES: usize = 16 * 1_024;

/// Bytes at which a chunk that nobody takes stops growing: four seconds of stereo and the writer's worst pause.
pub const CHUNK_BYTES_MAX: usize = 4 * CHUNK_BYTES;

/// Samples of the window: 1,024 ms, more than [`REORDER`], [`AHEAD`] and the longest packet together.
const WINDOW: usize = 8_192;

const REORDER_SAMPLES: u64 = REORDER.as_millis() as u64 * 8;

/// How far ahead of its arrival a packet may stand, in samples, before it is placed anew: 400 ms, so that twice
/// [`REORDER`] can come at once and find room.
const AHEAD: u64 = 3_200;

/// Samples of the longest packet, an Ethernet frame full: 187 ms.
const PACKET: u64 = 1_500;

const SAMPLES_MAX: usize = PACKET as usize;

/// The longest run of lost packets that is concealed; a longer one is left silent, since nothing true could be heard.
pub const CONCEALED_MAX: Duration = Duration::from_millis(120);

const _: () = assert!(REORDER_SAMPLES + AHEAD + PACKET <= WINDOW as u64);

/// How many parties are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// One.
    Mono,
    /// Two: the caller left, the callee right.
    Stereo,
}

impl Channels {
    /// One or two.
    #[must_use]
    pub const fn count(self) -> u16 {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

/// Whose packets are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The caller, or the only party.
    Left,
    /// The callee. Of a mono recording nothing is heard from there.
    Right,
}

/// Puts packets on a time line that begins when recording does.
pub struct Recorder {
    channels: Channels,
    start: Instant,
    left: Track,
    right: Option<Track>,
    /// Samples that have left the windows.
    passed: u64,
    chunk: Chunk,
    dropped: u64,
}

/// A stretch of a recording, to be written.
pub struct Chunk {
    /// Where it begins: samples of each channel before it. When it does not follow on the chunk before, samples were
    /// dropped, and there is silence in between.
    pub at: u64,
    /// A-law samples; left and right in turns if there are two.
    pub bytes: Vec<u8>,
}

impl Recorder {
    /// A recorder whose time line begins now.
    #[must_use]
    pub fn new(channels: Channels, now: Instant) -> Self {
        let right = matches!(channels, Channels::Stereo).then(Track::new);
        Self {
            channels,
            start: now,
            left: Track::new(),
            right,
            passed: 0,
            chunk: Chunk { at: 0, bytes: Self::fresh_chunk() },
            dropped: 0,
        }
    }

    /// Room for a chunk, to swap with; nothing is allocated while it is filled.
    #[must_use]
    pub fn fresh_chunk() -> Vec<u8> {
        Vec::with_capacity(CHUNK_BYTES_MAX)
    }

    /// Mono or stereo.
    #[must_use]
    pub const fn channels(&self) -> Channels {
        self.channels
    }

    /// Takes an audio packet that a session heard, in whatever codec; `bytes` are the packet's, before [`crate::session::Session::forward`]
    /// rewrites them. Events are not heard.
    pub fn hear(&mut self, side: Side, heard: &Heard, bytes: &[u8], now: Instant) {
        let (Some(codec), Some(payload)) = (heard.codec, bytes.get(heard.packet.payload())) else {
            return self.pause(side, heard);
        };
        self.advance(now);
        let earliest = self.passed;
        let place_now = u64::from(samples_in(now.since(self.start)));
        let track = match side {
            Side::Left => &mut self.left,
            Side::Right => match &mut self.right {
                Some(track) => track,
                None => return,
            },
        };
        let header = &heard.packet.header;
        let mut decoded = [0; SAMPLES_MAX];
        let (payload, law) = match codec {
            Codec::G711(law) => (payload, law),
            // Their decoders want packets in order; one that comes late is concealed.
            Codec::G722 | Codec::Opus { .. } if heard.is_late() => return,
            Codec::G722 | Codec::Opus { .. } => (track.decode(codec, payload, &mut decoded), Law::Pcma),
        };
        if let Some(place) = track.place(header.ssrc, header.timestamp, place_now, earliest) {
            track.miss(header, place, payload.len() as u64, earliest);
            track.write(place, payload, law, earliest);
        }
    }

    /// What is no audio, the noise of a pause or a key, has a number all the same: before it nothing is missing.
    fn pause(&mut self, side: Side, heard: &Heard) {
        let track = match side {
            Side::Left => Some(&mut self.left),
            Side::Right => self.right.as_mut(),
        };
        if let Some(track) = track {
            track.pause(&heard.packet.header);
        }
    }

    /// Lets time pass: samples older than [`REORDER`] go into the chunk. Call it each second or so: there is room for four
    /// seconds of stereo.
    pub fn advance(&mut self, now: Instant) {
        let place_now = u64::from(samples_in(now.since(self.start)));
        self.pass_to(place_now.saturating_sub(REORDER_SAMPLES));
    }

    /// Whether the chunk is worth taking.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.chunk.bytes.len() >= CHUNK_BYTES
    }

    /// Takes the chunk, full or not, and gives room for the next one.
    #[must_use]
    pub fn take(&mut self, mut empty: Vec<u8>) -> Chunk {
        empty.clear();
        std::mem::replace(&mut self.chunk, Chunk { at: self.passed, bytes: empty })
    }

    /// Ends the recording at `now`: everything that was heard goes into the chunk, which is given with whatever else
    /// was in it.
    #[must_use]
    pub fn finish(mut self, now: Instant) -> Chunk {
        self.pass_to(u64::from(samples_in(now.since(self.start))));
        self.chunk
    }

    /// Samples per channel that were lost because nobody took the chunk.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn pass_to(&mut self, end: u64) {
        while self.passed < end {
            let first = self.passed as usize % WINDOW;
            let run = (WINDOW - first).min(usize::try_from(end - self.passed).unwrap_or(WINDOW));
            self.pass(first..first + run);
            self.passed += run as u64;
        }
    }

    /// Moves a stretch of the windows into the chunk, as far as there is room, and leaves silence behind.
    fn pass(&mut self, stretch: Range<usize>) {
        let width = usize::from(self.channels.count());
        let chunk = &mut self.chunk.bytes;
        let from = chunk.len();
        let kept = stretch.len().min((CHUNK_BYTES_MAX - from) / width);
        self.dropped += (stretch.len() - kept) as u64;
        self.left.conceal(stretch.clone());
        let left = &mut self.left.window[stretch.clone()];
        match &mut self.right {
            None => chunk.extend_from_slice(&left[..kept]),
            Some(right) => {
                right.conceal(stretch.clone());
                let right = &mut right.window[stretch];
                chunk.resize(from + width * kept, ALAW_SILENCE);
                let pairs = chunk[from..].chunks_exact_mut(2);
                pairs
                    .zip(&*left)
                    .zip(&*right)
                    .for_each(|((pair, &left), &right)| pair.copy_from_slice(&[left, right]));
                right.fill(ALAW_SILENCE);
            }
        }
        left.fill(ALAW_SILENCE);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clip::Clip;
    use crate::rtp::Header;
    use crate::session::{Incoming, Session};
    use crate::tests::{MILLISECOND, address, packet, params};

    struct Studio {
        recorder: Recorder,
        ears: [Session; 2],
    }

    impl Studio {
        fn new(channels: Channels) -> Self {
            let ear = || Session::new(params(), Instant::START);
            Self { recorder: Recorder::new(channels, Instant::START), ears: [ear(), ear()] }
        }

        /// Twenty milliseconds of one letter arrive.
        fn says(&mut self, side: Side, millis: u64, ssrc: u32, seq: u16, letter: u8) {
            let bytes = packet(8, seq, u32::from(seq).wrapping_mul(160), ssrc, &[letter; 160]);
            let now = Instant::START + MILLISECOND * millis as u32;
            let ear = &mut self.ears[side as usize];
            let Incoming::Audio(heard, _) = ear.receive(address(), &bytes, now) else { panic!("not heard") };
            self.recorder.hear(side, &heard, &bytes, now);
        }

        /// Twenty milliseconds of one letter arrive whose timestamp says when they were said.
        fn says_at(&mut self, millis: u64, seq: u16, timestamp: u32, letter: u8) {
            let bytes = packet(8, seq, timestamp, 1, &[letter; 160]);
            let now = Instant::from_millis(millis);
            let Incoming::Audio(heard, _) = self.ears[0].receive(address(), &bytes, now) else {
                panic!("not heard")
            };
            self.recorder.hear(Side::Left, &heard, &bytes, now);
        }

        /// Packets with letters from `A` on are handled at one moment. Gives them in the words of [`Self::ends`].
        fn says_at_once(&mut self, millis: u64, ssrc: u32, seqs: impl IntoIterator<Item = u8>) -> String {
            let say = |seq: u8| {
                let letter = b'@' + seq;
                self.says(Side::Left, millis, ssrc, seq.into(), letter);
                format!("{}160", char::from(letter))
            };
            seqs.into_iter().map(say).collect::<Vec<_>>().join(" ")
        }

        /// What was recorded until so many milliseconds, in words such as `a160 .320`: letter and count, `.` silence.
        fn ends(self, millis: u64) -> String {
            let bytes = self.recorder.finish(Instant::from_millis(millis)).bytes;
            let runs = bytes.chunk_by(|a, b| a == b).map(|run| {
                let letter = if run[0] == ALAW_SILENCE { '.' } else { char::from(run[0]) };
                format!("{letter}{}", run.len())
            });
            runs.collect::<Vec<_>>().join(" ")
        }
    }

    #[test]
    fn what_was_said_is_recorded_where_it_was_said() {
        let mut studio = Studio::new(Channels::Mono);
        studio.says(Side::Left, 100, 1, 10, b'a');
        studio.says(Side::Left, 123, 1, 11, b'b');
        studio.says(Side::Left, 139, 1, 12, b'c');
        assert_eq!(studio.ends(200), ".800 a160 b160 c160 .320");
    }

    #[test]
    fn a_lost_packet_is_concealed_and_a_late_one_finds_its_place() {
        let mut studio = Studio::new(Channels::Mono);
        for (millis, seq, letter) in [(0, 1, b'a'), (40, 3, b'c'), (150, 2, b'b'), (160, 5, b'e')] {
            studio.says(Side::Left, millis, 1, seq, letter);
        }
        let all = studio.ends(240);
        assert!(
            all.starts_with("a160 b160 c1") && all.ends_with(" e187 .1120"),
            "what came is untouched: {all}"
        );
        assert!(!all.contains("c160 .160"), "between them is something of both: {all}");
    }

    #[test]
    fn a_pause_and_a_long_loss_stay_silent() {
        let mut studio = Studio::new(Channels::Mono);
        // Packet 2 was said 40 ms after packet 1; of 3 to 9, seven packets, nothing came.
        for (millis, seq, timestamp, letter) in [(0, 1, 0, b'a'), (60, 2, 480, b'b'), (220, 10, 1_760, b'c')]
        {
            studio.says_at(millis, seq, timestamp, letter);
        }
        assert_eq!(studio.ends(240), "a160 .320 b160 .1120 c160");
    }

    #[test]
    fn too_late_is_too_late() {
        let mut studio = Studio::new(Channels::Mono);
        studio.says(Side::Left, 0, 1, 1, b'a');
        studio.says(Side::Left, 500, 1, 26, b'z');
        studio.says(Side::Left, 501, 1, 2, b'b');
        assert_eq!(studio.ends(520), "a160 .3840 z160");
    }

    #[test]
    fn what_comes_late_and_all_at_once_stands_where_it_was_said() {
        let mut studio = Studio::new(Channels::Mono);
        studio.says(Side::Left, 0, 1, 1, b'a');
        for (seq, letter) in (2..).zip(b'b'..=b't') {
            studio.says(Side::Left, 390, 1, seq, letter);
        }
        let said: String = ('a'..='t').map(|letter| format!("{letter}160 ")).collect();
        assert_eq!(studio.ends(400), said.trim_end());
    }

    #[test]
    fn nothing_is_lost_of_what_comes_at_once_however_late_it_is() {
        for count in 1..=41 {
            let mut studio = Studio::new(Channels::Mono);
            let millis = 20 * u64::from(count);
            studio.says(Side::Left, 0, 1, 0, b'@');
            let said = studio.says_at_once(millis, 1, 1..=count);
            let all = studio.ends(millis + 500);
            let found: Vec<&str> = all.split(' ').filter(|run| !run.starts_with('.')).collect();
            assert_eq!(found.join(" "), format!("@160 {said}"), "{count} packets");
            let in_place = all.starts_with(&format!("@160 {said}"));
            assert_eq!(in_place, millis <= 420, "the first one was said at 20 ms");
        }
    }

    #[test]
    fn what_comes_late_from_the_beginning_is_not_placed_late() {
        let mut studio = Studio::new(Channels::Mono);
        let said = studio.says_at_once(300, 1, 1..=10);
        assert_eq!(studio.ends(340), format!(".1120 {said}"), "but for 20 ms");
    }

    #[test]
    fn what_comes_at_once_and_in_disorder_is_put_in_order() {
        let mut studio = Studio::new(Channels::Mono);
        studio.says_at_once(300, 1, [3, 1, 2, 5, 4]);
        assert_eq!(studio.ends(320), ".1760 A160 B160 C160 D160 E160");
    }

    #[test]
    fn of_more_than_there_is_room_for_the_end_is_lost_and_what_follows_is_heard() {
        let mut studio = Studio::new(Channels::Mono);
        studio.says_at_once(1_200, 1, 1..=60);
        studio.says(Side::Left, 1_220, 1, 61, b'z');
        let kept: String = (1..=41).map(|seq| format!("{}160 ", char::from(b'@' + seq))).collect();
        assert_eq!(studio.ends(1_640), format!(".6400 {kept}z160"));
    }

    #[test]
    fn another_stream_moves_back_to_the_one_before_it() {
        let mut studio = Studio::new(Channels::Mono);
        let before = studio.says_at_once(0, 1, 1..=3);
        let after = studio.says_at_once(100, 2, 4..=9);
        assert_eq!(studio.ends(180), format!("{before} {after}"));
    }

    #[test]
    fn a_clock_that_runs_away_is_placed_anew() {
        let mut studio = Studio::new(Channels::Mono);
        for (millis, seq, letter) in [(0, 1, b'a'), (20, 30, b'b'), (40, 31, b'c'), (1_000, 32, b'd')] {
            studio.says(Side::Left, millis, 1, seq, letter);
        }
        assert_eq!(studio.ends(1_020), "a160 b160 c160 .7520 d160", "too far ahead, then too far behind");
    }

    #[test]
    fn a_clock_that_is_set_back_is_placed_anew() {
        let mut studio = Studio::new(Channels::Mono);
        for (millis, seq, letter) in [(0, 60, b'a'), (20, 1, b'b'), (40, 2, b'c')] {
            studio.says(Side::Left, millis, 1, seq, letter);
        }
        assert_eq!(studio.ends(80), "a160 b160 c160 .160");
    }

    #[test]
    fn another_stream_is_placed_by_its_arrival() {
        let mut studio = Studio::new(Channels::Mono);
        studio.says(Side::Left, 0, 1, 1, b'a');
        studio.says(Side::Left, 60, 2, 40_000, b'b');
        assert_eq!(studio.ends(80), "a160 .320 b160");
    }

    #[test]
    fn caller_is_left_and_callee_is_right() {
        let mut studio = Studio::new(Channels::Stereo);
        studio.says(Side::Left, 0, 1, 1, b'a');
        studio.says(Side::Right, 10, 2, 1, b'b');
        let bytes = studio.recorder.finish(Instant::from_millis(30)).bytes;
        let [left, right] =
            [0, 1].map(|side| bytes.iter().skip(side).step_by(2).copied().collect::<Vec<u8>>());
        assert_eq!(left, [&[b'a'; 160][..], &[ALAW_SILENCE; 80][..]].concat());
        assert_eq!(right, [&[ALAW_SILENCE; 80][..], &[b'b'; 160][..]].concat());
    }

    #[test]
    fn chunks_come_one_by_one_and_a_slow_writer_costs_samples_not_memory() {
        let mut recorder = Recorder::new(Channels::Mono, Instant::START);
        recorder.advance(Instant::from_millis(2_400));
        assert!(!recorder.is_ready());
        recorder.advance(Instant::from_millis(2_500));
        assert!(recorder.is_ready());
        let taken = recorder.take(Recorder::fresh_chunk());
        assert_eq!((taken.at, taken.bytes.len()), (0, 16_800));
        recorder.advance(Instant::from_millis(2_500 + 10_000));
        assert_eq!(recorder.dropped(), 80_000 - CHUNK_BYTES_MAX as u64);
        let taken = recorder.take(Recorder::fresh_chunk());
        assert_eq!((taken.at, taken.bytes.capacity()), (16_800, CHUNK_BYTES_MAX));
        let last = recorder.finish(Instant::from_millis(2_500 + 10_000));
        assert_eq!((last.at, last.bytes.len()), (96_800, 3_200), "it stands where it was said");
    }

    proptest! {
        #[test]
        fn no_clock_and_no_length_do_harm(
            packets in prop::collection::vec((0_u32..2, -4_000_i32..4_000, 0_u64..200, 0_usize..1_600), 1..40)
        ) {
            let mut recorder = Recorder::new(Channels::Mono, Instant::START);
            let said = |recorder: &Recorder| recorder.left.window.iter().filter(|byte| **byte == b'a').count();
            let (mut millis, mut timestamp) = (0, 0_u32);
            for (ssrc, distance, pause, length) in packets {
                millis += pause;
                timestamp = timestamp.wrapping_add_signed(distance);
                recorder.advance(Instant::from_millis(millis));
                let (before, earliest, place_now) = (said(&recorder), recorder.passed, millis * 8);
                let place = recorder.left.place(ssrc, timestamp, place_now, earliest);
                prop_assert_eq!(said(&recorder), before, "what is moved is not lost");
                if let Some(place) = place {
                    prop_assert!(place <= place_now + AHEAD);
                    let seq = timestamp as u16 / 160;
                    let header = Header { marker: false, payload_type: 8, seq, timestamp, ssrc };
                    recorder.left.miss(&header, place, length as u64, earliest);
                    recorder.left.write(place, &vec![b'a'; length], Law::Pcma, earliest);
                }
                prop_assert!(said(&recorder) >= before);
            }
            prop_assert_eq!(recorder.finish(Instant::from_millis(millis)).bytes.len() as u64, millis * 8);
        }
    }

    #[test]
    fn mu_law_is_recorded_as_a_law() {
        let clip = Clip::from_alaw(&[0xd5, 0x55, 0x2a]);
        let mut track = Track::new();
        track.write(0, clip.samples(Law::Pcmu), Law::Pcmu, 0);
        assert_eq!(track.window[..4], [0xd5, 0x55, 0x2a, ALAW_SILENCE]);
    }
}
