//! A site as it is now.

use std::collections::BTreeMap;

use super::Work;
use super::decide::Reason;
use crate::remediation::cloud::Cloud;
use crate::remediation::plan::Site;
use crate::remediation::present;
use crate::remediation::resources::{alarm, metric_filter, topic};

/// What is at a site. Topics are read when they are first asked for.
pub(super) struct CurrentState {
    pub(super) filters: BTreeMap<String, metric_filter::Present>,
    pub(super) alarms: BTreeMap<String, alarm::Present>,
    topics: BTreeMap<String, Option<topic::Present>>,
}

impl CurrentState {
    /// Reads a site; an error when its log group cannot have metric filters.
    pub(super) async fn read<C: Cloud>(work: &Work<'_, C>, site: &Site) -> Result<Self, Reason> {
        let unreadable = |error: present::Unreadable| error.to_string();
        let (account, region) = (site.account, &site.region);
        let group = present::log_group(work.cloud, account, region, &site.log_group)
            .await
            .map_err(unreadable)?
            .ok_or_else(|| format!("the log group `{}` does not exist any more", site.log_group))?;
        if let Some(class) = group.log_group_class
            && *class != *"STANDARD"
        {
            return Err(format!(
                "the log group's class is {class}, which has no metric filters"
            ));
        }
        Ok(Self {
            filters: metric_filter::present(work.cloud, account, region, &site.log_group)
                .await
                .map_err(unreadable)?,
            alarms: alarm::present(work.cloud, account, region)
                .await
                .map_err(unreadable)?,
            topics: BTreeMap::new(),
        })
    }

    /// Nothing yet: for what belongs to no site.
    pub(super) fn of_no_site() -> Self {
        Self {
            filters: BTreeMap::new(),
            alarms: BTreeMap::new(),
            topics: BTreeMap::new(),
        }
    }

    pub(super) async fn topic<C: Cloud>(
        &mut self,
        work: &Work<'_, C>,
        arn: &str,
    ) -> Result<Option<&topic::Present>, Reason> {
        if !self.topics.contains_key(arn) {
            let topic = match work.kept_topic(arn) {
                Some(kept) => Some(kept),
                None => topic::present(work.cloud, arn)
                    .await
                    .map_err(|error| error.to_string())?,
            };
            self.topics.insert(arn.to_owned(), topic);
        }
        Ok(self.topics.get(arn).and_then(Option::as_ref))
    }
}
