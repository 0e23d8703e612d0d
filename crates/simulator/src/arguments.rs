//! The command line of the binary.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;
use jiff::SignedDuration;
use trailproof_simulator::generator::{Generator, Mix};
use trailproof_simulator::model::Organization;
use trailproof_simulator::server::{Faults, Latency};
use trailproof_simulator::{Options, Scenario};

/// Serves a simulated AWS organization on a loopback port.
///
/// Prints one line: the environment that makes the AWS CLI, an SDK or trailproof talk to it as the
/// management account. With twelve digits as the access key a client is a user of that account.
/// Signatures are not checked. The paths under /_trailproof/ control the simulator.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// How many accounts to generate
    #[arg(long, default_value_t = 20, conflicts_with = "scenario")]
    accounts: usize,
    /// How many regions every account has
    #[arg(long, default_value_t = 17, conflicts_with = "scenario")]
    regions: usize,
    /// What all chance depends on: the organization, latency and faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the generated accounts are like
    #[arg(
        long,
        value_enum,
        default_value = "realistic",
        conflicts_with = "scenario"
    )]
    mix: MixName,
    /// The share of generated accounts that cannot be entered; the mix decides when absent
    #[arg(long, conflicts_with = "scenario")]
    denied_accounts: Option<f64>,
    /// Serve the organization of a scenario file (TOML) instead
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// The port on the loopback interface; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// How many threads serve
    #[arg(long, default_value = "1")]
    threads: NonZeroUsize,
    /// Whether the request quotas of AWS apply
    #[arg(long, value_enum, default_value = "off")]
    quotas: Switch,
    /// How long every answer takes, in milliseconds: 30, 20..40, 30+10 for a long tail, or `world`
    /// for the round trip from us-east-1 to each region
    #[arg(long, default_value = "0")]
    latency_ms: Latency,
    /// Be the HTTPS proxy of the clients and, behind it, every host of AWS over TLS, instead of their
    /// endpoint; the certificate that they have to trust is written here
    #[arg(long, value_name = "FILE")]
    https_proxy: Option<PathBuf>,
    /// The longest a session lasts, whatever is asked for
    #[arg(long, value_name = "SECONDS")]
    session_seconds: Option<u32>,
    /// Start every listing with an empty page that has a token
    #[arg(long)]
    empty_pages: bool,
    /// Remember every distinct call, for /_trailproof/statistics
    #[arg(long)]
    track_calls: bool,
    /// What goes wrong, as a JSON object, such as {"errors": 0.05, "limit": 2}
    #[arg(long, value_name = "JSON", value_parser = faults)]
    faults: Option<Faults>,
    /// The share of requests answered with a server error
    #[arg(long, value_name = "SHARE")]
    errors: Option<f64>,
    /// The share of requests throttled whatever the quotas
    #[arg(long, value_name = "SHARE")]
    throttles: Option<f64>,
    /// The share of connections reset instead of an answer
    #[arg(long, value_name = "SHARE")]
    resets: Option<f64>,
    /// The share of requests that are never answered
    #[arg(long, value_name = "SHARE")]
    stalls: Option<f64>,
    /// The share of answers cut short
    #[arg(long, value_name = "SHARE")]
    truncations: Option<f64>,
    /// The share of answers that come in slow pieces
    #[arg(long, value_name = "SHARE")]
    drips: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum MixName {
    /// An organization trail that only archives, own trails, broken at known rates at all links
    Realistic,
    /// Small and instructive, with the names of a company
    Demo,
    /// A complete organization trail covers everybody
    Covered,
    /// Every account has a chain of its own that is complete
    Healthy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

fn faults(text: &str) -> Result<Faults, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

impl Arguments {
    /// The organization that is asked for.
    pub(crate) fn organization(&self) -> Result<Organization, String> {
        let Some(path) = &self.scenario else {
            let mix = match self.mix {
                MixName::Realistic => Mix::Realistic,
                MixName::Demo => Mix::Demo,
                MixName::Covered => Mix::Covered,
                MixName::Healthy => Mix::Healthy,
            };
            return Generator {
                accounts: self.accounts,
                regions: self.regions,
                seed: self.seed,
                mix,
                denied: self.denied_accounts,
            }
            .organization()
            .map_err(|error| error.to_string());
        };
        let place = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read the scenario `{place}`: {error}"))?;
        Scenario::parse(&text)
            .map(|scenario| scenario.organization)
            .map_err(|error| format!("`{place}`: {error}"))
    }

    /// How it is served.
    pub(crate) fn options(&self) -> Result<Options, String> {
        let mut faults = self.faults.clone().unwrap_or_default();
        for (share, given, name) in [
            (&mut faults.errors, self.errors, "errors"),
            (&mut faults.throttles, self.throttles, "throttles"),
            (&mut faults.resets, self.resets, "resets"),
            (&mut faults.stalls, self.stalls, "stalls"),
            (&mut faults.truncations, self.truncations, "truncations"),
            (&mut faults.drips, self.drips, "drips"),
        ] {
            if let Some(given) = given {
                if !(0.0..=1.0).contains(&given) {
                    return Err(format!(
                        "--{name} `{given}` is not a share: it is from 0 to 1"
                    ));
                }
                *share = given;
            }
        }
        Ok(Options {
            port: self.port,
            threads: self.threads,
            quotas: self.quotas == Switch::On,
            latency: self.latency_ms,
            faults,
            seed: self.seed,
            session_limit: self
                .session_seconds
                .map(|seconds| SignedDuration::from_secs(i64::from(seconds))),
            empty_pages: self.empty_pages,
            track_calls: self.track_calls,
            certificate: self.https_proxy.clone(),
        })
    }
}
