//! What is private in a message, hidden, so that the message can be kept.
//!
//! Every byte that is hidden becomes a `*`, so that lengths stay what they are. Hidden are proofs of credentials, keys
//! of SRTP, the keys that INFO tells, and, if wanted, the middle of telephone numbers. What is unclear is hidden.

/// Whether telephone numbers may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// They are kept as they are.
    Shown,
    /// `+8613800000001` is kept as `+86138****0001`.
    Masked,
}

/// Hides what is private in a message of any sender. Works in the message's own length, whatever it holds.
///
/// ```
/// # use huihu_sip::{Numbers, veil};
/// let mut message = *b"BYE sip:+8613800000001@192.0.2.1 SIP/2.0\r\n\r\n";
/// veil(&mut message, Numbers::Masked);
/// assert_eq!(&message, b"BYE sip:+86138****0001@192.0.2.1 SIP/2.0\r\n\r\n");
/// ```
pub fn veil(message: &mut [u8], numbers: Numbers) {
    let mut place = Place::Start;
    let mut tells_keys = message.starts_with(b"INFO ");
    for line in message.split_inclusive_mut(|byte| *byte == b'\n') {
        let length = line.trim_ascii_end().len();
        let line = &mut line[..length];
        match place {
            Place::Start => {
                veil_numbers(line, numbers);
                place = Place::Header(Rule::Numbers);
            }
            Place::Header(_) if line.is_empty() => place = Place::Body,
            // A header may go on in the next line (RFC 3261 section 7.3.1).
            Place::Header(rule) if line[0] == b' ' || line[0] == b'\t' => rule.hide(line, numbers),
            Place::Header(_) => {
                let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
                let name = line[..colon].trim_ascii();
                let rule = Rule::of(name);
                tells_keys |= name.eq_ignore_ascii_case(b"CSeq") && contains(line, b"INFO").is_some();
                // A line without a colon is none that we know.
                let value = if colon == line.len() { line } else { &mut line[colon + 1..] };
                rule.hide(value, numbers);
                place = Place::Header(rule);
            }
            Place::Body if tells_keys => veil_keys(line),
            Place::Body => veil_description(line, numbers),
        }
    }
}

/// Where in a message.
enum Place {
    /// Its first line.
    Start,
    /// Among its headers.
    Header(Rule),
    Body,
}

/// What is hidden of a header.
#[derive(Clone, Copy)]
enum Rule {
    /// All but its first word, the scheme.
    Proof,
    /// Telephone numbers.
    Numbers,
    /// It never has a number in it, but digits that look like one.
    Nothing,
}

impl Rule {
    fn of(name: &[u8]) -> Self {
        let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
        if PROOFS.iter().any(&is) {
            Self::Proof
        } else if WITHOUT_NUMBERS.iter().any(is) {
            Self::Nothing
        } else {
            Self::Numbers
        }
    }

    fn hide(self, value: &mut [u8], numbers: Numbers) {
        match self {
            Self::Proof => {
                let start = value.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
                let scheme = value[start..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
                let is_scheme = value.get(start + scheme).is_some_and(u8::is_ascii_whitespace);
                hide(&mut value[if is_scheme { start + scheme } else { start }..]);
            }
            Self::Numbers => veil_numbers(value, numbers),
            Self::Nothing => {}
        }
    }
}

/// A line of a body that tells a key: `Signal=5`, or the key alone (application/dtmf-relay, application/dtmf).
fn veil_keys(line: &mut [u8]) {
    let is_named =
        |name: &str| line.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()));
    if is_named("Duration") {
        return;
    }
    let told = if is_named("Signal") { "Signal".len() } else { 0 };
    line[told..].iter_mut().filter(|byte| **byte != b'=' && **byte != b':').for_each(hide_byte);
}

/// A line of a session description, or of anything else.
fn veil_description(line: &mut [u8], numbers: Numbers) {
    match line {
        // Its user and its title may be a number; what stands behind the user are counters and addresses.
        [b'o', b'=', ..] => {
            let user = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
            veil_numbers(&mut line[..user], numbers);
        }
        // A key of the older kind (RFC 4566 section 5.12).
        [b'k', b'=', key @ ..] => hide(key),
        [b'a', b'=', value @ ..] => {
            let secret = SECRETS.iter().find(|secret| starts_with(value, secret.as_bytes()));
            if let Some(secret) = secret {
                let key = contains(value, b"inline:").map_or(secret.len(), |at| at + "inline:".len());
                hide(&mut value[key..]);
            }
        }
        [b'v' | b'c' | b'b' | b't' | b'r' | b'z' | b'm', b'=', ..] => {}
        _ => veil_numbers(line, numbers),
    }
}

