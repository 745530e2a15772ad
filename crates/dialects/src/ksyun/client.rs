//! The other side: what a customer's program does. For the command line and for tests.

use base::account::Key;
use base::time::Timestamp;

use super::auth::{self, header, parameter};
use super::codes::Family;
use super::fields::form::{self, Parameters};
use super::routes::{SERVICE, VERSION};
use crate::dialect::SigningScope;
use crate::wire::{Headers, WireRequest};

/// The region that we name; nobody looks at it.
const REGION: &str = "cn-beijing-6";

/// The content type of a request's parameters.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The body of a request that proves itself in its parameters: those of the action, completed by those that every
/// request has, and the signature of all.
#[must_use]
pub fn sign(key: &Key, action: &str, parameters: &[(&str, &str)], now: Timestamp) -> String {
    let created = now.print(parameter::TIMESTAMP);
    let mut all = unsigned(action, parameters);
    all.extend([
        ("Accesskey", &*key.id),
        ("Service", SERVICE),
        ("SignatureMethod", parameter::METHOD),
        ("SignatureVersion", parameter::VERSION),
        ("Timestamp", &created),
    ]);
    all.extend(key.token.as_ref().map(|token| ("SecurityToken", &**token.expose())));
    all.sort_unstable();
    let canonical = form::print(all.iter().copied());
    let signature = auth::signature(key.secret.expose(), None, &canonical);
    format!("{canonical}&{}={signature}", parameter::SIGNATURE)
}

/// The body of a request that proves itself in its headers.
#[must_use]
pub fn body(action: &str, parameters: &[(&str, &str)]) -> String {
    form::print(unsigned(action, parameters))
}

fn unsigned<'a>(action: &'a str, parameters: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = parameters.to_vec();
    all.extend([("Action", action), ("Version", VERSION)]);
    all
}

