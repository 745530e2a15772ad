//! A counting allocator proves that packets and ticks allocate nothing.

#![expect(
    unsafe_code,
    reason = "the global allocator's interface is unsafe; this one only counts and passes on"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use base::release::Cause;
use base::time::{Instant, Timestamp};
use huihu_media::announcement::{Announcements, Reference};
use huihu_media::answerer;
use huihu_media::clip::{Clip, Playlist, Plays};
use huihu_media::codec::Codec;
use huihu_media::dtmf::Key;
use huihu_media::record::{Channels, Recorder, Side};
use huihu_media::rtp::{HEADER_BYTES, Header};
use huihu_media::session::{Description, Due, EventTypes, Hears, Incoming, OUT_BYTES, Params, Session};
use huihu_media::source::Policy;
use huihu_media::srtp::{KEYING_BYTES, Keying, Keys, Suite};
use huihu_media::timer_wheel::TimerWheel;
use huihu_media::tone::alaw_key;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

fn address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_000))
}

fn session(codec: Codec, policy: Policy) -> Session {
    let params = Params {
        ssrc: 1,
        seq: 65_530,
        timestamp: u32::MAX - 799,
        policy,
        description: Description {
            remote: Some(address()),
            remote_rtcp: Some(SocketAddr::from(([192, 0, 2, 1], 4_001))),
            codec,
            hears: Hears::Both,
            events: Some(EventTypes { receive: 101, send: 101 }),
        },
        wall: Timestamp::from_millis(0),
        seed: 3,
    };
    Session::new(params, Instant::START)
}

#[test]
fn the_counter_counts() {
    let before = allocations();
    black_box(Vec::<u8>::with_capacity(black_box(10)));
    assert!(allocations() > before);
}

/// Two bridged, recorded legs for a simulated minute: audio, losses, keys, strangers, an announcement, RTCP and the wheel.
#[test]
fn packets_and_ticks_allocate_nothing() {
    let nat = Policy::Nat([].into());
    let mut legs = [session(Codec::PCMA, nat), session(Codec::PCMU, Policy::Strict)];
    let announcement =
        || Playlist::new([Clip::from_alaw(&[7; 4_000])], Plays::ONCE).expect("there is a clip");
    let mut announcements: Vec<_> = (0..10).map(|_| announcement()).collect();
    let mut recorder = Recorder::new(Channels::Stereo, Instant::START);
    let mut spare = Recorder::fresh_chunk();
    let mut wheel = TimerWheel::new(2, Instant::START);
    wheel.arm(0, Instant::START);
    wheel.arm(1, Instant::START);
    legs.iter_mut().for_each(Session::relay);
    let key = [Key::from_char('5').expect("5 is a key")];
    let (mut out, mut bytes, mut relayed, mut ticked) = ([0; OUT_BYTES], [0; 172], 0, 0);

    let before = allocations();
    for frame in 0..3_000u32 {
        let begin = Instant::START + Duration::from_millis(20) * frame;
        if frame % 300 == 200 {
            let [a, b] = &mut legs;
            if let Some(list) = announcements.pop() {
                a.announce(list, begin);
            }
            b.press(&key).expect("events are agreed to");
        }
        for side in [Side::Left, Side::Right] {
            // What is lost is concealed in the recording.
            if frame % 50 == 33 {
                continue;
            }
            let event = frame % 50 < 5;
            let timestamp = if event { frame / 50 * 8_000 } else { frame * 160 };
            let header = Header {
                marker: false,
                payload_type: if event { 101 } else { 8 },
                seq: frame as u16,
                timestamp,
                ssrc: 9,
            };
            header.write(bytes.first_chunk_mut().expect("there is room"));
            bytes[HEADER_BYTES..HEADER_BYTES + 4].copy_from_slice(&[1, 10, 0, (frame % 50) as u8]);
            let [a, b] = &mut legs;
            let (from, to) = if side == Side::Left { (a, b) } else { (b, a) };
            from.receive(SocketAddr::from(([203, 0, 113, 9], 9)), &bytes, begin);
            from.receive_rtcp(
                SocketAddr::from(([192, 0, 2, 1], 4_001)),
                &[0x80, 201, 0, 1, 0, 0, 0, 9],
                begin,
            );
            if let Incoming::Audio(heard, _) | Incoming::Event(heard, _) =
                from.receive(address(), &bytes, begin)
            {
                recorder.hear(side, &heard, &bytes, begin);
                relayed += u32::from(to.forward(&heard, &mut bytes, begin).is_some());
            }
        }
        if recorder.is_ready() {
            spare = recorder.take(spare).bytes;
        }
        for millis in (0..20).step_by(2) {
            let now = begin + Duration::from_millis(millis);
            while let Some(number) = wheel.next_expired(now) {
                let leg = &mut legs[number as usize];
                while leg.tick(now, &mut out).is_some() {
                    ticked += 1;
                }
                let later = now + Duration::from_millis(2);
                wheel.arm(number, leg.next_due().unwrap_or(later).min(later));
            }
        }
    }
    assert_eq!(allocations() - before, 0);
    assert!(relayed > 5_000 && ticked > 300, "{relayed} relayed, {ticked} ticked: nothing was proved");
}

