//! `findings.ndjson`: the findings one per line, for log shippers and `jq`. Each line is an
//! element of `findings` in `findings.json`.

use std::io::{self, Write};

use crate::document::FindingRecord;
use crate::format::{Format, Report};

/// The format `ndjson`.
#[derive(Debug)]
pub struct Ndjson;

impl Format for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn file_name(&self) -> &'static str {
        "findings.ndjson"
    }

    fn description(&self) -> &'static str {
        "one finding per line, for log shippers"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        report.findings.try_each(|finding| {
            serde_json::to_writer(&mut *out, &FindingRecord::from(finding))?;
            out.write_all(b"\n")
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::formats::sample;

    #[test]
    fn every_line_is_a_finding() {
        let sample = sample::hostile();
        let text = sample.render(&Ndjson);
        assert_eq!(text.lines().count(), sample.findings.len());
        for (line, finding) in text.lines().zip(&sample.findings) {
            let value: Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["id"], finding.id);
            assert_eq!(
                value["account"]["name"],
                finding.account.name.clone().unwrap()
            );
            assert!(
                !line.contains('\u{1b}'),
                "a raw escape reaches the terminal"
            );
        }
    }
}