/// The headers that prove who sends a request whose other headers, `Host` among them, are all there. `None` when its
/// query cannot be read.
#[must_use]
pub fn sign_headers(key: &Key, request: &WireRequest, now: Timestamp) -> Option<Headers> {
    let date = now.print(header::DATE);
    let mut own = vec![("X-Amz-Date", date.clone())];
    own.extend(key.token.as_ref().map(|token| ("X-Amz-Security-Token", token.expose().to_string())));
    let mut whole = request.clone();
    for (name, value) in &own {
        whole.headers.add(*name, value.as_str());
    }
    let mut names: Vec<String> = whole.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    let names = names.join(";");

    let query = Parameters::of_form(request.query.as_bytes()).ok()?;
    let hash = auth::hash(&request.body);
    let canonical = header::canonical(&whole, query.iter(), &names, &hash, Family::Header).ok()?;
    let day = now.print("%Y%m%d");
    let scope = SigningScope { date: day.into(), region: REGION.into(), service: SERVICE.into() };
    let covered = header::covered(&date, &scope, &canonical);
    let signature = auth::signature(key.secret.expose(), Some(&scope), &covered);
    let credential = format!("{}/{}/{REGION}/{SERVICE}/{}", key.id, scope.date, header::TERMINATOR);
    let authorization = format!(
        "{} Credential={credential}, SignedHeaders={names}, Signature={signature}",
        header::ALGORITHM
    );
    own.push(("Authorization", authorization));
    Some(own.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use base::private::Private;
    use base::refusal::Refusal;

    use super::*;
    use crate::dialect::{Credentials, Dialect, Settings};
    use crate::ksyun::Ksyun;

    const NOW: Timestamp = Timestamp::from_millis(1_795_323_000_123);

    fn key(secret: &str, token: Option<&str>) -> Key {
        let private = |text: &str| Private::new(text.into());
        Key { id: "AK".into(), secret: private(secret), token: token.map(private) }
    }

    fn request(query: &str, body: String) -> WireRequest {
        WireRequest {
            id: 0,
            method: "POST".into(),
            path: "/".into(),
            query: query.into(),
            headers: Headers::from_iter([("Host", "voice.api.ksyun.com"), ("Content-Type", FORM)]),
            body: body.into(),
            peer: [127, 0, 0, 1].into(),
        }
    }

    fn proven(request: &WireRequest, key: &Key) -> Result<(), Refusal> {
        let claim = Ksyun.claim(request, &Settings::default()).unwrap();
        assert_eq!(&*claim.key, "AK");
        let known = Credentials { key, account: "a", password: None, session: None };
        Ksyun.prove(&claim, Some(&known), NOW, &Settings::default())
    }

    const ASKED: &[(&str, &str)] = &[("Mobile", "13800000000"), ("TplParams", r#"{"a":"张 +~*"}"#)];

    #[test]
    fn what_we_sign_in_parameters_is_proof() {
        let request = |key: &Key| request("", sign(key, "CallNotify", ASKED, NOW));
        let plain = key("SK", None);
        assert_eq!(proven(&request(&plain), &plain), Ok(()));
        assert_eq!(proven(&request(&plain), &key("other", None)), Err(Refusal::BadSignature));
        let temporary = key("SK", Some("T/+="));
        assert_eq!(proven(&request(&temporary), &temporary), Ok(()));
        assert_eq!(proven(&request(&plain), &temporary), Err(Refusal::UnknownToken));
        assert_eq!(proven(&request(&temporary), &key("SK", Some("other"))), Err(Refusal::UnknownToken));
        assert_eq!(proven(&request(&temporary), &plain), Err(Refusal::UnknownToken));
    }

    #[test]
    fn what_we_sign_in_headers_is_proof() {
        let request = |key: &Key| {
            let mut request = request("b=2&a=%7e+", body("CallNotify", ASKED));
            for (name, value) in sign_headers(key, &request, NOW).unwrap().iter() {
                request.headers.add(name, value);
            }
            request
        };
        let plain = key("SK", None);
        assert_eq!(proven(&request(&plain), &plain), Ok(()));
        assert_eq!(proven(&request(&plain), &key("other", None)), Err(Refusal::BadSignature));
        let temporary = key("SK", Some("T"));
        assert_eq!(proven(&request(&temporary), &temporary), Ok(()));
        assert_eq!(proven(&request(&plain), &temporary), Err(Refusal::UnknownToken));
        let mut other = request(&plain);
        other.body.push(b'&');
        assert_eq!(proven(&other, &plain), Err(Refusal::BadSignature));
    }

    #[test]
    fn a_signature_covers_as_many_headers_as_there_may_be_and_no_more() {
        let key = key("SK", None);
        for (more, taken) in [(0, true), (29, true), (30, false)] {
            let mut request = request("", body("CallNotify", ASKED));
            (0..more).for_each(|number| request.headers.add(format!("X-{number}"), "1"));
            // Host, type and date are signed too.
            let proof = sign_headers(&key, &request, NOW);
            assert_eq!(proof.is_some(), taken, "{more}");
            let Some(proof) = proof else { continue };
            proof.iter().for_each(|(name, value)| request.headers.add(name, value));
            assert_eq!(proven(&request, &key), Ok(()), "{more}");
        }
    }

    #[test]
    fn what_a_body_is_cannot_be_changed_on_the_way() {
        let key = key("SK", None);
        let told = |content_type: &str, signed: bool| {
            let mut request = request("", body("CallNotify", ASKED));
            request.query = body("CallNotify", &[]).into();
            request.body = b"PlayTimes=1".to_vec();
            let own = [("Host", "voice.api.ksyun.com"), ("Content-Type", content_type)];
            request.headers = own.into_iter().take(if signed { 2 } else { 1 }).collect();
            let proof = sign_headers(&key, &request, NOW).unwrap();
            let unsigned = own.into_iter().skip(request.headers.iter().count());
            let all: Vec<_> = request.headers.iter().chain(proof.iter()).chain(unsigned).collect();
            let request = WireRequest { headers: all.into_iter().collect(), ..request.clone() };
            Ksyun.claim(&request, &Settings::default()).is_ok()
        };
        for (content_type, signed, taken) in [
            (FORM, true, true),
            (FORM, false, true),
            ("text/plain", true, true),
            ("text/plain", false, false),
        ] {
            assert_eq!(told(content_type, signed), taken, "{content_type} {signed}");
        }
    }
}
