//! A listing of an organization's accounts, and of the names of their units, that was made
//! beforehand, so that a scan need not wait for one: in a file of its own, or in the evidence of a
//! run.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use trailproof_core::evidence::{
    CallError, Evidence, Lines, Operation, Outcome, ReadError, Record,
};

use crate::bundle::hexadecimal;
use crate::run::{Organization, RunDirectory, RunDirectoryError, Tool, file};

/// The version of the layout of listing files.
const SCHEMA_VERSION: u32 = 1;

/// How far ahead the clock of whoever made a listing may be.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What AWS answered to the questions which organization it is and which accounts it has.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    description: Description,
    /// The answer that names the organization.
    described: Record,
    /// The answer that lists the accounts.
    listed: Record,
    /// What was answered when their organizational units were asked for, which names them.
    units: Vec<Record>,
}

/// What a listing is known by. The sum stands for all that it says: two listings with the same sum
/// are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Whose accounts are listed.
    pub organization: Organization,
    /// When the list was complete.
    pub listed_at: Timestamp,
    /// How many accounts it has.
    pub accounts: usize,
    /// SHA-256, in hexadecimal, of the records as one line each.
    pub sha256: String,
}

/// A listing file.
#[derive(Serialize, Deserialize)]
struct ListingFile {
    schema_version: u32,
    tool: Tool,
    #[serde(flatten)]
    description: Description,
    records: Vec<Record>,
}

/// What tells whether this version can read a listing file.
#[derive(Deserialize)]
struct Layout {
    schema_version: u64,
}

/// What a run says of the listing it began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsedListing {
    /// When it was made.
    #[schemars(with = "String")]
    pub listed_at: Timestamp,
    /// How old it was when the run began, in seconds.
    pub age_seconds: i64,
    /// How many accounts it has.
    pub accounts: usize,
    /// SHA-256, in hexadecimal, of its records as one line each: two listings with the same sum are
    /// the same.
    pub sha256: String,
    /// Whether the accounts were listed again beside it.
    pub confirmed: bool,
}

/// Why a listing cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// It cannot be read.
    #[error("cannot read the listing `{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Somebody else may have changed it.
    #[error("the listing `{}` cannot be relied on: {reason}", path.display())]
    Shared {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is, or who may write to it.
        reason: String,
    },
    /// It is not as it was written.
    #[error("the listing `{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A later version of trailproof wrote it.
    #[error(
        "the listing `{}` was written by a newer trailproof: layout {found}, and this one reads \
         up to {SCHEMA_VERSION}",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u64,
    },
    /// A folder that is no run.
    #[error(transparent)]
    Run(RunDirectoryError),
    /// The run did not list the organization, or not to its end.
    #[error("`{}` holds no listing of an organization: {reason}", path.display())]
    None {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// Accounts may have come and gone since.
    #[error(
        "the listing `{}` is of {}, {} before this scan, and may be {} old",
        path.display(), listed_at.strftime("%Y-%m-%d %H:%M UTC"), words(*age), words(*most)
    )]
    TooOld {
        /// The file or folder.
        path: PathBuf,
        /// When it was made.
        listed_at: Timestamp,
        /// How long ago.
        age: SignedDuration,
        /// How old it may be.
        most: SignedDuration,
    },
    /// A clock is wrong, so its age is not known.
    #[error(
        "the listing `{}` is of {}, which is still to come",
        path.display(), listed_at.strftime("%Y-%m-%d %H:%M UTC")
    )]
    Future {
        /// The file or folder.
        path: PathBuf,
        /// When it says it was made.
        listed_at: Timestamp,
    },
}

