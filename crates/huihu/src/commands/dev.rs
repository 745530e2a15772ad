//! `huihu dev`: everything on this machine alone, with a simulated carrier and three demo calls.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use base::account::{Key, Review};
use base::id::AppId;
use base::number::E164;
use base::private::Private;
use base::template::TemplateKind;
use base::url::PushUrl;
use carrier::Carrier;
use media::clip::{Clip, Plays};
use serde_json::{Value, json};
use speech::sample::Sample;
use speech::shelf::Shelf;
use store::admin::{AppChange, TemplateDraft};
use store::{Accounts, Admin, AdminFault, AppDraft, Store};

use super::call::{CALLBACK, VERIFY};
use super::demo;
use super::serve::{asked_to_end, end, write_ready};
use crate::cli::Dev;
use crate::client::{huawei, ksyun};
use crate::config::{self, Config, TracedCalls};
use crate::house::House;
use crate::inbox::Inbox;
use crate::road::wall;
use crate::say;

/// The demo's app, its account and its numbers.
const APP: &str = "demo";
const ACCOUNT: &str = "huihu";
const DISPLAY: &str = "+8675500000001";
const DISPLAY_CALLEE: &str = "+8675500000002";

/// Calls at once that the demo app may have: as good as no limit.
const PORTS: u32 = 5_000;

/// Templates that are looked through: all that an enterprise may have.
const TEMPLATES: u64 = 1_000;

/// How often new voice files and templates are approved.
const REVIEW: Duration = Duration::from_secs(1);

pub(crate) async fn run(command: Dev) -> Result<()> {
    for (address, flag) in [(command.http, "--http"), (command.sip, "--sip")] {
        if !address.ip().is_loopback() {
            bail!(
                "{flag} {address} can be reached from outside: dev is for this machine alone, use 127.0.0.1 or `huihu serve`"
            );
        }
    }
    let carrier = start_carrier(&command)?;
    let config = configure(&command, carrier.address());
    let store = Store::open(&config.data_dir).await?;
    let admin = Admin::new(&store);
    let inbox = Inbox::open(command.http).await?;
    let Furniture { key, notice, menu } = furnish(&admin, &store, &inbox).await?;
    inbox.belongs_to(key.clone());
    let house = House::open(&config).await?;
    let reviewer = tokio::spawn(approve_everything(admin.clone()));
    let url = format!("http://{}", house.http);
    let client = huawei::Client::new(&url, &key.id, key.secret.expose(), Some(DISPLAY.to_owned()));
    let ksyun = ksyun::Client::new(&url, key.clone());
    say(&format!(
        "Huihu is ready on this machine alone.\n\n  HTTP API       {url}\n  SIP            {}/udp\n  \
         webhook inbox  {}  (GET it to see what came in)\n  app key        {}\n  app secret     {}\n  numbers        \
         {DISPLAY}, {DISPLAY_CALLEE}\n",
        house.sip,
        inbox.url(),
        key.id,
        key.secret.expose(),
    ));
    let stage = demo::Stage { inbox: &inbox, carrier: &carrier, admin: &admin };
    let outcome = match command.no_demo {
        true => None,
        false => Some(demo::run(&client, &ksyun, &menu, &stage).await?),
    };
    let ready = json!({
        "http": url,
        "inbox": inbox.url(),
        "sip": house.sip.to_string(),
        "huawei": {
            "appKey": key.id,
            "appSecret": key.secret.expose(),
            "displayNbr": DISPLAY,
            "displayCalleeNbr": DISPLAY_CALLEE,
        },
        "ksyun": {
            "accessKey": key.id,
            "secretKey": key.secret.expose(),
            "notifyTplId": notice,
            "ivrTplId": menu,
        },
        "demo": outcome.as_ref().map_or(Value::Null, |outcome| json!({
            "callback": outcome.callback,
            "verify": outcome.verify,
            "ivr": outcome.ivr,
        })),
    });
    write_ready(&config.data_dir.join("ready.json"), &ready)?;
    if let Some(file) = &command.ready_file {
        write_ready(file, &ready)?;
    }
    if !command.once {
        say(&invitation(&url, &inbox, &client, &config.data_dir));
        asked_to_end().await?;
    }
    reviewer.abort();
    end(house).await?;
    match outcome {
        Some(outcome) if command.once && !outcome.faults.is_empty() => {
            bail!("the demo did not go as it should: {}", outcome.faults.join("; "))
        }
        _ => Ok(()),
    }
}

