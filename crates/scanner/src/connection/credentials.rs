//! The credentials of the connection, and words for those that could not be had.

use std::fmt;
use std::io;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, Result as ProviderResult, SharedCredentialsProvider, future,
};

use super::profile::{Base, Chain, Hop};
use super::trouble::{Trouble, find};
use crate::error::ScanError;

/// Asks a person for the code that an MFA device shows. The argument is the device's serial number
/// or ARN.
#[derive(Clone)]
pub struct MfaPrompt(Arc<Ask>);

type Ask = dyn Fn(&str) -> io::Result<String> + Send + Sync;

impl MfaPrompt {
    /// Asks with this function, which may block.
    pub fn new(ask: impl Fn(&str) -> io::Result<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl fmt::Debug for MfaPrompt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MfaPrompt(..)")
    }
}

/// What the providers of single sources have in common.
fn provider_config(config: &SdkConfig) -> ProviderConfig {
    let mut provider = ProviderConfig::without_region()
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack());
    if let Some(retry) = config.retry_config() {
        provider = provider.with_retry_config(retry.clone());
    }
    if let Some(timeouts) = config.timeout_config() {
        provider = provider.with_timeout_config(timeouts.clone());
    }
    if let Some(client) = config.http_client() {
        provider = provider.with_http_client(client);
    }
    provider
}

/// The credentials of a profile that a flag named: nobody else's. The SDK would take an access key
/// of the environment first; the AWS CLI does not, and a person who names a profile does not expect
/// it either. A profile that says nothing about credentials leaves them to the container or the
/// instance, as with the AWS CLI.
pub(super) fn of_profile(name: &str, config: &SdkConfig) -> SharedCredentialsProvider {
    let provider = provider_config(config);
    let profile = ProfileFileCredentialsProvider::builder()
        .configure(&provider)
        .profile_name(name)
        .build();
    let container = EcsCredentialsProvider::builder()
        .configure(&provider)
        .build();
    let instance = ImdsCredentialsProvider::builder()
        .configure(&provider)
        .build();
    SharedCredentialsProvider::new(
        CredentialsProviderChain::first_try("Profile", profile)
            .or_else("EcsContainer", container)
            .or_else("Ec2InstanceMetadata", instance),
    )
}

/// The credentials of a profile with a role that asks for an MFA code, which the SDK does not send.
pub(super) fn with_mfa(
    chain: &Chain,
    profiles: &ProfileSet,
    config: &SdkConfig,
    prompt: Option<&MfaPrompt>,
) -> Result<SharedCredentialsProvider, ScanError> {
    let provider = provider_config(config);
    let base = match &chain.base {
        Base::Keys => SharedCredentialsProvider::new(keys(&chain.profile, profiles)?),
        Base::Named(source) => match source.to_ascii_lowercase().as_str() {
            "environment" => {
                SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
            }
            "ecscontainer" => SharedCredentialsProvider::new(
                EcsCredentialsProvider::builder()
                    .configure(&provider)
                    .build(),
            ),
            "ec2instancemetadata" => SharedCredentialsProvider::new(
                ImdsCredentialsProvider::builder()
                    .configure(&provider)
                    .build(),
            ),
            _ => {
                return Err(ScanError::UnusableProfile {
                    profile: chain.profile.clone(),
                    reason: format!(
                        "its credential_source `{source}` is not Environment, EcsContainer or \
                         Ec2InstanceMetadata"
                    ),
                });
            }
        },
        _ => SharedCredentialsProvider::new(
            ProfileFileCredentialsProvider::builder()
                .configure(&provider)
                .profile_name(&chain.profile)
                .build(),
        ),
    };
    Ok(SharedCredentialsProvider::new(MfaChain {
        base,
        hops: chain.hops.clone(),
        config: config.clone(),
        prompt: prompt.cloned(),
    }))
}

