//! Who asks: the `Authorization` and `X-AKSK` headers.
//!
//! ```text
//! Authorization: AKSK realm="SDP",profile="UsernameToken",type="Appkey"
//! X-AKSK: UsernameToken Username="<app_key>",PasswordDigest="<digest>",Nonce="<nonce>",Created="2018-05-26T00:35:30Z"
//! ```
//!
//! `digest = base64(HMAC-SHA256(app_secret, Nonce ‖ Created))`. Faults are told in the order of the document's table:
//! first everything of `Authorization`, then of `X-AKSK`, then key, time and digest.
//!
//! The generation before, of 2019 to 2021, wrote `WSSE` for `AKSK` in both headers, and its digest is
//! `base64(SHA256(Nonce ‖ Created ‖ app_secret))`, or that of the hash's hexadecimal text, as the vendor's own samples
//! in Java and Python made it. Where the operator allows it, both are taken when there is no `X-AKSK`.

mod attributes;
pub(super) mod login;

use std::time::Duration;

use base::refusal::Refusal;
use base::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::codes::{self, Answer};
use crate::dialect::{Claim, Clock, Credentials, Proof, Scheme, Settings};
use crate::wire::Headers;
use attributes::Attributes;

/// The fixed value of `Authorization`.
pub(super) const AUTHORIZATION: &str = r#"AKSK realm="SDP",profile="UsernameToken",type="Appkey""#;

/// How the time of a request and of a push is written.
pub(super) const CREATED: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Characters of a nonce, as documented.
const NONCE_MAX: usize = 128;

/// Beijing is this far ahead of UTC, always.
const BEIJING: Duration = Duration::from_secs(8 * 3600);

/// Reads who says they ask. With `legacy`, the generation before is read too.
pub(super) fn claim(headers: &Headers, legacy: bool) -> Result<Claim, Answer> {
    let of_before = legacy && is_absent(headers, "X-AKSK") && !is_absent(headers, "X-WSSE");
    let (word, header, scheme) = match of_before {
        false => ("AKSK", "X-AKSK", Scheme::Hmac),
        true => ("WSSE", "X-WSSE", Scheme::Wsse),
    };
    check_authorization(headers, word)?;
    if is_absent(headers, header) {
        return Err(codes::NO_X_AKSK);
    }
    let token = Attributes::parse(headers.all(header));
    if !token.has("UsernameToken") {
        return Err(codes::NO_USERNAME_TOKEN);
    }
    // An empty value is as good as none.
    let value = |name| token.value("UsernameToken", name).filter(|value| !value.is_empty());
    let key = value("Username").ok_or(codes::NO_USERNAME)?;
    let nonce = value("Nonce").ok_or(codes::NO_NONCE)?;
    let created = value("Created").ok_or(codes::NO_CREATED)?;
    let signature = value("PasswordDigest").ok_or(codes::NO_PASSWORD_DIGEST)?;
    if nonce.chars().count() > NONCE_MAX {
        return Err(codes::of(&Refusal::BadField { name: "Nonce" }, None));
    }
    let proof = Proof::Signature {
        nonce: nonce.into(),
        created: created.into(),
        signature: signature.into(),
        scheme,
    };
    Ok(Claim { key: key.into(), proof })
}

fn check_authorization(headers: &Headers, scheme: &str) -> Result<(), Answer> {
    if is_absent(headers, "Authorization") {
        return Err(codes::NO_AUTHORIZATION);
    }
    let attributes = Attributes::parse(headers.all("Authorization"));
    for (name, fixed, missing, wrong) in [
        ("realm", "SDP", codes::NO_REALM, codes::WRONG_REALM),
        ("profile", "UsernameToken", codes::NO_PROFILE, codes::WRONG_PROFILE),
        ("type", "Appkey", codes::NO_TYPE, codes::WRONG_TYPE),
    ] {
        match attributes.value(scheme, name) {
            None => return Err(missing),
            Some(value) if value != fixed => return Err(wrong),
            Some(_) => {}
        }
    }
    Ok(())
}

fn is_absent(headers: &Headers, name: &str) -> bool {
    headers.all(name).all(|value| value.trim().is_empty())
}

/// What a signature covers and what it is.
pub(super) struct Signed<'a> {
    pub(super) nonce: &'a str,
    pub(super) created: &'a str,
    pub(super) signature: &'a str,
    pub(super) scheme: Scheme,
}

