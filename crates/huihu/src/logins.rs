//! Sessions of the oldest clients, who log in and then carry a token instead of a signature.
//!
//! Kept in memory: after a restart such a client is told that its token is unknown, and logs in again as it has to
//! anyway. A key has one session; a new one ends the old, and so does a new secret of the key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::account::Key;
use base::private::Private;
use base::time::Timestamp;
use dialects::Session;
use rand::Rng;

/// Digits of a token: as many as those seen in the wild.
const DIGITS: usize = 60;

/// The sessions by key. There are never more than keys.
#[derive(Debug)]
pub(crate) struct Logins {
    life: Duration,
    sessions: Mutex<HashMap<Box<str>, Login>>,
}

/// A session, and the key's secret when it began.
#[derive(Debug)]
struct Login {
    session: Arc<Session>,
    secret: Private<Box<str>>,
}

impl Logins {
    /// No sessions yet; each will live so long.
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, sessions: Mutex::default() }
    }

    /// How long a session lives.
    pub(crate) const fn life(&self) -> Duration {
        self.life
    }

    /// The session of a key, expired or not.
    pub(crate) fn of(&self, key: &Key) -> Option<Arc<Session>> {
        let sessions = self.locked();
        let login = sessions.get(&key.id).filter(|login| login.secret == key.secret)?;
        Some(Arc::clone(&login.session))
    }

    /// Begins a session in place of the key's earlier one.
    pub(crate) fn begin(&self, key: &Key, node: &str, now: Timestamp) -> Arc<Session> {
        let session =
            Arc::new(Session { access: token(node), renewal: token(node), expires_at: now + self.life });
        let login = Login { session: Arc::clone(&session), secret: key.secret.clone() };
        self.locked().insert(key.id.clone(), login);
        session
    }

    /// Ends the session of a key.
    pub(crate) fn end(&self, key: &str) {
        self.locked().remove(key);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Box<str>, Login>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Digits, an `@` and the node, all in base64: what tokens look like.
fn token(node: &str) -> Private<Box<str>> {
    let mut rng = rand::rng();
    let digits: String = (0..DIGITS).map(|_| char::from(rng.random_range(b'0'..=b'9'))).collect();
    Private::new(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("{digits}@{node}")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Key {
        Key { id: "key".into(), secret: Private::new(secret.into()), token: None }
    }

    #[test]
    fn a_new_session_ends_the_one_before() {
        let (logins, now) = (Logins::new(Duration::from_secs(9)), Timestamp::from_millis(0));
        let key = key("secret");
        let first = logins.begin(&key, "node", now);
        let second = logins.begin(&key, "node", now);
        assert_ne!(first.access, second.access);
        assert_ne!(second.access, second.renewal);
        assert_eq!(logins.of(&key).map(|session| session.access.clone()), Some(second.access.clone()));
        assert_eq!(second.expires_at, now + Duration::from_secs(9));
        logins.end("key");
        assert!(logins.of(&key).is_none());
    }

    #[test]
    fn a_new_secret_ends_the_session() {
        let (logins, now) = (Logins::new(Duration::from_secs(9)), Timestamp::from_millis(0));
        logins.begin(&key("leaked"), "node", now);
        assert!(logins.of(&key("leaked")).is_some());
        assert!(logins.of(&key("new")).is_none());
    }
}
