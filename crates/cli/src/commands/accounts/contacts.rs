//! `trailproof accounts contacts`: whom to write to about the findings of a run.

use std::fmt::Write as _;
use std::path::PathBuf;

use trailproof_core::finding::Status;
use trailproof_report::contacts::{AccountContacts, accounts, write_csv, write_json};
use trailproof_report::past::PastRun;
use trailproof_report::run::read_evidence;
use trailproof_scanner::{Access, CONTACT_ACTION, RoleSettings};

use crate::commands::past_run;
use crate::commands::selection::SelectionArguments;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::runtime::block_on;
use crate::settings::{ConfigurationArguments, ConnectionSettings};
use crate::untrusted::visible;

/// How many calls are under way at once.
const AT_ONCE: usize = 16;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder of a run.
    run: PathBuf,

    #[command(flatten)]
    selection: SelectionArguments,

    /// How to print: for people, for programs, or for spreadsheets.
    #[arg(long, value_enum, default_value_t)]
    format: ContactsFormat,

    #[command(flatten)]
    connection: ConnectionSettings,

    #[command(flatten)]
    configuration: ConfigurationArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum ContactsFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

pub(super) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        run: path,
        selection,
        format,
        connection,
        configuration,
    } = arguments;
    let PastRun { run, findings } = past_run(&path)?;
    let mut findings = selection.select(&path, &run, findings, output)?.findings;
    if selection.status.is_empty() {
        findings.retain(|finding| matches!(finding.status, Status::Fail | Status::Unknown));
    }
    if findings.is_empty() {
        output.note("no account has such findings: there is nobody to write to");
        return Ok(Exit::Success);
    }
    let (evidence, _) = read_evidence(&path, run.policy.oldest(), run.addresses())
        .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
    let connection = connection.or(configuration.load(output)?.connection);
    let options = connection.connect_options()?;
    let security = block_on(async {
        // No member is entered.
        let access = Access::connect(&options, &RoleSettings::default(), AT_ONCE).await?;
        Ok(access.security_contacts(accounts(&findings), AT_ONCE).await)
    })?;
    let contacts = AccountContacts::of(&findings, &evidence, security);
    output.data(|out| match format {
        ContactsFormat::Table => out.write_all(text(&contacts).as_bytes()),
        ContactsFormat::Json => write_json(&contacts, out),
        ContactsFormat::Csv => write_csv(&contacts, out),
    })?;
    Ok(tell_failures(&contacts, output))
}

/// Says once why contacts are not known.
fn tell_failures(contacts: &[AccountContacts], output: &Output) -> Exit {
    let failures: Vec<_> = contacts
        .iter()
        .filter_map(|contact| contact.security.as_ref().err())
        .collect();
    let Some(first) = failures.first() else {
        return Exit::Success;
    };
    output.warn(format_args!(
        "{CONTACT_ACTION} failed for {} of {} accounts, first with `{}`: {}",
        failures.len(),
        contacts.len(),
        first.code,
        first.message
    ));
    output.hint(
        "ask as the management account, or as a delegated administrator for account management, \
         with trusted access for it and this permission",
    );
    Exit::Unknown
}

/// Three lines for each account.
fn text(contacts: &[AccountContacts]) -> String {
    let mut text = String::new();
    for contact in contacts {
        let name = visible(contact.name.as_deref().unwrap_or("-"));
        let counts: Vec<String> = contact
            .findings
            .iter()
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        let email = visible(contact.email.as_deref().unwrap_or("not in the evidence"));
        let security = match &contact.security {
            Err(error) => format!("not known: {}", visible(&error.code)),
            Ok(None) => "none".to_owned(),
            Ok(Some(person)) => {
                let parts = [&person.name, &person.title, &person.email, &person.phone];
                let parts: Vec<_> = parts
                    .into_iter()
                    .flatten()
                    .map(|part| visible(part))
                    .collect();
                parts.join(", ")
            }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {name}  {}\n  root user  {email}\n  security   {security}",
            contact.account,
            counts.join(", ")
        );
    }
    text
}
