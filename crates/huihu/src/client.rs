//! The customer's side of the APIs: what `huihu call`, `huihu sign` and the demo say to a running Huihu.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base::account::Key;
use base::private::Private;
use dialects::Headers;
use dialects::huawei::client::sign;
use rand::Rng;
use rand::distr::Alphanumeric;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::Customer;
use crate::road::wall;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Characters of a nonce.
const NONCE: usize = 32;

/// A customer who knows where to ask and how to sign.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    url: String,
    key: Key,
    /// The number that telephones show when nobody names one.
    pub(crate) display: Option<String>,
}

/// The part of the ready file that a customer needs.
#[derive(Deserialize)]
struct Ready {
    http: String,
    huawei: ReadyKeys,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadyKeys {
    app_key: String,
    app_secret: String,
    display_nbr: String,
}

impl Client {
    pub(crate) fn new(url: &str, key: &str, secret: &str, display: Option<String>) -> Self {
        let key = Key { id: key.into(), secret: Private::new(secret.into()) };
        Self { url: url.trim_end_matches('/').to_owned(), key, display }
    }

    /// The customer that the flags name; what they leave open comes from the ready file of `huihu dev`.
    pub(crate) fn of(customer: &Customer) -> Result<Self> {
        if let (Some(url), Some(key), Some(secret)) = (&customer.url, &customer.key, &customer.secret) {
            return Ok(Self::new(url, key, secret, None));
        }
        let ready = ready(&customer.ready_file)?;
        let pick = |flag: &Option<String>, ready: String| flag.clone().unwrap_or(ready);
        let keys = ready.huawei;
        Ok(Self::new(
            &pick(&customer.url, ready.http),
            &pick(&customer.key, keys.app_key),
            &pick(&customer.secret, keys.app_secret),
            Some(keys.display_nbr),
        ))
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
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let request = client.post(format!("{}{path}", self.url)).body(body.to_string());
        let mut request = request.header("Content-Type", "application/json;charset=UTF-8");
        for (name, value) in self.headers().iter() {
            request = request.header(name, value);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("{} does not answer: is Huihu running there?", self.url))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.with_context(|| format!("{} broke off its answer", self.url))?;
        let body = serde_json::from_str(&text).with_context(|| format!("{} answered {text:?}", self.url))?;
        Ok((status, body))
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

fn ready(file: &Path) -> Result<Ready> {
    let text = std::fs::read_to_string(file).with_context(|| {
        format!(
            "cannot read {}: start `huihu dev` in this folder, or give --url, --key and --secret",
            file.display()
        )
    })?;
    serde_json::from_str(&text).with_context(|| format!("{} was not written by `huihu dev`", file.display()))
}
