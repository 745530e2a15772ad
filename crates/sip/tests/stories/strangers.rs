//! Who is no peer of ours, or speaks as one that he is not.

use std::net::SocketAddr;

use huihu_sip::digest::Credentials;

use crate::far::{Far, Reply};

fn elsewhere() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 9], 5060))
}

/// The value of a header of a message with these digits and letters in place of its own.
fn with(text: &str, header: &str, change: impl Fn(&str) -> String) -> String {
    let line = |line: &str| match line.strip_prefix(header) {
        Some(value) => format!("{header}{}\r\n", change(value)),
        None => format!("{line}\r\n"),
    };
    let (head, body) = text.split_once("\r\n\r\n").expect("a message has a head");
    format!("{}\r\n{body}", head.split("\r\n").map(line).collect::<String>())
}

/// The last digit or letter of a part is another one.
fn another(part: &str, value: &str) -> String {
    let at = value.find(part).map_or(0, |at| at + part.len());
    let end = value[at..].find([';', '@', ' ', '\r']).map_or(value.len(), |end| at + end);
    let last = if value[..end].ends_with('0') { '1' } else { '0' };
    format!("{}{last}{}", &value[..end - 1], &value[end..])
}

#[test]
fn an_answer_with_one_field_wrong_is_no_answer() {
    // RFC 3261 17.1.3: branch and method; the branch is 64 random bits, and the source is where the request went.
    let fields = [("branch", "Via: ", "branch="), ("method", "CSeq: ", "INVIT")];
    for (what, header, part) in fields {
        let mut far = Far::calling();
        let good = far.reply_text("INVITE", &Reply::new(200).contact().sdp());
        let sent = far.heard.len();
        far.says(with(&good, header, |value| another(part, value)));
        assert_eq!((far.story(), far.heard.len()), (String::new(), sent), "another {what}");
        far.says(good);
        assert!(far.story().starts_with("Answered"), "{what}: {}", far.story());
    }
    let mut far = Far::calling();
    let good = far.reply_text("INVITE", &Reply::new(200).contact().sdp());
    far.says_from(elsewhere(), &good);
    assert_eq!(far.story(), "", "from elsewhere");
}

#[test]
fn a_bye_with_one_field_wrong_ends_nothing() {
    let bye = |far: &Far| {
        let invite = far.last("INVITE");
        let own = |name: &str| {
            invite.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
        };
        format!(
            "BYE sip:10.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbye;rport\r\nFrom: {};tag=far\r\n\
             To: {}\r\nCall-ID: {}\r\nCSeq: 200 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            own("To: "),
            own("From: "),
            own("Call-ID: "),
        )
    };
    for (what, header, part) in
        [("our tag", "To: ", "tag="), ("their tag", "From: ", "tag="), ("call", "Call-ID: ", "")]
    {
        let mut far = Far::talking();
        let story = far.story();
        let good = bye(&far);
        far.says(with(&good, header, |value| another(part, value)));
        assert_eq!(far.story(), story, "another {what}");
        assert!(far.last("SIP/2.0").starts_with("SIP/2.0 481"), "{what}: {}", far.last("SIP/2.0"));
        far.says(with(&good, "Via: ", |value| value.replace("bye", "second")));
        assert!(far.story().contains("Ended by peer"), "{what}: {}", far.story());
    }
    let mut far = Far::talking();
    let (story, good, sent) = (far.story(), bye(&far), far.heard.len());
    far.says_from(elsewhere(), good);
    assert_eq!((far.story(), far.heard.len()), (story, sent), "from elsewhere");
}

#[test]
fn who_asks_without_end_fills_nothing_and_keeps_nobody_from_being_heard() {
    let mut far = Far::talking();
    let idle = far.near.load();
    for number in 0..3_000 {
        let (method, tag) =
            [("OPTIONS", ""), ("INVITE", ""), ("BYE", ";tag=x"), ("REGISTER", "")][number % 4];
        far.says(format!(
            "{method} sip:a@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK{number};rport\r\n\
             From: <sip:x@h>;tag=1\r\nTo: <sip:a@h>{tag}\r\nCall-ID: c{number}\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:b@10.0.0.2>\r\n\r\n"
        ));
    }
    assert_eq!(far.near.load(), idle, "nothing is remembered of them");
    assert_eq!((far.count("SIP/2.0"), far.near.ignored().floods), (1_000, 2_000));
    far.asks("BYE", "", "");
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 200"), "a call of ours is another matter");
    far.run_out();
}

const CHALLENGE: &str = "Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"n1\", qop=\"auth\"";

fn far_with(credentials: Credentials) -> Far {
    let mut far = Far::new();
    far.call(|invite| invite.credentials = Some(credentials));
    far
}

fn credentials() -> Credentials {
    Credentials::new("user".into(), "secret".into())
}

/// How many messages of ours have a proof in them.
fn proofs(far: &Far) -> usize {
    far.heard.iter().filter(|(_, text)| text.contains("Authorization: Digest")).count()
}

#[test]
fn a_stranger_who_asks_for_a_proof_gets_none() {
    let mut far = far_with(credentials());
    let reply = far.reply_text("INVITE", &Reply::new(407).header(CHALLENGE));
    far.says_from(elsewhere(), reply);
    assert_eq!(proofs(&far), 0);
    far.replies("INVITE", Reply::new(407).header(CHALLENGE));
    assert!(proofs(&far) > 0, "the trunk itself is answered");
}

#[test]
fn a_party_that_is_called_gets_no_proof_of_the_trunks_password() {
    // By the trunk: it asks in its own name, behind the trunk's own question or in place of it.
    let own = CHALLENGE.replace("\"trunk\"", "\"party\"");
    for stale in ["", ", stale=true"] {
        let mut far = far_with(credentials());
        far.replies("INVITE", Reply::new(407).tag("").header(CHALLENGE));
        let before = proofs(&far);
        far.replies("INVITE", Reply::new(407).header(&format!("{own}{stale}")));
        assert!(far.story().contains("Failed"), "{}", far.story());
        assert_eq!(far.heard.iter().filter(|(_, text)| text.contains("realm=\"party\"")).count(), 0);
        assert!(proofs(&far) <= before + 1, "the ACK repeats the proof of its INVITE");
    }
    let mut far = far_with(credentials().of_realm("trunk"));
    far.replies("INVITE", Reply::new(407).header(&own));
    assert_eq!(proofs(&far), 0, "where the realm is known no other one is answered at all");
    // By itself: a trunk without Record-Route leaves the dialog to the party, who then asks about our BYE.
    let mut far = far_with(credentials());
    far.replies("INVITE", Reply::new(200).header("Contact: <sip:b@203.0.113.9:5060>").sdp());
    far.hang_up();
    assert_eq!(far.heard.last().map(|(to, _)| *to), Some(elsewhere()), "the BYE goes to the party");
    let reply = far.reply_text("BYE", &Reply::new(407).header(CHALLENGE));
    far.says_from(elsewhere(), reply);
    assert_eq!(proofs(&far), 0);
    // Asking us does not help either: what a party sends is no response.
    let mut far = far_with(credentials());
    far.replies("INVITE", Reply::new(200).contact().sdp());
    for method in ["INVITE", "BYE"] {
        far.asks(method, &format!("{CHALLENGE}\r\n"), "");
    }
    assert_eq!(proofs(&far), 0);
}
