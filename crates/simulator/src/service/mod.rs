//! What each operation does, apart from any protocol.

mod account;
mod alarm_writing;
mod cloudtrail;
mod cloudwatch;
mod events;
mod kms;
mod listing;
mod logs;
mod metric_filter_writing;
mod oam;
mod observability_admin;
mod organizations;
mod security_hub;
mod sns;
mod sns_writing;
mod sts;
mod topic_policy;

use jiff::{SignedDuration, Timestamp};
use trailproof_core::account::Region;

use crate::document::Structure;
use crate::failure::Failure;
use crate::model::Organization;
use crate::operation::{Operation, Service};
use crate::pagination::Paging;
use crate::parameters::Parameters;
use crate::permission::Caller;

/// Who calls, where, when and with what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) region: &'a Region,
    pub(crate) now: Timestamp,
    pub(crate) paging: Paging,
    pub(crate) parameters: Parameters<'a>,
    /// The longest a session lasts, whatever is asked for.
    pub(crate) session_limit: Option<SignedDuration>,
}

/// What an operation answers.
pub(crate) type Answer = Result<Structure, Failure>;

/// Performs an operation that changes nothing.
pub(crate) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    match operation.service() {
        Service::Organizations => organizations::read(organization, operation, context),
        Service::Sts => sts::read(organization, operation, context),
        Service::Account => account::read(organization, operation, context),
        Service::CloudTrail => cloudtrail::read(organization, operation, context),
        Service::Logs => logs::read(organization, operation, context),
        Service::CloudWatch => cloudwatch::read(organization, operation, context),
        Service::Sns => sns::read(organization, operation, context),
        Service::Kms => kms::read(organization, operation, context),
        Service::Oam => oam::read(organization, operation, context),
        Service::ObservabilityAdmin => observability_admin::read(organization, operation, context),
        Service::Events => events::read(organization, operation, context),
        Service::SecurityHub => security_hub::read(organization, operation, context),
    }
}

/// Performs an operation that changes something.
pub(crate) fn write(
    organization: &mut Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    match operation.service() {
        Service::CloudTrail => cloudtrail::write(organization, operation, context),
        Service::Logs => metric_filter_writing::write(organization, operation, context),
        Service::CloudWatch => alarm_writing::write(organization, operation, context),
        Service::Sns => sns_writing::write(organization, operation, context),
        Service::SecurityHub => security_hub::write(organization, operation, context),
        Service::Organizations
        | Service::Sts
        | Service::Account
        | Service::Kms
        | Service::Oam
        | Service::ObservabilityAdmin
        | Service::Events => Err(unsupported()),
    }
}

/// An operation that reached a part which does not perform it.
fn unsupported() -> Failure {
    Failure::invalid(
        "UnknownOperationException",
        "the operation is not simulated",
    )
}
