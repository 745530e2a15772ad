//! Where the recording of a call is kept.

use std::path::{Path, PathBuf};

use base::id::CallId;

/// The file in which the recording of a call is kept, below the folder of all recordings:
/// `7f/019b7f0c4a2e7f3d….wav`, in a folder by the first random byte of its id, so that no folder gets large.
///
/// It is a WAV file of A-law at 8,000 samples a second, the caller left and the callee right.
#[must_use]
pub fn recording_path(recordings: &Path, call: CallId) -> PathBuf {
    // The upper six of the sixteen bytes are the time.
    let [.., first, _, _, _, _, _, _, _, _, _] = call.to_bytes();
    recordings.join(format!("{first:02x}")).join(format!("{call}.wav"))
}

#[cfg(test)]
mod tests {
    use base::time::Timestamp;

    use super::*;

    #[test]
    fn a_recording_lies_in_a_folder_by_chance() {
        let call = CallId::new(Timestamp::from_millis(1), 0x7f << 72 | 1);
        assert_eq!(
            recording_path(Path::new("/r"), call),
            Path::new("/r/7f/0000000000017f000000000000000001.wav")
        );
    }
}
