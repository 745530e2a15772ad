//! What is fed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A parser, and what is known of its language.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called on the command line, and its folder in the corpus.
    pub name: &'static str,
    /// Other folders of the workspace whose files are good beginnings.
    pub corpora: &'static [&'static str],
    /// Words of its language, which random bytes would not hit.
    pub words: &'static [&'static str],
    /// Bytes of an input at most: a little more than the parser takes, or than is worth the time.
    pub bytes_max: usize,
    /// Gives it bytes, asserts what must hold, and says by [`seen`] what came of it.
    pub run: fn(&[u8]) -> u64,
}

/// A number for what a target saw: the same for the same.
pub fn seen(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

impl Target {
    /// The inputs to begin with, always in the same order.
    ///
    /// # Errors
    /// A folder cannot be read, or there is none.
    pub fn corpus(&self) -> Result<Vec<Vec<u8>>> {
        let own = format!("fuzz/corpus/{}", self.name);
        let mut inputs = Vec::new();
        for folder in self.corpora.iter().copied().chain([own.as_str()]) {
            let folder = root().join(folder);
            let read = || format!("cannot read the inputs in {}", folder.display());
            let files = fs::read_dir(&folder).with_context(read)?;
            let mut paths =
                files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>().with_context(read)?;
            paths.sort();
            for path in paths.into_iter().filter(|path| path.is_file()) {
                inputs.push(fs::read(path).with_context(read)?);
            }
        }
        ensure!(!inputs.is_empty(), "there is no input for {} to begin with", self.name);
        Ok(inputs)
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
