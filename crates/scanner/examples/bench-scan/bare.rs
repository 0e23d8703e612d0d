//! The yardstick: a program that makes as many calls over as many connections with the SDK as AWS ships
//! it, to the same regions and as far away, and nothing else.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use futures::StreamExt;
use trailproof_core::account::Partition;

use crate::Outcome;

/// Makes some calls over some connections, to so many regions alike, and ends.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let [calls, connections, regions] = arguments else {
        return Err("how many calls, over how many connections, to how many regions?".into());
    };
    let regions = Partition::Aws
        .default_regions()
        .iter()
        .take(regions.parse()?);
    let each = |count: &str| -> Outcome<usize> {
        Ok(count.parse::<usize>()?.div_ceil(regions.len().max(1)))
    };
    let (calls, connections) = (each(calls)?, each(connections)?);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            // A thousand connections at once take a while on a busy machine.
            let patient = TimeoutConfig::builder().connect_timeout(Duration::from_secs(30));
            let mut loader = aws_config::defaults(BehaviorVersion::latest());
            loader = loader.timeout_config(patient.build());
            if let Some(bundle) = std::env::var_os("AWS_CA_BUNDLE") {
                loader = loader.http_client(through_the_proxy(&std::fs::read(bundle)?)?);
            }
            let config = loader.load().await;
            let called = regions.map(|region| {
                let region = Region::from_static(region);
                let config = config.to_builder().region(region).build();
                let client = aws_sdk_cloudtrail::Client::new(&config);
                async move {
                    futures::stream::iter(0..calls)
                        .map(|_| client.describe_trails().include_shadow_trails(true).send())
                        .buffer_unordered(connections)
                        .filter_map(async |result| result.err().map(|error| format!("{error:?}")))
                        .collect::<Vec<_>>()
                        .await
                }
            });
            let failed = futures::future::join_all(called).await.concat();
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
