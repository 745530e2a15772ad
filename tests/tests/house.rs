//! The shape of the house: which room may use which, and what the rooms without IO must not know.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each room and the rooms it may use. A new edge is a decision: it changes this table in a commit of its own.
const EDGES: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("dialects", &["base"]),
    ("admission", &["base"]),
    ("plans", &["base"]),
    ("projections", &["base"]),
    ("sip", &["base"]),
    ("media", &["base"]),
    ("speech", &["base"]),
    ("engine", &["base", "plans", "sip", "media"]),
    ("store", &["base", "projections"]),
    ("delivery", &["base", "dialects", "store"]),
    ("carrier", &["base", "sip", "media"]),
    ("console", &["base", "admission", "projections", "speech", "store"]),
];

/// Rooms that are functions of their arguments: no clock, socket, file, thread, runtime, global or random source.
const PURE: &[&str] = &["base", "dialects", "admission", "plans", "projections", "sip", "media"];

/// Words of a pure room's source that would ask the system for something.
const SYSTEM_WORDS: &[&str] = &[
    "tokio",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "thread_rng",
    "rand::rng()",
    "from_os_rng",
];

/// Crates that a pure room must not depend on, outside its tests.
const SYSTEM_CRATES: &[&str] =
    &["tokio", "rustix", "socket2", "libc", "mio", "reqwest", "hyper", "axum", "sea-orm"];

/// What of the engine a shard and its calls are made of.
const SHARD: &[&str] = &[
    "call.rs",
    "keys.rs",
    "leg.rs",
    "numbering.rs",
    "verdict.rs",
    "driver/alarms.rs",
    "driver/ground.rs",
    "driver/names.rs",
    "driver/shard.rs",
    "driver/shard",
    "driver/talk.rs",
    "driver/wire.rs",
];

/// The vendors and words of theirs. Only a vendor's folder among the dialects may know them.
const VENDORS: &[(&str, &[&str])] = &[
    (
        "huawei",
        &[
            "displayNbr",
            "calleeNbr",
            "click2Call",
            "callVerify/",
            "X-AKSK",
            "AKSK",
            "resultcode",
            "sessionId",
            "statusInfo",
            "ulFailReason",
        ],
    ),
    (
        "ksyun",
        &[
            "Accesskey",
            "AWS4",
            "SecurityToken",
            // In quotes: a Rust enum may name the other vendor's `callVerify` so.
            "\"CallVerify\"",
            "\"CallNotify\"",
            "\"CallIvr\"",
            "TplId",
            "TplParams",
            "PlayTimes",
            "ExtId",
            "PressKey",
            "CallerDisplay",
            "VoiceType",
            "ErrCode",
            "SignatureNotMatch",
            "SignatureDoesNotMatch",
            "DH:",
        ],
    ),
];

/// What every vendor's folder has at its top: whoever knows one finds his way in the other.
const DIALECT: &[&str] =
    &["auth", "causes", "client", "codes", "fields", "mod", "orders", "push", "reply", "routes", "session"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace is there")
}

fn packages() -> Vec<serde_json::Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("packages are a list").clone()
}

/// The names of a package's dependencies that its library or binary is built with.
fn dependencies(package: &serde_json::Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("dependencies are a list");
    all.iter()
        .filter(|dependency| dependency["kind"].is_null())
        .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
        .collect()
}

