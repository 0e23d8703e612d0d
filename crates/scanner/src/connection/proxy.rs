//! The proxy that a request goes through: by the same rules as in the AWS CLI, which has them from
//! Python's `urllib` (`getproxies_environment`, `proxy_bypass_environment`) and botocore's
//! `httpsession`. A variable in lower case wins, also when it is empty: then there is no proxy.

use std::fmt;
use std::fmt::Write as _;

use super::environment::Environment;
use super::settings::{Found, Origin};
use crate::error::ScanError;

/// A proxy. Its password is printed by nothing but [`Proxy::url`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    scheme: &'static str,
    credentials: Option<(String, String)>,
    /// Host and port.
    address: String,
}

impl Proxy {
    /// A proxy as a person writes it: a URL, or a host and a port.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let (scheme, rest) = if let Some(rest) = lower.strip_prefix("https://") {
            ("https", rest.len())
        } else if let Some(rest) = lower.strip_prefix("http://") {
            ("http", rest.len())
        } else if lower.starts_with("socks") {
            return Err("a SOCKS proxy is not supported");
        } else if lower.contains("://") {
            return Err("a proxy's URL begins with http:// or https://");
        } else {
            ("http", lower.trim_start_matches('/').len())
        };
        let rest = text.get(text.len() - rest..).unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (credentials, address) = match authority.rsplit_once('@') {
            None => (None, authority),
            Some((credentials, address)) => {
                let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
                (Some((decoded(user), decoded(password))), address)
            }
        };
        let (host, port) = match address.rsplit_once(':') {
            // A colon within the brackets of an IPv6 address.
            Some((_, port)) if port.ends_with(']') => (address, None),
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let valid = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(allowed),
        };
        if !valid {
            return Err("it names no host");
        }
        let port: u16 = match port {
            None if scheme == "https" => 443,
            None => 80,
            Some(port) => port.parse().map_err(|_| "its port is not a number")?,
        };
        Ok(Self {
            scheme,
            credentials,
            address: format!("{host}:{port}"),
        })
    }

    /// The URL with user name and password in it.
    pub(super) fn url(&self) -> String {
        match &self.credentials {
            None => format!("{}://{}", self.scheme, self.address),
            Some((user, password)) => format!(
                "{}://{}:{}@{}",
                self.scheme,
                encoded(user),
                encoded(password),
                self.address
            ),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials = if self.credentials.is_some() {
            "***@"
        } else {
            ""
        };
        write!(formatter, "{}://{credentials}{}", self.scheme, self.address)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// Hosts that are reached without a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NoProxy(String);

impl NoProxy {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().to_ascii_lowercase())
    }

    /// Whether a host, with its port where the URL has one, is reached without a proxy: `*` is
    /// every host; a name is that host and all below it, with or without a leading dot, and may
    /// have a port. Address ranges mean nothing, as in the AWS CLI.
    pub(crate) fn covers(&self, authority: &str) -> bool {
        if self.0 == "*" {
            return true;
        }
        let authority = authority.to_ascii_lowercase();
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &authority,
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let entries = self.0.split(',').map(str::trim);
        entries
            .map(|entry| entry.trim_start_matches('.'))
            .filter(|entry| !entry.is_empty())
            .any(|entry| {
                [host, &authority, bare].into_iter().any(|name| {
                    name.strip_suffix(entry)
                        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
                })
            })
    }
}

impl fmt::Display for NoProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The proxies of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Proxies {
    pub(crate) http: Option<Found<Proxy>>,
    pub(crate) https: Option<Found<Proxy>>,
    pub(crate) exceptions: Option<Found<NoProxy>>,
    /// Hosts that are never asked through a proxy: those of a container's credentials, which the
    /// AWS CLI asks directly, too.
    pub(crate) containers: NoProxy,
}

/// Where a container's credentials come from (Amazon ECS and Amazon EKS user guides).
const CONTAINERS: &str = "169.254.170.2,169.254.170.23,fd00:ec2::23";

