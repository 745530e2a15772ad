//! P1 to P10: what is pushed, how often, in which order.

use std::collections::BTreeSet;

use huihu_tests::api::{Customer, encoded, hmac, lay};
use huihu_tests::receiver::{Received, Receiver};
use huihu_tests::wait;
use serde_json::{Value, json};

use crate::house::Stage;
use crate::huawei::scene::{Api, BUSY, PATIENCE, Scene, TALKS};
use crate::huawei::town::Kind;
use crate::huawei::{Case, case};

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    [repeats(), messages(), contents(), signatures()].into_iter().flatten().collect()
}

/// What the receiver's answer makes of a push.
fn repeats() -> Vec<Case> {
    let refused = |row, status: u16| {
        case(
            row,
            format!("a fee record is answered with {status}"),
            "it comes again",
            move |scene: &Scene| {
                let mail = Mail::new();
                mail.receiver.refuse(FEE, status);
                let session = scene.callback(&mail.urls()).session();
                mail.fees(&session, 2);
                "it comes again".to_owned()
            },
        )
        .at(Kind::Insistent)
    };
    vec![
        case("P1", "status events are answered with 500", "callout 1, disconnect 1", |scene| {
            let mail = Mail::new();
            mail.receiver.refuse(STATUS, 500);
            mail.receiver.refuse(FEE, 500);
            let session = scene.callback(&mail.urls()).session();
            // The fee record was repeated meanwhile, and they were not.
            mail.fees(&session, 3);
            let count = |event: &str| mail.of(&session).iter().filter(|push| push.event() == event).count();
            format!("callout {}, disconnect {}", count("callout"), count("disconnect"))
        })
        .at(Kind::Insistent),
        case(
            "P2",
            "a fee record is answered with 500, 7 times",
            "7 posts a second apart, then it is parked",
            tried_until_parked,
        )
        .at(Kind::Insistent),
        refused("P10", 204),
        refused("P10b", 302),
        refused("P10c", 404),
    ]
}

/// Which pushes share a message, and in which order they come.
fn messages() -> Vec<Case> {
    vec![
        case("P3", "two calls that end in the same second", "1 message of 2", |scene| {
            let mail = Mail::new();
            ended_together(scene, &mail, &[&scene.customer, &scene.customer])
        }),
        case("P3b", "the same, of two apps", "2 messages of 1", |scene| {
            let other = Scene::new(&scene.house, 0);
            let mail = Mail::new();
            ended_together(scene, &mail, &[&scene.customer, &other.customer])
        })
        .given(|_| ()),
        case("P3c", "51 calls that end in the same second", "1 message of 1, 1 message of 50", |scene| {
            let mail = Mail::new();
            ended_together(scene, &mail, &[&scene.customer; 51])
        }),
        case("P3d", "two calls that end in different seconds", "2 messages of 1", |scene| {
            let mail = Mail::new();
            let first = scene.callback(&mail.urls()).session();
            let _first = mail.fees(&first, 1);
            // Its message was sent when its second was over.
            let second = scene.callback(&mail.urls()).session();
            let _second = mail.fees(&second, 1);
            messages_of(&mail, &[first, second])
        }),
        case(
            "P4",
            "a receiver that takes long for each event",
            "callout, alerting, answer, disconnect, one by one",
            one_by_one,
        ),
        case("P5", "no receiver at all", "nothing is owed", |scene| {
            let session = scene.callback(&json!({})).session();
            wait::until("the record", PATIENCE, || scene.operator().has_record(&session).then_some(()));
            match scene.operator().pushes(&session).len() {
                0 => "nothing is owed".to_owned(),
                owed => format!("{owed} pushes are owed"),
            }
        })
        .given(|_| ()),
    ]
}

/// How often a fee record is sent that nobody takes.
fn tried_until_parked(scene: &Scene) -> String {
    let mail = Mail::new();
    mail.receiver.refuse(FEE, 500);
    let session = scene.callback(&mail.urls()).session();
    wait::until("the push to be parked", 2 * PATIENCE, || {
        // It is owed from the end of the call on.
        let _begun = mail.fees(&session, 1);
        (scene.operator().push_state(&session, "fee") == "parked").then_some(())
    });
    let posts = mail.fees(&session, 1);
    let apart = posts.windows(2).all(|two| (two[1].at - two[0].at).as_secs_f64() > 0.9);
    let same = posts.iter().all(|post| post.body == posts[0].body);
    let apart = if apart && same { "a second apart" } else { "too soon, or changed" };
    format!("{} posts {apart}, then it is parked", posts.len())
}

