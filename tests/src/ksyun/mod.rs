//! A customer of Ksyun: requests with both kinds of its signatures, written from its documents and not with the product's own
//! code.

pub mod form;
pub mod v4;

use std::net::IpAddr;

use chrono::Utc;

use crate::api::{self, mac};
use crate::http::{Answer, Request};

pub use self::form::{Escapes, Form};
pub use self::v4::V4;

/// Where to ask, and in whose name.
#[derive(Clone, Debug)]
pub struct Customer {
    /// `127.0.0.1:7080`
    pub address: String,
    /// The access key.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// What a temporary key shows besides.
    pub token: Option<String>,
    /// The loopback address that requests come from, when it matters.
    pub from: Option<IpAddr>,
}

impl From<api::Customer> for Customer {
    /// The same app and key, asked for in this vendor's way.
    fn from(customer: api::Customer) -> Self {
        let api::Customer { address, key, secret, from } = customer;
        Self { address, key, secret, token: None, from }
    }
}

impl Customer {
    /// The parameters that every request has, made now: all but the signature.
    #[must_use]
    pub fn common(&self, action: &str) -> Form {
        let form = Form::default()
            .with("Accesskey", &self.key)
            .with("Service", SERVICE)
            .with("Action", action)
            .with("Version", VERSION)
            .with("Timestamp", &now())
            .with("SignatureVersion", "1.0")
            .with("SignatureMethod", "HMAC-SHA256");
        match &self.token {
            Some(token) => form.with("SecurityToken", token),
            None => form,
        }
    }

    /// The parameters with their signature.
    #[must_use]
    pub fn signed(&self, form: Form) -> Form {
        let signature = signature(&self.secret, &form);
        form.with("Signature", &signature)
    }

    /// A request with these parameters in its body, as they are.
    #[must_use]
    pub fn post(&self, form: &Form) -> Request {
        self.posted(form.written(Escapes::Strict))
    }

    /// A request with that body.
    #[must_use]
    pub fn posted(&self, body: String) -> Request {
        let request = Request::new("POST", "/")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json");
        Request { from: self.from, ..request }.body(body)
    }

    /// Asks for a call of an action, signed by a parameter.
    ///
    /// # Panics
    /// When the server cannot be reached or does not speak HTTP.
    #[must_use]
    pub fn ask(&self, action: &str, business: &[(&str, &str)]) -> Answer {
        self.try_ask(action, business).unwrap_or_else(|fault| panic!("{}: {fault}", self.address))
    }

    /// Asks for a call of an action, signed by a parameter.
    ///
    /// # Errors
    /// When the server cannot be reached or breaks off.
    pub fn try_ask(&self, action: &str, business: &[(&str, &str)]) -> std::io::Result<Answer> {
        let fill = |form: Form, (name, value): &(&str, &str)| form.with(name, value);
        let form = business.iter().fold(self.common(action), fill);
        self.post(&self.signed(form)).try_send(&self.address)
    }

    /// Says a verification code.
    #[must_use]
    pub fn verify(&self, mobile: &str, code: &str) -> Answer {
        self.ask(VERIFY, &[("Mobile", mobile), ("TplId", "100001"), ("Code", code)])
    }

    /// Says a notice.
    #[must_use]
    pub fn notify(&self, mobile: &str, template: &str, values: &str) -> Answer {
        self.ask(NOTIFY, &[("Mobile", mobile), ("TplId", template), ("TplParams", values)])
    }

    /// Walks somebody through a menu.
    #[must_use]
    pub fn ivr(&self, mobile: &str, template: &str, values: &str) -> Answer {
        self.ask(IVR, &[("Mobile", mobile), ("TplId", template), ("TplParams", values)])
    }
}

/// The `CallId` of an accepted call.
///
/// # Panics
/// When the call was refused.
#[must_use]
pub fn call_id(answer: &Answer) -> String {
    let id = answer.body["CallId"].as_str();
    id.unwrap_or_else(|| panic!("refused: {} {}", answer.status, answer.body)).to_owned()
}

/// The signature of parameters: lower-case hex of HMAC-SHA256 over all of them but itself, in the order of their names.
#[must_use]
pub fn signature(secret: &str, form: &Form) -> String {
    hex(&mac(secret, &form.without("Signature").sorted().written(Escapes::Strict)))
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The time now, as a request writes it.
#[must_use]
pub fn now() -> String {
    Utc::now().format(TIMESTAMP).to_string()
}

/// Says a verification code.
pub const VERIFY: &str = "CallVerify";

/// Says a notice.
pub const NOTIFY: &str = "CallNotify";

/// Walks somebody through a menu.
pub const IVR: &str = "CallIvr";

/// The version of all actions.
pub const VERSION: &str = "2020-05-01";

/// The service of all actions.
pub const SERVICE: &str = "voice";

/// How the time of a request is written.
pub const TIMESTAMP: &str = "%Y-%m-%dT%H:%M:%SZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_of_the_document_is_ours() {
        let form = Form::read(
            "Accesskey=AKxxx&Action=CallVerify&Code=123456&Mobile=1xxxx&PlayTimes=1&Service=voice\
             &SignatureMethod=HMAC-SHA256&SignatureVersion=1.0&Timestamp=2020-04-15T14%3A58%3A22Z&TplId=1\
             &Version=2020-05-01",
        );
        assert_eq!(
            signature("SKxxx", &form),
            "b28616f50f00380341a647c73101a459d8119c9d4a98fcff5fa4a023f82ef229"
        );
    }
}
