//! `cloudwatch:DescribeAlarms`: every alarm of an account in a region.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    CallDefinition, Changes, Operation, Pages, Parameters, Permission, Quota, Reader, Subject,
};
use crate::evidence::CallError;
use crate::evidence::shapes::{AlarmsResponse, CompositeAlarm, LogAlarm, MetricAlarm, Texts};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::BySelection;
use crate::evidence::view::{View, newest};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "cloudwatch:DescribeAlarms",
    permission: Permission::Read,
    link: LinkName::Alarm,
    pages: Some(Pages::of(100)),
    members: &["MetricAlarms", "CompositeAlarms"],
    quota: Quota::own(9.0, 9.0),
};

/// Which alarms were asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::evidence) struct Selection {
    /// Metric alarms; also when no type was asked for.
    metric: bool,
    /// Composite alarms; only when asked for by name of the type.
    composite: bool,
    /// Log alarms; only when asked for by name of the type.
    log: bool,
    /// Whether the answer leaves alarms out: by name, prefix, state or action.
    rest: Option<String>,
}

impl Selection {
    fn of(parameters: &Parameters<'_>) -> Result<Self, Unreadable> {
        let types = parameters.texts("AlarmTypes")?;
        Ok(Self {
            metric: types.is_empty() || types.iter().any(|kind| kind == "MetricAlarm"),
            composite: types.iter().any(|kind| kind == "CompositeAlarm"),
            log: types.iter().any(|kind| kind == "LogAlarm"),
            rest: parameters.rest(&["AlarmTypes"]),
        })
    }
}

/// Alarms of an account in a region.
#[derive(Debug)]
pub(in crate::evidence) struct Alarms {
    /// Alarms on metrics and metric math; an error where the answer has no such list.
    metric: Kept<MetricAlarm>,
    /// Alarms on other alarms; an error where the answer has no such list.
    composite: Kept<CompositeAlarm>,
    /// Alarms on queries over log groups: where nobody asked for them, there is no such list.
    log: Kept<LogAlarm>,
    /// Whether no token for a further page remained.
    complete: bool,
}

/// A list of the answer.
type Kept<T> = Result<Vec<Arc<T>>, Arc<CallError>>;

#[derive(Debug, Clone, Default)]
pub(in crate::evidence) struct Answers {
    told: BySelection<Selection, Alarms>,
    /// Where alarms were seen on metrics of other accounts: by whose metrics, and where.
    watchers: BTreeMap<CallSite, BTreeSet<CallSite>>,
}

pub(super) fn parameters() -> Value {
    json!({ "AlarmTypes": ["MetricAlarm", "CompositeAlarm", "LogAlarm"] })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Changes, Unreadable> {
    let mut selection = Selection::of(&filing.parameters)?;
    let site = filing.site.clone();
    let answer = filing.page(&DEFINITION, |response: AlarmsResponse, complete| {
        // Composite alarms in the answer prove that they were asked for.
        let composite = response.composite_alarms.as_ref();
        selection.composite |= composite.is_some_and(|list| !list.is_empty());
        let absent = |list: &str| Arc::new(CallDefinition::without(&[list], &Value::Null));
        let (metric, composite) = (response.metric_alarms, response.composite_alarms);
        let metric = metric.map(|mut list| {
            for alarm in &mut list {
                pool.share_configuration(alarm);
            }
            METRIC.kept(list, pool)
        });
        let composite = composite.map(|list| COMPOSITE.kept(list, pool));
        Ok(Arc::new(Alarms {
            metric: metric.ok_or_else(|| absent("MetricAlarms")),
            composite: composite.ok_or_else(|| absent("CompositeAlarms")),
            log: Ok(LOG.kept(response.log_alarms, pool)),
            complete,
        }))
    })?;
    let mut changes = Changes::from(subject(&site));
    let metric = answer
        .outcome
        .iter()
        .filter_map(|alarms| alarms.metric.as_ref().ok());
    for account in metric.flatten().flat_map(|alarm| alarm.other_accounts()) {
        let watched = CallSite {
            account,
            region: site.region.clone(),
        };
        if account == site.account
            || answers
                .watchers
                .get(&watched)
                .is_some_and(|known| known.contains(&site))
        {
            continue;
        }
        changes.and(subject(&watched));
        answers
            .watchers
            .entry(watched)
            .or_default()
            .insert(site.clone());
    }
    answers.told.file(site, selection, answer);
    Ok(changes)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite) -> bool {
    reader.looks_up(|| subject(site));
    let mut answers = reader.selected(|tables| &tables.describe_alarms.told, site);
    let answer = answers
        .find(|(selection, _)| selection.metric && selection.composite && selection.rest.is_none());
    answer.map(|(_, answer)| reader.uses(answer)).is_some()
}

fn subject(site: &CallSite) -> Subject {
    Subject::site(Operation::DescribeAlarms, site)
}

/// One of the kinds of alarms that the call shows.
struct Kind<T: 'static> {
    /// Whether it was asked for.
    asked: fn(&Selection) -> bool,
    list: fn(&Alarms) -> &Kept<T>,
    name: fn(&T) -> &str,
}

