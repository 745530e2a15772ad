//! A call as people read it: a ladder of its entries, made for a terminal of 100 columns.
//!
//! ```text
//!              A               Huihu               B
//!   +0.000 s   │                 │                 │   accepted: callback
//!   +0.104 s   │◀─── INVITE ─────│                 │   A dialled: +86138****0001
//!   +1.240 s   │────── 180 ─────▶│                 │   A rings
//! ```
//!
//! We stand between the parties, so that no arrow crosses a line that it does not touch.

use std::fmt::Write;

use base::answerer::Answerer;
use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::fact::{Entry, Fact, KeySource};
use base::id::Leg;
use base::order::ProductKind;
use base::release::{Cause, Party, Release};

/// Writes the ladder of a call's entries, one line each, and below it what the media of each leg came to. Numbers are
/// masked, pressed keys and codes are not shown.
#[must_use]
pub fn ladder(entries: &[Entry]) -> String {
    let Some(first) = entries.first() else { return String::new() };
    let call = match &first.fact {
        Fact::Accepted(call) => Some(&**call),
        _ => None,
    };
    let parties = if call.is_some_and(|call| call.numbers(Leg::B).is_none()) { 1 } else { 2 };
    let mut text = head(parties);
    let mut answered = [false; 2];
    for entry in entries {
        if let Fact::Answered { leg, .. } = entry.fact {
            answered[leg.index()] = true;
        }
        let after = entry.at.since(first.at);
        let arrow = arrow(&entry.fact, answered).draw(parties);
        let words = words(&entry.fact, call);
        let secs = format!("+{}.{:03} s", after.as_secs(), after.subsec_millis());
        writeln!(text, "{secs:>12}   {arrow}   {words}").expect("a string takes any text");
    }
    for entry in entries {
        if let Fact::Released { leg, media: Some(media), .. } = &entry.fact {
            writeln!(text, "{leg}'s media: {media}").expect("a string takes any text");
        }
    }
    text
}

/// Columns between two lines of the ladder.
const GAP: usize = 17;

