//! The ladder as a picture that any browser shows, by day and by night: no script, nothing from elsewhere.

use std::fmt::Write;

use base::id::Leg;

use super::{Arrow, Row, RowKind, Timeline};

impl Timeline {
    /// An SVG document. Messages are told by their first line only.
    #[must_use]
    pub fn svg(&self) -> String {
        let lines = if self.parties == 1 { &LINES[..2] } else { &LINES[..] };
        let notes: Vec<String> = self.notes().collect();
        let height = HEAD + ROW * (self.rows.len() + notes.len() + 1);
        let words = lines[lines.len() - 1].1 + 24;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
             <title>call</title>\n<style>{STYLE}</style>\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
        );
        let bottom = HEAD + ROW * self.rows.len();
        for (name, x) in lines {
            push(&mut svg, format_args!("<text class=\"name\" x=\"{x}\" y=\"24\">{name}</text>"));
            push(
                &mut svg,
                format_args!("<line class=\"life\" x1=\"{x}\" y1=\"32\" x2=\"{x}\" y2=\"{bottom}\"/>"),
            );
        }
        for (place, row) in self.rows.iter().enumerate() {
            let y = HEAD + ROW * place + ROW / 2;
            let after = self.after(row);
            let secs = format!("+{}.{:03} s", after.as_secs(), after.subsec_millis());
            push(&mut svg, format_args!("<g class=\"{}\">", class(row)));
            push(&mut svg, format_args!("<text class=\"time\" x=\"100\" y=\"{}\">{secs}</text>", y + 4));
            draw(&row.arrow, y, &mut svg);
            let text = escaped(&row.words);
            push(&mut svg, format_args!("<text x=\"{words}\" y=\"{}\">{text}</text></g>", y + 4));
        }
        for (place, note) in notes.iter().enumerate() {
            let y = bottom + ROW * (place + 1);
            push(&mut svg, format_args!("<text x=\"24\" y=\"{y}\">{}</text>", escaped(note)));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn draw(arrow: &Arrow, y: usize, svg: &mut String) {
    let ([a, us, b], label) = (LINES.map(|(_, x)| x), arrow.label());
    let (from, to, both) = match arrow {
        Arrow::Plain => return,
        Arrow::To(Leg::A, _) => (us, a, false),
        Arrow::From(Leg::A, _) => (a, us, false),
        Arrow::To(Leg::B, _) => (us, b, false),
        Arrow::From(Leg::B, _) => (b, us, false),
        Arrow::Through(Leg::A, _) => (b, a, false),
        Arrow::Through(Leg::B, _) => (a, b, false),
        Arrow::Both(_) => (a, b, true),
    };
    push(svg, format_args!("<line class=\"arrow\" x1=\"{from}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\"/>"));
    head(to, from < to, y, svg);
    if both {
        head(from, to < from, y, svg);
    }
    let middle = from.midpoint(to);
    push(svg, format_args!("<text class=\"label\" x=\"{middle}\" y=\"{}\">{}</text>", y - 3, escaped(label)));
}

/// The head of an arrow.
fn head(x: usize, points_right: bool, y: usize, svg: &mut String) {
    let back = if points_right { x - 8 } else { x + 8 };
    let (up, down) = (y - 4, y + 4);
    push(svg, format_args!("<path class=\"head\" d=\"M{x} {y}L{back} {up}L{back} {down}Z\"/>"));
}

const fn class(row: &Row) -> &'static str {
    match row.kind {
        RowKind::Fact => "fact",
        RowKind::Message => "message",
        RowKind::Stream => "stream",
        RowKind::Push => "push",
    }
}

fn push(svg: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(svg, "{line}").expect("a string takes any text");
}

/// Text that is nothing but text, whoever wrote it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no place for them.
            char if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            char => safe.push(char),
        }
    }
    safe
}

/// The lines of the parties, and where they stand.
const LINES: [(&str, usize); 3] = [("A", 140), ("Huihu", 310), ("B", 480)];

/// Pixels.
const WIDTH: usize = 1_180;
const HEAD: usize = 40;
const ROW: usize = 24;

const STYLE: &str = "text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}\
    .ground{fill:#fff}.life{stroke:#d0d7de}.arrow{stroke:#57606a}.head{fill:#57606a}\
    .name,.label{text-anchor:middle}.name{font-weight:600}.label{font-size:11px}\
    .time{text-anchor:end;fill:#57606a}.message text{fill:#0550ae}.stream text{fill:#116329}.push text{fill:#8250df}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.life{stroke:#30363d}\
    .arrow{stroke:#8b949e}.head{fill:#8b949e}.time{fill:#8b949e}.message text{fill:#79c0ff}\
    .stream text{fill:#7ee787}.push text{fill:#d2a8ff}}";
