//! A short run, in which nothing is lost either.

use huihu_chaos::check::check;
use huihu_chaos::storm::{self, Plan};

#[test]
fn nothing_is_lost_over_six_kills() {
    let outcome =
        storm::run(Plan { kills: 6, rate: 15, seed: 6, ports: 60 }).expect("the machine has what it takes");
    assert!(outcome.history.accepted() > 0, "nobody was ever served: {:?}", outcome.answers());
    assert_eq!(outcome.still_owed, 0);
    assert_eq!(check(&outcome.history), []);
}
