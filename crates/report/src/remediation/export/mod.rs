//! The plan in the languages of other tools, for those who change accounts only through them.
//!
//! An export says exactly what the plan says: same names, same patterns, same numbers. It cannot
//! look before it creates as `apply` does, except for the script, which does look.

mod cloudformation;
pub(crate) mod hcl;
pub mod quote;
mod script;
mod stack_set;
mod terraform;
pub(crate) mod upstream;

use std::collections::{BTreeMap, BTreeSet};

use trailproof_core::account::{AccountId, Partition};

use super::plan::{Plan, Site, Step};
use super::resources::Change;

/// A language that a plan can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// A POSIX shell script of AWS CLI commands.
    Script,
    /// One CloudFormation template per site.
    CloudFormation,
    /// One CloudFormation template for all sites, and the commands that roll it out.
    StackSet,
    /// Terraform.
    Terraform,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: String,
    /// Whether it is a program.
    pub executable: bool,
}

/// A plan in another language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Export {
    /// The files.
    pub files: Vec<ExportFile>,
    /// What the language cannot say, one sentence each.
    pub notes: Vec<String>,
}

/// Writes a plan in another language.
pub fn export(plan: &Plan, language: Language) -> Export {
    match language {
        Language::Script => script::write(plan),
        Language::CloudFormation => cloudformation::write(plan),
        Language::StackSet => stack_set::write(plan),
        Language::Terraform => terraform::write(plan),
    }
}

/// The role to assume in an account: a name, a path and name, or an ARN with placeholders.
fn role_arn(plan: &Plan, partition: Partition, account: AccountId) -> String {
    let role = plan
        .run
        .role
        .as_deref()
        .unwrap_or("OrganizationAccountAccessRole");
    if role.starts_with("arn:") {
        role.replace("{partition}", partition.as_str())
            .replace("{account}", &account.to_string())
    } else {
        let role = role.strip_prefix('/').unwrap_or(role);
        format!("arn:{partition}:iam::{account}:role/{role}")
    }
}

/// A name for each id that no other one has: what is different stays different, although most
/// languages have no word for every character of a log group's name.
fn names<'a>(ids: impl Iterator<Item = &'a str>, separator: char) -> BTreeMap<&'a str, String> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for id in ids {
        let name = slug(id, separator);
        let mut unique = name.clone();
        for number in 2.. {
            if taken.insert(unique.clone()) {
                break;
            }
            unique = format!("{name}{separator}{number}");
        }
        names.insert(id, unique);
    }
    names
}

/// Whether only people, the script and `apply` can make a change: a statement in the policy of a
/// topic that is there, which other languages can only replace as a whole.
fn is_by_hand(step: &Step) -> bool {
    matches!(step.change, Change::AddTopicStatement(_))
}

fn by_hand(step: &Step) -> String {
    format!(
        "to be added by hand, or by `fix apply`: {} in account {}",
        step.change, step.account
    )
}

/// The Terraform of steps alone, for a configuration that has its providers already.
pub(crate) fn blocks(steps: &[Step]) -> String {
    terraform::blocks(steps)
}

/// The steps that are made in the site's own account, and a note for each that is not.
fn own_steps<'a>(site: &'a Site, notes: &mut Vec<String>) -> Vec<&'a Step> {
    let (own, foreign): (Vec<_>, Vec<_>) = site
        .steps
        .iter()
        .partition(|step| step.account == site.account);
    notes.extend(foreign.iter().map(|step| {
        format!(
            "not in the template of {}: {} has to be made in account {}",
            site.id, step.change, step.account
        )
    }));
    own
}

/// A text as part of an identifier: letters and digits, each word capitalized.
fn camel(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| {
            let mut characters = word.chars();
            let first = characters.next()?;
            Some(first.to_ascii_uppercase().to_string() + characters.as_str())
        })
        .collect()
}

/// A text as a file name or identifier: what is not a letter or digit becomes one separator.
fn slug(text: &str, separator: char) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with(separator) && !slug.is_empty() {
            slug.push(separator);
        }
    }
    slug.trim_end_matches(separator).to_owned()
}

#[cfg(test)]
pub(crate) mod tests;
