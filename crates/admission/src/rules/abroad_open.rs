//! Nobody outside mainland China (+86) is dialled, unless the operator opened that.

use base::number::E164;
use base::refusal::Refusal;

use crate::Abroad;
use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    match ask.desk.policy.abroad {
        Abroad::Open => Ok(()),
        Abroad::Closed if ask.dialled().all(E164::is_chinese) => Ok(()),
        Abroad::Closed => Err(Refusal::AbroadNotOpen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{self, Story};

    #[test]
    fn calls_abroad_must_be_opened() {
        let mut caller = Story::callback();
        caller.callback_mut().caller = story::number("+85291234567");
        let mut callee = Story::callback();
        callee.callback_mut().callee = story::number("+14155550100");
        let mut code = Story::code();
        code.code_mut().callee = story::number("+442071234567");
        for mut story in [caller, callee, code] {
            assert_eq!(story.refused(), Some(Refusal::AbroadNotOpen));
            story.policy.abroad = Abroad::Open;
            assert_eq!(story.refused(), None);
        }
    }
}
