//! Recordings as customers get them: addresses that are good for a while, and the files behind those.
//!
//! `/recordings/<call>.wav?expires=<second>&signature=<hex>`: the signature covers call and time, so an address is all
//! that its bearer needs, and nobody can make one up.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use base::id::CallId;
use base::private::Private;
use base::time::Timestamp;
use hmac::{Hmac, Mac};
use http_body_util::channel::{Channel, Sender};
use media::record::{Channels, WAV_HEADER_BYTES, alaw_wav_header, mix, stereo_bytes};
use sha2::Sha256;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// Where the addresses lead.
pub(crate) const PATH: &str = "/recordings/";

/// Bytes of a recording that are read at once: two seconds.
const PIECE_BYTES: usize = 32 * 1024;

/// Pieces that wait for a slow receiver.
const PIECES: usize = 2;

/// What the signing key is for.
pub(crate) const PURPOSE: &str = "addresses of recordings";

/// The recordings of this node.
#[derive(Debug)]
pub(crate) struct Recordings {
    /// The engine's folder.
    pub(crate) dir: PathBuf,
    /// What addresses are signed with.
    pub(crate) key: Private<[u8; 32]>,
    /// How long recordings are kept of apps that do not say.
    pub(crate) kept: Duration,
    /// How long an address is good.
    pub(crate) address_life: Duration,
    /// What customers reach us by, without a slash at the end; `None`: whatever they asked us by.
    pub(crate) public_url: Option<Box<str>>,
    /// Where we listen: what is left when they did not say what they asked us by.
    pub(crate) listening: SocketAddr,
}

impl Recordings {
    /// An address of a recording, good from now on for a while. `host` is what the customer says it reached us by.
    pub(crate) fn address(&self, call: CallId, host: Option<&str>, now: Timestamp) -> Box<str> {
        let expires = (now + self.address_life).secs();
        let signature = hex(&self.mac(call, expires).finalize().into_bytes());
        let query = format!("expires={expires}&signature={signature}");
        let path = format!("{PATH}{call}.wav?{query}");
        match (&self.public_url, host.filter(|host| is_host(host))) {
            (Some(url), _) => format!("{url}{path}").into(),
            (None, Some(host)) => format!("http://{host}{path}").into(),
            (None, None) => format!("http://{}{path}", self.listening).into(),
        }
    }

    /// Whether the file of a recording is there.
    pub(crate) async fn has(&self, call: CallId) -> bool {
        tokio::fs::try_exists(engine::recording_path(&self.dir, call)).await.unwrap_or(false)
    }

    /// Answers a request for an address: the recording as one channel, or nothing that helps a stranger.
    pub(crate) async fn serve(&self, path: &str, query: &str, now: Timestamp) -> Response<Body> {
        let Some(call) = self.good_for(path, query, now) else {
            return text(
                StatusCode::FORBIDDEN,
                "The address is not good, or no longer: ask for a new one.\n",
            );
        };
        match Stereo::open(engine::recording_path(&self.dir, call)).await {
            Some(recording) => recording.into_mono(),
            None => text(StatusCode::NOT_FOUND, "The recording is not here any more.\n"),
        }
    }

    /// The call that an address is good for.
    fn good_for(&self, path: &str, query: &str, now: Timestamp) -> Option<CallId> {
        let call: CallId = path.strip_prefix(PATH)?.strip_suffix(".wav")?.parse().ok()?;
        let field =
            |name: &str| query.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        let expires: i64 = field("expires")?.parse().ok()?;
        let signature = unhex(field("signature")?)?;
        self.mac(call, expires).verify_slice(&signature).ok()?;
        (now.secs() < expires).then_some(call)
    }

    fn mac(&self, call: CallId, expires: i64) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.expose()).expect("HMAC takes keys of any length");
        mac.update(&call.to_bytes());
        mac.update(&expires.to_be_bytes());
        mac
    }
}

/// A recording that is read piece by piece: a day of conversation does not fit into memory.
struct Stereo {
    file: File,
    /// Bytes of samples that are still to be read.
    left: u64,
}

impl Stereo {
    /// Opens the file; `None` when it is not there or none of ours.
    async fn open(path: PathBuf) -> Option<Self> {
        let mut file = File::open(path).await.ok()?;
        let length = file.metadata().await.ok()?.len();
        let mut header = [0; WAV_HEADER_BYTES];
        file.read_exact(&mut header).await.ok()?;
        // A crash may have left less than the header says.
        let there = length.saturating_sub(WAV_HEADER_BYTES as u64);
        let left = u64::from(stereo_bytes(&header)?).min(there) & !1;
        Some(Self { file, left })
    }

    /// The answer that carries it as one channel.
    fn into_mono(self) -> Response<Body> {
        let samples = self.left / 2;
        let length = WAV_HEADER_BYTES as u64 + samples.next_multiple_of(2);
        let (sender, body) = Channel::<Bytes, io::Error>::new(PIECES);
        tokio::spawn(self.send(sender));
        let mut response = Response::new(Body::new(body));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        response
    }

