//! Clips: the voice files of apps.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Json, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base::account::VoiceFile;
use base::id::AppId;
use serde::{Deserialize, Serialize};
use speech::name::VoiceName;
use speech::shelf::ShelfFault;
use speech::wav::{self, ImportFault};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Path, Query};
use crate::audit::Changed;
use crate::intake::is_wav;
use crate::page::{Page, PageQuery};
use crate::parts::Parts;
use crate::problem::{Kind, Problem};
use crate::words::Review;

/// A voice file of an app.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Clip {
    /// The name that orders use.
    #[schema(example = "welcome.wav")]
    name: String,
    /// The app that may play it.
    app: i64,
    /// The id of its sound; files of equal sound have equal ids.
    sound: String,
    /// Whether orders may use it.
    review: Review,
}

/// A voice file that was just uploaded, and what its maker should know.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UploadedClip {
    /// The file.
    clip: Clip,
    /// How long it plays, in seconds.
    secs: f32,
    /// What is odd about its sound, a sentence each.
    warnings: Vec<String>,
}

impl Clip {
    fn of(app: AppId, name: &str, file: VoiceFile) -> Self {
        Self { name: name.to_owned(), app: app.0, sound: file.clip.to_string(), review: file.review.into() }
    }
}

/// What a reviewer says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Judgement {
    /// The verdict; `pending` takes an earlier one back.
    pub(crate) review: Review,
}

/// Lists the voice files of an app by name.
#[utoipa::path(
    get, path = "/apps/{app}/clips", tag = "clips", operation_id = "list_clips",
    params(("app" = i64, Path, description = "The app's id."), PageQuery),
    responses((status = 200, description = "A page of voice files.", body = Page<Clip>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Clip>>, Problem> {
    let ask = query.read::<String>()?;
    let lines = parts.admin.voice_files_page(app, ask.after.as_deref(), ask.reach()).await?;
    Ok(Json(ask.page(lines, |line| line.name.to_string(), |line| Clip::of(app, &line.name, line.file))))
}

/// Uploads a WAV file of any rate and width, at most 8 MiB and five minutes. A name that is known gets the new sound,
/// which must be reviewed anew.
#[utoipa::path(
    put, path = "/apps/{app}/clips/{clip}", tag = "clips", operation_id = "upload_clip",
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("clip" = String, Path, description = "The name that orders use: letters, digits, `-`, `_`, `.`, `@`, then `.wav`."),
    ),
    request_body(content = String, content_type = "audio/wav", description = "The WAV file."),
    responses((status = 200, description = "The file waits for its review.", body = UploadedClip))
)]
pub(crate) async fn upload(
    State(parts): State<Arc<Parts>>,
    Path((app, name)): Path<(AppId, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Changed<UploadedClip>, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(is_wav) {
        return Err(Problem::of(Kind::UnsupportedMediaType));
    }
    let name = VoiceName::parse(&name).map_err(|rule| {
        Problem::new(
            Kind::UnusableValue,
            format!("{name} cannot be the name of a voice file"),
            format!("{name} 不能用作语音文件名"),
        )
        .fix(rule.to_string(), "文件名为字母、数字、- _ . @，并以 .wav 结尾")
    })?;
    parts.admin.app(app).await?;
    let before = parts.admin.voice_file(app, name.as_str()).await.ok();
    let before = before.map(|file| Clip::of(app, name.as_str(), file));
    // Decoding and resampling take a while, and the shelf waits for the disk.
    let shelf = Arc::clone(&parts.shelf);
    let kept = spawn_blocking(move || {
        let imported = wav::import(&bytes).map_err(|fault| unusable(&fault))?;
        let clip = shelf.put(&imported.alaw).map_err(|fault| Problem::fault(&fault))?;
        Ok::<_, Problem>((imported, clip))
    });
    let (imported, clip) = kept.await.map_err(|fault| Problem::fault(&fault))??;
    parts.admin.add_voice_file(app, name.as_str(), clip, (parts.clock)()).await?;
    parts.announce().await;
    let clip = one(&parts, app, name.as_str()).await?;
    let uploaded = UploadedClip {
        clip: clip.clone(),
        secs: imported.duration.as_secs_f32(),
        warnings: imported.warnings().iter().map(ToString::to_string).collect(),
    };
    Ok(Changed::from(&before, uploaded).known_as(&clip))
}

/// One voice file.
#[utoipa::path(
    get, path = "/apps/{app}/clips/{clip}", tag = "clips", operation_id = "get_clip",
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("clip" = String, Path, description = "The file's name."),
    ),
    responses((status = 200, description = "The voice file.", body = Clip))
)]
pub(crate) async fn get(
    State(parts): State<Arc<Parts>>,
    Path((app, name)): Path<(AppId, String)>,
) -> Result<Json<Clip>, Problem> {
    Ok(Json(one(&parts, app, &name).await?))
}

