//! What the pushes of a call cost: real time, a real receiver on this machine, processor time of each thread.
//!
//! `cargo run --release -p huihu-delivery --example pushes -- 200 10` runs 200 calls a second for 10 seconds. Each owes
//! seven status events and a share of a fee message. Delivery is `delivery`; `journal` is the store's writer.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use base::address::Guard;
use base::private::Private;
use base::time::Timestamp;
use http_body_util::{BodyExt, Full};
use huihu_delivery::{Delivery, Pace, Parts};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::admin::AppDraft;
use store::{Accounts, Admin, Journal, Store};
use tokio::runtime::{Builder, Runtime};

#[path = "../../store/tests/support/mod.rs"]
mod support;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u32>().expect("a number"));
    let (rate, secs) = (arguments.next().unwrap_or(200), arguments.next().unwrap_or(10));
    let received = Arc::new(AtomicU32::new(0));
    let receiver = receive(Arc::clone(&received));
    let runtime = runtime("load", 2);
    let spent = runtime.block_on(load(rate, secs, receiver, &received));
    let calls = f64::from(rate * secs);
    let mut out = std::io::stdout().lock();
    let pushes = received.load(Ordering::SeqCst);
    writeln!(out, "{calls} calls at {rate}/s, {pushes} pushes").expect("somebody reads");
    for (thread, spent) in spent {
        let micros = spent.as_secs_f64() * 1e6;
        writeln!(
            out,
            "{:8.0} us a call, {:6.1} us a push in {thread}",
            micros / calls,
            micros / f64::from(pushes)
        )
        .expect("somebody reads");
    }
}

async fn load(
    rate: u32,
    secs: u32,
    receiver: SocketAddr,
    received: &AtomicU32,
) -> BTreeMap<String, Duration> {
    let dir = tempfile::tempdir_in(".").expect("a directory on a real disk");
    let store = Store::open(dir.path()).await.expect("a store");
    let admin = Admin::new(&store);
    let app = admin.create_app(&AppDraft::new("acme", "shop"), clock()).await.expect("an app");
    admin.import_key(app, "key-1", &Private::new("secret".into()), clock()).await.expect("a key");
    let term = store.serve("node-1", clock()).await.expect("the office");
    let opened = Journal::open(&store, term, clock).await.expect("a journal");
    let parts = Parts {
        pace: Pace::default(),
        attempt: base::limits::PUSH_ATTEMPT,
        outbox: opened.outbox,
        journal: opened.journal.clone(),
        accounts: Accounts::load(&store).await.expect("accounts"),
        guard: Guard::new(vec!["127.0.0.0/8".parse().expect("a block")]),
        clock,
        rng: StdRng::seed_from_u64(7),
    };
    let delivery = Delivery::start(parts).expect("a client");
    let before = cpu();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / rate);
    let host = receiver.to_string();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..rate * secs {
        tick.tick().await;
        let (journal, mut entries) = (opened.journal.clone(), support::talk(support::call(number, &host)));
        calls.spawn(async move {
            journal.accept(entries.remove(0), Vec::new()).await.expect("an accepted call");
            // As many appends as a shard makes.
            for entry in entries {
                journal.append(vec![entry]).expect("room");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }
    while calls.join_next().await.is_some() {}
    while received.load(Ordering::SeqCst) < rate * secs * 7 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut spent = cpu();
    for (thread, spent) in &mut spent {
        *spent = spent.saturating_sub(before.get(thread).copied().unwrap_or_default());
    }
    delivery.stop().await;
    opened.journal.close();
    opened.task.ended().await;
    spent
}

/// A receiver on a thread of its own, so that its time is told apart.
fn receive(received: Arc<AtomicU32>) -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        runtime("receiver", 1).block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            tell.send(listener.local_addr().expect("an address")).expect("somebody listens");
            while let Ok((stream, _)) = listener.accept().await {
                let received = Arc::clone(&received);
                let answer = move |request| answer(request, Arc::clone(&received));
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(stream), service_fn(answer)));
            }
        });
    });
    told.recv().expect("a receiver")
}

async fn answer(
    request: hyper::Request<Incoming>,
    received: Arc<AtomicU32>,
) -> Result<hyper::Response<Full<Bytes>>, hyper::Error> {
    let status = request.uri().path() == "/status";
    request.into_body().collect().await?;
    received.fetch_add(status.into(), Ordering::SeqCst);
    Ok(hyper::Response::new(Full::new(Bytes::from_static(b"ok"))))
}

fn runtime(name: &str, threads: usize) -> Runtime {
    let runtime = Builder::new_multi_thread().thread_name(name).worker_threads(threads).enable_all().build();
    runtime.expect("a runtime")
}

fn clock() -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("a clock after 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("a clock before the year 294000"))
}

/// Processor time of each kind of thread so far, by the scheduler's own accounting.
fn cpu() -> BTreeMap<String, Duration> {
    let mut spent = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").expect("a Linux kernel").flatten() {
        let read = |file| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let nanos = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
        *spent.entry(read("comm").trim().to_owned()).or_default() += Duration::from_nanos(nanos);
    }
    spent
}
