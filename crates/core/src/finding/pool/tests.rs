use serde_json::json;

use super::*;
use crate::finding::{AssuranceResult, LinkName, LinkStatus, Status};
use crate::remedy::Command;

const OWNER: &str = "111111111111";

fn link(account: &str, link: LinkName) -> ChainLink {
    ChainLink {
        link,
        status: LinkStatus::Pass,
        resource: Some(format!("arn:aws:cloudtrail:us-east-1:{account}:trail/main").into()),
        account: Some(account.parse().unwrap()),
        region: None,
        detail: format!("{link} is as it should be").into(),
    }
}

/// A finding made from scratch: it shares nothing with any other.
fn finding(account: &str, owner: &str) -> Finding {
    Finding {
        id: format!("{account}/console-auth-failures"),
        account: Arc::new(AccountSummary {
            id: account.parse().unwrap(),
            name: None,
            ou_path: None,
            ou_names: Vec::new(),
        }),
        control: Arc::new(
            crate::control::builtin()
                .first()
                .expect("there are built-in controls")
                .summary("6.0.0"),
        ),
        status: Status::Fail,
        assurance: AssuranceResult {
            cis: Status::Fail,
            effective: Status::Fail,
        },
        broken_link: Some(LinkName::Logging),
        reason: Some("logging.stopped".into()),
        message: "the trail is not logging".into(),
        chain: [LinkName::Trail, LinkName::Logging]
            .map(|name| Arc::new(link(owner, name)))
            .into(),
        observations: vec![Arc::new(Observation {
            code: "alarm.needs-several-events".to_owned(),
            message: "the alarm needs three events".to_owned(),
        })],
        witness: Some(Arc::new(json!({"eventName": "ConsoleLogin"}))),
        remediation: Some(Arc::new(Remediation {
            summary: "start logging".to_owned(),
            automatic: false,
            commands: vec![Command::aws("cloudtrail start-logging")],
        })),
        observed_at: None,
        attested: None,
        muted: None,
    }
}

#[test]
fn members_of_one_trail_share_its_links() {
    let mut pool = Pool::default();
    let mut findings = [OWNER, "222222222222", "333333333333"].map(|id| finding(id, OWNER));
    let before = findings.clone();
    for finding in &mut findings {
        pool.share(finding);
    }
    assert_eq!(findings, before);
    let [_, second, third] = &findings;
    for (one, other) in second.chain.iter().zip(&third.chain) {
        assert!(Arc::ptr_eq(one, other));
    }
    assert!(Arc::ptr_eq(&second.message, &third.message));
    assert!(Arc::ptr_eq(&second.control, &third.control));
    assert!(Arc::ptr_eq(&second.observations[0], &third.observations[0]));
    assert!(Arc::ptr_eq(
        second.witness.as_ref().unwrap(),
        third.witness.as_ref().unwrap()
    ));
    assert!(Arc::ptr_eq(
        second.remediation.as_ref().unwrap(),
        third.remediation.as_ref().unwrap()
    ));
}

#[test]
fn links_of_one_resource_share_its_name() {
    let mut finding = finding(OWNER, OWNER);
    Pool::default().share(&mut finding);
    let names: Vec<_> = finding
        .chain
        .iter()
        .map(|link| link.resource.as_ref().unwrap())
        .collect();
    assert!(Arc::ptr_eq(names[0], names[1]));
}

#[test]
fn nothing_is_kept_of_the_links_in_other_accounts_of_their_own() {
    let mut pool = Pool::default();
    for id in ["111111111111", "222222222222", "333333333333"] {
        pool.share(&mut finding(id, id));
    }
    assert_eq!(pool.links.len(), 0);
    assert_eq!(pool.own_links.len(), 2);
}

#[test]
fn what_nobody_holds_any_more_is_let_go_of() {
    let mut pool = Pool::default();
    let mut held = Vec::new();
    for number in 0..5 * WORTH_A_LOOK {
        let id = format!("{:012}", 100_000_000_000 + number);
        let mut finding = finding(&id, &id);
        finding.message = format!("about {id}").into();
        pool.share(&mut finding);
        if number % 100 == 0 {
            held.push(finding);
        }
    }
    assert!(pool.texts.len() < 2 * WORTH_A_LOOK, "{}", pool.texts.len());
    assert!(
        held.iter()
            .all(|finding| pool.texts.contains(&finding.message))
    );
}
