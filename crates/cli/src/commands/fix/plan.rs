//! `trailproof fix plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;
use trailproof_report::remediation::endpoint::Subscriber;
use trailproof_report::remediation::naming::Template;
use trailproof_report::remediation::options::{PatternText, PlanOptions, Selection};
use trailproof_report::remediation::{Plan, Planning, PlanningError, plan_asking};

use super::connection::connect;
use super::files;
use super::show::DisplayArguments;
use crate::clock;
use crate::commands::changing::{ConnectionArguments, count, recorded_roles};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::runtime::block_on;

/// Make a plan: the fewest changes that make the accounts of a run pass. Changes nothing.
///
/// What a repair would build on and the run never looked at is asked first, read-only and with the
/// run's roles: alarms, topics and subscriptions that are there already are used. `--offline` asks
/// nobody.
///
/// Every repair is tried out on the run's evidence: what the plan says it repairs is what the same
/// rules find repaired with the changes in place. Names may have {account}, {region}, {partition},
/// {control} and {log_group} in them.
#[allow(
    clippy::doc_markdown,
    reason = "the help shows this text as it is, and people copy the placeholders from it"
)]
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder of the run.
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,

    /// Where the plan goes; `-` is stdout.
    #[arg(long, value_name = "FILE", default_value = "plan.json")]
    out: PathBuf,

    /// Replace the plan that is in the file already.
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    display: DisplayArguments,

    /// Plan on what the run saw, and ask nobody: what it did not look at is named at each site, and
    /// the plan may make changes that something already there makes needless.
    #[arg(long)]
    offline: bool,

    /// Who is told: `email:ADDRESS`, `email-json:ADDRESS`, `https://...`, `http://...`, `sqs:ARN`,
    /// `lambda:ARN` or `sms:NUMBER`. May be given several times.
    #[arg(long, value_name = "PROTOCOL:ENDPOINT", help_heading = "Who is told")]
    subscribe: Vec<Subscriber>,

    /// The topic: the ARN of an existing one, once per region or with `{region}` in it, or a name, for one topic per account
    /// and region, which is used as it is if it exists [default: a new `trailproof-alarms`].
    #[arg(long, value_name = "ARN|NAME", help_heading = "Who is told")]
    topic: Vec<String>,

    /// The account whose topics all alarms notify, one for each region: one message to confirm for
    /// each person and region. A topic is created there, with a policy that lets CloudWatch publish
    /// for the organization, unless there is one of trailproof's, or one that `--topic` names. Where
    /// that account is not to be changed, the plan has the commands for its owner.
    #[arg(long, value_name = "ACCOUNT", help_heading = "Who is told")]
    central: Option<AccountId>,

    /// The key that encrypts new topics: an id, an ARN or an alias. Its policy must let CloudWatch
    /// use it.
    #[arg(long, value_name = "KEY", help_heading = "Who is told")]
    kms_key: Option<Template>,

    /// The names of metric filters.
    #[arg(long, value_name = "NAME", default_value = PlanOptions::DEFAULT_NAME, help_heading = "What is created")]
    filter_name: Template,

    /// The names of metrics.
    #[arg(long, value_name = "NAME", default_value = PlanOptions::DEFAULT_METRIC, help_heading = "What is created")]
    metric_name: Template,

    /// The namespace of metrics.
    #[arg(long, value_name = "NAME", default_value = PlanOptions::DEFAULT_NAMESPACE, help_heading = "What is created")]
    namespace: Template,

    /// The names of alarms.
    #[arg(long, value_name = "NAME", default_value = PlanOptions::DEFAULT_NAME, help_heading = "What is created")]
    alarm_name: Template,

    /// The period of alarms, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = PlanOptions::DEFAULT_PERIOD, help_heading = "What is created")]
    period: u32,

    /// How many events within a period make an alarm.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 1.0,
        help_heading = "What is created"
    )]
    threshold: f64,

    /// Whose wording of the filter patterns: cis, security-hub, or a file with one pattern.
    #[arg(
        long,
        value_name = "cis|security-hub|FILE",
        default_value = "cis",
        help_heading = "What is created"
    )]
    pattern_text: String,

    /// A tag of new topics and alarms. May be given several times.
    #[arg(
        long = "tag",
        value_name = "KEY=VALUE",
        help_heading = "What is created"
    )]
    tags: Vec<String>,

    /// Only these accounts.
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        help_heading = "Which findings"
    )]
    accounts: Vec<AccountId>,

    /// Not these accounts; nothing is changed in them, whomever it would help.
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        help_heading = "Which findings"
    )]
    exclude_accounts: Vec<AccountId>,

    /// Only accounts in these organizational units, nested ones included: by id, name, or names from
    /// the root down (Workloads/Prod).
    #[arg(
        long,
        value_name = "UNIT",
        value_delimiter = ',',
        help_heading = "Which findings"
    )]
    ou: Vec<String>,

    /// Not the accounts in these organizational units; nothing is changed in them either.
    #[arg(
        long,
        value_name = "UNIT",
        value_delimiter = ',',
        help_heading = "Which findings"
    )]
    exclude_ou: Vec<String>,

    /// Only these controls, by id, or `all` of the run.
    #[arg(
        long = "control",
        value_name = "ID",
        value_delimiter = ',',
        help_heading = "Which findings"
    )]
    controls: Vec<String>,

    #[command(flatten)]
    connection: ConnectionArguments,
}

