//! What the vendor answers: HTTP status, `resultcode` and `resultdesc`.
//!
//! The texts are those of the vendor's result code tables, to the letter but for blanks before a full stop. Each API
//! has its own table; those that place calls share most of it, and that of `callStop` is much shorter.

use std::borrow::Cow;

use base::quota::Counted;
use base::refusal::Refusal;

use super::causes::reasons;
use super::routes::Route;

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) text: Cow<'static, str>,
}

const fn answer(status: u16, code: &'static str, text: &'static str) -> Answer {
    Answer { status, code, text: Cow::Borrowed(text) }
}

// Faults of the two authentication headers. They never leave the dialect.
pub(super) const NO_AUTHORIZATION: Answer =
    answer(400, "1023006", "Authorization not contained in the HTTP header.");
pub(super) const NO_REALM: Answer = answer(400, "1023007", "realm not contained in Authorization.");
pub(super) const NO_PROFILE: Answer = answer(400, "1023008", "profile not contained in Authorization.");
pub(super) const WRONG_REALM: Answer =
    answer(400, "1023009", "The value of realm in Authorization must be SDP.");
pub(super) const WRONG_PROFILE: Answer =
    answer(400, "1023010", "The value of profile in Authorization must be UsernameToken.");
// The document's English column says app_key here, although the value is Appkey.
pub(super) const WRONG_TYPE: Answer =
    answer(400, "1023011", "The value of type in Authorization must be app_key.");
pub(super) const NO_TYPE: Answer = answer(400, "1023012", "type not contained in Authorization.");
pub(super) const NO_X_AKSK: Answer = answer(400, "1023033", "HTTP header not found X-AKSK field.");
pub(super) const NO_USERNAME: Answer = answer(400, "1023034", "UserName not contained in X-AKSK.");
pub(super) const NO_NONCE: Answer = answer(400, "1023035", "Nonce not contained in X-AKSK.");
pub(super) const NO_CREATED: Answer = answer(400, "1023036", "Created not contained in X-AKSK.");
pub(super) const NO_PASSWORD_DIGEST: Answer =
    answer(400, "1023037", "PasswordDigest not contained in X-AKSK.");
pub(super) const NO_USERNAME_TOKEN: Answer = answer(400, "1023038", "UsernameToken not contained in X-AKSK.");

/// This vendor's answer to each refusal of a request to that route; `None` where there is no such route.
pub(super) fn of(refusal: &Refusal, route: Option<Route>) -> Answer {
    let answer = match refusal {
        Refusal::TrunkFailing { status } if route == Some(Route::Click2Call) => trunk(*status),
        refusal => of_every_route(refusal),
    };
    if route == Some(Route::CallStop) { of_call_stop(answer) } else { answer }
}

