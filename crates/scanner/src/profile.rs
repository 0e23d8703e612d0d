//! A profile that the user named: whose credentials these are, and nobody else's.
//!
//! The SDK would take an access key of the environment before a profile, also before one that was
//! named. The AWS CLI does not, and a person who names a profile does not expect it either.

use std::error::Error as _;

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::os_shim_internal::{Env, Fs};

use crate::error::ScanError;

/// Whether the configuration files have a profile of this name.
pub(crate) async fn check(name: &str) -> Result<(), ScanError> {
    let unusable = |reason| ScanError::UnusableProfile {
        profile: name.to_owned(),
        reason,
    };
    #[expect(
        clippy::default_trait_access,
        reason = "the type is in a crate that is used for nothing else"
    )]
    let files = &Default::default();
    let selected = Some(name.to_owned().into());
    match aws_config::profile::load(&Fs::real(), &Env::real(), files, selected).await {
        Ok(profiles) if profiles.get_profile(name).is_some() => Ok(()),
        Ok(_) => Err(unusable(
            "it is in none of the AWS configuration files".to_owned(),
        )),
        Err(error) => {
            let mut reason = error.to_string();
            let mut cause = error.source();
            while let Some(deeper) = cause {
                reason = format!("{reason}: {deeper}");
                cause = deeper.source();
            }
            Err(unusable(reason))
        }
    }
}

/// The credentials of a profile. One that says nothing about credentials leaves them to the
/// container or the instance, as with the AWS CLI; the environment is not asked.
pub(crate) fn credentials(name: &str, config: &SdkConfig) -> SharedCredentialsProvider {
    let mut provider = ProviderConfig::without_region()
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack());
    if let Some(client) = config.http_client() {
        provider = provider.with_http_client(client);
    }
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
