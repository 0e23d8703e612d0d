//! What the binary can ask of AWS at all: without the features `remediation` and `publish` nothing
//! that changes or sends something, and with them nothing that `iam-policy` does not name.
//!
//! The proof is in the linked programs. Whatever is called from wherever in the source, its code is
//! there; what is not there cannot be called.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trailproof_core::evidence::{Operation, Permission};
use trailproof_tests::binary::{self, Trailproof};
use xtask::{operations, workspace};

/// How the SDK gets credentials where a profile says so. Signing in changes no resource.
const SIGN_IN: [&str; 4] = [
    "signin:CreateOAuth2Token",
    "sso:GetRoleCredentials",
    "ssooidc:CreateToken",
    "sts:AssumeRoleWithWebIdentity",
];

/// Calls that choose accounts, for `--ou` and `--tag`, or tell whether one is ours, and are no
/// evidence.
const CHOOSE: [&str; 4] = [
    "organizations:DescribeAccount",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListTagsForResource",
];

/// Asked for people who want to write to somebody, with a permission of its own.
const CONTACTS: &str = "account:GetAlternateContact";

/// Tags given to something on its creation need a permission of their own, without a call.
const WITHOUT_A_CALL: [&str; 2] = ["cloudwatch:TagResource", "sns:TagResource"];

/// Needs no permission (AWS STS API Reference).
const WITHOUT_PERMISSION: &str = "sts:GetCallerIdentity";

fn set<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

/// Where Security Hub takes findings (its service model, as botocore has it): asked without a crate
/// of the SDK, so that no symbol tells it, and named in one file of the source.
const IMPORT: &str = "/findings/import";

/// Services that the scanner asks without a crate of the SDK: only calls that are evidence, which
/// its types see to, so that symbols do not tell them.
const WITHOUT_A_CRATE: [&str; 4] = ["events:", "kms:", "oam:", "observabilityadmin:"];

fn operations_of(program: &Path) -> BTreeSet<String> {
    let program = std::fs::read(program)
        .unwrap_or_else(|error| panic!("`{}` is built: {error}", program.display()));
    let evidence = Operation::ALL.iter().map(|operation| operation.as_str());
    let mut operations = operations::of_program(&program);
    operations.extend(set(evidence.filter(|name| {
        WITHOUT_A_CRATE
            .iter()
            .any(|service| name.starts_with(service))
    })));
    operations
}

/// The actions of a policy that `iam-policy` prints.
fn policy(task: &str, who: &str) -> BTreeSet<String> {
    let printed = Trailproof::offline()
        .run(["iam-policy", task, "--who", who])
        .exits(0);
    let policy: Value = serde_json::from_str(&printed.stdout).expect("a policy is JSON");
    policy["Statement"]
        .as_array()
        .expect("a list")
        .iter()
        .flat_map(|statement| statement["Action"].as_array().expect("a list"))
        .map(|action| action.as_str().expect("a word").to_owned())
        .collect()
}

