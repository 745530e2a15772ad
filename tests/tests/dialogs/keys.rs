//! What a telephone does with its keys.

use std::sync::Arc;

use huihu_tests::ears;
use huihu_tests::handset::Handset;
use huihu_tests::scenario::Scenario;
use media::g711::Law;

use crate::rows::sdp;
use crate::table::{Row, Told};

/// Presses 5 and then 9 in one way.
type Presses = fn(&Handset);

pub(crate) fn rows() -> Vec<Row> {
    let by_events: [(&str, Presses); 6] = [
        ("RFC 4733 as it is meant to be", |telephone| press(telephone, true, 3, 3)),
        ("RFC 4733 without a marker", |telephone| press(telephone, false, 3, 3)),
        ("RFC 4733 with nine ends", |telephone| press(telephone, true, 3, 9)),
        ("RFC 4733 without any end", |telephone| press(telephone, true, 5, 0)),
        ("RFC 4733 of which only one end comes", |telephone| press(telephone, false, 0, 1)),
        ("RFC 4733 with every packet twice", |telephone| {
            for (seq, timestamp, payload) in events(3, 3) {
                telephone.says(EVENTS, false, seq, timestamp, &payload);
                telephone.says(EVENTS, false, seq, timestamp, &payload);
            }
        }),
    ];
    let mut rows: Vec<Row> = by_events
        .map(|(item, presses)| {
            let (telephone, far) = picked_up("8 101");
            Row::new(item, far.is_hung_up(), ENDED_BY_US)
                .while_(move || {
                    telephone.hears(PCMA, 5);
                    presses(&telephone);
                })
                .and(|told| is_pressed(told, ""))
        })
        .into();

    let (telephone, far) = picked_up("8");
    rows.push(
        Row::new("tones in the voice", far.is_hung_up(), ENDED_BY_US)
            .while_(move || {
                telephone.hears(PCMA, 5);
                hum(&telephone);
            })
            .and(|told| is_pressed(told, ", heard as a tone")),
    );

    let forms = [
        (
            "INFO application/dtmf-relay",
            "Content-Type: application/dtmf-relay\n",
            ["Signal=5\nDuration=160\n", "Signal=9\nDuration=160\n"],
        ),
        ("INFO application/dtmf", "Content-Type: application/dtmf\n", ["5", "9"]),
    ];
    for (item, headers, [five, nine]) in forms {
        let (telephone, far) = picked_up("8");
        let far = far
            .rests(500)
            .asks("INFO", headers, five)
            .gets(200)
            .rests(500)
            .asks("INFO", headers, nine)
            .gets(200);
        let story = ">INVITE <200 >ACK <INFO >200 <INFO >200 >BYE <200";
        rows.push(
            Row::new(item, far.is_hung_up(), story)
                .while_(move || telephone.hears(PCMA, 5))
                .and(|told| is_pressed(told, ", told by INFO")),
        );
    }
    rows
}

/// A telephone that was picked up and takes these formats.
fn picked_up(formats: &str) -> (Arc<Handset>, Scenario) {
    let telephone = Arc::new(Handset::new());
    let answer = sdp(&telephone, 1, formats, "sendrecv");
    (telephone, Scenario::called().answers("", &answer))
}

/// Presses 5 and 9 with so many packets while they are held, and so many that end them.
fn press(telephone: &Handset, marked: bool, held: u16, ends: u16) {
    for (n, (seq, timestamp, payload)) in events(held, ends).into_iter().enumerate() {
        let marker = marked && n % usize::from(held + ends) == 0;
        telephone.says(EVENTS, marker, seq, timestamp, &payload);
    }
}

/// The events of both keys: number, timestamp and payload (RFC 4733, section 2.3).
fn events(held: u16, ends: u16) -> Vec<(u16, u32, [u8; 4])> {
    let mut all = Vec::new();
    for (key, begin) in [(5_u8, 1_000_u32), (9, 9_000)] {
        for n in 0..held + ends {
            let duration = (n.min(held) + 1) * 160;
            let end = if n >= held { 0x80 } else { 0 };
            let [high, low] = duration.to_be_bytes();
            all.push((all.len() as u16, begin, [key, end | 10, high, low]));
        }
    }
    all
}

/// Sends 5 and 9 as tones, with silence around them.
fn hum(telephone: &Handset) {
    let pause = vec![0; ears::RATE / 5];
    let sound = [&pause[..], &ears::key('5'), &pause, &ears::key('9'), &pause].concat();
    for (n, frame) in sound.chunks(FRAME).enumerate() {
        let bytes: Vec<u8> = frame.iter().map(|sample| Law::Pcma.encode(*sample)).collect();
        telephone.says(PCMA, n == 0, n as u16, (n * FRAME) as u32, &bytes);
    }
}

/// Both keys were pressed once, in this way.
fn is_pressed(told: &Told, way: &str) {
    assert_eq!(told.record["pressed"], "59", "{}", told.ladder);
    let presses: Vec<&str> = told
        .ladder
        .lines()
        .filter_map(|line| line.split_once("A pressed a key"))
        .map(|(_, way)| way.trim_end())
        .collect();
    assert_eq!(presses, [way, way], "{}", told.ladder);
}

const ENDED_BY_US: &str = ">INVITE <200 >ACK >BYE <200";

const PCMA: u8 = 8;
const EVENTS: u8 = 101;

/// Samples of a packet.
const FRAME: usize = 160;
