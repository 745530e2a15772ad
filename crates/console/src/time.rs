//! Moments as the API writes them.

use base::time::Timestamp;
use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// A moment by RFC 3339, such as `2026-01-02T03:04:05.678Z`. Written in UTC; read with any offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Time {
    /// The moment in words.
    pub(crate) fn text(self) -> String {
        self.0.print("%Y-%m-%dT%H:%M:%S%.3fZ")
    }
}

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        let moment = DateTime::parse_from_rfc3339(&text);
        let moment = moment.map_err(|_| de::Error::custom("a moment is written as 2026-01-02T03:04:05Z"))?;
        Ok(Self(Timestamp::from_micros(moment.timestamp_micros())))
    }
}
