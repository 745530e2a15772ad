//! The words that states are stored as.

use base::account::{
    AccountState, AppState, Hold, NumberForm, NumberState, Origin, OwnerState, Phase, PushSignature,
    ReportCodes, Review,
};
use base::order::ProductKind;
use base::quota::{Counted, Window};
use base::template::{Lengths, TemplateKind};

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

/// How often an app's pushes are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PushProfile {
    /// As the vendor's documents say.
    #[default]
    Compat,
    /// Everything for a day, in order.
    Reliable,
}

/// How much may be said in an app's templates with named places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LengthProfile {
    /// [`Lengths::WIDE`]
    #[default]
    Wide,
    /// [`Lengths::STRICT`]
    Strict,
}

impl LengthProfile {
    /// How many characters that are.
    #[must_use]
    pub const fn lengths(self) -> Lengths {
        match self {
            Self::Wide => Lengths::WIDE,
            Self::Strict => Lengths::STRICT,
        }
    }
}

/// What is listed, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// Numbers of first parties who may not be called for a callback.
    CallerBlock,
    /// Numbers that may not be called.
    CalleeBlock,
    /// Numbers that may be called, where only listed ones may.
    CalleeAllow,
    /// Blocks of addresses whose requests are refused. The platform has this list only.
    AddressBlock,
    /// Blocks of addresses of areas whose requests are refused. The platform has this list only.
    AreaBlock,
    /// Words that must not be spoken. The platform has this list only.
    Word,
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
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Active, "active"),
        (Self::Paused, "paused"),
        (Self::Unavailable, "unavailable"),
        (Self::Deleted, "deleted"),
    ];
}

impl Word for AccountState {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Active, "active"), (Self::InArrears, "in_arrears"), (Self::Suspended, "suspended")];
}

impl Word for OwnerState {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Active, "active"), (Self::Suspended, "suspended")];
}

impl Word for Phase {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Commercial, "commercial"), (Self::Sandbox, "sandbox")];
}

impl Word for Hold {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Unspecified, "unspecified"), (Self::AbnormalCalls, "abnormal_calls")];
}

impl Word for Origin {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Any, "any"), (Self::Ipv4, "ipv4")];
}

impl Word for PushProfile {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Compat, "compat"), (Self::Reliable, "reliable")];
}

impl Word for ListKind {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::CallerBlock, "caller_block"),
        (Self::CalleeBlock, "callee_block"),
        (Self::CalleeAllow, "callee_allow"),
        (Self::AddressBlock, "address_block"),
        (Self::AreaBlock, "area_block"),
        (Self::Word, "word"),
    ];
}

impl Word for Counted {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Account, "account"),
        (Self::App, "app"),
        (Self::ShownNumber, "shown_number"),
        (Self::Caller, "caller"),
        (Self::Callee, "callee"),
        (Self::ServiceNumber, "service_number"),
        (Self::Pair, "pair"),
    ];
}

impl Word for Window {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Minute, "minute"),
        (Self::Hour, "hour"),
        (Self::Day, "day"),
        (Self::Month, "month"),
        (Self::Ever, "ever"),
    ];
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
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Callback, "callback"), (Self::Code, "code"), (Self::Notice, "notice"), (Self::Menu, "menu")];
}

impl Word for TemplateKind {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Placed, "placed"), (Self::Named, "named"), (Self::Menu, "menu")];
}

impl Word for LengthProfile {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Wide, "wide"), (Self::Strict, "strict")];
}

impl Word for ReportCodes {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Status, "status"), (Self::Detailed, "detailed")];
}

impl Word for NumberForm {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Number, "number"), (Self::Text, "text")];
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
