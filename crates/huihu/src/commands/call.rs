//! `huihu call`: what a customer asks for, over the same HTTP APIs that customers use.

use anyhow::{Result, bail};
use dialects::huawei::client::encode_url;
use serde_json::{Value, json};

use super::api::Api;
use super::explain;
use crate::cli::{Asking, Call, Customer};
use crate::client::Client;
use crate::say;

/// The paths of the requests.
pub(crate) const CALLBACK: &str = "/rest/httpsessions/click2Call/v2.0";
pub(crate) const VERIFY: &str = "/rest/httpsessions/callVerify/v1.0";
pub(crate) const NOTIFY: &str = "/rest/httpsessions/callnotify/v2.0";
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
            asking,
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
            order(&client, &asking, CALLBACK, &body).await?;
        }
        Call::Notify {
            customer,
            callee,
            clip,
            template,
            values,
            collect,
            display,
            status_url,
            fee_url,
            asking,
        } => {
            let client = Client::of(&customer)?;
            let mut item = json!({});
            lay(&mut item, "notifyVoice", clip);
            lay(&mut item, "templateId", template);
            lay(&mut item, "templateParas", values);
            lay(&mut item, "collectInd", collect);
            let mut body =
                json!({"displayNbr": shown(&client, display)?, "calleeNbr": callee, "playInfoList": [item]});
            lay(&mut body, "statusUrl", status_url.map(|url| encode_url(&url)));
            lay(&mut body, "feeUrl", fee_url.map(|url| encode_url(&url)));
            order(&client, &asking, NOTIFY, &body).await?;
        }
        Call::Verify { customer, callee, code, pre_tone, times, display, status_url, fee_url, asking } => {
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
            order(&client, &asking, VERIFY, &body).await?;
        }
        Call::Stop { customer, session } => stop(&customer, &session).await?,
    }
    Ok(())
}

/// Places a call, or asks what the rules have against it.
async fn order(client: &Client, asking: &Asking, path: &str, body: &Value) -> Result<()> {
    if asking.explain {
        return explain::request(&Api::of(&asking.place).await?, client.key_id(), path, body).await;
    }
    say(&client.place(path, body).await?);
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
