//! A call that was promised to a customer.

use serde::{Deserialize, Serialize};

use crate::clip::ClipKey;
use crate::id::{AppId, CallId, ClipId, Leg};
use crate::number::E164;
use crate::order::Product;
use crate::permit::Permit;
use crate::private::Private;
use crate::release::Cause;
use crate::time::Timestamp;
use crate::url::PushUrl;

/// An order that was admitted: what will be done, and the capacity that was taken for it.
#[derive(Debug)]
pub struct Admitted {
    /// What was promised.
    pub call: Call,
    /// Gives the capacity back when the call has ended.
    pub permit: Permit,
    /// What must be spoken before the call can run.
    pub texts: Vec<Text>,
    /// Why nobody may be dialled for it: the call ends as soon as it is promised, and its report says so.
    pub objection: Option<Cause>,
}

/// Words to be spoken. They are in no journal: a call does not outlive its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What the call knows them by; the clip is a [`ClipKey::Spoken`] of this id.
    pub id: ClipId,
    /// The words.
    pub words: Private<Box<str>>,
    /// How fast, in percent of the voice's own pace: 50 to 200.
    pub speed: u8,
    /// Whom they are about.
    pub about: About,
}

/// Whom a text is about: it decides for how long its sound may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Nobody: everybody who hears it hears the same.
    Nobody,
    /// The one who hears it: a name, a code or an amount stands in it.
    OnePerson,
}

/// Everything that is known of a call when it is accepted, with numbers, clips and addresses resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// The dialect that took the order and words its pushes.
    pub dialect: Box<str>,
    /// The host name of the node that owns it; the vendor's session id carries it.
    pub node: Box<str>,
    /// The enterprise's account name.
    pub account: Box<str>,
    /// The app that ordered it.
    pub app: AppId,
    /// The key whose secret signs its pushes.
    pub key: Box<str>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// What it does.
    pub product: Product<ClipKey>,
    /// Where status events go, if anywhere.
    pub status_url: Option<PushUrl>,
    /// Where the fee record goes, if anywhere.
    pub fee_url: Option<PushUrl>,
    /// Where the report goes, if anywhere.
    #[serde(default)]
    pub report_url: Option<PushUrl>,
    /// The number that was to be shown, as the customer wrote it.
    #[serde(default)]
    pub asked_shown: Option<Box<str>>,
    /// The customer's own words.
    pub user_data: Option<Box<str>>,
    /// Whether the last status event says who hung up.
    pub tell_who_hung_up: bool,
}

impl Call {
    /// The numbers of a leg: what its telephone shows, and who is dialled. `None` for a leg the call never has.
    #[must_use]
    pub const fn numbers(&self, leg: Leg) -> Option<Numbers<'_>> {
        match (&self.product, leg) {
            (Product::Callback(call), Leg::A) => {
                Some(Numbers { shown: &call.shown_to_caller, dialled: &call.caller })
            }
            (Product::Callback(call), Leg::B) => {
                Some(Numbers { shown: &call.shown_to_callee, dialled: &call.callee })
            }
            (Product::Code(call), Leg::A) => Some(Numbers { shown: &call.shown, dialled: &call.callee }),
            (Product::Notice(call), Leg::A) => Some(Numbers { shown: &call.shown, dialled: &call.callee }),
            (Product::Menu(call), Leg::A) => Some(Numbers { shown: &call.shown, dialled: &call.callee }),
            (Product::Code(_) | Product::Notice(_) | Product::Menu(_), Leg::B) => None,
        }
    }

    /// Whether the call asks its only party for keys.
    #[must_use]
    pub fn wants_keys(&self) -> bool {
        match &self.product {
            Product::Callback(_) | Product::Code(_) => false,
            Product::Notice(call) => call.items.iter().any(|item| item.collect.is_some()),
            Product::Menu(call) => call.tree.nodes.iter().any(|node| !node.choices.is_empty()),
        }
    }

    /// The clips that the call may play, each at least once.
    #[must_use]
    pub fn clips(&self) -> Vec<ClipKey> {
        match &self.product {
            Product::Callback(call) => {
                let mut clips = vec![call.wait_voice];
                clips.extend(call.pre_voice);
                clips.extend(call.longest.as_ref().map(|longest| longest.last_minute));
                clips.extend(call.recorded.as_ref().map(|recorded| recorded.hint));
                clips
            }
            Product::Notice(call) => call.items.iter().map(|item| item.voice).collect(),
            Product::Menu(call) => call.tree.voices().copied().collect(),
            Product::Code(call) => {
                let mut clips = vec![call.before, ClipKey::System(crate::clip::SystemClip::Pause)];
                clips.extend(call.after);
                let digit = |digit: &u8| ClipKey::System(crate::clip::SystemClip::Digit(*digit));
                clips.extend(call.digits.expose().iter().map(digit));
                clips
            }
        }
    }
}

/// The two numbers of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers<'a> {
    /// What the telephone shows.
    pub shown: &'a E164,
    /// Who is dialled.
    pub dialled: &'a E164,
}
