//! `findings.ocsf.json`: an array of Compliance Findings (class 2003) of the Open Cybersecurity
//! Schema Framework, with the cloud profile. What the class has no attribute for is under
//! `unmapped`, in the words of `findings.json`.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Value, json};
use trailproof_core::account::Partition;
use trailproof_core::control::{Control, Severity};
use trailproof_core::finding::{Finding, Status};

use super::{controls, json_array};
use crate::document::FindingRecord;
use crate::format::{Format, Report};

/// The version of the schema that is written.
const SCHEMA: &str = "1.8.0";

/// The format `ocsf`.
#[derive(Debug)]
pub struct Ocsf;

impl Format for Ocsf {
    fn name(&self) -> &'static str {
        "ocsf"
    }

    fn file_name(&self) -> &'static str {
        "findings.ocsf.json"
    }

    fn description(&self) -> &'static str {
        "OCSF Compliance Findings, for security lakes"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let controls = controls(report.run);
        json_array(out, |element| {
            report.findings.try_each(|finding| {
                let control = controls.get(finding.control.id.as_str()).copied();
                element(event(report, finding, control))
            })
        })
    }
}

fn event(report: &Report<'_>, finding: &Finding, control: Option<&Control>) -> Value {
    let run = report.run;
    let partition = run.scope.partition.unwrap_or(Partition::Aws);
    let time = run.policy.evaluated_at.as_millisecond();
    let (severity_id, severity) = severity(finding);
    let (status_id, status) = match finding.status {
        Status::Attested | Status::Muted => (3, "Suppressed"),
        Status::Pass | Status::NotApplicable => (4, "Resolved"),
        Status::Fail | Status::Unknown => (1, "New"),
    };
    let mut event = json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200_301,
        "type_name": "Compliance Finding: Create",
        "time": time,
        "message": finding.message,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "metadata": {
            "version": SCHEMA,
            "profiles": ["cloud"],
            "product": {
                "name": run.tool.name,
                "vendor_name": "trailproof",
                "version": run.tool.version,
            },
        },
        "cloud": {
            "provider": "AWS",
            "account": {
                "uid": finding.account.id,
                "name": finding.account.name,
                "type": "AWS Account",
                "type_id": 10,
            },
            "org": run.scope.organization.as_ref().map(|organization| json!({
                "uid": organization.id,
                "ou_uid": finding.account.ou_path,
                "ou_name": finding.account.unit_names(),
            })),
        },
        "finding_info": {
            "uid": finding.id,
            "title": finding.control.title,
            "desc": finding.message,
            "created_time": time,
            "last_seen_time": finding.observed_at.map(Timestamp::as_millisecond),
            "types": ["Software and Configuration Checks"],
        },
        "compliance": compliance(finding, control),
        "remediation": finding.remediation.as_ref().map(|remediation| json!({
            "desc": remediation.summary,
        })),
        "resources": resources(finding, partition),
        "unmapped": FindingRecord::from(finding),
    });
    remove_null(&mut event);
    event
}

fn severity(finding: &Finding) -> (u8, &'static str) {
    match (finding.status, finding.control.severity) {
        (Status::Pass | Status::NotApplicable | Status::Attested | Status::Muted, _)
        | (_, Severity::Informational) => (1, "Informational"),
        (_, Severity::Low) => (2, "Low"),
        (_, Severity::Medium) => (3, "Medium"),
        (_, Severity::High) => (4, "High"),
        (_, Severity::Critical) => (5, "Critical"),
    }
}

/// The verdict before attestations and mutes.
fn without_exceptions(finding: &Finding) -> Status {
    let attested = finding.attested.as_ref().map(|attested| attested.status);
    let muted = finding.muted.as_ref().map(|muted| muted.status);
    attested.or(muted).unwrap_or(finding.status)
}

fn compliance(finding: &Finding, control: Option<&Control>) -> Value {
    let verdict = without_exceptions(finding);
    let (status_id, status) = match verdict {
        Status::Pass => (1, "Pass"),
        Status::Unknown => (2, "Warning"),
        Status::Fail => (3, "Fail"),
        Status::Attested | Status::Muted | Status::NotApplicable => (99, "Not applicable"),
    };
    let mapped = control
        .map(|control| control.mappings.as_slice())
        .unwrap_or_default();
    let mut standards = vec![finding.control.benchmark.as_str()];
    for mapping in mapped {
        if !standards.contains(&mapping.framework.as_str()) {
            standards.push(&mapping.framework);
        }
    }
    let mut requirements: Vec<String> = finding.control.number.iter().cloned().collect();
    for mapping in mapped {
        for requirement in &mapping.requirements {
            let requirement = format!("{} {requirement}", mapping.framework);
            if !requirements.contains(&requirement) {
                requirements.push(requirement);
            }
        }
    }
    json!({
        "control": finding.control.id,
        "desc": control.map(|control| control.description.as_str()),
        "standards": standards,
        "requirements": requirements,
        "status_id": status_id,
        "status": status,
        "status_code": finding.reason,
    })
}

/// The account, and what the chain is made of.
fn resources(finding: &Finding, partition: Partition) -> Vec<Value> {
    let account = json!({
        "uid": finding.account.id,
        "name": finding.account.name,
        "type": "AWS::Organizations::Account",
        "cloud_partition": partition,
    });
    let links = finding.chain.iter().filter_map(|link| {
        let resource = link.resource.as_deref()?;
        Some(json!({
            "uid": resource,
            "type": link.link.as_str(),
            "region": link.region,
            "cloud_partition": partition,
        }))
    });
    let mut resources = vec![account];
    for link in links {
        if !resources
            .iter()
            .any(|known| known.get("uid") == link.get("uid"))
        {
            resources.push(link);
        }
    }
    resources
}

/// Leaves out what is not known: the schema has no null. What is unmapped stays as it is.
fn remove_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            for (name, member) in members.iter_mut() {
                if name != "unmapped" {
                    remove_null(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(remove_null),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    #[test]
    fn every_finding_is_an_event() {
        let sample = sample::organization();
        let value: Value = serde_json::from_str(&sample.render(&Ocsf)).unwrap();
        let events = value.as_array().unwrap();
        assert_eq!(events.len(), 8);
        let statuses: Vec<_> = events
            .iter()
            .map(|event| event["compliance"]["status_id"].as_u64().unwrap())
            .collect();
        assert_eq!(statuses, [1, 3, 1, 2, 3, 1, 99, 99]);
        assert_eq!(events[4]["status_id"], 3, "a muted finding is suppressed");
        assert_eq!(events[1]["severity_id"], 2);
        assert_eq!(events[0]["severity_id"], 1);
        assert!(
            events[0].get("remediation").is_none(),
            "the schema has no null"
        );
        assert_eq!(
            events[1]["unmapped"]["chain"].as_array().unwrap().len(),
            trailproof_core::finding::LinkName::CHAIN.len()
        );
    }

    #[test]
    fn hostile_names_are_data() {
        let sample = sample::hostile();
        let text = sample.render(&Ocsf);
        assert!(!text.contains('\u{1b}'));
        let value: Value = serde_json::from_str(&text).unwrap();
        for (event, finding) in value.as_array().unwrap().iter().zip(&sample.findings) {
            assert_eq!(event["message"], *finding.message);
        }
    }
}
