//! The process is killed in the middle of everything: what it had promised is kept by the next one.
//!
//! The telephones are the simulated carrier's, in this process, so that they outlive the crash and never hang up by
//! themselves: a leg that the next process does not release stays up for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::UdpSocket;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use carrier::{Carrier, EndedBy, Settings};
use huihu_tests::api::{Answer, Customer, NUMBER, encoded};
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::ksyun::{self, call_id};
use huihu_tests::operator::Operator;
use huihu_tests::receiver::{Receiver, Reply};
use huihu_tests::sipp::free_port;
use huihu_tests::wait;
use serde_json::{Value, json};
use store::admin::PushPick;
use store::{Admin, PushState, Store};

/// Clients that place calls at the same time.
const CLIENTS: usize = 8;

/// How long a busy machine may take for hundreds of calls.
const PATIENCE: Duration = Duration::from_secs(30);

/// What becomes of a call, by the last digits that are dialled: it is answered.
const ANSWERS: &str = "0001";
/// It rings for longer than any test.
const RINGS: &str = "0480";

/// It is answered, and 1, 1 and 9 are pressed.
const PRESSES: &str = "1119";

/// All status events of a callback, in order.
const CALLBACK: &[&str] = &["callout", "alerting", "answer", "callout", "alerting", "answer", "disconnect"];
/// All status events of a verification call, in order.
const CODE: &[&str] = &["callout", "alerting", "answer", "disconnect"];

/// The parts that a crash does not touch.
struct Scene {
    carrier: Carrier,
    installation: Installation,
    receiver: Receiver,
}

/// A call that a customer asks for.
#[derive(Clone, Debug)]
enum Wish {
    Callback { caller: String, callee: String },
    Code { callee: String },
}

impl Scene {
    /// `ports` is how many calls the platform runs at once.
    fn new(ports: usize) -> Self {
        let mut settings = Settings::new("127.0.0.1:0".parse().expect("this is an address"));
        settings.quiet_max = None;
        settings.times.ring = Duration::from_millis(200);
        settings.times.give_up = Duration::from_secs(3_600);
        let carrier = Carrier::start(settings).expect("a carrier can be started");
        let installation = Installation::new(carrier.address());
        let file = installation.path("huihu.toml");
        let config = fs::read_to_string(&file).expect("the configuration is there");
        // The next process is known to the carrier by the same address, as in real life.
        let config = config.replace("listen = \"127.0.0.1:0\"", &format!("listen = \"{}\"", free_port()));
        fs::write(&file, format!("{config}[limits]\nports = {ports}\n")).expect("the folder can be written");
        Self { carrier, installation, receiver: Receiver::start() }
    }

    fn place(&self, customer: &Customer, wish: &Wish) -> std::io::Result<Answer> {
        let (status, fee) = (encoded(&self.receiver.url("status")), encoded(&self.receiver.url("fee")));
        match wish {
            Wish::Callback { caller, callee } => {
                let body = json!({
                    "displayNbr": NUMBER, "displayCalleeNbr": NUMBER, "callerNbr": caller, "calleeNbr": callee,
                    "statusUrl": status, "feeUrl": fee,
                });
                customer.try_post("/rest/httpsessions/click2Call/v2.0", &body)
            }
            Wish::Code { callee } => {
                let body = json!({
                    "displayNbr": NUMBER, "calleeNbr": callee, "languageType": 2, "preTone": "welcome.wav",
                    "verifyCode": "4829", "times": 0, "statusUrl": status, "feeUrl": fee,
                });
                customer.try_post("/rest/httpsessions/callVerify/v1.0", &body)
            }
        }
    }

