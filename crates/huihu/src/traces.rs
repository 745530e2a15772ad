//! Traces that were kept long enough.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::time::Timestamp;

/// How much of the traces stays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    pub(crate) time: Duration,
    pub(crate) bytes: u64,
}

/// Removes the traces of whole hours, the oldest first: those that are older than what is kept, then as many as there are
/// bytes too many. Of the hour that is written now nothing is removed. Blocks; gives how many hours went.
///
/// # Errors
/// What the system says; what was removed is gone.
pub(crate) fn sweep(traces: &Path, keeping: Keeping, now: Timestamp) -> io::Result<usize> {
    let mut hours = hours(traces)?;
    hours.sort();
    let mut bytes: u64 = hours.iter().map(|hour| hour.bytes).sum();
    let (first_kept, this) = ((now - keeping.time).print(HOUR), now.print(HOUR));
    let mut removed = 0;
    for hour in hours {
        if hour.name >= this || (hour.name >= first_kept && bytes <= keeping.bytes) {
            break;
        }
        fs::remove_dir_all(&hour.path)?;
        // The day goes with its last hour.
        hour.path.parent().map(fs::remove_dir).transpose().ok();
        bytes -= hour.bytes;
        removed += 1;
    }
    Ok(removed)
}

/// The traces of one hour.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Hour {
    /// As [`HOUR`] writes it, so that they sort by their age.
    name: String,
    path: PathBuf,
    bytes: u64,
}

fn hours(traces: &Path) -> io::Result<Vec<Hour>> {
    let mut found = Vec::new();
    for day in folders(traces)? {
        for path in folders(&day)? {
            let names = [&day, &path].map(|folder| folder.file_name().map(|name| name.to_string_lossy()));
            let [Some(day), Some(hour)] = names else { continue };
            let name = format!("{day}/{hour}");
            // What we did not make is not ours to remove.
            if Timestamp::parse(&format!("{name}:00:00"), "%Y-%m-%d/%H:%M:%S").is_none() {
                continue;
            }
            let mut bytes = 0;
            for file in fs::read_dir(&path)? {
                bytes += file?.metadata().map_or(0, |about| about.len());
            }
            found.push(Hour { name, path: path.clone(), bytes });
        }
    }
    Ok(found)
}

/// The folders in a folder, which need not be there.
fn folders(of: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(of) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// How an hour is named: as in [`base::trace::path`].
const HOUR: &str = "%Y-%m-%d/%H";

#[cfg(test)]
mod tests {
    use base::id::CallId;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text, "%Y-%m-%d %H:%M").unwrap()
    }

    /// Traces of 10 bytes at these moments; which of them are left.
    fn left(moments: &[&str], keeping: Keeping) -> Vec<usize> {
        let dir = tempfile::tempdir().unwrap();
        let path = |moment: &str| base::trace::path(dir.path(), CallId::new(at(moment), 1));
        for moment in moments {
            fs::create_dir_all(path(moment).parent().unwrap()).unwrap();
            fs::write(path(moment), [0; 10]).unwrap();
        }
        fs::create_dir_all(dir.path().join("not-ours/00")).unwrap();
        sweep(dir.path(), keeping, at("2026-01-03 12:30")).unwrap();
        assert!(dir.path().join("not-ours/00").exists());
        (0..moments.len()).filter(|place| path(moments[*place]).exists()).collect()
    }

    #[test]
    fn old_traces_go_and_then_the_oldest_that_are_too_many() {
        let moments = ["2026-01-01 10:00", "2026-01-02 12:10", "2026-01-02 13:00", "2026-01-03 12:00"];
        let day = Duration::from_secs(86_400);
        assert_eq!(left(&moments, Keeping { time: day * 9, bytes: 40 }), [0, 1, 2, 3]);
        assert_eq!(left(&moments, Keeping { time: day, bytes: 40 }), [1, 2, 3]);
        assert_eq!(left(&moments, Keeping { time: day * 9, bytes: 25 }), [2, 3]);
        assert_eq!(left(&moments, Keeping { time: day, bytes: 0 }), [3], "what is written now stays");
    }

    #[test]
    fn where_there_are_no_traces_there_is_nothing_to_do() {
        let keeping = Keeping { time: Duration::ZERO, bytes: 0 };
        assert_eq!(sweep(Path::new("/nowhere at all"), keeping, at("2026-01-03 12:30")).unwrap(), 0);
    }
}
