//! What arrives over HTTP, from whoever knows the address.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use base::account::{Account, App, Key, Number, NumberState, OwnerState, Review, SpokenTemplate};
use base::id::AppId;
use base::number::E164;
use base::order::Order;
use base::private::Private;
use base::refusal::Refusal;
use base::template::{TemplateKind, Wording};
use base::time::Timestamp;
use dialects::huawei::{self, Huawei};
use dialects::ksyun::{self, Ksyun};
use dialects::{Credentials, Dialect, Headers, Settings, WireReply, WireRequest, owner};
use serde_json::value::RawValue;

use crate::target::{Target, seen};

const NOW: Timestamp = Timestamp::from_millis(1_795_323_000_000);

/// The account that everybody claims to be.
fn account() -> Account {
    let key = Key { id: "AKapp".into(), secret: Private::new("a secret of theirs".into()), token: None };
    let number = E164::parse("+8675500000001").expect("it is a number");
    let own = Number { number, state: NumberState::Active, owner: OwnerState::Active };
    let wording = Wording::parse(TemplateKind::Named, "您好{name}").expect("it is a template");
    let template = SpokenTemplate { wording, speed: 100, review: Review::Approved };
    Account {
        numbers: vec![own],
        templates: [("200001".into(), template)].into(),
        ..Account::new("enterprise", App::new(AppId(1), "app"), key)
    }
}

/// Everything that may be switched on is on: no door is missed.
fn open() -> Settings {
    Settings { legacy_signature: true, legacy_login: true, allow_get: true, ..Settings::default() }
}

fn request(method: &str, path: &str, query: &str, headers: Headers, body: &[u8]) -> WireRequest {
    WireRequest {
        id: 7,
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers,
        body: body.into(),
        peer: Ipv4Addr::LOCALHOST.into(),
    }
}

/// Takes a request up to its proof, which it cannot have, and gives the answer.
fn unproven(dialect: &dyn Dialect, request: &WireRequest) -> WireReply {
    let settings = open();
    let claim = match dialect.claim(request, &settings) {
        Ok(claim) => claim,
        Err(reply) => return reply,
    };
    let account = account();
    let known = Credentials { key: &account.key, account: &account.name, password: None, session: None };
    let known = (claim.key == account.key.id).then_some(&known);
    let refusal = dialect.prove(&claim, known, NOW, &settings).expect_err("nobody proves himself by chance");
    dialect.write(request, Err(&refusal), &settings)
}

/// What of a reply is worth telling apart.
fn sight(reply: &WireReply) -> u64 {
    assert!((200..600).contains(&reply.status), "a reply has a status");
    assert!(reply.body.len() <= REPLY_BYTES_MAX, "a reply does not repeat what was sent");
    if reply.status != 301 {
        serde_json::from_slice::<serde_json::Value>(&reply.body).expect("a reply is JSON");
    }
    let plain = |byte: &&u8| byte.is_ascii_alphabetic();
    seen((reply.status, reply.body.iter().filter(plain).take(60).collect::<Vec<_>>()))
}

/// Bytes of a reply: names of fields and parameters come back in it, and nothing longer.
const REPLY_BYTES_MAX: usize = 16_384;

fn told(read: &Result<Order, Refusal>) -> u64 {
    match read {
        Ok(order) => seen(format!("{order:?}")),
        Err(refusal) => seen(refusal.to_string()),
    }
}

/// A whole request: `METHOD path?query`, header lines, a blank line, the body.
pub(super) const ENTRY: Target = Target {
    name: "dialect-entry",
    corpora: &[],
    words: &[
        "POST ",
        "GET ",
        "/rest/httpsessions/",
        "/sandbox",
        "/rest/fastlogin/v1.0?app_key=AKapp&username=a",
        "access_token=",
        "\nX-AKSK: ",
        "\nX-WSSE: ",
        "\nAuthorization: ",
        "\nContent-Type: application/json",
        "\n\n",
        "Action=CallVerify",
        "&Version=2020-05-01",
    ],
    bytes_max: 4_096,
    run: entry,
};