/// Takes a voice file away from an app. Calls that were accepted with it still play it.
#[utoipa::path(
    delete, path = "/apps/{app}/clips/{clip}", tag = "clips", operation_id = "remove_clip",
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("clip" = String, Path, description = "The file's name."),
    ),
    responses((status = 204, description = "The app has the voice file no more."))
)]
pub(crate) async fn remove(
    State(parts): State<Arc<Parts>>,
    Path((app, name)): Path<(AppId, String)>,
) -> Result<Changed<Clip>, Problem> {
    let before = one(&parts, app, &name).await?;
    parts.admin.remove_voice_file(app, &name).await?;
    parts.announce().await;
    Ok(Changed::gone(&before))
}

/// The sound of a voice file as telephones hear it: WAV, A-law, 8 kHz.
#[utoipa::path(
    get, path = "/apps/{app}/clips/{clip}/sound", tag = "clips", operation_id = "download_clip",
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("clip" = String, Path, description = "The file's name."),
    ),
    responses((status = 200, description = "The sound.", body = String, content_type = "audio/wav"))
)]
pub(crate) async fn download(
    State(parts): State<Arc<Parts>>,
    Path((app, name)): Path<(AppId, String)>,
) -> Result<Response, Problem> {
    let file = parts.admin.voice_file(app, &name).await?;
    let shelf = Arc::clone(&parts.shelf);
    let read = spawn_blocking(move || shelf.get(file.clip)).await.map_err(|fault| Problem::fault(&fault))?;
    match read {
        Ok(alaw) => Ok(([(CONTENT_TYPE, "audio/wav")], wav::wav_alaw(&alaw)).into_response()),
        Err(fault @ (ShelfFault::Missing { .. } | ShelfFault::Damaged { .. })) => {
            tracing::error!(fault = &fault as &dyn std::error::Error, "a voice file has lost its sound");
            Err(Problem::unknown("sound of the voice file", &name)
                .fix("upload the file again", "请重新上传该文件"))
        }
        Err(fault) => Err(Problem::fault(&fault)),
    }
}

/// Says whether orders may use a voice file.
#[utoipa::path(
    post, path = "/apps/{app}/clips/{clip}/review", tag = "clips", operation_id = "review_clip",
    request_body = Judgement,
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("clip" = String, Path, description = "The file's name."),
    ),
    responses((status = 200, description = "The voice file as it is now.", body = Clip))
)]
pub(crate) async fn review(
    State(parts): State<Arc<Parts>>,
    Path((app, name)): Path<(AppId, String)>,
    Body(judgement): Body<Judgement>,
) -> Result<Changed<Clip>, Problem> {
    let before = one(&parts, app, &name).await?;
    parts.admin.review_voice_file(app, &name, judgement.review.into()).await?;
    parts.announce().await;
    Ok(Changed::from(&before, one(&parts, app, &name).await?))
}

async fn one(parts: &Parts, app: AppId, name: &str) -> Result<Clip, Problem> {
    Ok(Clip::of(app, name, parts.admin.voice_file(app, name).await?))
}

fn unusable(fault: &ImportFault) -> Problem {
    Problem::new(Kind::UnusableValue, "the file cannot be used as a clip", "该文件不能用作语音文件")
        .fix(fault.to_string(), format!("请转换文件后重试（{fault}）"))
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(upload, get, remove))
        .routes(routes!(download))
        .routes(routes!(review))
}
