use super::*;
use base::fact::KeySource;

use crate::dtmf::{CannotPress, Key};
use crate::tone::alaw_key;

fn keys(letters: &str) -> Vec<Key> {
    letters.chars().filter_map(Key::from_char).collect()
}

#[test]
fn keys_interrupt_a_clip_and_the_clip_goes_on() {
    let mut leg = Leg::new(params());
    let play = leg.play(1_600);
    leg.wait(60);
    leg.session.press(&keys("1#")).unwrap();
    leg.wait(1_000);
    let audio = leg.sent.iter().filter(|sent| sent.header.payload_type == 8);
    assert_eq!(audio.filter(|sent| sent.payload == [b'p'; 160]).count(), 10, "no frame of the clip is lost");
    let events: Vec<_> = leg.sent.iter().filter(|sent| sent.header.payload_type == 101).collect();
    assert_eq!(events.len(), 20);
    assert_eq!(events[10].header.timestamp.wrapping_sub(events[0].header.timestamp), 260 * 8);
    let after = leg.sent.iter().find(|sent| sent.header.payload_type == 8 && sent.millis > 100).unwrap();
    assert!(after.header.marker);
    assert_eq!(leg.news.iter().map(|news| news.1).collect::<Vec<_>>(), [Due::KeysSent, Due::ClipEnded(play)]);
    leg.assert_one_line();
}

#[test]
fn keys_interrupt_the_peer() {
    let mut leg = Leg::new(params());
    let mut peer = Session::new(params(), Instant::START);
    leg.session.relay();
    let mut relayed = 0;
    for n in 0..50u16 {
        if n == 10 {
            leg.session.press(&keys("5")).unwrap();
        }
        relayed += usize::from(leg.forward(&mut peer, &packet(8, n, u32::from(n) * 160, 1, &[n as u8; 160])));
        leg.wait(20);
    }
    assert_eq!(relayed, 50 - 13, "160 ms of key and 100 ms of pause are 13 packets");
    leg.assert_one_line();
}

#[test]
fn keys_are_heard_once_by_the_other_side() {
    let mut sender = Leg::new(params());
    sender.session.press(&keys("0123456789*#")).unwrap();
    sender.wait(4_000);
    assert_eq!(sender.news.last().map(|news| news.1), Some(Due::KeysSent));
    let mut receiver = Session::new(params(), Instant::START);
    let mut letters = String::new();
    for sent in &sender.sent {
        let Header { payload_type, seq, timestamp, ssrc, .. } = sent.header;
        let bytes = packet(payload_type, seq, timestamp, ssrc, &sent.payload);
        let now = Instant::from_millis(sent.millis);
        for _ in 0..2 {
            let Incoming::Event(_, pressed) = receiver.receive(address(), &bytes, now) else {
                panic!("no event")
            };
            letters.extend(pressed.map(|pressed| {
                assert_eq!(pressed.held, Duration::from_millis(160));
                pressed.key.letter()
            }));
        }
    }
    assert_eq!(letters, "0123456789*#");
}

#[test]
fn a_press_whose_end_is_lost_is_told_by_the_tick() {
    let mut leg = Leg::new(params());
    let bytes = packet(101, 1, 0, 5, &[9, 10, 3, 32]);
    let Incoming::Event(_, None) = leg.session.receive(address(), &bytes, leg.now) else {
        panic!("no event")
    };
    assert_eq!(leg.session.next_due(), Some(Instant::from_millis(200)));
    leg.wait(300);
    let [(200, Due::Pressed(pressed))] = leg.news[..] else { panic!("{:?}", leg.news) };
    assert_eq!((pressed.key.letter(), pressed.held), ('9', Duration::from_millis(100)));
}

#[test]
fn keys_need_an_agreement() {
    let mut params = params();
    params.description.events = None;
    let mut session = Session::new(params, Instant::START);
    assert_eq!(session.press(&keys("1")), Err(CannotPress::NotNegotiated));
    let event = packet(101, 1, 0, 5, &[9, 0x8a, 3, 32]);
    let dropped = session.receive(address(), &event, Instant::START);
    assert_eq!(dropped, Incoming::Dropped(crate::session::Unheard::Unknown));
}

