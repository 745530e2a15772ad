//! Apps, their keys, and what they really signed.

use std::time::Duration;

use base::account::{Account, App, Key, Number, NumberState, OwnerState, Review, SpokenTemplate};
use base::id::AppId;
use base::number::E164;
use base::private::Private;
use base::template::{TemplateKind, Wording};
use base::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use huihu_dialects::huawei::{self, Huawei};
use huihu_dialects::ksyun::{self, Ksyun};
use huihu_dialects::{Dialect, Headers, Session, Settings, WireRequest};
use rand::Rng;
use rand::rngs::SmallRng;
use sha2::{Digest, Sha256};

/// What our clock says, unless an attempt moves it.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_323_000_123);

/// Some apps, and requests of theirs.
pub(crate) struct World {
    pub(crate) apps: Vec<Known>,
    pub(crate) genuine: Vec<Genuine>,
    pub(crate) settings: Settings,
}

/// An app with what it may prove itself by.
pub(crate) struct Known {
    pub(crate) account: Account,
    pub(crate) session: Session,
}

/// A request as its app sent it.
pub(crate) struct Genuine {
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) app: usize,
    pub(crate) made: Timestamp,
    /// The time as it is written in the request, and its one-time text; empty where there is none.
    pub(crate) created: String,
    pub(crate) nonce: String,
    pub(crate) recipe: Recipe,
    pub(crate) request: WireRequest,
}

/// How a request proves who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipe {
    Digest,
    DigestOfBefore { hexadecimal: bool },
    Token,
    Password,
    Renewal,
    Parameters { in_query: bool },
    Headers { content_signed: bool },
    Presigned,
}

const RECIPES: &[Recipe] = &[
    Recipe::Digest,
    Recipe::Digest,
    Recipe::Digest,
    Recipe::DigestOfBefore { hexadecimal: false },
    Recipe::DigestOfBefore { hexadecimal: true },
    Recipe::Token,
    Recipe::Password,
    Recipe::Renewal,
    Recipe::Parameters { in_query: false },
    Recipe::Parameters { in_query: false },
    Recipe::Parameters { in_query: true },
    Recipe::Headers { content_signed: true },
    Recipe::Headers { content_signed: true },
    Recipe::Headers { content_signed: false },
    Recipe::Presigned,
];

impl World {
    pub(crate) fn new(rng: &mut SmallRng) -> Self {
        let apps: Vec<Known> = (0..APPS).map(|app| Known::new(app, rng)).collect();
        let settings = Settings {
            legacy_signature: rng.random(),
            legacy_login: rng.random(),
            allow_get: rng.random(),
            one_error_family: rng.random(),
            ..Settings::default()
        };
        let may = |recipe: &&Recipe| match recipe {
            Recipe::DigestOfBefore { .. } => settings.legacy_signature,
            Recipe::Token | Recipe::Password | Recipe::Renewal => settings.legacy_login,
            Recipe::Parameters { in_query } => !in_query || settings.allow_get,
            Recipe::Presigned => settings.allow_get,
            Recipe::Digest | Recipe::Headers { .. } => true,
        };
        let recipes: Vec<Recipe> = RECIPES.iter().filter(may).copied().collect();
        let genuine = (0..REQUESTS).map(|at| {
            let app = rng.random_range(0..APPS);
            Genuine::new(recipes[at % recipes.len()], app, &apps[app], rng)
        });
        Self { genuine: genuine.collect(), apps, settings }
    }
}

impl Known {
    /// The ids of keys are near one another, as guesses are. Every third key is a temporary one.
    fn new(app: usize, rng: &mut SmallRng) -> Self {
        let id = ["AKapp", "akapp", "AKapp1", "AKap", "AKapp=", "AK/app"][app];
        let private = |text: String| Private::new(text.into_boxed_str());
        let token = (app % 3 == 2).then(|| private(letters(24, rng)));
        let key = Key { id: id.into(), secret: private(letters(27, rng)), token };
        let number = i64::try_from(app).unwrap();
        let wording = Wording::parse(TemplateKind::Named, "您好{name}").unwrap();
        let template = SpokenTemplate { wording, speed: 100, review: Review::Approved };
        let own = Number {
            number: E164::parse("+8675500000001").unwrap(),
            state: NumberState::Active,
            owner: OwnerState::Active,
        };
        let account = Account {
            numbers: vec![own],
            templates: [(TEMPLATE.into(), template)].into(),
            password: Some(private(letters(12, rng))),
            ..Account::new(format!("enterprise{app}"), App::new(AppId(number), id), key)
        };
        let session = Session {
            access: private(letters(40, rng)),
            renewal: private(letters(40, rng)),
            expires_at: NOW + LIFE,
        };
        Self { account, session }
    }
}

