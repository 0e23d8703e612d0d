//! The certificates that a server's certificate has to be signed by: those of the system, or those
//! of a bundle, which replaces them, as in the AWS CLI. A bundle is read and checked here, because
//! the SDK ends the process over one that it cannot read.

use std::fs;
use std::path::Path;

use aws_smithy_http_client::tls::TrustStore;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error as PemError, PemObject};

use super::settings::{Found, Origin};
use crate::error::ScanError;

/// The certificates of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bundle {
    /// The file.
    pub(crate) path: String,
    /// The usable certificates, encoded.
    certificates: Vec<Vec<u8>>,
    /// How many certificates are of no use as trust anchors, an old version for instance.
    pub(crate) unusable: usize,
}

impl Bundle {
    /// Reads a file of PEM certificates.
    pub(crate) fn read(path: &str, origin: &Origin) -> Result<Self, ScanError> {
        let invalid = |reason: String| ScanError::InvalidSetting {
            place: format!("certificate file `{path}` ({origin})"),
            reason,
            remedy: format!(
                "name a file of PEM certificates, `-----BEGIN CERTIFICATE-----` and so on, in \
                 {origin}, or unset it to trust the certificates of the system"
            ),
        };
        if Path::new(path).is_dir() {
            return Err(invalid("it is a directory".to_owned()));
        }
        let text = fs::read(path).map_err(|error| invalid(error.to_string()))?;
        Self::parse(path, &text).map_err(invalid)
    }

    fn parse(path: &str, text: &[u8]) -> Result<Self, String> {
        let mut certificates = Vec::new();
        let mut unusable = 0;
        for (index, certificate) in CertificateDer::pem_slice_iter(text).enumerate() {
            let certificate = certificate.map_err(|error| {
                let what = match error {
                    PemError::MissingSectionEnd { .. } => "has no end",
                    _ => "is not valid PEM",
                };
                format!("its certificate number {} {what}", index + 1)
            })?;
            let bytes = certificate.as_ref().to_vec();
            if RootCertStore::empty().add(certificate).is_ok() {
                certificates.push(bytes);
            } else {
                unusable += 1;
            }
        }
        match (certificates.is_empty(), unusable) {
            (true, 0) if text.is_empty() => Err("it is empty".to_owned()),
            (true, 0) => Err("it holds no PEM certificate".to_owned()),
            (true, _) => Err("none of its certificates can be read".to_owned()),
            (false, _) => Ok(Self {
                path: path.to_owned(),
                certificates,
                unusable,
            }),
        }
    }

    /// How many certificates are trusted.
    pub(crate) fn len(&self) -> usize {
        self.certificates.len()
    }
}

/// What the HTTPS client trusts.
pub(crate) fn trust_store(bundle: Option<&Found<Bundle>>) -> TrustStore {
    let Some(bundle) = bundle else {
        return TrustStore::default();
    };
    let mut store = TrustStore::empty();
    for certificate in &bundle.value.certificates {
        let encoded = aws_smithy_types::base64::encode(certificate);
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for line in encoded.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        store.add_pem_certificate(pem);
    }
    store
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_bundle_is_refused() {
        for (text, reason) in [
            ("", "it is empty"),
            ("PK\u{3}\u{4}", "it holds no PEM certificate"),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                "it holds no PEM certificate",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n",
                "its certificate number 1 has no end",
            ),
            (
                "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
                "its certificate number 1 is not valid PEM",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "none of its certificates can be read",
            ),
        ] {
            assert_eq!(Bundle::parse("x", text.as_bytes()).unwrap_err(), reason);
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Bundle::read("/no/such/bundle.pem", &Origin::Variable("AWS_CA_BUNDLE"));
        let error = error.unwrap_err();
        let text = format!("{error} {}", error.hint());
        assert!(text.contains("/no/such/bundle.pem"), "{text}");
        assert!(text.contains("AWS_CA_BUNDLE"), "{text}");
        assert!(Bundle::read("/", &Origin::Default).is_err());
    }
}