/// The keys that a leg hears in packets of voice, from a number on.
fn heard_in(leg: &mut Leg, voice: &[u8], first: u16) -> String {
    let mut letters = String::new();
    for (nth, frame) in voice.chunks(160).enumerate() {
        let seq = first + nth as u16;
        let bytes = packet(8, seq, u32::from(seq) * 160, 5, frame);
        let Incoming::Audio(_, pressed) = leg.session.receive(address(), &bytes, leg.now) else {
            panic!("no voice")
        };
        letters.extend(pressed.map(|pressed| {
            assert_eq!(pressed.source, KeySource::Tone);
            pressed.key.letter()
        }));
        leg.wait(20);
    }
    letters
}

/// Three frames of a key and two of silence.
fn tone(letter: char) -> Vec<u8> {
    let mut samples = alaw_key(Key::from_char(letter).unwrap(), Duration::from_millis(60));
    samples.resize(samples.len() + 320, 0xd5);
    samples
}

#[test]
fn tones_are_heard_where_somebody_listens_for_them() {
    let mut leg = Leg::new(params());
    assert_eq!(heard_in(&mut leg, &tone('5'), 0), "");
    leg.session.listen_for_tones();
    assert_eq!(heard_in(&mut leg, &[tone('5'), tone('5'), tone('#')].concat(), 5), "55#");
}

#[test]
fn after_the_first_event_only_events_are_keys() {
    let mut leg = Leg::new(params());
    leg.session.listen_for_tones();
    let flash = packet(101, 0, 0, 5, &[16, 0x8a, 3, 32]);
    leg.session.receive(address(), &flash, leg.now);
    assert_eq!(heard_in(&mut leg, &tone('1'), 1), "1", "a flash of the hook is no key");
    let event = packet(101, 6, 960, 5, &[2, 0x8a, 3, 32]);
    let Incoming::Event(_, Some(pressed)) = leg.session.receive(address(), &event, leg.now) else {
        panic!("no event")
    };
    assert_eq!((pressed.key.letter(), pressed.source), ('2', KeySource::Event));
    leg.session.listen_for_tones();
    assert_eq!(heard_in(&mut leg, &tone('3'), 7), "");
}

#[test]
fn another_stream_begins_with_a_key_of_its_own() {
    let mut leg = Leg::new(params());
    leg.session.listen_for_tones();
    let voice = tone('8');
    let mut letters = String::new();
    for (ssrc, seq) in [(5, 0), (5, 1), (5, 2), (6, 9_000), (6, 9_001), (6, 9_002)] {
        let frame = &voice[usize::from(seq % 3) * 160..][..160];
        let bytes = packet(8, seq, u32::from(seq) * 160, ssrc, frame);
        if let Incoming::Audio(_, Some(pressed)) = leg.session.receive(address(), &bytes, leg.now) {
            letters.push(pressed.key.letter());
        }
    }
    assert_eq!(letters, "88");
}

#[test]
fn who_moves_while_a_key_is_held_has_pressed_it_once() {
    let mut sender = Leg::new(params());
    sender.session.press(&keys("5")).unwrap();
    sender.wait(1_000);
    let (here, there): (SocketAddr, SocketAddr) =
        ("198.51.100.7:7000".parse().unwrap(), "198.51.100.8:7000".parse().unwrap());
    let policy = Policy::Nat(["198.51.100.0/24".parse().unwrap()].into());
    for after in 0..sender.sent.len() {
        let mut receiver = Session::new(Params { policy: policy.clone(), ..params() }, Instant::START);
        let mut pressed = 0;
        // What was said before the key, from where it was said.
        for n in 0..5 {
            let voice = packet(
                8,
                sender.sent[0].header.seq.wrapping_sub(5 - n),
                0,
                sender.sent[0].header.ssrc,
                &[1; 160],
            );
            receiver.receive(here, &voice, Instant::START);
        }
        let mut now = Instant::START;
        for (nth, sent) in sender.sent.iter().enumerate() {
            let Header { payload_type, seq, timestamp, ssrc, .. } = sent.header;
            let bytes = packet(payload_type, seq, timestamp, ssrc, &sent.payload);
            now = Instant::from_millis(sent.millis);
            if nth == after {
                let remote = "192.0.2.9:4000".parse().ok();
                receiver.describe(Description { remote, ..*receiver.description() }, now);
            }
            let from = if nth < after { here } else { there };
            if let Incoming::Event(_, Some(_)) = receiver.receive(from, &bytes, now) {
                pressed += 1;
            }
        }
        let mut out = [0; OUT_BYTES];
        let later = now + Duration::from_secs(1);
        while let Some(due) = receiver.tick(later, &mut out) {
            pressed += usize::from(matches!(due, Due::Pressed(_)));
        }
        assert_eq!(pressed, 1, "moved before packet {after}");
    }
}
