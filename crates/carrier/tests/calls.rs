//! Calls to the carrier over real sockets on loopback.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod caller;

use std::fs;
use std::time::Duration;

use base::fact::KeySource;
use caller::{Caller, PACE};
use huihu_carrier::{Carrier, EndedBy, LegReport, Settings, Times};
use media::FRAME_SAMPLES;
use media::clip::Clip;
use media::g711::Law;
use media::record::WAV_HEADER_BYTES;
use sip::sdp::Direction;

/// A telephone's voice: half a second that is like no other voice.
fn voice(seed: u64) -> Clip {
    let samples =
        (0..4_000_u64).map(|n| ((n + 1).wrapping_mul(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 40) as u8);
    Clip::from_alaw(&samples.collect::<Vec<u8>>())
}

fn settings() -> Settings {
    Settings {
        voices: vec![voice(3), voice(5)],
        busy: Some(voice(7)),
        empty_number: Some(voice(11)),
        times: Times::default().scaled(0.1),
        pace: PACE,
        ..Settings::new("127.0.0.1:0".parse().unwrap())
    }
}

fn carrier() -> Carrier {
    Carrier::start(settings()).unwrap()
}

/// Whether `part` is heard somewhere in the endless repetition of the clip.
fn repeats(clip: &Clip, part: &[u8]) -> bool {
    let samples = clip.samples(Law::Pcma);
    (0..samples.len()).any(|start| samples.iter().cycle().skip(start).zip(part).all(|(a, b)| a == b))
}

/// The carrier's one report, once the call is over for it too.
#[track_caller]
fn report(carrier: &Carrier, caller: &mut Caller) -> LegReport {
    caller.run_until(|_| carrier.open_legs() == 0);
    let [report] = <[LegReport; 1]>::try_from(carrier.heard()).unwrap();
    report
}

#[test]
fn an_echo_says_what_it_hears_to_the_bit_and_a_mute_one_nothing() {
    let carrier = carrier();
    let mut caller = Caller::of(&carrier);
    let said = voice(13).samples(Law::Pcma).to_vec();
    let [echo, mute] = ["+8613800000003", "+8613800000004"].map(|dialled| caller.call(dialled, &said));
    let is_answered = |caller: &Caller| caller.told(mute).iter().any(|told| told.starts_with("Answered"));
    caller.run_until(|caller| caller.calls[&echo].heard.len() >= said.len() / 2 && is_answered(caller));
    let heard = &caller.calls[&echo].heard;
    assert!(repeats(&Clip::from_alaw(&said), &heard[..said.len() / 2]), "it was another voice");
    assert!(caller.calls[&mute].heard.is_empty());
}

#[test]
fn two_numbers_answer_with_two_voices_to_the_bit() {
    let carrier = carrier();
    let mut caller = Caller::of(&carrier);
    let calls = [caller.call("+8613800000001", &[]), caller.call("+8613800010001", &[])];
    caller.run_until(|caller| calls.iter().all(|call| caller.calls[call].heard.len() >= 8_000));
    for (call, voice) in calls.iter().zip([voice(3), voice(5)]) {
        let samples = voice.samples(Law::Pcma);
        assert!(caller.calls[call].heard[..8_000] == [samples, samples].concat(), "the voice of call {call}");
        assert_eq!(caller.told(*call)[..2], ["Trying", "Early 180 fork 0"]);
    }
    assert_eq!(carrier.open_legs(), 2);
    calls.iter().for_each(|call| caller.hang_up(*call));
    caller.run_until(|_| carrier.open_legs() == 0);
    assert!(carrier.heard().iter().all(|report| report.answered && report.ended_by == Some(EndedBy::Caller)));
}

#[test]
fn what_a_telephone_hears_is_on_its_tape() {
    let folder = tempfile::tempdir().unwrap();
    let recordings = Some(folder.path().join("tapes"));
    let carrier = Carrier::start(Settings { recordings, ..settings() }).unwrap();
    let mut caller = Caller::of(&carrier);
    let said = voice(13);
    let call = caller.call("+8613800000001", said.samples(Law::Pcma));
    caller.run_until(|_| carrier.heard().iter().any(|report| report.packets_in == 25));
    caller.press(call, "42#");
    caller.run_until(|_| carrier.heard()[0].digits == "42#");
    caller.hang_up(call);
    let report = report(&carrier, &mut caller);
    assert_eq!((report.dialled.as_str(), report.shown.as_str()), ("+8613800000001", "+8675500000000"));
    assert_eq!(report.call_id, "call-0");
    assert!(report.ended >= Some(report.started));
    let tape = fs::read(report.heard.unwrap()).unwrap();
    // Frame by frame: between two of them a machine that is busy with other things may leave a silence.
    let mut rest = &tape[WAV_HEADER_BYTES..];
    for frame in said.samples(Law::Pcma).chunks(FRAME_SAMPLES) {
        let place = rest.windows(FRAME_SAMPLES).position(|heard| heard == frame).expect("a frame is missing");
        rest = &rest[place + FRAME_SAMPLES..];
    }
}

#[test]
fn keys_arrive() {
    let carrier = carrier();
    let mut caller = Caller::of(&carrier);
    let dialled = ["+8613800001290", "+8613800005817", "+8613800006340", "+8613800007995"];
    let calls = dialled.map(|dialled| caller.call(dialled, &[]));
    let keys = |caller: &Caller| calls.map(|call| caller.calls[&call].digits.clone());
    caller.run_until(|caller| keys(caller) == ["290", "817", "340", "995"]);
    let ways = [KeySource::Event, KeySource::Event, KeySource::Info, KeySource::Tone];
    for (call, way) in calls.iter().zip(ways) {
        assert_eq!(caller.calls[call].ways, [way; 3]);
    }
}

#[test]
fn tones_wait_for_each_other_however_fast_they_are_pressed() {
    let times = Times { talk: Duration::from_millis(20), ..Times::default().scaled(0.1) };
    let carrier = Carrier::start(Settings { times, ..settings() }).unwrap();
    let mut caller = Caller::of(&carrier);
    let call = caller.call("+8613800007778", &[]);
    caller.run_until(|caller| caller.calls[&call].digits == "778");
}

#[test]
fn a_telephone_hangs_up_by_itself() {
    let carrier = carrier();
    let mut caller = Caller::of(&carrier);
    let call = caller.call("+8613800000002", &[]);
    caller.run_until_told(call, "Ended by peer");
    assert_eq!(report(&carrier, &mut caller).ended_by, Some(EndedBy::Callee));
}

#[test]
fn failures_are_told_as_a_network_tells_them() {
    for (dialled, news) in [
        ("+8613800000486", &["Trying", "Failed 486"] as &[_]),
        ("+8613800000480", &["Trying", "Early 180 fork 0", "Failed 480"]),
        ("+8613800000603", &["Trying", "Early 180 fork 0", "Failed 603"]),
        ("+8613800000503", &["Trying", "Failed 503 retry after 5"]),
        ("+8613800000404", &["Trying", "Early 183 fork 0 sdp", "Failed 404"]),
        ("+8613800000183", &["Trying", "Early 183 fork 0 sdp Q.850=17", "Failed 480"]),
        ("+8613800000020", &["Trying", "Early 183 fork 0 sdp", "Failed 480 Q.850=20"]),
        ("+8613800000021", &["Trying", "Early 183 fork 0 sdp", "Failed 480"]),
    ] {
        let carrier = carrier();
        let mut caller = Caller::of(&carrier);
        let call = caller.call(dialled, &[]);
        caller.run_until_told(call, news[news.len() - 1]);
        assert_eq!(caller.told(call), news);
        let report = report(&carrier, &mut caller);
        assert_eq!((report.answered, report.ended_by), (false, Some(EndedBy::Callee)));
    }
}

#[test]
fn announcements_are_early_media() {
    for (dialled, announcement) in [("+8613800000404", voice(11)), ("+8613800000183", voice(7))] {
        let carrier = carrier();
        let mut caller = Caller::of(&carrier);
        let call = caller.call(dialled, &[]);
        caller.run_until(|caller| caller.calls[&call].heard.len() >= 800);
        assert!(repeats(&announcement, &caller.calls[&call].heard));
    }
}

#[test]
fn a_silent_number_is_silent() {
    let carrier = carrier();
    let mut caller = Caller::of(&carrier);
    let call = caller.call("+8613800000408", &[]);
    caller.run_until_told(call, "Failed 408 local");
    assert_eq!((caller.told(call), caller.responses.len()), (vec!["Failed 408 local"], 0));
    assert_eq!(report(&carrier, &mut caller).ended_by, Some(EndedBy::Ignored));
}

#[test]
fn a_lossy_number_loses_packets() {
    let carrier = carrier();
    let mut caller = Caller::of(&carrier);
    let call = caller.call("+8613800002000", &[]);
    caller.run_until(|caller| caller.calls[&call].session.report().lost >= 3);
    assert!(caller.calls[&call].session.report().packets_in > 20);
}

#[test]
fn a_deaf_number_repeats_its_answer_until_an_ack_is_heard() {
    let carrier = carrier();
    let mut caller = Caller::of(&carrier);
    let call = caller.call("+8613800003000", &[]);
    caller.run_until(|caller| !caller.calls[&call].heard.is_empty());
    let answers = caller.responses.iter().filter(|line| *line == "SIP/2.0 200 OK").count();
    assert!((2..=6).contains(&answers), "{answers} answers");
    caller.hang_up(call);
    assert_eq!(report(&carrier, &mut caller).ended_by, Some(EndedBy::Caller));
}

#[test]
fn a_call_that_is_given_up_while_it_rings_is_cancelled() {
    let carrier = carrier();
    let mut caller = Caller::of(&carrier);
    let call = caller.call("+8613800000480", &[]);
    caller.run_until_told(call, "Early 180 fork 0");
    caller.hang_up(call);
    caller.run_until(|caller| caller.told(call).iter().any(|told| told.starts_with("Failed 487")));
    let report = report(&carrier, &mut caller);
    assert_eq!((report.answered, report.ended_by), (false, Some(EndedBy::Caller)));
}

#[test]
fn a_held_telephone_is_quiet_and_speaks_again() {
    let carrier = carrier();
    let mut caller = Caller::of(&carrier);
    let call = caller.call("+8613800000001", &[]);
    caller.run_until(|caller| !caller.calls[&call].heard.is_empty());
    caller.offer(call, Direction::SendOnly);
    caller.run_until_told(call, "OfferAnswered");
    let held = caller.calls[&call].heard.len();
    caller.ping();
    caller.run_until(|caller| caller.pongs == [Some(200)]);
    // What was under way when the answer left may still have come.
    assert!(caller.calls[&call].heard.len() <= held + 160);
    caller.offer(call, Direction::SendRecv);
    caller.run_until(|caller| caller.calls[&call].heard.len() > held + 800);
}

#[test]
fn a_caller_who_vanishes_is_hung_up_on() {
    let carrier =
        Carrier::start(Settings { quiet_max: Some(Duration::from_millis(200)), ..settings() }).unwrap();
    let mut caller = Caller::of(&carrier);
    let call = caller.call("+8613800000001", &[]);
    caller.run_until_told(call, "Ended by peer");
    assert_eq!(report(&carrier, &mut caller).ended_by, Some(EndedBy::Nobody));
}

#[test]
fn hundreds_of_calls_at_once_leave_nothing_behind() {
    let pace = sip::Pace::default();
    let carrier = Carrier::start(Settings { pace, ..settings() }).unwrap();
    let mut caller = Caller::at_pace(&carrier, pace);
    let calls: Vec<u64> = (0..300).map(|n| caller.call(&format!("+861380{n:03}0001"), &[])).collect();
    caller.run_until(|caller| calls.iter().all(|call| caller.calls[call].heard.len() >= 1_600));
    assert_eq!(carrier.open_legs(), 300);
    calls.iter().for_each(|call| caller.hang_up(*call));
    caller.run_until(|_| carrier.open_legs() == 0);
    assert_eq!(carrier.heard().len(), 300);
}

#[test]
fn a_taken_address_is_named() {
    let first = carrier();
    let fault = Carrier::start(Settings::new(first.address())).unwrap_err();
    assert!(fault.to_string().contains(&first.address().to_string()));
}
