//! Texts are spoken once, by the first engine that can, and kept as long as they may be.

use std::collections::VecDeque;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::cache::CacheSettings;
use crate::speech::{Speech, SpeechFault};
use crate::text::{Keep, Speed, Text};
use crate::voice::{Pcm, Speaking, Voice, VoiceFault};
use crate::wording::Wording;

/// An engine that answers as a test says.
#[derive(Debug)]
struct Fake {
    name: &'static str,
    identity: String,
    script: Mutex<VecDeque<Answer>>,
    always: Answer,
    asked: Arc<AtomicUsize>,
    /// Answers that may be given.
    gate: Arc<Semaphore>,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Sound,
    Fault,
    /// The service does not like this text.
    Refusal,
    Silence,
    Nothing,
}

impl Fake {
    fn new(name: &'static str, always: Answer) -> Self {
        Self {
            name,
            identity: format!("{name} 1"),
            script: Mutex::default(),
            always,
            asked: Arc::default(),
            gate: Arc::new(Semaphore::new(1_000)),
        }
    }

    fn first(self, answers: &[Answer]) -> Self {
        self.script.lock().unwrap().extend(answers);
        self
    }

    async fn answer(&self) -> Result<Pcm, VoiceFault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        let answer = self.script.lock().unwrap().pop_front().unwrap_or(self.always);
        let samples = |level: f32| (0..4_000).map(|at| level * (at as f32 * 0.3).sin()).collect();
        match answer {
            Answer::Sound => Ok(Pcm { samples: samples(0.3), rate: 8_000 }),
            Answer::Silence => Ok(Pcm { samples: samples(0.0), rate: 8_000 }),
            Answer::Fault => Err(VoiceFault::Unreachable),
            Answer::Refusal => Err(VoiceFault::Status { status: 400 }),
            Answer::Nothing => std::future::pending().await,
        }
    }
}

impl Voice for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn workers(&self) -> usize {
        1
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn speak<'a>(&'a self, _: &'a Wording, _: Speed) -> Speaking<'a> {
        Box::pin(self.answer())
    }
}

fn speech(dir: &TempDir, voices: Vec<Fake>) -> Speech {
    let voices = voices.into_iter().map(|voice| Box::new(voice) as Box<dyn Voice>).collect();
    Speech::new(voices, &CacheSettings::at(dir.path().into())).unwrap()
}

fn text(words: &str, keep: Keep) -> Text {
    Text::new(words).unwrap().kept(keep)
}

fn files(dir: &TempDir) -> usize {
    fs::read_dir(dir.path()).unwrap().count()
}

#[tokio::test]
async fn what_many_ask_for_at_once_is_spoken_once() {
    let dir = TempDir::new().unwrap();
    for keep in [Keep::OnDisk, Keep::Briefly] {
        let voice = Fake::new("a", Answer::Sound);
        let asked = Arc::clone(&voice.asked);
        let speech = speech(&dir, vec![voice]);
        let mut all = JoinSet::new();
        for _ in 0..100 {
            let speech = speech.clone();
            all.spawn(async move { speech.speak(&text(&format!("您好{keep:?}"), keep)).await.unwrap().alaw });
        }
        let sounds = all.join_all().await;
        assert!(sounds.iter().all(|sound| *sound == sounds[0] && !sound.is_empty()));
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{keep:?}");
    }
}

#[tokio::test]
async fn what_everybody_hears_is_spoken_once_for_ever() {
    let dir = TempDir::new().unwrap();
    let mut heard = Vec::new();
    for run in 0..3 {
        let voice = Fake::new("a", Answer::Sound);
        let asked = Arc::clone(&voice.asked);
        let spoken = speech(&dir, vec![voice]).speak(&text("您好", Keep::OnDisk)).await.unwrap();
        heard.push(spoken.alaw);
        assert_eq!(asked.load(Ordering::SeqCst), usize::from(run == 0));
    }
    assert_eq!(heard[0], heard[2]);
    assert_eq!(files(&dir), 1);
}

#[tokio::test]
async fn what_is_about_one_person_is_never_on_disk() {
    let dir = TempDir::new().unwrap();
    let voice = Fake::new("a", Answer::Sound);
    let asked = Arc::clone(&voice.asked);
    let speech = speech(&dir, vec![voice]);
    for _ in 0..3 {
        speech.speak(&text("您的验证码是123456", Keep::Briefly)).await.unwrap();
    }
    assert_eq!((asked.load(Ordering::SeqCst), files(&dir)), (1, 0));
}

#[tokio::test]
async fn another_speed_text_or_voice_is_another_sound() {
    let dir = TempDir::new().unwrap();
    let slow = Speed::times(0.9).unwrap();
    for identity in ["a 1", "a 2"] {
        let mut voice = Fake::new("a", Answer::Sound);
        voice.identity = identity.to_owned();
        let speech = speech(&dir, vec![voice]);
        for text in
            [text("您好", Keep::OnDisk), text("您好", Keep::OnDisk).at(slow), text("再见", Keep::OnDisk)]
        {
            speech.speak(&text).await.unwrap();
        }
    }
    assert_eq!(files(&dir), 6);
}

