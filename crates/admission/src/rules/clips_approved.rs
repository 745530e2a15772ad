//! Every clip of the order exists and was approved; every template too, and the order's values fill its places.

use base::account::{Account, Review, SpokenTemplate};
use base::call::{About, Text};
use base::clip::{ClipKey, ClipWish, Values};
use base::id::ClipId;
use base::private::Private;
use base::refusal::Refusal;
use base::template::{Lengths, Misfit, Named, Placed, TextNo, Unfit, Wording, named};
use sha2::{Digest, Sha256};

use crate::ask::Ask;

/// What a wish means.
pub(crate) enum Voice {
    /// A clip that is there.
    Clip(ClipKey),
    /// Words that must be spoken first.
    Text(Text),
}

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    ask.wishes().try_for_each(|wish| resolve(wish, ask.account, ask.random).map(drop))
}

/// What a wish means in the account. `random` is the order's own.
pub(crate) fn resolve(wish: &ClipWish, account: &Account, random: u128) -> Result<Voice, Refusal> {
    match wish {
        ClipWish::System(clip) => Ok(Voice::Clip(ClipKey::System(*clip))),
        ClipWish::Named(name) => {
            let file = account.clips.get(name).ok_or_else(|| Refusal::UnknownClip { name: name.clone() })?;
            match file.review {
                Review::Approved => Ok(Voice::Clip(ClipKey::Uploaded(file.clip))),
                Review::Pending | Review::Rejected => Err(Refusal::ClipNotApproved { name: name.clone() }),
            }
        }
        ClipWish::Spoken { template, part, values } => {
            let template = account.templates.get(template).ok_or(Refusal::UnknownTemplate)?;
            match template.review {
                Review::Approved => {
                    text(template, *part, values, account.app.lengths, random).map(Voice::Text)
                }
                Review::Pending | Review::Rejected => Err(Refusal::TemplateNotApproved),
            }
        }
    }
}

fn text(
    template: &SpokenTemplate,
    part: TextNo,
    values: &Values,
    lengths: Lengths,
    random: u128,
) -> Result<Text, Refusal> {
    let (words, has_places) = match (&template.wording, values) {
        (Wording::Placed(text), Values::None | Values::InOrder(_)) => placed(text, values)?,
        (Wording::Named(text), Values::ByName(values)) => named(text, values, lengths)?,
        (Wording::Menu(menu), Values::ByName(values)) => {
            named(menu.text(part).ok_or(Refusal::UnknownTemplate)?, values, lengths)?
        }
        // The values of one notation do not fit the other.
        (Wording::Placed(_), Values::ByName(_))
        | (Wording::Named(_) | Wording::Menu(_), Values::None | Values::InOrder(_)) => {
            return Err(Refusal::UnknownTemplate);
        }
    };
    let id = name(random, template.speed, &words);
    let about = if has_places { About::OnePerson } else { About::Nobody };
    Ok(Text { id, words: Private::new(words.into()), speed: template.speed, about })
}

/// The words of a text whose places are filled in their order, and whether it has any.
fn placed(text: &Placed, values: &Values) -> Result<(String, bool), Refusal> {
    let has_places = text.places().next().is_some();
    let values = match values {
        Values::InOrder(values) => &values[..],
        Values::None | Values::ByName(_) if has_places => return Err(Refusal::NoTemplateValues),
        Values::None | Values::ByName(_) => &[],
    };
    let values: Vec<&str> = values.iter().map(|value| &**value.expose()).collect();
    let words = text.fill(&values).map_err(|misfit| match misfit {
        Misfit::Count => Refusal::TemplateValueCount,
        Misfit::Value(position) => Refusal::TemplateValue { position: position + 1 },
    })?;
    Ok((words, has_places))
}

/// The words of a text whose places have names, and whether it has any.
fn named(text: &Named, values: &named::Values, lengths: Lengths) -> Result<(String, bool), Refusal> {
    let words = text.fill(values, lengths).map_err(|unfit| match unfit {
        Unfit::Missing(name) => Refusal::TemplateValueMissing { name },
        Unfit::Characters => Refusal::TemplateValueCharacters,
        Unfit::Address => Refusal::TemplateValueAddress,
        Unfit::ValueLength => Refusal::TemplateValueLength,
        Unfit::TextLength => Refusal::TextLength,
    })?;
    Ok((words, text.names().next().is_some()))
}

