//! The demo calls of `huihu dev`: a callback and a verification code, placed as a customer places them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use base::release::Cause;
use carrier::Carrier;
use dialects::huawei::client::encode_url;
use dialects::huawei::session;
use serde_json::json;
use store::Admin;

use super::call::{CALLBACK, VERIFY};
use super::record::draw;
use crate::client::Client;
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

/// What came of the demo.
pub(crate) struct Demo {
    /// The session of the callback.
    pub(crate) callback: String,
    /// The session of the verification call.
    pub(crate) verify: String,
    /// Everything that did not go as it should, a sentence each.
    pub(crate) faults: Vec<String>,
}

/// Places both calls at once and tells what happened.
pub(crate) async fn run(client: &Client, inbox: &Inbox, carrier: &Carrier, admin: &Admin) -> Result<Demo> {
    let receiver = encode_url(&inbox.url());
    let display = client.display.clone().unwrap_or_default();
    say("Placing a demo callback and a verification call through the simulated carrier …");
    let callback = json!({
        "displayNbr": display, "displayCalleeNbr": display, "callerNbr": CALLER, "calleeNbr": CALLEE,
        "playPreVoice": "true", "statusUrl": receiver, "feeUrl": receiver, "userData": "demo",
    });
    let verify = json!({
        "displayNbr": display, "calleeNbr": CALLER, "languageType": 2, "preTone": WELCOME, "verifyCode": CODE,
        "times": 2, "statusUrl": receiver, "feeUrl": receiver, "userData": "demo",
    });
    let mut demo = Demo {
        callback: client.place(CALLBACK, &callback).await?,
        verify: client.place(VERIFY, &verify).await?,
        faults: Vec::new(),
    };
    let legs = [(&demo.callback, &CALLBACK_PUSHES[..]), (&demo.verify, &VERIFY_PUSHES[..])];
    let (mut expected, mut delivered, mut faults) = (0, 0, Vec::new());
    for (session, owed) in legs {
        let pushes = pushes_of(inbox, session, owed.len()).await;
        let good = pushes.iter().filter(|push| push.fault.is_none()).count();
        (expected, delivered) = (expected + owed.len(), delivered + good);
        faults.extend(judge(session, owed, &pushes));
        faults.extend(tell(admin, session).await?);
    }
    say(&format!("pushes delivered {delivered}/{expected}, every signature checked"));
    faults.extend(recordings(carrier));
    say(if faults.is_empty() { "Everything went as it should.\n" } else { "Something went wrong:" });
    for fault in &faults {
        say(&format!("  {fault}"));
    }
    demo.faults = faults;
    Ok(demo)
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
    let fees = came.iter().filter(|event| **event == "fee").count();
    let mut faults = Vec::new();
    if !in_order || fees != 1 {
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
    let (call, _) = session::parse(session).context("the session id is not one of ours")?;
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
    let missing = heard.len() < 3 || heard.iter().any(|file| !file.is_file());
    missing.then(|| "a recording is missing".to_owned())
}
