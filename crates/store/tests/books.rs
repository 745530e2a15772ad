//! Whether the books add up: sound ones do, and each way of breaking them is told by its own word.

use std::time::Duration;

use base::fact::Entry;
use base::id::CallId;
use base::time::Timestamp;
use base::url::PushUrl;
use huihu_store::{BookedDay, Books, Flaw, FlawedCall, Inspection, Journal, Opened, Store, StoreFault, Told};
use rusqlite::Connection;
use tempfile::TempDir;

mod support;
use support::{BEGIN, at, call, talk};

const HOST: &str = "receiver.example";

/// The calls of these books, by their numbers.
const TOLD: u32 = 1;
const REPORTED: u32 = 2;
const QUIET: u32 = 3;
const UNDER_WAY: u32 = 4;
const NEXT_DAY: u32 = 5;

/// 2026-01-02T03:04:05Z is eleven o'clock in Beijing: its next day begins 13 hours later.
const HOURS_TO_NEXT_DAY: u64 = 13;

fn story(number: u32) -> Vec<Entry> {
    let later = Duration::from_secs(if number == NEXT_DAY { HOURS_TO_NEXT_DAY * 3_600 } else { 0 });
    let mut call = call(number, HOST);
    call.id = CallId::new(BEGIN + later, u128::from(number));
    match number {
        REPORTED => {
            (call.status_url, call.fee_url) = (None, None);
            call.report_url = PushUrl::parse("http://receiver.example/report").ok();
        }
        QUIET => (call.status_url, call.fee_url) = (None, None),
        _ => {}
    }
    let mut entries = talk(call);
    if number == UNDER_WAY {
        entries.truncate(6);
    }
    entries.into_iter().map(|entry| Entry { at: entry.at + later, ..entry }).collect()
}

fn id(number: u32) -> CallId {
    story(number)[0].call
}

/// Books with a call of each kind, as a server left them that was killed.
async fn books() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(dir.path()).await.expect("a store");
    let term = store.serve("node-1", BEGIN).await.expect("the office");
    let Opened { journal, task, .. } = Journal::open(&store, term, || at(60_000)).await.expect("a journal");
    for number in [TOLD, REPORTED, QUIET, UNDER_WAY, NEXT_DAY] {
        let entries = story(number);
        journal.accept(entries[0].clone(), Vec::new()).await.expect("an accepted call");
        journal.append(entries[1..].to_vec()).expect("room");
    }
    journal.close();
    task.ended().await;
    dir
}

fn add_up(dir: &TempDir) -> Books {
    let mut inspection = Inspection::open(dir.path()).expect("a database");
    inspection.books(Timestamp::from_micros(0), Timestamp::from_micros(i64::MAX / 2)).expect("books")
}

fn both(number: u64) -> Told {
    Told { owed: number, found: number }
}

#[tokio::test]
async fn sound_books_add_up_day_by_day() {
    let dir = books().await;
    let books = add_up(&dir);
    let first = BookedDay {
        day: "2026-01-02".to_owned(),
        accepted: 4,
        under_way: 1,
        records: 3,
        fees: both(1),
        reports: both(1),
        events: both(7 + 4),
        flawed: 0,
    };
    let second = BookedDay {
        day: "2026-01-03".to_owned(),
        accepted: 1,
        records: 1,
        fees: both(1),
        events: both(7),
        ..BookedDay::default()
    };
    assert_eq!(books, Books { days: vec![first.clone(), second], flawed: Vec::new() });
    assert!(books.add_up());

    let mut inspection = Inspection::open(dir.path()).unwrap();
    let midnight = BEGIN + Duration::from_secs(HOURS_TO_NEXT_DAY * 3_600 - 4 * 60 - 5);
    let of_one_day = inspection.books(Timestamp::from_micros(0), midnight).unwrap();
    assert_eq!(of_one_day.days, [first]);
}

