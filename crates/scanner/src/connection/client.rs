//! The one HTTPS client of everything: services, STS, and what credentials come from. It sends
//! each request directly or through a proxy, and says what it knows when no connection comes about.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::bounded::bounded;
use super::certificates::trust_store;
use super::pool::IDLE_TIMEOUT;
use super::proxy::{Proxies, Proxy};
use super::settings::{Found, Network};
use super::trouble::{self, ByProxy};
use crate::error::ScanError;

/// One client for everything: a connector per service client costs about 120 kB each and shares
/// neither connections nor TLS sessions.
pub(super) fn https_client(
    network: &Network,
    idle_per_host: usize,
) -> Result<SharedHttpClient, ScanError> {
    let tls = TlsContext::builder()
        .with_trust_store(trust_store(network.bundle.as_ref()))
        .build()
        .map_err(|error| ScanError::Connection {
            reason: error.to_string(),
        })?;
    let client = Client {
        tls,
        idle_per_host,
        proxies: Arc::new(network.proxies.clone()),
        http: configured(network.proxies.http.as_ref())?,
        https: configured(network.proxies.https.as_ref())?,
        made: Mutex::default(),
    };
    Ok(SharedHttpClient::new(client))
}

fn configured(proxy: Option<&Found<Proxy>>) -> Result<Option<ProxyConfig>, ScanError> {
    let Some(Found { value, origin }) = proxy else {
        return Ok(None);
    };
    let configured = ProxyConfig::all(value.url()).map_err(|_| ScanError::InvalidSetting {
        place: origin.to_string(),
        reason: format!("`{value}` is not the URL of a proxy"),
        remedy: format!("write {origin} as http://HOST:PORT, or unset it"),
    })?;
    Ok(Some(configured))
}

/// The time-outs that connectors differ by.
type Timeouts = (Option<Duration>, Option<Duration>);

struct Client {
    tls: TlsContext,
    idle_per_host: usize,
    proxies: Arc<Proxies>,
    http: Option<ProxyConfig>,
    https: Option<ProxyConfig>,
    /// A handful: the services have the same time-outs, instance metadata has its own.
    made: Mutex<Vec<(Timeouts, SharedHttpConnector)>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Client")
            .field(&self.proxies)
            .finish()
    }
}

impl Client {
    fn connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
        proxy: Option<&ProxyConfig>,
    ) -> Connector {
        let mut builder: ConnectorBuilder = Connector::builder()
            .connector_settings(settings.clone())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(self.idle_per_host);
        builder.set_sleep_impl(components.sleep_impl());
        builder.set_proxy_config(proxy.cloned());
        builder
            .tls_provider(tls::Provider::Rustls(
                tls::rustls_provider::CryptoMode::AwsLc,
            ))
            .tls_context(self.tls.clone())
            .build()
    }
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = made.iter().find(|(known, _)| *known == timeouts) {
            return connector.clone();
        }
        let through = |proxy: Option<&ProxyConfig>| {
            proxy.map(|proxy| self.connector(settings, components, Some(proxy)))
        };
        let connector = SharedHttpConnector::new(Routes {
            proxies: Arc::clone(&self.proxies),
            direct: self.connector(settings, components, None),
            http: through(self.http.as_ref()),
            https: through(self.https.as_ref()),
        });
        made.push((timeouts, connector.clone()));
        connector
    }
}

/// The ways a request may take.
#[derive(Debug)]
struct Routes {
    proxies: Arc<Proxies>,
    direct: Connector,
    http: Option<Connector>,
    https: Option<Connector>,
}

impl HttpConnector for Routes {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri();
        let scheme = uri.split_once("://").map_or("https", |(scheme, _)| scheme);
        let authority = authority(uri);
        let proxy = self.proxies.of_request(scheme, authority).cloned();
        let connector = match (&proxy, scheme) {
            (None, _) => &self.direct,
            (Some(_), "http") => self.http.as_ref().unwrap_or(&self.direct),
            (Some(_), _) => self.https.as_ref().unwrap_or(&self.direct),
        };
        let authority = authority.to_owned();
        let forwarded = scheme == "http";
        let answer = connector.call(request);
        HttpConnectorFuture::new(async move {
            let mut response = match answer.await {
                Ok(response) => response,
                Err(error) => return Err(trouble::explained(error, &authority, proxy.as_ref())),
            };
            if let Some(proxy) = proxy.filter(|_| forwarded) {
                // Without a tunnel, the proxy's own answers look like those of the service.
                if response.status().as_u16() == 407 {
                    return Err(trouble::asks_for_credentials(&proxy));
                }
                response.add_extension(ByProxy(Arc::from(trouble::named(&proxy))));
            }
            Ok(response.map(bounded))
        })
    }
}

/// Host and port of a URL, as far as the URL names them.
pub(super) fn authority(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}
