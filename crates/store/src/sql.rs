//! Statements of many rows out of a constant set of texts, so that each is prepared once.
//!
//! SeaORM's builder would write a new text for every batch, and SQLite would parse it again: that cost more than
//! the rows themselves. The texts here are plain SQL that PostgreSQL reads too, once `?` is numbered.

use std::iter;
use std::sync::Arc;

use sea_orm::sqlx::{self, Arguments, AssertSqlSafe, SqliteConnection, sqlite::SqliteArguments};

/// A statement for any number of rows: `head row, row, … tail`, in chunks of a few sizes.
pub(crate) struct Chunked {
    texts: Vec<(usize, Arc<str>)>,
}

impl Chunked {
    /// A statement such as `head (?, ?), (?, ?) tail`.
    pub(crate) fn new(head: &str, row: &str, tail: &str) -> Self {
        let text = |rows: usize| {
            let rows = iter::repeat_n(row, rows).collect::<Vec<_>>().join(",");
            Arc::from(format!("{head} {rows} {tail}"))
        };
        Self { texts: SIZES.map(|rows| (rows, text(rows))).to_vec() }
    }

    /// Runs the statement for all rows; gives how many rows the database says it changed. The `head` values stand
    /// before those of the first row of each chunk.
    pub(crate) async fn run<T>(
        &self,
        connection: &mut SqliteConnection,
        head: &[i64],
        rows: &[T],
        bind: impl Fn(&T, &mut Values),
    ) -> Result<u64, sqlx::Error> {
        let mut changed = 0;
        let mut rest = rows;
        while !rest.is_empty() {
            let fits = self.texts.iter().find(|(rows, _)| *rows <= rest.len());
            let (count, text) = fits.expect("the smallest chunk is one row");
            let (chunk, later) = rest.split_at(*count);
            let mut values = Values::default();
            head.iter().for_each(|value| values.add(*value));
            chunk.iter().for_each(|row| bind(row, &mut values));
            let query = sqlx::query_with(AssertSqlSafe(Arc::clone(text)), values.0);
            changed += query.execute(&mut *connection).await?.rows_affected();
            rest = later;
        }
        Ok(changed)
    }
}

/// Chunk sizes, largest first: any batch under 80 rows takes at most three trips to the database's thread.
const SIZES: [usize; 19] = [64, 48, 32, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

/// The values of a statement, in the order of its question marks.
#[derive(Default)]
pub(crate) struct Values(SqliteArguments);

impl Values {
    /// Adds a value. Integers, texts and bytes always fit.
    pub(crate) fn add<'t, T>(&mut self, value: T)
    where
        T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.0.add(value).expect("integers, texts and bytes are encoded without fail");
    }
}
