//! What must hold whatever was killed and when: rules over a history, and nothing else.
//!
//! Each is first shown a history that breaks it; see the tests below.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::history::{Answer, History, Leg, News, Order, Post, Product, Record, Signature};

/// What a rule complains of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The rule.
    pub rule: Rule,
    /// The call or number, and what is wrong.
    pub text: String,
}

/// What must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// An accepted call has no record.
    Lost,
    /// A call has two records, two fee records or two reports, or a telephone rang twice.
    Double,
    /// A receiver did not take what it was owed.
    EventsLost,
    /// Events of a call came in another order, or one before the one before it was taken.
    Order,
    /// A telephone rang for no call that is recorded, or for one that was refused.
    CalledForNothing,
    /// A leg is still up.
    LeftUp,
    /// A push was not signed as it must be.
    Unsigned,
    /// More calls ran than were allowed.
    OverTheCap,
    /// Somebody was told of a call that nobody asked for, or that is not recorded.
    Stranger,
}

/// All rules.
pub const RULES: [Rule; 9] = [
    Rule::Lost,
    Rule::Double,
    Rule::EventsLost,
    Rule::Order,
    Rule::CalledForNothing,
    Rule::LeftUp,
    Rule::Unsigned,
    Rule::OverTheCap,
    Rule::Stranger,
];

/// All complaints about a history.
#[must_use]
pub fn check(history: &History) -> Vec<Complaint> {
    let world = World::new(history);
    let mut complaints = Complaints::default();
    records(&world, &mut complaints);
    telephones(&world, &mut complaints);
    cap(&world, &mut complaints);
    news(&world, &mut complaints);
    complaints.0
}

#[derive(Default)]
struct Complaints(Vec<Complaint>);

impl Complaints {
    fn add(&mut self, rule: Rule, text: String) {
        self.0.push(Complaint { rule, text });
    }
}

/// A history with what belongs together side by side.
struct World<'a> {
    history: &'a History,
    records: BTreeMap<&'a str, Vec<&'a Record>>,
    /// The record that a telephone belongs to.
    by_number: HashMap<&'a str, &'a Record>,
    /// The order that a telephone belongs to.
    ordered: HashMap<&'a str, &'a Order>,
    posts: BTreeMap<&'a str, Vec<&'a Post>>,
}

impl<'a> World<'a> {
    fn new(history: &'a History) -> Self {
        let mut this = Self {
            history,
            records: BTreeMap::new(),
            by_number: HashMap::new(),
            ordered: HashMap::new(),
            posts: BTreeMap::new(),
        };
        for record in &history.records {
            this.records.entry(&record.call).or_default().push(record);
            this.by_number.extend(record.parties.iter().map(|party| (party.number.as_str(), record)));
        }
        for order in &history.orders {
            this.ordered.extend(order.parties.iter().map(|number| (number.as_str(), order)));
        }
        for post in &history.posts {
            this.posts.entry(&post.call).or_default().push(post);
        }
        this
    }

    /// The order of a recorded call.
    fn order(&self, record: &Record) -> Option<&'a Order> {
        self.ordered.get(record.parties.first()?.number.as_str()).copied()
    }
}

/// Accepted calls are recorded, once each, and nothing else is.
fn records(world: &World<'_>, complaints: &mut Complaints) {
    for order in &world.history.orders {
        if let Answer::Accepted(call) = &order.answer
            && !world.records.contains_key(call.as_str())
        {
            complaints.add(Rule::Lost, format!("{call}: accepted and not recorded"));
        }
    }
    let mut of_orders = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (call, records) in &world.records {
        if records.len() > 1 {
            complaints.add(Rule::Double, format!("{call}: {} records", records.len()));
        }
        match world.order(records[0]) {
            None => complaints.add(Rule::Stranger, format!("{call}: recorded, and nobody asked for it")),
            Some(Order { answer: Answer::Refused(why), .. }) => {
                complaints.add(Rule::Stranger, format!("{call}: recorded, and was refused with {why}"));
            }
            Some(Order { answer: Answer::NobodyThere, .. }) => {
                complaints.add(Rule::Stranger, format!("{call}: recorded, and nobody heard of it"));
            }
            Some(order) => {
                of_orders.entry(&order.parties[0]).or_default().insert(call);
            }
        }
    }
    for calls in of_orders.values().filter(|calls| calls.len() > 1) {
        complaints.add(Rule::Double, format!("one order, and calls {calls:?}"));
    }
}

/// Nobody is called but for a recorded call, nobody twice, and nobody is left in the line.
fn telephones(world: &World<'_>, complaints: &mut Complaints) {
    let mut rung = BTreeSet::new();
    for Leg { dialled, call_id, ended, answered, .. } in &world.history.legs {
        if !world.by_number.contains_key(dialled.as_str()) {
            complaints.add(Rule::CalledForNothing, format!("{call_id}: an INVITE of no recorded call"));
        }
        if !rung.insert(dialled) {
            complaints.add(Rule::Double, format!("{call_id}: a telephone that was called before"));
        }
        if !ended {
            let state = if *answered { "answered" } else { "ringing" };
            complaints.add(Rule::LeftUp, format!("{call_id}: {state} and never released"));
        }
    }
    for record in &world.history.records {
        for party in record.parties.iter().filter(|party| party.rang && !rung.contains(&party.number)) {
            complaints
                .add(Rule::Stranger, format!("{}: {} rang by the record alone", record.call, party.number));
        }
    }
}

