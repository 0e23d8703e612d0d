//! `findings.asff.json`: the AWS Security Finding Format, ready for Security Hub.
//!
//! The file is an array of requests for `securityhub:BatchImportFindings`, each with at most 100
//! findings. With the default product of an account, Security Hub takes findings only from the
//! account that they are about, so a request never mixes accounts: the first finding of each says
//! in whose name it has to be sent, and to which region. The field limits are those of the
//! `AwsSecurityFinding` documentation.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trailproof_core::account::{AccountId, Partition, Region};
use trailproof_core::control::Control;
use trailproof_core::finding::{ChainLink, Finding, LinkName, Status};

use super::{controls, json_array};
use crate::format::{Format, Report};
use crate::run::Run;
use crate::untrusted::shortened;

/// The format `asff`.
#[derive(Debug)]
pub struct Asff {
    region: Option<Region>,
}

impl Asff {
    /// For the Security Hub of the partition's home region.
    pub const HOME: Self = Self { region: None };

    /// For the Security Hub of a region; without one as [`Self::HOME`].
    pub fn in_region(region: Option<Region>) -> Self {
        Self { region }
    }
}

/// The most findings that one request takes (Security Hub Partner Integration Guide, "Guidelines
/// for using the `BatchImportFindings` API").
const BATCH: usize = 100;

/// The most bytes that the findings of one request may have (there): 6 MB.
const BATCH_BYTES: usize = 6_000_000;

/// The most bytes that one finding may have (Security Hub API Reference, `BatchImportFindings`):
/// 240 kB.
pub const FINDING_BYTES: usize = 240_000;

/// How the ids of our findings begin, and the names of what generates them.
pub const PREFIX: &str = "trailproof/";

impl Format for Asff {
    fn name(&self) -> &'static str {
        "asff"
    }

    fn file_name(&self) -> &'static str {
        "findings.asff.json"
    }

    fn description(&self) -> &'static str {
        "requests for BatchImportFindings of AWS Security Hub"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let writer = Writer::new(report.run, self.region.clone());
        let written = |findings: &[Finding]| {
            let findings = findings.iter().map(|finding| writer.finding(finding));
            requests(findings.collect())
        };
        json_array(out, |element| {
            report.findings.try_each_account(|findings| {
                let mut requests = written(findings).into_iter();
                requests.try_for_each(|findings| element(json!({ "Findings": findings })))
            })
        })
    }
}

/// Findings of one account in as few requests as they fit into.
pub fn requests(findings: Vec<Value>) -> Vec<Vec<Value>> {
    let mut requests: Vec<Vec<Value>> = Vec::new();
    let mut bytes = 0;
    for finding in findings {
        let length = finding.to_string().len() + 1;
        match requests.last_mut() {
            Some(last) if last.len() < BATCH && bytes + length <= BATCH_BYTES => {
                bytes += length;
                last.push(finding);
            }
            _ => {
                bytes = length;
                requests.push(vec![finding]);
            }
        }
    }
    requests
}

/// The id of a finding in Security Hub, the same for every run.
pub fn id(finding: &Finding) -> String {
    limited(&format!("{PREFIX}{}", finding.id), 512)
}

/// Writes findings of a report as Security Hub takes them.
#[derive(Debug)]
pub struct Writer<'a> {
    run: &'a Run,
    controls: BTreeMap<&'a str, &'a Control>,
    partition: Partition,
    region: Region,
}

/// What is sent again of a finding that is put away: what an import needs
/// (`AwsSecurityFinding`), and what it says of itself.
const ARCHIVED: [&str; 15] = [
    "SchemaVersion",
    "Id",
    "ProductArn",
    "ProductName",
    "CompanyName",
    "GeneratorId",
    "AwsAccountId",
    "Region",
    "FindingProviderFields",
    "CreatedAt",
    "Title",
    "Description",
    "Resources",
    "Compliance",
    "ProductFields",
];

