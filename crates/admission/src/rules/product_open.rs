//! The app was opened for this kind of call.

use base::account::Account;
use base::order::ProductKind;
use base::refusal::Refusal;

pub(super) fn check(account: &Account, product: Option<ProductKind>) -> Result<(), Refusal> {
    match product {
        Some(product) if !account.app.products.contains(&product) => Err(Refusal::ProductNotOpen),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn an_app_for_codes_places_no_callbacks() {
        let mut story = Story::callback();
        story.account.app.products = vec![ProductKind::Code];
        assert_eq!(crate::enter(&story.account, Some(ProductKind::Callback)), Err(Refusal::ProductNotOpen));
        assert_eq!(crate::enter(&story.account, Some(ProductKind::Code)), Ok(()));
        assert_eq!(story.refused(), Some(Refusal::ProductNotOpen));
    }

    #[test]
    fn a_stop_is_no_kind_of_call() {
        let mut story = Story::callback();
        story.account.app.products.clear();
        assert_eq!(crate::enter(&story.account, None), Ok(()));
    }
}
