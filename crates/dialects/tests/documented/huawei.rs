//! The answers that the vendor's documents have for each API: HTTP status and result code.

use base::refusal::Refusal;
use huihu_dialects::huawei;

/// Faults of the two headers of a signature, which every API has.
const HEADERS: &[(u16, &str)] = &[
    (400, "1023006"),
    (400, "1023007"),
    (400, "1023008"),
    (400, "1023009"),
    (400, "1023010"),
    (400, "1023011"),
    (400, "1023012"),
    (400, "1023033"),
    (400, "1023034"),
    (400, "1023035"),
    (400, "1023036"),
    (400, "1023037"),
    (400, "1023038"),
];

/// The table of `callStop`, whose codes all other APIs have too, but the one for its session.
const CALL_STOP: &[(u16, &str)] = &[
    (200, "0"),
    (401, "1010010"),
    (401, "1010013"),
    (403, "1010002"),
    (403, "1010003"),
    (403, "1010006"),
    (403, "1010008"),
    (403, "1010009"),
    (403, "1010010"),
    (403, "1010011"),
    (403, "1020166"),
    (403, "1020176"),
    (500, "1010001"),
    (500, "1020001"),
    (500, "1020002"),
    (500, "1020150"),
    (500, "1023001"),
    (500, "1023002"),
];

/// What the tables of the APIs that place calls have besides. The general list of the developers' guide, which speaks
/// for the API of recordings, has them too.
const PLACING: &[(u16, &str)] = &[
    (403, "1010021"),
    (403, "1010023"),
    (403, "1010024"),
    (403, "1010040"),
    (403, "1012001"),
    (403, "1012006"),
    (403, "1012012"),
    (403, "1013001"),
    (403, "1013002"),
    (403, "1013003"),
    (403, "1013004"),
    (403, "1013010"),
    (403, "1013011"),
    (403, "1013100"),
    (403, "1013101"),
    (403, "1013111"),
    (403, "1013112"),
    (403, "1013113"),
    (403, "1013115"),
    (403, "1013116"),
    (403, "1013117"),
    (403, "1013118"),
    (403, "1013119"),
    (403, "1013120"),
    (403, "1013121"),
    (403, "1013122"),
    (403, "1020165"),
    (403, "1020168"),
    (403, "1020171"),
    (500, "1020151"),
    (500, "1020154"),
    // Of the general list only.
    (403, "1010007"),
];

/// Of `callnotify` alone.
const TEMPLATES: &[(u16, &str)] = &[(403, "1012002"), (403, "1012003"), (403, "1012004"), (403, "1012005")];

/// Where a token stands in place of a signature.
const TOKENS: &[(u16, &str)] = &[(403, "1010004"), (403, "1010005")];

/// Every answer that a path may give.
pub(crate) fn answers(path: &str) -> Vec<(u16, &'static str)> {
    const NO_SUCH_PATH: &[(u16, &str)] = &[(404, "1010006")];

    let exists = huawei::routes().any(|(_, own)| own == path);
    let lists: &[&[(u16, &str)]] = match api(path) {
        _ if !exists => &[NO_SUCH_PATH],
        "callStop" => &[HEADERS, CALL_STOP, TOKENS, &[(500, "1020152")]],
        "click2Call" => &[HEADERS, CALL_STOP, PLACING, TOKENS, &[(500, "1040001")]],
        "callnotify" => &[HEADERS, CALL_STOP, PLACING, TOKENS, TEMPLATES],
        "callVerify" | "voice" => &[HEADERS, CALL_STOP, PLACING, TOKENS],
        // The logins, which may be switched off.
        _ => &[HEADERS, CALL_STOP, PLACING, TOKENS, NO_SUCH_PATH],
    };
    lists.concat()
}

/// Whether a request to the path can be refused so.
pub(crate) fn can_meet(path: &str, refusal: &Refusal) -> bool {
    match refusal {
        Refusal::UnknownTemplate
        | Refusal::TemplateNotApproved
        | Refusal::NoTemplateValues
        | Refusal::TemplateValueCount
        | Refusal::TemplateValue { .. } => api(path) == "callnotify",
        Refusal::UnknownCall => api(path) == "callStop",
        Refusal::UnknownPath => false,
        _ => true,
    }
}

/// The word of a path that names its API.
fn api(path: &str) -> &str {
    let path = path.strip_prefix("/sandbox").unwrap_or(path);
    let mut words = path.split('/').skip(2);
    match words.next() {
        Some("httpsessions" | "provision") => words.next().unwrap_or(""),
        Some(word) => word,
        None => "",
    }
}