const METRIC: Kind<MetricAlarm> = Kind {
    asked: |selection| selection.metric,
    list: |alarms| &alarms.metric,
    name: |alarm| &alarm.alarm_name,
};
const COMPOSITE: Kind<CompositeAlarm> = Kind {
    asked: |selection| selection.composite,
    list: |alarms| &alarms.composite,
    name: |alarm| &alarm.alarm_name,
};
const LOG: Kind<LogAlarm> = Kind {
    asked: |selection| selection.log,
    list: |alarms| &alarms.log,
    name: |alarm| &alarm.alarm_name,
};

impl<T> Kind<T> {
    /// A list in the order of names: whether a name is taken is asked for every failing finding,
    /// and one region may have thousands of alarms.
    fn kept(&self, mut list: Vec<T>, pool: &mut Pool) -> Vec<Arc<T>>
    where
        T: Texts,
    {
        list.sort_by(|left, right| (self.name)(left).cmp((self.name)(right)));
        pool.keep_all(list)
    }

    fn is_named(&self, alarms: &Alarms, name: &str) -> bool {
        let list = (self.list)(alarms).as_ref();
        list.is_ok_and(|list| {
            list.binary_search_by(|one| (self.name)(one).cmp(name))
                .is_ok()
        })
    }
}

impl Reader<'_> {
    /// The metric alarms of an account in a region.
    pub fn metric_alarms(&self, site: &CallSite) -> View<MetricAlarm> {
        self.alarms(site, &METRIC)
    }

    /// Where alarms were seen on metrics that an account has in a region, its own aside. An answer
    /// that came later may show none any more.
    pub fn watchers(&self, site: &CallSite) -> BTreeSet<CallSite> {
        self.looks_up(|| subject(site));
        let layers = self.layers();
        let watchers = layers.filter_map(|layer| layer.tables.describe_alarms.watchers.get(site));
        watchers.flatten().cloned().collect()
    }

    /// The composite alarms of an account in a region.
    pub fn composite_alarms(&self, site: &CallSite) -> View<CompositeAlarm> {
        self.alarms(site, &COMPOSITE)
    }

    /// Whether some alarm of an account in a region was seen under a name.
    pub fn has_alarm(&self, site: &CallSite, name: &str) -> bool {
        self.looks_up(|| subject(site));
        self.selected(|tables| &tables.describe_alarms.told, site)
            .filter_map(|(_, answer)| self.uses(answer).outcome.as_ref().ok())
            .any(|alarms| {
                METRIC.is_named(alarms, name)
                    || COMPOSITE.is_named(alarms, name)
                    || LOG.is_named(alarms, name)
            })
    }

    /// The log alarms of an account in a region.
    pub fn log_alarms(&self, site: &CallSite) -> View<LogAlarm> {
        self.alarms(site, &LOG)
    }

    fn alarms<T>(&self, site: &CallSite, kind: &Kind<T>) -> View<T> {
        self.looks_up(|| subject(site));
        let mut view = View::default();
        let mut seen: BTreeMap<&str, (Timestamp, &Arc<T>)> = BTreeMap::new();
        for (selection, answer) in self.selected(|tables| &tables.describe_alarms.told, site) {
            let asked = (kind.asked)(selection);
            match &self.uses(answer).outcome {
                Err(error) if asked => view.failed(error),
                Err(_) => {}
                Ok(alarms) => {
                    view.saw(answer.observed_at);
                    let list = match (kind.list)(alarms) {
                        Ok(list) => list,
                        Err(error) if asked => {
                            view.failed(error);
                            continue;
                        }
                        Err(_) => continue,
                    };
                    if asked && selection.rest.is_none() && alarms.complete {
                        view.whole(answer.observed_at);
                    }
                    for alarm in list {
                        newest(&mut seen, (kind.name)(alarm), answer.observed_at, alarm);
                    }
                }
            }
        }
        view.keep(seen)
    }
}
