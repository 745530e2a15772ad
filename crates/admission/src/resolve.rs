//! An order that passed every rule becomes a call: names turn into keys, and what was left open is filled in.

use base::account::Account;
use base::call::{Call, Text};
use base::clip::{ClipKey, ClipWish};
use base::id::CallId;
use base::number::E164;
use base::order::{Callback, Code, Longest, Menu, Notice, NoticeItem, Placing, Product, Recorded, Told};
use base::refusal::Refusal;

use crate::Desk;
use crate::rules::clips_approved::{self, Voice};
use crate::rules::number_shown;

/// The call that is promised, and what must be spoken before it can run. It asks the rules' own lookups, so it refuses
/// only what they would refuse.
pub(crate) fn call(
    placing: Placing,
    account: &Account,
    desk: &Desk<'_>,
    dialect: &str,
    random: u128,
) -> Result<(Call, Vec<Text>), Refusal> {
    let app = &account.app;
    let (status_url, fee_url, report_url) = match placing.told {
        Told::Events { status_url, fee_url } => {
            (status_url.or_else(|| app.status_url.clone()), fee_url.or_else(|| app.fee_url.clone()), None)
        }
        Told::Report => (None, None, app.report_url.clone()),
    };
    let mut names = Names { account, random, texts: Vec::new() };
    let call = Call {
        id: CallId::new(desk.now, random),
        dialect: dialect.into(),
        node: desk.node.into(),
        account: account.name.clone(),
        app: app.id,
        key: account.key.id.clone(),
        accepted_at: desk.now,
        product: names.product(placing.product)?,
        status_url,
        fee_url,
        report_url,
        asked_shown: placing.asked_shown,
        user_data: placing.user_data,
        tell_who_hung_up: placing.tell_who_hung_up,
    };
    Ok((call, names.texts))
}

/// What names mean in one order.
struct Names<'a> {
    account: &'a Account,
    random: u128,
    /// What has to be spoken, each text once.
    texts: Vec<Text>,
}

impl Names<'_> {
    fn product(&mut self, asked: Product<ClipWish>) -> Result<Product<ClipKey>, Refusal> {
        Ok(match asked {
            Product::Callback(call) => Product::Callback(self.callback(call)?),
            Product::Code(call) => Product::Code(Code {
                shown: self.shown(&call.shown)?,
                callee: call.callee,
                before: self.clip(&call.before)?,
                digits: call.digits,
                after: call.after.map(|wish| self.clip(&wish)).transpose()?,
                times: call.times,
                repeats: call.repeats,
            }),
            Product::Notice(call) => Product::Notice(Notice {
                shown: self.shown(&call.shown)?,
                callee: call.callee,
                items: call.items.into_iter().map(|item| self.item(item)).collect::<Result<_, _>>()?,
            }),
            Product::Menu(call) => Product::Menu(Menu {
                shown: self.shown(&call.shown)?,
                tree: call.tree.try_map(|wish| self.clip(wish))?,
                callee: call.callee,
            }),
        })
    }

    fn callback(&mut self, call: Callback<ClipWish>) -> Result<Callback<ClipKey>, Refusal> {
        Ok(Callback {
            shown_to_caller: self.shown(&call.shown_to_caller)?,
            shown_to_callee: self.shown(&call.shown_to_callee)?,
            caller: call.caller,
            callee: call.callee,
            longest: call.longest.map(|longest| self.limited(&longest)).transpose()?,
            pre_voice: call.pre_voice.map(|wish| self.clip(&wish)).transpose()?,
            wait_voice: self.clip(&call.wait_voice)?,
            callee_media: call.callee_media,
            recorded: call.recorded.map(|recorded| self.recorded(&recorded)).transpose()?,
        })
    }

    fn limited(&mut self, longest: &Longest<ClipWish>) -> Result<Longest<ClipKey>, Refusal> {
        let last_minute = self.clip(&longest.last_minute)?;
        Ok(Longest { talk: longest.talk, last_minute, ears: longest.ears })
    }

    fn recorded(&mut self, recorded: &Recorded<ClipWish>) -> Result<Recorded<ClipKey>, Refusal> {
        Ok(Recorded { hint: self.clip(&recorded.hint)? })
    }

    fn item(&mut self, item: NoticeItem<ClipWish>) -> Result<NoticeItem<ClipKey>, Refusal> {
        Ok(NoticeItem { voice: self.clip(&item.voice)?, collect: item.collect })
    }

    fn shown(&self, asked: &E164) -> Result<E164, Refusal> {
        number_shown::resolve(asked, self.account, self.random).cloned()
    }

    fn clip(&mut self, wish: &ClipWish) -> Result<ClipKey, Refusal> {
        Ok(match clips_approved::resolve(wish, self.account, self.random)? {
            Voice::Clip(key) => key,
            Voice::Text(text) => {
                let key = ClipKey::Spoken(text.id);
                if self.texts.iter().all(|known| known.id != text.id) {
                    self.texts.push(text);
                }
                key
            }
        })
    }
}
