//! Traces: what goes over the wire for calls, kept beside them and written when they are over.
//!
//! ```text
//! shard: SIP message ─▶ Tracer ─ at the call's end ─▶ queue ─▶ Writer ─▶ one file a call
//!        RTP header  ─▶ Headers ─ when a chunk is full ─▶ │
//!                 └─ SIP at once, by HEP3 ─▶ Homer
//! ```
//!
//! Private things are hidden before anything is kept. Nobody waits for the disk or for Homer: what there is no room for
//! is left out, and counted.

mod headers;
mod hep;
mod writer;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use base::id::{CallId, Leg};
use base::release::{Cause, Ending};
use base::time::{Instant, Timestamp};
use base::trace::{self, Kind, PAYLOAD_MAX, Packet, Way};
use sip::{Hop, Numbers, veil};

pub(crate) use self::headers::Headers;
use self::hep::Agent;
pub(crate) use self::writer::{Work, start};
use crate::driver::names;
use crate::driver::places::Gateway;
use crate::trace::{TraceSettings, Traced};

/// The same moment on both clocks: a call's trace is dated as its facts are.
pub(crate) type Beginning = (Instant, Timestamp);

/// What one shard keeps of its calls.
pub(crate) struct Tracer {
    calls: Traced,
    rtp_headers: bool,
    numbers: Numbers,
    /// Where we speak SIP, as others see it.
    seen_at: Vec<Hop>,
    homer: Option<Agent>,
    /// The way to the files; `None` when none are written.
    works: Option<SyncSender<Work>>,
    kept: HashMap<CallId, Kept>,
    /// Calls that are over, and whether their traces stay. What is sent in the same turn still belongs to them.
    over: Vec<(CallId, bool)>,
    /// What the writer had no room for.
    farewells: VecDeque<Work>,
    /// The message that is being veiled.
    veiled: Vec<u8>,
}

/// The messages of one call.
struct Kept {
    began: Beginning,
    /// As they will stand in the file.
    frames: Vec<u8>,
    messages: usize,
    left_out: u32,
}

/// A SIP message on its way.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) way: Way,
    pub(crate) far: Hop,
    pub(crate) bytes: &'a [u8],
}

impl Tracer {
    /// A tracer of one shard; `works` leads to the writer, if files are written.
    pub(crate) fn new(
        settings: &TraceSettings,
        seen_at: &[Hop],
        works: Option<SyncSender<Work>>,
    ) -> io::Result<Self> {
        Ok(Self {
            calls: settings.calls,
            rtp_headers: settings.rtp_headers,
            numbers: settings.numbers,
            seen_at: seen_at.to_vec(),
            homer: settings.homer.as_ref().map(Agent::new).transpose()?,
            works,
            kept: HashMap::new(),
            over: Vec::new(),
            farewells: VecDeque::new(),
            veiled: Vec::new(),
        })
    }

    /// Keeps a message, if it is one of a call; `began` knows the beginnings of the calls that run.
    pub(crate) fn note(
        &mut self,
        message: Message<'_>,
        now: Instant,
        began: impl Fn(CallId) -> Option<Beginning>,
    ) {
        let Some((call, leg)) = names::leg_for(message.bytes) else { return };
        let kept = match self.kept.get_mut(&call) {
            Some(kept) => kept,
            None => {
                let Some(began) = began(call) else { return };
                self.kept.entry(call).or_insert_with(|| Kept::new(began))
            }
        };
        self.veiled.clear();
        self.veiled.extend_from_slice(&message.bytes[..message.bytes.len().min(PAYLOAD_MAX)]);
        veil(&mut self.veiled, self.numbers);
        let packet = Packet {
            at: kept.date(now),
            leg,
            way: message.way,
            kind: Kind::Sip,
            ours: ours(&self.seen_at, message.far),
            far: message.far.address,
            length: u16::try_from(self.veiled.len()).unwrap_or(u16::MAX),
            payload: &self.veiled,
        };
        if let Some(homer) = &mut self.homer {
            homer.tell(&packet, message.far.transport, call);
        }
        if self.works.is_some() {
            kept.keep(&packet);
        }
    }

    /// What keeps the RTP headers of a leg, if anything is to. `ours` is where it is told to send.
    pub(crate) fn headers(
        &self,
        call: CallId,
        leg: Leg,
        ours: SocketAddr,
        began: Beginning,
    ) -> Option<Box<Headers>> {
        let works = self.works.as_ref().filter(|_| self.rtp_headers)?;
        Some(Box::new(Headers::new((call, leg), ours, began, works.clone())))
    }

