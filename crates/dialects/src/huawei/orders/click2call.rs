//! `POST /rest/httpsessions/click2Call/v2.0`: ring A, then B, and connect them.

use std::time::Duration;

use base::clip::{ClipWish, SystemClip};
use base::order::{Callback, CalleeMedia, Ears, Longest, Order, Placing, Product, Recorded};
use base::refusal::Refusal;
use serde::Deserialize;

use super::placing;
use crate::huawei::fields::Loose;

/// The body as the vendor documents it; `callBackTone`, named in its prerequisites only, is passed over.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    display_nbr: Loose,
    caller_nbr: Loose,
    display_callee_nbr: Loose,
    callee_nbr: Loose,
    max_duration: Loose,
    last_min_voice: Loose,
    #[serde(rename = "lastMinToUE")]
    last_min_to_ue: Loose,
    play_pre_voice: Loose,
    pre_voice: Loose,
    wait_voice: Loose,
    callee_media: Loose,
    record_flag: Loose,
    record_hint_tone: Loose,
    party_type_required_in_disconnect: Loose,
    #[serde(flatten)]
    placing: placing::Fields,
}

/// Minutes, as documented; 0 stands for no limit.
const MAX_DURATION: u16 = 1_440;

/// Reads the order.
pub(in crate::huawei) fn read(json: &[u8]) -> Result<Order, Refusal> {
    let body: Body = super::body(json)?;
    let display = body.display_nbr.number("displayNbr")?;
    let caller = body.caller_nbr.number("callerNbr")?;
    let display_callee = body.display_callee_nbr.number("displayCalleeNbr")?;
    let callee = body.callee_nbr.number("calleeNbr")?;
    let minutes = body.max_duration.whole("maxDuration", 0..=MAX_DURATION)?.unwrap_or(0);
    let longest = match minutes {
        0 => None,
        minutes => Some(Longest {
            talk: Duration::from_secs(u64::from(minutes) * 60),
            last_minute: or(body.last_min_voice.clip("lastMinVoice")?, SystemClip::LastMinute),
            ears: body.last_min_to_ue.choice("lastMinToUE", EARS)?.unwrap_or(Ears::Both),
        }),
    };
    let pre_voice = match body.play_pre_voice.flag("playPreVoice")? {
        false => None,
        true => Some(or(body.pre_voice.clip("preVoice")?, SystemClip::Transferring)),
    };
    let wait_voice = or(body.wait_voice.clip("waitVoice")?, SystemClip::RingBack);
    let callee_media = body.callee_media.choice("calleeMedia", CALLEE_MEDIA)?.unwrap_or(CalleeMedia::All);
    let recorded = match body.record_flag.flag("recordFlag")? {
        false => None,
        true => {
            Some(Recorded { hint: or(body.record_hint_tone.clip("recordHintTone")?, SystemClip::HintTone) })
        }
    };
    let tell_who_hung_up = body.party_type_required_in_disconnect.flag("partyTypeRequiredInDisconnect")?;
    let wishes = body.placing.read()?;

    let shown_to_caller = display.read().map_err(|_| Refusal::NumberNotOwned)?;
    let caller = caller.read().map_err(|_| Refusal::BadCaller)?;
    let shown_to_callee = display_callee.read().map_err(|_| Refusal::NumberNotOwned)?;
    let callee = callee.read().map_err(|_| Refusal::BadNumber { name: "calleeNbr" })?;
    if caller == callee {
        return Err(Refusal::BadField { name: "calleeNbr" });
    }
    let product = Product::Callback(Callback {
        caller,
        callee,
        shown_to_caller,
        shown_to_callee,
        longest,
        pre_voice,
        wait_voice,
        callee_media,
        recorded,
    });
    Ok(Order::Place(Box::new(Placing { tell_who_hung_up, ..wishes.place(product)? })))
}

const EARS: &[(&str, Ears)] = &[("toa", Ears::A), ("tob", Ears::B), ("both", Ears::Both)];

const CALLEE_MEDIA: &[(&str, CalleeMedia)] =
    &[("all", CalleeMedia::All), ("none", CalleeMedia::Nothing), ("fail", CalleeMedia::FailureOnly)];

fn or(wish: Option<ClipWish>, ours: SystemClip) -> ClipWish {
    wish.unwrap_or(ClipWish::System(ours))
}

#[cfg(test)]
mod tests {
    use base::number::E164;
    use base::order::Told;
    use base::url::PushUrl;

    use super::*;