fn entry(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap_or("").split_once(' ').unwrap_or(("", ""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Headers =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect();
    let Some(dialect) = owner(path) else { return 0 };
    sight(&unproven(dialect, &request(method, path, query, headers, body.as_bytes())))
}

/// The headers of the first vendor: `Authorization`, a line end, `X-AKSK` or `X-WSSE`.
pub(super) const X_AKSK: Target = Target {
    name: "x-aksk",
    corpora: &[],
    words: &[
        "AKSK ",
        "WSSE ",
        "realm=\"SDP\"",
        "profile=\"UsernameToken\"",
        "type=\"Appkey\"",
        "UsernameToken ",
        "Username=\"AKapp\"",
        "PasswordDigest=\"",
        "Nonce=\"",
        "Created=\"2026-11-22T04:50:00Z\"",
        ",",
        "\n",
    ],
    bytes_max: 2_048,
    run: x_aksk,
};

fn x_aksk(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let (first, second) = text.split_once('\n').unwrap_or((&text, ""));
    let path = "/rest/httpsessions/callVerify/v1.0";
    let sights = ["X-AKSK", "X-WSSE"].map(|name| {
        let headers = Headers::from_iter([("Authorization", first), (name, second)]);
        sight(&unproven(&Huawei, &request("POST", path, "", headers, b"{}")))
    });
    seen(sights)
}

/// Bodies of the first vendor: the first byte chooses the path.
pub(super) const JSON: Target = Target {
    name: "huawei-json",
    corpora: &[],
    words: &[
        "\"displayNbr\":\"+8675528000088\"",
        "\"calleeNbr\":",
        "\"playInfoList\":[{",
        "\"notifyVoice\":\"a.wav\"",
        "\"templateId\":",
        "\"templateParas\":[\"1\"]",
        "\"verifyCode\":\"1234\"",
        "\"times\":3",
        "\"maxDuration\":",
        "\"lastMinVoice\":",
        "\"recordFlag\":\"true\"",
        "\"statusUrl\":\"aHR0cDovL2gv\"",
        "\"sessionid\":\"1202_1_2_20161228102743@n\"",
        "\"signal\":\"call_stop\"",
        "null",
        "[",
        "]",
        "{",
        "}",
        "\\u0000",
        "\\ud800",
        "1e400",
    ],
    bytes_max: 8_192,
    run: json,
};

fn json(input: &[u8]) -> u64 {
    let Some((&route, body)) = input.split_first() else { return 0 };
    let routes: Vec<_> = huawei::routes().collect();
    let (method, path) = &routes[usize::from(route) % routes.len()];
    let request = request(method, path, "", Headers::from_iter([("Content-Type", "application/json")]), body);
    let read = Huawei.read(&request, &account());
    if matches!(read, Ok(Order::Place(_) | Order::Stop(_))) {
        let is_object =
            serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|value| value.is_object());
        assert!(is_object, "an order is an object");
    }
    if let Err(refusal) = &read {
        sight(&Huawei.write(&request, Err(refusal), &open()));
    }
    told(&read)
}

/// Bodies of the second vendor: a form.
pub(super) const FORM: Target = Target {
    name: "ksyun-form",
    corpora: &[],
    words: &[
        "&Action=CallVerify",
        "&Action=CallNotify",
        "&Action=CallIvr",
        "&Version=2020-05-01",
        "&Mobile=13800000000",
        "&TplId=100001",
        "&TplId=200001",
        "&TplParams=%7B%7D",
        "&Code=123456",
        "&PlayTimes=2",
        "&ExtId=",
        "&DryRun=true",
        "&Accesskey=AKapp",
        "&Signature=",
        "&SignatureVersion=1.0",
        "&SignatureMethod=HMAC-SHA256",
        "&Service=voice",
        "&Timestamp=2026-11-22T04:50:00Z",
        "&SecurityToken=",
        "%",
        "+",
        "%FF",
        "&X-Amz-Signature=",
    ],
    bytes_max: 8_192,
    run: form,
};

fn form(input: &[u8]) -> u64 {
    let of = |body: &[u8]| {
        let headers = Headers::from_iter([("Content-Type", ksyun::client::FORM), ("Host", "h")]);
        request("POST", "/", "", headers, body)
    };
    let asked = of(input);
    let read = Ksyun.read(&asked, &account());
    let mut pairs: Vec<_> = input.split(|byte| *byte == b'&').collect();
    pairs.reverse();
    let reversed = Ksyun.read(&of(&pairs.join(&b'&')), &account());
    assert_eq!(read.as_ref().ok(), reversed.as_ref().ok(), "the order of parameters says nothing");
    seen((told(&read), sight(&unproven(&Ksyun, &asked)), Ksyun.product(&asked).is_some()))
}

/// An `Authorization` of the second vendor, a line end, and a query.
pub(super) const AWS4: Target = Target {
    name: "aws4",
    corpora: &[],
    words: &[
        "AWS4-HMAC-SHA256 ",
        "Credential=AKapp/20261122/cn-beijing-6/voice/aws4_request",
        "SignedHeaders=host;x-amz-date",
        "Signature=",
        ", ",
        ";",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "&X-Amz-Credential=",
        "&X-Amz-Date=20261122T045000Z",
        "&X-Amz-Expires=",
        "&X-Amz-SignedHeaders=host",
        "&X-Amz-Signature=",
        "&X-Amz-Security-Token=",
        "Action=CallVerify&Version=2020-05-01",
        "/",
        "\n",
    ],
    bytes_max: 4_096,
    run: aws4,
};

fn aws4(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let (authorization, query) = text.split_once('\n').unwrap_or((&text, ""));
    let headers = Headers::from_iter([
        ("Host", "voice.api.ksyun.com"),
        ("X-Amz-Date", "20261122T045000Z"),
        ("Authorization", authorization),
    ]);
    let posted = sight(&unproven(
        &Ksyun,
        &request("POST", "/", query, headers, b"Action=CallVerify&Version=2020-05-01"),
    ));
    let presigned = Headers::from_iter([("Host", "voice.api.ksyun.com")]);
    seen((posted, sight(&unproven(&Ksyun, &request("GET", "/", query, presigned, b"")))))
}

/// What stands in the places of a template: JSON inside a form.
pub(super) const TPL_PARAMS: Target = Target {
    name: "tpl-params",
    corpora: &[],
    words: &[
        "{\"name\":\"",
        "\":",
        "true",
        "null",
        "1.5",
        "-0",
        "1e999",
        "\\u4e2d",
        "\\ud83d\\ude00",
        "[",
        "]",
        "{",
        "}",
        "\",\"",
    ],
    bytes_max: 4_096,
    run: tpl_params,
};

fn tpl_params(input: &[u8]) -> u64 {
    let escaped: String = input.iter().map(|byte| format!("%{byte:02X}")).collect();
    let body =
        format!("Action=CallNotify&Version=2020-05-01&Mobile=13800000000&TplId=200001&TplParams={escaped}");
    let request = request("POST", "/", "", Headers::new(), body.as_bytes());
    let read = Ksyun.read(&request, &account());
    if read.is_ok() {
        // As it stands, since a number may be one that no machine holds.
        let members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_slice(input).expect("what is taken is an object");
        assert!(members.values().all(|value| !value.get().starts_with(['[', '{'])), "places hold words");
    }
    told(&read)
}
