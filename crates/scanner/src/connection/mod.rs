//! The connection to AWS: credentials, region, endpoints and the one HTTPS client.
//!
//! Made here so that the command line needs no AWS crate. Resolving accounts and roles is not
//! done here.
//!
//! Two features of the SDK are off on purpose. Its retries, because their tokens are shared by
//! every account of a region, so that a few broken accounts would take the retries of all others;
//! this crate retries by itself. And stalled-stream protection, because bodies are small and
//! watching each stream costs more than reading it; the read timeout is what ends a stall.

pub(crate) mod ahead;
pub(crate) mod as_sent;
mod bounded;
mod certificates;
mod client;
mod credentials;
mod environment;
mod names;
mod pool;
mod profile;
mod proxy;
mod settings;
mod trouble;

use std::fmt;
use std::time::Duration;

use aws_config::profile::ProfileSet;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

pub(crate) use bounded::is_too_large;
pub use credentials::MfaPrompt;
pub(crate) use credentials::{Described, unsendable};
pub use environment::Environment;
pub use pool::Connections;
pub use settings::{NetworkSetting, Origin};
pub(crate) use trouble::{ByProxy, Cause, Trouble, is_out_of_reach};

use crate::error::ScanError;
use pool::HOSTS_OF_AWS;
use settings::{Found, Network, SetEndpoints};

/// Where credentials, region and endpoints come from. The default is what the AWS CLI would do:
/// the environment, the shared configuration files, SSO, credential processes, web identity,
/// container and instance roles.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// The profile of the shared configuration files; `None` as the AWS CLI would choose.
    pub profile: Option<String>,
    /// The region of global questions; `None` as the AWS CLI would choose.
    pub region: Option<String>,
    /// One endpoint for every service, in place of those of the environment and the profile.
    pub endpoint_url: Option<String>,
    /// Fixed credentials in place of any source. With these and `endpoint_url` set, neither the
    /// environment nor any file is consulted: for simulations that must never touch the real AWS.
    pub credentials: Option<StaticCredentials>,
    /// The environment variables that say how AWS is reached; the default has none of them.
    pub environment: Environment,
    /// How a person is asked for the code of an MFA device; `None` where nobody can be asked.
    pub mfa_prompt: Option<MfaPrompt>,
    /// How many connections may be open at once.
    pub connections: Connections,
    /// A stand-in for the network.
    #[cfg(test)]
    pub(crate) network: Option<SharedHttpClient>,
}

/// An access key. Not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct StaticCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StaticCredentials(..)")
    }
}

/// How long establishing a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);
/// The same through a proxy, which has to establish one itself.
const CONNECT_TIMEOUT_BY_PROXY: Duration = Duration::from_secs(10);
/// How long AWS may stay silent within a request.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How long one request may take from start to end.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(40);
/// How often what gives credentials is asked when nothing says otherwise.
const CREDENTIALS_ATTEMPTS: u32 = 3;

/// A connection that is ready to be used.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The configuration every client is made from.
    pub(crate) config: SdkConfig,
    /// How many connections may be open to each endpoint.
    pub(crate) per_host: usize,
    /// How often a request that fails is tried, where somebody set that.
    pub(crate) max_attempts: Option<u32>,
    /// Where the credentials come from.
    pub(crate) credentials: Described,
    /// Everything that is set about the network, and takes effect.
    pub(crate) settings: Vec<NetworkSetting>,
}

/// What the environment and the configuration files say.
struct Configured {
    chosen: Option<Found<String>>,
    profiles: ProfileSet,
    network: Network,
}

impl ConnectOptions {
    /// What is set about the network, and where each setting came from. Asks nobody.
    pub async fn network_settings(&self) -> Result<Vec<NetworkSetting>, ScanError> {
        Ok(self.load().await?.settings)
    }

    async fn configured(&self) -> Result<Configured, ScanError> {
        let chosen = profile::chosen(self.profile.as_deref(), &self.environment)?;
        let profiles = profile::load(chosen.as_ref()).await?;
        let network = Network::resolve(
            &self.environment,
            &profiles,
            chosen.clone(),
            self.region.as_deref(),
        )?;
        Ok(Configured {
            chosen,
            profiles,
            network,
        })
    }

