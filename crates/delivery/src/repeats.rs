//! Messages that are repeated, put together again from what the database tells by pages. Pure.
//!
//! A page of due pushes may end in the middle of a message, and not all of its pushes need be due: so a message of which
//! one push is met is read as a whole, once in each reading of all pages.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use base::row::Channel;
use store::{PushNo, Waiting};

/// The messages that were met since a reading began.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    met: HashSet<PushNo>,
}

impl Repeats {
    /// Parts a page into the pushes that stand for themselves, and the messages that must be read as a whole.
    pub(crate) fn part(&self, page: Vec<Waiting>) -> (Vec<Waiting>, Vec<PushNo>) {
        let mut messages = BTreeSet::new();
        let mut alone = page;
        alone.retain(|push| match (push.channel, push.message) {
            (Channel::Fee | Channel::Report, Some(message)) => {
                messages.insert(message);
                false
            }
            (Channel::Fee | Channel::Report, None) | (Channel::Status, _) => true,
        });
        (alone, messages.into_iter().filter(|message| !self.met.contains(message)).collect())
    }

    /// Parts pushes into their messages, which are not read again until the reading ends.
    pub(crate) fn meet(&mut self, pushes: Vec<Waiting>) -> Vec<Vec<Waiting>> {
        let mut messages: BTreeMap<PushNo, Vec<Waiting>> = BTreeMap::new();
        for push in pushes {
            messages.entry(push.message.unwrap_or(push.id)).or_default().push(push);
        }
        self.met.extend(messages.keys());
        messages.into_values().collect()
    }

    /// All pages were read: what is met from now on fell due later.
    pub(crate) fn end(&mut self) {
        self.met.clear();
    }
}
