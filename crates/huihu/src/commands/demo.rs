//! The demo calls of `huihu dev`: a callback, a verification code and a menu, placed as customers place them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use base::release::Cause;
use carrier::Carrier;
use dialects::huawei::client::encode_url;
use serde_json::json;
use store::Admin;

use super::call::{CALLBACK, VERIFY};
use super::record::draw;
use crate::client::{huawei, ksyun};
use crate::inbox::{Inbox, Received};
use crate::say;

/// The demo app's voice file.
pub(crate) const WELCOME: &str = "welcome.wav";

/// How long the demo's callee talks before it hangs up: both voices are heard once.
pub(crate) const TALK: Duration = Duration::from_secs(5);

/// How long a demo call and its pushes may take.
const PATIENCE: Duration = Duration::from_secs(60);

const CALLER: &str = "+8613800000001";
const CALLEE: &str = "+8613800010002";
const CODE: &str = "2580";

/// The pushes that each call owes: status events, then the fee record.
const CALLBACK_PUSHES: [&str; 8] =
    ["callout", "alerting", "answer", "callout", "alerting", "answer", "disconnect", "fee"];
const VERIFY_PUSHES: [&str; 5] = ["callout", "alerting", "answer", "disconnect", "fee"];
const IVR_PUSHES: [&str; 1] = ["report"];

/// The demo's notice.
pub(crate) const NOTICE: &str = "尊敬的{name},订单{no}已发货";

/// The demo's menu, of two levels.
pub(crate) const MENU: &str = r#"{"nodes":{
"root":{"prompt":"尊敬的{name}，查询订单请按1，结束请按0","keys":{"1":"order","0":"end"},"wrong":"没有这个选项"},
"order":{"prompt":"查询物流请按2，返回请按星号","keys":{"2":"parcel","*":"root"},"wrong":"没有这个选项"},
"parcel":{"prompt":"您的订单已发货"}},
"bye":"再见"}"#;

/// Whose telephone presses 1, then 2.
pub(crate) const MENU_CALLEE: &str = "13800005120";
const MENU_PATH: &str = "12";

/// What came of the demo.
pub(crate) struct Demo {
    /// The session of the callback.
    pub(crate) callback: String,
    /// The session of the verification call.
    pub(crate) verify: String,
    /// The id of the call with the menu.
    pub(crate) ivr: String,
    /// Everything that did not go as it should, a sentence each.
    pub(crate) faults: Vec<String>,
}

/// What the demo can look at to see how its calls went.
pub(crate) struct Stage<'a> {
    pub(crate) inbox: &'a Inbox,
    pub(crate) carrier: &'a Carrier,
    pub(crate) admin: &'a Admin,
}

/// Places the calls at once and tells what happened.
pub(crate) async fn run(
    client: &huawei::Client,
    ksyun: &ksyun::Client,
    menu: &str,
    stage: &Stage<'_>,
) -> Result<Demo> {
    say("Placing a demo callback, a verification code and a menu through the simulated carrier …");
    let mut demo = place(client, ksyun, menu, &stage.inbox.url()).await?;
    let calls = [
        (&demo.callback, &CALLBACK_PUSHES[..]),
        (&demo.verify, &VERIFY_PUSHES[..]),
        (&demo.ivr, &IVR_PUSHES[..]),
    ];
    let (mut expected, mut delivered, mut faults) = (0, 0, Vec::new());
    for (session, owed) in calls {
        let pushes = pushes_of(stage.inbox, session, owed.len()).await;
        let good = pushes.iter().filter(|push| push.fault.is_none()).count();
        (expected, delivered) = (expected + owed.len(), delivered + good);
        faults.extend(judge(session, owed, &pushes));
        faults.extend(pushes.iter().filter_map(another_path));
        faults.extend(tell(stage.admin, session).await?);
    }
    say(&format!("pushes delivered {delivered}/{expected}, every signature checked"));
    faults.extend(recordings(stage.carrier));
    say(if faults.is_empty() { "Everything went as it should.\n" } else { "Something went wrong:" });
    for fault in &faults {
        say(&format!("  {fault}"));
    }
    demo.faults = faults;
    Ok(demo)
}

