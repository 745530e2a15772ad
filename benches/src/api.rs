//! The customer: signed requests for calls over connections that are kept, one request at a time on each.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;
use slab::Slab;

use crate::http::Incoming;
use crate::ledger::{Ledger, Parties, Side};
use crate::rtp::note_arrivals;

/// The number that all calls show; set-up gives it to the app.
pub(crate) const DISPLAY_NUMBER: &str = "+8675500000001";

/// The digits that a verification call says.
const CODE: &str = "12";

/// Requests in flight; at 2,000 a second and 50 ms each a hundred are in use.
const CONNECTIONS: usize = 512;

/// Where and in whose name to ask.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) http: SocketAddr,
    pub(crate) key: String,
    pub(crate) secret: String,
}

/// What to ask for.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Callback,
    Code { clip: String },
}

impl Order {
    /// How many parties it calls.
    pub(crate) fn parties(&self) -> Parties {
        match self {
            Self::Callback => Parties::Two,
            Self::Code { .. } => Parties::One,
        }
    }
}

/// The customer's program.
#[derive(Debug)]
pub(crate) struct Api {
    account: Account,
    /// Where pushes go; none when the run has none.
    push_url: Option<String>,
    connections: Slab<Connection>,
    idle: Vec<usize>,
    nonces: u64,
}

/// One connection.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    incoming: Incoming,
    /// Which call its request is for; `None` while idle.
    call: Option<usize>,
}

impl Api {
    /// A customer without connections.
    pub(crate) fn new(account: Account, push_url: Option<String>) -> Self {
        Self { account, push_url, connections: Slab::new(), idle: Vec::new(), nonces: 0 }
    }

    /// Asks for a call that is open in the ledger. Gives the connection if it is a new one: the caller must watch it.
    pub(crate) fn ask(
        &mut self,
        order: &Order,
        call: usize,
        ledger: &mut Ledger,
    ) -> Result<Option<(usize, &TcpStream)>> {
        let request = self.request(order, call, ledger);
        if let Some(place) = self.idle.pop() {
            let connection = &mut self.connections[place];
            connection.call = Some(call);
            ledger.asked(call, Instant::now());
            if connection.stream.write_all(&request).is_ok() {
                return Ok(None);
            }
            // The server had closed it; a new one serves.
            self.connections.remove(place);
        }
        if self.connections.len() >= CONNECTIONS {
            // The rate is too much for the server; the search goes on below it.
            ledger.complain(|| format!("{CONNECTIONS} requests wait for their replies"));
            return Ok(None);
        }
        let mut stream = TcpStream::connect(self.account.http)
            .with_context(|| format!("cannot connect to {}", self.account.http))?;
        note_arrivals(&stream)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        ledger.asked(call, Instant::now());
        stream.write_all(&request).context("cannot send a request")?;
        let place =
            self.connections.insert(Connection { stream, incoming: Incoming::default(), call: Some(call) });
        Ok(Some((place, &self.connections[place].stream)))
    }

    /// Reads a reply.
    pub(crate) fn on_readable(&mut self, place: usize, ledger: &mut Ledger) -> Result<()> {
        let Some(connection) = self.connections.get_mut(place) else { return Ok(()) };
        let is_open = connection.incoming.read_from(&mut connection.stream)?;
        let mut is_kept = is_open;
        while let Some(reply) = connection.incoming.take()? {
            let now = connection.incoming.came();
            is_kept &= !reply.closes();
            let Some(call) = connection.call.take() else { bail!("a reply came without a request") };
            match session_of(reply.status(), &reply.body) {
                Some(session) => ledger.accepted(call, session, now),
                None => {
                    ledger.refused(call, now);
                    ledger.complain(|| {
                        format!(
                            "a request was refused: {:?} {}",
                            reply.status(),
                            String::from_utf8_lossy(&reply.body)
                        )
                    });
                }
            }
            if is_kept {
                self.idle.push(place);
            }
        }
        if !is_kept {
            if connection.call.is_some() {
                ledger.complain(|| "a connection was closed before its reply".to_owned());
            }
            self.connections.remove(place);
            self.idle.retain(|&idle| idle != place);
        }
        Ok(())
    }

