//! `POST /rest/httpsessions/callnotify/v2.0`: ring one party, let it hear up to five things, take the keys it presses.
//!
//! The version before, `v1.0`, knew voice files only. It also took plain text to be spoken, which nobody may say
//! without a review today: it is refused.

use base::clip::{ClipWish, Values};
use base::order::{Collect, Notice, NoticeItem, Order, Product};
use base::private::Private;
use base::refusal::Refusal;
use base::template::TextNo;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::placing;
use crate::huawei::fields::{Loose, required};

/// The body as the vendor documents it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    display_nbr: Loose,
    callee_nbr: Loose,
    play_info_list: Loose<Loose<IgnoredAny, PlayContentInfo>>,
    #[serde(flatten)]
    placing: placing::Fields,
}

/// One thing to hear.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PlayContentInfo {
    notify_voice: Loose,
    template_id: Loose,
    template_paras: Loose<Loose>,
    /// `v1.0` only.
    tts_content: Loose,
    collect_ind: Loose,
    replay_after_collection: Loose,
    collect_content_trigger_replaying: Loose,
}

/// Things to hear in one call.
const ITEMS_MAX: usize = 5;

/// Keys to collect after one of them.
const KEYS_MAX: u16 = 32;

/// Characters of a template's id; the documents do not say, those in use have 32.
const TEMPLATE_MAX: usize = 128;

/// What the items of a notice may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::huawei) enum Version {
    /// `v1.0`
    Files,
    /// `v2.0`
    FilesAndTemplates,
}

/// Reads the order.
pub(in crate::huawei) fn read(json: &[u8], version: Version) -> Result<Order, Refusal> {
    let body: Body = super::body(json)?;
    let display = body.display_nbr.number("displayNbr")?;
    let callee = body.callee_nbr.number("calleeNbr")?;
    let items = items(body.play_info_list, version)?;
    let wishes = body.placing.read()?;

    let shown = display.read().map_err(|_| Refusal::NumberNotOwned)?;
    let callee = callee.read().map_err(|_| Refusal::BadNumber { name: "calleeNbr" })?;
    let product = Product::Notice(Notice { callee, shown, items });
    Ok(Order::Place(Box::new(wishes.place(product)?)))
}

fn items(
    list: Loose<Loose<IgnoredAny, PlayContentInfo>>,
    version: Version,
) -> Result<Vec<NoticeItem<ClipWish>>, Refusal> {
    const BAD: Refusal = Refusal::BadField { name: "playInfoList" };

    let Loose::List(list) = list else { return Err(BAD) };
    if list.is_empty() || list.len() > ITEMS_MAX {
        return Err(BAD);
    }
    let item = |item| {
        let Loose::Object(item) = item else { return Err(BAD) };
        PlayContentInfo::read(item, version)
    };
    list.into_iter().map(item).collect()
}

impl PlayContentInfo {
    fn read(self, version: Version) -> Result<NoticeItem<ClipWish>, Refusal> {
        if version == Version::Files {
            for (name, value) in [("templateId", &self.template_id), ("ttsContent", &self.tts_content)] {
                if !value.is_absent() {
                    return Err(Refusal::BadField { name });
                }
            }
        }
        let voice = voice(self.notify_voice, self.template_id, self.template_paras)?;
        let keys = self.collect_content_trigger_replaying;
        let collect = collect(self.collect_ind, self.replay_after_collection, keys)?;
        Ok(NoticeItem { voice, collect })
    }
}

/// A voice file or a template, and not both.
fn voice(notify_voice: Loose, template_id: Loose, paras: Loose<Loose>) -> Result<ClipWish, Refusal> {
    const TEMPLATE: &str = "templateId";

    let file = notify_voice.clip("notifyVoice")?;
    let template = template_id.text(TEMPLATE, TEMPLATE_MAX)?;
    match (file, template) {
        (Some(file), None) => Ok(file),
        (None, Some(template)) => {
            let values = values(paras)?.map_or(Values::None, Values::InOrder);
            Ok(ClipWish::Spoken { template: template.into(), part: TextNo(0), values })
        }
        (Some(_), Some(_)) => Err(Refusal::BadField { name: TEMPLATE }),
        (None, None) => Err(Refusal::BadField { name: "notifyVoice" }),
    }
}

fn collect(collect_ind: Loose, replays: Loose, keys: Loose) -> Result<Option<Collect>, Refusal> {
    let digits_max = collect_ind.whole("collectInd", 0..=KEYS_MAX)?.unwrap_or(0);
    let digits_max = u8::try_from(digits_max).unwrap_or(u8::MAX);
    if digits_max == 0 {
        return Ok(None);
    }
    let replay_on = match replays.flag("replayAfterCollection")? {
        false => None,
        true => Some(trigger(keys, digits_max)?),
    };
    Ok(Some(Collect { digits_max, replay_on }))
}