pub(super) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let run = arguments.run.clone();
    let out = arguments.out.clone();
    let (overwrite, display) = (arguments.overwrite, arguments.display);
    let (offline, connection) = (arguments.offline, arguments.connection.clone());
    let options = options(arguments)?;
    let to_stdout = out == Path::new("-");
    if !to_stdout {
        files::check_free(&out, overwrite)?;
    }
    let mut planning = Planning::open(&run, &options)?;
    if offline {
        planning = planning.offline();
    }
    let made = make(planning, &connection, output)?;
    let text = display.show(&made);
    if to_stdout {
        let plan = files::plan_text(&made)?;
        output.data(|to| to.write_all(plan.as_bytes()))?;
        output.note(text);
        return Ok(Exit::Success);
    }
    files::write_plan(&out, &made, overwrite)?;
    output.data(|to| writeln!(to, "{text}"))?;
    if made.summary.changes > 0 {
        output.note(format_args!(
            "written to {}; carry it out with `trailproof fix apply {}`",
            out.display(),
            out.display()
        ));
    } else {
        output.note(format_args!(
            "written to {}; there is nothing to apply",
            out.display()
        ));
    }
    Ok(Exit::Success)
}

/// Makes the plan, and asks what the run never looked at where that is possible. A plan that cannot
/// ask is as good as one without: it says what it did not look at.
fn make(
    mut planning: Planning<'_>,
    connection: &ConnectionArguments,
    output: &Output,
) -> Result<Plan, CliError> {
    let now = clock::now();
    let plan = planning.plan(now)?;
    if planning.is_offline() || !planning.wants_answers() {
        return Ok(plan);
    }
    let (settings, _) = connection.resolve_with_reports(
        recorded_roles(plan.run.role.as_ref(), &plan.run.roles),
        output,
    )?;
    block_on(async {
        let concurrency = connection.concurrency();
        let connected = connect(&settings, Vec::new(), concurrency, output).await;
        let connected = connected
            .map_err(|error| error.to_string())
            .and_then(|aws| match aws.caller() {
                caller if planning.may_ask_as(caller) => Ok(aws),
                caller => Err(format!(
                    "these are credentials of account {caller}, which the run does not know"
                )),
            });
        let aws = match connected {
            Ok(aws) => aws,
            Err(why) => {
                output.warn(format_args!(
                    "nobody was asked what the run did not look at: {why}"
                ));
                output.hint("plan with credentials of the run's organization, or with --offline");
                return Ok(planning.offline().plan(now)?);
            }
        };
        let told = |questions| {
            output.note(format_args!(
                "asking what the run did not look at: {}",
                count(questions, "call")
            ));
        };
        Ok(plan_asking(&mut planning, plan, &aws, concurrency, now, told).await?)
    })
}

