//! Proving who we are: the client half of Digest (RFC 7616, RFC 8760; RFC 3261 22).
//!
//! ```text
//! 401 WWW-Authenticate: Digest realm="trunk", nonce="84a4", qop="auth", algorithm=SHA-256
//!     ─▶ Challenge ─ answer(credentials, request, nc, cnonce) ─▶ Authorization: Digest username=…, response=…
//! 407 Proxy-Authenticate: …      ─▶                              Proxy-Authorization: …
//! ```
//!
//! Never remembers anything: who asks again with the same nonce counts `nc` up from 1.

use std::fmt;
use std::fmt::Write as _;

use base::private::Private;
use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

use crate::message::{Message, Name, list_part, text};

/// Who we are to a trunk.
#[derive(Clone, Debug)]
pub struct Credentials {
    user: Private<String>,
    password: Private<String>,
    /// The only realm that they are for; `None`: whichever asks first.
    realm: Option<Box<str>>,
}

impl Credentials {
    /// A user name and its password, as the carrier gave them.
    #[must_use]
    pub const fn new(user: String, password: String) -> Self {
        Self { user: Private::new(user), password: Private::new(password), realm: None }
    }

    /// The same, for one realm only: nobody else who asks hears anything.
    #[must_use]
    pub fn of_realm(self, realm: impl Into<Box<str>>) -> Self {
        Self { realm: Some(realm.into()), ..self }
    }

    /// The only realm that they are for.
    pub(crate) fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }
}

/// The hash that a challenge asks for, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// `MD5`, also where nothing is said.
    Md5,
    /// `SHA-256`
    Sha256,
    /// `SHA-512-256`
    Sha512_256,
}

/// What the hash has to protect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quality {
    /// The older form, without a count (RFC 2069).
    Unsaid,
    /// Method and URI.
    Auth,
    /// Method, URI and body.
    AuthInt,
}

/// One challenge that we are able to answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    proxy: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// The name to repeat in the answer; `None` where nothing was said.
    spelled: Option<&'static str>,
    algorithm: Algorithm,
    quality: Quality,
    stale: bool,
}

/// What of a request goes into its proof.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Its method's token.
    pub method: &'a str,
    /// Its request URI to the letter.
    pub uri: &'a [u8],
    /// Its body.
    pub body: &'a [u8],
}

impl Challenge {
    /// Reads the value of one `WWW-Authenticate`, or of one `Proxy-Authenticate` when a `proxy` asks.
    ///
    /// `None` for another scheme than Digest, an algorithm or quality that we do not know, and text that is not UTF-8.
    #[must_use]
    pub fn parse(value: &[u8], proxy: bool) -> Option<Self> {
        let line = text(value);
        let (scheme, rest) = line.trim_start().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") || line.contains(char::REPLACEMENT_CHARACTER) {
            return None;
        }
        let fields = Fields::read(rest);
        let (spelled, algorithm) = algorithm_of(fields.algorithm)?;
        Some(Self {
            proxy,
            realm: fields.realm?.to_owned(),
            nonce: fields.nonce?.to_owned(),
            opaque: fields.opaque.map(str::to_owned),
            spelled,
            algorithm,
            quality: quality_of(fields.qop)?,
            stale: fields.stale.is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The strongest challenge of a 401 or 407 that we are able to answer; of two equal ones the upper. Of all realms, or of
    /// one.
    #[must_use]
    pub fn strongest(response: &Message<'_>, realm: Option<&str>) -> Option<Self> {
        let known =
            response.challenges().take(CHALLENGES).filter_map(|(proxy, value)| Self::parse(value, proxy));
        let known = known.filter(|challenge| realm.is_none_or(|realm| challenge.realm == realm));
        known.reduce(|best, other| if other.algorithm > best.algorithm { other } else { best })
    }

    /// Whether our proof was right and only its nonce too old: worth another try with this one (RFC 7616 3.3).
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.stale
    }

    /// The realm that asks.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The server's nonce. Another nonce is another count.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The hash that it asks for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The header that the answer goes into.
    #[must_use]
    pub const fn header(&self) -> Name {
        if self.proxy { Name::ProxyAuthorization } else { Name::Authorization }
    }

    /// The value of that header. `count` says how often this nonce has been used, this time included; `cnonce` is a
    /// random token of the caller.
    #[must_use]
    pub fn answer(
        &self,
        credentials: &Credentials,
        subject: Subject<'_>,
        count: u32,
        cnonce: &str,
    ) -> String {
        let user = credentials.user.expose();
        let proof = self.proof(credentials, subject, count, cnonce);
        let uri = String::from_utf8_lossy(subject.uri);
        let mut value = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{proof}\"",
            escaped(user),
            self.realm,
            self.nonce,
            escaped(&uri)
        );
        let mut add =
            |name: &str, text: &str| write!(value, ", {name}={text}").expect("a String takes all text");
        if let Some(spelled) = self.spelled {
            add("algorithm", spelled);
        }
        if let Some(opaque) = &self.opaque {
            add("opaque", &format!("\"{opaque}\""));
        }
        if let Some(quality) = self.quality.as_str() {
            add("qop", quality);
            add("cnonce", &format!("\"{cnonce}\""));
            add("nc", &format!("{count:08x}"));
        }
        value
    }