impl Genuine {
    fn new(recipe: Recipe, app: usize, known: &Known, rng: &mut SmallRng) -> Self {
        let minutes = rng.random_range(-9..=9) * 60_000;
        let made = Timestamp::from_millis((NOW.millis() + minutes) / 1_000 * 1_000);
        let nonce = letters(16, rng);
        let request = recipe.sign(known, &known.account.key, &nonce, made, rng);
        let dialect: &dyn Dialect = if recipe.is_huaweis() { &Huawei } else { &Ksyun };
        let form = if matches!(recipe, Recipe::Headers { .. } | Recipe::Presigned) {
            "%Y%m%dT%H%M%SZ"
        } else {
            "%Y-%m-%dT%H:%M:%SZ"
        };
        Self { dialect, app, made, created: made.print(form), nonce, recipe, request }
    }
}

impl Recipe {
    const fn is_huaweis(self) -> bool {
        match self {
            Self::Digest | Self::DigestOfBefore { .. } | Self::Token | Self::Password | Self::Renewal => true,
            Self::Parameters { .. } | Self::Headers { .. } | Self::Presigned => false,
        }
    }

    /// A request of that app, proven with that key.
    pub(crate) fn sign(
        self,
        known: &Known,
        key: &Key,
        nonce: &str,
        made: Timestamp,
        rng: &mut SmallRng,
    ) -> WireRequest {
        if self.is_huaweis() { self.huawei(known, key, nonce, made) } else { self.ksyun(key, made, rng) }
    }

    fn huawei(self, known: &Known, key: &Key, nonce: &str, made: Timestamp) -> WireRequest {
        const CALL: &str = "/rest/httpsessions/callVerify/v1.0";
        const BODY: &str = r#"{"displayNbr":"+8675528000088","calleeNbr":"+8618900000007","languageType":1,"preTone":"welcome.wav","verifyCode":"1234","times":1}"#;

        let (id, session) = (&key.id, &known.session);
        let (path, query, mut headers) = match self {
            Self::DigestOfBefore { hexadecimal } => {
                (CALL, String::new(), of_before(key, nonce, made, hexadecimal))
            }
            Self::Token => {
                let token = session.access.expose();
                (CALL, format!("app_key={id}&access_token={token}&format=json"), Headers::new())
            }
            Self::Password => {
                let password = known.account.password.as_ref().unwrap().expose().clone();
                let query = format!("app_key={id}&username={}&format=json", known.account.name);
                ("/rest/fastlogin/v1.0", query, Headers::from_iter([("Authorization", password)]))
            }
            Self::Renewal => {
                let (token, secret) = (session.renewal.expose(), key.secret.expose());
                let query = format!(
                    "app_key={id}&grant_type=refresh_token&refresh_token={token}&app_secret={secret}"
                );
                ("/omp/oauth/refresh", query, Headers::new())
            }
            Self::Digest | Self::Parameters { .. } | Self::Headers { .. } | Self::Presigned => {
                (CALL, String::new(), huawei::client::sign(key, nonce, made))
            }
        };
        headers.add("Content-Type", "application/json;charset=UTF-8");
        request("POST", path, &query, headers, BODY.to_owned())
    }

