//! Any order against any account: the doors never panic, say the same as the explanation, and leave nothing taken.

use base::account::Review;
use base::clip::ClipWish;
use base::number::E164;
use base::quota::{Counted, Limit, Window};
use base::standing::{Hours, Standing};
use base::template::{Placed, TemplateKind};
use base::time::Timestamp;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::conflicts::SPOILERS;
use crate::story::{self, Story};

fn number() -> impl Strategy<Value = E164> {
    // Few numbers, so that lists and orders often meet; and strange ones.
    let usual = (1..5_u8).prop_map(|last| format!("+861380000000{last}"));
    let strange = r"\+[1-9][0-9]{2,29}";
    prop_oneof![usual, strange].prop_map(|text| E164::parse(&text).unwrap())
}

fn limit() -> impl Strategy<Value = Limit> {
    use Counted::{Account, App, Callee, Caller, Pair, ServiceNumber, ShownNumber};
    let of = select(vec![Account, App, ShownNumber, Caller, Callee, ServiceNumber, Pair]);
    let per = select(vec![Window::Minute, Window::Hour, Window::Day, Window::Month]);
    (of, per, 0..4_u32).prop_map(|(of, per, calls)| Limit { of, per, calls })
}

fn standing() -> impl Strategy<Value = Standing> {
    let list = || btree_set(number(), 0..3);
    let hours = (0..1_440_u16, 0..1_440_u16).prop_map(|(from, to)| Hours { from, to });
    (list(), list(), option::weighted(0.2, list()), vec(hours, 0..2), vec(limit(), 0..6)).prop_map(
        |(callers_blocked, callees_blocked, callees_allowed, forbidden, limits)| Standing {
            callers_blocked,
            callees_blocked,
            callees_allowed,
            forbidden,
            limits,
        },
    )
}

/// A callback, a code, a notice of a template that may be anything, or a menu, at any time.
fn story() -> impl Strategy<Value = Story> {
    let order = (0..4_u8, any::<bool>(), number(), number(), number(), any::<u128>());
    let template = (".{0,9}(\\$\\{(TXT|NUM)_[0-9]{1,2}\\}.{0,3}){0,3}", option::of(vec(".{0,9}", 0..4)));
    let spoilers = vec(any::<Index>(), 0..4);
    (order, template, standing(), standing(), spoilers, any::<i64>()).prop_map(
        |(
            (kind, reported, caller, callee, shown, random),
            (text, values),
            platform,
            app,
            spoilers,
            micros,
        )| {
            let mut story = match kind {
                0 => callback(caller, callee, shown),
                1 => code(callee, shown),
                2 => notice(callee, &text, values.as_deref()),
                _ => menu(callee, &text),
            };
            if reported {
                story = story.reported();
            }
            story.now = Timestamp::from_micros(micros);
            story.with_random(random);
            story.platform_mut().standing = platform;
            story.forbid(&text.chars().take(2).collect::<String>());
            story.account.app.standing = app;
            if kind == 0 {
                spoilers.iter().for_each(|spoiler| spoiler.get(&SPOILERS)(&mut story));
            }
            story
        },
    )
}

fn callback(caller: E164, callee: E164, shown: E164) -> Story {
    let mut story = Story::callback();
    story.own(shown.as_str());
    let call = story.callback_mut();
    (call.caller, call.callee, call.shown_to_callee) = (caller, callee, shown);
    story
}

fn code(callee: E164, shown: E164) -> Story {
    let mut story = Story::code();
    let call = story.code_mut();
    (call.callee, call.shown) = (callee, shown);
    story
}

fn notice(callee: E164, text: &str, values: Option<&[String]>) -> Story {
    let mut story = Story::notice();
    let values: Option<Vec<&str>> = values.map(|values| values.iter().map(String::as_str).collect());
    let voice = match Placed::parse(text) {
        Ok(_) => {
            story.template("parcel", text, Review::Approved);
            story::spoken("parcel", values.as_deref())
        }
        Err(_) => ClipWish::Named(text.into()),
    };
    let call = story.notice_mut();
    call.callee = callee;
    call.items.push(story::item(voice));
    story
}

fn menu(callee: E164, value: &str) -> Story {
    let json = r#"{"nodes":{"root":{"prompt":"{a}好","keys":{"1":"b"}},"b":{"prompt":"{b}"}},"bye":"{a}"}"#;
    let mut story = Story::named(TemplateKind::Menu, json, &[("a", value), ("b", "1")]);
    story.menu_mut().callee = callee;
    story
}

proptest! {
    #[test]
    fn the_doors_decide_and_leave_nothing_behind(story in story()) {
        // Asks both doors and the explanation, and compares what is taken before and after.
        story.refused();
    }

    #[test]
    fn no_limit_is_ever_overrun(story in story(), orders in 1..9_usize) {
        let mut story = story;
        story.account.app.ports = 3;
        let admitted: Vec<_> = (0..orders).filter_map(|_| story.admit().ok()).collect();
        prop_assert!(admitted.len() <= 3);
        for quota in story.explain().into_iter().flat_map(|finding| finding.quotas) {
            prop_assert!(quota.used <= quota.allowed, "{quota:?}");
        }
        for admission in admitted {
            story.tally.refund(&admission.charges);
        }
        for quota in story.explain().into_iter().flat_map(|finding| finding.quotas) {
            prop_assert_eq!(quota.used, 0, "{:?}", quota);
        }
    }
}