/// What stands between the lines in one row.
enum Arrow {
    /// Nothing.
    Plain,
    /// From us to a party.
    To(Leg, String),
    /// From a party to us.
    From(Leg, String),
    /// From the other party, through us, to this one.
    Through(Leg, &'static str),
    /// Both ways between the parties.
    Both(&'static str),
}

impl Arrow {
    fn draw(&self, parties: usize) -> String {
        let empty = " ".repeat(GAP);
        let (left, right) = match self {
            Self::Plain => (empty.clone(), empty),
            Self::To(Leg::A, label) | Self::From(Leg::B, label) => {
                let shaft = shaft(label, GAP, "◀", "─");
                if matches!(self, Self::To(..)) { (shaft, empty) } else { (empty, shaft) }
            }
            Self::From(Leg::A, label) | Self::To(Leg::B, label) => {
                let shaft = shaft(label, GAP, "─", "▶");
                if matches!(self, Self::To(..)) { (empty, shaft) } else { (shaft, empty) }
            }
            Self::Through(Leg::A, label) => return wide(label, "◀", "─"),
            Self::Through(Leg::B, label) => return wide(label, "─", "▶"),
            Self::Both(label) => return wide(label, "◀", "▶"),
        };
        if parties == 1 { format!("│{left}│") } else { format!("│{left}│{right}│") }
    }
}

fn wide(label: &str, start: &str, end: &str) -> String {
    format!("│{}│", shaft(label, 2 * GAP + 1, start, end))
}

/// `◀──── label ─────`, exactly `width` columns. Labels are ASCII and short.
fn shaft(label: &str, width: usize, start: &str, end: &str) -> String {
    let label = format!(" {label} ");
    format!("{start}{label:─^inner$}{end}", inner = width - 2)
}

fn head(parties: usize) -> String {
    let lines = if parties == 1 { ["A", "Huihu", ""] } else { ["A", "Huihu", "B"] };
    let [a, us, b] = lines;
    let line = format!("{:15}{a:<16}{us:<20}{b}", "");
    format!("{}\n", line.trim_end())
}

fn arrow(fact: &Fact, answered: [bool; 2]) -> Arrow {
    match fact {
        Fact::Dialled { leg, .. } => Arrow::To(*leg, "INVITE".into()),
        Fact::Ringing { leg, .. } => Arrow::From(*leg, "180".into()),
        Fact::Answered { leg, .. } => Arrow::From(*leg, "200".into()),
        Fact::ClipStarted { leg, .. } => Arrow::To(*leg, "clip".into()),
        Fact::CodeStarted { leg } => Arrow::To(*leg, "code".into()),
        Fact::EarlyMedia { leg } => Arrow::Through(*leg, "early media"),
        Fact::Announced { leg, .. } => Arrow::From(*leg, "announces".into()),
        Fact::Redirected { leg, status } => Arrow::From(*leg, status.to_string()),
        Fact::PickedUp { leg, answerer: Answerer::Beep } => Arrow::From(*leg, "beep".into()),
        Fact::Bridged => Arrow::Both("conversation"),
        Fact::Digit { leg, .. } => Arrow::From(*leg, "key".into()),
        Fact::Collected { leg, .. } => Arrow::From(*leg, "keys".into()),
        Fact::Released { leg, release, .. } => released(*leg, release, answered[leg.index()]),
        Fact::Accepted(_)
        | Fact::Spoken { .. }
        | Fact::RecordingStarted
        | Fact::RecordingEnded { .. }
        | Fact::PickedUp { .. }
        | Fact::StopAsked
        | Fact::Over(_) => Arrow::Plain,
    }
}

fn released(leg: Leg, release: &Release, answered: bool) -> Arrow {
    // These ends are told by nobody: a process died, or nothing ever came back.
    if matches!(release.cause, Cause::Interrupted | Cause::TrunkSilent) {
        return Arrow::Plain;
    }
    let by_the_party = release.by == Party::of(leg);
    match release.status {
        _ if answered && by_the_party => Arrow::From(leg, "BYE".into()),
        _ if answered => Arrow::To(leg, "BYE".into()),
        _ if we_gave_it_up(release.cause) => Arrow::To(leg, "CANCEL".into()),
        Some(status) => Arrow::From(leg, status.to_string()),
        None => Arrow::Plain,
    }
}

const fn we_gave_it_up(cause: Cause) -> bool {
    matches!(cause, Cause::RingTimeout | Cause::OtherPartyGone | Cause::Stopped | Cause::TimeOver)
}

fn words(fact: &Fact, call: Option<&Call>) -> String {
    match fact {
        Fact::Accepted(call) => format!("accepted: {}", product_words(call.product.kind())),
        Fact::Dialled { leg, trunk, after } => {
            let numbers = call.and_then(|call| call.numbers(*leg));
            let number = numbers.map_or_else(String::new, |of| format!(": {}", of.dialled.masked()));
            format!("{leg} dialled{}{number}", way_words(trunk.as_deref(), *after))
        }
        Fact::Ringing { leg, .. } => format!("{leg} rings"),
        Fact::Answered { leg, .. } => format!("{leg} answered"),
        Fact::ClipStarted { leg, clip } => format!("{leg} hears {}", clip_words(*clip)),
        Fact::CodeStarted { leg } => format!("{leg} hears the code"),
        Fact::EarlyMedia { leg } => format!("{leg} hears what {}'s network sends", leg.other()),
        Fact::Announced { leg, cause } => format!("{leg}'s network announces: {}", cause_words(*cause)),
        Fact::Redirected { leg, status } => format!("{leg} is looked for elsewhere, after {status}"),
        Fact::PickedUp { leg, answerer } => format!("{leg} is {}", answerer_words(*answerer)),
        Fact::Bridged => "A and B hear each other".into(),
        Fact::Digit { leg, source, .. } => format!("{leg} pressed a key{}", source_words(*source)),
        Fact::Collected { leg, .. } if is_menu(call) => format!("{leg} chose where to go"),
        Fact::Collected { leg, digits } => match digits.expose().len() {
            1 => format!("{leg} has answered with 1 key"),
            keys => format!("{leg} has answered with {keys} keys"),
        },
        Fact::Spoken { took } => format!("words spoken in {:.3} s", took.as_secs_f64()),
        Fact::RecordingStarted => "recording".into(),
        Fact::RecordingEnded { length } => format!("recorded {:.3} s", length.as_secs_f64()),
        Fact::StopAsked => "the customer asked to stop".into(),
        Fact::Released { leg, release, .. } => {
            let q850 = release.q850.map_or_else(String::new, |q850| format!(" (Q.850 {q850})"));
            format!("{leg} gone: {}{}{q850}", cause_words(release.cause), by_words(release.by))
        }
        Fact::Over(ending) => format!("over: {}{}", cause_words(ending.cause), by_words(ending.by)),
    }
}

/// Which trunk was taken, where it is not the only one that was tried.
fn way_words(trunk: Option<&str>, after: Option<u16>) -> String {
    match (trunk, after) {
        (Some(trunk), Some(status)) => format!(" again by {trunk}, after {status}"),
        (None, Some(status)) => format!(" again, after {status}"),
        (_, None) => String::new(),
    }
}

fn is_menu(call: Option<&Call>) -> bool {
    call.is_some_and(|call| call.product.kind() == ProductKind::Menu)
}

const fn source_words(source: KeySource) -> &'static str {
    match source {
        KeySource::Event => "",
        KeySource::Info => ", told by INFO",
        KeySource::Tone => ", heard as a tone",
    }
}

const fn answerer_words(answerer: Answerer) -> &'static str {
    match answerer {
        Answerer::Person => "a person",
        Answerer::Machine => "a machine",
        Answerer::Beep => "a machine that wants its message",
        Answerer::Unsure => "a person or a machine",
    }
}

