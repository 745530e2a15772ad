//! What was seen of a world: by the network, by the telephones, by the journal. The engine adds nothing but its facts.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use base::call::Call;
use base::fact::{Entry, Fact};
use base::id::{CallId, Leg};
use base::time::Instant;
use engine::solo::Held;
use sip::message::{Message as Sip, Method};
use sip::sdp::AudioDescription;
use smallvec::SmallVec;

/// See the module. All lists are in the order of time.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) accepted: Vec<(Instant, Call)>,
    pub(crate) stops: Vec<Stop>,
    /// What the journal took.
    pub(crate) journal: Vec<Entry>,
    pub(crate) messages: Vec<Message>,
    pub(crate) far: Vec<(Instant, Attempt, Far)>,
    /// The sockets of legs, in the order in which they were opened.
    pub(crate) lines: Vec<Line>,
    /// The recordings that were kept, and their bytes.
    pub(crate) recordings: Vec<(CallId, u64)>,
    /// SIP messages that left for strangers.
    pub(crate) told_strangers: usize,
    pub(crate) end: End,
}

/// One INVITE to a party, and all that followed from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Attempt {
    pub(crate) call: CallId,
    pub(crate) leg: Leg,
    /// From 1 on.
    pub(crate) number: u8,
}

/// A customer wanted a call to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub(crate) at: Instant,
    pub(crate) call: CallId,
    /// Whether it was the customer whose call it is.
    pub(crate) is_owner: bool,
    /// Whether we said that it was running.
    pub(crate) was_running: bool,
}

/// A SIP message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) sent: Instant,
    /// When it came; twice if the network doubled it, never if it was lost.
    pub(crate) came: SmallVec<[Instant; 2]>,
    pub(crate) by: By,
    pub(crate) attempt: Attempt,
    pub(crate) what: What,
    pub(crate) cseq: u32,
    /// Whether it belongs to a dialog already.
    pub(crate) in_dialog: bool,
    /// Where its sender wants RTP.
    pub(crate) media: Option<SocketAddr>,
    /// Whether its sender wants to hear anything.
    pub(crate) hears: bool,
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Us,
    Them,
}

/// A request, or a response to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Request(Method),
    Response(u16, Method),
}

/// What a telephone did, or what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Far {
    /// It was picked up.
    Answered,
    /// It knows that the call is over.
    Over,
    /// It fell silent for ever.
    Died,
    /// A key was pressed.
    Pressed(char),
    /// Its RTP comes from here, whatever it describes, and its trunk stands behind NAT.
    SendsFrom(SocketAddr),
}

/// The sockets of a leg.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) port: u16,
    pub(crate) opened: Instant,
    pub(crate) closed: Option<Instant>,
    /// Where RTP went, each run of packets to one address.
    pub(crate) runs: Vec<Run>,
}

/// RTP packets in a row, without a pause and without a word of SIP in between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) to: SocketAddr,
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    pub(crate) packets: u64,
}

/// What was left when all was over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// When there was nothing more to come; `None` when that never was.
    pub(crate) at: Option<Instant>,
    pub(crate) held: Held,
    /// Permits that were not given back.
    pub(crate) permits: u32,
    /// Seats in trunks that were not given back.
    pub(crate) seats: u32,
    /// Sockets that are still open.
    pub(crate) sockets: usize,
    /// Whether the shard took turn after turn in one moment.
    pub(crate) spun: bool,
}

impl Message {
    /// A message that leaves now; `None` when it belongs to no call.
    pub(crate) fn read(by: By, bytes: &[u8], sent: Instant) -> Option<Self> {
        let sip = Sip::parse(bytes).ok()?;
        let method = sip.method();
        let audio =
            AudioDescription::read(sip.body()).or_else(|_| AudioDescription::read_protected(sip.body())).ok();
        let what =
            sip.status().map_or_else(|| What::Request(method), |status| What::Response(status, method));
        Some(Self {
            sent,
            came: SmallVec::new(),
            by,
            attempt: Attempt::of(sip.call_id())?,
            what,
            cseq: sip.cseq(),
            in_dialog: sip.to().tag().is_some(),
            media: audio.as_ref().map(|audio| audio.address),
            hears: audio.is_some_and(|audio| audio.direction.receives()),
        })
    }

    /// Whether this is the INVITE that begins an attempt.
    pub(crate) fn is_first_invite(&self) -> bool {
        self.by == By::Us && self.what == What::Request(Method::Invite) && !self.in_dialog
    }

