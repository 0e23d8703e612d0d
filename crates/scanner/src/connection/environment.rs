//! The environment variables that say how AWS is reached and as whom. Whoever may read the
//! environment reads them; here they are only named and looked up.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use crate::error::ScanError;

/// The values of the variables in [`Environment::NAMES`] that are set. Not printed by `Debug`:
/// a proxy's URL may hold a password.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<&'static str, OsString>);

impl Environment {
    /// The variables that have an effect. All others of AWS are read by its SDK alone.
    pub const NAMES: &'static [&'static str] = &[
        "ALL_PROXY",
        "AWS_ACCESS_KEY_ID",
        "AWS_CA_BUNDLE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_DEFAULT_PROFILE",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_ACCOUNT",
        "AWS_ENDPOINT_URL_CLOUDTRAIL",
        "AWS_ENDPOINT_URL_CLOUDWATCH",
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
        "AWS_ENDPOINT_URL_EVENTBRIDGE",
        "AWS_ENDPOINT_URL_KMS",
        "AWS_ENDPOINT_URL_OAM",
        "AWS_ENDPOINT_URL_OBSERVABILITYADMIN",
        "AWS_ENDPOINT_URL_ORGANIZATIONS",
        "AWS_ENDPOINT_URL_SNS",
        "AWS_ENDPOINT_URL_STS",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_MAX_ATTEMPTS",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_RETRY_MODE",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_USE_FIPS_ENDPOINT",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "REQUEST_METHOD",
        "SSL_CERT_FILE",
        "all_proxy",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    ];

    /// What `variable` says of each name.
    pub fn read(variable: impl Fn(&'static str) -> Option<OsString>) -> Self {
        let values = Self::NAMES.iter().copied();
        Self(
            values
                .filter_map(|name| Some((name, variable(name)?)))
                .collect(),
        )
    }

    /// Whether a variable is set, be it to nothing.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A variable's value; one that is empty says nothing.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, ScanError> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let text = value.to_str().ok_or_else(|| ScanError::InvalidSetting {
            place: name.to_owned(),
            reason: "its value is not text in UTF-8".to_owned(),
            remedy: format!("correct or unset {name}"),
        })?;
        Ok(Some(text))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.keys()).finish()
    }
}
