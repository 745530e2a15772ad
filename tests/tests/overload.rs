//! More than the platform can do, an end, a disk that is none any more, a clock that jumps: who asks is told, and who talks
//! goes on talking.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use carrier::{Carrier, EndedBy, Settings};
use chrono::NaiveDateTime;
use huihu_tests::api::{CALLBACK, NUMBER, STOP, encoded};
use huihu_tests::clock::WallClock;
use huihu_tests::http::Request;
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::ksyun;
use huihu_tests::operator::Operator;
use huihu_tests::receiver::Receiver;
use huihu_tests::wait;
use serde_json::{Value, json};

/// How long a busy machine may take for what takes a second elsewhere.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a callback with two telephones that answer is told of, in order.
const WHOLE: [&str; 7] = ["callout", "alerting", "answer", "callout", "alerting", "answer", "disconnect"];

/// The refusal for the load, in both languages.
const BUSY: (u16, &str) = (403, "1010010");
const KSYUN_BUSY: u16 = 409;

/// Telephones that talk for a moment, and a receiver.
struct Scene {
    carrier: Carrier,
    installation: Installation,
    receiver: Receiver,
}

impl Scene {
    fn new(talk: Duration) -> Self {
        let mut settings = Settings::new("127.0.0.1:0".parse().expect("this is an address"));
        settings.quiet_max = None;
        settings.times.ring = Duration::from_millis(100);
        settings.times.talk = talk;
        let carrier = Carrier::start(settings).expect("a carrier can be started");
        let installation = Installation::new(carrier.address());
        Self { carrier, installation, receiver: Receiver::start() }
    }

    /// The body of a callback of two telephones of its own: A stays until it is told to go, B hangs up.
    fn callback(&self, number: usize) -> Value {
        let (status, fee) = (encoded(&self.receiver.url("status")), encoded(&self.receiver.url("fee")));
        json!({
            "displayNbr": NUMBER, "displayCalleeNbr": NUMBER, "statusUrl": status, "feeUrl": fee,
            "callerNbr": format!("+86138{number:04}0001"), "calleeNbr": format!("+86139{number:04}0002"),
        })
    }

    /// Waits until both parties of so many calls talk.
    fn until_talking(&self, calls: usize) {
        wait::until("conversations", PATIENCE, || {
            let answered = self.carrier.heard().iter().filter(|leg| leg.answered).count();
            (answered == 2 * calls).then_some(())
        });
    }

    /// Asserts that these calls went as calls go, to the last push, and that there are no others.
    fn went_well(&self, sessions: &[String]) {
        for session in sessions {
            assert_eq!(self.receiver.events(session), WHOLE);
            assert_eq!(self.receiver.state_code(session), 0);
            assert_eq!(self.receiver.fee(session)["ulFailReason"], 0);
        }
        assert_eq!(self.installation.records(10_000).len(), sessions.len());
        for leg in self.carrier.heard() {
            // B ends every call, and A is told so.
            let by = if leg.dialled.contains("139") { EndedBy::Callee } else { EndedBy::Caller };
            assert_eq!(leg.ended_by, Some(by));
        }
    }
}

/// A customer's connection that is kept.
struct Kept {
    stream: TcpStream,
}

impl Kept {
    fn open(server: &str) -> Self {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket has a patience");
        Self { stream }
    }

    /// Asks and gives the code, and whether the server ends the connection after it.
    fn ask(&mut self, request: &Request, server: &str) -> (Value, bool) {
        let head = String::from_utf8(request.head(server)).expect("a head is text");
        let head = head.replace("Connection: close\r\n", "");
        self.stream.write_all(head.as_bytes()).expect("the server reads");
        self.stream.write_all(&request.body).expect("the server reads");
        let mut answer = Vec::new();
        loop {
            let mut some = [0; 4_096];
            let read = self.stream.read(&mut some).expect("the server answers");
            assert!(read > 0, "a request was not answered");
            answer.extend_from_slice(&some[..read]);
            if let Some((body, closes)) = whole(&answer) {
                return (body, closes);
            }
        }
    }
}

/// The body of an answer and whether it is the last one of its connection, when it is all there.
fn whole(answer: &[u8]) -> Option<(Value, bool)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let length: usize = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    let body = body.get(..length)?;
    Some((serde_json::from_str(body).ok()?, head.contains("connection: close")))
}

#[test]
fn asked_to_end_under_load_it_answers_everybody_and_cuts_nobody() {
    const CLIENTS: usize = 8;
    const ENOUGH: usize = 40;
    let scene = Scene::new(Duration::from_secs(3));
    let server = scene.installation.serve();
    let customer = scene.installation.customer(&server);
    let (accepted, next) = (Mutex::new(Vec::new()), Mutex::new(0..9_999));
    let client = || {
        let mut kept = Kept::open(&server.http);
        let mut refused = 0;
        // Refused once, it asks again: whoever comes then is told so too.
        while refused < 2 {
            let number = next.lock().expect("no client panics").next().expect("there are enough numbers");
            let order = customer.request("POST", CALLBACK).body(scene.callback(number).to_string());
            let (answer, closes) = kept.ask(&order, &server.http);
            match answer["resultcode"].as_str() {
                Some("0") => {
                    let session = answer["sessionId"].as_str().expect("an accepted call has a session");
                    accepted.lock().expect("no client panics").push(session.to_owned());
                    thread::park_timeout(Duration::from_millis(50));
                }
                other => {
                    assert_eq!((other, closes), (Some(BUSY.1), true));
                    refused += 1;
                }
            }
            if closes {
                kept = Kept::open(&server.http);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(client);
        }
        wait::until("some calls", PATIENCE, || {
            (accepted.lock().expect("no client panics").len() >= ENOUGH).then_some(())
        });
        server.ask_to_end();
    });
    let status = server.ended();
    assert!(status.success(), "the server ended with {status}");
    scene.went_well(&accepted.into_inner().expect("no client panicked"));
}

