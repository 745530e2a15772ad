//! Kingsoft Cloud (Ksyun) voice messages (语音消息), as its API document of 2022-01 describes them and its public
//! clients ask for them.
//!
//! ```text
//! routes    which actions exist                                 codes   Refusal → HTTP status, Type, Code, Message
//! auth/     who asks: parameters, headers, presigned queries    reply   what was done, or an answer → HTTP reply
//! fields/   parameters as they really come                      causes/ how a call ended → Status, ErrCode, ErrDesc
//! orders/   parameters → Order                                  push/   rows → reports
//! session   CallId ⇄ CallId of the vendor                       client  the other side: signs requests
//! ```
//!
//! Where the document contradicts itself or is silent, `docs/ksyun.md` says which reading was taken.

mod auth;
mod causes;
pub mod client;
mod codes;
mod fields;
mod orders;
mod push;
mod reply;
mod routes;
pub mod session;

use std::ops::RangeInclusive;

use base::account::{Account, Phase};
use base::id::CallId;
use base::order::{Order, ProductKind};
use base::refusal::Refusal;
use base::row::{Channel, Row};
use base::time::Timestamp;
use serde::Serialize;

use crate::dialect::{Claim, Credentials, Dialect, Done, Proof, Settings, Stamp};
use crate::wire::{Push, WireReply, WireRequest};
use auth::Style;
pub use auth::WINDOW;
pub use causes::receipts::{RECEIPTS, Receipt, Words};
pub use codes::{API_CODES, ApiCode};
use codes::{Answer, Family};
use fields::form::Parameters;
use routes::Route;
pub use routes::routes;

/// The name that stored calls carry.
pub const NAME: &str = "ksyun";

/// The dialect.
#[derive(Clone, Copy, Debug)]
pub struct Ksyun;

impl Ksyun {
    fn claimed(request: &WireRequest, settings: &Settings) -> Result<Claim, Answer> {
        if !is_method(&request.method, settings) || request.path.as_ref() != routes::PATH {
            return Err(codes::no_entity());
        }
        let parameters = Parameters::of(request).map_err(|why| codes::unreadable(&why))?;
        let style = Style::of(request, Some(&parameters), settings);
        Route::of(&parameters, style == Style::Parameter)?;
        auth::claim(request, &parameters, style, Family::of(style, settings))
    }
}

/// Whether the actions may be asked so: the document says both that they may be asked by GET and that they may not.
fn is_method(method: &str, settings: &Settings) -> bool {
    method == "POST" || settings.allow_get && method == "GET"
}

/// The parameters and the action of a request that has been claimed.
fn asked(request: &WireRequest) -> Result<(Parameters, Route), Refusal> {
    let parameters = Parameters::of(request).map_err(|_| Refusal::BadBody)?;
    let route = Route::of(&parameters, false).map_err(|_| Refusal::UnknownPath)?;
    Ok((parameters, route))
}

impl Dialect for Ksyun {
    fn name(&self) -> &'static str {
        NAME
    }

    fn owns(&self, path: &str) -> bool {
        path == routes::PATH
    }

    fn claim(&self, request: &WireRequest, settings: &Settings) -> Result<Claim, WireReply> {
        Self::claimed(request, settings).map_err(|answer| reply::refused(request, &answer))
    }

    fn prove(
        &self,
        claim: &Claim,
        credentials: Option<&Credentials<'_>>,
        now: Timestamp,
        _settings: &Settings,
    ) -> Result<(), Refusal> {
        match &claim.proof {
            Proof::Request(signed) => auth::prove(signed, credentials, now),
            // This vendor knows no other proofs, so no claim of its has one.
            Proof::Signature { .. } | Proof::Token(_) | Proof::Password { .. } | Proof::Renewal { .. } => {
                Err(Refusal::BadSignature)
            }
        }
    }

    fn print_call(&self, call: CallId, _node: &str) -> String {
        session::print(call)
    }

    fn find_call(&self, text: &str) -> Option<RangeInclusive<CallId>> {
        session::find(text)
    }

    fn phase(&self, _request: &WireRequest) -> Phase {
        Phase::Commercial
    }

    fn product(&self, request: &WireRequest) -> Option<ProductKind> {
        asked(request).ok().map(|(_, route)| route.product())
    }

    fn read(&self, request: &WireRequest, account: &Account) -> Result<Order, Refusal> {
        let (parameters, route) = asked(request)?;
        if fields::dry_run(&parameters)? {
            return Ok(Order::Check);
        }
        match route {
            Route::Verify => orders::call_verify::read(&parameters, account),
            Route::Notify => orders::call_notify::read(&parameters, account),
            Route::Ivr => orders::call_ivr::read(&parameters, account),
        }
    }

    fn write(
        &self,
        request: &WireRequest,
        outcome: Result<&Done, &Refusal>,
        settings: &Settings,
    ) -> WireReply {
        let parameters = Parameters::of(request).ok();
        match outcome {
            Ok(done) => {
                let ext_id = parameters.as_ref().and_then(|parameters| parameters.value("ExtId"));
                reply::done(request, done, ext_id.unwrap_or(""))
            }
            Err(refusal) => {
                let style = Style::of(request, parameters.as_ref(), settings);
                let answer = codes::of(refusal, Family::of(style, settings), parameters.as_ref());
                reply::refused(request, &answer)
            }
        }
    }

    fn rows_per_push(&self, channel: Channel) -> usize {
        match channel {
            Channel::Report => push::REPORTS_MAX,
            // This vendor knows none.
            Channel::Status | Channel::Fee => 1,
        }
    }

    fn push(&self, rows: &[Row], stamp: &Stamp<'_>) -> Option<Push> {
        push::push(rows, stamp)
    }

    fn received(&self, status: u16, body: &[u8]) -> bool {
        push::received(status, body)
    }
}

fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("a struct of texts and numbers is always JSON")
}