/// What has to be pressed to hear an item again: keys, no more of them than are collected.
fn trigger(keys: Loose, digits_max: u8) -> Result<Private<Box<str>>, Refusal> {
    const NAME: &str = "collectContentTriggerReplaying";

    let keys = required(NAME, keys.text(NAME, digits_max.into())?)?;
    if keys.bytes().all(|key| matches!(key, b'0'..=b'9' | b'*' | b'#')) {
        Ok(Private::new(keys.into()))
    } else {
        Err(Refusal::BadField { name: NAME })
    }
}

/// The values of a template's places: a list of texts, or a text that holds such a list.
fn values(given: Loose<Loose>) -> Result<Option<Vec<Private<Box<str>>>>, Refusal> {
    const NAME: &str = "templateParas";
    /// What the template's own places allow is for others to say.
    const VALUE_MAX: usize = base::limits::REQUEST_BODY_BYTES;

    let list = match given {
        Loose::Absent => return Ok(None),
        Loose::Text(text) if text.is_empty() => return Ok(None),
        Loose::Text(text) => match serde_json::from_str(&text) {
            Ok(Loose::<Loose>::List(list)) => list,
            Ok(_) | Err(_) => return Err(Refusal::BadField { name: NAME }),
        },
        Loose::List(list) => list,
        Loose::Whole(_) | Loose::Flag(_) | Loose::Object(_) | Loose::Odd => {
            return Err(Refusal::BadField { name: NAME });
        }
    };
    let value = |item: Loose| Ok(Private::new(item.text(NAME, VALUE_MAX)?.unwrap_or_default().into()));
    list.into_iter().map(value).collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(order: Result<Order, Refusal>) -> Result<Notice<ClipWish>, Refusal> {
        match order? {
            Order::Place(placing) => match placing.product {
                Product::Notice(notice) => Ok(notice),
                _ => panic!("callnotify places notices"),
            },
            _ => panic!("callnotify places calls"),
        }
    }

    fn body(list: &str) -> String {
        format!(
            r#"{{"displayNbr":"+8675528000088","calleeNbr":"+8613500000004","playInfoList":{list},"userData":"u"}}"#
        )
    }

    fn with(list: &str) -> Result<Vec<NoticeItem<ClipWish>>, Refusal> {
        notice(read(body(list).as_bytes(), Version::FilesAndTemplates)).map(|notice| notice.items)
    }

    /// The only item of a list with these fields.
    fn item(fields: &str) -> Result<NoticeItem<ClipWish>, Refusal> {
        with(&format!("[{{{fields}}}]")).map(|items| items[0].clone())
    }

    fn of_file(fields: &str) -> Result<NoticeItem<ClipWish>, Refusal> {
        item(&format!(r#""notifyVoice":"a.wav",{fields}"#))
    }

    fn bad<T>(name: &'static str) -> Result<T, Refusal> {
        Err(Refusal::BadField { name })
    }

    fn spoken(values: Option<&[&str]>) -> ClipWish {
        let private = |value: &&str| Private::new((*value).into());
        let values = values.map(|values| values.iter().map(private).collect());
        ClipWish::Spoken {
            template: "T".into(),
            part: TextNo(0),
            values: values.map_or(Values::None, Values::InOrder),
        }
    }

    #[test]
    fn a_notice_plays_its_items_in_order() {
        let list =
            r#"[{"notifyVoice":"a.wav"},{"templateId":"T","templateParas":["1"]},{"notifyVoice":"a.wav"}]"#;
        let notice = notice(read(body(list).as_bytes(), Version::FilesAndTemplates)).unwrap();
        assert_eq!(notice.shown.as_str(), "+8675528000088");
        assert_eq!(notice.callee.as_str(), "+8613500000004");
        let voices: Vec<_> = notice.items.iter().map(|item| item.voice.clone()).collect();
        let file = ClipWish::Named("a.wav".into());
        assert_eq!(voices, [file.clone(), spoken(Some(&["1"])), file]);
        assert!(notice.items.iter().all(|item| item.collect.is_none()));
    }

    #[test]
    fn a_list_has_one_to_five_items() {
        let items = |count| format!("[{}]", vec![r#"{"notifyVoice":"a.wav"}"#; count].join(","));
        assert_eq!(with(&items(1)).map(|items| items.len()), Ok(1));
        assert_eq!(with(&items(5)).map(|items| items.len()), Ok(5));
        for list in [
            &*items(0),
            &items(6),
            "null",
            r#"{"notifyVoice":"a.wav"}"#,
            r#""[]""#,
            "7",
            r#"["a.wav"]"#,
            r#"[["a.wav"]]"#,
            "[null]",
        ] {
            assert_eq!(with(list), bad("playInfoList"), "{list}");
        }
        let twice = r#"[{"notifyVoice":"a.wav","notifyVoice":"b.wav"}]"#;
        assert_eq!(with(twice), Err(Refusal::BadBody));
    }

    #[test]
    fn an_item_is_a_file_or_a_template() {
        for (fields, voice) in [
            (r#""notifyVoice":"a.wav","templateId":"""#, Ok(ClipWish::Named("a.wav".into()))),
            (r#""notifyVoice":"a.wav","templateParas":{}"#, Ok(ClipWish::Named("a.wav".into()))),
            (r#""notifyVoice":null,"templateId":"T""#, Ok(spoken(None))),
            (r#""notifyVoice":"a.wav","templateId":"T""#, bad("templateId")),
            (r#""templateParas":["1"]"#, bad("notifyVoice")),
            (r#""ttsContent":"您好""#, bad("notifyVoice")),
            (r#""notifyVoice":true"#, bad("notifyVoice")),
        ] {
            assert_eq!(item(fields).map(|item| item.voice), voice, "{fields}");
        }
    }

    #[test]
    fn values_come_as_a_list_or_as_a_text_of_one() {
        for (json, values) in [
            (r#"["张三","12.50"]"#, Ok(Some(&["张三", "12.50"][..]))),
            (r#""[\"张三\",\"7\"]""#, Ok(Some(&["张三", "7"]))),
            (r#""[]""#, Ok(Some(&[]))),
            ("[]", Ok(Some(&[]))),
            ("[12,null]", Ok(Some(&["12", ""]))),
            ("null", Ok(None)),
            (r#""""#, Ok(None)),
            (r#""张三""#, Err(())),
            (r#""{}""#, Err(())),
            ("[1.5]", Err(())),
            ("[true]", Err(())),
            (r#"["\n"]"#, Err(())),
            ("7", Err(())),
            ("{}", Err(())),
        ] {
            let told = item(&format!(r#""templateId":"T","templateParas":{json}"#)).map(|item| item.voice);
            assert_eq!(told, values.map(spoken).or_else(|()| bad("templateParas")), "{json}");
        }
    }

    #[test]
    fn keys_are_collected_when_it_says_how_many() {
        let collect = |digits_max, replay_on: Option<&str>| {
            let replay_on = replay_on.map(|keys| Private::new(keys.into()));
            Ok(Some(Collect { digits_max, replay_on }))
        };
        const ON: &str = r#""collectInd":2,"replayAfterCollection":true,"collectContentTriggerReplaying""#;
        const TRIGGER: &str = "collectContentTriggerReplaying";
        for (fields, expected) in [
            (r#""collectInd":0"#.to_owned(), Ok(None)),
            (
                r#""collectInd":0,"replayAfterCollection":"x","collectContentTriggerReplaying":[]"#
                    .to_owned(),
                Ok(None),
            ),
            (r#""collectInd":1"#.to_owned(), collect(1, None)),
            (r#""collectInd":"32""#.to_owned(), collect(32, None)),
            (r#""collectInd":33"#.to_owned(), bad("collectInd")),
            (r#""collectInd":-1"#.to_owned(), bad("collectInd")),
            (
                r#""collectInd":1,"replayAfterCollection":"false","collectContentTriggerReplaying":[]"#
                    .to_owned(),
                collect(1, None),
            ),
            (r#""collectInd":1,"replayAfterCollection":"no""#.to_owned(), bad("replayAfterCollection")),
            (r#""collectInd":1,"replayAfterCollection":true"#.to_owned(), bad(TRIGGER)),
            (format!(r#"{ON}:"9""#), collect(2, Some("9"))),
            (format!(r#"{ON}:"*#""#), collect(2, Some("*#"))),
            (format!("{ON}:12"), collect(2, Some("12"))),
            (format!(r#"{ON}:"123""#), bad(TRIGGER)),
            (format!(r#"{ON}:"a""#), bad(TRIGGER)),
            (format!(r#"{ON}:"""#), bad(TRIGGER)),
        ] {
            assert_eq!(of_file(&fields).map(|item| item.collect), expected, "{fields}");
        }
    }

    #[test]
    fn the_version_before_knows_files_only() {
        let items = |fields: &str| {
            notice(read(body(&format!("[{{{fields}}}]")).as_bytes(), Version::Files))
                .map(|notice| notice.items.len())
        };
        assert_eq!(items(r#""notifyVoice":"a.wav","collectInd":1,"ttsContent":null"#), Ok(1));
        assert_eq!(items(r#""templateId":"T""#), bad("templateId"));
        assert_eq!(items(r#""notifyVoice":"a.wav","ttsContent":"您好""#), bad("ttsContent"));
        assert_eq!(items(r#""ttsContent":"您好""#), bad("ttsContent"));
    }

    #[test]
    fn the_body_is_judged_before_the_numbers() {
        let with = |display: &str, callee: &str, list: &str| {
            let json =
                format!(r#"{{"displayNbr":"{display}","calleeNbr":"{callee}","playInfoList":{list}}}"#);
            read(json.as_bytes(), Version::FilesAndTemplates).err()
        };
        let list = r#"[{"notifyVoice":"a.wav"}]"#;
        assert_eq!(with("x", "y", "[]"), bad::<()>("playInfoList").err());
        assert_eq!(with("x", "y", list), Some(Refusal::NumberNotOwned));
        assert_eq!(with("+8675528000088", "y", list), Some(Refusal::BadNumber { name: "calleeNbr" }));
        assert_eq!(with("", "y", list), bad::<()>("displayNbr").err());
    }
}
