//! `trailproof iam-policy`: the permissions that trailproof needs.

use trailproof_core::account::{AccountId, Partition};
use trailproof_scanner::RoleTemplate;
use trailproof_scanner::permissions::{self, Who};

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Print the exact permissions that a scan or a fix needs.
///
/// The caller finds the accounts, enters them, and reads its own; the role in the members reads
/// theirs.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is to be done.
    #[arg(value_enum, default_value_t)]
    task: Task,

    /// Whose permissions.
    #[arg(long, value_enum, default_value_t)]
    who: WhoName,

    /// How to write them.
    #[arg(long, value_enum, default_value_t)]
    format: Form,

    /// The name, or path and name, of the role in the members [default: that of a new role,
    /// trailproof; for the caller, the role that scan assumes by default].
    #[arg(long)]
    role: Option<String>,

    /// The partition, in JSON. CloudFormation and Terraform find it out themselves.
    #[arg(long, value_enum, default_value_t)]
    partition: PartitionName,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Task {
    /// Reading: everything `trailproof scan` does.
    #[default]
    Scan,
    /// Reading and repairing: everything `trailproof fix` does.
    #[cfg(feature = "remediation")]
    Fix,
}

impl Task {
    /// What it calls beside reading.
    fn repair(self) -> &'static [&'static str] {
        match self {
            Self::Scan => &[],
            #[cfg(feature = "remediation")]
            Self::Fix => &trailproof_report::remediation::permissions::ACTIONS,
        }
    }
}

/// Whose permissions.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum WhoName {
    /// The credentials that start the scan. Their own account is read with them, too.
    #[default]
    Caller,
    /// The role that is assumed in every member account.
    Member,
}

impl From<WhoName> for Who {
    fn from(name: WhoName) -> Self {
        match name {
            WhoName::Caller => Self::Caller,
            WhoName::Member => Self::Member,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Form {
    /// An IAM policy document.
    #[default]
    Json,
    /// A CloudFormation template: for members one that stack sets can deploy.
    #[value(name = "cloudformation")]
    CloudFormation,
    /// A Terraform configuration.
    Terraform,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum PartitionName {
    /// The commercial regions.
    #[default]
    Aws,
    /// China.
    AwsCn,
    /// The United States government's regions.
    AwsUsGov,
    /// The European Sovereign Cloud.
    AwsEusc,
}

impl From<PartitionName> for Partition {
    fn from(name: PartitionName) -> Self {
        match name {
            PartitionName::Aws => Self::Aws,
            PartitionName::AwsCn => Self::China,
            PartitionName::AwsUsGov => Self::GovCloud,
            PartitionName::AwsEusc => Self::EuropeanSovereignCloud,
        }
    }
}

/// The name of the role that the templates create.
const NEW_ROLE: &str = "trailproof";

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        task,
        who,
        format,
        role,
        partition,
    } = arguments;
    let who = Who::from(who);
    let role = role.unwrap_or_else(|| {
        match who {
            Who::Caller => RoleTemplate::DEFAULT,
            Who::Member => NEW_ROLE,
        }
        .to_owned()
    });
    let (path, name) = path_and_name(&role)?;
    let statements = permissions::statements(who, task.repair());
    let text = match format {
        Form::Json => {
            let role_arn = format!("arn:{}:iam::*:role{path}{name}", Partition::from(partition));
            permissions::json(&statements, &role_arn).map_err(CliError::failed)?
        }
        Form::CloudFormation => permissions::cloudformation(&statements, who, &path, &name),
        Form::Terraform => permissions::terraform(&statements, who, &path, &name),
    };
    output.data(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Success)
}

/// The path, which begins and ends with a slash, and the name of a role as `--role` takes it.
fn path_and_name(role: &str) -> Result<(String, String), CliError> {
    let template: RoleTemplate = role.parse().map_err(CliError::usage)?;
    // Any account will do: what is wanted is what comes after it.
    let arn = template.arn(
        Partition::Aws,
        ANY_ACCOUNT.parse::<AccountId>().map_err(CliError::failed)?,
    );
    let resource = arn
        .split_once(":role/")
        .map_or("", |(_, resource)| resource);
    if resource.contains(ANY_ACCOUNT) {
        return Err(CliError::usage(
            "a role whose path contains {account} has no one name to print a policy for",
        ));
    }
    // These would need escaping, in three languages, for a path that nobody has.
    if let Some(symbol) = resource.chars().find(|symbol| "\"\\$%".contains(*symbol)) {
        return Err(CliError::usage(format_args!(
            "`{role}` has a `{symbol}` in its path, which cannot be printed"
        )));
    }
    Ok(match resource.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name.to_owned()),
        None => ("/".to_owned(), resource.to_owned()),
    })
}

const ANY_ACCOUNT: &str = "000000000000";
