//! The one HTTPS client of everything: services, STS, and what credentials come from. It sends
//! each request directly or through a proxy, and says what it knows when no connection comes about.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::pool::{self, ConnectionPool, DriverSpawner, Partition, PartitionId};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext};
use aws_smithy_runtime_api::client::dns::SharedDnsResolver;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::runtime::Handle;

use super::ahead;
use super::bounded::bounded;
use super::certificates::trust_store;
use super::names::Names;
use super::pool::IDLE_TIMEOUT;
use super::proxy::{Proxies, Proxy};
use super::settings::{Found, Network};
use super::trouble::{self, ByProxy};
use crate::error::ScanError;

/// All connections are made in one place.
const ALL: PartitionId = PartitionId::from_index(0);

/// One client for everything: a client per service costs about 120 kB each and shares neither
/// connections nor TLS sessions. It makes so many connections to each host at most; calls that come
/// to more wait for one of them. It has to be made, and its requests sent, in a Tokio runtime; the one
/// that it is made in has all connections.
///
/// Without that limit, a connection would be made whenever none is free at the moment, also when one
/// is given back a moment later: at the beginning of a scan, thousands.
pub(super) fn https_client(
    network: &Network,
    per_host: usize,
) -> Result<SharedHttpClient, ScanError> {
    let tls = TlsContext::builder()
        .with_trust_store(trust_store(network.bundle.as_ref()))
        .build()
        .map_err(|error| no_client(&error))?;
    let names = SharedDnsResolver::new(Names::default());
    let runtime = Handle::current();
    let spawner = DriverSpawner::from_fn(move |driver| drop(runtime.spawn(driver)));
    let way = |proxy: Option<ProxyConfig>| {
        let mut builder = ConnectionPool::builder()
            .idle_timeout(IDLE_TIMEOUT)
            .max_connections_per_host(per_host)
            .partitions([Partition::new(ALL, spawner.clone())])
            .time_source(SystemTimeSource::new())
            .sleep_impl(TokioSleep::new())
            .dns_resolver(names.clone());
        builder.set_proxy_config(proxy);
        let pool = builder
            .tls_provider(tls::Provider::Rustls(
                tls::rustls_provider::CryptoMode::AwsLc,
            ))
            .tls_context(tls.clone())
            .build_https()
            .map_err(|error| no_client(&error))?;
        let client = pool::Client::from_partition(&pool, ALL).map_err(|error| no_client(&error))?;
        Ok(Way { pool, client })
    };
    let through = |proxy| configured(proxy)?.map(|proxy| way(Some(proxy))).transpose();
    let client = Client {
        direct: way(None)?,
        http: through(network.proxies.http.as_ref())?,
        https: through(network.proxies.https.as_ref())?,
        proxies: Arc::new(network.proxies.clone()),
        per_host,
        made: Mutex::default(),
    };
    Ok(SharedHttpClient::new(client))
}

fn no_client(error: &dyn std::error::Error) -> ScanError {
    ScanError::Connection {
        reason: error.to_string(),
    }
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

/// A way to hosts, and the connections that take it.
struct Way {
    pool: ConnectionPool,
    client: pool::Client,
}

struct Client {
    proxies: Arc<Proxies>,
    direct: Way,
    /// The ways through the proxies, where there are any.
    http: Option<Way>,
    https: Option<Way>,
    /// How many connections may be open to a host.
    per_host: usize,
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
        let way = |way: &Way| Route {
            connector: way.client.http_connector(settings, components),
            pool: way.pool.clone(),
            per_host: self.per_host,
        };
        let connector = SharedHttpConnector::new(Routes {
            proxies: Arc::clone(&self.proxies),
            direct: way(&self.direct),
            http: self.http.as_ref().map(way),
            https: self.https.as_ref().map(way),
        });
        made.push((timeouts, connector.clone()));
        connector
    }
}

/// The ways a request may take.
#[derive(Debug)]
struct Routes {
    proxies: Arc<Proxies>,
    direct: Route,
    http: Option<Route>,
    https: Option<Route>,
}

/// One of the ways, with certain time-outs.
#[derive(Debug)]
struct Route {
    connector: SharedHttpConnector,
    pool: ConnectionPool,
    per_host: usize,
}

impl Route {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if ahead::is_wanted_alone() && !ahead::may_open(&self.pool, ALL, self.per_host, &request) {
            let reason = "no further connection is opened".into();
            return HttpConnectorFuture::ready(Err(ConnectorError::other(reason, None)));
        }
        self.connector.call(request)
    }
}

impl HttpConnector for Routes {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri();
        let scheme = uri.split_once("://").map_or("https", |(scheme, _)| scheme);
        let authority = authority(uri);
        let proxy = self.proxies.of_request(scheme, authority).cloned();
        let route = match (&proxy, scheme) {
            (None, _) => &self.direct,
            (Some(_), "http") => self.http.as_ref().unwrap_or(&self.direct),
            (Some(_), _) => self.https.as_ref().unwrap_or(&self.direct),
        };
        let authority = authority.to_owned();
        let forwarded = scheme == "http";
        let answer = route.call(request);
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
