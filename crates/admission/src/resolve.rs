//! An order becomes a call: names of clips turn into keys and texts first, which the rules look at; when all of them are
//! content, what was left open is filled in.

use base::account::Account;
use base::call::{Call, Text};
use base::clip::{ClipKey, ClipWish};
use base::id::CallId;
use base::number::E164;
use base::order::{
    Callback, Code, Longest, Menu, MenuTree, Notice, NoticeItem, Placing, Product, ProductKind, Recorded,
    Told,
};
use base::refusal::Refusal;

use crate::Desk;
use crate::rules::clips_approved::{self, Voice};
use crate::rules::number_shown;

/// What the parties of a call hear, and what must be spoken for it before the call can run.
#[derive(Debug)]
pub(crate) struct Heard {
    /// The product; the numbers to be shown are still as they were asked for.
    pub(crate) product: Product<ClipKey>,
    /// Each text once.
    pub(crate) texts: Vec<Text>,
}

/// What an order's names of clips mean.
pub(crate) fn heard(asked: &Product<ClipWish>, account: &Account, random: u128) -> Result<Heard, Refusal> {
    let mut names = Names { kind: asked.kind(), account, random, texts: Vec::new() };
    let product = names.product(asked)?;
    Ok(Heard { product, texts: names.texts })
}

/// The call that is promised. It asks the rules' own lookups, so it refuses only what they would refuse.
pub(crate) fn call(
    placing: Placing,
    mut product: Product<ClipKey>,
    account: &Account,
    desk: &Desk<'_>,
    dialect: &str,
    random: u128,
) -> Result<Call, Refusal> {
    for shown in shown(&mut product) {
        *shown = number_shown::resolve(shown, account, random)?.clone();
    }
    let app = &account.app;
    let (status_url, fee_url, report_url) = match placing.told {
        Told::Events { status_url, fee_url } => {
            (status_url.or_else(|| app.status_url.clone()), fee_url.or_else(|| app.fee_url.clone()), None)
        }
        Told::Report => (None, None, app.report_url.clone()),
    };
    Ok(Call {
        id: CallId::new(desk.now, random),
        dialect: dialect.into(),
        node: desk.node.into(),
        account: account.name.clone(),
        app: app.id,
        key: account.key.id.clone(),
        accepted_at: desk.now,
        product,
        status_url,
        fee_url,
        report_url,
        asked_shown: placing.asked_shown,
        user_data: placing.user_data,
        tell_who_hung_up: placing.tell_who_hung_up,
    })
}

/// The numbers that telephones shall show.
fn shown(product: &mut Product<ClipKey>) -> impl Iterator<Item = &mut E164> {
    let (first, second) = match product {
        Product::Callback(call) => (&mut call.shown_to_caller, Some(&mut call.shown_to_callee)),
        Product::Code(call) => (&mut call.shown, None),
        Product::Notice(call) => (&mut call.shown, None),
        Product::Menu(call) => (&mut call.shown, None),
    };
    [Some(first), second].into_iter().flatten()
}

/// What names mean in one order.
struct Names<'a> {
    kind: ProductKind,
    account: &'a Account,
    random: u128,
    /// What has to be spoken, each text once.
    texts: Vec<Text>,
}

impl Names<'_> {
    fn product(&mut self, asked: &Product<ClipWish>) -> Result<Product<ClipKey>, Refusal> {
        Ok(match asked {
            Product::Callback(call) => Product::Callback(self.callback(call)?),
            Product::Code(call) => Product::Code(Code {
                callee: call.callee.clone(),
                shown: call.shown.clone(),
                before: self.clip(&call.before)?,
                digits: call.digits.clone(),
                after: self.perhaps(call.after.as_ref())?,
                times: call.times,
                repeats: call.repeats,
            }),
            Product::Notice(call) => Product::Notice(Notice {
                callee: call.callee.clone(),
                shown: call.shown.clone(),
                items: call.items.iter().map(|item| self.item(item)).collect::<Result<_, _>>()?,
            }),
            Product::Menu(call) => Product::Menu(Menu {
                callee: call.callee.clone(),
                shown: call.shown.clone(),
                tree: self.tree(&call.tree)?,
            }),
        })
    }

    fn callback(&mut self, call: &Callback<ClipWish>) -> Result<Callback<ClipKey>, Refusal> {
        Ok(Callback {
            caller: call.caller.clone(),
            callee: call.callee.clone(),
            shown_to_caller: call.shown_to_caller.clone(),
            shown_to_callee: call.shown_to_callee.clone(),
            pre_voice: self.perhaps(call.pre_voice.as_ref())?,
            wait_voice: self.clip(&call.wait_voice)?,
            longest: call.longest.as_ref().map(|longest| self.limited(longest)).transpose()?,
            callee_media: call.callee_media,
            recorded: call.recorded.as_ref().map(|recorded| self.recorded(recorded)).transpose()?,
        })
    }

    fn limited(&mut self, longest: &Longest<ClipWish>) -> Result<Longest<ClipKey>, Refusal> {
        let last_minute = self.clip(&longest.last_minute)?;
        Ok(Longest { talk: longest.talk, last_minute, ears: longest.ears })
    }

    fn recorded(&mut self, recorded: &Recorded<ClipWish>) -> Result<Recorded<ClipKey>, Refusal> {
        Ok(Recorded { hint: self.clip(&recorded.hint)? })
    }

    fn item(&mut self, item: &NoticeItem<ClipWish>) -> Result<NoticeItem<ClipKey>, Refusal> {
        Ok(NoticeItem { voice: self.clip(&item.voice)?, collect: item.collect.clone() })
    }

    fn tree(&mut self, tree: &MenuTree<ClipWish>) -> Result<MenuTree<ClipKey>, Refusal> {
        tree.try_map(|wish| self.clip(wish)).map_err(|refusal| {
            // The texts of a menu are one to its customer, who is told the first fault of all, as of one.
            let faults = tree.voices().filter_map(|wish| self.clip(wish).err());
            faults.min_by_key(clips_approved::rank).unwrap_or(refusal)
        })
    }

    fn perhaps(&mut self, wish: Option<&ClipWish>) -> Result<Option<ClipKey>, Refusal> {
        wish.map(|wish| self.clip(wish)).transpose()
    }

    fn clip(&mut self, wish: &ClipWish) -> Result<ClipKey, Refusal> {
        Ok(match clips_approved::resolve(wish, self.kind, self.account, self.random)? {
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
