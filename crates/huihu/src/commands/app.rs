//! `huihu app`: the applications that may place calls.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::api::Api;
use super::{ALL, print, text, words};
use crate::cli::{App, AppSettings, Place};
use crate::say;

pub(crate) async fn run(command: App) -> Result<()> {
    match command {
        App::Create { place, name, account, settings, json } => {
            create(&place, &name, &account, &settings, json).await
        }
        App::List { place, json } => {
            print(&Api::of(&place).await?.list(&["apps"], &[], ALL).await?, json, line);
            Ok(())
        }
        App::Show { place, name } => {
            say(&format!("{:#}", Api::of(&place).await?.app(&name).await?));
            Ok(())
        }
        App::Set { place, name, settings, json } => {
            let changed = change(&place, &name, &Value::Object(patch(&settings)?)).await?;
            if json {
                say(&changed.to_string());
            }
            Ok(())
        }
        App::Pause { place, name } => change(&place, &name, &json!({"state": "paused"})).await.map(drop),
        App::Resume { place, name } => change(&place, &name, &json!({"state": "active"})).await.map(drop),
        App::Freeze { place, name } => {
            change(&place, &name, &json!({"state": "unavailable"})).await.map(drop)
        }
        App::Delete { place, name } => {
            let api = Api::of(&place).await?;
            let id = api.app_id(&name).await?;
            api.delete(&["apps", &id]).await.map(drop)
        }
    }
}

async fn create(place: &Place, name: &str, account: &str, settings: &AppSettings, json: bool) -> Result<()> {
    let mut later = patch(settings)?;
    let api = Api::of(place).await?;
    let mut new = json!({"name": name, "account": account});
    for field in ["products", "ports", "status_url", "fee_url", "push_signature"] {
        new[field] = later.remove(field).unwrap_or_default();
    }
    let mut app = api.post(&["apps"], &new).await?;
    if !later.is_empty() {
        app = api.patch(&["apps", &app["id"].to_string()], &Value::Object(later)).await?;
    }
    if json {
        say(&app.to_string());
    } else {
        say(&format!("App {name} was created. Now give it a key: huihu key create --app {name}"));
    }
    Ok(())
}

async fn change(place: &Place, name: &str, patch: &Value) -> Result<Value> {
    let api = Api::of(place).await?;
    let id = api.app_id(name).await?;
    api.patch(&["apps", &id], patch).await
}

/// The settings that were named.
fn patch(settings: &AppSettings) -> Result<Map<String, Value>> {
    let mut patch = Map::new();
    let mut lay = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            patch.insert(field.to_owned(), value);
        }
    };
    let nullable = |text: &Option<String>| {
        text.as_ref().map(|text| if text == NONE { Value::Null } else { json!(text) })
    };
    let plain = |text: &Option<String>| text.as_ref().map(|text| json!(text));
    lay("products", settings.products.as_ref().map(|products| json!(products)));
    lay("ports", settings.ports.map(Into::into));
    lay("destinations", settings.destinations.as_ref().map(|prefixes| json!(some(prefixes))));
    lay("status_url", nullable(&settings.status_url));
    lay("fee_url", nullable(&settings.fee_url));
    lay("report_url", nullable(&settings.report_url));
    lay("reports", reports(settings));
    lay("lengths", plain(&settings.lengths));
    lay("push_signature", plain(&settings.push_signature));
    lay("push_profile", plain(&settings.push_profile));
    lay("phase", plain(&settings.phase));
    lay("hold", nullable(&settings.hold));
    lay("addresses", settings.addresses.as_ref().map(|blocks| json!(some(blocks))));
    lay("origin", plain(&settings.origin));
    lay("requests_per_minute", number("--requests-per-minute", settings.requests_per_minute.as_deref())?);
    lay("listed_only", settings.listed_only.map(Into::into));
    lay("recording", settings.recording.map(Into::into));
    lay("recording_days", number("--recording-days", settings.recording_days.as_deref())?);
    lay("conduct", conduct(settings)?);
    Ok(patch)
}

