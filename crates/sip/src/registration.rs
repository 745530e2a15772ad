//! Registering with a trunk (RFC 3261 10.2) and staying registered.
//!
//! ```text
//! Asking ─200─▶ Registered ─half to three quarters of the time granted─▶ Asking
//!    │  └─401, 407: with credentials; 423: for longer─▶ Asking
//!    └─any other failure, silence─▶ Failed ─back-off─▶ Asking
//! every state ─leave─▶ Leaving ─whatever the registrar says─▶ Gone
//! ```
//!
//! After failures it waits as RFC 5626 4.5 does, so that a registrar that comes back is not run over by everybody at
//! once; a Retry-After is kept if it is longer.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use base::time::Instant;
use rand::Rng;

use crate::dialog::proof::Prover;
use crate::dialog::tools::Tools;
use crate::dialog::{Owner, letter};
use crate::digest::Credentials;
use crate::event::Output;
use crate::identity::{Address, Party};
use crate::message::{Message, Method};
use crate::timer::{Timer, Timers, Who};
use crate::transaction::clients::{News, What};
use crate::transaction::stored;
use crate::transport::Hop;

/// The name of a registration, chosen by its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationKey(pub u64);

/// What to register, and where.
#[derive(Clone)]
pub struct Register {
    /// Where the REGISTER goes, and how.
    pub registrar: Hop,
    /// The domain that is registered with: `sip:trunk.example`.
    pub domain: Address,
    /// Whose calls we want: `<sip:user@trunk.example>`.
    pub account: Party,
    /// Where we are reached.
    pub contact: Party,
    /// Call-ID, the same for all REGISTERs of one life (RFC 3261 10.2), unique for ever.
    pub call_id: String,
    /// How long we ask to be registered; carriers like 300 to 3600 s. Whole seconds count, at least 1.
    pub lasts: Duration,
    /// What to answer a challenge with.
    pub credentials: Option<Credentials>,
}

/// What a registration has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationState {
    /// The registrar knows where we are, and is told again in time. Told after each refresh.
    Registered {
        /// For how long from now, if no refresh came.
        lasts: Duration,
        /// How our REGISTER looked to the registrar: our address beyond a translator (RFC 3581).
        seen_as: Option<SocketAddr>,
    },
    /// The last try failed.
    Failed {
        /// What the registrar said; `None` when it said nothing within 64*T1.
        status: Option<u16>,
        /// When the next try follows by itself. `None`: never, there are too many registrations.
        retry_in: Option<Duration>,
        /// How long the last success still holds.
        bound_for: Duration,
    },
    /// We are registered no more, and the key is free. Final.
    Gone,
}

/// One registration.
pub(crate) struct Registration {
    key: RegistrationKey,
    register: Register,
    tag: String,
    /// Number of the last REGISTER.
    cseq: u32,
    stage: Stage,
    /// What is asked for; grows with each 423.
    lasts_secs: u32,
    /// How many 423 were given in to since the last success.
    raised: u8,
    /// Failures since the last success.
    failures: u32,
    bound_until: Option<Instant>,
    prover: Prover,
    timers: Timers<1>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asking,
    Registered,
    Failed,
    Leaving,
    Gone,
}

impl Registration {
    /// Sends the first REGISTER, with the number after `before`, so that no answer to an earlier life is taken for ours.
    pub(crate) fn begin(
        (key, before): (RegistrationKey, u32),
        mut register: Register,
        tools: &mut Tools<'_>,
    ) -> Self {
        let prover = Prover::new(register.credentials.take());
        register.contact = letter::contact_by(register.contact, register.registrar.transport);
        let lasts = u32::try_from(register.lasts.as_secs()).unwrap_or(u32::MAX);
        let mut registration = Self {
            key,
            register,
            tag: tools.word(),
            cseq: before,
            stage: Stage::Asking,
            lasts_secs: lasts.clamp(1, LASTS_MAX_SECS),
            raised: 0,
            failures: 0,
            bound_until: None,
            prover,
            timers: Timers::default(),
        };
        registration.ask(tools);
        registration
    }

    /// The number of its last REGISTER.
    pub(crate) fn cseq(&self) -> u32 {
        self.cseq
    }

    /// Whether it may be forgotten.
    pub(crate) fn is_gone(&self) -> bool {
        self.stage == Stage::Gone
    }

