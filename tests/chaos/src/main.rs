//! `make chaos KILLS=300 RATE=30 SEED=1`: says what was lost, which must be nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use huihu_chaos::check::{Complaint, RULES, Rule, check};
use huihu_chaos::history::History;
use huihu_chaos::storm::{self, Plan};

/// Kills Huihu under calls, again and again, and checks that nothing was lost.
#[derive(Parser)]
struct Options {
    /// How often the process is ended.
    #[arg(long, default_value_t = 300)]
    kills: usize,
    /// Calls a second that are asked for.
    #[arg(long, default_value_t = 30)]
    rate: u32,
    /// What orders, faults and pauses are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many calls may run at once.
    #[arg(long, default_value_t = 60)]
    ports: usize,
    /// Keeps the four logs in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Checks logs that were kept, and runs nothing.
    #[arg(long, conflicts_with_all = ["kills", "rate", "seed", "ports", "keep"])]
    check: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let Options { kills, rate, seed, ports, keep, check: kept } = Options::parse();
    if let Some(folder) = kept {
        let history = History::load(&folder)?;
        return Ok(judge(0, history.accepted(), &check(&history)));
    }
    let outcome = storm::run(Plan { kills, rate, seed, ports })?;
    if let Some(folder) = keep {
        outcome.history.save(&folder)?;
    }
    println!("took {:.0?}; the slowest start took {:.1?}", outcome.took, outcome.slowest_start);
    println!("ends: {:?}", outcome.ends);
    println!("orders: {:?}", outcome.answers());
    let History { legs, records, .. } = &outcome.history;
    println!("legs: {}; records: {}; pushes: {:?}", legs.len(), records.len(), outcome.posts());
    println!("still owed: {}", outcome.still_owed);
    Ok(judge(kills, outcome.history.accepted(), &check(&outcome.history)))
}

/// Prints what is wrong, rule by rule, and the sum of it.
fn judge(kills: usize, accepted: usize, complaints: &[Complaint]) -> ExitCode {
    let of = |rule: Rule| complaints.iter().filter(move |complaint| complaint.rule == rule);
    for rule in RULES {
        println!("{rule:?}: {}", of(rule).count());
        for Complaint { text, .. } in of(rule).take(SHOWN) {
            println!("  {text}");
        }
    }
    let [lost, double, events_lost, order] =
        [Rule::Lost, Rule::Double, Rule::EventsLost, Rule::Order].map(|rule| of(rule).count());
    println!(
        "kills={kills} accepted={accepted} lost={lost} double={double} events_lost={events_lost} order={order}"
    );
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Complaints of a rule that are shown.
const SHOWN: usize = 10;
