//! One call at the carrier: the telephone, its wires, its tape, and what is known of the caller.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::time::Instant;
use media::codec::Codec;
use media::dtmf::Key;
use media::session::{Description, EventTypes, Hears, Incoming};
use sip::LegKey;
use sip::sdp::{self, Agreed, AudioDescription, Direction, Kind, OurSide};

use crate::fate::Fate;
use crate::ledger::Ledger;
use crate::phone::Phone;
use crate::tape::Tape;
use crate::wire::Wire;

/// A call that rings or is up.
pub(crate) struct Leg {
    /// Its number in the ledger.
    pub(crate) serial: u64,
    pub(crate) key: LegKey,
    pub(crate) call_id: String,
    /// The dialled digits, for the name of its recording.
    pub(crate) digits: String,
    pub(crate) fate: Fate,
    pub(crate) phone: Phone,
    /// The caller's description, until it is answered.
    pub(crate) offer: Option<Vec<u8>>,
    pub(crate) media: Option<Media>,
    /// Keys whose tones wait for the one that is heard now; `None` while none is.
    pub(crate) tones: Option<VecDeque<Key>>,
    /// When the ledger and the tape want to hear of it.
    pub(crate) chores: Option<Instant>,
}

/// What a leg has once its side of the media is described.
pub(crate) struct Media {
    pub(crate) side: OurSide,
    pub(crate) wire: Wire,
    /// Whether it says what it hears.
    pub(crate) echoes: bool,
    pub(crate) tape: Option<Tape>,
}

impl Leg {
    /// When it wants to be woken.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let session = self.media.as_ref().and_then(|media| media.wire.session.next_due());
        [self.phone.deadline(), session, self.chores].into_iter().flatten().min()
    }

    /// Brings the tape and the ledger up to date.
    pub(crate) fn do_chores(&mut self, ledger: &Ledger, now: Instant) {
        let Some(media) = &mut self.media else { return };
        if let Some(tape) = &mut media.tape {
            tape.advance(now);
        }
        let packets_in = media.wire.session.report().packets_in;
        ledger.change(self.serial, |report| report.packets_in = packets_in);
    }
}

impl Media {
    /// Answers the caller's offer, the first one or a later one.
    pub(crate) fn answer(&mut self, offer: &[u8], now: Instant) -> Result<Vec<u8>, sdp::Fault> {
        let (body, agreed) = self.side.answer(offer, Direction::SendRecv)?;
        self.agree(&agreed, now);
        Ok(body)
    }

    /// Takes the caller's answer to our offer.
    pub(crate) fn accept(&mut self, answer: &[u8], now: Instant) -> Result<(), sdp::Fault> {
        let agreed = self.side.accept(answer)?;
        self.agree(&agreed, now);
        Ok(())
    }

    fn agree(&mut self, agreed: &Agreed, now: Instant) {
        let audible = !agreed.address.ip().is_unspecified();
        let send_events = agreed.events.zip(events_of(self.side.said()));
        let description = Description {
            remote: audible.then_some(agreed.address),
            remote_rtcp: audible.then_some(agreed.rtcp),
            codec: codec(agreed),
            hears: Hears::Both,
            events: send_events.map(|(send, receive)| EventTypes { receive, send }),
        };
        self.wire.describe(description, !agreed.direction.sends(), now);
    }

    /// Says what it hears from now on.
    pub(crate) fn echo(&mut self) {
        self.echoes = true;
        self.wire.session.relay();
    }

    /// Takes what came to the RTP socket. `tell` gets each key that was pressed; gives whether anything was heard.
    pub(crate) fn hear(&mut self, buffer: &mut [u8], now: Instant, mut tell: impl FnMut(Key)) -> bool {
        let mut any = false;
        for _ in 0..BURST {
            let Some((length, from)) = self.wire.receive(buffer) else { break };
            let bytes = &mut buffer[..length];
            match self.wire.session.receive(from, bytes, now) {
                Incoming::Audio(heard, _) => {
                    any = true;
                    if let Some(tape) = &mut self.tape {
                        tape.hear(&heard, bytes, now);
                    }
                    if self.echoes
                        && let Some(range) = self.wire.session.forward(&heard, bytes, now)
                    {
                        self.wire.send(&bytes[range]);
                    }
                }
                Incoming::Event(_, pressed) => {
                    any = true;
                    pressed.into_iter().for_each(|pressed| tell(pressed.key));
                }
                Incoming::Noise(_) => any = true,
                Incoming::Dropped(_) => {}
            }
        }
        any
    }

    /// Takes what came to the RTCP socket; gives whether it came from the caller's address.
    pub(crate) fn hear_rtcp(&mut self, buffer: &mut [u8], now: Instant) -> bool {
        let mut any = false;
        for _ in 0..BURST {
            let Some((length, from)) = self.wire.receive_rtcp(buffer) else { break };
            self.wire.session.receive_rtcp(from, &buffer[..length], now);
            any |= Some(from) == self.wire.session.rtcp_target();
        }
        any
    }
}

/// A description before anything is agreed to: nobody is heard and nobody is sent anything.
pub(crate) const NOTHING_AGREED: Description =
    Description { remote: None, remote_rtcp: None, codec: Codec::PCMA, hears: Hears::Both, events: None };

/// Our side at this address.
pub(crate) fn our_side(ip: IpAddr, port: u16, id: u64) -> OurSide {
    OurSide::new(SocketAddr::new(ip, port), &[sdp::Codec::Pcma, sdp::Codec::Pcmu], id)
}

/// The payload type of telephone-events in a description.
fn events_of(body: &[u8]) -> Option<u8> {
    let audio = AudioDescription::read(body).ok()?;
    audio.payloads.iter().find(|payload| payload.kind == Kind::TelephoneEvent).map(|payload| payload.number)
}

const fn codec(agreed: &Agreed) -> Codec {
    match agreed.codec {
        sdp::Codec::Pcma => Codec::PCMA,
        sdp::Codec::Pcmu => Codec::PCMU,
        sdp::Codec::G722 => Codec::G722,
        sdp::Codec::Opus => Codec::Opus { receive: agreed.payload_heard, send: agreed.payload },
    }
}

/// How often the ledger and the tape hear of a leg.
pub(crate) const CHORES: Duration = Duration::from_millis(100);

/// Packets that one leg takes in a turn, so that no caller keeps the others waiting.
const BURST: usize = 64;
