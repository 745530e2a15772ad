//! Keys of a telephone as RTP events (RFC 4733).
//!
//! ```text
//! |     event     |E|R| volume    |          duration             |   4 bytes, duration in samples since the timestamp
//! ```
//!
//! All packets of one press carry the same timestamp, the press's beginning. That is what a press is recognised by:
//! markers may be missing, packets lost, late or doubled, ends lost.

use std::fmt;
use std::time::Duration;

use base::fact::KeySource;
use base::time::Instant;

use crate::line::{FRAME, FRAME_TICKS, Line};
use crate::reception::Order;
use crate::rtp::{HEADER_BYTES, timestamp_distance};

/// Bytes of an event.
pub const EVENT_BYTES: usize = 4;

/// Keys that wait to be sent on one leg.
pub const KEYS_QUEUED_MAX: usize = 32;

/// How long a press without an end may pause between two packets. Senders update every 20 to 50 ms.
pub const PRESS_LAPSE: Duration = Duration::from_millis(200);

/// How long a key that we send is held, in frames: 160 ms, well over the 40 ms that receivers need.
const TONE_FRAMES: u16 = 8;
const TONE: Duration = Duration::from_millis(20 * TONE_FRAMES as u64);

/// The end is sent three times in all (RFC 4733 section 2.5.1.4).
const STEPS: u16 = TONE_FRAMES + 2;

/// Pause after each key.
const GAP: Duration = Duration::from_millis(100);

/// How far back a packet that is not late may belong to a press that is already over, in samples: 5 s.
const STALE_SAMPLES: i32 = 40_000;

/// A segment of a press ends here and the next begins (RFC 4733 section 2.5.1.3).
const SEGMENT_SAMPLES: u16 = u16::MAX;

const END: u8 = 0x80;

/// -10 dBm0, as telephones send it.
const VOLUME: u8 = 10;

/// One of the sixteen keys. Debug does not show which.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u8);

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

impl Key {
    /// The key with this letter: `0` to `9`, `*`, `#`, `A` to `D`.
    #[must_use]
    pub fn from_char(letter: char) -> Option<Self> {
        let code = KEYS.iter().position(|&key| char::from(key) == letter.to_ascii_uppercase())?;
        u8::try_from(code).ok().map(Self)
    }

    /// The key with this event code (RFC 4733 section 3.2), 0 to 15.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        if code < 16 { Some(Self(code)) } else { None }
    }

    /// The key's event code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The key's letter.
    #[must_use]
    pub const fn letter(self) -> char {
        KEYS[self.0 as usize] as char
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// Which key.
    pub key: Key,
    /// How long it has been held when it is told: an event to its end, by the sender's own account; a tone for as long
    /// as it takes to be certain.
    pub held: Duration,
    /// How it came: as an event or as a tone.
    pub source: KeySource,
}

/// The payload of an event packet. Debug does not show which event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    code: u8,
    end: bool,
    pub(crate) samples: u16,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("end", &self.end)
            .field("samples", &self.samples)
            .finish_non_exhaustive()
    }
}

impl Event {
    /// Whether it is one of the sixteen keys, and not a flash of the hook or a tone of a fax.
    pub(crate) const fn is_key(self) -> bool {
        Key::from_code(self.code).is_some()
    }

    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let (&[code, flags, high, low], _) = payload.split_first_chunk::<EVENT_BYTES>()?;
        Some(Self { code, end: flags & END != 0, samples: u16::from_be_bytes([high, low]) })
    }

    /// Writes only how long it has lasted, in ticks of the line's clock; the rest of the payload stays as it came.
    #[inline]
    pub(crate) fn write_duration(samples: u16, payload: &mut [u8]) {
        if let Some(place) = payload.get_mut(2..4) {
            place.copy_from_slice(&samples.to_be_bytes());
        }
    }

    fn write(self, payload: &mut [u8; EVENT_BYTES]) {
        let [high, low] = self.samples.to_be_bytes();
        *payload = [self.code, if self.end { END | VOLUME } else { VOLUME }, high, low];
    }
}

/// Hears presses: each once, when its end comes or when no more of it comes.
#[derive(Debug, Default)]
pub(crate) struct Ear {
    current: Option<Press>,
    /// The timestamp of the last segment of the last press.
    over: Option<u32>,
    /// A second press that one packet finished.
    ready: Option<Pressed>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    key: Key,
    timestamp: u32,
    /// Samples of earlier segments.
    before: u32,
    samples: u16,
    heard: Instant,
}

impl Press {
    fn pressed(self) -> Pressed {
        let samples = u64::from(self.before.saturating_add(u32::from(self.samples)));
        Pressed { key: self.key, held: Duration::from_micros(samples * 125), source: KeySource::Event }
    }
}

