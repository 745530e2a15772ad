//! Each rule sees what it is there for: a good history, and what is wrong with one that is not.

use super::*;
use crate::history::Party;

/// A callback between `…1` and `…2` whose second party is busy, and a reported call to `…3`.
fn good() -> History {
    let party = |number: &str, rang| Party { number: number.to_owned(), dialled: true, rang, answered: rang };
    let order = |product, call: &str, parties: &[&str]| Order {
        product,
        parties: parties.iter().map(|number| (*number).to_owned()).collect(),
        answer: Answer::Accepted(call.to_owned()),
    };
    let events = ["callout", "alerting", "answer", "callout", "disconnect"];
    let mut posts: Vec<Post> = events
        .iter()
        .enumerate()
        .map(|(n, name)| post("one", News::Event((*name).to_owned()), &format!("{n}")))
        .collect();
    posts.push(post("one", News::Fee, "fee"));
    posts.push(Post { signature: Signature::None, ..post("two", News::Report, "report") });
    History {
        ports: 1,
        orders: vec![order(Product::Callback, "one", &["1", "2"]), order(Product::Reported, "two", &["3"])],
        legs: vec![leg("1", 0, 20), leg("2", 10, 15), leg("3", 20, 30)],
        posts,
        records: vec![
            Record { call: "one".to_owned(), parties: vec![party("1", true), party("2", false)] },
            Record { call: "two".to_owned(), parties: vec![party("3", true)] },
        ],
    }
}

fn post(call: &str, news: News, text: &str) -> Post {
    Post { call: call.to_owned(), news, text: text.to_owned(), taken: true, signature: Signature::Good }
}

/// A leg between two seconds, as the platform saw it.
fn leg(number: &str, from: i64, until: i64) -> Leg {
    Leg {
        call_id: format!("leg {number}"),
        dialled: number.to_owned(),
        answered: true,
        ended: true,
        from: from * 1_000_000,
        until: Some(until * 1_000_000 + LAG),
    }
}

/// The rules that a history breaks after something went wrong in it.
fn broken(wrong: impl FnOnce(&mut History)) -> Vec<Rule> {
    let mut history = good();
    wrong(&mut history);
    let rules: BTreeSet<Rule> = check(&history).into_iter().map(|complaint| complaint.rule).collect();
    rules.into_iter().collect()
}

#[test]
fn there_is_nothing_to_complain_of_when_all_is_well() {
    assert_eq!(check(&good()), []);
}

#[test]
fn doubt_is_no_complaint() {
    assert_eq!(broken(|history| history.orders[0].answer = Answer::InDoubt), [], "it was placed");
    let never_heard = |history: &mut History| {
        let order =
            Order { parties: vec!["4".to_owned()], answer: Answer::InDoubt, ..history.orders[0].clone() };
        history.orders.push(order);
    };
    assert_eq!(broken(never_heard), [], "it was not placed");
}

#[test]
fn what_comes_again_from_the_last_event_that_was_taken_is_in_order() {
    let again = |history: &mut History| {
        let tail: Vec<Post> = history.posts[3..6].to_vec();
        history.posts.extend(tail);
    };
    assert_eq!(broken(again), []);
    let refused_first = |history: &mut History| {
        let refused = Post { taken: false, ..history.posts[1].clone() };
        history.posts.insert(1, refused);
    };
    assert_eq!(broken(refused_first), []);
}

#[test]
fn an_accepted_call_without_a_record_is_lost() {
    let lost = |history: &mut History| {
        history.records.pop();
        history.legs.pop();
        history.posts.pop();
    };
    assert_eq!(broken(lost), [Rule::Lost]);
}

#[test]
fn what_there_is_twice_is_flagged() {
    assert_eq!(broken(|history| history.records.push(history.records[1].clone())), [Rule::Double]);
    assert_eq!(broken(|history| history.posts.push(post("one", News::Fee, "another fee"))), [Rule::Double]);
    assert_eq!(broken(|history| history.legs.push(leg("3", 40, 41))), [Rule::Double]);
    let report = Post { signature: Signature::None, ..post("two", News::Report, "another report") };
    assert_eq!(broken(|history| history.posts.push(report)), [Rule::Double]);
    let one_order_two_calls = |history: &mut History| {
        let again = Record { call: "three".to_owned(), ..history.records[1].clone() };
        history.records.push(again);
        history.posts.push(Post { signature: Signature::None, ..post("three", News::Report, "report") });
    };
    assert_eq!(broken(one_order_two_calls), [Rule::Double]);
}

#[test]
fn news_that_nobody_took_are_lost() {
    for missing in 0..7 {
        assert_eq!(
            broken(|history| drop(history.posts.remove(missing))),
            [Rule::EventsLost],
            "post {missing}"
        );
    }
    for refused in [4, 5, 6] {
        assert_eq!(
            broken(|history| history.posts[refused].taken = false),
            [Rule::EventsLost],
            "post {refused}"
        );
    }
}

#[test]
fn events_in_another_order_are_flagged() {
    assert_eq!(broken(|history| history.posts.swap(1, 2)), [Rule::Order]);
    let overtaken = |history: &mut History| {
        let late = history.posts[1].clone();
        history.posts[1].taken = false;
        history.posts.insert(3, late);
    };
    assert_eq!(broken(overtaken), [Rule::Order], "the answer was told before the ringing was taken");
}

#[test]
fn a_telephone_that_rings_for_nothing_is_flagged() {
    assert_eq!(broken(|history| history.legs.push(leg("4", 40, 41))), [Rule::CalledForNothing]);
}

#[test]
fn a_leg_without_an_end_is_flagged() {
    let left_up = |history: &mut History| (history.legs[1].ended, history.legs[1].until) = (false, None);
    assert_eq!(broken(left_up), [Rule::LeftUp]);
}

#[test]
fn a_push_of_a_stranger_is_flagged() {
    assert_eq!(broken(|history| history.posts[2].signature = Signature::Bad), [Rule::Unsigned]);
}

#[test]
fn more_calls_than_are_allowed_are_flagged() {
    assert_eq!(broken(|history| history.legs[2] = leg("3", 19, 30)), [Rule::OverTheCap]);
}

#[test]
fn what_nobody_asked_for_is_flagged() {
    assert_eq!(broken(|history| history.posts.push(post("three", News::Fee, "fee"))), [Rule::Stranger]);
    let refused = |history: &mut History| history.orders[1].answer = Answer::Refused("busy".to_owned());
    assert_eq!(broken(refused), [Rule::Stranger]);
    assert_eq!(broken(|history| history.orders[1].answer = Answer::NobodyThere), [Rule::Stranger]);
    assert_eq!(
        broken(|history| drop(history.legs.pop())),
        [Rule::Stranger],
        "a record tells of a call that was none"
    );
    let unasked =
        |history: &mut History| history.posts.insert(4, post("one", News::Event("answer".to_owned()), "x"));
    assert_eq!(broken(unasked), [Rule::Stranger]);
}
