//! baresip, the hand-made telephone: an independent SIP and RTP implementation that speaks, listens and presses keys.
//!
//! One baresip has several lines, one for each number, and is steered over its TCP interface (netstrings of JSON).

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::kamailio::TELEPHONES;
use crate::sipp::free_port;
use crate::{ears, wait};

/// One number of a baresip.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The user part that it is called by.
    pub number: &'static str,
    /// What it does when it is called.
    pub answers: Answers,
    /// The tone that it sends, in hertz.
    pub says: f64,
}

/// What a line does when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// It rings until the test picks it up.
    ByHand,
    /// It rings and picks up at once.
    AtOnce,
    /// It rings with 183 and SDP until the test picks it up.
    Early,
}

/// How a baresip speaks.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The codec that it takes, the rate and the channels of its sound.
    pub codec: (&'static str, usize, u16),
    /// Whether it wants its voice protected, with the keys in the description (RFC 4568).
    pub srtp: bool,
    /// Where it registers, if it does: the registrar, and the domain of its addresses.
    pub registrar: Option<(SocketAddr, &'static str)>,
    /// What carries its SIP.
    pub by: By,
}

/// What carries SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Datagrams.
    Udp,
    /// Connections.
    Tcp,
    /// Connections that nobody reads, with a certificate for [`crate::certificate::NAME`].
    Tls,
}

impl By {
    /// The word of the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

impl Default for Manner {
    fn default() -> Self {
        Self { codec: ("PCMA", 8_000, 1), srtp: false, registrar: None, by: By::Udp }
    }
}

/// A running baresip. Dropping it kills it.
#[derive(Debug)]
pub struct Baresip {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
    domain: &'static str,
    control: TcpStream,
    news: Arc<Mutex<Vec<Value>>>,
}

impl Baresip {
    /// Starts a baresip with these lines on a free port.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(lines: &[Line]) -> Self {
        Self::start_as(&Manner::default(), lines)
    }

