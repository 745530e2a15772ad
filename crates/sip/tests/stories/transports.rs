//! The same calls by connections: what stands in the messages, what is not sent again, and what becomes of requests that
//! are too large for a datagram or reach nobody.

use std::net::SocketAddr;

use huihu_sip::{Header, Hop, LegKey, PeerRule, Ring, SentBy, Sips, Transport, Viewer};

use crate::far::{Far, LEG, Reply, SDP};

/// A far end that talks by this transport.
fn far_by(transport: Transport) -> Far {
    let mut far = Far::with(|settings| {
        settings.accept_calls = true;
        settings.transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
        settings.sent_by.tls = Some("10.0.0.1:5061".into());
    });
    far.from.transport = transport;
    far
}

fn calling_by(transport: Transport) -> Far {
    let mut far = far_by(transport);
    far.call(|_| {});
    far
}

#[test]
fn via_and_contact_say_how_we_are_reached() {
    for (transport, via, contact) in [
        (Transport::Udp, "SIP/2.0/UDP 10.0.0.1:5060;", "<sip:10.0.0.1:5060>"),
        (Transport::Tcp, "SIP/2.0/TCP 10.0.0.1:5060;", "<sip:10.0.0.1:5060;transport=tcp>"),
        (Transport::Tls, "SIP/2.0/TLS 10.0.0.1:5061;", "<sip:10.0.0.1:5060;transport=tls>"),
    ] {
        let mut far = calling_by(transport);
        assert!(far.header("INVITE", "Via").starts_with(via), "{}", far.header("INVITE", "Via"));
        assert_eq!(far.header("INVITE", "Contact"), contact);
        far.replies("INVITE", Reply::new(200).contact().sdp());
        far.hang_up();
        far.replies("BYE", Reply::new(200));
        for method in ["ACK", "BYE"] {
            assert!(far.header(method, "Via").starts_with(via), "{method}");
        }
        assert!(far.ways.iter().all(|way| *way == transport), "the dialog stays where it began");
        assert_eq!(far.story(), "Answered fork 0 sdp, Ended by us");
        far.run_out();
    }
}

#[test]
fn who_reaches_us_elsewhere_is_told_so() {
    let elsewhere = SentBy { udp: "192.0.2.7:5060".into(), ..SentBy::default() };
    for (viewer, via) in [
        (Viewer::Host([10, 0, 0, 2].into()), "SIP/2.0/UDP 192.0.2.7:5060;"),
        (Viewer::Host([10, 0, 0, 3].into()), "SIP/2.0/UDP 10.0.0.1:5060;"),
        (Viewer::Ipv6, "SIP/2.0/UDP 10.0.0.1:5060;"),
    ] {
        let mut far = Far::with(|settings| settings.elsewhere = vec![(viewer, elsewhere.clone())]);
        far.call(|_| {});
        // The carrier's proxy stands elsewhere; it is the carrier who knows us.
        far.replies("INVITE", Reply::new(200).header("Contact: <sip:b@10.0.0.4>").sdp());
        far.hang_up();
        for method in ["INVITE", "ACK", "BYE"] {
            let written = far.header(method, "Via");
            assert!(written.starts_with(via), "{viewer:?}: {written}");
        }
    }
}

#[test]
fn a_contact_may_move_the_dialog_to_another_transport() {
    let mut far = calling_by(Transport::Udp);
    far.replies("INVITE", Reply::new(200).header("Contact: <sip:b@10.0.0.2:5070;transport=tcp>").sdp());
    far.hang_up();
    assert_eq!(far.ways, [Transport::Udp, Transport::Tcp, Transport::Tcp]);
    assert!(far.header("BYE", "Via").starts_with("SIP/2.0/TCP "));

    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(200).header("Contact: <sip:b@10.0.0.2:5070;transport=tcp>").sdp());
    assert_eq!(far.ways, [Transport::Udp, Transport::Udp], "but not where nothing carries it");
}

