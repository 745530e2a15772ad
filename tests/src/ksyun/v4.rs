//! A request that is signed the AWS way, each part of which a test may spoil.

use chrono::Utc;
use sha2::{Digest, Sha256};

use super::{Customer, Escapes, Form, SERVICE, hex};
use crate::api::mac_bytes;
use crate::http::Request;

/// What is about to be signed.
#[derive(Clone, Debug)]
pub struct V4 {
    /// Who signs, and where the request goes.
    pub customer: Customer,
    /// `GET` or `POST`.
    pub method: String,
    /// Parameters in the address.
    pub query: Form,
    /// The body.
    pub body: String,
    /// Headers that are sent and signed, names in lower case; `host` is among them, or it is not signed.
    pub headers: Vec<(String, String)>,
    /// Headers that are sent and not signed.
    pub unsigned: Vec<(String, String)>,
    /// The time of the request, `20261122T045457Z`.
    pub time: String,
    /// The first part of the scope, `20261122`.
    pub date: String,
    /// The second part.
    pub region: String,
    /// The third part.
    pub service: String,
    /// The last part.
    pub terminator: String,
}

impl V4 {
    /// A request with its parameters in the body, as most clients make it.
    #[must_use]
    pub fn post(customer: &Customer, form: &Form) -> Self {
        Self::new(customer, "POST")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.written(Escapes::Python))
    }

    /// A request with its parameters in the address.
    #[must_use]
    pub fn query(customer: &Customer, method: &str, form: &Form) -> Self {
        Self { query: form.clone(), ..Self::new(customer, method) }
    }

    fn new(customer: &Customer, method: &str) -> Self {
        let time = Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
        let plain = Self {
            customer: customer.clone(),
            method: method.to_owned(),
            query: Form::default(),
            body: String::new(),
            headers: Vec::new(),
            unsigned: Vec::new(),
            time: String::new(),
            date: String::new(),
            region: "cn-beijing-6".to_owned(),
            service: SERVICE.to_owned(),
            terminator: "aws4_request".to_owned(),
        };
        let dated = plain.header("host", &customer.address).at(&time);
        match &customer.token {
            Some(token) => dated.header("x-amz-security-token", token),
            None => dated,
        }
    }

    /// With that time, in its header and in the scope.
    #[must_use]
    pub fn at(self, time: &str) -> Self {
        let date = time.get(..8).unwrap_or_default().to_owned();
        Self { time: time.to_owned(), date, ..self.header("x-amz-date", time) }
    }

    /// With a signed header, in place of the one of that name if there is one.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(self, body: String) -> Self {
        Self { body, ..self }
    }

    /// With the hash of the body in a header, as some clients send it.
    #[must_use]
    pub fn with_payload_hash(self) -> Self {
        let hash = hex(&Sha256::digest(&self.body));
        self.header("x-amz-content-sha256", &hash)
    }

    /// The request, signed in its Authorization header.
    #[must_use]
    pub fn request(&self) -> Request {
        let payload = self.payload_hash();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
            self.customer.key,
            self.scope(),
            self.signed_headers(),
            self.signature(&self.query, &payload)
        );
        self.plain(&self.query).header("Authorization", &authorization)
    }

    /// The request, signed in its address: no header is needed but `host`, and whoever has the address may ask.
    #[must_use]
    pub fn presigned(&self) -> Request {
        let host_only = Self {
            headers: self.headers.iter().filter(|(name, _)| name == "host").cloned().collect(),
            ..self.clone()
        };
        let query = self
            .query
            .clone()
            .with("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
            .with("X-Amz-Credential", &format!("{}/{}", self.customer.key, self.scope()))
            .with("X-Amz-Date", &self.time)
            .with("X-Amz-SignedHeaders", "host");
        let signature = host_only.signature(&query, &hex(&Sha256::digest("")));
        host_only.plain(&query.with("X-Amz-Signature", &signature))
    }

    /// The request without a signature.
    fn plain(&self, query: &Form) -> Request {
        let query = query.written(Escapes::Python);
        let path = if query.is_empty() { "/".to_owned() } else { format!("/?{query}") };
        let request = Request { from: self.customer.from, ..Request::new(&self.method, &path) };
        let send = |request: Request, (name, value): &(String, String)| request.header(name, value);
        self.headers.iter().chain(&self.unsigned).fold(request, send).body(self.body.clone())
    }

    fn scope(&self) -> String {
        [&self.date, &self.region, &self.service, &self.terminator].map(String::as_str).join("/")
    }

    fn signed_headers(&self) -> String {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.join(";")
    }

    fn payload_hash(&self) -> String {
        let sent = self.headers.iter().find(|(name, _)| name == "x-amz-content-sha256");
        sent.map_or_else(|| hex(&Sha256::digest(&self.body)), |(_, hash)| hash.clone())
    }

    fn signature(&self, query: &Form, payload: &str) -> String {
        let mut headers = self.headers.clone();
        headers.sort();
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let canonical = format!(
            "{}\n/\n{}\n{headers}\n{}\n{payload}",
            self.method,
            query.clone().sorted().written(Escapes::Strict),
            self.signed_headers()
        );
        let text =
            format!("AWS4-HMAC-SHA256\n{}\n{}\n{}", self.time, self.scope(), hex(&Sha256::digest(canonical)));
        let secret = format!("AWS4{}", self.customer.secret).into_bytes();
        let parts = [&self.date, &self.region, &self.service, &self.terminator];
        let key = parts.iter().fold(secret, |key, part| mac_bytes(&key, part));
        hex(&mac_bytes(&key, &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_case_of_the_published_suite_is_signed_as_it_says() {
        // `get-vanilla` of the AWS Signature Version 4 test suite.
        let customer = Customer {
            address: "example.amazonaws.com".to_owned(),
            key: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
            from: None,
        };
        let plain = V4::query(&customer, "GET", &Form::default()).at("20150830T123600Z");
        let signed = V4 { region: "us-east-1".to_owned(), service: "service".to_owned(), ..plain }.request();
        let authorization = signed.headers.iter().find(|(name, _)| name == "Authorization");
        assert!(authorization.is_some_and(|(_, value)| {
            value.ends_with("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
        }));
    }
}
