//! A burst: calls ordered at one even rate, watched to their end, with what they cost the server.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::accounting::{Waits, own_cpu};
use crate::api::Order;
use crate::far_end::Repeated;
use crate::ledger::{Ledger, Side};
use crate::server::Server;
use crate::world::World;

/// After the last order and a call's own length, how long calls may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the server's threads are counted: one that ends between two counts loses what it did since.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// What to order.
#[derive(Clone, Debug)]
pub(crate) struct Burst {
    pub(crate) order: Order,
    /// Calls a second.
    pub(crate) rate: f64,
    /// How long calls are ordered.
    pub(crate) length: Duration,
    /// How long B talks before it hangs up; without it the server ends the calls.
    pub(crate) hold: Option<Duration>,
    /// From answer to end when all goes well.
    pub(crate) call_length: Duration,
    pub(crate) are_pushed: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) rate: f64,
    pub(crate) calls: usize,
    pub(crate) failed: usize,
    /// Calls whose pushes did not all come, where pushes were asked for.
    pub(crate) untold: usize,
    pub(crate) repeated: Repeated,
    pub(crate) server_cpu_ms_per_call: f64,
    /// Share of a core at this rate.
    pub(crate) server_core_percent: f64,
    pub(crate) generator_core_percent: f64,
    pub(crate) request_to_reply_ms: Waits,
    pub(crate) request_to_invite_ms: Waits,
    pub(crate) a_ack_to_b_invite_ms: Waits,
    /// From the last BYE's answer to the last push.
    pub(crate) end_to_last_push_ms: Waits,
    /// RTP packets of the server's own in a call: the fewest and the most.
    pub(crate) packets: Option<(u32, u32)>,
    /// From a prompt's first packet to its last.
    pub(crate) prompt_ms: Waits,
    pub(crate) resident_mb: f64,
    pub(crate) complaints: Vec<String>,
}

impl Outcome {
    /// Whether every call and push went as it should and nothing was said twice.
    pub(crate) fn is_clean(&self) -> bool {
        self.calls > 0 && self.failed == 0 && self.untold == 0 && self.repeated.sum() == 0
    }

    /// The slowest of the two waits that a caller feels, in milliseconds.
    pub(crate) fn p99_ms(&self) -> f64 {
        self.request_to_invite_ms.p99.max(self.a_ack_to_b_invite_ms.p99)
    }

    /// The wait that the peers' comfortable rates were judged by, in milliseconds: A has answered and B is not yet
    /// dialled. Where nobody is connected, the wait for the telephone to ring.
    pub(crate) fn felt_p99_ms(&self) -> f64 {
        let connected = self.a_ack_to_b_invite_ms.count > 0;
        if connected { self.a_ack_to_b_invite_ms.p99 } else { self.request_to_invite_ms.p99 }
    }
}

/// Orders the calls and stays until they and their pushes are through, or time is up.
pub(crate) fn run(world: &mut World, server: &mut Server, burst: &Burst) -> Result<Outcome> {
    world.begin(server.account(), burst.order.parties(), burst.hold, burst.are_pushed)?;
    let (server_before, own_before) = (server.cpu()?, own_cpu());
    let began = Instant::now();
    let gap = Duration::from_secs_f64(1.0 / burst.rate);
    let (mut next, mut count_at) = (began, began);
    let mut resident = 0;
    let last = began + burst.length;
    let give_up = last + burst.call_length + PATIENCE;
    loop {
        let now = Instant::now();
        if now >= count_at {
            server.cpu()?;
            resident = resident.max(server.resident()?);
            count_at = now + COUNT_EVERY;
            let is_through = now >= last + burst.call_length && is_through(&world.ledger, burst.are_pushed);
            if now >= give_up || is_through {
                break;
            }
        }
        while next <= now && next < last {
            world.order(&burst.order)?;
            next += gap;
        }
        world.step(if next < last { next.min(count_at) } else { count_at })?;
    }
    let server_cpu = server.cpu()? - server_before;
    let own_share = (own_cpu() - own_before).as_secs_f64() / began.elapsed().as_secs_f64();
    let mut outcome = judge(world, burst);
    let per_call = server_cpu.as_secs_f64() / outcome.calls.max(1) as f64;
    outcome.server_cpu_ms_per_call = per_call * 1e3;
    outcome.server_core_percent = per_call * burst.rate * 1e2;
    outcome.generator_core_percent = own_share * 1e2;
    outcome.resident_mb = resident as f64 / 1e6;
    Ok(outcome)
}

fn is_through(ledger: &Ledger, are_pushed: bool) -> bool {
    ledger.calls.iter().all(|call| ledger.is_over(call) && (!are_pushed || ledger.is_told(call)))
}

fn judge(world: &World, burst: &Burst) -> Outcome {
    let ledger = &world.ledger;
    let failed = ledger.calls.iter().filter(|call| !ledger.is_over(call)).count();
    let untold = ledger.calls.iter().filter(|call| burst.are_pushed && !ledger.is_told(call)).count();
    // In a callback the server speaks only while B rings.
    let is_prompt = matches!(burst.order, Order::Code { .. });
    let prompts = || world.media.prompts().filter(|_| is_prompt);
    let packets = || prompts().map(|prompt| prompt.packets);
    Outcome {
        rate: burst.rate,
        calls: ledger.calls.len(),
        failed,
        untold,
        repeated: world.far_end.repeated,
        server_cpu_ms_per_call: 0.0,
        server_core_percent: 0.0,
        generator_core_percent: 0.0,
        request_to_reply_ms: ledger.waits(|call| Some(call.ordered), |call| call.accepted),
        request_to_invite_ms: ledger
            .waits(|call| Some(call.ordered), |call| call.legs[Side::A as usize].invited),
        a_ack_to_b_invite_ms: ledger
            .waits(|call| call.legs[Side::A as usize].acked, |call| call.legs[Side::B as usize].invited),
        end_to_last_push_ms: ledger
            .waits(|call| call.legs.iter().filter_map(|leg| leg.over).max(), |call| call.last_push),
        packets: packets().min().zip(packets().max()),
        prompt_ms: Waits::of_durations(prompts().map(|prompt| prompt.length())),
        resident_mb: 0.0,
        complaints: ledger.complaints.clone(),
    }
}
