//! A wall clock that can be set, for one process: its C library asks a small library of ours for the time.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The clock of the processes that are started with its environment. Their other clock, which only moves forward, is the
/// system's.
#[derive(Debug)]
pub struct WallClock {
    library: PathBuf,
    offset: PathBuf,
}

impl WallClock {
    /// A clock that is right so far; what it needs goes into the folder.
    ///
    /// # Panics
    /// When there is no C compiler, without which Huihu could not have been built.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
        fs::write(&source, SOURCE).expect("the folder can be written");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).args([&library, &source]);
        assert!(compiler.status().expect("there is a C compiler").success(), "the library is C");
        let this = Self { library, offset: folder.join("clock.offset") };
        this.set(0);
        this
    }

    /// What a process is started with.
    ///
    /// # Panics
    /// When a path is no text.
    #[must_use]
    pub fn environment(&self) -> [(&str, &str); 2] {
        let [library, offset] =
            [&self.library, &self.offset].map(|path| path.to_str().expect("a path is text"));
        [("LD_PRELOAD", library), ("CLOCK_OFFSET", offset)]
    }

    /// Sets the clock, so many seconds after the right time.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn set(&self, offset_secs: i64) {
        // Never shorter for a moment: others have it mapped.
        let file = fs::File::options().create(true).truncate(false).write(true).open(&self.offset);
        let written = file.and_then(|file| file.write_all_at(&offset_secs.to_ne_bytes(), 0));
        written.expect("the folder can be written");
    }
}

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CLOCK_OFFSET");
    int file = path ? open(path, O_RDONLY) : -1;
    void *mapped = file < 0 ? MAP_FAILED : mmap(0, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
    offset = mapped == MAP_FAILED ? 0 : mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && offset && clock == CLOCK_REALTIME) now->tv_sec += *offset;
    return failed;
}
"#;
