//! Recording conversations: what both parties say goes to the archive, about a second at a time.
//!
//! A packet costs a copy into memory. Chunks are handed over when the call's alarm rings, and never waited for.

use std::time::Duration;

use base::id::Leg;
use base::time::Instant;
use media::record::{Channels, Chunk, Recorder, Side};
use media::session::Heard;

use super::Shard;
use crate::driver::archive::{News, Title};
use crate::driver::ground::Ground;

/// A conversation that is being recorded.
pub(super) struct Recording {
    recorder: Recorder,
    began: Instant,
    /// Whether the archive has opened its file.
    is_kept: bool,
    /// Room for the first chunk after the one that grows now; later ones get what the archive has emptied.
    spare: Option<Vec<u8>>,
    /// What the archive had no room for.
    unsent: Option<Chunk>,
    /// When the archive gets more.
    next: Instant,
}

impl Recording {
    fn new(now: Instant) -> Self {
        let recorder = Recorder::new(Channels::Stereo, now);
        let spare = Some(Recorder::fresh_chunk());
        Self { recorder, began: now, is_kept: false, spare, unsent: None, next: now + SERVED_EVERY }
    }

    pub(super) const fn next(&self) -> Instant {
        self.next
    }

    /// Takes what a party says; `packet` as it came. Allocates nothing.
    pub(super) fn hear(&mut self, leg: Leg, heard: &Heard, packet: &[u8], now: Instant) {
        let side = match leg {
            Leg::A => Side::Left,
            Leg::B => Side::Right,
        };
        self.recorder.hear(side, heard, packet, now);
    }
}

impl<G: Ground> Shard<G> {
    /// Records a call from now on, if the archive takes it; otherwise the call goes on without.
    pub(super) fn begin_recording(&mut self, number: u64, now: Instant) {
        let Some(title) = self.title(number) else { return };
        if !self.archive.as_ref().is_some_and(|intake| intake.begin(title)) {
            tracing::error!(call.id = %title.call, "the archive takes no recording; the call goes on");
            return self
                .tell(number, now, |running, now, out| running.recording_lost(Duration::ZERO, now, out));
        }
        if let Some(live) = self.calls.get_mut(&number) {
            live.recording = Some(Box::new(Recording::new(now)));
        }
        self.mark_recorded(number, true);
    }

    /// What the archive says of a call's recording. A call that is over hears it no more.
    pub(super) fn on_archive(&mut self, number: u64, news: News, now: Instant) {
        let Some(live) = self.calls.get_mut(&number) else { return };
        let Some(recording) = &mut live.recording else { return };
        match news {
            News::Began => {
                recording.is_kept = true;
                let began = recording.began;
                self.with(number, now, |running, now, out| running.recorded(began, now, out));
            }
            News::Lost { kept } => {
                live.recording = None;
                self.mark_recorded(number, false);
                self.with(number, now, |running, now, out| running.recording_lost(kept, now, out));
            }
        }
    }

    /// Hands over what is worth it, if it is time.
    pub(super) fn serve_recording(&mut self, number: u64, now: Instant) {
        let (Some(title), Some(intake)) = (self.title(number), &self.archive) else { return };
        let Some(recording) = self.calls.get_mut(&number).and_then(|live| live.recording.as_mut()) else {
            return;
        };
        if recording.next > now {
            return;
        }
        recording.next = now + SERVED_EVERY;
        recording.recorder.advance(now);
        if recording.unsent.is_none() && recording.recorder.is_ready() {
            let room = recording.spare.take().unwrap_or_else(|| intake.room());
            recording.unsent = Some(recording.recorder.take(room));
        }
        if let Some(chunk) = recording.unsent.take() {
            recording.unsent = intake.append(title, chunk).err();
        }
    }

    /// Ends a call's recording, if it has one.
    pub(super) fn end_recording(&mut self, number: u64, now: Instant) {
        let Some(title) = self.title(number) else { return };
        let ended = self.calls.get_mut(&number).and_then(|live| live.recording.take());
        let Some(Recording { recorder, began, is_kept, unsent, .. }) = ended.map(|ended| *ended) else {
            return;
        };
        self.mark_recorded(number, false);
        let dropped = recorder.dropped();
        if dropped > 0 {
            tracing::warn!(call.id = %title.call, dropped, "the disk was too slow: samples of a recording are lost");
        }
        let Some(intake) = &mut self.archive else { return };
        if is_kept {
            let rest = unsent.into_iter().chain([recorder.finish(now)]).collect();
            intake.end(title, rest, now.since(began));
        } else {
            // Nobody was told that there is one.
            intake.discard(title);
        }
    }

    /// The thread ends: the files of calls that still run end where they are.
    pub(super) fn end_all_recordings(&mut self, now: Instant) {
        let numbers: Vec<u64> = self.numbers.values().copied().collect();
        numbers.into_iter().for_each(|number| self.end_recording(number, now));
        if let Some(intake) = &mut self.archive {
            intake.close();
        }
    }

    fn mark_recorded(&mut self, number: u64, recorded: bool) {
        for leg in [Leg::A, Leg::B] {
            if let Some(wire) = self.wire_mut(number, leg) {
                wire.recorded = recorded;
            }
        }
    }

    fn title(&self, number: u64) -> Option<Title> {
        let call = self.calls.get(&number)?.running.call().id;
        Some(Title { call, shard: self.number, number })
    }
}

/// How often the archive gets what is ready: half of what a chunk takes to be.
const SERVED_EVERY: Duration = Duration::from_millis(500);
