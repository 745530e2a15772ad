//! Several endpoints behind one port: a reader hands each datagram to the one that knows its call.

/// The Call-ID of a datagram, found without reading the rest: how a reader that feeds several endpoints finds the
/// right one. The value is what stands in the first `Call-ID` or `i` line before the body.
///
/// ```
/// let datagram = b"BYE sip:a@h SIP/2.0\r\nVia: x\r\ni: 7-abc\r\n\r\n";
/// assert_eq!(huihu_sip::call_id_of(datagram), Some(&b"7-abc"[..]));
/// ```
#[must_use]
pub fn call_id_of(datagram: &[u8]) -> Option<&[u8]> {
    for line in datagram.split(|&byte| byte == b'\n').skip(1) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return None;
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let name = line[..colon].trim_ascii_end();
        if name.eq_ignore_ascii_case(b"Call-ID") || name.eq_ignore_ascii_case(b"i") {
            let value = line[colon + 1..].trim_ascii();
            return (!value.is_empty()).then_some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_id_is_found_in_every_spelling() {
        for line in ["Call-ID: 7-abc", "call-id:7-abc", "i: 7-abc", "I \t: 7-abc  "] {
            let datagram =
                format!("BYE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n{line}\r\nTo: <sip:a@h>\r\n\r\nbody");
            assert_eq!(call_id_of(datagram.as_bytes()), Some(&b"7-abc"[..]), "{line}");
        }
    }

    #[test]
    fn a_call_id_in_the_body_or_none_at_all_is_none() {
        for datagram in
            ["", "\r\n\r\n", "BYE x SIP/2.0\r\nTo: x\r\n\r\ni: 7", "BYE x SIP/2.0\r\ni:\r\n\r\n", "i: 7"]
        {
            assert_eq!(call_id_of(datagram.as_bytes()), None, "{datagram:?}");
        }
    }
}
