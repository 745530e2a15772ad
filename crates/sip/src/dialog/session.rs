//! Session timers (RFC 4028): an answered call that nobody refreshes in time is over.
//!
//! ```text
//! Unlimited ─2xx with Session-Expires─▶ Running ─half of it has passed, and it is ours─▶ UPDATE, or re-INVITE
//!                                        ▲  └─nobody refreshed: BYE, and the call has ended by expiry  │
//!                                        └──────────────────────2xx of either side's refresh───────────┘
//! ```
//!
//! Every 2xx to a re-INVITE or UPDATE settles interval and refresher anew. We refresh by UPDATE where the peer allows it,
//! because it leaves the session alone; else by a re-INVITE that offers the session as it is.

use std::time::Duration;

use rand::Rng;

use super::offer::{Offering, Purpose, Way};
use super::proof::Amendment;
use super::tools::Tools;
use super::{Errand, Leg, Stage, letter};
use crate::event::{EndedBy, Event};
use crate::message::{Message, Refresher};
use crate::reason::Reason;
use crate::settings::{LEAST_SESSION_SECS, Settings};
use crate::timer::Timer;
use crate::transaction::stored;

/// What a leg knows of its session timer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Session {
    /// What was settled last. `None`: the session lasts until somebody hangs up.
    terms: Option<Terms>,
    /// The largest Min-SE that a 422 told us, in seconds.
    least: u32,
    /// How many 422 we have given in to.
    raised: u8,
}

/// Interval and refresher of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    secs: u32,
    refresher: Turn,
    /// Whether the peer knows session timers itself, or a proxy spoke for it.
    peer_knows: bool,
}

/// Whose turn it is to refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Ours,
    Theirs,
}

impl Terms {
    /// What we settle for as the one who answers `request` (RFC 4028 9).
    fn of_request(request: &Message<'_>, current: Option<Self>, settings: &Settings) -> Option<Self> {
        let peer_knows = request.supported().has_token(letter::TIMER);
        let floor = request.min_se().unwrap_or(0).max(settings.session.least_secs());
        let asked = request.session_expires();
        let ours = current.map(|current| current.secs).or_else(|| settings.session.wanted_secs());
        let secs = match (asked, ours) {
            (Some(asked), Some(ours)) => asked.secs.min(ours).max(floor.min(asked.secs)),
            (Some(asked), None) => asked.secs,
            // Whoever knows session timers but asks for none may be given one; a peer that knows none only keeps
            // what is refreshed by us.
            (None, Some(ours)) if peer_knows || current.is_some_and(|now| now.refresher == Turn::Ours) => {
                ours.max(floor)
            }
            (None, _) => return None,
        };
        let refresher = match asked.and_then(|asked| asked.refresher) {
            _ if !peer_knows => Turn::Ours,
            Some(Refresher::Uac) => Turn::Theirs,
            Some(Refresher::Uas) => Turn::Ours,
            // Roles stay what they were; in a new session, whoever wants it refreshes it.
            None => match (current, asked) {
                (Some(current), _) => current.refresher,
                (None, Some(_)) => Turn::Theirs,
                (None, None) => Turn::Ours,
            },
        };
        Some(Self { secs: secs.max(LEAST_SESSION_SECS), refresher, peer_knows })
    }

    /// What a 2xx to our request says (RFC 4028 7.2). A peer that leaves the header out of its answer to our refresh
    /// is refreshed all the same.
    fn of_response(response: &Message<'_>, current: Option<Self>) -> Option<Self> {
        let Some(told) = response.session_expires() else {
            return current.filter(|current| current.refresher == Turn::Ours);
        };
        let refresher = if told.refresher == Some(Refresher::Uas) { Turn::Theirs } else { Turn::Ours };
        Some(Self { secs: told.secs.max(LEAST_SESSION_SECS), refresher, peer_knows: true })
    }

    /// Session-Expires of an answer of ours.
    pub(super) fn answer(self) -> String {
        let refresher = if self.refresher == Turn::Ours { "uas" } else { "uac" };
        format!("{};refresher={refresher}", self.secs)
    }

    /// Session-Expires of a request of ours.
    fn request(self) -> String {
        let refresher = if self.refresher == Turn::Ours { "uac" } else { "uas" };
        format!("{};refresher={refresher}", self.secs)
    }

    /// Whether our answer must require the peer to know session timers.
    pub(super) const fn requires(self) -> bool {
        self.peer_knows
    }

    /// When the session is given up, counted from its last refresh: a third of the interval before its end, at most
    /// 32 s (RFC 4028 10).
    fn patience(self) -> Duration {
        let whole = Duration::from_secs(u64::from(self.secs));
        whole - (whole / 3).min(EXPIRY_MARGIN_MAX)
    }
}

/// The headers by which a refresh of ours says what we want.
pub(super) struct Wish {
    expires: Option<String>,
    least: Option<String>,
}

