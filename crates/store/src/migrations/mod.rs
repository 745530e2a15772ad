//! The schema's history: one file a step, in order, never changed once released.

mod columns;
mod m0001_start;
mod m0002_rules;
mod m0003_voices;

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

/// Brings a database from whatever step it is at to the last one.
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_start::Start), Box::new(m0002_rules::Rules), Box::new(m0003_voices::Voices)]
    }
}

#[cfg(test)]
mod tests {
    use base::number::E164;
    use sea_orm::{ConnectionTrait, Database};

    use super::*;
    use crate::admin::{Admin, CallPick};
    use crate::store::Store;

    /// A record as the first schema kept it.
    const OLD_RECORD: &str = r#"{"call":{"id":"019b7d6e5c08000000000000000000a1","dialect":"huawei","node":"node-1",
        "account":"acme","app":1,"key":"key-1","accepted_at":1767323045000000,"product":{"Code":{
        "callee":"+8613800000001","shown":"+8675500000001","before":{"System":"Pause"},"after":null,"times":3}},
        "status_url":null,"fee_url":null,"user_data":"order 17","tell_who_hung_up":false},
        "legs":[{"dialled_at":null,"ringing_at":null,"answered_at":null,"released_at":null,"release":null},
        {"dialled_at":null,"ringing_at":null,"answered_at":null,"released_at":null,"release":null}],
        "bridged_at":null,"ended_at":1767323046000000,
        "ending":{"by":"Caller","cause":"Normal","leg":null}}"#;

    #[tokio::test]
    async fn records_of_the_first_schema_are_found_by_the_number_that_was_shown() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("huihu.db").display());
        let old = Database::connect(url).await.unwrap();
        Migrator::up(&old, Some(1)).await.unwrap();
        let insert = "INSERT INTO record (call, app_id, ended_at, dialled_a, record, entries) VALUES \
                      (x'019b7d6e5c08000000000000000000a1', 1, 1767323046000000, '+8613800000001'";
        old.execute_unprepared(&format!("{insert}, '{OLD_RECORD}', '[]')")).await.unwrap();
        old.close().await.unwrap();

        let admin = Admin::new(&Store::open(dir.path()).await.unwrap());
        for pick in [
            CallPick { number: E164::parse("+8675500000001").ok(), ..CallPick::default() },
            CallPick { user_data: Some("order 17".into()), ..CallPick::default() },
        ] {
            assert_eq!(admin.records_page(&pick, None, 9).await.unwrap().len(), 1, "{pick:?}");
        }
    }
}
