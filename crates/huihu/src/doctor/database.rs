//! The database: whole, of a schema that we know, and sealed with the key that lies beside it.

use std::path::Path;

use anyhow::Result;
use store::{DATABASE_FILE, Inspection, SchemaState};
use tokio::task::spawn_blocking;

use super::Diagnosis;

/// What was seen of it.
#[derive(Clone, Debug, Default)]
struct Facts {
    /// What SQLite finds broken, at most ten lines.
    broken: Vec<String>,
    schema: SchemaState,
    /// What is wrong with the key, in a sentence with its fix.
    key: Option<String>,
    /// Bytes of the database and of what waits to be written back to it.
    bytes: u64,
    waiting: u64,
    /// Pushes that were given up.
    parked: i64,
}

pub(super) async fn check(dir: &Path) -> Result<Vec<Diagnosis>> {
    let dir = dir.to_owned();
    spawn_blocking(move || {
        if !dir.join(DATABASE_FILE).exists() {
            return Ok(vec![Diagnosis::ok(CHECK, "there is none yet: the first start makes it")]);
        }
        Ok(look(&dir).map_or_else(|why| vec![unreadable(&why)], |facts| judge(&facts)))
    })
    .await?
}

fn look(dir: &Path) -> Result<Facts, String> {
    let words = |fault: store::StoreFault| format!("{:#}", anyhow::Error::from(fault));
    let size = |name: &str| std::fs::metadata(dir.join(name)).map_or(0, |file| file.len());
    let database = Inspection::open(dir).map_err(words)?;
    let broken = database.broken().map_err(words)?;
    if !broken.is_empty() {
        return Ok(Facts { broken, ..Facts::default() });
    }
    let schema = database.schema().map_err(words)?;
    let of_ours = schema == SchemaState::default();
    Ok(Facts {
        key: database.check_key().err().map(words),
        bytes: size(DATABASE_FILE),
        waiting: size(&format!("{DATABASE_FILE}-wal")),
        // Another schema may not know them.
        parked: if of_ours { database.parked().map_err(words)? } else { 0 },
        broken,
        schema,
    })
}

fn unreadable(why: &str) -> Diagnosis {
    let fix = "check its permissions; if it is damaged, `huihu restore` makes a data directory of a backup";
    Diagnosis::fault(CHECK, why, fix)
}

fn judge(facts: &Facts) -> Vec<Diagnosis> {
    let Facts { broken, schema, key, bytes, waiting, parked } = facts;
    if let Some(first) = broken.first() {
        let says = format!("it is broken: {first}");
        return vec![Diagnosis::fault(
            CHECK,
            says,
            "stop the platform, keep a copy, and `huihu restore` a backup",
        )];
    }
    let mut diagnoses = Vec::new();
    if let Some(step) = schema.unknown.first() {
        let fix = "run the version that made it, or a newer one";
        diagnoses.push(Diagnosis::fault(
            CHECK,
            format!("a newer huihu made its schema: {step} is unknown here"),
            fix,
        ));
    } else if schema.missing.is_empty() {
        diagnoses.push(Diagnosis::ok(
            CHECK,
            format!("it is whole, of {}, with the schema of this version", mib(*bytes)),
        ));
    } else {
        let says = format!("it is whole, and {} steps of its schema are to come", schema.missing.len());
        diagnoses.push(Diagnosis::warning(
            CHECK,
            says,
            "make a `huihu backup`; the next start makes the steps",
        ));
    }
    if let Some(why) = key {
        diagnoses.push(Diagnosis::fault(
            CHECK,
            why.clone(),
            "without the right key no app can sign in, and no push be signed",
        ));
    }
    if *waiting > WAITING_MAX {
        diagnoses.push(Diagnosis::warning(
            CHECK,
            format!("{} wait to be written back to it", mib(*waiting)),
            "look for a program that reads it for hours, such as a copy or an open sqlite3",
        ));
    }
    if *parked > 0 {
        diagnoses.push(Diagnosis::warning(
            CHECK,
            format!("{parked} pushes were given up, and wait for somebody to send them again"),
            "`huihu push list --state parked` shows them, `huihu push replay --state parked` sends them",
        ));
    }
    diagnoses
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// Bytes that wait at most when nobody holds them up: many times the journal's own measure of 16 MiB.
const WAITING_MAX: u64 = 512 << 20;

const CHECK: &str = "database";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::told;

    #[test]
    fn each_state_of_a_database_has_its_own_sentence() {
        let steps = || vec!["m0009_later".to_owned()];
        let sound = Facts { bytes: 3 << 20, ..Facts::default() };
        for (facts, words) in [
            (sound.clone(), "ok: it is whole, of 3 MiB"),
            (
                Facts { broken: vec!["row 7 missing".into()], ..Facts::default() },
                "fault: it is broken: row 7 missing",
            ),
            (
                Facts { schema: SchemaState { missing: steps(), ..SchemaState::default() }, ..sound.clone() },
                "warning: it is whole, and 1 steps",
            ),
            (
                Facts { schema: SchemaState { unknown: steps(), ..SchemaState::default() }, ..sound.clone() },
                "fault: a newer huihu",
            ),
            (
                Facts { key: Some("secret.key is missing".into()), ..sound.clone() },
                "fault: secret.key is missing",
            ),
            (Facts { waiting: 1 << 30, ..sound.clone() }, "warning: 1024 MiB wait"),
            (Facts { parked: 3, ..sound }, "warning: 3 pushes were given up"),
        ] {
            let said: Vec<_> = judge(&facts).iter().map(told).collect();
            assert!(said.last().unwrap().starts_with(words), "{said:?}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_a_fault() {
        let dir = tempfile::tempdir().unwrap();
        let said = async || check(dir.path()).await.unwrap().iter().map(told).collect::<Vec<_>>();
        assert_eq!(said().await, ["ok: there is none yet: the first start makes it"]);
        std::fs::write(dir.path().join(DATABASE_FILE), "no database at all, and long enough for a header")
            .unwrap();
        assert!(said().await[0].starts_with("fault: "), "{:?}", said().await);
    }
}