fn configure(command: &Dev, carrier: SocketAddr) -> Config {
    let mut config = Config::defaults();
    config.data_dir.clone_from(&command.data_dir);
    config.http = command.http;
    config.sip.listen = command.sip.into();
    config.sip.rtp_ports.clone_from(&command.rtp_ports);
    config.trunk.peer = Some(carrier);
    config.trace.calls = TracedCalls::All;
    config.push.allow = vec!["127.0.0.0/8".to_owned(), "::1/128".to_owned()];
    config
}

/// A carrier with two voices: the digit before a number's last four chooses who picks up.
fn start_carrier(command: &Dev) -> Result<Carrier> {
    config::parse_ports(&command.rtp_ports)?;
    let clip = |sample: Sample| Clip::from_alaw(sample.alaw());
    let mut settings = carrier::Settings::new(SocketAddr::new(command.sip.ip(), 0));
    settings.voices = vec![clip(Sample::DemoCaller), clip(Sample::DemoCallee)];
    settings.voice_plays = Plays::Endless;
    settings.empty_number = Some(clip(Sample::EmptyNumber));
    settings.busy = Some(clip(Sample::Busy));
    settings.powered_off = Some(clip(Sample::PoweredOff));
    settings.recordings = Some(command.data_dir.join("heard"));
    settings.times.talk = demo::TALK;
    settings.seed = rand::random();
    Ok(Carrier::start(settings)?)
}

/// What the demo's customers need to know.
struct Furniture {
    key: Key,
    /// The template of a notice.
    notice: Box<str>,
    /// The template of a menu.
    menu: Box<str>,
}

/// Sees to it that the demo app, its key, numbers, voice file and templates exist, and that its reports go to the inbox.
async fn furnish(admin: &Admin, store: &Store, inbox: &Inbox) -> Result<Furniture> {
    let known = admin.apps().await?.into_iter().find(|line| *line.app.name == *APP);
    let app = match known {
        Some(line) => line.app.id,
        None => {
            let mut draft = AppDraft::new(ACCOUNT, APP);
            draft.ports = PORTS;
            admin.create_app(&draft, wall()).await?
        }
    };
    let owned = admin.numbers(app).await?;
    for number in [DISPLAY, DISPLAY_CALLEE] {
        let number = E164::parse(number)?;
        if !owned.iter().any(|line| line.number.number == number) {
            admin.add_number(app, &number, wall()).await?;
        }
    }
    let clip = Shelf::open(store.dir().join("clips"))?.put(Sample::Welcome.alaw())?;
    admin.add_voice_file(app, demo::WELCOME, clip, wall()).await?;
    admin.review_voice_file(app, demo::WELCOME, Review::Approved).await?;
    // An app of an earlier version was not opened for everything.
    let products = Some(AppDraft::new(ACCOUNT, APP).products);
    let report_url = Some(Some(PushUrl::parse(&inbox.url())?));
    admin.change_app(app, &AppChange { products, report_url, ..AppChange::default() }).await?;
    Ok(Furniture {
        key: key_of(admin, app, store).await?,
        notice: template(admin, "dev notice", TemplateKind::Named, demo::NOTICE).await?,
        menu: template(admin, "dev menu", TemplateKind::Menu, demo::MENU).await?,
    })
}

/// The approved template of that name: its id.
async fn template(admin: &Admin, name: &str, kind: TemplateKind, text: &str) -> Result<Box<str>> {
    let known = admin.templates_page(ACCOUNT, None, TEMPLATES).await?;
    let known = known.into_iter().find(|line| *line.draft.name == *name);
    let draft = TemplateDraft { name: name.into(), kind, text: text.into(), speed: 100 };
    let id = match known {
        Some(line) if line.draft == draft => line.id,
        Some(line) => {
            admin.change_template(&line.id, &draft, wall()).await?;
            line.id
        }
        None => admin.create_template(ACCOUNT, &draft, wall()).await?,
    };
    admin.review_template(&id, Review::Approved, None, wall()).await?;
    Ok(id)
}

