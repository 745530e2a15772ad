//! Nobody outside mainland China (+86) is dialled, unless the operator opened that.

use base::number::E164;
use base::refusal::Refusal;

use crate::Abroad;
use crate::ask::Ask;

pub(super) fn caller(ask: &Ask<'_>) -> Result<(), Refusal> {
    if closed_to(ask, ask.caller()) { Err(Refusal::CallerAbroad) } else { Ok(()) }
}

pub(super) fn callee(ask: &Ask<'_>) -> Result<(), Refusal> {
    if closed_to(ask, Some(ask.callee())) { Err(Refusal::AbroadNotOpen) } else { Ok(()) }
}

fn closed_to(ask: &Ask<'_>, party: Option<&E164>) -> bool {
    match ask.desk.policy.abroad {
        Abroad::Open => false,
        Abroad::Closed => party.is_some_and(|party| !party.is_chinese()),
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
        let mut notice = Story::notice();
        notice.notice_mut().callee = story::number("+886212345678");
        let mut menu = Story::menu();
        menu.menu_mut().callee = story::number("+85291234567");
        for (mut story, refusal) in [
            (caller, Refusal::CallerAbroad),
            (callee, Refusal::AbroadNotOpen),
            (code, Refusal::AbroadNotOpen),
            (notice, Refusal::AbroadNotOpen),
            (menu, Refusal::AbroadNotOpen),
        ] {
            assert_eq!(story.refused(), Some(refusal));
            story.policy.abroad = Abroad::Open;
            assert_eq!(story.refused(), None);
        }
    }
}
