//! [`Level`]: which instruction set a kernel runs on, chosen at run time and passed to every kernel.

#[cfg(not(target_os = "none"))]
use super::Portable;
use super::{Scalar, Simd, dispatch};

/// An instruction set that this CPU has. It can be made only by asking, so holding one is the proof.
///
/// Kernels give the same bits at every level; a level is a matter of speed. On a target with one level (a
/// microcontroller) it has no size.
///
/// ```
/// use isobath_kernels::Level;
///
/// let fastest = Level::detect();
/// assert_eq!(Level::from_name(fastest.name()), Some(fastest));
/// assert_eq!(Level::available().next(), Some(Level::SCALAR)); // slowest first
/// assert_eq!((Level::SCALAR.name(), Level::SCALAR.lanes()), ("scalar", 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Kind);

// Where there is no choice, none is carried.
#[cfg(all(target_os = "none", any(target_arch = "arm", target_arch = "riscv32", target_arch = "riscv64")))]
const _: () = assert!(size_of::<Level>() == 0, "a microcontroller has one level");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    #[cfg(not(target_os = "none"))]
    Portable(Portable),
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Neon(super::Neon),
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Avx2(super::Avx2),
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Avx512(super::Avx512),
}

impl Level {
    /// One element at a time: the readable reference, and all that microcontrollers have.
    pub const SCALAR: Self = Self(Kind::Scalar(Scalar));

    /// The names of all levels that exist for any CPU, slowest first.
    pub const NAMES: [&str; 5] = ["scalar", "portable", "neon", "avx2", "avx512"];

    /// The fastest level of this CPU. Asks the CPU once and keeps the answer; needs no std.
    pub fn detect() -> Self {
        Self::available().last().unwrap_or(Self::SCALAR)
    }

    /// Every level of this CPU, slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        let levels = [
            Some(Self::SCALAR),
            #[cfg(not(target_os = "none"))]
            Some(Self(Kind::Portable(Portable))),
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Some(Self(Kind::Neon(super::Neon::new()))),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            super::Avx2::detect().map(|token| Self(Kind::Avx2(token))),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            super::Avx512::detect().map(|token| Self(Kind::Avx512(token))),
        ];
        levels.into_iter().flatten()
    }

    /// The level of this name (see [`Level::NAMES`]), if the CPU has it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::available().find(|level| level.name() == name)
    }

    /// The name by which [`Level::from_name`] finds this level.
    pub fn name(self) -> &'static str {
        fn name_of<S: Simd>(_: S) -> &'static str {
            S::NAME
        }
        dispatch!(self, simd => name_of(simd))
    }

    /// f32 values in a vector of this level.
    pub fn lanes(self) -> usize {
        fn lanes_of<S: Simd>(_: S) -> usize {
            S::LANES
        }
        dispatch!(self, simd => lanes_of(simd))
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> Kind {
        self.0
    }
}