/// In which order the events of a call come to a receiver that answers each when it has seen enough.
fn one_by_one(scene: &Scene) -> String {
    let mail = Mail::new();
    mail.receiver.hold(STATUS);
    let mut more = mail.urls();
    more["calleeNbr"] = json!(scene.a(TALKS));
    let session = scene.ask(Api::Code, &more).session();
    // Another call of the same app comes and goes while the first event is not answered.
    let other = Mail::new();
    let _quick = other.receiver.events(&scene.callback(&other.urls()).session());
    let mut seen: Vec<String> = Vec::new();
    let mut alone = true;
    while seen.last().is_none_or(|last| last != "disconnect") {
        let known = seen.len();
        seen = wait::until("the next event", PATIENCE, || {
            let pushes = mail.of(&session);
            let status = pushes.iter().map(Received::event).filter(|event| *event != "fee");
            let events: Vec<String> = status.map(str::to_owned).collect();
            (events.len() > known).then_some(events)
        });
        alone &= seen.len() == known + 1;
        mail.receiver.answer_one(STATUS);
    }
    format!("{}, {}", seen.join(", "), if alone { "one by one" } else { "crowded" })
}

/// What stands in a push.
fn contents() -> Vec<Case> {
    let parties = |row, words: &str, more: Value, expected: &str| {
        case(row, words, expected, move |scene: &Scene| {
            let mail = Mail::new();
            let mut body = mail.urls();
            lay(&mut body, &more);
            let session = scene.callback(&body).session();
            let _all = mail.receiver.events(&session);
            let pushes = mail.of(&session);
            let told = |push: &&Received| push.body["statusInfo"].get("partyType").is_some();
            let events: BTreeSet<&str> = pushes.iter().filter(told).map(Received::event).collect();
            if events.is_empty() {
                "in none".to_owned()
            } else {
                events.into_iter().collect::<Vec<_>>().join(", ")
            }
        })
    };
    let data = |row, words: &str, more: Value, expected: &str| {
        case(row, words, expected, move |scene: &Scene| {
            let mail = Mail::new();
            let mut body = mail.urls();
            lay(&mut body, &more);
            let session = scene.callback(&body).session();
            let fee = mail.receiver.fee(&session);
            let _all = mail.receiver.events(&session);
            let pushes = mail.of(&session);
            let status = pushes.iter().filter(|push| push.event() != "fee");
            let all: BTreeSet<String> = status
                .map(|push| &push.body["statusInfo"])
                .chain([&fee])
                .map(|info| info.get("userData").map_or_else(|| "absent".to_owned(), Value::to_string))
                .collect();
            all.into_iter().collect::<Vec<_>>().join(", ")
        })
    };
    vec![
        parties(
            "P6",
            "partyTypeRequiredInDisconnect \"true\"",
            json!({"partyTypeRequiredInDisconnect": "true"}),
            "disconnect",
        ),
        parties(
            "P6b",
            "partyTypeRequiredInDisconnect \"false\"",
            json!({"partyTypeRequiredInDisconnect": "false"}),
            "in none",
        ),
        parties("P6c", "no partyTypeRequiredInDisconnect", json!({}), "in none"),
        data("P7", "no userData", json!({}), "absent"),
        data("P7b", "userData", json!({"userData": "customerId123"}), "\"customerId123\""),
        case("P9", "the last event", "stateCode is a number, stateDesc a text", |scene| {
            let mail = Mail::new();
            let session = scene.callback(&mail.urls()).session();
            let _all = mail.receiver.events(&session);
            let pushes = mail.of(&session);
            let last = &pushes
                .iter()
                .find(|push| push.event() == "disconnect")
                .expect("it was waited for")
                .body["statusInfo"];
            let kind = |value: &Value| {
                if value.is_i64() {
                    "a number"
                } else if value.is_string() {
                    "a text"
                } else {
                    "neither"
                }
            };
            format!("stateCode is {}, stateDesc {}", kind(&last["stateCode"]), kind(&last["stateDesc"]))
        }),
    ]
}

/// The generations of signatures, each checked against what its documents say.
fn signatures() -> Vec<Case> {
    let signed = |row, words: &str, signature: &'static str, expected: &str| {
        case(row, words, expected, |scene: &Scene| {
            let mail = Mail::new();
            let session = scene.callback(&mail.urls()).session();
            let _fee = mail.receiver.fee(&session);
            let _all = mail.receiver.events(&session);
            let found: BTreeSet<&str> =
                mail.of(&session).iter().map(|push| signature_of(&mail, push, &scene.customer)).collect();
            found.into_iter().collect::<Vec<_>>().join(", ")
        })
        .given(move |scene| scene.operator().change_app(scene.app(), &json!({"push_signature": signature})))
    };
    vec![
        signed("P8", "url, nonce and UTC joined", "joined", "joined in UTC"),
        signed("P8b", "url, nonce and Beijing's time on lines", "lines", "lines in Beijing's time"),
        signed("P8c", "no signature", "off", "none"),
    ]
}

