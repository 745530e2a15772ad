//! Answering challenges: 401 and 407 (RFC 3261 22).

use super::Leg;
use super::tools::Tools;
use crate::digest::{Challenge, Subject};
use crate::message::{Message, Method};
use crate::transaction::stored;

/// How often a nonce has been used (RFC 7616 3.4, `nc`).
pub(super) struct Nonce {
    nonce: Box<str>,
    uses: u32,
}

impl Leg {
    /// The answer to the challenge in `response`, which is about `request`: name and value of a header. `None`:
    /// there is none to give, or it was given and not taken. A stale nonce is worth one more try.
    pub(super) fn proof(
        &mut self,
        response: &Message<'_>,
        (method, request): (Method, &[u8]),
        attempt: u8,
        tools: &mut Tools<'_>,
    ) -> Option<(&'static str, String)> {
        if !matches!(response.status(), Some(401 | 407)) {
            return None;
        }
        let credentials = self.credentials.clone()?;
        let challenge = Challenge::strongest(response)?;
        if attempt > 0 && !(challenge.is_stale() && attempt < ATTEMPTS_MAX) {
            return None;
        }
        let uses = self.uses_of(challenge.nonce());
        let subject = Subject {
            method: method.as_str(),
            uri: stored::request_uri_of(request),
            body: stored::body_of(request),
        };
        let value = challenge.answer(&credentials, subject, uses, &tools.word());
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
