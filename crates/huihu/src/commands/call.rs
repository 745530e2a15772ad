//! `huihu call`: what a customer asks for, over the same HTTP APIs that customers use.

use anyhow::{Result, bail};
use dialects::huawei::client::encode_url;
use serde_json::{Value, json};

use super::api::Api;
use super::explain;
use crate::cli::{Asking, Call, Customer, Ksyun};
use crate::client::huawei::Client;
use crate::client::ksyun::{self, Order};
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
        Call::Notify { customer, callee, template, display, ksyun: more, asking, .. } if more.ksyun => {
            let client = ksyun::Client::of(&customer)?;
            let template = client.notice(template)?;
            let order = Order::notify(&callee, &template, &more.params);
            over_ksyun(&client, order, display, more, &asking).await?;
        }
        Call::Ivr { customer, callee, template, display, ksyun: more, asking } => {
            let client = ksyun::Client::of(&customer)?;
            let template = client.menu(template)?;
            let order = Order::ivr(&callee, &template, &more.params);
            over_ksyun(&client, order, display, more, &asking).await?;
        }
        Call::Verify { customer, callee, code, times, template, display, ksyun: more, asking, .. }
            if more.ksyun =>
        {
            let client = ksyun::Client::of(&customer)?;
            let times = times.map(|times| times.to_string());
            let order = Order::verify(&callee, &template, &code).and("PlayTimes", times);
            over_ksyun(&client, order, display, more, &asking).await?;
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
            ksyun: _,
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
        Call::Verify {
            customer,
            callee,
            code,
            pre_tone,
            times,
            template: _,
            display,
            status_url,
            fee_url,
            ksyun: _,
            asking,
        } => {
            let client = Client::of(&customer)?;
            let mut body = json!({
                "displayNbr": shown(&client, display)?,
                "calleeNbr": callee,
                "languageType": 2,
                "preTone": pre_tone,
                "verifyCode": code,
                "times": times.unwrap_or(3),
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

/// The same over the API whose requests are lists of parameters.
async fn over_ksyun(
    client: &ksyun::Client,
    order: Order,
    display: Option<String>,
    more: Ksyun,
    asking: &Asking,
) -> Result<()> {
    let order = order.and("Caller", display).and("ExtId", more.ext_id);
    if asking.explain {
        let api = Api::of(&asking.place).await?;
        return explain::request(&api, client.key_id(), "/", &order.json()).await;
    }
    say(&client.place(&order).await?);
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
