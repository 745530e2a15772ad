//! Rows 105 and 106: what breaks behind the interface. Played one after the other, from the least to the last.

use huihu_tests::http::Answer;
use huihu_tests::wait;
use serde_json::json;

use crate::huawei::scene::{Api, PATIENCE, Scene};
use crate::huawei::town::{Kind, LOST_CLIP};
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("+", "a voice file that the disk lost", "500 1020002", |scene| {
            scene.ask(Api::Code, &json!({"preTone": LOST_CLIP}))
        })
        .at(Kind::Frail),
        case("105", "a database that somebody else holds", "500 1023002, nobody called", |scene| {
            let lock = scene.house.installation.lock_database();
            let answer = scene.callback(&json!({}));
            drop(lock);
            // Whatever still comes of the order, the next one goes its way.
            works_again(scene);
            format!("{}, {}", told(&answer), called(scene))
        })
        .at(Kind::Frail),
        case("+", "a database in which somebody forbids the call", "500 1020001, nobody called", |scene| {
            let database = scene.house.installation.open_database();
            let forbid = "CREATE TRIGGER no BEFORE INSERT ON open_call BEGIN SELECT RAISE(ABORT, 'no'); END";
            database.execute_batch(forbid).expect("a rule can be made");
            let answer = scene.callback(&json!({}));
            database.execute_batch("DROP TRIGGER no").expect("a rule can be lifted");
            works_again(scene);
            format!("{}, {}", told(&answer), called(scene))
        })
        .at(Kind::Frail),
        case("105b", "a disk that takes nothing", "500 1023001, nobody called", |scene| {
            scene.house.server.fill_disk();
            let answer = scene.callback(&json!({}));
            scene.house.server.free_disk();
            works_again(scene);
            format!("{}, {}", told(&answer), called(scene))
        })
        .at(Kind::Frail),
        case("105c", "a database that lost its records", "500 1010001, 403 1010002", |scene| {
            let database = scene.house.installation.open_database();
            let rename = |from: &str, to: &str| {
                database
                    .execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))
                    .expect("it can be renamed");
            };
            rename("record", "lost");
            let lost = scene.customer.get(RECORDING);
            rename("lost", "record");
            // A call of a row before may have ended meanwhile, whose record found no place.
            works_again(scene);
            [lost, scene.customer.get(RECORDING)]
        })
        .at(Kind::Frail),
        case("106", "a trunk that answers 503 again and again", TRUNK, |scene| {
            let answer = failing(scene);
            format!("{} {:?}", told(&answer), answer.text())
        })
        .at(Kind::Frail),
        case("106b", "the same, for notices and codes", "500 1020002, 500 1020002", |scene| {
            let _failing = failing(scene);
            [Api::Notice, Api::Code].map(|api| scene.ask(api, &json!({})))
        })
        .at(Kind::Frail),
    ]
}

/// A recording that might be there.
const RECORDING: &str =
    "/rest/provision/voice/record/v1.0?fileName=1202_7_7_20260102030405.wav&recordDomain=test.huihu";

const TRUNK: &str =
    "500 1040001 \"south ne error with responseCode: 503 and responseMsg: Service Unavailable.\"";

/// Places calls to an overloaded gateway until the next one is refused for it.
fn failing(scene: &Scene) -> Answer {
    let more = json!({"callerNbr": scene.a("0503")});
    wait::until("the trunk to be given up", PATIENCE, || {
        let answer = scene.callback(&more);
        (answer.code() != "0").then_some(answer)
    })
}

/// Asks until an order is accepted again.
fn works_again(scene: &Scene) {
    wait::until("the platform to work again", PATIENCE, || {
        let answer = scene.ask(Api::Code, &json!({"calleeNbr": scene.b("0486")}));
        (answer.code() == "0").then_some(())
    });
}

/// Whether the first party of the usual callback was called.
fn called(scene: &Scene) -> &'static str {
    let party = scene.a("0486");
    let was = scene.house.carrier.heard().iter().any(|leg| leg.dialled == party);
    if was { "somebody called" } else { "nobody called" }
}
