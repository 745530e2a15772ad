//! Who asks, as customers of 2017 to 2019 say it, where the operator still allows it:
//!
//! ```text
//! POST /rest/fastlogin/v1.0?app_key=K&username=U&format=json          Authorization: <the account's password>
//! POST /omp/oauth/refresh?app_key=K&grant_type=refresh_token&refresh_token=R&app_secret=S
//! POST /rest/httpsessions/…?app_key=K&access_token=T&format=json
//! POST /rest/logout/v1.0?app_key=K&access_token=T
//! ```
//!
//! A request without an `app_key` names the empty key, which nobody has.

use base::private::Private;
use base::refusal::Refusal;
use base::time::Timestamp;

use crate::dialect::{Claim, Credentials, Proof, Session};
use crate::huawei::codes::{self, Answer};
use crate::huawei::fields::query::Query;
use crate::wire::WireRequest;

/// The claim of a login: the password stands in a header by itself.
pub(in crate::huawei) fn password(request: &WireRequest) -> Result<Claim, Answer> {
    let query = Query::new(&request.query);
    let password = request.headers.first("Authorization").map(str::trim).filter(|text| !text.is_empty());
    let password = password.ok_or(codes::NO_AUTHORIZATION)?;
    let user = required(&query, "username")?;
    Ok(claim(&query, Proof::Password { user: user.into(), password: Private::new(password.into()) }))
}

/// The claim of a renewal.
pub(in crate::huawei) fn renewal(request: &WireRequest) -> Result<Claim, Answer> {
    let query = Query::new(&request.query);
    if required(&query, "grant_type")? != "refresh_token" {
        return Err(missing("grant_type"));
    }
    let token = secret(required(&query, "refresh_token")?);
    let secret = secret(required(&query, "app_secret")?);
    Ok(claim(&query, Proof::Renewal { token, secret }))
}

/// The claim of a logout.
pub(in crate::huawei) fn logout(request: &WireRequest) -> Result<Claim, Answer> {
    token(request).ok_or_else(|| missing("access_token"))
}

/// The claim of any other request that shows a token.
pub(in crate::huawei) fn token(request: &WireRequest) -> Option<Claim> {
    let query = Query::new(&request.query);
    let token = query.value("access_token")?;
    Some(claim(&query, Proof::Token(secret(token))))
}

fn claim(query: &Query<'_>, proof: Proof) -> Claim {
    Claim { key: query.value("app_key").unwrap_or_default().into(), proof }
}

fn secret(text: String) -> Private<Box<str>> {
    Private::new(text.into())
}

fn required(query: &Query<'_>, name: &'static str) -> Result<String, Answer> {
    query.value(name).ok_or_else(|| missing(name))
}

fn missing(name: &'static str) -> Answer {
    codes::of(&Refusal::BadField { name }, None)
}

/// Checks the enterprise's name and password. There is one answer to all that is wrong with them.
pub(in crate::huawei) fn prove_password(
    user: &str,
    password: &Private<Box<str>>,
    known: &Credentials<'_>,
) -> Result<(), Refusal> {
    let matches = known.password.is_some_and(|own| same(own, password)) && user == known.account;
    if matches { Ok(()) } else { Err(Refusal::BadSignature) }
}

/// Checks a token against that of the session.
pub(in crate::huawei) fn prove_token(
    token: &Private<Box<str>>,
    session: Option<&Session>,
    now: Timestamp,
) -> Result<(), Refusal> {
    is_of(session, now, |session| same(&session.access, token))
}

/// Checks the secret, then the token that renews the session.
pub(in crate::huawei) fn prove_renewal(
    token: &Private<Box<str>>,
    secret: &Private<Box<str>>,
    known: &Credentials<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    if !same(&known.key.secret, secret) {
        return Err(Refusal::BadSignature);
    }
    is_of(known.session, now, |session| same(&session.renewal, token))
}

fn is_of(
    session: Option<&Session>,
    now: Timestamp,
    matches: impl FnOnce(&Session) -> bool,
) -> Result<(), Refusal> {
    let session = session.filter(|session| matches(session)).ok_or(Refusal::UnknownToken)?;
    if now < session.expires_at { Ok(()) } else { Err(Refusal::StaleToken) }
}

