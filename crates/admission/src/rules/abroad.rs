//! Where an app calls: where it was opened for, or else within mainland China (+86) unless the operator opened the rest.
//! What costs the one who calls is dialled by nobody, also where its country is open.

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
    let Some(party) = party else { return false };
    let (policy, own) = (ask.desk.policy, &ask.account.app.destinations);
    if policy.never.iter().any(|prefix| prefix.leads(party)) {
        return true;
    }
    match policy.abroad {
        _ if !own.is_empty() => !own.iter().any(|prefix| prefix.leads(party)),
        Abroad::Open => false,
        Abroad::Closed => !party.is_chinese(),
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
            assert_eq!(story.refused(), Some(refusal.clone()));
            story.policy.abroad = Abroad::Open;
            assert_eq!(story.refused(), None);
            story.policy.never = ["+1", "+44", "+852", "+886"].map(|text| text.parse().unwrap()).into();
            assert_eq!(story.refused(), Some(refusal), "it costs the one who calls");
        }
    }

    #[test]
    fn an_app_calls_where_it_was_opened_for_and_nowhere_else() {
        let mut story = Story::notice();
        story.account.app.destinations = vec!["+852".parse().unwrap(), "+4420".parse().unwrap()];
        for abroad in [Abroad::Closed, Abroad::Open] {
            story.policy.abroad = abroad;
            for (callee, refused) in [
                ("+85291234567", false),
                ("+442071234567", false),
                ("+441632960000", true),
                ("+8613800000001", true),
            ] {
                story.notice_mut().callee = story::number(callee);
                assert_eq!(story.refused(), refused.then_some(Refusal::AbroadNotOpen), "{callee}");
            }
        }
        story.policy.never = vec!["+8529".parse().unwrap()];
        story.notice_mut().callee = story::number("+85291234567");
        assert_eq!(story.refused(), Some(Refusal::AbroadNotOpen));
    }

    /// Every country code that the ITU gave out (E.164 list of 2016 with its amendments, spare ones left out), besides 86.
    const COUNTRY_CODES: &str = "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 \
        62 63 64 65 66 81 82 84 90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 \
        232 233 234 235 236 237 238 239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 \
        261 262 263 264 265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 \
        374 375 376 377 378 379 380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 \
        591 592 593 594 595 596 597 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 \
        691 692 800 808 850 852 853 855 856 870 878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 \
        972 973 974 975 976 977 979 992 993 994 995 996 998";

    #[test]
    fn no_country_of_the_world_is_called_by_an_app_that_was_not_opened_for_it() {
        let codes: Vec<&str> = COUNTRY_CODES.split_whitespace().collect();
        assert!(codes.len() > 200, "{}", codes.len());
        for code in codes {
            let abroad = story::number(&format!("+{code}2345678"));
            for mut story in Story::ALL.map(|of| of()) {
                story.call(&abroad);
                assert_eq!(story.refused(), Some(Refusal::AbroadNotOpen), "+{code}");
            }
            let mut story = Story::callback();
            story.callback_mut().caller = abroad;
            assert_eq!(story.refused(), Some(Refusal::CallerAbroad), "+{code}");
        }
    }
}