/// A receiver of one case, so that nobody else's pushes are in it.
struct Mail {
    receiver: Receiver,
}

impl Mail {
    fn new() -> Self {
        Self { receiver: Receiver::start() }
    }

    /// The fields that name it. The paths have a depth, for a signature covers all of them.
    fn urls(&self) -> Value {
        let url = |path: &str| encoded(&self.receiver.url(path));
        json!({"statusUrl": url(STATUS), "feeUrl": url(FEE)})
    }

    fn of(&self, session: &str) -> Vec<Received> {
        self.receiver.of(session)
    }

    /// The posts of a session's fee record, once there are so many.
    fn fees(&self, session: &str, posts: usize) -> Vec<Received> {
        wait::until("the posts of the fee record", 2 * PATIENCE, || {
            let fees: Vec<Received> =
                self.of(session).into_iter().filter(|push| push.event() == "fee").collect();
            (fees.len() >= posts).then_some(fees)
        })
    }
}

/// Has calls end in the same second, and tells in which messages their fee records came. Tries again when the clock
/// was between them.
fn ended_together(scene: &Scene, mail: &Mail, customers: &[&Customer]) -> String {
    for attempt in 0..ATTEMPTS {
        let sessions: Vec<String> = std::thread::scope(|scope| {
            let calls = customers.iter().enumerate().map(|(n, customer)| {
                let mut one = scene.clone();
                one.customer = (*customer).clone();
                if customer.key != scene.customer.key {
                    one.shown = Scene::new(&scene.house, 0).shown;
                }
                let caller = format!("+8613{attempt}{n:04}{BUSY}");
                scope.spawn(move || {
                    let mut more = mail.urls();
                    more["callerNbr"] = json!(caller);
                    one.callback(&more).session()
                })
            });
            let calls: Vec<_> = calls.collect();
            calls.into_iter().map(|call| call.join().expect("a call is accepted")).collect()
        });
        let seconds: BTreeSet<String> =
            sessions.iter().map(|session| mail.receiver.fee(session)["callEndTime"].to_string()).collect();
        if seconds.len() == 1 {
            return messages_of(mail, &sessions);
        }
    }
    format!("they did not end in the same second in {ATTEMPTS} attempts")
}

/// How many messages of how many records told of these sessions.
fn messages_of(mail: &Mail, sessions: &[String]) -> String {
    let ours = |fee: &&Value| sessions.iter().any(|session| fee["sessionId"] == **session);
    let mut sizes: Vec<usize> = mail
        .receiver
        .all()
        .iter()
        .filter_map(|push| push.body["feeLst"].as_array().map(|fees| fees.iter().filter(ours).count()))
        .filter(|size| *size > 0)
        .collect();
    sizes.sort_unstable();
    let mut told = Vec::new();
    for size in sizes.iter().collect::<BTreeSet<_>>() {
        let count = sizes.iter().filter(|other| *other == size).count();
        told.push(format!("{count} message{} of {size}", if count == 1 { "" } else { "s" }));
    }
    told.join(", ")
}

/// Which of the documented signatures a push carries.
fn signature_of(mail: &Mail, push: &Received, customer: &Customer) -> &'static str {
    let Some(token) = push.headers.get("x-aksk") else {
        return if push.headers.contains_key("authorization") { "half a signature" } else { "none" };
    };
    let value = |name: &str| {
        let rest = token.split_once(&format!("{name}=\"")).map_or("", |(_, rest)| rest);
        rest.split('"').next().unwrap_or("").to_owned()
    };
    let [username, digest, nonce, created] = ["Username", "PasswordDigest", "Nonce", "Created"].map(value);
    if username != customer.key {
        return "another key";
    }
    let url = mail.receiver.url(push.path.trim_start_matches('/'));
    let matches = |message: String| hmac(&customer.secret, &message) == digest;
    match hours_ahead(&created) {
        Some(0) if matches(format!("{url}{nonce}{created}")) => "joined in UTC",
        Some(8) if matches(format!("{url}\n{nonce}\n{created}")) => "lines in Beijing's time",
        _ => "none of the documents",
    }
}

/// How many hours a time is ahead of now in UTC.
fn hours_ahead(created: &str) -> Option<i64> {
    let created = chrono::NaiveDateTime::parse_from_str(created, huihu_tests::api::CREATED).ok()?;
    let ahead = created - chrono::Utc::now().naive_utc();
    Some((ahead + chrono::TimeDelta::minutes(30)).num_hours())
}

/// Where status events go.
const STATUS: &str = "calls/1/status";

/// Where fee records go.
const FEE: &str = "calls/1/fee";

/// How often calls are placed that shall end in the same second.
const ATTEMPTS: usize = 8;
