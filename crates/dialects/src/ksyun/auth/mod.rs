//! Who asks: a signature in the parameters ([`parameter`]) or in the headers ([`header`]).
//!
//! An `Authorization: AWS4-HMAC-SHA256` header decides alone, whatever the parameters say: the document's own samples
//! carry both, and the signature among their parameters is none.

pub(super) mod header;
pub(super) mod parameter;

use std::time::Duration;

use base::private::Private;
use base::refusal::Refusal;
use base::time::Timestamp;
use hmac::{Hmac, Mac};
use sha2::digest::Output;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::codes::{Answer, Family};
use super::fields::form::{self, Parameters};
use crate::dialect::{Claim, Credentials, Settings, Signed, SigningScope};
use crate::wire::WireRequest;

/// How far a request's time may be from ours, before and after: as documented.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Where a request carries its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// In its parameters.
    Parameter,
    /// In its headers.
    Header,
    /// In its query, in the form of headers.
    Presigned,
    /// In its headers, in a form that we do not know, and nowhere else.
    Foreign,
}

impl Style {
    /// Where that request carries it.
    pub(super) fn of(request: &WireRequest, parameters: Option<&Parameters>, settings: &Settings) -> Self {
        let has = |name| parameters.is_some_and(|parameters| parameters.value(name).is_some());
        let authorization =
            request.headers.first("Authorization").map(str::trim).filter(|text| !text.is_empty());
        if authorization.is_some_and(|text| text.starts_with(header::ALGORITHM)) {
            Self::Header
        } else if settings.allow_get && has("X-Amz-Signature") {
            Self::Presigned
        } else if authorization.is_some() && !has("Accesskey") && !has(parameter::SIGNATURE) {
            Self::Foreign
        } else {
            Self::Parameter
        }
    }
}

/// Reads who says they ask.
pub(super) fn claim(
    request: &WireRequest,
    parameters: &Parameters,
    style: Style,
    family: Family,
) -> Result<Claim, Answer> {
    match style {
        Style::Parameter => parameter::claim(parameters),
        Style::Header => header::claim(request, parameters, family),
        Style::Presigned => header::claim_presigned(request, parameters, family),
        Style::Foreign => Err(family.no_token("Request is missing Authentication Token.")),
    }
}

/// Checks a signature: the time is near, the key is known, the digest is right, the token is the key's.
pub(super) fn prove(signed: &Signed, known: Option<&Credentials<'_>>, now: Timestamp) -> Result<(), Refusal> {
    if signed.made_at.since(now) > WINDOW || now.since(signed.made_at) > signed.lives {
        return Err(Refusal::StaleRequest);
    }
    // An unknown key costs the same work as a known one.
    let secret = known.map_or("", |known| known.key.secret.expose());
    let matches = is_signed(secret, signed);
    let known = known.ok_or(Refusal::UnknownKey)?;
    if !matches {
        return Err(Refusal::BadSignature);
    }
    match (&known.key.token, &signed.token) {
        (None, None) => Ok(()),
        (Some(own), Some(shown)) if is_same(own.expose(), shown.expose()) => Ok(()),
        (Some(_) | None, _) => Err(Refusal::UnknownToken),
    }
}

fn is_signed(secret: &str, signed: &Signed) -> bool {
    let scope = signed.scope.as_ref();
    let matches = |covered: &str| is_same(&signature(secret, scope, covered), &signed.signature);
    let covered = signed.covered.expose();
    matches(covered)
        || scope.is_none() && form::sorted_by_escaped_names(covered).is_some_and(|covered| matches(&covered))
}

/// Compares in a time that does not tell where the difference is.
pub(super) fn is_same(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}

/// The signature of a text: by the secret itself, or by a key that is derived from it.
pub(super) fn signature(secret: &str, scope: Option<&SigningScope>, covered: &str) -> String {
    let digest = match scope {
        None => hmac(secret.as_bytes(), covered),
        Some(scope) => {
            let first = Private::new(format!("AWS4{secret}"));
            let mut key = hmac(first.expose().as_bytes(), &scope.date);
            for step in [&*scope.region, &*scope.service, header::TERMINATOR] {
                key = hmac(&key, step);
            }
            hmac(&key, covered)
        }
    };
    format!("{digest:x}")
}

fn hmac(key: &[u8], text: &str) -> Output<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes()
}

/// The hash of some bytes, in lower-case hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use base::account::Key;

    use super::*;
    use crate::wire::Headers;

    const MADE: Timestamp = Timestamp::from_millis(1_597_339_116_000);

    #[test]
    fn a_request_is_good_from_fifteen_minutes_before_its_time_to_the_end_of_its_life() {
        let key = Key { id: "AK".into(), secret: Private::new("SK".into()), token: None };
        let known = Credentials { key: &key, account: "a", password: None, session: None };
        let signed = Signed {
            covered: Private::new("a=1".into()),
            signature: signature("SK", None, "a=1").into(),
            created: "".into(),
            made_at: MADE,
            lives: Duration::from_secs(60),
            token: None,
            scope: None,
        };
        for (now, good) in [(-901, false), (-900, true), (0, true), (60, true), (61, false)] {
            let at = Timestamp::from_millis(MADE.millis() + now * 1_000);
            let told = if good { Ok(()) } else { Err(Refusal::StaleRequest) };
            assert_eq!(prove(&signed, Some(&known), at), told, "{now}");
        }
    }

    #[test]
    fn each_request_carries_its_proof_in_one_place() {
        let allowed = Settings { allow_get: true, ..Settings::default() };
        for (authorization, parameters, settings, style) in [
            ("AWS4-HMAC-SHA256 x", "", &allowed, Style::Header),
            ("AWS4-HMAC-SHA256 x", "Accesskey=a&Signature=b&X-Amz-Signature=c", &allowed, Style::Header),
            ("", "X-Amz-Signature=c&Signature=b", &allowed, Style::Presigned),
            ("other", "X-Amz-Signature=c", &allowed, Style::Presigned),
            ("", "X-Amz-Signature=c", &Settings::default(), Style::Parameter),
            ("other", "Mobile=1", &allowed, Style::Foreign),
            ("other", "Accesskey=a", &allowed, Style::Parameter),
            ("other", "Signature=b", &allowed, Style::Parameter),
            (" ", "Mobile=1", &allowed, Style::Parameter),
        ] {
            let request = WireRequest {
                id: 0,
                method: "POST".into(),
                path: "/".into(),
                query: parameters.into(),
                headers: Headers::from_iter([("Authorization", authorization)]),
                body: Vec::new(),
                peer: [127, 0, 0, 1].into(),
            };
            let read = Parameters::of(&request).unwrap();
            assert_eq!(Style::of(&request, Some(&read), settings), style, "{authorization} {parameters}");
        }
    }
}
