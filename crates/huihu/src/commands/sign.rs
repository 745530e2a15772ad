//! `huihu sign`: what signs a request, for those who want to send it themselves.

use anyhow::Result;

use crate::cli::{Customer, Sign};
use crate::client::{huawei, ksyun};
use crate::say;

pub(crate) fn run(command: &Sign) -> Result<()> {
    match command {
        Sign::Huawei { customer, curl } => headers(customer, *curl),
        Sign::Ksyun { customer, header: false, action, params } => {
            say(&ksyun::Client::of(customer)?.form(&order(action, params)));
            Ok(())
        }
        Sign::Ksyun { customer, header: true, action, params } => {
            let (headers, form) = ksyun::Client::of(customer)?.headers(&order(action, params))?;
            for (name, value) in headers.iter() {
                say(&configured(name, value));
            }
            say(&format!("data = \"{form}\""));
            Ok(())
        }
    }
}

fn order(action: &str, params: &[(String, String)]) -> ksyun::Order {
    ksyun::Order { action: action.to_owned(), parameters: params.to_vec() }
}

fn headers(customer: &Customer, curl: bool) -> Result<()> {
    for (name, value) in huawei::Client::of(customer)?.headers().iter() {
        if curl {
            say(&configured(name, value));
        } else {
            say(&format!("{name}: {value}"));
        }
    }
    Ok(())
}

/// A header as a line of a curl configuration. A shell splits what it substitutes at spaces and keeps the quotes, so curl
/// reads a file instead: `curl -K <(huihu sign huawei --curl) …`
fn configured(name: &str, value: &str) -> String {
    format!("header = \"{name}: {}\"", value.replace('"', "\\\""))
}
