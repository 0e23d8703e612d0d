//! A stable part of the accounts, for scans that are spread over several processes.

use std::fmt;
use std::str::FromStr;

use trailproof_core::account::AccountId;

/// Part `index` of `count`, written `3/16`; the first part is `1/16`.
///
/// An account belongs to the same part in every run, whatever other accounts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// A text that should have been a shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a shard: expected INDEX/COUNT with INDEX from 1 to COUNT, such as 3/16")]
pub struct InvalidShard(pub String);

impl Shard {
    /// Part `index`, counted from 1, of `count`.
    pub fn new(index: u32, count: u32) -> Result<Self, InvalidShard> {
        if (1..=count).contains(&index) {
            Ok(Self { index, count })
        } else {
            Err(InvalidShard(format!("{index}/{count}")))
        }
    }

    /// Which part, counted from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether the account belongs to this part.
    pub fn contains(self, account: AccountId) -> bool {
        // FNV-1a over the digits: a fixed function, so that parts stay what they are across
        // versions and platforms, which the standard library's hasher does not promise.
        let hash = account
            .to_string()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        // The low bits of FNV are its weakest; fold the high half in before taking the remainder.
        (hash ^ (hash >> 32)) % u64::from(self.count) == u64::from(self.index - 1)
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidShard(text.to_owned());
        let (index, count) = text.split_once('/').ok_or_else(invalid)?;
        let number = |part: &str| part.parse::<u32>().map_err(|_| invalid());
        Self::new(number(index)?, number(count)?).map_err(|_| invalid())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u64) -> AccountId {
        format!("{number:012}").parse().unwrap()
    }

    #[test]
    fn every_account_is_in_exactly_one_part() {
        for count in [1, 2, 3, 16, 97] {
            for number in 0..500 {
                let parts = (1..=count)
                    .filter(|index| Shard::new(*index, count).unwrap().contains(account(number)))
                    .count();
                assert_eq!(parts, 1, "account {number} of {count} parts");
            }
        }
    }

    #[test]
    fn parts_are_about_equal() {
        for index in 1..=16 {
            let shard = Shard::new(index, 16).unwrap();
            let size = (0..16_000).filter(|n| shard.contains(account(*n))).count();
            assert!((800..1200).contains(&size), "part {shard} has {size}");
        }
    }

    #[test]
    fn parts_never_move() {
        // Changing the hash would silently split one organization differently between versions.
        let shard: Shard = "3/16".parse().unwrap();
        let members: Vec<u64> = (1..100).filter(|n| shard.contains(account(*n))).collect();
        assert_eq!(members, [1, 12, 67, 78, 89]);
    }

    #[test]
    fn refuses_what_is_not_a_shard() {
        for text in [
            "", "3", "0/4", "5/4", "1/0", "a/b", "-1/4", "1/4/2", "1 / 4",
        ] {
            assert_eq!(text.parse::<Shard>(), Err(InvalidShard(text.to_owned())));
        }
        assert_eq!("3/16".parse::<Shard>().unwrap().to_string(), "3/16");
    }
}
