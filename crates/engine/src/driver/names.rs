//! The SIP names of a leg. All are derived from the call's id and the number of the attempt, so that a new process can
//! name the legs of a dead one.

use std::net::{IpAddr, SocketAddr};

use base::call::{Call, Numbers};
use base::id::{CallId, Leg};
use sip::{Address, Hop, Invite, Party, Privacy, Register, Saved};
use smallvec::SmallVec;

use crate::engine::shard_of;
use crate::numbering::written;
use crate::trunk::{self, FromHost, Trunk};

/// By which way a party is tried to be reached, and for which time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'a> {
    pub(crate) trunk: &'a Trunk,
    /// One of its gateways.
    pub(crate) peer: Hop,
    /// Where that reaches us.
    pub(crate) contact: SocketAddr,
    /// From 1 on.
    pub(crate) attempt: u8,
}

/// The INVITE of a leg, complete but for what it offers; `None` for a leg that the call never has, and for a trunk whose
/// domain is none.
pub(crate) fn invite(call: &Call, leg: Leg, way: Way<'_>, offer: Vec<u8>) -> Option<Invite> {
    invite_to(call.numbers(leg)?, (call.id, leg), way, offer)
}

/// The INVITE to a number; `None` for a trunk whose domain is none.
pub(crate) fn invite_to(
    numbers: Numbers<'_>,
    (call, leg): (CallId, Leg),
    way: Way<'_>,
    offer: Vec<u8>,
) -> Option<Invite> {
    let Way { trunk, peer, contact, attempt } = way;
    let domain = trunk.domain.clone().unwrap_or_else(|| host(peer.address.ip()));
    let ours = host(contact.ip());
    let own = match trunk.identity.host {
        FromHost::Ours => &ours,
        FromHost::Trunk => &domain,
    };
    let (shown, dialled) = (written(numbers.shown, &trunk.shown), written(numbers.dialled, &trunk.dialled));
    let callee = Address::new(&dialled, &domain).ok()?.phone();
    let told = Party::from(Address::new(&shown, own).ok()?.phone());
    let here = contact.to_string();
    let (from, contact, privacy) = match trunk.identity.privacy {
        trunk::Privacy::Open => (told.clone(), Address::new(&shown, &here).ok()?, Privacy::Unsaid),
        trunk::Privacy::Withheld => (Party::anonymous(), Address::new("", &here).ok()?, Privacy::Id),
    };
    let name = Name { call, leg, attempt };
    Some(Invite {
        peer,
        request_uri: callee.clone(),
        from,
        to: callee.into(),
        contact: contact.into(),
        call_id: name.call_id(),
        from_tag: format!("{:x}{}", call.random() >> 32, name.suffix()),
        branch: format!("z9hG4bK{}", name.call_id()),
        offer,
        credentials: trunk.credentials.clone(),
        asserted_identity: trunk.identity.asserted.then_some(told),
        privacy,
        redirects_max: trunk.redirects,
        redirects_to: redirect_hosts(trunk),
        supported_100rel: true,
        headers: Vec::new(),
    })
}

/// Where a trunk may send our calls: to itself. Elsewhere they would cost what nobody agreed to.
fn redirect_hosts(trunk: &Trunk) -> Vec<Box<str>> {
    if trunk.redirects == 0 {
        return Vec::new();
    }
    let peers = trunk.peers.iter().map(|peer| peer.hop.address.ip().to_string().into_boxed_str());
    peers.chain(trunk.domain.as_deref().map(Box::from)).collect()
}

/// The REGISTER by which a trunk learns where we are; `None` for a trunk that wants none, or whose domain is none. `word`
/// makes its Call-ID like no other.
pub(crate) fn register(
    trunk: &Trunk,
    (registrar, contact): (Hop, SocketAddr),
    word: u128,
) -> Option<Register> {
    let trunk::Registration { user, lasts } = trunk.registration.as_ref()?;
    let domain = trunk.domain.clone().unwrap_or_else(|| host(registrar.address.ip()));
    Some(Register {
        registrar,
        domain: Address::new("", &domain).ok()?,
        account: Address::new(user, &domain).ok()?.into(),
        contact: Address::new(user, &contact.to_string()).ok()?.into(),
        // No call has such a name.
        call_id: format!("register-{word:032x}"),
        lasts: *lasts,
        credentials: trunk.credentials.clone(),
    })
}

/// The INVITEs that may be under way for a leg by one way: the first one, and the one that followed it if the trunk
/// asked for credentials or a longer session.
pub(crate) fn may_be_ringing(call: &Call, leg: Leg, way: Way<'_>) -> SmallVec<[Saved; 2]> {
    let Some(invite) = invite(call, leg, way, Vec::new()) else { return SmallVec::new() };
    let first = Saved::of_invite(&invite);
    let cseq = first.cseq + 1;
    // As `Invite::branch` says that it is named.
    let again = Saved { branch: format!("{}-{cseq}", first.branch), cseq, ..first.clone() };
    [first, again].into_iter().collect()
}

/// One attempt to reach the party of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name {
    call: CallId,
    leg: Leg,
    /// From 1 on.
    attempt: u8,
}

impl Name {
    /// Its Call-ID: the call's id, the leg, and which attempt it is if it is not the first.
    fn call_id(self) -> String {
        format!("{}{}", self.call, self.suffix())
    }

    fn suffix(self) -> String {
        match self.attempt {
            0 | 1 => self.leg.to_string(),
            attempt => format!("{}{attempt}", self.leg),
        }
    }
}

/// The call that a Call-ID of ours belongs to.
fn call_of(sip_call_id: &[u8]) -> Option<CallId> {
    std::str::from_utf8(sip_call_id.get(..CALL_ID_BYTES)?).ok()?.parse().ok()
}

/// The shard whose leg a message belongs to, as far as its Call-ID says.
pub(crate) fn shard_for(message: &[u8], shards: usize) -> Option<usize> {
    let call = call_of(sip::call_id_of(message)?)?;
    Some(shard_of(call, shards))
}

/// The call and the leg that a message belongs to, as far as its Call-ID says.
pub(crate) fn leg_for(message: &[u8]) -> Option<(CallId, Leg)> {
    let name = sip::call_id_of(message)?;
    let leg = match name.get(CALL_ID_BYTES)? {
        b'A' => Leg::A,
        b'B' => Leg::B,
        _ => return None,
    };
    Some((call_of(name)?, leg))
}

/// An address as the host of a URI.
fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// Bytes of a call's id in a Call-ID.
const CALL_ID_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use base::time::Timestamp;

    #[test]
    fn the_call_is_found_by_the_call_id_of_its_legs() {
        let call = CallId::new(Timestamp::from_millis(1), 7);
        for leg in [Leg::A, Leg::B] {
            for attempt in 1..=6 {
                let name = Name { call, leg, attempt };
                assert_eq!(call_of(name.call_id().as_bytes()), Some(call));
                let message = format!("BYE sip:a SIP/2.0\r\nCall-ID: {}\r\n\r\n", name.call_id());
                assert_eq!(leg_for(message.as_bytes()), Some((call, leg)));
            }
        }
        assert_eq!(call_of(b"somebody-else@192.0.2.1"), None);
        assert_eq!(call_of(b"register-00000000000000000000000000000007"), None);
    }
}
