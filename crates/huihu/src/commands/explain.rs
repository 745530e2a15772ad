//! `huihu explain`: what every rule says about an order, without placing a call.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::api::Api;
use super::{text, words};
use crate::cli::{Explain, ExplainOrder};
use crate::say;

pub(crate) async fn run(command: &Explain) -> Result<()> {
    let api = Api::of(&command.place).await?;
    let Some(app) = &command.app else { bail!("whose order is it? Give --app with the app's name") };
    let app = api.app(app).await?["id"].take();
    let mut question = json!({"app": app, "from": command.from});
    match &command.order {
        ExplainOrder::Callback { caller, callee, display } => {
            question["order"] = json!({"product": "callback", "caller": caller, "callee": callee, "shown_to_caller": display});
        }
        ExplainOrder::Code { callee, display } => {
            question["order"] = json!({"product": "code", "callee": callee, "shown": display});
        }
        ExplainOrder::Notice { callee, display, clip, template, values, params } => {
            let item = match (clip, params.is_empty()) {
                (Some(clip), _) => json!({"clip": clip}),
                (None, true) => json!({"template": template, "values": values}),
                (None, false) => json!({"template": template, "values": by_name(params)}),
            };
            question["order"] =
                json!({"product": "notice", "callee": callee, "shown": display, "items": [item]});
        }
        ExplainOrder::Menu { callee, display, template, params } => {
            question["order"] = json!({"product": "menu", "callee": callee, "shown": display, "template": template, "values": by_name(params)});
        }
        ExplainOrder::Request { path, body, method } => {
            let body =
                std::fs::read_to_string(body).with_context(|| format!("cannot read {}", body.display()))?;
            question["request"] = json!({"path": path, "method": method, "body": body});
        }
    }
    tell(&api.post(&["explain"], &question).await?, command.json);
    Ok(())
}

fn by_name(params: &[(String, String)]) -> Value {
    params.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// Asks about a customer's request as `huihu call` would send it, in the name of the app that has the key.
pub(crate) async fn request(api: &Api, key: &str, path: &str, body: &Value) -> Result<()> {
    let app = api.get(&["keys", key], &[]).await?["app"].take();
    let question = json!({"app": app, "request": {"path": path, "body": body.to_string()}});
    tell(&api.post(&["explain"], &question).await?, false);
    Ok(())
}

fn tell(explanation: &Value, json: bool) {
    if json {
        say(&explanation.to_string());
        return;
    }
    for rule in explanation["rules"].as_array().into_iter().flatten() {
        let (refusal, objection) = (rule["refusal"].as_str(), rule["objection"].as_str());
        let mark = match (refusal, objection) {
            (Some(_), _) => "FAIL",
            (None, Some(_)) => "tell",
            (None, None) => "pass",
        };
        say(&format!("{mark}  {}", text(rule, "rule")));
        if let Some(refusal) = refusal {
            say(&format!("      {refusal}"));
        }
        for quota in rule["quotas"].as_array().into_iter().flatten() {
            say(&format!("      {}", left(quota)));
        }
    }
    match (explanation["refusal"].as_str(), explanation["objection"].as_str()) {
        (Some(refusal), _) => say(&format!("The call would be refused: {refusal}.")),
        (None, Some(_)) => say(&format!(
            "The call would be accepted and nobody dialled; its report would tell why: {}.",
            words(explanation, "objection")
        )),
        (None, None) => say("The call would be placed."),
    }
    let answer = &explanation["answer"];
    if let Some(body) = answer["body"].as_str() {
        say(&format!("The customer would be answered {} {body}", answer["status"]));
    }
}

/// What is left of a quota, in words.
fn left(quota: &Value) -> String {
    let by = quota["counted_by"]
        .as_str()
        .map(|_| format!(" by {}", words(quota, "counted_by")))
        .unwrap_or_default();
    let per = quota["per"].as_str().map(|per| format!(" a {per}")).unwrap_or_default();
    let (left, allowed) = (&quota["left"], &quota["allowed"]);
    format!("{left} of {allowed} {}{per}{by} left ({})", words(quota, "of"), text(quota, "set_for"))
}
