//! Speaks texts: asks the engines in their order, each sound at most once.
//!
//! ```text
//! Text ─▶ Wording ─▶ memory ─▶ disk ─▶ first engine ─▶ polish ─▶ clip
//!                                          │ fault
//!                                          └─▶ memory ─▶ disk ─▶ second engine ─▶ …  ─▶ SpeechFault
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::breaker::Breaker;
use crate::cache::{Cache, CacheFault, CacheSettings, Key};
use crate::polish::telephone;
use crate::text::{Keep, Speed, Text};
use crate::voice::{Voice, VoiceFault};
use crate::wav::SECS_MAX;
use crate::wording::Wording;

/// The engines and what they have said. Clones share everything.
#[derive(Clone, Debug)]
pub struct Speech {
    links: Arc<[Link]>,
    cache: Cache,
}

/// A text as a leg can hear it.
#[derive(Clone, PartialEq)]
pub struct Spoken {
    /// A-law, 8,000 bytes a second.
    pub alaw: Arc<[u8]>,
    /// How long it took to have it; next to nothing if it was in the cache.
    pub conversion: Duration,
    /// The engine that spoke it.
    pub voice: &'static str,
}

/// Why a text is not spoken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SpeechFault {
    /// Nothing in the text can be said.
    #[error("nothing in the text can be said: it has no letter, figure or Chinese character")]
    NothingToSay,
    /// So many texts wait for an engine that another one would come too late.
    #[error("too many texts are waiting to be spoken")]
    Full,
    /// There is no engine.
    #[error("there is no speech engine: install one with 'apt-get install espeak-ng' and start again")]
    NoVoice,
    /// Every engine was asked and none has spoken.
    #[error("no engine has spoken: {}", Told(faults))]
    Failed {
        /// What each of them said, in their order.
        faults: Vec<(&'static str, VoiceFault)>,
    },
}

/// One engine of the chain.
#[derive(Debug)]
struct Link {
    voice: Box<dyn Voice>,
    /// Those who work and those who may wait.
    room: Semaphore,
    /// Those who work.
    slots: Semaphore,
    breaker: Breaker,
}

/// What becomes of asking one engine.
#[derive(Clone, Debug)]
enum Miss {
    Full,
    Voice(VoiceFault),
}

impl Speech {
    /// Speaks with the first of these engines that can. Opens the cache's folder.
    ///
    /// # Errors
    ///
    /// [`CacheFault`] if the folder cannot be made or read.
    pub fn new(voices: Vec<Box<dyn Voice>>, cache: &CacheSettings) -> Result<Self, CacheFault> {
        let links = voices.into_iter().map(Link::new).collect();
        Ok(Self { links, cache: Cache::open(cache)? })
    }

    /// The names of the engines, in the order in which they are asked.
    pub fn voices(&self) -> impl Iterator<Item = &'static str> {
        self.links.iter().map(|link| link.voice.name())
    }

    /// Speaks a text, or finds it spoken. Many who ask for the same text at once share one answer.
    ///
    /// Needs tokio; what blocks is done on its blocking threads.
    ///
    /// # Errors
    ///
    /// [`SpeechFault`]; nothing of the text stands in it.
    pub async fn speak(&self, text: &Text) -> Result<Spoken, SpeechFault> {
        let since = Instant::now();
        if self.links.is_empty() {
            return Err(SpeechFault::NoVoice);
        }
        let wording = Wording::of(text);
        if wording.is_empty() {
            return Err(SpeechFault::NothingToSay);
        }
        let mut faults = Vec::new();
        for link in self.links.iter() {
            match self.ask(link, &wording, text).await {
                Ok(alaw) => {
                    return Ok(Spoken { alaw, conversion: since.elapsed(), voice: link.voice.name() });
                }
                Err(Miss::Full) => return Err(SpeechFault::Full),
                Err(Miss::Voice(fault)) => faults.push((link.voice.name(), fault)),
            }
        }
        Err(SpeechFault::Failed { faults })
    }

    async fn ask(&self, link: &Link, wording: &Wording, text: &Text) -> Result<Arc<[u8]>, Miss> {
        let key = Key::of(link.voice.identity(), wording, text.speed());
        match text.keep() {
            Keep::OnDisk => {
                let fresh = async { link.speak(wording, text.speed()).await };
                self.cache.kept(key, fresh).await
            }
            Keep::Briefly => self.cache.brief(key, link.speak(wording, text.speed())).await,
        }
    }
}

impl Link {
    fn new(voice: Box<dyn Voice>) -> Self {
        let workers = voice.workers().max(1);
        Self {
            room: Semaphore::new(workers + WAITING_MAX),
            slots: Semaphore::new(workers),
            breaker: Breaker::new(),
            voice,
        }
    }

    /// Has the engine speak in its turn and in its time.
    async fn speak(&self, wording: &Wording, speed: Speed) -> Result<Arc<[u8]>, Miss> {
        self.breaker.admits(Instant::now()).map_err(Miss::Voice)?;
        let _room = self.room.try_acquire().map_err(|_| Miss::Full)?;
        let Ok(Ok(_slot)) = timeout(WAIT, self.slots.acquire()).await else { return Err(Miss::Full) };
        let answer = self.answer(wording, speed).await;
        match &answer {
            Ok(_) => {
                if self.breaker.on_success() {
                    info!(voice = self.voice.name(), "the speech engine speaks again");
                }
            }
            Err(fault) if fault.of_the_engine() => {
                self.breaker.on_failure(Instant::now());
                warn!(
                    voice = self.voice.name(),
                    fault = fault as &dyn std::error::Error,
                    "a text was not spoken"
                );
            }
            Err(_) => {}
        }
        answer.map_err(Miss::Voice)
    }

    async fn answer(&self, wording: &Wording, speed: Speed) -> Result<Arc<[u8]>, VoiceFault> {
        let patience = self.voice.patience();
        let pcm = timeout(patience, self.voice.speak(wording, speed))
            .await
            .map_err(|_| VoiceFault::TooLate { secs: patience.as_secs() })??;
        if pcm.samples.len() as u64 > SECS_MAX as u64 * u64::from(pcm.rate) {
            return Err(VoiceFault::TooLong { bytes: SECS_MAX * 8_000 });
        }
        let alaw = spawn_blocking(move || telephone(pcm)).await;
        alaw.map_err(|fault| VoiceFault::Broke { what: fault.to_string() })?
    }
}

impl fmt::Debug for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spoken")
            .field("bytes", &self.alaw.len())
            .field("conversion", &self.conversion)
            .field("voice", &self.voice)
            .finish()
    }
}

/// Each engine's fault with its causes.
struct Told<'a>(&'a [(&'static str, VoiceFault)]);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, fault)) in self.0.iter().enumerate() {
            write!(f, "{}{name}: {fault}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// Texts that wait for one engine: more would wait longer than a call does.
const WAITING_MAX: usize = 64;

/// How long a text waits for its turn, so that a caller who waits on the line is told in time.
const WAIT: Duration = Duration::from_secs(10);