fn same(own: &Private<Box<str>>, shown: &Private<Box<str>>) -> bool {
    super::is_same(own.expose(), shown.expose())
}

#[cfg(test)]
mod tests {
    use base::account::Key;

    use super::*;
    use crate::wire::Headers;

    fn private(text: &str) -> Private<Box<str>> {
        Private::new(text.into())
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    fn request(query: &str, authorization: &str) -> WireRequest {
        WireRequest {
            id: 0,
            method: "POST".into(),
            path: "/".into(),
            query: query.into(),
            headers: Headers::from_iter([("authorization", authorization)]),
            body: Vec::new(),
            peer: [127, 0, 0, 1].into(),
        }
    }

    #[test]
    fn a_login_names_key_user_and_password() {
        let claim = password(&request("app_key=K&username=U&format=json", " geheim ")).unwrap();
        let expected = Proof::Password { user: "U".into(), password: private("geheim") };
        assert!(claim == Claim { key: "K".into(), proof: expected });
        assert_eq!(format!("{claim:?}"), r#"a claim to be key "K" by password"#);
        assert_eq!(password(&request("app_key=K&username=U", "")).err(), Some(codes::NO_AUTHORIZATION));
        assert_eq!(password(&request("app_key=K", "geheim")).err(), Some(missing("username")));
        assert_eq!(password(&request("username=U", "geheim")).map(|claim| claim.key), Ok("".into()));
    }

    #[test]
    fn a_renewal_names_all_of_its_parameters() {
        let whole = "app_key=K&grant_type=refresh_token&refresh_token=R&app_secret=S";
        let claim = renewal(&request(whole, "")).unwrap();
        assert!(claim.proof == Proof::Renewal { token: private("R"), secret: private("S") });
        for name in ["grant_type", "refresh_token", "app_secret"] {
            let without: Vec<_> = whole.split('&').filter(|pair| !pair.starts_with(name)).collect();
            assert_eq!(renewal(&request(&without.join("&"), "")).err(), Some(missing(name)), "{name}");
        }
        let other = whole.replace("grant_type=refresh_token", "grant_type=password");
        assert_eq!(renewal(&request(&other, "")).err(), Some(missing("grant_type")));
    }

    #[test]
    fn each_proof_is_compared_with_its_own_secret() {
        let key = Key { id: "K".into(), secret: private("S"), token: None };
        let session = Session { access: private("T"), renewal: private("R"), expires_at: at(100) };
        let password = private("P");
        let known =
            Credentials { key: &key, account: "U", password: Some(&password), session: Some(&session) };
        assert_eq!(prove_password("U", &private("P"), &known), Ok(()));
        for (user, text) in [("U", "S"), ("U", ""), ("u", "P"), ("", "P")] {
            assert_eq!(prove_password(user, &private(text), &known), Err(Refusal::BadSignature), "{user}");
        }
        let nobody = Credentials { password: None, session: None, ..known };
        assert_eq!(prove_password("U", &private(""), &nobody), Err(Refusal::BadSignature));

        for (token, now, told) in [
            ("T", 99, Ok(())),
            ("T", 100, Err(Refusal::StaleToken)),
            ("R", 99, Err(Refusal::UnknownToken)),
            ("", 100, Err(Refusal::UnknownToken)),
        ] {
            assert_eq!(prove_token(&private(token), known.session, at(now)), told, "{token} {now}");
        }
        assert_eq!(prove_token(&private("T"), None, at(0)), Err(Refusal::UnknownToken));

        for (token, secret, now, told) in [
            ("R", "S", 99, Ok(())),
            ("R", "S", 100, Err(Refusal::StaleToken)),
            ("T", "S", 99, Err(Refusal::UnknownToken)),
            ("R", "P", 99, Err(Refusal::BadSignature)),
        ] {
            assert_eq!(prove_renewal(&private(token), &private(secret), &known, at(now)), told, "{token}");
        }
    }
}
