//! What a rule may look at: the order, who gave it, and the desk it was given at.

use base::account::Account;
use base::clip::ClipWish;
use base::number::E164;
use base::order::{Placing, Product};

use crate::Desk;

/// An order on the desk.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) placing: &'a Placing,
    pub(crate) account: &'a Account,
    pub(crate) desk: &'a Desk<'a>,
    pub(crate) random: u128,
}

impl<'a> Ask<'a> {
    /// The numbers that telephones will show.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &'a E164> {
        let (first, second) = match &self.placing.product {
            Product::Callback(call) => (&call.shown_to_caller, Some(&call.shown_to_callee)),
            Product::Code(call) => (&call.shown, None),
        };
        [Some(first), second].into_iter().flatten()
    }

    /// The numbers that will be dialled.
    pub(crate) fn dialled(&self) -> impl Iterator<Item = &'a E164> {
        let (first, second) = match &self.placing.product {
            Product::Callback(call) => (&call.caller, Some(&call.callee)),
            Product::Code(call) => (&call.callee, None),
        };
        [Some(first), second].into_iter().flatten()
    }

    /// The clips that will be played.
    pub(crate) fn wishes(&self) -> impl Iterator<Item = &'a ClipWish> {
        let wishes = match &self.placing.product {
            Product::Callback(call) => {
                let last_minute = call.longest.as_ref().map(|longest| &longest.last_minute);
                [call.pre_voice.as_ref(), Some(&call.wait_voice), last_minute]
            }
            Product::Code(call) => [Some(&call.before), call.after.as_ref(), None],
        };
        wishes.into_iter().flatten()
    }
}