#[test]
fn what_holds_orders_back_holds_back_nothing_else() {
    let scene = Scene::new(Duration::from_secs(1));
    // No machine has so much memory left.
    let server = scene.installation.serve_with(&[("HUIHU_OVERLOAD__MEMORY_FREE_MB", "1000000000")]);
    let operator = Operator::of(&scene.installation, &server);
    let customer = scene.installation.customer(&server);
    let health = || operator.does("GET", "/health", &Value::Null);
    wait::until("orders to be held back", PATIENCE, || {
        (health()["held_back"] == json!({"by": "memory", "orders_per_second": 0})).then_some(())
    });
    let refused = customer.post(CALLBACK, &scene.callback(0));
    assert_eq!((refused.status, refused.code()), BUSY);
    let ksyun = ksyun::Customer::from(customer.clone());
    assert_eq!(ksyun.verify("13800000001", "4829").status, KSYUN_BUSY);
    // A stranger reads the same as a customer.
    let mut stranger = customer.clone();
    stranger.secret = "another".to_owned();
    assert_eq!(stranger.post(CALLBACK, &scene.callback(0)).bytes, refused.bytes);
    assert_eq!(customer.stop("1200_366_0_20260102030405@test.huihu").code(), "1020152");
    assert_eq!(stranger.post(STOP, &json!({})).code(), "1010010", "an invalid digest has the same code");
    assert_eq!(health()["orders_refused"], 3);
    assert_eq!(health()["serving"], true);
    let said = scene.installation.log().matches("orders for calls are held back: memory is short").count();
    assert_eq!(said, 1, "it is said once");
    assert_eq!(scene.carrier.heard().len(), 0);
}

/// Breaks the disk in some way under a conversation: orders are refused, the conversation goes on to its end, and when it is
/// mended all is as if nothing had been.
fn survives<M: FnOnce()>(scene: &Scene, server: &Server, code: &str, break_it: impl FnOnce() -> M) {
    let customer = scene.installation.customer(server);
    let session = customer.post(CALLBACK, &scene.callback(0)).session();
    scene.until_talking(1);
    let mend = break_it();
    wait::until("orders to be refused", PATIENCE, || {
        let answer = customer.post(CALLBACK, &scene.callback(1));
        (answer.code() == code).then_some(())
    });
    wait::until("the conversation to end", PATIENCE, || {
        let legs = scene.carrier.heard();
        legs.iter().filter(|leg| leg.dialled.contains("0000")).all(|leg| leg.ended_by.is_some()).then_some(())
    });
    assert_eq!(customer.post(CALLBACK, &scene.callback(1)).code(), code);
    assert_ne!(
        scene.receiver.of(&session).last().map(|push| push.event().to_owned()),
        Some("fee".to_owned())
    );
    mend();
    let next = wait::until("orders to be taken again", PATIENCE, || {
        let answer = customer.post(CALLBACK, &scene.callback(2));
        (answer.code() == "0").then(|| answer.session())
    });
    scene.went_well(&[session, next]);
}

#[test]
fn a_disk_that_is_full_costs_no_call_and_no_fact() {
    let scene = Scene::new(Duration::from_secs(2));
    let server = scene.installation.serve_on_small_disk();
    survives(&scene, &server, "1023001", || {
        server.fill_disk();
        || server.free_disk()
    });
}

#[test]
fn a_database_that_somebody_holds_costs_no_call_and_no_fact() {
    let scene = Scene::new(Duration::from_secs(2));
    let server = scene.installation.serve();
    survives(&scene, &server, "1023002", || {
        let lock = scene.installation.lock_database();
        move || drop(lock)
    });
}

#[test]
fn a_database_that_was_moved_away_costs_no_call_and_no_fact() {
    let scene = Scene::new(Duration::from_secs(2));
    let server = scene.installation.serve();
    let (path, aside) = (scene.installation.path("data/huihu.db"), scene.installation.path("aside"));
    survives(&scene, &server, "1023001", || {
        fs::rename(&path, &aside).expect("a file can be moved");
        move || fs::rename(aside, path).expect("a file can be moved back")
    });
}

#[test]
fn a_clock_that_is_set_changes_no_timer_and_no_duration() {
    const HOUR_SECS: i64 = 3_600;
    let scene = Scene::new(Duration::from_secs(2));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let clock = WallClock::new(folder.path());
    let server = scene.installation.serve_with(&clock.environment());
    let customer = scene.installation.customer(&server);
    let mut sessions = Vec::new();
    for (number, offset_secs) in [-HOUR_SECS, HOUR_SECS].into_iter().enumerate() {
        clock.set(0);
        let session = customer.post(CALLBACK, &scene.callback(number)).session();
        scene.until_talking(number + 1);
        clock.set(offset_secs);
        let stale = customer.post(CALLBACK, &scene.callback(99));
        assert_eq!(stale.code(), "1010013", "what is signed is judged by the clock that the operator set");
        assert_eq!(scene.receiver.events(&session), WHOLE);
        let told = scene.receiver.of(&session);
        let times = told.iter().filter_map(|push| push.body["statusInfo"]["timestamp"].as_str());
        let times: Vec<NaiveDateTime> = times
            .map(|time| NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").expect("a time"))
            .collect();
        assert!(times.is_sorted(), "times go back: {times:?}");
        let took = *times.last().expect("an end") - *times.first().expect("a beginning");
        assert!((2..HOUR_SECS / 2).contains(&took.num_seconds()), "{took}");
        sessions.push(session);
    }
    scene.went_well(&sessions);
}
