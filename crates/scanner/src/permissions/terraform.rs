//! The role of member accounts, or the caller's policy, as Terraform.

use std::fmt::Write as _;

use super::{Resource, Statement, Who};

/// The configuration. `path` and `name` are those of the role in the members.
pub fn render(statements: &[Statement], who: Who, path: &str, name: &str) -> String {
    let mut text = String::new();
    if who == Who::Member {
        text.push_str(
            r#"variable "trusted_account_id" {
  description = "The account whose credentials start trailproof, usually the management account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.trusted_account_id))
    error_message = "An account id has twelve digits."
  }
}

variable "external_id" {
  description = "What trailproof has to give with --external-id; empty for none."
  type        = string
  default     = ""
}

"#,
        );
    }
    let uses_partition = who == Who::Member
        || statements
            .iter()
            .any(|statement| statement.resource == Resource::MemberRole);
    if uses_partition {
        text.push_str("data \"aws_partition\" \"current\" {}\n\n");
    }
    text.push_str("data \"aws_iam_policy_document\" \"trailproof\" {\n");
    for (index, statement) in statements.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  statement {{\n    sid = \"{}\"\n", statement.sid);
        text.push_str("    actions = [\n");
        for action in &statement.actions {
            let _ = writeln!(text, "      \"{action}\",");
        }
        text.push_str("    ]\n\n");
        let _ = match statement.resource {
            Resource::Any => writeln!(text, "    resources = [\"*\"]"),
            Resource::MemberRole => writeln!(
                text,
                "    resources = [\"arn:${{data.aws_partition.current.partition}}:iam::*:role{path}{name}\"]"
            ),
        };
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    match who {
        Who::Caller => text.push_str(
            r#"
resource "aws_iam_policy" "trailproof" {
  name_prefix = "trailproof-"
  description = "Permissions of the credentials that start trailproof"
  policy      = data.aws_iam_policy_document.trailproof.json
}
"#,
        ),
        Who::Member => {
            let _ = write!(
                text,
                r#"
data "aws_iam_policy_document" "trust" {{
  statement {{
    actions = ["sts:AssumeRole"]

    principals {{
      type        = "AWS"
      identifiers = ["arn:${{data.aws_partition.current.partition}}:iam::${{var.trusted_account_id}}:root"]
    }}

    dynamic "condition" {{
      for_each = var.external_id == "" ? [] : [var.external_id]

      content {{
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [condition.value]
      }}
    }}
  }}
}}

resource "aws_iam_role" "trailproof" {{
  name               = "{name}"
  path               = "{path}"
  description        = "Assumed by trailproof"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}}

resource "aws_iam_role_policy" "trailproof" {{
  name   = "trailproof"
  role   = aws_iam_role.trailproof.id
  policy = data.aws_iam_policy_document.trailproof.json
}}
"#
            );
        }
    }
    text
}
