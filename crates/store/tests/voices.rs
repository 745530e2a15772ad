//! What may be said and by whom: templates of every kind, words that nobody may speak, temporary keys.

use std::time::Duration;

use base::account::{NumberForm, ReportCodes, ReportForm, Review};
use base::id::AppId;
use base::order::ProductKind;
use base::template::{Lengths, TemplateKind, Wording};
use base::time::Timestamp;
use base::url::PushUrl;
use huihu_store::admin::{AppChange, AppDraft, ListPick, NewKey, TemplateDraft};
use huihu_store::{Accounts, Admin, AdminFault, LengthProfile, ListKind, Pruned, Retention, Store};
use tempfile::TempDir;

const MENU: &str = r#"{"nodes":{"root":{"prompt":"您好{name}","keys":{"1":"order","0":"end"}},
    "order":{"prompt":"订单{no}已发货"}},"bye":"再见"}"#;

const WORDS: ListPick = ListPick { app: None, kind: ListKind::Word };

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_767_323_045_000 + secs * 1_000)
}

fn template(kind: TemplateKind, text: &str) -> TemplateDraft {
    TemplateDraft { name: "parcel".into(), kind, text: text.into(), speed: 100 }
}

struct House {
    store: Store,
    admin: Admin,
    app: AppId,
    dir: TempDir,
}

impl House {
    async fn open() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path()).await.expect("a store");
        let admin = Admin::new(&store);
        let app = admin.create_app(&AppDraft::new("acme", "shop"), at(0)).await.expect("a change");
        Self { store, admin, app, dir }
    }

    async fn accounts(&self) -> Accounts {
        Accounts::load(&self.store).await.expect("accounts")
    }

    async fn make(&self, account: &str, kind: TemplateKind, text: &str) -> Box<str> {
        self.admin.create_template(account, &template(kind, text), at(0)).await.expect("a template")
    }

    async fn temporary_key(&self, secs: u64) -> NewKey {
        let lives = Duration::from_secs(secs);
        self.admin.create_temporary_key(self.app, lives, at(0)).await.expect("a key")
    }

    async fn forbid(&self, words: &[&str]) -> Result<u64, AdminFault> {
        let words: Vec<Box<str>> = words.iter().map(|word| (*word).into()).collect();
        self.admin.add_listed(WORDS, &words, None, at(0)).await
    }
}

#[tokio::test]
async fn templates_with_names_have_numbers_that_are_never_given_twice() {
    let house = House::open().await;
    house.admin.create_enterprise("other", at(0)).await.unwrap();
    assert_eq!(&*house.make("acme", TemplateKind::Named, "您好{name}").await, "200001");
    assert_eq!(&*house.make("other", TemplateKind::Menu, MENU).await, "200002");
    assert_eq!(house.make("acme", TemplateKind::Placed, "您好").await.len(), 32);
    house.admin.remove_template("200002").await.unwrap();
    let again = Admin::new(&Store::open(house.dir.path()).await.unwrap());
    let next = again.create_template("acme", &template(TemplateKind::Menu, MENU), at(1)).await.unwrap();
    assert_eq!(&*next, "200003", "a customer may still name the one that is gone");
}

#[tokio::test]
async fn a_template_is_kept_as_it_was_written_and_read_by_its_kind() {
    let house = House::open().await;
    let key = house.admin.create_key(house.app, at(0)).await.unwrap().id;
    let named = house.make("acme", TemplateKind::Named, "您好{name}").await;
    let menu = house.make("acme", TemplateKind::Menu, MENU).await;
    let line = house.admin.template(&menu).await.unwrap();
    assert_eq!((line.draft.kind, &*line.draft.text), (TemplateKind::Menu, MENU));
    let account = house.accounts().await.find(&key, at(0)).unwrap();
    let Wording::Menu(read) = &account.templates[&menu].wording else { panic!("no menu") };
    assert_eq!(read.tree().nodes.len(), 2);
    assert_eq!(account.templates[&named].wording, Wording::parse(TemplateKind::Named, "您好{name}").unwrap());
    // Another text may come, another kind may not: orders name each in their own way.
    let changed = template(TemplateKind::Named, "{name}，您好");
    house.admin.change_template(&named, &changed, at(1)).await.unwrap();
    assert_eq!(&*house.admin.template(&named).await.unwrap().draft.text, "{name}，您好");
    for kind in [TemplateKind::Placed, TemplateKind::Menu] {
        let other = template(kind, if kind == TemplateKind::Menu { MENU } else { "您好" });
        let refused = house.admin.change_template(&named, &other, at(2)).await;
        assert!(matches!(refused, Err(AdminFault::Unusable { .. })), "{kind:?}");
    }
}

