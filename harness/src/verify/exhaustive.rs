//! Every function of the kernels over all its arguments: the largest errors beside the stated ones, and the same bits on
//! every level.

use isobath_kernels::Level;
use serde::Serialize;

use super::VerifyError;
use crate::accuracy::{self, Arguments, Function, Sweep, Worst};

/// Whether a function keeps what is stated of it.
///
/// ```
/// use isobath::accuracy::{Arguments, functions};
/// use isobath::verify::{Verdict, exhaustive};
/// use isobath_kernels::Level;
///
/// // tanh over every 2^20th argument.
/// let chosen: Vec<_> = functions().into_iter().filter(|function| function.name == "tanh").collect();
/// let rows = exhaustive(Level::detect(), &chosen, Arguments::every(1 << 20), || {}, |_| {})?;
/// // A sample finds no larger error than the stated one, and it need not find that.
/// assert_eq!(rows[0].verdict, Verdict::Holds);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The largest errors are the stated ones (no larger, where arguments were left out), and all hashes agree.
    Holds,
    /// An error is larger than stated.
    Above,
    /// No error is as large as stated, though no argument was left out.
    Below,
    /// Two levels gave different bits.
    Disagrees,
}

/// A largest error beside the stated one, in units in the last place.
///
/// ```
/// use isobath::accuracy::{Arguments, functions};
/// use isobath::verify::exhaustive;
/// use isobath_kernels::Level;
///
/// // tanh over every 2^20th argument.
/// let chosen: Vec<_> = functions().into_iter().filter(|function| function.name == "tanh").collect();
/// let rows = exhaustive(Level::detect(), &chosen, Arguments::every(1 << 20), || {}, |_| {})?;
/// let largest = rows[0].normal;
/// assert!(largest.error <= largest.stated && largest.stated < 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Largest {
    /// The error, rounded up to three decimals.
    pub error: f64,
    /// The argument that has it, 0 if there is no error to speak of.
    pub at: f32,
    /// The error that the documentation states.
    pub stated: f64,
}

/// The hash of all results on one level.
///
/// ```
/// use isobath::accuracy::{Arguments, functions};
/// use isobath::verify::exhaustive;
/// use isobath_kernels::Level;
///
/// // tanh over every 2^20th argument.
/// let chosen: Vec<_> = functions().into_iter().filter(|function| function.name == "tanh").collect();
/// let rows = exhaustive(Level::detect(), &chosen, Arguments::every(1 << 20), || {}, |_| {})?;
/// // The same bits on every level of this machine.
/// let hashes = &rows[0].hashes;
/// assert_eq!(hashes.len(), Level::available().count());
/// assert!(hashes.iter().all(|one| one.hash == hashes[0].hash));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LevelHash {
    /// The level's name.
    pub level: &'static str,
    /// The hash, in 16 hexadecimal digits.
    pub hash: String,
}

/// What was found of a function.
///
/// ```
/// use isobath::accuracy::{Arguments, functions};
/// use isobath::verify::exhaustive;
/// use isobath_kernels::Level;
///
/// // tanh over every 2^20th argument.
/// let chosen: Vec<_> = functions().into_iter().filter(|function| function.name == "tanh").collect();
/// let rows = exhaustive(Level::detect(), &chosen, Arguments::every(1 << 20), || {}, |_| {})?;
/// let row = &rows[0];
/// println!("{}: {} ULP at {}", row.function, row.normal.error, row.normal.at);
/// assert!(row.function == "tanh" && row.subnormal.error <= row.subnormal.stated);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name in the table of [`isobath_kernels::math`].
    pub function: &'static str,
    /// Of results that are normal numbers.
    pub normal: Largest,
    /// Of those that are subnormal, in units of 2^-149.
    pub subnormal: Largest,
    /// On every level of this machine, slowest first.
    pub hashes: Vec<LevelHash>,
    /// What follows.
    pub verdict: Verdict,
}

