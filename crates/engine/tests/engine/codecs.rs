//! Parties that speak different codecs or protect what they say, and prompts in codecs that are not the carriers' own.

use std::time::{Duration, Instant as StdInstant};

use base::id::Leg;
use base::time::{Instant, Timestamp};
use huihu_engine::trunk::Srtp;
use media::clip::{Clip, Playlist, Plays};
use media::g711::Law;
use media::record::{Channels, Recorder, Side};
use media::session::{Description, Due, EventTypes, Hears, Incoming, OUT_BYTES, Params, Session};
use media::source::Policy;
use media::srtp::{Keying, Keys, Suite};
use media::tone::{alaw_tone, tone_share};
use sip::sdp::{Codec, KEYING_BYTES};

use crate::far::Phone;
use crate::world::{GREETING, WORDS, World, callback, frame, notice};

/// The media of a telephone by what it answered.
pub(crate) fn session(phone: &Phone) -> Session {
    let agreed = phone.agreed.unwrap();
    let codec = match agreed.codec {
        Codec::Pcma => media::codec::Codec::PCMA,
        Codec::Pcmu => media::codec::Codec::PCMU,
        Codec::G722 => media::codec::Codec::G722,
        Codec::Opus => media::codec::Codec::Opus { receive: agreed.payload_heard, send: agreed.payload },
    };
    let events = agreed.events_heard.zip(agreed.events);
    let description = Description {
        remote: Some(phone.engine),
        remote_rtcp: None,
        codec,
        hears: Hears::Same,
        events: events.map(|(receive, send)| EventTypes { receive, send }),
    };
    let (wall, policy) = (Timestamp::from_millis(0), Policy::Strict);
    let params =
        Params { ssrc: 9, seq: 65_000, timestamp: u32::MAX - 900, policy, description, wall, seed: 1 };
    let mut session = Session::new(params, Instant::START);
    if let Some(theirs) = agreed.crypto {
        let [ours, theirs] = [KEY, *theirs.expose()].map(Keying::from_bytes);
        session.protect(Keys { suite: Suite::Tag80, ours, theirs });
    }
    session
}

/// What telephones protect by, those that do.
pub(crate) const KEY: [u8; KEYING_BYTES] = [7; KEYING_BYTES];

/// What a telephone has heard, as A-law.
fn heard(phone: &Phone) -> Vec<u8> {
    let (mut session, mut recorder) = (session(phone), Recorder::new(Channels::Mono, Instant::START));
    let mut now = Instant::START;
    for packet in &phone.heard {
        let mut packet = packet.clone();
        let length = session.open(&mut packet).unwrap();
        if let Incoming::Audio(heard, _) = session.receive(phone.engine, &packet[..length], now) {
            recorder.hear(Side::Left, &heard, &packet, now);
            now = now + Duration::from_millis(20);
        }
    }
    recorder.finish(now).bytes
}

/// How many tenths of a second of it are this tone and nothing else.
fn tenths_of(heard: &[u8], hertz: f64) -> usize {
    heard.chunks_exact(800).filter(|tenth| tone_share(tenth, Law::Pcma, hertz) > 0.9).count()
}

/// A bridged call whose parties speak these codecs.
fn bridged(world: &mut World, of_a: Codec, of_b: Codec) -> (usize, usize) {
    world.bridged_with(0, callback, [of_a, of_b].map(|codec| move |phone: &mut Phone| phone.speaks(codec)))
}

fn they_hear_each_other(of_a: Codec, of_b: Codec) {
    let mut world = World::offering(&Codec::ALL);
    let parties = bridged(&mut world, of_a, of_b);
    talk(&mut world, parties);
}

/// Both say a tone that the other one hears, B presses a key, and A hangs up.
fn talk(world: &mut World, (a, b): (usize, usize)) {
    // Its keys need the packets from the first one on.
    let before = heard(world.at(a)).len();
    let mut speakers = [(a, 440.0), (b, 620.0)].map(|(phone, hertz)| {
        let mut session = session(world.at(phone));
        let tone = Clip::from_alaw(&alaw_tone(hertz, 8_000, Duration::from_secs(2)));
        session.play(Playlist::new([tone], Plays::Endless).unwrap(), Instant::START);
        (phone, session)
    });
    let began = StdInstant::now();
    let mut next_look = Duration::from_secs(1);
    loop {
        if began.elapsed() > next_look {
            // A machine that is busy makes gaps in what is said: then it takes longer until enough is heard.
            let tenths = [(a, 620.0, before), (b, 440.0, 0)]
                .map(|(phone, hertz, from)| tenths_of(&heard(world.at(phone)).split_off(from), hertz));
            if tenths.iter().all(|tenths| *tenths >= 8) {
                break;
            }
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "only {tenths:?} tenths of a second are heard"
            );
            next_look = began.elapsed() + Duration::from_millis(500);
        }
        let now = Instant::START + began.elapsed();
        for (phone, session) in &mut speakers {
            let mut out = [0; OUT_BYTES];
            while let Some(due) = session.tick(now, &mut out) {
                if let Due::Rtp(length) = due {
                    world.at(*phone).send_packet(&out[..length]);
                }
            }
        }
        world.far.pump();
    }
    // A key that one presses reaches the journal, whatever its clock is.
    let key = media::dtmf::Key::from_char('5').unwrap();
    let (phone, session) = &mut speakers[1];
    session.press(&[key]).unwrap();
    let pressing = StdInstant::now();
    let of_b = |world: &World| world.keys(0, Leg::B);
    while of_b(world).is_empty() {
        assert!(pressing.elapsed() < Duration::from_secs(20), "the key is not heard");
        let mut out = [0; OUT_BYTES];
        while let Some(due) = session.tick(Instant::START + began.elapsed(), &mut out) {
            if let Due::Rtp(length) = due {
                world.at(*phone).send_packet(&out[..length]);
            }
        }
        world.far.pump();
    }
    assert_eq!(of_b(world), "5");
    world.far.hang_up(a);
    world.all_over(0);
}

