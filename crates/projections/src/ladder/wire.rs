//! What went over the wire, in a ladder.

use base::id::Leg;
use base::trace::{Kind, Packet, Trace, Way};

use super::{Arrow, Row, RowKind};

/// Whether messages of a leg were kept.
pub(super) fn has_messages(trace: &Trace<'_>, leg: Leg) -> bool {
    trace.packets.iter().any(|packet| packet.kind == Kind::Sip && packet.leg == leg)
}

/// A row for each SIP message, with the way it went.
pub(super) fn messages(trace: &Trace<'_>) -> Vec<(Way, Row)> {
    let messages: Vec<&Packet<'_>> = trace.packets.iter().filter(|packet| packet.kind == Kind::Sip).collect();
    let row = |(place, message): (usize, &&Packet<'_>)| {
        let before = &messages[place.saturating_sub(REPEATS)..place];
        let is_again = before
            .iter()
            .any(|own| (own.leg, own.way, own.payload) == (message.leg, message.way, message.payload));
        let text = String::from_utf8_lossy(message.payload).into_owned();
        let (label, mut words) = said(&text, message.leg);
        if is_again {
            words.push_str(", again");
        }
        let (at, kind, arrow) = (message.at, RowKind::Message, arrow(message.leg, message.way, label));
        (message.way, Row { at, kind, arrow, words, message: Some(text) })
    };
    messages.iter().enumerate().map(row).collect()
}

/// A row for each stream of RTP, where it begins.
pub(super) fn streams(trace: &Trace<'_>) -> Vec<Row> {
    let mut found: Vec<Stream<'_>> = Vec::new();
    for packet in trace.packets.iter().filter(|packet| packet.kind == Kind::Rtp) {
        // The packets of a stream follow each other closely: the latest stream is the likeliest.
        // The packets of a stream follow each other closely: the latest stream is the likeliest.
        if let Some(stream) = found.iter_mut().rev().find(|stream| stream.has(packet)) {
            stream.last = packet;
            stream.packets += 1;
        } else if found.len() < STREAMS {
            found.push(Stream { first: packet, last: packet, packets: 1 });
        }
    }
    found.iter().map(Stream::row).collect()
}

/// Packets of one source, on one way of one leg.
struct Stream<'a> {
    first: &'a Packet<'a>,
    last: &'a Packet<'a>,
    packets: u32,
}

impl Stream<'_> {
    fn has(&self, packet: &Packet<'_>) -> bool {
        let of = |packet: &Packet<'_>| (packet.leg, packet.way, packet.far);
        let source = SSRC..SSRC + 4;
        of(self.first) == of(packet) && self.first.payload.get(source.clone()) == packet.payload.get(source)
    }

    fn row(&self) -> Row {
        let Packet { at, leg, way, .. } = *self.first;
        let took = self.last.at.since(at).as_secs_f64();
        let packets = if self.packets == 1 { "1 packet".into() } else { format!("{} packets", self.packets) };
        let from = match way {
            Way::Sent => "to",
            Way::Received => "from",
        };
        let payload_type = self.first.payload.get(1).map_or(0, |byte| byte & 0x7f);
        let words = format!("RTP {from} {leg}: {packets} in {took:.3} s, type {payload_type}");
        Row { at, kind: RowKind::Stream, arrow: arrow(leg, way, "RTP".into()), words, message: None }
    }
}

fn arrow(leg: Leg, way: Way, label: String) -> Arrow {
    match way {
        Way::Sent => Arrow::To(leg, label),
        Way::Received => Arrow::From(leg, label),
    }
}

/// What stands on the arrow of a message, and beside it.
fn said(message: &str, leg: Leg) -> (String, String) {
    let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
    let first = head.lines().next().unwrap_or_default();
    let with = if body.is_empty() { "" } else { " with a body" };
    let Some(status) = first.strip_prefix("SIP/2.0 ") else {
        let method = first.split(' ').next().unwrap_or_default();
        let label = plain(method, LABEL);
        return (label, format!("{leg}: {}{with}", plain(method, WORD)));
    };
    let (status, phrase) = status.split_once(' ').unwrap_or((status, ""));
    let value = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("CSeq")
            .then(|| value.split_whitespace().nth(1).map(str::to_owned))?
    };
    let to = head
        .lines()
        .find_map(value)
        .map_or_else(String::new, |method| format!(" to {}", plain(&method, WORD)));
    (plain(status, LABEL), format!("{leg}: {} {}{to}{with}", plain(status, LABEL), plain(phrase, WORD)))
}

/// What a stranger wrote, without what could disturb a terminal.
fn plain(text: &str, length: usize) -> String {
    text.chars()
        .map(|char| if char.is_ascii_graphic() || char == ' ' { char } else { '?' })
        .take(length)
        .collect()
}

/// Characters of a label, and of a word or phrase.
const LABEL: usize = 11;
const WORD: usize = 40;

/// Messages that are looked back at for one that was sent again.
const REPEATS: usize = 32;

/// Streams of a call: usually four, and some more for other sources and addresses.
const STREAMS: usize = 32;

/// Where the source stands in a header (RFC 3550 section 5.1).
const SSRC: usize = 8;
