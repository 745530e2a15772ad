//! Kokoro: a natural voice that runs on this machine, half as long as it speaks. Installed by [`install`].
//!
//! The model is run by ONNX Runtime, a library that is loaded at run time and never linked. Chinese is read by our own
//! [`reader`] with the dictionaries that come with the voice; how English is read is asked of `espeak-ng`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ort::environment::Environment;
use ort::session::{RunOptions, Session};
use ort::value::Tensor;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::text::{Language, Speed};
use crate::voice::{ANSWER_BYTES_MAX, Pcm, Speaking, Voice, VoiceFault};
use crate::voices::espeak::Espeak;
use crate::wording::{Run, Wording};

use self::install::{CHARACTERS, LIBRARY, MODEL, PHRASES, WORDS, is_installed};
use self::reader::Reader;
use self::tokens::{PIECE_TOKENS, pieces};

mod english;
pub mod install;
mod reader;
mod syllable;
mod tokens;

/// Which voice, and how much of the machine it may use.
#[derive(Clone, Debug)]
pub struct KokoroSettings {
    /// Where it was installed.
    pub dir: PathBuf,
    /// The voice: one of [`VOICES`].
    pub voice: String,
    /// Texts that it speaks at a time. Each takes a core and 360 MB.
    pub workers: usize,
    /// How long one text may take; it needs half as long as it speaks.
    pub patience: Duration,
}

/// The voices that are installed: four women, four men, and an American woman.
pub const VOICES: [&str; 9] = [
    "zf_xiaoxiao",
    "zf_xiaobei",
    "zf_xiaoni",
    "zf_xiaoyi",
    "zm_yunxi",
    "zm_yunjian",
    "zm_yunxia",
    "zm_yunyang",
    "af_heart",
];

/// The loaded model with one voice.
#[derive(Debug)]
pub struct Kokoro {
    identity: String,
    workers: usize,
    patience: Duration,
    reader: Reader,
    english: Result<Espeak, VoiceFault>,
    jobs: SyncSender<Job>,
}

/// A text that a worker speaks.
struct Job {
    pieces: Vec<Vec<i64>>,
    speed: f32,
    stop: Arc<RunOptions>,
    reply: oneshot::Sender<Result<Vec<f32>, VoiceFault>>,
}

/// Stops the work when nobody waits for it any more.
struct StopOnDrop(Arc<RunOptions>);

impl KokoroSettings {
    /// The usual voice on one core, patient enough for a minute of speech.
    #[must_use]
    pub fn at(dir: PathBuf) -> Self {
        Self { dir, voice: VOICES[0].to_owned(), workers: 1, patience: PATIENCE }
    }
}

impl Kokoro {
    /// Loads the model, once for each worker, and the dictionaries. Takes about a second.
    ///
    /// # Errors
    ///
    /// [`VoiceFault`]: it is not installed, there is no such voice, or the model cannot be loaded.
    pub async fn open(settings: KokoroSettings, espeak: &Path) -> Result<Self, VoiceFault> {
        let english = Espeak::open(espeak).await;
        spawn_blocking(move || Self::load(&settings, english))
            .await
            .map_err(|fault| VoiceFault::Broke { what: fault.to_string() })?
    }

    fn load(settings: &KokoroSettings, english: Result<Espeak, VoiceFault>) -> Result<Self, VoiceFault> {
        let KokoroSettings { dir, voice, workers, patience } = settings;
        if !is_installed(dir) {
            let what =
                format!("no natural voice is installed in {}: run 'huihu voice install'", dir.display());
            return Err(VoiceFault::Settings { what });
        }
        if !VOICES.contains(&&**voice) {
            let what = format!("there is no voice {voice}: choose one of {}", VOICES.join(", "));
            return Err(VoiceFault::Settings { what });
        }
        let styles = fs::read(dir.join(format!("{voice}.bin"))).map_err(VoiceFault::reading)?;
        let styles: Arc<[f32]> = styles.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        let reader = Reader::open(&dir.join(WORDS), &dir.join(PHRASES), &dir.join(CHARACTERS))
            .map_err(VoiceFault::reading)?;

        let environment =
            ort::init_from(dir.join(LIBRARY)).map_err(broke)?.with_telemetry(false).build().map_err(broke)?;
        let workers = (*workers).max(1);
        let (jobs, queue) = sync_channel(workers);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..workers {
            let worker = Worker::load(&environment, dir, Arc::clone(&styles))?;
            let queue = Arc::clone(&queue);
            let started = thread::Builder::new().name("kokoro".to_owned()).spawn(move || worker.work(&queue));
            started.map_err(VoiceFault::reading)?;
        }
        let identity = format!("kokoro, {}, {voice}, {OWN_SPEED}", install::PACK);
        Ok(Self { identity, workers, patience: *patience, reader, english, jobs })
    }

