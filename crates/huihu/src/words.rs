//! The words of calls, spoken: the speech room behind the road's own words.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use base::call::{About, Text};
use base::clip::ClipKey;
use media::clip::Clip;
use speech::cache::CacheSettings;
use speech::settings::{Engine, SpeechSettings};
use speech::speech::{Speech, SpeechFault};
use speech::text::{self, Keep, Speed, TextFault};
use speech::voices::http::HttpSettings;
use speech::voices::kokoro::KokoroSettings;

use crate::config::{Config, VoiceName};

/// Why the words of a call are not spoken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WordsFault {
    #[error(transparent)]
    Text(#[from] TextFault),
    #[error(transparent)]
    Speech(#[from] SpeechFault),
}

/// Who speaks. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Words(pub(crate) Speech);

impl Words {
    /// Opens the voices that the configuration chose. One that does not work is told of and left out.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        let opened = Speech::open(settings(config, &config.data_dir.join("speech"))?).await?;
        for (voice, fault) in opened.absent {
            tracing::warn!(voice, "does not speak: {fault}");
        }
        Ok(Self(opened.speech))
    }

    /// Speaks all texts of a call, one after the other: the clips, and how long it took.
    ///
    /// # Errors
    /// The first that cannot be spoken.
    pub(crate) async fn speak(
        &self,
        texts: Vec<Text>,
    ) -> Result<(Vec<(ClipKey, Clip)>, Duration), WordsFault> {
        let mut clips = Vec::with_capacity(texts.len());
        let mut took = Duration::ZERO;
        for text in texts {
            let spoken = self.0.speak(&wording(&text)?).await?;
            took += spoken.conversion;
            clips.push((ClipKey::Spoken(text.id), Clip::from_alaw(&spoken.alaw)));
        }
        Ok((clips, took))
    }
}

/// The voices that the configuration chose, with a folder for what was spoken.
pub(crate) fn settings(config: &Config, cache: &Path) -> Result<SpeechSettings> {
    Ok(SpeechSettings {
        engine: chosen(config)?,
        espeak: "espeak-ng".into(),
        cache: CacheSettings::at(cache.to_owned()),
    })
}

fn chosen(config: &Config) -> Result<Engine> {
    let speech = &config.speech;
    Ok(match speech.voice {
        VoiceName::Espeak => Engine::Espeak,
        VoiceName::Http => {
            let Some(url) = speech.http_url.clone() else { bail!("speech.http_url is not set") };
            let settings = HttpSettings::new(url, speech.http_model.clone(), speech.http_voice.clone());
            Engine::Http(HttpSettings { token: speech.http_key.clone(), ..settings })
        }
        VoiceName::Kokoro => {
            let settings = KokoroSettings::at(config.kokoro_dir());
            Engine::Kokoro(KokoroSettings { voice: speech.kokoro_voice.clone(), ..settings })
        }
    })
}

fn wording(text: &Text) -> Result<text::Text, TextFault> {
    let keep = match text.about {
        About::Nobody => Keep::OnDisk,
        About::OnePerson => Keep::Briefly,
    };
    Ok(text::Text::new(text.words.expose())?.at(Speed::times(f32::from(text.speed) / 100.0)?).kept(keep))
}
