//! The disk under the data directory: its room, its pace, and who may read what lies there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::fs::{StatVfsMountFlags, statvfs};
use store::KEY_FILE;
use tokio::task::spawn_blocking;

use super::Diagnosis;
use crate::backup::passing_name;

/// The room that is left.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    bytes: u64,
    free: u64,
    files: u64,
    files_free: u64,
    read_only: bool,
}

/// Whose a file is, and who may read it.
#[derive(Clone, Debug)]
struct Guarded {
    path: PathBuf,
    mode: u32,
    is_ours: bool,
}

pub(super) async fn check(dir: &Path) -> Result<Vec<Diagnosis>> {
    let dir = dir.to_owned();
    spawn_blocking(move || {
        if !dir.exists() {
            return vec![judge_missing(&dir, writable(&nearest(&dir)))];
        }
        let mut diagnoses = vec![judge_room(&dir, room(&dir)), judge_pace(pace(&dir))];
        diagnoses.extend([dir.clone(), dir.join(KEY_FILE)].into_iter().filter_map(|path| {
            let file = fs::metadata(&path).ok()?;
            let is_ours = file.uid() == rustix::process::geteuid().as_raw();
            Some(judge_guarded(&Guarded { path, mode: file.mode() & 0o7777, is_ours }))
        }));
        diagnoses
    })
    .await
    .map_err(Into::into)
}

/// The closest folder above that is there.
fn nearest(dir: &Path) -> PathBuf {
    let above = dir.ancestors().skip(1).find(|above| above.exists() && !above.as_os_str().is_empty());
    above.unwrap_or_else(|| Path::new(".")).to_owned()
}

/// Whether files can be made in a folder.
fn writable(dir: &Path) -> bool {
    let probe = dir.join(passing_name(".huihu-doctor"));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe);
    fs::remove_file(&probe).ok();
    made.is_ok()
}

fn room(dir: &Path) -> io::Result<Room> {
    let there = statvfs(dir)?;
    Ok(Room {
        bytes: there.f_blocks.saturating_mul(there.f_frsize),
        free: there.f_bavail.saturating_mul(there.f_frsize),
        files: there.f_files,
        files_free: there.f_favail,
        read_only: there.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}

/// How long a small write takes to be durable: the median of some.
fn pace(dir: &Path) -> io::Result<Duration> {
    let path = dir.join(passing_name(".huihu-doctor"));
    let measured = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let mut times = (0..WRITES).map(|_| flush(&mut file)).collect::<io::Result<Vec<_>>>()?;
        times.sort_unstable();
        Ok(times[WRITES / 2])
    })();
    fs::remove_file(&path).ok();
    measured
}

fn flush(file: &mut File) -> io::Result<Duration> {
    let began = Instant::now();
    file.write_all(&[0; 4_096])?;
    file.sync_data()?;
    Ok(began.elapsed())
}

fn judge_missing(dir: &Path, can_be_made: bool) -> Diagnosis {
    let dir = dir.display();
    if can_be_made {
        Diagnosis::ok(CHECK, format!("{dir} is not there yet: the first start makes it"))
    } else {
        let fix = "make it and give it to this user, or set data_dir";
        Diagnosis::fault(CHECK, format!("{dir} is not there, and this user cannot make it"), fix)
    }
}

fn judge_room(dir: &Path, room: io::Result<Room>) -> Diagnosis {
    let dir = dir.display();
    let fix = "make room, or move the data directory to a larger disk; recordings and traces take most";
    match room {
        Err(why) => Diagnosis::fault(
            CHECK,
            format!("{dir} cannot be looked at ({why})"),
            "give it to the user who serves",
        ),
        Ok(Room { read_only: true, .. }) => Diagnosis::fault(
            CHECK,
            format!("{dir} is read-only, so no call can be accepted"),
            "look into the system's log why, and mount it for writing again",
        ),
        Ok(Room { files, files_free, .. }) if files > 0 && files_free < FILES_MIN => {
            Diagnosis::fault(CHECK, format!("{dir} has room for {files_free} files"), fix)
        }
        Ok(Room { free, .. }) if free < FREE_MIN => {
            Diagnosis::fault(CHECK, format!("{dir} has {} left", mib(free)), fix)
        }
        Ok(Room { free, bytes, .. }) if free < FREE_WANTED || free < bytes / 20 => {
            Diagnosis::warning(CHECK, format!("{dir} has {} left of {}", mib(free), mib(bytes)), fix)
        }
        Ok(Room { free, bytes, .. }) => {
            Diagnosis::ok(CHECK, format!("{dir} has {} left of {}", mib(free), mib(bytes)))
        }
    }
}

