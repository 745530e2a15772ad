//! Any sequence of commands, peer messages, losses and pauses: each leg comes to exactly one end, and after 64*T1 and
//! a little nothing is left.

use std::time::Duration;

use huihu_sip::digest::Credentials;
use huihu_sip::{LegKey, Ring, SessionTimer};
use proptest::prelude::*;

use crate::crossings::assert_one_end_each;
use crate::far::{Far, LEG, Reply, SDP};
use crate::world::Side::{Callee, Caller};
use crate::world::{ANSWER, OFFER, World, invite};

/// One thing that happens in a world of two endpoints.
#[derive(Clone, Debug)]
enum Happening {
    Call,
    Ring { status: u16, sdp: bool, reliably: bool },
    Answer,
    Reject,
    HangUp { caller: bool },
    Offer { caller: bool },
    Update { caller: bool, sdp: bool },
    Info { caller: bool },
    AnswerOffers,
    RefuseOffers,
    Again { nth: usize },
    Pass { millis: u64 },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Call),
        3 => (prop_oneof![Just(180), Just(183)], any::<bool>(), any::<bool>())
            .prop_map(|(status, sdp, reliably)| Happening::Ring { status, sdp, reliably }),
        3 => Just(Happening::Answer),
        1 => Just(Happening::Reject),
        2 => any::<bool>().prop_map(|caller| Happening::HangUp { caller }),
        2 => any::<bool>().prop_map(|caller| Happening::Offer { caller }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(caller, sdp)| Happening::Update { caller, sdp }),
        1 => any::<bool>().prop_map(|caller| Happening::Info { caller }),
        2 => Just(Happening::AnswerOffers),
        1 => Just(Happening::RefuseOffers),
        2 => any::<usize>().prop_map(|nth| Happening::Again { nth }),
        6 => (0_u64..40).prop_map(|millis| Happening::Pass { millis }),
        1 => (0_u64..5_000).prop_map(|millis| Happening::Pass { millis }),
        // Long enough for sessions to be refreshed and to expire.
        1 => (0_u64..100_000).prop_map(|millis| Happening::Pass { millis }),
    ]
}

/// The session timers of one side: none, or short ones.
fn session() -> impl Strategy<Value = SessionTimer> {
    let interval =
        prop_oneof![Just(None), Just(Some(Duration::from_secs(90))), Just(Some(Duration::from_secs(200)))];
    let least = prop_oneof![3 => Just(Duration::from_secs(90)), 1 => Just(Duration::from_secs(150))];
    (interval, least).prop_map(|(interval, least)| SessionTimer { interval, least })
}

fn happen(world: &mut World, happening: &Happening) {
    let placed = LegKey(world.placed);
    let came = world.incoming_if_any();
    match (happening, came) {
        (Happening::Call, _) => {
            world.placed += 1;
            let leg = LegKey(world.placed);
            let mut call = invite(leg);
            call.peer.transport = world.transport;
            world.act(Caller, |caller, now, out| caller.invite(leg, call, now, out));
        }
        (Happening::Pass { millis }, _) => world.run(*millis),
        (Happening::Again { nth }, _) => world.again(*nth),
        (Happening::HangUp { caller: true }, _) => {
            world.act(Caller, |caller, now, out| caller.hang_up(placed, None, now, out));
        }
        (Happening::Offer { caller: true }, _) => {
            world.act(Caller, |caller, now, out| caller.offer(placed, OFFER, now, out));
        }
        (Happening::Update { caller: true, sdp }, _) => {
            world.act(Caller, |caller, now, out| caller.update(placed, sdp.then_some(OFFER), now, out));
        }
        (Happening::Info { caller: true }, _) => {
            world.act(Caller, |caller, now, out| caller.info(placed, "text/plain", b"x", now, out));
        }
        (Happening::AnswerOffers, _) => world.answer_offers(),
        (Happening::RefuseOffers, _) => world.refuse_offers(),
        (Happening::Ring { status, sdp, reliably }, Some(leg)) => {
            let ring = Ring { status: *status, sdp: sdp.then(|| ANSWER.to_vec()), reliably: *reliably };
            world.act(Callee, |callee, now, out| callee.ring(leg, ring, now, out));
        }
        (Happening::Answer, Some(leg)) => {
            world.act(Callee, |callee, now, out| callee.answer(leg, ANSWER, now, out));
        }
        (Happening::Reject, Some(leg)) => {
            world.act(Callee, |callee, now, out| callee.reject(leg, 486, None, now, out));
        }
        (Happening::HangUp { .. }, Some(leg)) => {
            world.act(Callee, |callee, now, out| callee.hang_up(leg, None, now, out));
        }
        (Happening::Offer { .. }, Some(leg)) => {
            world.act(Callee, |callee, now, out| callee.offer(leg, ANSWER, now, out));
        }
        (Happening::Update { sdp, .. }, Some(leg)) => {
            world.act(Callee, |callee, now, out| callee.update(leg, sdp.then_some(ANSWER), now, out));
        }
        (Happening::Info { .. }, Some(leg)) => {
            world.act(Callee, |callee, now, out| callee.info(leg, "text/plain", b"x", now, out));
        }
        (_, None) => {}
    }
}

