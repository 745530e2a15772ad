//! What a leg is made to hear: clips encoded once, shared by every call, strung together without a gap.

use std::fmt;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use crate::g711::{Law, SAMPLE_RATE, transcode};

/// Clips in one playlist: the longest code, 8 digits said 9 times with pauses between, takes 80.
pub const CLIPS_PER_PLAYLIST: usize = 128;

/// A voice or tone in both laws of G.711, 8,000 samples a second. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Clip {
    alaw: Arc<[u8]>,
    ulaw: Arc<[u8]>,
}

impl Clip {
    /// A clip of A-law samples. The mu-law form is made here, once.
    #[must_use]
    pub fn from_alaw(samples: &[u8]) -> Self {
        let mut other = samples.to_vec();
        transcode(&mut other, Law::Pcma, Law::Pcmu);
        Self { alaw: samples.into(), ulaw: other.into() }
    }

    /// The samples in the given law, a byte each.
    #[must_use]
    #[inline]
    pub fn samples(&self, law: Law) -> &[u8] {
        match law {
            Law::Pcma => &self.alaw,
            Law::Pcmu => &self.ulaw,
        }
    }

    /// How long the clip plays.
    #[must_use]
    pub fn duration(&self) -> Duration {
        duration_of(self.alaw.len())
    }
}

/// Says nothing of the samples: they may speak a code.
impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clip")
    }
}

/// How often a playlist plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plays {
    /// This many times.
    Times(NonZeroU16),
    /// Until something else is played.
    Endless,
}

impl Plays {
    /// From first to last clip, one time.
    pub const ONCE: Self = Self::Times(NonZeroU16::MIN);
}

/// Clips in the order in which they are heard. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Playlist {
    clips: Arc<[Clip]>,
    plays: Plays,
}

impl Playlist {
    /// A playlist; `None` when there is nothing to hear or when there are more than [`CLIPS_PER_PLAYLIST`] clips.
    #[must_use]
    pub fn new(clips: impl IntoIterator<Item = Clip>, plays: Plays) -> Option<Self> {
        // An empty clip is nothing to hear, and an endless list of them would be no end of work.
        let clips: Vec<Clip> = clips.into_iter().filter(|clip| !clip.alaw.is_empty()).collect();
        let fits = !clips.is_empty() && clips.len() <= CLIPS_PER_PLAYLIST;
        fits.then(|| Self { clips: clips.into(), plays })
    }

    /// How long it plays in all; `None` when it never ends.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let Plays::Times(times) = self.plays else { return None };
        let samples: usize = self.clips.iter().map(|clip| clip.alaw.len()).sum();
        Some(duration_of(samples) * u32::from(times.get()))
    }
}

/// A place in a playlist.
#[derive(Clone, Debug)]
pub(crate) struct Reel {
    list: Playlist,
    clip: usize,
    sample: usize,
    plays_done: u16,
}

impl Reel {
    pub(crate) const fn new(list: Playlist) -> Self {
        Self { list, clip: 0, sample: 0, plays_done: 0 }
    }

    /// Whether the last sample has been handed out.
    pub(crate) const fn is_over(&self) -> bool {
        match self.list.plays {
            Plays::Times(times) => self.plays_done >= times.get(),
            Plays::Endless => false,
        }
    }

    /// Fills the frame with what comes next; clips follow each other without a gap, and silence follows the last.
    pub(crate) fn fill(&mut self, frame: &mut [u8], law: Law) {
        let mut rest = frame;
        while !rest.is_empty() && !self.is_over() {
            let samples = &self.list.clips[self.clip].samples(law)[self.sample..];
            let taken = samples.len().min(rest.len());
            let (head, tail) = rest.split_at_mut(taken);
            head.copy_from_slice(&samples[..taken]);
            rest = tail;
            self.sample += taken;
            if taken == samples.len() {
                self.next_clip();
            }
        }
        rest.fill(law.silence());
    }

    fn next_clip(&mut self) {
        self.sample = 0;
        self.clip += 1;
        if self.clip == self.list.clips.len() {
            self.clip = 0;
            // Only compared when the number of plays is bounded by the same type.
            self.plays_done = self.plays_done.saturating_add(1);
        }
    }
}

fn duration_of(samples: usize) -> Duration {
    Duration::from_micros(samples as u64 * 1_000_000 / u64::from(SAMPLE_RATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(list: Playlist, law: Law, count: usize) -> Vec<u8> {
        let mut reel = Reel::new(list);
        let mut heard = vec![0; count * 4];
        heard.chunks_mut(4).for_each(|frame| reel.fill(frame, law));
        heard
    }

    #[test]
    fn the_next_clip_begins_in_the_frame_in_which_the_last_one_ended() {
        let list = Playlist::new([Clip::from_alaw(&[1; 5]), Clip::from_alaw(&[2; 2])], Plays::ONCE).unwrap();
        assert_eq!(list.duration(), Some(Duration::from_micros(875)));
        assert_eq!(frames(list, Law::Pcma, 3), [1, 1, 1, 1, 1, 2, 2, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5]);
    }

    #[test]
    fn repetitions_are_gapless_too() {
        let twice = Plays::Times(NonZeroU16::new(2).unwrap());
        let list = Playlist::new([Clip::from_alaw(&[1, 2, 3])], twice).unwrap();
        assert_eq!(frames(list, Law::Pcma, 2), [1, 2, 3, 1, 2, 3, 0xd5, 0xd5]);
        let endless = Playlist::new([Clip::from_alaw(&[1, 2, 3])], Plays::Endless).unwrap();
        assert_eq!(endless.duration(), None);
        assert_eq!(frames(endless, Law::Pcma, 2), [1, 2, 3, 1, 2, 3, 1, 2]);
    }

    #[test]
    fn mu_law_legs_hear_mu_law() {
        let list = Playlist::new([Clip::from_alaw(&[0xd5, 0x55])], Plays::ONCE).unwrap();
        assert_eq!(frames(list, Law::Pcmu, 1), [0xfe, 0x7e, 0xff, 0xff]);
    }

    #[test]
    fn nothing_is_no_playlist() {
        assert!(Playlist::new([], Plays::ONCE).is_none());
        assert!(Playlist::new([Clip::from_alaw(&[])], Plays::Endless).is_none());
        assert!(Playlist::new(vec![Clip::from_alaw(&[1]); CLIPS_PER_PLAYLIST + 1], Plays::ONCE).is_none());
    }
}
