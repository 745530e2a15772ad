//! `GET /rest/provision/voice/record/v1.0?fileName=…&recordDomain=…`: where a recording can be fetched.

use base::order::Order;
use base::refusal::Refusal;

use crate::huawei::fields::query::Query;
use crate::huawei::session;

/// Characters of each parameter, as documented.
const PARAMETER_MAX: usize = 128;

/// Reads the order. Whether the recording is there, and is the asking app's, is for others to say.
///
/// `recordDomain` has to be there and is not compared: it names the host of a fee record, and a host that has been
/// renamed since still keeps its recordings.
pub(in crate::huawei) fn read(query: &str) -> Result<Order, Refusal> {
    let query = Query::new(query);
    let name = parameter(&query, "fileName")?;
    parameter(&query, "recordDomain")?;
    session::parse_recording(&name).map(Order::Fetch).ok_or(Refusal::UnknownRecording)
}

fn parameter(query: &Query<'_>, name: &'static str) -> Result<String, Refusal> {
    let value = query.value(name).filter(|value| value.chars().count() <= PARAMETER_MAX);
    value.ok_or(Refusal::BadField { name })
}

#[cfg(test)]
mod tests {
    use base::id::CallId;

    use super::*;

    #[test]
    fn a_name_leads_to_its_call() {
        let call = CallId::from_bytes([7; 16]);
        let name = session::print_recording(call);
        let whole = format!("fileName={name}&recordDomain=h");
        assert_eq!(read(&whole), Ok(Order::Fetch(call)));
        let of_old = format!("app_key=K&access_token=T&recordDomain=h&fileName={}", name.replace('_', "%5F"));
        assert_eq!(read(&of_old), Ok(Order::Fetch(call)));
    }

    #[test]
    fn what_is_missing_or_too_long_is_named() {
        for (query, name) in [
            ("", "fileName"),
            ("fileName=&recordDomain=h", "fileName"),
            ("filename=a.wav&recordDomain=h", "fileName"),
            (&format!("fileName={}&recordDomain=h", "x".repeat(129)), "fileName"),
            ("fileName=a.wav", "recordDomain"),
        ] {
            assert_eq!(read(query), Err(Refusal::BadField { name }), "{query}");
        }
        let never_ours = "fileName=1200_366_0_20161228102743.wav&recordDomain=huawei";
        assert_eq!(read(never_ours), Err(Refusal::UnknownRecording));
    }
}