    /// The same in this manner.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_as(manner: &Manner, lines: &[Line]) -> Self {
        // Between the look for a free port and its use another test may have taken it.
        (0..ATTEMPTS)
            .find_map(|_| Self::attempt(manner, lines))
            .expect("baresip finds free ports after some attempts")
    }

    fn attempt(manner: &Manner, lines: &[Line]) -> Option<Self> {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let (address, control) = (free_port(), free_port());
        let domain = manner.registrar.map_or("127.0.0.1", |(_, domain)| domain);
        furnish(folder.path(), manner, lines, address, control);
        let sip = match manner.by {
            By::Udp | By::Tcp => address,
            // It listens at the next port.
            By::Tls => SocketAddr::new(address.ip(), address.port() + 1),
        };
        let screen = folder.path().join("screen");
        let output = fs::File::create(&screen).expect("a file can be made");
        let error = output.try_clone().expect("a file can be shared");
        let mut child = Command::new("baresip")
            .arg("-f")
            .arg(folder.path())
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(error)
            .spawn()
            .expect("baresip is installed: make test sees to it");
        let text = wait::until("baresip to be ready", Duration::from_secs(10), || {
            let text = fs::read(&screen).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let ended = child.try_wait().expect("a child can be asked").is_some();
            (ended || text.contains("baresip is ready")).then_some(text)
        });
        if text.contains("already in use") || !text.contains("baresip is ready") {
            child.kill().ok();
            child.wait().expect("a killed child ends");
            return None;
        }
        let control = TcpStream::connect(control).expect("baresip listens for commands");
        let reader = control.try_clone().expect("a connection can be shared");
        let news = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&news);
        thread::spawn(move || listen(reader, &shared));
        Some(Self { child, folder, address: sip, domain, control, news })
    }

    /// Where it listens for SIP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate that it shows, if it has one.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        Certificate::of(self.folder.path()).alone()
    }

    /// Waits until a line is called.
    pub fn rings(&self, number: &str) {
        // A call that is picked up at once is never announced as one that came in.
        let rung = || self.happened(number, "CALL_INCOMING") || self.happened(number, "CALL_PROGRESS");
        wait::until("the telephone to ring", PATIENCE, || rung().then_some(()));
    }

    /// Waits until a line is in a call.
    pub fn talks(&self, number: &str) {
        wait::until("the telephone to be picked up", PATIENCE, || {
            self.happened(number, "CALL_ESTABLISHED").then_some(())
        });
    }

    /// Waits until a line's call is over.
    pub fn is_released(&self, number: &str) {
        wait::until("the telephone's call to end", PATIENCE, || {
            self.happened(number, "CALL_CLOSED").then_some(())
        });
    }

    /// Picks a ringing line up, in another second than any line before: recordings are named by the second.
    pub fn pick_up(&mut self, number: &str) {
        wait::until("another second", PATIENCE, || self.is_another_second().then_some(()));
        self.on(number, "accept", None);
    }

    /// Whether no call began in this second: what is heard is named by the second.
    #[must_use]
    pub fn is_another_second(&self) -> bool {
        let name = chrono::Utc::now().format("%Y-%m-%d-%H-%M-%S").to_string();
        self.files("").iter().all(|file| !file.to_string_lossy().contains(&name))
    }

    /// Hangs a line up, or refuses its call when it still rings.
    pub fn hang_up(&mut self, number: &str) {
        self.on(number, "hangup", None);
    }

    /// Presses keys on a line.
    pub fn press(&mut self, number: &str, keys: &str) {
        self.on(number, "sndcode", Some(keys));
    }

    /// Says something on a line from now on, and nothing after it, in place of what the line said before.
    ///
    /// # Panics
    /// When there is no room for its file.
    pub fn say(&mut self, number: &str, sound: &[i16]) {
        let mut whole = sound.to_vec();
        whole.resize(sound.len() + SAYS_SECS * ears::RATE, 0);
        let file = self.folder.path().join("said.wav");
        fs::write(&file, ears::wav(&whole)).expect("the folder can be written");
        self.on(number, "ausrc", Some(&format!("aufile,{}", file.display())));
    }

    /// The keys that a line has heard the other side press and let go.
    #[must_use]
    pub fn keys(&self, number: &str) -> String {
        let (pressed, let_go) = (self.of(number, "CALL_DTMF_START"), self.of(number, "CALL_DTMF_END"));
        pressed.iter().take(let_go.len()).filter_map(|event| event["param"].as_str()).collect()
    }

    /// What was heard in each call so far, in the order in which they were picked up. The calls must be over.
    #[must_use]
    pub fn heard(&self) -> Vec<Vec<i16>> {
        let files = self.files("-dec.wav");
        wait::until("whole recordings", PATIENCE, || files.iter().all(|file| is_whole(file)).then_some(()));
        files.iter().map(|file| ears::read_any(file)).collect()
    }

    /// Listens in the latest call, from that sample on, until something was said and then nothing for a moment; gives
    /// the sample at which it listens then.
    ///
    /// # Panics
    /// When nothing is said, or it does not end.
    #[must_use]
    pub fn hears_out(&self, from: usize) -> usize {
        let (mut said, mut since) = (0, Instant::now());
        wait::until("something to be said", 2 * PATIENCE, || {
            let file = self.files("-dec.wav").pop()?;
            let bytes = fs::read(file).ok()?;
            // The head is made whole at the end only; the sound behind it is there.
            let sound = bytes.get(WAV_HEAD + 2 * from..)?;
            let loud = |pair: &[u8]| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs() > LOUD;
            let last = sound.chunks_exact(2).rposition(loud)?;
            if last > said {
                (said, since) = (last, Instant::now());
            }
            // Between two sentences there is less.
            (since.elapsed() > SILENCE).then_some(from + sound.len() / 2)
        })
    }

    /// Waits until so many samples of the latest call were heard, at our rate.
    pub fn hears_for(&self, samples: usize) {
        wait::until("a conversation", 2 * PATIENCE, || {
            let bytes = fs::read(self.files("-dec.wav").pop()?).ok()?;
            let (channels, rate) = (usize::from(*bytes.get(22)?), bytes.get(24..28)?);
            let rate = u32::from_le_bytes(rate.try_into().ok()?) as usize;
            (bytes.len() > WAV_HEAD + 2 * samples * channels * rate / ears::RATE).then_some(())
        });
    }

    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let folder = fs::read_dir(self.folder.path().join(HEARD)).expect("the folder was made at the start");
        let paths = folder.map(|item| item.expect("a folder can be read").path());
        let mut files: Vec<_> = paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
        files.sort();
        files
    }

    fn happened(&self, number: &str, kind: &str) -> bool {
        !self.of(number, kind).is_empty()
    }

    /// What a line has told of one kind.
    fn of(&self, number: &str, kind: &str) -> Vec<Value> {
        let about = |event: &&Value| {
            event["type"] == kind && event["accountaor"].as_str().is_some_and(|line| line.contains(number))
        };
        self.news().iter().filter(about).cloned().collect()
    }

    fn news(&self) -> std::sync::MutexGuard<'_, Vec<Value>> {
        self.news.lock().expect("no thread panics while it holds the news")
    }

    /// Chooses a line and gives it a command.
    fn on(&mut self, number: &str, command: &str, words: Option<&str>) {
        self.command("uafind", Some(&format!("sip:{number}@{}", self.domain)));
        self.command(command, words);
    }

    fn command(&mut self, command: &str, words: Option<&str>) {
        let responses = |this: &Self| this.news().iter().filter(|told| told["response"] == true).count();
        let before = responses(self);
        let mut message = json!({"command": command});
        if let Some(words) = words {
            message["params"] = words.into();
        }
        let message = message.to_string();
        write!(self.control, "{}:{message},", message.len()).expect("baresip reads commands");
        wait::until("baresip's response", PATIENCE, || (responses(self) > before).then_some(()));
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            let said = fs::read(self.folder.path().join("screen")).unwrap_or_default();
            eprintln!("what baresip said:\n{}", String::from_utf8_lossy(&said));
        }
    }
}

