//! The program that is always there speaks Chinese as Chinese and English as English.

use std::time::Duration;

use tempfile::TempDir;

use crate::cache::CacheSettings;
use crate::loudness::Loudness;
use crate::speech::{Speech, SpeechFault, Spoken};
use crate::text::{Keep, Speed, Text};
use crate::voice::VoiceFault;
use crate::voices::espeak::Espeak;
use crate::wording::Wording;

async fn espeak() -> Espeak {
    Espeak::open("espeak-ng").await.expect("scripts/setup.sh test installs it")
}

async fn say(words: &str, speed: f32) -> Spoken {
    let dir = TempDir::new().unwrap();
    let speech = Speech::new(vec![Box::new(espeak().await)], &CacheSettings::at(dir.path().into())).unwrap();
    let text = Text::new(words).unwrap().at(Speed::times(speed).unwrap()).kept(Keep::OnDisk);
    speech.speak(&text).await.unwrap()
}

fn secs(spoken: &Spoken) -> f64 {
    spoken.alaw.len() as f64 / 8_000.0
}

async fn phonemes(words: &str) -> Vec<String> {
    let espeak = espeak().await;
    let mut all = Vec::new();
    for run in Wording::of(&Text::new(words).unwrap()).runs() {
        all.push(espeak.phonemes(run).await.unwrap().trim().to_owned());
    }
    all
}

#[tokio::test]
async fn a_chinese_sentence_lasts_as_long_as_a_person_would_need() {
    let spoken = say("您好，您的快递已到达小区门口，请及时领取。", 1.0).await;
    assert!((3.5..7.0).contains(&secs(&spoken)), "{} s", secs(&spoken));
    let loudness = Loudness::of(&spoken.alaw);
    assert!((loudness.rms_dbfs + 18.0).abs() < 1.0, "{loudness:?}");
    assert!(spoken.conversion < Duration::from_secs(5));
    assert_eq!(spoken.voice, "espeak");
}

#[tokio::test]
async fn a_faster_voice_needs_less_time() {
    let [slow, normal, fast] = [
        say("您好，欢迎致电。", 0.5).await,
        say("您好，欢迎致电。", 1.0).await,
        say("您好，欢迎致电。", 2.0).await,
    ];
    assert!(secs(&slow) > 1.4 * secs(&normal), "{} s and {} s", secs(&slow), secs(&normal));
    assert!(secs(&normal) > 1.4 * secs(&fast), "{} s and {} s", secs(&normal), secs(&fast));
}

#[tokio::test]
async fn chinese_characters_are_not_read_as_english() {
    let sounds = phonemes("您的验证码是123456").await.concat();
    assert!(!sounds.contains("(en)"), "{sounds}");
    // Each syllable has its tone, as a figure of two levels; 的 has the neutral one.
    let tones: Vec<String> = sounds
        .split_terminator('|')
        .map(|syllable| syllable.chars().filter(char::is_ascii_digit).collect())
        .collect();
    assert_eq!(tones, ["35", "33", "51", "51", "21", "51", "55", "51", "55", "51", "21", "51"], "{sounds}");
}

#[tokio::test]
async fn each_language_of_a_text_is_spoken_as_its_own() {
    let sounds = phonemes("您的 parcel 到了").await.join(" / ");
    assert!(!sounds.contains("(en)"), "{sounds}");
    assert!(sounds.contains("p'A@s@L"), "{sounds}");
}

#[tokio::test]
async fn a_letter_is_no_article() {
    let [letters, gate, article] = [
        phonemes("VAP").await.concat(),
        phonemes("Gate A.").await.concat(),
        phonemes("A gate.").await.concat(),
    ];
    assert_eq!((&*letters, &*gate, &*article), ("v'i:; 'eI p'i:", "g'eIt 'eI", "a# g'eIt"));
}

#[tokio::test]
async fn a_missing_program_is_a_sentence_with_its_fix() {
    let fault = Espeak::open("/nowhere/espeak-ng").await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        "/nowhere/espeak-ng cannot be started: install it with 'apt-get install espeak-ng', or set the path of the \
         program"
    );
}

#[tokio::test]
async fn a_program_that_is_none_is_a_fault() {
    for program in ["/bin/false", "/bin/true", "/bin/cat"] {
        let fault = Espeak::open(program).await.unwrap_err();
        assert!(matches!(fault, VoiceFault::Ended { .. } | VoiceFault::Chinese { .. }), "{program}: {fault}");
    }
}

#[tokio::test]
async fn a_text_without_a_word_is_a_fault() {
    let dir = TempDir::new().unwrap();
    let speech = Speech::new(vec![Box::new(espeak().await)], &CacheSettings::at(dir.path().into())).unwrap();
    for words in ["", " ", "。", "🎉"] {
        let fault = speech.speak(&Text::new(words).unwrap()).await.unwrap_err();
        assert!(matches!(fault, SpeechFault::NothingToSay), "{words}: {fault}");
    }
}