    fn request(&mut self, order: &Order, call: usize, ledger: &Ledger) -> Vec<u8> {
        let a = ledger.number(call, Side::A);
        let (path, mut body) = match order {
            Order::Callback => (
                "/rest/httpsessions/click2Call/v2.0",
                json!({
                    "displayNbr": DISPLAY_NUMBER,
                    "callerNbr": a,
                    "displayCalleeNbr": DISPLAY_NUMBER,
                    "calleeNbr": ledger.number(call, Side::B),
                }),
            ),
            Order::Code { clip } => (
                "/rest/httpsessions/callVerify/v1.0",
                json!({
                    "displayNbr": DISPLAY_NUMBER,
                    "calleeNbr": a,
                    "languageType": 2,
                    "preTone": clip,
                    "verifyCode": CODE,
                    "times": 1,
                }),
            ),
        };
        if let Some(url) = &self.push_url {
            body["statusUrl"] = STANDARD.encode(url).into();
            body["feeUrl"] = STANDARD.encode(url).into();
        }
        let body = body.to_string();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        self.nonces += 1;
        let nonce = format!("{:x}x{:x}", since.as_nanos(), self.nonces);
        let created = created(since);
        let digest = digest(&self.account.secret, &nonce, &created);
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json;charset=UTF-8\r\n\
             Authorization: AKSK realm=\"SDP\",profile=\"UsernameToken\",type=\"Appkey\"\r\n\
             X-AKSK: UsernameToken Username=\"{key}\",PasswordDigest=\"{digest}\",Nonce=\"{nonce}\",\
             Created=\"{created}\"\r\nContent-Length: {length}\r\n\r\n{body}",
            host = self.account.http,
            key = self.account.key,
            length = body.len(),
        )
        .into_bytes()
    }
}

/// The session of a reply that grants a call.
fn session_of(status: Option<u16>, body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let granted = status == Some(200) && body["resultcode"] == "0";
    granted.then(|| body["sessionId"].as_str().map(str::to_owned))?
}

/// `YYYY-MM-DDThh:mm:ssZ`.
fn created(since_epoch: Duration) -> String {
    let secs = i64::try_from(since_epoch.as_secs()).unwrap_or(0);
    DateTime::from_timestamp(secs, 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// base64(HMAC-SHA256(secret, nonce ‖ created)).
fn digest(secret: &str, nonce: &str, created: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length (RFC 2104)");
    mac.update(nonce.as_bytes());
    mac.update(created.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_documented_one() {
        let digest =
            digest("TestAppSecret0123456789abcd", "ac1c911c4792492687f8f6b2264a491e", "2018-05-26T00:35:30Z");
        assert_eq!(digest, "VlDiJsar0dOl+ILuDsPZC5t9k3GzvTpgrbw+EcoxFYE=");
    }

    #[test]
    fn the_time_is_utc_without_fractions() {
        assert_eq!(created(Duration::from_millis(1_527_294_930_999)), "2018-05-26T00:35:30Z");
    }

    #[test]
    fn only_a_granted_call_has_a_session() {
        let granted = br#"{"resultcode":"0","resultdesc":"Success","sessionId":"s@h"}"#;
        assert_eq!(session_of(Some(200), granted), Some("s@h".to_owned()));
        assert_eq!(session_of(Some(403), granted), None);
        let refused = br#"{"resultcode":"1020154","resultdesc":"no port","sessionId":""}"#;
        assert_eq!(session_of(Some(200), refused), None);
        assert_eq!(session_of(Some(200), b"<html>"), None);
    }

    #[test]
    fn a_request_carries_what_was_asked_for() {
        let http = SocketAddr::from(([127, 0, 0, 1], 80));
        let account = Account { http, key: "k".to_owned(), secret: "s".to_owned() };
        let mut api = Api::new(account, Some("http://127.0.0.1:9/p".to_owned()));
        let ledger = Ledger::new(Parties::Two, None);
        let text = String::from_utf8(api.request(&Order::Callback, 5, &ledger)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /rest/httpsessions/click2Call/v2.0 HTTP/1.1\r\n"));
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["callerNbr"], "+8613800000005");
        assert_eq!(body["calleeNbr"], "+8613900000005");
        assert_eq!(body["statusUrl"], STANDARD.encode("http://127.0.0.1:9/p"));
    }
}
