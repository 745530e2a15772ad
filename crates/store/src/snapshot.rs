//! One state of all accounts, read whole. What belongs to an app is kept once, and put together with a key when that is
//! first named: of the many keys that live for an hour, nearly all are over and only kept to sign.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::account::{
    Account, AccountState, App, AppState, Hold, Key, Number, NumberForm, NumberState, Origin, OwnerState,
    Phase, PushSignature, ReportCodes, ReportForm, Review, SpokenTemplate, VoiceFile,
};
use base::address::Block;
use base::id::AppId;
use base::number::E164;
use base::private::Private;
use base::quota::{Counted, Limit, Window};
use base::screen::ForbiddenWords;
use base::standing::{AtLeastAnswered, AtMostShort, Conduct, Hours, Platform, Standing};
use base::template::{TemplateKind, Wording};
use base::time::Timestamp;
use base::url::PushUrl;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, QueryOrder, Select, Statement, TransactionTrait,
};

use crate::entities::{
    api_key, app, enterprise, forbidden_hours, limit_rule, listed, number, setting, sub_enterprise, template,
    voice_file,
};
use crate::fault::StoreFault;
use crate::store::Store;
use crate::vault::Vault;
use crate::words::{self, KeyState, LengthProfile, ListKind, PushProfile, Word};

/// One state of all accounts.
#[derive(Default)]
pub(crate) struct Snapshot {
    /// Counts up with each change.
    pub(crate) version: u64,
    pub(crate) by_key: HashMap<Box<str>, KnownKey>,
    /// The keys of each app, oldest first.
    pub(crate) by_app: HashMap<AppId, Vec<Box<str>>>,
    pub(crate) platform: Arc<Platform>,
}

/// A key, and what it opens.
pub(crate) struct KnownKey {
    pub(crate) state: KeyState,
    /// `None`: for ever.
    pub(crate) valid_until: Option<Timestamp>,
    key: Key,
    app: Arc<KnownApp>,
    /// Once somebody has named the key.
    account: OnceLock<Arc<Account>>,
}

/// What all keys of an app open.
struct KnownApp {
    owner: Arc<Owner>,
    parts: Parts,
    platform: Arc<Platform>,
}

impl KnownKey {
    fn new(key: SealedKey, app: Arc<KnownApp>) -> Self {
        let SealedKey { key, state, valid_until } = key;
        Self { state, valid_until, key, app, account: OnceLock::new() }
    }

    /// What it opens.
    pub(crate) fn account(&self) -> Arc<Account> {
        Arc::clone(self.account.get_or_init(|| Arc::new(self.app.account(self.key.clone()))))
    }

    #[cfg(test)]
    pub(crate) fn has_account(&self) -> bool {
        self.account.get().is_some()
    }

    /// How often its app wants pushes tried.
    pub(crate) fn profile(&self) -> PushProfile {
        self.app.parts.profile
    }

    /// Whether requests may name it.
    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        self.state == KeyState::Active && self.valid_until.is_none_or(|until| now < until)
    }
}

/// The version of the configuration.
pub(crate) async fn version(connection: &impl ConnectionTrait) -> Result<u64, StoreFault> {
    let version = read_setting(connection, VERSION).await?;
    version
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| StoreFault::damaged("the version of the accounts"))
}

/// Counts the version of the configuration up, with the change that makes it another one.
pub(crate) async fn count_change(transaction: &DatabaseTransaction) -> Result<(), StoreFault> {
    count_setting(transaction, VERSION).await
}

/// Adds one to a value that is a number.
pub(crate) async fn count_setting(transaction: &DatabaseTransaction, name: &str) -> Result<(), StoreFault> {
    let count = "UPDATE setting SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = ?";
    let count = Statement::from_sql_and_values(transaction.get_database_backend(), count, [name.into()]);
    transaction.execute_raw(count).await.map_err(StoreFault::of_database("change"))?;
    Ok(())
}

