//! The profile of the AWS configuration files: which one, whether it is there, and where its
//! credentials come from, so that mistakes are named before anything is asked.

use std::error::Error as _;

use aws_config::profile::{Profile, ProfileSet};
use aws_types::os_shim_internal::{Env, Fs};

use super::environment::Environment;
use super::settings::{Found, Origin};
use crate::error::ScanError;

/// The profile that somebody chose. The AWS CLI knows both variables.
pub(super) fn chosen(
    option: Option<&str>,
    environment: &Environment,
) -> Result<Option<Found<String>>, ScanError> {
    if let Some(name) = option {
        return Ok(Some(Found::new(
            name.to_owned(),
            Origin::Option("--profile"),
        )));
    }
    for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        if let Some(name) = environment.text(variable)? {
            return Ok(Some(Found::new(
                name.to_owned(),
                Origin::Variable(variable),
            )));
        }
    }
    Ok(None)
}

/// The configuration files, with the chosen profile selected, which has to be there.
pub(super) async fn load(chosen: Option<&Found<String>>) -> Result<ProfileSet, ScanError> {
    let name = chosen.map_or("default", |chosen| chosen.value.as_str());
    #[expect(
        clippy::default_trait_access,
        reason = "the type is in a crate that is used for nothing else"
    )]
    let files = &Default::default();
    let selected = Some(name.to_owned().into());
    let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), files, selected).await;
    let profiles = profiles.map_err(|error| {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            reason = format!("{reason}: {deeper}");
            cause = deeper.source();
        }
        unusable(name, reason)
    })?;
    if let Some(Found { value, origin }) = chosen
        && profiles.get_profile(value).is_none()
    {
        return Err(unusable(
            name,
            format!("it is in none of the AWS configuration files ({origin} names it)"),
        ));
    }
    Ok(profiles)
}

fn unusable(profile: &str, reason: impl Into<String>) -> ScanError {
    ScanError::UnusableProfile {
        profile: profile.to_owned(),
        reason: reason.into(),
    }
}

/// Where a profile's credentials begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// An access key in the files.
    Keys,
    /// IAM Identity Center.
    Sso {
        /// The `sso-session` section; older profiles have none.
        session: Option<String>,
    },
    /// `aws login`.
    Login,
    /// A program.
    Process(String),
    /// A token in a file.
    WebIdentity(String),
    /// `credential_source`.
    Named(String),
    /// Nothing: the environment, a container or the instance may have some.
    Nothing,
}

/// A role that a profile assumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) profile: String,
    pub(super) role_arn: String,
    pub(super) external_id: Option<String>,
    pub(super) session_name: Option<String>,
    /// In seconds.
    pub(super) duration: Option<i32>,
    pub(super) mfa_serial: Option<String>,
}

/// How a profile gets its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// The profile that the first credentials are of.
    pub(super) profile: String,
    pub(super) base: Base,
    /// The roles, in the order in which they are assumed.
    pub(super) hops: Vec<Hop>,
}

/// Follows `source_profile` from a profile to its first credentials.
pub(super) fn chain(profiles: &ProfileSet, name: &str) -> Result<Chain, ScanError> {
    let mut hops = Vec::new();
    let mut followed: Vec<String> = Vec::new();
    let mut current = name.to_owned();
    loop {
        let Some(profile) = profiles.get_profile(&current) else {
            let Some(from) = followed.last() else {
                return Ok(Chain {
                    profile: current,
                    base: Base::Nothing,
                    hops,
                });
            };
            return Err(unusable(
                from,
                format!("its source_profile `{current}` is in none of the AWS configuration files"),
            ));
        };
        let sourced = !followed.is_empty();
        followed.push(current.clone());
        let base = match role(profile) {
            // The keys of a source profile come before the role that it would assume.
            _ if sourced && has_keys(profile) => Base::Keys,
            None => base(profile),
            Some(hop) => {
                let hop = hop?;
                hops.push(hop);
                match (
                    profile.get("source_profile"),
                    profile.get("credential_source"),
                ) {
                    (Some(_), Some(_)) => {
                        return Err(unusable(
                            &current,
                            "it has both source_profile and credential_source: one of them has \
                             to go",
                        ));
                    }
                    (None, None) => {
                        return Err(unusable(
                            &current,
                            "it has a role_arn, but no source_profile or credential_source that \
                             says with whose credentials the role is assumed",
                        ));
                    }
                    (None, Some(source)) => Base::Named(source.to_owned()),
                    (Some(source), None) if source == current => match base(profile) {
                        Base::Nothing => {
                            return Err(unusable(
                                &current,
                                "its source_profile is itself, and it has no access key",
                            ));
                        }
                        base => base,
                    },
                    (Some(source), None) => {
                        source.clone_into(&mut current);
                        if followed.contains(&current) {
                            followed.push(current);
                            return Err(unusable(
                                name,
                                format!(
                                    "it gets its credentials from itself: source_profile goes \
                                     {}",
                                    followed.join(" -> ")
                                ),
                            ));
                        }
                        continue;
                    }
                }
            }
        };
        hops.reverse();
        return Ok(Chain {
            profile: current,
            base,
            hops,
        });
    }
}

