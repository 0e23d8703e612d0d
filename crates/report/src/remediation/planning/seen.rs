//! What the run saw of the resources that repairs build on, in the words of AWS. Which records show
//! them is what the look-ups of evaluation note, and not a second search.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trailproof_core::evidence::{Call, CallSite, Evidence, Outcome, Reader, Record, Request, View};

use crate::rests_on::RecordedEvidence;
use crate::run::EvidenceError;

/// The recorded evidence, and the answers that were looked up in it.
pub(super) struct Seen {
    recorded: RecordedEvidence,
    /// What was looked up since the last [`Seen::forget`].
    answers: RefCell<BTreeMap<Request, Option<Arc<Value>>>>,
    /// The latest observation among them.
    latest: Cell<Timestamp>,
    /// What was looked up and nobody asked: the answers would be needed to plan for certain.
    unasked: RefCell<BTreeSet<Request>>,
    /// Why records could not be read again.
    failure: RefCell<Option<EvidenceError>>,
}

impl Seen {
    pub(super) fn new(recorded: RecordedEvidence, judged_at: Timestamp) -> Self {
        Self {
            recorded,
            answers: RefCell::default(),
            latest: Cell::new(judged_at),
            unasked: RefCell::default(),
            failure: RefCell::default(),
        }
    }

    /// Adds an answer that came after the run.
    pub(super) fn add(&mut self, record: Record) {
        self.forget();
        self.recorded.add(record);
    }

    /// Takes what was looked up and nobody asked, since the last time.
    pub(super) fn take_unasked(&self) -> BTreeSet<Request> {
        self.unasked.take()
    }

    /// Notes that an answer would be needed that nobody asked for.
    pub(super) fn wants(&self, request: Request) {
        self.unasked.borrow_mut().insert(request);
    }

    /// Whether something was asked at all; notes what was not.
    pub(super) fn has(&self, request: &Request) -> bool {
        let asked = self.evidence().reader().has(request);
        if !asked {
            self.wants(request.clone());
        }
        asked
    }

    pub(super) fn evidence(&self) -> &Evidence {
        self.recorded.replay().evidence()
    }

    /// A time that no look-up so far is later than: what is changed now stands against all of it.
    pub(super) fn now(&self) -> Timestamp {
        self.latest.get()
    }

    /// Forgets what was looked up: a plan for many sites is not to hold all of their answers.
    pub(super) fn forget(&self) {
        self.answers.borrow_mut().clear();
    }

    /// Fails when records could not be read again, which look-ups take for not there.
    pub(super) fn check(&self) -> Result<(), EvidenceError> {
        self.failure.borrow_mut().take().map_or(Ok(()), Err)
    }

    /// What AWS answers to a question, whatever the words in which the run asked: one answer with
    /// everything that is known, its members as AWS writes them. `None` where nothing is known. What
    /// nobody asked is noted.
    pub(super) fn answer(&self, request: &Request) -> Option<Arc<Value>> {
        let found = self.known(request);
        match found.as_deref() {
            Some(answer) if is_complete(answer) => {}
            Some(_) => self.wants(request.clone()),
            // What was refused is not asked again.
            None => drop(self.has(request)),
        }
        found
    }

    /// The same, where it does not matter whether anybody asked.
    pub(super) fn known(&self, request: &Request) -> Option<Arc<Value>> {
        let known = self.answers.borrow().get(request).cloned();
        known.unwrap_or_else(|| {
            let found = self.look_up(request);
            let found = found.map(|answer| Arc::new(Value::Object(answer)));
            let mut answers = self.answers.borrow_mut();
            answers.insert(request.clone(), found.clone());
            found
        })
    }

