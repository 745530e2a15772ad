//! What is shown: our figures beside the peers', and how often ours go into theirs.

use std::io::{self, Write};

use crate::accounting::Spread;
use crate::bridges::Step;
use crate::climb::Summit;
use crate::junk;
use crate::overload::Overloaded;
use crate::workloads::Results;

/// Figures of others, measured with this method on a machine of this kind: one core of the server, loopback.
struct Peer {
    name: &'static str,
    /// Callbacks a second: the most, and the most with small waits.
    callbacks: Option<(f64, f64)>,
    callback_ms: Option<f64>,
    prompts: Option<f64>,
    prompt_ms: Option<f64>,
    bridge_percent: f64,
    bridge_p99_ms: f64,
    bridge_mb: f64,
}

const PEERS: [Peer; 4] = [
    Peer {
        name: "Asterisk 22",
        callbacks: Some((200.0, 100.0)),
        callback_ms: Some(6.2),
        prompts: Some(110.0),
        prompt_ms: Some(10.1),
        bridge_percent: 0.30,
        bridge_p99_ms: 2.2,
        bridge_mb: 0.7,
    },
    Peer {
        name: "rustpbx",
        callbacks: Some((110.0, 80.0)),
        callback_ms: Some(9.7),
        prompts: Some(110.0),
        prompt_ms: Some(10.9),
        bridge_percent: 0.33,
        bridge_p99_ms: 1.6,
        bridge_mb: 0.7,
    },
    Peer {
        name: "FreeSWITCH 1.10",
        callbacks: Some((50.0, 40.0)),
        callback_ms: Some(20.5),
        prompts: Some(65.0),
        prompt_ms: Some(15.8),
        bridge_percent: 0.40,
        bridge_p99_ms: 7.8,
        bridge_mb: 0.8,
    },
    Peer {
        name: "rtpengine 10.5",
        callbacks: None,
        callback_ms: None,
        prompts: None,
        prompt_ms: None,
        bridge_percent: 0.16,
        bridge_p99_ms: 1.9,
        bridge_mb: 0.04,
    },
];

/// The best relay that was ever measured on a machine of this kind, in per cent of a core for a call.
const KERNEL_LIMIT_PERCENT: f64 = 0.031;

