//! Rows 107 to 110: the end of a call on request.

use std::thread;

use serde_json::json;

use crate::house::Stage;
use crate::huawei::scene::{Api, Scene};
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("107", "an unknown session", "500 1020152", |scene| scene.ask(Api::Stop, &json!({}))),
        case("107b", "a finished session", "500 1020152", |scene| {
            let session = scene.callback(&scene.receivers()).session();
            let _over = scene.house.receiver.state_code(&session);
            scene.stop(&session)
        }),
        case("107c", "the session of another app", "500 1020152, 200 0", |scene| {
            let owner = Scene::new(&scene.house, 0);
            let session = owner.long_call();
            [scene.stop(&session), owner.stop(&session)]
        })
        .given(|_| ()),
        case("108", "sessionId in place of sessionid", "403 1010002", |scene| {
            scene.ask(Api::Stop, &json!({"sessionid": null, "sessionId": "x"}))
        }),
        case("109", "signal \"hangup\"", "403 1010002", |scene| {
            scene.ask(Api::Stop, &json!({"signal": "hangup"}))
        }),
        case("110", "two stops at once", "200 0, 500 1020152", |scene| {
            let session = scene.long_call();
            let mut both = thread::scope(|scope| {
                let stops = [(); 2].map(|()| scope.spawn(|| told(&scene.stop(&session))));
                stops.map(|stop| stop.join().expect("a stop is answered"))
            });
            both.sort();
            both.join(", ")
        }),
    ]
}
