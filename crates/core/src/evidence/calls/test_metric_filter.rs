//! `logs:TestMetricFilter`: whether a filter pattern matches a message. Asked about rules of the
//! pattern language that AWS does not document, never about anybody's filters or events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, CallDefinition, Operation, Parameters, Permission, Quota, Reader, Subject};
use crate::evidence::request::Request;
use crate::evidence::shapes::TestMetricFilterResponse;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySite};
use crate::finding::LinkName;
use crate::pattern::{Answers as KnownRules, Trial, Undocumented};

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "logs:TestMetricFilter",
    permission: Permission::Try,
    link: LinkName::MetricFilter,
    pages: None,
    members: &["matches"],
    // Amazon CloudWatch Logs User Guide, "CloudWatch Logs quotas".
    quota: Quota::own(5.0, 5.0),
};

/// By the question that the pattern and message ask. Whatever else was tried tells nothing of a
/// rule.
#[derive(Debug, Clone, Default)]
pub(in crate::evidence) struct Answers(BTreeMap<Undocumented, BySite<bool>>);

pub(super) fn parameters(pattern: &str, message: &str) -> Value {
    json!({ "filterPattern": pattern, "logEventMessages": [message] })
}

/// The question that parameters ask, where it is one about a rule.
fn question(parameters: &Parameters<'_>) -> Result<Option<Undocumented>, Unreadable> {
    let pattern = parameters.text("filterPattern")?;
    let messages = parameters.texts("logEventMessages")?;
    Ok(match (pattern, messages.as_slice()) {
        (Some(pattern), [message]) => Undocumented::tried_by(&pattern, message),
        _ => None,
    })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let question = question(&filing.parameters)?;
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |response: TestMetricFilterResponse| {
        Arc::new(!response.matches.is_empty())
    })?;
    if let Some(question) = question {
        answers.0.entry(question).or_default().file(site, answer);
    }
    Ok(subject())
}

pub(super) fn is_answered(
    reader: &Reader<'_>,
    _site: &CallSite,
    pattern: &str,
    message: &str,
) -> bool {
    Undocumented::tried_by(pattern, message).is_some_and(|question| reader.rule(question).is_some())
}

fn subject() -> Subject {
    Subject::all(Operation::TestMetricFilter)
}

impl<'e> Reader<'e> {
    /// What the service answered about a rule of the pattern language, whoever asked and where: a
    /// rule is the same everywhere. Of several answers the one of the first site that got one.
    pub fn rule(&self, question: Undocumented) -> Option<&'e Answer<bool>> {
        self.looks_up(subject);
        let answers = self.answers(|tables| tables.test_metric_filter.0.get(&question));
        let mut answers = answers.iter().map(|(_, answer)| *answer);
        let answered = answers.clone().find(|answer| answer.outcome.is_ok());
        Some(self.uses(answered.or_else(|| answers.next())?))
    }

    /// Every rule that the service was asked about and answered. It is not noted: whoever uses one
    /// of them looks it up.
    pub(crate) fn known_rules(&self) -> KnownRules {
        let tried = |question: &Undocumented| {
            let answers = self.answers(|tables| tables.test_metric_filter.0.get(question));
            let mut answers = answers.iter().map(|(_, answer)| &answer.outcome);
            let truth = answers.find_map(|outcome| outcome.as_ref().ok())?;
            Some((*question, **truth))
        };
        let layers = self.layers();
        let questions = layers.flat_map(|layer| layer.tables.test_metric_filter.0.keys());
        questions.filter_map(tried).collect()
    }

    /// The calls that would tell what is not known of rules and was not asked: as the caller, in
    /// its own account. None where nobody knows who the caller is.
    pub(crate) fn tries(&self, questions: &BTreeSet<Undocumented>) -> Vec<Request> {
        let open: Vec<Trial> = questions
            .iter()
            .filter(|question| self.rule(**question).is_none())
            .filter_map(|question| question.trial())
            .collect();
        let site = if open.is_empty() { None } else { self.caller() };
        let Some(site) = site else {
            return Vec::new();
        };
        let requests = open.into_iter().map(|Trial { pattern, message }| Request {
            account: site.account,
            region: site.region.clone(),
            call: Call::TestMetricFilter {
                pattern: pattern.to_owned(),
                message: message.to_owned(),
            },
        });
        requests.collect()
    }
}
