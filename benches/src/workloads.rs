//! The three workloads and how far each goes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::Serialize;

use crate::api::Order;
use crate::bridges::{self, Ascended, Ascent, Step};
use crate::burst::{self, Burst, Outcome};
use crate::climb::{Climb, Summit, climb};
use crate::junk::{self, Flood};
use crate::overload::{self, Overloaded};
use crate::server::{Installation, Late};
use crate::table::say;
use crate::world::World;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// Two-leg callbacks per second, without and with pushes
    W1,
    /// Prompts of 3 s per second
    W2,
    /// Bridged calls with sound both ways
    W3,
    /// Twice as many callbacks as it can take, while some talk; only when it is named
    Overload,
    /// What junk on all ports does to bridged calls
    Junk,
}

/// How thorough to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Usual,
    Quick,
}

/// How long B talks in a callback.
const HOLD: Duration = Duration::from_secs(2);

/// Packets of a prompt of 3.0 s.
const PROMPT_PACKETS: u32 = 150;

/// Packets of the clip that the length of the spoken digits is found with.
const TRIAL_PACKETS: u32 = 50;

/// From a prompt's first packet to its last, if nobody stretches it, is 2,980 ms; this is not the same prompt any more.
const PROMPT_MS_MAX: f64 = 3100.0;

/// How long the capacity must last.
const LASTING: Duration = Duration::from_secs(40);

/// p99 of the longest wait of a call at the capacity.
const WAIT_MS: f64 = 100.0;

/// What every workload needs.
pub(crate) struct Bench<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) huihu: &'a Path,
    pub(crate) folder: PathBuf,
    pub(crate) pace: Pace,
    pub(crate) overload: Overload,
    pub(crate) flood: Flood,
}

/// How the server is overloaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overload {
    /// Callbacks a second that it can take; measured first when nobody says.
    pub(crate) capacity: Option<f64>,
    /// How long twice of it is offered.
    pub(crate) length: Duration,
}

/// All results.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Results {
    pub(crate) callbacks: Option<Summit>,
    pub(crate) callbacks_with_pushes: Option<Summit>,
    pub(crate) prompts: Option<Summit>,
    pub(crate) bridges: Option<Ascended>,
    /// The same loads on a relay that does nothing else.
    pub(crate) bare_relay: Vec<Step>,
    pub(crate) overload: Option<Overloaded>,
    pub(crate) junk: Option<junk::Outcome>,
}

