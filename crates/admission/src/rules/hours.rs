//! People may be called at this hour, on the clocks of Beijing.

use base::quota::Window;
use base::refusal::Refusal;
use base::time::Timestamp;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    let minute = minute_of_the_day(ask.desk.now);
    let forbidden = |span: &base::standing::Hours| span.contains(minute);
    if ask.standings().iter().any(|(_, standing)| standing.forbidden.iter().any(forbidden)) {
        return Err(Refusal::ForbiddenHours);
    }
    Ok(())
}

/// 0 to 1439. A day of windows begins at Beijing's midnight.
fn minute_of_the_day(now: Timestamp) -> u16 {
    let minute = (now.secs() - Window::Day.began(now)) / 60;
    u16::try_from(minute).expect("a day has 1,440 minutes")
}

#[cfg(test)]
mod tests {
    use base::standing::Hours;

    use super::*;
    use crate::story::Story;

    #[test]
    fn nobody_is_called_at_night() {
        let night = Hours { from: 22 * 60, to: 8 * 60 };
        for (utc, refusal) in [
            ("13:59:59", None),
            ("14:00:00", Some(Refusal::ForbiddenHours)),
            ("16:00:00", Some(Refusal::ForbiddenHours)),
            ("23:59:59", Some(Refusal::ForbiddenHours)),
            ("00:00:00", None),
        ] {
            let mut story = Story::callback();
            story.now = Timestamp::parse(&format!("2026-01-02 {utc}"), "%Y-%m-%d %H:%M:%S").unwrap();
            story.account.app.standing.forbidden = vec![Hours { from: 0, to: 1 }, night];
            assert_eq!(story.refused(), refusal, "{utc}");
            story.account.app.standing.forbidden.clear();
            story.platform_mut().standing.forbidden = vec![night];
            assert_eq!(story.refused(), refusal, "{utc}");
        }
    }

    #[test]
    fn every_moment_has_its_minute() {
        for (secs, minute) in [(0, 480), (16 * 3_600 - 1, 1_439), (16 * 3_600, 0), (-1, 479)] {
            assert_eq!(minute_of_the_day(Timestamp::from_millis(secs * 1_000)), minute);
        }
        for extreme in [i64::MIN, i64::MAX] {
            assert!(minute_of_the_day(Timestamp::from_micros(extreme)) < 1_440);
        }
    }
}
