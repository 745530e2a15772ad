//! Why we will not do what was asked.

use crate::quota::{Counted, Window};

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
    /// The same request came before.
    #[error("the request was made before")]
    Replayed,
    /// The token is not known: it was never given, or a newer one took its place.
    #[error("the token is not known")]
    UnknownToken,
    /// The token has expired.
    #[error("the token has expired")]
    StaleToken,
    /// Too many requests from the address failed to prove who they are.
    #[error("the address is banned for too many failed proofs")]
    AddressBanned,
    /// The app takes requests from other addresses only.
    #[error("the address is not one of the app's")]
    AddressNotAllowed,
    /// The operator blocked the address.
    #[error("the address is blocked")]
    AddressBlocked,
    /// The operator blocked the area that the address belongs to.
    #[error("the area of the address is blocked")]
    AreaBlocked,
    /// The app's requests must come from a known IPv4 address.
    #[error("the request does not come from a known IPv4 address")]
    AddressUnknown,
    /// The path is known, the HTTP method is another one.
    #[error("the path exists but not with this HTTP method")]
    WrongMethod,
    /// No such path.
    #[error("there is no such path")]
    UnknownPath,

    // May they.
    /// The enterprise is in arrears or suspended.
    #[error("the enterprise is in arrears or suspended")]
    AccountUnusable,
    /// The app was deleted.
    #[error("the app was deleted")]
    AppDeleted,
    /// The app may use the sandbox only.
    #[error("the app may use the sandbox only")]
    SandboxOnly,
    /// The app has made its requests of this minute.
    #[error("the app has made all requests that it may make in this minute")]
    TooManyRequests,
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
    #[error("there is no voice file of that name")]
    UnknownClip {
        /// The name that was asked for.
        name: Box<str>,
    },
    /// The voice file was not approved.
    #[error("the voice file is not approved")]
    ClipNotApproved {
        /// The name that was asked for.
        name: Box<str>,
    },
    /// There is no template of that id.
    #[error("there is no such template")]
    UnknownTemplate,
    /// The template was not approved.
    #[error("the template is not approved")]
    TemplateNotApproved,
    /// The template has places and the order no values.
    #[error("the template has places, and no values came with the order")]
    NoTemplateValues,
    /// There are more or fewer values than the template has places.
    #[error("the number of values is not the number of the template's places")]
    TemplateValueCount,
    /// A value does not fit its place.
    #[error("value {position} does not fit its place in the template")]
    TemplateValue {
        /// Which, from 1.
        position: usize,
    },
    /// There is no value for a place.
    #[error("there is no value for {name}")]
    TemplateValueMissing {
        /// The name of the place.
        name: Box<str>,
    },
    /// A value holds characters that cannot be said.
    #[error("a value holds characters that cannot be said")]
    TemplateValueCharacters,
    /// A value holds an address of the web.
    #[error("a value holds an address of the web")]
    TemplateValueAddress,
    /// A value is too long.
    #[error("a value is too long")]
    TemplateValueLength,
    /// The text with its values is too long.
    #[error("the text with its values is too long")]
    TextLength,
    /// A word that must not be spoken stands in what is to be said.
    #[error("a forbidden word stands in what is to be said")]
    ForbiddenWords,
    /// There is no recording of that name that the app may have.
    #[error("there is no such recording")]
    UnknownRecording,
    /// A receiver's address is malformed or must not be connected to.
    #[error("{name} is not an address that a push may go to")]
    BadReceiver {
        /// The field, as the wire names it.
        name: &'static str,
    },
    /// The sub-enterprise of the number to be shown is suspended.
    #[error("the sub-enterprise of the number to be shown is suspended")]
    OwnerSuspended,
    /// The operator's security holds the app's calls back and does not say why.
    #[error("the operator's security holds the app's calls back")]
    OnHold,
    /// The app's calls, or calls between these two, are not what calls should be.
    #[error("abnormal calls: held back by the operator, or too many between these two parties")]
    AbnormalCalls,
    /// Too many of the app's calls are short.
    #[error("too many of the app's calls in the last hour were short")]
    AbnormalDuration,
    /// Too few of the app's calls are answered.
    #[error("too few of the app's calls in the last hour were answered")]
    AbnormalCompletion,
    /// The first party may not be called.
    #[error("the caller is blocked")]
    CallerBlocked,
    /// The party may not be called.
    #[error("the callee is blocked")]
    CalleeBlocked,
    /// The party is not on the list of those who may be called.
    #[error("the callee is not on the list of those who may be called")]
    CalleeNotListed,
    /// Nobody may be called at this time of day.
    #[error("nobody may be called at this time of day")]
    ForbiddenHours,
    /// A limit of calls is reached.
    #[error("no more calls in this {per:?}, counted by {of:?}")]
    LimitReached {
        /// What is counted.
        of: Counted,
        /// The window.
        per: Window,
    },
    /// The first party is abroad and the app may not call there.
    #[error("callers abroad are not opened")]
    CallerAbroad,
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
    /// The trunk fails every call.
    #[error("the trunk fails: {status}")]
    TrunkFailing {
        /// The SIP status it fails with.
        status: u16,
    },
    /// The journal takes nothing any more.
    #[error("the journal is closed")]
    CoreDown,
    /// The journal took too long. The call will not be placed.
    #[error("the journal took too long")]
    CoreSlow,
    /// The journal refused what the rules let pass.
    #[error("the call does not fit into the journal")]
    Misfit,
    /// A clip that should be there cannot be read; the log has the cause.
    #[error("a clip cannot be read")]
    ClipUnreadable,
    /// A fault inside our own walls; the log has the cause.
    #[error("a fault of our own")]
    OurFault,
}
