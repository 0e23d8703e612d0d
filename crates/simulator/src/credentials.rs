//! Access keys. Temporary ones carry their account and expiry in the key itself, so that a session
//! costs no memory; the role, the
//! session name and what limits it are in the token. Signatures are not checked.

use jiff::Timestamp;
use trailproof_core::account::AccountId;

use crate::permission::Caller;
use crate::session_policy::SessionLimit;

/// Temporary credentials.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) session_token: String,
}

/// Whose an access key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Whoever the organization names as the default caller.
    Default,
    /// A user of an account: its number was the access key.
    Account(AccountId),
    /// A session of a role, until it expires.
    Session(Caller, Timestamp),
    /// The key or the token is none that was handed out.
    Unknown,
}

const PREFIX: &str = "ASIA";
const TOKEN: &str = "SimulatedSessionToken";
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Forty bits of account, thirty-two of expiry, eight of checksum: sixteen base 32 digits.
const DIGIT_COUNT: u32 = 16;

/// Credentials for a session of a role.
pub(crate) fn issue(
    account: AccountId,
    expiration: Timestamp,
    role: &str,
    session: &str,
    limit: Option<&SessionLimit>,
) -> Credentials {
    let number: u64 = account.to_string().parse().unwrap_or_default();
    let seconds = u32::try_from(expiration.as_second()).unwrap_or(u32::MAX);
    let content = (u128::from(number) << 32) | u128::from(seconds);
    let sealed = (content << 8) | u128::from(checksum(content));
    let access_key: String = PREFIX
        .chars()
        .chain(
            (0..DIGIT_COUNT)
                .rev()
                .map(|position| digit(sealed, position)),
        )
        .collect();
    let limit = SessionLimit::in_token(limit);
    let session_token = format!("{TOKEN}/{access_key}/{session}/{limit}/{role}");
    Credentials {
        secret_key: format!("SimulatedSecretKeyOf{access_key}"),
        access_key,
        session_token,
    }
}

/// Whose credentials these are.
pub(crate) fn identify(access_key: &str, token: Option<&str>) -> Identity {
    if let Ok(account) = access_key.parse() {
        return Identity::Account(account);
    }
    let Some(digits) = access_key.strip_prefix(PREFIX) else {
        return Identity::Default;
    };
    let session = token
        .and_then(|token| token.strip_prefix(TOKEN)?.strip_prefix('/'))
        .and_then(|token| token.strip_prefix(access_key)?.strip_prefix('/'))
        .and_then(|token| token.split_once('/'))
        .and_then(|(session, rest)| {
            let (limit, role) = rest.split_once('/')?;
            Some((session, limit, role))
        });
    match (open(digits), session) {
        (Some((account, expiration)), Some((session, limit, role))) => Identity::Session(
            Caller {
                account,
                session: Some((role.to_owned(), session.to_owned())),
                limit: SessionLimit::of_token(limit),
            },
            expiration,
        ),
        _ => Identity::Unknown,
    }
}

fn open(digits: &str) -> Option<(AccountId, Timestamp)> {
    if u32::try_from(digits.len()) != Ok(DIGIT_COUNT) {
        return None;
    }
    let sealed = digits.bytes().try_fold(0_u128, |value, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        Some((value << 5) | u128::try_from(digit).ok()?)
    })?;
    let content = sealed >> 8;
    let account = format!("{:012}", content >> 32).parse().ok()?;
    let seconds = i64::try_from(content & u128::from(u32::MAX)).ok()?;
    let genuine = u128::from(checksum(content)) == sealed & 0xff;
    genuine.then_some((account, Timestamp::from_second(seconds).ok()?))
}

fn digit(value: u128, position: u32) -> char {
    let index = usize::try_from((value >> (5 * position)) & 31).unwrap_or_default();
    DIGITS.get(index).copied().map_or('A', char::from)
}

fn checksum(content: u128) -> u8 {
    content
        .to_be_bytes()
        .iter()
        .fold(0x5a, |sum: u8, byte| sum.rotate_left(3) ^ byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_recognized() {
        let account = "012345678901".parse().unwrap();
        let expiration = Timestamp::from_second(1_795_384_800).unwrap();
        let credentials = issue(account, expiration, "audit/Reader", "trailproof", None);
        assert_eq!(credentials.access_key.len(), 20);
        assert_eq!(
            identify(&credentials.access_key, Some(&credentials.session_token)),
            Identity::Session(
                Caller {
                    account,
                    session: Some(("audit/Reader".to_owned(), "trailproof".to_owned())),
                    limit: None,
                },
                expiration
            )
        );
        assert_eq!(identify(&credentials.access_key, None), Identity::Unknown);
    }

    #[test]
    fn made_up_keys_are_not() {
        assert_eq!(identify("ASIAAAAAAAAAAAAAAAAA", None), Identity::Unknown);
        assert_eq!(identify("AKIAEXAMPLE", None), Identity::Default);
        assert_eq!(
            identify("111111111111", None),
            Identity::Account("111111111111".parse().unwrap())
        );
    }
}