fn keys(profile: &str, profiles: &ProfileSet) -> Result<Credentials, ScanError> {
    let text = |key| {
        profiles
            .get_profile(profile)
            .and_then(|found| found.get(key))
    };
    let (Some(id), Some(secret)) = (text("aws_access_key_id"), text("aws_secret_access_key"))
    else {
        return Err(ScanError::UnusableProfile {
            profile: profile.to_owned(),
            reason: "it has an aws_access_key_id, but no aws_secret_access_key".to_owned(),
        });
    };
    let token = text("aws_session_token").map(str::to_owned);
    Ok(Credentials::new(id, secret, token, None, "ProfileFile"))
}

/// Roles that are assumed one with the credentials of the other.
#[derive(Debug)]
struct MfaChain {
    base: SharedCredentialsProvider,
    hops: Vec<Hop>,
    config: SdkConfig,
    prompt: Option<MfaPrompt>,
}

/// There is nobody who could be asked for a code.
#[derive(Debug, thiserror::Error)]
#[error(
    "profile `{profile}` asks for the code of the MFA device {serial}, and nobody can be asked for \
     it here"
)]
pub(crate) struct NobodyToAsk {
    profile: String,
    serial: String,
}

impl MfaChain {
    async fn load(&self) -> ProviderResult {
        let mut credentials = self.base.provide_credentials().await?;
        for hop in &self.hops {
            let code = match &hop.mfa_serial {
                None => None,
                Some(serial) => Some(self.code(hop, serial).await?),
            };
            let config = self
                .config
                .to_builder()
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .build();
            let entered = aws_sdk_sts::Client::new(&config)
                .assume_role()
                .role_arn(&hop.role_arn)
                .role_session_name(hop.session_name.as_deref().unwrap_or("trailproof"))
                .set_external_id(hop.external_id.clone())
                .set_duration_seconds(hop.duration)
                .set_serial_number(hop.mfa_serial.clone())
                .set_token_code(code)
                .send()
                .await
                .map_err(CredentialsError::provider_error)?;
            let Some(given) = entered.credentials else {
                return Err(CredentialsError::unhandled(
                    "sts:AssumeRole answered without credentials",
                ));
            };
            credentials = Credentials::new(
                given.access_key_id,
                given.secret_access_key,
                Some(given.session_token),
                given.expiration.try_into().ok(),
                "AssumeRoleProvider",
            );
        }
        Ok(credentials)
    }

    async fn code(&self, hop: &Hop, serial: &str) -> Result<String, CredentialsError> {
        let Some(MfaPrompt(ask)) = self.prompt.clone() else {
            return Err(CredentialsError::invalid_configuration(NobodyToAsk {
                profile: hop.profile.clone(),
                serial: serial.to_owned(),
            }));
        };
        let serial = serial.to_owned();
        tokio::task::spawn_blocking(move || ask(&serial))
            .await
            .map_err(CredentialsError::unhandled)?
            .map_err(CredentialsError::unhandled)
    }
}

impl ProvideCredentials for MfaChain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}

/// Where the credentials of a connection come from, for the words of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Described {
    /// The profile, where one was chosen.
    profile: Option<String>,
    chain: Option<Chain>,
}

impl Described {
    pub(super) fn new(profile: Option<String>, chain: Option<Chain>) -> Self {
        Self { profile, chain }
    }

