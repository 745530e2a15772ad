//! Junk: what strangers and a mad trunk send to the server's ports while calls are up, and what it costs those calls.
//!
//! ```text
//! calls are bridged ─▶ quiet window ─▶ window under junk ─▶ quiet again ─▶ hang up
//!                      memory before    memory at its peak    memory after
//!
//! a thread of its own, so many datagrams a second:
//!   half to SIP:  bytes without sense, requests of scanners, requests and responses about the running calls,
//!                 and from the trunk's own address broken SIP and questions without end
//!   half to RTP:  packets that look like a party's, reports, bytes without sense, to every port of every running call
//! ```

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use socket2::{Domain, Socket, Type};

use crate::accounting::Waits;
use crate::bridges;
use crate::ledger::Parties;
use crate::server::Server;
use crate::world::World;

/// How much, for how long, and over how many calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flood {
    /// Datagrams a second.
    pub(crate) rate: u32,
    pub(crate) length: Duration,
    pub(crate) calls: usize,
    /// How long the memory has to come back.
    pub(crate) rest: Duration,
}

/// What one window of the calls' sound was like.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sound {
    pub(crate) sent: u64,
    pub(crate) lost: u64,
    /// More than 40 ms on the way: two packets' time, which a telephone's buffer does not bridge.
    pub(crate) late: u64,
    pub(crate) added_ms: Waits,
}

/// What the junk did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) datagrams: u64,
    pub(crate) datagrams_per_second: f64,
    pub(crate) calls: usize,
    pub(crate) calls_lost: usize,
    /// Answers that came back to strangers.
    pub(crate) answers_to_strangers: u64,
    pub(crate) quiet: Sound,
    pub(crate) junk: Sound,
    /// Resident memory in bytes.
    pub(crate) memory_before: u64,
    pub(crate) memory_peak: u64,
    pub(crate) memory_after: u64,
    pub(crate) server_core_percent: f64,
}

/// Bytes by which resident memory may grow.
pub(crate) const GROWTH_MAX: u64 = 16 << 20;

/// Bytes of what it grew that may still be there afterwards: what an allocator keeps for the next time.
const KEPT_MAX: u64 = 4 << 20;

/// Of a thousand packets so many may be lost or late more than without junk: what one run differs from the next.
const HURT_PER_MILLE: u64 = 1;

impl Outcome {
    /// What of the promise was not kept, in sentences.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.calls_lost > 0 {
            complaints.push(format!("{} of {} calls were lost", self.calls_lost, self.calls));
        }
        if self.answers_to_strangers > 0 {
            complaints.push(format!("strangers got {} answers", self.answers_to_strangers));
        }
        let usual = |quiet: u64| quiet * self.junk.sent / self.quiet.sent.max(1);
        for (what, quiet, junk) in
            [("lost", self.quiet.lost, self.junk.lost), ("late", self.quiet.late, self.junk.late)]
        {
            if junk > usual(quiet) + self.junk.sent * HURT_PER_MILLE / 1_000 {
                complaints.push(format!(
                    "{junk} of {} packets were {what}, and {quiet} without junk",
                    self.junk.sent
                ));
            }
        }
        let (peak, kept) = (
            self.memory_peak.saturating_sub(self.memory_before),
            self.memory_after.saturating_sub(self.memory_before),
        );
        if peak > GROWTH_MAX {
            complaints.push(format!("memory grew by {} kB", peak / 1_024));
        }
        if kept > KEPT_MAX {
            complaints.push(format!("{} kB of memory did not come back", kept / 1_024));
        }
        complaints
    }
}