/// A line to whoever watches.
pub(crate) fn say(line: &str) {
    // Nobody watches: no reason to stop.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes the whole table.
pub(crate) fn show(results: &Results, out: &mut impl Write) -> io::Result<()> {
    if let Some(plain) = &results.callbacks {
        callbacks(plain, results.callbacks_with_pushes.as_ref()).write(out)?;
    }
    if let Some(summit) = &results.prompts {
        prompts(summit).write(out)?;
    }
    if let Some(ascended) = &results.bridges {
        steps(&ascended.steps, &results.bare_relay).write(out)?;
        if let Some(best) = ascended.steps.iter().rev().find(|step| step.is_good()) {
            bridges(best, ascended.steps.iter().filter(|step| step.is_good())).write(out)?;
        }
        if let Some(trouble) = &ascended.trouble {
            writeln!(out, "{trouble}\n")?;
        }
    }
    if let Some(overloaded) = &results.overload {
        loads(overloaded).write(out)?;
        let said = match &overloaded.broken[..] {
            [] => "everything holds that must".to_owned(),
            broken => broken.join("; "),
        };
        writeln!(out, "{said}\n")?;
    }
    if let Some(junk) = &results.junk {
        write_junk(junk, out)?;
    }
    Ok(())
}

fn loads(overloaded: &Overloaded) -> Grid {
    let titles = [
        "offered /s",
        "accepted /s",
        "of capacity",
        "answer p50",
        "p99 ms",
        "INVITE p99",
        "refused",
        "p99 ms",
        "p99.9",
        "slowest",
        "latest RTP",
        "lost",
        "generator late",
        "page-ins",
        "% of a core",
    ];
    let mut grid = Grid::new("Overload  callbacks beside 20 calls that talk", &titles);
    for load in [&overloaded.half, &overloaded.twice] {
        grid.row(
            &format!("{:.0}", load.offered),
            [
                format!("{:.0}", load.accepted),
                format!("{:.1} %", load.accepted / overloaded.capacity * 1e2),
                format!("{:.1}", load.answer_ms.p50),
                format!("{:.1}", load.answer_ms.p99),
                format!("{:.1}", load.invite_ms.p99),
                load.refused.to_string(),
                format!("{:.1}", load.refusal_ms.p99),
                format!("{:.1}", load.refusal_ms.p999),
                format!("{:.1}", load.refusal_ms.longest),
                format!("{:.1}", load.sound_ms.longest),
                load.sound_lost.to_string(),
                format!("{:.1}", load.generator_late_ms),
                load.page_ins.to_string(),
                format!("{:.0}", load.server_core_percent),
            ],
        );
    }
    grid
}

/// One line, for people and for scripts.
fn write_junk(junk: &junk::Outcome, out: &mut impl Write) -> io::Result<()> {
    let sound = |sound: &junk::Sound| {
        let junk::Sound { sent, lost, late, added_ms } = sound;
        format!("sent={sent},lost={lost},late={late},p99_ms={:.1}", added_ms.p99)
    };
    writeln!(
        out,
        "junk={} per_second={:.0} calls={} calls_lost={} answers_to_strangers={} quiet({}) junk({}) \
         memory_kb(before={},peak={},after={}) core_percent={:.0}",
        junk.datagrams,
        junk.datagrams_per_second,
        junk.calls,
        junk.calls_lost,
        junk.answers_to_strangers,
        sound(&junk.quiet),
        sound(&junk.junk),
        junk.memory_before / 1_024,
        junk.memory_peak / 1_024,
        junk.memory_after / 1_024,
        junk.server_core_percent,
    )
}

fn callbacks(plain: &Summit, pushed: Option<&Summit>) -> Grid {
    let mut grid = Grid::new(
        "W1  two-leg callbacks on one core",
        &["", "highest /s", "small waits /s", "CPU ms a call", "ours is"],
    );
    let own = plain.cpu_ms.map(|cpu| cpu.median);
    grid.row(
        "Huihu, accepted durably",
        [rate(plain.highest), rate(plain.comfortable), spread(plain.cpu_ms), String::new()],
    );
    if let Some(pushed) = pushed {
        let cells = [rate(pushed.highest), rate(pushed.comfortable), spread(pushed.cpu_ms), String::new()];
        grid.row("Huihu, and all 8 pushes", cells);
    }
    for peer in &PEERS {
        if let (Some((highest, small)), Some(cpu)) = (peer.callbacks, peer.callback_ms) {
            let cells = [rate(Some(highest)), rate(Some(small)), format!("{cpu:.1}"), times(Some(cpu), own)];
            grid.row(peer.name, cells);
        }
    }
    grid
}

fn prompts(summit: &Summit) -> Grid {
    let mut grid =
        Grid::new("W2  prompts of 3 s on one core", &["", "highest /s", "CPU ms a call", "ours is"]);
    let own = summit.cpu_ms.map(|cpu| cpu.median);
    grid.row("Huihu", [rate(summit.highest), spread(summit.cpu_ms), String::new()]);
    for peer in &PEERS {
        if let (Some(highest), Some(cpu)) = (peer.prompts, peer.prompt_ms) {
            grid.row(peer.name, [rate(Some(highest)), format!("{cpu:.1}"), times(Some(cpu), own)]);
        }
    }
    grid
}

fn steps(steps: &[Step], bare: &[Step]) -> Grid {
    let titles = [
        "calls",
        "% of a core",
        "% a call",
        "bare relay",
        "ratio",
        "added p50",
        "p99 ms",
        "bare p99",
        "lost",
        "MB a call",
    ];
    let mut grid = Grid::new("W3  bridged A-law calls, more and more of them", &titles);
    for step in steps {
        let bare = bare.iter().find(|bare| bare.calls == step.calls);
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        grid.row(
            &step.calls.to_string(),
            [
                format!("{:.1}", step.core_percent),
                format!("{:.3}", step.core_percent_per_call),
                or_dash(bare.map(|bare| format!("{:.3}", bare.core_percent_per_call))),
                or_dash(
                    bare.map(|bare| {
                        format!("{:.2}", step.core_percent_per_call / bare.core_percent_per_call)
                    }),
                ),
                format!("{:.2}", step.added_ms.p50),
                format!("{:.2}", step.added_ms.p99),
                or_dash(bare.map(|bare| format!("{:.2}", bare.added_ms.p99))),
                step.lost.to_string(),
                or_dash(step.mb_per_call.map(|mb| format!("{mb:.3}"))),
            ],
        );
    }
    grid
}

/// The peers were measured at 100 to 400 calls, rtpengine at 400, the rest at 200.
fn bridges<'a>(best: &Step, good: impl Iterator<Item = &'a Step>) -> Grid {
    let titles = ["", "% of a core a call", "ours is", "p99 ms", "MB a call", "ours is"];
    let mut grid = Grid::new("W3  against others", &titles);
    let at_200 = good.min_by_key(|step| step.calls.abs_diff(200)).unwrap_or(best);
    for step in [at_200, best] {
        let mb = step.mb_per_call.map_or_else(|| "-".to_owned(), |mb| format!("{mb:.3}"));
        let (core, p99) = (step.core_percent_per_call, step.added_ms.p99);
        let cells = [format!("{core:.3}"), String::new(), format!("{p99:.2}"), mb, String::new()];
        grid.row(&format!("Huihu, {} calls", step.calls), cells);
    }
    for peer in &PEERS {
        grid.row(
            peer.name,
            [
                format!("{:.2}", peer.bridge_percent),
                times(Some(peer.bridge_percent), Some(at_200.core_percent_per_call)),
                format!("{:.1}", peer.bridge_p99_ms),
                format!("{:.2}", peer.bridge_mb),
                times(Some(peer.bridge_mb), at_200.mb_per_call),
            ],
        );
    }
    let limit = times(Some(KERNEL_LIMIT_PERCENT), Some(best.core_percent_per_call));
    let blank = String::new;
    grid.row(
        "best bare relay known",
        [format!("{KERNEL_LIMIT_PERCENT:.3}"), limit, blank(), blank(), blank()],
    );
    grid
}

fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "none".to_owned(), |rate| format!("{rate:.0}"))
}

fn spread(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "-".to_owned(),
        |Spread { median, least, most }| format!("{median:.2} ({least:.2}-{most:.2})"),
    )
}

/// How often ours goes into theirs.
fn times(theirs: Option<f64>, ours: Option<f64>) -> String {
    match (theirs, ours) {
        (Some(theirs), Some(ours)) if ours > 0.0 => format!("1/{:.1}", theirs / ours),
        _ => "-".to_owned(),
    }
}

/// Rows of text in columns: the first to the left, the others to the right.
struct Grid {
    title: &'static str,
    rows: Vec<Vec<String>>,
}

impl Grid {
    fn new(title: &'static str, columns: &[&str]) -> Self {
        Self { title, rows: vec![columns.iter().map(|&column| column.to_owned()).collect()] }
    }

    fn row<const COLUMNS: usize>(&mut self, name: &str, cells: [String; COLUMNS]) {
        self.rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        writeln!(out, "{}", self.title)?;
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let cell =
                    if column == 0 { format!("  {cell:<width$}") } else { format!("  {cell:>width$}") };
                line.push_str(&cell);
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let mut grid = Grid::new("title", &["", "rate", "ms"]);
        grid.row("a", ["1000".to_owned(), "1.5".to_owned()]);
        grid.row("longer", ["9".to_owned(), String::new()]);
        let mut out = Vec::new();
        grid.write(&mut out).unwrap();
        let expected = "title\n          rate   ms\n  a       1000  1.5\n  longer     9\n\n";
        assert_eq!(str::from_utf8(&out).unwrap(), expected);
    }

    #[test]
    fn a_ratio_needs_both_sides() {
        assert_eq!(times(Some(6.2), Some(1.0)), "1/6.2");
        assert_eq!(times(Some(6.2), None), "-");
        assert_eq!(times(Some(6.2), Some(0.0)), "-");
    }
}