fn judge_pace(pace: io::Result<Duration>) -> Diagnosis {
    let fix = "put the data directory on a local SSD: every accepted call waits for it";
    match pace {
        Err(why) => Diagnosis::fault(
            CHECK,
            format!("nothing can be written into the data directory ({why})"),
            "give it to the user who serves, and make room",
        ),
        Ok(took) if took > STUCK => {
            Diagnosis::fault(CHECK, format!("a write takes {} ms to be durable", took.as_millis()), fix)
        }
        Ok(took) if took > SLOW => {
            Diagnosis::warning(CHECK, format!("a write takes {} ms to be durable", took.as_millis()), fix)
        }
        Ok(took) => {
            Diagnosis::ok(CHECK, format!("a write is durable after {:.1} ms", took.as_secs_f64() * 1e3))
        }
    }
}

fn judge_guarded(file: &Guarded) -> Diagnosis {
    let Guarded { path, mode, is_ours } = file;
    let path = path.display();
    if !is_ours {
        return Diagnosis::warning(
            CHECK,
            format!("{path} belongs to another user than the one who asks"),
            "ask as the user who serves, or `chown` it",
        );
    }
    match mode & 0o077 {
        0 => Diagnosis::ok(CHECK, format!("{path} is for its owner only")),
        others if others & 0o022 != 0 => Diagnosis::fault(
            CHECK,
            format!("others may write to {path}: they could take the platform over"),
            format!("`chmod go= {path}`"),
        ),
        _ => Diagnosis::warning(
            CHECK,
            format!("others may read {path}: numbers and records are theirs too"),
            format!("`chmod go= {path}`"),
        ),
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Writes that are timed.
const WRITES: usize = 9;

/// A call that is accepted waits for this once, and so do its facts.
const SLOW: Duration = Duration::from_millis(25);

/// What orders give up after, with some others before them.
const STUCK: Duration = Duration::from_secs(1);

/// Bytes below which the next recording fills the disk.
const FREE_MIN: u64 = 128 << 20;

/// Bytes that one wants to have.
const FREE_WANTED: u64 = 1 << 30;

/// Files that one must be able to make.
const FILES_MIN: u64 = 1_000;

const CHECK: &str = "disk";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::told;

    #[test]
    fn a_disk_has_room_or_somebody_makes_some() {
        let room = Room {
            bytes: 100 << 30,
            free: 50 << 30,
            files: 1_000_000,
            files_free: 900_000,
            read_only: false,
        };
        let said = |room| told(&judge_room(Path::new("/data"), Ok(room)));
        assert_eq!(said(room), "ok: /data has 51200 MiB left of 102400 MiB");
        assert!(said(Room { free: 4 << 30, ..room }).starts_with("warning: /data has 4096 MiB"));
        assert!(said(Room { free: 1 << 20, ..room }).starts_with("fault: /data has 1 MiB"));
        assert!(said(Room { files_free: 3, ..room }).starts_with("fault: /data has room for 3 files"));
        assert!(said(Room { files: 0, files_free: 0, ..room }).starts_with("ok: "), "some count none");
        assert!(said(Room { read_only: true, ..room }).starts_with("fault: /data is read-only"));
        let closed = judge_room(Path::new("/data"), Err(io::Error::other("no")));
        assert!(told(&closed).starts_with("fault: "));
    }

    #[test]
    fn a_slow_disk_holds_calls_up() {
        let said = |millis| told(&judge_pace(Ok(Duration::from_millis(millis))));
        assert_eq!(said(2), "ok: a write is durable after 2.0 ms");
        assert!(said(60).starts_with("warning: a write takes 60 ms"));
        assert!(said(3_000).starts_with("fault: "));
        assert!(
            told(&judge_pace(Err(io::Error::other("full")))).starts_with("fault: nothing can be written")
        );
    }

    #[test]
    fn what_others_may_do_is_told() {
        let said =
            |mode, is_ours| told(&judge_guarded(&Guarded { path: "/data/secret.key".into(), mode, is_ours }));
        assert!(said(0o600, true).starts_with("ok: "));
        assert!(said(0o640, true).starts_with("warning: others may read"));
        assert!(said(0o602, true).starts_with("fault: others may write"));
        assert!(said(0o600, false).starts_with("warning: /data/secret.key belongs to another user"));
    }

    #[tokio::test]
    async fn a_directory_is_looked_at_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let diagnoses = check(dir.path()).await.unwrap();
        assert_eq!(diagnoses.len(), 3, "{diagnoses:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
        let missing = check(&dir.path().join("a/b")).await.unwrap();
        assert!(told(&missing[0]).ends_with("is not there yet: the first start makes it"));
        assert!(told(&judge_missing(Path::new("/nowhere"), false)).starts_with("fault: "));
    }
}
