//! The roles of the configuration: texts until they are needed, so that a flag replaces what the
//! file says, mistakes included.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use trailproof_core::account::AccountId;
use trailproof_scanner::{MemberRole, RoleTemplate};

use super::values::Tag;
use crate::error::CliError;

/// `[[member-role]]`: the role of some accounts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct MemberRoleTable {
    #[serde(default, alias = "accounts", deserialize_with = "one_or_many")]
    account: Vec<AccountId>,
    #[serde(default, deserialize_with = "one_or_many")]
    ou: Vec<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    tag: Vec<Tag>,
    #[serde(alias = "roles", deserialize_with = "one_or_many")]
    role: Vec<String>,
    external_id: Option<String>,
    session_name: Option<String>,
    /// Where it begins, as `FILE:LINE`.
    #[serde(skip)]
    pub(super) place: String,
}

impl MemberRoleTable {
    pub(super) fn member_role(&self) -> Result<MemberRole, CliError> {
        Ok(MemberRole {
            place: format!("the [[member-role]] at {}", self.place),
            accounts: self.account.iter().copied().collect(),
            units: self.ou.iter().cloned().collect(),
            tags: self
                .tag
                .iter()
                .map(|tag| (tag.key.clone(), tag.value.clone()))
                .collect(),
            roles: parse(&self.role, Some(&self.place))?,
            external_id: self.external_id.clone(),
            session_name: self.session_name.clone(),
        })
    }
}

/// The roles, or which of them is wrong. `place` says where they stand when they are no flags.
pub(super) fn parse(roles: &[String], place: Option<&str>) -> Result<Vec<RoleTemplate>, CliError> {
    let parsed = roles.iter().map(|text| {
        text.parse::<RoleTemplate>().map_err(|error| {
            match place {
                Some(place) => CliError::usage(format_args!("{place}: {error}")),
                None => CliError::usage(error),
            }
            .hint(
                "give the role's name, such as --role SecurityAudit, or its ARN as \
                 arn:{partition}:iam::{account}:role/NAME",
            )
        })
    });
    parsed.collect()
}

/// A value that stands alone, or a list of them.
pub(super) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct OneOrMany<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string or a list of strings")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            T::deserialize(de::value::StrDeserializer::new(text)).map(|value| vec![value])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut values = Vec::new();
            while let Some(value) = list.next_element()? {
                values.push(value);
            }
            Ok(values)
        }
    }

    deserializer.deserialize_any(OneOrMany(std::marker::PhantomData))
}
