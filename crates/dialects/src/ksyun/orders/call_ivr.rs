//! `CallIvr`: ring one party and let it find its way through a menu of the customer's texts with keys.

use base::account::Account;
use base::clip::ClipWish;
use base::order::{Menu, Order, Product};
use base::refusal::Refusal;
use base::template::{TextNo, Wording};

use super::placing;
use crate::ksyun::fields::form::Parameters;
use crate::ksyun::fields::{ext_id, mobile, template, values};

/// Reads the order.
pub(in crate::ksyun) fn read(parameters: &Parameters, account: &Account) -> Result<Order, Refusal> {
    placing::require(parameters, &["Mobile", "TplId", "TplParams"])?;
    let callee = mobile(parameters)?;
    let id = template(parameters)?;
    let ext_id = ext_id(parameters)?;
    let menu = match placing::template(account, id)? {
        Wording::Menu(menu) => menu,
        Wording::Placed(_) | Wording::Named(_) => return Err(Refusal::UnknownTemplate),
    };
    let values = values(parameters)?;
    let spoken = |part: &TextNo| -> Result<_, Refusal> {
        Ok(ClipWish::Spoken { template: id.into(), part: *part, values: values.clone() })
    };
    let product = Product::Menu(Menu {
        callee,
        shown: placing::shown(account, parameters)?,
        tree: menu.tree().try_map(spoken)?,
    });
    Ok(placing::place(parameters, ext_id, product))
}
