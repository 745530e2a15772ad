//! Several trunks: which of them a call takes, and what happens when one of them fails. The far ends are simulated
//! carriers, each with a socket of its own.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use base::id::Leg;
use base::trunk::{Route, TrunkNo, TrunkState};
use carrier::{Carrier, LegReport};
use huihu_engine::numbering::Step;
use huihu_engine::trunk::{FromHost, Identity, Privacy, Probe};
use huihu_engine::{Orphan, Trunk};

use crate::world::{APP, World, call, code, dialled};

/// A carrier whose telephones take no time.
fn carrier() -> Carrier {
    at("127.0.0.1:0".parse().unwrap())
}

fn at(address: SocketAddr) -> Carrier {
    let mut settings = carrier::Settings::new(address);
    settings.times = settings.times.scaled(0.01);
    Carrier::start(settings).unwrap()
}

/// A trunk to a carrier; the smaller the priority, the sooner it is asked.
fn trunk(name: &str, carrier: &Carrier, priority: u8) -> Trunk {
    let routes = vec![Route { priority, ..Route::everything() }];
    Trunk { routes, ..Trunk::new(name, carrier.address()) }
}

/// Has a trunk dial another number for the party of call 0, which chooses the party's fate there.
fn with_fate(trunk: Trunk, fate: &str) -> Trunk {
    let steps = vec![Step::Strip(dialled(0, Leg::A).into()), Step::Add(format!("+861380000{fate}").into())];
    Trunk { dialled: steps, ..trunk }
}

/// The state of a trunk, by its place.
fn state(world: &World, place: usize) -> TrunkState {
    world.engine().trunks().views(now())[place].condition.state
}

/// The time of day.
pub(crate) fn now() -> base::time::Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    base::time::Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
}

/// The journal of a call to one party that comes to nothing.
#[track_caller]
fn failed(world: &mut World, number: u32) -> String {
    world.launch(number, code);
    world.over(number)
}

fn heard(carrier: &Carrier) -> Vec<LegReport> {
    carrier.heard()
}

#[test]
fn an_overloaded_trunk_hands_over_to_the_next_and_has_its_pause() {
    let (first, second) = (carrier(), carrier());
    let mut world =
        World::by(vec![with_fate(trunk("first", &first, 1), "0503"), trunk("second", &second, 2)]);
    let words = world.answered(0);
    assert!(words.starts_with("dialled A, dialled A by second after 503, ringing A, answered A"), "{words}");
    assert_eq!((state(&world, 0), state(&world, 1)), (TrunkState::Paused, TrunkState::Working));
    // Who asks for a pause gets it: the next call does not even try.
    let words = world.answered(1);
    assert!(words.starts_with("dialled A, ringing A"), "{words}");
    assert_eq!((heard(&first).len(), heard(&second).len()), (1, 2));
    assert_eq!((world.engine().live(), world.ports.taken()), (0, 0));
    let calls = world.engine().trunks().views(now()).iter().map(|view| view.calls).collect::<Vec<_>>();
    assert_eq!(calls, [0, 0], "every seat is given back");
}

#[test]
fn what_the_party_decided_no_other_trunk_is_asked_about() {
    for (fate, end) in [("0486", "released A Busy by Caller, over Busy"), ("0404", ""), ("0603", "")] {
        let (first, second) = (carrier(), carrier());
        let first = with_fate(trunk("first", &first, 1), fate);
        let mut world = World::by(vec![first, trunk("second", &second, 2)]);
        let words = failed(&mut world, 0);
        assert!(words.ends_with(end) && !words.contains("after"), "{words}");
        assert_eq!(heard(&second).len(), 0);
    }
}

#[test]
fn a_leg_is_released_once_with_what_the_last_trunk_said() {
    let (first, second) = (carrier(), carrier());
    let trunks = [trunk("first", &first, 1), trunk("second", &second, 2)];
    let mut world = World::by(trunks.map(|trunk| with_fate(trunk, "0503")).to_vec());
    assert_eq!(
        failed(&mut world, 0),
        "dialled A, dialled A by second after 503, released A TrunkFault by Caller, over TrunkFault"
    );
}

