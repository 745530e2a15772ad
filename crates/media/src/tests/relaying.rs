use super::*;

/// The far end of the peer's leg: it talks and counts.
struct Talker {
    session: Session,
    ssrc: u32,
    seq: u16,
    timestamp: u32,
}

impl Talker {
    fn new(ssrc: u32) -> Self {
        let session = Session::new(Params { ssrc: 0xbbbb, ..params() }, Instant::START);
        Self { session, ssrc, seq: 65_500, timestamp: u32::MAX - 1_000 }
    }

    /// Says so many packets to the leg, in time, each with its own samples.
    fn says(&mut self, leg: &mut Leg, packets: usize) {
        for _ in 0..packets {
            let payload: Vec<u8> = (0..160).map(|n| (n as u8).wrapping_mul(self.seq as u8)).collect();
            let bytes = packet(8, self.seq, self.timestamp, self.ssrc, &payload);
            leg.forward(&mut self.session, &bytes);
            self.seq = self.seq.wrapping_add(1);
            self.timestamp = self.timestamp.wrapping_add(160);
            leg.wait(20);
        }
    }

    fn is_silent(&mut self, leg: &mut Leg, millis: u64) {
        self.timestamp = self.timestamp.wrapping_add(u32::try_from(millis * 8).unwrap());
        leg.wait(millis);
    }
}

fn marks(leg: &Leg) -> Vec<usize> {
    (0..leg.sent.len()).filter(|&n| leg.sent[n].header.marker).collect()
}

#[test]
fn what_was_said_arrives_bit_for_bit() {
    let (mut leg, mut talker) = (Leg::new(params()), Talker::new(7));
    leg.session.relay();
    talker.says(&mut leg, 300);
    assert_eq!(leg.sent.len(), 300);
    for (n, sent) in leg.sent.iter().enumerate() {
        let seq = 65_500u16.wrapping_add(n as u16) as u8;
        let said: Vec<u8> = (0..160).map(|n| (n as u8).wrapping_mul(seq)).collect();
        assert_eq!(sent.payload, said);
    }
    leg.assert_one_line();
}

#[test]
fn every_change_of_source_stays_on_the_one_line() {
    let (mut leg, mut talker) = (Leg::new(params()), Talker::new(7));
    talker.says(&mut leg, 5);
    assert!(leg.sent.is_empty(), "a silent leg is sent nothing");
    leg.play(800);
    talker.says(&mut leg, 3);
    leg.session.relay();
    talker.says(&mut leg, 10);
    talker.is_silent(&mut leg, 500);
    talker.says(&mut leg, 10);
    leg.session.announce(playlist(480), leg.now);
    talker.says(&mut leg, 10);
    leg.session.silence();
    talker.says(&mut leg, 3);
    leg.play(160);
    leg.wait(50);
    leg.session.relay();
    // The far end was replaced: another stream with numbers of its own.
    (talker.ssrc, talker.seq, talker.timestamp) = (8, 77, 5);
    talker.says(&mut leg, 5);
    (talker.ssrc, talker.seq, talker.timestamp) = (9, 30_000, 3_000_000_000);
    talker.says(&mut leg, 5);
    leg.assert_one_line();
    assert_eq!(leg.sent.len(), 4 + 20 + 3 + 7 + 1 + 10);
    assert_eq!(marks(&leg), [0, 4, 24, 27, 34, 35, 40]);
}

#[test]
fn an_announcement_replaces_the_peer_and_then_the_peer_goes_on() {
    let (mut leg, mut talker) = (Leg::new(params()), Talker::new(7));
    leg.session.relay();
    talker.says(&mut leg, 2);
    let play = leg.session.announce(playlist(400), leg.now);
    talker.says(&mut leg, 6);
    let words =
        leg.sent.iter().map(|sent| if sent.payload[0] == b'p' { 'p' } else { '.' }).collect::<String>();
    assert_eq!(words, "..ppp...");
    assert_eq!(leg.news.iter().map(|news| news.1).collect::<Vec<_>>(), [Due::ClipEnded(play)]);
    leg.assert_one_line();
}

#[test]
fn a_leg_in_mu_law_hears_a_leg_in_a_law() {
    let mut params = params();
    params.description.codec = Codec::PCMU;
    let (mut leg, mut talker) = (Leg::new(params), Talker::new(7));
    leg.session.relay();
    talker.says(&mut leg, 1);
    let said: Vec<u8> = (0..160).map(|n| (n as u8).wrapping_mul(65_500u16 as u8)).collect();
    assert_eq!(leg.sent[0].header.payload_type, 0);
    assert_eq!(leg.sent[0].payload, Clip::from_alaw(&said).samples(Law::Pcmu));
}

