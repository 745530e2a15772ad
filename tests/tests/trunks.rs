//! Trunks that an operator tries out: each in another condition, and each told in its own sentence.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use carrier::{Carrier, Settings};
use huihu_tests::huihu::Installation;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

/// A number that says what it hears, and one that says nothing, at the simulated carrier.
const ECHO: &str = "+8613800000003";
const MUTE: &str = "+8613800000004";

/// A carrier that takes calls by TLS too, and its certificate in PEM, for sbc.example.com.
fn carrier() -> (Carrier, String) {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("this is an address");
    let made = rcgen::generate_simple_self_signed(["sbc.example.com".to_owned()]).expect("a key can be made");
    let key =
        PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).expect("a key is a key");
    let shown = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("there is a protocol")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("key and certificate belong together");
    let mut settings = Settings::new(any);
    settings.tls = Some((any, Arc::new(shown)));
    (Carrier::start(settings).expect("a port is free"), made.cert.pem())
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
    let ((carrier, certificate), doorman) = (carrier(), Doorman::new());
    let closed =
        UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free");
    let installation = Installation::new(carrier.address());
    let ca = installation.path("ca.pem");
    fs::write(&ca, certificate).expect("the folder can be written");
    installation.configure(&format!(
        "[[trunks]]\nname = \"guarded\"\npeers = [\"{}\"]\nusername = \"us\"\npassword = \"guess\"\n\
         register = true\ndomain = \"carrier.example\"\n\
         [[trunks]]\nname = \"closed\"\npeers = [\"{closed}\"]\n\
         [[trunks]]\nname = \"secret\"\npeers = [\"{}\"]\nsrtp = \"required\"\n\
         [[trunks]]\nname = \"nameless\"\npeers = [\"sip.nowhere.invalid\"]\n\
         [[trunks]]\nname = \"sealed\"\npeers = [\"{tls}\"]\ntransport = \"tls\"\n\
         tls_ca = {ca:?}\ntls_name = \"sbc.example.com\"\n\
         [[trunks]]\nname = \"disguised\"\npeers = [\"{tls}\"]\ntransport = \"tls\"\n\
         tls_ca = {ca:?}\ntls_name = \"other.example.com\"\n",
        doorman.address,
        carrier.address(),
        tls = carrier.tls().expect("it listens by TLS"),
    ));
    for trunk in ["trunk", "sealed"] {
        let good = installation.run(&["trunk", "test", trunk, "--call", ECHO]);
        let good = String::from_utf8_lossy(&good.stdout).into_owned();
        for words in ["OPTIONS", "answered after", "both ways", "The trunk works", "our own voice came back"]
        {
            assert!(good.contains(words), "{trunk}: {words:?} is missing in: {good}");
        }
    }
    for (trunk, number, words) in [
        ("trunk", MUTE, "one-way audio"),
        ("guarded", ECHO, "password is wrong"),
        ("closed", ECHO, "nobody listens"),
        ("disguised", ECHO, "its certificate is for another name; set tls_name"),
        ("secret", ECHO, "PCMA, PCMU with SRTP"),
        ("nameless", ECHO, "the name sip.nowhere.invalid is not resolved"),
    ] {
        let said = complaint(&installation, trunk, number);
        assert!(said.contains(words), "{trunk}: {said}");
    }
}
