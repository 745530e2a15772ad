//! `espeak-ng` as a child process: always there, fast, and sounds like a machine.
//!
//! The text goes through a pipe and never stands in the list of processes.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::decode::decode;
use crate::riff::Riff;
use crate::text::{Language, Speed};
use crate::voice::{ANSWER_BYTES_MAX, Pcm, Speaking, Voice, VoiceFault};
use crate::wording::{Run, Wording};

/// The program, found to work.
#[derive(Debug)]
pub struct Espeak {
    program: PathBuf,
    identity: String,
}

impl Espeak {
    /// Finds the program's version and has it read a Chinese character.
    ///
    /// # Errors
    ///
    /// [`VoiceFault`] whose sentence says what to do: the program is not there, or reads Chinese as English.
    pub async fn open(program: impl Into<PathBuf>) -> Result<Self, VoiceFault> {
        let program = program.into();
        let test = Run { language: Language::Chinese, words: SELF_TEST.to_owned() };
        let (version, sounds) = timeout(PATIENCE, async {
            let version = text(run_program(&program, &["--version"], b"").await?);
            Ok::<_, VoiceFault>((version, phonemes(&program, &test).await?))
        })
        .await
        .map_err(|_| VoiceFault::TooLate { secs: PATIENCE.as_secs() })??;
        if sounds.trim().is_empty() || sounds.contains(READ_AS_ENGLISH) {
            return Err(VoiceFault::Chinese { program: program.display().to_string(), fix: UPDATE });
        }
        let identity = format!("espeak, {}, {WORDS_A_MINUTE} words a minute", version.trim());
        Ok(Self { program, identity })
    }

    /// How it reads these words, in its own alphabet of sounds.
    ///
    /// # Errors
    ///
    /// [`VoiceFault`] if it does not work any more.
    pub async fn phonemes(&self, run: &Run) -> Result<String, VoiceFault> {
        phonemes(&self.program, run).await
    }

    /// How it reads these words, in the letters of phonetics; what is one sound is tied by `^`. A line for each part of a
    /// sentence.
    pub(crate) async fn ipa(&self, run: &Run) -> Result<String, VoiceFault> {
        let arguments = ["--stdin", "-b", "1", "-q", "--ipa", "--tie=^", "-v", voice(run.language)];
        Ok(text(run_program(&self.program, &arguments, spelled(run).as_bytes()).await?))
    }

    async fn speak_all(&self, wording: &Wording, speed: Speed) -> Result<Pcm, VoiceFault> {
        let mut all = Pcm { samples: Vec::new(), rate: 0 };
        for run in wording.runs() {
            let file = self.speak_run(run, speed).await?;
            // A run of which nothing can be said gives a file without sound, or none.
            let Ok(riff) = Riff::open(&file) else { continue };
            if 2 * all.samples.len() + riff.data.len() > ANSWER_BYTES_MAX {
                return Err(VoiceFault::TooLong { bytes: ANSWER_BYTES_MAX });
            }
            all.rate = riff.format.rate;
            all.samples.append(&mut decode(&riff).samples);
        }
        if all.samples.is_empty() { Err(VoiceFault::Silent) } else { Ok(all) }
    }

    /// A WAV file, as long as the header does not say: it is written into a pipe.
    async fn speak_run(&self, run: &Run, speed: Speed) -> Result<Vec<u8>, VoiceFault> {
        let minute = words_a_minute(speed).to_string();
        let arguments = ["--stdin", "-b", "1", "--stdout", "-s", &minute, "-v", voice(run.language)];
        run_program(&self.program, &arguments, spelled(run).as_bytes()).await
    }
}

impl Voice for Espeak {
    fn name(&self) -> &'static str {
        "espeak"
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    /// It uses a core.
    fn workers(&self) -> usize {
        thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn speak<'a>(&'a self, wording: &'a Wording, speed: Speed) -> Speaking<'a> {
        Box::pin(self.speak_all(wording, speed))
    }
}

async fn phonemes(program: &Path, run: &Run) -> Result<String, VoiceFault> {
    let arguments = ["--stdin", "-b", "1", "-x", "-q", "-v", voice(run.language)];
    Ok(text(run_program(program, &arguments, spelled(run).as_bytes()).await?))
}

/// Starts the program, gives it its input and takes its output. It is killed when the future is dropped.
async fn run_program(program: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, VoiceFault> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| not_started(program, source))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(VoiceFault::Broke { what: "a child process has no pipes".to_owned() });
    };
    let write = async {
        // A program that ended early does not read on; its status says why.
        let _written = stdin.write_all(input).await;
        drop(stdin);
    };
    let mut output = Vec::new();
    let mut stdout = stdout.take(ANSWER_BYTES_MAX as u64 + 1);
    let ((), read) = tokio::join!(write, stdout.read_to_end(&mut output));
    read.map_err(|source| VoiceFault::Io {
        doing: "read the speech engine's output",
        source: Arc::new(source),
    })?;
    if output.len() > ANSWER_BYTES_MAX {
        return Err(VoiceFault::TooLong { bytes: ANSWER_BYTES_MAX });
    }
    let status = child
        .wait()
        .await
        .map_err(|source| VoiceFault::Io { doing: "wait for the speech engine", source: Arc::new(source) })?;
    if status.success() { Ok(output) } else { Err(ended(program, status)) }
}

fn not_started(program: &Path, source: io::Error) -> VoiceFault {
    VoiceFault::Program { program: program.to_owned(), fix: INSTALL, source: Arc::new(source) }
}

fn ended(program: &Path, status: ExitStatus) -> VoiceFault {
    VoiceFault::Ended { program: program.to_owned(), status: status.to_string() }
}

fn text(output: Vec<u8>) -> String {
    String::from_utf8(output).unwrap_or_default()
}

/// The voice `cmn` reads Chinese characters as English up to version 1.51; the one for pinyin reads them right in all.
const fn voice(language: Language) -> &'static str {
    match language {
        Language::Chinese => "cmn-latn-pinyin",
        Language::English => "en-us",
    }
}

/// What the program is given. A letter `A` may be read as the article, so it is given as a sound.
fn spelled(run: &Run) -> String {
    let letter = |word: &str| match word.trim_end_matches([',', '.']) {
        "A" => word.replacen('A', "[['eI]]", 1),
        _ => word.to_owned(),
    };
    match run.language {
        Language::Chinese => run.words.clone(),
        Language::English => run.words.split(' ').map(letter).collect::<Vec<_>>().join(" "),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "80 to 320")]
fn words_a_minute(speed: Speed) -> u32 {
    (WORDS_A_MINUTE * speed.factor()).round() as u32
}

/// The program's own 175 is too fast for a machine's voice on a telephone.
const WORDS_A_MINUTE: f32 = 160.0;

/// A long text takes a tenth of a second; whoever takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// 您, in which a voice that knows no Chinese finds letters.
const SELF_TEST: &str = "您";

/// How the program marks that it changed to English.
const READ_AS_ENGLISH: &str = "(en)";

const INSTALL: &str = "install it with 'apt-get install espeak-ng', or set the path of the program";
const UPDATE: &str = "install its data with 'apt-get install espeak-ng-data', version 1.51 or later";
