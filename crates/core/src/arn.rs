//! Amazon Resource Names: `arn:partition:service:region:account:resource`.

use std::fmt;
use std::str::FromStr;

use crate::account::{AccountId, Region};

/// An ARN taken apart. Prints as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: String,
    /// Byte offsets of the five colons between the six parts.
    colons: [usize; 5],
}

/// A text that should have been an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ARN: expected arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")]
pub struct InvalidArn(pub String);

impl Arn {
    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The account of an ARN in a text, which is not copied; `None` as well where it is no ARN.
    pub fn account_in(text: &str) -> Option<AccountId> {
        part(text, &colons(text)?, 4).parse().ok()
    }

    fn part(&self, index: usize) -> &str {
        part(&self.text, &self.colons, index)
    }

    /// The partition, such as `aws-cn`, as text: it may be one trailproof does not know.
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The service, such as `cloudtrail`.
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region, where the resource has one.
    pub fn region(&self) -> Option<Region> {
        Some(self.part(3))
            .filter(|region| !region.is_empty())
            .map(Region::new)
    }

    /// The account, where the resource has one.
    pub fn account(&self) -> Option<AccountId> {
        self.part(4).parse().ok()
    }

    /// Everything after the account, colons and slashes included.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    /// The log group's name in a CloudWatch Logs ARN; the `:*` that CloudTrail appends is not
    /// part of it.
    pub fn log_group_name(&self) -> Option<&str> {
        let name = self.resource().strip_prefix("log-group:")?;
        Some(name.strip_suffix(":*").unwrap_or(name)).filter(|name| !name.is_empty())
    }
}

/// Where a log group is. As text: `ACCOUNT/REGION/LOG_GROUP`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogGroupAddress {
    /// Its account.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// Its name.
    pub log_group: String,
}

impl LogGroupAddress {
    /// The log group of an ARN in a text; `None` where it is not the ARN of one.
    pub fn of(arn: &str) -> Option<Self> {
        let arn: Arn = arn.parse().ok()?;
        Some(Self {
            account: arn.account()?,
            region: arn.region()?,
            log_group: arn.log_group_name()?.to_owned(),
        })
    }
}

impl fmt::Display for LogGroupAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/{}/{}",
            self.account, self.region, self.log_group
        )
    }
}

impl FromStr for Arn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let colons = colons(text).ok_or_else(|| InvalidArn(text.to_owned()))?;
        Ok(Self {
            text: text.to_owned(),
            colons,
        })
    }
}

/// Where the parts of an ARN end; `None` where the text is none.
fn colons(text: &str) -> Option<[usize; 5]> {
    let mut colons = [0; 5];
    let mut found = text.match_indices(':');
    for colon in &mut colons {
        *colon = found.next()?.0;
    }
    let part = |index| part(text, &colons, index);
    let complete = part(0) == "arn" && [1, 2, 5].iter().all(|index| !part(*index).is_empty());
    complete.then_some(colons)
}

fn part<'t>(text: &'t str, colons: &[usize; 5], index: usize) -> &'t str {
    let start = match index.checked_sub(1) {
        None => Some(0),
        Some(before) => colons.get(before).map(|colon| colon + 1),
    };
    let end = colons.get(index).copied().unwrap_or(text.len());
    start
        .and_then(|start| text.get(start..end))
        .unwrap_or_default()
}

impl fmt::Display for Arn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_log_group_arn_apart() {
        let arn: Arn = "arn:aws-cn:logs:cn-north-1:111111111111:log-group:cloud/trail:*"
            .parse()
            .unwrap();
        assert_eq!(arn.partition(), "aws-cn");
        assert_eq!(arn.service(), "logs");
        assert_eq!(arn.region(), Some(Region::new("cn-north-1")));
        assert_eq!(arn.account(), "111111111111".parse().ok());
        assert_eq!(Arn::account_in(arn.as_str()), arn.account());
        assert_eq!(arn.log_group_name(), Some("cloud/trail"));
        let address = LogGroupAddress::of(arn.as_str()).unwrap();
        assert_eq!(address.to_string(), "111111111111/cn-north-1/cloud/trail");
        let role = "arn:aws:iam::222222222222:role/log-group:x";
        assert_eq!(LogGroupAddress::of(role), None);
    }

    #[test]
    fn global_resources_have_no_region() {
        let arn: Arn = "arn:aws:iam::222222222222:role/path/Name".parse().unwrap();
        assert_eq!(arn.region(), None);
        assert_eq!(arn.resource(), "role/path/Name");
        assert_eq!(arn.log_group_name(), None);
    }

    #[test]
    fn refuses_what_is_not_an_arn() {
        for text in [
            "",
            "arn:aws:sns",
            "aws:sns:us-east-1:1:topic",
            "arn::sns:r:1:t",
            "arn:a:b:c:d:",
        ] {
            assert_eq!(
                text.parse::<Arn>(),
                Err(InvalidArn(text.to_owned())),
                "{text}"
            );
            assert_eq!(Arn::account_in(text), None, "{text}");
        }
    }
}
