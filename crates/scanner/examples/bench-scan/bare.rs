//! The yardstick: the same API call, over and over, through one SDK client as AWS ships it.

use aws_config::BehaviorVersion;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use futures::StreamExt;

use crate::Outcome;

/// How many calls are in flight.
const CONCURRENCY: usize = 64;

/// Makes some calls and ends.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let calls: u32 = arguments.first().ok_or("how many calls?")?.parse()?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let mut loader = aws_config::defaults(BehaviorVersion::latest());
            if let Some(bundle) = std::env::var_os("AWS_CA_BUNDLE") {
                loader = loader.http_client(through_the_proxy(&std::fs::read(bundle)?)?);
            }
            let config = loader.load().await;
            let client = aws_sdk_cloudtrail::Client::new(&config);
            let failed = futures::stream::iter(0..calls)
                .map(|_| client.describe_trails().include_shadow_trails(true).send())
                .buffer_unordered(CONCURRENCY)
                .filter_map(async |result| result.err().map(|error| format!("{error:?}")))
                .collect::<Vec<_>>()
                .await;
            match failed.first() {
                None => Ok(()),
                Some(error) => Err(format!("{} calls failed: {error}", failed.len()).into()),
            }
        })
}

/// The client as it comes, but for a proxy and a certificate.
fn through_the_proxy(certificate: &[u8]) -> Outcome<SharedHttpClient> {
    let store = TrustStore::empty().with_pem_certificate(certificate);
    let tls = TlsContext::builder().with_trust_store(store).build()?;
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(tls.clone())
            .build()
    });
    Ok(client)
}
