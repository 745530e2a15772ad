//! One endpoint of ours and a far end that the story speaks for, word by word.

use std::net::SocketAddr;
use std::time::Duration;

use base::time::{Instant, Timestamp};
use huihu_sip::{
    Endpoint, Event, Hop, Invite, LegKey, Output, Outputs, PeerRule, Privacy, RegistrationState, Settings,
    Transport,
};

pub(crate) const LEG: LegKey = LegKey(1);
pub(crate) const SDP: &str =
    "v=0\r\no=- 2 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4002 RTP/AVP 8\r\n";

pub(crate) struct Far {
    pub(crate) near: Endpoint,
    pub(crate) now: Instant,
    /// What our endpoint sent, oldest first, with where it went.
    pub(crate) heard: Vec<(SocketAddr, String)>,
    /// By which transport each of them went.
    pub(crate) ways: Vec<Transport>,
    /// What our endpoint told.
    pub(crate) told: Vec<(LegKey, Event)>,
    pub(crate) pongs: Vec<Option<u16>>,
    /// Where the pinged saw us, and when by their clock, as far as they said.
    pub(crate) sightings: Vec<(Option<SocketAddr>, Option<Timestamp>)>,
    pub(crate) registrations: Vec<RegistrationState>,
    /// Where the far end is, and how it talks.
    pub(crate) from: Hop,
    cseq: u32,
    sent: u32,
}

/// A response of the far end: `Reply::new(180).tag("a").header("Contact: <sip:b@10.0.0.2>")`.
pub(crate) struct Reply {
    status: u16,
    tag: &'static str,
    headers: String,
    body: String,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, tag: "far", headers: String::new(), body: String::new() }
    }

    pub(crate) fn tag(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    pub(crate) fn header(mut self, line: &str) -> Self {
        self.headers.push_str(line);
        self.headers.push_str("\r\n");
        self
    }

    pub(crate) fn contact(self) -> Self {
        self.header("Contact: <sip:b@10.0.0.2:5060>")
    }

    pub(crate) fn sdp(mut self) -> Self {
        self.body = SDP.to_owned();
        self.header("Content-Type: application/sdp")
    }
}

