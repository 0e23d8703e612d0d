//! A policy as an IAM policy document.

use std::collections::BTreeMap;

use serde::Serialize;
use trailproof_core::account::Partition;

use super::{Resource, RoleName, SAME_ORGANIZATION, Statement};

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
    resource: OneOrMany<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
}

/// A list of one is written as what is in it.
#[derive(Serialize)]
#[serde(untagged)]
enum OneOrMany<'a> {
    One(&'a str),
    Many(&'a [String]),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    string_equals: BTreeMap<&'static str, String>,
}

/// The document, in a partition.
pub fn render(
    statements: &[Statement],
    roles: &[RoleName],
    partition: Partition,
) -> Result<String, serde_json::Error> {
    let arns: Vec<String> = roles
        .iter()
        .map(|RoleName { path, name }| format!("arn:{partition}:iam::*:role{path}{name}"))
        .collect();
    let statement = statements
        .iter()
        .map(|statement| Allowed {
            sid: statement.sid,
            effect: "Allow",
            action: &statement.actions,
            resource: match (statement.resource, arns.as_slice()) {
                (Resource::Any, _) => OneOrMany::One("*"),
                (Resource::MemberRole, [arn]) => OneOrMany::One(arn),
                (Resource::MemberRole, arns) => OneOrMany::Many(arns),
            },
            condition: (statement.resource == Resource::MemberRole).then(|| {
                let (key, value) = SAME_ORGANIZATION;
                Condition {
                    string_equals: BTreeMap::from([(key, format!("${{{value}}}"))]),
                }
            }),
        })
        .collect();
    let document = Document {
        version: "2012-10-17",
        statement,
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}