    /// The error of a provider, in words.
    pub(crate) fn missing(&self, error: &CredentialsError, reason: String) -> ScanError {
        if let Some(trouble) = Trouble::of_credentials(error) {
            return ScanError::MissingCredentials {
                reason: format!("their source cannot be reached: {trouble}"),
                remedy: trouble.cause.remedy().to_owned(),
            };
        }
        let refused = find::<NobodyToAsk>(error);
        let Some(chain) = &self.chain else {
            return ScanError::MissingCredentials {
                reason,
                remedy: NO_SOURCE.to_owned(),
            };
        };
        let profile = &chain.profile;
        let (reason, remedy) = match (&chain.base, refused) {
            (_, Some(refused)) => (
                refused.to_string(),
                "run trailproof on a terminal, or get credentials first and put them into the \
                 environment: `aws sts assume-role` with --serial-number and --token-code prints \
                 some"
                    .to_owned(),
            ),
            (Base::Sso { session }, None) if !self.is_refusal_of_role(error) => {
                let (whose, command) = match session {
                    Some(session) => (
                        format!("the SSO session `{session}` of profile `{profile}`"),
                        format!("aws sso login --sso-session {session}"),
                    ),
                    None => (
                        format!("the SSO session of profile `{profile}`"),
                        format!("aws sso login --profile {profile}"),
                    ),
                };
                (
                    format!("{whose} has no token that is good now: {reason}"),
                    format!("run `{command}`"),
                )
            }
            (Base::Login, None) if !self.is_refusal_of_role(error) => (
                format!(
                    "the login session of profile `{profile}` is over or was never begun: {reason}"
                ),
                format!("run `aws login --profile {profile}`"),
            ),
            (Base::Process(command), None) if !self.is_refusal_of_role(error) => {
                // Arguments may hold secrets.
                let program = command.split_whitespace().next().unwrap_or_default();
                (
                    format!(
                        "the credential_process `{program}` of profile `{profile}` gave none: {reason}"
                    ),
                    "run the command by hand: it has to print JSON with Version, AccessKeyId and \
                     SecretAccessKey"
                        .to_owned(),
                )
            }
            (Base::WebIdentity(file), None) => (
                format!("profile `{profile}` got none for the token in {file}: {reason}"),
                "check that the file holds a token that is good now, and that the role's trust \
                 policy names its issuer"
                    .to_owned(),
            ),
            (Base::Nothing, None) => match &self.profile {
                Some(profile) => (
                    format!(
                        "profile `{profile}` has none, and neither has this computer: {reason}"
                    ),
                    NO_SOURCE.to_owned(),
                ),
                None => (reason, NO_SOURCE.to_owned()),
            },
            (_, None) if self.is_refusal_of_role(error) => {
                let roles: Vec<&str> = chain.hops.iter().map(|hop| hop.role_arn.as_str()).collect();
                (
                    format!(
                        "the role {} of the profile was refused: {reason}",
                        roles.join(", then ")
                    ),
                    "check role_arn, external_id and the role's trust policy".to_owned(),
                )
            }
            _ => (reason, NO_SOURCE.to_owned()),
        };
        ScanError::MissingCredentials { reason, remedy }
    }

    /// Whether the first credentials were good, and a role was not to be had with them.
    fn is_refusal_of_role(&self, error: &CredentialsError) -> bool {
        let hops = self.chain.as_ref().map_or(0, |chain| chain.hops.len());
        hops > 0 && find::<aws_sdk_sts::operation::assume_role::AssumeRoleError>(error).is_some()
    }
}

/// What of some credentials no request can carry: the id of the key and the session token are sent
/// in headers, and have characters there that can be seen (RFC 9110, section 5.5). With any other,
/// it would look as if the network had failed.
pub(crate) fn unsendable(credentials: &Credentials) -> Option<&'static str> {
    let parts = [
        ("access key id", Some(credentials.access_key_id())),
        ("session token", credentials.session_token()),
    ];
    let sendable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let mut bad = parts
        .into_iter()
        .filter(|(_, text)| !text.is_none_or(sendable));
    bad.next().map(|(name, _)| name)
}

const NO_SOURCE: &str = "name a profile with --profile, run `aws login` or `aws sso login`, or set \
                         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_header_can_carry_is_named() {
        for (id, token, part) in [
            ("AKIDEXAMPLE", None, None),
            ("AKIDEXAMPLE", Some("IQoJb3JpZ2luX2VjE/+=="), None),
            ("AKIDEXAMPLE", Some("two\nlines"), Some("session token")),
            ("AKIDEXAMPLE", Some("token\r"), Some("session token")),
            ("AKIDEXAMPLE", Some("a b"), Some("session token")),
            ("AKID\u{1b}[31m", Some("token"), Some("access key id")),
            ("AKIDEXAMPLE", Some("t\u{f6}ken"), Some("session token")),
        ] {
            let token = token.map(str::to_owned);
            let credentials = Credentials::new(id, "secret\n", token, None, "test");
            assert_eq!(unsendable(&credentials), part, "{id:?}");
        }
    }
}
