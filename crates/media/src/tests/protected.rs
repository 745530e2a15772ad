//! Legs with SRTP.

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::*;
use crate::srtp::{Keying, Keys, Suite, TAG_BYTES_MAX, Unproved};

/// A leg's keys and those of its far end.
fn keys(suite: Suite) -> [Keys; 2] {
    let mut rng = SmallRng::seed_from_u64(4);
    let [one, other] = [0, 0].map(|_| Keying::random(&mut rng));
    let keys = |ours: &Keying, theirs: &Keying| Keys { suite, ours: ours.clone(), theirs: theirs.clone() };
    [keys(&one, &other), keys(&other, &one)]
}

/// Two sessions that talk to each other over SRTP: what each heard of the other in half a minute of clips and keys.
#[test]
fn two_protected_ends_hear_each_other() {
    let mut params = params();
    params.description.remote_rtcp = "192.0.2.1:4001".parse().ok();
    let rtcp = params.description.remote_rtcp.unwrap();
    let mut ends =
        [1, 2].map(|ssrc| Session::new(Params { ssrc, seed: ssrc.into(), ..params.clone() }, Instant::START));
    for (end, keys) in ends.iter_mut().zip(keys(Suite::Tag80)) {
        end.protect(keys);
        end.play(playlist(30 * 8_000), Instant::START);
    }
    let mut pressed = 0;
    for millis in 0..30_000 {
        let now = Instant::from_millis(millis);
        if millis == 10_000 {
            ends[0].press(&[crate::dtmf::Key::from_char('7').unwrap()]).unwrap();
        }
        for n in 0..2 {
            let mut out = [0; OUT_BYTES];
            while let Some(due) = ends[n].tick(now, &mut out) {
                let far = &mut ends[1 - n];
                match due {
                    Due::Rtp(length) => {
                        let mut again = out;
                        let mut bytes = out[..length].to_vec();
                        let length = far.open(&mut bytes).unwrap();
                        let incoming = far.receive(address(), &bytes[..length], now);
                        pressed += u32::from(matches!(incoming, Incoming::Event(_, Some(_))));
                        assert!(bytes[HEADER_BYTES..length].iter().all(|byte| *byte == b'p') || length == 16);
                        assert_eq!(far.open(&mut again[..length + TAG_BYTES_MAX]), Err(Unproved::Repeated));
                    }
                    Due::Rtcp(length) => {
                        let length = far.open_rtcp(&mut out[..length]).unwrap();
                        far.receive_rtcp(rtcp, &out[..length], now);
                    }
                    Due::ClipEnded(_)
                    | Due::KeysSent
                    | Due::Pressed(_)
                    | Due::Announced(_)
                    | Due::PickedUp(_) => {}
                }
            }
        }
    }
    assert_eq!(pressed, 1);
    for end in &ends {
        let summary = end.quality(Instant::from_millis(30_000));
        assert!(summary.heard.packets > 1_480 && summary.heard.lost == 0);
        assert!(summary.round_trip.is_some(), "reports were heard");
        assert_eq!(summary.source.unproved, summary.heard.packets, "every packet came twice");
    }
}

#[test]
fn a_protected_leg_relays_an_open_one_and_the_other_way() {
    let [ours, theirs] = keys(Suite::Tag32);
    let (mut open, mut protected) =
        (Session::new(params(), Instant::START), Session::new(params(), Instant::START));
    let mut far = Session::new(params(), Instant::START);
    protected.protect(ours);
    far.protect(theirs);
    open.relay();
    protected.relay();
    far.relay();
    for n in 0..100_u16 {
        let now = Instant::from_millis(20 * u64::from(n));
        let said = [n as u8; 160];
        let packet = packet(8, n, u32::from(n) * 160, 7, &said);

        // From the open leg to the protected one.
        let Incoming::Audio(heard, _) = open.receive(address(), &packet, now) else { panic!("not heard") };
        let mut bytes = packet.clone();
        bytes.resize(packet.len() + TAG_BYTES_MAX, 0);
        let range = protected.forward(&heard, &mut bytes, now).unwrap();
        let mut sealed = bytes[range].to_vec();
        assert_eq!(sealed.len(), packet.len() + 4);
        let length = far.open(&mut sealed).unwrap();
        let Incoming::Audio(heard, _) = far.receive(address(), &sealed[..length], now) else {
            panic!("not heard")
        };
        assert_eq!(sealed[heard.packet.payload()], said);

        // And back.
        let mut bytes = packet.clone();
        bytes.resize(packet.len() + TAG_BYTES_MAX, 0);
        let range = far.forward(&heard, &mut bytes, now).unwrap();
        let mut sealed = bytes[range].to_vec();
        let length = protected.open(&mut sealed).unwrap();
        let Incoming::Audio(heard, _) = protected.receive(address(), &sealed[..length], now) else {
            panic!("not heard")
        };
        let range = open.forward(&heard, &mut sealed, now).unwrap();
        assert_eq!(sealed[range][HEADER_BYTES..], said);
    }
}

#[test]
fn what_does_not_prove_itself_is_not_heard() {
    let [ours, _] = keys(Suite::Tag80);
    let mut session = Session::new(params(), Instant::START);
    session.protect(ours);
    for n in 0..5_u16 {
        let mut bytes = packet(8, n, u32::from(n) * 160, 7, &[1; 160]);
        assert_eq!(session.open(&mut bytes), Err(Unproved::Forged));
    }
    let summary = session.quality(Instant::START);
    assert_eq!((summary.heard.packets, summary.source.unproved), (0, 5));
    let report = summary.report(Duration::ZERO);
    assert_eq!(report.to_string(), "none at all; what came was not protected by the agreed key");
}
