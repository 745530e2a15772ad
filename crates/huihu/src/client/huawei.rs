//! A customer of the Huawei API: signs headers, posts JSON.

use anyhow::{Result, bail};
use base::account::Key;
use dialects::Headers;
use dialects::huawei::client::sign;
use rand::Rng;
use rand::distr::Alphanumeric;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::Customer;
use crate::road::wall;

/// Characters of a nonce.
const NONCE: usize = 32;

const JSON: &str = "application/json;charset=UTF-8";

/// A customer who knows where to ask and how to sign.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    url: String,
    key: Key,
    /// The number that telephones show when nobody names one.
    pub(crate) display: Option<String>,
}

/// The part of the ready file that this customer needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ready {
    app_key: String,
    app_secret: String,
    display_nbr: String,
}

impl Client {
    pub(crate) fn new(url: &str, key: &str, secret: &str, display: Option<String>) -> Self {
        Self { url: super::trimmed(url), key: super::key(key, secret, None), display }
    }

    /// The customer that the flags name; what they leave open comes from the ready file of `huihu dev`.
    pub(crate) fn of(customer: &Customer) -> Result<Self> {
        let keys = |ready: super::Ready| {
            let Ready { app_key, app_secret, display_nbr } = ready.huawei;
            (app_key, app_secret, display_nbr)
        };
        let (url, key, display) = super::target(customer, keys)?;
        Ok(Self { url, key, display })
    }

    /// The key that it signs with.
    pub(crate) fn key_id(&self) -> &str {
        &self.key.id
    }

    /// The signed headers of one request.
    pub(crate) fn headers(&self) -> Headers {
        let nonce: String = rand::rng().sample_iter(Alphanumeric).take(NONCE).map(char::from).collect();
        sign(&self.key, &nonce, wall())
    }

    /// Posts a signed request: the HTTP status and the answer.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        let signed = self.headers();
        let headers = [("Content-Type", JSON)].into_iter().chain(signed.iter());
        super::post(&self.url, path, headers, body.to_string()).await
    }

    /// Asks for a call: its session id.
    pub(crate) async fn place(&self, path: &str, body: &Value) -> Result<String> {
        let (status, answer) = self.post(path, body).await?;
        match answer["sessionId"].as_str() {
            Some(session) if answer["resultcode"] == "0" => Ok(session.to_owned()),
            _ => bail!("refused with HTTP {status}: {answer}"),
        }
    }
}
