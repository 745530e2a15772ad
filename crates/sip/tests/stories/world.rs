//! Two endpoints on a network of our own: virtual time, seeded loss, delay and reordering.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Duration;

use base::time::Instant;
use huihu_sip::{
    Datagram, Endpoint, Event, Hop, Invite, LegKey, Output, Outputs, Pace, PeerRule, Privacy, Ring, Settings,
    Transport,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

pub(crate) const OFFER: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
pub(crate) const ANSWER: &[u8] =
    b"v=0\r\no=- 2 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4002 RTP/AVP 8\r\n";

/// The one outgoing leg of most stories.
pub(crate) const LEG: LegKey = LegKey(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Caller,
    Callee,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) caller: Endpoint,
    pub(crate) callee: Endpoint,
    pub(crate) net: Net,
    /// What each side told, with the leg.
    pub(crate) told: Vec<(Side, LegKey, Event)>,
    /// First lines of all datagrams in the order of sending.
    pub(crate) sent: Vec<(Side, String)>,
    /// How the two talk.
    pub(crate) transport: Transport,
    /// Calls that were placed, where a story places more than one.
    pub(crate) placed: u64,
    datagrams: Vec<(Side, Datagram)>,
    wire: BinaryHeap<Reverse<Flight>>,
    flown: u64,
}

/// A datagram on its way: when it arrives, its number, whether to the caller, its bytes.
type Flight = (Instant, u64, bool, Vec<u8>);

/// How bad the network is.
pub(crate) struct Net {
    pub(crate) rng: SmallRng,
    /// Of a hundred datagrams, how many get lost.
    pub(crate) loss_percent: u32,
    /// Of a hundred datagrams, how many come twice.
    pub(crate) twice_percent: u32,
    /// Shortest and longest way in microseconds.
    pub(crate) delay: (u64, u64),
    /// Loses the datagram of this number, counted from the beginning.
    pub(crate) lose_nth: Option<usize>,
}

pub(crate) fn address(side: Side) -> SocketAddr {
    match side {
        Side::Caller => SocketAddr::from(([10, 0, 0, 1], 5060)),
        Side::Callee => SocketAddr::from(([10, 0, 0, 2], 5060)),
    }
}

pub(crate) fn other(side: Side) -> Side {
    match side {
        Side::Caller => Side::Callee,
        Side::Callee => Side::Caller,
    }
}

pub(crate) fn settings(side: Side) -> Settings {
    let mut settings = Settings::new(address(side).to_string());
    settings.peers = vec![PeerRule::Socket(address(other(side)))];
    settings.accept_calls = true;
    settings
}

/// A pace at which a story takes seconds: T1 is 10 ms, 64*T1 is 640 ms.
pub(crate) fn quick() -> Pace {
    Pace {
        t1: Duration::from_millis(10),
        t2: Duration::from_millis(80),
        t4: Duration::from_millis(100),
        timer_c: Duration::from_secs(3),
    }
}

