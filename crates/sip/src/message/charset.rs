//! Which bytes may stand where (RFC 3261 25.1), as tables that the compiler fills.

/// `token`: letters, digits and ``-.!%*_+`'~``.
const TOKEN: u8 = 1;
/// What may stand in a URI unescaped, plus bytes above ASCII, which phones send without escaping.
const URI: u8 = 2;

static CLASS: [u8; 256] = classes();

/// Whether the byte may stand in a `token`.
#[inline]
pub(super) fn is_token_byte(byte: u8) -> bool {
    CLASS[usize::from(byte)] & TOKEN != 0
}

/// Whether all of it is a `token` of at least one byte.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}

/// Whether all bytes may stand in a URI and every `%` begins an escape.
pub(super) fn is_uri_text(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(at, &byte)| {
        let escaped = || bytes.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        CLASS[usize::from(byte)] & URI != 0 && (byte != b'%' || escaped())
    })
}

/// Space or tab, and the line ends of a folded value.
#[inline]
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without the spaces and folds around it.
#[inline]
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    trim_end(trim_start(bytes))
}

/// Without the spaces and folds before it.
#[inline]
pub(super) fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_space(*first)
    {
        bytes = rest;
    }
    bytes
}

/// Without the spaces and folds after it.
#[inline]
pub(super) fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_space(*last)
    {
        bytes = rest;
    }
    bytes
}

/// A decimal number without sign; `None` when there is anything but digits, or more than `u64` holds.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The number that a value begins with, and what follows it.
pub(super) fn leading_number(value: &[u8]) -> Option<(u64, &[u8])> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (head, rest) = value.split_at(digits);
    Some((number(head)?, rest))
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let letter = byte as u8;
        if letter.is_ascii_alphanumeric() {
            table[byte] = TOKEN | URI;
        }
        if letter >= 0x80 {
            table[byte] = URI;
        }
        byte += 1;
    }
    mark(&mut table, b"-.!%*_+`'~", TOKEN);
    mark(&mut table, b"-_.!~*'()%&=+$,;?/:@[]#", URI);
    table
}

const fn mark(table: &mut [u8; 256], bytes: &[u8], class: u8) {
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] |= class;
        at += 1;
    }
}
