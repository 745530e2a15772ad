//! What went over a trunk's wire, as sipp logged it.

/// Every message, in order.
#[derive(Clone, Debug)]
pub struct Trace(Vec<Message>);

/// A SIP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whether the trunk received it, and did not send it.
    pub received: bool,
    /// Start line, headers and body.
    pub text: String,
}

impl Trace {
    /// Reads sipp's message log.
    ///
    /// # Panics
    /// When it is no such log.
    #[must_use]
    pub fn parse(log: &str) -> Self {
        let messages = log.split("-----------------------------------------------").skip(1).map(|entry| {
            let (title, text) = entry.split_once("\n\n").expect("a title and a message");
            Message { received: title.contains("received"), text: text.replace('\r', "").trim().to_owned() }
        });
        Self(messages.collect())
    }

    /// The messages of the leg that dialled a number, without repetitions.
    #[must_use]
    pub fn leg(&self, dialled: &str) -> Vec<&Message> {
        let number = format!("<sip:{dialled}@");
        let mut messages: Vec<&Message> = Vec::new();
        for message in &self.0 {
            let is_theirs = ["From", "To"].iter().any(|name| message.header(name).contains(&number));
            if is_theirs && !messages.contains(&message) {
                messages.push(message);
            }
        }
        messages
    }

    /// A leg in one line, such as `>INVITE <180 >CANCEL <200 <487 >ACK`: `>` came to the trunk, `<` came from it.
    /// Repetitions and 100 are left out; an empty line is a leg that was never dialled.
    #[must_use]
    pub fn story(&self, dialled: &str) -> String {
        let words = self.leg(dialled).into_iter().filter(|message| message.word() != "100");
        let words =
            words.map(|message| format!("{}{}", if message.received { '>' } else { '<' }, message.word()));
        words.collect::<Vec<_>>().join(" ")
    }
}

impl Message {
    /// The method or the status.
    #[must_use]
    pub fn word(&self) -> &str {
        let mut words = self.text.split(' ');
        match words.next() {
            Some("SIP/2.0") => words.next().unwrap_or(""),
            method => method.unwrap_or(""),
        }
    }

    /// The value of a header; empty when there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let head = self.text.split("\n\n").next().unwrap_or("");
        let is_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
        head.lines().find(is_it).map_or("", |line| line[name.len() + 1..].trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
----------------------------------------------- 2026-11-22 08:22:27.833194
UDP message received [62] bytes :

INVITE sip:+861@127.0.0.1 SIP/2.0\r
To: <sip:+861@127.0.0.1>\r
\r
v=0\r

----------------------------------------------- 2026-11-22 08:22:27.833466
UDP message sent (38 bytes):

SIP/2.0 486 Busy Here
To: <sip:+861@127.0.0.1>;tag=1
Reason: Q.850;cause=17

----------------------------------------------- 2026-11-22 08:22:27.933466
UDP message sent (38 bytes):

SIP/2.0 486 Busy Here
To: <sip:+861@127.0.0.1>;tag=1
Reason: Q.850;cause=17

";

    #[test]
    fn a_leg_is_told_in_one_line() {
        let trace = Trace::parse(LOG);
        assert_eq!(trace.story("+861"), ">INVITE <486");
        assert_eq!(trace.story("+86"), "");
        assert_eq!(trace.leg("+861")[1].header("Reason"), "Q.850;cause=17");
    }
}