impl Bench<'_> {
    /// Measures one workload on a fresh installation.
    pub(crate) fn run(&mut self, workload: Workload, results: &mut Results) -> Result<()> {
        match workload {
            Workload::W1 => {
                let plain = self.callbacks(false, None)?;
                let start = plain.highest.map(|highest| highest / 4.0);
                results.callbacks = Some(plain);
                results.callbacks_with_pushes = Some(self.callbacks(true, start)?);
            }
            Workload::W2 => results.prompts = Some(self.prompts()?),
            Workload::W3 => self.bridges(results)?,
            Workload::Overload => results.overload = Some(self.overload()?),
            Workload::Junk => {
                let mut server = self.install("junk", Late::HoldsBack)?.start()?;
                results.junk = Some(junk::run(self.world, &mut server, &self.flood)?);
            }
        }
        Ok(())
    }

    fn install(&self, name: &str, late: Late) -> Result<Installation> {
        let trunk = self.world.far_end.address();
        Installation::new(self.huihu, self.folder.join(name), trunk, late)
            .with_context(|| format!("cannot set up {name}"))
    }

    fn climb(&self, rates: &[f64]) -> Climb {
        let is_quick = self.pace == Pace::Quick;
        Climb {
            rates: rates.to_vec(),
            halvings: if is_quick { 0 } else { 2 },
            step: Duration::from_secs(if is_quick { 2 } else { 3 }),
            confirm: (!is_quick).then_some(Duration::from_secs(8)),
            limit_ms: 1000.0,
            comfort_ms: 20.0,
        }
    }

    /// Twice the capacity, which is what passes without anybody waiting.
    fn overload(&mut self) -> Result<Overloaded> {
        let capacity = match self.overload.capacity {
            Some(capacity) => capacity,
            None => match self.capacity()?.highest {
                Some(highest) => highest,
                None => bail!("no rate passed: say what the server can take with --capacity"),
            },
        };
        let half = Duration::from_secs(if self.pace == Pace::Quick { 3 } else { 20 });
        let plan = overload::Plan { capacity, half, twice: self.overload.length, hold: HOLD };
        let mut server = self.install("overload", Late::HoldsBack)?.start()?;
        overload::run(self.world, &mut server, &plan)
    }

    /// The highest rate of callbacks at which all pass and hardly anybody waits.
    fn capacity(&mut self) -> Result<Summit> {
        let mut server = self.install("capacity", Late::HoldsBack)?.start()?;
        let rates: &[f64] = match self.pace {
            Pace::Usual => &[200.0, 400.0, 800.0, 1600.0],
            Pace::Quick => &[100.0, 200.0],
        };
        // What is taken for a few seconds is not what is taken all day: what calls leave behind stays for half a minute.
        let confirm = self.climb(rates).confirm.map(|_| LASTING);
        let plan = Climb { limit_ms: WAIT_MS, halvings: 3, confirm, ..self.climb(rates) };
        let (world, burst) = (&mut *self.world, |rate, length| Burst {
            order: Order::Callback,
            rate,
            length,
            hold: Some(HOLD),
            call_length: HOLD,
            are_pushed: false,
        });
        climb(
            &plan,
            |_| true,
            |rate, length| report("capacity", burst::run(world, &mut server, &burst(rate, length))?),
        )
    }

    /// W1. `start` leaves out the rates that are known to be easy.
    fn callbacks(&mut self, are_pushed: bool, start: Option<f64>) -> Result<Summit> {
        let name = if are_pushed { "callbacks with pushes" } else { "callbacks" };
        let mut server = self.install(if are_pushed { "w1p" } else { "w1" }, Late::GoesOn)?.start()?;
        let rates: &[f64] = match self.pace {
            Pace::Usual => &[100.0, 200.0, 400.0, 800.0, 1600.0],
            Pace::Quick => &[50.0, 150.0, 300.0],
        };
        let rates: Vec<f64> = rates.iter().copied().filter(|&rate| rate >= start.unwrap_or(0.0)).collect();
        climb(
            &self.climb(&rates),
            |_| true,
            |rate, length| {
                let burst = Burst {
                    order: Order::Callback,
                    rate,
                    length,
                    hold: Some(HOLD),
                    call_length: HOLD,
                    are_pushed,
                };
                report(name, burst::run(self.world, &mut server, &burst)?)
            },
        )
    }

    /// W2.
    fn prompts(&mut self) -> Result<Summit> {
        let installation = self.install("w2", Late::GoesOn)?;
        installation.add_clip("trial.wav", TRIAL_PACKETS)?;
        let prompt = |clip: &str, rate, length| Burst {
            order: Order::Code { clip: clip.to_owned() },
            rate,
            length,
            hold: None,
            call_length: Duration::from_secs(3),
            are_pushed: false,
        };
        let trial = {
            let mut server = installation.start()?;
            burst::run(self.world, &mut server, &prompt("trial.wav", 1.0, Duration::from_millis(500)))?
        };
        let spoken =
            trial.packets.filter(|_| trial.is_clean()).and_then(|(_, most)| most.checked_sub(TRIAL_PACKETS));
        let Some(rest) = spoken.and_then(|spoken| PROMPT_PACKETS.checked_sub(spoken)) else {
            bail!(
                "one verification call did not go as it should: {:?} packets, {:?}",
                trial.packets,
                trial.complaints
            );
        };
        installation.add_clip("prompt.wav", rest)?;
        let mut server = installation.start()?;
        let rates: &[f64] = match self.pace {
            Pace::Usual => &[50.0, 100.0, 200.0, 400.0, 800.0],
            Pace::Quick => &[50.0, 150.0],
        };
        climb(&self.climb(rates), is_whole, |rate, length| {
            report("prompts", burst::run(self.world, &mut server, &prompt("prompt.wav", rate, length))?)
        })
    }

    /// W3.
    fn bridges(&mut self, results: &mut Results) -> Result<()> {
        let plan = match self.pace {
            Pace::Usual => {
                Ascent { steps: vec![50, 100, 200, 400, 800, 1200], window: Duration::from_secs(4) }
            }
            Pace::Quick => Ascent { steps: vec![100, 400], window: Duration::from_secs(2) },
        };
        let ascended = {
            let mut server = self.install("w3", Late::GoesOn)?.start()?;
            bridges::ascend(self.world, &mut server, &plan, |step| report_step("bridges", step))?
        };
        for step in &ascended.steps {
            let bare = bridges::bare(self.world, step.calls, plan.window / 2)?;
            report_step("bare relay", &bare);
            results.bare_relay.push(bare);
        }
        results.bridges = Some(ascended);
        Ok(())
    }
}

/// Whether every prompt was heard in full and in its own time.
fn is_whole(outcome: &Outcome) -> bool {
    let near = PROMPT_PACKETS - 1..=PROMPT_PACKETS + 1;
    outcome.packets.is_some_and(|(fewest, most)| near.contains(&fewest) && near.contains(&most))
        && outcome.prompt_ms.p99 <= PROMPT_MS_MAX
}

fn report(name: &str, outcome: Outcome) -> Result<Outcome> {
    say(&format!(
        "  {name}: {rate:.0}/s, {cpu:.2} ms a call, p99 {p99:.1} ms (felt {felt:.1}), {failed} failed, {repeated} said twice{untold}{complaint}",
        rate = outcome.rate,
        cpu = outcome.server_cpu_ms_per_call,
        p99 = outcome.p99_ms(),
        felt = outcome.felt_p99_ms(),
        failed = outcome.failed,
        repeated = outcome.repeated.sum(),
        untold = if outcome.untold > 0 {
            format!(", {} without all pushes", outcome.untold)
        } else {
            String::new()
        },
        complaint = outcome.complaints.first().map(|first| format!(" ({first})")).unwrap_or_default(),
    ));
    Ok(outcome)
}

fn report_step(name: &str, step: &Step) {
    say(&format!(
        "  {name}: {calls}, {core:.1} % of a core, added p50 {p50:.2} p99 {p99:.2} ms, {lost} of {sent} lost",
        calls = step.calls,
        core = step.core_percent,
        p50 = step.added_ms.p50,
        p99 = step.added_ms.p99,
        lost = step.lost,
        sent = step.sent,
    ));
}
