//! Which network addresses a customer may make us connect to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The operator's rule for pushes: every public address, and those private ones that are listed.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Vec<Block>,
}

/// A block of addresses such as `127.0.0.0/8` or `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    network: IpAddr,
    bits: u8,
}

/// The text is not a block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of addresses is written as 10.0.0.0/8 or fd00::/8")]
pub struct BadBlock;

impl Guard {
    /// A guard that also lets the `allowed` blocks through.
    #[must_use]
    pub const fn new(allowed: Vec<Block>) -> Self {
        Self { allowed }
    }

    /// Whether a push may connect to the address. Mapped and translated forms are judged by what they hide.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let plain = unwrap_mapped(address);
        self.allowed.iter().any(|block| block.contains(plain) || block.contains(address)) || is_public(plain)
    }
}

impl Block {
    /// Whether it is so large that nobody is meant by it: more than a 256th of IPv4, or a 65,536th of IPv6.
    #[must_use]
    pub const fn is_vast(&self) -> bool {
        match self.network {
            IpAddr::V4(_) => self.bits < 8,
            IpAddr::V6(_) => self.bits < 16,
        }
    }

    /// Whether the address lies in the block.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                (network.to_bits() ^ address.to_bits()) & mask == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                (network.to_bits() ^ address.to_bits()) & mask == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.bits)
    }
}

impl FromStr for Block {
    type Err = BadBlock;

    fn from_str(text: &str) -> Result<Self, BadBlock> {
        let (network, bits) = match text.split_once('/') {
            Some((network, bits)) => (network, Some(bits)),
            None => (text, None),
        };
        let network: IpAddr = network.parse().map_err(|_| BadBlock)?;
        let width = if network.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), |bits| bits.parse().map_err(|_| BadBlock))?;
        if bits <= width { Ok(Self { network, bits }) } else { Err(BadBlock) }
    }
}