fn sources(room: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join("crates").join(room).join("src")];
    while let Some(folder) = open.pop() {
        for item in fs::read_dir(&folder).expect("a room has sources") {
            let path = item.expect("a folder can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The lines of a source that say something to the compiler.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source can be read");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_edge_between_rooms_is_one_that_was_decided() {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in packages() {
        let Some(room) = package["name"].as_str().and_then(|name| name.strip_prefix("huihu-")) else {
            continue;
        };
        let Some(may_use) = allowed.get(room) else { continue };
        for used in dependencies(&package) {
            let Some(used) = used.strip_prefix("huihu-") else { continue };
            if !may_use.contains(&used) {
                wrong.push(format!("{room} uses {used}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_room_is_in_the_table() {
    let known: BTreeSet<&str> = EDGES.iter().map(|(room, _)| *room).collect();
    let outside = ["tests", "bench", "chaos", "simulate", "fuzz"];
    let unknown: Vec<String> = packages()
        .iter()
        .filter_map(|package| package["name"].as_str()?.strip_prefix("huihu-").map(str::to_owned))
        .filter(|room| !known.contains(room.as_str()) && !outside.contains(&room.as_str()))
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn pure_rooms_never_ask_the_system() {
    let mut wrong = Vec::new();
    for package in packages() {
        let Some(room) = package["name"].as_str().and_then(|name| name.strip_prefix("huihu-")) else {
            continue;
        };
        if PURE.contains(&room) {
            let used = dependencies(&package);
            let system = SYSTEM_CRATES.iter().filter(|name| used.contains(**name));
            wrong.extend(system.map(|name| format!("{room} depends on {name}")));
        }
    }
    for room in PURE {
        for path in sources(room) {
            let text = code(&path);
            let words = SYSTEM_WORDS.iter().filter(|word| text.contains(**word));
            wrong.extend(words.map(|word| format!("{} says {word}", path.display())));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_shard_asks_its_ground_and_nobody_else() {
    let engine = root().join("crates").join("engine").join("src");
    let is_shards = |path: &Path| {
        let own = path.strip_prefix(&engine).expect("it lies there");
        SHARD.iter().any(|part| own.starts_with(part))
    };
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in sources("engine").into_iter().filter(|path| is_shards(path)) {
        seen += 1;
        let text = code(&path);
        let words = SYSTEM_WORDS.iter().chain(SYSTEM_CRATES).filter(|word| text.contains(**word));
        wrong.extend(words.map(|word| format!("{} says {word}", path.display())));
    }
    assert!(seen >= SHARD.len(), "a part of the shard has another name now");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn vendor_words_stay_in_the_vendors_folder() {
    let mut wrong = Vec::new();
    for (room, _) in EDGES {
        for path in sources(room) {
            let text = code(&path);
            for (vendor, words) in VENDORS {
                if path.components().all(|part| part.as_os_str() != *vendor) {
                    let said = words.iter().filter(|word| says(&text, word));
                    wrong.extend(said.map(|word| format!("{} says {word}", path.display())));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_vendors_words_are_known_in_their_own_folder() {
    let mut unknown: Vec<&str> = Vec::new();
    for (vendor, words) in VENDORS {
        let own = sources("dialects").into_iter().filter(|path| path.starts_with(dialect(vendor)));
        let own: String = own.map(|path| code(&path)).collect();
        unknown.extend(words.iter().copied().filter(|word| !says(&own, word)));
    }
    assert_eq!(unknown, Vec::<&str>::new(), "a word that nobody says guards nothing");
}

#[test]
fn the_folders_of_the_vendors_read_alike() {
    let mut orders = Vec::new();
    for (vendor, _) in VENDORS {
        let folder = fs::read_dir(dialect(vendor)).expect("a vendor has a folder");
        let names = folder.map(|item| item.expect("a folder can be read").path());
        let names: BTreeSet<String> = names
            .map(|path| path.file_stem().expect("it has a name").to_string_lossy().into_owned())
            .collect();
        assert_eq!(names.iter().collect::<Vec<_>>(), DIALECT, "the folder of {vendor}");
        let text = code(&dialect(vendor).join("mod.rs"));
        let module = |line: &str| {
            line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
        };
        orders.push(text.lines().filter_map(module).collect::<Vec<_>>());
    }
    assert!(orders.windows(2).all(|two| two[0] == two[1]), "the order of modules: {orders:#?}");
    assert_eq!(orders[0].len(), DIALECT.len() - 1, "every file but mod itself is a module");
}

#[test]
fn every_test_that_the_security_document_names_is_there() {
    let document =
        fs::read_to_string(root().join("docs").join("security.md")).expect("there is such a document");
    let rows = document.lines().filter(|line| line.starts_with("| "));
    // The last cell of a row has the tests, each in backticks.
    let cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let named: BTreeSet<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let named: Vec<&str> = named.into_iter().filter(|name| name.matches('_').count() > 2).collect();
    assert!(named.len() > 50, "the tables have another form now: {named:?}");
    let all: String = ["crates", "tests", "benches"].map(|folder| tests_below(&root().join(folder))).concat();
    let missing: Vec<&str> = named.into_iter().filter(|name| !all.contains(&format!("fn {name}("))).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// All sources below a folder.
fn tests_below(folder: &Path) -> String {
    let mut text = String::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for item in fs::read_dir(&folder).expect("a folder can be read") {
            let path = item.expect("a folder can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                text.push_str(&fs::read_to_string(&path).expect("a source can be read"));
            }
        }
    }
    text
}

/// Whether a text has a word as a whole, or as a Rust field would be called that serde renames to it.
fn says(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let has = |word: &str| {
        let ends = |at: usize| {
            let after = &text[at + word.len()..];
            (text[..at].ends_with(is_part), word.ends_with(is_part) && after.starts_with(is_part))
        };
        text.match_indices(word).any(|(at, _)| ends(at) == (false, false))
    };
    let mut snake = String::new();
    for letter in word.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    has(word) || has(&snake)
}

/// The folder of a vendor.
fn dialect(vendor: &str) -> PathBuf {
    root().join("crates").join("dialects").join("src").join(vendor)
}
