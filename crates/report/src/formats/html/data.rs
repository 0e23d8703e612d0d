//! The findings as data in the page: one line per text, link or finding, and before them one about
//! the controls, one with the names of the links, one with the words of statuses and one with the names of
//! organizational units.
//!
//! Thousands of members share one trail, so texts and links are written once, when they first
//! occur, and referred to by number. Only their hashes are kept while writing.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trailproof_core::account::Region;
use trailproof_core::finding::{ChainLink, Finding, LinkName, LinkStatus, Status};

use super::escape::script_json;
use crate::format::Report;
use crate::formats::{control_ids, controls, unit_names};
use crate::shell;
use crate::untrusted::{visible, visible_lines};

/// Writes the data of a report as a script element that is not executed.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, r#"<script type="application/json" id="data">"#)?;
    line(out, 'c', &about_controls(report))?;
    let names: Vec<[&str; 2]> = links()
        .map(|link| [link.as_str(), link.promise()])
        .collect();
    line(out, 'n', &json!(names))?;
    let statuses = Status::ALL.map(Status::as_str);
    let link_statuses = LinkStatus::ALL.map(LinkStatus::as_str);
    line(out, 's', &json!([statuses, link_statuses]))?;
    let units = unit_names(report).into_iter();
    let units: serde_json::Map<_, _> = units
        .map(|(unit, name)| (visible(unit), json!(visible(name))))
        .collect();
    line(out, 'u', &units.into())?;
    let mut pool = Pool::default();
    report
        .findings
        .try_each(|finding| write_finding(finding, &mut pool, out))?;
    writeln!(out, "</script>")
}

fn line(out: &mut dyn Write, kind: char, value: &Value) -> io::Result<()> {
    writeln!(out, "{kind}{}", script_json(&value.to_string()))
}

