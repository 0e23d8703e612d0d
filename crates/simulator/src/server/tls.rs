//! Certificates for every host that a client asks for, signed by an authority of the server's own.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};

/// An authority that signs for whatever host is asked for.
pub(super) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    /// Of all hosts: making one takes longer than signing for it.
    host_key: KeyPair,
    signing: Arc<dyn SigningKey>,
    /// The certificates that were made, by host.
    made: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new one, and its certificate as PEM.
    pub(super) fn new() -> io::Result<(Self, String)> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Without a name it would look like the hosts' own, as if those had signed themselves.
        params
            .distinguished_name
            .push(DnType::CommonName, "The trailproof simulator");
        let pem = params.self_signed(&key).map_err(io::Error::other)?.pem();
        let host_key = KeyPair::generate().map_err(io::Error::other)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(host_key.serialize_der()));
        let signing =
            rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).map_err(io::Error::other)?;
        let authority = Self {
            params,
            key,
            host_key,
            signing,
            made: Mutex::default(),
        };
        Ok((authority, pem))
    }

    fn sign(&self, host: &str) -> Option<CertificateDer<'static>> {
        let mut params = CertificateParams::new(vec![host.to_owned()]).ok()?;
        params.distinguished_name.push(DnType::CommonName, host);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&self.host_key, &issuer).ok()?;
        Some(certificate.der().clone())
    }

    /// How its hosts speak TLS: as those of AWS do, with tickets by which a client comes back.
    pub(super) fn config(self) -> io::Result<Arc<ServerConfig>> {
        let provider: Arc<CryptoProvider> = Arc::new(default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self));
        config.ticketer = Ticketer::new().map_err(io::Error::other)?;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Authority {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name()?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(host) {
            return Some(Arc::clone(known));
        }
        let certificate = self.sign(host)?;
        let certified = CertifiedKey::new(vec![certificate], Arc::clone(&self.signing));
        let certified = Arc::new(certified);
        made.insert(host.to_owned(), Arc::clone(&certified));
        Some(certified)
    }
}
