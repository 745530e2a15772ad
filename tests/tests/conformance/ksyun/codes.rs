//! The error codes of the vendor's document, and those of its gateway's general pages.
//!
//! Written down from the documents; the product has a table of its own.

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code {
    /// The HTTP status.
    pub(super) status: u16,
    /// `Code`.
    pub(super) code: &'static str,
    /// `Type`.
    pub(super) kind: &'static str,
}

/// What the gateway says of a request.
const GATEWAY: &str = "Sender";
/// What the voice service says of a request.
const SERVICE: &str = "sender";
/// What is no fault of the request.
const SERVER: &str = "server";

const fn code(status: u16, code: &'static str, kind: &'static str) -> Code {
    Code { status, code, kind }
}

/// The codes of the document, in its order.
pub(super) const CODES: &[Code] = &[
    code(500, "Unknow", SERVER),
    code(500, "AccountVoiceServiceUnavailable", SERVER),
    code(400, "InvalidAccountId", SERVICE),
    code(400, "InvalidMobile", SERVICE),
    code(400, "InvalidTplId", SERVICE),
    code(400, "InvalidTplParams", SERVICE),
    code(400, "InvalidVerifyCode", SERVICE),
    code(400, "TplContainUrl", SERVICE),
    code(400, "InvalidTplLen", SERVICE),
    code(400, "InvalidContentLen", SERVICE),
    code(400, "InvalidPlayTimes", SERVICE),
    code(400, "InvalidExtId", SERVICE),
    code(400, "SendVoiceFailed", SERVICE),
    code(400, "TrialTimesLimit", SERVICE),
    code(400, "EmptyVoiceChannel", SERVICE),
    code(400, "MobileFrequencyLimit", SERVICE),
    code(403, "SignatureNotMatch", GATEWAY),
    code(404, "ServiceUnavailable", GATEWAY),
    code(500, "InnerServiceUnavaliable", SERVER),
    code(404, "NoSuchEntity", GATEWAY),
    code(409, "FlowLimitExceeded", GATEWAY),
    code(400, "MissingParameter", GATEWAY),
    code(400, "InvalidTimestamp", GATEWAY),
    code(400, "InvalidTimestampFormat", GATEWAY),
    code(500, "ServiceTimeout", SERVER),
];

/// The codes of the general pages, and the one that is of no page at all: who is banned is told so.
pub(super) const GENERAL: &[Code] = &[
    code(400, "InvalidParameterValue", GATEWAY),
    code(403, "SignatureDoesNotMatch", GATEWAY),
    code(403, "MissingAuthenticationToken", GATEWAY),
    code(403, "AccessDenied", GATEWAY),
];

/// The line of a code.
pub(super) fn of(code: &str) -> Option<&'static Code> {
    CODES.iter().chain(GENERAL).find(|line| line.code == code)
}

/// The table as it can be copied from the document: its columns are code, meaning, HTTP status and advice, and long
/// codes are broken between two lines.
const DOCUMENT: &str = include_str!("codes.txt");

/// The codes of the document's text with their statuses, in its order.
fn documented() -> Vec<(String, u16)> {
    let mut codes: Vec<(String, Option<u16>)> = Vec::new();
    for word in DOCUMENT.split_whitespace() {
        let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_open = codes.last().is_some_and(|(_, status)| status.is_none());
        match codes.last_mut() {
            Some((code, None)) if is_word && word.starts_with(char::is_lowercase) => code.push_str(word),
            Some((_, status @ None)) if word.len() == 3 && word.parse::<u16>().is_ok() => {
                *status = word.parse().ok();
            }
            _ if is_word && word.starts_with(char::is_uppercase) && !is_open => {
                codes.push((word.to_owned(), None));
            }
            _ => {}
        }
    }
    codes.into_iter().map(|(code, status)| (code, status.expect("a code has a status"))).collect()
}

#[test]
fn the_codes_are_those_of_the_document() {
    let ours: Vec<(String, u16)> = CODES.iter().map(|line| (line.code.to_owned(), line.status)).collect();
    assert_eq!(ours, documented());
}
