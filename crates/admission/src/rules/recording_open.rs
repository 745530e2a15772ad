//! Recording is opened for the app, if the order wants it.

use base::order::Product;
use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) const fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    let wanted = match &ask.placing.product {
        Product::Callback(call) => call.recorded.is_some(),
        Product::Code(_) | Product::Notice(_) | Product::Menu(_) => false,
    };
    if wanted && !ask.account.app.recording { Err(Refusal::RecordingNotOpen) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use base::clip::{ClipWish, SystemClip};
    use base::order::Recorded;

    use super::*;
    use crate::story::Story;

    #[test]
    fn recording_must_be_opened_first() {
        let mut story = Story::callback();
        story.callback_mut().recorded = Some(Recorded { hint: ClipWish::System(SystemClip::HintTone) });
        assert_eq!(story.refused(), Some(Refusal::RecordingNotOpen));
        story.account.app.recording = true;
        assert_eq!(story.refused(), None);
    }
}
