//! Every clip of the order exists and was approved; every template too, and the order's values fill its places.
//!
//! What is found here is kept in [`Ask::heard`]: a menu has up to 129 texts, which are filled once.

use base::account::{Account, Review};
use base::call::{About, Text};
use base::clip::{ClipKey, ClipWish, Values};
use base::id::ClipId;
use base::order::ProductKind;
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
    ask.heard.as_ref().map(drop).map_err(Clone::clone)
}

/// What a wish means in the account, in a call of that kind. `random` is the order's own.
pub(crate) fn resolve(
    wish: &ClipWish,
    kind: ProductKind,
    account: &Account,
    random: u128,
) -> Result<Voice, Refusal> {
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
                    let (words, about) = words(&template.wording, kind, *part, values, account.app.lengths)?;
                    let id = name(random, template.speed, &words);
                    let words = Private::new(words.into());
                    Ok(Voice::Text(Text { id, words, speed: template.speed, about }))
                }
                Review::Pending | Review::Rejected => Err(Refusal::TemplateNotApproved),
            }
        }
    }
}

/// What is said, and about whom. To whoever writes values in one notation there are no templates of the other, and to
/// whoever wants no menu there are none.
fn words(
    wording: &Wording,
    kind: ProductKind,
    part: TextNo,
    values: &Values,
    lengths: Lengths,
) -> Result<(String, About), Refusal> {
    match (wording, values) {
        (Wording::Placed(text), Values::None) => placed(text, None),
        (Wording::Placed(text), Values::InOrder(values)) => placed(text, Some(values)),
        (Wording::Named(text), Values::ByName(values)) => named(text, values, lengths),
        (Wording::Menu(menu), Values::ByName(values)) if kind == ProductKind::Menu => {
            named(menu.text(part).ok_or(Refusal::UnknownTemplate)?, values, lengths)
        }
        (Wording::Placed(_), Values::ByName(_))
        | (Wording::Named(_), Values::None | Values::InOrder(_))
        | (Wording::Menu(_), Values::None | Values::InOrder(_) | Values::ByName(_)) => {
            Err(Refusal::UnknownTemplate)
        }
    }
}

/// The words of a text whose places are filled in their order.
fn placed(text: &Placed, values: Option<&Vec<Private<Box<str>>>>) -> Result<(String, About), Refusal> {
    let has_places = text.places().next().is_some();
    if has_places && values.is_none() {
        return Err(Refusal::NoTemplateValues);
    }
    let values: Vec<&str> = values.into_iter().flatten().map(|value| &**value.expose()).collect();
    let words = text.fill(&values).map_err(|misfit| match misfit {
        Misfit::Count => Refusal::TemplateValueCount,
        Misfit::Value(position) => Refusal::TemplateValue { position: position + 1 },
    })?;
    Ok((words, about(has_places)))
}

/// The words of a text whose places have names.
fn named(text: &Named, values: &named::Values, lengths: Lengths) -> Result<(String, About), Refusal> {
    let words = text.fill(values, lengths).map_err(|unfit| match unfit {
        Unfit::Missing(name) => Refusal::TemplateValueMissing { name },
        Unfit::Characters => Refusal::TemplateValueCharacters,
        Unfit::Address => Refusal::TemplateValueAddress,
        Unfit::ValueLength => Refusal::TemplateValueLength,
        Unfit::TextLength => Refusal::TextLength,
    })?;
    Ok((words, about(text.names().next().is_some())))
}

/// Only values tell of somebody.
const fn about(has_places: bool) -> About {
    if has_places { About::OnePerson } else { About::Nobody }
}

