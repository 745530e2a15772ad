//! What there is of memory, as Linux tells it.

use std::fs;
use std::path::{Path, PathBuf};

use admission::Memory;

/// Reads it; what may be used is looked up once.
pub(crate) struct Gauge {
    page: u64,
    /// The least limit of the control groups that the process is in.
    limit: Option<u64>,
}

impl Gauge {
    pub(crate) fn open() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let limits = limits(&groups, Path::new("/sys/fs/cgroup"));
        let limit = limits.iter().filter_map(|file| read_number(&fs::read_to_string(file).ok()?)).min();
        Self { page: rustix::param::page_size() as u64, limit }
    }

    /// `None` where the system does not tell it.
    pub(crate) fn read(&self) -> Option<Memory> {
        let pages = resident_pages(&fs::read_to_string("/proc/self/statm").ok()?)?;
        let machine = fs::read_to_string("/proc/meminfo").ok()?;
        let total = kilobytes(&machine, "MemTotal:")? * 1_024;
        Some(Memory {
            used: pages * self.page,
            allowed: self.limit.map_or(total, |limit| limit.min(total)),
            free: kilobytes(&machine, "MemAvailable:")? * 1_024,
        })
    }
}

/// The files that may hold a limit: of each group of `/proc/self/cgroup` and those above it, in both versions.
fn limits(groups: &str, root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for group in groups.lines() {
        let mut fields = group.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (mount, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            one if one.split(',').any(|name| name == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let path = Path::new(path.trim_start_matches('/'));
        files.extend(path.ancestors().map(|part| mount.join(part).join(file)));
    }
    files
}

/// A number of bytes; `max` is none.
fn read_number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The second number of `/proc/self/statm`.
fn resident_pages(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A line of `/proc/meminfo`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_may_be_set_on_any_group_above() {
        let told = |groups| {
            let files = limits(groups, Path::new("/g"));
            files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told("0::/a/b\n"), "/g/a/b/memory.max /g/a/memory.max /g/memory.max");
        assert_eq!(told("0::/\n"), "/g/memory.max");
        assert_eq!(
            told("3:cpu,memory:/a\n2:cpu:/a\n"),
            "/g/memory/a/memory.limit_in_bytes /g/memory/memory.limit_in_bytes"
        );
        assert_eq!((read_number("1024\n"), read_number("max\n")), (Some(1_024), None));
    }

    #[test]
    fn this_process_uses_less_than_it_may() {
        let memory = Gauge::open().read().expect("Linux tells it");
        assert!(memory.used > 0 && memory.used < memory.allowed, "{memory:?}");
    }
}