/// One thing that happens to an endpoint whose far end is out of its mind.
#[derive(Clone, Debug)]
enum Madness {
    Says { to: &'static str, status: u16, tag: &'static str, extras: u8 },
    Asks { method: &'static str, cseq: u32, sdp: bool },
    HangUp,
    Offer,
    Update,
    AnswerOffer,
    Info,
    Wait { millis: u64 },
    Cut { at: usize, byte: u8 },
}

fn madness() -> impl Strategy<Value = Madness> {
    const REQUESTS: [&str; 7] = ["INVITE", "INVITE", "CANCEL", "BYE", "PRACK", "UPDATE", "INFO"];
    const METHODS: [&str; 9] =
        ["BYE", "INVITE", "ACK", "UPDATE", "INFO", "PRACK", "OPTIONS", "REFER", "CANCEL"];
    const TAGS: [&str; 6] = ["far", "far", "far", "b", "c", ""];
    const STATUSES: [u16; 17] =
        [100, 180, 183, 199, 200, 202, 302, 401, 407, 408, 422, 481, 487, 491, 500, 501, 603];
    prop_oneof![
        8 => (0..REQUESTS.len(), 0..STATUSES.len(), 0..TAGS.len(), any::<u8>())
            .prop_map(|(to, status, tag, extras)| Madness::Says {
                to: REQUESTS[to], status: STATUSES[status], tag: TAGS[tag], extras
            }),
        4 => (0..METHODS.len(), 90_u32..120, any::<bool>())
            .prop_map(|(method, cseq, sdp)| Madness::Asks { method: METHODS[method], cseq, sdp }),
        1 => Just(Madness::HangUp),
        1 => Just(Madness::Offer),
        1 => Just(Madness::Update),
        1 => Just(Madness::AnswerOffer),
        1 => Just(Madness::Info),
        2 => (0_u64..80_000).prop_map(|millis| Madness::Wait { millis }),
        1 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Madness::Cut { at, byte }),
    ]
}

fn go_mad(far: &mut Far, madness: &Madness) {
    match madness {
        Madness::Says { to, status, tag, extras } if far.count(to) > 0 => {
            let mut reply = Reply::new(*status).tag(tag);
            if extras & 1 > 0 {
                reply = reply.contact();
            }
            if extras & 2 > 0 {
                reply = reply.header("Require: 100rel").header(&format!("RSeq: {}", extras >> 5));
            }
            if extras & 4 > 0 {
                reply = reply.header("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", stale=true");
            }
            if extras & 8 > 0 {
                reply = reply.header("Record-Route: <sip:10.0.0.2>, <sip:10.0.0.2:5080;lr>");
            }
            if extras & 16 > 0 {
                reply = reply.sdp();
            }
            if extras & 32 > 0 {
                let refresher = if extras & 64 > 0 { "uac" } else { "uas" };
                reply = reply.header(&format!("Session-Expires: 90;refresher={refresher}"));
            }
            if extras & 128 > 0 {
                reply = reply.header("Allow: UPDATE").header("Min-SE: 2000").header("Retry-After: 3");
            }
            far.replies(to, reply);
        }
        Madness::Says { .. } => {}
        Madness::Asks { method, cseq, sdp } => {
            let (header, body) = if *sdp { ("Content-Type: application/sdp\r\n", SDP) } else { ("", "") };
            far.asks_with(method, *cseq, header, body);
        }
        Madness::HangUp => far.hang_up(),
        Madness::Offer => far.act(|near, now, out| near.offer(LEG, SDP.as_bytes(), now, out)),
        Madness::Update => far.act(|near, now, out| near.update(LEG, Some(SDP.as_bytes()), now, out)),
        Madness::AnswerOffer => far.act(|near, now, out| near.answer_offer(LEG, SDP.as_bytes(), now, out)),
        Madness::Info => far.act(|near, now, out| near.info(LEG, "a/b", b"c", now, out)),
        Madness::Wait { millis } => far.wait(*millis),
        Madness::Cut { at, byte } => {
            let mut text = far.reply_text("INVITE", &Reply::new(200).contact().sdp()).into_bytes();
            let at = at % text.len();
            text[at] = *byte;
            far.says(text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_endpoints_on_a_bad_network_always_come_to_rest(
        seed in any::<u64>(),
        loss in 0_u32..25,
        twice in 0_u32..20,
        slowest in 1_000_u64..60_000,
        connected in prop::bool::weighted(0.2),
        sessions in [session(), session()],
        happenings in prop::collection::vec(happening(), 1..40),
    ) {
        let mut world = World::new(seed);
        world.hurry();
        for (side, session) in [Caller, Callee].into_iter().zip(sessions) {
            world.endpoint(side).settings_mut().session = session;
        }
        world.net.loss_percent = loss;
        world.net.twice_percent = twice;
        world.net.delay = (500, slowest);
        if connected {
            world.connect();
        }
        for next in &happenings {
            happen(&mut world, next);
        }
        world.run(700);
        world.close();
        assert_one_end_each(&world, "the end");
        world.assert_empty();
    }

    #[test]
    fn a_far_end_out_of_its_mind_costs_one_leg(happenings in prop::collection::vec(madness(), 1..60)) {
        let mut far = Far::new();
        far.call(|invite| {
            invite.credentials = Some(Credentials::new("u".into(), "p".into()));
            invite.redirects_max = 2;
        });
        for next in &happenings {
            go_mad(&mut far, next);
        }
        far.hang_up();
        far.run_out();
        let finals = far.told.iter().filter(|(_, event)| {
            matches!(event, huihu_sip::Event::Failed { .. } | huihu_sip::Event::Ended { .. })
        });
        prop_assert_eq!(finals.count(), 1, "{}", far.story());
    }

    #[test]
    fn noise_is_never_a_panic(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut far = Far::calling();
        far.says(&noise);
        let mut invite = far.last("INVITE").as_bytes().to_vec();
        for (at, byte) in noise.iter().enumerate() {
            let place = (at * 31 + usize::from(*byte) * 7) % invite.len();
            invite[place] = *byte;
            if at % 8 == 0 {
                far.says(&invite);
            }
        }
    }
}