fn options(arguments: Arguments) -> Result<PlanOptions, CliError> {
    let mut topics = Vec::new();
    let mut topic_arn = None;
    let mut topic_name = None;
    for topic in &arguments.topic {
        if topic.starts_with("arn:") && topic.contains('{') {
            if topic_arn.is_some() {
                return Err(CliError::usage(
                    "--topic has two ARNs with placeholders; one is enough: {region} makes it one per region",
                ));
            }
            topic_arn = Some(topic.parse::<Template>().map_err(CliError::usage)?);
        } else if topic.starts_with("arn:") {
            topics.push(topic.parse::<Arn>().map_err(CliError::usage)?);
        } else if topic_name.is_some() {
            return Err(CliError::usage(
                "--topic has two names; one is enough, and ARNs are one per region",
            ));
        } else {
            topic_name = Some(topic.parse::<Template>().map_err(CliError::usage)?);
        }
    }
    let mut tags = BTreeMap::new();
    for tag in &arguments.tags {
        let (key, value) = tag
            .split_once('=')
            .ok_or_else(|| CliError::usage(format_args!("`{tag}` is not KEY=VALUE")))?;
        tags.insert(key.to_owned(), value.to_owned());
    }
    let mut controls: BTreeSet<String> = arguments.controls.into_iter().collect();
    if controls.contains("all") {
        controls.clear();
    }
    Ok(PlanOptions {
        subscribers: arguments.subscribe,
        topics,
        topic_arn,
        topic_name,
        central: arguments.central,
        filter_name: arguments.filter_name,
        metric_name: arguments.metric_name,
        namespace: arguments.namespace,
        alarm_name: arguments.alarm_name,
        period: arguments.period,
        threshold: arguments.threshold,
        pattern: pattern(&arguments.pattern_text)?,
        tags,
        kms_key: arguments.kms_key,
        selection: Selection {
            accounts: arguments.accounts.into_iter().collect(),
            exclude_accounts: arguments.exclude_accounts.into_iter().collect(),
            organizational_units: arguments.ou.into_iter().collect(),
            exclude_organizational_units: arguments.exclude_ou.into_iter().collect(),
            controls,
        },
    })
}

fn pattern(text: &str) -> Result<PatternText, CliError> {
    match text {
        "cis" => Ok(PatternText::Cis),
        "security-hub" => Ok(PatternText::SecurityHub),
        file => {
            let content = std::fs::read_to_string(file).map_err(|error| {
                CliError::usage(format_args!(
                    "cannot read the filter pattern `{file}`: {error}"
                ))
                .hint("--pattern-text takes cis, security-hub, or a file with one pattern")
            })?;
            let pattern = content.trim().to_owned();
            trailproof_core::pattern::Pattern::parse(&pattern).map_err(|error| {
                CliError::usage(format_args!(
                    "the filter pattern in `{file}` cannot be read: {error}"
                ))
            })?;
            Ok(PatternText::Custom(pattern))
        }
    }
}

impl From<PlanningError> for CliError {
    fn from(error: PlanningError) -> Self {
        match error {
            PlanningError::Run(error) => error.into(),
            PlanningError::Evidence(_) => Self::usage(&error).hint(
                "the run's folder is damaged: scan again, or judge what it has with `trailproof evaluate`",
            ),
            PlanningError::Findings { .. } => Self::usage(&error)
                .hint("write the run's reports again with `trailproof evaluate --evidence DIR --out NEW`"),
            PlanningError::Option(_)
            | PlanningError::Controls(_)
            | PlanningError::PatternForSeveral(_) => Self::usage(&error),
            PlanningError::UnknownControl(_)
            | PlanningError::UnknownAccount(_)
            | PlanningError::UnknownUnit(_) => Self::usage(&error)
                .hint("findings.csv of the run lists its accounts, their units and its controls"),
            PlanningError::AmbiguousUnit(_) => {
                Self::usage(&error).hint("name it from the root down, as it stands there, or by its id")
            }
        }
    }
}
