use base::answerer::Answerer;
use base::clip::{ClipKey, SystemClip};
use base::quality::MediaReport;
use base::trace::{Kind, Packet};

use super::*;
use crate::story;

#[track_caller]
fn reads(entries: &[Entry], lines: &[&str]) {
    let text = ladder(entries);
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "a line fits a terminal");
}

#[test]
fn a_connected_callback_reads_from_top_to_bottom() {
    reads(
        &story::callback(story::CONNECTED),
        &[
            "               A               Huihu               B",
            "    +0.000 s   │                 │                 │   accepted: callback",
            "    +0.100 s   │◀─── INVITE ─────│                 │   A dialled: +86138****0001",
            "    +1.000 s   │────── 180 ─────▶│                 │   A rings",
            "    +4.000 s   │────── 200 ─────▶│                 │   A answered",
            "    +4.050 s   │◀──── clip ──────│                 │   A hears the ring-back tone",
            "    +4.100 s   │                 │──── INVITE ────▶│   B dialled: +86138****0002",
            "    +5.000 s   │                 │◀───── 180 ──────│   B rings",
            "    +6.000 s   │◀────────── early media ───────────│   A hears what B's network sends",
            "    +9.000 s   │                 │◀───── 200 ──────│   B answered",
            "    +9.001 s   │◀───────── conversation ──────────▶│   A and B hear each other",
            "   +30.000 s   │────── BYE ─────▶│                 │   A gone: hung up, by A",
            "   +30.200 s   │                 │────── BYE ─────▶│   B gone: hung up, by A",
            "   +30.201 s   │                 │                 │   over: hung up, by A",
        ],
    );
}

#[test]
fn a_call_with_one_party_has_no_second_column() {
    reads(
        &story::code(
            "0 accepted; 3 dialled A; 700 answered A; 710 clip A; 900 digit A; 950 stop; \
             3661000 released A Customer Stopped; 3661000 over Customer Stopped",
        ),
        &[
            "               A               Huihu",
            "    +0.000 s   │                 │   accepted: verification code",
            "    +0.003 s   │◀─── INVITE ─────│   A dialled: +86138****0001",
            "    +0.700 s   │────── 200 ─────▶│   A answered",
            "    +0.710 s   │◀──── clip ──────│   A hears the ring-back tone",
            "    +0.900 s   │────── key ─────▶│   A pressed a key",
            "    +0.950 s   │                 │   the customer asked to stop",
            " +3661.000 s   │◀───── BYE ──────│   A gone: stopped, by the customer",
            " +3661.000 s   │                 │   over: stopped, by the customer",
        ],
    );
}

#[test]
fn a_notice_tells_how_many_keys_came_and_not_which() {
    reads(
        &story::notice(
            "0 accepted; 180 spoken 179; 181 dialled A; 700 answered A; 710 speech A; 900 digit A; \
             901 collected A 4; 950 collected A 44; 960 released A Platform NoDigits; \
             960 over Platform NoDigits",
        ),
        &[
            "               A               Huihu",
            "    +0.000 s   │                 │   accepted: notice",
            "    +0.180 s   │                 │   words spoken in 0.179 s",
            "    +0.181 s   │◀─── INVITE ─────│   A dialled: +86138****0001",
            "    +0.700 s   │────── 200 ─────▶│   A answered",
            "    +0.710 s   │◀──── clip ──────│   A hears spoken words",
            "    +0.900 s   │────── key ─────▶│   A pressed a key",
            "    +0.901 s   │───── keys ─────▶│   A has answered with 1 key",
            "    +0.950 s   │───── keys ─────▶│   A has answered with 2 keys",
            "    +0.960 s   │◀───── BYE ──────│   A gone: no key pressed, by us",
            "    +0.960 s   │                 │   over: no key pressed, by us",
        ],
    );
}

#[test]
fn a_menu_tells_that_a_choice_was_made_and_not_which() {
    reads(
        &story::menu(
            "0 accepted; 181 dialled A; 700 answered A; 710 speech A; 900 digit A 1 Tone; 900 collected A 1; \
             901 speech A; 950 digit A 7 Info; 960 released A Caller Normal; 960 over Caller Normal A",
        ),
        &[
            "               A               Huihu",
            "    +0.000 s   │                 │   accepted: menu",
            "    +0.181 s   │◀─── INVITE ─────│   A dialled: +86138****0001",
            "    +0.700 s   │────── 200 ─────▶│   A answered",
            "    +0.710 s   │◀──── clip ──────│   A hears spoken words",
            "    +0.900 s   │────── key ─────▶│   A pressed a key, heard as a tone",
            "    +0.900 s   │───── keys ─────▶│   A chose where to go",
            "    +0.901 s   │◀──── clip ──────│   A hears spoken words",
            "    +0.950 s   │────── key ─────▶│   A pressed a key, told by INFO",
            "    +0.960 s   │────── BYE ─────▶│   A gone: hung up, by A",
            "    +0.960 s   │                 │   over: hung up, by A",
        ],
    );
}

