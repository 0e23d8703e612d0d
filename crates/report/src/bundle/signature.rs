//! SSH signatures of bundles: made with a key that somebody has already, and checked here or by
//! `ssh-keygen -Y verify`.
//!
//! The format is that of OpenSSH (`PROTOCOL.sshsig`). Keys are Ed25519: of the others, RSA is slow
//! and its signatures have options, and hardware keys need a device.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

/// What signatures of bundles are for: one that was made for something else is none of a bundle.
pub const NAMESPACE: &str = "trailproof-bundle";

/// A private key that signs.
pub struct SigningKey(PrivateKey);

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("SigningKey")
            .field(&self.fingerprint())
            .finish()
    }
}

/// Why a key signs nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The file is something else.
    #[error("it is no private key in OpenSSH's format: {0}")]
    NoKey(String),
    /// Nobody can be asked for its passphrase.
    #[error("it is encrypted with a passphrase, and nobody can be asked for it")]
    Encrypted,
    /// It is of another type.
    #[error("it is a key of the type {0}, and Ed25519 is wanted")]
    Type(String),
    /// Signing failed.
    #[error("signing failed: {0}")]
    Failed(String),
}

impl SigningKey {
    /// Reads a key as `ssh-keygen -t ed25519` writes it.
    pub fn read(text: &[u8]) -> Result<Self, SigningError> {
        let key = PrivateKey::from_openssh(text).map_err(|error| match error {
            ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. } => {
                SigningError::Type("another algorithm".to_owned())
            }
            error => SigningError::NoKey(error.to_string()),
        })?;
        // What the type is stands outside what a passphrase hides.
        match key.algorithm() {
            Algorithm::Ed25519 if key.is_encrypted() => Err(SigningError::Encrypted),
            Algorithm::Ed25519 => Ok(Self(key)),
            other => Err(SigningError::Type(other.to_string())),
        }
    }

    /// As `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Signs sums, in the form of `ssh-keygen -Y sign`.
    pub(super) fn sign(&self, sums: &[u8]) -> Result<String, SigningError> {
        let failed = |error: ssh_key::Error| SigningError::Failed(error.to_string());
        let signature = self.0.sign(NAMESPACE, HashAlg::Sha512, sums);
        let mut text = signature
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(failed)?;
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }
}

/// Who may sign what: OpenSSH's file of allowed signers (ssh-keygen(1), "ALLOWED SIGNERS").
#[derive(Debug, Clone)]
pub struct AllowedSigners(Vec<Allowed>);

#[derive(Debug, Clone)]
struct Allowed {
    /// Patterns of names; those with `!` exclude.
    principals: Vec<String>,
    /// Patterns of namespaces; none allows all.
    namespaces: Option<Vec<String>>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    key: PublicKey,
}

/// Why a file of allowed signers cannot be used. Lines count from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct InvalidSigners {
    /// The line.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a signature proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error("the bundle is not signed")]
    Unsigned,
    /// It cannot be read.
    #[error("its signature cannot be read: {0}")]
    Unreadable(String),
    /// It was made for something else.
    #[error("its signature is for `{0}`, and not for `{NAMESPACE}`")]
    Namespace(String),
    /// Nobody of this name may sign.
    #[error("the file of allowed signers has no key of `{0}` for `{NAMESPACE}`")]
    Nobody(String),
    /// Another key signed.
    #[error("it was signed with the key {found}, which is none of `{name}`")]
    Stranger {
        /// Who was expected.
        name: String,
        /// The fingerprint of the key that signed.
        found: String,
    },
    /// The key may not sign at this time.
    #[error("the key of `{0}` is not valid now")]
    Time(String),
    /// What was signed is not what is there.
    #[error("its signature is not one of its sums: something was changed after it was signed")]
    Changed,
}

impl AllowedSigners {
    /// Reads a file of allowed signers.
    pub fn read(text: &str) -> Result<Self, InvalidSigners> {
        let mut signers = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let signer = Allowed::read(line).map_err(|reason| InvalidSigners {
                line: index + 1,
                reason,
            })?;
            signers.extend(signer);
        }
        Ok(Self(signers))
    }

    /// Checks that somebody signed sums, by a key that is valid at a time.
    pub fn check(
        &self,
        name: &str,
        sums: &str,
        signature: Option<&str>,
        now: Timestamp,
    ) -> Result<(), SignatureError> {
        let signature = signature.ok_or(SignatureError::Unsigned)?;
        let signature = SshSig::from_pem(signature)
            .map_err(|error| SignatureError::Unreadable(error.to_string()))?;
        if signature.namespace() != NAMESPACE {
            return Err(SignatureError::Namespace(signature.namespace().to_owned()));
        }
        let mut allowed = self.0.iter().filter(|signer| signer.is(name)).peekable();
        if allowed.peek().is_none() {
            return Err(SignatureError::Nobody(name.to_owned()));
        }
        let of_key: Vec<&Allowed> = allowed
            .filter(|signer| signer.key.key_data() == signature.public_key())
            .collect();
        let Some(first) = of_key.first() else {
            let key = PublicKey::from(signature.public_key().clone());
            return Err(SignatureError::Stranger {
                name: name.to_owned(),
                found: key.fingerprint(HashAlg::Sha256).to_string(),
            });
        };
        if !of_key.iter().any(|signer| signer.is_valid_at(now)) {
            return Err(SignatureError::Time(name.to_owned()));
        }
        first
            .key
            .verify(NAMESPACE, sums.as_bytes(), &signature)
            .map_err(|_| SignatureError::Changed)
    }
}

