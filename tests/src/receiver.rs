//! A customer's receiver: takes pushes, remembers them, answers as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::wait;

/// One push as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    /// When it came.
    pub at: Instant,
    /// Path of the request.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON.
    pub body: serde_json::Value,
}

impl Received {
    /// `callout`, `alerting`, `answer`, `collectInfo`, `disconnect` or `fee`.
    #[must_use]
    pub fn event(&self) -> &str {
        self.body["eventType"].as_str().unwrap_or("")
    }

    /// Whether it is a status event of a session, or has its fee record.
    #[must_use]
    pub fn is_about(&self, session: &str) -> bool {
        self.body["statusInfo"]["sessionId"] == *session || self.fee(session).is_some()
    }

    /// The fee record of a session, when it is in this push.
    #[must_use]
    pub fn fee(&self, session: &str) -> Option<&serde_json::Value> {
        self.body["feeLst"].as_array()?.iter().find(|fee| fee["sessionId"] == *session)
    }
}

/// What a push is answered with.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What pushes to a path are answered with, one after the other.
type Script = Box<dyn FnMut(&Received) -> Reply + Send>;

/// A receiver on a loopback port of its own. It lives as long as the test's process.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    scripts: Arc<Mutex<BTreeMap<String, Script>>>,
    /// Paths whose pushes are answered when the test says so: how many answers it has given.
    held: Arc<(Mutex<BTreeMap<String, usize>>, Condvar)>,
}

impl Receiver {
    /// Starts a receiver that answers every push with 200.
    ///
    /// # Panics
    /// When no port can be opened.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let receiver =
            Self { address, received: Arc::default(), scripts: Arc::default(), held: Arc::default() };
        let shared = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || serve(stream, &shared));
            }
        });
        receiver
    }

    /// Answers pushes to a path with this status from now on.
    ///
    /// # Panics
    /// Never: no thread panics while it holds the list.
    pub fn refuse(&self, path: &str, status: u16) {
        self.answer(path, move |_| Reply::status(status));
    }

    /// Answers pushes to a path as the script says from now on.
    ///
    /// # Panics
    /// Never: no thread panics while it holds the list.
    pub fn answer(&self, path: &str, script: impl FnMut(&Received) -> Reply + Send + 'static) {
        let mut scripts = self.scripts.lock().expect("no thread panics while it holds the list");
        scripts.insert(format!("/{path}"), Box::new(script));
    }

    /// Answers no push to a path from now on, until [`Self::answer_one`].
    ///
    /// # Panics
    /// Never: no thread panics while it holds the list.
    pub fn hold(&self, path: &str) {
        let (held, _) = &*self.held;
        held.lock().expect("no thread panics while it holds the list").insert(format!("/{path}"), 0);
    }

    /// Answers one push to a path that is held.
    ///
    /// # Panics
    /// When the path is not held.
    pub fn answer_one(&self, path: &str) {
        let (held, bell) = &*self.held;
        let mut held = held.lock().expect("no thread panics while it holds the list");
        *held.get_mut(&format!("/{path}")).expect("the path is held") += 1;
        bell.notify_all();
    }

    /// Waits until the test answers a push to this path, if it is held.
    fn wait_for_answer(&self, path: &str) {
        let (held, bell) = &*self.held;
        let held = held.lock().expect("no thread panics while it holds the list");
        let none_given = |held: &mut BTreeMap<String, usize>| held.get(path) == Some(&0);
        let waited = bell.wait_timeout_while(held, HELD_MAX, none_given);
        let (mut held, _) = waited.expect("no thread panics while it holds the list");
        if let Some(given) = held.get_mut(path) {
            *given = given.saturating_sub(1);
        }
    }

    /// A URL of this receiver.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Everything that has come in so far.
    ///
    /// # Panics
    /// Never: no thread panics while it holds the list.
    #[must_use]
    pub fn all(&self) -> Vec<Received> {
        self.received.lock().expect("no thread panics while it holds the list").clone()
    }

    /// What has been reported of calls so far: the records of all messages that are lists, in their order.
    #[must_use]
    pub fn reports(&self) -> Vec<serde_json::Value> {
        let lists = self.all().into_iter().filter_map(|push| push.body.as_array().cloned());
        lists.flatten().collect()
    }

    /// The report of a call, once it is there.
    ///
    /// # Panics
    /// When it does not come.
    #[must_use]
    pub fn report(&self, call: &str) -> serde_json::Value {
        wait::until("the report", Duration::from_secs(40), || {
            self.reports().into_iter().find(|report| report["CallId"] == *call)
        })
    }

    /// Everything that has come in for a session.
    #[must_use]
    pub fn of(&self, session: &str) -> Vec<Received> {
        self.all().into_iter().filter(|push| push.is_about(session)).collect()
    }

    /// The names of a session's status events in the order in which they came, once the last one is there.
    ///
    /// # Panics
    /// When the last event does not come.
    #[must_use]
    pub fn events(&self, session: &str) -> Vec<String> {
        let done = |push: &Received| push.event() == "disconnect";
        wait::until("the last status event", Duration::from_secs(20), || {
            let pushes = self.of(session);
            pushes.iter().any(done).then(|| {
                let status = pushes.iter().filter(|push| push.event() != "fee");
                status.map(|push| push.event().to_owned()).collect()
            })
        })
    }

    /// The state code of a session's last status event.
    ///
    /// # Panics
    /// When the event does not come.
    #[must_use]
    pub fn state_code(&self, session: &str) -> i64 {
        let _all_of_them = self.events(session);
        let pushes = self.of(session);
        let last = pushes.iter().find(|push| push.event() == "disconnect").expect("events() waited for it");
        last.body["statusInfo"]["stateCode"].as_i64().expect("the state code is a number")
    }

    /// The fee record of a session.
    ///
    /// # Panics
    /// When it does not come.
    #[must_use]
    pub fn fee(&self, session: &str) -> serde_json::Value {
        wait::until("the fee record", Duration::from_secs(20), || {
            self.all().iter().find_map(|push| push.fee(session).cloned())
        })
    }
}

impl Reply {
    /// A status with a body that says nothing.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, body: "OK".to_owned() }
    }

    /// 200 with a `code`, by which some senders know whether they were understood.
    #[must_use]
    pub fn code(code: i32) -> Self {
        let word = if code == 0 { "success" } else { "later" };
        Self { status: 200, body: format!(r#"{{"code":{code},"msg":"{word}"}}"#) }
    }
}

/// Serves one connection until the peer closes it.
fn serve(stream: TcpStream, receiver: &Receiver) {
    let Ok(mut writer) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    while let Some(push) = read(&mut reader) {
        let mut scripts = receiver.scripts.lock().expect("no thread panics while it holds the list");
        let script = scripts.get_mut(&push.path);
        let Reply { status, body } = script.map_or_else(|| Reply::status(200), |script| script(&push));
        drop(scripts);
        let path = push.path.clone();
        receiver.received.lock().expect("no thread panics while it holds the list").push(push);
        receiver.wait_for_answer(&path);
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\n\r\n{body}");
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads the next push of a connection; `None` when there is none, or it is no JSON.
pub fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { at: Instant::now(), path, headers, body: serde_json::from_slice(&body).ok()? })
}

/// How long a push waits for its answer at most: the test is over by then.
const HELD_MAX: Duration = Duration::from_secs(60);
