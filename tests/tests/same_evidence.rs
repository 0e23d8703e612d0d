//! The same scenario, made in ministack with ordinary AWS calls and served by the simulator, gives
//! the same evidence. What differs all the same is listed here, every place with its reason; a
//! difference that is not listed is a mistake of the simulator, and so is an entry of the list
//! that nothing needs any more.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

/// Everything here needs ministack, which needs Python.
mod with_python {
    use std::collections::BTreeSet;
    use std::fmt::Write;

    use serde_json::Value;
    use trailproof_simulator::{Options, Scenario, Server};
    use trailproof_tests::binary::Trailproof;
    use trailproof_tests::comparison::{Accepted, Difference, answers, differences};
    use trailproof_tests::provision::{Emulator, Provisioned};
    use trailproof_tests::{evidence, scenario};

    const fn accepted(operation: &'static str, path: &'static str, why: &'static str) -> Accepted {
        Accepted {
            operation,
            path,
            why,
        }
    }

    const CHOSEN: &str = "each makes its own";
    const CLOCK: &str = "times of two runs";
    const MANAGEMENT: &str = "ministack makes its management account by itself";
    const CALLER: &str = "the root user of ministack, a user of the simulator";
    const ALARM_STATE: &str =
        "the simulator has no data plane: alarms keep the state they are given";

    /// What has to differ between any two organizations.
    const BY_NATURE: &[Accepted] = &[
        accepted("*", "*Time", CLOCK),
        accepted("*", "*Timestamp", CLOCK),
        accepted("*", "*.TimeLoggingStarted", CLOCK),
        accepted("sts:AssumeRole", "*.AssumedRoleId", CHOSEN),
        accepted("sts:GetCallerIdentity", ".response.Arn", CALLER),
        accepted("sts:GetCallerIdentity", ".response.UserId", CALLER),
        accepted("organizations:DescribeOrganization", "*.Id", CHOSEN),
        accepted("organizations:DescribeOrganization", "*Arn", CHOSEN),
        accepted("organizations:DescribeOrganization", "*Email", MANAGEMENT),
        accepted("organizations:ListAccounts", "*.Arn", CHOSEN),
        accepted("cloudwatch:DescribeAlarms", "*.StateValue", ALARM_STATE),
        accepted("cloudwatch:DescribeAlarms", "*.StateReason", ALARM_STATE),
        accepted(
            "cloudwatch:DescribeAlarms",
            "*.StateReasonData",
            ALARM_STATE,
        ),
    ];

    /// Where ministack is not like AWS.
    const MINISTACK: &[Accepted] = &[
        accepted(
            "organizations:ListAccounts",
            "*.State",
            "knows only the older Status",
        ),
        accepted(
            "organizations:ListAccounts",
            "*.Paths",
            "does not say where accounts are",
        ),
        accepted(
            "organizations:ListOrganizationalUnitsForParent",
            "",
            "does not say where accounts are, so nobody asks what their units are called",
        ),
        accepted(
            "organizations:ListAccounts",
            "*.Path",
            "gives a member that the API does not have",
        ),
        accepted(
            "cloudtrail:GetTrailStatus",
            "*.LatestDeliveryError",
            "delivers nothing, so nothing fails",
        ),
        accepted(
            "cloudwatch:ListAlarmMuteRules",
            ".error",
            "does not know mute rules",
        ),
        accepted(
            "cloudwatch:ListAlarmMuteRules",
            ".response",
            "does not know mute rules",
        ),
        accepted(
            "observabilityadmin:ListCentralizationRulesForOrganization",
            "*",
            "does not know rules of an organization",
        ),
        accepted(
            "observabilityadmin:ListTelemetryRulesForOrganization",
            "*",
            "does not know rules of an organization",
        ),
        accepted(
            "observabilityadmin:ListTelemetryRules",
            "*",
            "does not know telemetry rules",
        ),
        accepted("oam:ListLinks", "*", "does not know monitoring accounts"),
        accepted(
            "cloudwatch:DescribeAlarms",
            "*.AlarmDescription",
            "describes alarms that have no description",
        ),
        accepted(
            "cloudwatch:DescribeAlarms",
            "*.Statistic",
            "gives a statistic beside an extended one, where an alarm has one of the two",
        ),
        accepted(
            "cloudwatch:DescribeAlarms",
            "*.TreatMissingData",
            "fills in the default",
        ),
        accepted(
            "logs:DescribeMetricFilters",
            "*.applyOnTransformedLogs",
            "does not know transformed logs",
        ),
        accepted(
            "sns:GetTopicAttributes",
            ".error.message",
            "adds the ARN to AWS's sentence",
        ),
        accepted(
            "sns:GetTopicAttributes",
            ".response.Attributes.Policy.Statement[].Action",
            "shortens the policy of a new topic",
        ),
        accepted(
            "sns:GetTopicAttributes",
            ".response.Attributes.EffectiveDeliveryPolicy.http.*",
            "shortens the default delivery policy",
        ),
        accepted(
            "sns:GetSubscriptionAttributes",
            "*.ConfirmationWasAuthenticated",
            "confirms e-mail addresses by itself, as if their owners had signed in",
        ),
        accepted(
            "sns:GetSubscriptionAttributes",
            "*.FilterPolicyScope",
            "does not fill in the default",
        ),
        accepted(
            "sns:ListSubscriptionsByTopic",
            PENDING,
            "confirms e-mail addresses by itself, so that only a web address can be pending",
        ),
    ];