#[test]
fn sources_extension_and_padding_stay_behind() {
    let (mut leg, mut talker) = (Leg::new(params()), Talker::new(7));
    leg.session.relay();
    let mut bytes = packet(8, 1, 1, 7, &[9, 9, 9, 9, 0xbe, 0xde, 0, 0, 1, 2, 3, 0, 2]);
    bytes[0] |= 0b0011_0001;
    assert!(leg.forward(&mut talker.session, &bytes));
    assert_eq!(leg.sent[0].payload, [1, 2, 3]);
}

#[test]
fn events_get_the_number_that_this_side_agreed_to() {
    let mut params = params();
    params.description.events = Some(EventTypes { receive: 97, send: 96 });
    let (mut leg, mut talker) = (Leg::new(params), Talker::new(7));
    leg.session.relay();
    talker.says(&mut leg, 2);
    let begun = talker.timestamp;
    for (n, payload) in [[5, 10, 0, 160], [5, 10, 1, 64], [5, 0x8a, 1, 224]].into_iter().enumerate() {
        let mut bytes = packet(101, talker.seq, begun, 7, &payload);
        bytes[1] |= if n == 0 { 0x80 } else { 0 };
        assert!(leg.forward(&mut talker.session, &bytes));
        assert_eq!(leg.sent.last().unwrap().payload, payload);
        talker.seq = talker.seq.wrapping_add(1);
        talker.is_silent(&mut leg, 20);
    }
    talker.says(&mut leg, 2);
    let shape: Vec<_> = leg
        .sent
        .iter()
        .map(|sent| {
            let place = sent.header.timestamp.wrapping_sub(u32::MAX - 799);
            (sent.header.payload_type, place, sent.header.marker)
        })
        .collect();
    let want = [
        (8, 0, true),
        (8, 160, false),
        (96, 320, true),
        (96, 320, false),
        (96, 320, false),
        (8, 800, false),
        (8, 960, false),
    ];
    assert_eq!(shape, want);
}

#[test]
fn a_side_without_events_misses_no_packet() {
    let mut params = params();
    params.description.events = None;
    let (mut leg, mut talker) = (Leg::new(params), Talker::new(7));
    leg.session.relay();
    talker.says(&mut leg, 2);
    let event = packet(101, talker.seq, talker.timestamp, 7, &[5, 10, 0, 160]);
    assert!(!leg.forward(&mut talker.session, &event));
    talker.seq = talker.seq.wrapping_add(1);
    talker.is_silent(&mut leg, 20);
    talker.says(&mut leg, 2);
    assert_eq!(leg.sent.len(), 4);
    leg.assert_one_line();
}

#[test]
fn a_leg_without_an_address_is_sent_nothing() {
    let mut params = params();
    params.description.remote = None;
    let (mut leg, mut talker) = (Leg::new(params), Talker::new(7));
    leg.session.relay();
    talker.says(&mut leg, 2);
    assert!(leg.sent.is_empty());
}

#[test]
fn a_held_leg_is_sent_nothing_and_still_heard() {
    let (mut leg, mut talker) = (Leg::new(params()), Talker::new(7));
    leg.session.relay();
    talker.says(&mut leg, 2);
    leg.session.hold();
    talker.says(&mut leg, 3);
    let music = packet(8, 1, 0, 3, &[0; 160]);
    assert!(matches!(leg.session.receive(address(), &music, leg.now), Incoming::Audio(..)));
    assert_eq!(leg.session.target(), None);
    leg.session.resume();
    talker.says(&mut leg, 2);
    assert_eq!(marks(&leg), [0, 2]);
    assert_eq!(leg.session.report().packets_out, 4);
    leg.assert_one_line();
}

#[test]
fn a_buffer_that_is_not_the_packet_is_left_alone() {
    let (mut leg, mut talker) = (Leg::new(params()), Talker::new(7));
    leg.session.relay();
    let bytes = packet(8, 1, 1, 7, &[1; 160]);
    let Incoming::Audio(heard, _) = talker.session.receive(address(), &bytes, leg.now) else {
        panic!("not heard")
    };
    assert_eq!(leg.session.forward(&heard, &mut [0; 100], leg.now), None);
}
