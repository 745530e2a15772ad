//! A table of calls: its rows run at once against one platform, and are printed.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use huihu_tests::huihu::{Installation, Server};
use huihu_tests::ksyun::{Customer, call_id};
use huihu_tests::operator::Operator;
use huihu_tests::scenario::Scenario;
use huihu_tests::sipp::Sipp;
use huihu_tests::trace::{Message, Trace};
use huihu_tests::wait;
use serde_json::{Value, json};

/// One item.
pub(crate) struct Row {
    pub(crate) item: &'static str,
    /// What the far end does.
    pub(crate) far: Scenario,
    /// What the far end of the next trunk does, if there is one.
    pub(crate) next: Option<Scenario>,
    /// What the telephone's user does while the call goes on.
    pub(crate) user: Box<dyn FnOnce() + Send>,
    /// What goes over the wire, as [`Trace::story`] tells it, at the trunk that was asked last.
    pub(crate) story: &'static str,
    /// What else must be true.
    pub(crate) and: fn(&Told),
}

/// What is known of a call that is over.
pub(crate) struct Told {
    /// What went over the wire.
    pub(crate) wire: Vec<Message>,
    /// The record.
    pub(crate) record: Value,
    /// The ladder.
    pub(crate) ladder: String,
}

impl Row {
    /// A row about which nothing more is to be said than what goes over the wire.
    pub(crate) fn new(item: &'static str, far: Scenario, story: &'static str) -> Self {
        Self { item, far, next: None, user: Box::new(|| {}), story, and: |_| {} }
    }

    /// While this happens.
    pub(crate) fn while_(self, user: impl FnOnce() + Send + 'static) -> Self {
        Self { user: Box::new(user), ..self }
    }

    /// Then this must be true.
    pub(crate) fn and(self, and: fn(&Told)) -> Self {
        Self { and, ..self }
    }
}

impl Told {
    /// The nth message with this start, counted from 0.
    #[track_caller]
    pub(crate) fn message(&self, start: &str, nth: usize) -> &Message {
        let mut found = self.wire.iter().filter(|message| message.text.starts_with(start));
        found.nth(nth).unwrap_or_else(|| panic!("there is no {start} number {nth}"))
    }
}

/// Runs all rows and prints them; panics when one is not as it should be.
pub(crate) fn holds(rows: Vec<Row>) {
    let far_ends: Vec<Vec<Sipp>> = rows
        .iter()
        .map(|row| [Some(&row.far), row.next.as_ref()].into_iter().flatten().map(Scenario::play).collect())
        .collect();
    let trunks: String = far_ends
        .iter()
        .enumerate()
        .flat_map(|(row, sipps)| {
            sipps.iter().enumerate().map(move |(way, sipp)| trunk(row, way, sipp.address()))
        })
        .collect();
    let house = House::new(&trunks);
    let told: Vec<(&str, Result<String, String>)> = thread::scope(|threads| {
        let running: Vec<_> = rows
            .into_iter()
            .zip(far_ends)
            .enumerate()
            .map(|(n, (row, sipps))| {
                let house = &house;
                (row.item, threads.spawn(move || house.run(n, row, sipps)))
            })
            .collect();
        running
            .into_iter()
            .map(|(item, row)| (item, row.join().unwrap_or_else(|_| Err("it panicked".to_owned()))))
            .collect()
    });
    for (item, outcome) in &told {
        match outcome {
            Ok(story) => println!("ok    {item:<64} {story}"),
            Err(fault) => println!("FAIL  {item:<64} {fault}"),
        }
    }
    let failed: Vec<_> = told.iter().filter(|(_, outcome)| outcome.is_err()).map(|(item, _)| item).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The platform that all rows are called by.
struct House {
    _installation: Installation,
    _server: Server,
    operator: Operator,
    customer: Customer,
    menu: String,
}

impl House {
    fn new(trunks: &str) -> Self {
        let installation = Installation::with_trunks(trunks);
        let server = installation.serve();
        let operator = Operator::of(&installation, &server);
        let app = operator.app_named("demo");
        operator.open_all(&app);
        // Whoever presses 5 and then 9 is at the end. Who presses nothing hears the prompt for minutes.
        let menu = json!({"nodes": {
            "root": {"prompt": "谢谢使用，请按五", "keys": {"5": "more"}, "waitSecs": 20, "plays": 5},
            "more": {"prompt": "再请按九", "keys": {"9": "end"}, "waitSecs": 20, "plays": 5},
        }});
        let menu = operator.template_of("menu", &app, &menu.to_string(), true);
        let customer = Customer::from(installation.customer(&server));
        Self { _installation: installation, _server: server, operator, customer, menu }
    }

    /// Runs a row; gives what went over the wire, or what is wrong.
    fn run(&self, n: usize, row: Row, mut sipps: Vec<Sipp>) -> Result<String, String> {
        let number = number(n);
        let call = call_id(&self.customer.ivr(&number, &self.menu, "{}"));
        let last = sipps.pop().expect("a row has a far end");
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            (row.user)();
            sipps.into_iter().for_each(|sipp| _ = sipp.succeeds());
            let trace: Trace = last.succeeds();
            wait::until("the record", PATIENCE, || self.operator.has_record(&call).then_some(()));
            let dialled = format!("+86{number}");
            let wire = trace.leg(&dialled).into_iter().cloned().collect();
            let story = trace.story(&dialled);
            let found =
                self.operator.does("GET", &format!("/records/{}", call.replace('@', "%40")), &Value::Null);
            let ladder = found["ladder"].as_str().expect("a call has a ladder").to_owned();
            let told = Told { wire, record: found["record"].clone(), ladder };
            assert_eq!(story, row.story, "{}", told.ladder);
            (row.and)(&told);
            story
        }));
        outcome.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        })
    }
}

/// The number that a row is called by.
fn number(row: usize) -> String {
    format!("138000010{row:02}")
}

/// A way to a row's far end.
fn trunk(row: usize, way: usize, peer: SocketAddr) -> String {
    format!(
        "[[trunks]]\nname = \"row-{row}-{way}\"\npeers = [\"{peer}\"]\noptions_secs = 0\n\
         username = \"huihu\"\npassword = \"secret\"\n\
         routes = [{{ prefixes = [\"+86{}\"], priority = {} }}]\n",
        number(row),
        way + 1
    )
}

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