    fn look_up(&self, request: &Request) -> Option<Map<String, Value>> {
        let site = CallSite {
            account: request.account,
            region: request.region.clone(),
        };
        match &request.call {
            Call::DescribeMetricFilters {
                log_group_name: Some(log_group_name),
            } => {
                let (view, records) =
                    self.records(|reader| reader.metric_filters(&site, log_group_name));
                let on_group = |record: &Record, filter: &Value| {
                    let asked = record.parameters.get("logGroupName");
                    let named = filter.get("logGroupName").or(asked);
                    named.and_then(Value::as_str) == Some(log_group_name.as_str())
                };
                let names = names(&view, |filter| &filter.filter_name);
                let filters = elements(&records, "metricFilters", "filterName", &names, on_group);
                listed(&view, [("metricFilters", filters)])
            }
            Call::DescribeAlarms => {
                let ((metric, composite), records) = self.records(|reader| {
                    (reader.metric_alarms(&site), reader.composite_alarms(&site))
                });
                let every = |_: &Record, _: &Value| true;
                let list = |member: &str, names: &BTreeSet<&str>| {
                    elements(&records, member, "AlarmName", names, every)
                };
                let log: BTreeSet<&str> = records
                    .iter()
                    .flat_map(|record| list_of(record, "LogAlarms"))
                    .filter_map(|alarm| alarm.get("AlarmName")?.as_str())
                    .collect();
                let lists = [
                    (
                        "MetricAlarms",
                        list("MetricAlarms", &names(&metric, |alarm| &alarm.alarm_name)),
                    ),
                    (
                        "CompositeAlarms",
                        list(
                            "CompositeAlarms",
                            &names(&composite, |alarm| &alarm.alarm_name),
                        ),
                    ),
                    ("LogAlarms", list("LogAlarms", &log)),
                ];
                listed(&metric, lists)
            }
            Call::GetTopicAttributes { topic_arn } => {
                let (_, records) = self.records(|reader| reader.topic_attributes(topic_arn));
                answered(&site, records)
            }
            Call::ListSubscriptionsByTopic { topic_arn } => {
                let (_, records) = self.records(|reader| reader.subscriptions(topic_arn));
                answered(&site, records)
            }
            Call::DescribeTrails {
                include_shadow_trails,
            } => {
                let (_, mut records) = self.records(|reader| reader.trails(site.account));
                // An answer without the trails of other regions is none to the question for them.
                let shadows = |record: &Record| {
                    let asked = record.parameters.get("includeShadowTrails");
                    asked.and_then(Value::as_bool).unwrap_or(true)
                };
                records.retain(|record| shadows(record) == *include_shadow_trails);
                answered(&site, records)
            }
            Call::GetTrailStatus { trail_arn } => {
                let (_, records) = self.records(|reader| reader.trail_status(trail_arn, &site));
                answered(&site, records)
            }
            // No repair looks at, or changes, what other calls show.
            _ => None,
        }
    }

    /// Looks something up in the evidence alone, with the records that answered, the earliest
    /// first.
    fn records<'a, T>(&'a self, look: impl FnOnce(&Reader<'a>) -> T) -> (T, Vec<Record>) {
        let reader = Reader::new(self.evidence()).noting_records();
        let (value, records) = reader.looked_up(look);
        let places = self.recorded.replay().places(records);
        let mut records = self.recorded.records(&places).unwrap_or_else(|error| {
            self.failure.borrow_mut().get_or_insert(error);
            Vec::new()
        });
        records.sort_by_key(|record| record.observed_at);
        let latest = records.iter().map(|record| record.observed_at).max();
        self.latest
            .set(self.latest.get().max(latest.unwrap_or_default()));
        (value, records)
    }
}

/// Whether an answer has everything that was asked about.
pub(super) fn is_complete(answer: &Value) -> bool {
    answer.get("NextToken").is_none()
}

/// What one site was answered.
fn answered(site: &CallSite, records: Vec<Record>) -> Option<Map<String, Value>> {
    let records = records.into_iter();
    let asked =
        records.filter(|record| record.account == site.account && record.region == site.region);
    match asked.last()?.outcome {
        Outcome::Response(Value::Object(response)) => Some(response),
        Outcome::Response(_) | Outcome::Error(_) => None,
    }
}

fn names<T>(view: &View<T>, name: impl Fn(&T) -> &str) -> BTreeSet<&str> {
    view.items.iter().map(|item| name(item)).collect()
}

/// An answer with some lists; `None` where nobody answered. A list from which something may be
/// missing stays one.
fn listed<T, const N: usize>(
    view: &View<T>,
    lists: [(&str, Value); N],
) -> Option<Map<String, Value>> {
    view.observed_at?;
    let mut answer: Map<String, Value> = lists
        .into_iter()
        .map(|(member, list)| (member.to_owned(), list))
        .collect();
    if !view.complete {
        answer.insert("NextToken".to_owned(), json!("left over"));
    }
    Some(answer)
}

