//! The file of one recording: a whole WAV file whenever nobody writes it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use media::g711::{ALAW_SILENCE, SAMPLE_RATE};
use media::record::{Channels, Chunk, WAV_HEADER_BYTES, alaw_wav_header};

use crate::driver::files::open_private;

/// One recording's file.
pub(super) struct RecordingFile {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// Samples of each channel that stand in it.
    samples: u64,
}

impl RecordingFile {
    /// Opens a file that was not there, and that only we may read.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let file = open_private(&path, OpenOptions::new().write(true).create_new(true))?;
        let file = Self { file, path, samples: 0 };
        match file.write_header() {
            Ok(()) => Ok(file),
            Err(fault) => {
                file.remove();
                Err(fault)
            }
        }
    }

    pub(super) fn append(&mut self, chunk: &Chunk) -> io::Result<()> {
        self.be_silent_until(chunk.at)?;
        self.file.write_all_at(&chunk.bytes, place(chunk.at))?;
        self.samples = chunk.at + chunk.bytes.len() as u64 / FRAME_BYTES;
        self.write_header()
    }

    /// Writes the rest, so that the recording is exactly as long as it was said to be.
    pub(super) fn complete(&mut self, rest: &[Chunk], length: Duration) -> io::Result<()> {
        for chunk in rest {
            self.append(chunk)?;
        }
        self.be_silent_until(samples_in(length))?;
        self.write_header()
    }

    fn be_silent_until(&mut self, at: u64) -> io::Result<()> {
        while self.samples < at {
            let samples = (at - self.samples).min(SILENCE.len() as u64 / FRAME_BYTES);
            // No more than the constant's own length.
            let bytes = &SILENCE[..(samples * FRAME_BYTES) as usize];
            self.file.write_all_at(bytes, place(self.samples))?;
            self.samples += samples;
        }
        Ok(())
    }

    fn write_header(&self) -> io::Result<()> {
        let bytes = u32::try_from(self.samples * FRAME_BYTES).unwrap_or(u32::MAX);
        self.file.write_all_at(&alaw_wav_header(Channels::Stereo, bytes), 0)
    }

    pub(super) fn length(&self) -> Duration {
        Duration::from_micros(self.samples * 1_000_000 / u64::from(SAMPLE_RATE))
    }

    pub(super) fn remove(self) {
        if let Err(fault) = fs::remove_file(&self.path) {
            tracing::warn!("cannot remove a recording that is not kept: {fault}");
        }
    }
}

/// Where a sample of both channels stands in the file.
const fn place(sample: u64) -> u64 {
    WAV_HEADER_BYTES as u64 + sample * FRAME_BYTES
}

fn samples_in(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX) / (1_000_000 / u64::from(SAMPLE_RATE))
}

/// Bytes of a sample of both channels.
const FRAME_BYTES: u64 = 2;

/// Half a second of silence, as often as it is needed.
static SILENCE: [u8; 8_192] = [ALAW_SILENCE; 8_192];
