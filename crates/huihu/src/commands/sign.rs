//! `huihu sign`: the headers of a request, for those who want to send it themselves.

use anyhow::Result;

use crate::cli::Sign;
use crate::client::Client;
use crate::say;

pub(crate) fn run(command: &Sign) -> Result<()> {
    let Sign::Huawei { customer, curl } = command;
    for (name, value) in Client::of(customer)?.headers().iter() {
        if *curl {
            // A shell splits what it substitutes at spaces and keeps the quotes, so curl reads a file instead:
            // curl -K <(huihu sign huawei --curl) …
            say(&format!("header = \"{name}: {}\"", value.replace('"', "\\\"")));
        } else {
            say(&format!("{name}: {value}"));
        }
    }
    Ok(())
}
