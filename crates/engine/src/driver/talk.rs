//! Between what SIP agrees to and what media does: session descriptions, sessions, reasons.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use base::address::Block;
use base::release::Cause;
use base::time::{Instant, Timestamp};
use base::trunk::TrunkNo;
use media::session::{Description, EventTypes, Hears, Params, Session};
use media::source::Policy;
use media::srtp::{Keying, Keys, Suite};
use rand::Rng;
use rand::rngs::StdRng;
use sip::Reason;
use sip::sdp::{Agreed, Codec, Crypto, OurSide};

use crate::engine::Settings;
use crate::trunk::{Srtp, Trunk};

/// What we say of an answer that we cannot talk by: Q.850 cause 65, bearer capability not implemented.
pub(crate) const UNUSABLE_ANSWER: Reason = Reason::q850(65);

/// The status that such a leg failed with: 488, not acceptable here.
pub(crate) const NOT_ACCEPTABLE: u16 = 488;

/// How the shard's legs talk.
#[derive(Debug)]
pub(crate) struct Talk {
    /// The ports that RTP sockets are opened on.
    pub(crate) ports: RangeInclusive<u16>,
    /// Whom legs listen to, by the trunk that they take.
    policies: Vec<Policy>,
    /// The codecs that legs offer, likewise.
    codecs: Vec<Vec<Codec>>,
    /// Whether they are protected, likewise.
    protections: Vec<Srtp>,
}

impl Talk {
    pub(crate) fn new(settings: &Settings) -> Self {
        let policies = settings.trunks.iter().map(policy).collect();
        let codecs = settings.trunks.iter().map(|trunk| trunk.codecs.clone()).collect();
        let protections = settings.trunks.iter().map(|trunk| trunk.srtp).collect();
        Self { ports: settings.rtp_ports.clone(), policies, codecs, protections }
    }

    /// Whether legs that take this trunk hear nobody but the described address.
    pub(crate) fn is_strict(&self, trunk: TrunkNo) -> bool {
        matches!(self.policies[trunk.index()], Policy::Strict)
    }

    /// Our side of the session description of a leg that takes this trunk and is heard at this address.
    pub(crate) fn our_side(&self, trunk: TrunkNo, address: SocketAddr, rng: &mut StdRng) -> OurSide {
        side(address, &self.codecs[trunk.index()], self.protections[trunk.index()], rng)
    }

    /// A session that knows nobody yet. Its numbers are random, so that nobody can guess them.
    pub(crate) fn session(&self, trunk: TrunkNo, wall: Timestamp, now: Instant, rng: &mut StdRng) -> Session {
        let params = Params {
            ssrc: rng.random(),
            seq: rng.random(),
            timestamp: rng.random(),
            policy: self.policies[trunk.index()].clone(),
            description: NOBODY,
            wall,
            seed: rng.random(),
        };
        Session::new(params, now)
    }
}

/// Whom a leg that takes this trunk listens to.
pub(crate) fn policy(trunk: &Trunk) -> Policy {
    let anywhere = |text: &str| text.parse::<Block>().expect("the block of all addresses is a block");
    if trunk.behind_nat {
        Policy::Nat(Arc::from([anywhere("0.0.0.0/0"), anywhere("::/0")]))
    } else {
        Policy::Strict
    }
}

/// Our side of a session description at this address.
pub(crate) fn side(address: SocketAddr, codecs: &[Codec], srtp: Srtp, rng: &mut StdRng) -> OurSide {
    let side = OurSide::new(address, codecs, rng.random());
    match srtp {
        Srtp::Off => side,
        Srtp::Required => side.protected_by(*Keying::random(rng).expose()),
    }
}

/// Before anything is agreed.
pub(crate) const NOBODY: Description = Description {
    remote: None,
    remote_rtcp: None,
    codec: media::codec::Codec::PCMA,
    hears: Hears::Both,
    events: None,
};

/// What media does by an agreement.
pub(crate) fn description(agreed: &Agreed) -> Description {
    let codec = match agreed.codec {
        Codec::Pcma => media::codec::Codec::PCMA,
        Codec::Pcmu => media::codec::Codec::PCMU,
        Codec::G722 => media::codec::Codec::G722,
        Codec::Opus => media::codec::Codec::Opus { receive: agreed.payload_heard, send: agreed.payload },
    };
    Description {
        remote: Some(agreed.address),
        remote_rtcp: Some(agreed.rtcp),
        codec,
        hears: Hears::Both,
        events: agreed.events_heard.zip(agreed.events).map(|(receive, send)| EventTypes { receive, send }),
    }
}

/// What both sides protect by, where they do.
pub(crate) fn keys(ours: &OurSide, agreed: &Agreed) -> Option<Keys> {
    let keying = |crypto: &Crypto| Keying::from_bytes(*crypto.expose());
    Some(Keys { suite: Suite::Tag80, ours: keying(ours.crypto()?), theirs: keying(agreed.crypto.as_ref()?) })
}

/// What the far end is told of why we release a leg (RFC 3326, Q.850).
pub(crate) const fn reason_of(cause: Cause) -> Reason {
    Reason::q850(match cause {
        Cause::Normal
        | Cause::OtherPartyGone
        | Cause::Stopped
        | Cause::TimeOver
        | Cause::NoDigits
        | Cause::Machine => 16,
        Cause::Busy => 17,
        Cause::NoAnswer | Cause::RingTimeout => 19,
        Cause::Rejected => 21,
        Cause::NoSuchNumber => 1,
        Cause::Unreachable | Cause::PoweredOff => 20,
        Cause::Announcement
        | Cause::ClipFault
        | Cause::ClipMissing
        | Cause::SpeechFault
        | Cause::ForbiddenWords
        | Cause::CalleeBlocked
        | Cause::RecordingFault => 31,
        Cause::TrunkFault | Cause::TrunkSilent | Cause::Interrupted | Cause::OurFault => 41,
    })
}
