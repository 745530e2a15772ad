//! Every refusal by its name.

use base::refusal::Refusal;

/// One of each variant, and a function that does not compile when one is missing.
macro_rules! every_refusal {
    ($($name:ident $({ $field:ident: $value:expr })?),+ $(,)?) => {
        /// One of each.
        pub(crate) fn every() -> Vec<Refusal> {
            vec![$(Refusal::$name $({ $field: $value })?),+]
        }

        /// The variant's name.
        pub(crate) fn name(refusal: &Refusal) -> &'static str {
            match refusal {
                $(Refusal::$name $({ $field: _ })? => stringify!($name)),+
            }
        }
    };
}

every_refusal! {
    UnknownKey,
    StaleRequest,
    BadSignature,
    WrongMethod,
    UnknownPath,
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
    BadReceiver { name: "statusUrl" },
    AbroadNotOpen,
    UnknownCall,
    AppPortsTaken,
    PlatformPortsTaken,
    PlatformBusy,
    OurFault,
}

/// The refusal of that name.
pub(crate) fn named(text: &str) -> Refusal {
    let found = every().into_iter().find(|refusal| name(refusal) == text);
    found.unwrap_or_else(|| panic!("no refusal is called {text}"))
}
