//! The walk through the database: journal and outbox side by side, then what is under way, then the records.

use base::id::CallId;
use base::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Rows, params};

use super::Books;
use super::auditor::{Auditor, Line, PushLine, RecordLine};

/// Adds up the calls that were accepted from one moment to before another. One transaction sees one state of the database.
pub(crate) fn read(
    connection: &mut Connection,
    from: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<Books> {
    let transaction = connection.transaction()?;
    let ([first, last], mut auditor) = ([from, until].map(|at| CallId::new(at, 0)), Auditor::default());
    let calls = params![first.to_bytes(), last.to_bytes()];
    let (mut entries, mut pushes) = (transaction.prepare(ENTRIES)?, transaction.prepare(PUSHES)?);
    let mut record = transaction.prepare(RECORD)?;
    let (mut entries, mut outbox) = (entries.query(calls)?, Outbox::begin(pushes.query(calls)?)?);
    while let Some(row) = entries.next()? {
        let (line, pushes) = entry(row)?;
        let claimed = outbox.claim(line.push, pushes, &mut auditor)?;
        let Some(ended) = auditor.on_entry(line, &claimed) else { continue };
        let found = record.query_row([ended.call.to_bytes()], stored).optional()?;
        auditor.on_end(&ended, found);
    }
    outbox.rest(&mut auditor)?;
    let mut under_way = transaction.prepare(UNDER_WAY)?;
    let mut under_way = under_way.query(calls)?;
    while let Some(row) = under_way.next()? {
        auditor.on_under_way(CallId::from_bytes(row.get(0)?), row.get(1)?);
    }
    let mut records = transaction.prepare(RECORDS)?;
    let mut records = records.query(calls)?;
    while let Some(row) = records.next()? {
        auditor.on_record(CallId::from_bytes(row.get(0)?), row.get(1)?, row.get(2)?);
    }
    Ok(auditor.finish())
}

/// The pushes of the outbox in the order of their numbers, which is that of the entries they follow from.
struct Outbox<'a> {
    rows: Rows<'a>,
    next: Option<PushLine>,
}

impl<'a> Outbox<'a> {
    fn begin(rows: Rows<'a>) -> rusqlite::Result<Self> {
        let mut this = Self { rows, next: None };
        this.step()?;
        Ok(this)
    }

    /// The pushes that an entry claims. Those before them are nobody's.
    fn claim(&mut self, from: i64, count: i64, auditor: &mut Auditor) -> rusqlite::Result<Vec<PushLine>> {
        let mut claimed = Vec::new();
        if count <= 0 {
            return Ok(claimed);
        }
        while let Some(push) = self.next.take_if(|push| push.id < from.saturating_add(count)) {
            auditor.on_push(&push);
            if push.id < from {
                auditor.on_stray(&push);
            } else {
                claimed.push(push);
            }
            self.step()?;
        }
        Ok(claimed)
    }

    /// What is left is nobody's.
    fn rest(mut self, auditor: &mut Auditor) -> rusqlite::Result<()> {
        while let Some(push) = self.next.take() {
            auditor.on_push(&push);
            auditor.on_stray(&push);
            self.step()?;
        }
        Ok(())
    }

    fn step(&mut self) -> rusqlite::Result<()> {
        self.next = self.rows.next()?.map(push).transpose()?;
        Ok(())
    }
}

/// A line of the journal, and how many pushes it claims.
fn entry(row: &Row<'_>) -> rusqlite::Result<(Line, i64)> {
    let line = Line {
        id: row.get(0)?,
        call: CallId::from_bytes(row.get(1)?),
        seq: row.get(2)?,
        at: Timestamp::from_micros(row.get(3)?),
        fact: row.get(4)?,
        push: row.get(5)?,
    };
    Ok((line, row.get(6)?))
}

fn push(row: &Row<'_>) -> rusqlite::Result<PushLine> {
    Ok(PushLine {
        id: row.get(0)?,
        call: CallId::from_bytes(row.get(1)?),
        channel: row.get(2)?,
        dialect: row.get(3)?,
        key: row.get(4)?,
        host: row.get(5)?,
        row: row.get(6)?,
    })
}

fn stored(row: &Row<'_>) -> rusqlite::Result<RecordLine> {
    Ok(RecordLine { app: row.get(0)?, ended_at: row.get(1)?, record: row.get(2)?, entries: row.get(3)? })
}

/// The journal has no index by call, so all of it is looked at.
const ENTRIES: &str = "SELECT id, call, seq, at, fact, push, pushes FROM entry \
                       WHERE call >= ?1 AND call < ?2 ORDER BY id";

const PUSHES: &str = "SELECT id, call, channel, dialect, key, host, row FROM push \
                      WHERE call >= ?1 AND call < ?2 ORDER BY id";

const RECORD: &str = "SELECT app_id, ended_at, record, entries FROM record WHERE call = ?";

/// With whether the first of its entries, listed or not, is its acceptance.
const UNDER_WAY: &str = "SELECT call, EXISTS (SELECT 1 FROM entry WHERE entry.call = open_call.call AND seq = 0 \
    AND id = COALESCE(CASE WHEN json_valid(entries) THEN json_extract(entries, '$[0]') END, after + 1)) \
    FROM open_call WHERE call >= ?1 AND call < ?2 ORDER BY call";

const RECORDS: &str = "SELECT call, first, EXISTS (SELECT 1 FROM entry WHERE entry.id = listed.first \
    AND entry.call = listed.call AND seq = 0) FROM (SELECT call, \
    CASE WHEN json_valid(entries) THEN CAST(json_extract(entries, '$[0]') AS INTEGER) END AS first FROM record \
    WHERE call >= ?1 AND call < ?2) AS listed ORDER BY call";
