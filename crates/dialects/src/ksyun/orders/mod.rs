//! The parameters of each action: one file an action.
//!
//! They are judged in this order: what must be there, in the order of the document's table; then its form; then the
//! template, so that a value is judged only where there is a place for it; then the number to be shown. What a template
//! and a list of words have against a value is for others to say.

pub(super) mod call_ivr;
pub(super) mod call_notify;
pub(super) mod call_verify;
mod placing;

#[cfg(test)]
mod tests {
    use base::account::{Account, App, Key, Number, NumberState, Review, SpokenTemplate};
    use base::clip::{ClipWish, CodeWording, SystemClip, Values};
    use base::id::AppId;
    use base::number::E164;
    use base::order::{Objections, Order, Placing, Product, Repeats, Told};
    use base::private::Private;
    use base::refusal::Refusal;
    use base::template::{TemplateKind, TextNo, Wording};

    use super::*;
    use crate::ksyun::fields::form::{self, Parameters};

    fn account() -> Account {
        let template = |kind, text: &str| SpokenTemplate {
            wording: Wording::parse(kind, text).unwrap(),
            speed: 100,
            review: Review::Approved,
        };
        let menu = r#"{"nodes":{"root":{"prompt":"您好{name}","keys":{"1":"a"}},"a":{"prompt":"{no}"}},"bye":"再见"}"#;
        let number = |text: &str, state| Number {
            number: E164::parse(text).unwrap(),
            state,
            owner: Default::default(),
        };
        let key = Key { id: "k".into(), secret: Private::default(), token: None };
        let mut account = Account::new("a", App::new(AppId(1), "a"), key);
        account.numbers = vec![
            number("+8675500000001", NumberState::Paused),
            number("+8675500000002", NumberState::Active),
        ];
        account.templates = [
            ("1".into(), template(TemplateKind::Named, "您好{name}")),
            ("2".into(), template(TemplateKind::Menu, menu)),
        ]
        .into();
        account
    }

    type Read = fn(&Parameters, &Account) -> Result<Order, Refusal>;

    fn placing(read: Read, given: &[(&str, &str)], account: &Account) -> Result<Placing, Refusal> {
        let form = form::print([("Mobile", "13800000000")].into_iter().chain(given.iter().copied()));
        match read(&Parameters::of_form(form.as_bytes()).unwrap(), account)? {
            Order::Place(placing) => Ok(*placing),
            _ => panic!("every action places a call"),
        }
    }

    #[test]
    fn a_code_is_said_between_the_words_of_its_text() {
        let given = [("TplId", "100004"), ("Code", "0918"), ("PlayTimes", "1"), ("ExtId", "x1")];
        let placing = placing(call_verify::read, &given, &account()).unwrap();
        assert_eq!((placing.told, placing.objections), (Told::Report, Objections::Report));
        assert_eq!((placing.user_data.as_deref(), placing.asked_shown), (Some("x1"), None));
        let Product::Code(code) = placing.product else { panic!("it says a code") };
        assert_eq!(code.callee.as_str(), "+8613800000000");
        assert_eq!(code.shown.as_str(), "+8675500000002", "the first that may be shown");
        let clip = |clip: fn(CodeWording) -> SystemClip| ClipWish::System(clip(CodeWording::PasswordReset));
        assert_eq!(code.before, clip(SystemClip::BeforeCode));
        assert_eq!(code.after, Some(clip(SystemClip::AfterCode)));
        assert_eq!(*code.digits.expose(), [0, 9, 1, 8]);
        assert_eq!((code.times, code.repeats), (Some(1), Repeats::Everything));
    }

    #[test]
    fn a_notice_speaks_one_text_with_the_values_by_name() {
        let given = [("TplId", "1"), ("TplParams", r#"{"name":"张三","n":8}"#), ("Caller", "075500000001")];
        let placing = placing(call_notify::read, &given, &account()).unwrap();
        assert_eq!(placing.asked_shown.as_deref(), Some("075500000001"));
        let Product::Notice(notice) = placing.product else { panic!("it says a text") };
        assert_eq!(notice.shown.as_str(), "+8675500000001", "as it was asked for, paused or not");
        let [item] = &notice.items[..] else { panic!("it says one text") };
        assert_eq!(item.collect, None);
        let ClipWish::Spoken { template, part, values: Values::ByName(values) } = &item.voice else {
            panic!("it is spoken")
        };
        assert_eq!((&**template, *part), ("1", TextNo(0)));
        let values: Vec<_> = values.iter().map(|(name, value)| (&**name, &**value.expose())).collect();
        assert_eq!(values, [("n", "8"), ("name", "张三")]);
    }

    #[test]
    fn a_menu_speaks_all_its_texts_with_the_same_values() {
        let given = [("TplId", "2"), ("TplParams", r#"{"name":"张三","no":"1"}"#)];
        let placing = placing(call_ivr::read, &given, &account()).unwrap();
        let Product::Menu(menu) = placing.product else { panic!("it is a menu") };
        let parts: Vec<_> = menu
            .tree
            .voices()
            .map(|voice| match voice {
                ClipWish::Spoken { template, part, values: Values::ByName(values) } => {
                    (&**template, part.0, values.len())
                }
                _ => panic!("it is spoken"),
            })
            .collect();
        assert_eq!(parts, [("2", 0, 2), ("2", 1, 2), ("2", 2, 2)]);
        assert_eq!(menu.tree.nodes[0].choices.len(), 1);
    }

    #[test]
    fn a_call_shows_a_number_of_the_app() {
        let code = [("TplId", "100001"), ("Code", "1234")];
        let mut account = account();
        account.numbers.pop();
        let shown = placing(call_verify::read, &code, &account).map(|placing| match placing.product {
            Product::Code(code) => code.shown.as_str().to_owned(),
            _ => panic!("it says a code"),
        });
        assert_eq!(shown.as_deref(), Ok("+8675500000001"), "that it is paused is for others to say");
        account.numbers.clear();
        assert_eq!(placing(call_verify::read, &code, &account), Err(Refusal::NoNumbers));
        let given = [code[0], code[1], ("Caller", "075500000001")];
        assert_eq!(placing(call_verify::read, &given, &account), Err(Refusal::NumberNotOwned));
    }
}