/// A party that is asked for keys, for a simulated minute: silence goes out, voice with tones comes in.
#[test]
fn listening_for_tones_and_filling_pauses_allocate_nothing() {
    let mut leg = session(Codec::PCMA, Policy::Strict);
    let key = |letter| Key::from_char(letter).expect("this is a key");
    let mut voice = alaw_key(key('5'), Duration::from_millis(100));
    voice.resize(2 * voice.len(), 0xd5);
    leg.listen_for_tones();
    leg.fill_pauses(Instant::START);
    let (mut out, mut bytes, mut heard, mut ticked) = ([0; OUT_BYTES], [0; HEADER_BYTES + 160], 0, 0);

    let before = allocations();
    for frame in 0..3_000u32 {
        let now = Instant::START + Duration::from_millis(20) * frame;
        let header =
            Header { marker: false, payload_type: 8, seq: frame as u16, timestamp: frame * 160, ssrc: 9 };
        header.write(bytes.first_chunk_mut().expect("there is room"));
        bytes[HEADER_BYTES..].copy_from_slice(&voice[frame as usize % 10 * 160..][..160]);
        if let Incoming::Audio(_, Some(pressed)) = leg.receive(address(), &bytes, now) {
            heard += u32::from(pressed.key == key('5'));
        }
        while leg.tick(now, &mut out).is_some() {
            ticked += 1;
        }
    }
    assert_eq!(allocations() - before, 0);
    assert!(heard == 300 && ticked > 2_990, "{heard} heard, {ticked} ticked: nothing was proved");
}

/// A peer with one codec and a leg with another, for ten simulated seconds with losses, after the first packets.
#[test]
fn transcoding_allocates_nothing() {
    let opus = Codec::Opus { receive: 111, send: 111 };
    for (from, to) in [(Codec::PCMA, opus), (Codec::G722, Codec::PCMU), (opus, Codec::G722)] {
        let (mut peer, mut leg) = (session(from, Policy::Strict), session(to, Policy::Strict));
        leg.relay();
        let mut recorder = Recorder::new(Channels::Mono, Instant::START);
        // Silence in Opus is short, but any bytes will do.
        let (mut out, mut bytes, mut ticked) = ([0; OUT_BYTES], [0x48; HEADER_BYTES + 160], 0);
        let mut before = 0;
        for frame in 0..500u32 {
            if frame == 20 {
                before = allocations();
            }
            let now = Instant::START + Duration::from_millis(20) * frame;
            let header = Header {
                marker: false,
                payload_type: from.payload_type_heard(),
                seq: frame as u16,
                timestamp: frame * 160 * from.ticks(),
                ssrc: 9,
            };
            header.write(bytes.first_chunk_mut().expect("there is room"));
            if frame % 20 != 13
                && let Incoming::Audio(heard, _) = peer.receive(address(), &bytes, now)
            {
                recorder.hear(Side::Left, &heard, &bytes, now);
                leg.forward(&heard, &mut bytes, now);
            }
            while leg.tick(now, &mut out).is_some() {
                ticked += 1;
            }
        }
        assert_eq!(allocations() - before, 0, "{from:?} to {to:?}");
        assert!(ticked > 480, "{from:?} to {to:?}: {ticked} ticked: nothing was proved");
    }
}

/// A protected leg and its far end, for ten simulated seconds: everything is encrypted, proved and decrypted in place.
#[test]
fn protection_allocates_nothing() {
    let keying = |seed| Keying::from_bytes([seed; KEYING_BYTES]);
    let mut ends = [session(Codec::PCMA, Policy::Strict), session(Codec::PCMA, Policy::Strict)];
    for (n, end) in ends.iter_mut().enumerate() {
        end.protect(Keys { suite: Suite::Tag80, ours: keying(n as u8), theirs: keying(1 - n as u8) });
        end.fill_pauses(Instant::START);
    }
    let (mut out, mut heard) = ([0; OUT_BYTES], 0);

    let before = allocations();
    for millis in (0..10_000).step_by(2) {
        let now = Instant::from_millis(millis);
        for n in 0..2 {
            while let Some(due) = ends[n].tick(now, &mut out) {
                let far = &mut ends[1 - n];
                if let Due::Rtp(length) = due
                    && let Ok(length) = far.open(&mut out[..length])
                {
                    far.receive(address(), &out[..length], now);
                    heard += 1;
                } else if let Due::Rtcp(length) = due {
                    far.open_rtcp(&mut out[..length]).expect("it is proved");
                }
            }
        }
    }
    assert_eq!(allocations() - before, 0);
    assert!(heard > 980, "{heard} heard: nothing was proved");
}

/// A party that is listened to from the moment it picks up, and a network that is before it: a minute of voice each.
#[test]
fn listening_for_machines_and_announcements_allocates_nothing() {
    let voice: Vec<u8> = (0..64_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let known = Announcements::new(Reference::new(Cause::Busy, &voice[8_000..56_000]));
    let mut legs = [session(Codec::PCMA, Policy::Strict), session(Codec::PCMA, Policy::Strict)];
    legs[0].listen_for_answerer(answerer::PATIENCE, Instant::START);
    legs[1].listen_for_announcements(&known);
    let (mut out, mut bytes, mut told) = ([0; OUT_BYTES], [0; HEADER_BYTES + 160], Vec::with_capacity(8));

    let before = allocations();
    for frame in 0..3_000u32 {
        let now = Instant::START + Duration::from_millis(20) * frame;
        let header =
            Header { marker: false, payload_type: 8, seq: frame as u16, timestamp: frame * 160, ssrc: 9 };
        header.write(bytes.first_chunk_mut().expect("there is room"));
        bytes[HEADER_BYTES..].copy_from_slice(&voice[frame as usize % 400 * 160..][..160]);
        for leg in &mut legs {
            leg.receive(address(), &bytes, now);
            while let Some(due) = leg.tick(now, &mut out) {
                if matches!(due, Due::Announced(_) | Due::PickedUp(_)) {
                    told.push(due);
                }
            }
        }
    }
    assert_eq!(allocations() - before, 0);
    assert!(told.contains(&Due::Announced(Cause::Busy)), "nothing was proved: {told:?}");
    assert!(told.iter().any(|due| matches!(due, Due::PickedUp(_))), "nothing was proved: {told:?}");
}
