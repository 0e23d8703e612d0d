//! Regions that do not answer, beside others that do.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::*;

/// More accounts than are worked on at once, and than there are places for calls.
const ACCOUNTS: usize = 200;

/// Scans that many accounts to the end.
async fn scanned(mut plan: ScanPlan) -> ScanOutcome {
    let members: Vec<String> = (0..ACCOUNTS)
        .map(|number| format!("{:012}", 500 + number))
        .collect();
    let ids: Vec<&str> = members.iter().map(String::as_str).collect();
    plan.listing = Some(known("o-1", &ids, false));
    let (outcome, _) = run(plan).await;
    let outcome = outcome.unwrap();
    assert!(outcome.complete);
    outcome
}

/// A region that does not answer before the other one was asked in every account keeps no account
/// waiting for that. Where it does, the test ends after the time-out of a call, and fails.
#[tokio::test]
async fn a_stalled_region_holds_nothing_else_up() {
    // Whichever of the two is asked first.
    for stalled in ["eu-west-1", "us-east-1"] {
        stall(stalled).await;
    }
}

async fn stall(stalled: &'static str) {
    let answers = Arc::new(Semaphore::new(0));
    let near = AtomicUsize::new(0);
    let (plan, journal) = plan(move |sent| {
        if sent.operation != "cloudtrail:DescribeTrails" {
            return organization(sent);
        }
        if sent.region == stalled {
            let reply = Box::new(organization(sent));
            return Reply::Later(Arc::clone(&answers), reply);
        }
        if near.fetch_add(1, Ordering::Relaxed) + 1 == ACCOUNTS {
            answers.add_permits(ACCOUNTS);
        }
        organization(sent)
    });
    let outcome = scanned(plan).await;
    assert_eq!(outcome.statistics.retries, 0);
    let asked = counts(&journal)["cloudtrail:DescribeTrails"];
    assert_eq!(asked, 2 * ACCOUNTS);
}

/// A region that refuses every call as too many, until the other one was asked in every account, is
/// asked again in each of them, and slows down nobody else: were accounts kept waiting for that, it
/// would refuse to the end, and its answers were missing.
#[tokio::test]
async fn a_throttling_region_holds_nothing_else_up() {
    for throttling in ["eu-west-1", "us-east-1"] {
        let near = AtomicUsize::new(0);
        let (plan, _) = plan(move |sent| {
            if sent.operation == "cloudtrail:DescribeTrails" {
                if sent.region != throttling {
                    near.fetch_add(1, Ordering::Relaxed);
                } else if near.load(Ordering::Relaxed) < ACCOUNTS {
                    return Reply::Error(400, "ThrottlingException", "Rate exceeded");
                }
            }
            organization(sent)
        });
        let outcome = scanned(plan).await;
        assert_eq!(outcome.statistics.errors, 0);
        assert!(outcome.statistics.throttles > 0);
    }
}
