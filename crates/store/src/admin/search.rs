//! Records as an operator searches them: by number, app, the customer's own words and time.

use base::id::{AppId, CallId};
use base::number::E164;
use base::record::CallRecord;
use base::time::Timestamp;
use sea_orm::{ConnectionTrait, Statement, Value};

use super::calls::read_record;
use super::{Admin, AdminFault, reading};

/// Which records; every condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallPick {
    /// A number that was dialled or shown.
    pub number: Option<E164>,
    /// The app that ordered.
    pub app: Option<AppId>,
    /// The customer's own words, whole.
    pub user_data: Option<Box<str>>,
    /// Only calls that were accepted at this moment or later.
    pub from: Option<Timestamp>,
    /// Only calls that were accepted before this moment.
    pub until: Option<Timestamp>,
}

impl Admin {
    /// Records by the age of their calls, latest first, from before a call on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn records_page(
        &self,
        pick: &CallPick,
        before: Option<CallId>,
        limit: u64,
    ) -> Result<Vec<CallRecord>, AdminFault> {
        let mut found = Vec::new();
        match &pick.number {
            None => found = self.search(pick, None, before, limit).await?,
            // Each place has an index in the order of calls; one question for all four would have none.
            Some(number) => {
                for column in PLACES {
                    found.extend(self.search(pick, Some((column, number)), before, limit).await?);
                }
            }
        }
        found.sort_unstable_by_key(|record| std::cmp::Reverse(record.call.id));
        found.dedup_by_key(|record| record.call.id);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    async fn search(
        &self,
        pick: &CallPick,
        place: Option<(&str, &E164)>,
        before: Option<CallId>,
        limit: u64,
    ) -> Result<Vec<CallRecord>, AdminFault> {
        let (text, values) = question(pick, place, before, limit);
        let connection = self.store.read();
        let query = Statement::from_sql_and_values(connection.get_database_backend(), text, values);
        let rows = connection.query_all_raw(query).await.map_err(reading())?;
        let read = |row: &sea_orm::QueryResult| {
            let record: String = row.try_get_by_index(0).map_err(reading())?;
            read_record(&record)
        };
        rows.iter().map(read).collect()
    }
}

/// Ids of calls begin with their time, so times are compared as ids. The condition that an index shall answer comes
/// bare; the others are hidden from the choice of index by a plus sign.
fn question(
    pick: &CallPick,
    place: Option<(&str, &E164)>,
    before: Option<CallId>,
    limit: u64,
) -> (String, Vec<Value>) {
    let mut text = "SELECT record FROM record WHERE 1 = 1".to_owned();
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: String, value: Value| {
        text.push_str(" AND ");
        text.push_str(&condition);
        values.push(value);
    };
    let mut led = false;
    let mut lead = |column: &str| {
        let hidden = if std::mem::replace(&mut led, true) { "+" } else { "" };
        format!("{hidden}{column} = ?")
    };
    if let Some((column, number)) = place {
        add(lead(column), number.as_str().into());
    }
    if let Some(user_data) = &pick.user_data {
        add(lead("user_data"), user_data.to_string().into());
    }
    if let Some(AppId(app)) = pick.app {
        add(lead("app_id"), app.into());
    }
    let bytes = |call: CallId| Value::from(call.to_bytes().to_vec());
    if let Some(from) = pick.from {
        add("call >= ?".to_owned(), bytes(CallId::new(from, 0)));
    }
    let until = pick.until.map(|until| CallId::new(until, 0));
    if let Some(end) = [until, before].into_iter().flatten().min() {
        add("call < ?".to_owned(), bytes(end));
    }
    text.push_str(&format!(" ORDER BY call DESC LIMIT {limit}"));
    (text, values)
}

/// Where a number can stand in a call.
const PLACES: [&str; 4] = ["dialled_a", "dialled_b", "shown_a", "shown_b"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_condition_leads_and_the_others_are_hidden() {
        let number = E164::parse("+8613800000001").unwrap();
        let pick = CallPick {
            app: Some(AppId(3)),
            user_data: Some("order 17".into()),
            from: Some(Timestamp::from_millis(1)),
            ..CallPick::default()
        };
        let (text, values) = question(&pick, Some(("dialled_a", &number)), None, 10);
        assert_eq!(
            text,
            "SELECT record FROM record WHERE 1 = 1 AND dialled_a = ? AND +user_data = ? AND +app_id = ? \
             AND call >= ? ORDER BY call DESC LIMIT 10"
        );
        assert_eq!(values.len(), 4);
    }
}
