use super::*;
use crate::calls::RetryAdvice;
use trailproof_core::evidence::CallError;

fn failure(message: &str) -> Failure {
    Failure {
        error: CallError {
            code: "AccessDenied".to_owned(),
            message: message.to_owned(),
            class: ErrorClass::Denied,
        },
        advice: RetryAdvice::None,
        request_id: None,
    }
}

fn account(number: usize) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

const EXPLICIT: &str = "not authorized with an explicit deny in a service control policy";

/// What becomes of questions that are all asked at the same time, one for each account and region,
/// and how many were really asked.
async fn ask(
    refusals: &Arc<Refusals>,
    accounts: usize,
    regions: &[&str],
    operation: Operation,
    answer: impl Fn(AccountId, &Region) -> Result<(), Failure> + Clone + Send + 'static,
) -> usize {
    let role: Arc<str> = "Audit".into();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..accounts {
        for region in regions {
            let (refusals, role) = (Arc::clone(refusals), Arc::clone(&role));
            let (region, answer) = (Region::new(region), answer.clone());
            tasks.spawn(async move {
                let account = account(number);
                let leave = refusals.leave(&role, account, operation, &region).await;
                let Some(leave) = leave else {
                    return 0;
                };
                tokio::time::sleep(Duration::from_millis(10)).await;
                match answer(account, &region) {
                    Ok(()) => leave.settle(Ok(())),
                    Err(failure) => leave.settle(Err(&failure)),
                }
                1
            });
        }
    }
    tasks.join_all().await.into_iter().sum()
}

#[tokio::test]
async fn a_call_that_is_refused_everywhere_is_asked_in_five_accounts() {
    let refusals = Arc::new(Refusals::default());
    let regions = ["us-east-1", "eu-west-1", "eu-north-1"];
    let refuse = |_: AccountId, _: &Region| Err(failure("no identity-based policy allows it"));
    let asked = ask(&refusals, 200, &regions, Operation::DescribeAlarms, refuse).await;
    assert_eq!(asked, ENOUGH);
    let never = refusals.never_asked();
    assert_eq!(never.len(), 1);
    assert_eq!(never[0].what, Refused::Operation(Operation::DescribeAlarms));
    assert_eq!(never[0].refused_in.len(), ENOUGH);
    assert_eq!(never[0].questions, 200 * 3 - 5);
}

#[tokio::test]
async fn few_accounts_are_asked_everything() {
    let refusals = Arc::new(Refusals::default());
    let regions = ["us-east-1", "eu-west-1", "eu-north-1"];
    let refuse = |_: AccountId, _: &Region| Err(failure("no identity-based policy allows it"));
    let asked = ask(&refusals, 4, &regions, Operation::DescribeAlarms, refuse).await;
    assert_eq!(asked, 12);
    assert!(refusals.never_asked().is_empty());
}

#[tokio::test]
async fn one_answer_lets_everybody_ask() {
    let refusals = Arc::new(Refusals::default());
    let fourth = |account: AccountId, _: &Region| {
        if account.to_string().ends_with('3') {
            Ok(())
        } else {
            Err(failure("no identity-based policy allows it"))
        }
    };
    let asked = ask(
        &refusals,
        100,
        &["us-east-1"],
        Operation::DescribeAlarms,
        fourth,
    )
    .await;
    assert_eq!(asked, 100);
}

#[tokio::test]
async fn a_closed_region_closes_no_call() {
    let refusals = Arc::new(Refusals::default());
    let regions = ["us-east-1", "eu-west-1", "ap-south-1"];
    let answer = |_: AccountId, region: &Region| {
        if region.as_str() == "us-east-1" {
            Err(failure(EXPLICIT))
        } else {
            Ok(())
        }
    };
    let asked = ask(&refusals, 100, &regions, Operation::DescribeTrails, answer).await;
    assert_eq!(asked, 200 + ENOUGH);
    let never = refusals.never_asked();
    assert_eq!(never.len(), 1);
    assert_eq!(never[0].what, Refused::Region(Region::new("us-east-1")));
    // Nor is anything else asked there.
    let asked = ask(
        &refusals,
        10,
        &["us-east-1"],
        Operation::DescribeAlarms,
        answer,
    )
    .await;
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn a_region_that_is_named_is_asked_all_the_same() {
    let named = [Region::new("us-east-1")].into();
    let refusals = Arc::new(Refusals::except_in(named));
    let refuse = |_: AccountId, _: &Region| Err(failure(EXPLICIT));
    let asked = ask(
        &refusals,
        30,
        &["us-east-1"],
        Operation::DescribeTrails,
        refuse,
    )
    .await;
    assert_eq!(asked, 30);
    assert!(refusals.never_asked().is_empty());
}

#[tokio::test]
async fn failures_of_other_kinds_close_nothing() {
    let refusals = Arc::new(Refusals::default());
    let outage = |_: AccountId, _: &Region| {
        let mut failure = failure("down");
        failure.error.code = "ServiceUnavailable".to_owned();
        failure.error.class = ErrorClass::Unavailable;
        Err(failure)
    };
    let asked = ask(
        &refusals,
        40,
        &["us-east-1"],
        Operation::DescribeTrails,
        outage,
    )
    .await;
    assert_eq!(asked, 40);
    // What one resource's policy refuses is not missing in the role.
    let topic =
        |_: AccountId, _: &Region| Err(failure("no resource-based policy allows the action"));
    let asked = ask(
        &refusals,
        40,
        &["us-east-1"],
        Operation::GetTopicAttributes,
        topic,
    )
    .await;
    assert_eq!(asked, 40);
}