/// A value of which there is one.
pub(crate) async fn read_setting(
    connection: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<String>, StoreFault> {
    let row = setting::Entity::find_by_id(name).one(connection).await;
    Ok(row.map_err(StoreFault::of_database("read the settings of"))?.map(|row| row.value))
}

/// Reads all accounts in one transaction, so that version and content belong together.
pub(crate) async fn read(store: &Store) -> Result<Snapshot, StoreFault> {
    let fault = || StoreFault::of_database("read the accounts of");
    let transaction = store.read().begin().await.map_err(fault())?;
    let rows = Rows::read(&transaction).await?;
    transaction.rollback().await.map_err(fault())?;
    Ok(rows.assemble(store.vault()))
}

/// Every table of the accounts.
struct Rows {
    version: u64,
    /// Whether only listed people may be called by anybody.
    listed_only: bool,
    enterprises: Vec<enterprise::Model>,
    subs: Vec<sub_enterprise::Model>,
    apps: Vec<app::Model>,
    keys: Vec<api_key::Model>,
    numbers: Vec<number::Model>,
    files: Vec<voice_file::Model>,
    templates: Vec<template::Model>,
    listed: Vec<listed::Model>,
    limits: Vec<limit_rule::Model>,
    hours: Vec<forbidden_hours::Model>,
}

/// What an enterprise gives to all of its accounts.
struct Owner {
    name: Box<str>,
    state: AccountState,
    password: Option<Private<Box<str>>>,
    templates: BTreeMap<Box<str>, SpokenTemplate>,
}

/// What an app gives to all of its accounts: there is one for each key.
struct Parts {
    owner: i64,
    app: App,
    numbers: Vec<Number>,
    clips: BTreeMap<Box<str>, VoiceFile>,
    profile: PushProfile,
}

/// A row of a list, by what it is for.
enum Listed {
    Caller(E164),
    Callee(E164),
    Allowed(E164),
    Address(Block),
    Area(Block),
    Word(Box<str>),
}

impl Rows {
    async fn read(transaction: &DatabaseTransaction) -> Result<Self, StoreFault> {
        let platform_allows = read_setting(transaction, LISTED_ONLY).await?;
        Ok(Self {
            version: version(transaction).await?,
            listed_only: platform_allows.is_some_and(|value| value == ON),
            enterprises: all(enterprise::Entity::find(), transaction).await?,
            subs: all(sub_enterprise::Entity::find(), transaction).await?,
            apps: all(app::Entity::find(), transaction).await?,
            keys: all(api_key::Entity::find().order_by_asc(api_key::Column::CreatedAt), transaction).await?,
            numbers: all(number::Entity::find().order_by_asc(number::Column::Id), transaction).await?,
            files: all(voice_file::Entity::find(), transaction).await?,
            templates: all(template::Entity::find(), transaction).await?,
            listed: all(listed::Entity::find(), transaction).await?,
            limits: all(limit_rule::Entity::find().order_by_asc(limit_rule::Column::Id), transaction).await?,
            hours: all(forbidden_hours::Entity::find(), transaction).await?,
        })
    }

    fn assemble(self, vault: &Vault) -> Snapshot {
        let (platform, standings) = self.rules();
        let platform = Arc::new(platform);
        let apps = self.apps(standings, &platform, vault);
        let mut snapshot = Snapshot { version: self.version, ..Snapshot::default() };
        for (app, key) in readable(&self.keys, |row| Ok((row.app_id, read_key(vault, row)?))) {
            let Some(known) = apps.get(&app) else { continue };
            let id = key.key.id.clone();
            snapshot.by_app.entry(AppId(app)).or_default().push(id.clone());
            snapshot.by_key.insert(id, KnownKey::new(key, Arc::clone(known)));
        }
        Snapshot { platform, ..snapshot }
    }

    fn apps(
        &self,
        standings: HashMap<i64, Standing>,
        platform: &Arc<Platform>,
        vault: &Vault,
    ) -> HashMap<i64, Arc<KnownApp>> {
        let owners: HashMap<i64, Arc<Owner>> =
            self.owners(vault).into_iter().map(|(id, owner)| (id, Arc::new(owner))).collect();
        let known = |(id, parts): (i64, Parts)| {
            let owner = Arc::clone(owners.get(&parts.owner)?);
            Some((id, Arc::new(KnownApp { owner, parts, platform: Arc::clone(platform) })))
        };
        self.parts(standings).into_iter().filter_map(known).collect()
    }

    fn owners(&self, vault: &Vault) -> HashMap<i64, Owner> {
        let mut owners: HashMap<i64, Owner> =
            readable(&self.enterprises, |row| Ok((row.id, read_owner(vault, row)?))).collect();
        for (row, template) in readable(&self.templates, |row| Ok((row, read_template(row)?))) {
            if let Some(owner) = owners.get_mut(&row.enterprise_id) {
                owner.templates.insert(row.id.as_str().into(), template);
            }
        }
        owners
    }

    fn parts(&self, mut standings: HashMap<i64, Standing>) -> HashMap<i64, Parts> {
        let mut apps: HashMap<i64, Parts> = readable(&self.apps, |row| {
            let mut app = read_app(row)?;
            let standing = standings.remove(&row.id).unwrap_or_default();
            app.standing = restricted(standing, app.standing.callees_allowed.is_some());
            let profile = PushProfile::of(&row.push_profile).ok_or_else(|| damaged("app", row.id))?;
            let (numbers, clips) = (Vec::new(), BTreeMap::new());
            Ok((row.id, Parts { owner: row.enterprise_id, app, numbers, clips, profile }))
        })
        .collect();
        let subs: HashMap<i64, OwnerState> =
            readable(&self.subs, |row| Ok((row.id, read_sub_state(row)?))).collect();
        for (row, mut number) in readable(&self.numbers, |row| Ok((row, read_number(row)?))) {
            if let Some(parts) = apps.get_mut(&row.app_id) {
                let sub = row.sub_enterprise_id.and_then(|sub| subs.get(&sub));
                number.owner = sub.copied().unwrap_or_default();
                parts.numbers.push(number);
            }
        }
        for (row, file) in readable(&self.files, |row| Ok((row, read_voice_file(row)?))) {
            if let Some(parts) = apps.get_mut(&row.app_id) {
                parts.clips.insert(row.name.as_str().into(), file);
            }
        }
        apps
    }

    /// What holds for everybody, and what holds for each app.
    fn rules(&self) -> (Platform, HashMap<i64, Standing>) {
        let mut platform = Platform::default();
        let mut apps: HashMap<i64, Standing> = HashMap::new();
        let mut words: Vec<Box<str>> = Vec::new();
        for (app, listed) in readable(&self.listed, |row| Ok((row.app_id, read_listed(row)?))) {
            let standing = standing_of(app, &mut platform.standing, &mut apps);
            match listed {
                Listed::Caller(number) => drop(standing.callers_blocked.insert(number)),
                Listed::Callee(number) => drop(standing.callees_blocked.insert(number)),
                Listed::Allowed(number) => {
                    standing.callees_allowed.get_or_insert_default().insert(number);
                }
                Listed::Address(block) => platform.blocked_addresses.push(block),
                Listed::Area(block) => platform.blocked_areas.push(block),
                Listed::Word(word) => words.push(word),
            }
        }
        platform.forbidden_words = ForbiddenWords::new(words.iter().map(|word| &**word));
        for (app, limit) in readable(&self.limits, |row| Ok((row.app_id, read_limit(row)?))) {
            standing_of(app, &mut platform.standing, &mut apps).limits.push(limit);
        }
        for (app, hours) in readable(&self.hours, |row| Ok((row.app_id, read_hours(row)?))) {
            standing_of(app, &mut platform.standing, &mut apps).forbidden.push(hours);
        }
        platform.standing = restricted(platform.standing, self.listed_only);
        (platform, apps)
    }
}

impl KnownApp {
    fn account(&self, key: Key) -> Account {
        let Self { owner, parts, platform } = self;
        Account {
            name: owner.name.clone(),
            state: owner.state,
            password: owner.password.clone(),
            app: parts.app.clone(),
            key,
            numbers: parts.numbers.clone(),
            clips: parts.clips.clone(),
            templates: owner.templates.clone(),
            platform: Arc::clone(platform),
        }
    }
}

fn standing_of<'a>(
    app: Option<i64>,
    platform: &'a mut Standing,
    apps: &'a mut HashMap<i64, Standing>,
) -> &'a mut Standing {
    match app {
        None => platform,
        Some(app) => apps.entry(app).or_default(),
    }
}