/// The name of what is heard: within one call, the same words at the same pace. It stands in the journal, which shall not
/// tell a code of six digits to whoever tries them all: only the low bits of the order's random number are kept there.
fn name(random: u128, speed: u8, words: &str) -> ClipId {
    let salted = Sha256::new().chain_update(random.to_be_bytes());
    let hash = salted.chain_update([speed]).chain_update(words).finalize();
    let (id, _) = hash.split_first_chunk().expect("a SHA-256 has more than 16 bytes");
    ClipId::from_bytes(*id)
}

#[cfg(test)]
mod tests {
    use base::clip::SystemClip;
    use base::order::{Product, Recorded};

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

        let mut story = Story::callback();
        story.account.app.recording = true;
        story.callback_mut().recorded = Some(Recorded { hint: missing() });
        assert_eq!(story.refused(), refusal);

        let mut story = Story::code();
        story.code_mut().before = missing();
        assert_eq!(story.refused(), refusal);

        let mut story = Story::code();
        story.code_mut().after = Some(missing());
        assert_eq!(story.refused(), refusal);

        let mut story = Story::notice();
        story.notice_mut().items.push(story::item(missing()));
        assert_eq!(story.refused(), refusal);
    }

    fn notice(template: &str, values: Option<&[&str]>) -> Story {
        let mut story = Story::notice();
        story.template("parcel", template, Review::Approved);
        story.notice_mut().items = vec![story::item(story::spoken("parcel", values))];
        story
    }

    #[test]
    fn a_template_must_exist_and_be_approved() {
        let mut story = notice("您好", None);
        assert_eq!(story.refused(), None);
        for review in [Review::Pending, Review::Rejected] {
            story.template("parcel", "您好", review);
            assert_eq!(story.refused(), Some(Refusal::TemplateNotApproved));
        }
        story.account.templates.clear();
        assert_eq!(story.refused(), Some(Refusal::UnknownTemplate));
    }

    #[test]
    fn values_must_fill_the_places() {
        const TWO: &str = "编号${NUM_6}，${TIME}前";
        for (template, values, refusal) in [
            ("您好", None, None),
            ("您好", Some(&[][..]), None),
            ("您好", Some(&["1"][..]), Some(Refusal::TemplateValueCount)),
            (TWO, Some(&["123456", "23:59"][..]), None),
            (TWO, None, Some(Refusal::NoTemplateValues)),
            (TWO, Some(&[][..]), Some(Refusal::TemplateValueCount)),
            (TWO, Some(&["123456"][..]), Some(Refusal::TemplateValueCount)),
            (TWO, Some(&["123456", "23:59", "1"][..]), Some(Refusal::TemplateValueCount)),
            (TWO, Some(&["abc", "25:00"][..]), Some(Refusal::TemplateValue { position: 1 })),
            (TWO, Some(&["123456", "25:00"][..]), Some(Refusal::TemplateValue { position: 2 })),
        ] {
            assert_eq!(notice(template, values).refused(), refusal, "{template} {values:?}");
        }
    }

    #[test]
    fn a_text_without_places_is_about_nobody() {
        let admitted = notice("您好", None).admitted().admitted;
        assert_eq!(admitted.texts[0].about, About::Nobody);
    }

    #[test]
    fn what_must_be_spoken_is_named_by_its_words_and_pace() {
        let mut story = notice("编号${NUM_6}", Some(&["42"]));
        let item = story::item(story::spoken("parcel", Some(&["42"])));
        let other = story::item(story::spoken("parcel", Some(&["43"])));
        let beep = story::item(ClipWish::System(SystemClip::HintTone));
        story.notice_mut().items.extend([beep, item, other]);
        let admitted = story.admitted().admitted;
        let words: Vec<&str> = admitted.texts.iter().map(|text| &**text.words.expose()).collect();
        assert_eq!(words, ["编号42", "编号43"], "each text is spoken once");
        assert!(admitted.texts.iter().all(|text| text.about == About::OnePerson));
        let Product::Notice(notice) = admitted.call.product else { panic!("it is a notice") };
        let voices: Vec<ClipKey> = notice.items.iter().map(|item| item.voice).collect();
        let [first, second] = [0, 1].map(|text| ClipKey::Spoken(admitted.texts[text].id));
        assert_eq!(voices, [first, ClipKey::System(SystemClip::HintTone), first, second]);
        assert_ne!(name(1, 100, "编号42"), name(1, 90, "编号42"));
        assert_ne!(
            name(1, 100, "编号42"),
            name(1 << 100, 100, "编号42"),
            "the journal keeps the low bits only"
        );
    }
}
