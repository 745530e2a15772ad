//! A customer: signed requests over HTTP, written from the vendor's document and not with the product's own code.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// Where to ask, and in whose name.
#[derive(Clone, Debug)]
pub struct Customer {
    /// `127.0.0.1:7080`
    pub address: String,
    /// The app key.
    pub key: String,
    /// The app secret.
    pub secret: String,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON.
    pub body: Value,
}

impl Answer {
    /// The session id of an accepted call.
    ///
    /// # Panics
    /// When the call was refused.
    #[must_use]
    pub fn session(&self) -> String {
        assert_eq!((self.status, &self.body["resultcode"]), (200, &json!("0")), "refused: {}", self.body);
        self.body["sessionId"].as_str().expect("an accepted call has a session id").to_owned()
    }

    /// The result code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["resultcode"].as_str().unwrap_or("")
    }
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
    pub fn try_post(&self, path: &str, body: &Value) -> io::Result<Answer> {
        let created = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let nonce = nonce();
        let digest = hmac(&self.secret, &format!("{nonce}{created}"));
        let aksk = format!(
            r#"UsernameToken Username="{}",PasswordDigest="{digest}",Nonce="{nonce}",Created="{created}""#,
            self.key
        );
        let headers = [("Authorization", AUTHORIZATION), ("X-AKSK", &aksk)];
        try_send(&self.address, "POST", path, &headers, &body.to_string())
    }

    /// Asks for a two-leg callback; `more` is laid over the usual body.
    #[must_use]
    pub fn callback(&self, caller: &str, callee: &str, more: &Value) -> Answer {
        let mut body = json!({
            "displayNbr": NUMBER, "displayCalleeNbr": NUMBER, "callerNbr": caller, "calleeNbr": callee,
        });
        lay(&mut body, more);
        self.post("/rest/httpsessions/click2Call/v2.0", &body)
    }

    /// Asks for a verification call; `more` is laid over the usual body.
    #[must_use]
    pub fn verify(&self, callee: &str, code: &str, more: &Value) -> Answer {
        let mut body = json!({
            "displayNbr": NUMBER, "calleeNbr": callee, "languageType": 2, "preTone": "welcome.wav", "verifyCode": code,
        });
        lay(&mut body, more);
        self.post("/rest/httpsessions/callVerify/v1.0", &body)
    }

    /// Asks for a call to end.
    #[must_use]
    pub fn stop(&self, session: &str) -> Answer {
        self.post("/rest/httpsessions/callStop/v2.0", &json!({"sessionid": session, "signal": "call_stop"}))
    }
}

/// The number that the tests' app owns.
pub const NUMBER: &str = "+8675500000001";

/// The Authorization header that every request carries.
pub const AUTHORIZATION: &str = r#"AKSK realm="SDP",profile="UsernameToken",type="Appkey""#;

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
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Sends a request and reads the whole answer.
///
/// # Panics
/// When the server cannot be reached or does not speak HTTP.
#[must_use]
pub fn send(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    try_send(address, method, path, headers, body).expect("the server answers")
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// When the server cannot be reached, breaks off, or does not speak HTTP.
pub fn try_send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json;charset=UTF-8\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    parse(&answer).ok_or_else(|| io::Error::other("this is no HTTP answer"))
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: serde_json::from_str(body).unwrap_or(Value::Null) })
}

fn lay(body: &mut Value, more: &Value) {
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
}

fn nonce() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:x}n{:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
