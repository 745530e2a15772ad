//! What an operator sees of an attempt that failed: the request and the answer as texts. Pure.
//!
//! ```text
//! POST http://receiver.example/fee
//! content-type: application/json;charset=UTF-8
//! authorization: ***
//!
//! {"eventType":"fee", …}
//! ```
//!
//! Headers may prove who we are, so only those that cannot are shown.

use base::private::Private;
use dialects::Push;

use crate::client::Answer;

/// The request, without what proves who we are.
pub(crate) fn request(push: &Push) -> Private<Box<str>> {
    let mut text = format!("POST {}\n", push.url.as_str());
    for (name, value) in push.headers.iter() {
        let shown = if SHOWN.iter().any(|shown| name.eq_ignore_ascii_case(shown)) { value } else { "***" };
        text.push_str(&format!("{}: {shown}\n", name.to_ascii_lowercase()));
    }
    text.push('\n');
    text.push_str(&beginning(&push.body, REQUEST_BYTES));
    Private::new(text.into())
}

/// The answer.
pub(crate) fn answer(answer: &Answer) -> Private<Box<str>> {
    let body = beginning(&answer.body, ANSWER_BYTES);
    Private::new(format!("HTTP {}\n\n{body}", answer.status).into())
}

/// The beginning of a body as text. What is no text is shown as such, and the rest is counted.
fn beginning(body: &[u8], bytes: usize) -> String {
    let (shown, rest) = body.split_at(body.len().min(bytes));
    let mut text = String::from_utf8_lossy(shown).into_owned();
    // A character that was cut in two is not shown.
    if !rest.is_empty() {
        text.truncate(text.trim_end_matches(char::REPLACEMENT_CHARACTER).len());
        text.push_str(&format!(" … and {} bytes more", rest.len()));
    }
    text
}

/// Headers that prove nothing.
const SHOWN: [&str; 2] = ["Content-Type", "Content-Length"];

/// Bytes that are kept of a request's body: some fee records.
const REQUEST_BYTES: usize = 4 * 1_024;

/// Bytes that are kept of an answer: a receiver's whole error, or the beginning of its page about it.
const ANSWER_BYTES: usize = 1_024;

#[cfg(test)]
mod tests {
    use base::url::PushUrl;
    use dialects::{Headers, PushId};

    use super::*;

    #[test]
    fn a_request_shows_everything_but_its_signature() {
        let headers = Headers::from_iter([("Content-Type", "application/json"), ("X-Signature", "secret")]);
        let url = PushUrl::parse("http://receiver.example:8080/fee").unwrap();
        let push = Push { id: PushId(1), url, headers, body: b"{}".to_vec() };
        assert_eq!(
            &**request(&push).expose(),
            "POST http://receiver.example:8080/fee\ncontent-type: application/json\nx-signature: ***\n\n{}"
        );
    }

    #[test]
    fn long_and_strange_answers_are_cut_to_text() {
        let told = |body: Vec<u8>| answer(&Answer { status: 500, body, is_whole: true }).into_exposed();
        assert_eq!(&*told(b"no".to_vec()), "HTTP 500\n\nno");
        assert_eq!(&*told(vec![b'a', 0xff]), "HTTP 500\n\na\u{fffd}");
        let long = told("好".repeat(400).into_bytes());
        assert!(long.ends_with("好 … and 176 bytes more"), "{long}");
    }
}