impl<'a> Writer<'a> {
    /// For the Security Hub of a region; without one for that of the partition's home region.
    pub fn new(run: &'a Run, region: Option<Region>) -> Self {
        let partition = run.scope.partition.unwrap_or(Partition::Aws);
        Self {
            run,
            controls: controls(run),
            partition,
            region: region.unwrap_or_else(|| partition.home_region()),
        }
    }

    /// Whose Security Hub it is for.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The time that every finding is of: Security Hub takes only what is newer than what it has.
    pub fn updated_at(&self) -> Timestamp {
        self.run.policy.evaluated_at
    }

    /// The product that an account's own findings are of.
    pub fn product_arn(&self, account: AccountId) -> String {
        let Self {
            partition, region, ..
        } = self;
        format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default")
    }

    /// A finding that Security Hub has and this report has not, put away.
    pub fn archived(&self, stored: &Value) -> Value {
        let known = |name: &&str| Some(((*name).to_owned(), stored.get(*name)?.clone()));
        let mut fields: Map<String, Value> = ARCHIVED.iter().filter_map(known).collect();
        let at = json!(self.updated_at().to_string());
        fields.insert("UpdatedAt".to_owned(), at);
        fields.insert("RecordState".to_owned(), json!("ARCHIVED"));
        Value::Object(fields)
    }

    /// A finding of the report.
    pub fn finding(&self, finding: &Finding) -> Value {
        let control = self.controls.get(finding.control.id.as_str()).copied();
        let account = finding.account.id;
        let region = &self.region;
        let evaluated = self.updated_at().to_string();
        let severity = match finding.status {
            Status::Fail | Status::Unknown => {
                finding.control.severity.as_str().to_ascii_uppercase()
            }
            _ => "INFORMATIONAL".to_owned(),
        };
        let number = finding.control.number.as_deref().unwrap_or_default();
        let title = format!("{number} {}", finding.control.title);
        let mut value = json!({
            "SchemaVersion": "2018-10-08",
            "Id": id(finding),
            "ProductArn": self.product_arn(account),
            "ProductName": "trailproof",
            "CompanyName": "trailproof",
            "GeneratorId": limited(&format!("{PREFIX}{}", finding.control.id), 512),
            "AwsAccountId": account,
            "Region": region,
            "FindingProviderFields": {
                "Severity": { "Label": severity, "Original": finding.status.as_str() },
                "Types": ["Software and Configuration Checks/Industry and Regulatory Standards/CIS AWS Foundations Benchmark"],
            },
            "CreatedAt": evaluated,
            "UpdatedAt": evaluated,
            "Title": limited(title.trim(), 256),
            "Description": limited(&finding.message, 1024),
            "Resources": resources(finding, self.partition, region),
            "Compliance": compliance(finding, control),
            "ProductFields": product_fields(self.run, finding),
            "RecordState": if finding.status == Status::NotApplicable { "ARCHIVED" } else { "ACTIVE" },
        });
        let Some(fields) = value.as_object_mut() else {
            return value;
        };
        if let Some(observed) = finding.observed_at {
            fields.insert("LastObservedAt".to_owned(), json!(observed.to_string()));
        }
        if let Some(remediation) = &finding.remediation {
            let text = limited(&remediation.summary, 512);
            fields.insert(
                "Remediation".to_owned(),
                json!({ "Recommendation": { "Text": text } }),
            );
        }
        if finding.muted.is_some() {
            // Counts when the finding is new; Security Hub leaves it alone afterwards.
            fields.insert("Workflow".to_owned(), json!({ "Status": "SUPPRESSED" }));
        }
        value
    }
}

