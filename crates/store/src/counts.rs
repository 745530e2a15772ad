//! How many calls were counted against the limits, in windows that are not over.
//!
//! A call is counted in the transaction that accepts it, so no crash forgets a count or counts a call that was refused.
//! At a start the counts are read back into memory, where admission looks at them; the table is only their memory.

use base::id::CallId;
use base::private::Private;
use base::quota::{Charge, Counted, Window};
use base::time::Timestamp;
use rusqlite::{Transaction, params};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::fault::StoreFault;
use crate::store::Store;

/// Charges of a call that is being accepted.
pub(crate) struct ChargeRow {
    pub(crate) call: CallId,
    pub(crate) charge: Charge,
}

impl Store {
    /// The counts of all windows that hold `now`.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub async fn charges(&self, now: Timestamp) -> Result<Vec<(Charge, u32)>, StoreFault> {
        let mut charges = Vec::new();
        for per in WINDOWS {
            charges.extend(of_window(self.read(), per, per.began(now)).await?);
        }
        Ok(charges)
    }
}

async fn of_window(
    connection: &DatabaseConnection,
    per: Window,
    began: i64,
) -> Result<Vec<(Charge, u32)>, StoreFault> {
    let fault = || StoreFault::of_database("read the counts of");
    let values = [window_number(per).into(), began.into()];
    let query = Statement::from_sql_and_values(connection.get_database_backend(), OF_WINDOW, values);
    let rows = connection.query_all_raw(query).await.map_err(fault())?;
    let read = |row: &sea_orm::QueryResult| {
        let counted = counted_of(row.try_get_by_index(0).map_err(fault())?);
        let subject: String = row.try_get_by_index(2).map_err(fault())?;
        let calls: i64 = row.try_get_by_index(3).map_err(fault())?;
        let charge = Charge {
            of: counted.ok_or_else(|| StoreFault::damaged("a count"))?,
            owner: row.try_get_by_index(1).map_err(fault())?,
            subject: Private::new(subject.into()),
            per,
            began,
        };
        Ok((charge, u32::try_from(calls).unwrap_or(u32::MAX)))
    };
    rows.iter().map(read).collect()
}

/// Adds charges to their counts.
pub(crate) fn add(charges: &[ChargeRow], transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    if charges.is_empty() {
        return Ok(());
    }
    let mut add = transaction.prepare_cached(ADD)?;
    for ChargeRow { charge, .. } in charges {
        let Charge { of, owner, subject, per, began } = charge;
        add.execute(params![window_number(*per), began, counted_number(*of), owner, &**subject.expose()])?;
    }
    Ok(())
}

/// Forgets some of the windows that were over at that time. [`Window::Ever`] never is.
pub(crate) fn prune(now: Timestamp, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut prune = transaction.prepare_cached(PRUNE)?;
    for per in WINDOWS {
        prune.execute(params![window_number(per), per.began(now), PRUNED])?;
    }
    Ok(())
}

const WINDOWS: [Window; 5] = [Window::Minute, Window::Hour, Window::Day, Window::Month, Window::Ever];

const fn window_number(per: Window) -> i16 {
    match per {
        Window::Minute => 0,
        Window::Hour => 1,
        Window::Day => 2,
        Window::Month => 3,
        Window::Ever => 4,
    }
}

const COUNTED: [Counted; 7] = [
    Counted::Account,
    Counted::App,
    Counted::ShownNumber,
    Counted::Caller,
    Counted::Callee,
    Counted::ServiceNumber,
    Counted::Pair,
];

const fn counted_number(of: Counted) -> i16 {
    match of {
        Counted::Account => 0,
        Counted::App => 1,
        Counted::ShownNumber => 2,
        Counted::Caller => 3,
        Counted::Callee => 4,
        Counted::ServiceNumber => 5,
        Counted::Pair => 6,
    }
}

fn counted_of(number: i16) -> Option<Counted> {
    COUNTED.into_iter().find(|counted| counted_number(*counted) == number)
}

const OF_WINDOW: &str = "SELECT counted, owner, subject, calls FROM charge_count WHERE per = ? AND began = ?";

const ADD: &str = "INSERT INTO charge_count (per, began, counted, owner, subject, calls) VALUES (?, ?, ?, ?, ?, 1) \
                   ON CONFLICT DO UPDATE SET calls = calls + 1";

const PRUNE: &str = "DELETE FROM charge_count WHERE (per, began, counted, owner, subject) IN \
                     (SELECT per, began, counted, owner, subject FROM charge_count \
                      WHERE per = ? AND began < ? LIMIT ?)";

/// Counts of one kind of window that are forgotten at once: with each heartbeat, some hundred a second.
const PRUNED: i64 = 1_024;
