//! Histories of one call, told in a few words, for those who must find what is wrong in them.

use std::net::SocketAddr;

use base::clip::{ClipKey, SystemClip};
use base::fact::{Entry, Fact, KeySource};
use base::id::Leg;
use base::private::Private;
use base::release::{Cause, Ending, Party, Release};
use base::time::Instant;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use sip::message::Method;
use smallvec::smallvec;

use crate::history::{Attempt, By, End, Far, History, Line, Message, Run, What};
use crate::net::{US, WALL};
use crate::orders;

/// See the module.
pub(crate) struct Tale {
    pub(crate) history: History,
}

/// A call that was accepted at once, and a world that came to rest.
pub(crate) fn tale() -> Tale {
    let call = orders::draw(0, WALL, &mut SmallRng::seed_from_u64(1));
    let end = End { at: Some(Instant::from_millis(99_999)), ..End::default() };
    Tale { history: History { accepted: vec![(Instant::START, call)], end, ..History::default() } }
}

impl Tale {
    fn attempt(&self, name: &str) -> Attempt {
        Attempt::of(format!("{}{name}", self.history.accepted[0].1.id).as_bytes()).unwrap()
    }

    fn message(mut self, by: By, (at, name, what): (u64, &str, &str), is_lost: bool) -> Self {
        let sent = Instant::from_millis(at);
        let what = what.parse().map_or_else(
            |_| What::Request(Method::of(what.as_bytes())),
            |status| What::Response(status, Method::Invite),
        );
        let came = if is_lost { smallvec![] } else { smallvec![Instant::from_millis(at + 1)] };
        let attempt = self.attempt(name);
        let message =
            Message { sent, came, by, attempt, what, cseq: 1, in_dialog: false, media: None, hears: true };
        self.history.messages.push(message);
        self
    }

    /// We send something, and it comes.
    pub(crate) fn us(self, at: u64, name: &str, what: &str) -> Self {
        self.message(By::Us, (at, name, what), false)
    }

    /// We send something, and it is lost.
    pub(crate) fn lost(self, at: u64, name: &str, what: &str) -> Self {
        self.message(By::Us, (at, name, what), true)
    }

    /// They send something, and it comes.
    pub(crate) fn them(self, at: u64, name: &str, what: &str) -> Self {
        self.message(By::Them, (at, name, what), false)
    }

    /// The last message describes RTP at our port.
    pub(crate) fn offering(self, port: u16) -> Self {
        self.describing(SocketAddr::new(US.ip(), port))
    }

    /// The last message describes RTP at that address.
    pub(crate) fn describing(mut self, address: SocketAddr) -> Self {
        self.history.messages.last_mut().unwrap().media = Some(address);
        self
    }

    /// The last message wants to hear nothing.
    pub(crate) fn holding(mut self) -> Self {
        self.history.messages.last_mut().unwrap().hears = false;
        self
    }

    /// Something becomes of a telephone.
    pub(crate) fn far(mut self, at: u64, name: &str, far: Far) -> Self {
        let attempt = self.attempt(name);
        self.history.far.push((Instant::from_millis(at), attempt, far));
        self
    }

    /// RTP leaves from a port that was open all the time.
    pub(crate) fn rtp(mut self, port: u16, to: SocketAddr, first: u64, last: u64) -> Self {
        let run =
            Run { to, first: Instant::from_millis(first), last: Instant::from_millis(last), packets: 9 };
        self.history.lines.push(Line { port, opened: Instant::START, closed: None, runs: vec![run] });
        self
    }

    /// Facts, a second apart, the first after a second.
    pub(crate) fn facts(mut self, facts: &str) -> Self {
        let call = self.history.accepted[0].1.id;
        let entry = |(seq, words): (u32, &str)| {
            let at = WALL + std::time::Duration::from_secs(seq.into());
            Entry { call, seq, at, fact: fact(words.trim()) }
        };
        self.history.journal = (1..).zip(facts.split(',')).map(entry).collect();
        self
    }
}

fn fact(words: &str) -> Fact {
    let leg = |word: &str| if word == "A" { Leg::A } else { Leg::B };
    match *words.split(' ').collect::<Vec<_>>() {
        ["dialled", on] => Fact::dialled(leg(on)),
        ["again", on] => Fact::Dialled { leg: leg(on), trunk: None, after: Some(503) },
        ["ringing", on] => Fact::Ringing { leg: leg(on), dialog: None },
        ["answered", on] => Fact::Answered { leg: leg(on), dialog: None },
        ["clip", on] => Fact::ClipStarted { leg: leg(on), clip: ClipKey::System(SystemClip::RingBack) },
        ["bridged"] => Fact::Bridged,
        ["digit", on, key] => {
            let digit = Private::new(key.parse().unwrap());
            Fact::Digit { leg: leg(on), digit, source: KeySource::Event }
        }
        ["recorded", secs] => {
            Fact::RecordingEnded { length: std::time::Duration::from_secs(secs.parse().unwrap()) }
        }
        ["recording"] => Fact::RecordingStarted,
        ["stop"] => Fact::StopAsked,
        ["released", on] => Fact::released(leg(on), Release::normal(Party::Caller)),
        ["over"] => Fact::Over(Ending { by: Party::Platform, cause: Cause::Normal, leg: None }),
        _ => panic!("no such fact: {words}"),
    }
}
