//! The stories of `tests/engine`, told with epoll.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on ends there")]

#[path = "../engine/allocations.rs"]
mod allocations;
#[path = "../engine/answering.rs"]
mod answering;
#[path = "../engine/bridge.rs"]
mod bridge;
#[path = "../engine/codecs.rs"]
mod codecs;
#[path = "../engine/early.rs"]
mod early;
#[path = "../engine/endings.rs"]
mod endings;
#[path = "../engine/far.rs"]
mod far;
#[path = "../engine/faults.rs"]
mod faults;
#[path = "../engine/hearing.rs"]
mod hearing;
#[path = "../engine/keys.rs"]
mod keys;
#[path = "../engine/notices.rs"]
mod notices;
#[path = "../engine/orphans.rs"]
mod orphans;
#[path = "../engine/recording.rs"]
mod recording;
#[path = "../engine/registration.rs"]
mod registration;
#[path = "../engine/traces.rs"]
mod traces;
#[path = "../engine/transports.rs"]
mod transports;
#[path = "../engine/trials.rs"]
mod trials;
#[path = "../engine/trunks.rs"]
mod trunks;
#[path = "../engine/verdict.rs"]
mod verdict;
#[path = "../engine/world.rs"]
mod world;

#[test]
fn every_story_is_told_here_too() {
    let stories = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine")).unwrap();
    for story in stories.map(|story| story.unwrap().file_name().into_string().unwrap()) {
        let is_here = include_str!("main.rs").contains(&format!("\"../engine/{story}\""));
        assert!(is_here || story == "main.rs", "{story} is missing");
    }
}