/// What the page says about each control.
fn about_controls(report: &Report<'_>) -> Value {
    let known = controls(report.run);
    let version = report.run.policy.benchmark.as_str();
    control_ids(report)
        .into_iter()
        .filter_map(|id| {
            let control = known.get(id)?;
            let about = json!({
                "number": control.entry(version).map(|entry| entry.number.as_str()),
                "title": visible(control.title_for(version)),
                "description": visible(&control.description),
                "pattern": visible(control.pattern_for(version)),
            });
            Some((id.to_owned(), about))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The numbers of what was written already.
#[derive(Default)]
struct Pool {
    texts: HashMap<[u8; 16], i64>,
    links: HashMap<[u8; 16], i64>,
}

/// Half a SHA-256: names are chosen by others, so a collision must not be findable.
fn key(text: &str) -> [u8; 16] {
    let digest = Sha256::digest(text.as_bytes());
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(digest) {
        *to = from;
    }
    key
}

impl Pool {
    /// The number of a text, written first if it is new.
    fn text(&mut self, text: &str, out: &mut dyn Write) -> io::Result<i64> {
        number(
            &mut self.texts,
            't',
            &visible(text),
            |text| json!(text),
            out,
        )
    }

    /// The number of a text of several lines.
    fn lines(&mut self, text: &str, out: &mut dyn Write) -> io::Result<i64> {
        number(
            &mut self.texts,
            't',
            &visible_lines(text),
            |text| json!(text),
            out,
        )
    }

    /// As [`Self::text`]; -1 for none.
    fn optional(&mut self, text: Option<&str>, out: &mut dyn Write) -> io::Result<i64> {
        match text {
            Some(text) if !text.is_empty() => self.text(text, out),
            _ => Ok(-1),
        }
    }

    fn link(&mut self, link: &ChainLink, out: &mut dyn Write) -> io::Result<i64> {
        let account = link.account.map(|account| account.to_string());
        let region = link.region.as_ref().map(Region::as_str);
        let value = json!([
            link_number(link.link),
            link_status_number(link.status),
            self.optional(link.resource.as_deref(), out)?,
            self.optional(account.as_deref(), out)?,
            self.optional(region, out)?,
            self.optional(Some(&link.detail), out)?,
        ]);
        number(
            &mut self.links,
            'l',
            &value.to_string(),
            |_| value.clone(),
            out,
        )
    }
}

fn number(
    known: &mut HashMap<[u8; 16], i64>,
    kind: char,
    text: &str,
    value: impl FnOnce(&str) -> Value,
    out: &mut dyn Write,
) -> io::Result<i64> {
    let next = i64::try_from(known.len()).unwrap_or(i64::MAX);
    match known.entry(key(text)) {
        std::collections::hash_map::Entry::Occupied(entry) => Ok(*entry.get()),
        std::collections::hash_map::Entry::Vacant(entry) => {
            line(out, kind, &value(text))?;
            Ok(*entry.insert(next))
        }
    }
}

/// The place of a status in the page's list, which is that of [`Status::ALL`].
fn status_number(status: Status) -> usize {
    Status::ALL
        .iter()
        .position(|known| *known == status)
        .unwrap_or_default()
}

/// The place of a link's status in the page's list, which is that of [`LinkStatus::ALL`].
fn link_status_number(status: LinkStatus) -> usize {
    LinkStatus::ALL
        .iter()
        .position(|known| *known == status)
        .unwrap_or_default()
}

/// The links in the order in which the page numbers them.
fn links() -> impl Iterator<Item = LinkName> {
    std::iter::once(LinkName::Account).chain(LinkName::CHAIN)
}

fn link_number(link: LinkName) -> usize {
    links().position(|known| known == link).unwrap_or_default()
}

fn write_finding(finding: &Finding, pool: &mut Pool, out: &mut dyn Write) -> io::Result<()> {
    let remediation = finding.remediation.as_ref();
    let mut chain = Vec::with_capacity(finding.chain.len());
    for link in &finding.chain {
        chain.push(pool.link(link, out)?);
    }
    let mut notes = Vec::new();
    for observation in &finding.observations {
        notes.push([
            pool.text(&observation.code, out)?,
            pool.text(&observation.message, out)?,
        ]);
    }
    let witness = match &finding.witness {
        Some(event) => pool.lines(&serde_json::to_string_pretty(event)?, out)?,
        None => -1,
    };
    let mut commands = Vec::new();
    for command in remediation
        .iter()
        .flat_map(|remediation| &remediation.commands)
    {
        commands.push(pool.lines(&shell::command(command), out)?);
    }
    let muted = match &finding.muted {
        Some(muted) => json!([
            status_number(muted.status),
            pool.text(&muted.justification, out)?,
            pool.text(&muted.owner, out)?,
            pool.text(&muted.expires.to_string(), out)?,
        ]),
        None => Value::Null,
    };
    let observed = finding.observed_at.map(|time| time.to_string());
    let row = json!([
        finding.account.id,
        pool.optional(finding.account.name.as_deref(), out)?,
        pool.optional(finding.account.ou_path.as_deref(), out)?,
        pool.text(&finding.control.id, out)?,
        status_number(finding.status),
        status_number(finding.assurance.cis),
        status_number(finding.assurance.effective),
        finding
            .broken_link
            .map_or(json!(-1), |link| json!(link_number(link))),
        pool.optional(finding.reason.as_deref(), out)?,
        pool.text(&finding.message, out)?,
        chain,
        notes,
        witness,
        pool.optional(
            remediation.map(|remediation| remediation.summary.as_str()),
            out
        )?,
        remediation.is_some_and(|remediation| remediation.automatic),
        commands,
        pool.optional(observed.as_deref(), out)?,
        muted,
    ]);
    line(out, 'f', &row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    #[test]
    fn what_is_shared_is_written_once() {
        let mut sample = sample::organization();
        let first = sample.findings[0].clone();
        sample.findings = vec![first; 1000];
        let page = sample.render(&crate::formats::Html);
        assert_eq!(
            page.lines().filter(|line| line.starts_with("f[")).count(),
            1000
        );
        assert_eq!(
            page.lines().filter(|line| line.starts_with("l[")).count(),
            LinkName::CHAIN.len()
        );
    }

    #[test]
    fn the_page_is_told_the_names_of_units() {
        let page = sample::organization().render(&crate::formats::Html);
        let units = page.lines().find_map(|line| line.strip_prefix("u{"));
        assert_eq!(units, Some(r#""ou-abcd-11111111":"Workloads"}"#));
        assert!(page.contains("<bdi>Workloads</bdi>"));
        let mut sample = sample::organization();
        for finding in &mut sample.findings {
            std::sync::Arc::make_mut(&mut finding.account)
                .ou_names
                .clear();
        }
        let page = sample.render(&crate::formats::Html);
        assert!(page.lines().any(|line| line == "u{}"));
        assert!(page.contains("<bdi>ou-abcd-11111111</bdi>"));
    }

    #[test]
    fn the_page_is_told_the_links() {
        let page = sample::organization().render(&crate::formats::Html);
        let names = page.lines().find_map(|line| line.strip_prefix("n["));
        let names: Vec<[String; 2]> =
            serde_json::from_str(&format!("[{}", names.unwrap())).unwrap();
        for link in trailproof_core::evaluate::links::LINKS {
            assert_eq!(names[link_number(link.name)][0], link.name.as_str());
        }
        assert_eq!(names.len(), trailproof_core::evaluate::links::LINKS.len());
        let statuses = page.lines().find_map(|line| line.strip_prefix("s["));
        let statuses: [Vec<String>; 2] =
            serde_json::from_str(&format!("[{}", statuses.unwrap())).unwrap();
        for status in Status::ALL {
            assert_eq!(statuses[0][status_number(status)], status.as_str());
        }
        for status in LinkStatus::ALL {
            assert_eq!(statuses[1][link_status_number(status)], status.as_str());
        }
    }

    #[test]
    fn texts_are_numbered_as_they_come() {
        let page = sample::hostile().render(&crate::formats::Html);
        let texts: Vec<String> = page
            .lines()
            .filter_map(|line| line.strip_prefix('t'))
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        for line in page.lines().filter_map(|line| line.strip_prefix('f')) {
            let Ok(row) = serde_json::from_str::<Vec<Value>>(line) else {
                continue;
            };
            let control = usize::try_from(row[3].as_u64().unwrap()).unwrap();
            assert_eq!(texts[control], "console-auth-failures");
        }
    }
}