#[tokio::test]
async fn what_is_no_template_is_told_in_a_sentence() {
    let house = House::open().await;
    let long = format!(r#"{{"nodes":{{"root":{{"prompt":"x"}}}}{}}}"#, " ".repeat(65_536));
    for (kind, text, word) in [
        (TemplateKind::Placed, "", "900 bytes"),
        (TemplateKind::Placed, "${NAME}", "${TXT_n}"),
        (TemplateKind::Named, "", "500 characters"),
        (TemplateKind::Named, "{名}", "{name}"),
        (TemplateKind::Menu, "{}", "not a menu"),
        (TemplateKind::Menu, r#"{"nodes":{"root":{"prompt":"x","keys":{"1":"b"}}}}"#, "leads to b"),
        (TemplateKind::Menu, &*long, "65536 bytes"),
    ] {
        let refused = house.admin.create_template("acme", &template(kind, text), at(0)).await;
        let sentence = refused.unwrap_err().to_string();
        assert!(sentence.contains(word), "{sentence}");
    }
}

#[tokio::test]
async fn nobody_approves_what_nobody_may_say() {
    let house = House::open().await;
    assert_eq!(house.forbid(&[" 赌博 ", "Casino"]).await.unwrap(), 2);
    let approve = async |id: &str| house.admin.review_template(id, Review::Approved, None, at(1)).await;
    let in_menu = |text: &str| MENU.replace("再见", text);
    for (kind, text, word) in [
        (TemplateKind::Named, "来赌 博吧{name}".to_owned(), "list `word`"),
        (TemplateKind::Placed, "ＣＡＳＩＮＯ${TXT_9}".to_owned(), "list `word`"),
        (TemplateKind::Menu, in_menu("赌博"), "list `word`"),
        (TemplateKind::Named, "详见www.a.com".to_owned(), "address of the web"),
        (TemplateKind::Named, "详见{shop}.com".to_owned(), "address of the web"),
        (TemplateKind::Menu, in_menu("http://a"), "address of the web"),
    ] {
        let id = house.make("acme", kind, &text).await;
        let sentence = approve(&id).await.unwrap_err().to_string();
        assert!(sentence.contains(word), "{text}: {sentence}");
        assert_eq!(house.admin.template(&id).await.unwrap().review, Review::Pending);
        house.admin.review_template(&id, Review::Rejected, Some("no"), at(2)).await.unwrap();
    }
    for (kind, text) in [
        (TemplateKind::Named, "版本{n}.0，{name}"),
        (TemplateKind::Menu, MENU),
        (TemplateKind::Placed, "www.a.com${TXT_9}"),
    ] {
        approve(&house.make("acme", kind, text).await).await.unwrap();
    }
}

#[tokio::test]
async fn forbidden_words_are_the_platforms_and_hold_at_once() {
    let house = House::open().await;
    let accounts = house.accounts().await;
    house.forbid(&["赌博", "赌博 "]).await.unwrap();
    accounts.reload().await.unwrap();
    assert!(accounts.platform().forbidden_words.stand_in("来赌-博吧"));
    for word in ["", "  ", "！", "a\nb", &"长".repeat(65)] {
        assert!(house.forbid(&[word]).await.is_err(), "{word:?}");
    }
    let own = ListPick { app: Some(house.app), ..WORDS };
    assert!(house.admin.add_listed(own, &["赌博".into()], None, at(0)).await.is_err());
    let many: Vec<Box<str>> = (0..10_000).map(|number| format!("word{number}").into()).collect();
    assert!(house.admin.add_listed(WORDS, &many, None, at(0)).await.is_err(), "more than are looked for");
    assert_eq!(house.admin.remove_listed(WORDS, &["赌博".into()]).await.unwrap(), 1);
    accounts.reload().await.unwrap();
    assert!(!accounts.platform().forbidden_words.stand_in("赌博"));
}

#[tokio::test]
async fn a_temporary_key_shows_a_token_and_works_for_its_time() {
    let house = House::open().await;
    let key = house.temporary_key(900).await;
    let token = key.token.as_ref().unwrap();
    for text in [&key.id, key.secret.expose(), token.expose()] {
        assert!(text.len() >= 28 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
    let accounts = house.accounts().await;
    let known = accounts.find(&key.id, at(899)).unwrap();
    assert_eq!((&known.key.secret, &known.key.token), (&key.secret, &key.token));
    assert!(accounts.find(&key.id, at(900)).is_none());
    assert!(accounts.signer(&key.id).is_some(), "it signs what was ordered with it");
    let line = house.admin.key(&key.id).await.unwrap();
    assert_eq!((line.is_temporary, line.valid_until), (true, Some(at(900))));
    assert!(house.admin.rotate_key(&key.id).await.is_err());
    assert!(house.admin.replace_key(&key.id, at(5_000), at(1)).await.is_err());
    for secs in [0, 129_601] {
        let lives = Duration::from_secs(secs);
        assert!(house.admin.create_temporary_key(house.app, lives, at(0)).await.is_err(), "{secs}");
    }
    let lasting = house.admin.create_key(house.app, at(0)).await.unwrap();
    assert!(lasting.token.is_none() && !house.admin.key(&lasting.id).await.unwrap().is_temporary);
    let file = std::fs::read(house.dir.path().join("huihu.db")).unwrap();
    let log = std::fs::read(house.dir.path().join("huihu.db-wal")).unwrap_or_default();
    for bytes in [file, log] {
        assert!(!bytes.windows(token.expose().len()).any(|text| text == token.expose().as_bytes()));
    }
}

#[tokio::test]
async fn temporary_keys_are_forgotten_when_nothing_can_need_them_any_more() {
    let house = House::open().await;
    let (gone, kept) = (house.temporary_key(900).await.id, house.temporary_key(86_400).await.id);
    let lasting = house.admin.create_key(house.app, at(0)).await.unwrap().id;
    let accounts = house.accounts().await;
    let retention = Retention::default();
    let over = at(900) + retention.calls + Duration::from_secs(7 * 24 * 3_600);
    let sweep = async |now| house.store.prune(&retention, now, Pruned::default()).await.unwrap().rows;
    assert_eq!(sweep(over).await, 0);
    assert_eq!(sweep(over + Duration::from_secs(1)).await, 1);
    assert!(accounts.reload().await.unwrap(), "whoever looks sees that something changed");
    assert!(accounts.signer(&gone).is_none());
    assert!(accounts.signer(&kept).is_some() && accounts.signer(&lasting).is_some());
}

#[tokio::test]
async fn an_app_says_how_it_is_told_of_calls_and_how_much_may_be_said() {
    let house = House::open().await;
    let key = house.admin.create_key(house.app, at(0)).await.unwrap().id;
    let accounts = house.accounts().await;
    let app = accounts.find(&key, at(0)).unwrap().app.clone();
    assert_eq!((&app.report_url, app.reports, app.lengths), (&None, ReportForm::default(), Lengths::WIDE));
    assert!(app.products.contains(&ProductKind::Menu), "a new app may do everything");
    let url = PushUrl::parse("https://receiver.example/report").unwrap();
    let change = AppChange {
        report_url: Some(Some(url.clone())),
        report_codes: Some(ReportCodes::Detailed),
        menus_are: Some(3),
        lengths: Some(LengthProfile::Strict),
        ..AppChange::default()
    };
    house.admin.change_app(house.app, &change).await.unwrap();
    accounts.reload().await.unwrap();
    let app = accounts.find(&key, at(0)).unwrap().app.clone();
    let reports = ReportForm { codes: ReportCodes::Detailed, numbers: NumberForm::Number, menus_are: 3 };
    assert_eq!((app.report_url, app.reports, app.lengths), (Some(url), reports, Lengths::STRICT));
    assert_eq!(house.admin.app(house.app).await.unwrap().lengths, LengthProfile::Strict);
    let wrong = AppChange { menus_are: Some(10), ..AppChange::default() };
    assert!(house.admin.change_app(house.app, &wrong).await.is_err());
    let mut draft = AppDraft::new("acme", "third");
    draft.reports.menus_are = 10;
    assert!(house.admin.create_app(&draft, at(0)).await.is_err());
}
