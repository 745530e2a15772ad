//! Every refusal by its name.

use base::quota::{Counted, Window};
use base::refusal::Refusal;

/// One of each variant, and a function that does not compile when one is missing.
macro_rules! every_refusal {
    ($($name:ident $({ $($field:ident: $value:expr),+ })?),+ $(,)?) => {
        /// One of each.
        pub(crate) fn every() -> Vec<Refusal> {
            vec![$(Refusal::$name $({ $($field: $value),+ })?),+]
        }

        /// The variant's name.
        pub(crate) fn name(refusal: &Refusal) -> &'static str {
            match refusal {
                $(Refusal::$name $({ $($field: _),+ })? => stringify!($name)),+
            }
        }
    };
}

every_refusal! {
    UnknownKey,
    StaleRequest,
    BadSignature,
    Replayed,
    UnknownToken,
    StaleToken,
    AddressBanned,
    AddressNotAllowed,
    AddressBlocked,
    AreaBlocked,
    AddressUnknown,
    WrongMethod,
    UnknownPath,
    AccountUnusable,
    AppDeleted,
    SandboxOnly,
    TooManyRequests,
    AppPaused,
    AppUnavailable,
    ProductNotOpen,
    RecordingNotOpen,
    BadBody,
    BadField { name: "maxDuration" },
    BadNumber { name: "calleeNbr" },
    BadCaller,
    NumberNotOwned,
    NoNumbers,
    NumberOfAnotherApp,
    BadBoundNumber,
    NumberPaused,
    UnknownClip { name: "lastMinVoice.wav".into() },
    ClipNotApproved { name: "pre_voice1.wav".into() },
    UnknownTemplate,
    TemplateNotApproved,
    NoTemplateValues,
    TemplateValueCount,
    TemplateValue { position: 2 },
    TemplateValueMissing { name: "no".into() },
    TemplateValueCharacters,
    TemplateValueAddress,
    TemplateValueLength,
    TextLength,
    ForbiddenWords,
    UnknownRecording,
    BadReceiver { name: "statusUrl" },
    OwnerSuspended,
    OnHold,
    AbnormalCalls,
    AbnormalDuration,
    AbnormalCompletion,
    CallerBlocked,
    CalleeBlocked,
    CalleeNotListed,
    ForbiddenHours,
    LimitReached { of: Counted::Account, per: Window::Day },
    CallerAbroad,
    AbroadNotOpen,
    UnknownCall,
    AppPortsTaken,
    PlatformPortsTaken,
    PlatformBusy,
    TrunkFailing { status: 503 },
    CoreDown,
    CoreSlow,
    Misfit,
    ClipUnreadable,
    OurFault,
}
