//! Which pushes are taken from memory and which hosts must be read from the database. Pure.
//!
//! A host is either *current*, and then everything that it is owed is held or done, or *behind*, and then everything
//! past a known number is still in the database. At a start everybody is behind.

use std::collections::{HashMap, VecDeque};

use base::time::Timestamp;
use store::{Page, PushNo, Waiting};

use crate::lanes::Lanes;

/// The hosts that are behind, and how far everybody else is.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    behind: HashMap<Box<str>, PushNo>,
    /// Every push up to this number was taken, or its host is behind.
    seen: PushNo,
}

impl Intake {
    /// Takes pushes that were committed just now. Those that find no room stay in the database.
    pub(crate) fn take(&mut self, pushes: VecDeque<Waiting>, now: Timestamp, lanes: &mut Lanes) {
        for push in pushes {
            self.seen = self.seen.max(push.id);
            if self.behind.contains_key(&push.host) {
                continue;
            }
            if lanes.room(&push.host) == 0 {
                self.behind.insert(push.host, PushNo(push.id.0 - 1));
                continue;
            }
            lanes.add(push, now);
        }
    }

    /// Some pushes were committed that nobody handed over: these hosts may have missed some.
    pub(crate) fn missed(&mut self, hosts: Vec<String>) {
        for host in hosts {
            self.behind.entry(host.into()).or_insert(self.seen);
        }
    }

    /// A host that is behind and has room for a page, and after which push the page begins.
    pub(crate) fn next_page(&self, lanes: &Lanes) -> Option<(Box<str>, PushNo)> {
        let mut hosts = self.behind.iter().filter(|(host, _)| lanes.room(host) >= PAGE);
        hosts.next().map(|(host, after)| (host.clone(), *after))
    }

    /// Takes a page of a host that is behind; a page that is not full was the last one.
    pub(crate) fn page(&mut self, host: Box<str>, page: Page, now: Timestamp, lanes: &mut Lanes) {
        if page.full {
            self.behind.insert(host, page.reached);
        } else {
            self.behind.remove(&host);
        }
        for push in page.pushes {
            lanes.add(push, now);
        }
    }
}

/// Pushes that are read at once.
pub(crate) const PAGE: usize = 256;
