//! Ways of changing a request that was signed.

use std::time::Duration;

use base::account::Key;
use base::private::Private;
use base::time::Timestamp;
use huihu_dialects::{Dialect, Headers, WireRequest};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::genuine::{Genuine, NOW, World, letters};
use crate::text::{look_alike, pieces, signature_of, twisted};

/// A request that somebody tries, and when.
pub(crate) struct Attempt {
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) request: WireRequest,
    pub(crate) now: Timestamp,
    /// The genuine request that it began as.
    from: usize,
    /// The app whose secret has signed it anew, which may do so in its own name.
    pub(crate) signer: Option<usize>,
}

impl Attempt {
    pub(crate) fn new(world: &World, rng: &mut SmallRng) -> Self {
        Self::of(world, rng.random_range(0..world.genuine.len()))
    }

    /// A genuine request, as it is.
    pub(crate) fn of(world: &World, from: usize) -> Self {
        let Genuine { dialect, request, .. } = &world.genuine[from];
        Self { dialect: *dialect, request: request.clone(), now: NOW, from, signer: None }
    }

    /// The whole request. Nothing in it is secret: it was made up here.
    pub(crate) fn shown(&self) -> String {
        let WireRequest { method, path, query, headers, body, .. } = &self.request;
        let headers: Vec<_> = headers.iter().collect();
        format!("{method} {path}?{query} {headers:?} {:?} at {:?}", String::from_utf8_lossy(body), self.now)
    }

    /// Changes one of the places where a request holds text.
    fn change(&mut self, rng: &mut SmallRng, how: impl FnOnce(&str, &mut SmallRng) -> String) {
        let fields = self.request.headers.iter().count();
        match rng.random_range(0..fields + 4) {
            0 => self.request.method = how(&self.request.method, rng).into(),
            1 => self.request.path = how(&self.request.path, rng).into(),
            2 => self.request.query = how(&self.request.query, rng).into(),
            3 => self.request.body = how(&String::from_utf8_lossy(&self.request.body), rng).into_bytes(),
            field => {
                let field = field - 4;
                self.with_fields(|fields| fields[field].1 = how(&fields[field].1, rng));
            }
        }
    }

    /// Changes every place that holds that text.
    fn replace(&mut self, old: &str, new: &str) {
        if old.is_empty() {
            return;
        }
        self.request.query = self.request.query.replace(old, new).into();
        self.request.body = String::from_utf8_lossy(&self.request.body).replace(old, new).into_bytes();
        self.with_fields(|fields| {
            for (_, value) in fields {
                *value = value.replace(old, new);
            }
        });
    }

    fn with_fields(&mut self, change: impl FnOnce(&mut Vec<(String, String)>)) {
        let own = self.request.headers.iter();
        let mut fields = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        change(&mut fields);
        self.request.headers = fields.into_iter().collect::<Headers>();
    }

    /// Changes the pairs of the query, or of the body.
    fn with_pairs(&mut self, rng: &mut SmallRng, change: impl FnOnce(&mut Vec<String>, &mut SmallRng)) {
        let in_query = !self.request.query.is_empty() && (self.request.body.is_empty() || rng.random());
        let body = String::from_utf8_lossy(&self.request.body).into_owned();
        let text = if in_query { &*self.request.query } else { &*body };
        let mut pairs = text.split('&').map(str::to_owned).collect();
        change(&mut pairs, rng);
        match in_query {
            true => self.request.query = pairs.join("&").into(),
            false => self.request.body = pairs.join("&").into_bytes(),
        }
    }
}

type Mutation = fn(&mut Attempt, &World, &mut SmallRng);

