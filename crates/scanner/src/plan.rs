//! What a scan should do: the one argument of [`crate::scan`].

use std::collections::BTreeSet;
use std::path::PathBuf;

use trailproof_core::account::{AccountId, Region};
use trailproof_core::attestation::Attestation;
use trailproof_core::evidence::Record;
use trailproof_core::mute::Mute;
use trailproof_core::policy::Policy;

use crate::connection::ConnectOptions;
use crate::roles::RoleSettings;
use crate::shard::Shard;

/// Everything a scan depends on. Build it with [`ScanPlan::new`] and set what differs.
#[derive(Debug, Clone)]
pub struct ScanPlan {
    /// Credentials, region and endpoints of the caller.
    pub connection: ConnectOptions,
    /// Which accounts to look for, and how they are found.
    pub scope: Scope,
    /// A list of the organization's accounts that was made before. With [`Scope::Organization`] it
    /// is the list, and the organization is not asked for another.
    pub listing: Option<KnownListing>,
    /// What was answered before about an organization that this scan does not list: it becomes part
    /// of the evidence, so that reports name the accounts and their units.
    pub organization: Vec<Record>,
    /// Which of those accounts to leave out.
    pub accounts: AccountFilter,
    /// The roles by which accounts are entered.
    pub role: RoleSettings,
    /// Which regions of each account to sweep.
    pub regions: RegionFilter,
    /// Whether every region is asked, or only as many as the verdict needs.
    pub sweep: Sweep,
    /// What the accounts are judged by: it decides which calls are worth making. Its `accounts`
    /// field is not read here; the scan resolves the accounts itself.
    pub policy: Policy,
    /// Failures that somebody accepted. They change no verdict; where one goes by tags and may
    /// accept a finding, the tags of the account are asked for, so that evidence has them.
    pub mutes: Vec<Mute>,
    /// What will be attested: attestations by tag need the tags of the accounts they may be meant for.
    pub attestations: Vec<Attestation>,
    /// Accounts outside the organization that may be entered where a chain leads there.
    pub trusted: BTreeSet<AccountId>,
    /// The largest number of API calls in flight at once; `None` takes as many as the network
    /// needs and memory and open connections allow.
    pub concurrency: Option<usize>,
    /// The part of the accounts to take, when a scan is spread over several processes.
    pub shard: Option<Shard>,
    /// Where evidence is written as it arrives; `None` keeps it in memory only.
    pub evidence: Option<EvidenceFile>,
    /// Whether evidence has pseudonyms in place of people's addresses.
    pub mask_endpoints: bool,
}

impl ScanPlan {
    /// The most calls in flight that memory is set aside for: 64 MiB, of which each takes some
    /// 50 KiB with its connection (docs/benchmarks.md). How many there are follows from how often
    /// calls are made and how far away the regions are.
    pub const CONCURRENCY: usize = 64 * 1024 / 50;

    /// A plan with defaults: the whole organization, `OrganizationAccountAccessRole`, every
    /// enabled region, a full sweep, evidence kept in memory only.
    pub fn new(policy: Policy) -> Self {
        Self {
            connection: ConnectOptions::default(),
            scope: Scope::default(),
            listing: None,
            organization: Vec::new(),
            accounts: AccountFilter::default(),
            role: RoleSettings::default(),
            regions: RegionFilter::default(),
            sweep: Sweep::default(),
            policy,
            mutes: Vec::new(),
            attestations: Vec::new(),
            trusted: BTreeSet::new(),
            concurrency: None,
            shard: None,
            evidence: None,
            mask_endpoints: false,
        }
    }
}

/// How the accounts are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// Every account that AWS Organizations lists. The caller has to be the management account or
    /// a delegated administrator.
    #[default]
    Organization,
    /// These accounts, without asking Organizations. An account named twice is scanned once.
    Accounts(Vec<AccountId>),
    /// The account of the caller's credentials, without asking Organizations.
    CurrentAccount,
}

/// A list of an organization's accounts that was made before the scan.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownListing {
    /// The id of the organization, such as `o-a1b2c3d4e5`: the scan refuses a list of another one
    /// than the caller's.
    pub organization: String,
    /// The answer to `organizations:ListAccounts`; it becomes part of the evidence.
    pub record: Record,
    /// What was answered when organizational units were asked for, with their names, or why it was
    /// not; part of the evidence, too.
    pub units: Vec<Record>,
    /// Whether the accounts are listed again while those that are known are scanned already.
    /// Accounts that only the new list has are scanned, too.
    pub confirm: bool,
}

/// Which of the found accounts are scanned. All conditions have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Accounts that are left out.
    pub exclude: BTreeSet<AccountId>,
    /// Organizational units (`ou-...`) or roots (`r-...`), nested units included, by id, path of ids,
    /// name or names from the root down; empty means the whole organization. With names, every
    /// account is listed before the first is entered. Needs [`Scope::Organization`].
    pub organizational_units: BTreeSet<String>,
    /// Organizational units whose accounts are left out, nested units included, named in the same
    /// ways. Needs [`Scope::Organization`].
    pub exclude_organizational_units: BTreeSet<String>,
    /// Tags, as key and value, that the account has to carry, all of them. Needs
    /// [`Scope::Organization`].
    pub tags: Vec<(String, String)>,
}

impl AccountFilter {
    /// Whether anything is left out: then the outcome's accounts are the resolved scope that a
    /// later evaluation of the same evidence has to use.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// Which of an account's enabled regions are swept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegionFilter {
    /// Only these; empty means every enabled region. A region that does not exist is an error.
    pub include: BTreeSet<Region>,
    /// Not these. A region that does not exist is an error.
    pub exclude: BTreeSet<Region>,
}

/// How many regions of each account are asked for trails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sweep {
    /// Every enabled region: `trails.csv` is complete.
    #[default]
    Full,
    /// The partition's home region, and further ones only while the verdict is open. Gives the
    /// same verdicts, because one region shows every trail that can cover an account.
    Adaptive,
}

impl Sweep {
    /// The word on the command line and in run.json.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Adaptive => "adaptive",
        }
    }
}

/// The evidence file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceFile {
    /// The file, usually `evidence.ndjson` in the run directory. Created private to the user.
    pub path: PathBuf,
    /// Whether to go on where an earlier run stopped: what the file holds is loaded, and no
    /// completed call is made again. Otherwise a file that exists is an error.
    pub resume: bool,
}
