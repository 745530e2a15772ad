//! Plays a request along the road of every request, against one account and one running call.
//!
//! Settings of an exchange: `now` (2018-05-26T00:35:30Z), `clock` (`lenient` or `utc`), `legacy` (`signature`, `login`),
//! `session` (`none` or when it ends); `gate`, `door` and `desk`: what admission says before anything is read, before
//! the body is read, and after it.

use std::time::Duration;

use base::account::{Account, App, Key, Phase};
use base::id::{AppId, CallId};
use base::order::Order;
use base::private::Private;
use base::refusal::Refusal;
use base::time::Timestamp;
use huihu_dialects::huawei::{Huawei, session};
use huihu_dialects::{Claim, Clock, Credentials, Dialect, Done, Session, Settings, WireReply, WireRequest};

use crate::refusals;
use crate::transcript::Exchange;
use crate::wire::{self, Played, says_no};

/// The session of the vendor's own sample: the call that is placed, and the only one that runs.
const SESSION: &str = "1202_566_0_20161228102743@callenabler.home1.com";

/// Ports that are idle, whenever somebody asks.
const IDLE_PORTS: u32 = 41;

pub(super) fn key() -> Key {
    Key {
        id: "ZRBRz4bAXoFgEH7o4Ew308eXc1RA".into(),
        secret: Private::new("TestAppSecret0123456789abcd".into()),
        token: None,
    }
}

pub(super) fn account() -> Account {
    let app = App { recording: true, ..App::new(AppId(1), "golden") };
    Account { password: Some(private("GoldenPassword1")), ..Account::new("golden", app, key()) }
}

fn private(text: &str) -> Private<Box<str>> {
    Private::new(text.into())
}

/// The reply to an exchange's request, as text.
pub(super) fn play(exchange: &Exchange) -> Played {
    let dialect = &Huawei;
    let request = wire::request(&exchange.input);
    assert!(dialect.owns(&request.path), "{}", exchange.title);
    let settings = settings(exchange);
    let (reply, refusal) = match claim(dialect, &request, exchange, &settings) {
        Err(reply) => (reply, None),
        Ok(claim) => {
            let outcome = claim.and_then(|claim| road(dialect, &claim, &request, exchange, &settings));
            let refusal = outcome.as_ref().err().map(refusals::name);
            (dialect.write(&request, outcome.as_ref(), &settings), refusal)
        }
    };
    Played { text: wire::print(&reply), path: request.path.into(), refusal }
}

fn claim(
    dialect: &dyn Dialect,
    request: &WireRequest,
    exchange: &Exchange,
    settings: &Settings,
) -> Result<Result<Claim, Refusal>, WireReply> {
    match says_no(exchange, "gate") {
        Ok(()) => dialect.claim(request, settings).map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn road(
    dialect: &dyn Dialect,
    claim: &Claim,
    request: &WireRequest,
    exchange: &Exchange,
    settings: &Settings,
) -> Result<Done, Refusal> {
    let account = account();
    let session = last_session(exchange);
    let known = Credentials {
        key: &account.key,
        account: &account.name,
        password: account.password.as_ref(),
        session: session.as_ref(),
    };
    let known = (claim.key == account.key.id).then_some(&known);
    let now = exchange.setting("now").map_or_else(|| time("2018-05-26T00:35:30Z"), time);
    dialect.prove(claim, known, now, settings)?;
    says_no(exchange, "door")?;
    let sandbox = request.path.starts_with("/sandbox/");
    assert_eq!(dialect.phase(request), if sandbox { Phase::Sandbox } else { Phase::Commercial });
    // A wrong method asks for no product, so that the method is refused and not the product.
    let product = dialect.product(request);
    let order = dialect.read(request, &account)?;
    let placed = match &order {
        Order::Place(placing) => Some(placing.product.kind()),
        Order::Stop(_) | Order::Fetch(_) | Order::Check | Order::LogIn | Order::LogOut => None,
    };
    assert_eq!(product, placed);
    says_no(exchange, "desk")?;
    do_it(order)
}

fn settings(exchange: &Exchange) -> Settings {
    let clock = match exchange.setting("clock") {
        None | Some("lenient") => Clock::Lenient,
        Some("utc") => Clock::Utc,
        Some(other) => panic!("no clock is called {other}"),
    };
    let legacy = exchange.setting("legacy").unwrap_or("");
    Settings {
        clock,
        legacy_signature: legacy.contains("signature"),
        legacy_login: legacy.contains("login"),
        ..Settings::default()
    }
}

/// The session that the key's last login began.
fn last_session(exchange: &Exchange) -> Option<Session> {
    let ends = exchange.setting("session").unwrap_or("2018-05-28T00:35:30Z");
    (ends != "none").then(|| Session {
        access: private("MzY4NjQyNTc2QGdvbGRlbg=="),
        renewal: private("NzUyNDc4MDg2QGdvbGRlbg=="),
        expires_at: time(ends),
    })
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text, "%Y-%m-%dT%H:%M:%SZ").unwrap()
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
        Order::Fetch(call) if call == running => {
            Ok(Done::Recording { url: "https://calls.example/recordings/7?until=1527296730&proof=x".into() })
        }
        Order::Fetch(_) => Err(Refusal::UnknownRecording),
        Order::Check => Ok(Done::Allowed),
        Order::LogIn => Ok(Done::LoggedIn {
            access: private("OTE4MjczNjQ1QGdvbGRlbg=="),
            renewal: private("MTIzNDU2Nzg5QGdvbGRlbg=="),
            lives: Duration::from_secs(48 * 3600),
        }),
        Order::LogOut => Ok(Done::LoggedOut),
    }
}