#[test]
fn what_is_held_against_a_call_is_told() {
    let why = |objection: &str| ladder(&story::notice(&format!("0 accepted; 0 over Platform {objection}")));
    assert!(why("ForbiddenWords").ends_with("   over: words may not be said, by us\n"));
    assert!(why("CalleeBlocked").ends_with("   over: callee may not be called, by us\n"));
}

#[test]
fn a_recording_is_told_from_its_beginning_to_its_end() {
    let ladder = ladder(&story::callback("0 accepted; 5 recording; 3750 recorded 3745"));
    assert!(
        ladder.ends_with(
            "    +0.005 s   │                 │                 │   recording\n    \
             +3.750 s   │                 │                 │   recorded 3.745 s\n"
        ),
        "{ladder}"
    );
}

#[test]
fn a_leg_that_was_not_answered_ends_in_its_status_or_our_cancel() {
    let last = |text, line: &str| {
        let entries = story::callback(text);
        let ladder = ladder(&entries);
        assert_eq!(ladder.lines().last(), Some(line));
    };
    last(
        "0 accepted; 1 dialled A; 2 released A Caller Busy",
        "    +0.002 s   │────── 486 ─────▶│                 │   A gone: busy, by A",
    );
    last(
        "0 accepted; 1 dialled A; 2 released A Platform RingTimeout",
        "    +0.002 s   │◀─── CANCEL ─────│                 │   A gone: rang too long, by us",
    );
    last(
        "0 accepted; 1 dialled A; 2 released A Platform Interrupted",
        "    +0.002 s   │                 │                 │   A gone: interrupted, by us",
    );
    last(
        "0 accepted; 1 dialled A near; 2 dialled A far 503",
        "    +0.002 s   │◀─── INVITE ─────│                 │   A dialled again by far, after 503: +86138****0001",
    );
}

#[test]
fn who_picked_up_and_what_the_network_said_is_told() {
    let told = |text: &str| ladder(&story::notice(text));
    let lines = told(
        "0 accepted; 1 dialled A; 2 redirected A 302; 3 announced A PoweredOff; 5 answered A; \
         2400 is A Machine; 7000 is A Beep",
    );
    let last: Vec<_> = lines.lines().skip(3).collect();
    assert_eq!(
        last,
        [
            "    +0.002 s   │────── 302 ─────▶│   A is looked for elsewhere, after 302",
            "    +0.003 s   │─── announces ──▶│   A's network announces: switched off",
            "    +0.005 s   │────── 200 ─────▶│   A answered",
            "    +2.400 s   │                 │   A is a machine",
            "    +7.000 s   │───── beep ─────▶│   A is a machine that wants its message",
        ]
    );
    let record = story::record(&story::notice(
        "0 accepted; 1 dialled A; 5 answered A; 9 is A Machine; 10 is A Beep; \
         12 released A Platform Machine; 12 over Platform Machine",
    ));
    assert_eq!(record.unwrap().legs[0].answerer, Some(Answerer::Beep));
}

#[test]
fn no_entries_make_no_ladder() {
    assert_eq!(ladder(&[]), "");
}

#[test]
fn a_spoken_digit_is_not_shown() {
    let mut entries = story::code("0 accepted; 1 clip A");
    entries[1].fact = Fact::ClipStarted { leg: Leg::A, clip: ClipKey::System(SystemClip::Digit(7)) };
    let text = ladder(&entries);
    assert!(text.ends_with("A hears a digit\n"), "{text}");
}