/// How reports are worded, as far as it was named.
fn reports(settings: &AppSettings) -> Option<Value> {
    let named = [
        ("codes", settings.report_codes.as_ref().map(|codes| json!(codes))),
        ("numbers", settings.report_numbers.as_ref().map(|numbers| json!(numbers))),
        ("menus_are", settings.menus_are.map(|number| json!(number))),
    ];
    let named: Map<String, Value> =
        named.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?))).collect();
    (!named.is_empty()).then_some(Value::Object(named))
}

/// A list that `none` empties.
fn some(values: &[String]) -> &[String] {
    if values == [NONE] { &[] } else { values }
}

fn number(flag: &str, text: Option<&str>) -> Result<Option<Value>> {
    Ok(match text {
        None => None,
        Some(NONE) => Some(Value::Null),
        Some(text) => {
            let number: u32 =
                text.parse().with_context(|| format!("{flag} takes a number or none, not {text}"))?;
            Some(number.into())
        }
    })
}

/// Both thresholds are set together, so one that is not named is none.
fn conduct(settings: &AppSettings) -> Result<Option<Value>> {
    if settings.answered.is_none() && settings.short.is_none() {
        return Ok(None);
    }
    let answered = fields("--answered", settings.answered.as_deref(), "PERCENT/CALLS")?;
    let short = fields("--short", settings.short.as_deref(), "PERCENT/CALLS/SECS")?;
    let answered = match answered[..] {
        [] => Value::Null,
        [percent, calls] => json!({"percent": percent, "calls": calls}),
        _ => bail!("--answered is written as PERCENT/CALLS, such as 30/100"),
    };
    let short = match short[..] {
        [] => Value::Null,
        [percent, calls, secs] => json!({"percent": percent, "calls": calls, "shorter_than_secs": secs}),
        _ => bail!("--short is written as PERCENT/CALLS/SECS, such as 80/50/6"),
    };
    Ok(Some(json!({"answered": answered, "short": short})))
}

fn fields(flag: &str, text: Option<&str>, form: &str) -> Result<Vec<u32>> {
    let Some(text) = text.filter(|text| *text != NONE) else { return Ok(Vec::new()) };
    let read =
        |field: &str| field.parse().with_context(|| format!("{flag} is written as {form}, not {text}"));
    text.split('/').map(read).collect()
}

fn line(app: &Value) -> String {
    let (name, account) = (text(app, "name"), text(app, "account"));
    format!("{name:<24} {account:<16} {}, {} ports", words(app, "state"), app["ports"])
}

/// Empties what may be empty.
const NONE: &str = "none";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_are_not_named_are_not_touched() {
        assert!(patch(&AppSettings::default()).unwrap().is_empty());
        let settings = AppSettings {
            status_url: Some("none".to_owned()),
            requests_per_minute: Some("60".to_owned()),
            addresses: Some(vec!["none".to_owned()]),
            destinations: Some(vec!["+86".to_owned(), "+852".to_owned()]),
            answered: Some("30/100".to_owned()),
            report_codes: Some("detailed".to_owned()),
            ..AppSettings::default()
        };
        let wanted = json!({
            "reports": {"codes": "detailed"},
            "status_url": null,
            "requests_per_minute": 60,
            "addresses": [],
            "destinations": ["+86", "+852"],
            "conduct": {"answered": {"percent": 30, "calls": 100}, "short": null},
        });
        assert_eq!(Value::Object(patch(&settings).unwrap()), wanted);
    }

    #[test]
    fn a_threshold_of_another_form_is_told_with_the_right_one() {
        for (answered, short, form) in [
            (Some("30"), None, "PERCENT/CALLS"),
            (Some("x/1"), None, "PERCENT/CALLS"),
            (None, Some("80/50"), "PERCENT/CALLS/SECS"),
        ] {
            let own = |text: Option<&str>| text.map(str::to_owned);
            let settings =
                AppSettings { answered: own(answered), short: own(short), ..AppSettings::default() };
            let complaint = patch(&settings).unwrap_err().to_string();
            assert!(complaint.contains(form), "{complaint}");
        }
    }
}