/// Bridges calls, measures them without and with junk, and ends them.
pub(crate) fn run(world: &mut World, server: &mut Server, flood: &Flood) -> Result<Outcome> {
    world.begin(server.account(), Parties::Two, None, false)?;
    if let Some(trouble) = bridges::set_up(world, flood.calls)? {
        bail!("the calls did not come about: {trouble}");
    }
    let (quiet, _) = listen(world, server, flood.length)?;
    let memory_before = server.resident()?;
    let targets = targets(world, server)?;
    let junk = Junk::start(targets, flood.rate)?;
    let (cpu, began) = (server.cpu()?, Instant::now());
    let (under_junk, memory_peak) = listen(world, server, flood.length)?;
    let core = (server.cpu()? - cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    let (datagrams, answers_to_strangers, took) = junk.end()?;
    world.run_until(Instant::now() + flood.rest)?;
    let memory_after = server.resident()?;
    let gone =
        world.ledger.calls.iter().filter(|call| call.legs.iter().any(|leg| leg.over.is_some())).count();
    let left = bridges::hang_up(world)?;
    Ok(Outcome {
        datagrams,
        datagrams_per_second: datagrams as f64 / took.as_secs_f64(),
        calls: flood.calls,
        calls_lost: gone + left,
        answers_to_strangers,
        quiet,
        junk: under_junk,
        memory_before,
        memory_peak: memory_peak.max(memory_before),
        memory_after,
        server_core_percent: core * 100.0,
    })
}

/// Listens to the calls for so long; also how much memory the server had at most.
fn listen(world: &mut World, server: &Server, length: Duration) -> Result<(Sound, u64)> {
    world.run_until(Instant::now() + SETTLE)?;
    world.media.open_window();
    let end = Instant::now() + length;
    let mut peak = 0;
    while Instant::now() < end {
        world.run_until(end.min(Instant::now() + LOOK))?;
        peak = peak.max(server.resident()?);
    }
    world.media.close_window();
    world.run_until(Instant::now() + SETTLE)?;
    let late = world.media.later_than(LATE);
    let window = world.media.window();
    let sound = Sound {
        sent: window.sent,
        lost: window.sent.saturating_sub(window.received),
        late,
        added_ms: window.delay,
    };
    Ok((sound, peak))
}

/// Where the junk goes, and what it can know of the calls.
struct Targets {
    sip: SocketAddrV4,
    /// RTP and RTCP of both legs of all calls.
    media: Vec<SocketAddrV4>,
    /// Call-IDs of running legs.
    call_ids: Vec<String>,
    /// The trunk's own socket.
    trunk: UdpSocket,
}

fn targets(world: &World, server: &Server) -> Result<Targets> {
    let SocketAddr::V4(sip) = server.sip() else { bail!("the server listens by IPv6") };
    let ports = world.ledger.calls.iter().flat_map(|call| call.legs.map(|leg| leg.media));
    let media = ports.flatten().flat_map(|media| match media {
        SocketAddr::V4(rtp) => vec![rtp, SocketAddrV4::new(*rtp.ip(), rtp.port() + 1)],
        SocketAddr::V6(_) => Vec::new(),
    });
    Ok(Targets {
        sip,
        media: media.collect(),
        call_ids: world.far_end.call_ids().map(str::to_owned).collect(),
        trunk: world.far_end.socket.try_clone().context("cannot share the trunk's socket")?,
    })
}

/// The thread that sends.
struct Junk {
    over: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    began: Instant,
    thread: JoinHandle<Result<u64>>,
}

impl Junk {
    fn start(targets: Targets, rate: u32) -> Result<Self> {
        let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (theirs, count) = (Arc::clone(&over), Arc::clone(&sent));
        let strangers = (0..STRANGERS).map(stranger).collect::<Result<Vec<_>>>()?;
        let thread = thread::Builder::new()
            .name("junk".to_owned())
            .spawn(move || send(&targets, &strangers, rate, &theirs, &count))
            .context("cannot start a thread")?;
        Ok(Self { over, sent, began: Instant::now(), thread })
    }

    /// Ends it: datagrams that were sent, answers that strangers got, and the time it took.
    fn end(self) -> Result<(u64, u64, Duration)> {
        self.over.store(true, Ordering::Relaxed);
        let took = self.began.elapsed();
        let answers =
            self.thread.join().unwrap_or_else(|_| Err(anyhow!("the sender of junk has panicked")))?;
        Ok((self.sent.load(Ordering::Relaxed), answers, took))
    }
}

/// A socket of somebody whom the server does not know, at an address of its own on loopback.
fn stranger(number: u8) -> Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).context("cannot open a socket")?;
    socket.set_nonblocking(true)?;
    let address = SocketAddr::from((Ipv4Addr::new(127, 0, 7, number + 1), 0));
    socket.bind(&address.into()).context("cannot bind a stranger's address on loopback")?;
    Ok(socket.into())
}

