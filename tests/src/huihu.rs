//! The binary under test: set up by its own commands, started, asked, stopped, killed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::api::{Customer, NUMBER};
use crate::{ears, wait};

/// The binary that was built beside this program: `target/debug/huihu` for the tests, which lie in a folder below it.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn binary() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows where it is");
    let mut beside = program.ancestors().skip(1).take(2).map(|folder| folder.join("huihu"));
    beside.find(|binary| binary.is_file()).unwrap_or_else(|| {
        panic!(
            "there is no huihu beside {}: run `cargo build -p huihu` first, as `make test` does",
            program.display()
        )
    })
}

/// An installation in a folder of its own, which goes away with it.
#[derive(Debug)]
pub struct Installation {
    folder: TempDir,
    key: String,
    secret: String,
}

/// A running `huihu serve`. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where the API listens.
    pub http: String,
    /// Where SIP listens.
    pub sip: SocketAddr,
}

impl Installation {
    /// An installation whose trunk is `peer`, with one app, key, number and voice file.
    ///
    /// # Panics
    /// When one of the commands fails.
    #[must_use]
    pub fn new(peer: SocketAddr) -> Self {
        Self::with_trunks(&format!("[trunk]\npeer = \"{peer}\"\n"))
    }

    /// The same with these tables of trunks.
    ///
    /// # Panics
    /// When one of the commands fails.
    #[must_use]
    pub fn with_trunks(trunks: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let config = format!(
            "node = \"test.huihu\"\ndata_dir = \"{data}\"\nhttp = \"127.0.0.1:0\"\n\
             [sip]\nlisten = \"127.0.0.1:0\"\nshards = 2\n\
             {trunks}\
             [push]\nallow = [\"127.0.0.0/8\"]\n",
            data = folder.path().join("data").display()
        );
        fs::write(folder.path().join("huihu.toml"), config).expect("the folder can be written");
        let mut this = Self { folder, key: String::new(), secret: String::new() };
        let Customer { key, secret, .. } = this.app("demo", NUMBER, &["--ports", "1000"]);
        (this.key, this.secret) = (key, secret);
        let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/speech/clips/zh/welcome.wav");
        this.run(&[
            "clip",
            "add",
            "--app",
            "demo",
            "welcome.wav",
            "--file",
            &clip.to_string_lossy(),
            "--approve",
        ]);
        this
    }

