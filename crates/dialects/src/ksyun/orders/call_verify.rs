//! `CallVerify`: ring one party and say a verification code, in one of five fixed texts.

use base::account::Account;
use base::clip::{ClipWish, CodeWording, SystemClip};
use base::order::{Code, Order, Product, Repeats};
use base::refusal::Refusal;

use super::placing;
use crate::ksyun::fields::form::Parameters;
use crate::ksyun::fields::{code, ext_id, mobile, play_times, template};

/// The fixed texts; customers have none of their own.
const WORDINGS: [(&str, CodeWording); 5] = [
    ("100001", CodeWording::Plain),
    ("100002", CodeWording::Registration),
    ("100003", CodeWording::LogIn),
    ("100004", CodeWording::PasswordReset),
    ("100005", CodeWording::Payment),
];

/// Reads the order.
pub(in crate::ksyun) fn read(parameters: &Parameters, account: &Account) -> Result<Order, Refusal> {
    placing::require(parameters, &["Mobile", "TplId", "Code"])?;
    let callee = mobile(parameters)?;
    let id = template(parameters)?;
    let digits = code(parameters)?;
    let times = play_times(parameters)?;
    let ext_id = ext_id(parameters)?;
    let wording = WORDINGS.iter().find(|(own, _)| *own == id).ok_or(Refusal::UnknownTemplate)?.1;
    let product = Product::Code(Code {
        callee,
        shown: placing::shown(account, parameters)?,
        before: ClipWish::System(SystemClip::BeforeCode(wording)),
        digits,
        after: Some(ClipWish::System(SystemClip::AfterCode(wording))),
        times: Some(times.get()),
        repeats: Repeats::Everything,
    });
    Ok(placing::place(parameters, ext_id, product))
}
