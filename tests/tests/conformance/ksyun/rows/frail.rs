//! Row 72, and what else breaks behind the interface. Played one after the other, from the least to the last.

use huihu_tests::http::Answer;
use huihu_tests::wait;

use crate::ksyun::scene::{BUSY, PATIENCE, Scene};
use crate::ksyun::town::Kind;
use crate::ksyun::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("72", "a database that somebody else holds", "500 ServiceTimeout, nobody called", |scene| {
            let lock = scene.house.installation.lock_database();
            let answer = scene.verify(&[]);
            drop(lock);
            // Whatever still comes of the order, the next one goes its way.
            works_again(scene);
            format!("{}, {}", told(&answer), scene.called(&scene.mobile(BUSY)))
        })
        .at(Kind::Frail),
        case("72b", "a database in which somebody forbids the call", "500 Unknow, nobody called", |scene| {
            let database = scene.house.installation.open_database();
            let forbid = "CREATE TRIGGER no BEFORE INSERT ON open_call BEGIN SELECT RAISE(ABORT, 'no'); END";
            database.execute_batch(forbid).expect("a rule can be made");
            let answer = scene.verify(&[]);
            database.execute_batch("DROP TRIGGER no").expect("a rule can be lifted");
            works_again(scene);
            format!("{}, {}", told(&answer), scene.called(&scene.mobile(BUSY)))
        })
        .at(Kind::Frail),
        case("72c", "a disk that takes nothing", "500 InnerServiceUnavaliable, nobody called", |scene| {
            scene.house.server.fill_disk();
            let answer = scene.verify(&[]);
            scene.house.server.free_disk();
            works_again(scene);
            format!("{}, {}", told(&answer), scene.called(&scene.mobile(BUSY)))
        })
        .at(Kind::Frail),
        case("70d", "a trunk that answers 503 again and again", "400 EmptyVoiceChannel", failing)
            .at(Kind::Frail),
    ]
}

/// Places calls to an overloaded gateway until the next one is refused for it.
fn failing(scene: &Scene) -> Answer {
    let overloaded = scene.mobile("0503");
    wait::until("the trunk to be given up", PATIENCE, || {
        let answer = scene.verify(&[("Mobile", &overloaded)]);
        (answer.status != 200).then_some(answer)
    })
}

/// Asks until an order is accepted again.
fn works_again(scene: &Scene) {
    wait::until("the platform to work again", PATIENCE, || {
        let answer = scene.verify(&[("Mobile", &scene.other(BUSY))]);
        (answer.status == 200).then_some(())
    });
}