    /// Adds to the configuration, which ends with what is configured of pushes.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn configure(&self, more: &str) {
        let file = self.path("huihu.toml");
        let config = fs::read_to_string(&file).expect("the configuration is there");
        fs::write(&file, config + more).expect("the folder can be written");
    }

    /// Creates an app with a number of its own: its customer, who does not know yet where to ask.
    ///
    /// # Panics
    /// When one of the commands fails.
    #[must_use]
    pub fn app(&self, name: &str, number: &str, more: &[&str]) -> Customer {
        self.run(&[&["app", "create", name], more].concat());
        self.run(&["number", "add", "--app", name, number]);
        let made = self.run(&["key", "create", "--app", name, "--json"]);
        let key: Value = serde_json::from_slice(&made.stdout).expect("a key is printed as JSON");
        let text = |field: &str| key[field].as_str().expect("a key has a name and a secret").to_owned();
        Customer { address: String::new(), key: text("appKey"), secret: text("appSecret"), from: None }
    }

    /// A file in the installation's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command of the binary on this installation.
    ///
    /// # Panics
    /// When it fails.
    pub fn run(&self, words: &[&str]) -> Output {
        let output = self.try_out(words);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "huihu {} failed: {error}", words.join(" "));
        output
    }

    /// Runs a command of the binary that may fail.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn try_out(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the binary can be started")
    }

    /// Runs a command that must fail, with some environment, and gives what it complains of.
    ///
    /// # Panics
    /// When it succeeds, runs on or panics.
    #[must_use]
    pub fn complaint(&self, words: &[&str], environment: &[(&str, &str)]) -> String {
        let mut command = self.command(words);
        command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary can be started");
        let status = wait::until("a command to fail", Duration::from_secs(20), || {
            child.try_wait().expect("a child can be asked")
        });
        let mut said = String::new();
        child.stderr.take().expect("it is piped").read_to_string(&mut said).expect("a complaint is text");
        assert_eq!(status.code(), Some(1), "huihu {}: {said}", words.join(" "));
        assert!(said.starts_with("huihu: ") && !said.contains("panicked"), "no complaint: {said}");
        said
    }

    fn command(&self, words: &[impl AsRef<std::ffi::OsStr>]) -> Command {
        let mut command = Command::new(binary());
        command.args(words).env("HUIHU_CONFIG", self.path("huihu.toml")).stdin(Stdio::null());
        command
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    #[must_use]
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// Starts the server with some environment and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    #[must_use]
    pub fn serve_with(&self, environment: &[(&str, &str)]) -> Server {
        let mut command = self.command(&self.serving());
        command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(self.open_log());
        self.ready(command.spawn().expect("the binary can be started"))
    }

    /// Starts the server and kills it after that time, ready or not.
    ///
    /// # Panics
    /// When it cannot be started or killed.
    pub fn serve_for(&self, time: Duration) {
        let mut command = self.command(&self.serving());
        command.stdout(Stdio::null()).stderr(self.open_log());
        let mut child = command.spawn().expect("the binary can be started");
        thread::sleep(time);
        child.kill().expect("a child can be killed");
        child.wait().expect("a killed child ends");
    }

    /// Starts a server whose disk can be filled, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    #[must_use]
    pub fn serve_on_small_disk(&self) -> Server {
        let mut command = Command::new("sh");
        // The system kills who writes past its limit, unless told not to; a full disk kills nobody.
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary()).args(self.serving());
        command.env("HUIHU_CONFIG", self.path("huihu.toml")).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("there is a shell");
        let (mut said, mut log) = (child.stderr.take().expect("it is piped"), self.open_log());
        // The limit is for files that the server itself writes; its log goes elsewhere.
        thread::spawn(move || io::copy(&mut said, &mut log));
        self.ready(child)
    }

    fn serving(&self) -> [String; 3] {
        let ready = self.path("ready.json");
        fs::remove_file(&ready).ok();
        ["serve".to_owned(), "--ready-file".to_owned(), ready.to_string_lossy().into_owned()]
    }

    fn open_log(&self) -> fs::File {
        let log = fs::File::options().create(true).append(true).open(self.path("log"));
        log.expect("a log can be opened")
    }

    /// Waits until a server that was started is ready.
    fn ready(&self, mut child: Child) -> Server {
        let ready = self.path("ready.json");
        let text = wait::until("the server to be ready", Duration::from_secs(30), || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("the server ended with {status}: {}", self.log());
            }
            fs::read_to_string(&ready).ok().filter(|text| text.ends_with('\n'))
        });
        let addresses: Value = serde_json::from_str(&text).expect("the ready file is JSON");
        let http =
            addresses["http"].as_str().expect("http is a URL").trim_start_matches("http://").to_owned();
        let sip = addresses["sip"].as_str().and_then(|sip| sip.parse().ok()).expect("sip is an address");
        Server { child, http, sip }
    }

    /// Holds the database as another program would that writes into it, until the lock is dropped.
    ///
    /// # Panics
    /// When it cannot be locked.
    #[must_use]
    pub fn lock_database(&self) -> Connection {
        let database = self.open_database();
        database.execute_batch("BEGIN IMMEDIATE").expect("the database can be locked");
        database
    }

    /// Opens the database as another program would.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn open_database(&self) -> Connection {
        let database = Connection::open(self.path("data").join("huihu.db")).expect("there is a database");
        database.busy_timeout(Duration::from_secs(10)).expect("a database can wait");
        database
    }

    /// Gives an app a voice file, approved, and loses its sound from the disk. For a server that does not run yet.
    ///
    /// # Panics
    /// When that fails.
    pub fn add_lost_clip(&self, app: &str, name: &str) {
        let file = self.path("lost.wav");
        fs::write(&file, ears::wav(&ears::sine(700.0, ears::RATE))).expect("the folder can be written");
        let folder = self.path("data").join("clips");
        let list = || -> BTreeSet<PathBuf> {
            let items = fs::read_dir(&folder).expect("there are clips");
            items.map(|item| item.expect("a folder can be read").path()).collect()
        };
        let before = list();
        self.run(&["clip", "add", "--app", app, name, "--file", &file.to_string_lossy(), "--approve"]);
        let after = list();
        let new: Vec<&PathBuf> = after.difference(&before).collect();
        assert_eq!(new.len(), 1, "one sound was added");
        fs::remove_file(new[0]).expect("a file can be removed");
    }

    /// What the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The installation's customer at a running server.
    #[must_use]
    pub fn customer(&self, server: &Server) -> Customer {
        let (key, secret) = (self.key.clone(), self.secret.clone());
        Customer { address: server.http.clone(), key, secret, from: None }
    }

    /// The latest call records, newest first.
    ///
    /// # Panics
    /// When they cannot be listed.
    #[must_use]
    pub fn records(&self, latest: usize) -> Vec<Value> {
        let listed = self.run(&["record", "list", "--json", "--latest", &latest.to_string()]);
        let text = String::from_utf8(listed.stdout).expect("records are text");
        text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("what the server said:\n{}", self.log());
        }
    }
}

impl Server {
    /// Ends the process at once, as a crash would.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Asks the process to end, as an operator or the system does.
    ///
    /// # Panics
    /// When it is gone already.
    pub fn ask_to_end(&self) {
        let line = format!("kill -TERM {}", self.pid());
        let told = Command::new("sh").args(["-c", &line]).status().expect("there is a shell");
        assert!(told.success(), "the process is gone already");
    }

    /// Lets the disk take nothing more from the process. It must run on a small disk.
    ///
    /// # Panics
    /// When it is gone already.
    pub fn fill_disk(&self) {
        self.limit_files("1");
    }

    /// Lets the disk take everything again.
    ///
    /// # Panics
    /// When the process is gone already.
    pub fn free_disk(&self) {
        self.limit_files("unlimited");
    }

    fn limit_files(&self, bytes: &str) {
        let words = [format!("--pid={}", self.pid()), format!("--fsize={bytes}:unlimited")];
        let told = Command::new("prlimit").args(words).status().expect("every Linux has prlimit");
        assert!(told.success(), "the process is gone already");
    }

    /// Waits for the end of the process, and gives its exit status.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn ended(mut self) -> ExitStatus {
        wait::until("the server to end", Duration::from_secs(20), || {
            self.child.try_wait().expect("a child can be asked")
        })
    }

    /// The operating system's number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