/// The account, and what the chain is made of.
fn resources(finding: &Finding, partition: Partition, region: &Region) -> Vec<Value> {
    let mut resources = vec![json!({
        "Type": "AwsAccount",
        "Id": format!("AWS::::Account:{}", finding.account.id),
        "Partition": partition,
        "Region": region,
    })];
    for link in &finding.chain {
        let Some(resource) = link
            .resource
            .as_deref()
            .filter(|text| !text.trim().is_empty())
        else {
            continue;
        };
        let id = limited(resource, 512);
        if resources
            .iter()
            .any(|known| known.get("Id").and_then(Value::as_str) == Some(&id))
        {
            continue;
        }
        let mut value = json!({ "Type": resource_type(link), "Id": id, "Partition": partition });
        if let (Some(fields), Some(region)) = (value.as_object_mut(), &link.region) {
            fields.insert("Region".to_owned(), json!(region));
        }
        resources.push(value);
    }
    resources
}

fn resource_type(link: &ChainLink) -> &'static str {
    match link.link {
        LinkName::Trail | LinkName::Logging | LinkName::Selectors => "AwsCloudTrailTrail",
        LinkName::Alarm => "AwsCloudWatchAlarm",
        LinkName::Topic => "AwsSnsTopic",
        LinkName::Account
        | LinkName::LogGroup
        | LinkName::Delivery
        | LinkName::MetricFilter
        | LinkName::Metric
        | LinkName::Action
        | LinkName::Subscription => "Other",
    }
}

fn compliance(finding: &Finding, control: Option<&Control>) -> Value {
    let mut related: Vec<String> = Vec::new();
    if let Some(number) = &finding.control.number {
        related.push(format!("{}/{number}", finding.control.benchmark));
    }
    if let Some(control) = control {
        let hub = control
            .security_hub
            .iter()
            .flat_map(|hub| hub.requirements.iter().cloned());
        let mapped = control.mappings.iter().flat_map(|mapping| {
            mapping
                .requirements
                .iter()
                .map(|requirement| format!("{} {requirement}", mapping.framework))
        });
        for requirement in hub.chain(mapped) {
            if related.len() < 32 && !related.contains(&requirement) {
                related.push(requirement);
            }
        }
    }
    let mut value = json!({
        "Status": match finding.status {
            Status::Pass => "PASSED",
            Status::Fail => "FAILED",
            Status::Unknown => "WARNING",
            Status::Muted => match finding.muted.as_ref().map(|muted| muted.status) {
                Some(Status::Unknown) => "WARNING",
                _ => "FAILED",
            },
            Status::Attested => match finding.attested.as_ref().map(|by| by.status) {
                Some(Status::Unknown) => "WARNING",
                _ => "FAILED",
            },
            Status::NotApplicable => "NOT_AVAILABLE",
        },
    });
    if let Some(fields) = value.as_object_mut() {
        if !related.is_empty() {
            fields.insert("RelatedRequirements".to_owned(), json!(related));
        }
        if let Some(hub) = control.and_then(|control| control.security_hub.as_ref()) {
            fields.insert("SecurityControlId".to_owned(), json!(hub.control));
        }
        if let Some(reason) = &finding.reason {
            let reasons = json!([{
                "ReasonCode": limited(reason, 256),
                "Description": limited(&finding.message, 2048),
            }]);
            fields.insert("StatusReasons".to_owned(), reasons);
        }
    }
    value
}

/// What the format has no field for: at most 50 pairs of at most 128 and 2,048 characters.
fn product_fields(run: &Run, finding: &Finding) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |key: &str, value: &str| {
        if !value.trim().is_empty() {
            fields.insert(format!("trailproof/{key}"), json!(limited(value, 2048)));
        }
    };
    put("Version", &run.tool.version);
    put("Status", finding.status.as_str());
    put("Assurance/CIS", finding.assurance.cis.as_str());
    put("Assurance/Effective", finding.assurance.effective.as_str());
    put("Reason", finding.reason.as_deref().unwrap_or_default());
    put(
        "BrokenLink",
        finding.broken_link.map_or("", LinkName::as_str),
    );
    put(
        "AccountName",
        finding.account.name.as_deref().unwrap_or_default(),
    );
    put(
        "OrganizationalUnit",
        finding.account.ou_path.as_deref().unwrap_or_default(),
    );
    put(
        "OrganizationalUnitNames",
        &finding.account.unit_names().unwrap_or_default(),
    );
    for link in &finding.chain {
        put(&format!("Chain/{}", link.link), &link.detail);
    }
    if let Some(muted) = &finding.muted {
        put("Mute/Justification", &muted.justification);
        put("Mute/Owner", &muted.owner);
        put("Mute/Expires", &muted.expires.to_string());
    }
    fields
}

