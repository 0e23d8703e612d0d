//! The scenario files: organizations with their expected verdicts, and how findings compare with
//! them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use trailproof_core::account::AccountId;
use trailproof_core::finding::{Finding, LinkName, Status};
use trailproof_simulator::Scenario;
use trailproof_simulator::model::Expected;
use xtask::workspace;

/// Every scenario, by the name of its file without the ending.
///
/// # Panics
///
/// When a file cannot be read or is not a scenario.
pub fn all() -> BTreeMap<String, Scenario> {
    let folder = workspace::root().join("tests/scenarios");
    let scenarios: BTreeMap<_, _> = fs::read_dir(&folder)
        .expect("the folder of scenarios is there")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            let name = path.file_stem().expect("a file has a name");
            let name = name.to_string_lossy().into_owned();
            (name.clone(), named(&name))
        })
        .collect();
    assert!(!scenarios.is_empty(), "there are no scenarios");
    scenarios
}

/// One scenario by the name of its file without the ending.
///
/// # Panics
///
/// When the file cannot be read or is not a scenario.
#[track_caller]
pub fn named(name: &str) -> Scenario {
    let file = format!("tests/scenarios/{name}.toml");
    let text = fs::read_to_string(workspace::root().join(&file))
        .unwrap_or_else(|error| panic!("{file}: {error}"));
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What a finding has to agree on with an expected verdict, whoever made the finding.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// By the worse of the two yardsticks.
    pub status: String,
    /// By the benchmark's letter.
    pub cis: String,
    /// Whether the message would arrive.
    pub effective: String,
    /// The link that breaks.
    pub broken_link: Option<String>,
    /// The reason code.
    pub reason: Option<String>,
    /// The codes of observations.
    pub observations: Vec<String>,
    /// The sentence.
    pub message: String,
}

impl From<&Finding> for Verdict {
    fn from(finding: &Finding) -> Self {
        Self {
            status: finding.status.to_string(),
            cis: finding.assurance.cis.to_string(),
            effective: finding.assurance.effective.to_string(),
            broken_link: finding.broken_link.map(|link| link.to_string()),
            reason: finding.reason.as_deref().map(str::to_owned),
            observations: finding
                .observations
                .iter()
                .map(|observation| observation.code.clone())
                .collect(),
            message: finding.message.to_string(),
        }
    }
}

impl From<&serde_json::Value> for Verdict {
    /// Of an entry of `findings` in findings.json.
    fn from(finding: &serde_json::Value) -> Self {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        Self {
            status: text(&finding["status"]).unwrap_or_default(),
            cis: text(&finding["assurance"]["cis"]).unwrap_or_default(),
            effective: text(&finding["assurance"]["effective"]).unwrap_or_default(),
            broken_link: text(&finding["broken_link"]),
            reason: text(&finding["reason"]),
            observations: finding["observations"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|observation| text(&observation["code"]))
                .collect(),
            message: text(&finding["message"]).unwrap_or_default(),
        }
    }
}

/// The findings by account and control.
pub type Verdicts = BTreeMap<(String, String), Verdict>;

/// Every way in which verdicts differ from what accounts expect, one per line; empty when they
/// agree. Accounts without an expectation are not looked at, but there must be some with.
pub fn differences<'a>(
    expected: impl IntoIterator<Item = (String, &'a str, &'a [Expected])>,
    verdicts: &Verdicts,
) -> String {
    let mut text = String::new();
    for (id, name, expectations) in expected {
        for expectation in expectations {
            let key = (id.clone(), expectation.control.clone());
            let Some(verdict) = verdicts.get(&key) else {
                let _ = writeln!(text, "{id} ({name}): no finding");
                continue;
            };
            let differs = mismatches(expectation, verdict);
            if !differs.is_empty() {
                let _ = writeln!(
                    text,
                    "{id} ({name}): {}\n    found {} (cis {}, effective {}) at {}, {}: {}",
                    differs.join(", "),
                    verdict.status,
                    verdict.cis,
                    verdict.effective,
                    verdict.broken_link.as_deref().unwrap_or("no link"),
                    verdict.reason.as_deref().unwrap_or("no reason"),
                    verdict.message,
                );
            }
        }
    }
    text
}

fn mismatches(expected: &Expected, verdict: &Verdict) -> Vec<String> {
    let mut differs = Vec::new();
    let mut compare = |what: &str, expected: Option<&str>, found: Option<&str>| {
        if expected.is_some() && expected != found {
            differs.push(format!("expected {what} {}", expected.unwrap_or_default()));
        }
    };
    compare(
        "status",
        Some(expected.status.as_str()),
        Some(&verdict.status),
    );
    // A yardstick that is not named agrees with a status of PASS.
    let both = (expected.status == Status::Pass).then_some(Status::Pass);
    let cis = expected.cis.or(both).map(Status::as_str);
    compare("cis", cis, Some(&verdict.cis));
    let effective = expected.effective.or(both).map(Status::as_str);
    compare("effective", effective, Some(&verdict.effective));
    let link = expected.broken_link.map(LinkName::as_str);
    compare("broken link", link, verdict.broken_link.as_deref());
    compare(
        "reason",
        expected.reason.as_deref(),
        verdict.reason.as_deref(),
    );
    if expected.status == Status::Pass {
        if let Some(link) = &verdict.broken_link {
            differs.push(format!("a PASS has no broken link, found {link}"));
        }
    } else if expected.status != Status::NotApplicable && verdict.broken_link.is_none() {
        differs.push("a broken link".to_owned());
    }
    for code in &expected.observations {
        if !verdict.observations.contains(code) {
            differs.push(format!("expected the observation {code}"));
        }
    }
    for code in &expected.no_observations {
        if verdict.observations.contains(code) {
            differs.push(format!("no observation {code}"));
        }
    }
    differs
}

/// The expectations of a scenario, for [`differences`].
pub fn expectations(scenario: &Scenario) -> Vec<(String, &str, &[Expected])> {
    scenario
        .organization
        .accounts()
        .iter()
        .map(|account| {
            (
                account.id.to_string(),
                account.name.as_str(),
                account.expected.as_slice(),
            )
        })
        .collect()
}

/// Findings as [`differences`] wants them.
pub fn verdicts(findings: &[Finding]) -> Verdicts {
    findings
        .iter()
        .map(|finding| {
            let key = (finding.account.id.to_string(), finding.control.id.clone());
            (key, Verdict::from(finding))
        })
        .collect()
}

/// Findings of findings.json as [`differences`] wants them.
///
/// # Panics
///
/// When the document has no findings.
#[track_caller]
pub fn verdicts_of_document(document: &serde_json::Value) -> Verdicts {
    document["findings"]
        .as_array()
        .expect("findings is a list")
        .iter()
        .map(|finding| {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let key = (
                text(&finding["account"]["id"]),
                text(&finding["control"]["id"]),
            );
            (key, Verdict::from(finding))
        })
        .collect()
}

/// The account id, for tests that write it as text.
///
/// # Panics
///
/// When it is none.
#[track_caller]
pub fn account(id: &str) -> AccountId {
    id.parse().expect("an account id")
}