    /// RFC 7616 3.4.1 to 3.4.3.
    fn proof(&self, credentials: &Credentials, subject: Subject<'_>, count: u32, cnonce: &str) -> String {
        let hash = |parts: &[&[u8]]| self.algorithm.hash(parts);
        let (user, password) = (credentials.user.expose(), credentials.password.expose());
        let nonce = self.nonce.as_bytes();
        let secret = hash(&[user.as_bytes(), self.realm.as_bytes(), password.as_bytes()]);
        let method = subject.method.as_bytes();
        let request = match self.quality {
            Quality::Unsaid | Quality::Auth => hash(&[method, subject.uri]),
            Quality::AuthInt => hash(&[method, subject.uri, hash(&[subject.body]).as_bytes()]),
        };
        match self.quality.as_str() {
            None => hash(&[secret.as_bytes(), nonce, request.as_bytes()]),
            Some(quality) => {
                let count = format!("{count:08x}");
                let fresh = [count.as_bytes(), cnonce.as_bytes(), quality.as_bytes()];
                hash(&[secret.as_bytes(), nonce, fresh[0], fresh[1], fresh[2], request.as_bytes()])
            }
        }
    }
}

impl Algorithm {
    /// The hash of the parts with colons between them, in hexadecimal digits.
    fn hash(self, parts: &[&[u8]]) -> String {
        let joined = parts.join(&b':');
        match self {
            Self::Md5 => hex(&Md5::digest(joined)),
            Self::Sha256 => hex(&Sha256::digest(joined)),
            Self::Sha512_256 => hex(&Sha512_256::digest(joined)),
        }
    }
}

impl Quality {
    const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unsaid => None,
            Self::Auth => Some("auth"),
            Self::AuthInt => Some("auth-int"),
        }
    }
}

/// The fields of a challenge, without their quotes. Of a repeated field the first counts.
#[derive(Default)]
struct Fields<'a> {
    realm: Option<&'a str>,
    nonce: Option<&'a str>,
    opaque: Option<&'a str>,
    algorithm: Option<&'a str>,
    qop: Option<&'a str>,
    stale: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Self {
        let mut fields = Self::default();
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (field, more) = list_part(text);
            rest = more;
            let Some((name, value)) = field.split_once('=') else { continue };
            let slot = match name.trim().to_ascii_lowercase().as_str() {
                "realm" => &mut fields.realm,
                "nonce" => &mut fields.nonce,
                "opaque" => &mut fields.opaque,
                "algorithm" => &mut fields.algorithm,
                "qop" => &mut fields.qop,
                "stale" => &mut fields.stale,
                _ => continue,
            };
            slot.get_or_insert_with(|| unquoted(value.trim()));
        }
        fields
    }
}

fn algorithm_of(field: Option<&str>) -> Option<(Option<&'static str>, Algorithm)> {
    let Some(field) = field else { return Some((None, Algorithm::Md5)) };
    let known =
        [("MD5", Algorithm::Md5), ("SHA-256", Algorithm::Sha256), ("SHA-512-256", Algorithm::Sha512_256)];
    let (spelled, algorithm) = known.into_iter().find(|(name, _)| field.eq_ignore_ascii_case(name))?;
    Some((Some(spelled), algorithm))
}

/// `auth` where it is offered: proxies that change a body on the way do exist.
fn quality_of(field: Option<&str>) -> Option<Quality> {
    let Some(field) = field.map(str::trim).filter(|field| !field.is_empty()) else {
        return Some(Quality::Unsaid);
    };
    let offers = |wanted: &str| field.split(',').any(|offer| offer.trim().eq_ignore_ascii_case(wanted));
    match (offers("auth"), offers("auth-int")) {
        (true, _) => Some(Quality::Auth),
        (false, true) => Some(Quality::AuthInt),
        (false, false) => None,
    }
}

/// Without the quotes; escapes inside stay, because both sides hash them as they stand.
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// Fit to stand between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a String takes all text");
        digits
    })
}

/// Challenges of one response that we look at: one for each algorithm of a few realms.
const CHALLENGES: usize = 16;