#[tokio::test]
async fn each_way_of_breaking_the_books_has_its_own_word() {
    use Flaw::{
        AcceptedTwice, EntriesDiffer, Lost, MissingEntry, NeverAccepted, NeverEnded, NoEvent, NoFee,
        NoRecord, NoReport, PushDiffers, RecordDiffers, StillListed, StrayEntry, StrayEvent, StrayFee,
        StrayReport, Unreadable,
    };
    let stray = |channel: u32| {
        format!(
            "INSERT INTO push (id, call, channel, dialect, key, host, state, attempts, at) \
             SELECT 1000, call, {channel}, dialect, key, host, 0, 0, at FROM push WHERE call = ? LIMIT 1"
        )
    };
    let again = |seq: &str| {
        format!(
            "INSERT INTO entry (id, call, seq, at, fact, push, pushes) \
             SELECT 1000, call, seq, at, fact, 1000, 0 FROM entry WHERE call = ? AND seq = {seq}"
        )
    };
    let listed =
        "INSERT INTO open_call (call, node, epoch, entries, after) VALUES (?, 'node-1', 1, '[1]', 1)";
    let push = |what: &str, channel: u32| format!("{what} WHERE call = ? AND channel = {channel}");
    let record = |what: &str| format!("UPDATE record SET {what} WHERE call = ?");
    let differs = "record = json_set(record, '$.ending.cause', 'Busy')";
    let cases: Vec<(Flaw, u32, String)> = vec![
        (NeverAccepted, TOLD, "DELETE FROM entry WHERE call = ?".to_owned()),
        (NeverAccepted, UNDER_WAY, "DELETE FROM entry WHERE call = ? AND seq = 0".to_owned()),
        (AcceptedTwice, TOLD, again("0")),
        (AcceptedTwice, UNDER_WAY, again("0")),
        (Unreadable, TOLD, "UPDATE entry SET fact = '{' WHERE call = ? AND seq = 3".to_owned()),
        (Unreadable, TOLD, "UPDATE entry SET fact = '{' WHERE call = ? AND seq = 0".to_owned()),
        (Unreadable, QUIET, record("record = '{}'")),
        (MissingEntry, TOLD, "DELETE FROM entry WHERE call = ? AND seq = 3".to_owned()),
        (StrayEntry, TOLD, again("11")),
        (StrayEntry, UNDER_WAY, again("2")),
        (Lost, UNDER_WAY, "DELETE FROM open_call WHERE call = ?".to_owned()),
        (NeverEnded, QUIET, "DELETE FROM entry WHERE call = ? AND seq = 11".to_owned()),
        (StillListed, TOLD, listed.to_owned()),
        (NoRecord, TOLD, "DELETE FROM record WHERE call = ?".to_owned()),
        (RecordDiffers, TOLD, record(differs)),
        (RecordDiffers, QUIET, record("app_id = 7")),
        (EntriesDiffer, TOLD, record("entries = '[1, 2]'")),
        (EntriesDiffer, QUIET, record("entries = 'none'")),
        (NoFee, TOLD, push("DELETE FROM push", 1)),
        (NoReport, REPORTED, push("DELETE FROM push", 2)),
        (NoEvent, UNDER_WAY, push("DELETE FROM push", 0)),
        (StrayFee, TOLD, stray(1)),
        (StrayReport, REPORTED, stray(2)),
        (StrayEvent, UNDER_WAY, stray(0)),
        (PushDiffers, TOLD, push("UPDATE push SET row = json_set(row, '$.Status.leg', 'B')", 0)),
        (PushDiffers, TOLD, push("UPDATE push SET key = 'key-2'", 1)),
        (PushDiffers, REPORTED, push("UPDATE push SET host = 'elsewhere.example'", 2)),
    ];
    for flaw in Flaw::ALL {
        assert!(cases.iter().any(|(shown, ..)| *shown == flaw), "nobody has seen {}", flaw.word());
    }
    let sound = books().await;
    for (flaw, number, break_it) in cases {
        let broken = tempfile::tempdir().unwrap();
        Inspection::open(sound.path()).unwrap().copy_to(&broken.path().join("huihu.db")).unwrap();
        let connection = Connection::open(broken.path().join("huihu.db")).unwrap();
        assert!(connection.execute(&break_it, [id(number).to_bytes()]).unwrap() > 0, "{break_it}");
        drop(connection);
        let books = add_up(&broken);
        assert_eq!(books.flawed, [FlawedCall { call: id(number), flaws: vec![flaw] }], "{break_it}");
        assert!(!books.add_up());
        let days: Vec<_> = books.days.iter().map(|day| (day.flawed, day.adds_up())).collect();
        assert_eq!(days, [(1, false), (0, true)], "{break_it}");
    }
}

#[tokio::test]
async fn a_directory_without_a_database_is_told_of_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let fault = Inspection::open(dir.path()).unwrap_err();
    assert!(matches!(fault, StoreFault::File { action: "open", .. }), "{fault}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_directory_is_judged_without_being_changed() {
    let dir = books().await;
    let inspection = Inspection::open(dir.path()).unwrap();
    assert_eq!(inspection.broken().unwrap(), Vec::<String>::new());
    assert_eq!(inspection.schema().unwrap(), huihu_store::SchemaState::default());
    inspection.check_key().unwrap();
    let open = inspection.open_calls().unwrap();
    assert_eq!(open.iter().map(|node| (&*node.node, node.calls)).collect::<Vec<_>>(), [("node-1", 1)]);

    let key = dir.path().join(huihu_store::KEY_FILE);
    std::fs::write(&key, "00".repeat(32)).unwrap();
    assert!(matches!(inspection.check_key(), Err(StoreFault::KeyWrong { .. })));
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(inspection.check_key(), Err(StoreFault::KeyMissing { .. })));
    drop(inspection);

    let connection = Connection::open(dir.path().join("huihu.db")).unwrap();
    connection
        .execute_batch(
            "UPDATE seaql_migrations SET version = 'm9999_later' WHERE version = 'm0005_unreleased'",
        )
        .unwrap();
    drop(connection);
    let schema = Inspection::open(dir.path()).unwrap().schema().unwrap();
    assert_eq!(
        (schema.missing, schema.unknown),
        (vec!["m0005_unreleased".into()], vec!["m9999_later".into()])
    );
}

#[tokio::test]
async fn receivers_are_those_of_apps_and_those_that_are_owed_something() {
    let dir = books().await;
    let receivers = || {
        let urls = Inspection::open(dir.path()).unwrap().receivers().unwrap();
        urls.iter().map(|url| url.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(receivers(), Vec::<String>::new());
    let connection = Connection::open(dir.path().join("huihu.db")).unwrap();
    connection
        .execute_batch("UPDATE push SET state = 1; UPDATE push SET state = 3 WHERE channel = 1")
        .unwrap();
    let inspection = Inspection::open(dir.path()).unwrap();
    assert_eq!(inspection.parked().unwrap(), 2);
    assert_eq!(receivers(), ["http://receiver.example/status"]);
}

#[tokio::test]
async fn a_copy_made_beside_the_writer_is_whole_and_adds_up() {
    let dir = books().await;
    let store = Store::open(dir.path()).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join(huihu_store::DATABASE_FILE);
    Inspection::open(dir.path()).unwrap().copy_to(&file).unwrap();
    assert_eq!(add_up(&copy), add_up(&dir));
    assert_eq!(Inspection::open(copy.path()).unwrap().broken().unwrap(), Vec::<String>::new());
    assert!(Inspection::open(dir.path()).unwrap().copy_to(&file).is_err(), "nothing is written over");
    drop(store);
}