impl ListingError {
    /// What the user can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io { .. } => {
                "name a file that `trailproof accounts list --out FILE` wrote, or the folder of a run"
            }
            Self::Shared { .. } => {
                "make the listing again with `trailproof accounts list --out FILE`, as the user who scans, where nobody else may write"
            }
            Self::Damaged { .. } => {
                "make the listing again with `trailproof accounts list --out FILE`"
            }
            Self::Newer { .. } => "use the version of trailproof that wrote it, or a newer one",
            Self::Run(error) => error.remedy(),
            Self::None { .. } => {
                "name a run of the whole organization, or make a listing with `trailproof accounts list --out FILE`"
            }
            Self::TooOld { .. } => {
                "make the listing again with `trailproof accounts list --out FILE`, or allow its age with --listing-max-age"
            }
            Self::Future { .. } => {
                "correct the clock of this computer or of the one that made the listing, and make it again"
            }
        }
    }
}

impl Listing {
    /// The listing that records make: the later answer counts. An error says in a sentence what is
    /// missing.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Result<Self, String> {
        let (mut described, mut listed) = (None, None);
        let mut units = Vec::new();
        for record in records {
            match record.operation {
                Operation::DescribeOrganization if is_answered(&record) => described = Some(record),
                Operation::ListAccounts if is_answered(&record) => listed = Some(record),
                // That nobody may name units is known then, too.
                Operation::ListOrganizationalUnitsForParent => units.push(record),
                _ => {}
            }
        }
        let described = described.ok_or("organizations:DescribeOrganization has no answer")?;
        let listed = listed.ok_or("organizations:ListAccounts has no answer")?;
        let listed_at = listed.observed_at;
        let mut evidence = Evidence::default();
        for record in [&described, &listed].into_iter().chain(&units) {
            evidence
                .insert(record.clone())
                .map_err(|unreadable| unreadable.to_string())?;
        }
        let reader = evidence.reader();
        if let Some(problem) = reader.listing_problems().into_iter().next() {
            return Err(problem);
        }
        let accounts = reader.listed_accounts().len();
        if accounts == 0 {
            return Err("not one account is listed".to_owned());
        }
        let organization = reader
            .organization()
            .filter(|organization| organization.id.is_some())
            .ok_or("the organization has no id")?;
        let description = Description {
            organization: Organization {
                id: organization.id.clone(),
                management_account: organization.management_account,
            },
            listed_at,
            accounts,
            sha256: sum([&described, &listed].into_iter().chain(&units)),
        };
        Ok(Self {
            description,
            described,
            listed,
            units,
        })
    }

    /// What it is known by.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The answer that lists the accounts, and those that name their units.
    pub fn into_records(self) -> (Record, Vec<Record>) {
        (self.listed, self.units)
    }

    /// Why organizational units are not named, where nobody could.
    pub fn units_failure(&self) -> Option<&CallError> {
        self.units.iter().find_map(|record| match &record.outcome {
            Outcome::Error(error) => Some(error),
            Outcome::Response(_) => None,
        })
    }

    /// All answers, that which names the organization first.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        [&self.described, &self.listed]
            .into_iter()
            .chain(&self.units)
    }

    /// Writes it to a private file, in the place of whatever has its name.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(trailproof_files::create_anew(path)?);
        let file = ListingFile {
            schema_version: SCHEMA_VERSION,
            tool: Tool::this(),
            description: self.description.clone(),
            records: self.records().cloned().collect(),
        };
        serde_json::to_writer(&mut out, &file)?;
        out.write_all(b"\n")?;
        out.flush()?;
        out.get_ref().sync_all()
    }

    /// Reads a listing file, or what a run recorded.
    pub fn read(path: &Path) -> Result<Self, ListingError> {
        if !path.is_dir() {
            return read_file(open(path)?, path);
        }
        // Elsewhere a folder cannot be opened like a file.
        if cfg!(unix) {
            open(path)?;
        }
        let (directory, _) = RunDirectory::open_unfinished(path).map_err(ListingError::Run)?;
        let path = directory.file(file::EVIDENCE);
        of_run(open(&path)?, &path)
    }

    /// What a run that begins at a time says of it: refused when it is older than allowed then.
    /// `path` is where it was read from.
    pub fn used(
        &self,
        path: &Path,
        begins: Timestamp,
        most: SignedDuration,
    ) -> Result<UsedListing, ListingError> {
        let listed_at = self.description.listed_at;
        let age = begins.duration_since(listed_at);
        if age > most {
            return Err(ListingError::TooOld {
                path: path.to_owned(),
                listed_at,
                age,
                most,
            });
        }
        if age < -CLOCK_SKEW {
            return Err(ListingError::Future {
                path: path.to_owned(),
                listed_at,
            });
        }
        Ok(UsedListing {
            listed_at,
            age_seconds: age.as_secs().max(0),
            accounts: self.description.accounts,
            sha256: self.description.sha256.clone(),
            confirmed: false,
        })
    }
}

