//! Files that nobody would write, against the reading of files: it is private here, so it is fed here.

use std::env;
use std::time::Duration;

use huihu_fuzz::drive::{Budget, drive};
use huihu_fuzz::target::{Target, seen};

use super::*;

/// A file of configuration.
const CONFIGURATION: Target = Target {
    name: "configuration",
    corpora: &[],
    words: &[
        "[[trunks]]\n",
        "[trunk]\n",
        "[sip]\n",
        "peers = [\"example.com\"]\n",
        "routes = [{ priority = 1 }]\n",
        "listen = [\"[::1]:5060/tcp\"]\n",
        "dialled = [{ strip = \"+86\" }]\n",
        "codecs = [\"opus\"]\n",
        "srtp = \"required\"\n",
        "transport = \"tls\"\n",
        "sources = [\"10.0.0.0/8\"]\n",
        "true",
        "nan",
        "-inf",
        "1979-05-27T07:32:00Z",
        "\"\"\"",
        "'''",
        "\\u0000",
        "{",
        "}",
        "[",
        "]",
        "=",
        "\n",
    ],
    bytes_max: 4_096,
    run,
};

/// The password that the files of the corpus have.
const PASSWORD: &str = "not to be seen";

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let read = fault_of_form(&text).map_or_else(
        || {
            let sources = Figment::from(Serialized::defaults(Config::defaults())).merge(Toml::string(&text));
            Config::read(&sources).map_err(|fault| fault.to_string())
        },
        Err,
    );
    match read {
        Ok(config) => {
            let trunks = config.trunks().expect("what was checked is read");
            assert!(
                !format!("{config:?}").contains(PASSWORD) || !is_only_password(&text),
                "a password is not shown"
            );
            seen((trunks.len(), config.sip.listen.by(Transport::Tls), config.requests.ban_after))
        }
        Err(sentence) => {
            assert!(!sentence.is_empty(), "a complaint says something");
            assert!(
                !sentence.contains(PASSWORD) || !is_only_password(&text),
                "a complaint shows no password"
            );
            let words = sentence.chars().filter(|letter| letter.is_ascii_alphabetic() || *letter == ' ');
            seen(words.take(40).collect::<String>())
        }
    }
}

/// Whether the password stands where a password should, and nowhere else.
fn is_only_password(text: &str) -> bool {
    let line = format!("\npassword = \"{PASSWORD}\"\n");
    text.matches(&line).count() == text.matches(PASSWORD).count()
}

#[test]
fn no_text_breaks_the_configuration() {
    let asked = |name: &str| env::var(name).ok().and_then(|text| text.parse::<f64>().ok());
    let budget = match asked("HUIHU_FUZZ_MINUTES") {
        Some(minutes) => Budget::Time(Duration::from_secs_f64(minutes * 60.0)),
        None => Budget::Runs(1_000),
    };
    let report =
        drive(&CONFIGURATION, asked("HUIHU_FUZZ_SEED").map_or(1, |seed| seed as u64), budget).unwrap();
    println!("{report}");
    assert!(report.broken.is_none(), "{report}");
}
