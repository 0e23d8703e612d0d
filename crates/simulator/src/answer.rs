//! Questions of trailproof answered in-process: evidence without a network.

use serde_json::Value;
use trailproof_core::evidence::{Operation as Evidence, Outcome, Record, Request};

use crate::document::Structure;
use crate::failure::Failure;
use crate::model::Organization;
use crate::operation::Operation;
use crate::pagination::Paging;
use crate::parameters::Parameters;
use crate::permission::{self, Caller};
use crate::service::{self, Context};

impl Organization {
    /// What AWS would answer at the organization's own time, all pages merged. The question is
    /// asked with credentials of its account: those of a user for the default caller, those of
    /// the role `OrganizationAccountAccessRole` elsewhere. Whether that role can be assumed is
    /// a question of its own.
    pub fn answer(&self, request: &Request) -> Outcome {
        match self.perform(request) {
            Ok(mut answer) => {
                if request.call.operation() == Evidence::AssumeRole
                    && let Value::Object(members) = &mut answer
                {
                    members.remove("Credentials");
                }
                Outcome::Response(answer)
            }
            Err(failure) => Outcome::Error(failure.into()),
        }
    }

    /// [`Self::answer`] as a line of evidence.
    pub fn record(&self, request: &Request) -> Record {
        Record {
            operation: request.call.operation(),
            account: request.account,
            region: request.region.clone(),
            parameters: request.call.parameters(),
            observed_at: self.now,
            request_id: None,
            outcome: self.answer(request),
        }
    }

    fn perform(&self, request: &Request) -> Result<Value, Failure> {
        let operation = operation(request.call.operation());
        let session = (request.account != self.caller).then(|| {
            let role = crate::model::Role::ORGANIZATION_ACCESS;
            (role.to_owned(), "trailproof".to_owned())
        });
        let caller = Caller {
            account: request.account,
            session,
            limit: None,
        };
        permission::check(self, &caller, &request.region, operation)?;
        let parameters = Value::Object(request.call.parameters());
        let context = Context {
            caller: &caller,
            region: &request.region,
            now: self.now,
            paging: Paging::Merged,
            parameters: Parameters(&parameters),
            session_limit: None,
        };
        let answer: Structure = service::read(self, operation, context)?;
        Ok(crate::document::Document::from(answer).into_json())
    }
}

/// The operation that is served for one that is recorded.
fn operation(recorded: Evidence) -> Operation {
    match recorded {
        Evidence::DescribeOrganization => Operation::DescribeOrganization,
        Evidence::ListAccounts => Operation::ListAccounts,
        Evidence::ListOrganizationalUnitsForParent => Operation::ListOrganizationalUnitsForParent,
        Evidence::ListDelegatedAdministrators => Operation::ListDelegatedAdministrators,
        Evidence::ListTagsForResource => Operation::OrganizationsListTagsForResource,
        Evidence::GetCallerIdentity => Operation::GetCallerIdentity,
        Evidence::AssumeRole => Operation::AssumeRole,
        Evidence::ListRegions => Operation::ListRegions,
        Evidence::DescribeTrails => Operation::DescribeTrails,
        Evidence::GetTrailStatus => Operation::GetTrailStatus,
        Evidence::GetEventSelectors => Operation::GetEventSelectors,
        Evidence::DescribeLogGroups => Operation::DescribeLogGroups,
        Evidence::DescribeMetricFilters => Operation::DescribeMetricFilters,
        Evidence::TestMetricFilter => Operation::TestMetricFilter,
        Evidence::DescribeAlarms => Operation::DescribeAlarms,
        Evidence::ListAlarmMuteRules => Operation::ListAlarmMuteRules,
        Evidence::GetAlarmMuteRule => Operation::GetAlarmMuteRule,
        Evidence::GetTopicAttributes => Operation::GetTopicAttributes,
        Evidence::ListSubscriptionsByTopic => Operation::ListSubscriptionsByTopic,
        Evidence::GetSubscriptionAttributes => Operation::GetSubscriptionAttributes,
        Evidence::DescribeKey => Operation::DescribeKey,
        Evidence::GetKeyPolicy => Operation::GetKeyPolicy,
        Evidence::ListLinks => Operation::ListLinks,
        Evidence::GetLink => Operation::GetLink,
        Evidence::ListAttachedLinks => Operation::ListAttachedLinks,
        Evidence::ListCentralizationRulesForOrganization => {
            Operation::ListCentralizationRulesForOrganization
        }
        Evidence::GetCentralizationRuleForOrganization => {
            Operation::GetCentralizationRuleForOrganization
        }
        Evidence::ListTelemetryRulesForOrganization => Operation::ListTelemetryRulesForOrganization,
        Evidence::GetTelemetryRuleForOrganization => Operation::GetTelemetryRuleForOrganization,
        Evidence::ListTelemetryRules => Operation::ListTelemetryRules,
        Evidence::ListRules => Operation::ListRules,
    }
}

#[cfg(test)]
mod tests;
