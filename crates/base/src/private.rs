//! What must not be seen: secrets, verification codes, pressed digits, texts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that logs, metrics and panics show as `***`. Ask for it with [`Private::expose`], where it is needed.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. The name makes every use easy to find.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Gives the value up.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_value_is_not_printed() {
        assert_eq!(format!("{:?}", Private::new("123456")), "***");
        assert_eq!(*Private::new(7).expose(), 7);
        assert_eq!(Private::new(7).into_exposed(), 7);
    }
}
