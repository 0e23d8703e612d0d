//! What is true of every CloudTrail event: which fields there are, of which type
//! (CloudTrail User Guide, "CloudTrail record contents" and "userIdentity element").

use super::super::Step;

/// The type CloudTrail gives a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    /// A text in every event.
    AlwaysText,
    /// A text where it is present.
    Text,
    /// A boolean where it is present.
    Boolean,
    /// Anything.
    Any,
}

/// The path of a field with dots, where its steps are plain members.
pub(super) fn dotted(path: &[Step]) -> Option<String> {
    let names: Option<Vec<&str>> = path
        .iter()
        .map(|step| match step {
            Step::Member(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    names.map(|names| names.join("."))
}

/// The type of a field.
pub(super) fn field_type(path: &str) -> FieldType {
    match path {
        "eventVersion" | "eventTime" | "eventSource" | "eventName" | "awsRegion"
        | "sourceIPAddress" | "eventID" | "eventType" => FieldType::AlwaysText,
        "errorCode"
        | "errorMessage"
        | "userAgent"
        | "requestID"
        | "recipientAccountId"
        | "apiVersion"
        | "sharedEventID"
        | "vpcEndpointId"
        | "eventCategory"
        | "userIdentity.type"
        | "userIdentity.principalId"
        | "userIdentity.arn"
        | "userIdentity.accountId"
        | "userIdentity.accessKeyId"
        | "userIdentity.userName"
        | "userIdentity.invokedBy"
        | "userIdentity.sessionContext.attributes.mfaAuthenticated"
        | "userIdentity.sessionContext.attributes.creationDate"
        | "userIdentity.sessionContext.sessionIssuer.type"
        | "userIdentity.sessionContext.sessionIssuer.arn"
        | "userIdentity.sessionContext.sessionIssuer.userName"
        | "userIdentity.sessionContext.sessionIssuer.principalId"
        | "userIdentity.sessionContext.sessionIssuer.accountId"
        | "additionalEventData.MFAUsed"
        | "additionalEventData.SamlProviderArn"
        | "additionalEventData.LoginTo"
        | "additionalEventData.MobileVersion"
        | "responseElements.ConsoleLogin" => FieldType::Text,
        "readOnly" | "managementEvent" => FieldType::Boolean,
        _ => FieldType::Any,
    }
}

/// Values that make a witness look like an event, for fields that events usually have.
pub(super) fn usual_values(path: &str) -> &'static [&'static str] {
    match path {
        "eventVersion" => &["1.11", "1.08"],
        "eventTime" => &["2026-01-15T09:12:31Z"],
        "eventSource" => &[
            "signin.amazonaws.com",
            "iam.amazonaws.com",
            "ec2.amazonaws.com",
        ],
        "eventName" => &["ConsoleLogin", "CreateUser", "RunInstances"],
        "awsRegion" | "region" => &["us-east-1", "eu-west-1"],
        "sourceIPAddress" => &["198.51.100.7", "203.0.113.9"],
        "eventID" => &["0f5f8a1c-2b43-4c55-8f1e-6a7d1d1b9c02"],
        "eventType" => &["AwsApiCall", "AwsConsoleSignIn"],
        "userAgent" => &["Mozilla/5.0", "aws-cli/2.15.0"],
        "eventCategory" => &["Management", "Data"],
        "recipientAccountId" | "userIdentity.accountId" => &["111122223333", "444455556666"],
        "userIdentity.type" => &["IAMUser", "Root", "AssumedRole"],
        "userIdentity.userName" => &["alice", "bob"],
        "userIdentity.principalId" => &["AIDAEXAMPLEUSERID"],
        "userIdentity.arn" => &["arn:aws:iam::111122223333:user/alice"],
        _ => &[],
    }
}

/// Values worth trying for fields that many events lack.
pub(super) fn likely_values(path: &str) -> &'static [&'static str] {
    match path {
        "errorMessage" => &[
            "Failed authentication",
            "No username found in supplied account",
        ],
        "errorCode" => &["AccessDenied", "Client.UnauthorizedOperation"],
        "additionalEventData.MFAUsed" => &["No", "Yes"],
        "responseElements.ConsoleLogin" => &["Failure", "Success"],
        "userIdentity.invokedBy" => &["cloudtrail.amazonaws.com"],
        _ => &[],
    }
}