// Realms and nonces are the carrier's business.
impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({:?}, proxy: {}, stale: {})", self.algorithm, self.proxy, self.stale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(value: &str) -> Option<Challenge> {
        Challenge::parse(value.as_bytes(), false)
    }

    fn mufasa(password: &str) -> Credentials {
        Credentials::new("Mufasa".to_owned(), password.to_owned())
    }

    fn register() -> Subject<'static> {
        Subject { method: "REGISTER", uri: b"sip:trunk.example", body: b"v=0" }
    }

    #[test]
    fn the_example_of_rfc_7616_comes_out() {
        let proof = |fields: &str| {
            let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
            let asked =
                challenge(&format!("Digest realm=\"http-auth@example.org\", nonce=\"{nonce}\"{fields}"));
            let get = Subject { method: "GET", uri: b"/dir/index.html", body: b"v=0" };
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let answer = asked.unwrap().answer(&mufasa("Circle of Life"), get, 1, cnonce);
            answer.split("response=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        assert_eq!(proof(", qop=\"auth, auth-int\", algorithm=MD5"), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            proof(", qop=\"auth, auth-int\", algorithm=SHA-256"),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
        // The document has no example of these; they were computed by another implementation.
        assert_eq!(
            proof(", qop=auth, algorithm=SHA-512-256"),
            "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0"
        );
        assert_eq!(proof(""), "7b2cc3b30e75b4777ea31027084363fd");
        assert_eq!(proof(", qop=auth-int"), "3835b139d1606d821f6f96713d044ded");
    }

    #[test]
    fn an_answer_repeats_what_was_asked_and_adds_the_count() {
        let asked = challenge(
            "Digest realm=\"trunk, east\", nonce=\"84a4\", qop=\"auth-int,auth\",opaque=\"\", algorithm=sha-256",
        );
        let answer = asked.unwrap().answer(&mufasa("Circle of Life"), register(), 10, "c1");
        assert!(answer.starts_with("Digest username=\"Mufasa\", realm=\"trunk, east\", nonce=\"84a4\", uri=\"sip:trunk.example\", response=\""));
        assert!(
            answer.ends_with("\", algorithm=SHA-256, opaque=\"\", qop=auth, cnonce=\"c1\", nc=0000000a"),
            "{answer}"
        );
    }

    #[test]
    fn the_older_form_has_no_count() {
        let answer =
            challenge("Digest realm=\"r\",nonce=\"n\"").unwrap().answer(&mufasa("p"), register(), 1, "c");
        assert!(
            answer.ends_with("\"") && !answer.contains("nc=") && !answer.contains("algorithm"),
            "{answer}"
        );
    }

    #[test]
    fn what_a_proof_protects_changes_it() {
        let asked = |qop: &str| challenge(&format!("Digest realm=\"r\", nonce=\"n\", qop={qop}")).unwrap();
        let of = |qop, subject| asked(qop).proof(&mufasa("p"), subject, 1, "c");
        let other_body = Subject { body: b"", ..register() };
        let other_method = Subject { method: "INVITE", ..register() };
        assert_eq!(of("auth", register()), of("auth", other_body));
        assert_ne!(of("auth", register()), of("auth", other_method));
        assert_ne!(of("\"auth-int\"", register()), of("\"auth-int\"", other_body));
    }

    #[test]
    fn the_strongest_known_challenge_is_taken() {
        let response = b"SIP/2.0 407 Proxy Authentication Required\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\n\
            To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=MD5\r\n\
            Proxy-Authenticate: Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256\r\n\
            Proxy-Authenticate: Digest realm=\"r\", nonce=\"3\", algorithm=SHA-256, stale=TRUE\r\n\
            Proxy-Authenticate: Digest realm=\"r\", nonce=\"4\", algorithm=AKAv2-SHA-512\r\n\r\n";
        let best = Challenge::strongest(&Message::parse(response).unwrap(), None).unwrap();
        assert_eq!((best.nonce(), best.is_stale(), best.header()), ("2", false, Name::ProxyAuthorization));
    }

    #[test]
    fn what_we_cannot_answer_is_no_challenge() {
        let none = |value| assert_eq!(challenge(value), None, "{value}");
        none("Basic realm=\"r\"");
        none("Digest nonce=\"n\"");
        none("Digest realm=\"r\"");
        none("Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess");
        none("Digest realm=\"r\", nonce=\"n\", qop=\"auth-conf\"");
        none("Digest");
        assert_eq!(Challenge::parse(b"Digest realm=\"\xff\", nonce=\"n\"", false), None);
        assert!(challenge("DIGEST  realm = \"r\" ,, nonce=\"n\", stale=true").unwrap().is_stale());
    }

    #[test]
    fn secrets_are_not_printed() {
        let shown = format!("{:?} {:?}", mufasa("secret"), challenge("Digest realm=\"r\", nonce=\"n\""));
        assert!(!shown.contains("secret") && !shown.contains("Mufasa"), "{shown}");
    }
}
