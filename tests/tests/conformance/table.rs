//! Plays cases, in all houses at once, and prints what came of them.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::{fs, io, thread};

use huihu_tests::huihu::binary;

use crate::case::{Case, Line};
use crate::house::{House, Kind, Stage};

/// Plays cases and writes the table into a file of that name beside the binary's folder.
///
/// # Panics
/// When anything is not as expected.
pub(crate) fn play<S: Stage>(cases: Vec<Case<S>>, file: &str) {
    let mut houses: BTreeMap<S::Kind, Vec<(usize, Case<S>)>> = BTreeMap::new();
    for (place, case) in cases.into_iter().enumerate() {
        houses.entry(case.kind).or_default().push((place, case));
    }
    let mut lines: Vec<(usize, Line)> = thread::scope(|scope| {
        let played = houses.into_iter().map(|(kind, cases)| scope.spawn(move || play_in(kind, cases)));
        let played: Vec<_> = played.collect();
        played.into_iter().flat_map(|lines| lines.join().expect("a house catches its panics")).collect()
    });
    lines.sort_by_key(|(place, line)| (order(line.row), *place));
    let wrong: Vec<&Line> =
        lines.iter().map(|(_, line)| line).filter(|line| line.got != line.expected).collect();
    let table = write(lines.iter().map(|(_, line)| line), wrong.len());
    let folder = binary().ancestors().nth(2).expect("a binary lies in target/debug").to_owned();
    fs::write(folder.join(file), &table).expect("the target folder can be written");
    // Printed whether or not the test passes: it is what one runs it for.
    io::stdout().write_all(table.as_bytes()).expect("the screen can be written");
    assert!(wrong.is_empty(), "{} of {} are not as expected:\n{}", wrong.len(), lines.len(), write(wrong, 0));
}

/// Where a row stands in the matrix; what is no row of its own comes last.
fn order(row: &str) -> (u16, &str) {
    let row = row.trim_start_matches('P');
    let letters = row.trim_start_matches(char::is_numeric);
    let number = &row[..row.len() - letters.len()];
    (number.parse().unwrap_or(u16::MAX), letters)
}

/// Plays the cases of one house.
fn play_in<S: Stage>(kind: S::Kind, cases: Vec<(usize, Case<S>)>) -> Vec<(usize, Line)> {
    let Ok(house) = catch_unwind(AssertUnwindSafe(|| Arc::new(House::<S>::open(kind)))) else {
        let closed = |(place, case): (usize, Case<S>)| (place, case.line(format!("no house {kind:?}")));
        return cases.into_iter().map(closed).collect();
    };
    let mut lines = Vec::new();
    let mut furnished = VecDeque::new();
    for (place, case) in cases {
        let mut scene = S::new(&house, u16::try_from(place + 1).expect("there are fewer cases"));
        match case.furnish(&mut scene) {
            Ok(()) => furnished.push_back((place, case, scene)),
            Err(why) => lines.push((place, case.line(why))),
        }
    }
    let (furnished, lines) = (Mutex::new(furnished), Mutex::new(lines));
    thread::scope(|scope| {
        for _ in 0..kind.setup().crowd {
            scope.spawn(|| {
                while let Some((place, case, scene)) = next(&furnished) {
                    let line = case.play(&scene);
                    lines.lock().expect("nobody panics here").push((place, line));
                }
            });
        }
    });
    let lines = lines.into_inner().expect("nobody panics here");
    if lines.iter().any(|(_, line)| line.got != line.expected) {
        eprintln!("what the house {kind:?} complained of:\n{}", complaints(&house.installation.log()));
    }
    lines
}

/// The lines of a log that say what went wrong.
fn complaints(log: &str) -> String {
    let is_one = |line: &&str| ["ERROR", "WARN"].iter().any(|level| line.contains(level));
    log.lines().filter(is_one).collect::<Vec<_>>().join("\n")
}

fn next<T>(waiting: &Mutex<VecDeque<T>>) -> Option<T> {
    waiting.lock().expect("nobody panics here").pop_front()
}

/// The table as text.
fn write<'a>(lines: impl IntoIterator<Item = &'a Line>, wrong: usize) -> String {
    let mut table = String::new();
    let (mut count, mut rows) = (0, String::new());
    for Line { row, request, expected, got } in lines {
        let mark = if got == expected { ' ' } else { '!' };
        let request: String = request.chars().take(REQUEST_CHARS).collect();
        writeln!(rows, "{mark} {row:<5} | {request:<REQUEST_CHARS$} | {expected} | {got}")
            .expect("a string takes any text");
        count += 1;
    }
    writeln!(
        table,
        "\n  row   | {:<REQUEST_CHARS$} | expected | got   ({count} cases, {wrong} differ)",
        "request"
    )
    .expect("a string takes any text");
    table + &rows
}

/// Characters of a request that are printed.
const REQUEST_CHARS: usize = 64;
