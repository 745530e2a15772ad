//! What an ear makes of our media: speech through codecs and losses, scored by PESQ, which knows nothing of us; and speech
//! by the half-hour in which nobody presses a key.
//!
//! The road from packet to packet is the engine's own, on virtual time.

mod material;
mod road;
mod score;
mod talk;

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
