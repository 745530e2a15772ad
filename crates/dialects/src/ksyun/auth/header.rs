//! The signature in the headers, or in a query that stands for them: AWS Signature Version 4, as the vendor's general
//! pages take it over.
//!
//! ```text
//! Authorization: AWS4-HMAC-SHA256 Credential=<key>/20261122/cn-beijing-6/voice/aws4_request,
//!     SignedHeaders=content-type;host;x-amz-date, Signature=<hex>
//! X-Amz-Date: 20261122T045457Z
//!
//! signed:  AWS4-HMAC-SHA256 ⏎ <date> ⏎ 20261122/cn-beijing-6/voice/aws4_request ⏎ hash(
//!              POST ⏎ / ⏎ <query, sorted and escaped anew> ⏎ <name:value ⏎ …> ⏎ <signed headers> ⏎ hash(body))
//! ```
//!
//! What is signed are the headers as they were received: one client sends a `Host` with a scheme in it, another dates
//! its requests `20261122T045457+00:00`, and both sign what they send.

use std::borrow::Cow;
use std::time::Duration;

use base::private::Private;
use base::time::Timestamp;

use super::{WINDOW, hash};
use crate::dialect::{Claim, Proof, Signed, SigningScope};
use crate::ksyun::codes::{self, Answer, Family};
use crate::ksyun::fields::form::{self, Parameters};
use crate::ksyun::routes::SERVICE;
use crate::wire::{Headers, WireRequest};

/// The only way to sign, and how such an `Authorization` begins.
pub(in crate::ksyun) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What every scope ends with.
pub(in crate::ksyun) const TERMINATOR: &str = "aws4_request";

/// How dates are written; the second is one client's.
pub(in crate::ksyun) const DATE: &str = "%Y%m%dT%H%M%SZ";
const DATE_WITH_OFFSET: &str = "%Y%m%dT%H%M%S+00:00";

/// How `Date` is written where nothing else dates the request (RFC 9110 section 5.6.7, RFC 5322 section 3.3).
const HTTP_DATES: [&str; 3] =
    ["%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S +0000", "%a, %d %b %Y %H:%M:%S -0000"];

/// Headers that a signature may cover: several times what any client sends. Each may be as long as all headers together.
const SIGNED_HEADERS_MAX: usize = 32;

/// What stands in a query in place of the headers.
const IN_QUERY: &str = "X-Amz-Signature";

