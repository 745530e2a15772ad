//! The words that states are stored as.

use base::account::{AppState, NumberState, PushSignature, Review};
use base::order::ProductKind;

/// A closed set of states, each with the word that the database holds.
pub(crate) trait Word: Copy + PartialEq + 'static {
    /// Every state, each with its word.
    const WORDS: &'static [(Self, &'static str)];

    /// The word of this state.
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(state, _)| *state == self);
        found.map(|(_, word)| *word).expect("every state has its word")
    }

    /// The state of a word; `None` for a word that another version wrote.
    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, own)| *own == word).map(|(state, _)| *state)
    }
}

/// Whether requests may name a key. A revoked one still signs the pushes of calls that were placed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// They may.
    Active,
    /// They may not.
    Revoked,
}

impl Word for AppState {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Active, "active"), (Self::Paused, "paused"), (Self::Unavailable, "unavailable")];
}

impl Word for NumberState {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Active, "active"), (Self::Paused, "paused")];
}

impl Word for KeyState {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Active, "active"), (Self::Revoked, "revoked")];
}

impl Word for Review {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Pending, "pending"), (Self::Approved, "approved"), (Self::Rejected, "rejected")];
}

impl Word for PushSignature {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Off, "off"), (Self::Joined, "joined"), (Self::Lines, "lines")];
}

impl Word for ProductKind {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Callback, "callback"), (Self::Code, "code")];
}

/// Several words as one text, such as `callback,code`.
pub(crate) fn join<W: Word>(states: &[W]) -> String {
    states.iter().map(|state| state.word()).collect::<Vec<_>>().join(",")
}

/// The other way round; `None` when a word is not known.
pub(crate) fn split<W: Word>(words: &str) -> Option<Vec<W>> {
    words.split(',').filter(|word| !word.is_empty()).map(W::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_word_reads_back_as_its_state() {
        for product in [&[][..], &[ProductKind::Code], &[ProductKind::Callback, ProductKind::Code]] {
            assert_eq!(split(&join(product)).as_deref(), Some(product));
        }
        assert_eq!(AppState::of(AppState::Paused.word()), Some(AppState::Paused));
        assert_eq!(AppState::of("asleep"), None);
        assert_eq!(split::<ProductKind>("callback,fax"), None);
    }
}
