//! A table by the numbers that a shard counts itself.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A table whose keys nobody outside can choose, so that one multiplication spreads them well enough.
pub(crate) type Table<V> = HashMap<u64, V, BuildHasherDefault<Spread>>;

/// See [`Table`].
#[derive(Default)]
pub(crate) struct Spread(u64);

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
