//! Chance that repeats: every draw is a hash of the seed and of what is drawn for, so that the
//! order in which concurrent requests arrive does not matter.

/// FNV-1a over parts of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new(seed: u64) -> Self {
        Self(0xcbf2_9ce4_8422_2325).number(seed)
    }

    #[must_use]
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        }))
    }

    #[must_use]
    pub(crate) fn number(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    /// The hash, its bits well mixed (the finalizer of `SplitMix64`).
    pub(crate) fn finish(self) -> u64 {
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to but not including 1.
    #[allow(
        clippy::cast_precision_loss,
        reason = "53 bits are kept, which is what the mantissa has"
    )]
    pub(crate) fn fraction(self) -> f64 {
        (self.finish() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