#[test]
fn a_party_with_g711_and_one_with_g722_hear_each_other() {
    they_hear_each_other(Codec::Pcma, Codec::G722);
}

#[test]
fn a_party_with_g711_and_one_with_opus_hear_each_other() {
    they_hear_each_other(Codec::Pcma, Codec::Opus);
}

#[test]
fn the_same_codec_is_relayed_bit_by_bit() {
    let mut world = World::offering(&[Codec::G722, Codec::Pcma]);
    let (a, b) = bridged(&mut world, Codec::G722, Codec::G722);
    for first in 0..50 {
        world.at(a).say(&frame(first));
    }
    world.until("all is heard", |world| world.far.phones[b].voice().len() >= 50);
    assert_eq!(world.at(b).voice(), (0..50).map(frame).collect::<Vec<_>>());
    world.far.hang_up(a);
    world.all_over(0);
}

/// The largest correlation of these samples with any stretch of those that were heard.
fn likeness(of: &[u8], heard: &[u8]) -> f64 {
    let linear = |samples: &[u8]| -> Vec<f64> {
        samples.iter().map(|sample| f64::from(Law::Pcma.decode(*sample))).collect()
    };
    let (of, heard) = (linear(of), linear(heard));
    let energy = |samples: &[f64]| samples.iter().map(|sample| sample * sample).sum::<f64>();
    let like = |stretch: &[f64]| {
        let product: f64 = of.iter().zip(stretch).map(|(one, other)| one * other).sum();
        product / (energy(&of) * energy(stretch)).sqrt().max(1.0)
    };
    heard.windows(of.len()).map(like).fold(0.0, f64::max)
}

#[test]
fn a_notice_in_g722_is_heard_and_its_keys_are_told() {
    let mut world = World::offering(&[Codec::G722]);
    world.launch(0, notice);
    let a = world.phone(0, Leg::A);
    world.at(a).speaks(Codec::G722);
    world.far.answer(a);
    let all = GREETING.len() + WORDS.len();
    world.until("all of it", |world| world.far.phones[a].voice().len() >= all);
    let heard = heard(world.at(a));
    let greeting: Vec<u8> = GREETING.iter().flat_map(|first| frame(*first)).collect();
    let likeness = likeness(&greeting, &heard[..4_000]);
    assert!(likeness > 0.8, "{likeness}");
    world.at(a).press('2');
    assert!(world.all_over(0).contains("A answered 2"));
}

/// An engine whose trunk wants everything protected.
fn protected() -> World {
    let mut world = World::new();
    world.engine = None;
    world.settings.trunks[0].srtp = Srtp::Required;
    world.start();
    world
}

#[test]
fn parties_that_protect_what_they_say_hear_each_other() {
    let mut world = protected();
    let protects = |phone: &mut Phone| phone.protects(KEY);
    let (a, b) = world.bridged_with(0, callback, [protects, protects]);
    let keys = [a, b].map(|phone| *world.at(phone).agreed.unwrap().crypto.unwrap().expose());
    assert_ne!(keys[0], keys[1], "each leg has a key of its own");
    talk(&mut world, (a, b));
}

#[test]
fn an_answer_without_keys_fails_a_leg_that_wants_them() {
    let mut world = protected();
    world.launch(0, notice);
    let a = world.phone(0, Leg::A);
    world.far.answer_with(a, b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 8\r\n");
    let journal = world.all_over(0);
    assert!(journal.contains("released A") && !journal.contains("answered A"), "{journal}");
    let released = world.facts(0).into_iter().find_map(|fact| match fact {
        base::fact::Fact::Released { release, .. } => Some(release),
        _ => None,
    });
    assert_eq!(released.unwrap().status, Some(488));
    assert!(world.at(a).voice().is_empty());
}