/// Sweeps functions over their arguments on the current thread pool: errors on `level`, hashes on every level.
/// `chunk` is called after every chunk of [`Arguments`], from any thread, and `row` after every function.
///
/// # Errors
/// The documentation states nothing of a function.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use isobath::accuracy::{Arguments, functions};
/// use isobath::verify::{Verdict, exhaustive};
/// use isobath_kernels::Level;
///
/// let chosen: Vec<_> = functions().into_iter().filter(|function| function.name == "sigmoid").collect();
/// let (arguments, chunks) = (Arguments::every(1 << 20), AtomicU64::new(0));
/// let count = || {
///     chunks.fetch_add(1, Ordering::Relaxed);
/// };
/// let rows = exhaustive(Level::detect(), &chosen, arguments, count, |row| println!("{}", row.function))?;
/// assert_eq!(rows[0].verdict, Verdict::Holds);
/// assert_eq!(chunks.into_inner(), arguments.chunks());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn exhaustive(
    level: Level,
    functions: &[Function],
    arguments: Arguments,
    chunk: impl Fn() + Sync,
    mut row: impl FnMut(&Row),
) -> Result<Vec<Row>, VerifyError> {
    let levels: Vec<Level> = Level::available().collect();
    let mut rows = Vec::with_capacity(functions.len());
    for function in functions {
        let stated = accuracy::stated(function.name).ok_or(VerifyError::NotStated(function.name))?;
        let found = accuracy::sweep(function, level, &levels, arguments, &chunk)?;
        let found = judge(function.name, stated, &levels, &found, arguments.are_all());
        row(&found);
        rows.push(found);
    }
    Ok(rows)
}

fn judge(
    function: &'static str,
    (normal, subnormal): (f64, f64),
    levels: &[Level],
    found: &Sweep,
    all: bool,
) -> Row {
    let largest = |worst: Worst, stated: f64| Largest { error: worst.rounded(), at: worst.x, stated };
    let [normal, subnormal] =
        [largest(found.errors.normal, normal), largest(found.errors.subnormal, subnormal)];
    let any = |f: fn(&Largest) -> bool| f(&normal) || f(&subnormal);
    let verdict = if found.hashes.windows(2).any(|pair| pair[0] != pair[1]) {
        Verdict::Disagrees
    } else if any(|largest| largest.error > largest.stated) {
        Verdict::Above
    } else if all && any(|largest| largest.error < largest.stated) {
        Verdict::Below
    } else {
        Verdict::Holds
    };
    let hash =
        |(level, hash): (&Level, &u64)| LevelHash { level: level.name(), hash: format!("{hash:016x}") };
    Row { function, normal, subnormal, hashes: levels.iter().zip(&found.hashes).map(hash).collect(), verdict }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::Errors;

    #[test]
    fn the_verdict_follows_from_errors_and_hashes() {
        let levels: Vec<Level> = Level::available().take(2).collect();
        let verdict = |normal: f64, hashes: [u64; 2], all: bool| {
            let worst = |error| Worst { error, x: 1.0 };
            let errors = Errors { normal: worst(normal), subnormal: worst(0.4995) };
            judge("f", (0.625, 0.5), &levels, &Sweep { errors, hashes: hashes.to_vec() }, all).verdict
        };
        assert_eq!(verdict(0.6245, [1, 1], true), Verdict::Holds);
        assert_eq!(verdict(0.6251, [1, 1], true), Verdict::Above);
        assert_eq!(verdict(0.6251, [1, 1], false), Verdict::Above);
        assert_eq!(verdict(0.5, [1, 1], true), Verdict::Below);
        assert_eq!(verdict(0.5, [1, 1], false), Verdict::Holds);
        assert_eq!(verdict(0.6245, [1, 2], true), Verdict::Disagrees);
        assert_eq!(verdict(f64::INFINITY, [1, 1], false), Verdict::Above);
    }
}
