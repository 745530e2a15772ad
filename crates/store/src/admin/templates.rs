//! Templates: texts and menus of an enterprise that may be spoken in the calls of all its apps.
//!
//! Orders name those with named places by numbers, so their ids are numbers: counted up on the whole platform, and never
//! given twice, since a customer may go on naming one that is gone.

use std::borrow::Cow;

use base::account::Review;
use base::private::Private;
use base::screen::{self, ForbiddenWords};
use base::template::{Lengths, Named, TemplateKind, Wording};
use base::time::Timestamp;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    ModelTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::enterprises::enterprise_named;
use super::lists::{self, ListPick};
use super::{Admin, AdminFault, changing, reading, visible_name};
use crate::entities::{enterprise, listed, template};
use crate::fault::StoreFault;
use crate::snapshot::{count_setting, read_setting, read_template, read_template_kind};
use crate::vault::random_hex;
use crate::words::{ListKind, Word};

/// What an enterprise says of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateDraft {
    /// Its name, for people.
    pub name: Box<str>,
    /// How it is written. It stays as it was made.
    pub kind: TemplateKind,
    /// The text with its places, or the menu as JSON; it is kept as it was written.
    pub text: Box<str>,
    /// How fast it is spoken, in percent of the voice's own pace: 50 to 200.
    pub speed: u8,
}

/// A template in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateLine {
    /// What orders name it by: 32 hexadecimal digits, or a number where its places have names.
    pub id: Box<str>,
    /// The enterprise's account name.
    pub account: Box<str>,
    /// What its enterprise says of it.
    pub draft: TemplateDraft,
    /// Whether it may be spoken.
    pub review: Review,
    /// What the reviewer has to say.
    pub note: Option<Box<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its text or its review changed last.
    pub changed_at: Timestamp,
}

impl Admin {
    /// Makes a template, to be reviewed. Gives its id.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such enterprise; [`AdminFault::Unusable`] for a name or text that is none.
    pub async fn create_template(
        &self,
        account: &str,
        draft: &TemplateDraft,
        now: Timestamp,
    ) -> Result<Box<str>, AdminFault> {
        check(draft)?;
        let (_baton, transaction) = self.begin().await?;
        let owner = enterprise_named(&transaction, account).await?.id;
        let known = template::Entity::find().filter(template::Column::EnterpriseId.eq(owner));
        let known = known.select_only().column(template::Column::Id).limit(TEMPLATES + 1);
        let known: Vec<String> = known.into_tuple().all(&transaction).await.map_err(reading())?;
        if u64::try_from(known.len()).unwrap_or(u64::MAX) >= TEMPLATES {
            let rule = "an enterprise has at most 1000 templates; remove some first";
            return Err(AdminFault::unusable("template", draft.name.clone(), rule));
        }
        let id = match draft.kind {
            TemplateKind::Placed => random_hex()?,
            TemplateKind::Named | TemplateKind::Menu => next_number(&transaction).await?,
        };
        let row = template::ActiveModel {
            id: Set(id.clone()),
            enterprise_id: Set(owner),
            name: Set(draft.name.to_string()),
            text: Set(draft.text.to_string()),
            speed: Set(draft.speed.into()),
            review: Set(Review::Pending.word().to_owned()),
            note: Set(None),
            created_at: Set(now.micros()),
            changed_at: Set(now.micros()),
            kind: Set(draft.kind.word().to_owned()),
        };
        row.insert(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await?;
        Ok(id.into())
    }

    /// One template.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn template(&self, id: &str) -> Result<TemplateLine, AdminFault> {
        let row = find(self.store.read(), id).await?;
        let owner = enterprise::Entity::find_by_id(row.enterprise_id);
        let owner = owner.one(self.store.read()).await.map_err(reading())?;
        line(&row, &owner.map(|owner| owner.name).unwrap_or_default())
    }

