//! The app's calls of the last hour went as they must for it to place more: enough were answered, not too many were
//! short. A rule that refuses learns nothing new, so what it knows wears off.

use std::cmp::Ordering;
use std::time::Duration;

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn short(ask: &Ask<'_>) -> Result<(), Refusal> {
    let Some(tolerated) = ask.account.app.conduct.short else { return Ok(()) };
    let answered: Vec<Duration> = lately(ask).into_iter().flatten().collect();
    let short = answered.iter().filter(|talked| **talked < tolerated.shorter_than).count();
    if enough(answered.len(), tolerated.calls) && against(short, answered.len(), tolerated.percent).is_gt() {
        return Err(Refusal::AbnormalDuration);
    }
    Ok(())
}

pub(super) fn answered(ask: &Ask<'_>) -> Result<(), Refusal> {
    let Some(demanded) = ask.account.app.conduct.answered else { return Ok(()) };
    let calls = lately(ask);
    let answered = calls.iter().flatten().count();
    if enough(calls.len(), demanded.calls) && against(answered, calls.len(), demanded.percent).is_lt() {
        return Err(Refusal::AbnormalCompletion);
    }
    Ok(())
}

fn lately(ask: &Ask<'_>) -> Vec<Option<Duration>> {
    ask.desk.conducted.lately(ask.desk.now)
}

/// Whether there are calls enough to speak of a share of them; of no calls there is none.
fn enough(calls: usize, wanted: u32) -> bool {
    calls > 0 && calls as u64 >= u64::from(wanted)
}

/// How a part of the calls stands against so many percent of them.
fn against(part: usize, calls: usize, percent: u8) -> Ordering {
    (part as u64 * 100).cmp(&(calls as u64 * u64::from(percent)))
}

#[cfg(test)]
mod tests {
    use base::standing::{AtLeastAnswered, AtMostShort};

    use super::*;
    use crate::story::Story;

    fn went(story: &Story, talked: &[Option<u64>]) {
        for secs in talked {
            story.went(secs.map(Duration::from_secs));
        }
    }

    #[test]
    fn too_many_short_calls_hold_an_app_back_until_they_are_forgotten() {
        let mut story = Story::callback();
        let shorter_than = Duration::from_secs(6);
        story.account.app.conduct.short = Some(AtMostShort { calls: 4, shorter_than, percent: 50 });
        went(&story, &[Some(5), Some(5), None, None, Some(6)]);
        assert_eq!(story.refused(), None, "three answered calls are too few to judge");
        went(&story, &[Some(9)]);
        assert_eq!(story.refused(), None, "half of them may be short");
        went(&story, &[Some(0)]);
        assert_eq!(story.refused(), Some(Refusal::AbnormalDuration));
        story.now = story.now + Duration::from_secs(3_600);
        assert_eq!(story.refused(), None);
    }

    #[test]
    fn too_few_answered_calls_hold_an_app_back() {
        let mut story = Story::callback();
        story.account.app.conduct.answered = Some(AtLeastAnswered { calls: 4, percent: 50 });
        went(&story, &[None, None, None]);
        assert_eq!(story.refused(), None, "three calls are too few to judge");
        went(&story, &[Some(1)]);
        assert_eq!(story.refused(), Some(Refusal::AbnormalCompletion));
        went(&story, &[Some(1), Some(1)]);
        assert_eq!(story.refused(), None, "half of them is enough");
    }

    #[test]
    fn thresholds_of_nothing_are_no_trap() {
        let mut story = Story::callback();
        story.account.app.conduct.answered = Some(AtLeastAnswered { calls: 0, percent: 100 });
        story.account.app.conduct.short =
            Some(AtMostShort { calls: 0, shorter_than: Duration::from_secs(1), percent: 0 });
        assert_eq!(story.refused(), None);
    }
}
