//! Why we will not do what was asked.

/// Part of the contract: closed, and every dialect has an answer for each variant in one match without `_`.
///
/// The text is for operators and logs; what customers read is the dialect's business.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    // Who is asking.
    /// No such key.
    #[error("the key is not known")]
    UnknownKey,
    /// The request was made too long ago, or in the future.
    #[error("the request's time is outside the accepted window")]
    StaleRequest,
    /// The signature does not match the key's secret.
    #[error("the signature does not match")]
    BadSignature,
    /// The path is known, the HTTP method is another one.
    #[error("the path exists but not with this HTTP method")]
    WrongMethod,
    /// No such path.
    #[error("there is no such path")]
    UnknownPath,

    // May they.
    /// The app is paused.
    #[error("the app is paused")]
    AppPaused,
    /// The app is frozen, or was never approved.
    #[error("the app is not usable: it is frozen or not approved")]
    AppUnavailable,
    /// The app was not opened for this kind of call.
    #[error("the app is not opened for this kind of call")]
    ProductNotOpen,
    /// The app has no recording.
    #[error("recording is not opened for the app")]
    RecordingNotOpen,

    // What they ask.
    /// The body is not what the route takes.
    #[error("the body cannot be read")]
    BadBody,
    /// A field is missing, or its value is out of its range.
    #[error("{name} is missing or out of its range")]
    BadField {
        /// The field, as the wire names it.
        name: &'static str,
    },
    /// A number that is to be dialled is not in international form.
    #[error("{name} is not a number in international form")]
    BadNumber {
        /// The field, as the wire names it.
        name: &'static str,
    },
    /// The first party's number is not in international form.
    #[error("the caller's number is not in international form")]
    BadCaller,
    /// The number that shall be shown is malformed or not one of the app's.
    #[error("the number to be shown is not one of the app's")]
    NumberNotOwned,
    /// The app has no number at all.
    #[error("the app has no number")]
    NoNumbers,
    /// The number that the call is to be bound to belongs to another app.
    #[error("the bound number belongs to another app")]
    NumberOfAnotherApp,
    /// The number that the call is to be bound to is malformed.
    #[error("the bound number is malformed")]
    BadBoundNumber,
    /// The number is paused and the app has no other.
    #[error("the number to be shown is paused and the app has no other")]
    NumberPaused,
    /// There is no voice file of that name.
    #[error("there is no voice file {name}")]
    UnknownClip {
        /// The name that was asked for.
        name: Box<str>,
    },
    /// The voice file was not approved.
    #[error("the voice file {name} is not approved")]
    ClipNotApproved {
        /// The name that was asked for.
        name: Box<str>,
    },
    /// A receiver's address is malformed or must not be connected to.
    #[error("{name} is not an address that a push may go to")]
    BadReceiver {
        /// The field, as the wire names it.
        name: &'static str,
    },
    /// The number is abroad and the app may not call there.
    #[error("calls abroad are not opened")]
    AbroadNotOpen,
    /// No running call of this app has that id.
    #[error("no running call of this app has that id")]
    UnknownCall,

    // Can we.
    /// All ports of the app are taken.
    #[error("all ports of the app are taken")]
    AppPortsTaken,
    /// All ports of the platform are taken.
    #[error("all ports of the platform are taken")]
    PlatformPortsTaken,
    /// The platform has more to do than it can.
    #[error("the platform is busy")]
    PlatformBusy,
    /// A fault inside our own walls; the log has the cause.
    #[error("a fault of our own")]
    OurFault,
}
