//! What a telephone heard, as a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use base::time::Instant;
use media::record::{Channels, Recorder, Side, WAV_HEADER_BYTES, alaw_wav_header};
use media::session::Heard;

/// A recording that grows. The file is opened for each chunk, every two seconds: hundreds of calls then cost no file
/// descriptors.
pub(crate) struct Tape {
    recorder: Recorder,
    path: PathBuf,
    written: u32,
}

impl Tape {
    /// Begins a file with an empty recording.
    pub(crate) fn create(path: PathBuf, now: Instant) -> io::Result<Self> {
        fs::write(&path, alaw_wav_header(Channels::Mono, 0))?;
        Ok(Self { recorder: Recorder::new(Channels::Mono, now), path, written: 0 })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn hear(&mut self, heard: &Heard, bytes: &[u8], now: Instant) {
        self.recorder.hear(Side::Left, heard, bytes, now);
    }

    /// Lets time pass, and writes what is worth writing. Call it a few times a second.
    pub(crate) fn advance(&mut self, now: Instant) {
        self.recorder.advance(now);
        if self.recorder.is_ready() {
            let chunk = self.recorder.take(Recorder::fresh_chunk());
            if let Err(fault) = self.append(&chunk.bytes) {
                self.complain(&fault);
            }
        }
    }

    /// Ends the recording.
    pub(crate) fn finish(mut self, now: Instant) {
        let recorder = std::mem::replace(&mut self.recorder, Recorder::new(Channels::Mono, now));
        let rest = recorder.finish(now).bytes;
        if let Err(fault) = self.append(&rest).and_then(|()| self.write_length()) {
            self.complain(&fault);
        }
    }

    fn append(&mut self, samples: &[u8]) -> io::Result<()> {
        let mut file = self.open()?;
        file.seek(SeekFrom::Start(WAV_HEADER_BYTES as u64 + u64::from(self.written)))?;
        file.write_all(samples)?;
        self.written = self.written.saturating_add(u32::try_from(samples.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    fn write_length(&self) -> io::Result<()> {
        let mut file = self.open()?;
        file.write_all(&alaw_wav_header(Channels::Mono, self.written))?;
        if self.written % 2 == 1 {
            // Chunks of a RIFF file have even lengths.
            file.seek(SeekFrom::End(0))?;
            file.write_all(&[0])?;
        }
        Ok(())
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new().write(true).open(&self.path)
    }

    /// The path holds a number, so only the fault is told.
    fn complain(&self, fault: &io::Error) {
        tracing::warn!("cannot write what a simulated telephone heard: {fault}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_of_silence_is_as_long_as_the_call() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        let mut tape = Tape::create(path.clone(), Instant::START).unwrap();
        (1..=50).for_each(|turn| tape.advance(Instant::from_millis(turn * 100)));
        assert!(fs::metadata(&path).unwrap().len() > 32_000, "chunks are written as they come");
        tape.finish(Instant::from_millis(5_000));
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), WAV_HEADER_BYTES + 40_000);
        assert_eq!(bytes[..WAV_HEADER_BYTES], alaw_wav_header(Channels::Mono, 40_000));
    }
}