    /// The order of a body with these fields besides the required ones.
    fn with(fields: &str) -> Result<Placing, Refusal> {
        let comma = if fields.is_empty() { "" } else { "," };
        let json = format!(
            r#"{{"displayNbr":"+8675500008888","callerNbr":"+8613700000001",
            "displayCalleeNbr":"+8675500008889","calleeNbr":"+8613700000002"{comma}{fields}}}"#
        );
        match read(json.as_bytes())? {
            Order::Place(placing) => Ok(*placing),
            _ => panic!("click2Call places calls"),
        }
    }

    fn callback(fields: &str) -> Callback<ClipWish> {
        match with(fields).unwrap().product {
            Product::Callback(callback) => callback,
            _ => panic!("click2Call places callbacks"),
        }
    }

    fn named(name: &str) -> ClipWish {
        ClipWish::Named(name.into())
    }

    #[test]
    fn the_least_body_is_a_callback_with_our_own_sounds() {
        let number = |text| E164::parse(text).unwrap();
        assert_eq!(
            callback(""),
            Callback {
                caller: number("+8613700000001"),
                callee: number("+8613700000002"),
                shown_to_caller: number("+8675500008888"),
                shown_to_callee: number("+8675500008889"),
                longest: None,
                pre_voice: None,
                wait_voice: ClipWish::System(SystemClip::RingBack),
                callee_media: CalleeMedia::All,
                recorded: None,
            }
        );
        let placing = with("").unwrap();
        assert!(!placing.tell_idle_ports && !placing.tell_who_hung_up);
        assert_eq!(placing.told, Told::Events { status_url: None, fee_url: None });
        assert_eq!(placing.user_data, None);
        assert_eq!(placing.bound_number, None);
    }

    #[test]
    fn every_parameter_is_read() {
        let fields = r#""maxDuration":"60","lastMinVoice":"last.wav","lastMinToUE":"tob","playPreVoice":true,
            "preVoice":"pre.wav","waitVoice":"wait.wav","calleeMedia":"fail","recordFlag":"true",
            "recordHintTone":"hint.wav","partyTypeRequiredInDisconnect":1,"returnIdlePort":"TRUE",
            "statusUrl":"aHR0cDovL2gvcw==","feeUrl":"aHR0cDovL2gvZg==","userData":"u","bindNbr":"+8675500008890",
            "callBackTone":{"what":["ever"]}"#;
        let placing = with(fields).unwrap();
        assert!(placing.tell_idle_ports && placing.tell_who_hung_up);
        let url = |url| PushUrl::parse(url).ok();
        assert_eq!(placing.told, Told::Events { status_url: url("http://h/s"), fee_url: url("http://h/f") });
        assert_eq!(placing.user_data.as_deref(), Some("u"));
        assert_eq!(placing.bound_number, E164::parse("+8675500008890").ok());
        let callback = callback(fields);
        assert_eq!(
            callback.longest,
            Some(Longest { talk: Duration::from_secs(3600), last_minute: named("last.wav"), ears: Ears::B })
        );
        assert_eq!(callback.pre_voice, Some(named("pre.wav")));
        assert_eq!(callback.wait_voice, named("wait.wav"));
        assert_eq!(callback.callee_media, CalleeMedia::FailureOnly);
        assert_eq!(callback.recorded, Some(Recorded { hint: named("hint.wav") }));
    }

    #[test]
    fn what_is_switched_off_is_not_looked_at() {
        let fields = r#""maxDuration":0,"lastMinVoice":[],"lastMinToUE":"x","playPreVoice":"false","preVoice":{},
            "recordFlag":false,"recordHintTone":true"#;
        assert_eq!(callback(fields), callback(""));
    }

    #[test]
    fn our_own_sounds_stand_in_for_those_not_named() {
        let callback = callback(r#""maxDuration":1,"playPreVoice":"true","waitVoice":"","recordFlag":1"#);
        assert_eq!(callback.longest.unwrap().last_minute, ClipWish::System(SystemClip::LastMinute));
        assert_eq!(callback.pre_voice, Some(ClipWish::System(SystemClip::Transferring)));
        assert_eq!(callback.recorded.unwrap().hint, ClipWish::System(SystemClip::HintTone));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        for (fields, name) in [
            (r#""maxDuration":1441"#, "maxDuration"),
            (r#""maxDuration":-1"#, "maxDuration"),
            (r#""maxDuration":"x""#, "maxDuration"),
            (r#""maxDuration":5,"lastMinToUE":"x""#, "lastMinToUE"),
            (r#""calleeMedia":"x""#, "calleeMedia"),
            (r#""playPreVoice":"yes""#, "playPreVoice"),
            (r#""recordFlag":7"#, "recordFlag"),
            (r#""recordFlag":true,"recordHintTone":false"#, "recordHintTone"),
            (r#""waitVoice":["w.wav"]"#, "waitVoice"),
            (r#""userData":"{""#, "userData"),
        ] {
            assert_eq!(with(fields), Err(Refusal::BadField { name }), "{fields}");
        }
        assert_eq!(with(r#""feeUrl":"x""#), Err(Refusal::BadReceiver { name: "feeUrl" }));
    }

    #[test]
    fn the_body_is_judged_before_the_numbers() {
        let read = |json: &str| read(json.as_bytes());
        let numbers = |display, caller, callee| {
            format!(
                r#""displayNbr":"{display}","callerNbr":"{caller}","displayCalleeNbr":"{display}","calleeNbr":"{callee}""#
            )
        };
        let good = ("+8675500008888", "+8613700000001", "+8613700000002");
        for (json, refusal) in [
            ("{}".to_owned(), Refusal::BadField { name: "displayNbr" }),
            (r#"{"displayNbr":"x"}"#.to_owned(), Refusal::BadField { name: "callerNbr" }),
            (
                format!("{{{},\"maxDuration\":-1}}", numbers("x", "y", "z")),
                Refusal::BadField { name: "maxDuration" },
            ),
            (format!("{{{}}}", numbers("x", "y", "z")), Refusal::NumberNotOwned),
            (format!("{{{}}}", numbers(good.0, "13800000001", "z")), Refusal::BadCaller),
            (format!("{{{}}}", numbers(good.0, good.1, "z")), Refusal::BadNumber { name: "calleeNbr" }),
            (format!("{{{}}}", numbers(good.0, good.1, good.1)), Refusal::BadField { name: "calleeNbr" }),
            (format!("{{{},\"bindNbr\":\"x\"}}", numbers(good.0, good.1, good.2)), Refusal::BadBoundNumber),
            (String::new(), Refusal::BadBody),
            ("[]".to_owned(), Refusal::BadBody),
        ] {
            assert_eq!(read(&json), Err(refusal), "{json}");
        }
    }
}
