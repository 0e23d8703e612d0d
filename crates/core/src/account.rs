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
                let prefix = partition.facts().region_prefix;
                !prefix.is_empty() && self.0.starts_with(prefix)
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

/// A separate copy of AWS with accounts, regions and ARNs of its own. What differs between them is
/// in one table, the private `PartitionFacts` of each.
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
    /// The European Sovereign Cloud.
    #[serde(rename = "aws-eusc")]
    EuropeanSovereignCloud,
}

/// What differs between partitions. Names, regions and domains as in the partition metadata that
/// AWS publishes with its SDKs (`partitions.json` and `endpoints.json` of botocore 1.43).
struct PartitionFacts {
    /// The name in ARNs.
    name: &'static str,
    /// What the names of its regions begin with; empty for the partition of all other regions.
    region_prefix: &'static str,
    /// Where its global services live and record their events (CloudTrail User Guide, "About
    /// global service events").
    home_region: &'static str,
    /// Where AWS Organizations is asked ("AWS Organizations endpoints and quotas").
    organizations_region: &'static str,
    /// The domain of its endpoints.
    dns_suffix: &'static str,
    /// The host of its console ("AWS Management Console" of each partition's own user guide).
    console_host: &'static str,
    /// The regions that every account has without opting in (AWS Account Management Reference,
    /// "Enable or disable AWS Regions").
    default_regions: &'static [&'static str],
}

const AWS: PartitionFacts = PartitionFacts {
    name: "aws",
    region_prefix: "",
    home_region: "us-east-1",
    organizations_region: "us-east-1",
    dns_suffix: "amazonaws.com",
    console_host: "console.aws.amazon.com",
    default_regions: &[
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
};

const CHINA: PartitionFacts = PartitionFacts {
    name: "aws-cn",
    region_prefix: "cn-",
    home_region: "cn-north-1",
    organizations_region: "cn-northwest-1",
    dns_suffix: "amazonaws.com.cn",
    console_host: "console.amazonaws.cn",
    default_regions: &["cn-north-1", "cn-northwest-1"],
};

const GOV_CLOUD: PartitionFacts = PartitionFacts {
    name: "aws-us-gov",
    region_prefix: "us-gov-",
    home_region: "us-gov-west-1",
    organizations_region: "us-gov-west-1",
    dns_suffix: "amazonaws.com",
    console_host: "console.amazonaws-us-gov.com",
    default_regions: &["us-gov-east-1", "us-gov-west-1"],
};

const EUROPEAN_SOVEREIGN_CLOUD: PartitionFacts = PartitionFacts {
    name: "aws-eusc",
    region_prefix: "eusc-",
    home_region: "eusc-de-east-1",
    organizations_region: "eusc-de-east-1",
    dns_suffix: "amazonaws.eu",
    console_host: "console.amazonaws-eusc.eu",
    default_regions: &["eusc-de-east-1"],
};

impl Partition {
    /// Every partition trailproof knows.
    pub const ALL: [Self; 4] = [
        Self::Aws,
        Self::China,
        Self::GovCloud,
        Self::EuropeanSovereignCloud,
    ];

    const fn facts(self) -> &'static PartitionFacts {
        match self {
            Self::Aws => &AWS,
            Self::China => &CHINA,
            Self::GovCloud => &GOV_CLOUD,
            Self::EuropeanSovereignCloud => &EUROPEAN_SOVEREIGN_CLOUD,
        }
    }

    /// The name in ARNs.
    pub const fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// The partition of this name; `None` for one that trailproof does not know.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|partition| partition.as_str() == name)
    }

    /// The region where the partition's global services live and record their events. Enabled in
    /// every account.
    pub fn home_region(self) -> Region {
        Region::new(self.facts().home_region)
    }

    /// The region whose endpoint answers for AWS Organizations.
    pub fn organizations_region(self) -> Region {
        Region::new(self.facts().organizations_region)
    }

    /// The domain that the partition's endpoints end with, such as `amazonaws.com`.
    pub const fn dns_suffix(self) -> &'static str {
        self.facts().dns_suffix
    }

    /// The host of the partition's console.
    pub const fn console_host(self) -> &'static str {
        self.facts().console_host
    }

    /// The regions that are enabled in every account without opting in.
    pub const fn default_regions(self) -> &'static [&'static str] {
        self.facts().default_regions
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
        for (region, partition) in [
            ("eu-west-1", Partition::Aws),
            ("us-east-1", Partition::Aws),
            ("cn-north-1", Partition::China),
            ("us-gov-east-1", Partition::GovCloud),
            ("eusc-de-east-1", Partition::EuropeanSovereignCloud),
        ] {
            assert_eq!(Region::new(region).partition(), partition, "{region}");
        }
    }

    #[test]
    fn the_facts_of_a_partition_agree() {
        for partition in Partition::ALL {
            let name = serde_json::to_value(partition).unwrap();
            assert_eq!(name, partition.as_str());
            assert_eq!(Partition::named(partition.as_str()), Some(partition));
            let home = partition.home_region();
            let regions = partition.default_regions();
            for region in [&home, &partition.organizations_region()] {
                assert!(regions.contains(&region.as_str()), "{region}");
            }
            for region in regions {
                assert_eq!(Region::new(region).partition(), partition, "{region}");
            }
            assert!(partition.dns_suffix().starts_with("amazonaws."));
            assert!(partition.console_host().starts_with("console."));
        }
        assert_eq!(Partition::named("aws-iso"), None);
    }
}
