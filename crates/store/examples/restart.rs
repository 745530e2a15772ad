//! How long a start takes that finds open calls.
//!
//! `cargo run --release -p huihu-store --example restart -- 10000` accepts that many calls, leaves them all in the
//! middle of their talk, and opens the journal again.

use std::io::Write;
use std::time::{Duration, Instant};

use base::time::Timestamp;
use huihu_store::{Journal, Opened, Store};
use tokio::task::JoinSet;

#[path = "../tests/support/mod.rs"]
mod support;

#[tokio::main]
async fn main() {
    let calls = std::env::args().nth(1).map_or(10_000, |text| text.parse::<u32>().expect("a number"));
    let dir = tempfile::tempdir_in(".").expect("a directory on a real disk");
    let Opened { journal, task, .. } = open(&dir).await;
    let mut orders = JoinSet::new();
    for number in 0..calls {
        let journal = journal.clone();
        let order = async move {
            let mut entries = support::talk(support::call(number, "receiver.example"));
            while journal.accept(entries[0].clone(), Vec::new()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            journal.append(entries.drain(1..9).collect()).expect("room");
        };
        orders.spawn(order);
        if orders.len() >= 256 {
            orders.join_next().await;
        }
    }
    orders.join_all().await;
    journal.close();
    task.ended().await;
    let begin = Instant::now();
    let opened = open(&dir).await;
    let (took, found) = (begin.elapsed(), opened.interrupted.len());
    writeln!(std::io::stdout(), "closed {found} calls in {took:?}").expect("somebody reads");
}

async fn open(dir: &tempfile::TempDir) -> Opened {
    let store = Store::open(dir.path()).await.expect("a store");
    let term = store.serve("node-1", support::BEGIN).await.expect("the office");
    Journal::open(&store, term, || Timestamp::from_millis(1_767_323_105_000)).await.expect("a journal")
}