impl Allowed {
    /// Reads a line; nothing for one that allows keys which cannot sign bundles.
    fn read(line: &str) -> Result<Option<Self>, String> {
        let mut words = words(line)?.into_iter();
        let principals = words.next().unwrap_or_default();
        let mut rest: Vec<String> = words.collect();
        let is_type = |word: &String| {
            word.parse::<Algorithm>()
                .is_ok_and(|known| !matches!(known, Algorithm::Other(_)))
        };
        let place = rest
            .iter()
            .position(is_type)
            .ok_or("there is no key of a known type")?;
        let options = rest.drain(..place).collect::<Vec<_>>().join(",");
        let mut signer = Self {
            principals: list(&principals),
            namespaces: None,
            after: None,
            before: None,
            key: match rest.as_slice() {
                [kind, key, ..] if kind == Algorithm::Ed25519.as_str() => {
                    PublicKey::from_openssh(&format!("{kind} {key}"))
                        .map_err(|error| format!("its key cannot be read: {error}"))?
                }
                [_, _, ..] => return Ok(None),
                _ => return Err("there is no key".to_owned()),
            },
        };
        for option in split_options(&options) {
            let (name, value) = option.split_once('=').unwrap_or((&option, ""));
            match name.to_ascii_lowercase().as_str() {
                // Certificates of this key sign no bundles; the key itself may not.
                "cert-authority" => return Ok(None),
                "namespaces" => signer.namespaces = Some(list(value)),
                "valid-after" => signer.after = Some(time(value)?),
                "valid-before" => signer.before = Some(time(value)?),
                other => return Err(format!("`{other}` is not a known option")),
            }
        }
        Ok(Some(signer))
    }

    /// Whether a name is meant, for bundles.
    fn is(&self, name: &str) -> bool {
        let namespaces = self.namespaces.as_ref();
        listed(&self.principals, name)
            && namespaces.is_none_or(|namespaces| listed(namespaces, NAMESPACE))
    }

    fn is_valid_at(&self, time: Timestamp) -> bool {
        self.after.is_none_or(|after| after <= time)
            && self.before.is_none_or(|before| time < before)
    }
}

