//! Telephones that speak one codec each: what they have in common is relayed, what they have not is transcoded.

use huihu_tests::baresip::{Baresip, Manner};

use crate::conversation::{A, B, Platform};

/// A talks by one trunk and B by another one, in these manners.
#[track_caller]
fn they_talk(one: &Manner, other: &Manner) {
    let (a, mut b) = (Baresip::start_as(one, &[A]), Baresip::start_as(other, &[B]));
    let trunk = |telephone: &Baresip, manner: &Manner, number: &str| {
        let codec = manner.codec.0;
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
    for leg in ["a", "b"] {
        let media = &platform.record()["legs"][leg]["media"];
        assert!(media["verdict"].as_str().is_some_and(|verdict| verdict.starts_with("both ways")), "{media}");
    }
}

const A_LAW: Manner = Manner { codec: ("PCMA", 8_000, 1), srtp: false, registrar: None };
const MU_LAW: Manner = Manner { codec: ("PCMU", 8_000, 1), ..A_LAW };
const G722: Manner = Manner { codec: ("G722", 16_000, 1), ..A_LAW };
const OPUS: Manner = Manner { codec: ("opus", 48_000, 2), ..A_LAW };

#[test]
fn mu_law_is_heard_in_a_law() {
    they_talk(&MU_LAW, &A_LAW);
}

#[test]
fn wide_band_is_heard_in_a_law() {
    they_talk(&G722, &A_LAW);
}

#[test]
fn opus_is_heard_in_wide_band() {
    they_talk(&OPUS, &G722);
}

#[test]
fn protected_voice_is_heard_in_plain_opus() {
    they_talk(&Manner { srtp: true, ..A_LAW }, &OPUS);
}
