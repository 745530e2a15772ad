//! An order that passed every rule becomes a call: names turn into keys, and what was left open is filled in.

use base::account::Account;
use base::call::Call;
use base::clip::{ClipKey, ClipWish};
use base::id::CallId;
use base::order::{Callback, Code, Longest, Placing, Product};
use base::refusal::Refusal;
use base::time::Timestamp;

use crate::Desk;
use crate::rules::{clips_approved, number_shown};

/// The call that is promised. It asks the rules' own lookups, so it refuses only what they would refuse.
pub(crate) fn call(
    placing: Placing,
    account: &Account,
    desk: &Desk<'_>,
    dialect: &str,
    now: Timestamp,
    random: u128,
) -> Result<Call, Refusal> {
    let app = &account.app;
    Ok(Call {
        id: CallId::new(now, random),
        dialect: dialect.into(),
        node: desk.node.into(),
        account: account.name.clone(),
        app: app.id,
        key: account.key.id.clone(),
        accepted_at: now,
        product: product(placing.product, account, random)?,
        status_url: placing.status_url.or_else(|| app.status_url.clone()),
        fee_url: placing.fee_url.or_else(|| app.fee_url.clone()),
        user_data: placing.user_data,
        tell_who_hung_up: placing.tell_who_hung_up,
    })
}

fn product(asked: Product<ClipWish>, account: &Account, random: u128) -> Result<Product<ClipKey>, Refusal> {
    let clip = |wish: &ClipWish| clips_approved::resolve(wish, account);
    let shown = |number| number_shown::resolve(number, account, random).cloned();
    Ok(match asked {
        Product::Callback(call) => Product::Callback(Callback {
            shown_to_caller: shown(&call.shown_to_caller)?,
            shown_to_callee: shown(&call.shown_to_callee)?,
            caller: call.caller,
            callee: call.callee,
            longest: call.longest.map(|longest| limited(&longest, account)).transpose()?,
            pre_voice: call.pre_voice.as_ref().map(clip).transpose()?,
            wait_voice: clip(&call.wait_voice)?,
            callee_media: call.callee_media,
        }),
        Product::Code(call) => Product::Code(Code {
            shown: shown(&call.shown)?,
            callee: call.callee,
            before: clip(&call.before)?,
            digits: call.digits,
            after: call.after.as_ref().map(clip).transpose()?,
            times: call.times,
        }),
    })
}

fn limited(longest: &Longest<ClipWish>, account: &Account) -> Result<Longest<ClipKey>, Refusal> {
    let last_minute = clips_approved::resolve(&longest.last_minute, account)?;
    Ok(Longest { talk: longest.talk, last_minute, ears: longest.ears })
}
