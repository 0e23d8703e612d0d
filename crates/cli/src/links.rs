//! The links of the chain and the reasons that findings have, for people: as a document and, one by
//! one, for `trailproof explain`.

use std::fmt::Write as _;

use trailproof_core::evaluate::Reason;
use trailproof_core::evaluate::links::{LINKS, Link};

/// `docs/reasons.md`.
pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "# Links and reasons\n\nGenerated with `cargo xtask codegen`.\n\nA finding follows the \
         chain from the trail to the subscription. `broken_link` names the first link that fails or \
         cannot be seen, and `reason` says why; both stand in every report, and a mute may name \
         either. `trailproof explain REASON` shows one of them.\n",
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
    }
    text
}

/// A link by its name, or a reason by its code.
pub(crate) fn describe(name: &str) -> Option<String> {
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
    text
}

fn of_reason(reason: &Reason) -> String {
    format!(
        "{}  {}\n  {}\n  {}\n",
        reason.code, reason.status, reason.meaning, reason.remedy
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn every_reason_is_a_row_of_the_document() {
        let text = markdown();
        for reason in trailproof_core::evaluate::reasons() {
            let row = format!("\n| `{}` | ", reason.code);
            assert_eq!(text.matches(&row).count(), 1, "{}", reason.code);
        }
    }
}
