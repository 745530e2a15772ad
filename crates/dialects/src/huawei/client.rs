//! The customer's side: signs a request as an app does, and checks a push as a receiver does.

use base::account::{Key, PushSignature};
use base::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::auth::{self, CREATED};
use super::push;
use crate::dialect::Proof;
use crate::wire::Headers;

/// The two headers that a request needs: `Authorization` and `X-AKSK`. The nonce is 1 to 128 digits and letters.
#[must_use]
pub fn sign(key: &Key, nonce: &str, created: Timestamp) -> Headers {
    let created = created.print(CREATED);
    let digest = auth::digest(key.secret.expose(), &[nonce, &created]);
    auth::headers(&key.id, &digest, nonce, &created).into_iter().collect()
}

/// A receiver's address as `statusUrl` and `feeUrl` carry it: in base64.
#[must_use]
pub fn encode_url(url: &str) -> String {
    STANDARD.encode(url)
}

/// A push that is not what it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPush {
    /// A header or an attribute is missing, or names another key.
    #[error("the push carries no signature of this key")]
    Unsigned,
    /// The digest covers something else.
    #[error("the signature of the push does not match")]
    WrongDigest,
}

/// Checks the signature of a push that was sent to `url`, which is the address exactly as the customer gave it.
/// The time is covered but not compared with any clock: a push may be old. With [`PushSignature::Off`] every push
/// passes.
///
/// # Errors
/// [`BadPush`] when the headers do not prove that the sender knows the key's secret.
pub fn check_push(headers: &Headers, url: &str, key: &Key, signature: PushSignature) -> Result<(), BadPush> {
    if signature == PushSignature::Off {
        return Ok(());
    }
    let claim = auth::claim(headers, false).map_err(|_| BadPush::Unsigned)?;
    let Proof::Signature { nonce, created, signature: given, .. } = claim.proof else {
        return Err(BadPush::Unsigned);
    };
    if claim.key != key.id {
        return Err(BadPush::Unsigned);
    }
    let expected = push::digest(signature, key.secret.expose(), url, &nonce, &created);
    if auth::is_same(&expected, &given) { Ok(()) } else { Err(BadPush::WrongDigest) }
}

#[cfg(test)]
mod tests {
    use base::private::Private;

    use super::*;
    use crate::dialect::{Credentials, Dialect, Settings};
    use crate::huawei::Huawei;
    use crate::wire::WireRequest;

    fn key(secret: &str) -> Key {
        Key { id: "app".into(), secret: Private::new(secret.into()), token: None }
    }

    #[test]
    fn what_we_sign_is_proof() {
        let now = Timestamp::from_millis(1_527_294_930_123);
        let headers = sign(&key("secret"), "n0nce", now);
        let request = WireRequest {
            id: 0,
            method: "POST".into(),
            path: "/rest/httpsessions/callStop/v2.0".into(),
            query: "".into(),
            headers,
            body: Vec::new(),
            peer: [127, 0, 0, 1].into(),
        };
        let settings = Settings::default();
        let claim = Huawei.claim(&request, &settings).unwrap();
        let proof = |secret| {
            let key = key(secret);
            let known = Credentials { key: &key, account: "a", password: None, session: None };
            Huawei.prove(&claim, Some(&known), now, &settings)
        };
        assert_eq!(&*claim.key, "app");
        assert_eq!(proof("secret"), Ok(()));
        assert!(proof("other").is_err());
    }

    #[test]
    fn a_push_is_checked_against_address_key_and_generation() {
        let url = "http://127.0.0.1:9000/status?a=1";
        let digest = push::digest(PushSignature::Lines, "secret", url, "n0nce", "2018-05-26T08:35:30Z");
        let headers = auth::headers("app", &digest, "n0nce", "2018-05-26T08:35:30Z").into_iter().collect();
        let check = |url, secret, signature| check_push(&headers, url, &key(secret), signature);
        assert_eq!(check(url, "secret", PushSignature::Lines), Ok(()));
        assert_eq!(check(url, "secret", PushSignature::Joined), Err(BadPush::WrongDigest));
        assert_eq!(check(url, "other", PushSignature::Lines), Err(BadPush::WrongDigest));
        assert_eq!(
            check("http://127.0.0.1:9000/status", "secret", PushSignature::Lines),
            Err(BadPush::WrongDigest)
        );
        let bare = Headers::new();
        assert_eq!(check_push(&bare, url, &key("secret"), PushSignature::Joined), Err(BadPush::Unsigned));
        assert_eq!(check_push(&bare, url, &key("secret"), PushSignature::Off), Ok(()));
        let stranger = Key { id: "other".into(), ..key("secret") };
        assert_eq!(check_push(&headers, url, &stranger, PushSignature::Lines), Err(BadPush::Unsigned));
    }
}
