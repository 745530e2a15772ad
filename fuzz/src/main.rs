//! `make fuzz TARGET=all MINUTES=10 SEED=1`: feeds one target or all of them, and says what each came to.

use std::io::Write;
use std::panic;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use huihu_fuzz::drive::{Budget, drive};
use huihu_fuzz::targets;

/// Feeds parsers what a stranger could send, and says what broke.
#[derive(Parser)]
struct Options {
    /// Which one; `all` takes them one after the other.
    #[arg(long, default_value = "all")]
    target: String,
    /// Minutes for each.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Where the inputs begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<ExitCode> {
    let Options { target, minutes, seed } = Options::parse();
    let chosen: Vec<_> = targets::ALL.iter().filter(|own| target == "all" || target == own.name).collect();
    if chosen.is_empty() {
        let names: Vec<_> = targets::ALL.iter().map(|own| own.name).collect();
        bail!("there is no target {target:?}: choose all, or one of {}", names.join(", "));
    }
    let Ok(time) = Duration::try_from_secs_f64(minutes * 60.0) else {
        bail!("--minutes {minutes} is no time: give a positive number");
    };
    // What breaks is told in the report, once and small.
    panic::set_hook(Box::new(|_| {}));
    let mut broken = 0;
    for target in chosen {
        let report = drive(target, seed, Budget::Time(time))?;
        writeln!(std::io::stdout(), "{report}")?;
        broken += usize::from(report.broken.is_some());
    }
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
