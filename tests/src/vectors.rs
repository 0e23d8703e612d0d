//! The published vectors in `tests/vectors`: evidence, and what it has to be judged, for whoever
//! judges evidence with a program of their own. They are made from scenarios, whose verdicts were
//! written by hand. `tests/vectors/README.md` describes the files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use trailproof_core::RULES;
use trailproof_core::control;
use trailproof_core::evaluate::evaluate;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::{Finding, LinkName};
use trailproof_core::policy::Policy;
use trailproof_simulator::Sweep;
use trailproof_simulator::scenario::PolicyChanges;
use xtask::workspace;

use crate::scenario;

/// The version of the layout of `findings.json` of a vector.
const FORMAT: u32 = 1;

/// The control that every vector is about.
const CONTROL: &str = "console-auth-failures";

/// The scenarios that are published: of those that are judged by the policy that holds without any
/// setting, the ones that show most in a megabyte.
const PUBLISHED: [&str; 11] = [
    "alarms",
    "china",
    "delegated-administrator",
    "delegated-administrator-broken",
    "filters",
    "organization-filters",
    "organization-trail",
    "organization-trail-broken",
    "organization-trail-owner-hidden",
    "other-shapes",
    "telemetry-rules",
];

/// The files of all vectors, by their place in the folder.
pub type Files = BTreeMap<String, String>;

/// Where they are.
pub fn folder() -> PathBuf {
    workspace::root().join("tests/vectors")
}

/// The policy that vectors are judged by.
///
/// # Panics
///
/// When the control is not built in.
pub fn policy() -> Policy {
    let controls = control::select(control::builtin(), &[CONTROL.to_owned()]);
    Policy::new(controls.expect("it is built in"))
}

/// Makes every vector.
///
/// # Panics
///
/// When a scenario is missing, has a policy of its own, or is not judged as it says.
pub fn made() -> Files {
    let policy = policy();
    let mut files = Files::new();
    for name in PUBLISHED {
        let scenario = scenario::named(name);
        assert_eq!(scenario.policy, PolicyChanges::default(), "{name}");
        let scan = scenario.organization.scan(&policy, Sweep::Adaptive);
        let scan = scan.expect("every answer can be read");
        let findings = evaluate(&scan.evidence, &policy);
        let expected = scenario::expectations(&scenario);
        let differences = scenario::differences(expected, &scenario::verdicts(&findings));
        assert!(differences.is_empty(), "{name}: {differences}");
        let mut evidence = String::new();
        for record in &scan.records {
            let record = serde_json::to_string(record).expect("a record can be written");
            let _ = writeln!(evidence, "{record}");
        }
        files.insert(format!("{name}/evidence.ndjson"), evidence);
        files.insert(
            format!("{name}/findings.json"),
            written(&scenario.title, &findings),
        );
    }
    files
}

/// The vectors as they are checked in.
///
/// # Panics
///
/// When a file cannot be read.
pub fn present() -> Files {
    let mut files = Files::new();
    for vector in fs::read_dir(folder()).expect("the folder is there") {
        let vector = vector.expect("an entry").path();
        if !vector.is_dir() {
            continue;
        }
        for file in fs::read_dir(&vector).expect("a folder") {
            let file = file.expect("an entry").path();
            let place = file.strip_prefix(folder()).expect("it lies there");
            let text = fs::read_to_string(&file).expect("text");
            files.insert(place.to_string_lossy().into_owned(), text);
        }
    }
    files
}

/// Puts vectors into the folder, in the place of all that are there.
///
/// # Panics
///
/// When a file cannot be written.
pub fn write(files: &Files) {
    for place in present().keys() {
        fs::remove_file(folder().join(place)).expect("it can be removed");
    }
    for (place, text) in files {
        let file = folder().join(place);
        let parent = file.parent().expect("it lies in a folder");
        fs::create_dir_all(parent).expect("a folder can be made");
        fs::write(file, text).expect("it can be written");
    }
}

/// Judges the evidence of a vector, as a program does that knows nothing but the files.
///
/// # Panics
///
/// When the evidence cannot be read.
pub fn judged(title: &str, evidence: &str) -> String {
    let reading = Evidence::read(evidence.as_bytes()).expect("it can be read");
    written(title, &evaluate(&reading.evidence, &policy()))
}

/// What a vector says of findings, one to a line.
fn written(title: &str, findings: &[Finding]) -> String {
    let findings: Vec<String> = findings
        .iter()
        .map(|finding| told(finding).to_string())
        .collect();
    format!(
        "{{\n\"format\": {FORMAT},\n\"title\": {},\n\"rules\": {RULES},\n\"benchmark\": \"{}\",\n\"findings\": [\n{}\n]\n}}\n",
        Value::from(title),
        Policy::DEFAULT_BENCHMARK,
        findings.join(",\n")
    )
}

fn told(finding: &Finding) -> Value {
    let chain: Map<String, Value> = finding
        .chain
        .iter()
        .map(|link| (link.link.as_str().to_owned(), link.status.as_str().into()))
        .collect();
    json!({
        "account": finding.account.id.to_string(),
        "control": finding.control.id,
        "status": finding.status.as_str(),
        "assurance": {
            "cis": finding.assurance.cis.as_str(),
            "effective": finding.assurance.effective.as_str(),
        },
        "broken_link": finding.broken_link.map(LinkName::as_str),
        "reason": finding.reason.as_deref(),
        "chain": chain,
    })
}
