use rtcp_types::{ReceiverReport, RtcpPacketParser, SenderReport};

use super::*;

fn reporting() -> Params {
    let mut params = params();
    params.description.remote_rtcp = "192.0.2.1:4001".parse().ok();
    params
}

#[test]
fn the_record_says_what_arrived() {
    let mut leg = Leg::new(params());
    leg.wait(130);
    // Packets 0 to 99 without 10 to 14; packet 21 comes after 22.
    for n in (0..100u16).filter(|n| !(10..15).contains(n)) {
        let n = match n {
            21 => 22,
            22 => 21,
            _ => n,
        };
        let bytes = packet(8, n, u32::from(n) * 160, 1, &[0; 160]);
        leg.session.receive(address(), &bytes, leg.now);
        leg.wait(20);
    }
    let report = leg.session.report();
    assert_eq!((report.packets_in, report.bytes_in), (95, 95 * 160));
    assert_eq!((report.lost, report.late), (5, 1));
    assert_eq!(report.first_packet_after, Some(Duration::from_millis(130)));
    assert!(report.jitter < Duration::from_millis(5), "{:?}", report.jitter);
    assert_eq!((report.packets_out, report.foreign, report.unusable), (0, 0, 0));
}

#[test]
fn a_minute_has_about_twelve_reports_and_they_count_what_was_sent() {
    let mut leg = Leg::new(reporting());
    leg.play(60 * 8_000);
    leg.wait(60_000);
    assert!((9..=16).contains(&leg.rtcp.len()), "{} reports", leg.rtcp.len());
    for (millis, compound) in &leg.rtcp {
        let report = SenderReport::parse(&compound[..28]).unwrap();
        let sent = leg.sent.iter().filter(|sent| sent.millis < *millis).count() as u32;
        assert!(report.packet_count().abs_diff(sent) <= 1);
        assert_eq!(report.octet_count(), report.packet_count() * 160);
        let place = report.rtp_timestamp().wrapping_sub(u32::MAX - 799);
        assert_eq!(u64::from(place), millis * 8, "the timestamp is that of the moment");
    }
}

#[test]
fn who_only_listens_reports_what_it_misses_and_says_goodbye() {
    let mut leg = Leg::new(reporting());
    for n in (0..600u16).filter(|n| n % 10 != 3) {
        leg.session.receive(address(), &packet(8, n, u32::from(n) * 160, 5, &[0; 160]), leg.now);
        leg.wait(20);
    }
    let (_, first) = &leg.rtcp[0];
    let report = ReceiverReport::parse(&first[..32]).unwrap();
    let block = report.report_blocks().next().unwrap();
    assert_eq!(block.ssrc(), 5);
    assert!((24..=27).contains(&block.fraction_lost()), "a tenth of 256: {}", block.fraction_lost());
    let mut out = [0; OUT_BYTES];
    let length = leg.session.bye(leg.now, &mut out).unwrap();
    assert_eq!(out[length - 8..length], [0x81, 203, 0, 1, 0, 0, 0xaa, 0xaa]);
}

#[test]
fn what_the_far_end_says_is_in_the_record() {
    let mut leg = Leg::new(reporting());
    leg.session.receive(address(), &packet(8, 1, 0, 5, &[0; 160]), leg.now);
    let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 5, 0, 0, 0xaa, 0xaa];
    report.extend([128, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0]);
    leg.session.receive_rtcp("192.0.2.1:4001".parse().unwrap(), &report, leg.now);
    let far = leg.session.report().far_end.unwrap();
    assert_eq!((far.lost, far.fraction_lost, far.jitter, far.round_trip), (9, 128, 80, None));
}

#[test]
fn a_leg_is_small() {
    assert!(size_of::<Session>() <= 1_024, "{}", size_of::<Session>());
}
