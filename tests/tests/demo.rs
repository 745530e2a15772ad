//! `huihu dev`: what somebody sees and hears who tries Huihu for the first time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use huihu_tests::huihu::binary;
use huihu_tests::{ears, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How alike a sound and what was heard of it must be: the road is digital, only its first packet may be late.
const ALIKE: f64 = 0.9;

/// A mobile telephone that is busy.
const BUSY: &str = "13800000486";

/// A folder in which somebody tries Huihu.
struct Trial(TempDir);

/// A running `huihu dev`. Dropping it kills it.
struct Dev(Child);

impl Trial {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A program that is run in the folder, with `huihu` in its path.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let binary = binary();
        let folder = binary.parent().expect("a binary is in a folder");
        let path = std::env::var("PATH").expect("there is a path");
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).env("PATH", format!("{}:{path}", folder.display()));
        command.stdin(Stdio::null());
        command
    }

    fn dev(&self, words: &[&str]) -> Command {
        let mut command = self.command("huihu");
        command.args(["dev", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0"]).args(words);
        command
    }

    /// Starts `huihu dev` without the demo calls and waits until it has said all it has to say.
    fn start(&self) -> Dev {
        let screen = fs::File::create(self.path("screen")).expect("the folder can be written");
        let child = self.dev(&["--no-demo"]).stdout(screen).spawn().expect("the binary can be started");
        wait::until("huihu dev to be ready", Duration::from_secs(20), || {
            self.screen().contains("Ctrl-C ends.").then_some(())
        });
        Dev(child)
    }

    /// What the running `huihu dev` has printed.
    fn screen(&self) -> String {
        fs::read_to_string(self.path("screen")).unwrap_or_default()
    }

    /// Runs a line as it would be typed: what it printed.
    fn type_in(&self, line: &str) -> String {
        let output = self.command("bash").args(["-c", line]).output().expect("there is a shell");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{error}");
        String::from_utf8(output.stdout).expect("the output is text")
    }

    fn ready(&self, file: &str) -> Value {
        let text = fs::read_to_string(self.path(file)).expect("the ready file can be read");
        serde_json::from_str(&text).expect("the ready file is JSON")
    }

    /// The ladder of a call, once the call is over.
    fn ladder(&self, session: &str) -> String {
        wait::until("the call to be over", Duration::from_secs(20), || {
            let ladder = self.type_in(&format!("huihu record show {session} --ladder"));
            ladder.contains("   over: ").then_some(ladder)
        })
    }
}

impl Dev {
    /// What Ctrl-C does.
    fn interrupt(&self) {
        let line = format!("kill -INT {}", self.0.id());
        let killed = Command::new("sh").args(["-c", &line]).status().expect("there is a shell");
        assert!(killed.success());
    }

    fn ends_well(mut self) {
        let status = wait::until("huihu dev to end", Duration::from_secs(10), || {
            self.0.try_wait().expect("a child can be asked")
        });
        assert!(status.success(), "huihu dev ended with {status}");
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A clip that ships with Huihu.
fn clip(name: &str) -> Vec<i16> {
    ears::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/speech/clips/zh").join(name))
}

/// Finds a sound that begins between `from` and `seconds` later: where it ends.
#[track_caller]
fn hears(heard: &[i16], sound: &[i16], from: usize, seconds: usize) -> usize {
    let to = heard.len().min(from + seconds * ears::RATE + sound.len());
    let (at, alike) = ears::find(sound, &heard[..to], from).expect("the recording is long enough");
    assert!(alike > ALIKE, "the best match after {from} is at {at}, and only {alike:.2}");
    at + sound.len()
}

/// The names of an object's fields, in alphabetical order.
fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        object.as_object().expect("it is an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn everybody_hears_what_they_should_in_the_demo() {
    let trial = Trial::new();
    let output = trial.dev(&["--once", "--ready-file", "mine.json"]).output().expect("the binary starts");
    let screen = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{screen}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(screen.contains("pushes delivered 14/14, every signature checked"), "{screen}");

    let ready = trial.ready("mine.json");
    assert_eq!(ready, trial.ready("huihu-data/ready.json"));
    assert_eq!(fields(&ready), ["demo", "http", "huawei", "inbox", "ksyun", "sip"]);
    assert_eq!(fields(&ready["huawei"]), ["appKey", "appSecret", "displayCalleeNbr", "displayNbr"]);
    assert_eq!(fields(&ready["ksyun"]), ["accessKey", "ivrTplId", "notifyTplId", "secretKey"]);
    assert_eq!(fields(&ready["demo"]), ["callback", "ivr", "verify"]);

    // The code's callee and the callback's first party have the same number; the menu's stands between them.
    let mut files: Vec<PathBuf> = fs::read_dir(trial.path("huihu-data/heard"))
        .expect("there are recordings")
        .map(|item| item.expect("a folder can be read").path())
        .collect();
    files.sort();
    let [one, other, menu, b] = &files[..] else { panic!("four telephones: {files:?}") };
    let [one, other, menu, b] = [one, other, menu, b].map(|file| ears::read(file));
    let (transferring, welcome) = (clip("transferring.wav"), clip("welcome.wav"));
    let start = one.len().min(3 * ears::RATE);
    let is_greeted = ears::find(&transferring, &one[..start], 0).is_some_and(|(_, alike)| alike > ALIKE);
    let (a, code) = if is_greeted { (one, other) } else { (other, one) };

    let mut at = hears(&code, &welcome, 0, 1);
    for digit in ["2", "5", "8", "0", "2", "5", "8", "0"] {
        at = hears(&code, &clip(&format!("digit-{digit}.wav")), at, 2);
    }

    let greeted = hears(&a, &transferring, 0, 1);
    let ring_back = &a[greeted + ears::RATE / 4..greeted + ears::RATE * 3 / 4];
    let share = ears::tone(450.0, ring_back);
    assert!(share > ALIKE, "A hears the ring-back tone: {share:.2}");
    hears(&a, &clip("demo-callee.wav"), greeted, 3);
    // A had begun to talk before B was there, so B comes in at the middle of what A says.
    hears(&b, &clip("demo-caller.wav")[..2 * ears::RATE], 0, 4);

    // It pressed its first key a second after the answer and its second one five seconds later, and heard out what came
    // then. Each time it heard something else.
    let keys = [ears::RATE, 6 * ears::RATE];
    let parts = [&menu[..keys[0]], &menu[keys[0]..keys[1]], &menu[keys[1]..]];
    for (n, part) in parts.into_iter().enumerate() {
        let said = ears::spoken(part).len();
        assert!(said > ears::RATE / 2, "only {said} samples of part {n} of the menu are heard");
    }
    let beginning = &parts[0][..ears::RATE / 2];
    assert!(
        ears::find(beginning, &menu, keys[0]).is_none_or(|(_, alike)| alike < ALIKE),
        "the first prompt again"
    );

    // Whoever starts it again finds everything as it was.
    let dev = trial.start();
    let again = trial.ready("huihu-data/ready.json");
    assert_eq!((&again["huawei"], &again["demo"]), (&ready["huawei"], &json!(null)));
    assert_eq!(again["ksyun"], ready["ksyun"]);
    assert_eq!(trial.type_in("huihu record list").lines().count(), 3);
    let walked = trial.ladder(ready["demo"]["ivr"].as_str().expect("a call has an id"));
    assert_eq!(walked.matches("chose where to go").count(), 2, "{walked}");
    let session = trial.type_in("huihu call verify --callee +8613800000486 --code 2580");
    let ladder = trial.ladder(session.trim());
    assert!(ladder.contains("A gone: busy"), "{ladder}");
    dev.interrupt();
    dev.ends_well();
}

#[test]
fn what_is_printed_can_be_pasted() {
    let trial = Trial::new();
    let dev = trial.start();
    let screen = trial.screen();
    let lines: Vec<&str> = screen.split("\n\n").filter(|part| part.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 2, "{screen}");
    let mut sessions = Vec::new();
    for line in lines {
        let answer: Value = serde_json::from_str(&trial.type_in(line)).expect("the answer is JSON");
        assert_eq!((&answer["resultcode"], &answer["resultdesc"]), (&json!("0"), &json!("Success")));
        sessions.push(answer["sessionId"].as_str().expect("a session is text").to_owned());
    }

    let typed: Vec<&str> = screen.lines().filter_map(|line| line.strip_prefix("  huihu ")).collect();
    assert_eq!(typed.len(), 5, "{screen}");
    for line in &typed[..2] {
        sessions.push(trial.type_in(&format!("huihu {line}")).trim().to_owned());
    }
    let url = trial.ready("huihu-data/ready.json")["http"].as_str().expect("a URL is text").to_owned();
    let signed = trial.type_in(&format!(
        "curl -s -K <(huihu sign huawei --curl) {url}/rest/httpsessions/callStop/v2.0 \
         -H 'Content-Type: application/json' -d '{{\"sessionid\":\"{}\",\"signal\":\"call_stop\"}}'",
        sessions[0]
    ));
    assert_eq!(
        serde_json::from_str::<Value>(&signed).expect("the answer is JSON"),
        json!({"resultcode": "0", "resultdesc": "Success"})
    );
    for session in &sessions[1..] {
        trial.type_in(&format!("huihu call stop {session}"));
    }
    for session in &sessions {
        let ladder = trial.ladder(session);
        assert!(ladder.contains("over: stopped, by the customer"), "{ladder}");
    }
    let mut told = sessions.len();
    for line in &typed[2..4] {
        let call = trial.type_in(&format!("huihu {line}"));
        let ladder = trial.ladder(call.trim());
        assert!(ladder.contains("over: hung up, by us"), "{ladder}");
        told += 1;
    }
    assert_eq!(trial.type_in(&format!("huihu {}", typed[4])).lines().count(), told);
    let plain = trial.type_in("huihu sign huawei");
    let names: Vec<&str> = plain.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(names, ["Authorization", "X-AKSK"]);
    dev.interrupt();
    dev.ends_well();
}

#[test]
fn the_other_vendors_requests_can_be_made_by_hand() {
    let trial = Trial::new();
    let dev = trial.start();
    let ready = trial.ready("huihu-data/ready.json");
    let url = ready["http"].as_str().expect("a URL is text");
    let [notice, menu] =
        ["notifyTplId", "ivrTplId"].map(|name| ready["ksyun"][name].as_str().expect("an id is text"));
    let asked = [
        format!("curl -s -d \"$(huihu sign ksyun CallVerify Mobile={BUSY} TplId=100001 Code=2580)\" {url}/"),
        format!(
            "curl -s -K <(huihu sign ksyun --header CallNotify Mobile={BUSY} TplId={notice} \
             'TplParams={{\"name\":\"张三 ~*+\",\"no\":8}}' ExtId=abc123) {url}/"
        ),
    ];
    let calls = asked.map(|line| {
        let answer: Value = serde_json::from_str(&trial.type_in(&line)).expect("the answer is JSON");
        assert_eq!(fields(&answer), ["CallId", "ExtId", "RequestId"], "{line}: {answer}");
        answer["CallId"].as_str().expect("an id is text").to_owned()
    });
    let typed = [
        format!("huihu call verify --ksyun --callee {BUSY} --code 2580 --template 100003 --ext-id abc123"),
        format!(
            "huihu call notify --ksyun --callee {BUSY} --template {notice} --param name=张三 --param no=8"
        ),
        format!("huihu call ivr --ksyun --callee {BUSY} --template {menu} --param name=张三"),
    ];
    let typed = typed.map(|line| trial.type_in(&line).trim().to_owned());
    for call in calls.iter().chain(&typed) {
        let ladder = trial.ladder(call);
        assert!(ladder.contains("A gone: busy"), "{ladder}");
    }
    let refused = trial
        .command("huihu")
        .args(["call", "ivr", "--ksyun", "--callee", BUSY, "--template", notice])
        .output();
    let refused = refused.expect("the binary starts");
    let complaint = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && complaint.contains("InvalidTplId"), "{complaint}");
    dev.interrupt();
    dev.ends_well();
}

#[test]
fn somebody_who_does_not_want_to_wait_asks_twice() {
    let trial = Trial::new();
    let dev = trial.start();
    // Both answer and never hang up.
    let callback = "huihu call callback --caller +8613800000001 --callee +8613800010001";
    let session = trial.type_in(callback);
    let ladder = format!("huihu record show {} --ladder", session.trim());
    wait::until("the conversation", Duration::from_secs(10), || {
        trial.type_in(&ladder).contains("hear each other").then_some(())
    });
    dev.interrupt();
    wait::until("the hint", Duration::from_secs(10), || {
        trial.screen().contains("Ask once more").then_some(())
    });
    dev.interrupt();
    dev.ends_well();
}
