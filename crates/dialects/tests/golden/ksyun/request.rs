//! Plays a request along the road of every request, against one account.
//!
//! Settings of an exchange: `now` (2020-08-13T17:18:36Z), `get` (`allowed`), `family` (`one`), `token` (that of a temporary
//! key), `lengths` (`strict`); `gate`, `door` and `desk`: what admission says before anything is read, before the
//! parameters are read, and after it. What stands in a template is judged as admission judges it.

use base::account::{Account, App, Key, Number, NumberState, OwnerState, Phase, Review, SpokenTemplate};
use base::clip::{ClipWish, Values};
use base::id::{AppId, CallId};
use base::number::E164;
use base::order::{Order, Placing, Product};
use base::private::Private;
use base::refusal::Refusal;
use base::template::{Lengths, TemplateKind, Unfit, Wording};
use base::time::Timestamp;
use huihu_dialects::ksyun::{self, Ksyun, session};
use huihu_dialects::{Claim, Credentials, Dialect, Done, Settings, WireReply, WireRequest};

use crate::refusals;
use crate::transcript::Exchange;
use crate::wire::{self, Played, says_no};

/// The call of the vendor's own sample.
const CALL: &str = "655e08e182c11590662652";

pub(super) fn key() -> Key {
    Key { id: "AKLTgolden".into(), secret: Private::new("SKgolden+/==".into()), token: None }
}

fn account(exchange: &Exchange) -> Account {
    let lengths = match exchange.setting("lengths") {
        None => Lengths::WIDE,
        Some("strict") => Lengths::STRICT,
        Some(other) => panic!("no lengths are called {other}"),
    };
    let app = App { lengths, ..App::new(AppId(1), "golden") };
    let numbers = match exchange.setting("numbers") {
        Some("none") => Vec::new(),
        _ => vec![
            number("+864008000000", NumberState::Paused),
            number("+8675500000001", NumberState::Active),
            number("+8613800000022", NumberState::Active),
        ],
    };
    let templates = [
        ("200001", TemplateKind::Named, Review::Approved, "尊敬的{name},订单{no}已发货"),
        ("200002", TemplateKind::Named, Review::Approved, "系统将于今晚维护"),
        ("200003", TemplateKind::Named, Review::Pending, "您好{name}"),
        ("200004", TemplateKind::Placed, Review::Approved, "您的快递已到${TXT_20}"),
        (
            "200011",
            TemplateKind::Menu,
            Review::Approved,
            r#"{"nodes":{"root":{"prompt":"您好{name}，查订单请按1","keys":{"1":"order"}},"order":{"prompt":"订单{no}已发货"}}}"#,
        ),
        (
            "200012",
            TemplateKind::Menu,
            Review::Approved,
            r#"{"nodes":{"root":{"prompt":"请按0","keys":{"0":"end"}}}}"#,
        ),
    ];
    let template = |(id, kind, review, text): (&str, _, _, &str)| {
        let wording = Wording::parse(kind, text).unwrap();
        (id.into(), SpokenTemplate { wording, speed: 100, review })
    };
    let token = exchange.setting("token").map(|token| Private::new(token.into()));
    let mut account = Account::new("golden", app, Key { token, ..key() });
    account.numbers = numbers;
    account.templates = templates.into_iter().map(template).collect();
    account
}

fn number(text: &str, state: NumberState) -> Number {
    Number { number: E164::parse(text).unwrap(), state, owner: OwnerState::Active }
}

/// The reply to an exchange's request, as text.
pub(super) fn play(exchange: &Exchange) -> Played {
    let request = wire::request(&exchange.input);
    let settings = settings(exchange);
    let (reply, refusal) = match claim(&request, exchange, &settings) {
        Err(reply) => (reply, None),
        Ok(claim) => {
            let outcome = claim.and_then(|claim| road(&claim, &request, exchange, &settings));
            let refusal = outcome.as_ref().err().map(refusals::name);
            (Ksyun.write(&request, outcome.as_ref(), &settings), refusal)
        }
    };
    let action = ksyun::routes().find(|action| exchange.input.contains(&format!("Action={action}")));
    Played { text: wire::print(&reply), path: action.unwrap_or("").to_owned(), refusal }
}

fn claim(
    request: &WireRequest,
    exchange: &Exchange,
    settings: &Settings,
) -> Result<Result<Claim, Refusal>, WireReply> {
    match says_no(exchange, "gate") {
        Ok(()) => Ksyun.claim(request, settings).map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn road(
    claim: &Claim,
    request: &WireRequest,
    exchange: &Exchange,
    settings: &Settings,
) -> Result<Done, Refusal> {
    let account = account(exchange);
    let known = Credentials { key: &account.key, account: &account.name, password: None, session: None };
    let known = (claim.key == account.key.id).then_some(&known);
    let now = exchange.setting("now").unwrap_or("2020-08-13T17:18:36Z");
    let now = Timestamp::parse(now, "%Y-%m-%dT%H:%M:%SZ").unwrap();
    Ksyun.prove(claim, known, now, settings)?;
    says_no(exchange, "door")?;
    assert_eq!(Ksyun.phase(request), Phase::Commercial);
    let product = Ksyun.product(request).expect("every action places a call");
    match Ksyun.read(request, &account)? {
        Order::Place(placing) => {
            assert_eq!(placing.product.kind(), product);
            judge(&placing, &account)?;
            says_no(exchange, "desk")?;
            let call: CallId = *session::find(CALL).unwrap().start();
            Ok(Done::Placed { call, node: "n".into(), idle_ports: None })
        }
        Order::Check => Ok(Done::Allowed),
        Order::Stop(_) | Order::Fetch(_) | Order::LogIn | Order::LogOut => panic!("nobody can ask for that"),
    }
}

fn settings(exchange: &Exchange) -> Settings {
    Settings {
        allow_get: exchange.setting("get") == Some("allowed"),
        one_error_family: exchange.setting("family") == Some("one"),
        ..Settings::default()
    }
}

/// Whether the values of an order fill all texts that it speaks.
fn judge(placing: &Placing, account: &Account) -> Result<(), Refusal> {
    let wishes: Vec<&ClipWish> = match &placing.product {
        Product::Notice(notice) => notice.items.iter().map(|item| &item.voice).collect(),
        Product::Menu(menu) => menu.tree.voices().collect(),
        Product::Code(_) => Vec::new(),
        Product::Callback(_) => panic!("nobody can ask for that"),
    };
    let faults = wishes.into_iter().filter_map(|wish| unfit(wish, account));
    faults.min().map_or(Ok(()), |unfit| {
        Err(match unfit {
            Unfit::Missing(name) => Refusal::TemplateValueMissing { name },
            Unfit::Characters => Refusal::TemplateValueCharacters,
            Unfit::Address => Refusal::TemplateValueAddress,
            Unfit::ValueLength => Refusal::TemplateValueLength,
            Unfit::TextLength => Refusal::TextLength,
        })
    })
}

fn unfit(wish: &ClipWish, account: &Account) -> Option<Unfit> {
    let ClipWish::Spoken { template, part, values: Values::ByName(values) } = wish else {
        panic!("all that is said is a text with names")
    };
    let text = match &account.templates[template].wording {
        Wording::Named(text) => text,
        Wording::Menu(menu) => menu.text(*part).unwrap(),
        Wording::Placed(_) => panic!("such a template has no names"),
    };
    text.fill(values, account.app.lengths).err()
}
