//! Credentials with characters that no header can carry: it is said of the credentials, and nobody
//! waits for a network that is not at fault.

use super::{account, counts, organization, plan, run};
use crate::error::ScanError;
use crate::plan::Scope;
use crate::testing::{Reply, assumed};

#[tokio::test]
async fn a_session_token_of_two_lines_is_named() {
    let (mut plan, journal) = plan(organization);
    let credentials = plan.connection.credentials.as_mut().unwrap();
    credentials.session_token = Some("one\ntwo".to_owned());
    let error = run(plan).await.0.unwrap_err();
    assert!(
        matches!(error, ScanError::MissingCredentials { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("session token"), "{error}");
    assert!(error.hint().contains("in one piece"), "{}", error.hint());
    assert!(counts(&journal).is_empty());
}

#[tokio::test]
async fn a_role_that_gives_such_a_token_was_not_entered() {
    let (mut plan, journal) = plan(|sent| match sent.operation.as_str() {
        "sts:AssumeRole" => match assumed(sent, "2099-01-01T00:00:00Z") {
            Reply::OwnedXml(xml) => {
                Reply::OwnedXml(xml.replace("<SessionToken>", "<SessionToken>&#13;"))
            }
            other => other,
        },
        _ => organization(sent),
    });
    plan.scope = Scope::Accounts(vec![account("222222222222")]);
    let outcome = run(plan).await.0.unwrap();
    assert_eq!(outcome.statistics.errors, 1);
    assert_eq!(outcome.statistics.retries, 0);
    let counts = counts(&journal);
    assert_eq!(counts["sts:AssumeRole"], 1);
    assert_eq!(counts.get("cloudtrail:DescribeTrails"), None);
    let reader = outcome.evidence.reader();
    let entry = reader.entry(account("222222222222"));
    assert!(
        format!("{entry:?}").contains("UnusableCredentials"),
        "{entry:?}"
    );
}
