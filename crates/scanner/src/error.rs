//! Why a scan could not start or had to end. What fails for one account is evidence, not an error.

use std::io;
use std::path::PathBuf;

use trailproof_core::account::{AccountId, Region};
use trailproof_core::units::AmbiguousUnit;

/// Why a scan could not start or had to end. Messages name the place; [`ScanError::hint`] names
/// the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// No source of credentials has any, or the source failed.
    #[error("no AWS credentials: {reason}")]
    MissingCredentials {
        /// What the credential sources said.
        reason: String,
        /// What a person can do about it.
        remedy: String,
    },
    /// A setting of the environment or of the AWS configuration files that cannot be used.
    #[error("{place} cannot be used: {reason}")]
    InvalidSetting {
        /// The variable, key or file.
        place: String,
        /// What is wrong with it.
        reason: String,
        /// What a person can do about it.
        remedy: String,
    },
    /// The profile that was named does not exist, or its files cannot be read.
    #[error("profile `{profile}` cannot be used: {reason}")]
    UnusableProfile {
        /// What was given.
        profile: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The credentials exist, but AWS does not accept them.
    #[error("AWS does not accept the credentials: {code}: {message}")]
    RejectedCredentials {
        /// The code AWS gave.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// The configuration names no region and none can be derived.
    #[error("the connection is not usable: {reason}")]
    Connection {
        /// What is wrong.
        reason: String,
    },
    /// The caller's account belongs to no organization.
    #[error("account {account} does not belong to an organization")]
    NotInOrganization {
        /// The caller.
        account: AccountId,
    },
    /// The caller may not list the organization's accounts: it is neither the management account
    /// nor a delegated administrator.
    #[error(
        "account {account} may not list the accounts of its organization: it is neither the \
         management account nor a delegated administrator ({code}: {message})"
    )]
    NotOrganizationAdministrator {
        /// The caller.
        account: AccountId,
        /// The code AWS gave.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// The caller lacks a permission without which the accounts cannot be found.
    #[error("{operation} was denied to {arn}: {code}: {message}")]
    OrganizationDenied {
        /// The operation, as in an IAM policy.
        operation: &'static str,
        /// The caller.
        arn: String,
        /// The code AWS gave.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// A call without which the accounts cannot be found failed to the end of its retries.
    #[error("{operation} failed: {code}: {message}")]
    OrganizationFailed {
        /// The operation, as in an IAM policy.
        operation: &'static str,
        /// The code AWS gave.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// The endpoint of a service cannot be reached.
    #[error("cannot reach the endpoint for {operation} in {region}: {reason}")]
    Unreachable {
        /// The operation that was tried.
        operation: &'static str,
        /// Where it was tried.
        region: Region,
        /// What the network said, of which host and through which proxy.
        reason: String,
        /// What a person can do about it, where the cause is known.
        cause: Option<&'static str>,
    },
    /// The session name or external id cannot be sent to AWS.
    #[error("`{value}` cannot be the {what}: {reason}")]
    InvalidRoleSetting {
        /// `session name` or `external id`.
        what: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two member roles are for one account.
    #[error("both {first} and {second} name the role of account {account}")]
    AmbiguousRole {
        /// The account.
        account: AccountId,
        /// How messages name the one.
        first: String,
        /// How messages name the other.
        second: String,
    },
    /// A member role is for nobody, or names no role.
    #[error("{place} cannot be used: {reason}")]
    InvalidMemberRole {
        /// How messages name it.
        place: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A role that is to be assumed first cannot be.
    #[error("the hub role {arn} cannot be assumed: {code}: {message}")]
    HubRole {
        /// Its ARN.
        arn: String,
        /// The code AWS gave.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// The credentials belong to a partition that trailproof does not know.
    #[error("the credentials are of partition `{partition}`, which trailproof does not know")]
    UnknownPartition {
        /// The partition of the caller's ARN.
        partition: String,
    },
    /// A region filter names a region that does not exist in the partition.
    #[error("there is no region `{region}` in partition {partition}")]
    UnknownRegion {
        /// What was given.
        region: String,
        /// The partition of the credentials.
        partition: String,
    },
    /// An organizational unit of the filter does not exist.
    #[error("there is no organizational unit or root `{unit}` in the organization")]
    UnknownOrganizationalUnit {
        /// What was given.
        unit: String,
    },
    /// A filter or a member role names organizational units by a name that several have.
    #[error(transparent)]
    AmbiguousUnit(AmbiguousUnit),
    /// A filter needs Organizations, and the scope does without it.
    #[error("filters by organizational unit or tag need the organization")]
    FilterNeedsOrganization,
    /// The evidence file exists and the run is not a resumption.
    #[error("{} exists", .path.display())]
    EvidenceExists {
        /// The file.
        path: PathBuf,
    },
    /// The evidence of an earlier run cannot be read.
    #[error("{}:{line}: {reason}", .path.display())]
    EvidenceUnreadable {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The evidence of an earlier run was made with other credentials.
    #[error("the run began with account {recorded}, but the credentials are of account {caller}")]
    OtherCaller {
        /// The account that began.
        recorded: AccountId,
        /// The account now.
        caller: AccountId,
    },
    /// The list of accounts that was given is not of the caller's organization, or nobody can tell.
    #[error(
        "the listing is of organization {listed}, and account {caller} {}",
        .found.as_ref().map_or_else(
            || "may not ask which organization it belongs to".to_owned(),
            |found| format!("belongs to {found}"),
        )
    )]
    OtherOrganization {
        /// The organization of the list.
        listed: String,
        /// The caller's account.
        caller: AccountId,
        /// The caller's organization, where AWS told it.
        found: Option<String>,
    },
    /// The evidence file cannot be created or written.
    #[error("cannot write {}: {source}", .path.display())]
    EvidenceUnwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ScanError {
    /// What a person can do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::MissingCredentials { remedy, .. } | Self::InvalidSetting { remedy, .. } => remedy,
            Self::UnusableProfile { .. } => {
                "`aws configure list-profiles` lists the profiles there are; AWS_CONFIG_FILE and \
                 AWS_SHARED_CREDENTIALS_FILE say where they are kept, when set"
            }
            Self::RejectedCredentials { .. } => {
                "check the profile, whether the session has expired, and this computer's clock; \
                 credentials of another partition than aws need a --region of it"
            }
            Self::Connection { .. } => "check --profile, --region and the AWS configuration files",
            Self::NotInOrganization { .. } => {
                "scan this account alone with --current-account, or name accounts with --accounts"
            }
            Self::NotOrganizationAdministrator { .. } => {
                "use credentials of the management account or of a delegated administrator, or \
                 name accounts with --accounts, or scan this account alone with --current-account"
            }
            Self::OrganizationDenied { .. } => {
                "grant the permissions that `trailproof iam-policy` prints, or name accounts with \
                 --accounts"
            }
            Self::OrganizationFailed { .. } => "try again, or name accounts with --accounts",
            Self::Unreachable { cause, .. } => {
                cause.unwrap_or("check the network, the proxy, --region and AWS_ENDPOINT_URL")
            }
            Self::InvalidRoleSetting { .. } => "correct the value",
            Self::AmbiguousRole { .. } => {
                "let one of the two tables leave the account out: each account has one kind of role"
            }
            Self::InvalidMemberRole { .. } => {
                "a [[member-role]] table has `role`, and `account`, `ou` or `tag`"
            }
            Self::HubRole { .. } => {
                "check its ARN, its external id and which principals its trust policy names"
            }
            Self::UnknownPartition { .. } => {
                "use credentials of aws, aws-cn, aws-us-gov or aws-eusc; evidence made with the \
                 AWS CLI can be judged by `trailproof evaluate`"
            }
            Self::UnknownRegion { .. } => "check --regions, --exclude-regions and --region",
            Self::UnknownOrganizationalUnit { .. } => {
                "name it by its id, by its name, or by the names from the root down, such as \
                 Workloads/Prod; `trailproof accounts list` writes down which units there are"
            }
            Self::AmbiguousUnit(_) => {
                "name it from the root down, as it stands there, or by its id"
            }
            Self::FilterNeedsOrganization => {
                "leave out --ou, --exclude-ou and --tag, or leave out --accounts and \
                 --current-account"
            }
            Self::EvidenceExists { .. } => {
                "go on with that run with --resume, or name another directory with --out"
            }
            Self::EvidenceUnreadable { .. } => {
                "remove the line if it is not wanted, or start a new run in another directory"
            }
            Self::OtherCaller { .. } => {
                "resume with the credentials the run began with, or start a new run in another \
                 directory"
            }
            Self::OtherOrganization { found: None, .. } => {
                "allow organizations:DescribeOrganization, or leave out --listing"
            }
            Self::OtherOrganization { .. } => {
                "make a listing with these credentials (`trailproof accounts list --out FILE`), or \
                 use the credentials of the organization that is listed"
            }
            Self::EvidenceUnwritable { .. } => {
                "make room or choose another directory with --out; what was written is intact and \
                 --resume goes on from there"
            }
        }
    }
}