    fn ksyun(self, key: &Key, made: Timestamp, rng: &mut SmallRng) -> WireRequest {
        let mobile = format!("138{:08}", rng.random_range(0..100_000_000));
        // The last can be left away, and the order is another one.
        let (action, asked) = match rng.random() {
            true => (
                "CallVerify",
                [("Mobile", &*mobile), ("TplId", "100001"), ("Code", "123456"), ("PlayTimes", "2")],
            ),
            false => (
                "CallNotify",
                [
                    ("Mobile", &*mobile),
                    ("TplId", TEMPLATE),
                    ("TplParams", r#"{"name":"张 +~*"}"#),
                    ("ExtId", "x1"),
                ],
            ),
        };
        let host = Headers::from_iter([("Host", HOST)]);
        let form = |mut headers: Headers| {
            headers.add("Content-Type", ksyun::client::FORM);
            headers
        };
        if let Self::Parameters { in_query } = self {
            let signed = ksyun::client::sign(key, action, &asked, made);
            return match in_query {
                true => request("GET", "/", &signed, host, String::new()),
                false => request("POST", "/", "", form(host), signed),
            };
        }
        if self == Self::Presigned {
            let query = presigned(key, &ksyun::client::body(action, &asked), made);
            return request("GET", "/", &query, host, String::new());
        }
        let content_signed = self == Self::Headers { content_signed: true };
        // Some clients write everything but the body's own parameters into the query.
        let (query, body) = match rng.random_range(0..3) {
            0 => (String::new(), ksyun::client::body(action, &asked)),
            1 => (ksyun::client::body(action, &[]), form_of(&asked)),
            _ => (ksyun::client::body(action, &asked[..3]), form_of(&asked[3..])),
        };
        let before = if content_signed { form(host) } else { host };
        let mut request = request("POST", "/", &query, before, body);
        for (name, value) in ksyun::client::sign_headers(key, &request, made).unwrap().iter() {
            request.headers.add(name, value);
        }
        if !content_signed {
            request.headers = form(request.headers);
        }
        request
    }
}

/// A query that proves itself, made as AWS documents it (Signature Version 4, "Adding signing information to the query
/// string"): no client of ours makes such.
fn presigned(key: &Key, query: &str, made: Timestamp) -> String {
    let (date, day) = (made.print("%Y%m%dT%H%M%SZ"), made.print("%Y%m%d"));
    let own = [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
        ("X-Amz-Credential", format!("{}/{day}/cn-beijing-6/voice/aws4_request", key.id)),
        ("X-Amz-Date", date.clone()),
        ("X-Amz-Expires", "900".to_owned()),
        ("X-Amz-SignedHeaders", "host".to_owned()),
    ];
    let token = key.token.as_ref().map(|token| ("X-Amz-Security-Token", token.expose().to_string()));
    let own = own.into_iter().chain(token);
    let own = own.map(|(name, value)| format!("{name}={}", value.replace('/', "%2F").replace('=', "%3D")));
    let mut pairs: Vec<String> = query.split('&').map(str::to_owned).chain(own).collect();
    pairs.sort();
    let query = pairs.join("&");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let canonical = format!("GET\n/\n{query}\nhost:{HOST}\n\nhost\n{}", hex(&Sha256::digest("")));
    let canonical = hex(&Sha256::digest(canonical));
    let signed = format!("AWS4-HMAC-SHA256\n{date}\n{day}/cn-beijing-6/voice/aws4_request\n{canonical}");
    let first = format!("AWS4{}", key.secret.expose()).into_bytes();
    let parts = [&*day, "cn-beijing-6", "voice", "aws4_request", &*signed];
    let signature = parts.iter().fold(first, |key, part| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(part.as_bytes());
        mac.finalize().into_bytes().to_vec()
    });
    format!("{query}&X-Amz-Signature={}", hex(&signature))
}

/// Pairs that need no escapes, or had them before.
fn form_of(pairs: &[(&str, &str)]) -> String {
    let escape = |value: &str| value.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    pairs.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

/// The headers of the generation before, as no client of ours makes them any more.
fn of_before(key: &Key, nonce: &str, made: Timestamp, hexadecimal: bool) -> Headers {
    let created = made.print("%Y-%m-%dT%H:%M:%SZ");
    let hash = Sha256::new().chain_update(nonce).chain_update(&created);
    let hash = hash.chain_update(key.secret.expose().as_bytes()).finalize();
    let digest = if hexadecimal { STANDARD.encode(format!("{hash:x}")) } else { STANDARD.encode(hash) };
    let token = format!(
        r#"UsernameToken Username="{}",PasswordDigest="{digest}",Nonce="{nonce}",Created="{created}""#,
        key.id
    );
    Headers::from_iter([
        ("Authorization", r#"WSSE realm="SDP",profile="UsernameToken",type="Appkey""#.to_owned()),
        ("X-WSSE", token),
    ])
}

fn request(method: &str, path: &str, query: &str, headers: Headers, body: String) -> WireRequest {
    WireRequest {
        id: 7,
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers,
        body: body.into_bytes(),
        peer: [127, 0, 0, 1].into(),
    }
}

pub(crate) fn letters(count: usize, rng: &mut SmallRng) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..count).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect()
}

const HOST: &str = "voice.api.ksyun.com";

/// A template that every app has.
const TEMPLATE: &str = "200001";

const APPS: usize = 6;
const REQUESTS: usize = 28;

/// How long the sessions of the apps still last: longer than any request is good for.
const LIFE: Duration = Duration::from_secs(1_800);
