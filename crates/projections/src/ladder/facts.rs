//! What a fact says in a ladder.

use base::answerer::Answerer;
use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::fact::{Fact, KeySource};
use base::id::Leg;
use base::order::ProductKind;
use base::release::{Cause, Party, Release};

use super::Arrow;

/// What stands between the lines for a fact. `answered` says which legs have been.
pub(super) fn arrow(fact: &Fact, answered: [bool; 2]) -> Arrow {
    match fact {
        Fact::Dialled { leg, .. } => Arrow::To(*leg, "INVITE".into()),
        Fact::Ringing { leg, .. } => Arrow::From(*leg, "180".into()),
        Fact::Answered { leg, .. } => Arrow::From(*leg, "200".into()),
        Fact::ClipStarted { leg, .. } => Arrow::To(*leg, "clip".into()),
        Fact::CodeStarted { leg } => Arrow::To(*leg, "code".into()),
        Fact::EarlyMedia { leg } => Arrow::Through(*leg, "early media"),
        Fact::Announced { leg, .. } => Arrow::From(*leg, "announces".into()),
        Fact::Redirected { leg, status } => Arrow::From(*leg, status.to_string()),
        Fact::PickedUp { leg, answerer: Answerer::Beep } => Arrow::From(*leg, "beep".into()),
        Fact::Bridged => Arrow::Both("conversation"),
        Fact::Digit { leg, .. } => Arrow::From(*leg, "key".into()),
        Fact::Collected { leg, .. } => Arrow::From(*leg, "keys".into()),
        Fact::Released { leg, release, .. } => released(*leg, release, answered[leg.index()]),
        Fact::Accepted(_)
        | Fact::Spoken { .. }
        | Fact::RecordingStarted
        | Fact::RecordingEnded { .. }
        | Fact::PickedUp { .. }
        | Fact::StopAsked
        | Fact::Over(_) => Arrow::Plain,
    }
}

fn released(leg: Leg, release: &Release, answered: bool) -> Arrow {
    // These ends are told by nobody: a process died, or nothing ever came back.
    if matches!(release.cause, Cause::Interrupted | Cause::TrunkSilent) {
        return Arrow::Plain;
    }
    let by_the_party = release.by == Party::of(leg);
    match release.status {
        _ if answered && by_the_party => Arrow::From(leg, "BYE".into()),
        _ if answered => Arrow::To(leg, "BYE".into()),
        _ if we_gave_it_up(release.cause) => Arrow::To(leg, "CANCEL".into()),
        Some(status) => Arrow::From(leg, status.to_string()),
        None => Arrow::Plain,
    }
}

const fn we_gave_it_up(cause: Cause) -> bool {
    matches!(cause, Cause::RingTimeout | Cause::OtherPartyGone | Cause::Stopped | Cause::TimeOver)
}

/// What a fact is told as.
pub(super) fn words(fact: &Fact, call: Option<&Call>) -> String {
    match fact {
        Fact::Accepted(call) => format!("accepted: {}", product_words(call.product.kind())),
        Fact::Dialled { leg, trunk, after } => {
            let numbers = call.and_then(|call| call.numbers(*leg));
            let number = numbers.map_or_else(String::new, |of| format!(": {}", of.dialled.masked()));
            format!("{leg} dialled{}{number}", way_words(trunk.as_deref(), *after))
        }
        Fact::Ringing { leg, .. } => format!("{leg} rings"),
        Fact::Answered { leg, .. } => format!("{leg} answered"),
        Fact::ClipStarted { leg, clip } => format!("{leg} hears {}", clip_words(*clip)),
        Fact::CodeStarted { leg } => format!("{leg} hears the code"),
        Fact::EarlyMedia { leg } => format!("{leg} hears what {}'s network sends", leg.other()),
        Fact::Announced { leg, cause } => format!("{leg}'s network announces: {}", cause_words(*cause)),
        Fact::Redirected { leg, status } => format!("{leg} is looked for elsewhere, after {status}"),
        Fact::PickedUp { leg, answerer } => format!("{leg} is {}", answerer_words(*answerer)),
        Fact::Bridged => "A and B hear each other".into(),
        Fact::Digit { leg, source, .. } => format!("{leg} pressed a key{}", source_words(*source)),
        Fact::Collected { leg, .. } if is_menu(call) => format!("{leg} chose where to go"),
        Fact::Collected { leg, digits } => match digits.expose().len() {
            1 => format!("{leg} has answered with 1 key"),
            keys => format!("{leg} has answered with {keys} keys"),
        },
        Fact::Spoken { took } => format!("words spoken in {:.3} s", took.as_secs_f64()),
        Fact::RecordingStarted => "recording".into(),
        Fact::RecordingEnded { length } => format!("recorded {:.3} s", length.as_secs_f64()),
        Fact::StopAsked => "the customer asked to stop".into(),
        Fact::Released { leg, release, .. } => {
            let q850 = release.q850.map_or_else(String::new, |q850| format!(" (Q.850 {q850})"));
            format!("{leg} gone: {}{}{q850}", cause_words(release.cause), by_words(release.by))
        }
        Fact::Over(ending) => format!("over: {}{}", cause_words(ending.cause), by_words(ending.by)),
    }
}

