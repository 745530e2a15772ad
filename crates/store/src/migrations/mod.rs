//! The schema's history: one file a step, in order, never changed once released.

mod columns;
mod m0001_start;
mod m0002_rules;
mod m0003_voices;
mod m0004_attempts;
mod m0005_unreleased;
mod m0006_safety;

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

/// Brings a database from whatever step it is at to the last one.
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_start::Start),
            Box::new(m0002_rules::Rules),
            Box::new(m0003_voices::Voices),
            Box::new(m0004_attempts::Attempts),
            Box::new(m0005_unreleased::Unreleased),
            Box::new(m0006_safety::Safety),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base::account::{ReportForm, Review};
    use base::id::AppId;
    use base::number::E164;
    use base::order::ProductKind;
    use base::template::TemplateKind;
    use sea_orm::{ConnectionTrait, Database};

    use super::*;
    use crate::admin::{Admin, CallPick};
    use crate::outbox::PushNo;
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

    /// A database of the first so many schemas, with these rows.
    async fn old(dir: &Path, schemas: u32, rows: &str) {
        let url = format!("sqlite://{}?mode=rwc", dir.join("huihu.db").display());
        let old = Database::connect(url).await.unwrap();
        Migrator::up(&old, Some(schemas)).await.unwrap();
        old.execute_unprepared(rows).await.unwrap();
        old.close().await.unwrap();
    }

    #[tokio::test]
    async fn records_of_the_first_schema_are_found_by_the_number_that_was_shown() {
        let dir = tempfile::tempdir().unwrap();
        let insert = "INSERT INTO record (call, app_id, ended_at, dialled_a, record, entries) VALUES \
                      (x'019b7d6e5c08000000000000000000a1', 1, 1767323046000000, '+8613800000001'";
        old(dir.path(), 1, &format!("{insert}, '{OLD_RECORD}', '[]')")).await;

        let admin = Admin::new(&Store::open(dir.path()).await.unwrap());
        for pick in [
            CallPick { number: E164::parse("+8675500000001").ok(), ..CallPick::default() },
            CallPick { user_data: Some("order 17".into()), ..CallPick::default() },
        ] {
            assert_eq!(admin.records_page(&pick, None, 9).await.unwrap().len(), 1, "{pick:?}");
        }
    }

    #[tokio::test]
    async fn apps_and_templates_of_the_second_schema_stay_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let rows = "INSERT INTO enterprise (id, name, created_at) VALUES (1, 'acme', 0);
            INSERT INTO app (id, enterprise_id, name, state, products, ports, recording, push_signature, created_at)
                VALUES (1, 1, 'shop', 'active', 'callback,notice', 10, FALSE, 'joined', 0);
            INSERT INTO template (id, enterprise_id, name, text, speed, review, created_at, changed_at)
                VALUES ('00ff', 1, 'parcel', '您好${TXT_9}', 100, 'approved', 0, 0)";
        old(dir.path(), 2, rows).await;

        let admin = Admin::new(&Store::open(dir.path()).await.unwrap());
        let app = admin.app(AppId(1)).await.unwrap().app;
        assert_eq!(app.products, [ProductKind::Callback, ProductKind::Notice], "nothing was opened for it");
        assert_eq!((app.report_url, app.reports), (None, ReportForm::default()));
        let template = admin.template("00ff").await.unwrap();
        assert_eq!((template.draft.kind, template.review), (TemplateKind::Placed, Review::Approved));
    }

    #[tokio::test]
    async fn attempts_of_the_third_schema_are_told_of_each_push_of_their_message() {
        let dir = tempfile::tempdir().unwrap();
        let push = |id: u32, message| {
            format!(
                "INSERT INTO push (id, call, channel, dialect, key, host, message, state, attempts, at) VALUES \
                 ({id}, x'019b7d6e5c08000000000000000000a1', 2, 'ours', 'key-1', 'h', {message}, 1, 2, 0);"
            )
        };
        let attempt = |push, at, request| {
            format!(
                "INSERT INTO attempt (push_id, at, took_millis, outcome, request) \
                 VALUES ({push}, {at}, 9, 'HTTP 500', {request});"
            )
        };
        let rows = [
            push(1, "1"),
            push(2, "1"),
            push(3, "3"),
            attempt(1, 70, "'POST 1'"),
            attempt(2, 70, "NULL"),
            attempt(3, 70, "'POST 3'"),
            attempt(1, 80, "'POST 1 again'"),
            attempt(2, 80, "NULL"),
        ];
        old(dir.path(), 3, &rows.concat()).await;

        let admin = Admin::new(&Store::open(dir.path()).await.unwrap());
        for (push, sent) in
            [(1, vec!["POST 1", "POST 1 again"]), (2, vec!["POST 1", "POST 1 again"]), (3, vec!["POST 3"])]
        {
            let attempts = admin.attempts(PushNo(push)).await.unwrap();
            let told: Vec<_> = attempts.iter().map(|line| line.request.as_deref().unwrap()).collect();
            assert_eq!(told, sent, "push {push}");
        }
    }
}