#[tokio::test]
async fn another_way_of_writing_is_the_same_sound() {
    let dir = TempDir::new().unwrap();
    let speech = speech(&dir, vec![Fake::new("a", Answer::Sound)]);
    for words in ["您好，5分钟", "您好, ５ 分钟", "“您好”，五分钟"] {
        speech.speak(&text(words, Keep::OnDisk)).await.unwrap();
    }
    assert_eq!(files(&dir), 1);
}

#[tokio::test]
async fn the_next_engine_speaks_for_one_that_cannot() {
    for cannot in [Answer::Fault, Answer::Refusal, Answer::Silence] {
        let dir = TempDir::new().unwrap();
        let speech = speech(&dir, vec![Fake::new("a", cannot), Fake::new("b", Answer::Sound)]);
        let spoken = speech.speak(&text("您好", Keep::OnDisk)).await.unwrap();
        assert_eq!(spoken.voice, "b", "{cannot:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_is_given_up_in_time() {
    let dir = TempDir::new().unwrap();
    let speech = speech(&dir, vec![Fake::new("a", Answer::Nothing), Fake::new("b", Answer::Sound)]);
    let since = tokio::time::Instant::now();
    let spoken = speech.speak(&text("您好", Keep::OnDisk)).await.unwrap();
    assert_eq!((spoken.voice, since.elapsed().as_secs()), ("b", 5));
}

#[tokio::test]
async fn when_nobody_can_speak_everybody_is_told_of() {
    let dir = TempDir::new().unwrap();
    let speech = speech(&dir, vec![Fake::new("a", Answer::Fault), Fake::new("b", Answer::Silence)]);
    let fault = speech.speak(&text("您的验证码是123456", Keep::Briefly)).await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        "no engine has spoken: a: the speech service cannot be reached; b: the answer is silent"
    );
}

#[tokio::test]
async fn a_fault_is_not_remembered() {
    let dir = TempDir::new().unwrap();
    let speech = speech(&dir, vec![Fake::new("a", Answer::Sound).first(&[Answer::Fault])]);
    assert!(speech.speak(&text("您好", Keep::OnDisk)).await.is_err());
    assert!(speech.speak(&text("您好", Keep::OnDisk)).await.is_ok());
}

#[tokio::test]
async fn an_engine_that_keeps_failing_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let voice = Fake::new("a", Answer::Fault);
    let asked = Arc::clone(&voice.asked);
    let speech = speech(&dir, vec![voice, Fake::new("b", Answer::Sound)]);
    for number in 0..20 {
        let spoken = speech.speak(&text(&format!("您好{number}"), Keep::Briefly)).await.unwrap();
        assert_eq!(spoken.voice, "b");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn an_engine_is_not_left_alone_because_of_texts() {
    let dir = TempDir::new().unwrap();
    let voice = Fake::new("a", Answer::Refusal);
    let asked = Arc::clone(&voice.asked);
    let speech = speech(&dir, vec![voice, Fake::new("b", Answer::Sound)]);
    for number in 0..20 {
        speech.speak(&text(&format!("您好{number}"), Keep::Briefly)).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 20);
}

#[tokio::test]
async fn a_full_house_is_a_fault_and_no_queue() {
    let dir = TempDir::new().unwrap();
    let mut voice = Fake::new("a", Answer::Sound);
    voice.gate = Arc::new(Semaphore::new(0));
    let (gate, asked) = (Arc::clone(&voice.gate), Arc::clone(&voice.asked));
    let speech = speech(&dir, vec![voice]);
    let mut all = JoinSet::new();
    for number in 0..100 {
        let speech = speech.clone();
        all.spawn(async move { speech.speak(&text(&format!("您好{number}"), Keep::Briefly)).await });
    }
    // One works, 64 wait, and the others are told at once.
    for _ in 0..35 {
        let told = all.join_next().await.unwrap().unwrap();
        assert!(matches!(told, Err(SpeechFault::Full)), "{told:?}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    gate.add_permits(65);
    assert!(all.join_all().await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn one_who_goes_away_does_not_take_the_answer_along() {
    let dir = TempDir::new().unwrap();
    let mut voice = Fake::new("a", Answer::Sound);
    voice.gate = Arc::new(Semaphore::new(0));
    let (gate, asked) = (Arc::clone(&voice.gate), Arc::clone(&voice.asked));
    let speech = speech(&dir, vec![voice]);
    let same = text("您好", Keep::OnDisk);
    let (first, second) = (speech.clone(), speech.clone());
    let (one, other) = (same.clone(), same);
    let first = tokio::spawn(async move { first.speak(&one).await });
    while asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let second = tokio::spawn(async move { second.speak(&other).await });
    first.abort();
    gate.add_permits(1);
    assert!(second.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_platform_without_an_engine_says_what_to_install() {
    let dir = TempDir::new().unwrap();
    let fault = speech(&dir, Vec::new()).speak(&text("您好", Keep::Briefly)).await.unwrap_err();
    assert!(fault.to_string().contains("apt-get install espeak-ng"), "{fault}");
}

#[tokio::test]
async fn a_disk_that_fails_is_not_missed() {
    let dir = TempDir::new().unwrap();
    let speech = speech(&dir, vec![Fake::new("a", Answer::Sound)]);
    fs::remove_dir_all(dir.path()).unwrap();
    assert!(speech.speak(&text("您好", Keep::OnDisk)).await.is_ok());
}
