//! Following a redirection (RFC 3261 8.1.3.4): the next target gets the INVITE, with the same Call-ID, From and To.
//!
//! One after the other, best first, each once, and no more than the owner allows. A busy callee is busy wherever it is
//! reached, so 486 and any 6xx end the search.

use std::net::IpAddr;

use super::route::hop_of;
use super::tools::Tools;
use super::{Errand, Leg, Owner};
use crate::event::Event;
use crate::message::{Message, NameAddr, Scheme, Uri};
use crate::transaction::clients::News;
use crate::transaction::stored;
use crate::transport::Hop;

/// Where a call may still be sent.
pub(super) struct Redirects {
    left: u8,
    /// The hosts that targets must name; with none, any.
    hosts: Vec<Box<str>>,
    /// Targets that wait their turn, best last.
    waiting: Vec<Box<str>>,
    tried: Vec<Box<str>>,
}

impl Redirects {
    /// May lead to so many targets, at these hosts; at any if there are none.
    pub(super) const fn new(left: u8, hosts: Vec<Box<str>>) -> Self {
        Self { left, hosts, waiting: Vec::new(), tried: Vec::new() }
    }

    /// The next target after this response, if there is one.
    fn next(&mut self, response: &Message<'_>, current: &str) -> Option<Box<str>> {
        let status = response.status()?;
        if self.left == 0 || matches!(status, 486 | 487 | 600..) {
            return None;
        }
        if self.tried.is_empty() {
            self.tried.push(current.into());
        }
        if matches!(status, 300..=302) {
            self.learn(response);
        }
        let next = self.waiting.pop()?;
        self.left -= 1;
        self.tried.push(next.clone());
        Some(next)
    }

    fn may_go_to(&self, target: &str) -> bool {
        let host = Uri::parse(target.as_bytes()).and_then(|uri| str::from_utf8(uri.host()).ok());
        self.hosts.is_empty() || host.is_some_and(|host| self.hosts.iter().any(|own| is_same_host(own, host)))
    }

    /// Takes the targets of a redirection, before all that waited.
    fn learn(&mut self, response: &Message<'_>) {
        let mut found: Vec<(u16, Box<str>)> = Vec::new();
        for contact in response.contacts().take(CONTACTS_MAX) {
            let Some(target) = target_of(contact).filter(|target| self.may_go_to(target)) else { continue };
            let known = self.tried.iter().chain(&self.waiting).chain(found.iter().map(|(_, own)| own));
            if !known.into_iter().any(|known| *known == target) {
                found.push((preference(contact), target));
            }
        }
        // The last is tried first; of equals the upper.
        found.reverse();
        found.sort_by_key(|(preference, _)| *preference);
        self.waiting.extend(found.into_iter().map(|(_, target)| target));
        let over = self.waiting.len().saturating_sub(CONTACTS_MAX);
        self.waiting.drain(..over);
    }
}

impl Leg {
    /// Sends the INVITE to the next target. `false`: there is none, and the response is the last word.
    pub(super) fn follow(
        &mut self,
        response: &Message<'_>,
        news: &News<Owner>,
        tools: &mut Tools<'_>,
    ) -> bool {
        let (Some(request), Some(outgoing)) = (&news.request, &mut self.outgoing) else { return false };
        let Some(target) = outgoing.redirects.next(response, &self.names.request_uri) else { return false };
        // By the same way as before, because the Via of the request says so.
        let transport = news.to.transport;
        let known = hop_of(&target, transport, &[]).filter(|hop| tools.settings.knows(*hop));
        self.peer = known.unwrap_or(Hop { transport, ..self.peer });
        outgoing.cseq += 1;
        outgoing.branch = format!("{}-{}", outgoing.branch, outgoing.cseq);
        outgoing.proof = None;
        let forgotten = [("Authorization", ""), ("Proxy-Authorization", "")];
        let bytes = stored::again(request, &outgoing.branch, outgoing.cseq, &forgotten);
        let bytes = stored::toward(&bytes, &target);
        self.names.request_uri = target;
        let owner = Owner::Leg { leg: self.key, dialog: 0, errand: Errand::Invite, attempt: 0 };
        outgoing.key = tools.invite(&outgoing.branch, bytes, self.peer, owner);
        self.begin_anew(tools);
        self.tell(Event::Redirected { status: response.status().unwrap_or_default() }, tools);
        true
    }
}

/// A contact as a request URI: `sip:` only, without the headers that a request to it should carry.
fn target_of(contact: NameAddr<'_>) -> Option<Box<str>> {
    let uri = contact.address().filter(|uri| uri.scheme() == Scheme::Sip)?;
    let bare = &uri.as_bytes()[..uri.as_bytes().len() - uri.headers().len()];
    str::from_utf8(bare).ok().filter(|uri| uri.is_ascii()).map(Box::from)
}

/// Whether two hosts are the same: addresses by what they are, names whatever their case.
fn is_same_host(left: &str, right: &str) -> bool {
    let bare = |host: &str| host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    match (bare(left), bare(right)) {
        (Some(left), Some(right)) => left == right,
        (None, None) => left.eq_ignore_ascii_case(right),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The `q` of a contact in thousandths; 1000 where nothing is said (RFC 3261 20.10).
fn preference(contact: NameAddr<'_>) -> u16 {
    const WHOLE: f32 = 1_000.0;
    let text = contact.params().get("q").and_then(|value| str::from_utf8(value).ok());
    let q = text.and_then(|text| text.parse::<f32>().ok()).filter(|q| (0.0..=1.0).contains(q));
    q.map_or(WHOLE as u16, |q| (q * WHOLE) as u16)
}

/// Contacts that are looked at, and that wait: a hunt group has a handful.
const CONTACTS_MAX: usize = 8;