#[test]
fn by_a_connection_nothing_is_sent_again_but_the_answer() {
    let mut far = calling_by(Transport::Tcp);
    far.wait(33_000);
    assert_eq!((far.wire().as_str(), far.story().as_str()), ("INVITE", "Failed 408 local"));
    far.run_out();

    let mut far = calling_by(Transport::Tcp);
    far.replies("INVITE", Reply::new(200).contact().sdp());
    far.hang_up();
    far.wait(10_000);
    assert_eq!(far.wire(), "INVITE ACK BYE");

    // The ACK of a 2xx goes end to end, over hops that may lose it (RFC 3261 13.3.1.4).
    let mut far = called_by(Transport::Tcp);
    far.act(|near, now, out| near.answer(LegKey(LegKey::INCOMING), SDP.as_bytes(), now, out));
    far.wait(1_600);
    assert_eq!(far.wire(), "100 200 200 200");
}

/// The far end has called by this transport, from a port that its system chose.
fn called_by(transport: Transport) -> Far {
    let mut far = far_by(transport);
    far.from.address.set_port(49_152);
    far.says(format!(
        "INVITE sip:a@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{} 10.0.0.2:5060;branch=z9hG4bKin\r\nFrom: <sip:b@h>;tag=far\r\n\
         To: <sip:a@h>\r\nCall-ID: in\r\nCSeq: 7 INVITE\r\nContact: <sip:b@10.0.0.2:5060>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
        transport.as_str(),
        SDP.len()
    ));
    far
}

#[test]
fn responses_go_back_the_way_the_request_came() {
    let mut far = called_by(Transport::Tls);
    let incoming = LegKey(LegKey::INCOMING);
    let ring = Ring { status: 180, sdp: None, reliably: false };
    far.act(|near, now, out| near.ring(incoming, ring, now, out));
    far.act(|near, now, out| near.reject(incoming, 486, None, now, out));
    assert!(far.heard.iter().all(|(to, _)| to.to_string() == "10.0.0.2:49152"));
    assert!(far.ways.iter().all(|way| *way == Transport::Tls));
    assert_eq!(far.header("SIP/2.0 180", "Contact"), "<sip:10.0.0.1:5061;transport=tls>");
    far.wait(5_000);
    assert_eq!(far.wire(), "100 180 486", "a refusal is sent once");
}

#[test]
fn an_answer_by_another_way_than_the_request_is_none() {
    let mut far = calling_by(Transport::Tcp);
    let answer = far.reply_text("INVITE", &Reply::new(200).contact().sdp());
    far.says_from(far.from.address, &answer);
    far.says_from(Hop::new(Transport::Tcp, ([10, 0, 0, 9], 5060).into()), &answer);
    assert_eq!((far.story(), far.near.ignored().strays), (String::new(), 2));
    far.says_from(Hop::new(Transport::Tcp, ([10, 0, 0, 2], 40_000).into()), &answer);
    assert_eq!(far.story(), "Answered fork 0 sdp", "the port of a connection is any");
}

#[test]
fn a_peer_with_a_port_is_known_by_any_port_of_its_connections() {
    let socket: SocketAddr = ([10, 0, 0, 2], 5060).into();
    let rule = PeerRule::Socket(socket);
    let from = SocketAddr::from(([10, 0, 0, 2], 40_000));
    assert!(rule.covers(Hop::new(Transport::Tcp, from)) && !rule.covers(from) && rule.covers(socket));
}

/// A call whose INVITE has more than 1300 bytes, to a peer that may take TCP too.
fn large(also_tcp: bool) -> Far {
    let mut far = Far::with(|settings| {
        settings.sent_by.tcp = Some("10.0.0.1:5080".into());
        if also_tcp {
            settings.large_by_tcp = vec![PeerRule::Host([10, 0, 0, 2].into())];
        }
    });
    let header = Header::new("User-to-User", &"ab".repeat(250)).expect("it is free");
    far.call(|invite| invite.headers = vec![header.clone(), header]);
    far
}

#[test]
fn a_request_too_large_for_a_datagram_goes_by_tcp_where_that_is_taken() {
    let far = large(false);
    assert_eq!(far.ways, [Transport::Udp]);
    let mut far = large(true);
    assert_eq!(far.ways, [Transport::Tcp]);
    assert!(far.header("INVITE", "Via").starts_with("SIP/2.0/TCP 10.0.0.1:5080;rport;branch=z9hG4bKfirst"));
    far.wait(5_000);
    assert_eq!(far.wire(), "INVITE", "a connection repeats nothing");
    far.from.transport = Transport::Tcp;
    far.replies("INVITE", Reply::new(200).contact().sdp());
    far.hang_up();
    assert_eq!(far.ways, [Transport::Tcp, Transport::Udp, Transport::Udp], "small ones need no connection");
}

