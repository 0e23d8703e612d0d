//! Why no connection came about: which proxy it went through, and whose certificate was refused.

use std::error::Error;
use std::io;
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::proxy::Proxy;
use super::settings::Found;

/// Marks an answer that came through a proxy without a tunnel, with the proxy's name.
#[derive(Debug, Clone)]
pub(crate) struct ByProxy(pub(crate) Arc<str>);

/// What is known about a connection that did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The proxy asks for a user name and password, or does not accept those it was given.
    ProxyCredentials,
    /// The proxy did not open a tunnel: it answered with another status, or not in HTTP at all.
    ProxyRefused,
    /// No connection to the proxy.
    ProxyUnreachable,
    /// Something went wrong behind the proxy, or the proxy broke off.
    BehindProxy,
    /// The server's certificate is signed by nobody whom this computer trusts, or not valid.
    Certificate,
    /// The host has no address, refuses connections, or broke off, without a proxy in between.
    Unreached,
}

impl Cause {
    /// The code that is recorded.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::ProxyCredentials => "ProxyAuthenticationRequired",
            Self::ProxyRefused => "ProxyRefused",
            Self::ProxyUnreachable => "ProxyUnreachable",
            Self::BehindProxy | Self::Unreached => "ConnectionFailed",
            Self::Certificate => "CertificateNotTrusted",
        }
    }

    /// What a person can do about it.
    pub(crate) const fn remedy(self) -> &'static str {
        match self {
            Self::ProxyCredentials => {
                "put the proxy's user name and password into its URL, as \
                 http://USER:PASSWORD@HOST:PORT with special characters percent-encoded"
            }
            Self::ProxyRefused => {
                "check that the URL is that of an HTTP proxy and that the proxy may connect to the \
                 endpoints of AWS; name hosts that need no proxy in NO_PROXY"
            }
            Self::ProxyUnreachable => {
                "check the host and port of the proxy, or name hosts that need no proxy in NO_PROXY"
            }
            Self::BehindProxy => {
                "check that the proxy lets connections to the endpoints of AWS pass, and --region"
            }
            Self::Unreached => "check the network, the proxy, --region and AWS_ENDPOINT_URL",
            Self::Certificate => {
                "if a proxy or firewall of your organization opens TLS connections, name its \
                 certificate, as a PEM file, in AWS_CA_BUNDLE or `ca_bundle`"
            }
        }
    }

    /// The cause that a recorded code stands for, where it stands for one.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        [
            Self::ProxyCredentials,
            Self::ProxyRefused,
            Self::ProxyUnreachable,
            Self::Certificate,
        ]
        .into_iter()
        .find(|cause| cause.code() == code)
    }
}

/// A connection that did not come about.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Trouble {
    pub(crate) cause: Cause,
    text: String,
}

impl Trouble {
    /// The trouble among the causes of an error.
    pub(crate) fn in_causes_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        find(error)
    }

    /// The trouble for which credentials are missing. A source that this computer does not have at
    /// all is not in trouble.
    pub(crate) fn of_credentials(error: &CredentialsError) -> Option<&Self> {
        Self::in_causes_of(error)
            .filter(|trouble| trouble.cause != Cause::Unreached || is_out_of_reach(error))
    }
}

/// An error and its causes. One that an [`io::Error`] carries is not its source.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>() {
            Some(carrier) => carrier
                .get_ref()
                .map(|carried| -> &(dyn Error + 'static) { carried }),
            None => error.source(),
        }
    })
}

/// An error of this type among the causes of another.
pub(super) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Whether credentials are missing only because who gives them could not be reached. A source that
/// is not there at all, such as the metadata of an instance on a computer that is none, is not
/// missing for that reason.
pub(crate) fn is_out_of_reach(error: &CredentialsError) -> bool {
    match error {
        CredentialsError::ProviderTimedOut(_) => true,
        CredentialsError::ProviderError(_) => find::<ConnectorError>(error).is_some(),
        _ => false,
    }
}

/// The innermost cause that says anything.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .map(ToString::to_string)
        .filter(|text| !text.is_empty())
        .last()
        .unwrap_or_default()
}

/// A proxy, and where it was named.
pub(super) fn named(proxy: &Found<Proxy>) -> String {
    format!("{} ({})", proxy.value, proxy.origin)
}

/// A proxy that answers with status 407.
pub(super) fn asks_for_credentials(proxy: &Found<Proxy>) -> ConnectorError {
    let text = format!(
        "the proxy {} asks for a user name and password (status 407)",
        named(proxy)
    );
    let cause = Cause::ProxyCredentials;
    ConnectorError::io(Trouble { cause, text }.into())
}

/// The error of a connection, with what is known about it.
pub(super) fn explained(
    error: ConnectorError,
    authority: &str,
    proxy: Option<&Found<Proxy>>,
) -> ConnectorError {
    // Time-outs have words of their own, and are retried differently.
    if error.is_timeout() || error.is_user() {
        return error;
    }
    let inner = innermost(&error);
    let certificate = causes(&error).find_map(|cause| match cause.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(reason)) => Some(reason),
        _ => None,
    });
    let (cause, text) = match (certificate, proxy) {
        (Some(reason), proxy) => {
            let through = proxy.map_or(String::new(), |proxy| {
                format!(" through the proxy {}", named(proxy))
            });
            let why = match reason {
                rustls::CertificateError::UnknownIssuer => {
                    "it is signed by nobody whom this computer trusts".to_owned()
                }
                reason => reason.to_string(),
            };
            let text = format!("the certificate of {authority}{through} was not accepted: {why}");
            (Cause::Certificate, text)
        }
        (None, None) => (Cause::Unreached, format!("{authority}: {inner}")),
        (None, Some(proxy)) => {
            let name = named(proxy);
            let texts: Vec<String> = causes(&error).map(ToString::to_string).collect();
            let says = |words: &str| texts.iter().any(|text| text.contains(words));
            // The words of hyper-util's tunnel, which has no public type for its errors.
            if says("proxy authorization required") {
                return asks_for_credentials(proxy);
            } else if says("tunnel error: unsuccessful") || says("headers too long") {
                let text = format!(
                    "the proxy {name} did not connect to {authority}: it refused, or did not \
                     answer as an HTTP proxy"
                );
                (Cause::ProxyRefused, text)
            } else if says("failed to create underlying connection")
                || says("tcp connect error")
                || says("dns error")
            {
                let text = format!("cannot connect to the proxy {name}: {inner}");
                (Cause::ProxyUnreachable, text)
            } else {
                let text = format!("{authority} through the proxy {name}: {inner}");
                (Cause::BehindProxy, text)
            }
        }
    };
    ConnectorError::io(Trouble { cause, text }.into())
}
