//! A speech service that speaks OpenAI's language: `POST {base}/v1/audio/speech` with JSON, answered with a WAV file.
//!
//! The operator chose the service, so its address is not judged, unlike those of pushes. Only HTTP/1.1 is spoken, no
//! redirect is followed, and certificates are verified against Mozilla's roots.

use std::time::Duration;

use base::private::Private;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use serde::Serialize;

use crate::client::{Client, client, read};
use crate::decode::decode;
use crate::riff::Riff;
use crate::text::Speed;
use crate::voice::{ANSWER_BYTES_MAX, Pcm, Speaking, Voice, VoiceFault};
use crate::wording::Wording;

/// How a service is asked.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// `https://tts.example.com`: what stands before `/v1/audio/speech`.
    pub base: String,
    /// The bearer token, if the service wants one.
    pub token: Option<Private<String>>,
    /// The service's name of a model.
    pub model: String,
    /// The service's name of a voice that reads both languages.
    pub voice: String,
    /// How long one text may take, with its second attempt.
    pub patience: Duration,
    /// Texts that it is asked for at once.
    pub workers: usize,
}

impl HttpSettings {
    /// The usual patience and number of workers.
    #[must_use]
    pub fn new(base: String, model: String, voice: String) -> Self {
        Self { base, token: None, model, voice, patience: PATIENCE, workers: WORKERS }
    }
}

/// A client of one service.
pub struct Http {
    client: Client,
    settings: HttpSettings,
    uri: Uri,
    authorization: Option<HeaderValue>,
    identity: String,
}

/// The body of a request, in the service's words.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a str,
    voice: &'a str,
    response_format: &'static str,
    speed: f32,
}

impl Http {
    /// A client. Nobody is asked yet: a service that is away now may be there later.
    ///
    /// # Errors
    ///
    /// [`VoiceFault::Settings`] if the address or the token cannot be put into HTTP.
    pub fn new(settings: HttpSettings) -> Result<Self, VoiceFault> {
        let uri = uri_of(&settings.base)?;
        let authorization = settings.token.as_ref().map(bearer).transpose()?;
        let identity = format!("http, {uri}, {}, {}", settings.model, settings.voice);
        Ok(Self { client: client(settings.workers), settings, uri, authorization, identity })
    }

    async fn speak_all(&self, wording: &Wording, speed: Speed) -> Result<Pcm, VoiceFault> {
        let body = self.body(wording, speed)?;
        let file = match self.post(body.clone()).await {
            Err(fault) if fault.passes() => self.post(body).await,
            answer => answer,
        }?;
        let riff = Riff::open(&file)?;
        Ok(Pcm { samples: decode(&riff).samples, rate: riff.format.rate })
    }

    fn body(&self, wording: &Wording, speed: Speed) -> Result<Bytes, VoiceFault> {
        let body = Body {
            model: &self.settings.model,
            input: &wording.joined(),
            voice: &self.settings.voice,
            response_format: "wav",
            speed: speed.factor(),
        };
        let body =
            serde_json::to_vec(&body).map_err(|fault| VoiceFault::Broke { what: fault.to_string() })?;
        Ok(body.into())
    }

    async fn post(&self, body: Bytes) -> Result<Vec<u8>, VoiceFault> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let response = self.client.request(request).await.map_err(|fault| {
            if fault.is_connect() { VoiceFault::Unreachable } else { VoiceFault::BrokenOff }
        })?;
        match response.status() {
            StatusCode::OK => match read(response.into_body(), ANSWER_BYTES_MAX).await {
                Ok(Some(file)) => Ok(file),
                Ok(None) => Err(VoiceFault::TooLong { bytes: ANSWER_BYTES_MAX }),
                Err(_) => Err(VoiceFault::BrokenOff),
            },
            status => Err(VoiceFault::Status { status: status.as_u16() }),
        }
    }
}

impl Voice for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn workers(&self) -> usize {
        self.settings.workers
    }

    fn patience(&self) -> Duration {
        self.settings.patience
    }

    fn speak<'a>(&'a self, wording: &'a Wording, speed: Speed) -> Speaking<'a> {
        Box::pin(self.speak_all(wording, speed))
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn uri_of(base: &str) -> Result<Uri, VoiceFault> {
    let wrong = || VoiceFault::Settings {
        what: "the speech service's address is no URL: it begins with http:// or https:// and names a host"
            .to_owned(),
    };
    let uri: Uri = format!("{}{PATH}", base.trim_end_matches('/')).parse().map_err(|_| wrong())?;
    let fits =
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
    if fits && uri.path().ends_with(PATH) { Ok(uri) } else { Err(wrong()) }
}

fn bearer(token: &Private<String>) -> Result<HeaderValue, VoiceFault> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| VoiceFault::Settings {
            what: "the speech service's token holds a character that HTTP cannot carry".to_owned(),
        })?;
    value.set_sensitive(true);
    Ok(value)
}

const PATH: &str = "/v1/audio/speech";

/// A sentence takes a service a second; who waits longer is rather served by the next engine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Texts in flight: services limit their customers to a few at once.
const WORKERS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked_before_anybody_is_asked() {
        for base in ["http://localhost:8880", "https://tts.example.com/", "https://example.com/speech"] {
            assert!(uri_of(base).is_ok(), "{base}");
        }
        for base in
            ["", "example.com", "ftp://example.com", "http://", "http://a b", "https://example.com/?q="]
        {
            assert!(uri_of(base).is_err(), "{base}");
        }
    }

    #[test]
    fn the_token_is_not_shown() {
        let mut settings = HttpSettings::new("http://localhost".to_owned(), "m".to_owned(), "v".to_owned());
        settings.token = Some(Private::new("s3cret".to_owned()));
        let http = Http::new(settings.clone()).unwrap();
        assert!(!format!("{http:?}").contains("s3cret"));
        settings.token = Some(Private::new("a\nb".to_owned()));
        assert!(Http::new(settings).is_err());
    }
}
