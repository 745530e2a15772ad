//! What follows from a request that we sent and still hold as bytes: its ACK, its CANCEL, and the same request once
//! more with credentials.
//!
//! These must repeat the request's own lines to the letter (RFC 3261 9.1, 17.1.1.3, 22.2), so they are copied from
//! the stored bytes instead of being written anew. The bytes are our own: one line per header, no folding, one Via.

/// The ACK of a failure response: the INVITE's URI, Via and routes, and the To of the response (RFC 3261 17.1.1.3).
pub(crate) fn acknowledge(invite: &[u8], to: &[u8]) -> Vec<u8> {
    let mut ack = sibling(invite, b"ACK", Some(to));
    end(&mut ack);
    ack
}

/// The CANCEL of an INVITE: same URI, Via with its branch, From, To, Call-ID and CSeq number (RFC 3261 9.1).
/// `reason` is the value of a Reason header.
pub(crate) fn cancel(invite: &[u8], reason: Option<&str>) -> Vec<u8> {
    let mut cancel = sibling(invite, b"CANCEL", None);
    if let Some(reason) = reason {
        header(&mut cancel, "Reason", reason.as_bytes());
    }
    end(&mut cancel);
    cancel
}

/// The same request with a new branch, a new CSeq number and other headers: the answer to a challenge (RFC 3261 22.2),
/// a longer session interval (RFC 4028 7.3). `headers` are names and values; those of the same names in the request
/// are replaced. One without a value is only taken away.
pub(crate) fn again(request: &[u8], branch: &str, cseq: u32, headers: &[(&str, &str)]) -> Vec<u8> {
    let (head, body) = split(request);
    let more: usize = headers.iter().map(|(_, value)| value.len() + SLACK).sum();
    let mut copy = Vec::with_capacity(request.len() + more + SLACK);
    for (line, name, value) in lines(head) {
        if name.eq_ignore_ascii_case(b"Via") {
            rebranch(&mut copy, line, branch);
        } else if name.eq_ignore_ascii_case(b"CSeq") {
            let method = value.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
            header(&mut copy, "CSeq", &[cseq.to_string().as_bytes(), b" ", method].concat());
            for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
                header(&mut copy, name, value.as_bytes());
            }
        } else if !headers.iter().any(|(other, _)| name.eq_ignore_ascii_case(other.as_bytes())) {
            copy.extend_from_slice(line);
            copy.extend_from_slice(b"\r\n");
        }
    }
    copy.extend_from_slice(b"\r\n");
    copy.extend_from_slice(body);
    copy
}

/// The same request to another target.
pub(crate) fn toward(request: &[u8], uri: &str) -> Vec<u8> {
    let old = request_uri_of(request);
    let method = request.split(|&byte| byte == b' ').next().unwrap_or_default();
    let rest = request.get(method.len() + 1 + old.len()..).unwrap_or_default();
    [method, b" ", uri.as_bytes(), rest].concat()
}

/// The same request by another transport: only its Via says which (RFC 3261 18.1.1). `token` and `sent_by` are ours by
/// that transport.
pub(crate) fn by_transport(request: &[u8], token: &str, sent_by: &str) -> Vec<u8> {
    let (head, body) = split(request);
    let mut copy = Vec::with_capacity(request.len() + SLACK + sent_by.len());
    for (line, name, value) in lines(head) {
        if name.eq_ignore_ascii_case(b"Via") {
            let params = value.iter().position(|&byte| byte == b';').map_or(&b""[..], |at| &value[at..]);
            header(
                &mut copy,
                "Via",
                &[b"SIP/2.0/", token.as_bytes(), b" ", sent_by.as_bytes(), params].concat(),
            );
        } else {
            copy.extend_from_slice(line);
            copy.extend_from_slice(b"\r\n");
        }
    }
    copy.extend_from_slice(b"\r\n");
    copy.extend_from_slice(body);
    copy
}

/// The branch of the request's Via.
pub(crate) fn branch_of(request: &[u8]) -> Option<&[u8]> {
    let (head, _) = split(request);
    let (via, _, _) = lines(head).find(|(_, name, _)| name.eq_ignore_ascii_case(b"Via"))?;
    let start = branch_at(via)?;
    via[start..].split(|&byte| byte == b';').next()
}

/// The request URI.
pub(crate) fn request_uri_of(request: &[u8]) -> &[u8] {
    request.split(|&byte| byte == b' ').nth(1).unwrap_or_default()
}

/// The body.
pub(crate) fn body_of(request: &[u8]) -> &[u8] {
    split(request).1
}

/// A request about another one: its URI, Via, From, Call-ID, CSeq number and routes under another method.
fn sibling(invite: &[u8], method: &[u8], to: Option<&[u8]>) -> Vec<u8> {
    let (head, _) = split(invite);
    let mut copy = Vec::with_capacity(head.len());
    for (line, name, value) in lines(head) {
        if name.is_empty() {
            let rest = line.iter().position(|&byte| byte == b' ').map_or(&b""[..], |space| &line[space..]);
            copy.extend_from_slice(method);
            copy.extend_from_slice(rest);
            copy.extend_from_slice(b"\r\n");
        } else if let (true, Some(to)) = (name.eq_ignore_ascii_case(b"To"), to) {
            header(&mut copy, "To", to);
        } else if name.eq_ignore_ascii_case(b"CSeq") {
            let number = value.split(|&byte| byte == b' ').next().unwrap_or_default();
            header(&mut copy, "CSeq", &[number, b" ", method].concat());
        } else if COMMON.iter().any(|common| name.eq_ignore_ascii_case(common.as_bytes())) {
            copy.extend_from_slice(line);
            copy.extend_from_slice(b"\r\n");
        }
    }
    copy
}

