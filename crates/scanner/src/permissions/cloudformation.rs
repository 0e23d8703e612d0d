//! The role of member accounts as a CloudFormation template, ready for a service-managed stack
//! set; or the caller's policy as a managed policy.

use std::fmt::Write as _;

use super::{Resource, Statement, Who};

/// The template. `path` and `name` are those of the role in the members.
pub fn render(statements: &[Statement], who: Who, path: &str, name: &str) -> String {
    match who {
        Who::Member => member(statements, path, name),
        Who::Caller => caller(statements, path, name),
    }
}

fn member(statements: &[Statement], path: &str, name: &str) -> String {
    let mut template = format!(
        r#"AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  The role that trailproof assumes in this account. Deploy it to every member account with a
  service-managed stack set. The account that starts trailproof needs no role in itself.
Parameters:
  TrustedAccountId:
    Type: String
    Description: The account whose credentials start trailproof, usually the management account.
    AllowedPattern: "^[0-9]{{12}}$"
  RoleName:
    Type: String
    Default: "{name}"
    AllowedPattern: "^[A-Za-z0-9_+=,.@-]{{1,64}}$"
  ExternalId:
    Type: String
    Default: ""
    NoEcho: true
    Description: What trailproof has to give with --external-id; empty for none.
Conditions:
  HasExternalId: !Not [!Equals [!Ref ExternalId, ""]]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      Path: "{path}"
      Description: Assumed by trailproof
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              AWS: !Sub "arn:${{AWS::Partition}}:iam::${{TrustedAccountId}}:root"
            Action: sts:AssumeRole
            Condition: !If
              - HasExternalId
              - StringEquals:
                  sts:ExternalId: !Ref ExternalId
              - !Ref AWS::NoValue
      Policies:
        - PolicyName: trailproof
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
"#
    );
    write_statements(&mut template, statements, 14, path, name);
    template.push_str("Outputs:\n  RoleArn:\n    Value: !GetAtt Role.Arn\n");
    template
}

fn caller(statements: &[Statement], path: &str, name: &str) -> String {
    let mut template = String::from(
        r#"AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  What the credentials that start trailproof are allowed to do. Attach the policy to their role.
Resources:
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: Permissions of the credentials that start trailproof
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
"#,
    );
    write_statements(&mut template, statements, 10, path, name);
    template.push_str("Outputs:\n  PolicyArn:\n    Value: !Ref Policy\n");
    template
}

fn write_statements(
    template: &mut String,
    statements: &[Statement],
    indent: usize,
    path: &str,
    name: &str,
) {
    let pad = " ".repeat(indent);
    for statement in statements {
        // Writing to a String cannot fail.
        let _ = writeln!(template, "{pad}- Sid: {}", statement.sid);
        let _ = writeln!(template, "{pad}  Effect: Allow\n{pad}  Action:");
        for action in &statement.actions {
            let _ = writeln!(template, "{pad}    - {action}");
        }
        let _ = match statement.resource {
            Resource::Any => writeln!(template, "{pad}  Resource: \"*\""),
            Resource::MemberRole => writeln!(
                template,
                "{pad}  Resource: !Sub \"arn:${{AWS::Partition}}:iam::*:role{path}{name}\""
            ),
        };
    }
}
