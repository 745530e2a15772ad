//! A customer of the Ksyun API: signs parameters, posts a form.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result, bail};
use base::account::Key;
use dialects::ksyun::client;
use dialects::{Headers, WireRequest};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::Customer;
use crate::road::wall;

/// The version of every action.
const VERSION: &str = "2020-05-01";

/// A customer who knows where to ask and how to sign.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    url: String,
    key: Key,
    /// The templates that are spoken when nobody names one.
    templates: Option<Templates>,
}

/// The templates of the demo.
#[derive(Clone, Debug)]
struct Templates {
    notice: String,
    menu: String,
}

/// The part of the ready file that this customer needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ready {
    access_key: String,
    secret_key: String,
    notify_tpl_id: String,
    ivr_tpl_id: String,
}

impl Client {
    pub(crate) fn new(url: &str, key: Key) -> Self {
        Self { url: super::trimmed(url), key, templates: None }
    }

    /// The customer that the flags name; what they leave open comes from the ready file of `huihu dev`.
    pub(crate) fn of(customer: &Customer) -> Result<Self> {
        let keys = |ready: super::Ready| {
            let Ready { access_key, secret_key, notify_tpl_id: notice, ivr_tpl_id: menu } = ready.ksyun;
            (access_key, secret_key, Templates { notice, menu })
        };
        let (url, key, templates) = super::target(customer, keys)?;
        Ok(Self { url, key, templates })
    }

    /// The key that it signs with.
    pub(crate) fn key_id(&self) -> &str {
        &self.key.id
    }

    /// The template of that name, or the demo's notice.
    pub(crate) fn notice(&self, named: Option<String>) -> Result<String> {
        self.template(named, |templates| &templates.notice)
    }

    /// The template of that name, or the demo's menu.
    pub(crate) fn menu(&self, named: Option<String>) -> Result<String> {
        self.template(named, |templates| &templates.menu)
    }

    fn template(&self, named: Option<String>, of: impl FnOnce(&Templates) -> &String) -> Result<String> {
        match named.or_else(|| self.templates.as_ref().map(|templates| of(templates).clone())) {
            Some(template) => Ok(template),
            None => bail!("which template shall be spoken? Give --template with its number"),
        }
    }

    /// The form of a request with its signature, ready to be posted.
    pub(crate) fn form(&self, order: &Order) -> String {
        client::sign(&self.key, &order.action, &order.borrowed(), wall())
    }

    /// The headers that sign a request in the other style, and its form.
    pub(crate) fn headers(&self, order: &Order) -> Result<(Headers, String)> {
        let url = reqwest::Url::parse(&self.url)?;
        let host = match (url.host_str().unwrap_or_default(), url.port()) {
            (name, Some(port)) => format!("{name}:{port}"),
            (name, None) => name.to_owned(),
        };
        let form = client::body(&order.action, &order.borrowed());
        let request = WireRequest {
            id: 0,
            method: "POST".into(),
            path: "/".into(),
            query: "".into(),
            headers: Headers::from_iter([("Host", &*host), ("Content-Type", client::FORM)]),
            body: form.clone().into(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let mut headers = Headers::from_iter([("Content-Type", client::FORM)]);
        let signed =
            client::sign_headers(&self.key, &request, wall()).context("the request cannot be signed")?;
        for (name, value) in signed.iter() {
            headers.add(name, value);
        }
        Ok((headers, form))
    }

    /// Asks for a call: its id.
    pub(crate) async fn place(&self, order: &Order) -> Result<String> {
        let headers = [("Content-Type", client::FORM), ("Accept", "application/json")];
        let (status, answer) = super::post(&self.url, "/", headers, self.form(order)).await?;
        match answer["CallId"].as_str() {
            Some(call) if status == 200 => Ok(call.to_owned()),
            _ => bail!("refused with HTTP {status}: {answer}"),
        }
    }
}

/// What is asked for: an action and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) action: String,
    pub(crate) parameters: Vec<(String, String)>,
}

impl Order {
    pub(crate) fn verify(mobile: &str, template: &str, code: &str) -> Self {
        let order = Self::call("CallVerify", mobile, template);
        order.and("Code", Some(code.to_owned()))
    }

    pub(crate) fn notify(mobile: &str, template: &str, values: &[(String, String)]) -> Self {
        Self::call("CallNotify", mobile, template).with(values)
    }

    pub(crate) fn ivr(mobile: &str, template: &str, values: &[(String, String)]) -> Self {
        Self::call("CallIvr", mobile, template).with(values)
    }

    /// The API knows mobiles of one country only, and writes them without its code.
    fn call(action: &str, mobile: &str, template: &str) -> Self {
        let mobile = mobile.strip_prefix("+86").unwrap_or(mobile).to_owned();
        let order = Self { action: action.to_owned(), parameters: Vec::new() };
        order.and("Mobile", Some(mobile)).and("TplId", Some(template.to_owned()))
    }

    /// The values of its template.
    fn with(self, values: &[(String, String)]) -> Self {
        let value = |(name, value): &(String, String)| (name.clone(), Value::from(value.as_str()));
        let values: Map<String, Value> = values.iter().map(value).collect();
        self.and("TplParams", Some(Value::Object(values).to_string()))
    }

    /// One parameter more, if it is there.
    pub(crate) fn and(mut self, name: &str, value: Option<String>) -> Self {
        self.parameters.extend(value.map(|value| (name.to_owned(), value)));
        self
    }

    /// The whole request as JSON, which the API takes too.
    pub(crate) fn json(&self) -> Value {
        let own = [("Action", self.action.as_str()), ("Version", VERSION)];
        let all = own.into_iter().chain(self.borrowed());
        Value::Object(all.map(|(name, value)| (name.to_owned(), value.into())).collect())
    }

    fn borrowed(&self) -> Vec<(&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}
