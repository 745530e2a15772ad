//! What a call costs in allocations: a budget, so that nobody spends it without noticing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use base::time::Instant;
use huihu_sip::{Endpoint, Invite, LegKey, Output, Outputs, PeerRule, Privacy, Settings};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "an allocator that counts what the system's does")]
// SAFETY: everything is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SDP: &str =
    "v=0\r\no=- 2 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4002 RTP/AVP 8\r\n";

/// A response of the far end to the last request of this method in `out`.
fn reply(out: &[Output], method: &str, status: u16) -> String {
    let mut texts = out.iter().filter_map(|output| match output {
        Output::Send { datagram, .. } => Some(String::from_utf8_lossy(datagram).into_owned()),
        _ => None,
    });
    let request = texts.rfind(|text| text.starts_with(method)).expect("it was sent");
    let copied: String = request
        .lines()
        .filter(|line| ["Via", "From", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(name)))
        .map(|line| format!("{line}\r\n"))
        .collect();
    format!(
        "SIP/2.0 {status} X\r\n{copied}To: <sip:b@10.0.0.2>;tag=far\r\nContact: <sip:b@10.0.0.2:5060>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    )
}

fn counted(step: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    step();
    COUNT.with(Cell::get) - before
}

/// Calls of which the last is looked at, when the others are forgotten: enough of them to leave room in every part of a table.
const CALLS: u64 = 2_000;
const FORGOTTEN: Duration = Duration::from_secs(60);

#[test]
fn a_call_keeps_to_its_budget() {
    let peer = SocketAddr::from(([10, 0, 0, 2], 5060));
    let mut settings = Settings::new("10.0.0.1:5060");
    settings.peers = vec![PeerRule::Socket(peer)];
    let mut near = Endpoint::new(settings, 7);
    let mut out = Outputs::with_capacity(64);
    let mut spent = Vec::new();
    // The first calls make the room that later ones find when those are forgotten.
    for number in 1..=CALLS {
        let leg = LegKey(number);
        let invite = Invite {
            peer: peer.into(),
            request_uri: "sip:+8613800000000@10.0.0.2".parse().unwrap(),
            from: "<sip:+8675500000000@10.0.0.1>".parse().unwrap(),
            to: "<sip:+8613800000000@10.0.0.2>".parse().unwrap(),
            contact: "<sip:10.0.0.1:5060>".parse().unwrap(),
            call_id: format!("call-{number}"),
            from_tag: "near".into(),
            branch: format!("z9hG4bK{number}"),
            offer: SDP.as_bytes().to_vec(),
            credentials: None,
            asserted_identity: None,
            privacy: Privacy::Unsaid,
            redirects_max: 0,
            redirects_to: Vec::new(),
            supported_100rel: true,
            headers: Vec::new(),
        };
        let now = Instant::from_millis(number);
        let now = if number == CALLS { now + FORGOTTEN } else { now };
        near.on_time(now, &mut out);
        out.clear();
        spent.clear();
        spent.push(counted(|| near.invite(leg, invite, now, &mut out)));
        for status in [100, 180, 200] {
            let response = reply(&out, "INVITE", status);
            spent.push(counted(|| near.receive(peer, response.as_bytes(), now, &mut out)));
        }
        spent.push(counted(|| near.hang_up(leg, None, now, &mut out)));
        let response = reply(&out, "BYE", 200);
        spent.push(counted(|| near.receive(peer, response.as_bytes(), now, &mut out)));
        out.clear();
    }
    // INVITE, 100, 180, 200 with its ACK, BYE, and the 200 that ends it.
    let budget = [9, 0, 5, 6, 4, 0];
    assert!(spent.iter().zip(budget).all(|(spent, allowed)| *spent <= allowed), "{spent:?} of {budget:?}");
}
