//! Speaks a text into a WAV file, to be listened to: what a called party would hear.
//!
//! ```text
//! cargo run -p huihu-speech --example speak -- espeak '您好，您的验证码是1234。' /tmp/hear.wav
//! cargo run -p huihu-speech --example speak -- kokoro:/tmp/voice '您好，您的验证码是1234。' /tmp/hear.wav
//! cargo run -p huihu-speech --example speak -- install:/tmp/voice [folder of packages]
//! ```

use std::path::{Path, PathBuf};

use huihu_speech::cache::CacheSettings;
use huihu_speech::loudness::Loudness;
use huihu_speech::settings::{Engine, SpeechSettings};
use huihu_speech::speech::Speech;
use huihu_speech::text::Text;
use huihu_speech::voices::kokoro::KokoroSettings;
use huihu_speech::voices::kokoro::install::{Source, bytes_to_fetch, install};
use huihu_speech::wav::wav_alaw;
use huihu_speech::wording::Wording;

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [engine, text, file] => speak(engine, text, Path::new(file)).await,
        [into, ref from @ ..] if into.starts_with("install:") => {
            fetch(&into["install:".len()..], from.first().copied()).await
        }
        _ => Err("give an engine, a text and a file, or install:FOLDER".into()),
    }
}

async fn speak(engine: &str, text: &str, file: &Path) -> Outcome {
    let engine = match engine.split_once(':') {
        Some(("kokoro", dir)) => Engine::Kokoro(KokoroSettings::at(dir.into())),
        _ => Engine::Espeak,
    };
    let cache = CacheSettings::at(std::env::temp_dir().join("huihu-speak"));
    let opened = Speech::open(SpeechSettings { engine, espeak: "espeak-ng".into(), cache }).await?;
    for (engine, fault) in &opened.absent {
        println!("{engine} does not work: {fault}");
    }
    let text = Text::new(text)?;
    println!("{}", Wording::of(&text).joined());
    let spoken = opened.speech.speak(&text).await?;
    std::fs::write(file, wav_alaw(&spoken.alaw))?;
    let (secs, loudness) = (spoken.alaw.len() as f64 / 8_000.0, Loudness::of(&spoken.alaw));
    println!("{}: {secs:.2} s, spoken in {:.2?}, {loudness:?}", spoken.voice, spoken.conversion);
    Ok(())
}

async fn fetch(dir: &str, from: Option<&str>) -> Outcome {
    println!("{} bytes to fetch", bytes_to_fetch());
    let source = from.map_or_else(Source::registries, |folder| Source::Folder(PathBuf::from(folder)));
    install(Path::new(dir), &source, |step| println!("{step:?}")).await?;
    Ok(())
}
