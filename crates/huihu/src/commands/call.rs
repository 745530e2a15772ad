//! `huihu call`: what a customer asks for, over the same HTTP APIs that customers use.

use anyhow::{Result, bail};
use dialects::huawei::client::encode_url;
use serde_json::{Value, json};

use crate::cli::{Call, Customer};
use crate::client::Client;
use crate::say;

/// The paths of the three requests.
pub(crate) const CALLBACK: &str = "/rest/httpsessions/click2Call/v2.0";
pub(crate) const VERIFY: &str = "/rest/httpsessions/callVerify/v1.0";
pub(crate) const STOP: &str = "/rest/httpsessions/callStop/v2.0";

pub(crate) async fn run(command: Call) -> Result<()> {
    match command {
        Call::Callback {
            customer,
            caller,
            callee,
            display,
            display_callee,
            max_minutes,
            status_url,
            fee_url,
        } => {
            let client = Client::of(&customer)?;
            let display = shown(&client, display)?;
            let mut body = json!({
                "displayNbr": display,
                "displayCalleeNbr": display_callee.unwrap_or_else(|| display.clone()),
                "callerNbr": caller,
                "calleeNbr": callee,
            });
            lay(&mut body, "maxDuration", max_minutes);
            lay(&mut body, "statusUrl", status_url.map(|url| encode_url(&url)));
            lay(&mut body, "feeUrl", fee_url.map(|url| encode_url(&url)));
            say(&client.place(CALLBACK, &body).await?);
        }
        Call::Verify { customer, callee, code, pre_tone, times, display, status_url, fee_url } => {
            let client = Client::of(&customer)?;
            let mut body = json!({
                "displayNbr": shown(&client, display)?,
                "calleeNbr": callee,
                "languageType": 2,
                "preTone": pre_tone,
                "verifyCode": code,
                "times": times,
            });
            lay(&mut body, "statusUrl", status_url.map(|url| encode_url(&url)));
            lay(&mut body, "feeUrl", fee_url.map(|url| encode_url(&url)));
            say(&client.place(VERIFY, &body).await?);
        }
        Call::Stop { customer, session } => stop(&customer, &session).await?,
    }
    Ok(())
}

async fn stop(customer: &Customer, session: &str) -> Result<()> {
    let client = Client::of(customer)?;
    let (status, answer) = client.post(STOP, &json!({"sessionid": session, "signal": "call_stop"})).await?;
    if answer["resultcode"] != "0" {
        bail!("refused with HTTP {status}: {answer}");
    }
    Ok(())
}

fn shown(client: &Client, display: Option<String>) -> Result<String> {
    match display.or_else(|| client.display.clone()) {
        Some(number) => Ok(number),
        None => bail!("which number shall the telephone show? Give --display with a number of the app"),
    }
}

fn lay<T: Into<Value>>(body: &mut Value, name: &str, value: Option<T>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}