impl Wish {
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let expires = self.expires.as_deref().map(|text| ("Session-Expires", text));
        expires.into_iter().chain(self.least.as_deref().map(|text| ("Min-SE", text)))
    }
}

/// Whether a request asks for shorter sessions than we take, and its sender would understand our 422 (RFC 4028 9).
/// Gives what to answer as Min-SE.
pub(crate) fn too_short(request: &Message<'_>, settings: &Settings) -> Option<String> {
    let asked = request.session_expires()?.secs;
    let least = settings.session.least_secs();
    (asked < least && request.supported().has_token(letter::TIMER)).then(|| least.to_string())
}

impl Leg {
    /// What our requests inside the dialog say about the session.
    pub(super) fn session_wish(&self) -> Wish {
        let terms = self.session.terms;
        let least = terms.map(|_| self.session.least).filter(|&least| least > LEAST_SESSION_SECS);
        Wish { expires: terms.map(Terms::request), least: least.map(|least| least.to_string()) }
    }

    /// What we settle for by our 2xx to the request of this key. [`run_session`](Self::run_session) starts it.
    pub(super) fn session_terms(&self, key: u64, tools: &Tools<'_>) -> Option<Terms> {
        let (request, _) = tools.servers.unanswered(key)?;
        let request = Message::parse(request).ok()?;
        Terms::of_request(&request, self.session.terms, tools.settings)
    }

    /// A 2xx to an INVITE, re-INVITE or UPDATE of ours.
    pub(super) fn on_session_answer(&mut self, response: &Message<'_>, tools: &mut Tools<'_>) {
        self.run_session(Terms::of_response(response, self.session.terms), tools);
    }

    /// The session begins, or was refreshed just now.
    pub(super) fn run_session(&mut self, terms: Option<Terms>, tools: &mut Tools<'_>) {
        self.session.terms = terms;
        self.timers.stop(Timer::Refresh);
        self.timers.stop(Timer::Expiry);
        let Some(terms) = terms else { return };
        self.timers.set(Timer::Expiry, tools.now + terms.patience());
        if terms.refresher == Turn::Ours {
            let half = Duration::from_secs(u64::from(terms.secs)) / 2;
            self.timers.set(Timer::Refresh, tools.now + half);
        }
        self.book(tools);
    }

    /// Our refresh is due.
    pub(super) fn refresh_session(&mut self, tools: &mut Tools<'_>) {
        let Stage::Talking { dialog } = self.stage else { return };
        if !self.dialogs[dialog].takes_update && self.is_session_busy() {
            return self.refresh_later(busy_for(tools), tools);
        }
        if self.dialogs[dialog].takes_update {
            self.send_update(dialog, Errand::Update { offer: false }, None, tools);
        } else {
            let sdp = self.our_sdp.clone();
            self.send_offer(dialog, Offering::new(sdp, Way::Reinvite, Purpose::Refresh), tools);
        }
    }

    /// Our refresh was refused. The session goes on until it expires, and we try again until then.
    pub(super) fn on_refresh_refused(
        &mut self,
        dialog: usize,
        response: Option<&Message<'_>>,
        tools: &mut Tools<'_>,
    ) {
        let Some(terms) = self.session.terms.filter(|terms| terms.refresher == Turn::Ours) else { return };
        let status = response.and_then(Message::status).unwrap_or_default();
        if matches!(status, 405 | 501) && self.dialogs[dialog].takes_update {
            self.dialogs[dialog].takes_update = false;
            return self.refresh_session(tools);
        }
        let told = response.and_then(Message::retry_after).map_or(0, u64::from);
        let usual = u64::from(terms.secs / REFRESH_TRIES);
        self.refresh_later(Duration::from_secs(told.clamp(usual, RETRY_AFTER_MAX.max(usual))), tools);
    }

    /// Tries to refresh again after this time.
    pub(super) fn refresh_later(&mut self, wait: Duration, tools: &mut Tools<'_>) {
        if self.timers.is_running(Timer::Expiry) {
            self.timers.set(Timer::Refresh, tools.now + wait);
            self.book(tools);
        }
    }

    /// Nobody refreshed the session. The peer is as good as dead, so its answer to our BYE is not waited for.
    pub(super) fn on_expiry(&mut self, tools: &mut Tools<'_>) {
        let Stage::Talking { dialog } = self.stage else { return };
        self.bye(dialog, Some(&Reason::sip(408)), tools);
        self.end(Event::Ended { by: EndedBy::Expiry, reason: None }, tools);
    }

    /// The session is over, whoever ends it.
    pub(super) fn stop_session(&mut self) {
        for timer in [Timer::Refresh, Timer::Expiry, Timer::OfferAgain] {
            self.timers.stop(timer);
        }
        self.session.terms = None;
        self.offering = None;
    }

