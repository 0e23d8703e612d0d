//! Which accounts there are, when that was listed before.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use trailproof_report::listing::{Listing, ListingError, UsedListing};
use trailproof_scanner::KnownListing;

use super::or_file;
use super::values::Age;
use crate::error::CliError;

/// How old a listing may be when nothing is said.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// A listing of the organization that was made before.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[command(next_help_heading = "Scope")]
pub(crate) struct ListingSettings {
    /// Take the accounts from this file of `trailproof accounts list`, or from the folder of a run,
    /// instead of listing them.
    #[arg(long, value_name = "FILE|RUN", conflicts_with_all = ["accounts", "accounts_file", "current_account"])]
    pub(crate) listing: Option<PathBuf>,

    /// How old the listing may be, such as 6h [default: 24h].
    #[arg(long, value_name = "AGE")]
    pub(crate) listing_max_age: Option<Age>,

    /// List the accounts all the same, while those of the listing are scanned already.
    #[arg(long)]
    pub(crate) confirm_listing: bool,
}

impl ListingSettings {
    /// These settings, with what they leave open taken from the file.
    pub(crate) fn or(mut self, file: Self) -> Self {
        let Self {
            listing,
            listing_max_age,
            confirm_listing,
        } = file;
        or_file(&mut self.listing, listing);
        or_file(&mut self.listing_max_age, listing_max_age);
        self.confirm_listing |= confirm_listing;
        self
    }

    /// The listing for a run that begins at a time, and what the run says of it; `None` where none
    /// is named.
    pub(crate) fn read(
        &self,
        begins: Timestamp,
    ) -> Result<Option<(KnownListing, UsedListing)>, CliError> {
        let Some(path) = &self.listing else {
            return Ok(None);
        };
        let most = self.listing_max_age.map_or(MAX_AGE, |age| age.0);
        read(path, begins, most, self.confirm_listing)
            .map(Some)
            .map_err(|error| CliError::usage(&error).hint(error.remedy()))
    }
}

fn read(
    path: &Path,
    begins: Timestamp,
    most: SignedDuration,
    confirm: bool,
) -> Result<(KnownListing, UsedListing), ListingError> {
    let listing = Listing::read(path)?;
    let used = listing.used(path, begins, most)?;
    let organization = listing.description().organization.id.clone();
    let (record, units) = listing.into_records();
    let known = KnownListing {
        organization: organization.unwrap_or_default(),
        record,
        units,
        confirm,
    };
    Ok((known, used))
}
