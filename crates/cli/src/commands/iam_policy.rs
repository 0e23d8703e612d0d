//! `trailproof iam-policy`: the permissions that trailproof needs.

use std::fmt::Write as _;

use trailproof_core::account::{AccountId, Partition};
use trailproof_scanner::RoleTemplate;
use trailproof_scanner::permissions::{self, MANAGED, RoleName, Statement, Who};

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::ConfigurationArguments;

/// Print the exact permissions that a scan, a fix, publishing or asking for contacts needs.
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

    /// The name, or path and name, of the role in the members; for the caller, of every role that
    /// is tried [default: for members that of a new role, trailproof; for the caller the roles of
    /// the configuration file, or the one that scan assumes by default].
    #[arg(long)]
    role: Vec<String>,

    /// The partition, in JSON. CloudFormation and Terraform find it out themselves.
    #[arg(long, value_enum, default_value_t)]
    partition: PartitionName,

    #[command(flatten)]
    configuration: ConfigurationArguments,
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
    /// Reading and sending: everything `trailproof publish` does.
    #[cfg(feature = "publish")]
    Publish,
    /// Reading, and asking for contacts: what `trailproof accounts contacts` does as the caller.
    Contacts,
}

impl Task {
    /// What somebody calls beside reading: what for, and the actions.
    fn beside(self, who: Who) -> Option<(&'static str, Vec<&'static str>)> {
        match self {
            Self::Scan => None,
            #[cfg(feature = "remediation")]
            Self::Fix => Some((
                "RepairAccount",
                trailproof_report::remediation::permissions::all(),
            )),
            #[cfg(feature = "publish")]
            Self::Publish => Some(("SendFindings", trailproof_report::publish::ACTIONS.to_vec())),
            // No member is asked for its own.
            Self::Contacts if who == Who::Member => None,
            Self::Contacts => Some(("AskForContacts", vec![trailproof_scanner::CONTACT_ACTION])),
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
    /// AWS's own policies `SecurityAudit` and `ReadOnlyAccess`, and what each lacks.
    Managed,
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
        configuration,
    } = arguments;
    let who = Who::from(who);
    let roles = roles(&role, who, &configuration, output)?;
    let statements = permissions::statements(who, task.beside(who));
    let text = match format {
        Form::Json => {
            permissions::json(&statements, &roles, partition.into()).map_err(CliError::failed)?
        }
        Form::CloudFormation => permissions::cloudformation(&statements, who, &roles),
        Form::Terraform => permissions::terraform(&statements, who, &roles),
        Form::Managed => managed(&statements, partition.into()),
    };
    output.data(|out| out.write_all(text.as_bytes()))?;
    output.note(next(who, format, &roles));
    Ok(Exit::Success)
}

/// The roles in the members: those of the flags, or for the caller those that a scan would try.
fn roles(
    flags: &[String],
    who: Who,
    configuration: &ConfigurationArguments,
    output: &Output,
) -> Result<Vec<RoleName>, CliError> {
    let names = |roles: &[String]| -> Result<Vec<RoleName>, CliError> {
        roles.iter().map(|role| path_and_name(role)).collect()
    };
    match (who, flags) {
        (Who::Member, []) => names(&[NEW_ROLE.to_owned()]),
        (Who::Member, [_, _, ..]) => Err(CliError::usage("a template makes one role")
            .hint("print one for each --role of --who member")),
        (Who::Member | Who::Caller, [_, ..]) => names(flags),
        (Who::Caller, []) => {
            let settings = configuration.load(output)?.connection.role_settings()?;
            let members = settings
                .members
                .iter()
                .flat_map(|member| member.roles.clone());
            let templates = settings.templates().into_iter().chain(members);
            let texts: Vec<String> = templates.map(|role| role.as_str().to_owned()).collect();
            let mut roles = names(&texts)?;
            let mut seen = std::collections::BTreeSet::new();
            roles.retain(|role| seen.insert(role.clone()));
            Ok(roles)
        }
    }
}

/// AWS's own policies, and what has to be allowed beside them.
fn managed(statements: &[Statement], partition: Partition) -> String {
    let mut text = String::new();
    for policy in &MANAGED {
        let lacking = policy.lacking(statements);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "arn:{partition}:iam::aws:policy/{} ({}, read in March 2026)",
            policy.name, policy.version
        );
        if lacking.is_empty() {
            text.push_str("  lacks nothing\n");
        } else {
            text.push_str("  lacks\n");
        }
        for action in lacking {
            let _ = writeln!(text, "    {action}");
        }
    }
    text
}

/// The commands that use what was printed.
fn next(who: Who, format: Form, roles: &[RoleName]) -> String {
    let mut flags = String::new();
    for RoleName { path, name } in roles {
        let role = format!("{}{name}", path.trim_start_matches('/'));
        if role != RoleTemplate::DEFAULT || roles.len() > 1 {
            // Writing to a String cannot fail.
            let _ = write!(flags, " --role {role}");
        }
    }
    let deploy = match (who, format) {
        (Who::Member, Form::CloudFormation) => {
            "\n  aws cloudformation create-stack-set --stack-set-name trailproof \\
    --template-body file://member.yaml --capabilities CAPABILITY_NAMED_IAM \\
    --permission-model SERVICE_MANAGED \\
    --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false \\
    --parameters ParameterKey=TrustedPrincipalArn,ParameterValue=ARN \\
      ParameterKey=OrganizationId,ParameterValue=o-ID ParameterKey=ExternalId,ParameterValue=ID
  aws cloudformation create-stack-instances --stack-set-name trailproof \\
    --deployment-targets OrganizationalUnitIds=r-ID --regions us-east-1
  aws cloudformation deploy --stack-name trailproof --template-file member.yaml \\
    --capabilities CAPABILITY_NAMED_IAM --parameter-overrides TrustedPrincipalArn=ARN \\
      OrganizationId=o-ID ExternalId=ID  # in the management account, which stack sets leave out"
        }
        (Who::Caller, Form::CloudFormation) => {
            "\n  aws cloudformation deploy --stack-name trailproof-caller \\
    --template-file caller.yaml --capabilities CAPABILITY_IAM"
        }
        (_, Form::Terraform) => "\n  terraform init && terraform apply",
        (Who::Caller, Form::Json) => {
            "\n  aws iam create-policy --policy-name trailproof --policy-document file://caller.json"
        }
        (Who::Member, Form::Json) => {
            "\n  aws iam put-role-policy --role-name ROLE --policy-name trailproof \\
    --policy-document file://member.json"
        }
        (_, Form::Managed) => "",
    };
    let external_id = match (who, format) {
        (Who::Member, Form::CloudFormation | Form::Terraform) => " --external-id ID",
        _ => "",
    };
    format!(
        "next:{deploy}\n  trailproof doctor{flags}{external_id}\n  \
         trailproof scan{flags}{external_id} --out run"
    )
}

/// The path, which begins and ends with a slash, and the name of a role as `--role` takes it.
fn path_and_name(role: &str) -> Result<RoleName, CliError> {
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
        Some((path, name)) => RoleName {
            path: format!("/{path}/"),
            name: name.to_owned(),
        },
        None => RoleName {
            path: "/".to_owned(),
            name: resource.to_owned(),
        },
    })
}

const ANY_ACCOUNT: &str = "000000000000";
