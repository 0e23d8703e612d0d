//! What the environment and the configuration files say about the network, and where each setting
//! came from: checked before the SDK sees any of it, and shown to whoever asks.

use std::fmt;

use aws_config::SdkConfig;
use aws_config::profile::ProfileSet;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::certificates::Bundle;
use super::environment::Environment;
use super::proxy::Proxies;
use crate::error::ScanError;

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nothing was set.
    Default,
    /// A flag of the command line, or its key in `trailproof.toml`.
    Option(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A key of a profile of the AWS configuration files, or of its `services` section.
    Profile {
        /// The profile.
        profile: String,
        /// The key.
        key: &'static str,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::Option(name) | Self::Variable(name) => formatter.write_str(name),
            Self::Profile { profile, key } => write!(formatter, "{key} of profile `{profile}`"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Found<T> {
    pub(crate) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// One setting of the network as it takes effect. No value holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSetting {
    /// What is set, such as `proxy for https`.
    pub name: String,
    /// Its value; the password of a proxy is hidden.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// What is set about the network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Network {
    pub(crate) profile: Option<Found<String>>,
    pub(crate) region: Option<Found<String>>,
    pub(crate) proxies: Proxies,
    pub(crate) bundle: Option<Found<Bundle>>,
    pub(crate) fips: Option<Found<bool>>,
    pub(crate) dual_stack: Option<Found<bool>>,
    pub(crate) max_attempts: Option<Found<u32>>,
    pub(crate) retry_mode: Option<Found<String>>,
}

/// The services that are asked, as the SDK names them, with the variable of their endpoint.
const SERVICES: [(&str, &str); 11] = [
    ("Account", "AWS_ENDPOINT_URL_ACCOUNT"),
    ("CloudTrail", "AWS_ENDPOINT_URL_CLOUDTRAIL"),
    ("CloudWatch", "AWS_ENDPOINT_URL_CLOUDWATCH"),
    ("CloudWatch Logs", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"),
    ("EventBridge", "AWS_ENDPOINT_URL_EVENTBRIDGE"),
    ("KMS", "AWS_ENDPOINT_URL_KMS"),
    ("OAM", "AWS_ENDPOINT_URL_OAM"),
    ("ObservabilityAdmin", "AWS_ENDPOINT_URL_OBSERVABILITYADMIN"),
    ("Organizations", "AWS_ENDPOINT_URL_ORGANIZATIONS"),
    ("SNS", "AWS_ENDPOINT_URL_SNS"),
    ("STS", "AWS_ENDPOINT_URL_STS"),
];

/// Looks settings up: in a variable, then in the selected profile.
struct Sources<'a> {
    environment: &'a Environment,
    profiles: &'a ProfileSet,
}

impl Sources<'_> {
    fn find(
        &self,
        variables: &[&'static str],
        key: Option<&'static str>,
    ) -> Result<Option<Found<String>>, ScanError> {
        for name in variables {
            if let Some(value) = self.environment.text(name)? {
                return Ok(Some(Found::new(value.to_owned(), Origin::Variable(name))));
            }
        }
        Ok(key.and_then(|key| {
            let value = self.profiles.get(key).filter(|value| !value.is_empty())?;
            let profile = self.profiles.selected_profile().to_owned();
            Some(Found::new(
                value.to_owned(),
                Origin::Profile { profile, key },
            ))
        }))
    }

    fn parsed<T>(
        &self,
        variable: &'static str,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Found<T>>, ScanError> {
        let Some(Found { value, origin }) = self.find(&[variable], Some(key))? else {
            return Ok(None);
        };
        match parse(value.trim()) {
            Some(parsed) => Ok(Some(Found::new(parsed, origin))),
            None => Err(ScanError::InvalidSetting {
                place: origin.to_string(),
                reason: format!("`{value}` is not {expected}"),
                remedy: format!("set {origin} to {expected}, or unset it"),
            }),
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

impl Network {
    /// What an environment and the selected profile say.
    pub(crate) fn resolve(
        environment: &Environment,
        profiles: &ProfileSet,
        profile: Option<Found<String>>,
        region: Option<&str>,
    ) -> Result<Self, ScanError> {
        let sources = Sources {
            environment,
            profiles,
        };
        let region = match region {
            Some(region) => Some(Found::new(region.to_owned(), Origin::Option("--region"))),
            None => sources.find(&["AWS_REGION", "AWS_DEFAULT_REGION"], Some("region"))?,
        };
        // The order of botocore, to which SSL_CERT_FILE means nothing.
        let bundle = match sources.find(&["AWS_CA_BUNDLE"], Some("ca_bundle"))? {
            Some(bundle) => Some(bundle),
            None => sources.find(&["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"], None)?,
        };
        let bundle = match bundle {
            None => None,
            Some(Found { value, origin }) => {
                Some(Found::new(Bundle::read(&value, &origin)?, origin))
            }
        };
        Ok(Self {
            profile,
            region,
            proxies: Proxies::of(environment)?,
            bundle,
            fips: sources.parsed(
                "AWS_USE_FIPS_ENDPOINT",
                "use_fips_endpoint",
                "true or false",
                boolean,
            )?,
            dual_stack: sources.parsed(
                "AWS_USE_DUALSTACK_ENDPOINT",
                "use_dualstack_endpoint",
                "true or false",
                boolean,
            )?,
            max_attempts: sources.parsed(
                "AWS_MAX_ATTEMPTS",
                "max_attempts",
                "a number from 1",
                |text| text.parse().ok().filter(|attempts| *attempts > 0),
            )?,
            retry_mode: sources.parsed(
                "AWS_RETRY_MODE",
                "retry_mode",
                "legacy, standard or adaptive",
                |text| {
                    let mode = text.to_ascii_lowercase();
                    ["legacy", "standard", "adaptive"]
                        .contains(&mode.as_str())
                        .then_some(mode)
                },
            )?,
        })
    }

    /// Every setting that takes effect, those of the endpoints included.
    pub(crate) fn settings(&self, endpoints: Vec<NetworkSetting>) -> Vec<NetworkSetting> {
        fn shown<T>(
            name: &str,
            found: Option<&Found<T>>,
            value: impl Fn(&T) -> String,
        ) -> Option<NetworkSetting> {
            let found = found?;
            Some(NetworkSetting {
                name: name.to_owned(),
                value: value(&found.value),
                origin: found.origin.clone(),
            })
        }
        let settings = [
            shown("profile", self.profile.as_ref(), Clone::clone),
            shown("region", self.region.as_ref(), Clone::clone),
            shown("proxy for https", self.proxies.https.as_ref(), |proxy| {
                proxy.to_string()
            }),
            shown("proxy for http", self.proxies.http.as_ref(), |proxy| {
                proxy.to_string()
            }),
            shown("no proxy for", self.proxies.exceptions.as_ref(), |hosts| {
                hosts.to_string()
            }),
            shown("trusted certificates", self.bundle.as_ref(), |bundle| {
                let unusable = match bundle.unusable {
                    0 => String::new(),
                    count => format!(", {count} more cannot be used"),
                };
                format!("{} ({}{unusable})", bundle.path, bundle.len())
            }),
            shown("FIPS endpoints", self.fips.as_ref(), ToString::to_string),
            shown(
                "dual-stack endpoints",
                self.dual_stack.as_ref(),
                ToString::to_string,
            ),
            shown(
                "attempts at most",
                self.max_attempts.as_ref(),
                ToString::to_string,
            ),
            shown("retry mode", self.retry_mode.as_ref(), Clone::clone),
        ];
        settings.into_iter().flatten().chain(endpoints).collect()
    }
}

/// How many hosts are spoken to where an endpoint is set for all services: one, and those of
/// services with endpoints of their own. `None` without such an endpoint.
pub(crate) fn hosts(
    environment: &Environment,
    profiles: &ProfileSet,
) -> Result<Option<usize>, ScanError> {
    let sources = Sources {
        environment,
        profiles,
    };
    let ignored = sources.find(
        &["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"],
        Some("ignore_configured_endpoint_urls"),
    )?;
    let for_all = sources.find(&["AWS_ENDPOINT_URL"], Some("endpoint_url"))?;
    if for_all.is_none() || ignored.is_some_and(|found| boolean(&found.value) == Some(true)) {
        return Ok(None);
    }
    let for_one = sources.find(&SERVICES.map(|(_, variable)| variable), Some("services"))?;
    Ok(Some(if for_one.is_some() {
        1 + SERVICES.len()
    } else {
        1
    }))
}

/// The endpoints that somebody set, one for each service. One that is not a URL is an error: the
/// SDK would notice it at the first request, and not say where it stands.
pub(crate) fn endpoints(
    config: &SdkConfig,
    environment: &Environment,
    profile: &str,
) -> Result<Vec<NetworkSetting>, ScanError> {
    let Some(service_config) = config.service_config() else {
        return Ok(Vec::new());
    };
    let mut endpoints = Vec::new();
    for (service, variable) in SERVICES {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        // All three parts are given.
        let value = key.ok().and_then(|key| service_config.load_config(key));
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            continue;
        };
        let mut origin = Origin::Profile {
            profile: profile.to_owned(),
            key: "endpoint_url",
        };
        for name in ["AWS_ENDPOINT_URL", variable] {
            if environment.text(name)?.is_some() {
                origin = Origin::Variable(name);
            }
        }
        let lower = value.to_ascii_lowercase();
        let rest = lower
            .strip_prefix("http://")
            .or_else(|| lower.strip_prefix("https://"));
        if !rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':'])) {
            return Err(ScanError::InvalidSetting {
                place: origin.to_string(),
                reason: format!("`{value}` is not the URL of an endpoint"),
                remedy: format!("set {origin} to a URL such as https://HOST, or unset it"),
            });
        }
        endpoints.push(NetworkSetting {
            name: format!("endpoint of {service}"),
            value,
            origin,
        });
    }
    Ok(endpoints)
}

/// Endpoints of the services, where an empty one is none, as in the AWS CLI.
#[derive(Debug)]
pub(crate) struct SetEndpoints(pub(crate) SdkConfig);

impl LoadServiceConfig for SetEndpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let value = self.0.service_config()?.load_config(key)?;
        (!value.is_empty()).then_some(value)
    }
}