/// Writes the files that a baresip starts with.
fn furnish(folder: &Path, manner: &Manner, lines: &[Line], address: SocketAddr, control: SocketAddr) {
    let heard = folder.join(HEARD);
    fs::create_dir(&heard).expect("a new folder can be written");
    let certificate = match manner.by {
        By::Udp | By::Tcp => String::new(),
        By::Tls => format!("sip_certificate {}\n", Certificate::new(folder).both().display()),
    };
    let config = format!(
        "{certificate}poll_method epoll\nsip_listen {address}\nnet_interface 127.0.0.1\ncall_max_calls 8\n\
         audio_srate 8000\naudio_channels 1\naudio_level no\nrtp_ports 10000-19999\nrtcp_mux no\n\
         jitter_buffer_delay 5-10\nmodule_path /usr/lib/baresip/modules\n\
         module g711.so\nmodule g722.so\nmodule opus.so\nmodule srtp.so\nmodule aufile.so\nmodule sndfile.so\n\
         module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         ctrl_tcp_listen {control}\nsnd_path {}\n",
        heard.display()
    );
    let Manner { codec: (codec, rate, channels), srtp, registrar, by } = manner;
    let protection = if *srtp { ";mediaenc=srtp-mand" } else { "" };
    let mut accounts = String::new();
    for line in lines {
        let number = line.number;
        let home = registrar.map_or_else(
            || format!("<sip:{number}@127.0.0.1;transport={}>;regint=0", by.word()),
            |(registrar, domain)| {
                format!(
                    "<sip:{number}@{domain}>;regint=60;outbound=\"sip:{registrar}\";\
                     auth_user={number};auth_pass=\"{TELEPHONES}\""
                )
            },
        );
        let says = folder.join(format!("{}.wav", line.says));
        let sound = ears::sine_at(*rate, line.says, SAYS_SECS * rate);
        let sound = ears::wav_at(*rate, *channels, &sound);
        fs::write(&says, sound).expect("a new folder can be written");
        let mode = match line.answers {
            Answers::ByHand => "manual",
            Answers::AtOnce => "auto",
            Answers::Early => "early",
        };
        writeln!(
            accounts,
            "{home};answermode={mode};audio_codecs={codec}/{rate}/{channels}{protection};audio_source=aufile,{}",
            says.display()
        )
        .expect("a string takes any text");
    }
    for (name, text) in [("config", &config), ("accounts", &accounts), ("contacts", &String::new())] {
        fs::write(folder.join(name), text).expect("a new folder can be written");
    }
}

/// Whether a recording's length stands in its head, which is written last.
fn is_whole(file: &Path) -> bool {
    let bytes = fs::read(file).unwrap_or_default();
    let length =
        bytes.get(40..44).map(|length| u32::from_le_bytes([length[0], length[1], length[2], length[3]]));
    length.is_some_and(|length| length > 0 && 44 + length as usize == bytes.len())
}

/// Takes netstrings apart until the connection ends.
fn listen(mut reader: TcpStream, news: &Mutex<Vec<Value>>) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4_096];
    while let Ok(length @ 1..) = reader.read(&mut chunk) {
        bytes.extend_from_slice(&chunk[..length]);
        while let Some((message, end)) = first_of(&bytes) {
            let message = serde_json::from_slice(message).expect("baresip tells news in JSON");
            news.lock().expect("no thread panics while it holds the news").push(message);
            bytes.drain(..end);
        }
    }
}

/// The first whole netstring, `5:hello,`, and where it ends.
fn first_of(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.trim().parse().ok()?;
    let end = colon + 1 + length;
    (bytes.len() > end).then(|| (&bytes[colon + 1..end], end + 1))
}

/// Bytes before the sound of a recording.
const WAV_HEAD: usize = 44;

/// What is louder is no silence, which A-law codes as 8.
const LOUD: u16 = 100;

/// The silence after which somebody has said what he had to say.
const SILENCE: Duration = Duration::from_millis(1_250);

/// Where the recordings lie.
const HEARD: &str = "heard";

/// How long a line speaks: longer than any test, for baresip hangs up when its file ends.
const SAYS_SECS: usize = 60;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// Starts until we give up.
const ATTEMPTS: usize = 5;