    /// The templates of an enterprise by id, from after one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such enterprise.
    pub async fn templates_page(
        &self,
        account: &str,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<TemplateLine>, AdminFault> {
        let owner = enterprise_named(self.store.read(), account).await?.id;
        let mut query = template::Entity::find().filter(template::Column::EnterpriseId.eq(owner));
        if let Some(after) = after {
            query = query.filter(template::Column::Id.gt(after));
        }
        let query = query.order_by_asc(template::Column::Id).limit(limit);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        rows.iter().map(|row| line(row, account)).collect()
    }

    /// Gives a template another text, name or pace. It must be reviewed again.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`]; [`AdminFault::Unusable`] for a name or text that is none, and for another kind.
    pub async fn change_template(
        &self,
        id: &str,
        draft: &TemplateDraft,
        now: Timestamp,
    ) -> Result<(), AdminFault> {
        check(draft)?;
        let (_baton, transaction) = self.begin().await?;
        let before = find(&transaction, id).await?;
        if read_template_kind(&before)? != draft.kind {
            let rule = "a template stays of its kind, because orders name each kind in their own way; make a new one";
            return Err(AdminFault::unusable("kind of a template", draft.kind.word(), rule));
        }
        update(transaction, before, now, |row| {
            row.name = Set(draft.name.to_string());
            row.text = Set(draft.text.to_string());
            row.speed = Set(draft.speed.into());
            row.review = Set(Review::Pending.word().to_owned());
            row.note = Set(None);
        })
        .await
    }

    /// Says whether a template may be spoken, and why not.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`]; [`AdminFault::Unusable`] for a note that is too long, and for approving what nobody may
    /// say: a forbidden word, or an address of the web.
    pub async fn review_template(
        &self,
        id: &str,
        review: Review,
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<(), AdminFault> {
        super::check_note(note)?;
        let (_baton, transaction) = self.begin().await?;
        let before = find(&transaction, id).await?;
        if review == Review::Approved {
            check_said(&transaction, &before).await?;
        }
        update(transaction, before, now, |row| {
            row.review = Set(review.word().to_owned());
            row.note = Set(note.map(str::to_owned));
        })
        .await
    }

    /// Removes a template. Calls that were accepted with it still speak it.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn remove_template(&self, id: &str) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        find(&transaction, id).await?.delete(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }
}

async fn update(
    transaction: DatabaseTransaction,
    before: template::Model,
    now: Timestamp,
    change: impl FnOnce(&mut template::ActiveModel),
) -> Result<(), AdminFault> {
    let mut row: template::ActiveModel = before.into();
    change(&mut row);
    row.changed_at = Set(now.micros());
    row.update(&transaction).await.map_err(changing())?;
    Admin::commit_change(transaction).await
}

/// Counts up to the next number of a template.
async fn next_number(transaction: &DatabaseTransaction) -> Result<String, AdminFault> {
    count_setting(transaction, NUMBER).await?;
    let damaged = || StoreFault::damaged("the count of templates");
    Ok(read_setting(transaction, NUMBER).await?.ok_or_else(damaged)?)
}

/// What a template always says must be something that may be said.
async fn check_said(transaction: &DatabaseTransaction, row: &template::Model) -> Result<(), AdminFault> {
    let refused =
        |rule: &'static str| AdminFault::unusable("template that is spoken", row.name.as_str(), rule);
    let wording = read_template(row)?.wording;
    if said(&wording).iter().any(|text| screen::contains_address(text)) {
        return Err(refused("it says an address of the web, which no such template may; change its text"));
    }
    let words = listed::Entity::find().select_only().column(listed::Column::Value);
    let words = words.filter(lists::of(ListPick { app: None, kind: ListKind::Word })).into_tuple();
    let words: Vec<String> = words.all(transaction).await.map_err(reading())?;
    let words = ForbiddenWords::new(words.iter().map(String::as_str));
    if wording.words().iter().any(|text| words.stand_in(text)) {
        return Err(refused("it says one of the words on the platform's list `word`; change its text"));
    }
    Ok(())
}

/// The texts of a template, with a letter in each place that has a name: `{shop}.com` is an address whatever the shop is.
fn said(wording: &Wording) -> Vec<String> {
    let lengths = Lengths { value: u16::MAX, text: u16::MAX };
    let full = |text: &Named| {
        let letters = text.names().map(|name| (name.into(), Private::new("a".into()))).collect();
        text.fill(&letters, lengths).expect("every place has its letter, and there is room")
    };
    match wording {
        // The vendor whose places are filled in their order has no such rule.
        Wording::Placed(_) => Vec::new(),
        Wording::Named(text) => vec![full(text)],
        Wording::Menu(menu) => menu.texts().iter().map(full).collect(),
    }
}

async fn find(connection: &impl ConnectionTrait, id: &str) -> Result<template::Model, AdminFault> {
    let row = template::Entity::find_by_id(id).one(connection).await.map_err(reading())?;
    let hint = "list the enterprise's templates to see their ids";
    row.ok_or_else(|| AdminFault::Unknown { what: "template", name: id.into(), hint })
}

fn check(draft: &TemplateDraft) -> Result<(), AdminFault> {
    visible_name("template's name", &draft.name)?;
    let unusable = |rule: Cow<'static, str>| AdminFault::unusable("template", draft.name.clone(), rule);
    if !(SPEED_MIN..=SPEED_MAX).contains(&draft.speed) {
        return Err(unusable("its speed is 50 to 200 percent".into()));
    }
    if draft.text.len() > TEXT_BYTES {
        return Err(unusable(Cow::Borrowed("its text has at most 65536 bytes of UTF-8")));
    }
    Wording::parse(draft.kind, &draft.text).map(drop).map_err(|fault| unusable(fault.to_string().into()))
}

fn line(row: &template::Model, account: &str) -> Result<TemplateLine, AdminFault> {
    let damaged = || StoreFault::damaged(format!("template {}", row.id));
    let draft = TemplateDraft {
        name: row.name.as_str().into(),
        kind: read_template_kind(row)?,
        text: row.text.as_str().into(),
        speed: u8::try_from(row.speed).map_err(|_| damaged())?,
    };
    Ok(TemplateLine {
        id: row.id.as_str().into(),
        account: account.into(),
        draft,
        review: read_template(row)?.review,
        note: row.note.as_deref().map(Into::into),
        created_at: Timestamp::from_micros(row.created_at),
        changed_at: Timestamp::from_micros(row.changed_at),
    })
}

/// The setting that holds the number that a template was given last.
const NUMBER: &str = "template_number";

/// Bytes of a text or a menu as it is written: a menu of 64 nodes that are explained at length. All templates are in
/// memory.
const TEXT_BYTES: usize = 65_536;

/// The slowest speech, in percent of the voice's own pace.
const SPEED_MIN: u8 = 50;

/// The fastest.
const SPEED_MAX: u8 = 200;

/// Templates of one enterprise: all of them are in memory, once for each key.
const TEMPLATES: u64 = 1_000;
