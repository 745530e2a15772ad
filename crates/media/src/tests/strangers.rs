use proptest::prelude::*;

use super::*;
use crate::session::Unheard;

fn stranger() -> SocketAddr {
    "203.0.113.66:4000".parse().unwrap()
}

fn nat() -> Policy {
    Policy::Nat(["198.51.100.0/24".parse().unwrap()].into())
}

#[test]
fn probing_a_port_brings_nothing_back() {
    for policy in [Policy::Strict, nat()] {
        let mut leg = Leg::new(Params { policy, ..params() });
        leg.play(80_000);
        for n in 0..400u16 {
            let probe = packet(8, n, u32::from(n) * 160, 0, &[0; 160]);
            assert_eq!(leg.session.receive(stranger(), &probe, leg.now), Incoming::Dropped(Unheard::Foreign));
            leg.session.receive_rtcp(stranger(), &probe, leg.now);
            assert_eq!(leg.session.target(), Some(address()));
            assert_eq!(leg.session.rtcp_target(), None);
            leg.wait(20);
        }
        let report = leg.session.report();
        assert_eq!((report.foreign, report.packets_in, report.unusable), (800, 0, 0));
        assert_eq!(report.packets_out as usize, leg.sent.len());
        leg.assert_one_line();
    }
}

#[test]
fn injected_packets_change_nothing_of_what_the_party_hears() {
    let (mut clean, mut attacked) = (Leg::new(params()), Leg::new(params()));
    let [mut clean_peer, mut attacked_peer] = [0, 0].map(|_| Session::new(params(), Instant::START));
    for leg in [&mut clean, &mut attacked] {
        leg.session.relay();
    }
    for n in 0..200u16 {
        let bytes = packet(8, n, u32::from(n) * 160, 1, &[n as u8; 160]);
        clean.forward(&mut clean_peer, &bytes);
        attacked.forward(&mut attacked_peer, &bytes);
        let injected = packet(8, n + 1, u32::from(n + 1) * 160, 1, &[0x55; 160]);
        let dropped = attacked_peer.receive(stranger(), &injected, attacked.now);
        assert_eq!(dropped, Incoming::Dropped(Unheard::Foreign));
        clean.wait(20);
        attacked.wait(20);
    }
    let wire =
        |leg: &Leg| leg.sent.iter().map(|sent| (sent.header, sent.payload.clone())).collect::<Vec<_>>();
    assert_eq!(wire(&clean), wire(&attacked));
    assert_eq!(attacked_peer.report().lost, 0);
}

#[test]
fn behind_nat_audio_and_reports_follow_the_learned_address() {
    let mut params = Params { policy: nat(), ..params() };
    params.description.remote_rtcp = "192.0.2.1:4001".parse().ok();
    let mut leg = Leg::new(params);
    let (rtp, rtcp): (SocketAddr, SocketAddr) =
        ("198.51.100.7:7000".parse().unwrap(), "198.51.100.7:7777".parse().unwrap());
    let mut moved = Vec::new();
    for n in 0..6u16 {
        let bytes = packet(8, n, u32::from(n) * 160, 9, &[0; 160]);
        if let Incoming::Audio(heard, _) = leg.session.receive(rtp, &bytes, leg.now) {
            moved.push(heard.moved);
        }
    }
    assert_eq!(moved, [true, false, false], "the fourth packet is learned");
    assert_eq!(leg.session.target(), Some(rtp));
    assert_eq!(leg.session.rtcp_target(), None, "nothing goes where nothing came from");
    // A receiver report of the learned party, without blocks.
    let report = [0x80, 201, 0, 1, 0, 0, 0, 9];
    leg.session.receive_rtcp(stranger(), &report, leg.now);
    assert_eq!(leg.session.rtcp_target(), None);
    leg.session.receive_rtcp(rtcp, &report, leg.now);
    assert_eq!(leg.session.rtcp_target(), Some(rtcp));
}

#[test]
fn only_what_was_agreed_to_is_heard() {
    let mut params = params();
    params.description.hears = Hears::Same;
    let mut session = Session::new(params, Instant::START);
    let mut hear = |bytes: &[u8]| match session.receive(address(), bytes, Instant::START) {
        Incoming::Dropped(why) => Some(why),
        Incoming::Audio(..) | Incoming::Event(..) | Incoming::Noise(_) => None,
    };
    let cases: [(&str, Vec<u8>, Option<Unheard>); 7] = [
        ("A-law", packet(8, 1, 0, 1, &[0; 160]), None),
        ("mu-law", packet(0, 2, 0, 1, &[0; 160]), Some(Unheard::Unknown)),
        ("comfort noise", packet(13, 3, 0, 1, &[0; 1]), None),
        ("another event type", packet(100, 4, 0, 1, &[0; 4]), Some(Unheard::Unknown)),
        ("nothing inside", packet(8, 5, 0, 1, &[]), Some(Unheard::Unknown)),
        ("half an event", packet(101, 6, 0, 1, &[1, 2]), Some(Unheard::Malformed)),
        ("no RTP", vec![1; 40], Some(Unheard::Malformed)),
    ];
    for (what, bytes, verdict) in cases {
        assert_eq!(hear(&bytes), verdict, "{what}");
    }
    assert_eq!(session.report().unusable, 5, "comfort noise is no fault");
}

proptest! {
    /// Whatever comes from the far end's own address, in whatever order with whatever is done to the leg.
    #[test]
    fn no_bytes_and_no_order_do_harm(
        steps in prop::collection::vec(
            (any::<u8>(), prop::collection::vec(any::<u8>(), 0..48), 0u32..50_000_000, any::<bool>()),
            1..60,
        )
    ) {
        let mut params = params();
        params.description.remote_rtcp = Some(address());
        let mut legs = [Session::new(params.clone(), Instant::START), Session::new(params, Instant::START)];
        let mut now = Instant::START;
        let mut out = [0; OUT_BYTES];
        for (action, mut bytes, micros, raw) in steps {
            if !raw && bytes.len() >= 2 {
                bytes[0] = 0x80 | (bytes[0] & 0x30);
                bytes[1] = [8, 0, 101, 0x88][usize::from(bytes[1] & 3)];
            }
            now = now + Duration::from_micros(u64::from(micros));
            let [a, b] = &mut legs;
            match action % 8 {
                0 => { a.play(playlist(500), now); }
                1 => { b.announce(playlist(100), now); }
                2 => { b.relay(); }
                3 => { let _ = b.press(&[crate::dtmf::Key::from_code(action >> 4).unwrap()]); }
                4 => { b.silence(); }
                5 => { a.listen_for_tones(); }
                6 => { a.fill_pauses(now); }
                _ => {}
            }
            a.receive_rtcp(address(), &bytes, now);
            let incoming = a.receive(address(), &bytes, now);
            if let Incoming::Audio(heard, _) | Incoming::Event(heard, _) = incoming
                && let Some(range) = b.forward(&heard, &mut bytes, now)
            {
                prop_assert!(Packet::parse(&bytes[range]).is_some());
            }
            for leg in &mut legs {
                for n in 0.. {
                    let Some(due) = leg.tick(now, &mut out) else { break };
                    prop_assert!(n < 64, "endless: {due:?}");
                }
                prop_assert!(leg.next_due().is_none_or(|due| due > now));
                leg.bye(now, &mut out);
                prop_assert!(leg.report().packets_in <= 60);
            }
        }
    }
}
