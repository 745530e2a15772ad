//! The SIP names of a leg. All are derived from the call's id, so that a new process can name the legs of a dead one.

use std::net::{IpAddr, SocketAddr};

use base::call::Call;
use base::id::{CallId, Leg};
use sip::{Address, Invite, Privacy, Saved};
use smallvec::SmallVec;

use crate::engine::Trunk;

/// The INVITE of a leg, complete but for what it offers; `None` for a leg that the call never has, and for a trunk whose
/// domain is none.
pub(crate) fn invite(
    call: &Call,
    leg: Leg,
    trunk: &Trunk,
    contact: SocketAddr,
    offer: Vec<u8>,
) -> Option<Invite> {
    let numbers = call.numbers(leg)?;
    let domain = trunk.domain.clone().unwrap_or_else(|| host(trunk.peer.ip()));
    let own = host(contact.ip());
    let (shown, dialled) = (numbers.shown.as_str(), numbers.dialled.as_str());
    let callee = Address::new(dialled, &domain).ok()?.phone();
    Some(Invite {
        peer: trunk.peer.into(),
        request_uri: callee.clone(),
        from: Address::new(shown, &own).ok()?.phone().into(),
        to: callee.into(),
        contact: Address::new(shown, &contact.to_string()).ok()?.into(),
        call_id: sip_call_id(call.id, leg),
        from_tag: format!("{:x}{leg}", call.id.random() >> 32),
        branch: format!("z9hG4bK{}{leg}", call.id),
        offer,
        credentials: trunk.credentials.clone(),
        asserted_identity: None,
        privacy: Privacy::Unsaid,
        redirects_max: 0,
        supported_100rel: true,
        headers: Vec::new(),
    })
}

/// The INVITEs that may be under way for a leg of which nothing but its call is known: the first one, and the one that
/// followed it if the trunk asked for credentials or a longer session.
pub(crate) fn may_be_ringing(
    call: &Call,
    leg: Leg,
    trunk: &Trunk,
    contact: SocketAddr,
) -> SmallVec<[Saved; 2]> {
    let Some(invite) = invite(call, leg, trunk, contact, Vec::new()) else { return SmallVec::new() };
    let first = Saved::of_invite(&invite);
    let cseq = first.cseq + 1;
    // As `Invite::branch` says that it is named.
    let again = Saved { branch: format!("{}-{cseq}", first.branch), cseq, ..first.clone() };
    [first, again].into_iter().collect()
}

/// The Call-ID of a leg: the call's id, then the leg.
fn sip_call_id(call: CallId, leg: Leg) -> String {
    format!("{call}{leg}")
}

/// The call that a Call-ID of ours belongs to.
pub(crate) fn call_of(sip_call_id: &[u8]) -> Option<CallId> {
    std::str::from_utf8(sip_call_id.get(..32)?).ok()?.parse().ok()
}

/// An address as the host of a URI.
fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::time::Timestamp;

    #[test]
    fn the_call_is_found_by_the_call_id_of_its_legs() {
        let call = CallId::new(Timestamp::from_millis(1), 7);
        assert_eq!(call_of(sip_call_id(call, Leg::B).as_bytes()), Some(call));
        assert_eq!(call_of(b"somebody-else@192.0.2.1"), None);
    }
}
