//! What an operator lays down, from their hand to the snapshot that requests are judged by.

use std::time::Duration;

use base::account::{AccountState, AppState, Hold, Origin, OwnerState, Phase, Review};
use base::id::AppId;
use base::number::E164;
use base::private::Private;
use base::quota::{Counted, Limit, Window};
use base::standing::{AtLeastAnswered, AtMostShort, Conduct, Hours};
use base::template::TemplateKind;
use base::time::Timestamp;
use huihu_store::admin::{
    AppChange, AppDraft, AuditDraft, AuditOutcome, AuditPick, KeptAnswer, ListPick, TemplateDraft, Turn,
};
use huihu_store::{Accounts, Admin, AdminFault, ListKind, PushProfile, Store};
use tempfile::TempDir;

const CALLER: &str = "+8613800000001";
const CALLEE: &str = "+8613800000002";

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_767_323_045_000 + secs * 1_000)
}

struct House {
    store: Store,
    admin: Admin,
    app: AppId,
    key: Box<str>,
    _dir: TempDir,
}

impl House {
    async fn open() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path()).await.expect("a store");
        let admin = Admin::new(&store);
        let app = admin.create_app(&AppDraft::new("acme", "shop"), at(0)).await.expect("a change");
        let key = admin.create_key(app, at(0)).await.expect("a change").id;
        Self { store, admin, app, key, _dir: dir }
    }

    async fn accounts(&self) -> Accounts {
        Accounts::load(&self.store).await.expect("accounts")
    }
}

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<Box<str>> {
    texts.into_iter().map(Into::into).collect()
}

fn template(kind: TemplateKind, text: &str) -> TemplateDraft {
    TemplateDraft { name: "parcel".into(), kind, text: text.into(), speed: 90 }
}

fn limit(of: Counted, per: Window, calls: u32) -> Limit {
    Limit { of, per, calls }
}

