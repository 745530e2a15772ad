//! Every clip of the order exists and was approved.

use base::account::{Account, Review};
use base::clip::{ClipKey, ClipWish};
use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    ask.wishes().try_for_each(|wish| resolve(wish, ask.account).map(drop))
}

/// The clip that a wish means.
pub(crate) fn resolve(wish: &ClipWish, account: &Account) -> Result<ClipKey, Refusal> {
    match wish {
        ClipWish::System(clip) => Ok(ClipKey::System(*clip)),
        ClipWish::Named(name) => {
            let file = account.clips.get(name).ok_or_else(|| Refusal::UnknownClip { name: name.clone() })?;
            match file.review {
                Review::Approved => Ok(ClipKey::Uploaded(file.clip)),
                Review::Pending | Review::Rejected => Err(Refusal::ClipNotApproved { name: name.clone() }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{self, Story};

    #[test]
    fn a_clip_must_exist_and_be_approved() {
        let name: Box<str> = "hello.wav".into();
        let mut story = Story::callback();
        story.callback_mut().pre_voice = Some(ClipWish::Named(name.clone()));
        assert_eq!(story.refused(), Some(Refusal::UnknownClip { name: name.clone() }));
        for review in [Review::Pending, Review::Rejected] {
            story.account.clips.insert(name.clone(), story::voice_file(7, review));
            assert_eq!(story.refused(), Some(Refusal::ClipNotApproved { name: name.clone() }));
        }
        story.account.clips.insert(name, story::voice_file(7, Review::Approved));
        assert_eq!(story.refused(), None);
    }

    #[test]
    fn every_clip_of_every_product_is_looked_at() {
        let missing = || ClipWish::Named("missing.wav".into());
        let refusal = Some(Refusal::UnknownClip { name: "missing.wav".into() });

        let mut story = Story::callback();
        story.callback_mut().wait_voice = missing();
        assert_eq!(story.refused(), refusal);

        let mut story = Story::callback();
        story.limit_talk(missing());
        assert_eq!(story.refused(), refusal);

        let mut story = Story::code();
        story.code_mut().before = missing();
        assert_eq!(story.refused(), refusal);

        let mut story = Story::code();
        story.code_mut().after = Some(missing());
        assert_eq!(story.refused(), refusal);
    }
}