    async fn speak_all(&self, wording: &Wording, speed: Speed) -> Result<Pcm, VoiceFault> {
        let mut sounds = String::new();
        for run in wording.runs() {
            let read = match run.language {
                Language::Chinese => self.reader.sounds(&run.words),
                Language::English => self.english(run).await?,
            };
            let _written = write!(sounds, "{read} ");
        }
        let stop = Arc::new(RunOptions::new().map_err(broke)?);
        let (reply, answer) = oneshot::channel();
        let speed = OWN_SPEED * speed.factor();
        let job = Job { pieces: pieces(&sounds), speed, stop: Arc::clone(&stop), reply };
        let _guard = StopOnDrop(stop);
        self.jobs.try_send(job).map_err(|fault| match fault {
            TrySendError::Full(_) => {
                VoiceFault::Broke { what: "its workers have not stopped yet".to_owned() }
            }
            TrySendError::Disconnected(_) => VoiceFault::Broke { what: "its workers are gone".to_owned() },
        })?;
        let samples =
            answer.await.map_err(|_| VoiceFault::Broke { what: "its worker is gone".to_owned() })??;
        Ok(Pcm { samples, rate: RATE })
    }

    async fn english(&self, run: &Run) -> Result<String, VoiceFault> {
        let espeak = self.english.as_ref().map_err(Clone::clone)?;
        Ok(english::sounds(&espeak.ipa(run).await?, &run.words))
    }
}

impl Voice for Kokoro {
    fn name(&self) -> &'static str {
        "kokoro"
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn workers(&self) -> usize {
        self.workers
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn speak<'a>(&'a self, wording: &'a Wording, speed: Speed) -> Speaking<'a> {
        Box::pin(self.speak_all(wording, speed))
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        // A run that is over cannot be stopped and need not be.
        let _stopped = self.0.terminate();
    }
}

/// A thread with a model of its own.
struct Worker {
    session: Session,
    /// One row of [`STYLE`] numbers for each length of a piece.
    styles: Arc<[f32]>,
}

impl Worker {
    fn load(environment: &Environment, dir: &Path, styles: Arc<[f32]>) -> Result<Self, VoiceFault> {
        let builder = Session::builder(environment).map_err(broke)?;
        let mut builder = builder.with_intra_threads(1).map_err(broke)?;
        let session = builder.commit_from_file(dir.join(MODEL)).map_err(broke)?;
        Ok(Self { session, styles })
    }

    /// Speaks until nobody can ask any more.
    fn work(mut self, queue: &Mutex<Receiver<Job>>) {
        loop {
            let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { break };
            let answer = self.speak(&job);
            // Who went away does not want it.
            let _sent = job.reply.send(answer);
        }
    }

    fn speak(&mut self, job: &Job) -> Result<Vec<f32>, VoiceFault> {
        let mut samples = Vec::new();
        for piece in &job.pieces {
            if job.reply.is_closed() {
                break;
            }
            self.piece(piece, job.speed, &job.stop, &mut samples)?;
            if samples.len() * 2 > ANSWER_BYTES_MAX {
                return Err(VoiceFault::TooLong { bytes: ANSWER_BYTES_MAX });
            }
        }
        Ok(samples)
    }

    fn piece(
        &mut self,
        piece: &[i64],
        speed: f32,
        stop: &RunOptions,
        samples: &mut Vec<f32>,
    ) -> Result<(), VoiceFault> {
        let row = piece.len().clamp(1, PIECE_TOKENS) - 1;
        let style = self.styles.get(row * STYLE..(row + 1) * STYLE).unwrap_or_default().to_vec();
        // The model wants a pause, which is 0, at both ends.
        let tokens: Vec<i64> = [&[0], piece, &[0]].concat();
        let inputs = ort::inputs![
            "tokens" => Tensor::from_array(([1, tokens.len()], tokens)).map_err(broke)?,
            "style" => Tensor::from_array(([1, STYLE], style)).map_err(broke)?,
            "speed" => Tensor::from_array(([1_usize], vec![speed])).map_err(broke)?,
        ];
        let outputs = self.session.run_with_options(inputs, stop).map_err(broke)?;
        let audio = outputs
            .get("audio")
            .ok_or_else(|| VoiceFault::Broke { what: "the model is another one".to_owned() })?;
        let (_, spoken) = audio.try_extract_tensor::<f32>().map_err(broke)?;
        samples.extend_from_slice(spoken);
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn broke(fault: impl ToString) -> VoiceFault {
    VoiceFault::Broke { what: fault.to_string() }
}

/// Samples a second, as the model gives them.
const RATE: u32 = 24_000;

/// Numbers of a style.
const STYLE: usize = 256;

/// Times the model's own speed, which is too fast for a telephone. The clips that ship are spoken so, too.
const OWN_SPEED: f32 = 0.9;

const PATIENCE: Duration = Duration::from_secs(30);
