//! Writes a made-up report of any size in one format to stdout: for looking at pages and for
//! measuring memory. `large-report FORMAT FINDINGS`.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::control::builtin;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::{
    AccountSummary, AssuranceResult, ChainLink, Finding, LinkName, LinkStatus, Observation, Pool,
    Remediation, Status,
};
use trailproof_core::policy::Policy;
use trailproof_core::remedy::Command;
use trailproof_report::findings::Findings;
use trailproof_report::format::{self, Report};
use trailproof_report::run::{Organization, PolicyRecord, Run, RunKind, Scope};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let format = arguments.next().ok_or("a format")?;
    let count: usize = arguments.next().ok_or("a number of findings")?.parse()?;
    let format = format::by_name(&format).ok_or("a known format")?;
    let now: Timestamp = "2026-11-22T22:00:00Z".parse()?;
    let policy = PolicyRecord::of(&Policy::new(builtin().to_vec()), now, |_| true);
    let mut run = Run::start(RunKind::Demo, Scope::default(), policy, now);
    run.complete = true;
    run.scope.organization = Some(Organization {
        id: Some("o-a1b2c3d4e5".to_owned()),
        management_account: "111111111111".parse()?,
    });
    let mut pool = Pool::default();
    let mut findings = Vec::new();
    for index in 0..count {
        let mut finding = finding(index)?;
        pool.share(&mut finding);
        findings.push(finding);
    }
    drop(pool);
    let findings = Findings::kept(findings);
    let report = Report {
        run: &run,
        findings: &findings,
        evidence: &Evidence::default(),
    };
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    format.write(&report, &mut out)?;
    out.flush()?;
    Ok(())
}

/// A third of the accounts rest on one organization trail, the others on trails of their own.
fn finding(index: usize) -> Result<Finding, Box<dyn std::error::Error>> {
    let controls = builtin();
    let control = controls.get(index % controls.len()).ok_or("a control")?;
    let place = index / controls.len();
    let account: AccountId = format!("{:012}", 100_000_000_000 + place).parse()?;
    let owner: AccountId = if place.is_multiple_of(3) {
        account
    } else {
        "111111111111".parse()?
    };
    let status = match (index * 7919) % 23 {
        0..=3 => Status::Fail,
        4 | 5 => Status::Unknown,
        6 if place.is_multiple_of(5) => Status::NotApplicable,
        _ => Status::Pass,
    };
    let broken = LinkName::CHAIN
        .into_iter()
        .cycle()
        .nth((index * 31) % LinkName::CHAIN.len())
        .ok_or("a link")?;
    let open = matches!(status, Status::Fail | Status::Unknown);
    let chain = LinkName::CHAIN.map(|link| {
        Arc::new(ChainLink {
            link,
            status: match link.cmp(&broken) {
                std::cmp::Ordering::Greater if open => LinkStatus::NotEvaluated,
                std::cmp::Ordering::Equal if status == Status::Fail => LinkStatus::Fail,
                std::cmp::Ordering::Equal if status == Status::Unknown => LinkStatus::Unknown,
                _ => LinkStatus::Pass,
            },
            resource: Some(
                format!(
                    "arn:aws:service:eu-central-1:{owner}:resource/{link}-{}",
                    control.id
                )
                .into(),
            ),
            account: Some(owner),
            region: Some(Region::new("eu-central-1")),
            detail: format!(
                "the {link} of account {owner} was looked at and is what the control asks for"
            )
            .into(),
        })
    });
    Ok(Finding {
        id: format!("{account}/{}", control.id),
        account: Arc::new(AccountSummary {
            id: account,
            name: Some(format!("workload-{place:05}")),
            ou_path: Some(format!("o-a1b2c3d4e5/r-ab12/ou-ab12-{:08}", place % 17)),
            ou_names: Vec::new(),
        }),
        control: Arc::new(control.summary("6.0.0")),
        status,
        assurance: AssuranceResult { cis: status, effective: status },
        broken_link: open.then_some(broken),
        reason: open.then(|| format!("{broken}.example").into()),
        message: format!("the {broken} of the chain from {} to a person in account {account}", control.id).into(),
        chain: chain.into(),
        observations: vec![Arc::new(Observation {
            code: "alarm.needs-several-events".to_owned(),
            message: "the alarm fires only after three events within five minutes".to_owned(),
        })],
        witness: open.then(|| Arc::new(json!({"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com", "userIdentity": {"type": "Root", "accountId": account}, "errorMessage": "Failed authentication"}))),
        remediation: open.then(|| Arc::new(Remediation {
            summary: format!("repair the {broken}, so that the chain is complete"),
            automatic: index.is_multiple_of(2),
            commands: vec![Command::aws("logs put-metric-filter")
                .with("--log-group-name", "trail")
                .with("--filter-name", &control.id)],
        })),
        observed_at: Some("2026-11-22T21:55:00Z".parse()?),
        attested: None,
        muted: None,
    })
}