impl Far {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let from = SocketAddr::from(([10, 0, 0, 2], 5060));
        let mut settings = Settings::new("10.0.0.1:5060");
        settings.peers = vec![PeerRule::Host(from.ip())];
        change(&mut settings);
        Self {
            near: Endpoint::new(settings, 7),
            now: Instant::from_millis(1),
            heard: Vec::new(),
            ways: Vec::new(),
            told: Vec::new(),
            pongs: Vec::new(),
            sightings: Vec::new(),
            registrations: Vec::new(),
            from: from.into(),
            cseq: 100,
            sent: 0,
        }
    }

    /// Our endpoint calls the far end.
    pub(crate) fn calling() -> Self {
        let mut far = Self::new();
        far.call(|_| {});
        far
    }

    /// Our endpoint has called the far end, which answered.
    pub(crate) fn talking() -> Self {
        let mut far = Self::calling();
        far.replies("INVITE", Reply::new(200).contact().sdp());
        far
    }

    pub(crate) fn call(&mut self, change: impl FnOnce(&mut Invite)) {
        let mut invite = invite(self.from.address);
        invite.peer = self.from;
        change(&mut invite);
        self.act(|near, now, out| near.invite(LEG, invite, now, out));
    }

    pub(crate) fn hang_up(&mut self) {
        self.act(|near, now, out| near.hang_up(LEG, None, now, out));
    }

    pub(crate) fn act(&mut self, act: impl FnOnce(&mut Endpoint, Instant, &mut Outputs)) {
        let mut out = Outputs::new();
        act(&mut self.near, self.now, &mut out);
        for output in out {
            match output {
                Output::Send { to, transport, datagram } => {
                    self.ways.push(transport);
                    self.heard.push((to, String::from_utf8_lossy(&datagram).into_owned()));
                }
                Output::Event { leg, event } => self.told.push((leg, event)),
                Output::Pong { status, round_trip, seen_as, date, .. } => {
                    assert_eq!(status.is_some(), round_trip.is_some());
                    self.pongs.push(status);
                    self.sightings.push((seen_as, date));
                }
                Output::Registration { state, .. } => self.registrations.push(state),
            }
        }
    }

    /// The far end sends these bytes.
    pub(crate) fn says(&mut self, datagram: impl AsRef<[u8]>) {
        let from = self.from;
        self.says_from(from, datagram);
    }

    pub(crate) fn says_from(&mut self, from: impl Into<Hop>, datagram: impl AsRef<[u8]>) {
        let from = from.into();
        self.act(|near, now, out| near.receive(from, datagram.as_ref(), now, out));
    }

    /// The far end answers the last request of this method that it heard.
    #[expect(clippy::needless_pass_by_value, reason = "a reply is built where it is said")]
    pub(crate) fn replies(&mut self, method: &str, reply: Reply) {
        let text = self.reply_text(method, &reply);
        self.says(text);
    }

    pub(crate) fn reply_text(&self, method: &str, reply: &Reply) -> String {
        let request = self.last(method);
        let copied = |name: &str| -> String {
            let lines = request.lines().filter(|line| line.starts_with(name));
            lines.map(|line| format!("{line}\r\n")).collect()
        };
        let to = copied("To: ");
        let to = if to.contains(";tag=") || reply.tag.is_empty() {
            to
        } else {
            format!("{};tag={}\r\n", to.trim_end(), reply.tag)
        };
        format!(
            "SIP/2.0 {} Whatever\r\n{}{}{to}{}{}{}Content-Length: {}\r\n\r\n{}",
            reply.status,
            copied("Via: "),
            copied("From: "),
            copied("Call-ID: "),
            copied("CSeq: "),
            reply.headers,
            reply.body.len(),
            reply.body
        )
    }

    /// The far end sends a request inside the dialog with this tag of its own.
    pub(crate) fn asks(&mut self, method: &str, headers: &str, body: &str) {
        self.cseq += 1;
        let cseq = self.cseq;
        self.asks_with(method, cseq, headers, body);
    }

    pub(crate) fn asks_with(&mut self, method: &str, cseq: u32, headers: &str, body: &str) {
        let invite = self.last("INVITE");
        let our = |name: &str| {
            invite.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
        };
        let (ours, theirs, call_id) = (our("From: "), our("To: "), our("Call-ID: "));
        let theirs = if theirs.contains(";tag=") { theirs } else { format!("{theirs};tag=far") };
        self.sent += 1;
        let text = format!(
            "{method} sip:10.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/{} 10.0.0.2:5060;branch=z9hG4bKfar{};rport\r\n\
             From: {theirs}\r\nTo: {ours}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n\
             Contact: <sip:b@10.0.0.2:5060>\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            self.from.transport.as_str(),
            self.sent,
            body.len()
        );
        self.says(text);
    }

    /// The last message that begins so.
    pub(crate) fn last(&self, start: &str) -> &str {
        let found = self.heard.iter().rev().find(|(_, text)| text.starts_with(start));
        found.map(|(_, text)| text.as_str()).expect("it was sent")
    }

    /// The value of a header in the last message that begins so.
    pub(crate) fn header(&self, start: &str, name: &str) -> String {
        let prefix = format!("{name}: ");
        let lines = self.last(start).lines().filter_map(|line| line.strip_prefix(&prefix));
        lines.collect::<Vec<_>>().join(" | ")
    }

    /// How many messages began so.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.heard.iter().filter(|(_, text)| text.starts_with(start)).count()
    }

    /// How many requests of this method there were, repetitions left aside.
    pub(crate) fn tries(&self, method: &str) -> usize {
        let requests = self.heard.iter().filter(|(_, text)| text.starts_with(method));
        let numbers = requests.filter_map(|(_, text)| text.lines().find(|line| line.starts_with("CSeq: ")));
        numbers.collect::<std::collections::HashSet<_>>().len()
    }

    /// What was sent, in one line: methods and statuses.
    pub(crate) fn wire(&self) -> String {
        let heads = self.heard.iter().map(|(_, text)| {
            let mut words = text.split(' ');
            let first = words.next().unwrap_or_default();
            if first == "SIP/2.0" { words.next().unwrap_or_default().to_owned() } else { first.to_owned() }
        });
        heads.collect::<Vec<_>>().join(" ")
    }

    /// What was told of the leg, in one line.
    pub(crate) fn story(&self) -> String {
        self.told.iter().map(|(_, event)| format!("{event:?}")).collect::<Vec<_>>().join(", ")
    }

    /// Lets so many milliseconds pass.
    pub(crate) fn wait(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.near.deadline().filter(|&at| at <= end) {
            self.now = at.max(self.now);
            self.act(|near, now, out| near.on_time(now, out));
        }
        self.now = end;
    }

    /// Lets all timers run out, and sees that nothing is left.
    pub(crate) fn run_out(&mut self) {
        while let Some(at) = self.near.deadline() {
            self.now = at.max(self.now);
            self.act(|near, now, out| near.on_time(now, out));
        }
        assert_eq!(self.near.load(), huihu_sip::Load::default(), "{}", self.story());
    }
}

pub(crate) fn invite(peer: SocketAddr) -> Invite {
    Invite {
        peer: peer.into(),
        request_uri: format!("sip:+8613800000000@{peer}").parse().expect("it is well-formed"),
        from: "<sip:+8675500000000@10.0.0.1>".parse().expect("it is well-formed"),
        to: "<sip:+8613800000000@10.0.0.2>".parse().expect("it is well-formed"),
        contact: "<sip:10.0.0.1:5060>".parse().expect("it is well-formed"),
        call_id: "call-1".into(),
        from_tag: "near".into(),
        branch: "z9hG4bKfirst".into(),
        offer: SDP.as_bytes().to_vec(),
        credentials: None,
        asserted_identity: None,
        privacy: Privacy::Unsaid,
        redirects_max: 0,
        redirects_to: Vec::new(),
        supported_100rel: true,
        headers: Vec::new(),
    }
}
