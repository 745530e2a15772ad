//! Telephones that speak one codec each: what they have in common is relayed, what they have not is transcoded.

use huihu_tests::baresip::{Baresip, Manner};

use crate::conversation::{A, B, Platform};

/// A talks by one trunk and B by another one, in these manners.
#[track_caller]
fn they_talk(one: &Manner, other: &Manner) {
    let (a, mut b) = (Baresip::start_as(one, &[A]), Baresip::start_as(other, &[B]));
    let trunk = |telephone: &Baresip, manner: &Manner, number: &str| {
        let codec = manner.codec.split('/').next().expect("a codec has a name");
        let srtp = if manner.srtp { "required" } else { "off" };
        format!(
            "[[trunks]]\nname = \"of{number}\"\npeers = [\"{}\"]\ncodecs = [\"{codec}\"]\nsrtp = \"{srtp}\"\n\
             routes = [{{ prefixes = [\"{number}\"] }}]\n",
            telephone.address(),
            number = number.trim_start_matches('+'),
        )
        .replace("prefixes = [\"", "prefixes = [\"+")
    };
    let platform = Platform::new(&[trunk(&a, one, A.number), trunk(&b, other, B.number)].concat());
    let session = platform.connect();
    platform.they_talk(&session, &a, &mut b);
    let record = platform.record();
    println!("{record:#}");
}

fn speaking(codec: &'static str) -> Manner {
    Manner { codec, ..Manner::default() }
}

#[test]
fn mu_law_is_heard_in_a_law() {
    they_talk(&speaking("PCMU"), &speaking("PCMA"));
}

#[test]
fn wide_band_is_heard_in_a_law() {
    they_talk(&speaking("G722"), &speaking("PCMA"));
}

#[test]
fn opus_is_heard_in_wide_band() {
    they_talk(&speaking("opus/48000/2"), &speaking("G722"));
}

#[test]
fn protected_voice_is_heard_in_plain_voice() {
    they_talk(&Manner { srtp: true, ..speaking("PCMA") }, &speaking("opus/48000/2"));
}