    /// A connection with these options.
    pub(crate) async fn load(&self) -> Result<Connection, ScanError> {
        if let (Some(endpoint), Some(credentials)) = (&self.endpoint_url, &self.credentials) {
            let client = self.http_client(&Network::default(), 1)?;
            return Ok(Connection {
                config: self.isolated(client, endpoint, credentials.into()),
                per_host: self.connections.per_host(1),
                max_attempts: None,
                credentials: Described::default(),
                settings: Vec::new(),
            });
        }
        let Configured {
            chosen,
            profiles,
            network,
        } = self.configured().await?;
        let hosts = if self.endpoint_url.is_some() {
            1
        } else {
            settings::hosts(&self.environment, &profiles)?.unwrap_or(HOSTS_OF_AWS)
        };
        let max_attempts = network.max_attempts.as_ref().map(|found| found.value);
        let attempts = max_attempts.unwrap_or(CREDENTIALS_ATTEMPTS);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.http_client(&network, hosts)?)
            .timeout_config(timeouts(network.proxies.https.is_some()))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // For what gives credentials. The calls of the scan are retried by this crate.
            .retry_config(RetryConfig::standard().with_max_attempts(attempts));
        if let Some(name) = app_name() {
            loader = loader.app_name(name);
        }
        if let Some(chosen) = &chosen {
            loader = loader.profile_name(&chosen.value);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &self.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(credentials) = &self.credentials {
            loader = loader.credentials_provider(Credentials::from(credentials));
        }
        let config = loader.load().await;
        let endpoints = if self.endpoint_url.is_some() {
            Vec::new()
        } else {
            settings::endpoints(&config, &self.environment, profiles.selected_profile())?
        };
        let mut builder = config.to_builder();
        if self.endpoint_url.is_none() {
            builder = builder.service_config(SetEndpoints(config.clone()));
            if config.endpoint_url().is_some_and(str::is_empty) {
                builder.set_endpoint_url(None);
            }
        }
        let config = builder.build();
        let (config, credentials) = self.with_credentials(config, chosen.as_ref(), &profiles)?;
        Ok(Connection {
            config: config
                .into_builder()
                .retry_config(RetryConfig::disabled())
                .build(),
            per_host: self.connections.per_host(hosts),
            max_attempts,
            credentials,
            settings: network.settings(endpoints),
        })
    }

    /// The configuration with the credentials that were chosen. Without a choice, those of the
    /// environment come first, as with the AWS CLI.
    fn with_credentials(
        &self,
        config: SdkConfig,
        chosen: Option<&Found<String>>,
        profiles: &ProfileSet,
    ) -> Result<(SdkConfig, Described), ScanError> {
        if self.credentials.is_some() {
            return Ok((config, Described::default()));
        }
        let by_flag = chosen.filter(|chosen| matches!(chosen.origin, Origin::Option(_)));
        if by_flag.is_none() && self.environment.text("AWS_ACCESS_KEY_ID")?.is_some() {
            return Ok((config, Described::default()));
        }
        let name = profiles.selected_profile();
        let chain = profile::chain(profiles, name)?;
        let mfa = chain.hops.iter().any(|hop| hop.mfa_serial.is_some());
        let provider = match (mfa, by_flag) {
            (true, _) => Some(credentials::with_mfa(
                &chain,
                profiles,
                &config,
                self.mfa_prompt.as_ref(),
            )?),
            (false, Some(_)) => Some(credentials::of_profile(name, &config)),
            (false, None) => None,
        };
        let config = match provider {
            None => config,
            Some(provider) => config.into_builder().credentials_provider(provider).build(),
        };
        let described = Described::new(chosen.map(|chosen| chosen.value.clone()), Some(chain));
        Ok((config, described))
    }

    /// A configuration that knows neither environment nor files, so that the real AWS is out of
    /// reach whatever they say.
    fn isolated(
        &self,
        http_client: SharedHttpClient,
        endpoint: &str,
        credentials: Credentials,
    ) -> SdkConfig {
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http_client)
            .timeout_config(timeouts(false))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::disabled())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SystemTimeSource::new())
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials));
        builder.set_app_name(app_name());
        builder.set_region(self.region.clone().map(Region::new));
        builder.build()
    }

    fn http_client(&self, network: &Network, hosts: usize) -> Result<SharedHttpClient, ScanError> {
        #[cfg(test)]
        if let Some(network) = &self.network {
            return Ok(as_sent::client(network.clone()));
        }
        let client = client::https_client(network, self.connections.per_host(hosts))?;
        Ok(as_sent::client(client))
    }
}

fn timeouts(by_proxy: bool) -> TimeoutConfig {
    let connect = if by_proxy {
        CONNECT_TIMEOUT_BY_PROXY
    } else {
        CONNECT_TIMEOUT
    };
    TimeoutConfig::builder()
        .connect_timeout(connect)
        .read_timeout(READ_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}

/// Names the tool in the user agent, which CloudTrail shows to whoever watches the accounts.
fn app_name() -> Option<AppName> {
    AppName::new(concat!("trailproof-", env!("CARGO_PKG_VERSION"))).ok()
}

impl From<&StaticCredentials> for Credentials {
    fn from(credentials: &StaticCredentials) -> Self {
        Self::new(
            &credentials.access_key_id,
            &credentials.secret_access_key,
            credentials.session_token.clone(),
            None,
            "trailproof",
        )
    }
}
