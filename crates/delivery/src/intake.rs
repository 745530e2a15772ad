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

    /// Takes a page of a host that is behind; a page that is not full was the last one. Pushes that are `closed` must wait
    /// for an earlier one.
    pub(crate) fn page(
        &mut self,
        host: Box<str>,
        page: Page,
        closed: &HashMap<PushNo, Timestamp>,
        now: Timestamp,
        lanes: &mut Lanes,
    ) {
        if page.full {
            self.behind.insert(host, page.reached);
        } else {
            self.behind.remove(&host);
        }
        for push in page.pushes {
            let closed = closed.get(&push.id).copied();
            lanes.add_read(push, closed, now);
        }
    }
}

/// Pushes that are read at once.
pub(crate) const PAGE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::tests::push;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn page(ids: std::ops::Range<i64>, full: bool) -> Page {
        let pushes: Vec<_> = ids.map(|id| push(id, 7, "slow")).collect();
        let reached = pushes.last().map_or(PushNo(0), |push| push.id);
        Page { pushes, reached, full }
    }

    fn room(lanes: &Lanes) -> usize {
        lanes.room("slow")
    }

    #[test]
    fn what_finds_no_room_is_read_from_where_it_was_left() {
        let (mut intake, mut lanes) = (Intake::default(), Lanes::default());
        let fits = i64::try_from(room(&lanes)).unwrap();
        intake.take((1..=fits + 5).map(|id| push(id, 7, "slow")).collect(), NOW, &mut lanes);
        assert_eq!(room(&lanes), 0);
        // No page is read before there is room for it, and other hosts go on.
        assert_eq!(intake.next_page(&lanes), None);
        intake.take([push(fits + 6, 8, "quick")].into(), NOW, &mut lanes);
        assert!(std::iter::from_fn(|| lanes.next(NOW)).any(|sending| &*sending.host == "quick"));
        let mut free = Lanes::default();
        assert_eq!(intake.next_page(&free), Some(("slow".into(), PushNo(fits))));
        intake.page("slow".into(), page(fits + 1..fits + 6, false), &HashMap::new(), NOW, &mut free);
        assert_eq!(intake.next_page(&free), None);
    }

    #[test]
    fn a_host_that_is_behind_takes_nothing_from_memory() {
        let (mut intake, mut lanes) = (Intake::default(), Lanes::default());
        intake.missed(vec!["slow".to_owned()]);
        let empty = room(&lanes);
        intake.take([push(9, 7, "slow")].into(), NOW, &mut lanes);
        assert_eq!(room(&lanes), empty);
        assert_eq!(intake.next_page(&lanes), Some(("slow".into(), PushNo(0))));
        intake.page("slow".into(), page(1..257, true), &HashMap::new(), NOW, &mut lanes);
        assert_eq!(intake.next_page(&lanes), Some(("slow".into(), PushNo(256))));
        intake.page("slow".into(), page(257..260, false), &HashMap::new(), NOW, &mut lanes);
        // What was read and is handed over as well is held once.
        let held = room(&lanes);
        intake.take([push(259, 7, "slow")].into(), NOW, &mut lanes);
        assert_eq!(room(&lanes), held);
    }
}
