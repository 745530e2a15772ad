//! Keys in INFO requests, in the two forms that telephones send them.
//!
//! ```text
//! Content-Type: application/dtmf-relay         Content-Type: application/dtmf
//!
//! Signal=5                                     5
//! Duration=160
//! ```
//!
//! Neither has a standard; both are from the time before RFC 6086. Some senders write `10` and `11` for `*` and `#`, as
//! RFC 4733 numbers them, or put the first form under the second one's name.

/// The forms that we read, as an Accept header names them.
pub(super) const ACCEPT: &str = "application/dtmf-relay, application/dtmf";

/// What an INFO brings.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing: a sign of life.
    Nothing,
    /// A key: `0` to `9`, `*`, `#`, `A` to `D`.
    Key(char),
    /// One of our forms without a key in it, such as a flash of the hook.
    NoKey,
    /// A form that we do not know.
    Unknown,
}

impl Content {
    /// Reads an INFO's body.
    pub(super) fn read(content_type: &[u8], body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::Nothing;
        }
        let form = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let is_relay = form.eq_ignore_ascii_case(b"application/dtmf-relay");
        if !is_relay && !form.eq_ignore_ascii_case(b"application/dtmf") {
            return Self::Unknown;
        }
        let signal = signal_of(body).or_else(|| (!is_relay).then(|| body.trim_ascii()));
        signal.and_then(key_of).map_or(Self::NoKey, Self::Key)
    }
}

/// The value of the first line `Signal=`.
fn signal_of(body: &[u8]) -> Option<&[u8]> {
    body.split(|byte| matches!(byte, b'\r' | b'\n')).find_map(|line| {
        let sign = line.iter().position(|byte| *byte == b'=')?;
        let (name, value) = line.split_at(sign);
        name.trim_ascii().eq_ignore_ascii_case(b"signal").then(|| value[1..].trim_ascii())
    })
}

fn key_of(signal: &[u8]) -> Option<char> {
    match *signal {
        [key @ (b'0'..=b'9' | b'*' | b'#' | b'A'..=b'D')] => Some(char::from(key)),
        [key @ b'a'..=b'd'] => Some(char::from(key.to_ascii_uppercase())),
        [b'1', b'0'] => Some('*'),
        [b'1', b'1'] => Some('#'),
        [b'1', number @ b'2'..=b'5'] => Some(char::from(b'A' + (number - b'2'))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(content_type: &str, body: &str) -> Content {
        Content::read(content_type.as_bytes(), body.as_bytes())
    }

    #[test]
    fn every_form_that_telephones_write_is_read() {
        let relay = "application/dtmf-relay";
        for (content_type, body, key) in [
            (relay, "Signal=5\r\nDuration=160\r\n", '5'),
            (relay, "Signal= 5\r\nDuration= 160\r\n", '5'),
            (relay, "Duration=160\nsignal = #\n", '#'),
            (relay, "SIGNAL=*", '*'),
            ("application/dtmf-relay;charset=x", "Signal=10\r\n", '*'),
            (" Application/DTMF-Relay ; x=y", "Signal=11\r\nDuration=250\r\n", '#'),
            (relay, "Signal=12\r\n", 'A'),
            (relay, "Signal=15\r\n", 'D'),
            (relay, "Signal=d\r\n", 'D'),
            ("application/dtmf", "7", '7'),
            ("Application/DTMF", " 0\r\n", '0'),
            ("application/dtmf", "10", '*'),
            ("application/dtmf", "Signal=9\r\nDuration=100", '9'),
        ] {
            assert_eq!(read(content_type, body), Content::Key(key), "{content_type} {body:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_told_apart_from_what_is_unknown() {
        for body in ["Signal=16\r\n", "Signal=!", "Signal=", "Signal=55", "5", "x=5", "=", "\r\n"] {
            assert_eq!(read("application/dtmf-relay", body), Content::NoKey, "{body:?}");
        }
        assert_eq!(read("application/dtmf", "55"), Content::NoKey);
        for content_type in ["", ";", "text/plain", "application/dtmf-relay2", "application/sdp"] {
            assert_eq!(read(content_type, "5"), Content::Unknown, "{content_type}");
            assert_eq!(read(content_type, ""), Content::Nothing, "{content_type}");
        }
    }

    proptest! {
        #[test]
        fn no_body_is_a_panic_and_no_key_is_none_of_the_sixteen(
            form in 0..4_usize,
            body in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"=\r\n Sigal159*#"[..])], 0..60),
        ) {
            let forms = [&b"application/dtmf-relay"[..], b"application/dtmf;x", b"text/plain", &body];
            let content = Content::read(forms[form], &body);
            let right = match content {
                Content::Key(key) => "0123456789*#ABCD".contains(key),
                Content::Nothing => body.is_empty(),
                Content::NoKey | Content::Unknown => true,
            };
            prop_assert!(right, "{content:?}");
        }
    }
}
