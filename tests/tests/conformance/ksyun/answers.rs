//! What an answer must be like, whatever was asked.

use huihu_tests::http::Answer;
use serde_json::Value;

use super::codes;

/// Status and code, and whatever is not as documented.
pub(super) fn told(answer: &Answer) -> String {
    let mut told = match answer.status {
        200 => success(answer),
        _ => failure(answer),
    };
    let kind = answer.headers.get("content-type").map_or("", String::as_str);
    if !kind.starts_with("application/json") {
        told.push_str(&format!(" as {kind:?}"));
    }
    if answer.headers.get("content-length").is_none_or(|length| *length != answer.bytes.len().to_string()) {
        told.push_str(" without its length");
    }
    if !is_request_id(&answer.body["RequestId"]) {
        told.push_str(" without a RequestId");
    }
    told
}

/// `200`, and the `ExtId` when there is one.
fn success(answer: &Answer) -> String {
    let body = &answer.body;
    match fields(body).as_slice() {
        ["CallId", "ExtId", "RequestId"] if is_call_id(&body["CallId"]) => match body["ExtId"].as_str() {
            Some("") => "200".to_owned(),
            Some(id) => format!("200 {id}"),
            None => "200 whose ExtId is no text".to_owned(),
        },
        ["RequestId"] => "200 RequestId only".to_owned(),
        _ => format!("200 {body}"),
    }
}

/// Status and code; the parameter when it is one that is missing.
fn failure(answer: &Answer) -> String {
    let Answer { status, body, .. } = answer;
    let error = &body["Error"];
    let text = |name: &str| error[name].as_str().unwrap_or("");
    let (kind, code, message) = (text("Type"), text("Code"), text("Message"));
    let mut told = format!("{status} {code}");
    if code == "MissingParameter" {
        told.push_str(&format!(" ({})", missing(message)));
    }
    let is_whole = fields(body) == ["Error", "RequestId"] && fields(error) == ["Code", "Message", "Type"];
    if !is_whole || message.is_empty() {
        told.push_str(&format!(" in {body}"));
    }
    match codes::of(code) {
        Some(line) if (line.status, line.kind) == (*status, kind) => {}
        Some(line) => told.push_str(&format!(" of {kind} and not {} {}", line.status, line.kind)),
        None => told.push_str(" which no document has"),
    }
    told
}

/// Which parameter a message says is missing.
fn missing(message: &str) -> &str {
    let is_name = |word: &&str| PARAMETERS.contains(word);
    message.split(|letter: char| !letter.is_ascii_alphanumeric()).find(is_name).unwrap_or("nothing")
}

/// The parameters of all requests and of all actions.
const PARAMETERS: &[&str] = &[
    "Accesskey",
    "Service",
    "Action",
    "Version",
    "Timestamp",
    "SignatureVersion",
    "SignatureMethod",
    "Signature",
    "Mobile",
    "TplId",
    "TplParams",
    "Code",
];

/// The names of an object's fields, in alphabetical order.
fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        object.as_object().map(|fields| fields.keys().map(String::as_str).collect()).unwrap_or_default();
    names.sort_unstable();
    names
}

/// Twelve hexadecimal digits, and a second of these years.
pub(super) fn is_call_id(id: &Value) -> bool {
    let id = id.as_str().unwrap_or("");
    let (random, second) = id.split_at_checked(12).unwrap_or(("", ""));
    random.len() == 12
        && random.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        && second.len() == 10
        && second.parse::<i64>().is_ok_and(|second| (chrono::Utc::now().timestamp() - second).abs() < 600)
}

/// A UUID of version 4 in lower case.
fn is_request_id(id: &Value) -> bool {
    let parts: Vec<&str> = id.as_str().unwrap_or("").split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && parts.iter().all(|part| part.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
        && parts[2].starts_with('4')
        && parts[3].starts_with(['8', '9', 'a', 'b'])
}