impl Proxies {
    pub(crate) fn of(environment: &Environment) -> Result<Self, ScanError> {
        let exceptions = first(environment, &["no_proxy"], &["NO_PROXY"])?
            .map(|(name, value)| Found::new(NoProxy::new(value), Origin::Variable(name)));
        // The header `Proxy` of a request sets this variable in a CGI program (CVE-2016-1000110).
        let upper: &[_] = if environment.is_set("REQUEST_METHOD") {
            &[]
        } else {
            &["HTTP_PROXY"]
        };
        let mut containers = CONTAINERS.to_owned();
        if let Some(uri) = environment.text("AWS_CONTAINER_CREDENTIALS_FULL_URI")? {
            containers = format!("{containers},{}", super::client::authority(uri));
        }
        Ok(Self {
            http: proxy(environment, "http_proxy", upper)?,
            https: proxy(environment, "https_proxy", &["HTTPS_PROXY"])?,
            exceptions,
            containers: NoProxy::new(&containers),
        })
    }

    /// The proxy for a URL's scheme and authority.
    pub(crate) fn of_request(&self, scheme: &str, authority: &str) -> Option<&Found<Proxy>> {
        let proxy = match scheme {
            "http" => self.http.as_ref()?,
            _ => self.https.as_ref()?,
        };
        let excepted = self
            .exceptions
            .as_ref()
            .is_some_and(|exceptions| exceptions.value.covers(authority));
        (!excepted && !self.containers.covers(authority)).then_some(proxy)
    }
}

type Variable<'a> = (&'static str, &'a str);

/// The first of these variables: one in lower case ends the search, also when it is empty.
fn first<'a>(
    environment: &'a Environment,
    lower: &[&'static str],
    upper: &[&'static str],
) -> Result<Option<Variable<'a>>, ScanError> {
    for name in lower {
        if environment.is_set(name) {
            return Ok(environment.text(name)?.map(|value| (*name, value)));
        }
    }
    for name in upper {
        if let Some(value) = environment.text(name)? {
            return Ok(Some((name, value)));
        }
    }
    Ok(None)
}

