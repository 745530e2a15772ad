//! The answers that Ksyun's document has: HTTP status and code, as its table prints them.

/// The table of the voice document.
const VOICE: &[(u64, &str)] = &[
    (500, "Unknow"),
    (500, "AccountVoiceServiceUnavailable"),
    (400, "InvalidAccountId"),
    (400, "InvalidMobile"),
    (400, "InvalidTplId"),
    (400, "InvalidTplParams"),
    (400, "InvalidVerifyCode"),
    (400, "TplContainUrl"),
    (400, "InvalidTplLen"),
    (400, "InvalidContentLen"),
    (400, "InvalidPlayTimes"),
    (400, "InvalidExtId"),
    (400, "SendVoiceFailed"),
    (400, "TrialTimesLimit"),
    (400, "EmptyVoiceChannel"),
    (400, "MobileFrequencyLimit"),
    (403, "SignatureNotMatch"),
    (404, "ServiceUnavailable"),
    (500, "InnerServiceUnavaliable"),
    (404, "NoSuchEntity"),
    (409, "FlowLimitExceeded"),
    (400, "MissingParameter"),
    (400, "InvalidTimestamp"),
    (400, "InvalidTimestampFormat"),
    (500, "ServiceTimeout"),
];

/// What the general pages have besides; the second and third only where one vocabulary is not all that is spoken.
const GENERAL: &[(u64, &str)] =
    &[(400, "InvalidParameterValue"), (403, "SignatureDoesNotMatch"), (403, "MissingAuthenticationToken")];

/// What no document has.
const OURS: &[(u64, &str)] = &[(403, "AccessDenied")];

/// Every answer that a request may get.
pub(crate) fn answers() -> Vec<(u64, &'static str)> {
    [VOICE, GENERAL, OURS].concat()
}