/// The words of a line: quotes keep white space in them.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            // Commas separate options; those in quotes are kept apart until options are read.
            ',' if quoted => word.push(QUOTED_COMMA),
            other => word.push(other),
        }
    }
    if quoted {
        return Err("a quote does not end".to_owned());
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// Stands for a comma between quotes; no text has it.
const QUOTED_COMMA: char = '\u{0}';

fn split_options(options: &str) -> Vec<String> {
    let options = options.split(',').filter(|option| !option.is_empty());
    options.map(str::to_owned).collect()
}

fn list(text: &str) -> Vec<String> {
    let parts = text.split([',', QUOTED_COMMA]);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a list of patterns means a text (`ssh_config`(5), "Patterns").
fn listed(patterns: &[String], text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(excluded) if is_like(excluded.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => found |= is_like(pattern.as_bytes(), text.as_bytes()),
        }
    }
    found
}

/// Whether a text matches a pattern with `*` and `?`: in time that grows with the product of their
/// lengths, whatever the pattern.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for symbol in pattern {
        let mut next = vec![false; text.len() + 1];
        let mut any = false;
        for (place, slot) in next.iter_mut().enumerate() {
            let here = reached.get(place).copied().unwrap_or_default();
            any |= here;
            let before = place.checked_sub(1);
            let before = before.filter(|before| reached.get(*before).copied().unwrap_or_default());
            *slot = match symbol {
                b'*' => any,
                b'?' => before.is_some(),
                byte => before.is_some_and(|before| text.get(before) == Some(byte)),
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

/// A time of `valid-after` or `valid-before`, in UTC. Without a `Z` it would be local, and a
/// verdict must not depend on where it is asked for.
fn time(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is not a time as YYYYMMDDZ or YYYYMMDDHHMM[SS]Z");
    let digits = text
        .strip_suffix('Z')
        .ok_or_else(|| format!("`{text}` is a local time: write it in UTC, with a Z at its end"))?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    if !matches!(digits.len(), 8 | 12 | 14) {
        return Err(wrong());
    }
    let whole = format!("{digits:0<14}");
    DateTime::strptime("%Y%m%d%H%M%S", whole)
        .ok()
        .and_then(|time| Offset::UTC.to_timestamp(time).ok())
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `ssh-keygen -t ed25519` for this test, and used nowhere else.
    const ENCRYPTED: &str = include_str!("signature/encrypted-key");

    /// A key and its public half, as `ssh-keygen` writes them.
    fn key(seed: u8) -> (SigningKey, String) {
        let pair = ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
        let key = PrivateKey::from(pair);
        let text = key.to_openssh(LineEnding::LF).unwrap();
        let public = key.public_key().to_openssh().unwrap();
        (SigningKey::read(text.as_bytes()).unwrap(), public)
    }

    fn now() -> Timestamp {
        "2026-11-22T22:00:00Z".parse().unwrap()
    }

    fn signers(line: &str) -> AllowedSigners {
        AllowedSigners::read(line).unwrap()
    }

    #[test]
    fn a_signature_stands_for_its_sums_alone() {
        let (key, public) = key(1);
        let signature = key.sign(b"sums").unwrap();
        assert_eq!(signature, key.sign(b"sums").unwrap());
        let check = |line: &str, name: &str, sums: &str| {
            signers(line).check(name, sums, Some(&signature), now())
        };
        let allowed = format!("auditor@example.com {public}");
        assert_eq!(check(&allowed, "auditor@example.com", "sums"), Ok(()));
        assert_eq!(
            check(&allowed, "auditor@example.com", "other"),
            Err(SignatureError::Changed)
        );
        assert_eq!(
            check(&allowed, "somebody", "sums"),
            Err(SignatureError::Nobody("somebody".to_owned()))
        );
        assert_eq!(
            signers(&allowed).check("auditor@example.com", "sums", None, now()),
            Err(SignatureError::Unsigned)
        );
        let unreadable = signers(&allowed).check("auditor@example.com", "s", Some("x"), now());
        assert!(matches!(unreadable, Err(SignatureError::Unreadable(_))));
        for (options, expected) in [
            ("namespaces=\"file,trailproof-*\"", Ok(())),
            (
                "valid-after=20260101Z,valid-before=\"202612312359Z\"",
                Ok(()),
            ),
            (
                "namespaces=\"file\"",
                Err(SignatureError::Nobody("a".to_owned())),
            ),
            (
                "valid-before=\"20260101Z\"",
                Err(SignatureError::Time("a".to_owned())),
            ),
            (
                "cert-authority",
                Err(SignatureError::Nobody("a".to_owned())),
            ),
        ] {
            let line = format!("a,!b {options} {public}");
            assert_eq!(check(&line, "a", "sums"), expected, "{options}");
        }
    }

    #[test]
    fn keys_of_strangers_and_for_other_things_are_refused() {
        let (_, other) = key(2);
        let (key, public) = key(1);
        let signature = key.sign(b"sums").unwrap();
        let checked = signers(&format!("a {other}")).check("a", "sums", Some(&signature), now());
        assert!(
            matches!(&checked, Err(SignatureError::Stranger { found, .. }) if *found == key.fingerprint()),
            "{checked:?}"
        );
        let elsewhere = key.0.sign("file", HashAlg::Sha512, b"sums").unwrap();
        let elsewhere = elsewhere.to_pem(LineEnding::LF).unwrap();
        assert_eq!(
            signers(&format!("a {public}")).check("a", "sums", Some(&elsewhere), now()),
            Err(SignatureError::Namespace("file".to_owned()))
        );
    }

    #[test]
    fn keys_that_cannot_sign_say_why() {
        let reason = |text: &str| SigningKey::read(text.as_bytes()).unwrap_err();
        assert_eq!(reason(ENCRYPTED), SigningError::Encrypted);
        let (_, public) = key(1);
        assert!(matches!(reason(&public), SigningError::NoKey(_)));
        assert!(matches!(reason(""), SigningError::NoKey(_)));
    }

    #[test]
    fn lines_that_mean_nothing_are_named() {
        let (_, public) = key(1);
        for (text, line) in [
            ("# one\n\na\n", 3),
            ("a ssh-ed25519\n", 1),
            ("a ssh-ed25519 AAAA\n", 1),
            (&format!("a no-touch-required {public}"), 1),
            (&format!("a valid-after=20260101 {public}"), 1),
            (&format!("a valid-after=2026Z {public}"), 1),
            (&format!("a namespaces=\"x {public}"), 1),
        ] {
            let error = AllowedSigners::read(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
        }
        assert!(AllowedSigners::read("").unwrap().0.is_empty());
    }

    #[test]
    fn names_match_patterns() {
        let patterns = list("*@example.com,!root@example.com,a?c");
        for (name, expected) in [
            ("me@example.com", true),
            ("root@example.com", false),
            ("abc", true),
            ("ac", false),
            ("", false),
        ] {
            assert_eq!(listed(&patterns, name), expected, "{name}");
        }
    }
}
