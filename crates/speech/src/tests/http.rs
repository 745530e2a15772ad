//! A speech service on the network, played by a real HTTP server of this machine.

use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::private::Private;
use hound::{SampleFormat, WavSpec, WavWriter};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::cache::CacheSettings;
use crate::settings::{Engine, SpeechSettings};
use crate::speech::Speech;
use crate::text::{Keep, Speed, Text};
use crate::voice::{ANSWER_BYTES_MAX, Voice, VoiceFault};
use crate::voices::http::{Http, HttpSettings};
use crate::wording::Wording;

/// A service that answers its first questions by a script and all later ones with a sound.
struct Service {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    server: JoinHandle<()>,
}

#[derive(Clone, Debug)]
struct Asked {
    line: String,
    authorization: Option<String>,
    body: serde_json::Value,
}

#[derive(Clone, Copy)]
enum Reply {
    Sound,
    Status(u16),
    HangUp,
    Nothing,
    NoSound,
    TooMuch,
}

impl Service {
    async fn start(script: &[Reply]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let server = tokio::spawn(serve(listener, Arc::clone(&asked), script.into()));
        Self { address, asked, server }
    }

    fn settings(&self) -> HttpSettings {
        let base = format!("http://{}", self.address);
        HttpSettings::new(base, "kokoro".to_owned(), "zf_xiaoxiao".to_owned())
    }

    /// Asks once and says what came of it.
    async fn speaks(&self) -> Result<f64, VoiceFault> {
        ask(self.settings()).await
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn ask(settings: HttpSettings) -> Result<f64, VoiceFault> {
    let wording = Wording::of(&Text::new("您好，5分钟。").unwrap());
    let pcm = Http::new(settings)?.speak(&wording, Speed::times(1.5).unwrap()).await?;
    Ok(pcm.samples.len() as f64 / f64::from(pcm.rate))
}

async fn serve(listener: TcpListener, asked: Arc<Mutex<Vec<Asked>>>, script: Arc<[Reply]>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (asked, script) = (Arc::clone(&asked), Arc::clone(&script));
        let service = service_fn(move |request| answer(request, Arc::clone(&asked), Arc::clone(&script)));
        connections.spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(
    request: Request<Incoming>,
    asked: Arc<Mutex<Vec<Asked>>>,
    script: Arc<[Reply]>,
) -> std::io::Result<Response<Full<Bytes>>> {
    let line = format!("{} {}", request.method(), request.uri().path());
    let authorization =
        request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap();
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(Asked { line, authorization, body });
        asked.len() - 1
    };
    let response = |status: u16, body: Vec<u8>| Response::builder().status(status).body(body.into()).unwrap();
    match script.get(number).copied().unwrap_or(Reply::Sound) {
        Reply::Sound => Ok(response(200, wav())),
        Reply::Status(status) => Ok(response(status, b"{\"error\":{}}".to_vec())),
        Reply::NoSound => Ok(response(200, b"<html>sign in</html>".to_vec())),
        Reply::TooMuch => Ok(response(200, vec![0; ANSWER_BYTES_MAX + 1])),
        Reply::HangUp => Err(std::io::Error::other("hangs up")),
        Reply::Nothing => std::future::pending().await,
    }
}

/// Half a second of tone at 24 kHz.
fn wav() -> Vec<u8> {
    let spec =
        WavSpec { channels: 1, sample_rate: 24_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut file = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut file, spec).unwrap();
    for at in 0..12_000 {
        writer.write_sample((8_000.0 * (at as f32 * 0.1).sin()) as i16).unwrap();
    }
    writer.finalize().unwrap();
    file.into_inner()
}

#[tokio::test]
async fn a_service_is_asked_in_its_own_words() {
    let service = Service::start(&[]).await;
    let mut settings = service.settings();
    settings.token = Some(Private::new("s3cret".to_owned()));
    assert!((ask(settings).await.unwrap() - 0.5).abs() < 0.001);
    let asked = &service.asked()[0];
    assert_eq!(asked.line, "POST /v1/audio/speech");
    assert_eq!(asked.authorization.as_deref(), Some("Bearer s3cret"));
    assert_eq!(
        asked.body,
        serde_json::json!({
            "model": "kokoro",
            "input": "您好，五分钟。",
            "voice": "zf_xiaoxiao",
            "response_format": "wav",
            "speed": 1.5,
        })
    );
}

#[tokio::test]
async fn what_may_pass_is_tried_once_more() {
    for trouble in [Reply::Status(500), Reply::Status(503), Reply::Status(429), Reply::HangUp] {
        let service = Service::start(&[trouble]).await;
        assert!(service.speaks().await.is_ok());
        assert_eq!(service.asked().len(), 2);
    }
    let service = Service::start(&[Reply::Status(502); 5]).await;
    assert!(matches!(service.speaks().await, Err(VoiceFault::Status { status: 502 })));
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    for status in [400, 401, 403, 404, 302] {
        let service = Service::start(&[Reply::Status(status)]).await;
        assert!(matches!(service.speaks().await, Err(VoiceFault::Status { .. })), "{status}");
        assert_eq!(service.asked().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_sound_is_a_fault() {
    let service = Service::start(&[Reply::NoSound, Reply::TooMuch]).await;
    assert!(matches!(service.speaks().await, Err(VoiceFault::Sound(_))));
    assert!(matches!(service.speaks().await, Err(VoiceFault::TooLong { .. })));
}

#[tokio::test]
async fn nobody_at_home_is_a_fault() {
    let service = Service::start(&[]).await;
    let settings = service.settings();
    service.server.abort();
    drop(service);
    // The listener may outlive the server's end by a moment.
    let gone = async {
        loop {
            if let Err(fault) = ask(settings.clone()).await {
                break fault;
            }
        }
    };
    let fault = timeout(Duration::from_secs(10), gone).await.unwrap();
    assert!(matches!(fault, VoiceFault::Unreachable | VoiceFault::BrokenOff), "{fault:?}");
}

#[tokio::test]
async fn a_service_that_hangs_is_replaced_by_the_program() {
    let dir = TempDir::new().unwrap();
    let service = Service::start(&[Reply::Nothing; 5]).await;
    let mut settings = service.settings();
    settings.patience = Duration::from_millis(50);
    let settings = SpeechSettings {
        engine: Engine::Http(settings),
        espeak: "espeak-ng".into(),
        cache: CacheSettings::at(dir.path().into()),
    };
    let opened = Speech::open(settings).await.unwrap();
    assert!(opened.absent.is_empty(), "{:?}", opened.absent);
    assert_eq!(opened.speech.voices().collect::<Vec<_>>(), ["http", "espeak"]);
    let text = Text::new("您好，您的快递到了。").unwrap().kept(Keep::OnDisk);
    let spoken = opened.speech.speak(&text).await.unwrap();
    assert_eq!(spoken.voice, "espeak");
    assert!(spoken.conversion >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_service_with_a_wrong_address_is_told_of_and_left_out() {
    let dir = TempDir::new().unwrap();
    let settings = SpeechSettings {
        engine: Engine::Http(HttpSettings::new("tts.example.com".to_owned(), String::new(), String::new())),
        espeak: "/nowhere".into(),
        cache: CacheSettings::at(dir.path().into()),
    };
    let opened = Speech::open(settings).await.unwrap();
    assert_eq!(opened.absent.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["http", "espeak"]);
    assert_eq!(opened.speech.voices().count(), 0);
}
