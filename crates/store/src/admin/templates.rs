//! Templates: texts of an enterprise that may be spoken in the calls of all its apps.

use base::account::Review;
use base::template::{BYTES_MAX, BadTemplate, Template};
use base::time::Timestamp;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ModelTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::enterprises::enterprise_named;
use super::{Admin, AdminFault, changing, reading, visible_name};
use crate::entities::{enterprise, template};
use crate::fault::StoreFault;
use crate::snapshot::read_template;
use crate::vault::random_hex;
use crate::words::Word;

/// What an enterprise says of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateDraft {
    /// Its name, for people.
    pub name: Box<str>,
    /// The text with its places.
    pub text: Box<str>,
    /// How fast it is spoken, in percent of the voice's own pace: 50 to 200.
    pub speed: u8,
}

/// A template in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateLine {
    /// What orders name it by: 32 hexadecimal digits.
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
        let transaction = self.begin().await?;
        let owner = enterprise_named(&transaction, account).await?.id;
        let known = template::Entity::find().filter(template::Column::EnterpriseId.eq(owner));
        let known = known.select_only().column(template::Column::Id).limit(TEMPLATES + 1);
        let known: Vec<String> = known.into_tuple().all(&transaction).await.map_err(reading())?;
        if u64::try_from(known.len()).unwrap_or(u64::MAX) >= TEMPLATES {
            let rule = "an enterprise has at most 1000 templates; remove some first";
            return Err(AdminFault::Unusable { what: "template", name: draft.name.clone(), rule });
        }
        let id = random_hex()?;
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
    /// [`AdminFault::Unknown`]; [`AdminFault::Unusable`] for a name or text that is none.
    pub async fn change_template(
        &self,
        id: &str,
        draft: &TemplateDraft,
        now: Timestamp,
    ) -> Result<(), AdminFault> {
        check(draft)?;
        self.update_template(id, now, |row| {
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
    /// [`AdminFault::Unknown`]; [`AdminFault::Unusable`] for a note that is too long.
    pub async fn review_template(
        &self,
        id: &str,
        review: Review,
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<(), AdminFault> {
        super::check_note(note)?;
        self.update_template(id, now, |row| {
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
        let transaction = self.begin().await?;
        find(&transaction, id).await?.delete(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    async fn update_template(
        &self,
        id: &str,
        now: Timestamp,
        change: impl FnOnce(&mut template::ActiveModel),
    ) -> Result<(), AdminFault> {
        let transaction = self.begin().await?;
        let mut row: template::ActiveModel = find(&transaction, id).await?.into();
        change(&mut row);
        row.changed_at = Set(now.micros());
        row.update(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }
}

async fn find(connection: &impl ConnectionTrait, id: &str) -> Result<template::Model, AdminFault> {
    let row = template::Entity::find_by_id(id).one(connection).await.map_err(reading())?;
    let hint = "list the enterprise's templates to see their ids";
    row.ok_or_else(|| AdminFault::Unknown { what: "template", name: id.into(), hint })
}

fn check(draft: &TemplateDraft) -> Result<(), AdminFault> {
    visible_name("template's name", &draft.name)?;
    let unusable = |rule| AdminFault::Unusable { what: "template", name: draft.name.clone(), rule };
    if !(SPEED_MIN..=SPEED_MAX).contains(&draft.speed) {
        return Err(unusable("its speed is 50 to 200 percent"));
    }
    match Template::parse(&draft.text) {
        Ok(_) => Ok(()),
        Err(BadTemplate::Length) => {
            const { assert!(BYTES_MAX == 900, "the sentence says so") };
            Err(unusable("its text has 1 to 900 bytes of UTF-8; a Chinese character has 3"))
        }
        Err(BadTemplate::Place) => {
            Err(unusable("places are ${TXT_n}, ${NUM_n}, ${DATE} and ${TIME}, with n from 1 to 32"))
        }
    }
}

fn line(row: &template::Model, account: &str) -> Result<TemplateLine, AdminFault> {
    let damaged = || StoreFault::damaged(format!("template {}", row.id));
    let draft = TemplateDraft {
        name: row.name.as_str().into(),
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

/// The slowest speech, in percent of the voice's own pace.
const SPEED_MIN: u8 = 50;

/// The fastest.
const SPEED_MAX: u8 = 200;

/// Templates of one enterprise: all of them are in memory, once for each key.
const TEMPLATES: u64 = 1_000;
