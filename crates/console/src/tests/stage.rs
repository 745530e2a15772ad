//! The API of a new data directory, and a client of it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use admission::{Finding, Quota, Resource, Scope};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request};
use base::call::Call;
use base::clip::{ClipKey, ClipWish, SystemClip, Values};
use base::fact::{Entry, Fact, KeySource};
use base::id::{AppId, CallId, Leg};
use base::number::E164;
use base::order::{Callback, CalleeMedia, Notice, NoticeItem, Product, ProductKind};
use base::private::Private;
use base::quota::{Counted, Window};
use base::refusal::Refusal;
use base::release::{Cause, Ending, Party, Release};
use base::time::Timestamp;
use base::trunk::{Condition, TrunkState};
use base::url::PushUrl;
use serde_json::{Value, json};
use speech::shelf::Shelf;
use store::{Accounts, Journal, Opened, Outcome, PushNo, Store, Verdict};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::{
    Asked, Explained, Host, HostCondition, House, OperatorKey, Parts, Question, Sessions, Trunk, Unexplained,
    router,
};

/// The API of a new data directory, from which somebody serves or nobody.
pub(super) struct Stage {
    router: Router,
    token: String,
    journal: Opened,
    pub(super) dir: TempDir,
}

/// A platform that answers everything in a way that tests can tell.
struct Somebody {
    banned: Mutex<Vec<IpAddr>>,
}

/// An answer of the API.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
    pub(super) json: Value,
}

impl Stage {
    /// Nobody serves.
    pub(super) async fn new() -> Self {
        Self::with(|parts, _| parts).await
    }

    /// Somebody serves.
    pub(super) async fn serving() -> Self {
        let house = Somebody { banned: Mutex::new(vec![BANNED.parse().unwrap()]) };
        Self::with(|parts, accounts| parts.serving(accounts, Arc::new(house))).await
    }

