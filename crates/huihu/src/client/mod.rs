//! The customer's side of the APIs: what `huihu call`, `huihu sign` and the demo say to a running Huihu. A file for each
//! vendor whose customers they play.

pub(crate) mod huawei;
pub(crate) mod ksyun;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use base::account::Key;
use base::private::Private;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::Customer;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `huihu dev` wrote for its customers.
#[derive(Deserialize)]
struct Ready {
    http: String,
    huawei: huawei::Ready,
    ksyun: ksyun::Ready,
}

impl Ready {
    fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!(
                "cannot read {}: start `huihu dev` in this folder, or give --url, --key and --secret",
                file.display()
            )
        })?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} was not written by `huihu dev`", file.display()))
    }
}

/// Where to ask, and in whose name; and the ready file, unless the flags say everything.
fn target<R>(
    customer: &Customer,
    of: impl FnOnce(Ready) -> (String, String, R),
) -> Result<(String, Key, Option<R>)> {
    if let (Some(url), Some(id), Some(secret)) = (&customer.url, &customer.key, &customer.secret) {
        return Ok((trimmed(url), key(id, secret, customer.token.as_deref()), None));
    }
    let ready = Ready::read(&customer.ready_file)?;
    let url = customer.url.clone().unwrap_or_else(|| ready.http.clone());
    let (id, secret, rest) = of(ready);
    let pick = |flag: &Option<String>, ready: String| flag.clone().unwrap_or(ready);
    let (id, secret) = (pick(&customer.key, id), pick(&customer.secret, secret));
    Ok((trimmed(&url), key(&id, &secret, customer.token.as_deref()), Some(rest)))
}

fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

fn key(id: &str, secret: &str, token: Option<&str>) -> Key {
    let private = |text: &str| Private::new(text.into());
    Key { id: id.into(), secret: private(secret), token: token.map(private) }
}

/// Posts to that address: the HTTP status and the answer.
async fn post<'a>(
    url: &str,
    path: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body: String,
) -> Result<(u16, Value)> {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let mut request = client.post(format!("{url}{path}")).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer =
        request.send().await.with_context(|| format!("{url} does not answer: is Huihu running there?"))?;
    let status = answer.status().as_u16();
    let text = answer.text().await.with_context(|| format!("{url} broke off its answer"))?;
    let body = serde_json::from_str(&text).with_context(|| format!("{url} answered {text:?}"))?;
    Ok((status, body))
}
