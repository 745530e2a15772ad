//! Traces: where a shard keeps what goes over the wire. What is off costs a branch.

use std::collections::HashMap;
use std::net::SocketAddr;

use base::id::{CallId, Leg};
use base::table::Table;
use base::time::Instant;
use base::trace::Way;
use sip::Hop;

use super::{Live, Shard};
use crate::call::Running;
use crate::driver::ground::Ground;
use crate::driver::trace::{Beginning, Headers, Message, Tracer};

impl<G: Ground> Shard<G> {
    pub(super) fn note_sent(&mut self, far: Hop, bytes: &[u8], now: Instant) {
        if let Some(tracer) = &mut self.tracer {
            let message = Message { way: Way::Sent, far, bytes };
            tracer.note(message, now, |call| beginning(&self.numbers, &self.calls, call));
        }
    }

    /// A call is over.
    pub(super) fn end_trace(&mut self, call: &Running) {
        if let Some(tracer) = &mut self.tracer {
            tracer.over(call.call().id, call.ending());
        }
    }

    pub(super) fn settle_traces(&mut self) {
        if let Some(tracer) = &mut self.tracer {
            tracer.settle();
        }
    }

    /// The thread ends. Traces of calls that still run end where they are.
    pub(super) fn close_traces(&mut self) {
        if let Some(tracer) = &mut self.tracer {
            tracer.close();
        }
    }
}

/// Keeps a message that came, while the buffer that it came into is still lent.
pub(super) fn note_received(
    tracer: &mut Option<Tracer>,
    numbers: &HashMap<CallId, u64>,
    calls: &Table<u64, Live>,
    (far, bytes): (Hop, &[u8]),
    now: Instant,
) {
    if let Some(tracer) = tracer {
        let message = Message { way: Way::Received, far, bytes };
        tracer.note(message, now, |call| beginning(numbers, calls, call));
    }
}

/// What keeps the headers of a leg's packets, if anything is to.
pub(super) fn headers(
    tracer: Option<&Tracer>,
    call: &Running,
    leg: Leg,
    ours: SocketAddr,
) -> Option<Box<Headers>> {
    tracer?.headers(call.call().id, leg, ours, call.began())
}

fn beginning(numbers: &HashMap<CallId, u64>, calls: &Table<u64, Live>, call: CallId) -> Option<Beginning> {
    Some(calls.get(numbers.get(&call)?)?.running.began())
}
