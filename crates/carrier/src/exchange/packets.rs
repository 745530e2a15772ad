//! What comes to the telephones' sockets, and what their clocks bring.

use base::time::Instant;
use media::dtmf::Key;
use media::session::Due;

use super::Exchange;
use crate::leg::CHORES;
use crate::phone::Event;

impl Exchange {
    pub(super) fn on_rtp(&mut self, place: usize, now: Instant) {
        let Some(leg) = self.legs.get_mut(place) else { return };
        let Some(media) = &mut leg.media else { return };
        self.current = Some(place);
        let mut keys = Vec::new();
        if media.hear(&mut self.buffer, now, |key| keys.push(key)) {
            leg.phone.hear(now);
        }
        self.write_down(place, &keys);
        self.arm(place);
    }

    pub(super) fn on_rtcp(&mut self, place: usize, now: Instant) {
        let Some(leg) = self.legs.get_mut(place) else { return };
        let Some(media) = &mut leg.media else { return };
        self.current = Some(place);
        if media.hear_rtcp(&mut self.buffer, now) {
            leg.phone.hear(now);
        }
    }

    /// Keys that were heard.
    pub(super) fn write_down(&self, place: usize, keys: &[Key]) {
        if let (Some(leg), false) = (self.legs.get(place), keys.is_empty()) {
            self.ledger.change(leg.serial, |report| {
                let room = DIGITS_MAX.saturating_sub(report.digits.len());
                report.digits.extend(keys.iter().take(room).map(|key| key.letter()));
            });
        }
    }

    /// A leg's moment has come.
    pub(super) fn wake(&mut self, place: usize, now: Instant) {
        self.current = Some(place);
        let Some(leg) = self.legs.get_mut(place) else { return };
        let (mut keys, mut silent) = (Vec::new(), false);
        if let Some(media) = &mut leg.media {
            media.wire.tick(now, |due| match due {
                Due::Pressed(pressed) => keys.push(pressed.key),
                Due::ClipEnded(_) => silent = true,
                Due::KeysSent | Due::Rtp(_) | Due::Rtcp(_) | Due::Announced(_) | Due::PickedUp(_) => {}
            });
        }
        if leg.chores.is_some_and(|at| at <= now) {
            leg.chores = Some(now + CHORES);
            leg.do_chores(&self.ledger, now);
        }
        if silent {
            self.next_tone(place, now);
        }
        self.write_down(place, &keys);
        self.tell(place, Event::Deadline, now);
    }
}

/// Keys kept of one call.
const DIGITS_MAX: usize = 1_024;
