//! What a refused request says when it goes again: the answer to a 401 or 407 (RFC 3261 22), or after a 422 a longer
//! session (RFC 4028 7.3).

use std::sync::Arc;

use smallvec::SmallVec;

use super::Leg;
use super::tools::Tools;
use crate::digest::{Challenge, Credentials, Subject};
use crate::message::{Message, Method};
use crate::transaction::stored;
use crate::transport::Hop;

/// Proves to a trunk who we are, and counts how often it has done so.
///
/// A proof is worth guesses at the password to whoever gets one. A party that is called can ask for one too, by a trunk that
/// passes its response on: so the trunk's own realm alone is answered, and within a call no other one than asked first.
#[derive(Default)]
pub(crate) struct Prover {
    credentials: Option<Arc<Credentials>>,
    /// The realm that was answered first.
    realm: Option<Box<str>>,
    /// The nonce of the last challenge.
    nonce: Option<Box<Nonce>>,
}

/// How often a nonce has been used (RFC 7616 3.4, `nc`).
struct Nonce {
    nonce: Box<str>,
    uses: u32,
}

/// What a request says otherwise when it goes again.
pub(super) struct Amendment {
    /// Names and values of headers that are replaced; one without a value is left out.
    pub(super) headers: SmallVec<[(&'static str, String); 4]>,
    /// Challenges that the request has had, this one included.
    pub(super) attempt: u8,
}

impl Amendment {
    /// The request as it goes again.
    pub(super) fn apply(&self, request: &[u8], branch: &str, cseq: u32) -> Vec<u8> {
        let headers: SmallVec<[(&str, &str); 4]> =
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        stored::again(request, branch, cseq, &headers)
    }

    /// The answer to a challenge, which an ACK repeats (RFC 3261 22.1).
    pub(super) fn into_proof(self) -> Option<(&'static str, String)> {
        self.headers.into_iter().find(|(name, value)| name.ends_with("Authorization") && !value.is_empty())
    }
}

impl Leg {
    /// What the request must say so as to be taken after this response. `None`: the response is the last word.
    pub(super) fn amendment(
        &mut self,
        response: &Message<'_>,
        (method, request): (Method, &[u8]),
        (to, attempt): (Hop, u8),
        tools: &mut Tools<'_>,
    ) -> Option<Amendment> {
        if response.status() == Some(422) {
            return self.longer_session(response, request);
        }
        // Where there is no Record-Route, requests within a dialog go to the party itself.
        if to.address.ip() != self.peer.address.ip() && !tools.settings.knows(to) {
            return None;
        }
        let proof = self.prover.proof(response, (method, request), attempt, || tools.word())?;
        Some(Amendment { headers: [proof].into_iter().collect(), attempt: attempt + 1 })
    }
}

impl Prover {
    /// Proves by these credentials, or not at all.
    pub(crate) fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials: credentials.map(Arc::new), realm: None, nonce: None }
    }

    /// The answer to the challenge in `response`, which is about `request`: name and value of a header. `None`:
    /// there is none to give, or it was given and not taken. A stale nonce is worth one more try.
    pub(crate) fn proof(
        &mut self,
        response: &Message<'_>,
        (method, request): (Method, &[u8]),
        attempt: u8,
        cnonce: impl FnOnce() -> String,
    ) -> Option<(&'static str, String)> {
        if !matches!(response.status(), Some(401 | 407)) {
            return None;
        }
        let credentials = self.credentials.clone()?;
        let realm = credentials.realm().or(self.realm.as_deref());
        let challenge = Challenge::strongest(response, realm)?;
        if attempt > 0 && !(challenge.is_stale() && attempt < ATTEMPTS_MAX) {
            return None;
        }
        self.realm.get_or_insert_with(|| challenge.realm().into());
        let uses = self.uses_of(challenge.nonce());
        let subject = Subject {
            method: method.as_str(),
            uri: stored::request_uri_of(request),
            body: stored::body_of(request),
        };
        let value = challenge.answer(&credentials, subject, uses, &cnonce());
        Some((challenge.header().as_str(), value))
    }

    /// Counts one more use of a nonce.
    fn uses_of(&mut self, nonce: &str) -> u32 {
        let before = self.nonce.as_ref().filter(|known| &*known.nonce == nonce).map_or(0, |known| known.uses);
        self.nonce = Some(Box::new(Nonce { nonce: nonce.into(), uses: before + 1 }));
        before + 1
    }
}

/// Answers to challenges per request: one, and one more for a nonce that went stale.
const ATTEMPTS_MAX: u8 = 2;