fn send(
    targets: &Targets,
    strangers: &[UdpSocket],
    rate: u32,
    over: &AtomicBool,
    sent: &AtomicU64,
) -> Result<u64> {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let began = Instant::now();
    let (mut number, mut answers) = (0_u64, 0);
    let mut answer = [0; 2_048];
    while !over.load(Ordering::Relaxed) {
        let due = began.elapsed().as_nanos() * u128::from(rate) / 1_000_000_000;
        while u128::from(number) < due {
            number += 1;
            let who = &strangers[chance.below(strangers.len())];
            let (socket, bytes, to) = one(targets, who, number, &mut chance);
            // What the kernel does not take was not sent.
            sent.fetch_add(u64::from(socket.send_to(&bytes, to).is_ok()), Ordering::Relaxed);
        }
        for stranger in strangers {
            while stranger.recv_from(&mut answer).is_ok() {
                answers += 1;
            }
        }
        thread::sleep(PAUSE);
    }
    Ok(answers)
}

/// One datagram: who sends it, what it is, and where it goes.
fn one<'a>(
    targets: &'a Targets,
    stranger: &'a UdpSocket,
    number: u64,
    chance: &mut Chance,
) -> (&'a UdpSocket, Vec<u8>, SocketAddrV4) {
    let port = targets.media.get(chance.below(targets.media.len().max(1))).copied();
    if let Some(port) = port.filter(|_| number.is_multiple_of(2)) {
        return (stranger, media_junk(chance), port);
    }
    let call_id =
        targets.call_ids.get(chance.below(targets.call_ids.len().max(1))).map_or("nobody", String::as_str);
    match chance.below(10) {
        0..3 => (stranger, chance.bytes(1_400), targets.sip),
        3..6 => (stranger, of_scanner(number, chance), targets.sip),
        6 => (stranger, about(call_id, number, chance), targets.sip),
        7 => (stranger, answer_to(call_id, number), targets.sip),
        8 => (&targets.trunk, broken(number, chance), targets.sip),
        _ => (&targets.trunk, of_scanner(number, chance), targets.sip),
    }
}

/// What looks like a party's voice, like a report of it, or like nothing.
fn media_junk(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = chance.bytes(172);
    match chance.below(4) {
        0 => {}
        1 => bytes.splice(..bytes.len().min(2), [0x80, 8]).for_each(drop),
        2 => bytes.splice(..bytes.len().min(4), [0x80, 101, 0, 0]).for_each(drop),
        _ => bytes.splice(..bytes.len().min(2), [0x81, 203]).for_each(drop),
    }
    bytes
}

/// A request as scanners send it, well-formed.
fn of_scanner(number: u64, chance: &mut Chance) -> Vec<u8> {
    let method = ["OPTIONS", "INVITE", "REGISTER", "SUBSCRIBE"][chance.below(4)];
    request(method, &format!("scan-{number}@192.0.2.1"), "", number)
}

/// A request about a running call, by somebody who knows its Call-ID and nothing else.
fn about(call_id: &str, number: u64, chance: &mut Chance) -> Vec<u8> {
    let method = ["BYE", "CANCEL", "INVITE", "UPDATE", "ACK"][chance.below(5)];
    request(method, call_id, ";tag=guessed", number)
}

