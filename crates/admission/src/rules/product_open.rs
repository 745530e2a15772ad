//! The app was opened for this kind of call.

use base::account::Account;
use base::refusal::Refusal;

use crate::Visit;

pub(super) fn check(account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    match visit.product {
        Some(product) if !account.app.products.contains(&product) => Err(Refusal::ProductNotOpen),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use base::order::ProductKind;

    use super::*;
    use crate::story::Story;

    #[test]
    fn an_app_is_used_for_what_it_was_opened_for() {
        for (open, mut story) in [
            (ProductKind::Callback, Story::callback()),
            (ProductKind::Code, Story::code()),
            (ProductKind::Notice, Story::notice()),
            (ProductKind::Menu, Story::menu()),
        ] {
            story.account.app.products.retain(|product| *product != open);
            assert_eq!(story.refused(), Some(Refusal::ProductNotOpen));
            story.account.app.products = vec![open];
            assert_eq!(story.refused(), None);
        }
    }

    #[test]
    fn a_stop_is_no_kind_of_call() {
        let mut story = Story::callback();
        story.account.app.products.clear();
        story.product = None;
        assert_eq!(story.enter(), Ok(()));
    }
}
