//! The SDK's clients: one for each service and region, made when it is first needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_credential_types::provider::SharedCredentialsProvider;
use jiff::SignedDuration;
use trailproof_core::account::Region;

use super::clock_skew::ClockSkew;
use super::json::{Asking, SERVICES};
use super::send::CallCredentials;

/// The clients of every region, sharing connections. Credentials are given with each call.
#[derive(Debug)]
pub(crate) struct Clients {
    config: SdkConfig,
    regions: Mutex<HashMap<Region, Arc<RegionalClients>>>,
    skew: ClockSkew,
}

impl Clients {
    /// The clients of a connection.
    pub(crate) fn new(config: &SdkConfig) -> Self {
        // The credentials are held by the session already: a cache has nothing to do.
        let config = config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(CallCredentials))
            .identity_cache(IdentityCache::no_cache())
            .build();
        Self {
            config,
            regions: Mutex::default(),
            skew: ClockSkew::default(),
        }
    }

    /// How far this computer's clock is ahead of AWS's, as the first answer of STS showed.
    pub(crate) fn clock_skew(&self) -> Option<SignedDuration> {
        self.skew.get()
    }

    /// The clients of a region.
    pub(crate) fn at(&self, region: &Region) -> Arc<RegionalClients> {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = regions.get(region) {
            return Arc::clone(known);
        }
        let name = aws_config::Region::new(region.as_str().to_owned());
        let regional = Arc::new(RegionalClients {
            config: self.config.to_builder().region(name).build(),
            account: OnceLock::new(),
            cloudtrail: OnceLock::new(),
            cloudwatch: OnceLock::new(),
            logs: OnceLock::new(),
            organizations: OnceLock::new(),
            sns: OnceLock::new(),
            sts: OnceLock::new(),
            skew: self.skew.clone(),
            json: SERVICES.each_ref().map(|_| OnceLock::new()),
        });
        regions.insert(region.clone(), Arc::clone(&regional));
        regional
    }
}

/// The clients of one region. Credentials come from whoever sends.
#[derive(Debug)]
pub struct RegionalClients {
    config: SdkConfig,
    account: OnceLock<aws_sdk_account::Client>,
    cloudtrail: OnceLock<aws_sdk_cloudtrail::Client>,
    cloudwatch: OnceLock<aws_sdk_cloudwatch::Client>,
    logs: OnceLock<aws_sdk_cloudwatchlogs::Client>,
    organizations: OnceLock<aws_sdk_organizations::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
    skew: ClockSkew,
    /// The services that need no crate of the SDK.
    json: [OnceLock<Asking>; SERVICES.len()],
}

/// A client that is made when it is first asked for.
macro_rules! client {
    ($regional:ident.$service:ident, $sdk:ident) => {
        $regional
            .$service
            .get_or_init(|| $sdk::Client::new(&$regional.config))
    };
}

impl RegionalClients {
    pub(crate) fn account(&self) -> &aws_sdk_account::Client {
        client!(self.account, aws_sdk_account)
    }

    pub(super) fn cloudtrail(&self) -> &aws_sdk_cloudtrail::Client {
        client!(self.cloudtrail, aws_sdk_cloudtrail)
    }

    /// CloudWatch.
    pub fn cloudwatch(&self) -> &aws_sdk_cloudwatch::Client {
        client!(self.cloudwatch, aws_sdk_cloudwatch)
    }

    /// CloudWatch Logs.
    pub fn logs(&self) -> &aws_sdk_cloudwatchlogs::Client {
        client!(self.logs, aws_sdk_cloudwatchlogs)
    }

    pub(super) fn organizations(&self) -> &aws_sdk_organizations::Client {
        client!(self.organizations, aws_sdk_organizations)
    }

    /// SNS.
    pub fn sns(&self) -> &aws_sdk_sns::Client {
        client!(self.sns, aws_sdk_sns)
    }

    /// How one of the services in [`SERVICES`] is asked.
    pub(super) fn json(&self, service: usize, region: &Region) -> Option<&Asking> {
        let asking = self.json.get(service)?;
        let service = SERVICES.get(service)?;
        Some(asking.get_or_init(|| service.asking(&self.config, region)))
    }

    pub(super) fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| {
            let config = aws_sdk_sts::config::Builder::from(&self.config);
            aws_sdk_sts::Client::from_conf(config.interceptor(self.skew.clone()).build())
        })
    }
}
