//! The connection to AWS: credentials, region, endpoints and the one HTTPS client.
//!
//! Made here so that the command line needs no AWS crate. Resolving accounts and roles is not
//! done here.
//!
//! Two features of the SDK are off on purpose. Its retries, because their tokens are shared by
//! every account of a region, so that a few broken accounts would take the retries of all others;
//! this crate retries by itself. And stalled-stream protection, because bodies are small and
//! watching each stream costs more than reading it; the read timeout is what ends a stall.

use std::fmt;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::connections::{Connections, HOSTS_OF_AWS, IDLE_TIMEOUT};
use crate::error::ScanError;
use crate::profile;

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
/// How long AWS may stay silent within a request.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How long one request may take from start to end.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(40);

impl ConnectOptions {
    /// The configuration every client is made from, for so many calls at once.
    pub(crate) async fn load(&self, calls_at_once: usize) -> Result<SdkConfig, ScanError> {
        // An endpoint of one's own is one host.
        let one_host = || self.http_client(calls_at_once, 1);
        if let (Some(endpoint), Some(credentials)) = (&self.endpoint_url, &self.credentials) {
            return Ok(self.isolated(one_host(), endpoint, credentials.into()));
        }
        if let Some(profile) = &self.profile {
            profile::check(profile).await?;
        }
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.http_client(calls_at_once, HOSTS_OF_AWS))
            .timeout_config(timeouts())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::disabled());
        if let Some(name) = app_name() {
            loader = loader.app_name(name);
        }
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
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
        let mut config = loader.load().await;
        // The environment and the profile may name one, too.
        if config.endpoint_url().is_some() {
            config = config.into_builder().http_client(one_host()).build();
        }
        if let (Some(profile), None) = (&self.profile, &self.credentials) {
            let credentials = profile::credentials(profile, &config);
            config = config
                .into_builder()
                .credentials_provider(credentials)
                .build();
        }
        Ok(config)
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
            .timeout_config(timeouts())
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

    fn http_client(&self, calls_at_once: usize, hosts: usize) -> SharedHttpClient {
        #[cfg(test)]
        if let Some(network) = &self.network {
            return network.clone();
        }
        https_client(self.connections.idle_per_host(calls_at_once, hosts))
    }
}

/// One client for everything: a connector per service client costs about 120 kB each and shares
/// neither connections nor TLS sessions.
fn https_client(idle_per_host: usize) -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(idle_per_host)
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::AwsLc,
        ))
        .build_https()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
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
