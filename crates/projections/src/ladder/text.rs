//! The ladder for a terminal of 100 columns.
//!
//! ```text
//!              A               Huihu               B
//!   +0.000 s   │                 │                 │   accepted: callback
//!   +0.104 s   │◀─── INVITE ─────│                 │   A dialled: +86138****0001
//!   +1.240 s   │────── 180 ─────▶│                 │   A rings
//! ```
//!
//! We stand between the parties, so that no arrow crosses a line that it does not touch.

use std::fmt::Write;

use base::id::Leg;

use super::{Arrow, RowKind, Timeline};

impl Timeline {
    /// One line for each row, and the notes below them.
    #[must_use]
    pub fn text(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut text = head(self.parties);
        for row in &self.rows {
            let after = self.after(row);
            let secs = format!("+{}.{:03} s", after.as_secs(), after.subsec_millis());
            let line = format!("{secs:>12}   {}   {}", row.arrow.draw(self.parties), row.words);
            // Facts are told in our own words, which are short.
            let line = if row.kind == RowKind::Fact { line } else { cut(&line) };
            writeln!(text, "{line}").expect("a string takes any text");
        }
        for note in self.notes() {
            writeln!(text, "{note}").expect("a string takes any text");
        }
        text
    }
}

/// A line that fits.
fn cut(line: &str) -> String {
    match line.char_indices().nth(COLUMNS) {
        None => line.to_owned(),
        Some(_) => line.chars().take(COLUMNS - 1).chain(['…']).collect(),
    }
}

impl Arrow {
    fn draw(&self, parties: usize) -> String {
        let empty = " ".repeat(GAP);
        let (left, right) = match self {
            Self::Plain => (empty.clone(), empty),
            Self::To(Leg::A, label) | Self::From(Leg::B, label) => {
                let shaft = shaft(label, GAP, "◀", "─");
                if matches!(self, Self::To(..)) { (shaft, empty) } else { (empty, shaft) }
            }
            Self::From(Leg::A, label) | Self::To(Leg::B, label) => {
                let shaft = shaft(label, GAP, "─", "▶");
                if matches!(self, Self::To(..)) { (empty, shaft) } else { (shaft, empty) }
            }
            Self::Through(Leg::A, label) => return wide(label, "◀", "─"),
            Self::Through(Leg::B, label) => return wide(label, "─", "▶"),
            Self::Both(label) => return wide(label, "◀", "▶"),
        };
        if parties == 1 { format!("│{left}│") } else { format!("│{left}│{right}│") }
    }
}

fn wide(label: &str, start: &str, end: &str) -> String {
    format!("│{}│", shaft(label, 2 * GAP + 1, start, end))
}

/// `◀──── label ─────`, exactly `width` columns. Labels are ASCII and short.
fn shaft(label: &str, width: usize, start: &str, end: &str) -> String {
    let label = format!(" {label} ");
    format!("{start}{label:─^inner$}{end}", inner = width - 2)
}

fn head(parties: usize) -> String {
    let lines = if parties == 1 { ["A", "Huihu", ""] } else { ["A", "Huihu", "B"] };
    let [a, us, b] = lines;
    let line = format!("{:15}{a:<16}{us:<20}{b}", "");
    format!("{}\n", line.trim_end())
}

/// Columns between two lines of the ladder.
const GAP: usize = 17;

/// Columns of a terminal.
const COLUMNS: usize = 100;
