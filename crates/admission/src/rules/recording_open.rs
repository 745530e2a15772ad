//! Recording is opened for the app, if the order wants it.

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) const fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    if ask.placing.record && !ask.account.app.recording {
        return Err(Refusal::RecordingNotOpen);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn recording_must_be_opened_first() {
        let mut story = Story::callback();
        story.placing.record = true;
        assert_eq!(story.refused(), Some(Refusal::RecordingNotOpen));
        story.account.app.recording = true;
        assert_eq!(story.refused(), None);
    }
}
