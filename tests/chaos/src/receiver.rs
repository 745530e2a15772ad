//! A customer's receiver that fails now and then, in all the ways in which receivers fail.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use socket2::SockRef;
use tests::api::hmac;
use tests::receiver::{Received, read};

use crate::history::{News, Post, Signature};

/// A receiver at a port of its own, for as long as this process lives. Clones share everything.
#[derive(Clone)]
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    dice: Mutex<SmallRng>,
    posts: Mutex<Vec<Post>>,
    is_well: AtomicBool,
    /// The customer's key and secret, once they are known.
    key: Mutex<(String, String)>,
}

/// How an attempt is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Takes,
    TakesSlowly,
    Refuses,
    AnswersNonsense,
    Resets,
    Hangs,
}

impl Receiver {
    /// Starts it, with the faults of that seed.
    pub(crate) fn start(seed: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on loopback")?;
        let shared = Arc::new(Shared {
            dice: Mutex::new(SmallRng::seed_from_u64(seed)),
            posts: Mutex::default(),
            is_well: AtomicBool::new(false),
            key: Mutex::default(),
        });
        let this = Self { address: listener.local_addr()?, shared };
        let receiver = this.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let receiver = receiver.clone();
                thread::spawn(move || receiver.serve(stream));
            }
        });
        Ok(this)
    }

    /// Whose signature is good from now on.
    pub(crate) fn trusts(&self, key: &str, secret: &str) {
        *self.shared.key.lock().unwrap_or_else(PoisonError::into_inner) = (key.to_owned(), secret.to_owned());
    }

    /// Takes everything from now on.
    pub(crate) fn recovers(&self) {
        self.shared.is_well.store(true, Ordering::Release);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Everything that came, in its order.
    pub(crate) fn posts(&self) -> Vec<Post> {
        self.shared.posts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn serve(&self, stream: TcpStream) {
        let Ok(mut writer) = stream.try_clone() else { return };
        let mut reader = BufReader::new(stream);
        while let Some(push) = read(&mut reader) {
            let manner = self.manner();
            let taken = matches!(manner, Manner::Takes | Manner::TakesSlowly);
            // Before the answer, which may bring the next event at once.
            let news = news(&push, taken, self.signature(&push));
            self.shared.posts.lock().unwrap_or_else(PoisonError::into_inner).extend(news);
            let is_report = push.body.is_array();
            let (status, body) = match manner {
                Manner::Takes | Manner::TakesSlowly if is_report => (200, r#"{"code":0,"msg":"success"}"#),
                Manner::Takes | Manner::TakesSlowly => (200, "OK"),
                Manner::AnswersNonsense if is_report => (200, r#"{"code":7,"msg":"later"}"#),
                // Whatever the body says, a 200 has taken an event; so this one is refused besides.
                Manner::AnswersNonsense => (302, "<html>moved</html>"),
                Manner::Refuses => (500, "no"),
                Manner::Resets => {
                    SockRef::from(&writer).set_linger(Some(Duration::ZERO)).ok();
                    return;
                }
                Manner::Hangs => return thread::sleep(HANGS),
            };
            if manner == Manner::TakesSlowly {
                thread::sleep(SLOW);
            }
            let answer = format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            if writer.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn manner(&self) -> Manner {
        if self.shared.is_well.load(Ordering::Acquire) {
            return Manner::Takes;
        }
        match self.shared.dice.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..1_000) {
            0..50 => Manner::Refuses,
            50..100 => Manner::AnswersNonsense,
            100..140 => Manner::Resets,
            140..160 => Manner::TakesSlowly,
            160 => Manner::Hangs,
            _ => Manner::Takes,
        }
    }

    fn signature(&self, push: &Received) -> Signature {
        if push.body.is_array() {
            return Signature::None;
        }
        let (key, secret) = self.shared.key.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let token = push.headers.get("x-aksk").map_or("", String::as_str);
        let value = |name: &str| {
            let rest = token.split_once(&format!("{name}=\"")).map_or("", |(_, rest)| rest);
            rest.split('"').next().unwrap_or("").to_owned()
        };
        let [username, digest, nonce, created] =
            ["Username", "PasswordDigest", "Nonce", "Created"].map(value);
        let url = self.url(push.path.trim_start_matches('/'));
        let is_good = username == key && hmac(&secret, &format!("{url}{nonce}{created}")) == digest;
        if is_good { Signature::Good } else { Signature::Bad }
    }
}

/// What a push tells: an event, some fee records, or some reports.
fn news(push: &Received, taken: bool, signature: Signature) -> Vec<Post> {
    let post = |call: &Value, news: News, text: &Value| Post {
        call: call.as_str().unwrap_or_default().to_owned(),
        news,
        text: text.to_string(),
        taken,
        signature,
    };
    let body = &push.body;
    if let Some(reports) = body.as_array() {
        return reports.iter().map(|report| post(&report["CallId"], News::Report, report)).collect();
    }
    if let Some(fees) = body["feeLst"].as_array() {
        return fees.iter().map(|fee| post(&fee["sessionId"], News::Fee, fee)).collect();
    }
    vec![post(&body["statusInfo"]["sessionId"], News::Event(push.event().to_owned()), body)]
}

/// Posts and calls that were told of so far, for whoever watches.
pub(crate) fn tally(posts: &[Post]) -> BTreeMap<&'static str, usize> {
    let mut tally = BTreeMap::new();
    for post in posts {
        *tally.entry(if post.taken { "taken" } else { "failed" }).or_default() += 1;
    }
    tally
}

/// How long a slow receiver takes: less than anybody gives up after.
const SLOW: Duration = Duration::from_millis(200);

/// How long a receiver says nothing before it breaks off.
const HANGS: Duration = Duration::from_secs(20);
