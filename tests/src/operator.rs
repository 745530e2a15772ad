//! The operator of a running platform: sets what he may set, over his own interface.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::http::{Answer, Request};
use crate::huihu::{Installation, Server};

/// Somebody who holds the operator's key of an installation.
#[derive(Clone, Debug)]
pub struct Operator {
    address: String,
    token: String,
}

/// An app, as the operator knows it.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id.
    pub id: i64,
    /// The account name of its enterprise.
    pub account: String,
}

/// What a list, a limit or an hour holds for.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// Everybody.
    Platform,
    /// One app.
    App(&'a App),
}

impl Operator {
    /// The operator of a running installation.
    ///
    /// # Panics
    /// When the installation has no operator's key.
    #[must_use]
    pub fn of(installation: &Installation, server: &Server) -> Self {
        let token = fs::read_to_string(installation.path("data").join("operator.key"));
        let token = token.expect("a server makes the operator's key").trim().to_owned();
        Self { address: server.http.clone(), token }
    }

    /// Makes an app of an enterprise.
    #[must_use]
    pub fn app(&self, account: &str, name: &str) -> App {
        let made = self.does("POST", "/apps", &json!({"account": account, "name": name, "ports": 1_000}));
        App { id: made["id"].as_i64().expect("an app has an id"), account: account.to_owned() }
    }

    /// The app of that name.
    #[must_use]
    pub fn app_named(&self, name: &str) -> App {
        let found = self.does("GET", &format!("/apps?name={name}"), &Value::Null);
        let app = &found["items"][0];
        let account = app["account"].as_str().expect("an app has an account").to_owned();
        App { id: app["id"].as_i64().expect("an app has an id"), account }
    }

    /// Opens an app for every kind of call.
    pub fn open_all(&self, app: &App) {
        self.open_only(app, &["callback", "notice", "code", "menu"]);
    }

    /// Opens an app for these kinds of calls.
    pub fn open_only(&self, app: &App, products: &[&str]) {
        self.change_app(app, &json!({"products": products}));
    }

    /// Changes an app.
    pub fn change_app(&self, app: &App, patch: &Value) {
        self.does("PATCH", &format!("/apps/{}", app.id), patch);
    }

    /// Deletes an app.
    pub fn delete_app(&self, app: &App) {
        self.does("DELETE", &format!("/apps/{}", app.id), &Value::Null);
    }

    /// Makes a key: its id and its secret.
    #[must_use]
    pub fn key(&self, app: &App) -> (String, String) {
        let made = self.does("POST", &format!("/apps/{}/keys", app.id), &json!({}));
        let text = |name: &str| made[name].as_str().expect("a key has an id and a secret").to_owned();
        (text("id"), text("secret"))
    }

    /// Makes a key that works for so long and shows a token: its id, its secret and the token.
    #[must_use]
    pub fn temporary_key(&self, app: &App, secs: u32) -> (String, String, String) {
        let wish = json!({"temporary": {"lives_secs": secs}});
        let made = self.does("POST", &format!("/apps/{}/keys", app.id), &wish);
        let text = |name: &str| made[name].as_str().expect("a temporary key has a token too").to_owned();
        (text("id"), text("secret"), text("token"))
    }

    /// Gives an app a number.
    pub fn add_number(&self, app: &App, number: &str) {
        self.does("POST", &format!("/apps/{}/numbers", app.id), &json!({"number": number}));
    }

    /// Takes a number away.
    pub fn remove_number(&self, app: &App, number: &str) {
        self.does("DELETE", &number_path(app, number), &Value::Null);
    }

    /// Lets another number be shown in its place.
    pub fn pause_number(&self, app: &App, number: &str) {
        self.does("PATCH", &number_path(app, number), &json!({"state": "paused"}));
    }

    /// Has a number belong to a sub-enterprise, which is suspended.
    pub fn suspend_owner(&self, app: &App, number: &str) {
        const OWNER: &str = "owner";
        let path = format!("{}/sub_enterprises", enterprise_path(app));
        self.does("POST", &path, &json!({"name": OWNER}));
        self.does("PATCH", &number_path(app, number), &json!({"sub_enterprise": OWNER}));
        self.does("PATCH", &format!("{path}/{OWNER}"), &json!({"state": "suspended"}));
    }

    /// Sets the state of an app's enterprise.
    pub fn set_enterprise(&self, app: &App, state: &str) {
        self.does("PATCH", &enterprise_path(app), &json!({"state": state}));
    }

    /// Sets the password with which the oldest clients of an app's enterprise log in.
    pub fn set_password(&self, app: &App, password: &str) {
        self.does("PATCH", &enterprise_path(app), &json!({"password": password}));
    }

    /// Uploads the shipped welcome under another name, which nobody reviews.
    pub fn add_clip(&self, app: &App, name: &str) {
        let welcome = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/speech/clips/zh/welcome.wav");
        self.upload(app, name, fs::read(welcome).expect("the clip is shipped"));
    }

    /// Uploads the same, and approves it.
    pub fn add_approved_clip(&self, app: &App, name: &str) {
        self.add_clip(app, name);
        self.approve(app, name);
    }

    /// Uploads a sound, and approves it.
    pub fn add_sound(&self, app: &App, name: &str, wav: Vec<u8>) {
        self.upload(app, name, wav);
        self.approve(app, name);
    }

    fn upload(&self, app: &App, name: &str, wav: Vec<u8>) {
        let request = self.request("PUT", &clip_path(app, name)).header("Content-Type", "audio/wav");
        self.succeeds(&request.body(wav));
    }