/// How many calls the trunk carried at once. A leg counts until [`LAG`] before its end.
fn cap(world: &World<'_>, complaints: &mut Complaints) {
    let mut calls = BTreeMap::<&str, (i64, i64)>::new();
    for leg in &world.history.legs {
        let Some(record) = world.by_number.get(leg.dialled.as_str()) else { continue };
        let until = leg.until.unwrap_or(leg.from).saturating_sub(LAG);
        let span = calls.entry(&record.call).or_insert((leg.from, until));
        *span = (span.0.min(leg.from), span.1.max(until));
    }
    // An end comes before a beginning of the same moment.
    let mut steps: Vec<(i64, i32)> = calls
        .values()
        .filter(|(from, until)| from < until)
        .flat_map(|(from, until)| [(*from, 1), (*until, -1)])
        .collect();
    steps.sort_unstable();
    let peak = steps.iter().scan(0, |now, (_, step)| {
        *now += step;
        Some(*now)
    });
    let peak = usize::try_from(peak.max().unwrap_or(0)).unwrap_or(0);
    if peak > world.history.ports {
        complaints
            .add(Rule::OverTheCap, format!("{peak} calls at once, and {} are allowed", world.history.ports));
    }
}

/// Whoever is owed news takes each of them, in their order, signed, and is told nothing else.
fn news(world: &World<'_>, complaints: &mut Complaints) {
    for (call, posts) in &world.posts {
        for _bad in posts.iter().filter(|post| post.signature == Signature::Bad) {
            complaints.add(Rule::Unsigned, format!("{call}: a push without the customer's signature"));
        }
        if !world.records.contains_key(call) {
            complaints.add(Rule::Stranger, format!("{call}: told of, and not recorded"));
        }
    }
    for (call, records) in &world.records {
        let Some(order) = world.order(records[0]) else { continue };
        let posts = world.posts.get(call).map(Vec::as_slice).unwrap_or_default();
        match order.product {
            Product::Reported => settled_once(call, posts, &News::Report, complaints),
            Product::Callback | Product::Code | Product::Notice => {
                settled_once(call, posts, &News::Fee, complaints);
                events(call, records[0], posts, complaints);
            }
        }
    }
}

/// The fee record or the report: taken, and always the same one.
fn settled_once(call: &str, posts: &[&Post], what: &News, complaints: &mut Complaints) {
    let told: Vec<&&Post> = posts.iter().filter(|post| post.news == *what).collect();
    if !told.iter().any(|post| post.taken) {
        complaints.add(Rule::EventsLost, format!("{call}: its {what:?} was never taken"));
    }
    let texts: BTreeSet<&str> = told.iter().map(|post| post.text.as_str()).collect();
    if texts.len() > 1 {
        complaints.add(Rule::Double, format!("{call}: {} of {what:?} that differ", texts.len()));
    }
}

/// The status events: those that the record implies, each taken, none before the one before it was taken.
fn events(call: &str, record: &Record, posts: &[&Post], complaints: &mut Complaints) {
    let owed = owed(record);
    let mut texts: Vec<&str> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut taken: Vec<bool> = Vec::new();
    for post in posts {
        let News::Event(name) = &post.news else { continue };
        let place = texts.iter().position(|text| *text == post.text).unwrap_or_else(|| {
            texts.push(&post.text);
            names.push(name);
            taken.push(false);
            texts.len() - 1
        });
        if taken[..place].contains(&false) {
            complaints.add(Rule::Order, format!("{call}: {name} came before the event before it was taken"));
        }
        taken[place] |= post.taken;
    }
    let got: Vec<&str> =
        names.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(name, _)| *name).collect();
    if sorted(&got) != sorted(&owed) {
        let rule = if got.len() > owed.len() { Rule::Stranger } else { Rule::EventsLost };
        complaints.add(rule, format!("{call}: owed {owed:?}, taken {got:?}"));
    } else if got != owed {
        complaints.add(Rule::Order, format!("{call}: {got:?}"));
    }
}

/// The events that follow from a record.
fn owed(record: &Record) -> Vec<&'static str> {
    let of_party = record
        .parties
        .iter()
        .flat_map(|party| [(party.dialled, "callout"), (party.rang, "alerting"), (party.answered, "answer")]);
    let happened = of_party.filter_map(|(happened, name)| happened.then_some(name));
    happened.chain(["disconnect"]).collect()
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

/// How much later than the platform a busy carrier may see the end of a call, in microseconds.
const LAG: i64 = 2_000_000;

#[cfg(test)]
mod tests;
