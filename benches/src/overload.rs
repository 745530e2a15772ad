//! Twice what the server can take, for minutes, while some calls talk: what passes, how soon it is answered, how soon the
//! rest is refused, and whether those who talk hear anything of it.
//!
//! ```text
//! capacity ─▶ watched calls talk ─▶ half of it ─▶ twice of it ─▶ all calls end
//! ```
//!
//! Orders come at an even rate, whatever becomes of those before: nobody waits for an answer before asking again.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::accounting::Waits;
use crate::api::Order;
use crate::bridges;
use crate::ledger::{Call, Parties, Side};
use crate::media::Window;
use crate::server::Server;
use crate::world::World;

/// Calls that talk all the while.
const WATCHED: usize = 20;

/// After the last order, how long the calls may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it is quiet between two loads.
const REST: Duration = Duration::from_secs(4);

/// How long late packets are waited for.
const DRAIN: Duration = Duration::from_millis(600);

/// How often the server's threads are counted.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// What must hold: the part of the capacity that passes, how much slower those hear that pass, how soon the others are
/// refused, and how late a packet of those who talk may be.
const SHARE_LEAST: f64 = 0.95;
const SLOWER_MOST: f64 = 2.0;
const REFUSAL_MS: f64 = 20.0;
const TICK_MS: f64 = 40.0;

/// What to offer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Callbacks a second that the server can take.
    pub(crate) capacity: f64,
    /// How long half of it is offered.
    pub(crate) half: Duration,
    /// How long twice of it is offered.
    pub(crate) twice: Duration,
    /// How long B talks before it hangs up.
    pub(crate) hold: Duration,
}

impl Plan {
    /// How many orders there will be.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are positive, and so many fit"
    )]
    fn orders(&self) -> usize {
        let Self { capacity, half, twice, .. } = self;
        (capacity * (half.as_secs_f64() / 2.0 + twice.as_secs_f64() * 2.0)) as usize
    }
}

/// What came of one load.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Load {
    pub(crate) offered: f64,
    /// Orders that passed, a second.
    pub(crate) accepted: f64,
    pub(crate) refused: usize,
    /// Orders that nobody answered.
    pub(crate) unanswered: usize,
    /// Accepted calls that did not end as they should.
    pub(crate) failed: usize,
    /// Until an accepted order was answered, and until its telephone rang.
    pub(crate) answer_ms: Waits,
    pub(crate) invite_ms: Waits,
    pub(crate) refusal_ms: Waits,
    /// What the relay added to the packets of the watched calls.
    pub(crate) sound_ms: Waits,
    pub(crate) sound_lost: u64,
    /// How late the generator itself was at its latest: then it asked in bursts. What it measures does not suffer, since the
    /// kernel notes when sound and replies arrive.
    pub(crate) generator_late_ms: f64,
    /// How often the server had to wait for a page of its own that the machine had taken away.
    pub(crate) page_ins: u64,
    pub(crate) server_core_percent: f64,
}

/// Both loads.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Overloaded {
    pub(crate) capacity: f64,
    pub(crate) half: Load,
    pub(crate) twice: Load,
    /// What does not hold of what must.
    pub(crate) broken: Vec<String>,
}

/// Offers both loads to a server that has nothing else to do.
pub(crate) fn run(world: &mut World, server: &mut Server, plan: &Plan) -> Result<Overloaded> {
    world.begin(server.account(), Parties::Two, None, false)?;
    if let Some(trouble) = bridges::set_up(world, WATCHED)? {
        bail!("{trouble}");
    }
    world.far_end.hang_up_after(plan.hold);
    world.expect(plan.orders());
    world.run_until(Instant::now() + REST)?;
    let half = offer(world, server, plan.capacity / 2.0, plan.half)?;
    world.run_until(Instant::now() + REST)?;
    let twice = offer(world, server, plan.capacity * 2.0, plan.twice)?;
    for call in 0..WATCHED {
        world.far_end.hang_up(call, Parties::Two, Instant::now());
    }
    world.run_until(Instant::now() + REST)?;
    let mut overloaded = Overloaded { capacity: plan.capacity, half, twice, broken: Vec::new() };
    let cut = world.ledger.calls[..WATCHED].iter().filter(|call| !world.ledger.is_over(call)).count();
    overloaded.broken = broken(&overloaded, cut);
    Ok(overloaded)
}

