//! A customer: signed requests over HTTP, written from the vendor's document and not with the product's own code.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

pub use crate::http::{Answer, Request, send, try_send};

/// Where to ask, and in whose name.
#[derive(Clone, Debug)]
pub struct Customer {
    /// `127.0.0.1:7080`
    pub address: String,
    /// The app key.
    pub key: String,
    /// The app secret.
    pub secret: String,
    /// The loopback address that requests come from, when it matters.
    pub from: Option<IpAddr>,
}

/// Who says they ask: the attributes of `X-AKSK`, each of which a test may spoil.
#[derive(Clone, Debug)]
pub struct Token {
    /// The app key.
    pub username: String,
    /// The digest that proves it.
    pub digest: String,
    /// What makes the request one of a kind.
    pub nonce: String,
    /// When it was made.
    pub created: String,
}

impl Customer {
    /// Posts a signed request.
    ///
    /// # Panics
    /// When the server cannot be reached or does not speak HTTP.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).expect("the server answers")
    }

    /// Posts a signed request.
    ///
    /// # Errors
    /// When the server cannot be reached or breaks off.
    pub fn try_post(&self, path: &str, body: &Value) -> std::io::Result<Answer> {
        self.request("POST", path).body(body.to_string()).try_send(&self.address)
    }

    /// Asks for something that was made before, such as a recording.
    ///
    /// # Panics
    /// When the server cannot be reached or does not speak HTTP.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send(&self.address)
    }

    /// A signed request without a body, to be sent or to be spoiled.
    #[must_use]
    pub fn request(&self, method: &str, path: &str) -> Request {
        let token = self.token().to_string();
        let mut request = Request::new(method, path)
            .header("Content-Type", "application/json;charset=UTF-8")
            .header("Authorization", AUTHORIZATION)
            .header("X-AKSK", &token);
        request.from = self.from;
        request
    }

    /// A proof that was never given before, made now.
    #[must_use]
    pub fn token(&self) -> Token {
        self.token_made(&nonce(), &now())
    }

    /// A proof with that nonce and time.
    #[must_use]
    pub fn token_made(&self, nonce: &str, created: &str) -> Token {
        Token {
            username: self.key.clone(),
            digest: hmac(&self.secret, &format!("{nonce}{created}")),
            nonce: nonce.to_owned(),
            created: created.to_owned(),
        }
    }

    /// Asks for a two-leg callback; `more` is laid over the usual body.
    #[must_use]
    pub fn callback(&self, caller: &str, callee: &str, more: &Value) -> Answer {
        let mut body = json!({
            "displayNbr": NUMBER, "displayCalleeNbr": NUMBER, "callerNbr": caller, "calleeNbr": callee,
        });
        lay(&mut body, more);
        self.post(CALLBACK, &body)
    }

    /// Asks for a verification call; `more` is laid over the usual body.
    #[must_use]
    pub fn verify(&self, callee: &str, code: &str, more: &Value) -> Answer {
        let mut body = json!({
            "displayNbr": NUMBER, "calleeNbr": callee, "languageType": 2, "preTone": "welcome.wav", "verifyCode": code,
        });
        lay(&mut body, more);
        self.post(CODE, &body)
    }

    /// Asks for a notice of these items; `more` is laid over the usual body.
    #[must_use]
    pub fn notify(&self, callee: &str, items: &Value, more: &Value) -> Answer {
        let mut body = json!({"displayNbr": NUMBER, "calleeNbr": callee, "playInfoList": items});
        lay(&mut body, more);
        self.post(NOTICE, &body)
    }

    /// Asks for a call to end.
    #[must_use]
    pub fn stop(&self, session: &str) -> Answer {
        self.post(STOP, &json!({"sessionid": session, "signal": "call_stop"}))
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { username, digest, nonce, created } = self;
        write!(
            f,
            r#"UsernameToken Username="{username}",PasswordDigest="{digest}",Nonce="{nonce}",Created="{created}""#
        )
    }
}

/// Connects two parties.
pub const CALLBACK: &str = "/rest/httpsessions/click2Call/v2.0";

/// Says a notice.
pub const NOTICE: &str = "/rest/httpsessions/callnotify/v2.0";

/// Says a verification code.
pub const CODE: &str = "/rest/httpsessions/callVerify/v1.0";

/// Ends a call.
pub const STOP: &str = "/rest/httpsessions/callStop/v2.0";

/// Gives a recording.
pub const RECORD: &str = "/rest/provision/voice/record/v1.0";

/// The number that the tests' app owns.
pub const NUMBER: &str = "+8675500000001";

/// The Authorization header that every request carries.
pub const AUTHORIZATION: &str = r#"AKSK realm="SDP",profile="UsernameToken",type="Appkey""#;

/// How the time of a request is written.
pub const CREATED: &str = "%Y-%m-%dT%H:%M:%SZ";

/// The time now, as a request writes it.
#[must_use]
pub fn now() -> String {
    chrono::Utc::now().format(CREATED).to_string()
}

/// A nonce that was never used before.
#[must_use]
pub fn nonce() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:x}n{:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The base64 that `statusUrl` and `feeUrl` are written in.
#[must_use]
pub fn encoded(url: &str) -> String {
    STANDARD.encode(url)
}

/// The vendor's digest: base64 of HMAC-SHA256.
///
/// # Panics
/// Never: HMAC takes keys of any length.
#[must_use]
pub fn hmac(secret: &str, message: &str) -> String {
    STANDARD.encode(mac(secret, message))
}

/// The bytes of that digest.
///
/// # Panics
/// Never: HMAC takes keys of any length.
#[must_use]
pub fn mac(secret: &str, message: &str) -> Vec<u8> {
    mac_bytes(secret.as_bytes(), message)
}

/// The same with a key that is no text.
///
/// # Panics
/// Never: HMAC takes keys of any length.
#[must_use]
pub fn mac_bytes(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Lays fields over a body.
pub fn lay(body: &mut Value, more: &Value) {
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
}