#[tokio::test]
async fn an_app_changes_in_all_its_settings_at_once() {
    let house = House::open().await;
    let conduct = Conduct {
        answered: Some(AtLeastAnswered { calls: 20, percent: 30 }),
        short: Some(AtMostShort { calls: 10, shorter_than: Duration::from_secs(3), percent: 50 }),
    };
    let change = AppChange {
        phase: Some(Phase::Sandbox),
        hold: Some(Some(Hold::AbnormalCalls)),
        addresses: Some(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::1".parse().unwrap()]),
        origin: Some(Origin::Ipv4),
        destinations: Some(vec!["+86".parse().unwrap(), "+852".parse().unwrap()]),
        requests_per_minute: Some(Some(120)),
        conduct: Some(conduct),
        recording: Some(true),
        recording_days: Some(Some(30)),
        push_profile: Some(PushProfile::Reliable),
        ..AppChange::default()
    };
    house.admin.change_app(house.app, &change).await.unwrap();
    let accounts = house.accounts().await;
    let signer = accounts.signer(&house.key).unwrap();
    assert_eq!(signer.profile, PushProfile::Reliable);
    let app = &signer.account.app;
    assert_eq!((app.phase, app.hold), (Phase::Sandbox, Some(Hold::AbnormalCalls)));
    assert_eq!(Some(&app.addresses), change.addresses.as_ref());
    assert_eq!(Some(&app.destinations), change.destinations.as_ref());
    assert_eq!((app.origin, app.requests_per_minute), (Origin::Ipv4, Some(120)));
    assert_eq!((app.conduct, app.recording), (conduct, true));
    assert_eq!(app.state, AppState::Active, "what was not named stays");
    assert_eq!(house.admin.app(house.app).await.unwrap().recording_days, Some(30));

    let lifted = AppChange { hold: Some(None), conduct: Some(Conduct::default()), ..AppChange::default() };
    house.admin.change_app(house.app, &lifted).await.unwrap();
    assert!(accounts.reload().await.unwrap());
    let app = &accounts.find(&house.key, at(0)).unwrap().app;
    assert_eq!((app.hold, app.conduct, app.phase), (None, Conduct::default(), Phase::Sandbox));

    let nonsense = Conduct { answered: Some(AtLeastAnswered { calls: 0, percent: 30 }), short: None };
    let refused = AppChange { conduct: Some(nonsense), ..AppChange::default() };
    assert!(house.admin.change_app(house.app, &refused).await.is_err());
}

#[tokio::test]
async fn a_deleted_app_stays_known_by_its_keys_and_frees_its_numbers() {
    let house = House::open().await;
    let shown = number("+8675500000001");
    house.admin.add_number(house.app, &shown, at(0)).await.unwrap();
    house.admin.delete_app(house.app).await.unwrap();
    let accounts = house.accounts().await;
    assert_eq!(accounts.find(&house.key, at(0)).unwrap().app.state, AppState::Deleted);
    assert!(accounts.signer(&house.key).is_some());
    let other = house.admin.create_app(&AppDraft::new("acme", "other"), at(1)).await.unwrap();
    house.admin.add_number(other, &shown, at(1)).await.unwrap();
}

#[tokio::test]
async fn an_old_key_works_beside_its_successor_until_its_time_is_over() {
    let house = House::open().await;
    let new = house.admin.replace_key(&house.key, at(3_600), at(0)).await.unwrap();
    let accounts = house.accounts().await;
    for (key, now, works) in
        [(&house.key, 3_599, true), (&house.key, 3_600, false), (&new.id, 0, true), (&new.id, 9_999, true)]
    {
        assert_eq!(accounts.find(key, at(now)).is_some(), works, "at {now}");
    }
    assert_eq!(accounts.by_app(house.app, at(3_600)).unwrap().key.id, new.id);
    assert!(accounts.signer(&house.key).is_some(), "it signs what was ordered with it");
    assert_eq!(house.admin.key(&house.key).await.unwrap().valid_until, Some(at(3_600)));
    // It may end earlier than planned, never later.
    house.admin.replace_key(&house.key, at(9_000), at(1)).await.unwrap();
    assert_eq!(house.admin.key(&house.key).await.unwrap().valid_until, Some(at(3_600)));
    assert!(house.admin.replace_key(&house.key, at(9_000), at(3_600)).await.is_err());
}

#[tokio::test]
async fn an_enterprise_has_a_state_and_a_password_and_its_parts_too() {
    let house = House::open().await;
    let admin = &house.admin;
    let shown = number("+8675500000001");
    admin.add_number(house.app, &shown, at(0)).await.unwrap();
    admin.set_enterprise_state("acme", AccountState::InArrears).await.unwrap();
    let password = Private::new("Canary-Password".into());
    admin.set_enterprise_password("acme", Some(&password)).await.unwrap();
    admin.create_sub_enterprise("acme", "branch", at(0)).await.unwrap();
    admin.assign_number(&shown, Some("branch")).await.unwrap();
    admin.set_sub_enterprise_state("acme", "branch", OwnerState::Suspended).await.unwrap();

    let accounts = house.accounts().await;
    let account = accounts.find(&house.key, at(0)).unwrap();
    assert_eq!((account.state, &account.password), (AccountState::InArrears, &Some(password)));
    assert_eq!(account.numbers[0].owner, OwnerState::Suspended);
    let line = admin.number_line(house.app, &shown).await.unwrap();
    assert_eq!((line.number.owner, line.sub_enterprise.as_deref()), (OwnerState::Suspended, Some("branch")));
    assert!(admin.enterprise("acme").await.unwrap().has_password);
    let names = async |after| {
        let page = admin.enterprises_page(after, 1).await.unwrap();
        page.into_iter().map(|line| line.name).collect::<Vec<_>>()
    };
    admin.create_enterprise("bcme", at(1)).await.unwrap();
    assert_eq!((names(None).await, names(Some("acme")).await), (texts(["acme"]), texts(["bcme"])));
    assert!(admin.create_enterprise("acme", at(1)).await.is_err());
    assert!(admin.assign_number(&shown, Some("nowhere")).await.is_err());

    admin.assign_number(&shown, None).await.unwrap();
    admin.set_enterprise_password("acme", None).await.unwrap();
    accounts.reload().await.unwrap();
    let account = accounts.find(&house.key, at(0)).unwrap();
    assert_eq!((account.numbers[0].owner, &account.password), (OwnerState::Active, &None));
}

#[tokio::test]
async fn a_template_is_spoken_by_all_apps_of_its_enterprise_once_it_is_approved() {
    let house = House::open().await;
    let admin = &house.admin;
    let draft = template(TemplateKind::Placed, "您的快递${TXT_9}已到");
    let id = admin.create_template("acme", &draft, at(0)).await.unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let accounts = house.accounts().await;
    let review = |accounts: &Accounts| accounts.find(&house.key, at(0)).unwrap().templates[&id].review;
    assert_eq!(review(&accounts), Review::Pending);
    admin.review_template(&id, Review::Approved, Some("fine"), at(1)).await.unwrap();
    accounts.reload().await.unwrap();
    assert_eq!(review(&accounts), Review::Approved);
    assert_eq!(admin.template(&id).await.unwrap().note.as_deref(), Some("fine"));
    // Another text must be looked at again.
    let changed = TemplateDraft { text: "您好".into(), ..draft.clone() };
    admin.change_template(&id, &changed, at(2)).await.unwrap();
    assert_eq!(admin.templates_page("acme", None, 9).await.unwrap()[0].review, Review::Pending);
    for (text, speed) in [("${NAME}", 100), ("", 100), ("您好", 49), ("您好", 201)] {
        let draft = TemplateDraft { text: text.into(), speed, ..draft.clone() };
        assert!(admin.create_template("acme", &draft, at(3)).await.is_err(), "{text} {speed}");
    }
    admin.remove_template(&id).await.unwrap();
    assert!(admin.template(&id).await.is_err());
}

#[tokio::test]
async fn lists_hold_for_an_app_or_for_everybody() {
    let house = House::open().await;
    let admin = &house.admin;
    let of = |app, kind| ListPick { app, kind };
    let own = Some(house.app);
    let add = async |pick, values: &[Box<str>]| admin.add_listed(pick, values, Some("why"), at(0)).await;
    assert_eq!(add(of(own, ListKind::CallerBlock), &texts([CALLER, CALLER])).await.unwrap(), 1);
    assert_eq!(add(of(own, ListKind::CallerBlock), &texts([CALLER, CALLEE])).await.unwrap(), 1);
    assert_eq!(add(of(None, ListKind::CallerBlock), &texts([CALLER])).await.unwrap(), 1);
    assert_eq!(add(of(own, ListKind::CalleeAllow), &texts([CALLEE])).await.unwrap(), 1);
    assert_eq!(add(of(None, ListKind::AddressBlock), &texts(["10.0.0.1", "10.0.0.1/32"])).await.unwrap(), 1);
    assert_eq!(add(of(None, ListKind::AreaBlock), &texts(["203.0.113.0/24"])).await.unwrap(), 1);
    for (pick, value) in [
        (of(own, ListKind::CalleeBlock), "13800000001"),
        (of(None, ListKind::AreaBlock), "everywhere"),
        (of(own, ListKind::AddressBlock), "10.0.0.1"),
    ] {
        assert!(add(pick, &texts([value])).await.is_err(), "{value}");
    }
    assert!(add(of(own, ListKind::CalleeBlock), &vec![CALLER.into(); 10_001]).await.is_err());

    let accounts = house.accounts().await;
    let account = accounts.find(&house.key, at(0)).unwrap();
    assert_eq!(account.app.standing.callers_blocked.len(), 2);
    assert_eq!(account.app.standing.callees_allowed, None, "the list does not count yet");
    assert_eq!(account.platform.standing.callers_blocked.len(), 1);
    assert!(account.platform.blocked_addresses[0].contains("10.0.0.1".parse().unwrap()));
    assert_eq!(accounts.platform().blocked_areas.len(), 1);

    admin.set_listed_only(own, true).await.unwrap();
    admin.set_listed_only(None, true).await.unwrap();
    accounts.reload().await.unwrap();
    let account = accounts.find(&house.key, at(0)).unwrap();
    assert_eq!(account.app.standing.callees_allowed, Some([number(CALLEE)].into()));
    assert_eq!(account.platform.standing.callees_allowed, Some([].into()), "an empty list allows nobody");
    assert!(admin.listed_only(own).await.unwrap() && admin.listed_only(None).await.unwrap());
    admin.set_listed_only(None, false).await.unwrap();
    assert!(!admin.listed_only(None).await.unwrap());

    let page = admin.listed_page(of(own, ListKind::CallerBlock), Some(CALLER), 9).await.unwrap();
    assert_eq!(page.iter().map(|line| &*line.value).collect::<Vec<_>>(), [CALLEE]);
    assert_eq!(page[0].note.as_deref(), Some("why"));
    let gone = admin.remove_listed(of(own, ListKind::CallerBlock), &texts([CALLER, "+8613800000009"])).await;
    assert_eq!(gone.unwrap(), 1);
}

#[tokio::test]
async fn there_is_one_limit_for_each_thing_and_window() {
    let house = House::open().await;
    let admin = &house.admin;
    let own = Some(house.app);
    admin.set_limit(own, limit(Counted::Callee, Window::Day, 3)).await.unwrap();
    admin.set_limit(own, limit(Counted::Callee, Window::Day, 5)).await.unwrap();
    admin.set_limit(own, limit(Counted::Callee, Window::Month, 10)).await.unwrap();
    admin.set_limit(None, limit(Counted::Callee, Window::Day, 100)).await.unwrap();
    admin.set_limit(own, limit(Counted::App, Window::Ever, 100)).await.unwrap();
    admin.remove_limit(own, Counted::App, Window::Ever).await.unwrap();
    let endless = admin.set_limit(own, limit(Counted::Callee, Window::Ever, 1)).await;
    assert!(matches!(endless, Err(AdminFault::Unusable { what: "limit", .. })), "{endless:?}");
    let hours = [Hours { from: 1_320, to: 480 }, Hours { from: 720, to: 840 }];
    admin.set_hours(own, &[Hours { from: 0, to: 1 }]).await.unwrap();
    admin.set_hours(own, &hours).await.unwrap();
    assert!(admin.set_hours(None, &[Hours { from: 0, to: 1_440 }]).await.is_err());

    let account = house.accounts().await.find(&house.key, at(0)).unwrap();
    let own_limits = [limit(Counted::Callee, Window::Day, 5), limit(Counted::Callee, Window::Month, 10)];
    assert_eq!(account.app.standing.limits, own_limits);
    assert_eq!(account.platform.standing.limits, [limit(Counted::Callee, Window::Day, 100)]);
    assert_eq!(account.app.standing.forbidden, [hours[1], hours[0]]);
    admin.remove_limit(own, Counted::Callee, Window::Day).await.unwrap();
    assert!(admin.remove_limit(own, Counted::Callee, Window::Day).await.is_err());
    assert_eq!(admin.limits(own).await.unwrap(), own_limits[1..]);
    assert_eq!(admin.limits(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_audit_log_knows_who_did_what_and_what_came_of_it() {
    let house = House::open().await;
    let admin = &house.admin;
    let draft = |who: &str, secs| AuditDraft {
        at: at(secs),
        who: who.into(),
        action: "PATCH".into(),
        what: "/api/v1/apps/1".into(),
    };
    let first = admin.begin_audit(&draft("anna", 0)).await.unwrap();
    let second = admin.begin_audit(&draft("bert", 1)).await.unwrap();
    let long = "好".repeat(10_000);
    let outcome = AuditOutcome { status: 200, before: None, after: Some(long.as_str().into()) };
    admin.finish_audit(first, &outcome).await.unwrap();
    let lines = admin.audit_page(&AuditPick::default(), None, 9).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.no).collect::<Vec<_>>(), [second, first]);
    assert_eq!(lines[0].outcome, None);
    let kept = lines[1].outcome.as_ref().unwrap();
    assert!(kept.status == 200 && long.starts_with(&**kept.after.as_ref().unwrap()));
    let of_anna = AuditPick { who: Some("anna".into()), ..AuditPick::default() };
    assert_eq!(admin.audit_page(&of_anna, None, 9).await.unwrap().len(), 1);
    let later = AuditPick { from: Some(at(1)), ..AuditPick::default() };
    assert_eq!(admin.audit_page(&later, None, 9).await.unwrap().len(), 1);
    assert_eq!(admin.audit_page(&AuditPick::default(), Some(second), 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_that_comes_twice_has_one_turn() {
    let house = House::open().await;
    let admin = &house.admin;
    let take = async |digest: u8, secs| admin.take_turn("key", [digest; 32], at(secs)).await.unwrap();
    assert_eq!(take(1, 0).await, Turn::First);
    assert_eq!(take(1, 1).await, Turn::Busy);
    assert_eq!(take(2, 1).await, Turn::Foreign);
    let answer = KeptAnswer { status: 201, content_type: None, body: Private::new("{}".into()) };
    admin.keep_answer("key", &answer).await.unwrap();
    assert_eq!(take(1, 2).await, Turn::Again(answer));
    assert_eq!(take(1, 90_000).await, Turn::First, "a day later it is forgotten");
    admin.release_turn("key").await.unwrap();
    assert_eq!(take(2, 90_001).await, Turn::First);
    assert_eq!(take(2, 90_100).await, Turn::First, "the process that was at work has died");
}
