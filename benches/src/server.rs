//! The server under test: its configuration, its app, and its process on a core of its own.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::accounting::{self, pin};
use crate::api::{Account, DISPLAY_NUMBER};

/// The core of the server, and that of everything else.
pub(crate) const SERVER_CORE: usize = 0;
pub(crate) const LOAD_CORE: usize = 1;

/// Calls at once of the app and of the node: never the limit.
const PORTS: &str = "100000";

/// The app that all calls belong to.
const APP: &str = "bench";

/// How long the server may take to start, and to stop when asked to.
const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(5);

/// Samples a second of the clips we make.
const RATE: u32 = 8000;

/// A fresh installation: data directory, configuration, app, key and number.
#[derive(Debug)]
pub(crate) struct Installation {
    huihu: PathBuf,
    folder: PathBuf,
    key: Key,
}

/// What the server does while it is late.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Late {
    /// It holds orders back, as it ships.
    HoldsBack,
    /// Nothing, as the peers did whose figures stand beside ours: then it is the core that ends it.
    GoesOn,
}

/// What `key create --json` prints.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    app_key: String,
    app_secret: String,
}

/// What the ready file says.
#[derive(Debug, Deserialize)]
struct Ready {
    http: String,
    sip: SocketAddr,
}

/// A running server; dropped, it is ended.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    account: Account,
    sip: SocketAddr,
    usage: accounting::Account,
}

impl Installation {
    /// Makes one in an empty folder, with a trunk that leads to us.
    pub(crate) fn new(huihu: &Path, folder: PathBuf, trunk: SocketAddr, late: Late) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        fs::write(folder.join("huihu.toml"), configuration(&folder, trunk, late))?;
        let nobody = Key { app_key: String::new(), app_secret: String::new() };
        let mut made = Self { huihu: huihu.to_owned(), folder, key: nobody };
        made.huihu(&["app", "create", APP, "--ports", PORTS, "--json"])?;
        let key = made.huihu(&["key", "create", "--app", APP, "--json"])?;
        made.key = serde_json::from_str(&key).context("key create --json printed something else")?;
        made.huihu(&["number", "add", "--app", APP, DISPLAY_NUMBER])?;
        Ok(made)
    }

    /// Gives the app a voice file: a soft tone of so many 20 ms.
    pub(crate) fn add_clip(&self, name: &str, packets: u32) -> Result<()> {
        let file = self.folder.join(name);
        write_tone(&file, packets)?;
        let file = file.to_str().context("a path is no text")?;
        self.huihu(&["clip", "add", "--app", APP, name, "--file", file, "--approve"]).map(drop)
    }

    /// Runs one command of the server's own and gives what it prints.
    fn huihu(&self, words: &[&str]) -> Result<String> {
        let output =
            self.command(words).output().with_context(|| format!("cannot run {}", self.huihu.display()))?;
        if !output.status.success() {
            bail!("huihu {} failed: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        String::from_utf8(output.stdout).context("a command printed something that is no text")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.huihu);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("HUIHU_")) {
                command.env_remove(name);
            }
        }
        // As the peers: warnings and errors only.
        command.env("RUST_LOG", "warn").args(words).arg("--config").arg(self.folder.join("huihu.toml"));
        command
    }

    /// Starts the server on its own core and waits until it is ready.
    pub(crate) fn start(&self) -> Result<Server> {
        let ready_file = self.folder.join("ready.json");
        let log = self.folder.join("log.txt");
        let _ = fs::remove_file(&ready_file);
        let mut command = self.command(&["serve"]);
        command.arg("--ready-file").arg(&ready_file);
        let said = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        // A process inherits the cores of the thread that starts it.
        pin(SERVER_CORE)?;
        let process = command.spawn();
        pin(load_core())?;
        let mut process = process.with_context(|| format!("cannot start {}", self.huihu.display()))?;
        let until = Instant::now() + START;
        loop {
            let ready = fs::read_to_string(&ready_file).ok();
            if let Some(ready) = ready.and_then(|text| serde_json::from_str::<Ready>(&text).ok()) {
                return self.server(process, &ready);
            }
            let ended = process.try_wait()?;
            if ended.is_some() || Instant::now() > until {
                let _ = process.kill();
                let _ = process.wait();
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("the server did not get ready: {}", said.trim());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn server(&self, process: Child, ready: &Ready) -> Result<Server> {
        let http = ready.http.strip_prefix("http://").unwrap_or(&ready.http).trim_end_matches('/');
        let http = http.parse().with_context(|| format!("{http} is no address"))?;
        let account = Account { http, key: self.key.app_key.clone(), secret: self.key.app_secret.clone() };
        let usage = accounting::Account::new(process.id());
        Ok(Server { process, account, sip: ready.sip, usage })
    }
}

impl Server {
    /// Whom to ask and how to sign.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// Where it listens for SIP.
    pub(crate) fn sip(&self) -> SocketAddr {
        self.sip
    }

    /// Processor time since its start.
    pub(crate) fn cpu(&mut self) -> Result<Duration> {
        self.usage.cpu().context("the server is gone")
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.usage.resident().context("the server is gone")
    }

    /// How often it waited for its own pages since its start.
    pub(crate) fn page_ins(&self) -> Result<u64> {
        self.usage.page_ins().context("the server is gone")
    }

    fn stop(&mut self) {
        let asked = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        if let Some(process) = asked {
            let _ = kill_process(process, Signal::TERM);
        }
        let until = Instant::now() + STOP;
        while Instant::now() < until {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the load runs: beside the server if there is a second core.
pub(crate) fn load_core() -> usize {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // Once pinned we see one core only; the set of the system's cores does not change.
    let all = fs::read_to_string("/proc/cpuinfo").map_or(cores, |text| text.matches("processor\t").count());
    if all.max(cores) > LOAD_CORE { LOAD_CORE } else { SERVER_CORE }
}

/// The configuration of every run.
fn configuration(folder: &Path, trunk: SocketAddr, late: Late) -> String {
    let overload = match late {
        Late::HoldsBack => "",
        Late::GoesOn => "[overload]\nlate_ms = 0\njournal_ms = 0\n",
    };
    let data = folder.join("data");
    format!(
        r#"node = "bench.huihu"
data_dir = {data:?}
http = "127.0.0.1:0"
[sip]
listen = "127.0.0.1:0"
rtp_ports = "20000-59998"
shards = 1
[trunk]
peer = "{trunk}"
[push]
allow = ["127.0.0.0/8"]
[limits]
ports = {PORTS}
{overload}"#
    )
}

/// A tone of 400 Hz, 12 dB under full scale: neither silent nor clipped.
fn write_tone(file: &Path, packets: u32) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer =
        hound::WavWriter::create(file, spec).with_context(|| format!("cannot write {}", file.display()))?;
    for sample in 0..packets * (RATE / 50) {
        let phase = f64::from(sample % (RATE / 400)) / f64::from(RATE / 400) * std::f64::consts::TAU;
        #[expect(clippy::cast_possible_truncation, reason = "a quarter of full scale fits")]
        writer.write_sample((phase.sin() * 8192.0) as i16)?;
    }
    writer.finalize().context("cannot finish a WAV file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_as_long_as_it_was_asked_for() {
        let file = std::env::temp_dir().join(format!("huihu-bench-tone-{}.wav", std::process::id()));
        write_tone(&file, 50).unwrap();
        let reader = hound::WavReader::open(&file).unwrap();
        assert_eq!((reader.duration(), reader.spec().sample_rate), (RATE, RATE));
        fs::remove_file(file).unwrap();
    }
}