/// The app's key: the one it has, or a new one.
async fn key_of(admin: &Admin, app: AppId, store: &Store) -> Result<Key> {
    let accounts = Accounts::load(store).await?;
    let known = admin.keys(app).await?.into_iter().find_map(|line| accounts.find(&line.id, wall()));
    if let Some(account) = known {
        return Ok(account.key.clone());
    }
    let new = admin.create_key(app, wall()).await?;
    Ok(Key { id: new.id, secret: Private::new(new.secret.expose().as_ref().into()), token: None })
}

/// Approves every voice file and template that comes, so that nobody has to wait for a reviewer who is not there.
async fn approve_everything(admin: Admin) {
    let mut clock = tokio::time::interval(REVIEW);
    loop {
        clock.tick().await;
        if let Err(fault) = approve_pending(&admin).await {
            tracing::warn!("cannot approve voice files and templates: {fault:#}");
        }
    }
}

async fn approve_pending(admin: &Admin) -> Result<()> {
    for app in admin.apps().await? {
        for file in admin.voice_files(app.app.id).await? {
            if file.file.review == Review::Pending {
                admin.review_voice_file(app.app.id, &file.name, Review::Approved).await?;
            }
        }
    }
    for template in admin.templates_page(ACCOUNT, None, TEMPLATES).await? {
        if template.review == Review::Pending {
            match admin.review_template(&template.id, Review::Approved, None, wall()).await {
                // A reviewer who found something says what.
                Err(AdminFault::Unusable { rule, .. }) => {
                    admin.review_template(&template.id, Review::Rejected, Some(&rule), wall()).await?;
                }
                done => done?,
            }
        }
    }
    Ok(())
}

/// What to do next, ready to paste.
fn invitation(url: &str, inbox: &Inbox, client: &huawei::Client, data_dir: &Path) -> String {
    let huihu = std::env::args().next().unwrap_or_else(|| "huihu".to_owned());
    let dir = data_dir.display();
    let receiver = dialects::huawei::client::encode_url(&inbox.url());
    let callback = json!({
        "displayNbr": DISPLAY, "callerNbr": "+8613800000001", "displayCalleeNbr": DISPLAY_CALLEE,
        "calleeNbr": "+8613800010002", "statusUrl": receiver, "feeUrl": receiver,
    });
    let verify = json!({
        "displayNbr": DISPLAY, "calleeNbr": "+8613800000001", "languageType": 2, "preTone": demo::WELCOME,
        "verifyCode": "2580", "times": 2, "statusUrl": receiver, "feeUrl": receiver,
    });
    [
        "Now place a call yourself. These lines are signed for the next ten minutes:\n".to_owned(),
        curl(&format!("{url}{CALLBACK}"), client, &callback),
        curl(&format!("{url}{VERIFY}"), client, &verify),
        "The same by our own client, in another terminal:\n".to_owned(),
        format!("  {huihu} call callback --ready-file {dir}/ready.json --caller +8613800000001 --callee +8613800010002"),
        format!("  {huihu} call verify --ready-file {dir}/ready.json --callee +8613800000001 --code 2580"),
        format!("  {huihu} call notify --ksyun --ready-file {dir}/ready.json --callee 13800000001 --param name=张三 --param no=8"),
        format!("  {huihu} call ivr --ksyun --ready-file {dir}/ready.json --callee {} --param name=张三", demo::MENU_CALLEE),
        format!("  {huihu} record list --data-dir {dir}\n"),
        FATES.to_owned(),
    ]
    .join("\n")
}

/// A signed request as a line for a shell.
fn curl(url: &str, client: &huawei::Client, body: &Value) -> String {
    let mut line = format!("curl -s {url} \\\n");
    let json = ("Content-Type", "application/json;charset=UTF-8");
    for (name, value) in [json].into_iter().chain(client.headers().iter()) {
        line.push_str(&format!("  -H '{name}: {value}' \\\n"));
    }
    line.push_str(&format!("  -d '{body}'\n"));
    line
}

/// What the simulated carrier does.
const FATES: &str = "\
The callee's last four digits choose its fate: 0001 answers, 0002 answers and hangs up, 0003 echoes,
0004 says nothing, 0486 busy, 0480 no answer, 0404 no such number, 0603 rejects, 0408 silent,
0183 busy in early media, 0020 switched off, 1nnn presses nnn, 5nnn presses them one by one, 6nnn by SIP INFO,
7nnn as tones.
Ctrl-C ends.";