impl Ear {
    /// Takes an event packet; gives the press that is over now.
    pub(crate) fn hear(
        &mut self,
        timestamp: u32,
        event: Event,
        order: Order,
        now: Instant,
    ) -> Option<Pressed> {
        let Some(key) = Key::from_code(event.code) else { return self.ready.take() };
        // A sender that began anew sends nothing late: what is late and older than a press is of an earlier one.
        let oldest = if order == Order::Late { i32::MIN } else { -STALE_SAMPLES };
        let stale = |than: u32| (oldest..0).contains(&timestamp_distance(timestamp, than));
        if self.over.is_some_and(|over| over == timestamp || stale(over)) {
            return self.ready.take();
        }
        let fresh = Press { key, timestamp, before: 0, samples: event.samples, heard: now };
        let before = match self.current {
            Some(press) if stale(press.timestamp) => return self.ready.take(),
            Some(press) if press.timestamp == timestamp => {
                self.current = Some(Press { samples: press.samples.max(event.samples), heard: now, ..press });
                None
            }
            Some(press) if press.continues_in(key, timestamp) => {
                let before = press.before.saturating_add(u32::from(SEGMENT_SAMPLES));
                self.current = Some(Press { before, ..fresh });
                None
            }
            // The last press's ends were all lost.
            Some(press) => {
                self.current = Some(fresh);
                Some(press.pressed())
            }
            None => {
                self.current = Some(fresh);
                None
            }
        };
        let ended = if event.end { self.finish() } else { None };
        let first = self.ready.take();
        let mut finished = [first, before, ended].into_iter().flatten();
        let result = finished.next();
        self.ready = finished.next();
        result
    }

    /// The press that is over because nothing more of it came, or that had to wait for its turn.
    pub(crate) fn lapse(&mut self, now: Instant) -> Option<Pressed> {
        let quiet = self.current.is_some_and(|press| now.since(press.heard) >= PRESS_LAPSE);
        let lapsed = if quiet { self.finish() } else { None };
        match self.ready.take() {
            Some(first) => {
                self.ready = lapsed;
                Some(first)
            }
            None => lapsed,
        }
    }

    /// When [`Ear::lapse`] has something to say at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        let lapse = self.current.map(|press| press.heard + PRESS_LAPSE);
        if self.ready.is_some() { Some(Instant::START) } else { lapse }
    }

    /// Another stream begins: its timestamps have nothing to do with the last one's.
    pub(crate) fn end_stream(&mut self) {
        let cut = self.finish();
        self.ready = self.ready.or(cut);
        self.over = None;
    }

    fn finish(&mut self) -> Option<Pressed> {
        let press = self.current.take()?;
        self.over = Some(press.timestamp);
        Some(press.pressed())
    }
}

impl Press {
    fn continues_in(&self, key: Key, timestamp: u32) -> bool {
        self.key == key && timestamp == self.timestamp.wrapping_add(u32::from(SEGMENT_SAMPLES))
    }
}

/// Why keys cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotPress {
    /// The other side did not agree to telephone events.
    NotNegotiated,
    /// More than [`KEYS_QUEUED_MAX`] would wait.
    TooMany,
}

/// Sends presses, one after the other; the leg's audio pauses meanwhile.
#[derive(Debug)]
pub(crate) struct Keypad {
    waiting: [Key; KEYS_QUEUED_MAX],
    count: usize,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Idle,
    Pressing { key: Key, timestamp: u32, step: u16, at: Instant },
    Pausing { until: Instant },
}

/// What the keypad did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stroke {
    /// A packet of this many bytes is to be sent.
    Packet(usize),
    /// The last key's pause is over.
    Done,
}

impl Keypad {
    pub(crate) const fn new() -> Self {
        Self { waiting: [Key(0); KEYS_QUEUED_MAX], count: 0, state: State::Idle }
    }

    /// Whether keys are being sent, pauses included.
    #[inline]
    pub(crate) const fn is_busy(&self) -> bool {
        self.count > 0 || !matches!(self.state, State::Idle)
    }

