//! What a rule may look at: the order, who gave it, and the desk it was given at.

use base::account::Account;
use base::number::E164;
use base::order::{Placing, Product};
use base::refusal::Refusal;
use base::standing::Standing;

use crate::Desk;
use crate::finding::Scope;
use crate::resolve::{self, Heard};
use crate::rules::number_shown;

/// An order on the desk.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) placing: &'a Placing,
    pub(crate) account: &'a Account,
    pub(crate) desk: &'a Desk<'a>,
    pub(crate) random: u128,
    /// What the parties would hear: filled once for all who look at it.
    pub(crate) heard: Result<Heard, Refusal>,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(placing: &'a Placing, account: &'a Account, desk: &'a Desk<'a>, random: u128) -> Self {
        let heard = resolve::heard(&placing.product, account, random);
        Self { placing, account, desk, random, heard }
    }

    /// The numbers that telephones shall show; the first party's telephone first.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &'a E164> + use<'a> {
        let (first, second) = match &self.placing.product {
            Product::Callback(call) => (&call.shown_to_caller, Some(&call.shown_to_callee)),
            Product::Code(call) => (&call.shown, None),
            Product::Notice(call) => (&call.shown, None),
            Product::Menu(call) => (&call.shown, None),
        };
        [Some(first), second].into_iter().flatten()
    }

    /// The numbers that telephones will really show: stand-ins, where there are some, for those that are paused.
    pub(crate) fn really_shown(&self) -> impl Iterator<Item = &'a E164> + use<'a> {
        let (account, random) = (self.account, self.random);
        self.shown().map(move |asked| number_shown::resolve(asked, account, random).unwrap_or(asked))
    }

    /// The first party of a callback.
    pub(crate) const fn caller(&self) -> Option<&'a E164> {
        match &self.placing.product {
            Product::Callback(call) => Some(&call.caller),
            Product::Code(_) | Product::Notice(_) | Product::Menu(_) => None,
        }
    }

    /// Whom the call is for: the second party of a callback, the only party of everything else.
    pub(crate) const fn callee(&self) -> &'a E164 {
        match &self.placing.product {
            Product::Callback(call) => &call.callee,
            Product::Code(call) => &call.callee,
            Product::Notice(call) => &call.callee,
            Product::Menu(call) => &call.callee,
        }
    }

    /// What was laid down for everybody, and for the app.
    pub(crate) fn standings(&self) -> [(Scope, &'a Standing); 2] {
        let account = self.account;
        [(Scope::Platform, &account.platform.standing), (Scope::App, &account.app.standing)]
    }
}
