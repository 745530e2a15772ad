//! Which trunks take a number, and in which order they are asked.

use crate::number::E164;

use super::{TRUNKS, TrunkNo};

/// Numbers that a trunk takes, and how gladly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What the numbers begin with, such as `+86`; `+` is every number.
    pub prefixes: Vec<Box<str>>,
    /// The trunk with the smallest priority is asked first (as RFC 2782 has it).
    pub priority: u8,
    /// Among trunks of one priority, how often this one is asked first: at least 1.
    pub weight: u16,
}

impl Route {
    /// Every number, as gladly as any other trunk.
    #[must_use]
    pub fn everything() -> Self {
        Self { prefixes: vec![EVERY_NUMBER.into()], priority: 1, weight: 1 }
    }

    /// How many digits of a number it knows; `None` when it takes no such number.
    fn fits(&self, dialled: &str) -> Option<usize> {
        let fitting = self.prefixes.iter().filter(|prefix| dialled.starts_with(&***prefix));
        fitting.map(|prefix| prefix.len()).max()
    }
}

/// How a trunk's health ranks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It works, as far as anybody knows.
    Open,
    /// It asked for a pause, which is not over.
    Paused,
    /// It fails.
    Failing,
}

/// The routes of all trunks, by the trunk's place.
#[derive(Clone, Debug, Default)]
pub struct Routes(Vec<Vec<Route>>);

impl<'a> FromIterator<&'a [Route]> for Routes {
    fn from_iter<I: IntoIterator<Item = &'a [Route]>>(routes: I) -> Self {
        Self(routes.into_iter().take(TRUNKS).map(<[Route]>::to_vec).collect())
    }
}

impl Routes {
    /// The trunks that take a number, in the order of the list.
    pub fn taking(&self, dialled: &E164) -> impl Iterator<Item = TrunkNo> {
        let takes = |routes: &[Route]| route_for(routes, dialled.as_str()).is_some();
        let taking = self.0.iter().enumerate().filter(move |(_, routes)| takes(routes));
        taking.filter_map(|(place, _)| TrunkNo::new(place))
    }

    /// The trunks that take a number, in the order in which they are to be asked: by rank, then by priority, then by
    /// weight, for which `random` decides. A trunk without a rank is left out. Of a trunk's own routes the one with the
    /// longest prefix counts.
    #[must_use]
    pub fn candidates(
        &self,
        dialled: &E164,
        random: u64,
        rank: impl Fn(TrunkNo) -> Option<Rank>,
    ) -> Candidates {
        let mut ways = [None; TRUNKS];
        for (place, (way, routes)) in ways.iter_mut().zip(&self.0).enumerate() {
            let route = route_for(routes, dialled.as_str());
            *way = route.zip(TrunkNo::new(place)).and_then(|(route, trunk)| {
                Some(Way { rank: rank(trunk)?, priority: route.priority, weight: route.weight.max(1) })
            });
        }
        Candidates { ways, random }
    }
}

/// The route of a trunk for a number: the one that knows most of its digits; of equals the first.
fn route_for<'a>(routes: &'a [Route], dialled: &str) -> Option<&'a Route> {
    let fitting = routes.iter().filter_map(|route| Some((route.fits(dialled)?, route)));
    fitting.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, route)| route)
}

/// Trunks in the order in which they are to be asked. Lives on the stack.
#[derive(Clone, Debug)]
pub struct Candidates {
    ways: [Option<Way>; TRUNKS],
    random: u64,
}

#[derive(Clone, Copy, Debug)]
struct Way {
    rank: Rank,
    priority: u8,
    weight: u16,
}

impl Iterator for Candidates {
    type Item = TrunkNo;

    fn next(&mut self) -> Option<TrunkNo> {
        let best = self.ways.iter().flatten().map(|way| (way.rank, way.priority)).min()?;
        let weight = |way: &Option<Way>| {
            way.filter(|way| (way.rank, way.priority) == best).map_or(0, |way| u64::from(way.weight))
        };
        let all: u64 = self.ways.iter().map(weight).sum();
        self.random = mixed(self.random);
        let mut drawn = self.random % all.max(1);
        for (place, way) in self.ways.iter_mut().enumerate() {
            let own = weight(way);
            if drawn < own {
                *way = None;
                return TrunkNo::new(place);
            }
            drawn -= own;
        }
        None
    }
}

