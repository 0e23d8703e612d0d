//! The role of member accounts as a CloudFormation template, ready for a service-managed stack
//! set; or the caller's policy as a managed policy.

use std::fmt::Write as _;

use super::{Resource, RoleName, SAME_ORGANIZATION, Statement, Who};

/// The template: of the caller's policy for these roles, or of the first of them.
pub fn render(statements: &[Statement], who: Who, roles: &[RoleName]) -> String {
    match (who, roles) {
        (Who::Member, [role, ..]) => member(statements, role),
        (Who::Member, []) => String::new(),
        (Who::Caller, roles) => caller(statements, roles),
    }
}

fn member(statements: &[Statement], role: &RoleName) -> String {
    let RoleName { path, name } = role;
    let mut template = format!(
        r#"AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  The role that trailproof assumes in this account. Deploy it to every member account with a
  service-managed stack set. The account that starts trailproof needs no role in itself.
Parameters:
  TrustedPrincipalArn:
    Type: String
    Description: The role or user whose credentials start trailproof. It has to exist.
    AllowedPattern: "^arn:[a-z-]+:iam::[0-9]{{12}}:(role|user)/.+$"
  OrganizationId:
    Type: String
    Description: The organization that the principal has to belong to.
    AllowedPattern: "^o-[a-z0-9]{{10,32}}$"
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
              AWS: !Ref TrustedPrincipalArn
            Action: sts:AssumeRole
            Condition:
              StringEquals:
                aws:PrincipalOrgID: !Ref OrganizationId
                sts:ExternalId: !If [HasExternalId, !Ref ExternalId, !Ref "AWS::NoValue"]
      Policies:
        - PolicyName: trailproof
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
"#
    );
    write_statements(&mut template, statements, 14, std::slice::from_ref(role));
    template.push_str("Outputs:\n  RoleArn:\n    Value: !GetAtt Role.Arn\n");
    template
}

fn caller(statements: &[Statement], roles: &[RoleName]) -> String {
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
    write_statements(&mut template, statements, 10, roles);
    template.push_str("Outputs:\n  PolicyArn:\n    Value: !Ref Policy\n");
    template
}

fn write_statements(
    template: &mut String,
    statements: &[Statement],
    indent: usize,
    roles: &[RoleName],
) {
    let pad = " ".repeat(indent);
    for statement in statements {
        // Writing to a String cannot fail.
        let _ = writeln!(template, "{pad}- Sid: {}", statement.sid);
        let _ = writeln!(template, "{pad}  Effect: Allow\n{pad}  Action:");
        for action in &statement.actions {
            let _ = writeln!(template, "{pad}    - {action}");
        }
        if statement.resource == Resource::Any {
            let _ = writeln!(template, "{pad}  Resource: \"*\"");
            continue;
        }
        let _ = writeln!(template, "{pad}  Resource:");
        for RoleName { path, name } in roles {
            let _ = writeln!(
                template,
                "{pad}    - !Sub \"arn:${{AWS::Partition}}:iam::*:role{path}{name}\""
            );
        }
        let (key, value) = SAME_ORGANIZATION;
        let _ = writeln!(
            template,
            "{pad}  Condition:\n{pad}    StringEquals:\n{pad}      {key}: \"${{{value}}}\""
        );
    }
}
