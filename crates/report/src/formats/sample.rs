//! Reports for the tests of the formats: an organization with every status, and one whose names
//! were chosen by somebody who wishes the reader ill.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use trailproof_core::account::Region;
use trailproof_core::control::builtin;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::{
    AccountSummary, AssuranceResult, ChainLink, Finding, LinkName, LinkStatus, MutedBy,
    Observation, Remediation, Status,
};
use trailproof_core::policy::Policy;
use trailproof_core::remedy::Command;

use crate::findings::Findings;
use crate::format::{Format, Report};
use crate::run::{PolicyRecord, Run, RunKind, Scope};

pub(crate) struct Sample {
    pub(crate) run: Run,
    pub(crate) findings: Vec<Finding>,
}

impl Sample {
    pub(crate) fn render(&self, format: &dyn Format) -> String {
        let mut out = Vec::new();
        self.with_report(|report| format.write(report, &mut out))
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    pub(crate) fn with_report<T>(&self, look: impl FnOnce(&Report<'_>) -> T) -> T {
        look(&Report {
            run: &self.run,
            findings: &Findings::kept(&self.findings),
            evidence: &Evidence::default(),
        })
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-22T22:00:00Z".parse().unwrap()
}

fn run() -> Run {
    let controls = builtin()
        .iter()
        .filter(|control| ["console-auth-failures", "root-usage"].contains(&control.id.as_str()))
        .rev()
        .cloned()
        .collect();
    let policy = PolicyRecord::of(&Policy::new(controls), now(), |_| true);
    let mut run = Run::start(RunKind::Scan, Scope::default(), policy, now());
    run.finished_at = Some(now());
    run.complete = true;
    run
}

/// Names that are formulas, markup, terminal escapes, or merely long.
pub(crate) const HOSTILE: [&str; 12] = [
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"><img src=x onerror=alert(1)>",
    "a\u{1b}[31mred\u{1b}]0;title\u{7}",
    "user\u{202e}gpj.exe\u{2066}",
    "line one\nline two\r\n| a | b |\n# heading",
    "]]> & \u{0}\u{fffe}\u{2028}",
    "[link](javascript:alert(1)) `code` **bold** @everyone https://evil.example |",
    "{{7*7}} ${7*7} %s %n ' OR 1=1 --",
];

pub(crate) fn finding(account: &str, control: &str, status: Status) -> Finding {
    let control = builtin().iter().find(|known| known.id == control).unwrap();
    let broken = matches!(status, Status::Fail | Status::Unknown | Status::Muted);
    let verdict = if status == Status::Muted {
        Status::Fail
    } else {
        status
    };
    let chain = LinkName::CHAIN.map(|link| {
        let position = link.cmp(&LinkName::Subscription);
        Arc::new(ChainLink {
            link,
            status: match (position, verdict) {
                (std::cmp::Ordering::Equal, Status::Fail) => LinkStatus::Fail,
                (std::cmp::Ordering::Equal, Status::Unknown) => LinkStatus::Unknown,
                _ => LinkStatus::Pass,
            },
            resource: Some(format!("arn:aws:example:us-east-1:{account}:{link}").into()),
            account: Some(account.parse().unwrap()),
            region: Some(Region::new("us-east-1")),
            detail: format!("the {link} was seen").into(),
        })
    });
    Finding {
        id: format!("{account}/{}", control.id),
        account: Arc::new(AccountSummary {
            id: account.parse().unwrap(),
            name: Some(format!("account {account}")),
            ou_path: Some("o-a1b2c3d4e5/r-abcd/ou-abcd-11111111".to_owned()),
            ou_names: vec!["Workloads".to_owned()],
        }),
        control: Arc::new(control.summary("6.0.0")),
        status,
        assurance: AssuranceResult {
            cis: verdict,
            effective: verdict,
        },
        broken_link: broken.then_some(LinkName::Subscription),
        reason: broken.then(|| "subscription.pending".into()),
        message: match status {
            Status::Pass => "the chain is complete".into(),
            _ => "nobody has confirmed a subscription of the topic".into(),
        },
        chain: if status == Status::NotApplicable {
            Vec::new()
        } else {
            chain.into()
        },
        observations: vec![Arc::new(Observation {
            code: "subscription.also-pending".to_owned(),
            message: "another subscription is pending".to_owned(),
        })],
        witness: broken.then(|| Arc::new(json!({"eventName": "ConsoleLogin"}))),
        remediation: broken.then(|| {
            Arc::new(Remediation {
                summary: "confirm the subscription in the mailbox it was sent to".to_owned(),
                automatic: false,
                commands: vec![
                    Command::aws("sns list-subscriptions-by-topic").with("--topic-arn", "arn"),
                ],
            })
        }),
        observed_at: Some(now()),
        attested: None,
        muted: (status == Status::Muted).then(|| {
            Arc::new(MutedBy {
                status: Status::Fail,
                justification: "decommissioned in December".to_owned(),
                owner: "security@example.com".to_owned(),
                expires: "2026-12-31T00:00:00Z".parse().unwrap(),
            })
        }),
    }
}

/// Four accounts, two controls, every status.
pub(crate) fn organization() -> Sample {
    let mut findings = Vec::new();
    for (account, first, second) in [
        ("111111111111", Status::Pass, Status::Fail),
        ("222222222222", Status::Pass, Status::Unknown),
        ("333333333333", Status::Muted, Status::Pass),
        ("444444444444", Status::NotApplicable, Status::NotApplicable),
    ] {
        findings.push(finding(account, "console-auth-failures", first));
        findings.push(finding(account, "root-usage", second));
    }
    Sample {
        run: run(),
        findings,
    }
}

/// One failing account per hostile name, with the name in every text that others choose.
pub(crate) fn hostile() -> Sample {
    let long = "ä".repeat(255);
    let findings = HOSTILE
        .into_iter()
        .chain([long.as_str()])
        .enumerate()
        .map(|(index, name)| {
            let account = format!("{:012}", index + 1);
            let mut finding = finding(&account, "console-auth-failures", Status::Fail);
            let account = Arc::make_mut(&mut finding.account);
            account.name = Some(name.to_owned());
            account.ou_path = Some(name.to_owned());
            account.ou_names = vec![name.to_owned()];
            finding.message = format!("the topic `{name}` has no confirmed subscription").into();
            for link in &mut finding.chain {
                let link = Arc::make_mut(link);
                link.resource = Some(name.into());
                link.detail = format!("`{name}` was seen").into();
            }
            Arc::make_mut(&mut finding.observations[0]).message = name.to_owned();
            finding.witness = Some(Arc::new(json!({"eventName": name, name: [name]})));
            if let Some(remediation) = &mut finding.remediation {
                let remediation = Arc::make_mut(remediation);
                remediation.summary = format!("repair `{name}`");
                remediation.commands =
                    vec![Command::aws("sns subscribe").with("--topic-arn", name)];
            }
            finding
        })
        .collect();
    Sample {
        run: run(),
        findings,
    }
}
