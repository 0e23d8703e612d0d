//! `cloudwatch:GetAlarmMuteRule`: the alarms that a mute rule targets, and when it is active. The
//! list of mute rules tells neither.

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Quota, Reader, Subject};
use crate::evidence::shapes::{MuteRule, MuteRuleDetails};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySelection};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "cloudwatch:GetAlarmMuteRule",
    permission: Permission::Read,
    link: LinkName::Action,
    pages: None,
    members: &["AlarmMuteRuleArn", "Name"],
    // None is documented: that of `ListAlarmMuteRules` is kept.
    quota: Quota::own(50.0, 50.0),
};

/// By the rule's name.
pub(in crate::evidence) type Answers = BySelection<String, MuteRuleDetails>;

pub(super) fn parameters(rule_name: &str) -> Value {
    json!({ "AlarmMuteRuleName": rule_name })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let name = filing.parameters.required("AlarmMuteRuleName")?;
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, std::sync::Arc::<MuteRuleDetails>::new)?;
    let subject = subject(&site);
    answers.file(site, name, answer);
    Ok(subject)
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, rule_name: &str) -> bool {
    reader.mute_rule(site, rule_name).is_some()
}

fn subject(site: &CallSite) -> Subject {
    Subject::site(Operation::GetAlarmMuteRule, site)
}

impl MuteRule {
    /// Its name, which ends its ARN.
    pub fn name(&self) -> Option<&str> {
        let arn = self.alarm_mute_rule_arn.as_deref()?;
        let (_, name) = arn.split_once(":alarm-mute-rule:")?;
        (!name.is_empty()).then_some(name)
    }
}

impl<'e> Reader<'e> {
    /// What was told of one mute rule.
    pub fn mute_rule(&self, site: &CallSite, name: &str) -> Option<&'e Answer<MuteRuleDetails>> {
        self.looks_up(|| subject(site));
        let mut answers = self.selected(|tables| &tables.get_alarm_mute_rule, site);
        let (_, answer) = answers.find(|(asked, _)| asked == name)?;
        Some(self.uses(answer))
    }
}