pub(crate) fn invite(leg: LegKey) -> Invite {
    Invite {
        peer: address(Side::Callee).into(),
        request_uri: "sip:+8613800000000@10.0.0.2:5060".parse().expect("it is well-formed"),
        from: "<sip:+8675500000000@10.0.0.1>".parse().expect("it is well-formed"),
        to: "<sip:+8613800000000@10.0.0.2>".parse().expect("it is well-formed"),
        contact: "<sip:10.0.0.1:5060>".parse().expect("it is well-formed"),
        call_id: format!("call-{}", leg.0),
        from_tag: format!("tag-{}", leg.0),
        branch: format!("z9hG4bKfirst{}", leg.0),
        offer: OFFER.to_vec(),
        credentials: None,
        asserted_identity: None,
        privacy: Privacy::Unsaid,
        redirects_max: 0,
        redirects_to: Vec::new(),
        supported_100rel: true,
        headers: Vec::new(),
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant::START,
            caller: Endpoint::new(settings(Side::Caller), seed),
            callee: Endpoint::new(settings(Side::Callee), seed + 1),
            net: Net {
                rng: SmallRng::seed_from_u64(seed),
                loss_percent: 0,
                twice_percent: 0,
                delay: (1_000, 1_000),
                lose_nth: None,
            },
            told: Vec::new(),
            sent: Vec::new(),
            transport: Transport::Udp,
            placed: 0,
            datagrams: Vec::new(),
            wire: BinaryHeap::new(),
            flown: 0,
        }
    }

    pub(crate) fn endpoint(&mut self, side: Side) -> &mut Endpoint {
        match side {
            Side::Caller => &mut self.caller,
            Side::Callee => &mut self.callee,
        }
    }

    /// Lets a side do something now.
    pub(crate) fn act(&mut self, side: Side, act: impl FnOnce(&mut Endpoint, Instant, &mut Outputs)) {
        let (mut out, now) = (Outputs::new(), self.now);
        act(self.endpoint(side), now, &mut out);
        self.take(side, out);
    }

    pub(crate) fn call(&mut self) {
        self.act(Side::Caller, |caller, now, out| caller.invite(LEG, invite(LEG), now, out));
    }

    pub(crate) fn ring(&mut self, status: u16, sdp: bool, reliably: bool) {
        let leg = self.incoming();
        let ring = Ring { status, sdp: sdp.then(|| ANSWER.to_vec()), reliably };
        self.act(Side::Callee, |callee, now, out| callee.ring(leg, ring, now, out));
    }

    pub(crate) fn answer(&mut self) {
        let leg = self.incoming();
        self.act(Side::Callee, |callee, now, out| callee.answer(leg, ANSWER, now, out));
    }

    pub(crate) fn hang_up(&mut self, side: Side) {
        let leg = if side == Side::Caller { LEG } else { self.incoming() };
        self.act(side, |endpoint, now, out| endpoint.hang_up(leg, None, now, out));
    }

    /// A call that is answered and acknowledged.
    pub(crate) fn talk(&mut self) {
        self.call();
        self.run(5);
        self.ring(180, false, false);
        self.run(5);
        self.answer();
        self.run(5);
    }

    /// The last call that came in.
    pub(crate) fn incoming(&self) -> LegKey {
        self.incoming_if_any().expect("a call has come in")
    }

    pub(crate) fn incoming_if_any(&self) -> Option<LegKey> {
        let came = |(side, leg, event): &(Side, LegKey, Event)| {
            (*side == Side::Callee && matches!(event, Event::Invited(_))).then_some(*leg)
        };
        self.told.iter().rev().find_map(came)
    }

    /// Runs for so many milliseconds.
    pub(crate) fn run(&mut self, millis: u64) {
        self.pass(Duration::from_millis(millis));
    }

    /// Runs until nothing is left to happen.
    pub(crate) fn run_out(&mut self) {
        let mut steps = 0;
        while let Some(next) = self.next() {
            self.now = next.max(self.now);
            self.step();
            steps += 1;
            assert!(steps < 100_000, "the world does not come to rest");
        }
    }

    /// Lets less than a millisecond or more pass.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(next) = self.next().filter(|&next| next <= end) {
            self.now = next.max(self.now);
            self.step();
        }
        self.now = end;
    }

    /// The two talk by a connection: nothing is lost, comes twice, or overtakes.
    pub(crate) fn connect(&mut self) {
        self.transport = Transport::Tcp;
        self.net.loss_percent = 0;
        self.net.twice_percent = 0;
        self.net.delay = (self.net.delay.1, self.net.delay.1);
    }

    /// Both sides run at a pace where 64*T1 is 640 ms.
    pub(crate) fn hurry(&mut self) {
        for side in [Side::Caller, Side::Callee] {
            self.endpoint(side).settings_mut().pace = quick();
        }
    }

    /// A datagram that was sent before arrives once more.
    pub(crate) fn again(&mut self, nth: usize) {
        if let Some((side, datagram)) = self.datagrams.get(nth % self.datagrams.len().max(1)).cloned() {
            let from = Hop::new(self.transport, address(side));
            self.act(other(side), |endpoint, now, out| endpoint.receive(from, &datagram, now, out));
        }
    }

    /// Every leg that was offered a new session accepts it.
    pub(crate) fn answer_offers(&mut self) {
        for (side, leg) in self.offered() {
            let sdp = if side == Side::Caller { OFFER } else { ANSWER };
            self.act(side, |endpoint, now, out| endpoint.answer_offer(leg, sdp, now, out));
        }
    }

    /// Every leg that was offered a new session refuses it.
    pub(crate) fn refuse_offers(&mut self) {
        for (side, leg) in self.offered() {
            self.act(side, |endpoint, now, out| endpoint.refuse_offer(leg, 488, now, out));
        }
    }

    /// Every leg is hung up, and all timers run out on a network that is well again.
    pub(crate) fn close(&mut self) {
        self.net.loss_percent = 0;
        self.net.lose_nth = None;
        for (side, leg) in self.legs() {
            self.act(side, |endpoint, now, out| endpoint.hang_up(leg, None, now, out));
        }
        self.run_out();
        // An INVITE may have come in while the others were hung up.
        for (side, leg) in self.legs() {
            self.act(side, |endpoint, now, out| endpoint.hang_up(leg, None, now, out));
        }
        self.run_out();
    }

    fn offered(&self) -> Vec<(Side, LegKey)> {
        let offers = self
            .told
            .iter()
            .filter(|(_, _, event)| matches!(event, Event::Offer { .. } | Event::OfferWanted { .. }));
        offers.map(|(side, leg, _)| (*side, *leg)).collect()
    }

    fn legs(&self) -> Vec<(Side, LegKey)> {
        let placed = (1..=self.placed.max(1)).map(|number| (Side::Caller, LegKey(number)));
        let came = self
            .told
            .iter()
            .filter(|(side, _, event)| *side == Side::Callee && matches!(event, Event::Invited(_)));
        placed.chain(came.map(|(side, leg, _)| (*side, *leg))).collect()
    }

    /// What a side told of its legs, in one line.
    pub(crate) fn story(&self, side: Side) -> String {
        let ours = self.told.iter().filter(|(told, _, _)| *told == side);
        ours.map(|(_, _, event)| format!("{event:?}")).collect::<Vec<_>>().join(", ")
    }

    /// What a side sent, in one line: methods and statuses.
    pub(crate) fn wire(&self, side: Side) -> String {
        let ours = self.sent.iter().filter(|(sender, _)| *sender == side);
        ours.map(|(_, line)| line.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Both sides have forgotten everything.
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.caller.load(), huihu_sip::Load::default(), "caller; {}", self.story(Side::Caller));
        assert_eq!(self.callee.load(), huihu_sip::Load::default(), "callee; {}", self.story(Side::Callee));
    }

    fn next(&self) -> Option<Instant> {
        let wire = self.wire.peek().map(|Reverse((at, ..))| *at);
        [wire, self.caller.deadline(), self.callee.deadline()].into_iter().flatten().min()
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(Reverse((at, ..))) = self.wire.peek()
            && *at <= now
        {
            let Some(Reverse((_, _, to_caller, datagram))) = self.wire.pop() else { return };
            let to = if to_caller { Side::Caller } else { Side::Callee };
            let from = Hop::new(self.transport, address(other(to)));
            self.act(to, |endpoint, now, out| endpoint.receive(from, &datagram, now, out));
        }
        for side in [Side::Caller, Side::Callee] {
            if self.endpoint(side).deadline().is_some_and(|at| at <= now) {
                self.act(side, |endpoint, now, out| endpoint.on_time(now, out));
            }
        }
    }

    fn take(&mut self, side: Side, out: Outputs) {
        for output in out {
            match output {
                Output::Send { to, transport, datagram } => {
                    assert_eq!(to, address(other(side)), "nobody else lives here");
                    assert_eq!(transport, self.transport, "nobody listens there by another transport");
                    self.fly(side, &datagram);
                }
                Output::Event { leg, event } => self.told.push((side, leg, event)),
                Output::Pong { .. } | Output::Registration { .. } => {}
            }
        }
    }

    fn fly(&mut self, side: Side, datagram: &Datagram) {
        let lost = self.net.loses(self.sent.len());
        self.sent.push((side, headline(datagram)));
        self.datagrams.push((side, datagram.clone()));
        let copies = if lost { 0 } else { 1 + u32::from(self.net.comes_twice()) };
        for _ in 0..copies {
            let delay = self.net.rng.random_range(self.net.delay.0..=self.net.delay.1);
            let at = self.now + Duration::from_micros(delay);
            self.flown += 1;
            self.wire.push(Reverse((at, self.flown, side == Side::Callee, datagram.to_vec())));
        }
    }
}

impl Net {
    fn chance(&mut self, percent: u32) -> bool {
        percent > 0 && self.rng.random_range(0..100) < percent
    }

    fn comes_twice(&mut self) -> bool {
        self.chance(self.twice_percent)
    }

    fn loses(&mut self, nth: usize) -> bool {
        self.lose_nth == Some(nth) || self.chance(self.loss_percent)
    }
}

/// `INVITE`, or `200/INVITE` for a response.
pub(crate) fn headline(datagram: &[u8]) -> String {
    let text = String::from_utf8_lossy(datagram);
    let mut words = text.split(' ');
    let first = words.next().unwrap_or_default();
    if first != "SIP/2.0" {
        return first.to_owned();
    }
    let status = words.next().unwrap_or_default();
    let cseq = text.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or_default();
    format!("{status}/{}", cseq.split(' ').nth(1).unwrap_or_default())
}
