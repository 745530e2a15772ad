//! No word that must not be spoken stands in a text, with the order's own values in it. What was in a template when it
//! was reviewed is looked at again: the list may have grown since. Voice files were heard by who approved them.

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    let forbidden = &ask.account.platform.forbidden_words;
    // What cannot be resolved was refused before; to an explanation it says nothing.
    let mut texts = ask.heard.iter().flat_map(|heard| &heard.texts);
    if texts.any(|text| forbidden.stand_in(text.words.expose())) {
        return Err(Refusal::ForbiddenWords);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base::account::Review;
    use base::release::Cause;
    use base::template::TemplateKind::{Menu, Named};

    use super::*;
    use crate::story::{self, Story};

    const MENU: &str = r#"{"nodes":{"root":{"prompt":"您好","keys":{"1":"more"}},"more":{"prompt":"{a}"}}}"#;

    fn spoken(text: &str, value: &str) -> Story {
        let mut story = Story::notice();
        story.template("parcel", text, Review::Approved);
        story.notice_mut().items = vec![story::item(story::spoken("parcel", Some(&[value])))];
        story
    }

    #[test]
    fn a_forbidden_word_is_found_in_every_text_of_every_kind() {
        for mut story in [
            spoken("来${TXT_9}吧", "赌 博"),
            spoken("来赌${TXT_9}吧", "博"),
            spoken("赌博${TXT_9}", "吧"),
            Story::named(Named, "来{a}吧", &[("a", "赌-博")]),
            Story::named(Menu, MENU, &[("a", "赌博")]),
        ] {
            assert_eq!(story.refused(), None, "nothing is forbidden yet");
            story.forbid("赌博");
            assert_eq!(story.refused(), Some(Refusal::ForbiddenWords));
            assert_eq!(story.reported().objection(), Some(Cause::ForbiddenWords));
        }
    }

    #[test]
    fn other_words_and_values_that_are_not_spoken_pass() {
        let mut story = Story::named(Named, "来{a}吧", &[("a", "玩"), ("b", "赌博")]);
        story.forbid("赌博");
        assert_eq!(story.refused(), None);
        for story in Story::ALL {
            let mut story = story();
            story.forbid("赌博");
            assert_eq!(story.refused(), None);
        }
    }
}