async fn place(client: &huawei::Client, ksyun: &ksyun::Client, menu: &str, inbox: &str) -> Result<Demo> {
    let receiver = encode_url(inbox);
    let display = client.display.clone().unwrap_or_default();
    let callback = json!({
        "displayNbr": display, "callerNbr": CALLER, "displayCalleeNbr": display, "calleeNbr": CALLEE,
        "playPreVoice": "true", "statusUrl": receiver, "feeUrl": receiver, "userData": "demo",
    });
    let verify = json!({
        "displayNbr": display, "calleeNbr": CALLER, "languageType": 2, "preTone": WELCOME, "verifyCode": CODE,
        "times": 2, "statusUrl": receiver, "feeUrl": receiver, "userData": "demo",
    });
    let name = [("name".to_owned(), "张三".to_owned())];
    Ok(Demo {
        callback: client.place(CALLBACK, &callback).await?,
        verify: client.place(VERIFY, &verify).await?,
        ivr: ksyun.place(&ksyun::Order::ivr(MENU_CALLEE, menu, &name)).await?,
        faults: Vec::new(),
    })
}

/// What is wrong with a report of the menu's path, if it is one.
fn another_path(push: &Received) -> Option<String> {
    let path = push.body["PressKey"].as_str().filter(|path| *path != MENU_PATH)?;
    Some(format!("the report of {} tells of the keys {path:?} and not {MENU_PATH:?}", push.session))
}

/// The pushes of a session, when they are all there or the patience is over.
async fn pushes_of(inbox: &Inbox, session: &str, count: usize) -> Vec<Received> {
    let all = async {
        while inbox.of(session).len() < count {
            inbox.news().await;
        }
    };
    // What is missing is named afterwards.
    tokio::time::timeout(PATIENCE, all).await.ok();
    inbox.of(session)
}

fn judge(session: &str, owed: &[&str], pushes: &[Received]) -> Vec<String> {
    let came: Vec<&str> = pushes.iter().map(|push| push.event.as_str()).collect();
    // The fee record travels in a lane of its own and may overtake the last status event.
    let status = |events: &[&str]| {
        events.iter().filter(|event| **event != "fee").map(|event| (*event).to_owned()).collect::<Vec<_>>()
    };
    let in_order = status(&came) == status(owed);
    let fees = |events: &[&str]| events.iter().filter(|event| **event == "fee").count();
    let mut faults = Vec::new();
    if !in_order || fees(&came) != fees(owed) {
        faults.push(format!(
            "the pushes of {session} should be {} and were {}",
            owed.join(" "),
            came.join(" ")
        ));
    }
    let unsigned =
        pushes.iter().filter_map(|push| Some(format!("{} push: {}", push.event, push.fault.as_ref()?)));
    faults.extend(unsigned);
    faults
}

/// Prints the ladder of a call; what is wrong with its end.
async fn tell(admin: &Admin, session: &str) -> Result<Option<String>> {
    let calls = dialects::ALL.iter().find_map(|dialect| dialect.find_call(session));
    let calls = calls.context("the call's name is not one of ours")?;
    let call = admin.find_call(&calls).await?.context("the call left no trace")?;
    say(&format!("\n{session}\n\n{}", draw(admin, call).await?));
    let ending = admin.record(call).await?.map(|record| record.ending.cause);
    Ok((ending != Some(Cause::Normal)).then(|| format!("{session} ended with {ending:?}")))
}

/// Prints where to hear what the telephones heard; what is missing.
fn recordings(carrier: &Carrier) -> Option<String> {
    let heard: Vec<PathBuf> = carrier.heard().into_iter().filter_map(|leg| leg.heard).collect();
    say("\nWhat each telephone heard (A-law WAV; play them with any player):");
    for file in &heard {
        say(&format!("  {}", file.display()));
    }
    say("");
    let missing = heard.len() < 4 || heard.iter().any(|file| !file.is_file());
    missing.then(|| "a recording is missing".to_owned())
}
