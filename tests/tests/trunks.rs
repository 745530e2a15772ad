//! Trunks that an operator tries out: each in another condition, and each told in its own sentence.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use carrier::{Carrier, Settings};
use huihu_tests::huihu::Installation;

/// A number that says what it hears, and one that says nothing, at the simulated carrier.
const ECHO: &str = "+8613800000003";
const MUTE: &str = "+8613800000004";

fn carrier() -> Carrier {
    Carrier::start(Settings::new("127.0.0.1:0".parse().expect("this is an address"))).expect("a port is free")
}

/// A trunk that asks everybody for a password, and takes none.
struct Doorman {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Doorman {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port is free");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket can wait");
        let address = socket.local_addr().expect("a socket has an address");
        let ended = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while !is_over.load(Ordering::Acquire) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if let Some(answer) = answer(&request) {
                    socket.send_to(answer.as_bytes(), from).ok();
                }
            }
        });
        Self { address, ended, thread: Some(thread) }
    }
}

impl Drop for Doorman {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn answer(request: &str) -> Option<String> {
    let (status, more) = match request.split(' ').next()? {
        "OPTIONS" => ("200 OK", ""),
        "INVITE" | "REGISTER" => (
            "401 Unauthorized",
            "WWW-Authenticate: Digest realm=\"carrier.example\", nonce=\"n1\", qop=\"auth\"\r\n",
        ),
        _ => return None,
    };
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines = request.split("\r\n").filter(|line| copied.iter().any(|name| line.starts_with(name)));
    let tagged = |line: &str| if line.starts_with("To:") { format!("{line};tag=1") } else { line.to_owned() };
    let lines: Vec<String> = lines.map(tagged).collect();
    Some(format!("SIP/2.0 {status}\r\n{}\r\n{more}Content-Length: 0\r\n\r\n", lines.join("\r\n")))
}

/// What `huihu trunk test` complains of.
fn complaint(installation: &Installation, trunk: &str, number: &str) -> String {
    installation.complaint(&["trunk", "test", trunk, "--call", number], &[])
}

#[test]
fn each_condition_of_a_trunk_has_its_own_sentence() {
    let (carrier, doorman) = (carrier(), Doorman::new());
    let closed =
        UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free");
    let installation = Installation::new(carrier.address());
    installation.configure(&format!(
        "[[trunks]]\nname = \"guarded\"\npeers = [\"{}\"]\nusername = \"us\"\npassword = \"guess\"\n\
         register = true\ndomain = \"carrier.example\"\n\
         [[trunks]]\nname = \"closed\"\npeers = [\"{closed}\"]\n\
         [[trunks]]\nname = \"secret\"\npeers = [\"{}\"]\nsrtp = \"required\"\n\
         [[trunks]]\nname = \"nameless\"\npeers = [\"sip.nowhere.invalid\"]\n",
        doorman.address,
        carrier.address(),
    ));
    let good = installation.run(&["trunk", "test", "trunk", "--call", ECHO]);
    let good = String::from_utf8_lossy(&good.stdout).into_owned();
    for words in ["OPTIONS", "answered after", "both ways", "The trunk works", "our own voice came back"] {
        assert!(good.contains(words), "{words:?} is missing in: {good}");
    }
    for (trunk, number, words) in [
        ("trunk", MUTE, "one-way audio"),
        ("guarded", ECHO, "password is wrong"),
        ("closed", ECHO, "nobody listens"),
        ("secret", ECHO, "PCMA, PCMU with SRTP"),
        ("nameless", ECHO, "the name sip.nowhere.invalid is not resolved"),
    ] {
        let said = complaint(&installation, trunk, number);
        assert!(said.contains(words), "{trunk}: {said}");
    }
}
