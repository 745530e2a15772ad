//! The search for the highest rate: double until it breaks, halve the gap, confirm for longer.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::accounting::Spread;
use crate::burst::Outcome;

/// How the search goes.
#[derive(Clone, Debug)]
pub(crate) struct Climb {
    /// Rates to try in order, until one is too much.
    pub(crate) rates: Vec<f64>,
    /// How often the gap between the last good and the first bad rate is halved.
    pub(crate) halvings: u32,
    /// How long a step is.
    pub(crate) step: Duration,
    /// How long the best rate is tried again; queues fill slowly, and short bursts flatter.
    pub(crate) confirm: Option<Duration>,
    /// p99 of the slowest wait at the highest rate, in milliseconds.
    pub(crate) limit_ms: f64,
    /// p99 of the wait that people feel at a comfortable rate, in milliseconds.
    pub(crate) comfort_ms: f64,
}

/// What the search found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summit {
    /// Highest rate that was confirmed.
    pub(crate) highest: Option<f64>,
    /// Highest rate with small waits.
    pub(crate) comfortable: Option<f64>,
    /// Processor time of a call over all good runs.
    pub(crate) cpu_ms: Option<Spread>,
    pub(crate) runs: Vec<Outcome>,
}

/// A confirmation that fails is tried again this much lower, this often.
const BACK_OFF: f64 = 0.85;
const CONFIRMATIONS: usize = 3;

/// Searches; `run` is one burst at a rate, `is_good` what else must hold.
pub(crate) fn climb(
    plan: &Climb,
    is_good: impl Fn(&Outcome) -> bool,
    mut run: impl FnMut(f64, Duration) -> Result<Outcome>,
) -> Result<Summit> {
    let passes =
        |outcome: &Outcome| outcome.is_clean() && outcome.p99_ms() <= plan.limit_ms && is_good(outcome);
    let mut runs = Vec::new();
    let mut good = None;
    let mut bad = None;
    for &rate in &plan.rates {
        let outcome = run(rate, plan.step)?;
        let has_passed = passes(&outcome);
        runs.push(outcome);
        if !has_passed {
            bad = Some(rate);
            break;
        }
        good = Some(rate);
    }
    for _ in 0..plan.halvings {
        let (Some(low), Some(high)) = (good, bad) else { break };
        let rate = round(f64::midpoint(low, high));
        let outcome = run(rate, plan.step)?;
        if passes(&outcome) {
            good = Some(rate);
        } else {
            bad = Some(rate);
        }
        runs.push(outcome);
    }
    let mut highest = good;
    if let (Some(length), Some(mut rate)) = (plan.confirm, good) {
        highest = None;
        for _ in 0..CONFIRMATIONS {
            let outcome = run(rate, length)?;
            let has_passed = passes(&outcome);
            runs.push(outcome);
            if has_passed {
                highest = Some(rate);
                break;
            }
            rate = round(rate * BACK_OFF);
        }
    }
    let passed = || runs.iter().filter(|outcome| passes(outcome));
    let comfortable = passed()
        .filter(|outcome| {
            outcome.felt_p99_ms() <= plan.comfort_ms && highest.is_none_or(|highest| outcome.rate <= highest)
        })
        .map(|outcome| outcome.rate)
        .max_by(f64::total_cmp);
    let cpu_ms = Spread::of(passed().map(|outcome| outcome.server_cpu_ms_per_call));
    Ok(Summit { highest, comfortable, cpu_ms, runs })
}

/// To two digits: what was measured to five per cent needs no more.
fn round(rate: f64) -> f64 {
    let unit = 10f64.powf(rate.log10().floor() - 1.0);
    (rate / unit).round() * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounting::Waits;
    use crate::far_end::Repeated;

    /// A server that serves so many a second for a short time and so many for long.
    fn outcome(rate: f64, length: Duration, short: f64, long: f64) -> Outcome {
        let limit = if length > Duration::from_secs(5) { long } else { short };
        Outcome {
            rate,
            calls: 10,
            failed: usize::from(rate > limit),
            untold: 0,
            repeated: Repeated::default(),
            server_cpu_ms_per_call: 2.0,
            server_core_percent: 0.0,
            generator_core_percent: 0.0,
            request_to_reply_ms: Waits::default(),
            request_to_invite_ms: Waits { p99: rate / 10.0, ..Waits::default() },
            a_ack_to_b_invite_ms: Waits::default(),
            end_to_last_push_ms: Waits::default(),
            packets: None,
            prompt_ms: Waits::default(),
            resident_mb: 0.0,
            complaints: Vec::new(),
        }
    }

    fn plan() -> Climb {
        Climb {
            rates: vec![50.0, 100.0, 200.0, 400.0],
            halvings: 2,
            step: Duration::from_secs(3),
            confirm: Some(Duration::from_secs(10)),
            limit_ms: 1000.0,
            comfort_ms: 20.0,
        }
    }

    #[test]
    fn the_highest_rate_is_the_one_that_lasts() {
        let mut tried = Vec::new();
        let summit = climb(
            &plan(),
            |_| true,
            |rate, length| {
                tried.push(rate);
                Ok(outcome(rate, length, 320.0, 270.0))
            },
        )
        .unwrap();
        assert_eq!(tried, [50.0, 100.0, 200.0, 400.0, 300.0, 350.0, 300.0, 260.0]);
        assert_eq!(summit.highest, Some(260.0));
        assert_eq!(summit.comfortable, Some(200.0));
        assert_eq!(summit.cpu_ms.unwrap().median, 2.0);
    }

    #[test]
    fn a_server_that_serves_nothing_has_no_rate() {
        let summit = climb(&plan(), |_| true, |rate, length| Ok(outcome(rate, length, 0.0, 0.0))).unwrap();
        assert_eq!((summit.highest, summit.comfortable, summit.runs.len()), (None, None, 1));
    }

    #[test]
    fn a_server_that_serves_everything_has_the_last_rate() {
        let summit = climb(&plan(), |_| true, |rate, length| Ok(outcome(rate, length, 1e9, 1e9))).unwrap();
        assert_eq!(summit.highest, Some(400.0));
    }
}