    pub(crate) fn press(&mut self, keys: &[Key]) -> Result<(), CannotPress> {
        let free = self.waiting.get_mut(self.count..self.count + keys.len()).ok_or(CannotPress::TooMany)?;
        free.copy_from_slice(keys);
        self.count += keys.len();
        Ok(())
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Idle => (self.count > 0).then_some(Instant::START),
            State::Pressing { at, .. } => Some(at),
            State::Pausing { until } => Some(until),
        }
    }

    /// Takes the next step that is due.
    pub(crate) fn stroke(
        &mut self,
        now: Instant,
        line: &mut Line,
        payload_type: u8,
        out: &mut [u8],
    ) -> Option<Stroke> {
        if let State::Pausing { until } = self.state {
            if now < until {
                return None;
            }
            self.state = State::Idle;
            if self.count == 0 {
                return Some(Stroke::Done);
            }
        }
        if matches!(self.state, State::Idle) {
            let key = self.next_key()?;
            line.settle(now);
            self.state = State::Pressing { key, timestamp: line.timestamp, step: 0, at: line.at };
        }
        let State::Pressing { key, timestamp, step, at } = self.state else { return None };
        if now < at {
            return None;
        }
        let frames = (step + 1).min(TONE_FRAMES);
        let event = Event { code: key.0, end: frames == TONE_FRAMES, samples: frames * FRAME_TICKS as u16 };
        let (header, payload) = out.split_first_chunk_mut::<HEADER_BYTES>()?;
        line.write_event(payload_type, timestamp, step == 0, header);
        event.write(payload.first_chunk_mut()?);
        if step + 1 == TONE_FRAMES {
            line.pass(u32::from(TONE_FRAMES) * FRAME_TICKS);
        }
        self.state = if step + 1 == STEPS {
            State::Pausing { until: line.at + GAP }
        } else {
            State::Pressing { key, timestamp, step: step + 1, at: at + FRAME }
        };
        Some(Stroke::Packet(HEADER_BYTES + EVENT_BYTES))
    }

    fn next_key(&mut self) -> Option<Key> {
        if self.count == 0 {
            return None;
        }
        let key = self.waiting[0];
        self.waiting.copy_within(1..self.count, 0);
        self.count -= 1;
        Some(key)
    }
}

// The duration field of our longest press must not overflow, and the gap must cover the repeated ends.
const _: () = assert!(samples_fit() && GAP.as_millis() > 40);