    /// The status of a response to an INVITE.
    pub(crate) fn invite_status(&self) -> Option<u16> {
        let What::Response(status, Method::Invite) = self.what else { return None };
        Some(status)
    }
}

impl Attempt {
    /// The attempt that a Call-ID belongs to: the call's id, the leg's letter, and the number from the second on.
    pub(crate) fn of(call_id: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(call_id).ok()?;
        let (call, rest) = text.split_at_checked(32)?;
        let mut rest = rest.chars();
        let leg = match rest.next()? {
            'A' => Leg::A,
            'B' => Leg::B,
            _ => return None,
        };
        let number = rest
            .next()
            .map_or(Some(1), |digit| digit.to_digit(10))
            .and_then(|number| u8::try_from(number).ok())?;
        Some(Self { call: call.parse().ok()?, leg, number })
    }
}

impl Attempt {
    /// Its Call-ID.
    pub(crate) fn call_id(self) -> String {
        let number = if self.number > 1 { self.number.to_string() } else { String::new() };
        format!("{}{}{number}", self.call, self.leg)
    }
}

impl History {
    /// The entries of each call, in the order of the journal.
    pub(crate) fn entries(&self) -> BTreeMap<CallId, Vec<&Entry>> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in &self.journal {
            found.entry(entry.call).or_default().push(entry);
        }
        found
    }

    /// The messages of each attempt.
    pub(crate) fn attempts(&self) -> BTreeMap<Attempt, Vec<&Message>> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for message in &self.messages {
            found.entry(message.attempt).or_default().push(message);
        }
        found
    }

    /// When something became of the telephone of an attempt for the first time.
    pub(crate) fn when(&self, attempt: Attempt, what: Far) -> Option<Instant> {
        let is_it = |(_, own, far): &&(Instant, Attempt, Far)| (*own, *far) == (attempt, what);
        self.far.iter().find(is_it).map(|(at, ..)| *at)
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.call, self.leg, self.number)
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(method) => f.write_str(method.as_str()),
            Self::Response(status, method) => write!(f, "{status} ({})", method.as_str()),
        }
    }
}

/// Everything on one axis of time, for whoever looks for the fault. `dated` gives the moment of an entry.
pub(crate) fn trace(history: &History, dated: impl Fn(&Entry) -> Instant) -> String {
    let short = |call: CallId| call.to_string()[24..].to_owned();
    let mut lines: Vec<(Instant, String)> = Vec::new();
    for (at, call) in &history.accepted {
        lines.push((*at, format!("{} accepted: {:?}", short(call.id), call.product.kind())));
    }
    for stop in &history.stops {
        lines.push((stop.at, format!("{} stop asked, was running: {}", short(stop.call), stop.was_running)));
    }
    for entry in &history.journal {
        let said = match &entry.fact {
            Fact::Ringing { leg, .. } => format!("Ringing {leg}"),
            Fact::Answered { leg, .. } => format!("Answered {leg}"),
            Fact::Released { leg, release, .. } => format!("Released {leg} {release:?}"),
            other => format!("{other:?}"),
        };
        lines.push((dated(entry), format!("{} fact {}: {said}", short(entry.call), entry.seq)));
    }
    for message in &history.messages {
        let Message { attempt, what, cseq, came, .. } = message;
        let way = if message.by == By::Us { "──▶" } else { "◀──" };
        let came: Vec<_> = came.iter().map(|at| at.micros() / 1_000).collect();
        let name = format!("{} {}{}", short(attempt.call), attempt.leg, attempt.number);
        lines.push((
            message.sent,
            format!("{name} {way} {what} {cseq}, comes at {came:?} {:?}", message.media),
        ));
    }
    for (at, attempt, far) in &history.far {
        let name = format!("{} {}{}", short(attempt.call), attempt.leg, attempt.number);
        lines.push((*at, format!("{name} telephone: {far:?}")));
    }
    for line in &history.lines {
        lines.push((line.opened, format!("port {} opened, until {:?}", line.port, line.closed)));
        let runs = line.runs.iter();
        lines.extend(runs.map(|run| (run.first, format!("port {} sends {run:?}", line.port))));
    }
    lines.sort_by_key(|(at, _)| *at);
    let print = |(at, line): (Instant, String)| format!("{:>9.3} {line}\n", at.micros() as f64 / 1e6);
    lines.into_iter().map(print).collect::<String>() + &format!("{:?}\n", history.end)
}
