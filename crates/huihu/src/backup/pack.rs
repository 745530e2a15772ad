//! Making a backup of a data directory while somebody may serve from it.
//!
//! The database is copied as it is at one moment, without making its writer wait. Clips never change and recordings are
//! taken of calls that were over by then, so what is copied later still belongs to that moment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base::time::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use store::Inspection;

use super::manifest::{CLIPS, FILES_MAX, Listed, MANIFEST, Manifest, Part};
use super::{Scratch, Summed, check_room};

/// What goes into a backup besides the database and the clips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    pub(crate) recordings: bool,
    pub(crate) key: bool,
}

/// A backup that was made.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) manifest: Manifest,
    /// Recordings that the database knows, and that are not there.
    pub(crate) absent: usize,
    /// Bytes of the file.
    pub(crate) bytes: u64,
}

/// Makes a backup. Nothing is left behind when it fails, and no file is written over.
pub(crate) fn pack(dir: &Path, extras: Extras, now: Timestamp, file: &Path) -> Result<Packed> {
    if file.symlink_metadata().is_ok() {
        bail!("{} exists already: choose another name", file.display());
    }
    let live = Inspection::open(dir)?;
    let scratch = Scratch::new(beside(file)?)?;
    let database = Part::Database.path(scratch.path());
    check_room(scratch.path(), size(&Part::Database.path(dir))?)?;
    live.copy_to(&database)?;
    let (wanted, mut absent) = wanted(dir, scratch.path(), extras)?;
    let place = |part: Part| match part {
        Part::Database => database.clone(),
        Part::Key | Part::Clip(_) | Part::Recording(_) => part.path(dir),
    };
    let mut files = Vec::with_capacity(wanted.len());
    for part in wanted {
        match (sum(&place(part)), part) {
            (Ok((bytes, sha256)), _) => files.push(Listed { part, bytes, sha256 }),
            // It was kept for long enough just now.
            (Err(_), Part::Recording(_)) if !place(part).exists() => absent += 1,
            (Err(fault), _) => return Err(fault),
        }
    }
    let manifest = Manifest { made_at: now, program: env!("CARGO_PKG_VERSION").to_owned(), files };
    let half = scratch.path().join("half");
    write(&manifest, place, &half)?;
    let bytes = size(&half)?;
    fs::rename(&half, file).with_context(|| format!("cannot write {}", file.display()))?;
    sync(file.parent())?;
    Ok(Packed { manifest, absent, bytes })
}

/// What belongs into the backup, and how many recordings are known that are not there.
fn wanted(dir: &Path, copied: &Path, extras: Extras) -> Result<(Vec<Part>, usize)> {
    let mut parts = vec![Part::Database];
    if extras.key {
        parts.push(Part::Key);
    }
    parts.extend(clips(&dir.join(CLIPS))?);
    let mut absent = 0;
    if extras.recordings {
        for call in Inspection::open(copied)?.recorded()? {
            let part = Part::Recording(call);
            if part.path(dir).is_file() {
                parts.push(part);
            } else {
                absent += 1;
            }
        }
    }
    if parts.len() > FILES_MAX {
        bail!(
            "there are {} files, and a backup holds {FILES_MAX}: leave --recordings away, and copy their folder by other means",
            parts.len()
        );
    }
    Ok((parts, absent))
}

/// The clips in their folder, by name; what is being written has another one.
fn clips(folder: &Path) -> Result<Vec<Part>> {
    let listed = match fs::read_dir(folder) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    let mut names = Vec::new();
    for entry in listed {
        names.push(entry.with_context(|| format!("cannot read {}", folder.display()))?.file_name());
    }
    names.sort_unstable();
    Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok().map(Part::Clip)).collect())
}

fn write(manifest: &Manifest, place: impl Fn(Part) -> PathBuf, half: &Path) -> Result<()> {
    let cannot = || format!("cannot write {}", half.display());
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(half).with_context(cannot)?;
    let packed = GzEncoder::new(BufWriter::new(file), Compression::fast());
    let mut archive = tar::Builder::new(packed);
    let text = manifest.print();
    append(&mut archive, MANIFEST, (text.len() as u64, manifest.made_at), text.as_slice())
        .with_context(cannot)?;
    for Listed { part, bytes, sha256 } in &manifest.files {
        let (name, path) = (part.name(), place(*part));
        let mut file = Summed::new(open(&path)?.take(*bytes));
        append(&mut archive, &name, (*bytes, manifest.made_at), &mut file).with_context(cannot)?;
        if file.sum() != (*bytes, *sha256) {
            bail!("{} changed while it was copied: try again", path.display());
        }
    }
    let packed = archive.into_inner().with_context(cannot)?;
    let file = packed.finish().with_context(cannot)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error).with_context(cannot)?;
    file.sync_all().with_context(cannot)
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    (bytes, made_at): (u64, Timestamp),
    file: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(made_at.secs()).unwrap_or(0));
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    archive.append(&header, file)
}

/// Size and SHA-256 of a file as it is now.
fn sum(path: &Path) -> Result<(u64, [u8; 32])> {
    let mut file = Summed::new(open(path)?);
    io::copy(&mut file, &mut io::sink()).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(file.sum())
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot read {}", path.display()))
}

fn size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len())
}

/// A folder on the same file system for what is not ready yet.
fn beside(file: &Path) -> Result<PathBuf> {
    let Some(name) = file.file_name() else { bail!("{} is no name of a file", file.display()) };
    Ok(file.with_file_name(format!("{}.half", name.to_string_lossy())))
}

/// A name is durable once the folder that holds it is.
pub(super) fn sync(folder: Option<&Path>) -> Result<()> {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("cannot write {}", folder.display()))
}