fn of_every_route(refusal: &Refusal) -> Answer {
    match refusal {
        Refusal::UnknownKey => answer(403, "1010003", "Invalid app_key."),
        Refusal::StaleRequest => answer(401, "1010013", "Time out limit."),
        Refusal::BadSignature | Refusal::Replayed => answer(401, "1010010", "Invalid digest."),
        // No document that is left says how these two read.
        Refusal::UnknownToken => answer(403, "1010004", "Invalid access_token."),
        Refusal::StaleToken => answer(403, "1010005", "The access_token has expired."),
        // The one text without a full stop.
        Refusal::AddressBanned => answer(403, "1020176", "Authentication failed, try again later"),
        Refusal::AddressNotAllowed => answer(403, "1020166", "The app client ip is not in ip white list."),
        Refusal::AddressBlocked => answer(
            403,
            "1020168",
            "The call is rejected because the login IP of the peer app is blacklisted.",
        ),
        Refusal::AreaBlocked => answer(
            403,
            "1020171",
            "The call is rejected because the login IP of the peer app is blacklisted area.",
        ),
        Refusal::AddressUnknown => answer(403, "1013120", "Ip address is null."),
        Refusal::WrongMethod => answer(403, "1010006", "Invalid Rest API."),
        // The documents promise a plain 404; the body is ours.
        Refusal::UnknownPath => answer(404, "1010006", "Invalid Rest API."),

        Refusal::AccountUnusable => answer(403, "1010007", "The ativeState of User is not ACTIVATING."),
        Refusal::AppDeleted => answer(500, "1020150", "The app_key is invalid."),
        Refusal::SandboxOnly => {
            answer(403, "1010011", "The app is not allowed to access a commercial address.")
        }
        Refusal::TooManyRequests => answer(403, "1010009", "No more APIs can be invoked."),
        Refusal::AppPaused => answer(403, "1010008", "The status of the app_key is unavailable."),
        Refusal::AppUnavailable => answer(403, "1010021", "Application unavailable."),
        Refusal::ProductNotOpen => answer(403, "1010040", "The app_key is not allowed to invoke the API."),
        Refusal::RecordingNotOpen => answer(403, "1012012", "Application does not open recording function."),

        Refusal::BadBody => answer(403, "1010002", "Invalid request."),
        Refusal::BadField { name } | Refusal::BadReceiver { name } => {
            invalid(format_args!("{name} is missing or invalid."))
        }
        Refusal::NoTemplateValues => invalid(format_args!("templateParas is missing or invalid.")),
        Refusal::BadNumber { name: _ } => invalid(format_args!("The number format is incorrect.")),
        Refusal::UnknownClip { name } => invalid(format_args!("{name} does not exist")),
        Refusal::ClipNotApproved { name } => invalid(format_args!("{name} is not approved")),
        Refusal::UnknownRecording => invalid(format_args!("The record does not exist.")),
        Refusal::TemplateNotApproved => answer(403, "1012002", "The template ID is not approved."),
        // Two codes, one text: so it stands in the document.
        Refusal::UnknownTemplate => answer(403, "1012003", "The template ID does not exist."),
        Refusal::TemplateValueCount => answer(403, "1012004", "The template ID does not exist."),
        Refusal::TemplateValue { position } => misfit(*position),
        // Templates of this vendor have no named places.
        Refusal::TemplateValueMissing { .. }
        | Refusal::TemplateValueCharacters
        | Refusal::TemplateValueAddress
        | Refusal::TemplateValueLength
        | Refusal::TextLength => invalid(format_args!("templateParas is missing or invalid.")),
        // No document has a code for it.
        Refusal::ForbiddenWords => invalid(format_args!("templateParas contains sensitive words.")),
        Refusal::BadCaller => answer(403, "1010024", "Invalid caller number."),
        Refusal::NumberNotOwned => answer(403, "1010023", "Invalid display number."),
        Refusal::NoNumbers => answer(403, "1012006", "The service number is not applied."),
        Refusal::NumberOfAnotherApp => answer(403, "1012001", "Resource of number is not to be applied."),
        Refusal::BadBoundNumber => answer(500, "1020151", "The bindNum is invalid."),
        Refusal::NumberPaused => answer(403, "1013119", "Service number suspend."),
        Refusal::OwnerSuspended => answer(403, "1013122", "Sub enterprise is suspended."),

        Refusal::OnHold => answer(403, "1013100", "Common error code."),
        Refusal::AbnormalCalls => answer(403, "1013101", "Abnormal call restricted."),
        Refusal::AbnormalDuration => answer(403, "1013113", "Abnormal call duration restricted."),
        Refusal::AbnormalCompletion => answer(403, "1013115", "Abnormal call completion rate restricted."),
        Refusal::CallerBlocked => answer(403, "1013010", "Caller in blacklist."),
        Refusal::CalleeBlocked => answer(403, "1013004", "Callee in blacklist."),
        Refusal::CalleeNotListed => answer(403, "1013011", "Callee is not on the whitelist."),
        Refusal::ForbiddenHours => answer(403, "1013121", "Call black time forbidden."),
        Refusal::LimitReached { of, per: _ } => limit(*of),
        Refusal::CallerAbroad => answer(403, "1013111", "International callin is forbidden."),
        Refusal::AbroadNotOpen => answer(403, "1013112", "International callout is forbidden."),
        Refusal::UnknownCall => answer(500, "1020152", "Invalid sessionid."),

        Refusal::AppPortsTaken => {
            answer(403, "1020165", "The number of app_key voice call ports exceeds the upper limit.")
        }
        Refusal::PlatformPortsTaken => answer(500, "1020154", "Insufficient voice ports."),
        Refusal::PlatformBusy => {
            answer(403, "1010010", "The flow control upper limit is reached on the platform.")
        }
        Refusal::Misfit => answer(500, "1020001", "Parameter error."),
        Refusal::TrunkFailing { .. } | Refusal::ClipUnreadable => INTERNAL,
        Refusal::CoreDown => answer(500, "1023001", "Internal error."),
        Refusal::CoreSlow => answer(500, "1023002", "Response timeout."),
        Refusal::OurFault => answer(500, "1010001", "Internal system error."),
    }
}

