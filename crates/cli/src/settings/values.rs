//! The values that settings take, where text alone would allow too much.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::Deserialize;
use trailproof_core::account::Region;
use trailproof_core::policy::Assurance;

/// `--assurance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AssuranceName {
    /// The benchmark's audit steps, to the letter.
    Cis,
    /// Whether the message would arrive.
    Effective,
    /// The worse of the two.
    Both,
}

impl From<AssuranceName> for Assurance {
    fn from(name: AssuranceName) -> Self {
        match name {
            AssuranceName::Cis => Self::Cis,
            AssuranceName::Effective => Self::Effective,
            AssuranceName::Both => Self::Both,
        }
    }
}

/// `--sweep`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SweepName {
    /// Every account and every enabled region, so that trails.csv is complete.
    Full,
    /// Further regions only while the verdict is open. Gives the same verdicts with fewer calls.
    Adaptive,
}

/// `--max-delivery-age`, `--max-window`, `--max-alarm-age`, `--max-evidence-age`,
/// `--listing-max-age`: a whole number of seconds, minutes, hours or days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Age(pub(crate) SignedDuration);

/// A text that should have been an age.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an age: expected a whole number and s, m, h or d, such as 24h")]
pub(crate) struct InvalidAge(String);

impl FromStr for Age {
    type Err = InvalidAge;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAge(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed
            .find(|character: char| !character.is_ascii_digit())
            .ok_or_else(invalid)?;
        let (number, unit) = trimmed.split_at(digits);
        let seconds: i64 = match unit.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(invalid()),
        };
        let number: i64 = number.parse().map_err(|_| invalid())?;
        let total = number.checked_mul(seconds).ok_or_else(invalid)?;
        Ok(Self(SignedDuration::from_secs(total)))
    }
}

impl TryFrom<String> for Age {
    type Error = InvalidAge;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// `--tag key=value`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A text that should have been a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tag: expected KEY=VALUE")]
pub(crate) struct InvalidTag(String);

impl FromStr for Tag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(InvalidTag(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Tag {
    type Error = InvalidTag;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.key, self.value)
    }
}

/// A region's name. Whether it exists is for AWS to say; what cannot be one would end up in the
/// name of a host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct RegionName(pub(crate) Region);

/// A text that should have been a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a region: expected a name such as eu-central-1")]
pub(crate) struct InvalidRegion(String);

impl FromStr for RegionName {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shaped = text.contains('-')
            && text.len() <= 32
            && text.starts_with(|character: char| character.is_ascii_lowercase())
            && text.ends_with(|character: char| character.is_ascii_digit())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if shaped {
            Ok(Self(Region::new(text)))
        } else {
            Err(InvalidRegion(text.to_owned()))
        }
    }
}

impl TryFrom<String> for RegionName {
    type Error = InvalidRegion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_a_unit() {
        assert_eq!(
            "24h".parse(),
            Ok(Age(
                trailproof_core::policy::Policy::DEFAULT_MAX_DELIVERY_AGE
            ))
        );
        assert_eq!("90 s".parse(), Ok(Age(SignedDuration::from_secs(90))));
        assert_eq!("2d".parse(), Ok(Age(SignedDuration::from_hours(48))));
        for text in [
            "",
            "24",
            "h",
            "-1h",
            "1.5h",
            "1w",
            "99999999999999999999h",
            "9223372036854775807d",
        ] {
            assert_eq!(text.parse::<Age>(), Err(InvalidAge(text.to_owned())));
        }
    }

    #[test]
    fn tags_have_a_key() {
        let tag: Tag = "team=a=b".parse().unwrap();
        assert_eq!((tag.key.as_str(), tag.value.as_str()), ("team", "a=b"));
        assert!("team=".parse::<Tag>().is_ok());
        assert!("=x".parse::<Tag>().is_err());
        assert!("team".parse::<Tag>().is_err());
    }

    #[test]
    fn regions_look_like_regions() {
        for text in ["eu-central-1", "us-gov-west-1", "ap-southeast-7"] {
            assert!(text.parse::<RegionName>().is_ok(), "{text}");
        }
        for text in [
            "",
            "Frankfurt",
            "eu_central_1",
            "eu-central-1.evil.example",
            "-1",
            "eu-central-1 ",
        ] {
            assert!(text.parse::<RegionName>().is_err(), "{text}");
        }
    }
}
