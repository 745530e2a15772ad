//! Everything that can be heard of the carrier, strung into playlists once. What is missing is silence.

use media::FRAME_SAMPLES;
use media::clip::{Clip, Playlist, Plays};
use media::g711::ALAW_SILENCE;

use crate::fate::{Announcement, Fate};
use crate::settings::Settings;

/// The voices of the telephones and of the network. Playlists are cheap to clone.
pub(crate) struct Repertoire {
    voices: Vec<Playlist>,
    empty_number: Playlist,
    busy: Playlist,
    hush: Playlist,
}

impl Repertoire {
    pub(crate) fn new(settings: &Settings) -> Self {
        let hush = Playlist::new([Clip::from_alaw(&[ALAW_SILENCE; FRAME_SAMPLES])], Plays::Endless)
            .expect("a frame of silence is something to hear");
        let list = |clip: Option<&Clip>, plays| {
            clip.and_then(|clip| Playlist::new([clip.clone()], plays)).unwrap_or_else(|| hush.clone())
        };
        Self {
            voices: settings.voices.iter().map(|voice| list(Some(voice), settings.voice_plays)).collect(),
            empty_number: list(settings.empty_number.as_ref(), Plays::Endless),
            busy: list(settings.busy.as_ref(), Plays::Endless),
            hush,
        }
    }

    /// What the telephone of this fate says.
    pub(crate) fn voice(&self, fate: &Fate) -> Playlist {
        self.voices.get(fate.voice(self.voices.len())).unwrap_or(&self.hush).clone()
    }

    /// What the network says.
    pub(crate) fn announcement(&self, announcement: Announcement) -> Playlist {
        match announcement {
            Announcement::EmptyNumber => self.empty_number.clone(),
            Announcement::Busy => self.busy.clone(),
        }
    }

    /// Silence, for ever.
    pub(crate) fn hush(&self) -> Playlist {
        self.hush.clone()
    }
}
