//! Trying a trunk out: does it answer, does it take a call, is anything heard in it.
//!
//! Runs beside everything else, on sockets of its own, and blocks whoever asks until the answer is there. `stage` is the
//! signalling, by whatever transport the gateway wants; `voice` speaks, listens and compares.

mod stage;
mod voice;

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use base::call::Numbers;
use base::id::{CallId, Leg};
use base::number::E164;
use base::quality::MediaReport;
use base::time::Timestamp;
use base::trunk::LinkFault;
use rand::Rng;
use sip::sdp::Direction;
use sip::{Event, LegKey, Output, RegistrationKey, RegistrationState};

use self::stage::Stage;
use self::voice::Voice;
use super::clock::Clock;
use super::names::{self, Way};
use super::talk;
use crate::trunk::{Peer, Trunk};

/// What a trunk is tried out with.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The trunk; its peers do not matter.
    pub trunk: Trunk,
    /// The gateway.
    pub peer: Peer,
    /// Where datagrams are sent from; port 0 lets the system choose, and so does an address of all. Connections are made
    /// from any port.
    pub local: SocketAddr,
    /// The address that SIP and SDP tell, when it is not the one that is sent from.
    pub advertised: Option<IpAddr>,
    /// Ports for RTP.
    pub rtp_ports: RangeInclusive<u16>,
    /// How long a call speaks and listens, at most a minute; eight seconds are enough for the far end's first RTCP to come.
    pub speaks: Duration,
}

/// What the trunk said to OPTIONS.
#[derive(Debug)]
pub enum Pong {
    /// It answered.
    Answered {
        /// With that status.
        status: u16,
        /// So fast.
        after: Duration,
        /// The address that it saw us come from, where it says so.
        seen_as: Option<SocketAddr>,
        /// What its clock says, where it says so.
        date: Option<Timestamp>,
    },
    /// It did not, although it was asked for four seconds.
    Silent,
    /// It is not reached at all.
    Unreached(LinkFault),
}

/// What the trunk said to REGISTER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It took it.
    Yes {
        /// So fast.
        after: Duration,
        /// The address that it saw us come from, where it says so.
        seen_as: Option<SocketAddr>,
    },
    /// It did not.
    No {
        /// With that status; 401 and 407 also when it was given credentials.
        status: u16,
    },
    /// It said nothing for four seconds.
    Silent,
    /// It is not reached at all.
    Unreached(LinkFault),
}

/// What became of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// When the telephone rang.
    pub rang_after: Option<Duration>,
    /// When somebody answered.
    pub answered_after: Option<Duration>,
    /// The SIP status with which it failed; 408 also when nothing came back.
    pub failed: Option<u16>,
    /// Why it was not reached at all.
    pub unreached: Option<LinkFault>,
    /// What its media came to, once it was answered.
    pub media: Option<MediaReport>,
    /// How long what we said took to come back, if it did.
    pub echo: Option<Duration>,
    /// Whether the far end tells by RTCP that it hears us.
    pub hears_us: bool,
}

impl Trial {
    /// Asks the trunk whether it is there.
    ///
    /// # Errors
    /// When there is no socket, or the network knows no way.
    pub fn ask(&self) -> io::Result<Pong> {
        let mut stage = Stage::open(self)?;
        let now = stage.now();
        stage.sip.options(self.peer.hop, now, &mut stage.outputs);
        while stage.began.elapsed() < PONG {
            for output in stage.turn()? {
                if let Output::Pong { status: Some(status), seen_as, date, .. } = output {
                    return Ok(Pong::Answered { status, after: stage.began.elapsed(), seen_as, date });
                }
            }
            if let Some(fault) = stage.fault() {
                return Ok(Pong::Unreached(fault));
            }
        }
        Ok(Pong::Silent)
    }

