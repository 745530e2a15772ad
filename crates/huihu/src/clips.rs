//! The clips of a call, encoded once and shared by every call that plays them.

use std::sync::Arc;

use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::id::ClipId;
use base::refusal::Refusal;
use media::clip::Clip;
use moka::sync::Cache;
use speech::shelf::Shelf;

/// Bytes of uploaded clips that are kept ready, in both laws: about four hours of speech.
const READY_BYTES: u64 = 256 << 20;

/// Where clips come from.
pub(crate) struct Clips {
    system: Vec<(SystemClip, Clip)>,
    shelf: Arc<Shelf>,
    ready: Cache<ClipId, Clip>,
}

impl Clips {
    /// The clips that ship with the project, and those on the shelf.
    pub(crate) fn new(shelf: Shelf) -> Self {
        let shipped = |clip: SystemClip| (clip, Clip::from_alaw(speech::system::system(clip)));
        let weigh = |_: &ClipId, clip: &Clip| {
            u32::try_from(2 * clip.samples(media::g711::Law::Pcma).len()).unwrap_or(u32::MAX)
        };
        Self {
            system: SystemClip::ALL.into_iter().map(shipped).collect(),
            shelf: Arc::new(shelf),
            ready: Cache::builder().max_capacity(READY_BYTES).weigher(weigh).build(),
        }
    }

    /// Every clip that a call may play, but those that must be spoken first.
    ///
    /// # Errors
    /// [`Refusal::ClipUnreadable`] when the file of an uploaded clip cannot be read.
    pub(crate) async fn of(&self, call: &Call) -> Result<Vec<(ClipKey, Clip)>, Refusal> {
        let mut clips = Vec::new();
        for key in call.clips() {
            let is_new = clips.iter().all(|(known, _)| *known != key);
            if let Some(clip) = self.get(key).await?.filter(|_| is_new) {
                clips.push((key, clip));
            }
        }
        Ok(clips)
    }

    async fn get(&self, key: ClipKey) -> Result<Option<Clip>, Refusal> {
        match key {
            ClipKey::System(wanted) => {
                let found = self.system.iter().find(|(clip, _)| *clip == wanted);
                found.map(|(_, clip)| Some(clip.clone())).ok_or(Refusal::OurFault)
            }
            ClipKey::Uploaded(id) => match self.ready.get(&id) {
                Some(clip) => Ok(Some(clip)),
                None => self.read(id).await.map(Some),
            },
            ClipKey::Spoken(_) => Ok(None),
        }
    }

    async fn read(&self, id: ClipId) -> Result<Clip, Refusal> {
        let shelf = Arc::clone(&self.shelf);
        let read =
            tokio::task::spawn_blocking(move || shelf.get(id).map(|alaw| Clip::from_alaw(&alaw))).await;
        let clip = read.map_err(|_| Refusal::OurFault)?.map_err(|fault| {
            tracing::error!("{fault}");
            Refusal::ClipUnreadable
        })?;
        self.ready.insert(id, clip.clone());
        Ok(clip)
    }
}
