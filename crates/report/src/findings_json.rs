//! `findings.json`: the findings for programs, in the form of [`crate::document`].

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use trailproof_core::finding::{Finding, Pool};

use crate::document::{FindingRecord, SummaryRecord};
use crate::findings::Findings;
use crate::format::{Format, Report};
use crate::run::{Run, SCHEMA_VERSION, file};

/// The format `json`.
#[derive(Debug)]
pub struct FindingsJson;

impl Format for FindingsJson {
    fn name(&self) -> &'static str {
        "json"
    }

    fn file_name(&self) -> &'static str {
        file::FINDINGS_JSON
    }

    fn description(&self) -> &'static str {
        "every finding with its chain, for programs; has a JSON Schema"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &Streamed(report))?;
        out.write_all(b"\n")
    }
}

/// Serializes as [`crate::document::FindingsDocument`] without building one: one finding is held at a time.
struct Streamed<'a>(&'a Report<'a>);

impl Serialize for Streamed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("FindingsDocument", 4)?;
        document.serialize_field("schema_version", &SCHEMA_VERSION)?;
        document.serialize_field("run", self.0.run)?;
        document.serialize_field("summary", &SummaryRecord::from(self.0.summary()))?;
        document.serialize_field("findings", &StreamedFindings(self.0.findings))?;
        document.end()
    }
}

struct StreamedFindings<'a>(&'a Findings<'a>);

impl Serialize for StreamedFindings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.outlines().len()))?;
        self.0
            .try_each(|finding| sequence.serialize_element(&FindingRecord::from(finding)))?;
        sequence.end()
    }
}

/// Why a `findings.json` cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("`{}` is not a findings.json of this version: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// A later version of trailproof wrote it.
    #[error("`{}` was written by a newer trailproof: schema_version {found}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u32,
    },
}

/// Reads a `findings.json`. Findings are converted one by one, so that no second copy of them is
/// ever in memory, and share what they have in common.
pub fn read(path: &Path) -> Result<(Run, Vec<Finding>), ReadError> {
    let document: ReadDocument = parse(path)?;
    Ok((document.run, document.findings))
}

/// Reads the run and the counts of a `findings.json`, and passes over the findings.
pub fn read_summary(path: &Path) -> Result<(Run, SummaryRecord), ReadError> {
    #[derive(serde::Deserialize)]
    struct Head {
        run: Run,
        summary: SummaryRecord,
    }
    let head: Head = parse(path)?;
    Ok((head.run, head.summary))
}

#[derive(serde::Deserialize)]
struct ReadDocument {
    run: Run,
    #[serde(deserialize_with = "findings")]
    findings: Vec<Finding>,
}

fn findings<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Finding>, D::Error> {
    struct Findings;

    impl<'de> serde::de::Visitor<'de> for Findings {
        type Value = Vec<Finding>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a list of findings")
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut sequence: A,
        ) -> Result<Self::Value, A::Error> {
            let mut findings = Vec::new();
            let mut pool = Pool::default();
            while let Some(record) = sequence.next_element::<FindingRecord>()? {
                let mut finding = record.into();
                pool.share(&mut finding);
                findings.push(finding);
            }
            Ok(findings)
        }
    }

    deserializer.deserialize_seq(Findings)
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ReadError> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let open = || {
        std::fs::File::open(path)
            .map(std::io::BufReader::new)
            .map_err(|source| ReadError::Io {
                path: path.to_owned(),
                source,
            })
    };
    let malformed = |source| ReadError::Malformed {
        path: path.to_owned(),
        source,
    };
    // A newer document need not parse as this version does, so its version is looked at first.
    let version: Version = serde_json::from_reader(open()?).map_err(malformed)?;
    if version.schema_version > SCHEMA_VERSION {
        return Err(ReadError::Newer {
            path: path.to_owned(),
            found: version.schema_version,
        });
    }
    serde_json::from_reader(open()?).map_err(malformed)
}

impl ReadError {
    /// What the user can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check that the run was finished and that the file is yours to read",
            Self::Malformed { .. } => {
                "the file was changed or cut off; judge the evidence again with `trailproof evaluate \
                 --evidence DIR --out NEW`"
            }
            Self::Newer { .. } => "use the version of trailproof that wrote it, or a newer one",
        }
    }
}
