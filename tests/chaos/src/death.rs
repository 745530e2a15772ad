//! One call, and a process that dies at a place in it that was chosen.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use carrier::Carrier;

use crate::history::{Answer, History};
use crate::orders::Wish;
use crate::receiver::Receiver;
use crate::storm::{history, installation, open, settle, telephones};

/// What became of the call.
#[derive(Clone, Debug)]
pub struct Death {
    /// What everybody saw, up to the end.
    pub history: History,
    /// How many pushes came before the process was dead.
    pub told_before: usize,
    /// Pushes that were still owed in the end.
    pub still_owed: usize,
    /// The recordings on disk, whether each is a whole file.
    pub recordings: Vec<bool>,
}

/// Places a recorded callback between two telephones with these fates, in a process that dies at that place; then starts
/// the next one, and lets everything come to its end.
///
/// # Errors
/// When the machine lacks something.
///
/// # Panics
/// When the process does not die there.
pub fn dies(place: &str, fates: [&str; 2]) -> Result<Death> {
    let receiver = Receiver::start(0)?;
    receiver.recovers();
    let carrier = Carrier::start(telephones(0)).context("the carrier does not start")?;
    let installation = installation(&carrier, 10)?;
    let server = installation.serve();
    let mut desk = open(&installation, &server, &receiver);
    receiver.trusts(&desk.customer.key, &desk.customer.secret);
    server.kill();
    let server = installation.serve_with(&[("CRASH_AT", place)]);
    server.http.clone_into(&mut desk.customer.address);
    let order = Wish::callback(fates).place(&desk);
    let refused = matches!(order.answer, Answer::Refused(_) | Answer::NobodyThere);
    ensure!(!refused, "{place}: the order was not taken: {:?}", order.answer);
    let status = server.ended();
    ensure!(!status.success(), "{place}: the process ended well instead of dying");
    let told_before = receiver.posts().len();
    let still_owed = settle(installation.serve(), &installation, &carrier);
    let mut recordings = Vec::new();
    look_for(&installation.path("data").join("recordings"), &mut recordings)?;
    let history = history(10, vec![order], &installation, &carrier, &receiver);
    Ok(Death { history, told_before, still_owed, recordings })
}

/// Whether each recording below a folder says of itself how long it is.
fn look_for(folder: &Path, found: &mut Vec<bool>) -> Result<()> {
    let Ok(items) = fs::read_dir(folder) else { return Ok(()) };
    for item in items {
        let path = item?.path();
        if path.is_dir() {
            look_for(&path, found)?;
        } else {
            let bytes = fs::read(&path)?;
            let length = bytes.get(4..8).and_then(|four| Some(u32::from_le_bytes(four.try_into().ok()?)));
            found.push(length.is_some_and(|length| length as usize + 8 == bytes.len()));
        }
    }
    Ok(())
}
