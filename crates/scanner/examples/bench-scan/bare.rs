//! The yardstick: the same API call, over and over, through one SDK client as AWS ships it.

use std::error::Error;

use aws_config::BehaviorVersion;
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
            let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
            let client = aws_sdk_cloudtrail::Client::new(&config);
            let failed = futures::stream::iter(0..calls)
                .map(|_| client.describe_trails().include_shadow_trails(true).send())
                .buffer_unordered(CONCURRENCY)
                .filter_map(async |result| result.err().map(|error| format!("{error:?}")))
                .collect::<Vec<_>>()
                .await;
            match failed.first() {
                None => Ok(()),
                Some(error) => Err(format!("{} calls failed: {error}", failed.len())),
            }
        })
        .map_err(|error| -> Box<dyn Error> { error.into() })
}
