//! What every action takes besides what is special to it.

use base::account::{Account, Review};
use base::clip::ClipWish;
use base::number::E164;
use base::order::{Objections, Order, Placing, Product, Told};
use base::refusal::Refusal;
use base::template::Wording;

use crate::ksyun::fields::form::Parameters;
use crate::ksyun::fields::{self, number};

/// Checks that these are there, before anybody looks at what they are.
pub(super) fn require(parameters: &Parameters, names: &[&'static str]) -> Result<(), Refusal> {
    names.iter().try_for_each(|name| fields::required(parameters, name).map(|_| ()))
}

/// A template of the customer that may be spoken.
pub(super) fn template<'a>(account: &'a Account, id: &str) -> Result<&'a Wording, Refusal> {
    let template = account.templates.get(id).ok_or(Refusal::UnknownTemplate)?;
    match template.review {
        Review::Approved => Ok(&template.wording),
        Review::Pending | Review::Rejected => Err(Refusal::TemplateNotApproved),
    }
}

/// The number that the call shows.
pub(super) fn shown(account: &Account, parameters: &Parameters) -> Result<E164, Refusal> {
    number::shown(account, parameters.value("Caller"))
}

/// An order for a call of that product.
pub(super) fn place(parameters: &Parameters, ext_id: Option<&str>, product: Product<ClipWish>) -> Order {
    Order::Place(Box::new(Placing {
        product,
        told: Told::Report,
        asked_shown: parameters.value("Caller").map(Into::into),
        // The vendor has a receipt code for both, and none of its API.
        objections: Objections::Report,
        user_data: ext_id.map(Into::into),
        bound_number: None,
        tell_idle_ports: false,
        tell_who_hung_up: false,
    }))
}
