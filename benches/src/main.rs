//! Calls, prompts and bridges per core.
//!
//! Starts the release binary on core 0, is everything around it on core 1 (customer, both telephones, receiver of
//! pushes, sound), and measures three workloads the way the peers in [`table`] were measured: success is a call that
//! was answered and ended in order, a run with repeated SIP messages does not count, processor time is the
//! scheduler's own.
//!
//! ```text
//! workloads ─▶ climb ─▶ burst ─┐                 ┌─ api · receiver   HTTP
//!          └─▶ bridges ────────┴─▶ world ──▶ ────┼─ far_end          SIP
//!          │         └─▶ relay                   └─ media            RTP      all note what they see in the ledger
//!          └─▶ junk ─▶ bridges, and a thread that sends what nobody should
//! ```
//!
//! Read `workloads` first, then `burst`.

mod accounting;
mod api;
mod bridges;
mod burst;
mod climb;
mod far_end;
mod http;
mod junk;
mod ledger;
mod media;
mod overload;
mod receiver;
mod relay;
mod rtp;
mod server;
mod sip_text;
mod table;
mod workloads;
mod world;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::junk::Flood;
use crate::workloads::{Bench, Overload, Pace, Results, Workload};
use crate::world::World;

/// Measure calls, prompts and bridges per core
#[derive(Debug, Parser)]
#[command(name = "huihu-bench", version, max_term_width = 100)]
struct Arguments {
    /// What to measure; everything but junk if nothing is named
    workloads: Vec<Workload>,
    /// The server's program; by default the one beside this one
    #[arg(long)]
    huihu: Option<PathBuf>,
    /// Where installations are made, each in a new folder; a disk, if durability is to cost what it costs
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Fewer and shorter runs, under a minute: whether it works, not how well
    #[arg(long)]
    quick: bool,
    /// For overload: callbacks a second that the server can take; measured first if nothing is said
    #[arg(long)]
    capacity: Option<f64>,
    /// For overload and junk: how long it goes on; 120 and 60 if nothing is said. Junk is preceded by as long without it
    #[arg(long)]
    seconds: Option<u64>,
    /// For junk: datagrams a second
    #[arg(long, default_value_t = 20_000)]
    rate: u32,
    /// For junk: how long the memory has to come back afterwards
    #[arg(long, default_value_t = 60)]
    rest_seconds: u64,
    /// For junk: calls that are up meanwhile
    #[arg(long, default_value_t = 50)]
    calls: usize,
    /// Write all figures as JSON into this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Keep the installations, with their databases and logs
    #[arg(long)]
    keep: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let huihu = match arguments.huihu {
        Some(huihu) => huihu,
        None => std::env::current_exe()?.with_file_name("huihu"),
    };
    if !huihu.is_file() {
        bail!("there is no {}: build it with make build, or say where it is with --huihu", huihu.display());
    }
    let files = accounting::raise_open_files()?;
    let load_core = server::load_core();
    accounting::pin(load_core)?;
    if load_core == server::SERVER_CORE {
        table::say(
            "this machine has one core: the load shares it with the server, and no figure can be compared",
        );
    }
    let folder = arguments.dir.join(format!("huihu-bench-{}", std::process::id()));
    table::say(&format!("installations in {}, at most {files} open files", folder.display()));

    let began = Instant::now();
    let mut world = World::new()?;
    let pace = if arguments.quick { Pace::Quick } else { Pace::Usual };
    let overload = Overload {
        capacity: arguments.capacity,
        length: Duration::from_secs(arguments.seconds.unwrap_or(120)),
    };
    let mut results = Results::default();
    let flood = Flood {
        rate: arguments.rate,
        length: Duration::from_secs(arguments.seconds.unwrap_or(60)),
        calls: arguments.calls,
        rest: Duration::from_secs(arguments.rest_seconds),
    };
    let mut bench = Bench { world: &mut world, huihu: &huihu, folder: folder.clone(), pace, overload, flood };
    let all = [Workload::W1, Workload::W2, Workload::W3];
    let chosen = if arguments.workloads.is_empty() { &all[..] } else { &arguments.workloads };
    let mut outcome = Ok(());
    for &workload in chosen {
        outcome = bench.run(workload, &mut results);
        if outcome.is_err() {
            break;
        }
    }
    table::say(&format!("took {:.0} s\n", began.elapsed().as_secs_f64()));
    table::show(&results, &mut io::stdout())?;
    if let Some(file) = arguments.json {
        let text = serde_json::to_string_pretty(&results)?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if outcome.is_err() {
        table::say(&format!("the server's log and database are in {}", folder.display()));
    } else if !arguments.keep {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    outcome?;
    let complaints = results.junk.map_or_else(Vec::new, |junk| junk.complaints());
    if !complaints.is_empty() {
        bail!("junk did harm: {}", complaints.join("; "));
    }
    Ok(())
}