const fn product_words(product: ProductKind) -> &'static str {
    match product {
        ProductKind::Callback => "callback",
        ProductKind::Code => "verification code",
        ProductKind::Notice => "notice",
        ProductKind::Menu => "menu",
    }
}

const fn clip_words(clip: ClipKey) -> &'static str {
    match clip {
        ClipKey::System(SystemClip::Digit(_)) => "a digit",
        ClipKey::System(SystemClip::Transferring) => "that it is being transferred",
        ClipKey::System(SystemClip::LastMinute) => "that one minute is left",
        ClipKey::System(SystemClip::RingBack) => "the ring-back tone",
        ClipKey::System(SystemClip::HintTone) => "the recording tone",
        ClipKey::System(SystemClip::Pause) => "a pause",
        ClipKey::System(SystemClip::BeforeCode(_)) => "that a code comes",
        ClipKey::System(SystemClip::AfterCode(_)) => "what to do with the code",
        ClipKey::Uploaded(_) => "a voice file",
        ClipKey::Spoken(_) => "spoken words",
    }
}

const fn by_words(by: Party) -> &'static str {
    match by {
        Party::Caller => ", by A",
        Party::Callee => ", by B",
        Party::Platform => ", by us",
        Party::Customer => ", by the customer",
    }
}

const fn cause_words(cause: Cause) -> &'static str {
    match cause {
        Cause::Normal => "hung up",
        Cause::Busy => "busy",
        Cause::NoAnswer => "no answer",
        Cause::RingTimeout => "rang too long",
        Cause::Rejected => "rejected",
        Cause::NoSuchNumber => "no such number",
        Cause::Unreachable => "unreachable",
        Cause::PoweredOff => "switched off",
        Cause::Announcement => "announcement of a failure",
        Cause::TrunkFault => "trunk failed",
        Cause::TrunkSilent => "trunk silent",
        Cause::OtherPartyGone => "other party gone",
        Cause::Stopped => "stopped",
        Cause::TimeOver => "time over",
        Cause::ClipFault => "clip cannot be played",
        Cause::ClipMissing => "clip is missing",
        Cause::SpeechFault => "words cannot be spoken",
        Cause::ForbiddenWords => "words may not be said",
        Cause::CalleeBlocked => "callee may not be called",
        Cause::NoDigits => "no key pressed",
        Cause::Machine => "a machine picked up",
        Cause::RecordingFault => "recording cannot begin",
        Cause::Interrupted => "interrupted",
        Cause::OurFault => "fault of our own",
    }
}

#[cfg(test)]
mod tests {
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
        let why =
            |objection: &str| ladder(&story::notice(&format!("0 accepted; 0 over Platform {objection}")));
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
}
