//! Accounts, regions and partitions: the three coordinates of everything in AWS.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The twelve-digit number of an AWS account. Ordered as the digits are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AccountId(u64);

/// A text that should have been an account number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an account id: it has twelve digits, leading zeros included")]
pub struct InvalidAccountId(pub String);

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(Self(number)),
            _ => Err(InvalidAccountId(text.to_owned())),
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl From<AccountId> for String {
    fn from(account: AccountId) -> Self {
        account.to_string()
    }
}

impl TryFrom<String> for AccountId {
    type Error = InvalidAccountId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The name of a region, such as `eu-central-1`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(Arc<str>);

impl Region {
    /// A region by its name. Names are not checked against a list: AWS adds regions.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name, as in ARNs and endpoints.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition the region belongs to, by the prefix AWS gives the names of each partition.
    pub fn partition(&self) -> Partition {
        Partition::ALL
            .into_iter()
            .find(|partition| {
                partition
                    .region_prefixes()
                    .iter()
                    .any(|prefix| self.0.starts_with(prefix))
            })
            .unwrap_or(Partition::Aws)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A separate copy of AWS with accounts, regions and ARNs of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Partition {
    /// The commercial regions.
    #[serde(rename = "aws")]
    Aws,
    /// China.
    #[serde(rename = "aws-cn")]
    China,
    /// The United States government's regions.
    #[serde(rename = "aws-us-gov")]
    GovCloud,
}

impl Partition {
    /// Every partition trailproof knows.
    pub const ALL: [Self; 3] = [Self::China, Self::GovCloud, Self::Aws];

    /// The name in ARNs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
        }
    }

    fn region_prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &[],
            Self::China => &["cn-"],
            Self::GovCloud => &["us-gov-"],
        }
    }

    /// The region where the partition's global services live and record their events
    /// (CloudTrail User Guide, "About global service events"). Enabled in every account.
    pub fn home_region(self) -> Region {
        Region::new(match self {
            Self::Aws => "us-east-1",
            Self::China => "cn-north-1",
            Self::GovCloud => "us-gov-west-1",
        })
    }

    /// The regions that are enabled in every account without opting in
    /// (AWS Account Management Reference, "Enable or disable AWS Regions").
    pub fn default_regions(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &[
                "ap-northeast-1",
                "ap-northeast-2",
                "ap-northeast-3",
                "ap-south-1",
                "ap-southeast-1",
                "ap-southeast-2",
                "ca-central-1",
                "eu-central-1",
                "eu-north-1",
                "eu-west-1",
                "eu-west-2",
                "eu-west-3",
                "sa-east-1",
                "us-east-1",
                "us-east-2",
                "us-west-1",
                "us-west-2",
            ],
            Self::China => &["cn-north-1", "cn-northwest-1"],
            Self::GovCloud => &["us-gov-east-1", "us-gov-west-1"],
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_keep_leading_zeros() {
        let account: AccountId = "000000000042".parse().unwrap();
        assert_eq!(account.to_string(), "000000000042");
    }

    #[test]
    fn account_ids_are_twelve_digits() {
        for text in [
            "",
            "42",
            "1111111111111",
            "11111111111a",
            "+11111111111",
            "１１１１",
        ] {
            assert_eq!(
                text.parse::<AccountId>(),
                Err(InvalidAccountId(text.to_owned()))
            );
        }
    }

    #[test]
    fn regions_name_their_partition() {
        assert_eq!(Region::new("eu-west-1").partition(), Partition::Aws);
        assert_eq!(Region::new("cn-north-1").partition(), Partition::China);
        assert_eq!(
            Region::new("us-gov-east-1").partition(),
            Partition::GovCloud
        );
    }
}