fn offer(world: &mut World, server: &mut Server, rate: f64, length: Duration) -> Result<Load> {
    let (first, cpu, paged) = (world.ledger.calls.len(), server.cpu()?, server.page_ins()?);
    world.media.open_window();
    world.late = Duration::ZERO;
    let began = Instant::now();
    let (gap, last) = (Duration::from_secs_f64(1.0 / rate), began + length);
    let (mut next, mut count_at) = (began, began);
    while next < last {
        let now = Instant::now();
        if now >= count_at {
            server.cpu()?;
            count_at = now + COUNT_EVERY;
        }
        while next <= now && next < last {
            world.order(&Order::Callback)?;
            next += gap;
        }
        world.step(next.min(count_at))?;
    }
    let spent = (server.cpu()? - cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    world.media.close_window();
    let (orders, late) = (first..world.ledger.calls.len(), world.late);
    world.run_until(Instant::now() + DRAIN)?;
    let sound = world.media.window();
    settle(world, &orders)?;
    let mut load = judge(world, orders, rate, length, sound);
    (load.generator_late_ms, load.server_core_percent) = (late.as_secs_f64() * 1e3, spent * 1e2);
    load.page_ins = server.page_ins()? - paged;
    Ok(load)
}

/// Waits until the calls that were accepted are over, or time is up.
fn settle(world: &mut World, orders: &Range<usize>) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let is_through = |world: &World| {
        let mut accepted = world.ledger.calls[orders.clone()].iter().filter(|call| call.accepted.is_some());
        accepted.all(|call| world.ledger.is_over(call))
    };
    while !is_through(world) && Instant::now() < until {
        world.run_until(Instant::now() + COUNT_EVERY)?;
    }
    Ok(())
}

fn judge(world: &World, orders: Range<usize>, rate: f64, length: Duration, sound: Window) -> Load {
    let calls = &world.ledger.calls[orders];
    let count = |is: &dyn Fn(&Call) -> bool| calls.iter().filter(|call| is(call)).count();
    let waits = |to: &dyn Fn(&Call) -> Option<Instant>| {
        Waits::of_durations(calls.iter().filter_map(|call| Some(to(call)?.duration_since(call.ordered))))
    };
    let accepted = count(&|call| call.accepted.is_some());
    Load {
        offered: rate,
        accepted: accepted as f64 / length.as_secs_f64(),
        refused: count(&|call| call.refused.is_some()),
        unanswered: count(&|call| call.accepted.is_none() && call.refused.is_none()),
        failed: count(&|call| call.accepted.is_some() && !world.ledger.is_over(call)),
        answer_ms: waits(&|call| call.accepted),
        invite_ms: waits(&|call| call.legs[Side::A as usize].invited),
        refusal_ms: waits(&|call| call.refused),
        sound_ms: sound.delay,
        sound_lost: sound.sent.saturating_sub(sound.received),
        generator_late_ms: 0.0,
        page_ins: 0,
        server_core_percent: 0.0,
    }
}

/// What does not hold, in words.
fn broken(Overloaded { capacity, half, twice, .. }: &Overloaded, cut: usize) -> Vec<String> {
    let mut broken = Vec::new();
    let mut must = |holds: bool, otherwise: String| {
        if !holds {
            broken.push(otherwise);
        }
    };
    let share = twice.accepted / capacity;
    must(share >= SHARE_LEAST, format!("{:.1} % of the capacity passed", share * 1e2));
    let slower = twice.answer_ms.p99 / half.answer_ms.p99;
    must(slower <= SLOWER_MOST, format!("p99 of the accepted is {slower:.1} times that at half load"));
    let (slowest, latest) = (twice.refusal_ms.longest, twice.sound_ms.longest);
    must(slowest < REFUSAL_MS, format!("a refusal took {slowest:.1} ms"));
    must(latest <= TICK_MS, format!("a packet of those who talk was {latest:.1} ms late"));
    must(twice.sound_lost == 0, format!("{} packets of those who talk were lost", twice.sound_lost));
    must(twice.unanswered == 0, format!("{} orders were not answered", twice.unanswered));
    must(twice.failed == 0, format!("{} accepted calls did not end as they should", twice.failed));
    must(cut == 0, format!("{cut} of those who talked were cut"));
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(accepted: f64, p99: f64) -> Load {
        let waits = |p99| Waits { count: 1, p50: p99, p99, p999: p99, longest: p99 };
        Load {
            offered: 0.0,
            accepted,
            refused: 0,
            unanswered: 0,
            failed: 0,
            answer_ms: waits(p99),
            invite_ms: waits(p99),
            refusal_ms: waits(5.0),
            sound_ms: waits(9.0),
            sound_lost: 0,
            generator_late_ms: 0.0,
            page_ins: 0,
            server_core_percent: 0.0,
        }
    }

    #[test]
    fn what_does_not_hold_is_named() {
        let overloaded = |accepted, p99| Overloaded {
            capacity: 100.0,
            half: load(50.0, 20.0),
            twice: load(accepted, p99),
            broken: Vec::new(),
        };
        assert_eq!(broken(&overloaded(95.0, 40.0), 0), Vec::<String>::new());
        assert_eq!(broken(&overloaded(94.0, 41.0), 1).len(), 3);
    }
}