/// The next of a row of numbers that look random (SplitMix64).
const fn mixed(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What every number in international form begins with.
const EVERY_NUMBER: &str = "+";

#[cfg(test)]
mod tests {
    use super::*;

    /// Trunks, one a line: a letter, then its routes as `prefix,prefix priority/weight`, parted by `;`.
    fn routes(text: &str) -> Routes {
        let route = |text: &str| {
            let (prefixes, rest) = text.trim().split_once(' ').unwrap();
            let (priority, weight) = rest.split_once('/').unwrap();
            Route {
                prefixes: prefixes.split(',').map(Into::into).collect(),
                priority: priority.parse().unwrap(),
                weight: weight.parse().unwrap(),
            }
        };
        let trunk = |line: &str| line.trim()[2..].split(';').map(route).collect::<Vec<_>>();
        Routes(text.trim().lines().map(trunk).collect())
    }

    fn letters(trunks: impl Iterator<Item = TrunkNo>) -> String {
        trunks.map(|trunk| char::from(b'a' + trunk.0)).collect()
    }

    /// The trunks in their order; `ill` are those that pause (small letters) or fail (capitals).
    fn order(text: &str, dialled: &str, ill: &str) -> String {
        let rank = |trunk: TrunkNo| {
            let letter = char::from(b'a' + trunk.0);
            Some(match () {
                () if ill.contains(letter) => Rank::Paused,
                () if ill.contains(letter.to_ascii_uppercase()) => Rank::Failing,
                () => Rank::Open,
            })
        };
        letters(routes(text).candidates(&E164::parse(dialled).unwrap(), 1, rank))
    }

    #[test]
    fn prefix_then_health_then_priority_decide() {
        const THREE: &str = "a +86 1/1\nb +86,+852 2/1\nc + 3/1";
        for (dialled, ill, asked) in [
            ("+8613800000001", "", "abc"),
            ("+85212345678", "", "bc"),
            ("+4930123456", "", "c"),
            ("+8613800000001", "a", "bca"),
            ("+8613800000001", "A", "bca"),
            ("+8613800000001", "Ab", "cba"),
            ("+8613800000001", "abc", "abc"),
        ] {
            assert_eq!(order(THREE, dialled, ill), asked, "{dialled} {ill}");
        }
        assert_eq!(order("a +86 1/1", "+4930123456", ""), "");
    }

    #[test]
    fn of_a_trunks_own_routes_the_longest_prefix_counts() {
        let two = "a + 1/1; +8610 9/1\nb + 5/1; +8610 2/1";
        assert_eq!(order(two, "+8613800000001", ""), "ab");
        assert_eq!(order(two, "+861012345678", ""), "ba");
    }

    #[test]
    fn among_equals_the_weight_decides_how_often_a_trunk_is_first() {
        let routes = routes("a + 1/70\nb + 1/20\nc + 1/10\nd + 2/1000");
        let dialled = E164::parse("+8613800000001").unwrap();
        let mut first = [0_u32; 4];
        for random in 0..10_000 {
            let asked = letters(routes.candidates(&dialled, random, |_| Some(Rank::Open)));
            assert_eq!((asked.len(), asked.ends_with('d')), (4, true), "everybody once: {asked}");
            first[usize::from(asked.as_bytes()[0] - b'a')] += 1;
        }
        for (count, share) in first.into_iter().zip([7_000, 2_000, 1_000, 0_u32]) {
            assert!(count.abs_diff(share) < 200, "{first:?}");
        }
    }

    #[test]
    fn a_trunk_without_a_rank_is_left_out() {
        let routes = routes("a + 1/1\nb + 1/1");
        let dialled = E164::parse("+8613800000001").unwrap();
        let asked = routes.candidates(&dialled, 1, |trunk| (trunk.0 == 1).then_some(Rank::Open));
        assert_eq!(letters(asked), "b");
        assert_eq!(letters(routes.taking(&dialled)), "ab");
    }
}