/// A duration in the largest unit that tells it well.
pub fn words(age: SignedDuration) -> String {
    let seconds = age.as_secs();
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn is_answered(record: &Record) -> bool {
    matches!(record.outcome, Outcome::Response(_))
}

fn sum<'a>(records: impl IntoIterator<Item = &'a Record>) -> String {
    let mut hasher = Sha256::new();
    for record in records {
        // What was parsed from JSON can be written as JSON.
        hasher.update(serde_json::to_vec(record).unwrap_or_default());
        hasher.update(b"\n");
    }
    hexadecimal(&hasher.finalize())
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> ListingError {
    move |source| ListingError::Io {
        path: path.to_owned(),
        source,
    }
}

fn open(path: &Path) -> Result<File, ListingError> {
    trailproof_files::open_unshared(path).map_err(|error| match error.kind() {
        // The operating system's own refusal has a number.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => ListingError::Shared {
            path: path.to_owned(),
            reason: error.to_string(),
        },
        _ => io_error(path)(error),
    })
}

fn read_file(mut opened: File, path: &Path) -> Result<Listing, ListingError> {
    let damaged = |reason: String| ListingError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let mut text = Vec::new();
    opened.read_to_end(&mut text).map_err(io_error(path))?;
    let layout: Layout =
        serde_json::from_slice(&text).map_err(|error| damaged(format!("no listing: {error}")))?;
    if layout.schema_version > u64::from(SCHEMA_VERSION) {
        return Err(ListingError::Newer {
            path: path.to_owned(),
            found: layout.schema_version,
        });
    }
    let read: ListingFile =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    if sum(&read.records) != read.description.sha256 {
        return Err(damaged(
            "its records are not those of its sha256".to_owned(),
        ));
    }
    let listing = Listing::of(read.records).map_err(damaged)?;
    if listing.description != read.description {
        return Err(damaged(
            "organization, listed_at or accounts are not those of its records".to_owned(),
        ));
    }
    Ok(listing)
}

