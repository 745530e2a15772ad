//! Which engines speak, and in which order.

use std::path::PathBuf;

use crate::cache::{CacheFault, CacheSettings};
use crate::speech::Speech;
use crate::voice::{Voice, VoiceFault};
use crate::voices::espeak::Espeak;
use crate::voices::http::{Http, HttpSettings};
use crate::voices::kokoro::{Kokoro, KokoroSettings};

/// What the configuration says of speech.
#[derive(Clone, Debug)]
pub struct SpeechSettings {
    /// The engine that is asked first.
    pub engine: Engine,
    /// The program that is asked when the first engine fails: `espeak-ng`, or its path.
    pub espeak: PathBuf,
    /// Where sounds are kept.
    pub cache: CacheSettings,
}

/// The engines that can be chosen.
#[derive(Clone, Debug)]
pub enum Engine {
    /// The program `espeak-ng`, which is always there.
    Espeak,
    /// A service on the network.
    Http(HttpSettings),
    /// The natural voice, if it is installed.
    Kokoro(KokoroSettings),
}

/// Speech with the engines that work, and what is wrong with the others.
#[derive(Debug)]
pub struct Opened {
    /// Ready to speak, if one of them works.
    pub speech: Speech,
    /// Engines that were chosen and do not work: worth a warning at the start.
    pub absent: Vec<(&'static str, VoiceFault)>,
}

impl Speech {
    /// Starts the chosen engine and `espeak-ng` behind it, and tests those that are on this machine.
    ///
    /// An engine that does not work is left out and told of: a platform whose customers need no texts runs without.
    ///
    /// # Errors
    ///
    /// [`CacheFault`] if the cache's folder cannot be used.
    pub async fn open(settings: SpeechSettings) -> Result<Opened, CacheFault> {
        let mut voices: Vec<Box<dyn Voice>> = Vec::new();
        let mut absent = Vec::new();
        match settings.engine {
            Engine::Espeak => {}
            Engine::Http(http) => match Http::new(http) {
                Ok(http) => voices.push(Box::new(http)),
                Err(fault) => absent.push(("http", fault)),
            },
            Engine::Kokoro(kokoro) => match Kokoro::open(kokoro, &settings.espeak).await {
                Ok(kokoro) => voices.push(Box::new(kokoro)),
                Err(fault) => absent.push(("kokoro", fault)),
            },
        }
        match Espeak::open(settings.espeak).await {
            Ok(espeak) => voices.push(Box::new(espeak)),
            Err(fault) => absent.push(("espeak", fault)),
        }
        Ok(Opened { speech: Self::new(voices, &settings.cache)?, absent })
    }
}
