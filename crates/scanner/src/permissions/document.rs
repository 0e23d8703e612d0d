//! A policy as an IAM policy document.

use serde::Serialize;

use super::{Resource, Statement};

/// An IAM policy document, with its members in the order people write them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    version: &'static str,
    statement: Vec<Allowed<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Allowed<'a> {
    sid: &'static str,
    effect: &'static str,
    action: &'a [&'static str],
    resource: &'a str,
}

/// The document. `role_arn` is the ARN of the role in every member, with `*` for the account.
pub fn render(statements: &[Statement], role_arn: &str) -> Result<String, serde_json::Error> {
    let statement = statements
        .iter()
        .map(|statement| Allowed {
            sid: statement.sid,
            effect: "Allow",
            action: &statement.actions,
            resource: match statement.resource {
                Resource::Any => "*",
                Resource::MemberRole => role_arn,
            },
        })
        .collect();
    let document = Document {
        version: "2012-10-17",
        statement,
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}