    /// Takes the registration back.
    pub(crate) fn leave(&mut self, tools: &mut Tools<'_>) {
        match self.stage {
            Stage::Leaving | Stage::Gone => {}
            // A REGISTER that is under way may still succeed, so it is taken back as well.
            Stage::Asking | Stage::Registered => {
                self.stage = Stage::Leaving;
                self.send(0, tools);
            }
            Stage::Failed if self.bound_for(tools.now) > Duration::ZERO => {
                self.stage = Stage::Leaving;
                self.send(0, tools);
            }
            Stage::Failed => self.end(tools),
        }
    }

    /// The agenda's entry has come up.
    pub(crate) fn on_time(&mut self, at: Instant, tools: &mut Tools<'_>) {
        if !self.timers.wake(at) {
            return;
        }
        if self.timers.take_due(tools.now).is_some() {
            self.ask(tools);
        }
        self.book(tools);
    }

    /// Something happened to a REGISTER.
    pub(crate) fn on_news(
        &mut self,
        news: &News<Owner>,
        response: Option<&Message<'_>>,
        tools: &mut Tools<'_>,
    ) {
        let Owner::Registration { cseq, attempt, .. } = news.owner else { return };
        if cseq != self.cseq || !matches!(self.stage, Stage::Asking | Stage::Leaving) {
            return;
        }
        match (news.what, response) {
            (What::Response, Some(response)) => self.on_response(response, news, attempt, tools),
            (What::TimedOut, _) => self.on_failed(None, tools),
            (What::Response | What::RangOut | What::Closed, _) => {}
        }
    }

    fn on_response(
        &mut self,
        response: &Message<'_>,
        news: &News<Owner>,
        attempt: u8,
        tools: &mut Tools<'_>,
    ) {
        if let Some(request) = &news.request {
            let proof = self.prover.proof(response, (Method::Register, request), attempt, || tools.word());
            if let Some((name, value)) = proof {
                return self.send_again(request, &[(name, &value)], attempt + 1, tools);
            }
            if let Some(lasts) = self.longer(response) {
                self.lasts_secs = lasts;
                self.raised += 1;
                let lasts = lasts.to_string();
                let headers =
                    [("Expires", lasts.as_str()), ("Authorization", ""), ("Proxy-Authorization", "")];
                return self.send_again(request, &headers, 0, tools);
            }
        }
        match (self.stage, response.status()) {
            (Stage::Leaving, _) => self.end(tools),
            (_, Some(200..=299)) => self.on_registered(response, tools),
            _ => self.on_failed(Some(response), tools),
        }
    }

    fn on_registered(&mut self, response: &Message<'_>, tools: &mut Tools<'_>) {
        let granted = self.granted(response);
        if granted == 0 {
            return self.on_failed(Some(response), tools);
        }
        let lasts = Duration::from_secs(u64::from(granted));
        (self.failures, self.raised) = (0, 0);
        self.bound_until = Some(tools.now + lasts);
        self.stage = Stage::Registered;
        let part = tools.rng.random_range(REFRESH_FROM..REFRESH_TO);
        self.timers.set(Timer::Register, tools.now + lasts * part / WHOLE);
        self.book(tools);
        let seen_as = response.via().seen_as();
        self.tell(RegistrationState::Registered { lasts, seen_as }, tools);
    }

    /// A failure, or silence.
    fn on_failed(&mut self, response: Option<&Message<'_>>, tools: &mut Tools<'_>) {
        if self.stage == Stage::Leaving {
            return self.end(tools);
        }
        self.failures += 1;
        let told = response.and_then(Message::retry_after).unwrap_or(0).min(RETRY_AFTER_MAX_SECS);
        let retry_in = back_off(self.failures, tools.rng).max(Duration::from_secs(u64::from(told)));
        self.stage = Stage::Failed;
        self.timers.set(Timer::Register, tools.now + retry_in);
        self.book(tools);
        let (status, bound_for) = (response.and_then(Message::status), self.bound_for(tools.now));
        self.tell(RegistrationState::Failed { status, retry_in: Some(retry_in), bound_for }, tools);
    }

    /// The time that a registrar grants: our contact's own, else that of all, else what we asked for.
    fn granted(&self, response: &Message<'_>) -> u32 {
        let ours = self.register.contact.uri().as_bytes();
        let own =
            response.contacts().take(CONTACTS_MAX).find(|contact| contact.uri().eq_ignore_ascii_case(ours));
        let told = own.and_then(|contact| contact.params().get("expires"));
        let told = told.and_then(|value| str::from_utf8(value).ok()?.trim().parse::<u32>().ok());
        told.or_else(|| response.expires()).unwrap_or(self.lasts_secs).min(LASTS_MAX_SECS)
    }