/// The IPv4 address inside a mapped, compatible, translated, NAT64, 6to4 or Teredo address, or the address itself.
fn unwrap_mapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let bits = v6.to_bits();
    let low = Ipv4Addr::from_bits(u32::try_from(bits & u128::from(u32::MAX)).unwrap_or(0));
    let inner = match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => Some(low),
        [0, 0, 0, 0, 0, 0, ..] if bits > 1 => Some(low),
        [0x64, 0xff9b, ..] => Some(low),
        [0x2002, high, next, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = next.to_be_bytes();
            Some(Ipv4Addr::new(a, b, c, d))
        }
        [0x2001, 0, ..] => Some(Ipv4Addr::from_bits(!low.to_bits())),
        _ => None,
    };
    inner.map_or(address, IpAddr::V4)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special = match (a, b, c) {
        // This network, loopback, private, link-local with the metadata service, multicast and reserved.
        (0 | 10 | 127 | 224.., _, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        // Carrier-grade NAT, which also holds a cloud's metadata address 100.100.100.200.
        (100, 64..=127, _) => true,
        // Protocol assignments, documentation, benchmarking, 6to4 relay anycast.
        (192, 0, 0 | 2) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) => true,
        _ => false,
    };
    !special
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let first = v6.segments()[0];
    let special = v6.is_unspecified()
        || v6.is_loopback()
        || v6.is_multicast()
        || first & 0xfe00 == 0xfc00 // unique local
        || first & 0xffc0 == 0xfe80 // link-local
        || first & 0xffc0 == 0xfec0 // site-local, deprecated
        || v6.segments()[..2] == [0x2001, 0xdb8]
        || first == 0x0100 // discard-only
        || first == 0x3fff; // documentation
    !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_disguised_addresses_are_refused() {
        let guard = Guard::default();
        for bad in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:0:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:0:0:0:0:80ff:fffe",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!guard.permits(bad.parse().unwrap()), "{bad}");
        }
        for good in ["8.8.8.8", "114.114.114.114", "2400:3200::1", "::ffff:8.8.8.8"] {
            assert!(guard.permits(good.parse().unwrap()), "{good}");
        }
    }

    #[test]
    fn a_special_block_is_refused_from_its_first_address_to_its_last_and_nothing_beside_it() {
        let guard = Guard::default();
        for (before, first, last, after) in [
            (None, "0.0.0.0", "0.255.255.255", Some("1.0.0.0")),
            (Some("9.255.255.255"), "10.0.0.0", "10.255.255.255", Some("11.0.0.0")),
            (Some("100.63.255.255"), "100.64.0.0", "100.127.255.255", Some("100.128.0.0")),
            (Some("126.255.255.255"), "127.0.0.0", "127.255.255.255", Some("128.0.0.0")),
            (Some("169.253.255.255"), "169.254.0.0", "169.254.255.255", Some("169.255.0.0")),
            (Some("172.15.255.255"), "172.16.0.0", "172.31.255.255", Some("172.32.0.0")),
            (Some("191.255.255.255"), "192.0.0.0", "192.0.0.255", Some("192.0.1.0")),
            (Some("192.0.1.255"), "192.0.2.0", "192.0.2.255", Some("192.0.3.0")),
            (Some("192.88.98.255"), "192.88.99.0", "192.88.99.255", Some("192.88.100.0")),
            (Some("192.167.255.255"), "192.168.0.0", "192.168.255.255", Some("192.169.0.0")),
            (Some("198.17.255.255"), "198.18.0.0", "198.19.255.255", Some("198.20.0.0")),
            (Some("198.51.99.255"), "198.51.100.0", "198.51.100.255", Some("198.51.101.0")),
            (Some("203.0.112.255"), "203.0.113.0", "203.0.113.255", Some("203.0.114.0")),
            (Some("223.255.255.255"), "224.0.0.0", "255.255.255.255", None),
            (Some("ff:ffff::"), "100::", "100:ffff::1", Some("101::")),
            (Some("2001:db7:ffff::"), "2001:db8::", "2001:db8:ffff::1", Some("2001:db9::")),
            (Some("3ffe:ffff::"), "3fff::", "3fff:ffff::1", Some("4000::")),
            (Some("fbff:ffff::"), "fc00::", "fdff:ffff::1", Some("fe00::")),
            (Some("fe7f:ffff::"), "fe80::", "febf:ffff::1", None),
            (None, "fec0::", "feff:ffff::1", None),
            (None, "ff00::", "ffff:ffff::1", None),
        ] {
            for inside in [first, last] {
                assert!(!guard.permits(inside.parse().unwrap()), "{inside}");
            }
            for outside in [before, after].into_iter().flatten() {
                assert!(guard.permits(outside.parse().unwrap()), "{outside}");
            }
        }
    }

    #[test]
    fn a_disguise_is_judged_by_what_it_hides() {
        let guard = Guard::new(vec!["10.1.0.0/16".parse().unwrap()]);
        for (public, opened, private) in [
            ("::ffff:8.8.8.8", "::ffff:10.1.2.3", "::ffff:10.2.2.3"),
            ("::ffff:0:8.8.8.8", "::ffff:0:10.1.2.3", "::ffff:0:10.2.2.3"),
            ("::8.8.8.8", "::10.1.2.3", "::10.2.2.3"),
            ("64:ff9b::8.8.8.8", "64:ff9b::10.1.2.3", "64:ff9b::10.2.2.3"),
            ("2002:808:808::1", "2002:a01:203::1", "2002:a02:203::1"),
            ("2001:0:1:2:3:4:f7f7:f7f7", "2001:0:1:2:3:4:f5fe:fdfc", "2001:0:1:2:3:4:f5fd:fdfc"),
        ] {
            assert!(guard.permits(public.parse().unwrap()), "{public}");
            assert!(guard.permits(opened.parse().unwrap()), "{opened}");
            assert!(!guard.permits(private.parse().unwrap()), "{private}");
        }
        let disguised = Guard::new(vec!["64:ff9b::/96".parse().unwrap()]);
        assert!(disguised.permits("64:ff9b::10.1.2.3".parse().unwrap()), "the operator's own translator");
        let this_network = Guard::new(vec!["0.0.0.0/8".parse().unwrap()]);
        assert!(!this_network.permits("::1".parse().unwrap()), "nobody hides in IPv6's own loopback");
    }

    #[test]
    fn the_operator_can_open_a_block() {
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]);
        assert!(guard.permits("127.0.0.1".parse().unwrap()));
        assert!(guard.permits("::ffff:127.0.0.1".parse().unwrap()));
        assert!(guard.permits("::1".parse().unwrap()));
        assert!(!guard.permits("10.0.0.1".parse().unwrap()));
        assert_eq!("10.0.0.0/33".parse::<Block>(), Err(BadBlock));
        assert_eq!("fd00::/129".parse::<Block>(), Err(BadBlock));
    }

    #[test]
    fn a_block_ends_where_its_bits_say() {
        for (block, last, beyond) in [
            ("172.16.0.0/12", "172.31.255.255", "172.32.0.0"),
            ("9.9.9.0/24", "9.9.9.255", "9.9.10.0"),
            ("9.9.9.8/31", "9.9.9.9", "9.9.9.10"),
            ("9.9.9.9", "9.9.9.9", "9.9.9.8"),
            ("fd00::/8", "fdff:ffff::1", "fe00::"),
            ("2400:1:2:3::/64", "2400:1:2:3:ffff::", "2400:1:2:4::"),
            ("2400::8/127", "2400::9", "2400::a"),
            ("2400::8", "2400::8", "2400::9"),
        ] {
            let read: Block = block.parse().unwrap();
            assert!(read.contains(last.parse().unwrap()), "{last} in {block}");
            assert!(!read.contains(beyond.parse().unwrap()), "{beyond} in {block}");
        }
        for (all, inside) in [("0.0.0.0/0", "9.9.9.9"), ("::/0", "2400::1")] {
            assert!(all.parse::<Block>().unwrap().contains(inside.parse().unwrap()), "{all}");
        }
        assert!(!"::/0".parse::<Block>().unwrap().contains("9.9.9.9".parse().unwrap()), "another family");
    }

    #[test]
    fn a_block_is_printed_as_it_is_read_and_vast_when_nobody_is_meant() {
        for (text, printed, vast) in [
            ("9.0.0.0/7", "9.0.0.0/7", true),
            ("9.0.0.0/8", "9.0.0.0/8", false),
            ("9.9.9.9", "9.9.9.9/32", false),
            ("2400::/15", "2400::/15", true),
            ("2400::/16", "2400::/16", false),
            ("2400::1", "2400::1/128", false),
        ] {
            let block: Block = text.parse().unwrap();
            assert_eq!((&*block.to_string(), block.is_vast()), (printed, vast));
        }
    }
}
