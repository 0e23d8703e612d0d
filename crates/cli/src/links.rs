//! The links of the chain, and the reasons and observations that findings have, for people: as a
//! document and, one by one, for `trailproof explain`.

use std::fmt::Write as _;

use trailproof_core::evaluate::links::{LINKS, Link};
use trailproof_core::evaluate::{POLICY_OBSERVATIONS, Reason, observations};
use trailproof_core::observation::ObservationKind;

/// `docs/reasons.md`.
pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "# Links, reasons and observations\n\nGenerated with `cargo xtask codegen`.\n\nA finding follows the \
         chain from the trail to the subscription. `broken_link` names the first link that fails or \
         cannot be seen, and `reason` says why; both stand in every report, and a mute may name \
         either. What is worth knowing and changes no verdict stands under `observations`. \
         `trailproof explain CODE` shows one of them.\n",
    );
    for link in LINKS {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n## {}\n\nProved when: {}\n\n| reason | status | meaning | what to do |\n|---|---|---|---|\n",
            link.name, link.proved_when
        );
        for reason in link.reasons {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                reason.code, reason.status, reason.meaning, reason.remedy
            );
        }
        table(&mut text, link.observations);
    }
    text.push_str("\n## Policy\n\nObservations that rest on the policy, not on a link.\n");
    table(&mut text, &POLICY_OBSERVATIONS.concat());
    text
}

fn table(text: &mut String, observations: &[&ObservationKind]) {
    if observations.is_empty() {
        return;
    }
    text.push_str("\n| observation | meaning |\n|---|---|\n");
    for kind in observations {
        let _ = writeln!(text, "| `{}` | {} |", kind.code, kind.meaning);
    }
}

/// A reason by its code.
pub(crate) fn reason(code: &str) -> Option<&'static Reason> {
    let mut reasons = LINKS.iter().flat_map(|link| link.reasons);
    reasons.find(|reason| reason.code == code).copied()
}

/// A link by its name, or a reason or an observation by its code.
pub(crate) fn describe(name: &str) -> Option<String> {
    if let Some(kind) = observations().find(|kind| kind.code == name) {
        return Some(of_observation(kind));
    }
    let link = name.split('.').next()?;
    let link = LINKS.iter().find(|known| known.name.as_str() == link)?;
    if link.name.as_str() == name {
        return Some(of_link(link));
    }
    let reason = link.reasons.iter().find(|reason| reason.code == name)?;
    Some(format!(
        "{}The link is proved when: {}\n",
        of_reason(reason),
        link.proved_when
    ))
}

fn of_link(link: &Link) -> String {
    let mut text = format!("{}\nProved when: {}\n", link.name, link.proved_when);
    for reason in link.reasons {
        let _ = write!(text, "\n{}", of_reason(reason));
    }
    for kind in link.observations {
        let _ = write!(text, "\n{}", of_observation(kind));
    }
    text
}

fn of_observation(kind: &ObservationKind) -> String {
    format!("{}  observation\n  {}\n", kind.code, kind.meaning)
}

fn of_reason(reason: &Reason) -> String {
    format!(
        "{}  {}\n  {}\n  {}\n",
        reason.code, reason.status, reason.meaning, reason.remedy
    )
}

#[cfg(test)]
mod tests {
    use trailproof_core::finding::LinkName;

    use super::*;

    #[test]
    fn the_map_for_contributors_shows_the_chain() {
        let map = include_str!("../../../ARCHITECTURE.md");
        let chain = LinkName::CHAIN.map(LinkName::as_str).join(" -> ");
        assert!(map.lines().any(|line| line.trim() == chain), "{chain}");
    }

    #[test]
    fn links_and_reasons_are_found_by_name() {
        let reason = describe("subscription.pending").unwrap();
        assert!(
            reason.starts_with("subscription.pending  FAIL\n"),
            "{reason}"
        );
        let link = describe("subscription").unwrap();
        assert!(
            link.contains(&reason[..reason.find("The link").unwrap()]),
            "{link}"
        );
        let observation = describe("topic.fifo").unwrap();
        assert!(observation.starts_with("topic.fifo  observation\n  The topic is a FIFO topic"));
        assert!(describe("topic").unwrap().contains(&observation));
        let observation = describe("mute.expired").unwrap();
        assert!(observation.starts_with("mute.expired  observation\n"));
        for unknown in [
            "",
            "subscription.",
            "subscription.pending.x",
            "console-auth-failures",
        ] {
            assert_eq!(describe(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_reason_and_observation_is_a_row_of_the_document() {
        let text = markdown();
        for reason in trailproof_core::evaluate::reasons() {
            let row = format!("\n| `{}` | ", reason.code);
            assert_eq!(text.matches(&row).count(), 1, "{}", reason.code);
        }
        for kind in observations() {
            let row = format!("\n| `{}` | {} |\n", kind.code, kind.meaning);
            assert_eq!(text.matches(&row).count(), 1, "{}", kind.code);
        }
    }
}