    /// What a request says once more after a 422: the interval that somebody on the way wants at least
    /// (RFC 4028 7.3). Any answer to a challenge is left out, because its count is used up.
    pub(super) fn longer_session(&mut self, response: &Message<'_>, request: &[u8]) -> Option<Amendment> {
        let least = response.min_se().filter(|_| response.status() == Some(422))?;
        let value = stored::header_of(request, "Session-Expires")?;
        let value = String::from_utf8_lossy(value);
        let (asked, refresher) = value.split_at(value.find(';').unwrap_or(value.len()));
        let grows = asked.trim().parse().is_ok_and(|asked: u32| asked < least);
        if !grows || least > LEAST_ACCEPTED_SECS || self.session.raised >= RAISES_MAX {
            return None;
        }
        self.session.raised += 1;
        self.session.least = self.session.least.max(least);
        if let Some(terms) = &mut self.session.terms {
            terms.secs = terms.secs.max(least);
        }
        let expires = format!("{least}{refresher}");
        let gone = |name| (name, String::new());
        Some(Amendment {
            headers: [
                ("Session-Expires", expires),
                ("Min-SE", least.to_string()),
                gone("Authorization"),
                gone("Proxy-Authorization"),
            ]
            .into_iter()
            .collect(),
            attempt: 0,
        })
    }
}

/// How long to let another exchange come to its end before the refresh is tried again.
fn busy_for(tools: &mut Tools<'_>) -> Duration {
    Duration::from_millis(tools.rng.random_range(2_000..4_000))
}

/// How long before the end of a session it is given up, at most (RFC 4028 10).
const EXPIRY_MARGIN_MAX: Duration = Duration::from_secs(32);

/// A refused refresh is tried again after this part of the interval.
const REFRESH_TRIES: u32 = 12;

/// Seconds that a refused refresh waits at most because the peer asked for it.
const RETRY_AFTER_MAX: u64 = 60;

/// How many 422 one leg gives in to: ours, and one of each of two proxies.
const RAISES_MAX: u8 = 3;

/// The longest Min-SE that we give in to, a day: beyond that a session timer is none.
const LEAST_ACCEPTED_SECS: u32 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(interval: Option<u64>) -> Settings {
        let mut settings = Settings::new("h");
        settings.session.interval = interval.map(Duration::from_secs);
        settings
    }

    /// What we answer to a request with these headers: the value of Session-Expires.
    fn answer(headers: &str, interval: Option<u64>, current: Option<Terms>) -> String {
        let text = format!(
            "UPDATE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:b@h>;tag=1\r\n\
             To: <sip:a@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 UPDATE\r\n{headers}\r\n"
        );
        let request = Message::parse(text.as_bytes()).unwrap();
        Terms::of_request(&request, current, &settings(interval)).map(Terms::answer).unwrap_or_default()
    }

    #[test]
    fn interval_and_refresher_follow_the_table_of_rfc_4028() {
        const KNOWS: &str = "Supported: timer\r\n";
        for (headers, interval, expected) in [
            ("Session-Expires: 1800\r\n", Some(1800), "1800;refresher=uas"),
            ("Session-Expires: 1800;refresher=uac\r\n", Some(1800), "1800;refresher=uas"),
            ("Supported: timer\r\nSession-Expires: 1800\r\n", Some(1800), "1800;refresher=uac"),
            ("Supported: timer\r\nx: 3600;refresher=uas\r\n", Some(1800), "1800;refresher=uas"),
            (
                "Supported: timer\r\nx: 3600;refresher=uac\r\nMin-SE: 2000\r\n",
                Some(1800),
                "2000;refresher=uac",
            ),
            ("Supported: timer\r\nx: 120\r\n", Some(1800), "120;refresher=uac"),
            ("Supported: timer\r\nx: 120\r\n", None, "120;refresher=uac"),
            (KNOWS, Some(1800), "1800;refresher=uas"),
            ("Supported: timer\r\nMin-SE: 2400\r\n", Some(1800), "2400;refresher=uas"),
            (KNOWS, None, ""),
            ("", Some(1800), ""),
            ("Session-Expires: x\r\n", Some(1800), ""),
        ] {
            assert_eq!(answer(headers, interval, None), expected, "{headers}");
        }
    }

    #[test]
    fn a_refresh_that_says_nothing_leaves_the_roles() {
        let current = |refresher| Some(Terms { secs: 600, refresher, peer_knows: true });
        let knows = "Supported: timer\r\n";
        assert_eq!(answer(knows, None, current(Turn::Ours)), "600;refresher=uas");
        assert_eq!(answer(knows, None, current(Turn::Theirs)), "600;refresher=uac");
        assert_eq!(answer("", None, current(Turn::Ours)), "600;refresher=uas");
        assert_eq!(answer("", None, current(Turn::Theirs)), "", "who knows no timers refreshes none");
    }

    #[test]
    fn a_session_is_given_up_a_little_before_its_end() {
        let patience = |secs| Terms { secs, refresher: Turn::Theirs, peer_knows: true }.patience().as_secs();
        assert_eq!((patience(90), patience(96), patience(1_800)), (60, 64, 1_768));
    }
}
