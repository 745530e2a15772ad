//! Conversations that are recorded.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::fact::Fact;
use base::id::Leg;
use base::limits;
use huihu_engine::recording_path;
use media::g711::ALAW_SILENCE;
use media::record::stereo_bytes;

use crate::world::{BEFORE, World, frame, id, recorded};

/// More than the shortest recording that is kept.
const LONG_ENOUGH: Duration = Duration::from_millis(3_200);

/// The samples of a recording, left and right; `None` while there is no whole file.
fn channels(path: &Path) -> Option<[Vec<u8>; 2]> {
    let file = fs::read(path).ok()?;
    let (header, samples) = file.split_first_chunk()?;
    let stated = usize::try_from(stereo_bytes(header)?).ok()?;
    assert!(stated <= samples.len(), "a file is never shorter than its header says");
    Some([0, 1].map(|side| samples[..stated].iter().skip(side).step_by(2).copied().collect()))
}

/// Asserts that frames stand in a channel, whole and in their order, and nothing else does.
#[track_caller]
fn has_said(channel: &[u8], first_samples: &[u8]) {
    let mut rest = channel;
    for first in first_samples {
        let frame = frame(*first);
        let at = rest.windows(frame.len()).position(|window| window == frame);
        let at = at.unwrap_or_else(|| panic!("frame {first} is missing"));
        assert!(rest[..at].iter().all(|sample| *sample == ALAW_SILENCE), "only silence in between");
        rest = &rest[at + frame.len()..];
    }
    assert!(rest.iter().all(|sample| *sample == ALAW_SILENCE));
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let below = |path: PathBuf| if path.is_dir() { files_below(&path) } else { vec![path] };
    fs::read_dir(folder).unwrap().flat_map(|entry| below(entry.unwrap().path())).collect()
}

#[test]
fn a_conversation_is_recorded_as_it_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.recording_to(folder.path());
    let parties = world.bridged_by(0, recorded);
    let (said_by_a, said_by_b) = world.talk(parties, LONG_ENOUGH);
    let (a, b) = parties;
    for phone in [a, b] {
        assert!(world.at(phone).tune().contains(&BEFORE), "both hear the tone that says so");
    }
    let path = recording_path(folder.path(), id(0));
    let so_far = channels(&path).expect("a process that dies now leaves a whole file");
    assert!(so_far[0].len() >= 8_000, "all but the last second or two");
    // The end of a call may be read before what was said before it.
    world.hear_out(parties, &said_by_a, &said_by_b);
    world.far.hang_up(a);
    let journal = world.all_over(0);
    let told = "bridged, A hears HintTone, B hears HintTone, recording, recorded, released A Normal";
    assert!(journal.contains(told), "{journal}");
    world.engine = None;
    let [left, right] = channels(&path).unwrap();
    has_said(&left, &said_by_a);
    has_said(&right, &said_by_b);
    let length = world.facts(0).into_iter().find_map(|fact| match fact {
        Fact::RecordingEnded { length } => Some(length),
        _ => None,
    });
    let length = length.unwrap();
    assert!(length >= LONG_ENOUGH);
    assert_eq!(left.len() as u128, length.as_micros() / 125, "the file is as long as the journal says");
}

#[test]
fn a_short_recording_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.recording_to(folder.path());
    let (_, b) = world.bridged_by(0, recorded);
    world.until_fact(0, "recording");
    assert_eq!(files_below(folder.path()).len(), 1);
    world.far.hang_up(b);
    assert!(world.all_over(0).contains("recording, recorded, released B"));
    world.engine = None;
    assert_eq!(files_below(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_call_that_cannot_be_recorded_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("in-the-way");
    fs::write(&in_the_way, "").unwrap();
    let mut world = World::new();
    world.recording_to(&in_the_way);
    let (a, b) = world.bridged_by(0, recorded);
    // While they hear the tone, they do not hear each other.
    world.until("the tone", |world| world.far.phones[b].tune().contains(&BEFORE));
    world.talk((a, b), Duration::from_millis(100));
    world.at(a).say(&frame(0x77));
    world.until("it is heard", |world| world.far.phones[b].voice().contains(&&frame(0x77)[..]));
    world.far.hang_up(a);
    assert!(!world.all_over(0).contains("recor"));
}

#[test]
fn without_a_folder_nothing_is_recorded() {
    let mut world = World::new();
    let (a, _) = world.bridged_by(0, recorded);
    world.far.hang_up(a);
    assert!(!world.all_over(0).contains("recor"));
}

#[test]
fn an_engine_that_ends_leaves_whole_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.recording_to(folder.path());
    let parties = world.bridged_by(0, recorded);
    let (said_by_a, said_by_b) = world.talk(parties, LONG_ENOUGH);
    world.at(parties.0).press('1');
    world.until("the key after the voice", |world| world.keys(0, Leg::A) == "1");
    world.hear_out(parties, &said_by_a, &said_by_b);
    world.engine = None;
    let [left, right] = channels(&recording_path(folder.path(), id(0))).unwrap();
    has_said(&left, &said_by_a);
    has_said(&right, &said_by_b);
    assert!(left.len() as u128 * 125 >= limits::RECORDING_SHORTEST.as_micros());
}

#[test]
fn a_recorded_packet_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.recording_to(folder.path());
    let parties = world.bridged_by(0, recorded);
    world.until_fact(0, "recording");
    // The tones are over, and the first key is in the journal.
    world.talk(parties, Duration::from_millis(100));
    world.at(parties.0).press('1');
    world.until("the first key", |world| world.keys(0, Leg::A) == "1");
    let before = world.allocated[1].load(Ordering::Acquire);
    // Long enough for two chunks to be handed over and one of them to come back.
    world.talk(parties, LONG_ENOUGH);
    world.at(parties.0).press('2');
    world.until("the second key", |world| world.keys(0, Leg::A) == "12");
    let after = world.allocated[0].load(Ordering::Acquire);
    assert!(before > 0, "the counter counts");
    assert_eq!(after - before, 0, "allocations while two parties talked for three seconds");
}