/// A SIP message or an RTP header of a callback, so many milliseconds after its acceptance.
fn packet(entries: &[Entry], millis: u64, leg: Leg, way: Way, payload: &'static [u8]) -> Packet<'static> {
    let kind = if payload[0] == 0x80 { Kind::Rtp } else { Kind::Sip };
    Packet {
        at: entries[0].at + Duration::from_millis(millis),
        leg,
        way,
        kind,
        ours: "192.0.2.1:5060".parse().unwrap(),
        far: "192.0.2.9:5060".parse().unwrap(),
        length: 172,
        payload,
    }
}

const RTP: &[u8] = &[0x80, 0x88, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4];
const INVITE: &[u8] = b"INVITE sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n";
const RINGING: &[u8] = b"SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n";
const BUSY: &[u8] = b"SIP/2.0 486 <b>\x1b]0;\"Busy\" & more than anybody would like to read of it</b>\r\nCSeq: 1 INVITE\r\n\r\n";
const ACK: &[u8] = b"ACK sip:a SIP/2.0\r\nCSeq: 1 ACK\r\n\r\n";

/// All that can be known of a call whose first party is busy.
fn everything<'a>(entries: &'a [Entry], rows: &'a [base::row::Row]) -> Known<'a> {
    let packet = |millis, way, payload| packet(entries, millis, Leg::A, way, payload);
    let packets = vec![
        packet(5, Way::Sent, INVITE),
        packet(8, Way::Sent, INVITE),
        packet(20, Way::Received, RINGING),
        packet(40, Way::Received, RTP),
        packet(60, Way::Received, RTP),
        packet(90, Way::Received, BUSY),
        packet(90, Way::Sent, ACK),
    ];
    let at = entries[0].at + Duration::from_millis(500);
    let pushed = |after: u64, came| Pushed { at: at + Duration::from_millis(after), row: &rows[0], came };
    let pushes = vec![pushed(9, Came::Owed), pushed(0, Came::Failed("HTTP 500")), pushed(7, Came::Delivered)];
    Known { entries, trace: Trace { packets, left_out: 3 }, pushes }
}

fn busy() -> (Vec<Entry>, Vec<base::row::Row>) {
    let mut entries = story::callback(story::A_BUSY);
    if let Fact::Released { media, .. } = &mut entries[2].fact {
        let heard = base::quality::Direction { packets: 2, ..Default::default() };
        let said = base::quality::Direction::default();
        *media =
            Some(Box::new(MediaReport { heard, said, first_after: None, round_trip: None, trouble: None }));
    }
    let rows = story::rows(&entries);
    (entries, rows)
}

#[test]
fn everything_that_is_known_stands_on_one_axis() {
    let (entries, rows) = busy();
    let text = Timeline::new(&everything(&entries, &rows)).text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..12],
        [
            "               A               Huihu               B",
            "    +0.000 s   │                 │                 │   accepted: callback",
            "    +0.005 s   │                 │                 │   A dialled: +86138****0001",
            "    +0.005 s   │◀─── INVITE ─────│                 │   A: INVITE with a body",
            "    +0.008 s   │◀─── INVITE ─────│                 │   A: INVITE with a body, again",
            "    +0.020 s   │────── 180 ─────▶│                 │   A: 180 Ringing to INVITE",
            "    +0.040 s   │────── RTP ─────▶│                 │   RTP from A: 2 packets in 0.020 s, type 8",
            "    +0.090 s   │────── 486 ─────▶│                 │   A: 486 <b>?]0;\"Busy\" & more than anybody wou…",
            "    +0.090 s   │                 │                 │   A gone: busy, by A",
            "    +0.090 s   │                 │                 │   over: busy, by A",
            "    +0.090 s   │◀───── ACK ──────│                 │   A: ACK",
            "    +0.500 s   │                 │                 │   push failed: A dialled: HTTP 500",
        ]
    );
    assert!(lines[12].ends_with("push delivered: A dialled") && lines[13].ends_with("push owed: A dialled"));
    assert!(lines[14].starts_with("A's media: "));
    assert_eq!(lines[15..], ["3 more messages and packets were not kept"]);
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn a_picture_holds_nothing_but_text_of_others() {
    let (entries, rows) = busy();
    let svg = Timeline::new(&everything(&entries, &rows)).svg();
    assert!(svg.contains("486 &lt;b&gt;?]0;&quot;Busy&quot; &amp; more"), "{svg}");
    assert!(!svg.contains("<b>") && !svg.contains('\u{1b}') && !svg.contains("script"));
    let tags = |start: &str| svg.matches(start).count();
    assert_eq!((tags("<g "), tags("<g>")), (tags("</g>"), 0));
    assert_eq!(tags("<text"), tags("</text>"));
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(!svg.contains("+8613800000001") && svg.contains("+86138****0001"));
    assert_eq!(svg.matches("http").count(), 1, "the name of SVG itself, and nothing from elsewhere");
}

#[test]
fn whatever_a_push_failed_for_is_text() {
    let (entries, rows) = busy();
    let at = entries[0].at;
    let pushes = vec![Pushed { at, row: &rows[0], came: Came::Failed("</text><script>\u{0}") }];
    let svg = Timeline::new(&Known { entries: &entries, pushes, ..Known::default() }).svg();
    assert!(svg.contains("&lt;/text&gt;&lt;script&gt;\u{fffd}") && !svg.contains("<script"));
}
