//! A small, fast, repeatable source of numbers (xorshift64*), the same for every allocator.

/// A stream of numbers that only its seed decides.
pub struct Random(u64);

impl Random {
    /// A stream for one thread of one workload.
    pub fn new(seed: u64) -> Self {
        // The state must not be zero; an odd multiplier keeps different seeds different.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound`, which must not be zero.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// A size from `2^low` up to `2^high`, each doubling as likely as any other.
    pub fn size(&mut self, low: u32, high: u32) -> usize {
        let bits = self.next();
        let octave = low + (bits % u64::from(high - low)) as u32;
        let base = 1_usize << octave;
        base + ((bits >> 32) as usize & (base - 1))
    }
}
