//! Who asks: the `Authorization` and `X-AKSK` headers.
//!
//! ```text
//! Authorization: AKSK realm="SDP",profile="UsernameToken",type="Appkey"
//! X-AKSK: UsernameToken Username="<app_key>",PasswordDigest="<digest>",Nonce="<nonce>",Created="2018-05-26T00:35:30Z"
//! ```
//!
//! `digest = base64(HMAC-SHA256(app_secret, Nonce ‖ Created))`. Faults are told in the order of the document's table:
//! first everything of `Authorization`, then of `X-AKSK`, then key, time and digest.

use std::time::Duration;

use base::account::Key;
use base::refusal::Refusal;
use base::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::attributes::Attributes;
use super::codes::{self, Answer};
use crate::dialect::{Claim, Clock, Settings};
use crate::wire::Headers;

/// The fixed value of `Authorization`.
pub(super) const AUTHORIZATION: &str = r#"AKSK realm="SDP",profile="UsernameToken",type="Appkey""#;

/// How the time of a request and of a push is written.
pub(super) const CREATED: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Characters of a nonce, as documented.
const NONCE_MAX: usize = 128;

/// Beijing is this far ahead of UTC, always.
const BEIJING: Duration = Duration::from_secs(8 * 3600);

/// Reads who says they ask.
pub(super) fn claim(headers: &Headers) -> Result<Claim, Answer> {
    check_authorization(headers)?;
    if is_absent(headers, "X-AKSK") {
        return Err(codes::NO_X_AKSK);
    }
    let token = Attributes::parse(headers.all("X-AKSK"));
    if !token.has("UsernameToken") {
        return Err(codes::NO_USERNAME_TOKEN);
    }
    // An empty value is as good as none.
    let value = |name| token.value("UsernameToken", name).filter(|value| !value.is_empty());
    let claim = Claim {
        key: value("Username").ok_or(codes::NO_USERNAME)?.into(),
        nonce: value("Nonce").ok_or(codes::NO_NONCE)?.into(),
        created: value("Created").ok_or(codes::NO_CREATED)?.into(),
        signature: value("PasswordDigest").ok_or(codes::NO_PASSWORD_DIGEST)?.into(),
    };
    if claim.nonce.chars().count() > NONCE_MAX {
        return Err(codes::of(&Refusal::BadField { name: "Nonce" }));
    }
    Ok(claim)
}

fn check_authorization(headers: &Headers) -> Result<(), Answer> {
    if is_absent(headers, "Authorization") {
        return Err(codes::NO_AUTHORIZATION);
    }
    let attributes = Attributes::parse(headers.all("Authorization"));
    for (name, fixed, missing, wrong) in [
        ("realm", "SDP", codes::NO_REALM, codes::WRONG_REALM),
        ("profile", "UsernameToken", codes::NO_PROFILE, codes::WRONG_PROFILE),
        ("type", "Appkey", codes::NO_TYPE, codes::WRONG_TYPE),
    ] {
        match attributes.value("AKSK", name) {
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

/// Checks a claim: the key is known, the time is near, the digest is right.
pub(super) fn prove(
    claim: &Claim,
    key: Option<&Key>,
    now: Timestamp,
    settings: &Settings,
) -> Result<(), Refusal> {
    let secret = key.map_or("", |key| key.secret.expose());
    // An unknown key costs the same work as a known one.
    let expected = digest(secret, &[&claim.nonce, &claim.created]);
    let matches = bool::from(expected.as_bytes().ct_eq(claim.signature.as_bytes()));
    if key.is_none() {
        return Err(Refusal::UnknownKey);
    }
    if !is_near(&claim.created, now, settings) {
        return Err(Refusal::StaleRequest);
    }
    if matches { Ok(()) } else { Err(Refusal::BadSignature) }
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

/// The two headers that say who we are.
pub(super) fn headers(key: &str, digest: &str, nonce: &str, created: &str) -> [(&'static str, String); 2] {
    let token = format!(
        r#"UsernameToken Username="{key}",PasswordDigest="{digest}",Nonce="{nonce}",Created="{created}""#
    );
    [("Authorization", AUTHORIZATION.to_owned()), ("X-AKSK", token)]
}

#[cfg(test)]
mod tests {
    use base::private::Private;
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "TestAppSecret0123456789abcd";
    const NONCE: &str = "ac1c911c4792492687f8f6b2264a491e";
    const MADE: &str = "2018-05-26T00:35:30Z";

    fn key() -> Key {
        Key { id: "ZRBRz4bAXoFgEH7o4Ew308eXc1RA".into(), secret: Private::new(SECRET.into()) }
    }

    fn claimed(created: &str, signature: &str) -> Claim {
        Claim { key: key().id, nonce: NONCE.into(), created: created.into(), signature: signature.into() }
    }

    fn proven(created: &str, now: &str, clock: Clock) -> Result<(), Refusal> {
        let claim = claimed(created, &digest(SECRET, &[NONCE, created]));
        let now = Timestamp::parse(now, CREATED).unwrap();
        prove(&claim, Some(&key()), now, &Settings { clock, ..Settings::default() })
    }

    #[test]
    fn the_digest_is_the_published_one() {
        assert_eq!(digest(SECRET, &[NONCE, MADE]), "VlDiJsar0dOl+ILuDsPZC5t9k3GzvTpgrbw+EcoxFYE=");
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
        let settings = Settings::default();
        let wrong = claimed("2001-01-01T00:00:00Z", "wrong");
        assert_eq!(prove(&wrong, None, now, &settings), Err(Refusal::UnknownKey));
        assert_eq!(prove(&wrong, Some(&key()), now, &settings), Err(Refusal::StaleRequest));
        assert_eq!(prove(&claimed(MADE, "wrong"), Some(&key()), now, &settings), Err(Refusal::BadSignature));
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(authorization: String, token: String, created: String) {
            let hostile = Headers::from_iter([("Authorization", &*authorization), ("X-AKSK", &*token)]);
            let _ = claim(&hostile);
            let token = format!(
                r#"UsernameToken Username="{token}",Nonce="{authorization}",Created="{created}",PasswordDigest="{token}""#
            );
            if let Ok(claim) = claim(&Headers::from_iter([("authorization", AUTHORIZATION), ("x-aksk", &token)])) {
                let _ = prove(&claim, Some(&key()), Timestamp::default(), &Settings::default());
            }
        }
    }
}
