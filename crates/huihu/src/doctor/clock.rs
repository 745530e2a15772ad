//! The clock: whether the system keeps it right, and whether signed requests would hold.

use std::time::Duration;

use base::time::Timestamp;

use super::Diagnosis;
use super::trunks::Tried;
use crate::config::Config;
use crate::road::wall;

/// What the kernel says of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kernel {
    /// Whether somebody keeps it.
    kept: bool,
    /// How far it may be off, by its own account.
    off: Duration,
}

/// What somebody else's clock said, and ours at that moment.
#[derive(Clone, Debug)]
pub(super) struct Other {
    pub(super) whose: String,
    pub(super) theirs: Timestamp,
    pub(super) ours: Timestamp,
}

/// The clocks of trunks that answered, and that of a receiver.
pub(super) fn others(trunks: &[Tried], receiver: Option<Other>) -> Vec<Other> {
    let answers = trunks.iter().flat_map(|trunk| {
        let name = &trunk.trunk.settings.name;
        trunk.gateways.iter().filter_map(move |gateway| {
            let theirs = gateway.answer.as_ref().ok()?.date?;
            Some(Other { whose: format!("the trunk {name}"), theirs, ours: gateway.at })
        })
    });
    answers.chain(receiver).collect()
}

/// Reads the Date of an answer by HTTP (RFC 9110 5.6.7).
pub(super) fn date(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text, "%a, %d %b %Y %H:%M:%S GMT")
}

pub(super) fn check(config: &Config, others: &[Other]) -> Vec<Diagnosis> {
    let window = Duration::from_secs(config.requests.window_secs);
    let mut diagnoses = vec![judge_kernel(kernel())];
    diagnoses.extend(others.iter().map(|other| judge_other(other, window)));
    if others.is_empty() {
        let now = wall().print("%Y-%m-%d %H:%M:%S UTC");
        diagnoses.push(Diagnosis::ok(
            CHECK,
            format!("it says {now}; nobody told another time to compare it with"),
        ));
    }
    diagnoses
}

/// Asks the kernel; `None` where it may not be asked.
fn kernel() -> Option<Kernel> {
    #[expect(
        unsafe_code,
        reason = "no safe crate asks the kernel this; nothing is changed, and it writes one struct only"
    )]
    // SAFETY: all zeroes are a timex whose `modes` sets nothing, and the kernel writes to nothing but it.
    let (state, said) = unsafe {
        let mut asked: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut asked), asked)
    };
    let kept = state != libc::TIME_ERROR && said.status & libc::STA_UNSYNC == 0;
    let off = Duration::from_micros(u64::try_from(said.maxerror).unwrap_or(0));
    (state >= 0).then_some(Kernel { kept, off })
}

fn judge_kernel(kernel: Option<Kernel>) -> Diagnosis {
    match kernel {
        Some(Kernel { kept: true, off }) => {
            Diagnosis::ok(CHECK, format!("the system keeps it, within {} ms", off.as_millis()))
        }
        Some(Kernel { kept: false, .. }) => Diagnosis::warning(
            CHECK,
            "nobody keeps it right",
            "start one who does, such as `apt install chrony` or `timedatectl set-ntp true`; in a container it is the host's",
        ),
        None => Diagnosis::ok(CHECK, "the system does not tell whether somebody keeps it right"),
    }
}

fn judge_other(other: &Other, window: Duration) -> Diagnosis {
    let Other { whose, theirs, ours } = other;
    let (ahead, behind) = (ours.since(*theirs), theirs.since(*ours));
    let off = ahead.max(behind);
    let way = if ahead > behind { "ahead of" } else { "behind" };
    let fix = "set it right, and have it kept: `timedatectl set-ntp true`";
    let secs = off.as_secs();
    if off < NOTICEABLE {
        Diagnosis::ok(CHECK, format!("it agrees with that of {whose}"))
    } else if off < window / 2 {
        Diagnosis::warning(CHECK, format!("it is {secs} s {way} that of {whose}"), fix)
    } else {
        let says = format!(
            "it is {secs} s {way} that of {whose}: signed requests are refused, which may be {} s off",
            window.as_secs()
        );
        Diagnosis::fault(CHECK, says, fix)
    }
}

/// Dates have whole seconds, and an answer takes a while.
const NOTICEABLE: Duration = Duration::from_secs(5);

const CHECK: &str = "clock";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::told;

    #[test]
    fn a_clock_is_kept_or_somebody_should_keep_it() {
        let said = |kept| told(&judge_kernel(Some(Kernel { kept, off: Duration::from_millis(3) })));
        assert_eq!(said(true), "ok: the system keeps it, within 3 ms");
        assert!(said(false).starts_with("warning: nobody keeps it right"));
        assert!(told(&judge_kernel(None)).starts_with("ok: "));
    }

    #[test]
    fn a_clock_that_is_far_off_refuses_signed_requests() {
        let ours = Timestamp::from_millis(1_767_323_045_000);
        let said = |millis: i64| {
            let theirs = Timestamp::from_millis(ours.millis() + millis);
            told(&judge_other(
                &Other { whose: "the trunk far".into(), theirs, ours },
                Duration::from_secs(600),
            ))
        };
        assert!(said(1_000).starts_with("ok: it agrees") && said(-4_000).starts_with("ok: it agrees"));
        assert!(said(60_000).starts_with("warning: it is 60 s behind that of the trunk far"));
        assert!(said(-60_000).starts_with("warning: it is 60 s ahead of"));
        assert!(
            said(400_000).starts_with("fault: ") && said(-400_000).contains("signed requests are refused")
        );
    }

    #[test]
    fn a_date_is_read_as_http_writes_it() {
        assert_eq!(date("Fri, 02 Jan 2026 03:04:05 GMT"), Some(Timestamp::from_millis(1_767_323_045_000)));
        assert_eq!(date("yesterday"), None);
    }
}