/// The list of those who may be called counts only where only listed ones may; an empty one allows nobody.
fn restricted(standing: Standing, listed_only: bool) -> Standing {
    let allowed = standing.callees_allowed.unwrap_or_default();
    Standing { callees_allowed: listed_only.then_some(allowed), ..standing }
}

async fn all<E: EntityTrait>(
    query: Select<E>,
    transaction: &DatabaseTransaction,
) -> Result<Vec<E::Model>, StoreFault> {
    query.all(transaction).await.map_err(StoreFault::of_database("read the accounts of"))
}

/// Everything that can be read. One damaged row costs its owner something, but nobody else.
fn readable<'a, R, T>(
    rows: &'a [R],
    mut read: impl FnMut(&'a R) -> Result<T, StoreFault>,
) -> impl Iterator<Item = T> {
    rows.iter().filter_map(move |row| {
        read(row).inspect_err(|fault| tracing::error!(%fault, "left out of the accounts")).ok()
    })
}

fn damaged(what: &str, id: impl std::fmt::Display) -> StoreFault {
    StoreFault::damaged(format!("{what} {id}"))
}

fn read_owner(vault: &Vault, row: &enterprise::Model) -> Result<Owner, StoreFault> {
    let broken = || StoreFault::SealBroken { key: row.name.as_str().into() };
    let open = |sealed: &Vec<u8>| vault.open(&password_of(row.id), sealed).ok_or_else(broken);
    Ok(Owner {
        name: row.name.as_str().into(),
        state: read_account_state(row)?,
        password: row.sealed_password.as_ref().map(open).transpose()?,
        templates: BTreeMap::new(),
    })
}