fn proxy(
    environment: &Environment,
    lower: &'static str,
    upper: &[&'static str],
) -> Result<Option<Found<Proxy>>, ScanError> {
    let own = first(environment, &[lower], upper)?;
    let found = match own {
        None if !environment.is_set(lower) => first(environment, &["all_proxy"], &["ALL_PROXY"])?,
        own => own,
    };
    let Some((name, value)) = found else {
        return Ok(None);
    };
    match Proxy::parse(value) {
        Ok(proxy) => Ok(Some(Found::new(proxy, Origin::Variable(name)))),
        Err(reason) => Err(ScanError::InvalidSetting {
            place: name.to_owned(),
            reason: reason.to_owned(),
            remedy: format!(
                "write {name} as http://HOST:PORT, with USER:PASSWORD@ before the host where the \
                 proxy asks for them, or unset it"
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::read(|name| {
            let found = variables.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn proxies_as_people_write_them() {
        for (text, shown, url) in [
            (
                "http://proxy:3128",
                "http://proxy:3128",
                "http://proxy:3128",
            ),
            ("proxy:3128", "http://proxy:3128", "http://proxy:3128"),
            ("//proxy", "http://proxy:80", "http://proxy:80"),
            ("HTTPS://proxy/", "https://proxy:443", "https://proxy:443"),
            (
                "http://[::1]:8080",
                "http://[::1]:8080",
                "http://[::1]:8080",
            ),
            ("http://[::1]", "http://[::1]:80", "http://[::1]:80"),
            (
                "http://me:p%40ss@proxy:1",
                "http://***@proxy:1",
                "http://me:p%40ss@proxy:1",
            ),
            (
                "http://me:p@s:s@proxy:1 ",
                "http://***@proxy:1",
                "http://me:p%40s%3As@proxy:1",
            ),
            (
                "http://me@proxy",
                "http://***@proxy:80",
                "http://me:@proxy:80",
            ),
        ] {
            let proxy = Proxy::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(proxy.to_string(), shown, "{text}");
            assert_eq!(proxy.url(), url, "{text}");
            assert_eq!(format!("{proxy:?}"), shown, "{text}");
        }
        for (text, reason) in [
            ("socks5://proxy:1080", "SOCKS"),
            ("ftp://proxy", "http:// or https://"),
            ("http://", "no host"),
            ("http://:3128", "no host"),
            ("http://pro xy:3128", "no host"),
            ("http://proxy:99999", "port"),
            ("http://proxy:port", "port"),
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn exceptions() {
        for (rules, authority, covered) in [
            ("*", "sts.amazonaws.com", true),
            ("amazonaws.com", "sts.amazonaws.com", true),
            (".amazonaws.com", "sts.amazonaws.com", true),
            ("amazonaws.com", "notamazonaws.com", false),
            ("a, STS.amazonaws.com ,b", "sts.AMAZONAWS.com", true),
            ("127.0.0.1", "127.0.0.1:4566", true),
            ("127.0.0.1:4566", "127.0.0.1:4566", true),
            ("127.0.0.1:4567", "127.0.0.1:4566", false),
            ("::1", "[::1]:80", true),
            // Neither ranges nor wildcards within a list are rules of the AWS CLI.
            ("127.0.0.0/8", "127.0.0.1", false),
            ("*.amazonaws.com", "sts.amazonaws.com", false),
            ("a,*", "sts.amazonaws.com", false),
            ("", "sts.amazonaws.com", false),
        ] {
            let rules_of = NoProxy::new(rules);
            assert_eq!(rules_of.covers(authority), covered, "{rules} {authority}");
        }
    }

    /// The proxy for a request, with the variable that named it.
    fn route(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = Proxies::of(&environment(variables)).unwrap();
        let (scheme, _) = url.split_once("://").unwrap();
        let found = proxies.of_request(scheme, super::super::client::authority(url))?;
        Some(format!("{} {}", found.value.address, found.origin))
    }

    #[test]
    fn variables_in_their_order() {
        let aws = "https://sts.amazonaws.com/";
        for (variables, url, expected) in [
            (&[][..], aws, None),
            (&[("HTTPS_PROXY", "a:1")], aws, Some("a:1 HTTPS_PROXY")),
            (&[("HTTP_PROXY", "a:1")], aws, None),
            (
                &[("HTTP_PROXY", "a:1")],
                "http://x/",
                Some("a:1 HTTP_PROXY"),
            ),
            (
                &[("HTTPS_PROXY", "a:1"), ("https_proxy", "b:1")],
                aws,
                Some("b:1 https_proxy"),
            ),
            (&[("HTTPS_PROXY", "a:1"), ("https_proxy", "")], aws, None),
            (&[("HTTPS_PROXY", "")], aws, None),
            (
                &[("ALL_PROXY", "a:1"), ("HTTPS_PROXY", "b:1")],
                aws,
                Some("b:1 HTTPS_PROXY"),
            ),
            (&[("ALL_PROXY", "a:1")], aws, Some("a:1 ALL_PROXY")),
            (&[("all_proxy", "a:1")], "http://x/", Some("a:1 all_proxy")),
            (&[("ALL_PROXY", "a:1"), ("https_proxy", "")], aws, None),
            (
                &[("HTTP_PROXY", "a:1"), ("REQUEST_METHOD", "GET")],
                "http://x/",
                None,
            ),
            (
                &[("http_proxy", "a:1"), ("REQUEST_METHOD", "GET")],
                "http://x/",
                Some("a:1 http_proxy"),
            ),
            (
                &[("HTTPS_PROXY", "a:1"), ("NO_PROXY", "amazonaws.com")],
                aws,
                None,
            ),
            (
                &[
                    ("HTTPS_PROXY", "a:1"),
                    ("NO_PROXY", "amazonaws.com"),
                    ("no_proxy", ""),
                ],
                aws,
                Some("a:1 HTTPS_PROXY"),
            ),
            (
                &[("http_proxy", "a:1")],
                "http://169.254.170.2/v2/credentials",
                None,
            ),
            (
                &[("http_proxy", "a:1")],
                "http://169.254.169.254/latest/",
                Some("a:1 http_proxy"),
            ),
            (
                &[
                    ("http_proxy", "a:1"),
                    (
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                        "http://localhost:80/x",
                    ),
                ],
                "http://localhost:80/x",
                None,
            ),
        ] {
            assert_eq!(
                route(variables, url).as_deref(),
                expected,
                "{variables:?} {url}"
            );
        }
    }

    #[test]
    fn a_mistake_names_its_variable_and_no_password() {
        let error = Proxies::of(&environment(&[("all_proxy", "socks5://me:secret@x:1")]));
        let error = error.unwrap_err();
        let text = format!("{error} {}", error.hint());
        assert!(text.contains("all_proxy"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}
