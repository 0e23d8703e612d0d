//! An AWS organization served over HTTP.
fn main() {}