/// What a password of an enterprise is sealed for.
pub(crate) fn password_of(enterprise: i64) -> String {
    format!("password of enterprise {enterprise}")
}

pub(crate) fn read_account_state(row: &enterprise::Model) -> Result<AccountState, StoreFault> {
    AccountState::of(&row.state).ok_or_else(|| damaged("enterprise", row.id))
}

pub(crate) fn read_sub_state(row: &sub_enterprise::Model) -> Result<OwnerState, StoreFault> {
    OwnerState::of(&row.state).ok_or_else(|| damaged("sub-enterprise", row.id))
}

/// An app without its lists, hours and limits; of the list of those who may be called, it tells whether there is one.
pub(crate) fn read_app(row: &app::Model) -> Result<App, StoreFault> {
    let broken = || damaged("app", row.id);
    let url = |url: &Option<String>| url.as_deref().map(PushUrl::parse).transpose().map_err(|_| broken());
    let hold = |word: &String| Hold::of(word).ok_or_else(broken);
    let small = |number: i64| u32::try_from(number).map_err(|_| broken());
    Ok(App {
        id: AppId(row.id),
        name: row.name.as_str().into(),
        state: AppState::of(&row.state).ok_or_else(broken)?,
        phase: Phase::of(&row.phase).ok_or_else(broken)?,
        hold: row.hold.as_ref().map(hold).transpose()?,
        addresses: read_list(&row.addresses).ok_or_else(broken)?,
        origin: Origin::of(&row.origin).ok_or_else(broken)?,
        requests_per_minute: row.requests_per_minute.map(small).transpose()?,
        standing: Standing {
            callees_allowed: row.callees_allowed.then(BTreeSet::new),
            ..Standing::default()
        },
        conduct: read_conduct(row).ok_or_else(broken)?,
        products: words::split(&row.products).ok_or_else(broken)?,
        ports: small(row.ports)?,
        destinations: read_list(&row.destinations).ok_or_else(broken)?,
        recording: row.recording,
        status_url: url(&row.status_url)?,
        fee_url: url(&row.fee_url)?,
        push_signature: PushSignature::of(&row.push_signature).ok_or_else(broken)?,
        report_url: url(&row.report_url)?,
        reports: ReportForm {
            codes: ReportCodes::of(&row.report_codes).ok_or_else(broken)?,
            numbers: NumberForm::of(&row.report_numbers).ok_or_else(broken)?,
            menus_are: u8::try_from(row.menus_are).map_err(|_| broken())?,
        },
        lengths: LengthProfile::of(&row.lengths).ok_or_else(broken)?.lengths(),
    })
}

/// Values with commas between them.
fn read_list<T: FromStr>(text: &str) -> Option<Vec<T>> {
    text.split(',').filter(|value| !value.is_empty()).map(|value| value.parse().ok()).collect()
}

/// `None` when a number makes no sense; a threshold without all its numbers is not set.
fn read_conduct(row: &app::Model) -> Option<Conduct> {
    let mut conduct = Conduct::default();
    if let (Some(calls), Some(percent)) = (row.answered_calls, row.answered_percent) {
        let (calls, percent) = (u32::try_from(calls).ok()?, u8::try_from(percent).ok()?);
        conduct.answered = Some(AtLeastAnswered { calls, percent });
    }
    if let (Some(calls), Some(millis), Some(percent)) = (row.short_calls, row.short_millis, row.short_percent)
    {
        let (calls, percent) = (u32::try_from(calls).ok()?, u8::try_from(percent).ok()?);
        let shorter_than = Duration::from_millis(u64::try_from(millis).ok()?);
        conduct.short = Some(AtMostShort { calls, shorter_than, percent });
    }
    Some(conduct)
}