    /// Places calls from several clients until none is left or the server is gone; what was accepted goes into the
    /// list as soon as it is.
    fn place_all(&self, customer: &Customer, wishes: Vec<Wish>, accepted: &Mutex<Vec<String>>) {
        let wishes = Mutex::new(wishes.into_iter());
        let next = || wishes.lock().expect("no client panics").next();
        let client = || {
            while let Some(wish) = next() {
                let Ok(answer) = self.place(customer, &wish) else { return };
                accepted.lock().expect("no client panics").push(answer.session());
            }
        };
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(client);
            }
        });
    }

    /// Asserts what holds after the restart: the accepted calls, and perhaps some whose answer was lost, are each
    /// recorded once, billed once, told to their end in order, and gone from the network.
    fn is_settled(&self, accepted: &[String]) {
        wait::until("all telephones to be released", PATIENCE, || {
            (self.carrier.open_legs() == 0).then_some(())
        });
        let records = self.installation.records(100_000);
        let session = |record: &Value| record["session"].as_str().expect("a record has a session").to_owned();
        let recorded: BTreeSet<String> = records.iter().map(session).collect();
        assert_eq!(recorded.len(), records.len(), "one record a call");
        let lost: Vec<_> = accepted.iter().filter(|session| !recorded.contains(*session)).collect();
        assert!(lost.is_empty(), "accepted and not recorded: {lost:?}");
        wait::until("all pushes", PATIENCE, || {
            let Told { events, fees } = self.told();
            let is_told = |session: &String| {
                let last = events.get(session).and_then(|events| events.last());
                last.is_some_and(|last| last["eventType"] == "disconnect") && fees.contains_key(session)
            };
            recorded.iter().all(is_told).then_some(())
        });
        let Told { events, fees } = self.told();
        for record in &records {
            let session = session(record);
            assert_eq!(fees[&session].len(), 1, "fee records that differ: {:#?}", fees[&session]);
            let names: Vec<&str> =
                events[&session].iter().filter_map(|event| event["eventType"].as_str()).collect();
            let whole = if record["product"] == "callback" { CALLBACK } else { CODE };
            let (last, before) = names.split_last().expect("there is a last event");
            assert!(*last == "disconnect" && whole.starts_with(before), "{session}: {names:?}");
        }
        let strangers =
            |told: Vec<&String>| told.into_iter().find(|session| !recorded.contains(*session)).cloned();
        assert_eq!(strangers(events.keys().collect()), None, "told of a call without a record");
        assert_eq!(strangers(fees.keys().collect()), None, "billed for a call without a record");
        self.nobody_was_called_for_nothing(&records);
        self.installation.run(&["record", "audit"]);
    }

    /// Every telephone that rang belongs to a recorded call, and rang once.
    fn nobody_was_called_for_nothing(&self, records: &[Value]) {
        let dialled = |record: &Value| {
            ["a", "b"].map(|leg| record["legs"][leg]["dialled"].as_str().unwrap_or_default().to_owned())
        };
        let wanted: BTreeSet<String> = records.iter().flat_map(dialled).collect();
        let mut rung = BTreeSet::new();
        for leg in self.carrier.heard() {
            assert!(wanted.contains(&leg.dialled), "a call that was not accepted");
            assert!(rung.insert(leg.dialled), "a telephone that rang twice");
            assert_eq!(leg.ended_by, Some(EndedBy::Caller));
        }
    }

    /// What the receiver was told, without what it was told before. After a crash the pushes begin again with the first
    /// one whose answer was not written down yet.
    fn told(&self) -> Told {
        let mut told = Told::default();
        for push in self.receiver.all() {
            if push.event() == "fee" {
                for fee in push.body["feeLst"].as_array().expect("a fee push has a list") {
                    let fees = told.fees.entry(session_of(fee)).or_default();
                    if !fees.contains(fee) {
                        fees.push(fee.clone());
                    }
                }
            } else {
                let events = told.events.entry(session_of(&push.body["statusInfo"])).or_default();
                if !events.contains(&push.body) {
                    events.push(push.body.clone());
                }
            }
        }
        told
    }

    /// Asserts that the platform takes a call, runs it and ends it.
    fn works(&self, server: &Server) {
        let customer = self.installation.customer(server);
        let wish = Wish::Callback { caller: number(9_000, ANSWERS), callee: number(9_001, ANSWERS) };
        let session = self.place(&customer, &wish).expect("the server answers").session();
        wait::until("a conversation", PATIENCE, || {
            let answers = self.receiver.of(&session).iter().filter(|push| push.event() == "answer").count();
            (answers == 2).then_some(())
        });
        assert_eq!(customer.stop(&session).code(), "0");
        assert_eq!(self.receiver.events(&session), CALLBACK);
    }
}

/// What a receiver was told, by session.
#[derive(Default)]
struct Told {
    events: BTreeMap<String, Vec<Value>>,
    fees: BTreeMap<String, Vec<Value>>,
}

fn session_of(told: &Value) -> String {
    told["sessionId"].as_str().expect("what is told is about a session").to_owned()
}

/// A number of its own for each party, with its fate at its end.
fn number(n: usize, fate: &str) -> String {
    format!("+86138{n:04}{fate}")
}

/// As many callbacks as codes, in all phases that last: ringing at A, ringing at B, in conversation, being announced.
fn mixed(count: usize, from: usize) -> Vec<Wish> {
    (from..from + count)
        .map(|n| {
            let (caller, callee) = (2 * n, 2 * n + 1);
            match n % 8 {
                0 | 4 => Wish::Callback { caller: number(caller, ANSWERS), callee: number(callee, ANSWERS) },
                2 => Wish::Callback { caller: number(caller, ANSWERS), callee: number(callee, RINGS) },
                6 => Wish::Callback { caller: number(caller, RINGS), callee: number(callee, ANSWERS) },
                1 | 5 => Wish::Code { callee: number(callee, ANSWERS) },
                _ => Wish::Code { callee: number(callee, RINGS) },
            }
        })
        .collect()
}

