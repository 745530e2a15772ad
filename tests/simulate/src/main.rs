//! Thousands of calls through the real engine on a network and a clock that are made up.
//!
//! ```text
//! seed ─▶ World: orders · stops ─▶ shard ◀─▶ Net (loss, doubles, delay, outages) ◀─▶ Far: gateways · telephones
//!            └─▶ History ─▶ rules ─▶ complaints, each with the line that brings it back
//! ```
//!
//! The shard is the engine's own, compiled for a ground whose network and clock are in `net.rs`. What may happen in a world
//! is drawn from its seed, so the same seed brings the same world to the microsecond. Read `world.rs` first, then
//! `check.rs`.

mod check;
mod far;
mod history;
mod net;
mod orders;
mod phone;
mod temper;
mod weather;
mod world;

use std::panic;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::world::World;

/// Simulates calls and says whether anything happened that must not.
#[derive(Parser)]
struct Options {
    /// How many calls, over as many worlds as that takes.
    #[arg(long, default_value_t = 10_000)]
    calls: usize,
    /// The seed of the first world; the next ones follow it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints everything that was seen in each world.
    #[arg(long)]
    trace: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let Options { calls, seed, trace } = Options::parse();
    let began = Instant::now();
    be_silent_of_plans_that_break();
    let (mut done, mut violations, mut told) = (0, 0, 0);
    for seed in seed.. {
        if done >= calls {
            break;
        }
        let (world, own) = World::new(seed, calls - done)?;
        let history = world.run(seed);
        done += own;
        if trace {
            print!("{}", history::trace(&history, world::moment));
        }
        let complaints = check::check(&history);
        violations += complaints.len();
        for complaint in complaints {
            println!("{complaint}\n  again: make simulate CALLS={own} SEED={seed}");
        }
        if done / PROGRESS > told {
            told = done / PROGRESS;
            println!("{done} calls after {:.0?}", began.elapsed());
        }
    }
    println!("calls={done} violations={violations}");
    Ok(if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Some plans panic, as they should: nobody wants to read of that.
fn be_silent_of_plans_that_break() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |news| {
        if news.payload_as_str() != Some(world::BREAKS) {
            usual(news);
        }
    }));
}

/// How many calls lie between two words of progress.
const PROGRESS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_world_breaks_a_rule() {
        be_silent_of_plans_that_break();
        let (mut done, mut complaints) = (0, Vec::new());
        for seed in 1_000.. {
            let (world, own) = World::new(seed, 1_000).unwrap();
            let broken = check::check(&world.run(seed));
            complaints.extend(broken.into_iter().map(|complaint| format!("{complaint} (seed {seed})")));
            done += own;
            if done >= CALLS {
                break;
            }
        }
        assert_eq!(complaints, Vec::<String>::new());
    }

    #[test]
    fn the_same_seed_brings_the_same_world() {
        let tell = |seed| {
            let (world, _) = World::new(seed, 10).unwrap();
            history::trace(&world.run(seed), world::moment)
        };
        for seed in [3, 4, 5] {
            assert!(tell(seed) == tell(seed), "seed {seed}");
        }
    }

    /// Calls of a run that takes some seconds.
    const CALLS: usize = 200;
}