#[test]
fn what_a_binary_can_call_is_what_its_policy_says() {
    // First: see the function.
    let read_only = operations_of(&binary::read_only_path());
    let evidence = Operation::ALL.iter().map(|operation| operation.as_str());
    let expected = set(evidence.chain(CHOOSE).chain(SIGN_IN).chain([CONTACTS]));
    assert_eq!(
        read_only, expected,
        "without the feature `remediation`: only what a scan asks, and contacts"
    );
    let mut help = binary::scrubbed(binary::read_only_path(), Path::new("/"));
    let help = help.arg("--help").output().expect("the binary starts");
    let help = String::from_utf8_lossy(&help.stdout);
    assert!(help.contains("  scan "), "{help}");
    assert!(!help.contains("  fix "), "{help}");
    assert!(!help.contains("  publish "), "{help}");
    assert!(!help.contains("  demo "), "{help}");

    for (program, sends) in [
        (binary::read_only_path(), false),
        (binary::path("trailproof"), true),
    ] {
        let program = std::fs::read(program).expect("the binary is there");
        let mut places = program.windows(IMPORT.len());
        let named = places.any(|bytes| bytes == IMPORT.as_bytes());
        assert_eq!(named, sends, "{IMPORT}");
    }

    let everything = operations_of(&binary::path("trailproof"));
    assert!(everything.is_superset(&read_only));
    let changes: BTreeSet<_> = everything.difference(&read_only).cloned().collect();
    let permitted = |task, who| {
        let mut actions = policy(task, who);
        actions.retain(|action| !WITHOUT_A_CALL.contains(&action.as_str()));
        actions
    };
    let needs_permission = |operations: &BTreeSet<String>| {
        let mut operations = operations.clone();
        operations.retain(|action| {
            !SIGN_IN.contains(&action.as_str())
                && ![WITHOUT_PERMISSION, CONTACTS].contains(&action.as_str())
        });
        operations
    };
    assert_eq!(permitted("scan", "caller"), needs_permission(&read_only));
    let with_contacts = &needs_permission(&read_only) | &set([CONTACTS]);
    assert_eq!(permitted("contacts", "caller"), with_contacts);
    assert_eq!(permitted("contacts", "member"), permitted("scan", "member"));
    assert_eq!(permitted("fix", "caller"), needs_permission(&everything));
    // In the members nobody looks for accounts, enters others or asks about patterns.
    let inside = |operations: &BTreeSet<String>| {
        let mut operations = needs_permission(operations);
        let of_caller = |action: &str| {
            let evidence = action.parse::<Operation>();
            evidence.is_ok_and(|known| {
                let permission = known.definition().permission;
                matches!(permission, Permission::Discover | Permission::Try)
            })
        };
        operations.retain(|action| {
            !action.starts_with("organizations:")
                && !action.starts_with("sts:")
                && !of_caller(action)
        });
        operations
    };
    assert_eq!(permitted("scan", "member"), inside(&read_only));
    // A repair tries its filter's pattern where it puts the filter.
    let mut repairing = inside(&everything);
    repairing.insert("logs:TestMetricFilter".to_owned());
    assert_eq!(permitted("fix", "member"), repairing);
    for who in ["caller", "member"] {
        let mut sending = permitted("scan", who);
        sending.extend(set([
            "securityhub:BatchImportFindings",
            "securityhub:GetFindings",
        ]));
        assert_eq!(permitted("publish", who), sending, "{who}");
    }
    // Both lists could be empty by the same mistake.
    assert!(changes.contains("logs:PutMetricFilter"), "{changes:?}");
}

#[test]
fn calls_that_change_something_are_in_one_place_of_the_source() {
    const CHANGES: [&str; 9] = [
        "put_metric_filter",
        "delete_metric_filter",
        "create_topic",
        "delete_topic",
        "subscribe",
        "unsubscribe",
        "put_metric_alarm",
        "delete_alarms",
        "set_alarm_state",
    ];
    let mut places = Vec::new();
    for name in ["core", "scanner", "report", "cli"] {
        visit(
            &workspace::root().join("crates").join(name).join("src"),
            &mut |path, text| {
                for operation in CHANGES {
                    if text.contains(&format!(".{operation}()")) {
                        places.push(path.to_owned());
                    }
                }
            },
        );
    }
    assert_eq!(places.len(), CHANGES.len(), "{places:?}");
    let only = workspace::root().join("crates/report/src/remediation/resources");
    assert!(
        places.iter().all(|place| place.starts_with(&only)),
        "{places:?}"
    );

    let lib = workspace::root().join("crates/report/src/lib.rs");
    let lib = std::fs::read_to_string(lib).expect("it is there");
    assert!(lib.contains("#[cfg(feature = \"remediation\")]\npub mod remediation;"));
}

#[test]
fn what_needs_no_client_is_sent_from_one_place_of_the_source() {
    let mut places = Vec::new();
    for name in ["core", "scanner", "report", "cli"] {
        let folder = workspace::root().join("crates").join(name).join("src");
        visit(&folder, &mut |path, text| {
            if text.contains(".send_json(") || text.contains(IMPORT) {
                places.push(path.to_owned());
            }
        });
    }
    let only = workspace::root().join("crates/report/src/publish/hub.rs");
    assert_eq!(places, [only]);
    let lib = workspace::root().join("crates/report/src/lib.rs");
    let lib = std::fs::read_to_string(lib).expect("it is there");
    assert!(lib.contains("#[cfg(feature = \"publish\")]\npub mod publish;"));
}

fn visit(folder: &Path, see: &mut impl FnMut(&PathBuf, &str)) {
    for entry in
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            see(&path, &std::fs::read_to_string(&path).expect("it is text"));
        }
    }
}