#[test]
fn a_trunk_that_says_nothing_is_given_up_and_cancelled_when_it_finds_a_word() {
    let second = carrier();
    let mut world = World::by(vec![trunk("second", &second, 2)]);
    let mut silent = Trunk::new("silent", world.far.address());
    silent.silence = Duration::from_millis(50);
    world.engine = None;
    world.settings.trunks.push(silent);
    world.start();
    world.launch(0, code);
    // The far end sleeps as long as nobody pumps it.
    let began = Instant::now();
    while world.entries(0).len() < 3 {
        assert!(began.elapsed() < Duration::from_secs(3));
        std::thread::yield_now();
    }
    let silent = world.phone(0, Leg::A);
    world.until("the CANCEL", |world| world.far.phones[silent].cancelled);
    assert!(world.stop(0, APP));
    let words = world.all_over(0);
    assert!(words.starts_with("dialled A, dialled A by second after 408, ringing A"), "{words}");
}

#[test]
fn where_the_network_leads_nowhere_nobody_waits() {
    let second = carrier();
    let mut nowhere = Trunk::new("nowhere", "192.0.2.1:5060".parse().unwrap());
    nowhere.silence = Duration::from_secs(60);
    let mut world = World::by(vec![nowhere, trunk("second", &second, 2)]);
    let words = world.answered(0);
    assert!(words.starts_with("dialled A, dialled A by second after 408, ringing A"), "{words}");
}

#[test]
fn a_trunk_with_two_gateways_is_one_trunk() {
    let (first, second) = (carrier(), carrier());
    let mut both = with_fate(trunk("both", &first, 1), "0503");
    both.peers.push(second.address().into());
    let mut world = World::by(vec![both]);
    assert_eq!(
        failed(&mut world, 0),
        "dialled A, dialled A by both after 503, released A TrunkFault by Caller, over TrunkFault"
    );
    assert_eq!((heard(&first).len(), heard(&second).len()), (1, 1));
}

#[test]
fn trunks_share_calls_by_their_weights() {
    let (first, second) = (carrier(), carrier());
    let mut often = trunk("often", &first, 1);
    often.routes[0].weight = 9;
    let mut world = World::by(vec![often, trunk("seldom", &second, 1)]);
    for number in 0..60 {
        world.launch(number, code);
    }
    (0..60).for_each(|number| world.until_fact(number, "dialled A"));
    let arrived = || heard(&first).len() + heard(&second).len();
    world.until("every INVITE has come", |_| arrived() == 60);
    assert!(heard(&first).len() > heard(&second).len());
}

#[test]
fn a_full_trunk_is_passed_over_and_full_trunks_fail_at_once() {
    let (first, second) = (carrier(), carrier());
    let mut small = trunk("small", &first, 1);
    small.calls_max = Some(1);
    let mut slow = trunk("slow", &second, 2);
    slow.calls_per_second = Some(1);
    let mut world = World::by(vec![small, slow]);
    for number in 0..2 {
        world.launch(number, code);
        world.until_fact(number, "answered A");
    }
    assert_eq!((heard(&first).len(), heard(&second).len()), (1, 1));
    assert_eq!(failed(&mut world, 2), "released A TrunkFault by Platform, over TrunkFault");
    assert!(world.stop(0, APP));
    world.over(0);
    let words = world.answered(3);
    assert!(words.starts_with("dialled A, ringing A"), "the place came back: {words}");
    assert_eq!(heard(&first).len(), 2);
}

#[test]
fn a_trunk_that_does_not_answer_is_down_until_it_answers_again() {
    let (first, second) = (carrier(), carrier());
    let mut asked = trunk("asked", &first, 1);
    asked.probe = Some(Probe { every: Duration::from_millis(40), misses: 2 });
    let mut world = World::by(vec![asked, trunk("second", &second, 2)]);
    let words = world.answered(0);
    assert!(words.starts_with("dialled A, ringing A") && heard(&first).len() == 1, "{words}");
    let address = first.address();
    drop(first);
    world.until("it is down", |world| state(world, 0) == TrunkState::Down);
    let words = world.answered(1);
    assert!(words.starts_with("dialled A, ringing A") && heard(&second).len() == 1, "{words}");
    let first = at(address);
    world.until("it is back", |world| state(world, 0) == TrunkState::Working);
    world.answered(2);
    assert_eq!((heard(&first).len(), heard(&second).len()), (1, 1));
}

#[test]
fn a_trunk_gets_its_addresses_when_they_are_known() {
    let (first, second) = (carrier(), carrier());
    let mut unresolved = trunk("unresolved", &first, 1);
    unresolved.peers.clear();
    let mut world = World::by(vec![unresolved]);
    assert_eq!(state(&world, 0), TrunkState::Unresolved);
    assert_eq!(failed(&mut world, 0), "released A TrunkFault by Platform, over TrunkFault");
    let foreign: SocketAddr = "[2001:db8::1]:5060".parse().unwrap();
    assert!(world.engine().set_peers(TrunkNo::new(0).unwrap(), &[foreign.into(), first.address().into()]));
    assert_eq!(state(&world, 0), TrunkState::Working);
    world.answered(1);
    assert!(world.engine().set_peers(TrunkNo::new(0).unwrap(), &[second.address().into()]));
    world.answered(2);
    assert_eq!((heard(&first).len(), heard(&second).len()), (1, 1));
}

