//! Whether what is accepted was signed: by the key that it names, lately, and meaning what it means.

use std::time::Duration;

use base::time::Timestamp;
use huihu_dialects::{Claim, Credentials, Proof};

use crate::Prove;
use crate::genuine::{Genuine, Known, Recipe, World};
use crate::mutations::Attempt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nobody was let in.
    Refused,
    /// It is what an app signed.
    Genuine,
    /// It was accepted and is not.
    Forged(&'static str),
}

/// Takes a request the way the listener does up to where orders are read, and judges what comes of it.
pub(crate) fn judge(attempt: &Attempt, world: &World, prove: Prove) -> Verdict {
    let Attempt { dialect, request, now, .. } = attempt;
    let Ok(claim) = dialect.claim(request, &world.settings) else { return Verdict::Refused };
    let known = world.apps.iter().find(|known| known.account.key.id == claim.key);
    let credentials = known.map(|known| Credentials {
        key: &known.account.key,
        account: &known.account.name,
        password: known.account.password.as_ref(),
        session: Some(&known.session),
    });
    if prove(*dialect, &claim, credentials.as_ref(), *now, &world.settings).is_err() {
        return Verdict::Refused;
    }
    let Some(known) = known else { return Verdict::Forged("a key that nobody has") };
    // Whoever has all that the app has may say what it likes.
    if attempt.signer.is_some_and(|signer| world.apps[signer].account.key.id == claim.key) {
        return Verdict::Genuine;
    }
    match &claim.proof {
        Proof::Signature { nonce, created, signature, .. } => {
            let is_signed = |genuine: &&Genuine| {
                genuine.nonce == **nonce && genuine.created == **created && shows(genuine, signature)
            };
            match own(world, &claim).find(is_signed) {
                Some(genuine) => fresh(genuine.made, *now, DIGESTS, world),
                None => Verdict::Forged("a digest that was not made"),
            }
        }
        Proof::Request(signed) => {
            let Some(genuine) = own(world, &claim).find(|genuine| shows(genuine, &signed.signature)) else {
                return Verdict::Forged("a signature that was not made");
            };
            let said = dialect.read(&genuine.request, &known.account);
            assert!(said.is_ok(), "what is signed is an order: {said:?}");
            if dialect.read(request, &known.account) != said {
                return Verdict::Forged("another order than the one that was signed");
            }
            if signed.token != known.account.key.token {
                return Verdict::Forged("another token than the key's");
            }
            fresh(genuine.made, *now, REQUESTS, world)
        }
        Proof::Token(token) => when(*token == known.session.access && *now < known.session.expires_at),
        Proof::Password { user, password } => when(is_theirs(known, user, password.expose())),
        Proof::Renewal { token, secret } => {
            let both = *token == known.session.renewal && *secret == known.account.key.secret;
            when(both && *now < known.session.expires_at)
        }
    }
}

/// What the named key really signed.
fn own<'a>(world: &'a World, claim: &Claim) -> impl Iterator<Item = &'a Genuine> {
    world.genuine.iter().filter(move |genuine| {
        let is_signed = match genuine.recipe {
            Recipe::Digest
            | Recipe::DigestOfBefore { .. }
            | Recipe::Parameters { .. }
            | Recipe::Headers { .. }
            | Recipe::Presigned => true,
            Recipe::Token | Recipe::Password | Recipe::Renewal => false,
        };
        is_signed && world.apps[genuine.app].account.key.id == claim.key
    })
}

/// Whether a request carries that text, whole.
fn shows(genuine: &Genuine, signature: &str) -> bool {
    crate::text::signature_of(&genuine.request).is_some_and(|own| own == signature)
}

fn fresh(made: Timestamp, now: Timestamp, window: Duration, world: &World) -> Verdict {
    let near = |now: Timestamp| made.since(now).max(now.since(made)) <= window;
    // Beijing's clock with a Z behind it is taken for what it is, where the operator does not object.
    let beijing = window == DIGESTS && world.settings.clock == huihu_dialects::Clock::Lenient;
    if near(now) || beijing && near(now + BEIJING) {
        Verdict::Genuine
    } else {
        Verdict::Forged("an old request")
    }
}

fn when(good: bool) -> Verdict {
    if good { Verdict::Genuine } else { Verdict::Forged("a secret that is none") }
}

fn is_theirs(known: &Known, user: &str, password: &str) -> bool {
    let own = known.account.password.as_ref().map(|own| &**own.expose());
    *known.account.name == *user && own == Some(password)
}

/// Whether a claim carries a signature that was cut short.
pub(crate) fn is_half(claim: &Claim) -> bool {
    match &claim.proof {
        Proof::Signature { signature, .. } => signature.len() < DIGEST_LETTERS,
        Proof::Request(signed) => signed.signature.len() < 2 * HASH_BYTES,
        Proof::Token(_) | Proof::Password { .. } | Proof::Renewal { .. } => false,
    }
}

const HASH_BYTES: usize = 32;
/// A hash in base64.
const DIGEST_LETTERS: usize = 44;

/// How far the time of a digest, and of a signed request, may be from ours: as documented.
const DIGESTS: Duration = Duration::from_secs(600);
const REQUESTS: Duration = Duration::from_secs(900);
const BEIJING: Duration = Duration::from_secs(8 * 3600);
