//! A role as users write it.

use std::str::FromStr;

use trailproof_core::account::{AccountId, Partition};

/// A role by name (`Audit`), path and name (`security/Audit`), or ARN with `{account}` and
/// `{partition}` in it (`arn:{partition}:iam::{account}:role/Audit`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTemplate(String);

/// A text that cannot name a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{role}` does not name a role: {reason}")]
pub struct InvalidRoleTemplate {
    /// What was written.
    pub role: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl RoleTemplate {
    /// The role that AWS Organizations creates in the accounts it creates.
    pub const DEFAULT: &'static str = "OrganizationAccountAccessRole";

    /// The role's ARN in an account.
    pub fn arn(&self, partition: Partition, account: AccountId) -> String {
        self.0
            .replace("{partition}", partition.as_str())
            .replace("{account}", &account.to_string())
    }

    /// The template as a full ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RoleTemplate {
    fn default() -> Self {
        Self(format!(
            "arn:{{partition}}:iam::{{account}}:role/{}",
            Self::DEFAULT
        ))
    }
}

impl FromStr for RoleTemplate {
    type Err = InvalidRoleTemplate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |reason| InvalidRoleTemplate {
            role: text.to_owned(),
            reason,
        };
        let template = if text.starts_with("arn:") {
            text.to_owned()
        } else {
            format!(
                "arn:{{partition}}:iam::{{account}}:role/{}",
                text.strip_prefix('/').unwrap_or(text)
            )
        };
        let mut parts = template.splitn(6, ':');
        let [
            Some(_),
            Some(partition),
            Some("iam"),
            Some(""),
            Some(account),
            Some(resource),
        ] = std::array::from_fn(|_| parts.next())
        else {
            return Err(invalid(
                "an ARN of a role is arn:{partition}:iam::{account}:role/NAME",
            ));
        };
        if partition != "{partition}" && Partition::named(partition).is_none() {
            return Err(invalid(
                "its partition is not aws, aws-cn, aws-us-gov or aws-eusc",
            ));
        }
        if account != "{account}" {
            return Err(invalid(
                "write {account} where the ARN has the account id, so that it fits every account",
            ));
        }
        let Some(path_and_name) = resource.strip_prefix("role/") else {
            return Err(invalid("it is not the ARN of a role"));
        };
        let (path, name) = path_and_name
            .rsplit_once('/')
            .unwrap_or(("", path_and_name));
        // IAM User Guide, "IAM and AWS STS quotas": names have at most 64 characters, paths 512.
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
            return Err(invalid(
                "a role name has 1 to 64 letters, digits or characters of _+=,.@-",
            ));
        }
        // Paths may hold any printable character, `{account}` included.
        if path.len() > 510 || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid(
                "a role path has at most 512 printable characters and no blanks",
            ));
        }
        Ok(Self(template))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(text: &str) -> String {
        let account = "000000000042".parse().unwrap();
        text.parse::<RoleTemplate>()
            .unwrap()
            .arn(Partition::China, account)
    }

    #[test]
    fn names_paths_and_arns() {
        assert_eq!(arn("Audit"), "arn:aws-cn:iam::000000000042:role/Audit");
        assert_eq!(
            arn("security/Audit"),
            "arn:aws-cn:iam::000000000042:role/security/Audit"
        );
        assert_eq!(
            arn("/security/read/Audit"),
            "arn:aws-cn:iam::000000000042:role/security/read/Audit"
        );
        assert_eq!(
            arn("arn:{partition}:iam::{account}:role/Audit"),
            "arn:aws-cn:iam::000000000042:role/Audit"
        );
        assert_eq!(
            arn("arn:aws-us-gov:iam::{account}:role/a/{account}/Audit"),
            "arn:aws-us-gov:iam::000000000042:role/a/000000000042/Audit"
        );
        assert_eq!(
            RoleTemplate::default(),
            "OrganizationAccountAccessRole".parse().unwrap()
        );
    }

    #[test]
    fn refuses_what_is_not_a_role() {
        for text in [
            "",
            "/",
            "path/",
            "Audit Role",
            "Audit{account}",
            "pa th/Audit",
            "arn:aws:iam::111111111111:role/Audit",
            "arn:aws:iam::{account}:user/Audit",
            "arn:aws:sts::{account}:assumed-role/Audit/session",
            "arn:aws-iso:iam::{account}:role/Audit",
            "arn:aws:iam",
            "Rolle-mit-Umlaut-ä",
        ] {
            let error = text.parse::<RoleTemplate>().unwrap_err();
            assert_eq!(error.role, text);
        }
        let long = "a".repeat(65);
        assert!(long.parse::<RoleTemplate>().is_err());
    }

    #[test]
    fn says_how_an_arn_has_to_look() {
        let error = "arn:aws:iam::111111111111:role/Audit"
            .parse::<RoleTemplate>()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`arn:aws:iam::111111111111:role/Audit` does not name a role: write {account} where \
             the ARN has the account id, so that it fits every account"
        );
    }
}
