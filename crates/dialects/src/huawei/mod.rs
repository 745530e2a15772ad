//! Huawei Cloud VoiceCall (语音通话), as its API documents of 2024-11 describe it and its customers use it.
//!
//! ```text
//! routes    which paths exist                                   codes   Refusal → HTTP status, resultcode, resultdesc
//! auth/     who asks: headers; passwords and tokens, of old     reply   what was done, or an answer → HTTP reply
//! fields/   values of bodies and queries as they really come    causes/ how a call ended → stateCode, ulFailReason, Q.850
//! orders/   request bodies → Order                              push/   rows → status and fee pushes
//! session   CallId and node ⇄ sessionId, recordObjectName       client  the other side: signs requests, checks pushes
//! ```
//!
//! Where the documents contradict each other or are silent, `docs/huawei.md` says which reading was taken.

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
use auth::login;
use orders::call_notify::{self, Version};
use routes::Route;
pub use routes::routes;

/// The name that stored calls carry.
pub const NAME: &str = "huawei";

/// The content type of every request, reply and push of this vendor.
const JSON: &str = "application/json;charset=UTF-8";

/// The dialect.
#[derive(Clone, Copy, Debug)]
pub struct Huawei;

impl Dialect for Huawei {
    fn name(&self) -> &'static str {
        NAME
    }

    fn owns(&self, path: &str) -> bool {
        ["/rest/", "/sandbox/", "/omp/"].iter().any(|prefix| path.starts_with(prefix))
    }

    fn claim(&self, request: &WireRequest, settings: &Settings) -> Result<Claim, WireReply> {
        let served = |route: &Route| settings.legacy_login || !route.is_of_login();
        let Some(route) = Route::of(&request.path).filter(served) else {
            return Err(self.write(request, Err(&Refusal::UnknownPath), settings));
        };
        let claim = match route {
            Route::FastLogin => login::password(request),
            Route::Refresh => login::renewal(request),
            Route::Logout => login::logout(request),
            Route::Click2Call
            | Route::CallNotify
            | Route::CallNotifyFiles
            | Route::CallVerify
            | Route::CallStop
            | Route::Record => match login::token(request).filter(|_| settings.legacy_login) {
                Some(claim) if request.headers.first("X-AKSK").is_none() => Ok(claim),
                _ => auth::claim(&request.headers, settings.legacy_signature),
            },
        };
        claim.map_err(|answer| reply::refused(Some(route), &answer))
    }

    fn prove(
        &self,
        claim: &Claim,
        credentials: Option<&Credentials<'_>>,
        now: Timestamp,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        let known = || credentials.ok_or(Refusal::UnknownKey);
        match &claim.proof {
            Proof::Signature { nonce, created, signature, scheme } => {
                let signed = auth::Signed { nonce, created, signature, scheme: *scheme };
                auth::prove(&signed, credentials, now, settings)
            }
            // This vendor signs no whole requests, so no claim of its has such a proof.
            Proof::Request(_) => Err(Refusal::BadSignature),
            Proof::Token(token) => login::prove_token(token, known()?.session, now),
            Proof::Password { user, password } => login::prove_password(user, password, known()?),
            Proof::Renewal { token, secret } => login::prove_renewal(token, secret, known()?, now),
        }
    }

    fn print_call(&self, call: CallId, node: &str) -> String {
        session::print(call, node)
    }

    fn find_call(&self, text: &str) -> Option<RangeInclusive<CallId>> {
        session::parse(text).map(|(call, _)| call..=call)
    }

    fn phase(&self, request: &WireRequest) -> Phase {
        routes::phase(&request.path)
    }

    fn product(&self, request: &WireRequest) -> Option<ProductKind> {
        Route::of(&request.path).filter(|route| *request.method == *route.method())?.product()
    }

    fn read(&self, request: &WireRequest, account: &Account) -> Result<Order, Refusal> {
        let route = Route::of(&request.path).ok_or(Refusal::UnknownPath)?;
        if *request.method != *route.method() {
            return Err(Refusal::WrongMethod);
        }
        match route {
            Route::Click2Call => orders::click2call::read(orders::json(request)?),
            Route::CallNotify => call_notify::read(orders::json(request)?, Version::FilesAndTemplates),
            Route::CallNotifyFiles => call_notify::read(orders::json(request)?, Version::Files),
            Route::CallVerify => orders::call_verify::read(orders::json(request)?),
            Route::CallStop => orders::call_stop::read(orders::json(request)?),
            // Whatever the query says, such an app has no recordings.
            Route::Record if !account.app.recording => Err(Refusal::RecordingNotOpen),
            Route::Record => orders::record::read(&request.query),
            Route::FastLogin | Route::Refresh => Ok(Order::LogIn),
            Route::Logout => Ok(Order::LogOut),
        }
    }

    fn write(
        &self,
        request: &WireRequest,
        outcome: Result<&Done, &Refusal>,
        _settings: &Settings,
    ) -> WireReply {
        match outcome {
            Ok(done) => reply::done(done),
            Err(refusal) => {
                let route = Route::of(&request.path);
                reply::refused(route, &codes::of(refusal, route))
            }
        }
    }

    fn rows_per_push(&self, channel: Channel) -> usize {
        match channel {
            Channel::Status => 1,
            Channel::Fee => push::FEES_MAX,
            // This vendor knows none.
            Channel::Report => 1,
        }
    }

    fn push(&self, rows: &[Row], stamp: &Stamp<'_>) -> Option<Push> {
        push::push(rows, stamp)
    }

    /// Only 200 counts, whatever the body says: receivers answer with plain text or with JSON of their own.
    fn received(&self, status: u16, _body: &[u8]) -> bool {
        status == 200
    }
}

fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("a struct of texts and numbers is always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_received_by_a_200_and_nothing_else() {
        for status in [100, 199, 201, 204, 302, 404, 500] {
            assert!(!Huawei.received(status, br#"{"resultcode":"0"}"#), "{status}");
        }
        assert!(Huawei.received(200, br#"{"resultcode":"1"}"#));
    }

    #[test]
    fn only_this_vendors_paths_are_owned() {
        for (path, owned) in [
            ("/rest/x", true),
            ("/sandbox/rest/x", true),
            ("/omp/oauth/refresh", true),
            ("/", false),
            ("/api/v1/calls", false),
        ] {
            assert_eq!(Huawei.owns(path), owned, "{path}");
        }
    }
}
