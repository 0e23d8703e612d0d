//! The role of member accounts, or the caller's policy, as Terraform.

use std::fmt::Write as _;

use super::{Resource, RoleName, SAME_ORGANIZATION, Statement, Who};

/// The configuration: of the caller's policy for these roles, or of the first of them.
pub fn render(statements: &[Statement], who: Who, roles: &[RoleName]) -> String {
    let mut text = String::new();
    if who == Who::Member {
        text.push_str(
            r#"variable "trusted_principal_arn" {
  description = "The role or user whose credentials start trailproof. It has to exist."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+$", var.trusted_principal_arn))
    error_message = "It is the ARN of a role or user."
  }
}

variable "organization_id" {
  description = "The organization that the principal has to belong to."
  type        = string

  validation {
    condition     = can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "The id of an organization is such as o-a1b2c3d4e5."
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
    let uses_partition = statements
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
        if statement.resource == Resource::Any {
            text.push_str("    resources = [\"*\"]\n");
        } else {
            text.push_str("    resources = [\n");
            for RoleName { path, name } in roles {
                let _ = writeln!(
                    text,
                    "      \"arn:${{data.aws_partition.current.partition}}:iam::*:role{path}{name}\","
                );
            }
            // The provider's way of writing a policy variable.
            let (key, value) = SAME_ORGANIZATION;
            let _ = writeln!(
                text,
                "    ]\n\n    condition {{\n      test     = \"StringEquals\"\n      variable = \"{key}\"\n      \
                 values   = [\"&{{{value}}}\"]\n    }}"
            );
        }
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    match (who, roles) {
        (Who::Member, []) => {}
        (Who::Caller, _) => text.push_str(
            r#"
resource "aws_iam_policy" "trailproof" {
  name_prefix = "trailproof-"
  description = "Permissions of the credentials that start trailproof"
  policy      = data.aws_iam_policy_document.trailproof.json
}
"#,
        ),
        (Who::Member, [RoleName { path, name }, ..]) => {
            let _ = write!(
                text,
                r#"
data "aws_iam_policy_document" "trust" {{
  statement {{
    actions = ["sts:AssumeRole"]

    principals {{
      type        = "AWS"
      identifiers = [var.trusted_principal_arn]
    }}

    condition {{
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values   = [var.organization_id]
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