    /// A subscription that waits for its owner.
    const PENDING: &str = ".response.Subscriptions[] pending";

    /// Enough for trails at home, their shadows, and a region without any. The scans are told them:
    /// ministack has no region newer than 2024, and enables every one that has to be opted into.
    const REGIONS: &str = "us-east-1,eu-west-1,us-west-2";

    /// What a scan of everything records, without what is about other accounts.
    fn records(endpoint: &str, access_key: &str, provisioned: Option<&Provisioned>) -> Vec<Value> {
        let trailproof = Trailproof::against(endpoint, access_key);
        let directory = trailproof.home().join("run");
        let outcome = trailproof.run([
            "scan",
            "--out",
            directory.to_str().expect("a path in ASCII"),
            "--regions",
            REGIONS,
        ]);
        let _ = outcome.exits(1);
        evidence::records(&directory)
            .into_iter()
            .map(|record| match provisioned {
                None => record,
                Some(provisioned) => {
                    let text = provisioned.in_scenario_numbers(&record.to_string());
                    serde_json::from_str(&text).expect("numbers are replaced by numbers")
                }
            })
            .collect()
    }

    /// Leaves out what is about accounts that the emulator could not hold, and how it names the
    /// management account, which it makes by itself.
    fn comparable(
        mut records: Vec<Value>,
        left_out: &BTreeSet<String>,
        management: &str,
    ) -> Vec<Value> {
        let is_about = |text: &str| left_out.iter().any(|account| text.contains(account));
        records.retain(|record| {
            !is_about(&record["account"].to_string())
                && !is_about(&record["parameters"].to_string())
        });
        for record in &mut records {
            if let Some(accounts) = record
                .pointer_mut("/response/Accounts")
                .and_then(Value::as_array_mut)
            {
                accounts.retain(|account| !is_about(&account["Id"].to_string()));
                let own = accounts
                    .iter_mut()
                    .filter(|account| account["Id"] == management);
                for account in own.filter_map(Value::as_object_mut) {
                    account.retain(|name, _| name != "Name" && name != "Email");
                }
            }
        }
        with_named_subscriptions(records)
    }

    /// Names subscriptions by whom they tell: their ids are chosen by whoever makes them.
    fn with_named_subscriptions(records: Vec<Value>) -> Vec<Value> {
        let mut names: Vec<(String, String)> = Vec::new();
        for record in &records {
            let listed = record.pointer("/response/Subscriptions");
            for subscription in listed.and_then(Value::as_array).into_iter().flatten() {
                let text = |member: &str| subscription[member].as_str().unwrap_or_default();
                let arn = text("SubscriptionArn");
                if arn.starts_with("arn:") {
                    let name = format!(
                        "{}:{}",
                        text("TopicArn"),
                        text("Endpoint").replace(':', "-")
                    );
                    names.push((arn.to_owned(), name));
                }
            }
        }
        let renamed = records.into_iter().map(|record| {
            let mut text = record.to_string();
            for (arn, name) in &names {
                text = text.replace(arn, name);
            }
            serde_json::from_str(&text).expect("a name is put in place of another")
        });
        renamed.collect()
    }

    /// Pending subscriptions differ in every member, which is one difference.
    fn joined(mut found: Vec<Difference>) -> Vec<Difference> {
        let pending: BTreeSet<String> = found
            .iter()
            .filter(|difference| {
                difference.path == ".response.Subscriptions[].Endpoint"
                    && difference.left == Some("http://127.0.0.1:9/pending".into())
            })
            .map(|difference| difference.question.clone())
            .collect();
        for difference in &mut found {
            if pending.contains(&difference.question) {
                PENDING.clone_into(&mut difference.path);
            }
        }
        found
    }

    fn differing(scenario: &Scenario) -> Vec<Difference> {
        let emulator = Emulator::Ministack;
        let server = emulator.start();
        let provisioned = emulator.provision(&server, scenario);
        let left_out = provisioned.left_out.keys().cloned().collect();
        let management = scenario.organization.management.to_string();
        let made = records(
            &server.endpoint(),
            emulator.management_key(),
            Some(&provisioned),
        );
        let running = Server::start(scenario.organization.clone(), Options::default())
            .expect("a port of the loopback interface is free");
        let simulated = records(&running.url(), &management, None);
        let made = answers(&comparable(made, &left_out, &management));
        let simulated = answers(&comparable(simulated, &left_out, &management));
        assert!(made.len() > 50, "only {} questions", made.len());
        joined(differences(&made, &simulated))
    }

    #[test]
    fn scenarios_that_ministack_can_hold_give_the_same_evidence_from_both() {
        let mut unneeded: Vec<&Accepted> = BY_NATURE.iter().chain(MINISTACK).collect();
        let mut unexpected = String::new();
        for name in [
            "own-trails",
            "filters",
            "alarms",
            "notifications",
            "several-chains",
            "mix",
        ] {
            for difference in differing(&scenario::named(name)) {
                unneeded.retain(|accepted| !accepted.covers(&difference));
                let mut known = BY_NATURE.iter().chain(MINISTACK);
                if !known.any(|accepted| accepted.covers(&difference)) {
                    let _ = writeln!(unexpected, "{name}: {difference}");
                }
            }
        }
        assert!(unexpected.is_empty(), "{unexpected}");
        assert!(unneeded.is_empty(), "nothing differs so: {unneeded:#?}");
    }
}
