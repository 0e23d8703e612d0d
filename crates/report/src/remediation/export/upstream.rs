//! Commands for trails and their log groups as Terraform. The commands stand in core, once; this
//! says the same in resources. What only looks something up has no resource.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use trailproof_core::remedy::{Command, Word};

use super::hcl::Block;
use super::quote::hcl;
use crate::shell::comment;

/// The Terraform of commands; empty where none of them is one that it knows.
pub(crate) fn terraform(commands: &[Command]) -> String {
    let mut text = String::new();
    // The arguments of trails that are there, and of those that are new: by name.
    let mut trails: BTreeMap<String, (bool, Block)> = BTreeMap::new();
    for command in commands {
        let options = Options::of(command);
        match options.operation.as_str() {
            "logs create-log-group" => {
                let block = Block::new("resource", &["aws_cloudwatch_log_group", "trail"]);
                push(
                    &block.raw("name", options.value("--log-group-name")),
                    &mut text,
                );
            }
            "iam create-role" => {
                let block = Block::new("resource", &["aws_iam_role", "trail"])
                    .raw("name", options.value("--role-name"))
                    .raw(
                        "assume_role_policy",
                        options.value("--assume-role-policy-document"),
                    );
                push(&block, &mut text);
            }
            "iam put-role-policy" => {
                let block = Block::new("resource", &["aws_iam_role_policy", "trail"])
                    .raw("name", options.value("--policy-name"))
                    .raw("role", options.value("--role-name"))
                    .raw("policy", options.value("--policy-document"));
                push(&block, &mut text);
            }
            operation => {
                let is_new = operation == "cloudtrail create-trail";
                let name = if operation == "cloudtrail put-event-selectors" {
                    options.value("--trail-name")
                } else {
                    options.value("--name")
                };
                let Some(change) = trail_change(operation, &options) else {
                    continue;
                };
                let (new, block) = trails.remove(&name).unwrap_or_else(|| {
                    let block = Block::new("resource", &["aws_cloudtrail", "trail"]);
                    let block = if is_new {
                        block.raw("name", name.clone())
                    } else {
                        block
                    };
                    (is_new, block)
                });
                trails.insert(name, (new, change(block)));
            }
        }
    }
    for (name, (new, block)) in trails {
        if !text.is_empty() {
            text.push('\n');
        }
        if !new {
            let _ = writeln!(
                text,
                "# Arguments to set on the resource of the trail {}:",
                comment(&name)
            );
        }
        block.write(0, &mut text);
    }
    text
}

fn push(block: &Block, text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
    block.write(0, text);
}

type Change = Box<dyn FnOnce(Block) -> Block>;

/// What a command does to a trail; `None` where it changes none.
fn trail_change(operation: &str, options: &Options) -> Option<Change> {
    let flags: Vec<(&'static str, String)> = [
        ("--is-multi-region-trail", "is_multi_region_trail"),
        (
            "--include-global-service-events",
            "include_global_service_events",
        ),
        ("--enable-log-file-validation", "enable_log_file_validation"),
    ]
    .into_iter()
    .filter(|(option, _)| options.has(option))
    .map(|(_, argument)| (argument, "true".to_owned()))
    .collect();
    let values: Vec<(&'static str, String)> = [
        ("--s3-bucket-name", "s3_bucket_name"),
        (
            "--cloud-watch-logs-log-group-arn",
            "cloud_watch_logs_group_arn",
        ),
        ("--cloud-watch-logs-role-arn", "cloud_watch_logs_role_arn"),
    ]
    .into_iter()
    .filter(|(option, _)| options.has(option))
    .map(|(option, argument)| (argument, options.value(option)))
    .collect();
    match operation {
        "cloudtrail create-trail" | "cloudtrail update-trail" => Some(Box::new(|block: Block| {
            let given = values.into_iter().chain(flags);
            given.fold(block, |block, (name, value)| block.raw(name, value))
        })),
        "cloudtrail start-logging" => {
            Some(Box::new(|block: Block| block.raw("enable_logging", "true")))
        }
        "cloudtrail put-event-selectors" => Some(Box::new(|block: Block| {
            block.block(
                Block::new("event_selector", &[])
                    .text("read_write_type", "All")
                    .raw("include_management_events", "true"),
            )
        })),
        _ => None,
    }
}

/// The operation of a command of the AWS CLI, and its options as expressions of Terraform.
struct Options {
    operation: String,
    given: BTreeMap<String, Option<String>>,
}

impl Options {
    fn of(command: &Command) -> Self {
        let expression = |word: &Word| match word {
            Word::Text(text) => hcl(text),
            Word::Variable(name) => format!("var.{}", name.to_ascii_lowercase()),
        };
        let given = command.options().into_iter();
        Self {
            operation: command.operation(),
            given: given
                .map(|(option, value)| (option.to_owned(), value.map(expression)))
                .collect(),
        }
    }

    fn has(&self, option: &str) -> bool {
        self.given.contains_key(option)
    }

    fn value(&self, option: &str) -> String {
        let value = self.given.get(option).cloned().flatten();
        value.unwrap_or_else(|| "\"\"".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_resources() {
        let arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/t";
        let update = Command::aws("cloudtrail update-trail")
            .with("--name", arn)
            .with("--cloud-watch-logs-log-group-arn", "group:*")
            .switch("--is-multi-region-trail");
        let start = Command::aws("cloudtrail start-logging").with("--name", arn);
        let select = Command::aws("cloudtrail put-event-selectors")
            .with("--trail-name", arn)
            .with("--event-selectors", "[]");
        let look = Command::aws("cloudtrail describe-trails").with("--trail-name-list", arn);
        assert_eq!(terraform(std::slice::from_ref(&look)), "");
        let permit = Command::aws("iam put-role-policy")
            .with_variable("--role-name", "ROLE")
            .with("--policy-name", "p")
            .with("--policy-document", "{\"a\":\"${x}\"}");
        let text = terraform(&[look, permit, update, start, select]);
        assert_eq!(
            text,
            r#"resource "aws_iam_role_policy" "trail" {
  name   = "p"
  role   = var.role
  policy = "{\"a\":\"$${x}\"}"
}

# Arguments to set on the resource of the trail "arn:aws:cloudtrail:us-east-1:111111111111:trail/t":
resource "aws_cloudtrail" "trail" {
  cloud_watch_logs_group_arn = "group:*"
  is_multi_region_trail      = true
  enable_logging             = true

  event_selector {
    read_write_type           = "All"
    include_management_events = true
  }
}
"#
        );
        let create = Command::aws("cloudtrail create-trail")
            .with_fixed("--name", "new")
            .with_variable("--s3-bucket-name", "BUCKET");
        let text = terraform(&[create]);
        assert!(
            text.starts_with("resource \"aws_cloudtrail\" \"trail\" {\n  name           = \"new\"\n  s3_bucket_name = var.bucket"),
            "{text}"
        );
    }
}
