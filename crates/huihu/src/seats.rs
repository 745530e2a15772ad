//! How many connections each stranger has: one who opens all there are must not shut everybody else out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::address::Block;

/// The connections by address. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    /// Connections of one address.
    most: usize,
    /// Who may have any number: proxies, behind whom everybody is.
    free: Arc<[Block]>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    of: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Seats {
    /// Nobody is connected yet.
    pub(crate) fn new(most: usize, free: Vec<Block>) -> Self {
        Self { most, free: free.into(), taken: Arc::default() }
    }

    /// A seat for a connection of the peer; `None` when it has as many as it may.
    pub(crate) fn take(&self, peer: IpAddr) -> Option<Seat> {
        let of = network(peer);
        let peer = peer.to_canonical();
        let is_free = peer.is_loopback() || self.free.iter().any(|block| block.contains(peer));
        let mut taken = locked(&self.taken);
        let connections = taken.entry(of).or_default();
        if *connections >= self.most && !is_free {
            return None;
        }
        *connections += 1;
        Some(Seat { of, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = locked(&self.taken);
        if let Some(connections) = taken.get_mut(&self.of) {
            *connections -= 1;
            if *connections == 0 {
                taken.remove(&self.of);
            }
        }
    }
}

/// Whom one stranger can be: an IPv4 address, or a /64 of IPv6.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn locked(taken: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_connections() {
        let seats = Seats::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let take = |peer: &str| seats.take(peer.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        let _second = take("::ffff:192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_none());
        let _other = take("192.0.2.2").unwrap();
        drop(first);
        let _third = take("192.0.2.1").unwrap();
        let _theirs = [take("2001:db8::1").unwrap(), take("2001:db8::2").unwrap()];
        assert!(take("2001:db8::3").is_none(), "a network of IPv6 is one stranger");
    }

    #[test]
    fn a_proxy_and_this_machine_may_have_any_number() {
        let seats = Seats::new(1, vec!["10.0.0.0/8".parse().unwrap()]);
        for peer in ["10.0.0.1", "::ffff:10.0.0.1", "127.0.0.1", "::1"] {
            let held: Vec<_> = (0..9).map(|_| seats.take(peer.parse().unwrap())).collect();
            assert!(held.iter().all(Option::is_some), "{peer}");
        }
        assert!(locked(&seats.taken).is_empty());
    }
}