/// Checks a signature: the key is known, the time is near, the digest is right.
pub(super) fn prove(
    signed: &Signed<'_>,
    known: Option<&Credentials<'_>>,
    now: Timestamp,
    settings: &Settings,
) -> Result<(), Refusal> {
    let secret = known.map_or("", |known| known.key.secret.expose());
    // An unknown key costs the same work as a known one.
    let matches = match signed.scheme {
        Scheme::Hmac => is_same(&digest(secret, &[signed.nonce, signed.created]), signed.signature),
        Scheme::Wsse => {
            let [raw, hex] = digests_of_before(secret, signed.nonce, signed.created);
            is_same(&raw, signed.signature) | is_same(&hex, signed.signature)
        }
    };
    if known.is_none() {
        return Err(Refusal::UnknownKey);
    }
    if !is_near(signed.created, now, settings) {
        return Err(Refusal::StaleRequest);
    }
    if matches { Ok(()) } else { Err(Refusal::BadSignature) }
}

/// Compares in a time that does not tell where the difference is.
pub(super) fn is_same(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}

/// Whether the time of a request is readable and near enough to ours.
fn is_near(created: &str, now: Timestamp, settings: &Settings) -> bool {
    // The form has a fixed width; the parser alone would also take one-digit months.
    const WIDTH: usize = "2018-05-26T00:35:30Z".len();
    let Some(created) = Timestamp::parse(created, CREATED).filter(|_| created.len() == WIDTH) else {
        return false;
    };
    let near = |now: Timestamp| created.since(now).max(now.since(created)) <= settings.window;
    match settings.clock {
        Clock::Utc => near(now),
        // Much customer code, the vendor's own samples included, writes local time and a Z.
        Clock::Lenient => near(now) || near(now + BEIJING),
    }
}

