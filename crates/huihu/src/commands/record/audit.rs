//! `huihu record audit`: whether the books of the data directory add up. A server may go on meanwhile.

use anyhow::{Result, anyhow, bail};
use base::time::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use store::{BookedDay, Books, FlawedCall, Inspection, Told};
use tokio::task::spawn_blocking;

use crate::cli::Place;
use crate::commands::config;
use crate::road::wall;
use crate::say;

pub(super) async fn run(place: &Place, from: Option<&str>, to: Option<&str>, json: bool) -> Result<()> {
    let dir = config(place)?.data_dir;
    let (from, until) = span(from, to, wall())?;
    let books = spawn_blocking(move || Inspection::open(&dir)?.books(from, until)).await??;
    if json {
        say(&printed(&books).to_string());
    } else {
        for line in told(&books) {
            say(&line);
        }
    }
    verdict(&books)
}

/// The moments that days mean: from the beginning of the first to the end of the last.
fn span(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<(Timestamp, Timestamp)> {
    let from = from.map_or(Ok(Timestamp::default()), midnight)?;
    // A clock that was put back leaves calls in the future.
    let last = to.map_or_else(|| Ok(now + DAY), midnight)?;
    if last < from {
        bail!("--to is before --from: name the first day and the last");
    }
    Ok((from, last + DAY))
}

/// When a day begins in Beijing.
fn midnight(day: &str) -> Result<Timestamp> {
    let there = Timestamp::parse(&format!("{day} 00:00:00"), "%Y-%m-%d %H:%M:%S");
    there.map(|at| at - AHEAD).ok_or_else(|| anyhow!("{day:?} is no day: write it as 2026-01-02"))
}

/// The days as a table, then the calls that do not add up.
fn told(books: &Books) -> Vec<String> {
    let mut lines = vec![row(["day", "accepted", "under way", "records", "fees", "reports", "events", ""])];
    lines.extend(books.days.iter().map(|day| {
        let number = |number: u64| number.to_string();
        row([
            &day.day,
            &number(day.accepted),
            &number(day.under_way),
            &number(day.records),
            &pushes(day.fees),
            &pushes(day.reports),
            &pushes(day.events),
            if day.adds_up() { "" } else { "does not add up" },
        ])
    }));
    lines.extend(books.flawed.iter().map(|call| format!("{}  {}", call.call, words(call).join(", "))));
    lines
}

fn row(cells: [&str; 8]) -> String {
    let [day, accepted, under_way, records, fees, reports, events, note] = cells;
    format!(
        "{day:<10}  {accepted:>9}  {under_way:>9}  {records:>9}  {fees:>9}  {reports:>9}  {events:>9}  {note}"
    )
    .trim_end()
    .to_owned()
}

/// One number where there are as many as are owed.
fn pushes(told: Told) -> String {
    let Told { owed, found } = told;
    if owed == found { found.to_string() } else { format!("{found} of {owed}") }
}

fn words(call: &FlawedCall) -> Vec<&'static str> {
    call.flaws.iter().map(|flaw| flaw.word()).collect()
}

fn printed(books: &Books) -> Value {
    let pushes = |told: Told| json!({"owed": told.owed, "found": told.found});
    let day = |day: &BookedDay| {
        json!({
            "day": day.day,
            "accepted": day.accepted,
            "under_way": day.under_way,
            "records": day.records,
            "fees": pushes(day.fees),
            "reports": pushes(day.reports),
            "events": pushes(day.events),
            "flawed": day.flawed,
            "adds_up": day.adds_up(),
        })
    };
    let flawed = |call: &FlawedCall| json!({"call": call.call, "flaws": words(call)});
    json!({
        "adds_up": books.add_up(),
        "days": books.days.iter().map(day).collect::<Vec<_>>(),
        "flawed": books.flawed.iter().map(flawed).collect::<Vec<_>>(),
    })
}

fn verdict(books: &Books) -> Result<()> {
    if books.add_up() {
        return Ok(());
    }
    bail!(
        "{} calls do not add up: `huihu record show CALL --ladder` shows what is known of one, and docs/operating.md what \
         the words mean",
        books.flawed.len()
    )
}

/// How far Beijing's clocks are ahead.
const AHEAD: Duration = Duration::from_secs(8 * 3_600);

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[cfg(test)]
mod tests {
    use base::id::CallId;
    use store::Flaw;

    use super::*;

    fn books() -> Books {
        let both = |number| Told { owed: number, found: number };
        let sound = BookedDay {
            day: "2026-01-02".to_owned(),
            accepted: 4,
            under_way: 1,
            records: 3,
            fees: both(2),
            reports: both(1),
            events: both(11),
            flawed: 0,
        };
        let broken = BookedDay {
            day: "2026-01-03".to_owned(),
            accepted: 1,
            records: 1,
            fees: Told { owed: 1, found: 0 },
            flawed: 1,
            ..BookedDay::default()
        };
        let call = CallId::new(Timestamp::from_millis(1_767_370_000_000), 7);
        let flawed = vec![FlawedCall { call, flaws: vec![Flaw::NoFee, Flaw::RecordDiffers] }];
        Books { days: vec![sound, broken], flawed }
    }

    #[test]
    fn the_table_has_a_line_for_each_day_and_each_call_that_does_not_add_up() {
        let lines = told(&books());
        let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cells(&lines[1]), ["2026-01-02", "4", "1", "3", "2", "1", "11"]);
        assert!(lines[2].contains("0 of 1") && lines[2].ends_with("does not add up"), "{}", lines[2]);
        assert!(lines[3].ends_with("no_fee, record_differs"), "{}", lines[3]);
        assert!(verdict(&books()).unwrap_err().to_string().starts_with("1 calls do not add up"));
        let sound = Books { days: books().days[..1].to_vec(), flawed: Vec::new() };
        assert!(verdict(&sound).is_ok());
    }

    #[test]
    fn the_json_says_the_same() {
        let json = printed(&books());
        assert_eq!(json["adds_up"], false);
        assert_eq!(json["days"][0]["adds_up"], true);
        assert_eq!(json["days"][1]["fees"], json!({"owed": 1, "found": 0}));
        assert_eq!(json["flawed"][0]["flaws"], json!(["no_fee", "record_differs"]));
    }

    #[test]
    fn days_are_those_of_beijing() {
        let now = midnight("2026-03-01").unwrap();
        let (from, until) = span(Some("2026-01-02"), Some("2026-01-02"), now).unwrap();
        let utc = |at: Timestamp| at.print("%Y-%m-%dT%H:%M:%SZ");
        assert_eq!((utc(from), utc(until)), ("2026-01-01T16:00:00Z".into(), "2026-01-02T16:00:00Z".into()));
        assert!(span(None, None, now).unwrap().1 > now);
        assert!(span(Some("2026-01-03"), Some("2026-01-02"), now).is_err());
        assert!(midnight("yesterday").unwrap_err().to_string().contains("2026-01-02"));
    }
}