    async fn with(serve: impl FnOnce(Parts, Accounts) -> Parts) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let key = OperatorKey::open(dir.path()).unwrap();
        let shelf = Shelf::open(dir.path().join("clips")).unwrap();
        let sessions = Sessions {
            parse: |text| {
                if let Some(whole) = text.strip_prefix("session-") {
                    let call = whole.parse().ok()?;
                    return Some(call..=call);
                }
                // A name that says only when the call was, and not which of those.
                let part = text.strip_prefix("short-").filter(|part| part.len() == 12)?;
                let end = |digit: &str| format!("{part}{}", digit.repeat(20)).parse().ok();
                Some(end("0")?..=end("f")?)
            },
            print: |dialect, call, _| match dialect {
                "short" => format!("short-{}", &call.to_string()[..12]),
                _ => format!("session-{call}"),
            },
        };
        let token = key.token().expose().to_string();
        let term = store.serve("node-1", noon()).await.unwrap();
        let journal = Journal::open(&store, term, noon).await.unwrap();
        let accounts = Accounts::load(&store).await.unwrap();
        let parts = serve(
            Parts::new(&store, shelf, key, sessions, noon).with_traces(dir.path().join("traces")),
            accounts,
        );
        Self { router: router(parts), token, journal, dir }
    }

    /// A call of an app that begins, and ends if it shall.
    pub(super) async fn call(&self, app: i64, number: u32, end: End) -> CallId {
        let mut entries = story(call(app, number));
        if end == End::Open {
            entries.truncate(3);
        }
        let id = entries[0].call;
        self.journal.journal.accept(entries[0].clone(), Vec::new()).await.unwrap();
        self.journal.journal.append(entries[1..].to_vec()).unwrap();
        while !self.journal.journal.is_still() {
            tokio::task::yield_now().await;
        }
        id
    }

    /// A call that is told of by a report: its party presses two keys and hangs up.
    pub(super) async fn reported_call(&self, app: i64, number: u32) -> CallId {
        let entries = pressed(reported(call(app, number)));
        let id = entries[0].call;
        self.journal.journal.accept(entries[0].clone(), Vec::new()).await.unwrap();
        self.journal.journal.append(entries[1..].to_vec()).unwrap();
        while !self.journal.journal.is_still() {
            tokio::task::yield_now().await;
        }
        id
    }

    /// A push is given up.
    pub(super) async fn settle_push(&self, push: i64) {
        let outcome = Outcome::Parked { message: PushNo(push), why: "the receiver is gone".into() };
        let verdict = Verdict { id: PushNo(push), at: noon(), took: Duration::ZERO, outcome, exchange: None };
        self.journal.journal.settle(vec![verdict]).unwrap();
        while !self.journal.journal.is_still() {
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(json_body(self.request(Method::POST, path), body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(json_body(self.request(Method::PUT, path), body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(json_body(self.request(Method::PATCH, path), body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A request of the operator.
    pub(super) fn request(&self, method: Method, path: &str) -> Request<Body> {
        let mut request = anonymous(method, path);
        let token = format!("Bearer {}", self.token).parse().unwrap();
        request.headers_mut().insert(AUTHORIZATION, token);
        request
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: head.status.as_u16(), headers: head.headers, bytes, json }
    }

    /// An app, by its id.
    pub(super) async fn app(&self, name: &str) -> i64 {
        let made = self.post("/apps", &json!({"name": name, "account": "shop"})).await;
        assert_eq!(made.status, 201, "{}", made.json);
        made.json["id"].as_i64().unwrap()
    }
}

impl Answer {
    /// Asserts that this is a problem of that kind.
    #[track_caller]
    pub(super) fn is(&self, status: u16, kind: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.json);
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.json["type"], format!("urn:huihu:problem:{kind}"), "{}", self.json);
        assert_eq!(self.json["status"], status);
        for field in ["title", "detail", "fix"] {
            assert!(
                self.json[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field} of {}",
                self.json
            );
        }
        self
    }
}

/// A request of a stranger.
pub(super) fn anonymous(method: Method, path: &str) -> Request<Body> {
    let uri = if path.starts_with("/api") { path.to_owned() } else { format!("/api/v1{path}") };
    Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

/// The same request with a body of JSON.
pub(super) fn json_body(request: Request<Body>, body: &Value) -> Request<Body> {
    let (mut head, _) = request.into_parts();
    head.headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
    Request::from_parts(head, Body::from(body.to_string()))
}

/// Whether a call is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Over,
    Open,
}

impl House for Somebody {
    fn live(&self) -> usize {
        3
    }

    fn trunks(&self) -> Vec<Trunk> {
        let trunk = |name: &str, port: u16, state, status| Trunk {
            name: name.into(),
            peers: vec![format!("192.0.2.1:{port}").into()],
            domain: None,
            username: Some("us".into()),
            condition: Condition { state, since: noon(), status },
            link: None,
            calls: 7,
            calls_max: Some(30),
            seen_as: "203.0.113.5:40000".parse().ok(),
        };
        vec![
            trunk("near", 5060, TrunkState::Working, None),
            trunk("far", 5062, TrunkState::Failing, Some(503)),
        ]
    }

    fn hosts(&self) -> Vec<Host> {
        let host = |name: &str, condition| Host {
            name: name.into(),
            condition,
            failures: 10,
            failing_since: Some(noon()),
            last_fault: Some((noon(), "no answer within 10 s".into())),
            taken: 7,
            failed: 12,
            in_flight: 1,
        };
        let until = noon() + Duration::from_secs(40);
        vec![
            host("receiver.example", HostCondition::Resting { until }),
            host("a.example", HostCondition::Probing),
        ]
    }

    fn bans(&self) -> Vec<(IpAddr, Timestamp)> {
        self.banned.lock().unwrap().iter().map(|address| (*address, noon())).collect()
    }

    fn lift(&self, address: IpAddr) {
        self.banned.lock().unwrap().retain(|banned| *banned != address);
    }

    fn explain(&self, asked: &Asked) -> Result<Explained, Unexplained> {
        let quota = Quota {
            of: Resource::Calls(Counted::Callee),
            set_for: Scope::App,
            per: Some(Window::Day),
            allowed: 3,
            used: 1,
        };
        let finding = |rule, refusal| Finding { rule, refusal, objection: None, quotas: vec![quota] };
        match &asked.question {
            Question::Order { placing, .. } => {
                let refusal = (placing.product.kind() == ProductKind::Code).then_some(Refusal::CalleeBlocked);
                let findings = vec![finding(named_texts(&placing.product), refusal)];
                Ok(Explained { unreadable: None, findings, answer: None })
            }
            Question::Request { path, .. } if **path == *"/none" => Err(Unexplained::UnknownPath),
            Question::Request { path, .. } if **path == *"/stop" => Err(Unexplained::NoCall),
            Question::Request { path, .. } if **path == *"/keyless" => Err(Unexplained::NoAccount),
            Question::Request { path, body, .. } if **path == *"/reports" => {
                let objecting = |objection| Finding { objection, ..finding("the rule", None) };
                let last = finding("the last rule", (**body == *b"full").then_some(Refusal::AppPortsTaken));
                let objections = [Some(Cause::ForbiddenWords), Some(Cause::CalleeBlocked), None];
                let findings = objections.into_iter().map(objecting).chain([last]).collect();
                Ok(Explained { unreadable: None, findings, answer: None })
            }
            Question::Request { body, .. } => Ok(Explained {
                unreadable: Some(Refusal::BadBody),
                findings: Vec::new(),
                answer: Some((403, body.clone())),
            }),
        }
    }
}

/// The rule that a platform of the tests has: it counts the texts that are spoken with values by name.
fn named_texts(product: &Product<ClipWish>) -> &'static str {
    let is_named = |voice: &&ClipWish| matches!(voice, ClipWish::Spoken { values: Values::ByName(_), .. });
    let texts = match product {
        Product::Notice(notice) => notice.items.iter().map(|item| &item.voice).filter(is_named).count(),
        Product::Menu(menu) => menu.tree.voices().filter(is_named).count(),
        Product::Callback(_) | Product::Code(_) => 0,
    };
    ["the rule", "1 text with names", "2 texts with names"][texts]
}

/// The call of that number: a callback with user data.
fn call(app: i64, number: u32) -> Call {
    let url = |path| PushUrl::parse(&format!("http://receiver.example/{path}")).unwrap();
    let party = |digit: u32| E164::parse(&format!("+86138{digit}{number:07}")).unwrap();
    let accepted_at = noon() + Duration::from_secs(number.into());
    Call {
        id: CallId::new(accepted_at, u128::from(number)),
        dialect: "test".into(),
        node: "node-1".into(),
        account: "shop".into(),
        app: AppId(app),
        key: "key-1".into(),
        accepted_at,
        product: Product::Callback(Callback {
            caller: party(0),
            callee: party(1),
            shown_to_caller: E164::parse("+8675500000001").unwrap(),
            shown_to_callee: E164::parse("+8675500000002").unwrap(),
            longest: None,
            pre_voice: None,
            wait_voice: ClipKey::System(SystemClip::RingBack),
            callee_media: CalleeMedia::All,
            recorded: None,
        }),
        status_url: Some(url("status")),
        fee_url: Some(url("fee")),
        report_url: None,
        asked_shown: None,
        user_data: Some(format!("order {number}").into()),
        tell_who_hung_up: false,
    }
}

/// The same call as a notice of a dialect that reports.
fn reported(call: Call) -> Call {
    let (callee, shown) = (E164::parse("+8613800000001").unwrap(), E164::parse("+8675500000001").unwrap());
    let item = NoticeItem { voice: ClipKey::System(SystemClip::HintTone), collect: None };
    Call {
        dialect: "short".into(),
        product: Product::Notice(Notice { callee, shown, items: vec![item] }),
        status_url: None,
        fee_url: None,
        report_url: PushUrl::parse("http://receiver.example/report").ok(),
        ..call
    }
}

/// Every entry of a call whose caller is busy.
fn story(call: Call) -> Vec<Entry> {
    let busy =
        Release { by: Party::Caller, cause: Cause::Busy, status: Some(486), q850: Some(17), rang: true };
    let facts = [
        Fact::dialled(Leg::A),
        Fact::Ringing { leg: Leg::A, dialog: None },
        Fact::released(Leg::A, busy),
        Fact::Over(Ending { by: Party::Caller, cause: Cause::Busy, leg: Some(Leg::A) }),
    ];
    entries(call, facts)
}

/// Every entry of a call whose party presses 4 and 2 and hangs up.
fn pressed(call: Call) -> Vec<Entry> {
    let press = |digit| Fact::Digit { leg: Leg::A, digit: Private::new(digit), source: KeySource::Event };
    let facts = [
        Fact::dialled(Leg::A),
        Fact::Answered { leg: Leg::A, dialog: None },
        press('4'),
        press('2'),
        Fact::released(Leg::A, Release::normal(Party::Caller)),
        Fact::Over(Ending { by: Party::Caller, cause: Cause::Normal, leg: Some(Leg::A) }),
    ];
    entries(call, facts)
}

/// The acceptance of a call and what follows.
fn entries(call: Call, facts: impl IntoIterator<Item = Fact>) -> Vec<Entry> {
    let (id, begin) = (call.id, call.accepted_at);
    let facts = std::iter::once(Fact::Accepted(Box::new(call))).chain(facts);
    let at = |seq: u32| begin + Duration::from_millis(100 * u64::from(seq));
    let entry = |(fact, seq): (Fact, u32)| Entry { call: id, seq, at: at(seq), fact };
    facts.zip(0..).map(entry).collect()
}

/// The address that is banned when somebody serves.
pub(super) const BANNED: &str = "203.0.113.7";

/// What the clock says in every story.
pub(super) fn noon() -> Timestamp {
    Timestamp::parse("2026-01-02T12:00:00Z", "%Y-%m-%dT%H:%M:%SZ").unwrap()
}
