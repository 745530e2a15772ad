//! `POST /rest/httpsessions/callStop/v2.0`: end a running call, both legs.

use base::order::Order;
use base::refusal::Refusal;
use serde::Deserialize;

use crate::huawei::fields::{Loose, required};
use crate::huawei::session;

/// The body as the vendor documents it: `sessionid` has no capital letter here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    sessionid: Loose,
    signal: Loose,
}

/// Characters of a session id, as documented.
const SESSION_MAX: usize = 256;

/// Reads the order. Whether the call runs, and is the asking app's, is for others to say.
pub(in crate::huawei) fn read(json: &[u8]) -> Result<Order, Refusal> {
    let body: Body = super::body(json)?;
    let session = required("sessionid", body.sessionid.text("sessionid", SESSION_MAX)?)?;
    required("signal", body.signal.choice("signal", &[("call_stop", ())])?)?;
    let (call, _node) = session::parse(&session).ok_or(Refusal::UnknownCall)?;
    Ok(Order::Stop(call))
}

#[cfg(test)]
mod tests {
    use base::id::CallId;
    use base::time::Timestamp;

    use super::*;

    #[test]
    fn a_session_names_its_call() {
        let call = CallId::new(Timestamp::from_millis(1_482_920_863_000), 566);
        let json = format!(r#"{{"sessionid":"{}","signal":"call_stop"}}"#, session::print(call, "n"));
        assert_eq!(read(json.as_bytes()), Ok(Order::Stop(call)));
    }

    #[test]
    fn a_session_that_we_never_gave_is_unknown() {
        let json = r#"{"sessionid":"1200_366_0_20161228102743@callenabler.home1.com","signal":"call_stop"}"#;
        assert_eq!(read(json.as_bytes()), Err(Refusal::UnknownCall));
    }

    #[test]
    fn fields_are_named_as_documented() {
        for (json, name) in [
            (r#"{"sessionId":"x","signal":"call_stop"}"#, "sessionid"),
            (r#"{"sessionid":"x"}"#, "signal"),
            (r#"{"sessionid":"x","signal":"hangup"}"#, "signal"),
        ] {
            assert_eq!(read(json.as_bytes()), Err(Refusal::BadField { name }), "{json}");
        }
    }
}