#[test]
fn a_large_request_that_finds_no_connection_goes_as_a_datagram_after_all() {
    let mut far = large(true);
    let (to, invite) = far.heard[0].clone();
    let tcp = Hop::new(Transport::Tcp, to);
    far.act(|near, now, out| near.undelivered(tcp, invite.as_bytes(), now, out));
    assert_eq!(far.ways, [Transport::Tcp, Transport::Udp]);
    assert!(far.header("INVITE", "Via").starts_with("SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKfirst"));
    assert!(far.last("INVITE").ends_with(SDP));
    far.wait(600);
    assert_eq!(far.count("INVITE"), 3, "and is repeated like one");
    far.act(|near, now, out| near.undelivered(tcp, invite.as_bytes(), now, out));
    far.replies("INVITE", Reply::new(486));
    assert_eq!(far.story(), "Failed 486");
    far.run_out();
}

#[test]
fn what_reaches_nobody_fails_at_once() {
    let mut far = calling_by(Transport::Tcp);
    let (hop, invite) = (far.from, far.heard[0].1.clone());
    far.act(|near, now, out| near.undelivered(hop, invite.as_bytes(), now, out));
    far.act(|near, now, out| near.undelivered(hop, invite.as_bytes(), now, out));
    far.act(|near, now, out| near.undelivered(hop, b"nonsense", now, out));
    assert_eq!(far.story(), "Failed 408 local");
    far.run_out();

    // Once the next hop has spoken, its connection may break: the answer comes by another.
    let mut far = calling_by(Transport::Tcp);
    far.replies("INVITE", Reply::new(180).contact());
    far.act(|near, now, out| near.undelivered(hop, invite.as_bytes(), now, out));
    far.replies("INVITE", Reply::new(200).contact().sdp());
    assert_eq!(far.story(), "Trying, Early 180 fork 0, Answered fork 0 sdp");

    let mut far = Far::new();
    far.act(|near, now, out| near.options(hop, now, out));
    let ping = far.last("OPTIONS").to_owned();
    assert!(ping.starts_with("OPTIONS sip:10.0.0.2:5060;transport=tcp SIP/2.0\r\n"));
    far.act(|near, now, out| near.undelivered(hop, ping.as_bytes(), now, out));
    assert_eq!(far.pongs, [None]);
    far.run_out();
}

#[test]
fn sips_asks_for_tls() {
    let mut far = far_by(Transport::Tcp);
    far.call(|invite| invite.request_uri = "sips:b@10.0.0.2".parse().unwrap());
    assert_eq!((far.wire().as_str(), far.story().as_str()), ("", "Failed 416 local"));
    far.says(
        "OPTIONS sips:a@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.2;branch=z9hG4bKs\r\nFrom: <sip:b@h>;tag=far\r\n\
         To: <sip:a@h>\r\nCall-ID: s\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n",
    );
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 416"));

    let mut far = far_by(Transport::Tls);
    far.call(|invite| invite.request_uri = "sips:b@10.0.0.2".parse().unwrap());
    assert_eq!(far.wire(), "INVITE");

    let mut far = Far::with(|settings| settings.sips = Sips::Anyhow);
    far.call(|invite| invite.request_uri = "sips:b@10.0.0.2".parse().unwrap());
    assert_eq!(far.wire(), "INVITE");
}

#[test]
fn what_was_saved_of_a_leg_remembers_its_transport() {
    let far = calling_by(Transport::Tls);
    let saved = far.near.saved(LEG).unwrap();
    assert_eq!(saved.transport, Transport::Tls);
    let mut text = serde_json::to_value(&saved).unwrap();
    text.as_object_mut().unwrap().remove("transport");
    let older: huihu_sip::Saved = serde_json::from_value(text).unwrap();
    assert_eq!(older.transport, Transport::Udp, "what was written before there were others");
}
