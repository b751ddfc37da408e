//! A pass over all arguments of a function: its largest errors, and a hash of its results on every level.
//!
//! Arguments are taken in the order of their bits, in chunks that threads share. A chunk's results are hashed one after
//! the other and the chunks' hashes in order, so a hash depends on every result and its place, and on no thread.

use isobath_kernels::{LengthError, Level};
use rayon::prelude::*;

use super::{Errors, Function};
use crate::hash::Hash;

/// Arguments per chunk.
const CHUNK: u64 = 1 << 16;
/// Chunks after which the threads tell each other the largest error, below which the oracle need not be asked.
const ROUND: u64 = 1 << 10;

/// Which of the 2^32 arguments a sweep takes: every so manyth of their bit patterns.
///
/// ```
/// use isobath::accuracy::Arguments;
///
/// // Every 2^20th of 2^32 arguments, in chunks of 2^16.
/// let some = Arguments::every(1 << 20);
/// assert_eq!((some.count(), some.chunks()), (1 << 12, 1));
/// assert_eq!((Arguments::ALL.count(), Arguments::ALL.chunks()), (1 << 32, 1 << 16));
/// assert!(Arguments::ALL.are_all() && !some.are_all());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arguments {
    step: u32,
}

impl Arguments {
    /// Every argument there is.
    pub const ALL: Self = Self { step: 1 };

    /// Every `step`th; 0 counts as 1.
    pub fn every(step: u32) -> Self {
        Self { step: step.max(1) }
    }

    /// Whether none is left out.
    pub fn are_all(self) -> bool {
        self.step == 1
    }

    /// How many there are.
    pub fn count(self) -> u64 {
        (1u64 << 32).div_ceil(self.step.into())
    }

    /// Into how many chunks a sweep cuts them.
    pub fn chunks(self) -> u64 {
        self.count().div_ceil(CHUNK)
    }

    fn chunk(self, chunk: u64) -> Vec<f32> {
        let range = chunk * CHUNK..self.count().min((chunk + 1) * CHUNK);
        range.map(|i| f32::from_bits((i * u64::from(self.step)) as u32)).collect()
    }
}

/// What a sweep found.
///
/// ```
/// use isobath::accuracy::{Arguments, functions, sweep};
/// use isobath_kernels::{Level, math};
///
/// // A kernel with a defect: its first result is 2. The first argument is 0, whose exponential is 1.
/// let mut exp = functions().swap_remove(0);
/// let (level, arguments) = (Level::detect(), Arguments::every(1 << 22));
/// let sound = sweep(&exp, level, &[level], arguments, || ())?;
/// exp.kernel = Box::new(|level, x, y| math::exp_slice(level, x, y).map(|()| y[0] = 2.0));
/// let faulty = sweep(&exp, level, &[level], arguments, || ())?;
/// assert_ne!(faulty.hashes, sound.hashes);
/// assert_eq!((faulty.errors.normal.x, faulty.errors.normal.error), (0.0, 8_388_608.0)); // 2^23
/// # Ok::<(), isobath_kernels::LengthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The largest errors on the level that was measured.
    pub errors: Errors,
    /// The hash of all results on each level, in the order in which the levels were given.
    pub hashes: Vec<u64>,
}

/// Measures the errors of a function on one level and hashes its results on several, on the threads of the current pool.
/// `each` is called after every chunk.
///
/// # Errors
/// None: the slices are of one length.
///
/// ```
/// use isobath::accuracy::{Arguments, functions, stated, sweep};
/// use isobath_kernels::Level;
///
/// // Every level gives the same bits, and no error is above the stated one.
/// let tanh = functions().into_iter().find(|function| function.name == "tanh").expect("it has a stated error");
/// let levels = [Level::SCALAR, Level::detect()];
/// let found = sweep(&tanh, Level::detect(), &levels, Arguments::every(1 << 22), || ())?;
/// assert_eq!(found.hashes[0], found.hashes[1]);
/// let (normal, subnormal) = stated("tanh").expect("as above");
/// assert!(found.errors.normal.rounded() <= normal && found.errors.subnormal.rounded() <= subnormal);
/// # Ok::<(), isobath_kernels::LengthError>(())
/// ```
pub fn sweep(
    function: &Function,
    measured: Level,
    levels: &[Level],
    arguments: Arguments,
    each: impl Fn() + Sync,
) -> Result<Sweep, LengthError> {
    let mut errors = Errors::default();
    let mut hashes = vec![Hash::new(); levels.len()];
    for first in (0..arguments.chunks()).step_by(ROUND as usize) {
        let chunk = |chunk: u64| {
            let x = arguments.chunk(chunk);
            let mut y = vec![0.0; x.len()];
            (function.kernel)(measured, &x, &mut y)?;
            let mut part = errors;
            function.include(&x, &y, &mut part);
            let hash = |level: &Level| {
                (function.kernel)(*level, &x, &mut y)?;
                Ok(hash(&y))
            };
            let hashes = levels.iter().map(hash).collect::<Result<Vec<u64>, LengthError>>()?;
            each();
            Ok((part, hashes))
        };
        let last = arguments.chunks().min(first + ROUND);
        let parts = (first..last).into_par_iter().map(chunk).collect::<Result<Vec<_>, LengthError>>()?;
        for (part, of_chunk) in parts {
            errors = errors.max(part);
            hashes.iter_mut().zip(of_chunk).for_each(|(hash, of_chunk)| hash.u64(of_chunk));
        }
    }
    Ok(Sweep { errors, hashes: hashes.into_iter().map(Hash::finish).collect() })
}

/// A hash of results in their order, a word at a time, at a few cycles each. No step loses anything, so one result that
/// differs always shows. Every NaN counts as the same.
fn hash(y: &[f32]) -> u64 {
    y.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, y| {
        let bits = if y.is_nan() { 0x7fc0_0000 } else { y.to_bits() };
        (hash.rotate_left(29) ^ u64::from(bits)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}