    /// What a 423 asks for, if that is more than we did, and reasonable (RFC 3261 10.2.8).
    fn longer(&self, response: &Message<'_>) -> Option<u32> {
        let least = response.min_expires().filter(|_| response.status() == Some(423))?;
        let usable = least > self.lasts_secs && least <= LASTS_MAX_SECS && self.raised < RAISES_MAX;
        (usable && self.stage == Stage::Asking).then_some(least)
    }

    fn bound_for(&self, now: Instant) -> Duration {
        self.bound_until.map_or(Duration::ZERO, |until| until.since(now))
    }

    fn ask(&mut self, tools: &mut Tools<'_>) {
        self.stage = Stage::Asking;
        self.send(self.lasts_secs, tools);
    }

    fn send(&mut self, expires_secs: u32, tools: &mut Tools<'_>) {
        self.timers.stop_all();
        self.cseq += 1;
        let branch = tools.branch();
        let place = (branch.as_str(), self.tag.as_str(), self.cseq);
        let bytes = letter::register(&self.register, place, expires_secs, tools.settings);
        let owner = Owner::Registration { key: self.key, cseq: self.cseq, attempt: 0 };
        tools.request((&branch, "REGISTER"), bytes, self.register.registrar, owner);
    }

    fn send_again(&mut self, request: &[u8], headers: &[(&str, &str)], attempt: u8, tools: &mut Tools<'_>) {
        self.cseq += 1;
        let branch = tools.branch();
        let bytes = stored::again(request, &branch, self.cseq, headers);
        let owner = Owner::Registration { key: self.key, cseq: self.cseq, attempt };
        tools.request((&branch, "REGISTER"), bytes, self.register.registrar, owner);
    }

    fn end(&mut self, tools: &mut Tools<'_>) {
        self.stage = Stage::Gone;
        self.timers.stop_all();
        self.tell(RegistrationState::Gone, tools);
    }

    fn book(&mut self, tools: &mut Tools<'_>) {
        self.timers.book(Who::Registration(self.key.0), tools.agenda);
    }

    fn tell(&self, state: RegistrationState, tools: &mut Tools<'_>) {
        tools.out.push(Output::Registration { key: self.key, state });
    }
}

/// How long to wait after so many failures: 30 s doubled by each, half of it to all of it by chance (RFC 5626 4.5).
fn back_off(failures: u32, rng: &mut impl Rng) -> Duration {
    let doubled = BACK_OFF_BASE.saturating_mul(1 << failures.min(DOUBLINGS_MAX));
    let longest = doubled.min(BACK_OFF_MAX);
    longest * rng.random_range(WHOLE / 2..=WHOLE) / WHOLE
}

/// The first back-off, before it is doubled (RFC 5626 4.5: `base-time` when all flows have failed).
const BACK_OFF_BASE: Duration = Duration::from_secs(30);

/// The longest back-off (RFC 5626 4.5: `max-time`).
const BACK_OFF_MAX: Duration = Duration::from_secs(1_800);

/// Doublings after which the longest back-off is reached.
const DOUBLINGS_MAX: u32 = 6;

/// A Retry-After beyond an hour would leave a trunk down after its repair.
const RETRY_AFTER_MAX_SECS: u32 = 3_600;

/// The time granted is refreshed after a part of it that chance chooses, in thousandths: early enough for a second try,
/// and not by everybody at once.
const REFRESH_FROM: u32 = 500;
const REFRESH_TO: u32 = 750;
const WHOLE: u32 = 1_000;

/// The longest registration, a day.
const LASTS_MAX_SECS: u32 = 86_400;

/// How many 423 one try gives in to.
const RAISES_MAX: u8 = 2;

/// Contacts looked at in one answer: an account with more telephones than that is none of ours.
const CONTACTS_MAX: usize = 64;

// The account is a telephone number.
impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Register({} at {})", self.call_id, self.registrar)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn the_back_off_doubles_up_to_half_an_hour_and_is_never_shorter_than_half() {
        let mut rng = SmallRng::seed_from_u64(1);
        for (failures, longest) in [(1, 60), (2, 120), (3, 240), (5, 960), (6, 1_800), (60, 1_800)] {
            for _ in 0..100 {
                let wait = back_off(failures, &mut rng).as_secs_f32();
                assert!(wait >= longest as f32 / 2.0 && wait <= longest as f32, "{failures}: {wait}");
            }
        }
    }
}
