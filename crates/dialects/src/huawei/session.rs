//! The vendor's `sessionId`: `1202_<n>_<m>_<yyyyMMddHHmmss>@<node>`, the time in UTC, and its `recordObjectName`, which
//! begins the same: `1202_<n>_<m>_<yyyyMMddHHmmss>.wav`.
//!
//! The documented samples have these forms, `1202_566_0_20161228102743@callenabler.home1.com` and
//! `1200_366_0_20161228102743.wav`. A [`CallId`] is 48 bits of milliseconds and 80 random bits; the text holds all of
//! them, so nothing has to be stored to find a call by its session or recording: the seconds stand in the last field, `n` is the millisecond in the second followed by 16 random bits, and
//! `m` is the other 64.

use base::id::CallId;
use base::time::Timestamp;

const PREFIX: &str = "1202";
const RECORDING: &str = ".wav";
const TIME: &str = "%Y%m%d%H%M%S";
const HIGH_BITS: u32 = 16;
const LOW_BITS: u32 = 64;
const LOW_MASK: u128 = (1 << LOW_BITS) - 1;

/// Writes the session id of a call on a node.
#[must_use]
pub fn print(call: CallId, node: &str) -> String {
    format!("{}@{node}", head(call))
}

/// Reads a session id back. `None` for every text that [`print`] would not have written, so that a call has one
/// session id and no second spelling of it.
#[must_use]
pub fn parse(text: &str) -> Option<(CallId, &str)> {
    let (head, node) = text.split_once('@')?;
    Some((call(head)?, node))
}

/// Writes the name of a call's recording.
#[must_use]
pub fn print_recording(call: CallId) -> String {
    head(call) + RECORDING
}

/// Reads the name of a recording back. `None` for every text that [`print_recording`] would not have written.
#[must_use]
pub fn parse_recording(text: &str) -> Option<CallId> {
    call(text.strip_suffix(RECORDING)?)
}

fn head(call: CallId) -> String {
    let at = call.at();
    let millis = u128::try_from(at.millis().rem_euclid(1_000)).unwrap_or(0);
    let n = (millis << HIGH_BITS) | (call.random() >> LOW_BITS);
    let m = call.random() & LOW_MASK;
    format!("{PREFIX}_{n}_{m}_{}", at.print(TIME))
}

fn call(text: &str) -> Option<CallId> {
    let mut fields = text.strip_prefix(PREFIX)?.strip_prefix('_')?.split('_');
    let n: u32 = fields.next()?.parse().ok()?;
    let m: u64 = fields.next()?.parse().ok()?;
    let second = Timestamp::parse(fields.next()?, TIME)?;
    let millis = second.millis().checked_add(i64::from(n >> HIGH_BITS))?;
    let high = u128::from(n) & ((1 << HIGH_BITS) - 1);
    let call = CallId::new(Timestamp::from_millis(millis), (high << LOW_BITS) | u128::from(m));
    (head(call) == text).then_some(call)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_session_id_looks_like_the_samples() {
        let at = Timestamp::parse("20161228102743", TIME).unwrap();
        let call = CallId::new(Timestamp::from_millis(at.millis() + 5), (7 << 64) | 11);
        let text = print(call, "callenabler.home1.com");
        assert_eq!(text, "1202_327687_11_20161228102743@callenabler.home1.com");
        assert_eq!(parse(&text), Some((call, "callenabler.home1.com")));
        let recording = print_recording(call);
        assert_eq!(recording, "1202_327687_11_20161228102743.wav");
        assert_eq!(parse_recording(&recording), Some(call));
    }

    #[test]
    fn a_session_is_no_recording() {
        for text in
            ["", ".wav", "1202_327687_11_20161228102743", "1202_327687_11_20161228102743@n.wav", "x.wav"]
        {
            assert_eq!(parse_recording(text), None, "{text}");
        }
    }

    #[test]
    fn what_we_did_not_write_is_no_session() {
        for text in [
            "",
            "@",
            "1202_327687_11_20161228102743",
            "1203_327687_11_20161228102743@n",
            "1202_0327687_11_20161228102743@n",
            "1202_+327687_11_20161228102743@n",
            "1202_327687_11_20161328102743@n",
            "1202_327687_11_2016122810274@n",
            "1202_65536000_11_20161228102743@n",
            "1202_327687_11_20161228102743_1@n",
            "1202_327687_18446744073709551616_20161228102743@n",
            "1202_566_0_20161228102743 @n",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    /// The first millisecond of the year 10000, whose five digits have no session ids.
    const YEAR_10000: i64 = 253_402_300_800_000;

    proptest! {
        #[test]
        fn every_call_has_one_session_and_comes_back_from_it(
            millis in 0..YEAR_10000, random: u128, node in "[a-z0-9.@_-]{0,40}",
        ) {
            let call = CallId::new(Timestamp::from_millis(millis), random);
            let text = print(call, &node);
            prop_assert_eq!(parse(&text), Some((call, &*node)));
            prop_assert_eq!(parse_recording(&print_recording(call)), Some(call));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String, form in "1202_[0-9]{1,12}_[0-9]{1,21}_[0-9]{12,16}@.{0,9}") {
            let _ = (parse(&text), parse_recording(&text));
            if let Some((call, node)) = parse(&form) {
                prop_assert_eq!(print(call, node), form.clone());
            }
        }
    }
}
