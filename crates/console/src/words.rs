//! The API's own words for states: what stands in JSON, and the types of `base` and `store` that it stands for.

use base::account;
use base::order;
use base::quota;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Makes an enum of the API that mirrors one of ours, word by word. A new variant of ours does not compile without
/// its word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident = $ours:path { $($(#[$what:meta])* $word:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($(#[$what])* $word,)+
        }

        impl From<$ours> for $name {
            fn from(ours: $ours) -> Self {
                match ours {
                    $(<$ours>::$word => Self::$word,)+
                }
            }
        }

        impl From<$name> for $ours {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => <$ours>::$word,)+
                }
            }
        }
    };
}

words! {
    /// Whether an app may place calls.
    AppState = account::AppState {
        /// It may.
        Active,
        /// Its owner paused it.
        Paused,
        /// It is frozen, or was never approved.
        Unavailable,
        /// It was deleted; its keys stay known.
        Deleted,
    }
}

words! {
    /// Whether an app was released for real use.
    Phase = account::Phase {
        /// It may use the real paths, and the sandbox.
        Commercial,
        /// It may use the sandbox only.
        Sandbox,
    }
}

words! {
    /// How pushes are signed.
    PushSignature = account::PushSignature {
        /// Without authentication headers.
        Off,
        /// Address, nonce and UTC time, joined.
        Joined,
        /// Address, nonce and Beijing time, on three lines.
        Lines,
    }
}

words! {
    /// A kind of call.
    Product = order::ProductKind {
        /// Two parties, one after the other, then connected.
        Callback,
        /// A verification code for one party.
        Code,
        /// An announcement for one party, who may answer with keys.
        Notice,
    }
}

words! {
    /// Whether a number may be shown.
    NumberState = account::NumberState {
        /// It may.
        Active,
        /// Not for now; another number of the app is shown in its place.
        Paused,
    }
}

words! {
    /// The state of a review.
    Review = account::Review {
        /// Nobody has looked yet.
        Pending,
        /// It may be used.
        Approved,
        /// It may not.
        Rejected,
    }
}

words! {
    /// Whether requests may name a key. A revoked one still signs the pushes of calls that were placed with it.
    KeyState = store::KeyState {
        /// They may.
        Active,
        /// They may not.
        Revoked,
    }
}

words! {
    /// What calls are counted by.
    Counted = quota::Counted {
        /// The enterprise that orders.
        Account,
        /// The app that orders.
        App,
        /// Each number that is shown.
        ShownNumber,
        /// The first party of a callback.
        Caller,
        /// Each party that is called, but the first party of a callback.
        Callee,
        /// The number that places the call: the one shown to the first party.
        ServiceNumber,
        /// The two parties of a callback, in this order.
        Pair,
    }
}

words! {
    /// A window of time, on the clocks of Beijing.
    Window = quota::Window {
        /// 60 seconds.
        Minute,
        /// 60 minutes.
        Hour,
        /// From midnight to midnight.
        Day,
        /// 30 days.
        Month,
    }
}