fn request(method: &str, call_id: &str, tag: &str, number: u64) -> Vec<u8> {
    format!(
        "{method} sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{number:x};rport\r\n\
         From: \"friendly\" <sip:100@192.0.2.1>;tag={number:x}\r\nTo: <sip:100@127.0.0.1>{tag}\r\nCall-ID: {call_id}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:100@192.0.2.1:5060>\r\nMax-Forwards: 70\r\nUser-Agent: friendly-scanner\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// A response about a running call whose branch is made up.
fn answer_to(call_id: &str, number: u64) -> Vec<u8> {
    let request = request("INVITE", call_id, ";tag=guessed", number);
    let text = String::from_utf8_lossy(&request).into_owned();
    let rest = text.split_once("\r\n").map_or("", |(_, rest)| rest);
    format!("SIP/2.0 200 OK\r\n{rest}").into_bytes()
}

/// A request with a part of it gone, doubled or turned into noise.
fn broken(number: u64, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = of_scanner(number, chance);
    let (at, length) = (chance.below(bytes.len()), chance.below(40));
    let end = (at + length).min(bytes.len());
    match chance.below(3) {
        0 => drop(bytes.drain(at..end)),
        1 => {
            let again = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, again));
        }
        _ => bytes[at..end].iter_mut().for_each(|byte| *byte = byte.wrapping_add(0x5b)),
    }
    bytes
}

/// Numbers without an end, the same each time (xorshift64, Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }

    /// Up to so many bytes.
    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// Who sends, besides the trunk.
const STRANGERS: u8 = 8;

/// Between two looks at what is due to be sent.
const PAUSE: Duration = Duration::from_millis(1);

/// How long sound flows before it counts, and how long late packets are waited for.
const SETTLE: Duration = Duration::from_secs(1);

/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(200);

/// A packet that was longer on its way is late.
const LATE: Duration = Duration::from_millis(40);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_is_of_all_kinds_and_the_same_each_time() {
        let targets = || Targets {
            sip: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5060),
            media: vec![SocketAddrV4::new(Ipv4Addr::LOCALHOST, 20_000)],
            call_ids: vec!["call".to_owned()],
            trunk: stranger(200).unwrap(),
        };
        let all = |targets: &Targets| {
            let (who, mut chance) = (stranger(201).unwrap(), Chance(7));
            (0..2_000)
                .map(|number| {
                    let (_, bytes, to) = one(targets, &who, number, &mut chance);
                    (bytes, to)
                })
                .collect::<Vec<_>>()
        };
        let (first, second) = (all(&targets()), all(&targets()));
        assert!(first == second);
        let begins = |start: &[u8]| first.iter().any(|(bytes, _)| bytes.starts_with(start));
        assert!(begins(b"BYE sip:") && begins(b"SIP/2.0 200") && begins(&[0x80, 8]) && begins(&[0x81, 203]));
        assert!(first.iter().any(|(_, to)| to.port() == 20_000));
    }

    #[test]
    fn a_promise_that_is_not_kept_is_told() {
        let sound = Sound { sent: 10_000, lost: 2, late: 0, added_ms: Waits::default() };
        let good = Outcome {
            datagrams: 1,
            datagrams_per_second: 1.0,
            calls: 10,
            calls_lost: 0,
            answers_to_strangers: 0,
            quiet: sound,
            junk: sound,
            memory_before: 100 << 20,
            memory_peak: 110 << 20,
            memory_after: 101 << 20,
            server_core_percent: 1.0,
        };
        assert_eq!(good.complaints(), Vec::<String>::new());
        for spoil in [
            |outcome: &mut Outcome| outcome.calls_lost = 1,
            |outcome: &mut Outcome| outcome.answers_to_strangers = 1,
            |outcome: &mut Outcome| outcome.junk.lost = 100,
            |outcome: &mut Outcome| outcome.junk.late = 100,
            |outcome: &mut Outcome| outcome.memory_peak = 117 << 20,
            |outcome: &mut Outcome| outcome.memory_after = 105 << 20,
        ] {
            let mut outcome = good.clone();
            spoil(&mut outcome);
            assert_eq!(outcome.complaints().len(), 1, "{outcome:?}");
        }
    }
}
