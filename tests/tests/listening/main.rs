//! What an ear makes of our media: speech through codecs and losses, scored by PESQ, which knows nothing of us; and speech
//! by the half-hour in which nobody presses a key.
//!
//! The road from packet to packet is the engine's own, on virtual time.

mod material;
mod road;
mod score;
mod talk;

use huihu_tests::relay;
use material::Speech;
use score::Scored;

/// What transcoded speech keeps, as MOS-LQO: 4.5 is the same.
const TRANSCODED: f64 = 3.8;

/// What speech keeps of which 5 % of the packets were lost on the way to a recording.
const CONCEALED: f64 = 3.0;

/// Patterns of loss that each voice is recorded with.
const PATTERNS: u64 = 5;

#[test]
fn speech_survives_opus_and_losses() {
    let speech = material::speech();
    let mut scored = Scored::default();
    for Speech { name, alaw } in &speech {
        scored.add(format!("{name}, through Opus"), TRANSCODED, alaw, &road::through_opus(alaw));
        for seed in 0..PATTERNS {
            let what = format!("{name}, 5 % lost, pattern {seed}");
            scored.add(what, CONCEALED, alaw, &road::recorded_with_losses(alaw, 0.05, seed));
        }
    }
    scored.holds();
}

#[test]
fn half_an_hour_of_talk_presses_no_key() {
    let (seconds, keys) = talk::keys_in_half_an_hour();
    println!("{seconds} s of talk, {} keys", keys.len());
    assert!(seconds >= 30 * 60, "{seconds} s");
    assert_eq!(keys, Vec::<String>::new());
}

#[test]
fn a_score_is_what_the_losses_make_of_it() {
    for percent in [0, 1, 3, 5, 10, 20] {
        let share = f64::from(percent) / 100.0;
        let (sent, lost, told) = road::rated_with_losses(3_000, share, 7);
        let mos = f64::from(told.rating.expect("something was heard").mos);
        let expected = relay::score(f64::from(lost) / f64::from(sent));
        println!("{percent} %: {} of {lost} lost, MOS {mos:.2} of {expected:.2}", told.lost);
        assert_eq!((told.expected, told.lost), (sent, lost));
        assert!((mos - expected).abs() <= 0.1 * expected, "{percent} %: {mos} and not {expected}");
    }
}
