//! The end of a mute: a day, or a moment.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The end of a mute. A day counts to its end, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub enum Expiry {
    /// The last day.
    Day(Date),
    /// The first moment at which it no longer holds.
    Moment(Timestamp),
}

/// A text that should have been the end of a mute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the end of a mute: expected a day such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z"
)]
pub struct InvalidExpiry(pub String);

impl Expiry {
    /// The first moment at which the mute no longer holds.
    pub fn end(self) -> Timestamp {
        match self {
            Self::Moment(end) => end,
            Self::Day(day) => day
                .checked_add(1.day())
                .and_then(|next| next.to_zoned(TimeZone::UTC))
                .map_or(Timestamp::MAX, |next| next.timestamp()),
        }
    }
}

impl FromStr for Expiry {
    type Err = InvalidExpiry;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        // A time without an offset would be a day to the parser of days, and is neither.
        if text.len() == "2026-12-31".len()
            && let Ok(day) = text.parse()
        {
            return Ok(Self::Day(day));
        }
        text.parse()
            .map(Self::Moment)
            .map_err(|_| InvalidExpiry(text.to_owned()))
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(formatter),
            Self::Moment(end) => end.fmt(formatter),
        }
    }
}

impl From<Expiry> for String {
    fn from(expiry: Expiry) -> Self {
        expiry.to_string()
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpiryVisitor)
    }
}

/// Reads text, and the dates that TOML has as values of their own.
struct ExpiryVisitor;

impl<'de> Visitor<'de> for ExpiryVisitor {
    type Value = Expiry;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a day such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Expiry, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expiry, A::Error> {
        let deserializer = serde::de::value::MapAccessDeserializer::new(map);
        let date = toml::value::Datetime::deserialize(deserializer)?;
        date.to_string().parse().map_err(serde::de::Error::custom)
    }
}
