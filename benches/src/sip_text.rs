//! SIP as text, as far as one telephone needs it: what is read of a request, and the replies and requests it writes.
//!
//! Shares nothing with the server's own parser on purpose: a misreading must not cancel itself out.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

/// One datagram, borrowed.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    start: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: &'a str,
}

/// The first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start<'a> {
    Request { method: &'a str, uri: &'a str },
    Reply { code: u16 },
}

impl<'a> Message<'a> {
    /// Reads a datagram; `None` if it is no SIP.
    pub(crate) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(datagram).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let start = lines.next()?;
        let headers = lines
            .map(|line| line.split_once(':').map(|(name, value)| (full_name(name.trim()), value.trim())))
            .collect::<Option<Vec<_>>>()?;
        Some(Self { start, headers, body })
    }

    /// The first line; `None` if it is neither a request's nor a reply's.
    pub(crate) fn start(&self) -> Option<Start<'a>> {
        let mut words = self.start.split(' ');
        let (first, second) = (words.next()?, words.next()?);
        if first == "SIP/2.0" {
            return Some(Start::Reply { code: second.parse().ok()? });
        }
        (words.next()? == "SIP/2.0").then_some(Start::Request { method: first, uri: second })
    }

    /// The values of a header, in order.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// The first value of a header.
    pub(crate) fn one(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// CSeq: the number and the method.
    pub(crate) fn cseq(&self) -> Option<(u32, &'a str)> {
        let (number, method) = self.one("CSeq")?.split_once(' ')?;
        Some((number.parse().ok()?, method.trim()))
    }

    /// Whether the request belongs to a dialog that we know a tag of.
    pub(crate) fn in_dialog(&self) -> bool {
        self.one("To").is_some_and(|to| to.contains(";tag="))
    }

    /// The header lines that every reply to this request repeats (RFC 3261 section 8.2.6.2). `tag` is added to To
    /// where it has none.
    pub(crate) fn reply_head(&self, tag: &str) -> String {
        let mut head = String::with_capacity(512);
        for name in ["Via", "Record-Route"] {
            for value in self.all(name) {
                push_line(&mut head, name, value);
            }
        }
        for name in ["From", "Call-ID", "CSeq"] {
            push_line(&mut head, name, self.one(name).unwrap_or(""));
        }
        let to = self.one("To").unwrap_or("");
        if self.in_dialog() {
            push_line(&mut head, "To", to);
        } else {
            push_line(&mut head, "To", &format!("{to};tag={tag}"));
        }
        head
    }
}

fn push_line(head: &mut String, name: &str, value: &str) {
    head.push_str(name);
    head.push_str(": ");
    head.push_str(value);
    head.push_str("\r\n");
}

/// The compact forms of RFC 3261 section 7.3.3.
fn full_name(name: &str) -> &str {
    match name {
        "v" | "V" => "Via",
        "f" | "F" => "From",
        "t" | "T" => "To",
        "i" | "I" => "Call-ID",
        "m" | "M" => "Contact",
        "l" | "L" => "Content-Length",
        "c" | "C" => "Content-Type",
        full => full,
    }
}

/// A reply from the lines that it repeats. `contact` is our address where the reply sets up a dialog.
pub(crate) fn reply(code: u16, head: &str, contact: Option<SocketAddr>, body: &str) -> Vec<u8> {
    let reason = match code {
        180 => "Ringing",
        200 => "OK",
        481 => "Call/Transaction Does Not Exist",
        487 => "Request Terminated",
        _ => "Not Implemented",
    };
    let mut text = format!("SIP/2.0 {code} {reason}\r\n{head}");
    if let Some(contact) = contact {
        push_line(&mut text, "Contact", &format!("<sip:bench@{contact}>"));
    }
    finish(text, body)
}

/// A BYE of the called party: who it is from and to is what the INVITE said, the other way round.
pub(crate) struct Bye<'a> {
    pub(crate) target: &'a str,
    pub(crate) local: SocketAddr,
    pub(crate) branch: &'a str,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) call_id: &'a str,
}

impl Bye<'_> {
    /// As it goes over the wire.
    pub(crate) fn write(&self) -> Vec<u8> {
        let Self { target, local, branch, from, to, call_id } = self;
        let mut text = format!("BYE {target} SIP/2.0\r\n");
        // Writing to a string never fails.
        let _ = write!(
            text,
            "Via: SIP/2.0/UDP {local};branch={branch};rport\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\n\
             Call-ID: {call_id}\r\nCSeq: 1 BYE\r\n"
        );
        finish(text, "")
    }
}