    /// Registers with the trunk, and takes that back; `None` when the trunk wants no registration. A trunk that keeps one
    /// address for each account forgets the one that it had.
    ///
    /// # Errors
    /// When there is no socket, or the network knows no way.
    pub fn register(&self) -> io::Result<Option<Registered>> {
        let mut stage = Stage::open(self)?;
        let way = (self.peer.hop, stage.contact);
        let Some(register) = names::register(&self.trunk, way, stage.rng.random()) else {
            return Ok(None);
        };
        let now = stage.now();
        stage.sip.register(THE_REGISTRATION, register, now, &mut stage.outputs);
        while stage.began.elapsed() < PONG {
            for output in stage.turn()? {
                let Output::Registration { state, .. } = output else { continue };
                match state {
                    RegistrationState::Registered { seen_as, .. } => {
                        let after = stage.began.elapsed();
                        stage.leave()?;
                        return Ok(Some(Registered::Yes { after, seen_as }));
                    }
                    RegistrationState::Failed { status: Some(status), .. } => {
                        return Ok(Some(Registered::No { status }));
                    }
                    RegistrationState::Failed { status: None, .. } | RegistrationState::Gone => {}
                }
            }
            if let Some(fault) = stage.fault() {
                return Ok(Some(Registered::Unreached(fault)));
            }
        }
        Ok(Some(Registered::Silent))
    }

    /// Calls somebody, says tones for a while, and listens for them to come back.
    ///
    /// # Errors
    /// When there is no socket, or the network knows no way.
    pub fn call(&self, dialled: &E164, shown: &E164) -> io::Result<Heard> {
        let mut stage = Stage::open(self)?;
        let mut voice = Voice::open(self, &mut stage)?;
        let way = Way { trunk: &self.trunk, peer: self.peer.hop, contact: stage.contact, attempt: 1 };
        let call = (CallId::new(Clock::wall(), stage.rng.random()), Leg::A);
        let offer = voice.ours.offer(Direction::SendRecv);
        let invite = names::invite_to(Numbers { shown, dialled }, call, way, offer);
        let invite =
            invite.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the trunk's domain is none"))?;
        let mut heard = Heard::default();
        let now = stage.now();
        stage.sip.invite(THE_CALL, invite, now, &mut stage.outputs);
        let mut hung_up = false;
        while heard.failed.is_none() && stage.began.elapsed() < LONGEST {
            let at = stage.began.elapsed();
            for output in stage.turn()? {
                let Output::Event { event, .. } = output else { continue };
                match event {
                    Event::Early { fork: _, status, sdp, .. } if status == 180 || sdp.is_some() => {
                        heard.rang_after.get_or_insert(at);
                    }
                    Event::Answered { sdp, .. } => {
                        heard.answered_after = Some(at);
                        if !sdp.is_some_and(|sdp| voice.begin(&sdp, at, &stage)) {
                            heard.failed = Some(talk::NOT_ACCEPTABLE);
                        }
                    }
                    Event::Failed { status, .. } => heard.failed = Some(status),
                    Event::Ended { .. } => hung_up = true,
                    _ => {}
                }
            }
            if heard.rang_after.is_none() && heard.answered_after.is_none() {
                heard.unreached = stage.fault();
                if heard.unreached.is_some() {
                    return Ok(heard);
                }
            }
            voice.turn(&stage);
            let is_heard =
                heard.answered_after.is_some_and(|since| stage.began.elapsed() >= since + self.speaks);
            if hung_up || is_heard {
                break;
            }
        }
        stage.hang_up()?;
        voice.tell(&mut heard, &stage);
        Ok(heard)
    }
}

/// The only leg.
const THE_CALL: LegKey = LegKey(0);

/// The only registration.
const THE_REGISTRATION: RegistrationKey = RegistrationKey(0);

/// How long an answer to OPTIONS or REGISTER is waited for.
const PONG: Duration = Duration::from_secs(4);

/// How long the whole trial may last.
const LONGEST: Duration = Duration::from_secs(70);
