//! The result codes of the vendor's tables, as the pages of callback, stop and verification list them.
//!
//! Written down from the documents; the product has a table of its own.

/// A line of a result code table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    /// The HTTP status.
    pub(crate) status: u16,
    /// `resultcode`.
    pub(crate) code: &'static str,
    /// `resultdesc`. A blank before a full stop is left out, as decided.
    pub(crate) text: &'static str,
    /// Which pages list it: `b` callback, `s` stop, `v` verification; none for those of younger pages.
    pub(crate) pages: &'static str,
}

const fn code(status: u16, code: &'static str, pages: &'static str, text: &'static str) -> Code {
    Code { status, code, text, pages }
}

/// All of them.
pub(crate) const CODES: &[Code] = &[
    // The tables print a full stop; the examples, and the clients that compare, know none.
    code(200, "0", "bsv", "Success"),
    code(400, "1023006", "bsv", "Authorization not contained in the HTTP header."),
    code(400, "1023007", "bsv", "realm not contained in Authorization."),
    code(400, "1023008", "bsv", "profile not contained in Authorization."),
    code(400, "1023009", "bsv", "The value of realm in Authorization must be SDP."),
    code(400, "1023010", "bsv", "The value of profile in Authorization must be UsernameToken."),
    code(400, "1023011", "bsv", "The value of type in Authorization must be app_key."),
    code(400, "1023012", "bsv", "type not contained in Authorization."),
    code(400, "1023033", "bsv", "HTTP header not found X-AKSK field."),
    code(400, "1023034", "bsv", "UserName not contained in X-AKSK."),
    code(400, "1023035", "bsv", "Nonce not contained in X-AKSK."),
    code(400, "1023036", "bsv", "Created not contained in X-AKSK."),
    code(400, "1023037", "bsv", "PasswordDigest not contained in X-AKSK."),
    code(400, "1023038", "bsv", "UsernameToken not contained in X-AKSK."),
    code(401, "1010010", "bsv", "Invalid digest."),
    code(401, "1010013", "bsv", "Time out limit."),
    // What exactly is wrong may follow.
    code(403, "1010002", "bsv", "Invalid request."),
    code(403, "1010003", "bsv", "Invalid app_key."),
    code(403, "1010006", "bsv", "Invalid Rest API."),
    code(403, "1010008", "bsv", "The status of the app_key is unavailable."),
    code(403, "1010009", "bsv", "No more APIs can be invoked."),
    code(403, "1010010", "bsv", "The flow control upper limit is reached on the platform."),
    code(403, "1010011", "bsv", "The app is not allowed to access a commercial address."),
    code(403, "1010021", "bv", "Application unavailable."),
    code(403, "1010023", "bv", "Invalid display number."),
    code(403, "1010024", "bv", "Invalid caller number."),
    code(403, "1010040", "bv", "The app_key is not allowed to invoke the API."),
    code(403, "1012001", "bv", "Resource of number is not to be applied."),
    code(403, "1012006", "bv", "The service number is not applied."),
    code(403, "1012012", "bv", "Application does not open recording function."),
    code(403, "1013001", "bv", "Calls exceed the SP limit."),
    code(403, "1013002", "bv", "Calls exceed the APP limit."),
    code(403, "1013003", "bv", "Calls exceed the display number limit."),
    code(403, "1013004", "bv", "Callee in blacklist."),
    code(403, "1013010", "bv", "Caller in blacklist."),
    code(403, "1013011", "bv", "Callee is not on the whitelist."),
    code(403, "1013100", "bv", "Common error code."),
    code(403, "1013101", "bv", "Abnormal call restricted."),
    code(403, "1013111", "bv", "International callin is forbidden."),
    code(403, "1013112", "bv", "International callout is forbidden."),
    code(403, "1013113", "bv", "Abnormal call duration restricted."),
    code(403, "1013115", "bv", "Abnormal call completion rate restricted."),
    code(403, "1013116", "bv", "Caller call frequency restricted."),
    code(403, "1013117", "bv", "Callee call frequency restricted."),
    code(403, "1013118", "bv", "Service number call frequency restricted."),
    code(403, "1013119", "bv", "Service number suspend."),
    code(403, "1013120", "bv", "Ip address is null."),
    code(403, "1013121", "bv", "Call black time forbidden."),
    code(403, "1013122", "bv", "Sub enterprise is suspended."),
    code(403, "1020165", "bv", "The number of app_key voice call ports exceeds the upper limit."),
    code(403, "1020166", "bsv", "The app client ip is not in ip white list."),
    code(403, "1020168", "bv", "The call is rejected because the login IP of the peer app is blacklisted."),
    code(
        403,
        "1020171",
        "bv",
        "The call is rejected because the login IP of the peer app is blacklisted area.",
    ),
    code(403, "1020176", "bsv", "Authentication failed, try again later"),
    code(500, "1010001", "bsv", "Internal system error."),
    code(500, "1020001", "bsv", "Parameter error."),
    code(500, "1020002", "bsv", "Internal error."),
    code(500, "1020150", "bsv", "The app_key is invalid."),
    code(500, "1020151", "bv", "The bindNum is invalid."),
    code(500, "1020152", "s", "Invalid sessionid."),
    code(500, "1020154", "bv", "Insufficient voice ports."),
    code(500, "1023001", "bsv", "Internal error."),
    code(500, "1023002", "bsv", "Response timeout."),
    code(500, "1040001", "b", "south ne error with responseCode: %$ and responseMsg: %$."),
    // Of other pages of the same documentation.
    code(403, "1010004", "", ""),
    code(403, "1010005", "", ""),
    code(403, "1010007", "", ""),
    code(403, "1012002", "", ""),
    code(403, "1012003", "", ""),
    code(403, "1012004", "", ""),
    code(403, "1012005", "", ""),
    code(404, "1010006", "", "Invalid Rest API."),
];

/// Whether a text is what the table has for a code.
pub(crate) fn is_text_of(status: u16, code: &str, text: &str) -> bool {
    let Some(line) = CODES.iter().find(|line| line.status == status && line.code == code) else {
        return false;
    };
    match line.text {
        "" => !text.is_empty(),
        "Invalid request." => text.starts_with("Invalid request."),
        with_places if with_places.contains("%$") => {
            let mut rest = text;
            with_places.split("%$").all(|piece| match rest.find(piece) {
                Some(at) => {
                    rest = &rest[at + piece.len()..];
                    true
                }
                None => false,
            })
        }
        whole => text == whole,
    }
}
