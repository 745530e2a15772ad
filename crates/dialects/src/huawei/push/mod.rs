//! Rows as the vendor's receivers expect them: `status.rs` and `fee.rs` make the bodies, this file the headers.
//!
//! ```text
//! POST <url>
//! Content-Type: application/json;charset=UTF-8
//! Authorization: AKSK realm="SDP",profile="UsernameToken",type="Appkey"
//! X-AKSK: UsernameToken Username="<app_key>",PasswordDigest="<digest>",Nonce="<nonce>",Created="<time>"
//! ```
//!
//! The digest covers the receiver's address exactly as the customer wrote it. Three generations of receivers exist:
//! some know no authentication, some join address, nonce and UTC time, the newest (2026-01) put Beijing time under
//! nonce under address.

mod fee;
mod status;

use base::account::PushSignature;
use base::row::Row;
use base::url::PushUrl;

use super::auth::{self, CREATED};
use super::{JSON, json};
use crate::dialect::Stamp;
use crate::wire::{Headers, Push};

/// Fee records in one push, as documented.
pub(super) const FEES_MAX: usize = 50;

/// How times stand in bodies; always UTC.
const TIME: &str = "%Y-%m-%d %H:%M:%S";

/// Makes a push of rows that belong together.
pub(super) fn push(rows: &[Row], stamp: &Stamp<'_>) -> Option<Push> {
    let url = rows.first()?.url()?;
    if rows.iter().any(|row| row.url() != Some(url)) {
        return None;
    }
    let body = match rows {
        [Row::Status(row)] => json(&status::Event::of(row)),
        [Row::Status(_), ..] => return None,
        // This vendor knows no reports.
        [Row::Report(_), ..] => return None,
        [Row::Fee(_), ..] => json(&fee::Fees::of(rows)?),
        [] => return None,
    };
    Some(Push { id: stamp.id, url: url.clone(), headers: headers(url, stamp), body })
}

fn headers(url: &PushUrl, stamp: &Stamp<'_>) -> Headers {
    let mut headers = Headers::from_iter([("Content-Type", JSON)]);
    let nonce = format!("{:032x}", stamp.nonce);
    let created = match stamp.signature {
        PushSignature::Off => return headers,
        PushSignature::Joined => stamp.now.print(CREATED),
        PushSignature::Lines => stamp.now.print_beijing(CREATED),
    };
    let secret = stamp.key.secret.expose();
    let digest = digest(stamp.signature, secret, url.as_str(), &nonce, &created);
    for (name, value) in auth::headers(&stamp.key.id, &digest, &nonce, &created) {
        headers.add(name, value);
    }
    headers
}

/// The digest of a push; empty where pushes are not signed.
pub(super) fn digest(
    signature: PushSignature,
    secret: &str,
    url: &str,
    nonce: &str,
    created: &str,
) -> String {
    match signature {
        PushSignature::Off => String::new(),
        PushSignature::Joined => auth::digest(secret, &[url, nonce, created]),
        PushSignature::Lines => auth::digest(secret, &[url, "\n", nonce, "\n", created]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_are_the_published_ones() {
        let digest = |signature| {
            digest(
                signature,
                "TestAppSecret0123456789abcd",
                "http://127.0.0.1:9000/status",
                "ac1c911c4792492687f8f6b2264a491e",
                "2018-05-26T00:35:30Z",
            )
        };
        assert_eq!(digest(PushSignature::Joined), "vMkQJ6Lr04psOROzkeqCc6VCgAX6xzxx/5husuy0y8s=");
        assert_eq!(digest(PushSignature::Lines), "52JI/McRIQ4vpclKxr6Ng1Rc+kfLxzTKkJawjVHJGhg=");
        assert_eq!(digest(PushSignature::Off), "");
    }
}