/// The value of the first header of this name.
pub(crate) fn header_of<'a>(request: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (head, _) = split(request);
    lines(head).find(|(_, own, _)| own.eq_ignore_ascii_case(name.as_bytes())).map(|(_, _, value)| value)
}

/// Start line and headers, and the body.
fn split(request: &[u8]) -> (&[u8], &[u8]) {
    let blank = request.windows(4).position(|four| four == b"\r\n\r\n");
    blank.map_or((request, &b""[..]), |at| (&request[..at], &request[at + 4..]))
}

/// Each line with its header name and value; the name of the start line is empty.
fn lines(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8], &[u8])> {
    head.split(|&byte| byte == b'\n').enumerate().map(|(number, line)| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = line.iter().position(|&byte| byte == b':').filter(|_| number > 0);
        let Some(colon) = colon else { return (line, &b""[..], &b""[..]) };
        (line, line[..colon].trim_ascii(), line[colon + 1..].trim_ascii())
    })
}

fn rebranch(copy: &mut Vec<u8>, via: &[u8], branch: &str) {
    let Some(start) = branch_at(via) else { return };
    let after =
        via[start..].iter().position(|&byte| byte == b';').map_or(&b""[..], |end| &via[start + end..]);
    copy.extend_from_slice(&via[..start]);
    copy.extend_from_slice(branch.as_bytes());
    copy.extend_from_slice(after);
    copy.extend_from_slice(b"\r\n");
}

/// Where the value of the branch parameter begins.
fn branch_at(via: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b";branch=";
    let name = via.windows(NAME.len()).position(|part| part.eq_ignore_ascii_case(NAME))?;
    Some(name + NAME.len())
}

fn header(copy: &mut Vec<u8>, name: &str, value: &[u8]) {
    copy.extend_from_slice(name.as_bytes());
    copy.extend_from_slice(b": ");
    copy.extend_from_slice(value);
    copy.extend_from_slice(b"\r\n");
}

fn end(copy: &mut Vec<u8>) {
    copy.extend_from_slice(b"Content-Length: 0\r\n\r\n");
}

/// Headers that an ACK and a CANCEL share with their INVITE.
const COMMON: [&str; 6] = ["Via", "Max-Forwards", "From", "To", "Call-ID", "Route"];

/// Room for the lines that `again` adds.
const SLACK: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:b@10.0.0.2 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKone\r\n\
        Max-Forwards: 70\r\n\
        Route: <sip:10.0.0.9;lr>\r\n\
        From: <sip:a@10.0.0.1>;tag=a\r\n\
        To: <sip:b@10.0.0.2>\r\n\
        Call-ID: c1\r\n\
        CSeq: 7 INVITE\r\n\
        Contact: <sip:a@10.0.0.1>\r\n\
        Content-Length: 3\r\n\r\nv=0";

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_cancel_repeats_the_invite_to_the_letter() {
        assert_eq!(
            text(&cancel(INVITE.as_bytes(), Some("SIP;cause=200"))),
            "CANCEL sip:b@10.0.0.2 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKone\r\n\
             Max-Forwards: 70\r\nRoute: <sip:10.0.0.9;lr>\r\nFrom: <sip:a@10.0.0.1>;tag=a\r\n\
             To: <sip:b@10.0.0.2>\r\nCall-ID: c1\r\nCSeq: 7 CANCEL\r\nReason: SIP;cause=200\r\n\
             Content-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn the_ack_of_a_failure_takes_the_to_of_the_response() {
        let ack = text(&acknowledge(INVITE.as_bytes(), b"<sip:b@10.0.0.2>;tag=b"));
        assert!(ack.starts_with(
            "ACK sip:b@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKone\r\n"
        ));
        assert!(ack.contains("\r\nTo: <sip:b@10.0.0.2>;tag=b\r\n"));
        assert!(ack.contains("\r\nCSeq: 7 ACK\r\n"));
        assert!(!ack.contains("Contact"));
    }

    #[test]
    fn a_challenged_request_goes_again_with_its_body_under_a_new_branch_and_number() {
        let once = again(INVITE.as_bytes(), "z9hG4bKtwo", 8, &[("Authorization", "Digest a")]);
        let twice = text(&again(&once, "z9hG4bKthree", 9, &[("Authorization", "Digest b")]));
        assert!(twice.contains(";rport;branch=z9hG4bKthree\r\n"));
        assert!(twice.contains("\r\nCSeq: 9 INVITE\r\nAuthorization: Digest b\r\n"));
        assert_eq!(twice.matches("Authorization").count(), 1);
        assert!(twice.ends_with("Content-Length: 3\r\n\r\nv=0"));
        assert_eq!(branch_of(twice.as_bytes()), Some(&b"z9hG4bKthree"[..]));
    }
}