#[test]
fn a_trunk_is_told_numbers_as_it_wants_them() {
    let carrier = carrier();
    let mut plain = trunk("plain", &carrier, 1);
    plain.dialled = vec![Step::National, Step::Add("9".into())];
    plain.shown = vec![Step::Digits];
    plain.identity = Identity { asserted: true, host: FromHost::Trunk, ..Identity::default() };
    let mut withheld = trunk("withheld", &carrier, 1);
    withheld.identity = Identity { asserted: true, privacy: Privacy::Withheld, ..Identity::default() };
    for (trunk, dialled, shown) in
        [(plain, "913800000001", "8675500000001"), (withheld, "+8613800000001", "anonymous")]
    {
        let mut world = World::by(vec![trunk]);
        world.answered(0);
        let last = heard(&carrier).pop().unwrap();
        assert_eq!((last.dialled.as_str(), last.shown.as_str()), (dialled, shown));
    }
}

#[test]
fn identity_is_told_as_the_trunk_wants_it() {
    let trunk = UdpSocket::bind("127.0.0.1:0").unwrap();
    trunk.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let invite = |identity: Identity| {
        let mut told = Trunk::new("told", trunk.local_addr().unwrap());
        (told.identity, told.domain) = (identity, Some("carrier.example".to_owned()));
        let world = World::by(vec![told]);
        world.launch(0, code);
        let mut buffer = [0; 2_048];
        let length = trunk.recv(&mut buffer).unwrap();
        drop(world);
        // What it sends again until it ends is nothing new.
        trunk.set_nonblocking(true).unwrap();
        while trunk.recv(&mut [0; 2_048]).is_ok() {}
        trunk.set_nonblocking(false).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let open = invite(Identity { asserted: true, host: FromHost::Trunk, privacy: Privacy::Open });
    assert!(open.contains("From: <sip:+8675500000001@carrier.example;user=phone>"), "{open}");
    assert!(open.contains("P-Asserted-Identity: <sip:+8675500000001@carrier.example;user=phone>"), "{open}");
    let hidden = invite(Identity { asserted: true, privacy: Privacy::Withheld, ..Identity::default() });
    assert!(hidden.contains("\r\nPrivacy: id\r\n"), "{hidden}");
    assert_eq!(hidden.matches("+8675500000001").count(), 1, "only the carrier is told: {hidden}");
}

#[test]
fn only_the_trunks_may_speak_to_us() {
    let carrier = carrier();
    let mut known = trunk("known", &carrier, 1);
    known.sources = vec!["127.0.0.2".parse().unwrap()];
    let world = World::by(vec![known]);
    let engine = world.engine().address();
    let ask = |from: &str| {
        let socket = UdpSocket::bind((from, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let here = socket.local_addr().unwrap();
        let options = format!(
            "OPTIONS sip:us SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:x>;tag=1\r\n\
             To: <sip:us>\r\nCall-ID: {from}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        socket.send_to(options.as_bytes(), engine).unwrap();
        socket.recv(&mut [0; 2_048]).is_ok()
    };
    assert_eq!([ask("127.0.0.2"), ask("127.0.0.3"), ask("127.0.0.1")], [true, false, false]);
}

#[test]
fn a_leg_that_died_on_its_second_trunk_is_cancelled_there() {
    // The journal may have seen the second INVITE, or not yet.
    for dialled in [vec!["first"], vec!["first", "far"]] {
        let first = carrier();
        let mut world = World::by(vec![with_fate(trunk("first", &first, 1), "0503")]);
        let mut far = Trunk::new("far", world.far.address());
        far.routes[0].priority = 2;
        world.engine = None;
        world.settings.trunks.push(far);
        world.start();
        world.launch(0, code);
        let phone = world.phone(0, Leg::A);
        world.engine = None;
        world.start();
        let dialled = dialled.into_iter().map(|name| Some(name.into())).collect();
        let orphan = Orphan { call: call(0, code(0)), leg: Leg::A, dialog: None, dialled };
        world.engine().release(orphan).unwrap();
        world.until("the CANCEL", |world| world.far.phones[phone].cancelled);
        world.until("the end of the INVITE", |world| !world.far.phones[phone].is_open());
    }
}
