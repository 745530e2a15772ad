//! Everything that can be heard of the carrier, strung into playlists once. What is missing is silence.

use std::time::Duration;

use media::FRAME_SAMPLES;
use media::clip::{Clip, Playlist, Plays};
use media::dtmf::Key;
use media::g711::ALAW_SILENCE;
use media::tone::alaw_key;

use crate::fate::{Announcement, Fate};
use crate::settings::Settings;

/// The voices of the telephones and of the network. Playlists are cheap to clone.
pub(crate) struct Repertoire {
    voices: Vec<Playlist>,
    empty_number: Playlist,
    busy: Playlist,
    powered_off: Playlist,
    hush: Playlist,
    /// The tones of all keys, by their codes.
    keys: Vec<Playlist>,
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
            powered_off: list(settings.powered_off.as_ref(), Plays::Endless),
            keys: (0..).map_while(Key::from_code).map(tone).collect(),
            hush,
        }
    }

    /// What a key sounds like, and a pause after it.
    pub(crate) fn key(&self, key: Key) -> Playlist {
        self.keys.get(usize::from(key.code())).unwrap_or(&self.hush).clone()
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
            Announcement::PoweredOff => self.powered_off.clone(),
        }
    }

    /// Silence, for ever.
    pub(crate) fn hush(&self) -> Playlist {
        self.hush.clone()
    }
}

fn tone(key: Key) -> Playlist {
    let mut samples = alaw_key(key, KEY_LENGTH);
    samples.extend_from_slice(&[ALAW_SILENCE; KEY_PAUSE]);
    Playlist::new([Clip::from_alaw(&samples)], Plays::ONCE).expect("a tone is something to hear")
}

/// How long a key is held.
const KEY_LENGTH: Duration = Duration::from_millis(120);

/// Samples of silence after it: 80 ms, twice what a receiver needs.
const KEY_PAUSE: usize = 640;