/// The listing among the evidence of a run. Other lines are not read: there may be a million.
fn of_run(evidence: File, path: &Path) -> Result<Listing, ListingError> {
    let damaged = |error: ReadError| ListingError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let wanted = [
        Operation::DescribeOrganization,
        Operation::ListAccounts,
        Operation::ListOrganizationalUnitsForParent,
    ];
    let mut records = Vec::new();
    let mut lines = Lines::new(BufReader::with_capacity(1 << 18, evidence));
    while let Some(line) = lines.next_line().map_err(damaged)? {
        let text = std::str::from_utf8(line.text).unwrap_or_default();
        if wanted.iter().any(|name| text.contains(name.as_str())) {
            let record = line.record().map_err(damaged)?;
            if wanted.contains(&record.operation) {
                records.push(record);
            }
        }
    }
    Listing::of(records).map_err(|reason| ListingError::None {
        path: path.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;

    fn record(operation: &str, response: &Value) -> Record {
        serde_json::from_value(json!({
            "operation": operation, "account": "111111111111", "region": "us-east-1",
            "parameters": {}, "observed_at": "2026-11-22T22:00:00.5Z", "request_id": "r",
            "response": response,
        }))
        .unwrap()
    }

    fn organization(id: &str) -> Record {
        let organization = json!({"Id": id, "MasterAccountId": "111111111111"});
        record(
            "organizations:DescribeOrganization",
            &json!({"Organization": organization}),
        )
    }

    fn accounts() -> Record {
        let account = |id: &str| json!({"Id": id, "Name": "n", "State": "ACTIVE"});
        record(
            "organizations:ListAccounts",
            &json!({"Accounts": [account("111111111111"), account("222222222222")]}),
        )
    }

    fn listing() -> Listing {
        let units = record(
            "organizations:ListOrganizationalUnitsForParent",
            &json!({"OrganizationalUnits": [{"Id": "ou-ab12-11111111", "Name": "Workloads"}]}),
        );
        Listing::of([organization("o-1"), accounts(), units]).unwrap()
    }

    #[test]
    fn a_file_is_read_as_it_was_written_and_not_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("listing.json");
        listing().write(&path).unwrap();
        assert_eq!(Listing::read(&path).unwrap(), listing());
        let whole = fs::read_to_string(&path).unwrap();
        for (old, new, reason) in [
            ("222222222222", "333333333333", "sha256"),
            ("\"Id\":\"o-1\"", "\"Id\":\"o-2\"", "sha256"),
            ("Workloads", "Sandboxes", "sha256"),
            (
                "\"organization\":{\"id\":\"o-1\"",
                "\"organization\":{\"id\":\"o-2\"",
                "not those of its records",
            ),
            (
                "\"accounts\":2",
                "\"accounts\":3",
                "not those of its records",
            ),
            ("{\"schema_version\":1", "{\"schema_version\":2", "newer"),
            ("{\"schema_version\"", "{\"version\"", "no listing"),
            ("]}\n", "", "damaged"),
        ] {
            assert!(whole.contains(old), "{old} in {whole}");
            fs::write(&path, whole.replace(old, new)).unwrap();
            let error = Listing::read(&path).unwrap_err().to_string();
            assert!(error.contains(reason), "{old}: {error}");
            assert!(error.contains("listing.json"), "{error}");
        }
    }

    #[test]
    fn a_list_that_may_lack_accounts_is_none() {
        let mut partial = accounts();
        if let Outcome::Response(response) = &mut partial.outcome {
            response["NextToken"] = json!("more");
        }
        let empty = record("organizations:ListAccounts", &json!({"Accounts": []}));
        for (records, reason) in [
            (vec![accounts()], "DescribeOrganization has no answer"),
            (vec![organization("o-1")], "ListAccounts has no answer"),
            (vec![organization("o-1"), partial], "not read to its end"),
            (vec![organization("o-1"), empty], "not one account"),
        ] {
            let error = Listing::of(records).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn age_counts_when_the_run_begins() {
        let path = Path::new("listing.json");
        let used = |begins: &str| {
            let begins = begins.parse().unwrap();
            listing().used(path, begins, SignedDuration::from_hours(24))
        };
        assert_eq!(used("2026-11-23T21:00:00Z").unwrap().age_seconds, 82_799);
        // A clock that is a little behind.
        assert_eq!(used("2026-11-22T21:58:00Z").unwrap().age_seconds, 0);
        let old = used("2026-11-23T22:00:01Z").unwrap_err();
        assert_eq!(
            old.to_string(),
            "the listing `listing.json` is of 2026-11-22 22:00 UTC, 24 h before this scan, and may \
             be 24 h old"
        );
        assert!(old.remedy().contains("--listing-max-age"));
        let future = used("2026-11-22T21:00:00Z").unwrap_err().to_string();
        assert!(future.contains("still to come"), "{future}");
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("listing.json");
        listing().write(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        let error = Listing::read(&path).unwrap_err();
        assert!(matches!(error, ListingError::Shared { .. }), "{error}");
        assert!(error.to_string().contains("mode 0664"), "{error}");
    }
}
