//! Reading a backup that anybody may have written: nothing is taken that its manifest does not list, in its order, of its
//! size and with its sum. No name from the archive becomes a path, nothing but plain files is in it, and no more is
//! unpacked than the manifest admits to.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use super::manifest::{CLIPS, Listed, MANIFEST, MANIFEST_BYTES, Manifest, Part, RECORDINGS};
use super::{Summed, check_room, pack};

/// Which files are written, the others being read and compared only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    Everything,
    /// What is needed to judge the database.
    Database,
}

impl Take {
    fn takes(self, part: Part) -> bool {
        match (self, part) {
            (Self::Everything, _) | (_, Part::Database | Part::Key) => true,
            (Self::Database, Part::Clip(_) | Part::Recording(_)) => false,
        }
    }
}

/// Reads a backup to its end, and writes what is taken of it into a folder that is empty.
pub(crate) fn unpack(file: &Path, take: Take, dir: &Path) -> Result<Manifest> {
    let packed = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    read(BufReader::new(packed), take, dir).with_context(|| format!("{} is no sound backup", file.display()))
}

fn read(packed: impl Read, take: Take, dir: &Path) -> Result<Manifest> {
    let mut archive = Archive::new(GzDecoder::new(packed));
    // Raw: extensions of the format, such as long names and links, come as entries of kinds that are refused.
    let mut entries = archive.entries()?.raw(true);
    let mut next = || entries.next().transpose().context("the archive cannot be read");
    let first = next()?.ok_or_else(|| anyhow!("it is empty"))?;
    let manifest = Manifest::parse(&listed_first(first)?)?;
    let needed = manifest.files.iter().filter(|file| take.takes(file.part)).map(|file| file.bytes);
    check_room(dir, needed.sum())?;
    for file in &manifest.files {
        let name = file.part.name();
        let mut entry = next()?.ok_or_else(|| anyhow!("it ends before {name}"))?;
        check(entry.header(), &name, file.bytes)?;
        match take.takes(file.part) {
            true => copy(&mut entry, file, create(&file.part.path(dir))?)?.sync_all()?,
            false => drop(copy(&mut entry, file, io::sink())?),
        }
    }
    if next()?.is_some() {
        bail!("it holds more than its manifest lists");
    }
    finish(archive.into_inner())?;
    if take == Take::Everything {
        for folder in [dir.join(CLIPS), dir.join(RECORDINGS), dir.to_owned()] {
            if folder.is_dir() {
                pack::sync(Some(&folder))?;
            }
        }
    }
    Ok(manifest)
}

/// The first file, which must be the manifest.
fn listed_first(mut entry: tar::Entry<'_, impl Read>) -> Result<Vec<u8>> {
    let bytes = entry.header().size().context("its first file has no size")?;
    check(entry.header(), MANIFEST, bytes)?;
    if bytes > MANIFEST_BYTES {
        bail!("its manifest has {bytes} bytes, and may have {MANIFEST_BYTES}");
    }
    let mut text = Vec::new();
    entry.read_to_end(&mut text).context("its manifest cannot be read")?;
    Ok(text)
}

/// Whether an entry is the plain file that comes next.
fn check(header: &tar::Header, name: &str, bytes: u64) -> Result<()> {
    if *header.path_bytes() != *name.as_bytes() {
        bail!("there is something else where {name} should be");
    }
    if header.entry_type() != EntryType::Regular {
        bail!("{name} is no plain file in it");
    }
    let found = header.size().with_context(|| format!("{name} has no size in it"))?;
    if found != bytes {
        bail!("{name} has {found} bytes, and {bytes} by the manifest");
    }
    Ok(())
}

/// Copies a file, at most as much of it as the manifest lists, and compares its sum.
fn copy<W: Write>(entry: &mut impl Read, file: &Listed, to: W) -> Result<W> {
    let name = file.part.name();
    let mut to = Summed::new(to);
    io::copy(&mut entry.take(file.bytes), &mut to).with_context(|| format!("cannot unpack {name}"))?;
    let (bytes, digest) = (to.bytes, to.digest.clone());
    let inner = to.inner;
    if (bytes, sha2::Digest::finalize(digest).into()) != (file.bytes, file.sha256) {
        bail!("{name} is damaged: its SHA-256 is not that of the manifest");
    }
    Ok(inner)
}

/// What follows the last file is padding, and then the end: gzip's own sum is compared there.
fn finish(mut packed: impl Read) -> Result<()> {
    let rest = io::copy(&mut packed.by_ref().take(PADDING_MAX + 1), &mut io::sink());
    if rest.context("the archive is damaged at its end")? > PADDING_MAX {
        bail!("it goes on after its end");
    }
    Ok(())
}

fn create(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("cannot write {}", path.display()))
}

/// Empties a folder again that was empty before.
pub(crate) fn empty(dir: &Path) {
    let of = |part: Part| part.path(dir);
    for file in [of(Part::Database), of(Part::Key)] {
        fs::remove_file(file).ok();
    }
    for folder in [dir.join(CLIPS), dir.join(RECORDINGS)] {
        fs::remove_dir_all(folder).ok();
    }
}

/// Whether a folder has nothing in it; one that is not there has not.
pub(crate) fn is_empty(dir: &Path) -> Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(fault) => Err(fault).with_context(|| format!("cannot look into {}", dir.display())),
    }
}

/// Makes the folder that is restored to.
pub(crate) fn make(dir: &Path) -> Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot make the folder {}", dir.display()))?;
    Ok(dir.to_owned())
}

/// Bytes that a writer of archives may add at the end: tar fills records of up to 10 KiB, some writers far more.
const PADDING_MAX: u64 = 1_024 * 1_024;