    /// A call is over. Its trace is handed over by [`Self::settle`].
    pub(crate) fn over(&mut self, call: CallId, ending: Option<Ending>) {
        let stays = match self.calls {
            Traced::Nothing => false,
            Traced::Failed => !ending.is_some_and(|ending| is_success(ending.cause)),
            Traced::All => true,
        };
        self.over.push((call, stays));
    }

    /// Hands over the traces of calls that are over, as far as there is room. Once a turn.
    pub(crate) fn settle(&mut self) {
        let Self { works, kept, over, farewells, .. } = self;
        let Some(works) = works else {
            for (call, _) in over.drain(..) {
                kept.remove(&call);
            }
            return;
        };
        for (call, stays) in over.drain(..) {
            let ended = kept.remove(&call);
            if farewells.len() == FAREWELLS {
                tracing::warn!(call.id = %call, "the disk is too slow for traces: that of a call is lost");
                continue;
            }
            farewells.push_back(match ended {
                Some(ended) if stays => Work::Append(call, ended.finish()),
                _ => Work::Discard(call),
            });
        }
        while let Some(work) = farewells.pop_front() {
            if let Err(TrySendError::Full(work)) = works.try_send(work) {
                farewells.push_front(work);
                return;
            }
        }
    }

    /// Whether something waits for [`Self::settle`].
    pub(crate) fn is_waiting(&self) -> bool {
        !self.farewells.is_empty() || !self.over.is_empty()
    }

    /// Hands over everything, also of the calls that still run, however long that takes. Only for a thread that ends.
    pub(crate) fn close(&mut self) {
        self.settle();
        let Some(works) = &self.works else { return };
        let running = self.kept.drain().map(|(call, kept)| Work::Append(call, kept.finish()));
        for work in self.farewells.drain(..).chain(running) {
            works.send(work).ok();
        }
    }
}

impl Kept {
    const fn new(began: Beginning) -> Self {
        Self { began, frames: Vec::new(), messages: 0, left_out: 0 }
    }

    fn keep(&mut self, packet: &Packet<'_>) {
        let has_room = self.frames.len() + trace::FRAME_BYTES + packet.payload.len() <= CALL_BYTES;
        if has_room && self.messages < CALL_MESSAGES {
            trace::write(packet, &mut self.frames);
            self.messages += 1;
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    fn date(&self, now: Instant) -> Timestamp {
        date(self.began, now)
    }

    fn finish(mut self) -> Vec<u8> {
        if self.left_out > 0 {
            trace::write_left_out(self.left_out, self.began.1, &mut self.frames);
        }
        self.frames
    }
}

/// Where we listen, as a trace shows it: instead of all addresses the one that a gateway is told.
pub(crate) fn seen_at(listening: &[Hop], gateways: &[Arc<[Gateway]>]) -> Vec<Hop> {
    let seen = |own: &Hop| {
        let of_family = |gateway: &&Gateway| gateway.place.contact.is_ipv4() == own.address.is_ipv4();
        let told = gateways.iter().flat_map(|of_one| of_one.iter()).find(of_family);
        let told =
            told.filter(|_| own.address.ip().is_unspecified()).map(|gateway| gateway.place.contact.ip());
        let ip = told.unwrap_or_else(|| own.address.ip());
        Hop::new(own.transport, SocketAddr::new(ip, own.address.port()))
    };
    listening.iter().map(seen).collect()
}

/// The address at which somebody reaches us: one of his family, by his transport if there is one.
fn ours(seen_at: &[Hop], far: Hop) -> SocketAddr {
    let of_family = || seen_at.iter().filter(|own| own.address.is_ipv4() == far.address.is_ipv4());
    let own = of_family().find(|own| own.transport == far.transport).or_else(|| of_family().next());
    own.or_else(|| seen_at.first()).map_or(far.address, |own| own.address)
}

fn date(began: Beginning, now: Instant) -> Timestamp {
    began.1 + now.since(began.0)
}

/// Ends that are as they should be.
const fn is_success(cause: Cause) -> bool {
    matches!(cause, Cause::Normal | Cause::Stopped | Cause::TimeOver)
}

/// SIP messages of a call that are kept: two legs with a session timer's refreshes for hours, and then some.
const CALL_MESSAGES: usize = 128;

/// Bytes of them. A usual call has ten kilobytes.
const CALL_BYTES: usize = 128 << 10;

/// Ended calls that wait for the disk.
const FAREWELLS: usize = 4_096;
#[cfg(test)]
mod tests;