pub(crate) const MUTATIONS: &[(&str, Mutation)] = &[
    ("a text is changed", |attempt, _, rng| attempt.change(rng, twisted)),
    ("a value is changed", |attempt, _, rng| {
        attempt.change(rng, |text, rng| {
            let pieces = pieces(text);
            if pieces.is_empty() {
                return twisted(text, rng);
            }
            let piece = pieces[rng.random_range(0..pieces.len())].clone();
            [&text[..piece.start], &twisted(&text[piece.clone()], rng), &text[piece.end..]].concat()
        });
    }),
    ("all of a text looks alike", |attempt, _, rng| {
        attempt.change(rng, |text, rng| text.chars().map(|letter| look_alike(letter, rng)).collect());
    }),
    ("headers in another order", |attempt, _, rng| attempt.with_fields(|fields| fields.shuffle(rng))),
    ("headers in another case", |attempt, _, rng| {
        attempt.with_fields(|fields| {
            for (name, _) in fields {
                *name = if rng.random() { name.to_ascii_uppercase() } else { name.to_ascii_lowercase() };
            }
        });
    }),
    ("a header of another name", |attempt, _, rng| {
        attempt.with_fields(|fields| {
            if !fields.is_empty() {
                let at = rng.random_range(0..fields.len());
                fields[at].0 = twisted(&fields[at].0, rng);
            }
        });
    }),
    ("a header twice", |attempt, _, rng| {
        attempt.with_fields(|fields| {
            if !fields.is_empty() {
                let (name, value) = fields[rng.random_range(0..fields.len())].clone();
                let value = if rng.random_ratio(1, 4) { value } else { twisted(&value, rng) };
                fields.insert(rng.random_range(0..=fields.len()), (name, value));
            }
        });
    }),
    ("a header less", |attempt, _, rng| {
        attempt.with_fields(|fields| {
            if !fields.is_empty() {
                fields.remove(rng.random_range(0..fields.len()));
            }
        });
    }),
    ("another type of content", |attempt, _, rng| {
        let types = [
            "text/plain",
            "application/json",
            "multipart/form-data",
            "",
            "application/x-www-form-urlencoded",
        ];
        let new = types[rng.random_range(0..types.len())];
        attempt.with_fields(|fields| {
            fields.retain(|(name, _)| !name.eq_ignore_ascii_case("Content-Type"));
            fields.insert(rng.random_range(0..=fields.len()), ("Content-Type".to_owned(), new.to_owned()));
        });
    }),
    ("parameters in another order", |attempt, _, rng| {
        attempt.with_pairs(rng, |pairs, rng| pairs.shuffle(rng));
    }),
    ("a parameter twice", |attempt, _, rng| {
        attempt.with_pairs(rng, |pairs, rng| {
            let pair = pairs[rng.random_range(0..pairs.len())].clone();
            let pair = if rng.random_ratio(1, 4) { pair } else { twisted(&pair, rng) };
            pairs.insert(rng.random_range(0..=pairs.len()), pair);
        });
    }),
    ("a parameter less", |attempt, _, rng| {
        attempt.with_pairs(rng, |pairs, rng| drop(pairs.remove(rng.random_range(0..pairs.len()))));
    }),
    ("a parameter more", |attempt, _, rng| {
        const MORE: &[&str] = &[
            "Mobile=13900000001",
            "DryRun=true",
            "PlayTimes=3",
            "Accesskey=AKapp1",
            "SecurityToken=x",
            "Signature=x",
            "Service=voice",
            "app_key=AKapp1",
            "access_token=x",
            "X-Amz-Signature=x",
            "X-Amz-Expires=999999999",
            "Action=CallNotify",
            "mobile=13900000001",
            "Mobile%00=1",
            "Mobile[]=13900000001",
        ];
        let more = MORE[rng.random_range(0..MORE.len())];
        attempt
            .with_pairs(rng, |pairs, rng| pairs.insert(rng.random_range(0..=pairs.len()), more.to_owned()));
    }),
    ("a parameter elsewhere", |attempt, _, rng| {
        let mut moved = None;
        attempt.with_pairs(rng, |pairs, rng| moved = Some(pairs.remove(rng.random_range(0..pairs.len()))));
        let moved = moved.unwrap_or_default();
        match rng.random() {
            true => attempt.request.query = format!("{}&{moved}", attempt.request.query).into(),
            false => attempt.request.body.extend(format!("&{moved}").bytes()),
        }
    }),
    ("another signature", |attempt, world, rng| {
        let Some(own) = signature_of(&attempt.request) else { return };
        let other = &world.genuine[rng.random_range(0..world.genuine.len())].request;
        let new = match rng.random_range(0..10) {
            0 => own.chars().take(rng.random_range(0..own.len().max(1))).collect(),
            1 => own.repeat(2),
            2 => own.clone() + &letters(1, rng),
            3 => String::new(),
            4 => "0".repeat(own.len()),
            5 => own.to_uppercase(),
            6 => own.trim_end_matches('=').to_owned(),
            7 => letters(own.len(), rng),
            8 => twisted(&own, rng),
            _ => signature_of(other).unwrap_or_default(),
        };
        attempt.replace(&own, &new);
    }),
    ("another key", |attempt, world, rng| {
        let own = &world.apps[world.genuine[attempt.from].app].account.key.id;
        let new = match rng.random_range(0..4) {
            0 => twisted(own, rng),
            1 => own.chars().map(|letter| look_alike(letter, rng)).collect(),
            _ => world.apps[rng.random_range(0..world.apps.len())].account.key.id.to_string(),
        };
        attempt.replace(own, &new);
    }),
    ("another's secret", |attempt, world, rng| {
        let from = &world.genuine[attempt.from];
        let own = &world.apps[from.app];
        let at = rng.random_range(0..world.apps.len());
        let other = &world.apps[at];
        let Key { id, token, .. } = own.account.key.clone();
        let secret = match rng.random_ratio(1, 4) {
            true => Private::default(),
            false => other.account.key.secret.clone(),
        };
        let token = if rng.random() { other.account.key.token.clone() } else { token };
        let key = Key { id, secret, token };
        // A renewal shows the secret, and the sessions are the app's: such a request proves nothing else.
        let known = if rng.random() { own } else { other };
        attempt.request = from.recipe.sign(known, &key, &from.nonce, from.made, rng);
        attempt.signer = Some(at);
    }),
    ("a part of another request", |attempt, world, rng| {
        let other = &world.genuine[rng.random_range(0..world.genuine.len())].request;
        match rng.random_range(0..6) {
            0 => attempt.request.query = other.query.clone(),
            1 => attempt.request.body = other.body.clone(),
            2 => attempt.request.path = other.path.clone(),
            3 => attempt.request.method = other.method.clone(),
            4 => attempt.with_fields(|fields| {
                for (name, value) in fields {
                    if let Some(others) = other.headers.first(name).filter(|_| rng.random()) {
                        *value = others.to_owned();
                    }
                }
            }),
            _ => {
                let fields: Vec<_> = other.headers.iter().collect();
                let (name, value) = fields[rng.random_range(0..fields.len())];
                attempt.request.headers.add(name, value);
            }
        }
    }),
    ("another one-time text", |attempt, world, rng| {
        let own = &world.genuine[attempt.from];
        let new = match rng.random_range(0..4) {
            0 => twisted(&own.nonce, rng),
            // What is joined before it is signed must not be split elsewhere.
            1 => own.nonce.clone() + &own.created[..4],
            2 => String::new(),
            _ => world.genuine[rng.random_range(0..world.genuine.len())].nonce.clone(),
        };
        attempt.replace(&own.nonce, &new);
    }),
    ("another date", |attempt, world, rng| {
        const FORMS: &[&str] = &[
            "%Y-%m-%dT%H:%M:%SZ",
            "%Y%m%dT%H%M%SZ",
            "%Y%m%dT%H%M%S+00:00",
            "%a, %d %b %Y %H:%M:%S GMT",
            "%Y-%m-%d",
            "%Y-%m-%dT%H:%M:%S",
            "%s",
            "%Y%m%d",
            "%-m/%-d/%Y",
            "%Y-%m-%dT%H:%M:%S+08:00",
        ];
        let own = &world.genuine[attempt.from];
        let at = own.made + Duration::from_secs(rng.random_range(0..4_000_000));
        let same = if rng.random() { at } else { own.made };
        let new = if rng.random_ratio(1, 5) {
            twisted(&own.created, rng)
        } else {
            same.print(FORMS[rng.random_range(0..FORMS.len())])
        };
        attempt.replace(&own.created, &new);
    }),
    ("another moment", |attempt, _, rng| {
        let minutes = [1, 5, 11, 16, 59, 480, 490, 1_440, 525_600][rng.random_range(0..9)];
        let millis = minutes * 60_000;
        let moved = attempt.now.millis() + if rng.random() { millis } else { -millis };
        attempt.now = Timestamp::from_millis(moved);
    }),
    ("another vendor", |attempt, world, rng| {
        let other = &world.genuine[rng.random_range(0..world.genuine.len())];
        attempt.dialect = other.dialect;
        attempt.request.path = other.request.path.clone();
    }),
];
