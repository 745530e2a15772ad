//! Tables by numbers that nobody outside can choose, for threads that must never be away for long.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

/// A table whose keys are integers that we count, or hashes of a secret seed already.
///
/// It grows in many small steps. A table of one piece moves everything it holds whenever it doubles: a hundred thousand
/// transactions took fifty milliseconds, which everybody who talked could hear. This one is many small tables that are
/// full at different moments.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    parts: Box<[Part<K, V>]>,
    len: usize,
}

type Part<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

impl<K: Eq + Hash, V> Table<K, V> {
    /// The value of this key.
    #[inline]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.parts[part_of(key)].get(key)
    }

    /// The value of this key, to be changed.
    #[inline]
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.parts[part_of(key)].get_mut(key)
    }

    /// Whether there is such a key.
    #[inline]
    pub fn contains_key(&self, key: &K) -> bool {
        self.parts[part_of(key)].contains_key(key)
    }

    /// Puts a value there, and gives the one that was there before.
    #[inline]
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = self.parts[part_of(&key)].insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }

    /// Takes a value out.
    #[inline]
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let taken = self.parts[part_of(key)].remove(key);
        self.len -= usize::from(taken.is_some());
        taken
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All keys, in no order that means anything.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.parts.iter().flat_map(Part::keys)
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Part::default()).collect(), len: 0 }
    }
}

/// In how many parts a table grows: the longest step moves so small a share of it.
const PARTS: usize = 128;

/// The part that a key is in, by bits of its hash that the part itself looks at last.
#[inline]
fn part_of<K: Hash>(key: &K) -> usize {
    let hash = BuildHasherDefault::<Spread>::default().hash_one(key);
    // The remainder is less than the number of parts.
    (hash >> 40) as usize % PARTS
}

/// Spreads integers over a table's buckets: one multiplication, enough for keys that nobody outside can choose.
#[derive(Clone, Copy, Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (self.0 ^ value).wrapping_mul(ODD);
        self.0 = mixed ^ (mixed >> 32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_found_until_it_is_taken_out() {
        let mut table = Table::default();
        for number in 0..10_000_u64 {
            assert_eq!(table.insert(number, number), None);
        }
        assert_eq!(table.insert(7, 70), Some(7));
        assert_eq!((table.len(), table.get(&7), table.contains_key(&10_000)), (10_000, Some(&70), false));
        let mut keys: Vec<u64> = table.keys().copied().collect();
        keys.sort_unstable();
        assert!(keys.into_iter().eq(0..10_000));
        *table.get_mut(&8).unwrap() = 80;
        assert_eq!((table.remove(&8), table.remove(&8), table.len()), (Some(80), None, 9_999));
        assert!((0..10_000).filter_map(|number| table.remove(&number)).count() == 9_999 && table.is_empty());
    }

    #[test]
    fn numbers_that_are_counted_and_those_that_are_hashed_fill_all_parts_alike() {
        let counted: Vec<u64> = (0..64_000).collect();
        let legs = counted.iter().map(|number| number << 16).collect();
        let hashed =
            counted.iter().map(|number| number.wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(17)).collect();
        for keys in [counted.clone(), legs, hashed] {
            let mut table = Table::default();
            for key in keys {
                table.insert(key, ());
            }
            let sizes = table.parts.iter().map(Part::len);
            let (least, most) = (sizes.clone().min(), sizes.max());
            assert!(least > Some(350) && most < Some(650), "{least:?} to {most:?}");
        }
    }
}