#[test]
fn calls_that_were_under_way_are_closed_once_and_released() {
    const CALLS: usize = 200;
    let scene = Scene::new(CALLS);
    let server = scene.installation.serve();
    let customer = scene.installation.customer(&server);
    let accepted = Mutex::new(Vec::new());
    scene.place_all(&customer, mixed(CALLS, 0), &accepted);
    let accepted = accepted.into_inner().expect("no client panicked");
    assert_eq!(accepted.len(), CALLS);
    // Of eight calls two are conversations, one rings at B, one at A, two are announced and two ring.
    wait::until("calls in all phases", PATIENCE, || {
        let legs = scene.carrier.heard();
        let answered = legs.iter().filter(|leg| leg.answered).count();
        ((legs.len(), answered) == (CALLS / 8 * 11, CALLS / 8 * 7)).then_some(())
    });
    let full = scene.place(&customer, &Wish::Code { callee: number(9_999, ANSWERS) });
    assert_eq!(full.expect("the server answers").code(), "1020154", "no port is left");
    server.kill();
    assert_eq!(scene.carrier.open_legs(), CALLS / 8 * 11, "nobody else hangs up");
    let server = scene.installation.serve();
    scene.is_settled(&accepted);
    for (session, events) in scene.told().events {
        let code = &events.last().expect("a settled call was told of")["statusInfo"]["stateCode"];
        assert_eq!(*code, 8020, "{session} ended because our process did");
    }
    // All ports came back: as many calls fit again, and they work.
    scene.works(&server);
}

#[test]
fn a_start_that_fails_leaves_the_calls_to_the_next_one() {
    let scene = Scene::new(100);
    let server = scene.installation.serve();
    let customer = scene.installation.customer(&server);
    let accepted = Mutex::new(Vec::new());
    scene.place_all(&customer, mixed(8, 0), &accepted);
    wait::until("calls in all phases", PATIENCE, || (scene.carrier.heard().len() == 11).then_some(()));
    server.kill();
    let holder = UdpSocket::bind("127.0.0.1:0").expect("a loopback port is free");
    let taken = holder.local_addr().expect("a socket has an address").to_string();
    for words in [["serve", "--sip", taken.as_str()], ["serve", "--http", "192.0.2.1:80"]] {
        let _complaint = scene.installation.complaint(&words, &[]);
        assert_eq!(scene.installation.records(10).len(), 0, "who cannot hang up does not close");
    }
    let _next = scene.installation.serve();
    scene.is_settled(&accepted.into_inner().expect("no client panicked"));
}

#[test]
fn what_was_accepted_while_the_process_died_is_kept() {
    let scene = Scene::new(10_000);
    let accepted = Mutex::new(Vec::new());
    for (round, enough) in [1, 20, 80].into_iter().enumerate() {
        let server = scene.installation.serve();
        let customer = scene.installation.customer(&server);
        let before = accepted.lock().expect("no client panics").len();
        thread::scope(|scope| {
            scope.spawn(|| scene.place_all(&customer, mixed(1_000, round * 1_000), &accepted));
            wait::until("some calls to be accepted", PATIENCE, || {
                (accepted.lock().expect("no client panics").len() >= before + enough).then_some(())
            });
            server.kill();
        });
        let _next = scene.installation.serve();
        scene.is_settled(&accepted.lock().expect("no client panics"));
    }
    scene.works(&scene.installation.serve());
}

#[test]
fn what_a_receiver_refused_is_still_owed_after_a_crash() {
    let scene = Scene::new(100);
    scene.receiver.refuse("fee", 500);
    let server = scene.installation.serve();
    let customer = scene.installation.customer(&server);
    let wish = Wish::Code { callee: number(1, ANSWERS) };
    let session = scene.place(&customer, &wish).expect("the server answers").session();
    wait::until("the answer", PATIENCE, || {
        scene.receiver.of(&session).iter().any(|push| push.event() == "answer").then_some(())
    });
    assert_eq!(customer.stop(&session).code(), "0");
    let fee = scene.receiver.fee(&session);
    let owed = || pushes(&scene.installation, PushState::Deferred);
    wait::until("the failed attempt to be written down", PATIENCE, || (owed() == 1).then_some(()));
    server.kill();
    let _next = scene.installation.serve();
    assert_eq!(owed(), 1, "the fee record waits for its next attempt, an hour later");
    assert_eq!(pushes(&scene.installation, PushState::Parked), 0);
    assert_eq!(scene.installation.records(10).len(), 1);
    assert_eq!(scene.receiver.fee(&session), fee);
}