/// The elements that are there by the look-up, as the latest record shows each.
fn elements(
    records: &[Record],
    member: &str,
    name_member: &str,
    names: &BTreeSet<&str>,
    counts: impl Fn(&Record, &Value) -> bool,
) -> Value {
    let mut found: BTreeMap<&str, &Value> = BTreeMap::new();
    for record in records {
        for element in list_of(record, member) {
            let name = element.get(name_member).and_then(Value::as_str);
            if let Some(name) = name.filter(|name| names.contains(name))
                && counts(record, element)
            {
                found.insert(name, element);
            }
        }
    }
    found.into_values().cloned().collect()
}

fn list_of<'a>(record: &'a Record, member: &str) -> impl Iterator<Item = &'a Value> {
    let list = match &record.outcome {
        Outcome::Response(response) => response.get(member).and_then(Value::as_array),
        Outcome::Error(_) => None,
    };
    list.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HERE: &str = "111111111111";

    fn seen(records: &[(&str, Value, Value)]) -> (tempfile::TempDir, Seen) {
        let lines = records.iter().map(|(operation, parameters, response)| {
            let record = json!({
                "operation": operation, "account": HERE, "region": "us-east-1",
                "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z",
                "response": response,
            });
            format!("{record}\n")
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.ndjson");
        std::fs::write(&path, lines.collect::<String>()).unwrap();
        let recorded = RecordedEvidence::open(&path, None).unwrap();
        let judged_at = "2026-11-22T21:00:00Z".parse().unwrap();
        (folder, Seen::new(recorded, judged_at))
    }

    fn request(call: Call) -> Request {
        Request {
            account: HERE.parse().unwrap(),
            region: trailproof_core::account::Region::new("us-east-1"),
            call,
        }
    }

    fn filters_of(log_group: &str) -> Request {
        request(Call::DescribeMetricFilters {
            log_group_name: Some(log_group.to_owned()),
        })
    }

    fn filter(name: &str, log_group: &str) -> Value {
        json!({"filterName": name, "filterPattern": "ERROR", "logGroupName": log_group,
            "metricTransformations": [], "creationTime": 7})
    }

    #[test]
    fn a_question_is_answered_whatever_the_words_it_was_asked_in() {
        let (_folder, seen) = seen(&[
            (
                "logs:DescribeMetricFilters",
                json!({}),
                json!({"metricFilters": [filter("one", "trail"), filter("other", "app")]}),
            ),
            (
                "cloudwatch:DescribeAlarms",
                json!({}),
                json!({"MetricAlarms": [{"AlarmName": "a", "Tag": "kept"}], "CompositeAlarms": []}),
            ),
        ]);
        let answer = seen.answer(&filters_of("trail")).unwrap();
        assert_eq!(*answer, json!({"metricFilters": [filter("one", "trail")]}));
        let answer = seen.answer(&filters_of("empty")).unwrap();
        assert_eq!(*answer, json!({"metricFilters": []}));
        let answer = seen.answer(&request(Call::DescribeAlarms)).unwrap();
        assert_eq!(
            answer["MetricAlarms"],
            json!([{"AlarmName": "a", "Tag": "kept"}])
        );
        assert_eq!(seen.now().to_string(), "2026-11-22T22:00:00Z");
        seen.check().unwrap();
    }

    #[test]
    fn what_may_be_missing_is_not_taken_for_everything() {
        let by_name = json!({"logGroupName": "trail", "filterNamePrefix": "o"});
        let (_folder, seen) = seen(&[(
            "logs:DescribeMetricFilters",
            by_name,
            json!({"metricFilters": [filter("one", "trail")]}),
        )]);
        let answer = seen.answer(&filters_of("trail")).unwrap();
        assert!(answer.get("NextToken").is_some(), "{answer}");
        assert_eq!(seen.answer(&filters_of("app")), None);
        assert_eq!(seen.answer(&request(Call::DescribeAlarms)), None);
    }

    #[test]
    fn records_that_are_gone_are_an_error() {
        let (folder, seen) = seen(&[(
            "logs:DescribeMetricFilters",
            json!({}),
            json!({"metricFilters": [filter("one", "trail")]}),
        )]);
        std::fs::write(folder.path().join("evidence.ndjson"), "").unwrap();
        let _ = seen.answer(&filters_of("trail"));
        let error = seen.check().unwrap_err().to_string();
        assert!(error.contains("evidence.ndjson"), "{error}");
    }
}
