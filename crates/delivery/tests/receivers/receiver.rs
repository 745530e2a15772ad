//! Customers' receivers that fail every second message by a seed, in the ways in which receivers fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use sha2::Sha256;

use crate::history::{Event, News, Sight};

/// What all receivers saw, in its order, and what they know together.
pub(crate) struct Book {
    sights: Mutex<Vec<Sight>>,
    messages: AtomicUsize,
    failed: AtomicUsize,
    pub(crate) sent_again: AtomicBool,
}

impl Book {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            sights: Mutex::default(),
            messages: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            sent_again: AtomicBool::new(false),
        })
    }

    /// Messages that came so far, and those of them that came to nothing.
    pub(crate) fn messages(&self) -> (usize, usize) {
        (self.messages.load(Ordering::SeqCst), self.failed.load(Ordering::SeqCst))
    }

    pub(crate) fn sights(&self) -> Vec<Sight> {
        self.sights.lock().unwrap().clone()
    }
}

/// One of them: a host of its own.
struct Receiver {
    address: SocketAddr,
    dice: Mutex<SmallRng>,
    /// Messages that it says nothing to before it begins to work.
    away: AtomicUsize,
    book: Arc<Book>,
}

/// How a message is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Takes,
    Refuses,
    Resets,
    Hangs,
    TalksNonsense,
}

/// A message as it came.
struct Message {
    path: String,
    headers: Vec<(String, String)>,
    body: Value,
}

/// Starts the receiver of that number. It fails by the seed, after so many messages in which it was away.
pub(crate) fn start(number: u8, seed: u64, away: usize, book: &Arc<Book>) -> SocketAddr {
    let listener = TcpListener::bind((format!("127.0.0.{number}"), 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = Arc::new(Receiver {
        address,
        dice: Mutex::new(SmallRng::seed_from_u64(seed + u64::from(number))),
        away: AtomicUsize::new(away),
        book: Arc::clone(book),
    });
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || receiver.serve(stream));
        }
    });
    address
}

impl Receiver {
    fn serve(&self, mut writer: TcpStream) {
        let mut reader = BufReader::new(writer.try_clone().unwrap());
        while let Some(message) = Message::read(&mut reader) {
            let manner = self.manner();
            // Before the answer, which may bring the next message at once.
            self.note(&message, manner == Manner::Takes);
            let answer = match manner {
                Manner::Takes if message.body.is_array() => answer("200 OK", r#"{"code":0,"msg":"success"}"#),
                Manner::Takes => answer("200 OK", "OK"),
                Manner::Refuses => answer("500 Internal Server Error", "no"),
                Manner::TalksNonsense if message.body.is_array() => answer("200 OK", r#"{"code":7}"#),
                Manner::TalksNonsense => "OK, received\r\n\r\n".to_owned(),
                Manner::Resets => {
                    rustix::net::sockopt::set_socket_linger(&writer, Some(Duration::ZERO)).unwrap();
                    return;
                }
                Manner::Hangs => {
                    // Until the other side gives up.
                    reader.read_exact(&mut [0]).ok();
                    return;
                }
            };
            if writer.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
        writer.shutdown(Shutdown::Both).ok();
    }

    fn manner(&self) -> Manner {
        let gone = self.away.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if gone.is_ok() {
            return Manner::Hangs;
        }
        match self.dice.lock().unwrap().random_range(0..8) {
            0 => Manner::Refuses,
            1 => Manner::Resets,
            2 => Manner::Hangs,
            3 => Manner::TalksNonsense,
            _ => Manner::Takes,
        }
    }

    fn note(&self, message: &Message, taken: bool) {
        let Book { sights, messages, failed, sent_again } = &*self.book;
        messages.fetch_add(1, Ordering::SeqCst);
        failed.fetch_add(usize::from(!taken), Ordering::SeqCst);
        let (signed, sent_again) = (self.is_signed(message), sent_again.load(Ordering::SeqCst));
        let sight = |event| Sight { event, taken, signed, sent_again };
        sights.lock().unwrap().extend(events(&message.body).into_iter().map(sight));
    }

    /// Whether a message carries the digest of its address by the secret of the key that it names. Lists of reports do not.
    fn is_signed(&self, message: &Message) -> bool {
        if message.body.is_array() {
            return true;
        }
        let token = message.headers.iter().find(|(name, _)| name == "x-aksk").map_or("", |(_, value)| value);
        let value = |name: &str| {
            let rest = token.split_once(&format!("{name}=\"")).map_or("", |(_, rest)| rest);
            rest.split('"').next().unwrap_or_default()
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(secret(value("Username")).as_bytes()).unwrap();
        let signed = format!("http://{}{}{}{}", self.address, message.path, value("Nonce"), value("Created"));
        mac.update(signed.as_bytes());
        BASE64_STANDARD.encode(mac.finalize().into_bytes()) == value("PasswordDigest")
    }
}

/// The secret of a key.
pub(crate) fn secret(key: &str) -> String {
    format!("secret-of-{key}")
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

impl Message {
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1)?.to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self { path, headers, body: serde_json::from_slice(&body).ok()? })
    }
}

/// What a message tells: a status event, some fee records, or some reports. Each names its call as the order did.
fn events(body: &Value) -> Vec<Event> {
    let event = |call: &Value, news| {
        let call = call.as_str().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX);
        Event { call, news }
    };
    if let Some(reports) = body.as_array() {
        return reports.iter().map(|report| event(&report["ExtId"], News::Report)).collect();
    }
    if let Some(fees) = body["feeLst"].as_array() {
        return fees.iter().map(|fee| event(&fee["userData"], News::Fee)).collect();
    }
    let status = &body["statusInfo"];
    let to_callee = status["called"].as_str().is_some_and(|called| called.starts_with("+861381"));
    let place = match body["eventType"].as_str() {
        Some("callout") => 3 * usize::from(to_callee),
        Some("alerting") => 1 + 3 * usize::from(to_callee),
        Some("answer") => 2 + 3 * usize::from(to_callee),
        Some("disconnect") => 6,
        Some(_) | None => usize::MAX,
    };
    vec![event(&status["userData"], News::Status(place))]
}
