//! What a leg is listened to for besides keys: before the answer what its network says, after it who has picked up.

use std::time::Duration;

use base::time::Instant;

use super::{Due, Session};
use crate::announcement::{AnnouncementEar, Announcements};
use crate::answerer::AnswererEar;
use crate::g711::Law;
use crate::rtp::Header;

/// One of the two at a time: nobody picks up twice.
#[derive(Debug)]
pub(super) enum Listening {
    Announcement(Box<AnnouncementEar>),
    Answerer(Box<AnswererEar>),
}

impl Session {
    /// Listens for announcements that are known, in G.711 and for a minute at most; what is recognised is told by
    /// [`Due::Announced`]. A leg that nobody asked this for pays nothing for it.
    pub fn listen_for_announcements(&mut self, known: &Announcements) {
        self.listening = Some(Listening::Announcement(AnnouncementEar::new(known.clone())));
    }

    /// The party has picked up now: listens for who it is and tells it by [`Due::PickedUp`], the first time within
    /// `patience`. Only G.711 is understood; whoever speaks another codec is never sure to be anybody.
    pub fn listen_for_answerer(&mut self, patience: Duration, now: Instant) {
        self.listening = Some(Listening::Answerer(Box::new(AnswererEar::new(patience, now))));
    }

    /// Listens for keys only.
    pub fn listen_no_more(&mut self) {
        self.listening = None;
    }

    /// Whether a packet has brought something that [`Session::tick`] will tell at once.
    #[must_use]
    #[inline]
    pub fn has_news(&self) -> bool {
        self.listening.as_ref().is_some_and(Listening::has_news)
    }
}

impl Listening {
    pub(super) fn hear(&mut self, header: &Header, samples: &[u8], law: Law, now: Instant) {
        match self {
            Self::Announcement(ear) => ear.hear(header, samples, law),
            Self::Answerer(ear) => ear.hear(header, samples, law, now),
        }
    }

    /// What is to be told now, if anything.
    pub(super) fn told(&mut self, now: Instant) -> Option<Due> {
        match self {
            Self::Announcement(ear) => ear.told().map(Due::Announced),
            Self::Answerer(ear) => ear.told(now).map(Due::PickedUp),
        }
    }

    pub(super) fn end_stream(&mut self) {
        match self {
            Self::Announcement(ear) => ear.end_stream(),
            Self::Answerer(ear) => ear.end_stream(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Announcement(ear) => ear.is_over(),
            Self::Answerer(ear) => ear.is_over(),
        }
    }

    /// When something may have to be told although no packet comes; at once when one has brought it.
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Announcement(ear) => ear.has_news().then_some(Instant::START),
            Self::Answerer(ear) => ear.due(),
        }
    }

    /// Who picks up is asked for with every tick of the silence that goes out, so only announcements are news.
    fn has_news(&self) -> bool {
        match self {
            Self::Announcement(ear) => ear.has_news(),
            Self::Answerer(_) => false,
        }
    }
}
