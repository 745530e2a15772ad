//! Kamailio, the proxy that many carriers are made of: a registrar for telephones and a way to them for us, with digest
//! authentication, record routes and a second gateway.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::sipp::{free_port, is_bound};
use crate::wait;

/// The user that we are to the proxy.
pub const USER: &str = "huihu";

/// Our password.
pub const PASSWORD: &str = "what only we know";

/// The password of all telephones; each is the user that it is called by.
pub const TELEPHONES: &str = "what telephones know";

/// A running Kamailio. Dropping it ends it.
#[derive(Debug)]
pub struct Kamailio {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Kamailio {
    /// Starts a proxy whose second gateway, for what a telephone does not take, is there.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(second: SocketAddr) -> Self {
        let mut last_words = String::new();
        for _ in 0..TRIES {
            let mut proxy = Self::attempt(second);
            let listens = wait::until("Kamailio to listen", Duration::from_secs(20), || {
                let ended = proxy.child.try_wait().expect("a child can be asked").is_some();
                (ended || is_bound(proxy.address)).then_some(!ended)
            });
            if listens {
                return proxy;
            }
            last_words = proxy.log();
        }
        panic!("Kamailio does not start:\n{last_words}");
    }

    fn attempt(second: SocketAddr) -> Self {
        let address = free_port();
        let folder = TempDir::new().expect("a temporary folder can be made");
        let config = CONFIG
            .replace("{address}", &address.to_string())
            .replace("{second}", &second.to_string())
            .replace("{user}", USER)
            .replace("{password}", PASSWORD)
            .replace("{telephones}", TELEPHONES);
        let file = folder.path().join("kamailio.cfg");
        fs::write(&file, config).expect("a new folder can be written");
        let log = fs::File::create(folder.path().join("log")).expect("a file can be made");
        let child = Command::new("kamailio")
            .args(["-DD", "-E", "-m", "32", "-M", "4", "-w"])
            .arg(folder.path())
            .arg("-Y")
            .arg(folder.path())
            .arg("-f")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("kamailio is installed: make test sees to it");
        Self { child, folder, address }
    }

    /// Where it takes SIP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it logged: a line for each request that it let through or turned away.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it has said this.
    pub fn says(&self, what: &str) {
        wait::until(&format!("Kamailio to say {what:?}"), Duration::from_secs(15), || {
            self.log().contains(what).then_some(())
        });
    }

    /// The table of `[[trunks]]` with which it is reached: we register, and prove who we are.
    #[must_use]
    pub fn trunk(&self, name: &str, peers: &[SocketAddr]) -> String {
        let peers: Vec<String> = peers.iter().map(SocketAddr::to_string).collect();
        format!(
            "[[trunks]]\nname = \"{name}\"\npeers = {peers:?}\ndomain = \"{DOMAIN}\"\nregister = true\n\
             username = \"{USER}\"\npassword = \"{PASSWORD}\"\n"
        )
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its first process ends the others; it cannot when it is killed.
        let told = Command::new("kill").arg(self.child.id().to_string()).status();
        if told.is_ok_and(|status| status.success()) {
            self.child.wait().ok();
        }
        if std::thread::panicking() {
            eprintln!("what Kamailio said:\n{}", self.log());
        }
    }
}

/// Starts until we give up.
const TRIES: usize = 5;

/// The domain of everybody's addresses, which nobody looks up.
pub const DOMAIN: &str = "voice.test";

const CONFIG: &str = r#"#!KAMAILIO
debug=1
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
listen=udp:{address}
alias="voice.test"

loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"

# A telephone that says nothing at all is given up after a second.
modparam("tm", "fr_timer", 1000)
modparam("tm", "fr_inv_timer", 60000)
modparam("rr", "append_fromtag", 1)
modparam("xlog", "force_color", 0)

request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (is_method("CANCEL")) {
        if (t_check_trans()) { t_relay(); }
        exit;
    }
    if (has_totag()) {
        if (loose_route()) {
            xlog("L_ALERT", "relayed $rm along its route\n");
            t_relay();
            exit;
        }
        if (is_method("ACK") && t_check_trans()) { t_relay(); exit; }
        if (!is_method("ACK")) { xlog("L_ALERT", "turned $rm away: it knows no route\n"); sl_send_reply("404", "Not Here"); }
        exit;
    }
    if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
    if (is_method("REGISTER")) {
        $var(password) = "{telephones}";
        if ($tU == "{user}") { $var(password) = "{password}"; }
        if (!pv_www_authenticate("voice.test", "$var(password)", "0")) {
            xlog("L_ALERT", "asked $rm who it is\n");
            www_challenge("voice.test", "1");
            exit;
        }
        if ($au != $tU) { sl_send_reply("403", "Not Yours"); exit; }
        save("location");
        xlog("L_ALERT", "registered user $tU\n");
        exit;
    }
    if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
    if (!pv_proxy_authenticate("voice.test", "{password}", "0") || $au != "{user}") {
        xlog("L_ALERT", "asked $rm who it is\n");
        proxy_challenge("voice.test", "1");
        exit;
    }
    consume_credentials();
    record_route();
    $avp(dialled) = $ru;
    if (!lookup("location")) {
        $du = "sip:{second}";
        xlog("L_ALERT", "nobody registered: the second gateway\n");
        t_relay();
        exit;
    }
    t_on_failure("SECOND");
    t_relay();
}

failure_route[SECOND] {
    if (t_is_canceled() || !t_check_status("408|5..")) { exit; }
    xlog("L_ALERT", "the telephone failed: the second gateway\n");
    $ru = $avp(dialled);
    $du = "sip:{second}";
    t_relay();
}
"#;