#[test]
fn menus_that_were_under_way_are_reported_once_each() {
    const CALLS: usize = 40;
    let scene = Scene::new(2 * CALLS);
    let server = scene.installation.serve();
    let operator = Operator::of(&scene.installation, &server);
    let app = operator.app_named("demo");
    operator.open_all(&app);
    scene.receiver.answer("report", |_| Reply::code(0));
    operator.change_app(&app, &json!({"report_url": scene.receiver.url("report")}));
    let menu = json!({"nodes": {
        "root": {"prompt": "一", "keys": {"1": "next"}, "waitSecs": 60},
        "next": {"prompt": "二", "keys": {"1": "root"}, "waitSecs": 60},
    }});
    let menu = operator.template_of("menu", &app, &menu.to_string(), true);
    let customer = ksyun::Customer::from(scene.installation.customer(&server));
    // Half of them press 1 and then 9, which leads nowhere; the others press nothing, or are still ringing.
    let fates = [PRESSES, ANSWERS, PRESSES, RINGS];
    let mobiles = (0..CALLS).map(|n| format!("138{n:04}{}", fates[n % fates.len()]));
    let placed: BTreeMap<String, String> =
        mobiles.map(|mobile| (call_id(&customer.ivr(&mobile, &menu, "{}")), mobile)).collect();
    assert_eq!(placed.len(), CALLS);
    let answered = || scene.carrier.heard().iter().filter(|leg| leg.answered).count();
    wait::until("menus in all phases", PATIENCE, || (answered() == CALLS / 4 * 3).then_some(()));
    for call in placed.iter().filter(|(_, mobile)| mobile.ends_with(PRESSES)).map(|(call, _)| call) {
        wait::until("the keys", PATIENCE, || {
            (operator.ladder(call).matches("pressed a key").count() == 3).then_some(())
        });
    }
    server.kill();
    assert_eq!(scene.receiver.reports().len(), 0, "nothing was over");
    let _next = scene.installation.serve();
    wait::until("all telephones to be released", PATIENCE, || (scene.carrier.open_legs() == 0).then_some(()));
    wait::until("all reports", PATIENCE, || (scene.receiver.reports().len() >= CALLS).then_some(()));
    let reports = scene.receiver.reports();
    let told = |report: &Value| report["CallId"].as_str().expect("a report names its call").to_owned();
    assert_eq!(reports.iter().map(told).collect::<BTreeSet<_>>(), placed.keys().cloned().collect());
    assert_eq!(reports.len(), CALLS, "each of them once: the receiver took every message");
    for report in &reports {
        let path = if placed[&told(report)].ends_with(PRESSES) { "11" } else { "" };
        assert_eq!((&report["Status"], &report["PressKey"]), (&json!("FAIL"), &json!(path)), "{report}");
    }
    assert_eq!(scene.installation.records(2 * CALLS).len(), CALLS);
}

#[test]
fn a_report_that_was_refused_comes_again_after_a_crash() {
    let scene = Scene::new(100);
    let server = scene.installation.serve();
    let operator = Operator::of(&scene.installation, &server);
    scene.receiver.refuse("report", 500);
    operator.change_app(&operator.app_named("demo"), &json!({"report_url": scene.receiver.url("report")}));
    let customer = ksyun::Customer::from(scene.installation.customer(&server));
    let call = call_id(&customer.verify("13800000486", "4829"));
    let refused = scene.receiver.report(&call);
    wait::until("the failed attempt to be written down", PATIENCE, || {
        (operator.push_state(&call, "report") == "deferred").then_some(())
    });
    server.kill();
    let before = scene.receiver.all().len();
    scene.receiver.answer("report", |_| Reply::code(0));
    // The dead process had a minute to repeat it from memory. Nobody needs to wait until that is over.
    let database = scene.installation.open_database();
    database.execute("UPDATE push SET at = at - 60000000", []).expect("a minute can go by");
    drop(database);
    let server = scene.installation.serve();
    let operator = Operator::of(&scene.installation, &server);
    wait::until("the report to be taken", PATIENCE, || {
        (operator.push_state(&call, "report") == "delivered").then_some(())
    });
    let after = scene.receiver.all().split_off(before);
    assert_eq!(after.len(), 1, "it was taken the first time");
    assert_eq!(after[0].body, json!([refused]));
}

/// Pushes in a state, as an operator sees them beside the running server.
fn pushes(installation: &Installation, state: PushState) -> usize {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be started");
    runtime.block_on(async {
        let store = Store::open(&installation.path("data")).await.expect("the data directory is there");
        Admin::new(&store).pushes(PushPick::In(state), 100).await.expect("pushes can be listed").len()
    })
}