    /// Sends header, pieces and padding. A receiver that is gone ends it.
    async fn send(mut self, mut sender: Sender<Bytes, io::Error>) {
        let samples = self.left / 2;
        let header = alaw_wav_header(Channels::Mono, u32::try_from(samples).unwrap_or(u32::MAX));
        let mut next = Bytes::copy_from_slice(&header);
        let mut piece = vec![0; PIECE_BYTES];
        while sender.send_data(next).await.is_ok() {
            let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(PIECE_BYTES);
            if wanted == 0 {
                if samples % 2 == 1 {
                    sender.send_data(Bytes::from_static(&[0])).await.ok();
                }
                return;
            }
            if let Err(fault) = self.file.read_exact(&mut piece[..wanted]).await {
                return sender.abort(fault);
            }
            self.left -= wanted as u64;
            let mut mono = Vec::with_capacity(wanted / 2);
            mix(&piece[..wanted], &mut mono);
            next = Bytes::from(mono);
        }
    }
}

/// Whether a text is a host, with a port or without (RFC 9110 section 7.2), and nothing that would lead elsewhere when it
/// stands in an address: `h/x`, `h?x` and `u@h` do.
fn is_host(text: &str) -> bool {
    /// Bytes of the longest name, its colon and its port.
    const HOST_MAX: usize = 253 + 6;

    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (text, None),
    };
    let is_v6 = |host: &str| {
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok())
    };
    let is_name = |host: &str| {
        !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    text.len() <= HOST_MAX && (is_name(host) || is_v6(host)) && port.is_none_or(is_port)
}

fn text(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) || text.len() > 128 {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recordings() -> Recordings {
        Recordings {
            dir: PathBuf::new(),
            key: Private::new([7; 32]),
            kept: Duration::from_secs(60),
            address_life: Duration::from_secs(60),
            public_url: None,
            listening: "192.0.2.7:7080".parse().unwrap(),
        }
    }

    #[test]
    fn an_address_is_good_for_its_call_and_its_time() {
        let (ours, now) = (recordings(), Timestamp::from_millis(1_000_000));
        let call = CallId::new(now, 5);
        let address = ours.address(call, Some("voice.example:7080"), now);
        let (_, rest) = address.split_once("voice.example:7080").unwrap();
        let (path, query) = rest.split_once('?').unwrap();
        let good = |path: &str, query: &str, secs| {
            ours.good_for(path, query, now + Duration::from_secs(secs)).is_some()
        };
        assert!(good(path, query, 59));
        assert!(!good(path, query, 60), "it has expired");
        let other = format!("{PATH}{}.wav", CallId::new(now, 6));
        assert!(!good(&other, query, 0), "it is another call's");
        assert!(!good(path, &query.replace("expires=1", "expires=2"), 0), "its time was changed");
        for bad in ["", "expires=9999999999", "expires=9999999999&signature=", "expires=x&signature=zz"] {
            assert!(!good(path, bad, 0), "{bad}");
        }
        let stranger = Recordings { key: Private::new([8; 32]), ..recordings() };
        assert!(stranger.good_for(path, query, now).is_none());
    }

    #[tokio::test]
    async fn a_recording_is_given_out_as_one_channel() {
        let dir = tempfile::tempdir().unwrap();
        // More than one piece, an odd number of samples, and less than the header says.
        let pairs = PIECE_BYTES + 1;
        let mut whole = alaw_wav_header(Channels::Stereo, u32::MAX - 1).to_vec();
        whole.extend((0..2 * pairs).map(|at| u8::try_from(at % 251).unwrap()));
        let path = dir.path().join("call.wav");
        std::fs::write(&path, &whole).unwrap();
        let answer = Stereo::open(path).await.unwrap().into_mono();
        let length = answer.headers()[CONTENT_LENGTH].to_str().unwrap().parse::<usize>().unwrap();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert_eq!(body.len(), length);
        assert_eq!(body, media::record::mono(&whole).unwrap());
    }

    #[tokio::test]
    async fn what_is_no_recording_is_not_given_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        assert!(Stereo::open(path.clone()).await.is_none());
        std::fs::write(&path, [7; 100]).unwrap();
        assert!(Stereo::open(path).await.is_none());
    }

    #[test]
    fn the_public_address_goes_before() {
        let ours = Recordings { public_url: Some("https://voice.example".into()), ..recordings() };
        let address = ours.address(
            CallId::new(Timestamp::from_millis(0), 1),
            Some("10.0.0.1"),
            Timestamp::from_millis(0),
        );
        assert!(address.starts_with("https://voice.example/recordings/"), "{address}");
    }

    #[test]
    fn an_address_leads_to_us_whatever_host_was_asked() {
        let leads_to = |host: Option<&str>| {
            let address = recordings().address(CallId::from_bytes([7; 16]), host, Timestamp::default());
            let (host, _) = address.split_once("/recordings/").unwrap();
            host.to_owned()
        };
        for host in
            ["voice.example", "voice.example:443", "10.0.0.1", "[2001:db8::7]", "[::1]:7080", "localhost:1"]
        {
            assert_eq!(leads_to(Some(host)), format!("http://{host}"));
        }
        let long = "x".repeat(260);
        for host in [
            "",
            " ",
            ":80",
            "h:",
            "h:x",
            "h:70000",
            "h:+80",
            "h:80:80",
            "h/evil",
            "evil?",
            "evil#",
            "ours@evil",
            "h\\evil",
            "h\u{fffd}",
            "h\r\nX: y",
            "[::1",
            "::1",
            "[h]",
            "%65vil",
            &long,
        ] {
            assert_eq!(leads_to(Some(host)), "http://192.0.2.7:7080", "{host}");
        }
        assert_eq!(leads_to(None), "http://192.0.2.7:7080");
    }
}
