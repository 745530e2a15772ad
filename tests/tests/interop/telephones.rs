//! Telephones that speak one codec each: what they have in common is relayed, what they have not is transcoded.

use huihu_tests::baresip::{Baresip, By, Manner};
use huihu_tests::certificate::NAME;

use crate::conversation::{A, B, Platform};

/// A talks by one trunk and B by another one, in these manners.
#[track_caller]
fn they_talk(one: &Manner, other: &Manner) {
    let (a, mut b) = (Baresip::start_as(one, &[A]), Baresip::start_as(other, &[B]));
    let trunk = |telephone: &Baresip, manner: &Manner, number: &str| {
        let codec = manner.codec.0;
        let tls = match manner.by {
            By::Udp | By::Tcp => String::new(),
            By::Tls => {
                format!("tls_ca = \"{}\"\ntls_name = \"{NAME}\"\n", telephone.certificate().display())
            }
        };
        let srtp = if manner.srtp { "required" } else { "off" };
        format!(
            "[[trunks]]\nname = \"of{}\"\npeers = [\"{}\"]\ncodecs = [\"{codec}\"]\nsrtp = \"{srtp}\"\n\
             routes = [{{ prefixes = [\"{number}\"] }}]\ntransport = \"{}\"\n{tls}",
            number.trim_start_matches('+'),
            telephone.address(),
            manner.by.word(),
        )
    };
    let platform = Platform::new(&[trunk(&a, one, A.number), trunk(&b, other, B.number)].concat());
    let session = platform.connect();
    platform.they_talk(&session, &a, &mut b);
    for leg in ["a", "b"] {
        let media = &platform.record()["legs"][leg]["media"];
        assert!(media["verdict"].as_str().is_some_and(|verdict| verdict.starts_with("both ways")), "{media}");
    }
}

const A_LAW: Manner = Manner { codec: ("PCMA", 8_000, 1), srtp: false, registrar: None, by: By::Udp };
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

#[test]
fn a_telephone_by_tcp_is_heard_by_one_by_datagrams() {
    they_talk(&Manner { by: By::Tcp, ..A_LAW }, &A_LAW);
    they_talk(&A_LAW, &Manner { by: By::Tcp, ..G722 });
}

#[test]
fn telephones_by_tls_with_protected_voice_are_heard() {
    let safe = Manner { by: By::Tls, srtp: true, ..A_LAW };
    they_talk(&safe, &Manner { by: By::Tls, srtp: true, ..OPUS });
}