fn finish(mut text: String, body: &str) -> Vec<u8> {
    if !body.is_empty() {
        push_line(&mut text, "Content-Type", "application/sdp");
    }
    push_line(&mut text, "Content-Length", &body.len().to_string());
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// The digits of a URI's user part: `sip:+8613800000001@192.0.2.1;user=phone` gives `8613800000001`.
pub(crate) fn user_digits(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once(':')?;
    let user = rest.split(['@', ';']).next()?;
    let digits = user.strip_prefix('+').unwrap_or(user);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// The URI inside a name-addr: `"x" <sip:a@b>;p=1` gives `sip:a@b`.
pub(crate) fn uri_of(name_addr: &str) -> &str {
    let inside = name_addr.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(|| name_addr.split(';').next().unwrap_or(name_addr).trim(), |(uri, _)| uri)
}

/// Where an SDP wants audio to be sent; `None` without a live audio line.
pub(crate) fn audio_address(sdp: &str) -> Option<SocketAddr> {
    let value = |prefix| sdp.lines().find_map(|line| line.strip_prefix(prefix));
    let address: IpAddr = value("c=IN IP4 ")?.trim().parse().ok()?;
    let port: u16 = value("m=audio ")?.split(' ').next()?.parse().ok()?;
    (port != 0).then_some(SocketAddr::new(address, port))
}

/// Our session description: A-law and nothing else.
pub(crate) fn a_law_answer(media: SocketAddr) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n\
         a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n",
        ip = media.ip(),
        port = media.port(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:+8613800000042@127.0.0.1:7001;user=phone SIP/2.0\r\n\
        Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKa;rport\r\nv: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKb\r\n\
        From: <sip:+8675500000001@127.0.0.1>;tag=f1\r\nTo: <sip:+8613800000042@127.0.0.1>\r\ni: c1\r\n\
        CSeq: 7 INVITE\r\nm: \"x\" <sip:127.0.0.1:5060>;p=1\r\nContent-Length: 4\r\n\r\nbody";

    #[test]
    fn an_invite_is_read() {
        let message = Message::parse(INVITE.as_bytes()).unwrap();
        let Some(Start::Request { method, uri }) = message.start() else { panic!("no request") };
        assert_eq!((method, user_digits(uri)), ("INVITE", Some("8613800000042")));
        assert_eq!(message.cseq(), Some((7, "INVITE")));
        assert_eq!(message.one("call-id"), Some("c1"));
        assert_eq!(message.all("Via").count(), 2);
        assert_eq!(uri_of(message.one("Contact").unwrap()), "sip:127.0.0.1:5060");
        assert!(!message.in_dialog());
        assert_eq!(message.body, "body");
    }

    #[test]
    fn a_reply_repeats_what_the_request_said_and_adds_a_tag() {
        let message = Message::parse(INVITE.as_bytes()).unwrap();
        let media = SocketAddr::from(([127, 0, 0, 1], 4000));
        let bytes = reply(200, &message.reply_head("t9"), Some(media), &a_law_answer(media));
        let answer = Message::parse(&bytes).unwrap();
        assert_eq!(answer.start(), Some(Start::Reply { code: 200 }));
        assert_eq!(
            answer.all("Via").collect::<Vec<_>>(),
            ["SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKa;rport", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKb"]
        );
        assert_eq!(answer.one("To"), Some("<sip:+8613800000042@127.0.0.1>;tag=t9"));
        assert!(answer.in_dialog());
        assert_eq!(answer.one("Content-Length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(audio_address(answer.body), Some(media));
    }

    #[test]
    fn a_bye_reads_back() {
        let bye = Bye {
            target: "sip:127.0.0.1:5060",
            local: SocketAddr::from(([127, 0, 0, 1], 7001)),
            branch: "z9hG4bKbye",
            from: "<sip:b>;tag=1",
            to: "<sip:a>;tag=2",
            call_id: "c1",
        };
        let bytes = bye.write();
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.start(), Some(Start::Request { method: "BYE", uri: "sip:127.0.0.1:5060" }));
        assert_eq!((message.cseq(), message.one("Call-ID")), (Some((1, "BYE")), Some("c1")));
    }

    #[test]
    fn what_is_no_sip_is_nothing() {
        for bytes in [&b""[..], b"\r\n\r\n", b"\xff\xff", b"INVITE sip:a SIP/2.0\r\nno colon\r\n\r\n"] {
            let start = Message::parse(bytes).map(|message| message.start().is_some());
            assert_ne!(start, Some(true), "{bytes:?}");
        }
        assert_eq!(user_digits("sip:ping@host"), None);
        assert_eq!(user_digits("sip:host"), None);
        assert_eq!(audio_address("c=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 8\r\n"), None);
    }
}