    fn approve(&self, app: &App, name: &str) {
        self.does("POST", &format!("{}/review", clip_path(app, name)), &json!({"review": "approved"}));
    }

    /// Adds a template of an app's enterprise whose places are filled in their order, approved or not; gives its id.
    #[must_use]
    pub fn template(&self, app: &App, text: &str, approved: bool) -> String {
        self.template_of("placed", app, text, approved)
    }

    /// Adds a template whose places have names, or one that is a menu; gives its id.
    #[must_use]
    pub fn template_of(&self, kind: &str, app: &App, text: &str, approved: bool) -> String {
        let path = format!("{}/templates", enterprise_path(app));
        let made = self.does("POST", &path, &json!({"name": "test", "kind": kind, "text": text}));
        let id = made["id"].as_str().expect("a template has an id").to_owned();
        if approved {
            self.does("POST", &format!("/templates/{id}/review"), &json!({"review": "approved"}));
        }
        id
    }

    /// Has an app's requests come from these addresses only.
    pub fn allow_addresses(&self, app: &App, blocks: &[&str]) {
        self.change_app(app, &json!({"addresses": blocks}));
    }

    /// Refuses requests from a block of addresses.
    pub fn block_address(&self, block: &str) {
        self.list(Whose::Platform, "address_block", &[block]);
    }

    /// Refuses requests from a block of addresses, as those of an area.
    pub fn block_area(&self, block: &str) {
        self.list(Whose::Platform, "area_block", &[block]);
    }

    /// Lets nobody call a party.
    pub fn block_callee(&self, whose: Whose<'_>, number: &str) {
        self.list(whose, "callee_block", &[number]);
    }

    /// Lets nobody call a first party.
    pub fn block_caller(&self, whose: Whose<'_>, number: &str) {
        self.list(whose, "caller_block", &[number]);
    }

    /// Lets an app call nobody but these.
    pub fn allow_only(&self, app: &App, numbers: &[&str]) {
        self.list(Whose::App(app), "callee_allow", numbers);
        self.change_app(app, &json!({"listed_only": true}));
    }

    /// Lets nobody say a word.
    pub fn forbid_word(&self, word: &str) {
        self.list(Whose::Platform, "word", &[word]);
    }

    fn list(&self, whose: Whose<'_>, kind: &str, values: &[&str]) {
        self.does("POST", &format!("{}/lists/{kind}", whose.path()), &json!({"values": values}));
    }

    /// Lets nobody be called between two times of the day in Beijing.
    pub fn forbid_hours(&self, whose: Whose<'_>, from: &str, to: &str) {
        let spans = json!({"spans": [{"from": from, "to": to}]});
        self.does("PUT", &format!("{}/forbidden_hours", whose.path()), &spans);
    }

    /// Allows so many calls.
    pub fn limit(&self, whose: Whose<'_>, of: &str, per: &str, calls: u32) {
        self.does("PUT", &format!("{}/limits/{of}/{per}", whose.path()), &json!({"calls": calls}));
    }

    /// Takes requests from a banned address again.
    pub fn lift_ban(&self, address: IpAddr) {
        self.does("DELETE", &format!("/bans/{address}"), &Value::Null);
    }

    /// Whether a session's call is over and recorded.
    #[must_use]
    pub fn has_record(&self, session: &str) -> bool {
        let found = self.does("GET", &format!("/records?id={}", session.replace('@', "%40")), &Value::Null);
        found["items"].as_array().is_some_and(|calls| !calls.is_empty())
    }

    /// The ladder of a call, as far as it is written down.
    ///
    /// # Panics
    /// When there is no such call.
    #[must_use]
    pub fn ladder(&self, session: &str) -> String {
        let story = self.does("GET", &format!("/records/{}", session.replace('@', "%40")), &Value::Null);
        story["ladder"].as_str().expect("a call has a ladder").to_owned()
    }

    /// What is or was owed to customers for a session.
    #[must_use]
    pub fn pushes(&self, session: &str) -> Vec<Value> {
        let found = self.does("GET", &format!("/pushes?call={}", session.replace('@', "%40")), &Value::Null);
        found["items"].as_array().expect("pushes are listed").clone()
    }

    /// The state of a session's push in a channel.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn push_state(&self, session: &str, channel: &str) -> String {
        let pushes = self.pushes(session);
        let push = pushes.iter().find(|push| push["channel"] == channel).expect("something is owed");
        push["state"].as_str().expect("a push has a state").to_owned()
    }

    /// Asks for something that must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub fn does(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = self.request(method, path);
        let request = match body {
            Value::Null => request,
            body => request.header("Content-Type", "application/json").body(body.to_string()),
        };
        self.succeeds(&request).body
    }

    fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, &format!("/api/v1{path}"))
            .header("Authorization", &format!("Bearer {}", self.token))
    }

    fn succeeds(&self, request: &Request) -> Answer {
        let answer = request.send(&self.address);
        let Request { method, path, .. } = request;
        assert_eq!(answer.status / 100, 2, "{method} {path}: {} {}", answer.status, answer.body);
        answer
    }
}

impl Whose<'_> {
    fn path(self) -> String {
        match self {
            Self::Platform => String::new(),
            Self::App(app) => format!("/apps/{}", app.id),
        }
    }
}

fn enterprise_path(app: &App) -> String {
    format!("/enterprises/{}", app.account.replace(' ', "%20"))
}

fn number_path(app: &App, number: &str) -> String {
    format!("/apps/{}/numbers/{}", app.id, number.trim_start_matches('+'))
}

fn clip_path(app: &App, name: &str) -> String {
    format!("/apps/{}/clips/{name}", app.id)
}
