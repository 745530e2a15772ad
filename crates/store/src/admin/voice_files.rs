//! Voice files of apps. Their sound lies elsewhere, by the id of its content.

use base::account::{Review, VoiceFile};
use base::id::{AppId, ClipId};
use base::time::Timestamp;
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait,
    ModelTrait, QueryFilter, QueryOrder,
};

use super::{Admin, AdminFault, app_exists, changing, reading};
use crate::entities::voice_file;
use crate::snapshot::read_voice_file;
use crate::words::Word;

/// A voice file in a list.
#[derive(Clone, Debug)]
pub struct VoiceFileLine {
    /// The app that may play it.
    pub app: AppId,
    /// Its name.
    pub name: Box<str>,
    /// Its content and its review.
    pub file: VoiceFile,
}

impl Admin {
    /// Adds a voice file under a name, to be reviewed. A name that is known gets the new content and a new review.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app, [`AdminFault::Unusable`] for a name of another form.
    pub async fn add_voice_file(
        &self,
        app: AppId,
        name: &str,
        clip: ClipId,
        now: Timestamp,
    ) -> Result<(), AdminFault> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@');
        if !(1..=NAME_BYTES).contains(&name.len()) || !name.bytes().all(letter) {
            let rule = "use 1 to 128 letters, digits, '-', '_', '.' and '@', such as notice.wav";
            return Err(AdminFault::unusable("voice file's name", name, rule));
        }
        let (_baton, transaction) = self.begin().await?;
        app_exists(&transaction, app).await?;
        let mut row = voice_file::ActiveModel {
            id: NotSet,
            app_id: Set(app.0),
            name: Set(name.to_owned()),
            clip: Set(clip.to_string()),
            review: Set(Review::Pending.word().to_owned()),
            added_at: Set(now.micros()),
        };
        match find(&transaction, app, name).await? {
            Some(known) => {
                row.id = Set(known.id);
                row.update(&transaction).await.map_err(changing())?;
            }
            None => {
                row.insert(&transaction).await.map_err(changing())?;
            }
        }
        Self::commit_change(transaction).await
    }

    /// Says whether a voice file may be played.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when the app has no such file.
    pub async fn review_voice_file(&self, app: AppId, name: &str, review: Review) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let row = find(&transaction, app, name).await?.ok_or_else(|| unknown(name))?;
        let mut row: voice_file::ActiveModel = row.into();
        row.review = Set(review.word().to_owned());
        row.update(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    /// Takes a voice file away from an app. Calls that were accepted with it still play it.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when the app has no such file.
    pub async fn remove_voice_file(&self, app: AppId, name: &str) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let row = find(&transaction, app, name).await?.ok_or_else(|| unknown(name))?;
        row.delete(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    /// The voice files of an app, by name.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn voice_files(&self, app: AppId) -> Result<Vec<VoiceFileLine>, AdminFault> {
        app_exists(self.store.read(), app).await?;
        let rows = voice_file::Entity::find()
            .filter(voice_file::Column::AppId.eq(app.0))
            .order_by_asc(voice_file::Column::Name)
            .all(self.store.read())
            .await
            .map_err(reading())?;
        let line = |row: &voice_file::Model| {
            Ok(VoiceFileLine { app, name: row.name.as_str().into(), file: read_voice_file(row)? })
        };
        rows.iter().map(line).collect()
    }
}

async fn find(
    connection: &impl ConnectionTrait,
    app: AppId,
    name: &str,
) -> Result<Option<voice_file::Model>, AdminFault> {
    let query = voice_file::Entity::find()
        .filter(voice_file::Column::AppId.eq(app.0))
        .filter(voice_file::Column::Name.eq(name));
    Ok(query.one(connection).await.map_err(reading())?)
}

fn unknown(name: &str) -> AdminFault {
    AdminFault::Unknown { what: "voice file", name: name.into(), hint: "list the app's voice files" }
}

/// Bytes of a voice file's name: what the vendors' fields hold.
const NAME_BYTES: usize = 128;
