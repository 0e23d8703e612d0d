//! How two filter patterns relate, and the event that makes the difference:
//!
//! ```text
//! cargo run --package trailproof-pattern --example relation -- '{ $.a = 1 }' '{ $.a = 1 || $.b = 2 }'
//! ```
#![allow(
    clippy::print_stdout,
    reason = "an example talks to the person who runs it"
)]

use trailproof_pattern::{Pattern, compare};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [required, actual] = arguments.as_slice() else {
        return Err("give two patterns: the required one, and the one in place".into());
    };
    let actual = Pattern::parse(actual)?;
    let comparison = compare(&Pattern::parse(required)?, &[actual], None, None);
    println!("{}", comparison.relation.as_str());
    if let Some(event) = comparison.missed {
        println!("missed: {event}");
    }
    if let Some(event) = comparison.extra {
        println!("matched in excess: {event}");
    }
    if let Some(reason) = comparison.reason {
        println!("{reason}");
    }
    Ok(())
}
