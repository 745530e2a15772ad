//! Scenarios for sipp that are told step by step: what a called far end does in one call, and what it must hear.
//!
//! sipp fails when anything else comes than the next step.

use std::fmt::Write as _;

use crate::sipp::Sipp;

/// A telephone that is called, up to some step.
#[derive(Clone, Debug)]
pub struct Scenario {
    steps: String,
    cseq: u32,
}

impl Scenario {
    /// It hears the INVITE.
    #[must_use]
    pub fn called() -> Self {
        Self { steps: String::new(), cseq: 0 }.hears_and(
            "INVITE",
            r#"<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="target"/>
               <ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
               <ereg regexp=".*" search_in="hdr" header="To:" assign_to="number"/>
               <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
               <ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>"#,
        )
    }

    /// It replies to the request that came last: `180 Ringing`. Headers end with line breaks; a body is SDP.
    #[must_use]
    pub fn replies(self, status: &str, headers: &str, body: &str) -> Self {
        let head = format!(
            "SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n\
             Contact: <sip:[local_ip]:[local_port]>\n"
        );
        self.send("", &head, headers, body)
    }

    /// The same to the INVITE that called it, as one of several telephones that it may be.
    #[must_use]
    pub fn replies_as(self, fork: &str, status: &str, headers: &str, body: &str) -> Self {
        let head = reply_to_the_call(fork, status);
        self.send("", &head, headers, body)
    }

    /// It answers the call, and hears the ACK.
    #[must_use]
    pub fn answers(self, headers: &str, body: &str) -> Self {
        self.answers_as("1", headers, body)
    }

    /// The same as one of several telephones.
    #[must_use]
    pub fn answers_as(self, fork: &str, headers: &str, body: &str) -> Self {
        let head = reply_to_the_call(fork, "200 OK");
        self.send(RETRANSMITTED, &head, headers, body)
            .hears_and("ACK", r#"<ereg regexp=".*" search_in="hdr" header="To:" assign_to="callee"/>"#)
    }

    /// It sends a request inside the call, again and again until there is a response.
    #[must_use]
    pub fn asks(mut self, method: &str, headers: &str, body: &str) -> Self {
        self.cseq += 1;
        let head = self.request(method);
        let mut this = self.send(RETRANSMITTED, &head, headers, body);
        if method == "INVITE" {
            this.steps.push_str("<recv response=\"100\" optional=\"true\"/>\n");
        }
        this
    }

    /// It asks before the call is answered, in the early dialog.
    #[must_use]
    pub fn asks_early(mut self, method: &str, headers: &str, body: &str) -> Self {
        self.cseq += 1;
        let head = self.request(method).replace("[$callee]", "[$number];tag=1");
        self.send(RETRANSMITTED, &head, headers, body)
    }

    /// It hears this status.
    #[must_use]
    pub fn gets(mut self, status: u16) -> Self {
        writeln!(self.steps, "<recv response=\"{status}\"/>").expect("a string takes any text");
        self
    }

    /// It acknowledges a 200 to its INVITE.
    #[must_use]
    pub fn confirms(self, body: &str) -> Self {
        let head = self.request("ACK");
        self.send("", &head, "", body)
    }

    /// It acknowledges that its INVITE was refused.
    #[must_use]
    pub fn regrets(self) -> Self {
        let head = self.request("ACK");
        let via = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n";
        self.send("", &head.replace(via, "[last_Via:]\n"), "", "")
    }

    /// It hears a request.
    #[must_use]
    pub fn hears(self, method: &str) -> Self {
        self.hears_and(method, "")
    }

    /// It hears a request that it replies to later, with [`Scenario::replies_late`].
    #[must_use]
    pub fn hears_first(self, method: &str) -> Self {
        self.hears_and(
            method,
            r#"<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
               <ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>"#,
        )
    }

    /// It replies to the request that it heard first.
    #[must_use]
    pub fn replies_late(self, status: &str, headers: &str, body: &str) -> Self {
        let head = reply_to_the_call("1", status).replace("[$number];tag=1", "[$callee]");
        self.send("", &head, headers, body)
    }

    /// Then it does what another scenario says.
    #[must_use]
    pub fn then(mut self, other: &Self) -> Self {
        self.steps.push_str(&other.steps);
        self
    }

    /// Nothing is heard or said for a while.
    #[must_use]
    pub fn rests(mut self, millis: u32) -> Self {
        writeln!(self.steps, "<pause milliseconds=\"{millis}\"/>").expect("a string takes any text");
        self
    }

    /// It hangs up.
    #[must_use]
    pub fn hangs_up(self) -> Self {
        self.asks("BYE", "", "").gets(200)
    }

    /// It is hung up.
    #[must_use]
    pub fn is_hung_up(self) -> Self {
        self.hears("BYE").replies("200 OK", "", "")
    }

    /// Starts a sipp that plays it once.
    #[must_use]
    pub fn play(&self) -> Sipp {
        let all = "target,caller,number,via,cseq,callee";
        let scenario = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"told\">\n{}\n\
             <nop><action><assignstr assign_to=\"callee\" value=\"\"/></action></nop>\n\
             <Reference variables=\"{all}\"/>\n</scenario>\n",
            self.steps
        );
        Sipp::play_text(&scenario, 1, &[])
    }

    fn request(&self, method: &str) -> String {
        format!(
            "{method} [$target] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
             From: [$callee]\nTo: [$caller]\n[last_Call-ID:]\nCSeq: {} {method}\nMax-Forwards: 70\n\
             Contact: <sip:[local_ip]:[local_port]>\n",
            self.cseq
        )
    }

    fn hears_and(mut self, method: &str, actions: &str) -> Self {
        let actions = if actions.is_empty() { String::new() } else { format!("<action>{actions}</action>") };
        writeln!(self.steps, "<recv request=\"{method}\">{actions}</recv>").expect("a string takes any text");
        self
    }

    fn send(mut self, how: &str, head: &str, headers: &str, body: &str) -> Self {
        let kind = if body.is_empty() || headers.contains("Content-Type") {
            ""
        } else {
            "Content-Type: application/sdp\n"
        };
        let message = format!("{head}{headers}{kind}Content-Length: [len]\n\n{body}");
        writeln!(self.steps, "<send{how}><![CDATA[\n\n{message}\n]]></send>")
            .expect("a string takes any text");
        self
    }
}

fn reply_to_the_call(fork: &str, status: &str) -> String {
    format!(
        "SIP/2.0 {status}\nVia:[$via]\nFrom:[$caller]\nTo:[$number];tag={fork}\n[last_Call-ID:]\nCSeq:[$cseq]\n\
         Contact: <sip:[local_ip]:[local_port]>\n"
    )
}

/// How a step is sent again while nothing comes back.
const RETRANSMITTED: &str = " retrans=\"500\"";