/// `base64(HMAC-SHA256(secret, parts))`, the parts joined without anything between.
pub(super) fn digest(secret: &str, parts: &[&str]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The two digests of the generation before: of the hash, and of its hexadecimal text.
fn digests_of_before(secret: &str, nonce: &str, created: &str) -> [String; 2] {
    let hash = Sha256::new().chain_update(nonce).chain_update(created).chain_update(secret).finalize();
    [STANDARD.encode(hash), STANDARD.encode(format!("{hash:x}"))]
}

/// The two headers that say who we are.
pub(super) fn headers(key: &str, digest: &str, nonce: &str, created: &str) -> [(&'static str, String); 2] {
    let token = format!(
        r#"UsernameToken Username="{key}",PasswordDigest="{digest}",Nonce="{nonce}",Created="{created}""#
    );
    [("Authorization", AUTHORIZATION.to_owned()), ("X-AKSK", token)]
}

#[cfg(test)]
mod tests {
    use base::account::Key;
    use base::private::Private;
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "TestAppSecret0123456789abcd";
    const NONCE: &str = "ac1c911c4792492687f8f6b2264a491e";
    const MADE: &str = "2018-05-26T00:35:30Z";

    fn key() -> Key {
        Key { id: "ZRBRz4bAXoFgEH7o4Ew308eXc1RA".into(), secret: Private::new(SECRET.into()), token: None }
    }

    fn known(key: &Key) -> Credentials<'_> {
        Credentials { key, account: "a", password: None, session: None }
    }

    fn signed<'a>(created: &'a str, signature: &'a str, scheme: Scheme) -> Signed<'a> {
        Signed { nonce: NONCE, created, signature, scheme }
    }

    fn proven(created: &str, now: &str, clock: Clock) -> Result<(), Refusal> {
        let digest = digest(SECRET, &[NONCE, created]);
        let now = Timestamp::parse(now, CREATED).unwrap();
        let settings = Settings { clock, ..Settings::default() };
        prove(&signed(created, &digest, Scheme::Hmac), Some(&known(&key())), now, &settings)
    }

    #[test]
    fn the_digests_are_the_published_ones() {
        assert_eq!(digest(SECRET, &[NONCE, MADE]), "VlDiJsar0dOl+ILuDsPZC5t9k3GzvTpgrbw+EcoxFYE=");
        let of_before = [
            "qEMrDj87mDxIwzGnzz6YkI7l3PsoCwJ9+L4AYhjozJI=",
            "YTg0MzJiMGUzZjNiOTgzYzQ4YzMzMWE3Y2YzZTk4OTA4ZWU1ZGNmYjI4MGIwMjdkZjhiZTAwNjIxOGU4Y2M5Mg==",
        ];
        assert_eq!(digests_of_before(SECRET, NONCE, MADE), of_before);
    }

    #[test]
    fn a_digest_of_one_generation_is_none_of_the_other() {
        let now = Timestamp::parse(MADE, CREATED).unwrap();
        let [raw, hex] = digests_of_before(SECRET, NONCE, MADE);
        let hmac = digest(SECRET, &[NONCE, MADE]);
        for (digest, hmac, wsse) in [(hmac, true, false), (raw, false, true), (hex, false, true)] {
            for (scheme, good) in [(Scheme::Hmac, hmac), (Scheme::Wsse, wsse)] {
                let signed = signed(MADE, &digest, scheme);
                let told = prove(&signed, Some(&known(&key())), now, &Settings::default());
                assert_eq!(told, if good { Ok(()) } else { Err(Refusal::BadSignature) }, "{scheme:?}");
            }
        }
    }

    #[test]
    fn the_generation_before_is_read_where_it_is_allowed_and_nothing_newer_is_there() {
        let token =
            |key: &str| format!(r#"UsernameToken Username="{key}",PasswordDigest="d",Nonce="n",Created="c""#);
        let with = |pairs: &[(&str, &str)], legacy| {
            let claim = claim(&pairs.iter().copied().collect(), legacy);
            claim.map(|claim| match claim.proof {
                Proof::Signature { scheme, .. } => (claim.key.to_string(), scheme),
                _ => panic!("headers carry signatures"),
            })
        };
        let (before, now) = (token("before"), token("now"));
        let word = AUTHORIZATION.replace("AKSK", "WSSE");
        let of_before = [("Authorization", &*word), ("X-WSSE", &*before)];
        assert_eq!(with(&of_before, true), Ok(("before".to_owned(), Scheme::Wsse)));
        assert_eq!(with(&of_before, false), Err(codes::NO_X_AKSK));
        let both = [("Authorization", AUTHORIZATION), ("X-WSSE", &*before), ("X-AKSK", &*now)];
        assert_eq!(with(&both, true), Ok(("now".to_owned(), Scheme::Hmac)));
        assert_eq!(with(&[("Authorization", &*word)], true), Err(codes::NO_X_AKSK));
    }

    #[test]
    fn a_nonce_is_as_long_as_documented_at_most() {
        for (length, taken) in [(1, true), (128, true), (129, false)] {
            let nonce = "张".repeat(length);
            let headers = headers("key", "digest", &nonce, MADE);
            assert_eq!(claim(&headers.into_iter().collect(), false).is_ok(), taken, "{length}");
        }
    }

    #[test]
    fn a_time_is_near_by_utc_or_by_beijings_clock() {
        for (now, lenient, utc) in [
            ("2018-05-26T00:35:30Z", true, true),
            ("2018-05-26T00:45:30Z", true, true),
            ("2018-05-26T00:45:31Z", false, false),
            ("2018-05-26T00:25:29Z", false, false),
            ("2018-05-26T01:35:30Z", false, false),
            ("2018-05-25T16:35:30Z", true, false),
            ("2018-05-25T16:46:00Z", false, false),
            ("2018-05-26T08:35:30Z", false, false),
        ] {
            assert_eq!(proven(MADE, now, Clock::Lenient).is_ok(), lenient, "{now}");
            assert_eq!(proven(MADE, now, Clock::Utc).is_ok(), utc, "{now}");
        }
    }

    #[test]
    fn a_time_of_another_form_is_stale() {
        for created in [
            "2018-05-26T00:35:30.000Z",
            "2018-05-26T00:35:30",
            "2018-5-26T00:35:30Z",
            "1527294930",
            "x",
            "😀",
        ] {
            assert_eq!(proven(created, MADE, Clock::Lenient), Err(Refusal::StaleRequest), "{created}");
        }
    }

    #[test]
    fn key_time_and_digest_are_told_in_this_order() {
        let now = Timestamp::parse(MADE, CREATED).unwrap();
        let key = key();
        let told = |created, known: Option<&Credentials<'_>>| {
            prove(&signed(created, "wrong", Scheme::Hmac), known, now, &Settings::default())
        };
        assert_eq!(told("2001-01-01T00:00:00Z", None), Err(Refusal::UnknownKey));
        assert_eq!(told("2001-01-01T00:00:00Z", Some(&known(&key))), Err(Refusal::StaleRequest));
        assert_eq!(told(MADE, Some(&known(&key))), Err(Refusal::BadSignature));
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(
            authorization: String, token: String, created: String, legacy: bool,
        ) {
            for header in ["X-AKSK", "X-WSSE"] {
                let hostile = Headers::from_iter([("Authorization", &*authorization), (header, &*token)]);
                let _ = claim(&hostile, legacy);
            }
            for scheme in [Scheme::Hmac, Scheme::Wsse] {
                let signed = Signed { nonce: &authorization, created: &created, signature: &token, scheme };
                let _ = prove(&signed, Some(&known(&key())), Timestamp::default(), &Settings::default());
            }
        }
    }
}