fn has_keys(profile: &Profile) -> bool {
    profile.get("aws_access_key_id").is_some()
}

fn base(profile: &Profile) -> Base {
    if let Some(source) = profile.get("credential_source") {
        Base::Named(source.to_owned())
    } else if let Some(file) = profile.get("web_identity_token_file") {
        Base::WebIdentity(file.to_owned())
    } else if profile.get("sso_session").is_some() || profile.get("sso_start_url").is_some() {
        Base::Sso {
            session: profile.get("sso_session").map(str::to_owned),
        }
    } else if profile.get("login_session").is_some() {
        Base::Login
    } else if let Some(command) = profile.get("credential_process") {
        Base::Process(command.to_owned())
    } else if has_keys(profile) {
        Base::Keys
    } else {
        Base::Nothing
    }
}

fn role(profile: &Profile) -> Option<Result<Hop, ScanError>> {
    // With a token, the role is the first credentials, not a step after them.
    if profile.get("web_identity_token_file").is_some() {
        return None;
    }
    let text = |key| profile.get(key).map(str::to_owned);
    let role_arn = text("role_arn")?;
    let duration = match profile.get("duration_seconds") {
        None => None,
        Some(seconds) => match seconds.parse() {
            Ok(seconds) => Some(seconds),
            Err(_) => {
                return Some(Err(unusable(
                    profile.name(),
                    format!("its duration_seconds `{seconds}` is not a number"),
                )));
            }
        },
    };
    Some(Ok(Hop {
        profile: profile.name().to_owned(),
        role_arn,
        external_id: text("external_id"),
        session_name: text("role_session_name"),
        duration,
        mfa_serial: text("mfa_serial"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(text: &str) -> ProfileSet {
        let text = text.replace('[', "[profile ");
        let selected = Some("a".into());
        let environment = Env::from_slice(&[("HOME", "/")]);
        #[expect(
            clippy::default_trait_access,
            reason = "the type is in a crate that is used for nothing else"
        )]
        let places = &Default::default();
        let files = Fs::from_slice(&[("/.aws/config", &text)]);
        let loaded = aws_config::profile::load(&files, &environment, places, selected);
        futures::executor::block_on(loaded).unwrap()
    }

    fn followed(text: &str) -> Result<Chain, String> {
        chain(&profiles(text), "a").map_err(|error| error.to_string())
    }

    #[test]
    fn chains_end_where_credentials_begin() {
        for (text, profile, base, roles) in [
            ("", "a", Base::Nothing, 0),
            ("[a]\naws_access_key_id = A", "a", Base::Keys, 0),
            (
                "[a]\nrole_arn = r\nsource_profile = a\naws_access_key_id = A",
                "a",
                Base::Keys,
                1,
            ),
            (
                "[a]\nrole_arn = r\nsource_profile = b\n[b]\nrole_arn = s\nsource_profile = c\n\
                 [c]\nsso_session = corp",
                "c",
                Base::Sso {
                    session: Some("corp".to_owned()),
                },
                2,
            ),
            (
                "[a]\nrole_arn = r\nsource_profile = b\n[b]\nrole_arn = s\nsource_profile = c\n\
                 aws_access_key_id = B",
                "b",
                Base::Keys,
                1,
            ),
            (
                "[a]\nrole_arn = r\ncredential_source = Environment",
                "a",
                Base::Named("Environment".to_owned()),
                1,
            ),
            (
                "[a]\nrole_arn = r\nweb_identity_token_file = /t",
                "a",
                Base::WebIdentity("/t".to_owned()),
                0,
            ),
            ("[a]\nlogin_session = x", "a", Base::Login, 0),
            (
                "[a]\ncredential_process = x y",
                "a",
                Base::Process("x y".to_owned()),
                0,
            ),
        ] {
            let chain = followed(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(chain.profile, profile, "{text}");
            assert_eq!(chain.base, base, "{text}");
            assert_eq!(chain.hops.len(), roles, "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, reason) in [
            (
                "[a]\nrole_arn = r\nsource_profile = a",
                "profile `a` cannot be used: its source_profile is itself, and it has no access \
                 key",
            ),
            (
                "[a]\nrole_arn = r\nsource_profile = b\n[b]\nrole_arn = s\nsource_profile = a",
                "profile `a` cannot be used: it gets its credentials from itself: source_profile \
                 goes a -> b -> a",
            ),
            (
                "[a]\nrole_arn = r\nsource_profile = b",
                "profile `a` cannot be used: its source_profile `b` is in none of the AWS \
                 configuration files",
            ),
            (
                "[a]\nrole_arn = r",
                "profile `a` cannot be used: it has a role_arn, but no source_profile or \
                 credential_source that says with whose credentials the role is assumed",
            ),
            (
                "[a]\nrole_arn = r\nsource_profile = b\ncredential_source = Environment",
                "profile `a` cannot be used: it has both source_profile and credential_source: \
                 one of them has to go",
            ),
            (
                "[a]\nrole_arn = r\nsource_profile = a\nduration_seconds = long",
                "profile `a` cannot be used: its duration_seconds `long` is not a number",
            ),
        ] {
            assert_eq!(followed(text).unwrap_err(), reason, "{text}");
        }
    }
}
