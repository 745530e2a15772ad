//! What every engine that speaks has in common.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::text::Speed;
use crate::wav::ImportFault;
use crate::wording::Wording;

/// An engine with one voice. It is asked off the media threads and may be dropped in the middle of an answer.
pub trait Voice: Send + Sync + fmt::Debug {
    /// What the engine is called in configuration and logs.
    fn name(&self) -> &'static str;

    /// What the sound depends on besides the wording and the speed: engine, version, model, voice. Sounds of another
    /// identity are not taken from the cache.
    fn identity(&self) -> &str;

    /// How many answers it may be working on at once.
    fn workers(&self) -> usize;

    /// How long one answer may take, with everything the engine tries again by itself.
    fn patience(&self) -> Duration;

    /// Speaks. Dropping the future ends the work: the child process is killed, the connection closed.
    ///
    /// # Errors
    ///
    /// [`VoiceFault`], in whose sentences nothing of the wording stands.
    fn speak<'a>(&'a self, wording: &'a Wording, speed: Speed) -> Speaking<'a>;
}

/// An answer that is being worked on.
pub type Speaking<'a> = Pin<Box<dyn Future<Output = Result<Pcm, VoiceFault>> + Send + 'a>>;

/// Sound in one channel, as an engine gives it.
#[derive(Clone, PartialEq)]
pub struct Pcm {
    /// Between -1 and 1.
    pub samples: Vec<f32>,
    /// Samples a second.
    pub rate: u32,
}

impl fmt::Debug for Pcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pcm({} samples at {} Hz)", self.samples.len(), self.rate)
    }
}

/// Why an engine does not speak.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VoiceFault {
    /// The program is not there.
    #[error("{} cannot be started: {fix}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// What to do.
        fix: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The program spoke to us and then failed.
    #[error("{} ended with {status}", program.display())]
    Ended {
        /// The program.
        program: PathBuf,
        /// How it ended, in the system's words.
        status: String,
    },
    /// A pipe or a file broke.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The engine reads Chinese wrongly.
    #[error("{program} does not read Chinese characters as Chinese: {fix}")]
    Chinese {
        /// The program.
        program: String,
        /// What to do.
        fix: &'static str,
    },
    /// The settings cannot work.
    #[error("{what}")]
    Settings {
        /// What is wrong, and how it is right.
        what: String,
    },
    /// No connection to the service.
    #[error("the speech service cannot be reached")]
    Unreachable,
    /// The service refused.
    #[error("the speech service answered with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The service broke off in the middle of its answer.
    #[error("the speech service broke off")]
    BrokenOff,
    /// No answer in time.
    #[error("no answer within {secs} s")]
    TooLate {
        /// How long we waited.
        secs: u64,
    },
    /// More sound than any call plays.
    #[error("the answer is longer than {bytes} bytes")]
    TooLong {
        /// The bytes that are read at most.
        bytes: usize,
    },
    /// What came is no sound.
    #[error("the answer is no WAV file that we read")]
    Sound(#[from] ImportFault),
    /// What came is silence.
    #[error("the answer is silent")]
    Silent,
    /// It failed often of late and is left alone for a while.
    #[error("it failed {failures} times in a row and is left alone for {} s", rest.as_secs())]
    Resting {
        /// How often it failed.
        failures: u32,
        /// How long it is left alone in all.
        rest: Duration,
    },
    /// A defect of ours or of a library.
    #[error("the engine broke: {what}")]
    Broke {
        /// What is known of it.
        what: String,
    },
}

impl VoiceFault {
    /// A file of an engine cannot be read.
    pub(crate) fn reading(source: io::Error) -> Self {
        Self::Io { doing: "read the speech engine's files", source: Arc::new(source) }
    }

    /// Whether it says something about the engine, and not only about this text.
    pub(crate) const fn of_the_engine(&self) -> bool {
        !matches!(self, Self::Status { status: 400 | 413 | 422 } | Self::TooLong { .. } | Self::Silent)
    }

    /// Whether the same question may find an answer a moment later.
    pub(crate) const fn passes(&self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::BrokenOff | Self::Status { status: 429 | 500 | 502 | 503 | 504 }
        )
    }
}

/// Bytes of an engine's WAV file: the longest clip as 16 bits at 24 kHz has 14.4 MB.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