/// Which trunk was taken, where it is not the only one that was tried.
fn way_words(trunk: Option<&str>, after: Option<u16>) -> String {
    match (trunk, after) {
        (Some(trunk), Some(status)) => format!(" again by {trunk}, after {status}"),
        (None, Some(status)) => format!(" again, after {status}"),
        (_, None) => String::new(),
    }
}

fn is_menu(call: Option<&Call>) -> bool {
    call.is_some_and(|call| call.product.kind() == ProductKind::Menu)
}

const fn source_words(source: KeySource) -> &'static str {
    match source {
        KeySource::Event => "",
        KeySource::Info => ", told by INFO",
        KeySource::Tone => ", heard as a tone",
    }
}

const fn answerer_words(answerer: Answerer) -> &'static str {
    match answerer {
        Answerer::Person => "a person",
        Answerer::Machine => "a machine",
        Answerer::Beep => "a machine that wants its message",
        Answerer::Unsure => "a person or a machine",
    }
}

const fn product_words(product: ProductKind) -> &'static str {
    match product {
        ProductKind::Callback => "callback",
        ProductKind::Code => "verification code",
        ProductKind::Notice => "notice",
        ProductKind::Menu => "menu",
    }
}

const fn clip_words(clip: ClipKey) -> &'static str {
    match clip {
        ClipKey::System(SystemClip::Digit(_)) => "a digit",
        ClipKey::System(SystemClip::Transferring) => "that it is being transferred",
        ClipKey::System(SystemClip::LastMinute) => "that one minute is left",
        ClipKey::System(SystemClip::RingBack) => "the ring-back tone",
        ClipKey::System(SystemClip::HintTone) => "the recording tone",
        ClipKey::System(SystemClip::Pause) => "a pause",
        ClipKey::System(SystemClip::BeforeCode(_)) => "that a code comes",
        ClipKey::System(SystemClip::AfterCode(_)) => "what to do with the code",
        ClipKey::Uploaded(_) => "a voice file",
        ClipKey::Spoken(_) => "spoken words",
    }
}

const fn by_words(by: Party) -> &'static str {
    match by {
        Party::Caller => ", by A",
        Party::Callee => ", by B",
        Party::Platform => ", by us",
        Party::Customer => ", by the customer",
    }
}

const fn cause_words(cause: Cause) -> &'static str {
    match cause {
        Cause::Normal => "hung up",
        Cause::Busy => "busy",
        Cause::NoAnswer => "no answer",
        Cause::RingTimeout => "rang too long",
        Cause::Rejected => "rejected",
        Cause::NoSuchNumber => "no such number",
        Cause::Unreachable => "unreachable",
        Cause::PoweredOff => "switched off",
        Cause::Announcement => "announcement of a failure",
        Cause::TrunkFault => "trunk failed",
        Cause::TrunkSilent => "trunk silent",
        Cause::OtherPartyGone => "other party gone",
        Cause::Stopped => "stopped",
        Cause::TimeOver => "time over",
        Cause::ClipFault => "clip cannot be played",
        Cause::ClipMissing => "clip is missing",
        Cause::SpeechFault => "words cannot be spoken",
        Cause::ForbiddenWords => "words may not be said",
        Cause::CalleeBlocked => "callee may not be called",
        Cause::NoDigits => "no key pressed",
        Cause::Machine => "a machine picked up",
        Cause::RecordingFault => "recording cannot begin",
        Cause::Interrupted => "interrupted",
        Cause::OurFault => "fault of our own",
    }
}