const INTERNAL: Answer = answer(500, "1020002", "Internal error.");

const fn limit(of: Counted) -> Answer {
    match of {
        Counted::Account => answer(403, "1013001", "Calls exceed the SP limit."),
        Counted::App => answer(403, "1013002", "Calls exceed the APP limit."),
        Counted::ShownNumber => answer(403, "1013003", "Calls exceed the display number limit."),
        Counted::Caller => answer(403, "1013116", "Caller call frequency restricted."),
        Counted::Callee => answer(403, "1013117", "Callee call frequency restricted."),
        Counted::ServiceNumber => answer(403, "1013118", "Service number call frequency restricted."),
        Counted::Pair => answer(403, "1013101", "Abnormal call restricted."),
    }
}

/// `callback` only: the document's text has two places, for the status and for its words.
fn trunk(status: u16) -> Answer {
    let words = reasons::of(status);
    let text = format!("south ne error with responseCode: {status} and responseMsg: {words}.");
    Answer { status: 500, code: "1040001", text: Cow::Owned(text) }
}

/// The document's text begins with a place; how it ends was not to be found.
fn misfit(position: usize) -> Answer {
    let text = format!("{position} of templateParas does not match the template.");
    Answer { status: 403, code: "1012005", text: Cow::Owned(text) }
}

/// The answer as far as the document of `callStop` has it, and the nearest one that it has otherwise: addresses are
/// not on the list, apps and enterprises are unavailable, and the rest is an internal error.
fn of_call_stop(whole: Answer) -> Answer {
    match whole.code {
        "1010001" | "1010002" | "1010003" | "1010004" | "1010005" | "1010006" | "1010008" | "1010009"
        | "1010010" | "1010011" | "1010013" | "1020001" | "1020002" | "1020150" | "1020152" | "1020166"
        | "1020176" | "1023001" | "1023002" => whole,
        "1013120" | "1020168" | "1020171" => of_every_route(&Refusal::AddressNotAllowed),
        _ if whole.status == 403 => of_every_route(&Refusal::AppPaused),
        _ => INTERNAL,
    }
}

/// `Invalid request.` directly followed by the detail, as the vendor's platform writes it.
fn invalid(detail: std::fmt::Arguments<'_>) -> Answer {
    /// The documented length of `resultdesc`.
    const TEXT_MAX: usize = 128;

    let whole = format!("Invalid request.{detail}");
    Answer { status: 403, code: "1010002", text: Cow::Owned(whole.chars().take(TEXT_MAX).collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_follows_without_a_blank() {
        let text = |refusal| of(&refusal, None).text;
        assert_eq!(
            text(Refusal::UnknownClip { name: "lastMinVoice.wav".into() }),
            "Invalid request.lastMinVoice.wav does not exist"
        );
        assert_eq!(
            text(Refusal::BadNumber { name: "calleeNbr" }),
            "Invalid request.The number format is incorrect."
        );
    }

    #[test]
    fn a_callback_is_told_what_the_trunk_said() {
        let told = |status, route| of(&Refusal::TrunkFailing { status }, Some(route));
        let whole = "south ne error with responseCode: 503 and responseMsg: Service Unavailable.";
        assert_eq!(told(503, Route::Click2Call).text, whole);
        assert_eq!(told(503, Route::Click2Call).code, "1040001");
        assert_eq!(told(503, Route::CallVerify), INTERNAL);
        assert_eq!(told(503, Route::CallNotify), INTERNAL);
    }

    #[test]
    fn who_stops_a_call_hears_the_nearest_of_fewer_answers() {
        for (refusal, code) in [
            (Refusal::UnknownCall, "1020152"),
            (Refusal::AppUnavailable, "1010008"),
            (Refusal::AccountUnusable, "1010008"),
            (Refusal::AddressNotAllowed, "1020166"),
            (Refusal::AreaBlocked, "1020166"),
            (Refusal::AddressUnknown, "1020166"),
            (Refusal::PlatformPortsTaken, "1020002"),
            (Refusal::AppDeleted, "1020150"),
        ] {
            assert_eq!(of(&refusal, Some(Route::CallStop)).code, code, "{refusal}");
        }
        assert_eq!(of(&Refusal::AppUnavailable, Some(Route::Record)).code, "1010021");
    }

    #[test]
    fn no_text_is_longer_than_documented() {
        let refusal = Refusal::UnknownClip { name: "声".repeat(128).into() };
        assert_eq!(of(&refusal, None).text.chars().count(), 128);
    }
}