/// A number, as if it belonged to the enterprise itself.
pub(crate) fn read_number(row: &number::Model) -> Result<Number, StoreFault> {
    let broken = || damaged("number", row.id);
    let number = E164::parse(&row.number).map_err(|_| broken())?;
    let state = NumberState::of(&row.state).ok_or_else(broken)?;
    Ok(Number { number, state, owner: OwnerState::Active })
}

pub(crate) fn read_voice_file(row: &voice_file::Model) -> Result<VoiceFile, StoreFault> {
    let broken = || damaged("voice file", row.id);
    let clip = row.clip.parse().map_err(|_| broken())?;
    Ok(VoiceFile { clip, review: Review::of(&row.review).ok_or_else(broken)? })
}

pub(crate) fn read_template(row: &template::Model) -> Result<SpokenTemplate, StoreFault> {
    let broken = || damaged("template", &row.id);
    let kind = read_template_kind(row)?;
    Ok(SpokenTemplate {
        wording: Wording::parse(kind, &row.text).map_err(|_| broken())?,
        speed: u8::try_from(row.speed).map_err(|_| broken())?,
        review: Review::of(&row.review).ok_or_else(broken)?,
    })
}

pub(crate) fn read_template_kind(row: &template::Model) -> Result<TemplateKind, StoreFault> {
    TemplateKind::of(&row.kind).ok_or_else(|| damaged("template", &row.id))
}

fn read_listed(row: &listed::Model) -> Result<Listed, StoreFault> {
    let broken = || damaged("listed value", row.id);
    let number = || E164::parse(&row.value).map_err(|_| broken());
    let block = || row.value.parse().map_err(|_| broken());
    Ok(match ListKind::of(&row.kind).ok_or_else(broken)? {
        ListKind::CallerBlock => Listed::Caller(number()?),
        ListKind::CalleeBlock => Listed::Callee(number()?),
        ListKind::CalleeAllow => Listed::Allowed(number()?),
        ListKind::AddressBlock => Listed::Address(block()?),
        ListKind::AreaBlock => Listed::Area(block()?),
        ListKind::Word => Listed::Word(row.value.as_str().into()),
    })
}

pub(crate) fn read_limit(row: &limit_rule::Model) -> Result<Limit, StoreFault> {
    let broken = || damaged("limit", row.id);
    Ok(Limit {
        of: Counted::of(&row.counted).ok_or_else(broken)?,
        per: Window::of(&row.per).ok_or_else(broken)?,
        calls: u32::try_from(row.calls).map_err(|_| broken())?,
    })
}

pub(crate) fn read_hours(row: &forbidden_hours::Model) -> Result<Hours, StoreFault> {
    let minute = |minute: i16| u16::try_from(minute).map_err(|_| damaged("the forbidden hours", row.id));
    Ok(Hours { from: minute(row.from_minute)?, to: minute(row.to_minute)? })
}

/// A key as it is stored.
struct SealedKey {
    key: Key,
    state: KeyState,
    valid_until: Option<Timestamp>,
}

fn read_key(vault: &Vault, row: &api_key::Model) -> Result<SealedKey, StoreFault> {
    let id: Box<str> = row.id.as_str().into();
    let state = KeyState::of(&row.state).ok_or_else(|| damaged("key", &id))?;
    let broken = || StoreFault::SealBroken { key: id.clone() };
    let secret = vault.open(&id, &row.sealed_secret).ok_or_else(broken)?;
    let open = |sealed: &Vec<u8>| vault.open(&token_of(&id), sealed).ok_or_else(broken);
    let token = row.sealed_token.as_ref().map(open).transpose()?;
    let valid_until = row.valid_until.map(Timestamp::from_micros);
    Ok(SealedKey { key: Key { id, secret, token }, state, valid_until })
}

/// What the token of a temporary key is sealed for.
pub(crate) fn token_of(key: &str) -> String {
    format!("token of key {key}")
}

/// The setting that every change of an account counts up.
const VERSION: &str = "config_version";

/// The setting that says whether only listed people may be called by anybody.
pub(crate) const LISTED_ONLY: &str = "callees_allowed";

/// The value of a setting that is on.
pub(crate) const ON: &str = "on";