/// Hides the middle of whatever may be a telephone number.
fn veil_numbers(line: &mut [u8], numbers: Numbers) {
    if numbers == Numbers::Shown {
        return;
    }
    let mut at = 0;
    while at < line.len() {
        if !line[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = end_of_number(line, at);
        if is_number(line, at, end) {
            let start = if at > 0 && line[at - 1] == b'+' { at - 1 } else { at };
            mask(&mut line[start..end]);
        }
        at = end;
    }
}

/// Where a run of digits ends that people may have parted with dashes.
fn end_of_number(line: &[u8], start: usize) -> usize {
    let mut end = start;
    while let Some(byte) = line.get(end) {
        let parts = *byte == b'-' && line.get(end + 1).is_some_and(u8::is_ascii_digit);
        if !byte.is_ascii_digit() && !parts {
            break;
        }
        end += 1;
    }
    end
}

fn is_number(line: &[u8], start: usize, end: usize) -> bool {
    let (before, digits, behind) = (&line[..start], &line[start..end], &line[end..]);
    let before = before.strip_suffix(b"+").unwrap_or(before);
    let count = digits.iter().filter(|byte| byte.is_ascii_digit()).count();
    if ["sip:", "sips:", "tel:"].iter().any(|scheme| ends_with(before, scheme.as_bytes())) {
        // An address has points; a short number is a number too.
        return count > 2 && behind.first() != Some(&b'.');
    }
    // Of words such as tags and ids it is a part; in a user and behind an escaped plus it is what it looks like.
    let in_word = before.last().is_some_and(u8::is_ascii_alphanumeric)
        || behind.first().is_some_and(u8::is_ascii_alphanumeric);
    count >= LONG && !ends_with(before, b"tag=") && (!in_word || ends_with(before, b"%2B") || is_user(before))
}

/// Whether what follows belongs to the user of a URI.
fn is_user(before: &[u8]) -> bool {
    let Some(colon) = before.iter().rposition(|byte| *byte == b':') else { return false };
    let has_scheme = [&b"sip"[..], b"sips", b"tel"].iter().any(|scheme| ends_with(&before[..colon], scheme));
    has_scheme && before[colon..].iter().all(|byte| !b"@<>;, ".contains(byte))
}

/// As numbers are masked everywhere: of `+8613800000001` the first six and the last four may be read.
fn mask(number: &mut [u8]) {
    let length = number.len();
    let head = length.saturating_sub(8).min(6);
    let tail = 4.min(length - 1);
    hide(&mut number[head..length - tail]);
}

fn hide(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(hide_byte);
}

const fn hide_byte(byte: &mut u8) {
    if !byte.is_ascii_whitespace() {
        *byte = b'*';
    }
}

fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start))
}

fn ends_with(text: &[u8], end: &[u8]) -> bool {
    text.len().checked_sub(end.len()).is_some_and(|at| text[at..].eq_ignore_ascii_case(end))
}

fn contains(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|own| own.eq_ignore_ascii_case(word))
}

/// Headers that prove who somebody is.
const PROOFS: [&str; 3] = ["Authorization", "Proxy-Authorization", "Authentication-Info"];

/// Attributes of SDP that hold a key.
const SECRETS: [&str; 3] = ["crypto:", "key-mgmt:", "ice-pwd:"];

/// Headers with digits that are no telephone number.
const WITHOUT_NUMBERS: [&str; 19] = [
    "Via",
    "v",
    "Call-ID",
    "i",
    "CSeq",
    "RAck",
    "RSeq",
    "Content-Length",
    "l",
    "Content-Type",
    "c",
    "Max-Forwards",
    "Session-Expires",
    "x",
    "Min-SE",
    "Expires",
    "Timestamp",
    "User-Agent",
    "Server",
];