/// The place of a refusal among those that texts with named places meet: of several the lowest is told. It is the order
/// of [`Unfit`]; everything else is wrong before values are looked at.
pub(crate) const fn rank(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::TemplateValueMissing { .. } => 1,
        Refusal::TemplateValueCharacters => 2,
        Refusal::TemplateValueAddress => 3,
        Refusal::TemplateValueLength => 4,
        Refusal::TextLength => 5,
        _ => 0,
    }
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
    use base::order::{MenuTree, Product, Recorded};
    use base::template::TemplateKind::{Menu, Named, Placed};

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

        let spoilers: [fn(&mut MenuTree<ClipWish>, ClipWish); 3] = [
            |tree, wish| tree.nodes[1].prompt = wish,
            |tree, wish| tree.nodes[0].wrong = Some(wish),
            |tree, wish| tree.bye = Some(wish),
        ];
        for spoil in spoilers {
            let mut story = Story::menu();
            spoil(&mut story.menu_mut().tree, missing());
            assert_eq!(story.refused(), refusal);
        }
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

    const PARCEL: &str = "尊敬的{name},订单{no}已发货";

    #[test]
    fn named_values_must_fill_the_places() {
        let (long, longest) = ("长".repeat(101), "长".repeat(100));
        for (name, refusal) in [
            ("张三", None),
            ("a\nb", Some(Refusal::TemplateValueCharacters)),
            ("www.a.com", Some(Refusal::TemplateValueAddress)),
            (&*long, Some(Refusal::TemplateValueLength)),
            (&*longest, None),
        ] {
            let story = Story::named(Named, PARCEL, &[("name", name), ("no", "8"), ("extra", "a.cn")]);
            assert_eq!(story.refused(), refusal, "{name}");
        }
        let missing = Some(Refusal::TemplateValueMissing { name: "no".into() });
        assert_eq!(Story::named(Named, PARCEL, &[("name", "a.cn")]).refused(), missing);
        let mut story = Story::named(Named, PARCEL, &[("name", &longest), ("no", &longest)]);
        assert_eq!(story.refused(), Some(Refusal::TextLength));
        story.account.app.lengths = Lengths::STRICT;
        assert_eq!(story.refused(), Some(Refusal::TemplateValueLength), "the app's own lengths count");
    }

    #[test]
    fn of_a_menu_every_text_is_filled_with_the_same_values() {
        const MENU: &str = r#"{
            "nodes": {
                "root": { "prompt": "{a}按1", "keys": { "1": "more" }, "wrong": "按键无效" },
                "more": { "prompt": "{b}" }
            },
            "bye": "按键无效"
        }"#;
        let admitted = Story::named(Menu, MENU, &[("a", "甲"), ("b", "乙")]).admitted().admitted;
        let words: Vec<_> = admitted.texts.iter().map(|text| (&**text.words.expose(), text.about)).collect();
        assert_eq!(
            words,
            [("甲按1", About::OnePerson), ("按键无效", About::Nobody), ("乙", About::OnePerson)],
            "each text is spoken once"
        );
        let Product::Menu(menu) = admitted.call.product else { panic!("it is a menu") };
        let spoken: Vec<ClipKey> = menu.tree.voices().copied().collect();
        let [first, wrong, more] = [0, 1, 2].map(|text| ClipKey::Spoken(admitted.texts[text].id));
        assert_eq!(spoken, [first, wrong, more, wrong]);

        for (a, b, refusal) in [
            ("a.cn", "好\n", Refusal::TemplateValueCharacters),
            (&*"长".repeat(101), "a.cn", Refusal::TemplateValueAddress),
            ("a.cn", "b.cn", Refusal::TemplateValueAddress),
        ] {
            let story = Story::named(Menu, MENU, &[("a", a), ("b", b)]);
            assert_eq!(story.refused(), Some(refusal), "the first fault of all texts is told");
        }
        let story = Story::named(Menu, MENU, &[("a", "a.cn")]);
        assert_eq!(story.refused(), Some(Refusal::TemplateValueMissing { name: "b".into() }));
    }

    #[test]
    fn a_template_of_another_kind_is_unknown() {
        const MENU: &str = r#"{"nodes":{"root":{"prompt":"您好"}}}"#;
        for (asked, have, text) in [
            (Named, Placed, "您好"),
            (Named, Menu, MENU),
            (Placed, Named, "您好"),
            (Placed, Menu, MENU),
            (Menu, Placed, "您好"),
        ] {
            let asked_text = if asked == Menu { MENU } else { "您好" };
            let mut story = match asked {
                Placed => notice("您好", None),
                Named | Menu => Story::named(asked, asked_text, &[]),
            };
            assert_eq!(story.refused(), None);
            let id = if asked == Placed { "parcel" } else { "200001" };
            story.wording(id, have, text, Review::Approved);
            assert_eq!(story.refused(), Some(Refusal::UnknownTemplate), "{asked:?} {have:?}");
        }
        let mut story = Story::named(Menu, MENU, &[]);
        story.menu_mut().tree.nodes[0].prompt = ClipWish::Spoken {
            template: "200001".into(),
            part: TextNo(1),
            values: Values::ByName(Default::default()),
        };
        assert_eq!(story.refused(), Some(Refusal::UnknownTemplate), "it has one text");
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
