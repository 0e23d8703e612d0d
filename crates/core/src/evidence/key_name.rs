//! The names of keys: by id, by alias, alone or in an ARN.

use std::fmt;

use super::store::CallSite;
use crate::arn::Arn;

/// Where a key is and what it is called: `key/ID`, or `alias/NAME` for whichever key has that
/// alias. As text: the ARN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// The key's account and region.
    pub site: CallSite,
    partition: String,
    resource: String,
}

impl KeyName {
    /// Reads the name of a key as calls and resources write it: a name without an account is one
    /// of whoever uses it (KMS API, `DescribeKey`). `None` where it is no name of a key.
    pub fn read(text: &str, user: &CallSite) -> Option<Self> {
        if let Ok(arn) = text.parse::<Arn>() {
            let named = (arn.service() == "kms").then(|| arn.resource());
            let resource = named.filter(|name| name.starts_with("key/") || is_alias(name))?;
            return Some(Self {
                site: CallSite {
                    account: arn.account()?,
                    region: arn.region()?,
                },
                partition: arn.partition().to_owned(),
                resource: resource.to_owned(),
            });
        }
        if text.is_empty() || text.contains(|character: char| !is_of_name(character)) {
            return None;
        }
        Some(Self::at(
            user,
            user.region.partition().as_str(),
            if is_alias(text) || text.starts_with("key/") {
                text.to_owned()
            } else {
                format!("key/{text}")
            },
        ))
    }

    fn at(site: &CallSite, partition: &str, resource: String) -> Self {
        Self {
            site: site.clone(),
            partition: partition.to_owned(),
            resource,
        }
    }

    /// The key with this id in the same account and region: an alias is one of such a key.
    #[must_use]
    pub fn with_id(&self, id: &str) -> Self {
        Self::at(&self.site, &self.partition, format!("key/{id}"))
    }

    /// Whether it is an alias, which says nothing of the key's id.
    pub fn is_alias(&self) -> bool {
        is_alias(&self.resource)
    }

    /// Whether it is the alias of a key that AWS manages: these alone begin with `alias/aws/`
    /// (KMS API, `CreateAlias`).
    pub fn is_of_aws(&self) -> bool {
        self.resource.starts_with("alias/aws/")
    }
}

fn is_alias(name: &str) -> bool {
    name.starts_with("alias/")
}

/// The characters of ids and aliases (KMS API, `CreateAlias`).
fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "/_-".contains(character)
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "arn:{}:kms:{}:{}:{}",
            self.partition, self.site.region, self.site.account, self.resource
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Region;

    #[test]
    fn one_key_has_one_arn_however_it_is_named() {
        let user = CallSite {
            account: "111111111111".parse().unwrap(),
            region: Region::new("eu-west-1"),
        };
        let arn = |resource: &str| format!("arn:aws:kms:eu-west-1:111111111111:{resource}");
        for (name, resource, alias, of_aws) in [
            ("1234abcd", "key/1234abcd", false, false),
            ("mrk-1234", "key/mrk-1234", false, false),
            ("key/1234abcd", "key/1234abcd", false, false),
            ("alias/own", "alias/own", true, false),
            ("alias/aws/sns", "alias/aws/sns", true, true),
            (&arn("key/1234abcd"), "key/1234abcd", false, false),
            (&arn("alias/aws/sns"), "alias/aws/sns", true, true),
        ] {
            let read = KeyName::read(name, &user).unwrap();
            assert_eq!(read.to_string(), arn(resource));
            assert_eq!((read.is_alias(), read.is_of_aws()), (alias, of_aws));
            assert_eq!(read.with_id("x").to_string(), arn("key/x"));
        }
        let other = KeyName::read("arn:aws:kms:us-east-1:222222222222:key/x", &user).unwrap();
        assert_eq!(other.site.account, "222222222222".parse().unwrap());
        for name in [
            "",
            "a key",
            "arn:aws:sns:eu-west-1:111111111111:alerts",
            "arn:aws:kms:eu-west-1::key/x",
        ] {
            assert_eq!(KeyName::read(name, &user), None, "{name}");
        }
    }
}