/// What an `Authorization` says.
struct Authorization<'a> {
    key: &'a str,
    scope: SigningScope,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads `Credential=…, SignedHeaders=…, Signature=…`, in any order.
    fn parse(text: &'a str, family: Family) -> Result<Self, Answer> {
        let value = |name: &str| {
            let mut pairs = text.split(',').filter_map(|pair| pair.trim().split_once('='));
            pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
        };
        let credential = value("Credential")
            .ok_or_else(|| family.mismatch("Authorization header requires Credential."))?;
        let signed_headers = value("SignedHeaders")
            .ok_or_else(|| family.mismatch("Authorization header requires SignedHeaders."))?;
        let signature =
            value("Signature").ok_or_else(|| family.mismatch("Authorization header requires Signature."))?;
        Self::of(credential, signed_headers, signature, family)
    }

    /// Reads `<key>/<date>/<region>/<service>/aws4_request`.
    fn of(
        credential: &'a str,
        signed_headers: &'a str,
        signature: &'a str,
        family: Family,
    ) -> Result<Self, Answer> {
        let mut parts = credential.rsplitn(5, '/');
        let (terminator, service) = (parts.next(), parts.next());
        let (Some(region), Some(date), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(family.mismatch(
                "Credential must have the form <access key>/<date>/<region>/<service>/aws4_request.",
            ));
        };
        if terminator != Some(TERMINATOR) {
            return Err(
                family.mismatch("Credential should be scoped with a valid terminator: 'aws4_request'.")
            );
        }
        if service != Some(SERVICE) {
            return Err(family.mismatch("Credential should be scoped to the correct service: 'voice'."));
        }
        if region.is_empty() {
            return Err(family.mismatch("Credential should be scoped to a valid region."));
        }
        if !signed_headers.split(';').any(|name| name.eq_ignore_ascii_case("host")) {
            return Err(family.mismatch("'Host' must be a 'SignedHeader' in the Authorization."));
        }
        let scope = SigningScope { date: date.into(), region: region.into(), service: SERVICE.into() };
        Ok(Self { key, scope, signed_headers, signature })
    }

    /// Checks that the parameters name no other key.
    fn check_key(&self, parameters: &Parameters, family: Family) -> Result<(), Answer> {
        match parameters.value("Accesskey") {
            Some(key) if key != self.key => {
                Err(family.mismatch("Accesskey is not the key of the Credential."))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Checks that nobody on the way can have the body read as something else: whoever leaves the type of its content
    /// unsigned sends a form, as nearly everybody does.
    fn check_content(&self, request: &WireRequest, family: Family) -> Result<(), Answer> {
        if request.body.is_empty() || self.signs("Content-Type") || form::is_form(request) {
            return Ok(());
        }
        Err(family.mismatch("'Content-Type' must be a 'SignedHeader' in the Authorization."))
    }

    fn signs(&self, header: &str) -> bool {
        self.signed_headers.split(';').any(|name| name.eq_ignore_ascii_case(header))
    }
}

/// Reads who says they ask in the headers.
pub(super) fn claim(request: &WireRequest, parameters: &Parameters, family: Family) -> Result<Claim, Answer> {
    let whole = request.headers.first("Authorization").unwrap_or("").trim();
    let authorization = Authorization::parse(whole.strip_prefix(ALGORITHM).unwrap_or(whole), family)?;
    authorization.check_key(parameters, family)?;
    authorization.check_content(request, family)?;
    let date = Date::of(&request.headers, family)?;
    let token =
        request.headers.first("X-Amz-Security-Token").map(str::trim).filter(|token| !token.is_empty());
    if token.is_some() && !authorization.signs("X-Amz-Security-Token") {
        return Err(family.mismatch("'X-Amz-Security-Token' must be a 'SignedHeader' in the Authorization."));
    }
    let body = hash(&request.body);
    if request.headers.all("X-Amz-Content-Sha256").any(|written| written.trim() != body) {
        return Err(family.mismatch("'X-Amz-Content-Sha256' is not the hash of the body."));
    }
    let query = Parameters::of_form(request.query.as_bytes()).map_err(|why| codes::unreadable(&why))?;
    let covered = canonical(request, query.iter(), authorization.signed_headers, &body, family)?;
    signed(authorization, date, token, &covered, WINDOW, family)
}

/// Reads who says they ask in the query.
pub(super) fn claim_presigned(
    request: &WireRequest,
    parameters: &Parameters,
    family: Family,
) -> Result<Claim, Answer> {
    let query = Parameters::of_form(request.query.as_bytes()).map_err(|why| codes::unreadable(&why))?;
    let required =
        |name| query.value(name).ok_or_else(|| family.mismatch("The presigned query is incomplete."));
    if required("X-Amz-Algorithm")? != ALGORITHM {
        return Err(family.mismatch("X-Amz-Algorithm must be 'AWS4-HMAC-SHA256'."));
    }
    let credential = required("X-Amz-Credential")?;
    let signed_headers = required("X-Amz-SignedHeaders")?;
    let authorization = Authorization::of(credential, signed_headers, required(IN_QUERY)?, family)?;
    authorization.check_key(parameters, family)?;
    authorization.check_content(request, family)?;
    let date = Date::read(required("X-Amz-Date")?, family)?;
    let lives = match query.value("X-Amz-Expires") {
        None => WINDOW,
        Some(secs) => match secs.parse().map(Duration::from_secs) {
            Ok(lives) => lives.min(WINDOW),
            Err(_) => return Err(family.mismatch("X-Amz-Expires must be a number of seconds.")),
        },
    };
    let covered_query = query.iter().filter(|(name, _)| *name != IN_QUERY);
    let body = hash(&request.body);
    let covered = canonical(request, covered_query, authorization.signed_headers, &body, family)?;
    signed(authorization, date, query.value("X-Amz-Security-Token"), &covered, lives, family)
}

fn signed(
    authorization: Authorization<'_>,
    date: Date<'_>,
    token: Option<&str>,
    canonical: &str,
    lives: Duration,
    family: Family,
) -> Result<Claim, Answer> {
    if date.text.get(..8) != Some(&*authorization.scope.date) {
        return Err(family.mismatch("Date in the Credential scope does not match the date of the request."));
    }
    let signed = Signed {
        covered: Private::new(covered(&date.text, &authorization.scope, canonical).into()),
        signature: authorization.signature.into(),
        created: date.text.into(),
        made_at: date.at,
        lives,
        token: token.map(|token| Private::new(token.into())),
        scope: Some(authorization.scope),
    };
    Ok(Claim { key: authorization.key.into(), proof: Proof::Request(signed) })
}

/// The text that is signed.
pub(in crate::ksyun) fn covered(date: &str, scope: &SigningScope, canonical: &str) -> String {
    let SigningScope { date: day, region, service } = scope;
    let canonical = hash(canonical.as_bytes());
    format!("{ALGORITHM}\n{date}\n{day}/{region}/{service}/{TERMINATOR}\n{canonical}")
}

/// The request as it is signed.
pub(in crate::ksyun) fn canonical<'a>(
    request: &WireRequest,
    query: impl Iterator<Item = (&'a str, &'a str)>,
    signed_headers: &str,
    body_hash: &str,
    family: Family,
) -> Result<String, Answer> {
    let query = form::print(query);
    let query = form::sorted_by_escaped_names(&query).unwrap_or(query);
    let names: Vec<&str> = signed_headers.split(';').take(SIGNED_HEADERS_MAX + 1).collect();
    if names.len() > SIGNED_HEADERS_MAX {
        return Err(family.mismatch("There are too many signed headers."));
    }
    let line = |(position, name): (usize, &&str)| {
        if names[..position].contains(name) {
            return Err(family.mismatch("A signed header comes twice."));
        }
        match folded(&request.headers, name) {
            Some(value) => Ok(format!("{}:{value}\n", name.to_ascii_lowercase())),
            None => Err(family.mismatch("A signed header is missing.")),
        }
    };
    let headers = names.iter().enumerate().map(line).collect::<Result<String, _>>()?;
    let WireRequest { method, path, .. } = request;
    Ok(format!("{method}\n{path}\n{query}\n{headers}\n{signed_headers}\n{body_hash}"))
}

/// The values of a header, joined by commas, each without blanks around it and with single ones inside. `None` when
/// there is no such header.
fn folded(headers: &Headers, name: &str) -> Option<String> {
    let fold = |value: &str| value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let values: Vec<String> = headers.all(name).map(fold).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// When a request was made: as it is signed, and the moment.
struct Date<'a> {
    text: Cow<'a, str>,
    at: Timestamp,
}

impl<'a> Date<'a> {
    /// The date of a request with those headers.
    fn of(headers: &'a Headers, family: Family) -> Result<Self, Answer> {
        match (headers.first("X-Amz-Date"), headers.first("Date")) {
            (Some(date), _) => Self::read(date.trim(), family),
            (None, Some(date)) => Self::read_http(date.trim(), family),
            (None, None) => Err(family.no_token("x-amz-date not in Http Header.")),
        }
    }

    fn read(text: &'a str, family: Family) -> Result<Self, Answer> {
        let at = [DATE, DATE_WITH_OFFSET].iter().find_map(|format| {
            // The forms have a fixed width; the parser alone would also take one-digit months.
            Timestamp::parse(text, format).filter(|at| at.print(format) == text)
        });
        at.map(|at| Self { text: text.into(), at }).ok_or_else(|| family.no_time(text))
    }

    /// Whoever writes the date as HTTP has it signs it in the short form.
    fn read_http(text: &'a str, family: Family) -> Result<Self, Answer> {
        match HTTP_DATES.iter().find_map(|format| Timestamp::parse(text, format)) {
            Some(at) => Ok(Self { text: at.print(DATE).into(), at }),
            None => Self::read(text, family),
        }
    }
}
