//! What the vendor answers: HTTP status, `resultcode` and `resultdesc`.
//!
//! The texts are those of the vendor's result code tables, to the letter.

use std::borrow::Cow;

use base::refusal::Refusal;

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

/// This vendor's answer to each refusal.
pub(super) fn of(refusal: &Refusal) -> Answer {
    match refusal {
        Refusal::UnknownKey => answer(403, "1010003", "Invalid app_key."),
        Refusal::StaleRequest => answer(401, "1010013", "Time out limit."),
        Refusal::BadSignature => answer(401, "1010010", "Invalid digest."),
        Refusal::WrongMethod => answer(403, "1010006", "Invalid Rest API."),
        // The documents promise a plain 404; the body is ours.
        Refusal::UnknownPath => answer(404, "1010006", "Invalid Rest API."),

        Refusal::AppPaused => answer(403, "1010008", "The status of the app_key is unavailable."),
        Refusal::AppUnavailable => answer(403, "1010021", "Application unavailable."),
        Refusal::ProductNotOpen => answer(403, "1010040", "The app_key is not allowed to invoke the API."),
        Refusal::RecordingNotOpen => answer(403, "1012012", "Application does not open recording function."),

        Refusal::BadBody => answer(403, "1010002", "Invalid request."),
        Refusal::BadField { name } | Refusal::BadReceiver { name } => {
            invalid(format_args!("{name} is missing or invalid."))
        }
        Refusal::BadNumber { name: _ } => invalid(format_args!("The number format is incorrect.")),
        Refusal::UnknownClip { name } => invalid(format_args!("{name} does not exist")),
        Refusal::ClipNotApproved { name } => invalid(format_args!("{name} is not approved")),
        Refusal::BadCaller => answer(403, "1010024", "Invalid caller number."),
        Refusal::NumberNotOwned => answer(403, "1010023", "Invalid display number."),
        Refusal::NoNumbers => answer(403, "1012006", "The service number is not applied."),
        Refusal::NumberOfAnotherApp => answer(403, "1012001", "Resource of number is not to be applied."),
        Refusal::BadBoundNumber => answer(500, "1020151", "The bindNum is invalid."),
        Refusal::NumberPaused => answer(403, "1013119", "Service number suspend."),
        Refusal::AbroadNotOpen => answer(403, "1013112", "International callout is forbidden."),
        Refusal::UnknownCall => answer(500, "1020152", "Invalid sessionid."),

        Refusal::AppPortsTaken => {
            answer(403, "1020165", "The number of app_key voice call ports exceeds the upper limit.")
        }
        Refusal::PlatformPortsTaken => answer(500, "1020154", "Insufficient voice ports."),
        Refusal::PlatformBusy => {
            answer(403, "1010010", "The flow control upper limit is reached on the platform.")
        }
        Refusal::OurFault => answer(500, "1010001", "Internal system error."),
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
        let text = |refusal| of(&refusal).text;
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
    fn no_text_is_longer_than_documented() {
        let refusal = Refusal::UnknownClip { name: "声".repeat(128).into() };
        assert_eq!(of(&refusal).text.chars().count(), 128);
    }
}
