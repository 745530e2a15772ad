//! Plays a request along the road of every request, against one account and one running call.
//!
//! Settings of an exchange: `now` (2018-05-26T00:35:30Z), `clock` (`lenient` or `utc`), `door` and `desk`: what
//! admission says before the body is read, and after it.

use std::net::Ipv4Addr;

use base::account::{Account, App, AppState, Key, PushSignature};
use base::id::{AppId, CallId};
use base::order::{Order, ProductKind};
use base::private::Private;
use base::refusal::Refusal;
use base::time::Timestamp;
use huihu_dialects::huawei::session;
use huihu_dialects::{Clock, Dialect, Done, Settings, WireReply, WireRequest};

use crate::refusals;
use crate::transcript::Exchange;

/// The session of the vendor's own sample: the call that is placed, and the only one that runs.
const SESSION: &str = "1202_566_0_20161228102743@callenabler.home1.com";

/// Ports that are idle, whenever somebody asks.
const IDLE_PORTS: u32 = 41;

/// What came out, and who said no.
pub(crate) struct Played {
    pub(crate) text: String,
    pub(crate) path: String,
    pub(crate) refusal: Option<&'static str>,
}

pub(crate) fn key() -> Key {
    Key {
        id: "ZRBRz4bAXoFgEH7o4Ew308eXc1RA".into(),
        secret: Private::new("TestAppSecret0123456789abcd".into()),
    }
}

pub(crate) fn account() -> Account {
    let app = App {
        id: AppId(1),
        name: "golden".into(),
        state: AppState::Active,
        products: vec![ProductKind::Callback, ProductKind::Code],
        ports: 42,
        recording: false,
        status_url: None,
        fee_url: None,
        push_signature: PushSignature::Joined,
    };
    Account { name: "golden".into(), app, key: key(), numbers: Vec::new(), clips: Default::default() }
}

/// The reply to an exchange's request, as text.
pub(crate) fn play(dialect: &dyn Dialect, exchange: &Exchange) -> Played {
    let request = request(&exchange.input);
    assert!(dialect.owns(&request.path), "{}", exchange.title);
    let (reply, refusal) = match road(dialect, &request, exchange) {
        Ok(outcome) => {
            let refusal = outcome.as_ref().err().map(refusals::name);
            (dialect.write(&request, outcome.as_ref()), refusal)
        }
        Err(reply) => (reply, None),
    };
    Played { text: text(&reply), path: request.path.into(), refusal }
}

fn road(
    dialect: &dyn Dialect,
    request: &WireRequest,
    exchange: &Exchange,
) -> Result<Result<Done, Refusal>, WireReply> {
    let claim = dialect.claim(request)?;
    Ok((|| {
        let account = account();
        let known = (claim.key == account.key.id).then_some(&account.key);
        let now =
            Timestamp::parse(exchange.setting("now").unwrap_or("2018-05-26T00:35:30Z"), "%Y-%m-%dT%H:%M:%SZ");
        let clock = match exchange.setting("clock") {
            None | Some("lenient") => Clock::Lenient,
            Some("utc") => Clock::Utc,
            Some(other) => panic!("no clock is called {other}"),
        };
        dialect.prove(&claim, known, now.unwrap(), &Settings { clock, ..Settings::default() })?;
        says_no(exchange, "door")?;
        // A wrong method asks for no product, so that the method is refused and not the product.
        let placing = dialect.product(request).is_some();
        let order = dialect.read(request, &account)?;
        assert_eq!(placing, matches!(order, Order::Place(_)));
        says_no(exchange, "desk")?;
        do_it(order)
    })())
}

fn says_no(exchange: &Exchange, place: &str) -> Result<(), Refusal> {
    exchange.setting(place).map_or(Ok(()), |name| Err(refusals::named(name)))
}

fn do_it(order: Order) -> Result<Done, Refusal> {
    let (running, node): (CallId, _) = session::parse(SESSION).unwrap();
    match order {
        Order::Place(placing) => Ok(Done::Placed {
            call: running,
            node: node.into(),
            idle_ports: placing.tell_idle_ports.then_some(IDLE_PORTS),
        }),
        Order::Stop(call) if call == running => Ok(Done::Stopped),
        Order::Stop(_) => Err(Refusal::UnknownCall),
    }
}

/// Reads `POST /path?query`, header lines, a blank line and the body.
fn request(text: &str) -> WireRequest {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').expect("a method and a path");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    WireRequest {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: lines.map(|line| line.split_once(": ").expect("a header")).collect(),
        body: body.as_bytes().to_vec(),
        peer: Ipv4Addr::LOCALHOST.into(),
    }
}

fn text(reply: &WireReply) -> String {
    let headers: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("{}\n{headers}\n{}", reply.status, String::from_utf8(reply.body.clone()).unwrap())
}
