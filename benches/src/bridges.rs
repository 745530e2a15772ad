//! W3: bridged calls with sound both ways, more and more of them, and beside each step a relay that only relays.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::accounting::{Waits, own_cpu};
use crate::api::Order;
use crate::ledger::{Parties, Side};
use crate::media::Window;
use crate::relay::Relay;
use crate::server::Server;
use crate::world::World;

/// Calls set up, and ended, in a second.
const SET_UP_RATE: u32 = 150;

/// How long the last call set up may take until both parties talk.
const SET_UP: Duration = Duration::from_secs(10);

/// How long sound flows before it is measured, and how long late packets are waited for.
const SETTLE: Duration = Duration::from_secs(1);
const DRAIN: Duration = Duration::from_millis(600);

/// More than this is too much: share of packets lost, and p99 of the added time in milliseconds.
const LOSS: f64 = 0.001;
const DELAY_MS: f64 = 20.0;

/// How far and how long to measure.
#[derive(Clone, Debug)]
pub(crate) struct Ascent {
    /// Calls at once, rising.
    pub(crate) steps: Vec<usize>,
    pub(crate) window: Duration,
}

/// What one step gave.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) calls: usize,
    /// Share of a core for one call.
    pub(crate) core_percent_per_call: f64,
    pub(crate) core_percent: f64,
    pub(crate) added_ms: Waits,
    pub(crate) sent: u64,
    pub(crate) lost: u64,
    /// Resident memory that one call adds to the idle server's, in MB; nothing for the bare relay.
    pub(crate) mb_per_call: Option<f64>,
    pub(crate) generator_core_percent: f64,
    /// Slots of 1 ms that the generator itself sent more than 5 ms late.
    pub(crate) generator_late_slots: u64,
}

impl Step {
    /// Whether nothing to speak of was lost or late.
    pub(crate) fn is_good(&self) -> bool {
        self.sent > 0 && (self.lost as f64) <= self.sent as f64 * LOSS && self.added_ms.p99 <= DELAY_MS
    }
}

/// All steps, and why there are no more of them if that is not the plan's end.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Ascended {
    pub(crate) steps: Vec<Step>,
    pub(crate) trouble: Option<String>,
}

/// Bridges more and more calls until a step is too much or the steps end.
pub(crate) fn ascend(
    world: &mut World,
    server: &mut Server,
    plan: &Ascent,
    mut on_step: impl FnMut(&Step),
) -> Result<Ascended> {
    world.begin(server.account(), Parties::Two, None, false)?;
    world.run_until(Instant::now() + SETTLE)?;
    let idle = server.resident()?;
    let mut ascended = Ascended::default();
    for &calls in &plan.steps {
        if let Some(trouble) = set_up(world, calls)? {
            ascended.trouble = Some(trouble);
            break;
        }
        let mut step = measure(world, plan.window, calls, || server.cpu())?;
        let grown = server.resident()?.saturating_sub(idle);
        step.mb_per_call = Some(grown as f64 / calls as f64 / 1e6);
        on_step(&step);
        let is_good = step.is_good();
        ascended.steps.push(step);
        if !is_good {
            break;
        }
    }
    let left = hang_up(world)?;
    if left > 0 && ascended.trouble.is_none() {
        ascended.trouble = Some(format!("{left} calls did not end: {:?}", world.ledger.complaints));
    }
    Ok(ascended)
}

/// The same load on a bare relay.
pub(crate) fn bare(world: &mut World, calls: usize, window: Duration) -> Result<Step> {
    world.media.reset();
    let relay = Relay::new(calls, world.media.addresses()?)?;
    for ends in &relay.calls {
        stream(world, *ends)?;
    }
    let step = measure(world, window, calls, || Ok(relay.cpu()))?;
    world.media.reset();
    relay.end()?;
    Ok(step)
}

fn stream(world: &mut World, ends: [SocketAddr; 2]) -> Result<()> {
    for (side, to) in [Side::A, Side::B].into_iter().zip(ends) {
        let SocketAddr::V4(to) = to else { bail!("{to} is not IPv4") };
        world.media.stream(side, to);
    }
    Ok(())
}

/// Adds calls until there are so many, and their sound. Says what is wrong if they do not come about.
pub(crate) fn set_up(world: &mut World, calls: usize) -> Result<Option<String>> {
    let before = world.ledger.calls.len();
    let gap = Duration::from_secs(1) / SET_UP_RATE;
    let mut next = Instant::now();
    while world.ledger.calls.len() < calls {
        if Instant::now() >= next {
            world.order(&Order::Callback)?;
            next += gap;
        }
        world.step(next)?;
    }
    let until = Instant::now() + SET_UP;
    loop {
        let waiting = world.ledger.calls.iter().filter(|call| !world.ledger.is_talking(call)).count();
        if waiting == 0 {
            break;
        }
        if Instant::now() >= until {
            return Ok(Some(format!(
                "{waiting} of {calls} calls were not set up: {:?}",
                world.ledger.complaints
            )));
        }
        world.step(Instant::now() + Duration::from_millis(20))?;
    }
    for call in before..calls {
        let [Some(a), Some(b)] = world.ledger.calls[call].legs.map(|leg| leg.media) else {
            bail!("an INVITE has no address for sound");
        };
        stream(world, [a, b])?;
    }
    Ok(None)
}

fn measure(
    world: &mut World,
    length: Duration,
    calls: usize,
    mut cpu: impl FnMut() -> Result<Duration>,
) -> Result<Step> {
    world.run_until(Instant::now() + SETTLE)?;
    world.media.open_window();
    let (cpu_before, own_before, began) = (cpu()?, own_cpu(), Instant::now());
    world.run_until(began + length)?;
    let (cpu_after, own_after, took) = (cpu()?, own_cpu(), began.elapsed());
    world.media.close_window();
    let generator_late_slots = world.media.slipped;
    world.run_until(Instant::now() + DRAIN)?;
    let Window { sent, received, delay } = world.media.window();
    let share = |before: Duration, after: Duration| (after - before).as_secs_f64() / took.as_secs_f64() * 1e2;
    let core_percent = share(cpu_before, cpu_after);
    Ok(Step {
        calls,
        core_percent_per_call: core_percent / calls as f64,
        core_percent,
        added_ms: delay,
        sent,
        lost: sent.saturating_sub(received),
        mb_per_call: None,
        generator_core_percent: share(own_before, own_after),
        generator_late_slots,
    })
}

/// Ends all calls, not all at once, and gives how many did not.
pub(crate) fn hang_up(world: &mut World) -> Result<usize> {
    world.media.reset();
    let gap = Duration::from_secs(1) / (SET_UP_RATE * 2);
    let mut next = Instant::now();
    for call in 0..world.ledger.calls.len() {
        world.far_end.hang_up(call, Parties::Two, Instant::now());
        next += gap;
        world.run_until(next)?;
    }
    world.run_until(Instant::now() + Duration::from_millis(500))?;
    Ok(world.ledger.calls.iter().filter(|call| !world.ledger.is_over(call)).count())
}
