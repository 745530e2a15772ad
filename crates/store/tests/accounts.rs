//! Accounts from the operator's hand to the snapshot that requests are judged by.

use std::fs;

use base::account::{AppState, NumberState, Review};
use base::id::{AppId, ClipId};
use base::number::E164;
use base::private::Private;
use base::time::Timestamp;
use base::url::PushUrl;
use huihu_store::admin::AppDraft;
use huihu_store::{Accounts, Admin, AdminFault, KeyState, Store, StoreFault};
use tempfile::TempDir;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

async fn open(dir: &TempDir) -> (Store, Admin) {
    let store = Store::open(dir.path()).await.expect("a store");
    let admin = Admin::new(&store);
    (store, admin)
}

async fn app(admin: &Admin, name: &str) -> AppId {
    admin.create_app(&AppDraft::new("acme", name), at(0)).await.expect("a new app")
}

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

#[tokio::test]
async fn an_account_has_everything_that_was_given_to_its_app() {
    let dir = tempfile::tempdir().unwrap();
    let (store, admin) = open(&dir).await;
    let mut draft = AppDraft::new("acme", "shop");
    draft.ports = 7;
    draft.fee_url = Some(PushUrl::parse("https://shop.example/fee").unwrap());
    let id = admin.create_app(&draft, at(0)).await.unwrap();
    let key = admin.create_key(id, at(0)).await.unwrap();
    admin.add_number(id, &number("+8675500000001"), at(0)).await.unwrap();
    admin.add_number(id, &number("+8675500000002"), at(1)).await.unwrap();
    admin.set_number_state(&number("+8675500000002"), NumberState::Paused).await.unwrap();
    admin.add_voice_file(id, "wait.wav", ClipId::from_bytes([7; 16]), at(0)).await.unwrap();
    admin.review_voice_file(id, "wait.wav", Review::Approved).await.unwrap();

    let account = Accounts::load(&store).await.unwrap().find(&key.id, at(0)).unwrap();
    assert_eq!((&*account.name, &*account.app.name, account.app.ports), ("acme", "shop", 7));
    assert_eq!(account.app.fee_url, draft.fee_url);
    assert_eq!(account.key.secret, key.secret);
    let states: Vec<_> = account.numbers.iter().map(|number| number.state).collect();
    assert_eq!(states, [NumberState::Active, NumberState::Paused]);
    assert_eq!(account.clips["wait.wav"].review, Review::Approved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_holds_when_it_was_read_however_many_read() {
    let dir = tempfile::tempdir().unwrap();
    let (store, admin) = open(&dir).await;
    let id = app(&admin, "shop").await;
    let accounts = Accounts::load(&store).await.unwrap();
    let mut customers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (accounts, admin) = (accounts.clone(), admin.clone());
        customers.spawn(async move {
            for _ in 0..25 {
                let key = admin.create_key(id, at(0)).await.unwrap().id;
                accounts.reload().await.unwrap();
                for _ in 0..50 {
                    assert!(accounts.find(&key, at(0)).is_some(), "somebody brought back what was before");
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    while let Some(customer) = customers.join_next().await {
        customer.unwrap();
    }
}

#[tokio::test]
async fn a_change_from_another_process_arrives_with_the_next_look() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await;
    let accounts = Accounts::load(&store).await.unwrap();
    let (_, admin) = open(&dir).await;
    let id = app(&admin, "shop").await;
    let key = admin.create_key(id, at(0)).await.unwrap();
    assert!(accounts.find(&key.id, at(0)).is_none());
    assert!(accounts.reload().await.unwrap());
    assert!(!accounts.reload().await.unwrap());
    assert_eq!(accounts.find(&key.id, at(0)).unwrap().app.state, AppState::Active);
    admin.set_app_state(id, AppState::Paused).await.unwrap();
    assert!(accounts.reload().await.unwrap());
    assert_eq!(accounts.by_app(id, at(0)).unwrap().app.state, AppState::Paused);
}

#[tokio::test]
async fn a_revoked_key_asks_for_nothing_but_still_signs() {
    let dir = tempfile::tempdir().unwrap();
    let (store, admin) = open(&dir).await;
    let id = app(&admin, "shop").await;
    let key = admin.create_key(id, at(0)).await.unwrap();
    admin.revoke_key(&key.id).await.unwrap();
    let accounts = Accounts::load(&store).await.unwrap();
    assert!(accounts.find(&key.id, at(0)).is_none());
    assert!(accounts.by_app(id, at(0)).is_none());
    assert_eq!(accounts.signer(&key.id).unwrap().account.key.secret, key.secret);
    assert_eq!(admin.keys(id).await.unwrap()[0].state, KeyState::Revoked);
}

#[tokio::test]
async fn a_rotated_key_keeps_its_id_and_changes_its_secret() {
    let dir = tempfile::tempdir().unwrap();
    let (store, admin) = open(&dir).await;
    let id = app(&admin, "shop").await;
    let key = admin.create_key(id, at(0)).await.unwrap();
    assert_eq!(key.id.len(), 28);
    let rotated = admin.rotate_key(&key.id).await.unwrap();
    assert_eq!(rotated.id, key.id);
    assert_ne!(rotated.secret, key.secret);
    let accounts = Accounts::load(&store).await.unwrap();
    assert_eq!(accounts.find(&key.id, at(0)).unwrap().key.secret, rotated.secret);
}

#[tokio::test]
async fn a_mistake_is_told_with_its_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let (_, admin) = open(&dir).await;
    let (one, two) = (app(&admin, "one").await, app(&admin, "two").await);
    admin.add_number(one, &number("+8675500000001"), at(0)).await.unwrap();
    let told = |fault: AdminFault| fault.to_string();
    let twin = admin.create_app(&AppDraft::new("acme", "one"), at(0)).await;
    assert_eq!(
        twin.map_err(told),
        Err("app one exists already: choose another name, or use the app that is there".into())
    );
    assert_eq!(
        admin.add_number(two, &number("+8675500000001"), at(0)).await.map_err(told),
        Err("number +8675500000001 exists already: a number belongs to one app; remove it there first".into())
    );
    assert_eq!(
        admin.create_key(AppId(99), at(0)).await.map(drop).map_err(told),
        Err("there is no app 99: list the apps to see their ids".into())
    );
    assert!(admin.add_voice_file(one, "../x.wav", ClipId::from_bytes([0; 16]), at(0)).await.is_err());
    assert!(admin.rotate_key("nobody").await.is_err());
    admin.remove_number(&number("+8675500000001")).await.unwrap();
    admin.add_number(two, &number("+8675500000001"), at(0)).await.unwrap();
}

#[tokio::test]
async fn a_secret_cannot_be_read_from_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let (_, admin) = open(&dir).await;
    let id = app(&admin, "shop").await;
    let secret = Private::new("CanarySecretCanarySecret".into());
    admin.import_key(id, "imported-key", &secret, at(0)).await.unwrap();
    let mut files = 0;
    for file in fs::read_dir(dir.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"CanarySecret"));
        files += 1;
    }
    assert!(files >= 3, "the database, its log and the key");
}

#[tokio::test]
async fn a_key_for_one_purpose_is_the_same_after_a_restart_and_no_other_purposes() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let derived = async |dir: &TempDir, purpose: &str| *open(dir).await.0.derived_key(purpose).expose();
    let key = derived(&dir, "addresses").await;
    assert_eq!(derived(&dir, "addresses").await, key);
    assert_ne!(derived(&dir, "tokens").await, key);
    assert_ne!(derived(&other, "addresses").await, key);
}

#[tokio::test]
async fn the_wrong_key_file_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.key");
    drop(open(&dir).await);
    let right = fs::read_to_string(&path).unwrap();
    let fault = async || Store::open(dir.path()).await.err();
    fs::write(&path, "ab".repeat(32)).unwrap();
    assert!(matches!(fault().await, Some(StoreFault::KeyWrong { .. })));
    fs::write(&path, "not a key").unwrap();
    assert!(matches!(fault().await, Some(StoreFault::KeyDamaged { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(fault().await, Some(StoreFault::KeyMissing { .. })));
    assert!(!path.exists(), "no new key is made for a database that has one");
    fs::write(&path, right).unwrap();
    assert!(fault().await.is_none());
}
