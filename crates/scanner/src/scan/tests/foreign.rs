//! Accounts that only an ARN names: a role is assumed there when Organizations says that they are
//! ours or the user trusts them, and never because the ARN says so.

use serde_json::json;
use trailproof_core::control;
use trailproof_core::policy::Policy;

use super::{account, organization, plan, run};
use crate::testing::{Reply, Sent};

const OUTSIDE: &str = "999999999999";

/// The organization, in which everybody is told of a trail of an account that no listing has. Its
/// role lets anybody in.
fn strangers_trail(sent: &Sent, described: &Reply) -> Reply {
    match sent.operation.as_str() {
        "cloudtrail:DescribeTrails" => Reply::Answer(json!({"trailList": [{
            "Name": "theirs", "HomeRegion": "us-east-1",
            "TrailARN": format!("arn:aws:cloudtrail:us-east-1:{OUTSIDE}:trail/theirs"),
            "IsMultiRegionTrail": true, "IsOrganizationTrail": true,
            "IncludeGlobalServiceEvents": true,
        }]})),
        "organizations:DescribeAccount" => described.clone(),
        "sts:GetCallerIdentity"
        | "sts:AssumeRole"
        | "organizations:DescribeOrganization"
        | "organizations:ListAccounts"
        | "account:ListRegions" => organization(sent),
        _ => Reply::Error(403, "AccessDeniedException", "not for you"),
    }
}

#[tokio::test]
async fn a_role_of_a_stranger_is_not_assumed() {
    let described = |id: &str| Reply::Answer(json!({"Account": {"Id": id, "State": "ACTIVE"}}));
    let denied = Reply::Error(403, "AccessDeniedException", "not for you");
    let unknown = Reply::Error(400, "AccountNotFoundException", "no such account");
    for (answer, trusted, asked, entered) in [
        (denied.clone(), false, 1, false),
        (unknown, false, 1, false),
        // An answer about another account says nothing of this one.
        (described("222222222222"), false, 1, false),
        (described(OUTSIDE), false, 1, true),
        (denied, true, 0, true),
    ] {
        let (mut plan, journal) = plan({
            let answer = answer.clone();
            move |sent| strangers_trail(sent, &answer)
        });
        let ids = ["console-auth-failures".to_owned()];
        plan.policy = Policy::new(control::select(control::builtin(), &ids).unwrap());
        if trusted {
            plan.trusted.insert(account(OUTSIDE));
        }
        let (outcome, _) = run(plan).await;
        outcome.unwrap();
        let sent = journal.lock().unwrap();
        let of = |operation: &str| {
            let all = sent.iter().filter(|one| one.operation == operation);
            all.filter(|one| one.says(OUTSIDE)).count()
        };
        let row = format!("{answer:?} {trusted}");
        assert_eq!(of("organizations:DescribeAccount"), asked, "{row}");
        assert_eq!(of("sts:AssumeRole") > 0, entered, "{row}");
    }
}
