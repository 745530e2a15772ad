//! sipp, the scripted telephone: an independent SIP implementation as the far end.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::trace::Trace;
use crate::wait;

/// How many ports are tried.
const TRIES: usize = 5;

/// A running sipp that plays a scenario for a number of calls and then ends.
#[derive(Debug)]
pub struct Sipp {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Sipp {
    /// Starts sipp with a scenario of `tests/sipp/`, for `calls` legs.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn play(scenario: &str, calls: u32) -> Self {
        Self::play_with(scenario, calls, &[])
    }

    /// The same with values for the keywords of the scenario that are its own.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn play_with(scenario: &str, calls: u32, keys: &[(&str, &str)]) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("sipp").join(format!("{scenario}.xml"));
        let text = fs::read_to_string(&file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        Self::play_text(&text, calls, keys)
    }

    /// The same with a scenario that stands nowhere.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn play_text(scenario: &str, calls: u32, keys: &[(&str, &str)]) -> Self {
        let mut last_words = String::new();
        for _ in 0..TRIES {
            let mut sipp = Self::start(scenario, calls, keys);
            let listens = wait::until("sipp to listen", Duration::from_secs(10), || {
                let ended = sipp.child.try_wait().expect("a child can be asked").is_some();
                (ended || is_bound(sipp.address)).then_some(!ended)
            });
            if listens {
                return sipp;
            }
            last_words = sipp.read("screen");
        }
        panic!("sipp does not start:\n{last_words}");
    }

    /// Starts sipp on a port that was free a moment ago. Another test may be faster: sipp ends then.
    fn start(scenario: &str, calls: u32, keys: &[(&str, &str)]) -> Self {
        let address = free_port();
        let folder = TempDir::new().expect("a temporary folder can be made");
        let file = folder.path().join("scenario.xml");
        fs::write(&file, scenario).expect("the folder can be written");
        let output = fs::File::create(folder.path().join("screen")).expect("a file can be made");
        let error = output.try_clone().expect("a file can be shared");
        let child = Command::new("sipp")
            .args(["-i", "127.0.0.1", "-p", &address.port().to_string(), "-m", &calls.to_string()])
            .args(["-nostdin", "-timeout", "120s", "-trace_msg", "-message_file", "messages", "-mp"])
            .arg(media_port().to_string())
            .args(keys.iter().flat_map(|(name, value)| ["-key", *name, *value]))
            .arg("-sf")
            .arg(file)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(error)
            .spawn()
            .expect("sipp is installed: make test sees to it");
        Self { child, folder, address }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for its end, makes sure that every call went as the scenario wants, and gives what went over the wire.
    ///
    /// # Panics
    /// When it does not end, or a call failed.
    pub fn succeeds(mut self) -> Trace {
        let status = wait::until("sipp to end", Duration::from_secs(120), || {
            self.child.try_wait().expect("a child can be asked")
        });
        assert!(status.success(), "sipp says {status}:\n{}\n{}", self.read("screen"), self.messages());
        Trace::parse(&self.messages())
    }

    /// Every message that it sent and received so far.
    #[must_use]
    pub fn messages(&self) -> String {
        self.read("messages")
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            eprintln!("what the trunk saw:\n{}", self.messages());
        }
    }
}

/// An address on loopback that nobody has at the moment.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port is free");
    socket.local_addr().expect("a bound socket has an address")
}

/// sipp takes two ports from here on for media, whether the scenario has any or not.
fn media_port() -> u16 {
    free_port().port().min(65_000) & !1
}

/// Whether somebody has the port. Trying to bind it would take it from a program that starts at the wrong moment.
///
/// # Panics
/// When the system does not list its sockets.
#[must_use]
pub fn is_bound(address: SocketAddr) -> bool {
    let sockets = fs::read_to_string("/proc/net/udp").expect("Linux lists its sockets");
    sockets.contains(&format!("0100007F:{:04X} ", address.port()))
}
