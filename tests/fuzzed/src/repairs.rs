//! Plans and journals.

use std::fs;

use trailproof_report::remediation::export::{Language, export};
use trailproof_report::remediation::journal::{Journal, JournalError};
use trailproof_report::remediation::{Plan, PlanError};

use crate::{scratch, text};

const LANGUAGES: [Language; 4] = [
    Language::Script,
    Language::CloudFormation,
    Language::StackSet,
    Language::Terraform,
];

/// A plan is read, or the error says why not. Whoever computes its digest again gets no further
/// than what `fix plan` makes: that can be written in every language, and everything else is
/// refused with its place.
pub(crate) fn plans(data: &[u8]) {
    let text = text(data);
    if let Err(error) = Plan::from_json(text) {
        assert!(!error.to_string().is_empty());
    }
    let Ok(plan) = serde_json::from_str::<Plan>(text) else {
        return;
    };
    let plan = plan.seal();
    let written = plan.to_json().expect("a plan can be written");
    match Plan::from_json(&written) {
        Ok(again) => assert_eq!(again, plan),
        Err(PlanError::Version { .. }) => return,
        Err(error) => panic!("{error}: {written}"),
    }
    match plan.check() {
        Ok(()) => {
            for language in LANGUAGES {
                let files = export(&plan, language).files;
                let unsafe_name = |name: &str| name.is_empty() || name.contains(['/', '\\', '\0']);
                assert!(!files.iter().any(|file| unsafe_name(&file.name)));
            }
        }
        Err(PlanError::NotPlanned { place, problem }) => {
            assert!(!place.is_empty() && !problem.is_empty());
        }
        Err(error) => panic!("{error}"),
    }
}

/// A journal is read, or the error names a line of it. What a crash left half-written is cut off,
/// once, and nothing else is changed.
pub(crate) fn journals(data: &[u8]) {
    scratch::with_folder("journals", |folder| {
        let path = folder.join("journal.ndjson");
        scratch::put(&path, data);
        let whole = data.iter().rposition(|byte| *byte == b'\n');
        let whole = data.get(..whole.map_or(0, |end| end + 1));
        let whole = whole.unwrap_or_default();
        let steps = match Journal::reopen(&path) {
            Ok(journal) => journal.steps().into_iter().cloned().collect::<Vec<_>>(),
            Err(JournalError::Line { line, problem, .. }) => {
                let lines = data.split(|byte| *byte == b'\n').count();
                assert!((1..=lines).contains(&line) && !problem.is_empty());
                assert_eq!(fs::read(&path).expect("it is there"), data);
                return;
            }
            Err(JournalError::Empty { .. }) => {
                assert!(whole.is_empty());
                return;
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(fs::read(&path).expect("it is there"), whole);
        let again = Journal::reopen(&path).expect("it was read before");
        assert_eq!(
            again.steps().into_iter().cloned().collect::<Vec<_>>(),
            steps
        );
        let mut sequences: Vec<_> = steps.iter().map(|step| step.sequence).collect();
        sequences.dedup();
        assert_eq!(sequences.len(), steps.len());
    });
}
