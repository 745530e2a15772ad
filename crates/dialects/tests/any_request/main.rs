//! Whatever a stranger sends, every dialect answers, in its own form and with a code that its documents have, and
//! never panics. What proves nothing is never taken for a proof.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

#[path = "../documented/mod.rs"]
mod documented;
mod huawei;
mod ksyun;
#[path = "../golden/refusals.rs"]
mod refusals;

use std::time::Duration;

use base::account::{Account, App, Key};
use base::id::{AppId, CallId};
use base::order::Order;
use base::private::Private;
use base::refusal::Refusal;
use base::time::Timestamp;
use huihu_dialects::{Claim, Credentials, Dialect, Done, Session, Settings, WireReply, WireRequest};

fn account() -> Account {
    let key = Key { id: "app".into(), secret: Private::new("secret".into()), token: None };
    let password = Some(Private::new("password".into()));
    Account { password, ..Account::new("any", App::new(AppId(1), "any"), key) }
}

/// What comes of a request: the reply, and whether it was done.
fn answer(dialect: &dyn Dialect, request: &WireRequest, settings: &Settings) -> (WireReply, bool) {
    match dialect.claim(request, settings) {
        Ok(claim) => {
            let outcome = follow(dialect, &claim, request, settings);
            (dialect.write(request, outcome.as_ref(), settings), outcome.is_ok())
        }
        Err(reply) => (reply, false),
    }
}

fn follow(
    dialect: &dyn Dialect,
    claim: &Claim,
    request: &WireRequest,
    settings: &Settings,
) -> Result<Done, Refusal> {
    let account = account();
    let session = Session {
        access: Private::new("access".into()),
        renewal: Private::new("renewal".into()),
        expires_at: Timestamp::from_millis(1),
    };
    let known = Credentials {
        key: &account.key,
        account: &account.name,
        password: account.password.as_ref(),
        session: Some(&session),
    };
    let known = (claim.key == account.key.id).then_some(&known);
    dialect.prove(claim, known, Timestamp::default(), settings)?;
    dialect.product(request);
    dialect.read(request, &account).map(|order| done(&order))
}

fn done(order: &Order) -> Done {
    match order {
        Order::Place(_) => {
            Done::Placed { call: CallId::from_bytes([7; 16]), node: "n".into(), idle_ports: Some(u32::MAX) }
        }
        Order::Stop(_) => Done::Stopped,
        Order::Fetch(_) => Done::Recording { url: "http://h/".into() },
        Order::Check => Done::Allowed,
        Order::LogIn => Done::LoggedIn {
            access: Private::new("access".into()),
            renewal: Private::new("renewal".into()),
            lives: Duration::from_secs(1),
        },
        Order::LogOut => Done::LoggedOut,
    }
}
