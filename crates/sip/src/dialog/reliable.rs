//! Reliable provisionals (RFC 3262): the caller acknowledges them with PRACK, the callee repeats them until it does.
//!
//! A PRACK is a transaction of its own. Neither the INVITE nor its answer waits for it on the caller's side. The callee
//! holds its 2xx back until the last provisional is acknowledged: it must when that carried a session description
//! (RFC 3262 3), and otherwise a late PRACK would have nobody to take it.

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;

use super::tools::Tools;
use super::{Errand, Leg, Stage, heard, letter};
use crate::event::{Datagram, Event, Fault};
use crate::message::Message;
use crate::timer::Timer;
use crate::transport::Hop;

/// The callee's side: what was sent and what waits its turn.
#[derive(Default)]
pub(super) struct Sender {
    /// Whether the caller supports 100rel.
    pub(super) supported: bool,
    last_rseq: Option<u32>,
    outstanding: Option<Outstanding>,
    waiting: VecDeque<Provisional>,
    /// The answer that waits for a PRACK.
    answer: Option<Vec<u8>>,
}

/// The one reliable provisional that has no PRACK.
struct Outstanding {
    rseq: u32,
    bytes: Datagram,
    to: Hop,
    interval: Duration,
}

struct Provisional {
    status: u16,
    sdp: Option<Vec<u8>>,
}

impl Sender {
    /// Nothing sent yet. `supported`: whether the caller takes reliable provisionals.
    pub(super) fn new(supported: bool) -> Self {
        Self { supported, ..Self::default() }
    }
}

impl Leg {
    /// The caller's side: sends the PRACK of a reliable provisional. `false`: the provisional came before, or too
    /// early, and must not be looked at (RFC 3262 4).
    pub(super) fn acknowledge_provisional(
        &mut self,
        dialog: usize,
        response: &Message<'_>,
        tools: &mut Tools<'_>,
    ) -> bool {
        let Some(rseq) = heard::reliable(response) else { return true };
        let expected = self.dialogs[dialog].rseq.map(|last| last.wrapping_add(1));
        if expected.is_some_and(|expected| expected != rseq) {
            return false;
        }
        self.dialogs[dialog].rseq = Some(rseq);
        let rack = format!("{rseq} {} INVITE", response.cseq());
        let extra = letter::Extra { headers: &[("RAck", &rack)], body: None };
        self.request(dialog, Errand::Prack, &extra, tools);
        true
    }

    /// The callee's side: sends a provisional reliably, or lets it wait for the PRACK of the one before.
    pub(super) fn ring_reliably(&mut self, status: u16, sdp: Option<Vec<u8>>, tools: &mut Tools<'_>) {
        let Some(incoming) = &mut self.incoming else { return };
        let provisional = Provisional { status, sdp };
        if incoming.reliable.outstanding.is_none() {
            self.send_reliable(provisional, tools);
        } else if incoming.reliable.waiting.len() < WAITING_MAX {
            incoming.reliable.waiting.push_back(provisional);
        }
    }

    /// Whether the answer must wait for a PRACK; then it is kept.
    pub(super) fn hold_answer(&mut self, sdp: &[u8]) -> bool {
        let Some(incoming) = &mut self.incoming else { return false };
        let hold = incoming.reliable.outstanding.is_some();
        if hold {
            incoming.reliable.waiting.clear();
            incoming.reliable.answer = Some(sdp.to_vec());
        }
        hold
    }

    /// A PRACK has come: 200 when it is about our provisional, else 481 (RFC 3262 3).
    pub(super) fn on_prack(&mut self, key: u64, prack: &Message<'_>, tools: &mut Tools<'_>) {
        let told = heard::acknowledged(prack);
        let ours = self.incoming.as_ref().and_then(|incoming| {
            let outstanding = incoming.reliable.outstanding.as_ref()?;
            Some((outstanding.rseq, incoming.cseq))
        });
        if told.is_none() || told != ours {
            return tools.refuse(key, 481, None, &[]);
        }
        self.accept(key, None, tools);
        self.timers.stop(Timer::Reliable);
        self.timers.stop(Timer::ReliableLost);
        let Some(incoming) = &mut self.incoming else { return };
        incoming.reliable.outstanding = None;
        if let Some(answer) = incoming.reliable.answer.take() {
            self.answer(&answer, tools);
        } else if let Some(next) = incoming.reliable.waiting.pop_front() {
            self.send_reliable(next, tools);
        }
    }

    pub(super) fn repeat_reliable(&mut self, tools: &mut Tools<'_>) {
        let Some(incoming) = &mut self.incoming else { return };
        let Some(outstanding) = &mut incoming.reliable.outstanding else { return };
        // The interval doubles without a limit until 64*T1 have passed (RFC 3262 3).
        outstanding.interval *= 2;
        self.timers.set(Timer::Reliable, tools.now + outstanding.interval);
        tools.send(outstanding.to, outstanding.bytes.clone());
    }

    pub(super) fn on_reliable_lost(&mut self, tools: &mut Tools<'_>) {
        if matches!(self.stage, Stage::Ringing) {
            self.tell(Event::Fault(Fault::PrackMissing), tools);
            self.reject(504, None, tools);
        }
    }

    fn send_reliable(&mut self, provisional: Provisional, tools: &mut Tools<'_>) {
        let Some(incoming) = &mut self.incoming else { return };
        let rseq = match incoming.reliable.last_rseq {
            Some(last) => last + 1,
            None => tools.rng.random_range(1..FIRST_RSEQ_MAX),
        };
        incoming.reliable.last_rseq = Some(rseq);
        let key = incoming.key;
        let Some(to) = tools.servers.reply_to(key) else { return };
        let text = rseq.to_string();
        let headers = [
            ("Contact", &*self.names.contact),
            ("Allow", letter::ALLOW),
            ("Require", "100rel"),
            ("RSeq", text.as_str()),
        ];
        let extra = letter::Extra { headers: &headers, body: provisional.sdp.as_deref().map(letter::of_sdp) };
        let Some(bytes) = tools.respond(key, provisional.status, Some(&self.names.local_tag), &extra) else {
            return;
        };
        let interval = tools.settings.pace.t1;
        incoming.reliable.outstanding = Some(Outstanding { rseq, bytes, to, interval });
        self.timers.set(Timer::Reliable, tools.now + interval);
        self.timers.set(Timer::ReliableLost, tools.now + tools.settings.pace.patience());
        self.book(tools);
        if let Some(sdp) = provisional.sdp {
            self.our_sdp = sdp.into();
        }
    }
}

/// The first RSeq is chosen below this, so that counting up never leaves 31 bits (RFC 3262 7.1).
const FIRST_RSEQ_MAX: u32 = 1 << 30;

/// Provisionals that wait for the PRACK of another: ringing, progress and ringing again are three.
const WAITING_MAX: usize = 8;
