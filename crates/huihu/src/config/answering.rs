//! `[answering]`: who picks up, and what networks say before.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base::answerer::OnMachine;
use base::limits;
use base::release::Cause;
use engine::answering::{self, Announced};
use media::announcement::{Announcements, REFERENCES, Reference};
use serde::{Deserialize, Serialize};

/// The table as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answering {
    /// What is done about machines that pick up a notice, a menu or a code.
    pub(crate) machine: OnMachine,
    /// Seconds in which it is said who has picked up.
    pub(crate) machine_secs: u64,
    /// A folder with what networks say.
    pub(crate) announcements: Option<PathBuf>,
    /// Whether a known announcement ends the attempt.
    pub(crate) announcements_end_calls: bool,
    /// Seconds that a telephone may ring.
    pub(crate) ring_secs: u64,
    /// Seconds without early media after which the wait voice is heard again.
    pub(crate) early_silence_secs: u64,
}

impl Default for Answering {
    fn default() -> Self {
        let answering::Answering { machine, patience, early_silence, .. } = answering::Answering::default();
        Self {
            machine,
            machine_secs: patience.as_secs(),
            announcements: None,
            announcements_end_calls: false,
            ring_secs: limits::RING.as_secs(),
            early_silence_secs: early_silence.as_secs(),
        }
    }
}

impl Answering {
    /// Whether the numbers make sense.
    pub(super) fn check(&self) -> Result<()> {
        if !(2..=10).contains(&self.machine_secs) {
            bail!("answering.machine_secs = {}: set 2 to 10, such as 4", self.machine_secs);
        }
        if !(5..=RING_SECS_MAX).contains(&self.ring_secs) {
            bail!("answering.ring_secs = {}: set 5 to {RING_SECS_MAX}", self.ring_secs);
        }
        if !(1..=60).contains(&self.early_silence_secs) {
            bail!("answering.early_silence_secs = {}: set 1 to 60", self.early_silence_secs);
        }
        if self.announcements_end_calls && self.announcements.is_none() {
            bail!(
                "answering.announcements_end_calls does nothing without recordings: set answering.announcements"
            );
        }
        Ok(())
    }

    /// How long a telephone may ring.
    pub(crate) const fn ring(&self) -> Duration {
        Duration::from_secs(self.ring_secs)
    }

    /// What the engine is told of it; reads the recordings.
    pub(crate) fn read(&self) -> Result<answering::Answering> {
        let announcements = self.announcements.as_deref().map(read_folder).transpose()?;
        Ok(answering::Answering {
            machine: self.machine,
            patience: Duration::from_secs(self.machine_secs),
            announcements: announcements.unwrap_or_default(),
            announced: if self.announcements_end_calls { Announced::Ends } else { Announced::WaitsOn },
            early_silence: Duration::from_secs(self.early_silence_secs),
        })
    }
}

/// Prepares every recording of a folder.
fn read_folder(folder: &Path) -> Result<Announcements> {
    let cannot = || format!("cannot read answering.announcements = {:?}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        paths.push(entry.with_context(cannot)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wav")));
    paths.sort();
    if paths.is_empty() {
        bail!(
            "answering.announcements = {:?} has no recordings: put files such as powered_off-1.wav there",
            folder.display()
        );
    }
    if paths.len() > REFERENCES {
        bail!(
            "answering.announcements = {:?} has {} recordings, and may have {REFERENCES}: remove some",
            folder.display(),
            paths.len()
        );
    }
    Ok(Announcements::new(paths.iter().map(|path| read_recording(path)).collect::<Result<Vec<_>>>()?))
}

fn read_recording(path: &Path) -> Result<Reference> {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let of = |(word, _): &&(&str, Cause)| name.strip_prefix(word).is_some_and(|rest| rest.starts_with('-'));
    let Some((_, cause)) = CAUSES.iter().find(of) else {
        let words: Vec<_> = CAUSES.iter().map(|(word, _)| *word).collect();
        bail!(
            "{} does not say what it announces: name it as one of {}, a dash and anything",
            path.display(),
            words.join(", ")
        );
    };
    let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let clip = speech::wav::import(&file).with_context(|| format!("cannot use {}", path.display()))?;
    Reference::new(*cause, &clip.alaw).with_context(|| {
        format!("{} has less than two seconds in which something is said: record more of it", path.display())
    })
}

/// What a recording's name may say.
const CAUSES: [(&str, Cause); 7] = [
    ("powered_off", Cause::PoweredOff),
    ("busy", Cause::Busy),
    ("no_such_number", Cause::NoSuchNumber),
    ("unreachable", Cause::Unreachable),
    ("no_answer", Cause::NoAnswer),
    ("rejected", Cause::Rejected),
    ("failed", Cause::Announcement),
];

/// The longest that a telephone rings: SIP itself lets an INVITE wait for three minutes (RFC 3261 16.6).
const RING_SECS_MAX: u64 = 180;

#[cfg(test)]
mod tests {
    use speech::sample::Sample;
    use speech::wav::wav_alaw;

    use super::*;

    #[test]
    fn recordings_are_known_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let config = || Answering { announcements: Some(folder.path().to_owned()), ..Answering::default() };
        let told =
            || config().read().map(|read| read.announcements.len()).map_err(|fault| format!("{fault:#}"));
        assert!(told().unwrap_err().contains("has no recordings"));
        let put = |name: &str, alaw: &[u8]| fs::write(folder.path().join(name), wav_alaw(alaw)).unwrap();
        put("busy-1.wav", Sample::Busy.alaw());
        put("no_such_number-telecom.WAV", Sample::EmptyNumber.alaw());
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        assert_eq!(told(), Ok(2));
        put("busily.wav", Sample::Busy.alaw());
        assert!(told().unwrap_err().contains("busily.wav does not say what it announces"), "{:?}", told());
        fs::remove_file(folder.path().join("busily.wav")).unwrap();
        put("busy-2.wav", Sample::Again.alaw());
        assert!(told().unwrap_err().contains("less than two seconds"), "{:?}", told());
        fs::write(folder.path().join("busy-2.wav"), "no sound").unwrap();
        assert!(told().unwrap_err().contains("cannot use"), "{:?}", told());
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let told = |change: fn(&mut Answering)| {
            let mut config = Answering::default();
            change(&mut config);
            config.check().map_err(|fault| fault.to_string())
        };
        assert_eq!(told(|_| ()), Ok(()));
        assert!(told(|config| config.machine_secs = 1).is_err());
        assert!(told(|config| config.ring_secs = 181).is_err());
        assert!(told(|config| config.early_silence_secs = 0).is_err());
        let alone = told(|config| config.announcements_end_calls = true).unwrap_err();
        assert!(alone.contains("set answering.announcements"), "{alone}");
    }
}