/// Text within the limit of a field, which must not be blank.
fn limited(text: &str, characters: usize) -> String {
    let text = shortened(text, characters);
    if text.trim().is_empty() {
        "-".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    #[test]
    fn requests_do_not_mix_accounts() {
        let sample = sample::organization();
        let value: Value = serde_json::from_str(&sample.render(&Asff::HOME)).unwrap();
        let requests = value.as_array().unwrap();
        assert_eq!(requests.len(), 4);
        for request in requests {
            let findings = request["Findings"].as_array().unwrap();
            assert_eq!(findings.len(), 2);
            assert_eq!(findings[0]["AwsAccountId"], findings[1]["AwsAccountId"]);
        }
        let statuses: Vec<_> = requests
            .iter()
            .flat_map(|request| request["Findings"].as_array().unwrap())
            .map(|finding| finding["Compliance"]["Status"].as_str().unwrap())
            .collect();
        assert_eq!(
            statuses,
            [
                "PASSED",
                "FAILED",
                "PASSED",
                "WARNING",
                "FAILED",
                "PASSED",
                "NOT_AVAILABLE",
                "NOT_AVAILABLE"
            ]
        );
        assert_eq!(
            requests[2]["Findings"][0]["Workflow"]["Status"],
            "SUPPRESSED"
        );
        assert_eq!(
            requests[0]["Findings"][1]["Compliance"]["SecurityControlId"],
            "CloudWatch.1"
        );
    }

    #[test]
    fn a_request_has_at_most_a_hundred_findings() {
        let mut sample = sample::organization();
        let first = sample.findings[0].clone();
        sample.findings = vec![first; 250];
        let value: Value = serde_json::from_str(&sample.render(&Asff::HOME)).unwrap();
        let sizes: Vec<_> = value
            .as_array()
            .unwrap()
            .iter()
            .map(|request| request["Findings"].as_array().unwrap().len())
            .collect();
        assert_eq!(sizes, [100, 100, 50]);
    }

    #[test]
    fn a_request_has_at_most_six_megabytes() {
        let large = json!({ "Description": "x".repeat(200_000) });
        let sizes: Vec<_> = requests(vec![large; 70]).iter().map(Vec::len).collect();
        assert_eq!(sizes, [29, 29, 12]);
        assert!(requests(Vec::new()).is_empty());
    }

    #[test]
    fn findings_are_of_the_region_that_is_asked_for() {
        let sample = sample::organization();
        let of = |format: &Asff| {
            let value: Value = serde_json::from_str(&sample.render(format)).unwrap();
            let finding = &value[0]["Findings"][0];
            [&finding["Region"], &finding["ProductArn"]]
                .map(|text| text.as_str().unwrap().to_owned())
        };
        let [region, product] = of(&Asff::in_region(Some(Region::new("eu-west-1"))));
        assert_eq!(region, "eu-west-1");
        assert!(product.contains(":securityhub:eu-west-1:"), "{product}");
        assert_eq!(of(&Asff::HOME)[0], "us-east-1");
    }

    #[test]
    fn hostile_names_stay_within_the_limits() {
        let sample = sample::hostile();
        let value: Value = serde_json::from_str(&sample.render(&Asff::HOME)).unwrap();
        for request in value.as_array().unwrap() {
            let finding = &request["Findings"][0];
            assert!(finding["Description"].as_str().unwrap().chars().count() <= 1024);
            assert!(
                finding["Compliance"]["RelatedRequirements"]
                    .as_array()
                    .unwrap()
                    .len()
                    <= 32
            );
            assert!(finding["ProductFields"].as_object().unwrap().len() <= 50);
        }
    }
}