const fn samples_fit() -> bool {
    TONE.as_millis() * 8 < SEGMENT_SAMPLES as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets as `timestamp key duration [E]`, one every 20 ms; gives the keys reported and their milliseconds.
    fn heard(packets: &str) -> String {
        let mut ear = Ear::default();
        let mut presses = Vec::new();
        let mut now = Instant::START;
        for packet in packets.split(';').map(str::trim) {
            now = now + FRAME;
            presses.extend(ear.lapse(now));
            let words: Vec<_> = packet.split_whitespace().collect();
            let [timestamp, key, samples, ref end @ ..] = words[..] else { continue };
            let code = Key::from_char(key.chars().next().unwrap()).unwrap().code();
            let event = Event { code, end: !end.is_empty(), samples: samples.parse().unwrap() };
            presses.extend(ear.hear(timestamp.parse().unwrap(), event, Order::Next, now));
        }
        presses.extend(ear.lapse(now + PRESS_LAPSE));
        presses.extend(ear.lapse(now + PRESS_LAPSE));
        assert!(ear.due().is_none());
        let words = presses.iter().map(|press| format!("{}:{}", press.key.letter(), press.held.as_millis()));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_press_is_one_key_whatever_is_lost() {
        let cases = [
            ("whole", "0 5 160; 0 5 320; 0 5 480 E; 0 5 480 E; 0 5 480 E", "5:60"),
            ("only an end", "0 5 800 E", "5:100"),
            ("all ends lost", "0 5 160; 0 5 320", "5:40"),
            ("ends lost, then the next key", "0 5 160; 0 5 320; 4000 6 160; 4000 6 320 E", "5:40 6:40"),
            ("ends lost, of the next only the end comes", "0 5 160; 4000 6 320 E", "5:20 6:40"),
            ("same key twice", "0 5 160 E; 0 5 160 E; 1600 5 160 E; 1600 5 160 E", "5:20 5:20"),
            ("late update after the end", "0 5 160; 0 5 480 E; 0 5 320", "5:60"),
            ("late packet of the key before", "0 5 480 E; 4000 6 160; 0 5 480 E; 4000 6 320 E", "5:60 6:40"),
            ("the timestamp wraps", "4294967200 1 160 E; 64 2 160 E", "1:20 2:20"),
            ("not one of the sixteen keys", "0 * 160 E; 800 # 160 E; 1600 D 160 E", "*:20 #:20 D:20"),
            ("timestamps begin anew far away", "4000000000 1 160 E; 1000 2 160 E", "1:20 2:20"),
        ];
        for (why, packets, keys) in cases {
            assert_eq!(heard(packets), keys, "{why}");
        }
    }

    #[test]
    fn a_press_of_many_seconds_is_one_press() {
        let long = "0 7 65000; 0 7 65535; 65535 7 160; 65535 7 1465 E; 65535 7 1465 E";
        assert_eq!(heard(long), "7:8375");
    }

    #[test]
    fn a_pause_of_the_network_within_a_press_makes_no_second_press() {
        let paused = format!("0 5 160; {} 0 5 1920; 0 5 2080 E", "; ".repeat(12));
        assert_eq!(heard(&paused), "5:20");
    }

    #[test]
    fn what_comes_late_is_of_a_press_before_however_long_ago_that_was() {
        let second = |seconds: u32| seconds * 8_000;
        let tell = |order: Order| {
            let mut ear = Ear::default();
            let mut told = |key, at, order| {
                let event = Event { code: key, end: true, samples: 800 };
                ear.hear(second(at), event, order, Instant::START).map(|pressed| pressed.key.code())
            };
            assert_eq!([told(5, 60, Order::New), told(6, 70, Order::Next)], [Some(5), Some(6)]);
            told(5, 60, order)
        };
        assert_eq!(tell(Order::Late), None);
        assert_eq!(tell(Order::Next), Some(5), "its clock began anew");
    }

    #[test]
    fn events_that_are_no_keys_are_no_presses() {
        let mut ear = Ear::default();
        let flash = Event { code: 16, end: true, samples: 100 };
        assert_eq!(ear.hear(0, flash, Order::New, Instant::START), None);
        assert_eq!(Event::parse(&[1, 2, 3]), None);
    }

    #[test]
    fn every_loss_pattern_of_a_press_gives_at_most_one_key() {
        for kept in 1u32..1 << 10 {
            let packets = (0..10u32).filter(|n| kept & (1 << n) != 0).map(|n| {
                let frames = (n + 1).min(8);
                format!("800 3 {} {}", frames * 160, if frames == 8 { "E" } else { "" })
            });
            let keys = heard(&packets.collect::<Vec<_>>().join(";"));
            assert!(keys.starts_with("3:") && !keys.contains(' '), "pattern {kept:#b} gave {keys:?}");
        }
    }

    #[test]
    fn what_the_keypad_sends_the_ear_hears() {
        let mut line = Line::new(1, 65_530, u32::MAX - 100, Instant::START);
        let mut keypad = Keypad::new();
        let keys: Vec<Key> = "10*".chars().filter_map(Key::from_char).collect();
        keypad.press(&keys).unwrap();
        let (mut ear, mut letters, mut packets) = (Ear::default(), String::new(), Vec::new());
        for millis in 0..2_000 {
            let now = Instant::from_millis(millis);
            let mut out = [0; 16];
            match keypad.stroke(now, &mut line, 101, &mut out) {
                Some(Stroke::Packet(16)) => {
                    let packet = crate::rtp::Packet::parse(&out).unwrap();
                    let event = Event::parse(&out[12..]).unwrap();
                    packets.push((millis, packet.header, event));
                    let pressed = ear.hear(packet.header.timestamp, event, Order::Next, now);
                    letters.extend(pressed.map(|press| press.key.letter()));
                }
                Some(Stroke::Packet(_)) | None => {}
                Some(Stroke::Done) => break,
            }
        }
        assert_eq!(letters, "10*");
        assert_eq!(packets.len(), 30);
        for (n, press) in packets.chunks(10).enumerate() {
            let (begun, first, _) = press[0];
            assert_eq!(begun, n as u64 * 260, "each key takes 160 ms and a pause of 100 ms");
            for (step, (millis, header, event)) in press.iter().enumerate() {
                assert_eq!(*millis, begun + step as u64 * 20);
                assert_eq!(header.marker, step == 0);
                assert_eq!(header.timestamp, first.timestamp);
                assert_eq!(usize::from(event.samples), (step + 1).min(8) * 160);
                assert_eq!(event.end, step >= 7);
            }
        }
        let span = packets[10].1.timestamp.wrapping_sub(packets[0].1.timestamp);
        assert_eq!(span, 260 * 8);
    }

    #[test]
    fn keys_are_not_shown_and_not_too_many() {
        let key = Key::from_char('7').unwrap();
        assert_eq!(format!("{key:?}"), "Key(***)");
        let event = Event::parse(&[7, 0x8a, 0, 160]);
        assert_eq!(format!("{event:?}"), "Some(Event { end: true, samples: 160, .. })");
        let mut keypad = Keypad::new();
        assert_eq!(keypad.press(&[key; KEYS_QUEUED_MAX]), Ok(()));
        assert_eq!(keypad.press(&[key]), Err(CannotPress::TooMany));
    }
}