/// From so many digits on a run is a number wherever it stands.
const LONG: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(message: &str, veiled: &str) {
        let mut bytes = message.as_bytes().to_vec();
        veil(&mut bytes, Numbers::Masked);
        assert_eq!(String::from_utf8(bytes).unwrap(), veiled);
    }

    #[track_caller]
    fn line_becomes(line: &str, veiled: &str) {
        becomes(
            &format!("BYE sip:a SIP/2.0\r\n{line}\r\n\r\n"),
            &format!("BYE sip:a SIP/2.0\r\n{veiled}\r\n\r\n"),
        );
    }

    #[track_caller]
    fn body_becomes(line: &str, veiled: &str) {
        becomes(&format!("SIP/2.0 200 OK\r\n\r\n{line}\r\n"), &format!("SIP/2.0 200 OK\r\n\r\n{veiled}\r\n"));
    }

    #[test]
    fn the_middle_of_a_number_is_hidden_wherever_it_stands() {
        becomes(
            "INVITE sip:13800000001@192.0.2.9:50600;user=phone SIP/2.0\r\n\r\n",
            "INVITE sip:138****0001@192.0.2.9:50600;user=phone SIP/2.0\r\n\r\n",
        );
        line_becomes(
            "From: <sip:+8613800000001@h>;tag=3894567890",
            "From: <sip:+86138****0001@h>;tag=3894567890",
        );
        line_becomes(
            "t: \"13800000001\" <tel:+86-138-0000-0001>",
            "t: \"138****0001\" <tel:+86-13*******0001>",
        );
        line_becomes("Diversion: <sip:%2B8613800000001@h>", "Diversion: <sip:%2B86138****0001@h>");
        line_becomes("Contact: <sip:10086@192.0.2.1:50600>", "Contact: <sip:*0086@192.0.2.1:50600>");
        line_becomes("Contact: <sip:t13800000001x@h>", "Contact: <sip:t138****0001x@h>");
        line_becomes("X-Original: 13800000001", "X-Original: 138****0001");
        line_becomes(
            "P-Asserted-Identity: <sip:a@h>,\r\n <tel:13800000001>",
            "P-Asserted-Identity: <sip:a@h>,\r\n <tel:138****0001>",
        );
        line_becomes("13800000001", "138****0001");
        body_becomes(
            "o=13800000001 3894567890 3894567891 IN IP4 192.0.2.1",
            "o=138****0001 3894567890 3894567891 IN IP4 192.0.2.1",
        );
        body_becomes("s=13800000001", "s=138****0001");
        body_becomes("<entity>tel:13800000001</entity>", "<entity>tel:138****0001</entity>");
    }

    #[test]
    fn what_is_no_number_stays() {
        for line in [
            "Via: SIP/2.0/UDP 192.0.2.1:50600;branch=z9hG4bK1234567890",
            "Call-ID: 00000000000112345678901234567890A",
            "CSeq: 12345678 INVITE",
            "Contact: <sip:192.0.2.1:5060>",
            "Contact: <sip:a@[2001:db8::1]:50600>;expires=3600",
            "To: <sip:a@h>;tag=8a1234567890",
        ] {
            line_becomes(line, line);
        }
        for line in ["a=ssrc:1234567890 cname:x", "m=audio 20000 RTP/AVP 8 101", "t=3894567890 3894567899"] {
            body_becomes(line, line);
        }
    }

    #[test]
    fn proofs_of_credentials_are_hidden() {
        line_becomes("Authorization: Digest username=\"u\"", "Authorization: Digest ************");
        line_becomes(
            "proxy-authorization:Digest\r\n\trealm=\"r\", response=\"7\"",
            "proxy-authorization:******\r\n\t********** ************",
        );
        line_becomes("Authentication-Info: rspauth=\"7\"", "Authentication-Info: ***********");
    }

    #[test]
    fn keys_of_srtp_are_hidden() {
        body_becomes(
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZi|2^20|1:32",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:******************************",
        );
        body_becomes("A=CRYPTO:1", "A=CRYPTO:1");
        body_becomes("a=CRYPTO:1 X key", "a=CRYPTO:* * ***");
        body_becomes("k=clear:secret", "k=************");
    }

    #[test]
    fn the_key_that_info_tells_is_hidden() {
        let info = |body: &str| {
            format!("INFO sip:a SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\n{body}\r\n")
        };
        becomes(&info("Signal=5\r\nDuration=160"), &info("Signal=*\r\nDuration=160"));
        becomes(&info("signal : #"), &info("signal : *"));
        becomes(&info("5"), &info("*"));
        becomes(&info("key=5"), &info("***=*"));
        becomes(
            "SIP/2.0 200 OK\r\nCSeq: 2 INFO\r\n\r\nSignal=5\r\n",
            "SIP/2.0 200 OK\r\nCSeq: 2 INFO\r\n\r\nSignal=*\r\n",
        );
    }

    #[test]
    fn numbers_may_be_shown_and_secrets_never() {
        let mut message = *b"BYE tel:13800000001 SIP/2.0\r\nAuthorization: Digest x\r\n\r\n";
        veil(&mut message, Numbers::Shown);
        assert_eq!(&message, b"BYE tel:13800000001 SIP/2.0\r\nAuthorization: Digest *\r\n\r\n");
    }

    #[test]
    fn whatever_comes_is_no_panic_and_keeps_its_lines() {
        for message in [
            "",
            "\r\n",
            "\n\n\n",
            ":",
            "a\r\n:\r\n\r\n=",
            "INFO \r\n\r\nSignal",
            "x\r\n \r\n",
            "1\r\n2\r\n\r\no=",
        ] {
            let mut bytes = message.as_bytes().to_vec();
            veil(&mut bytes, Numbers::Masked);
            let breaks = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(breaks(&bytes), breaks(message.as_bytes()));
        }
    }
}
