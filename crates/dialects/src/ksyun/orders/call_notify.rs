//! `CallNotify`: ring one party and let it hear a text of the customer's.

use base::account::Account;
use base::clip::ClipWish;
use base::order::{Notice, NoticeItem, Order, Product};
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
    match placing::template(account, id)? {
        Wording::Named(_) => {}
        Wording::Placed(_) | Wording::Menu(_) => return Err(Refusal::UnknownTemplate),
    }
    let voice = ClipWish::Spoken { template: id.into(), part: TextNo(0), values: values(parameters)? };
    let product = Product::Notice(Notice {
        callee,
        shown: placing::shown(account, parameters)?,
        items: vec![NoticeItem { voice, collect: None }],
    });
    Ok(placing::place(parameters, ext_id, product))
}
