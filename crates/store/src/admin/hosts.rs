//! How many pushes are owed to each host, and how many were given up.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};

use super::{Admin, AdminFault, reading};
use crate::outbox::PushState;

/// The pushes of a host that it does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostCount {
    /// Its name or address.
    pub host: Box<str>,
    /// Pushes that were not tried yet.
    pub fresh: u64,
    /// Pushes that will be tried again.
    pub deferred: u64,
    /// Pushes that were given up.
    pub parked: u64,
}

impl Admin {
    /// The hosts that do not have all their pushes, by name, after a host; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn push_hosts(&self, after: Option<&str>, limit: u64) -> Result<Vec<HostCount>, AdminFault> {
        let connection = self.store.read();
        let values = [after.unwrap_or_default().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        let query = Statement::from_sql_and_values(connection.get_database_backend(), COUNTS, values);
        let rows = connection.query_all_raw(query).await.map_err(reading())?;
        let count = |row: &QueryResult| {
            let number = |index| Ok::<_, DbErr>(row.try_get_by_index::<i64>(index)?.unsigned_abs());
            Ok(HostCount {
                host: row.try_get_by_index::<String>(0)?.into(),
                fresh: number(1)?,
                deferred: number(2)?,
                parked: number(3)?,
            })
        };
        Ok(rows.iter().map(count).collect::<Result<_, DbErr>>().map_err(reading())?)
    }

    /// How many pushes were given up.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn parked_pushes(&self) -> Result<u64, AdminFault> {
        let connection = self.store.read();
        let text = format!("SELECT COUNT(*) FROM push WHERE state = {}", PushState::Parked.number());
        let query = Statement::from_string(connection.get_database_backend(), text);
        let row = connection.query_one_raw(query).await.map_err(reading())?;
        let parked = row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0)).map_err(reading())?;
        Ok(parked.unsigned_abs())
    }
}

/// The states are literals, one at a time, because only then the partial indexes answer and delivered pushes are not read.
const COUNTS: &str = "SELECT host, SUM(fresh), SUM(deferred), SUM(parked) FROM ( \
    SELECT host, COUNT(*) AS fresh, 0 AS deferred, 0 AS parked FROM push WHERE state = 0 GROUP BY host UNION ALL \
    SELECT host, 0, COUNT(*), 0 FROM push WHERE state = 1 GROUP BY host UNION ALL \
    SELECT host, 0, 0, COUNT(*) FROM push WHERE state = 3 GROUP BY host) AS counted \
    WHERE host > ? GROUP BY host ORDER BY host LIMIT ?";
