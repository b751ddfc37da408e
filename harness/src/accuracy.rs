//! How far each function of the kernels is from the exact result, in units in the last place.
//!
//! Every kernel stands beside a fast f64 form and an oracle in double-double arithmetic, which shares no formula with it.
//! The oracle is asked only where the fast form says that an error may exceed the largest one known.

pub mod double_double;
mod fast;
mod functions;
pub mod oracle;
mod stated;
mod sweep;
pub mod ulp;

pub use functions::{ELU_ALPHA, functions};
pub use stated::stated;
pub use sweep::{Arguments, Sweep, sweep};

use isobath_kernels::{LengthError, Level};

use double_double::DoubleDouble;

/// A kernel over slices of one length.
pub type Kernel = Box<dyn Fn(Level, &[f32], &mut [f32]) -> Result<(), LengthError> + Send + Sync>;

/// A function of one argument: the kernel, and what it should return.
///
/// ```
/// use isobath::accuracy::{Errors, functions};
/// use isobath_kernels::Level;
///
/// let exp = functions().into_iter().find(|function| function.name == "exp").expect("it has a stated error");
/// // e^0 = 1 is met: between -2 and 10 nothing is wrong by a unit.
/// assert!(exp.measure(Level::detect(), &[-2.0, 0.0, 0.3, 10.0])?.normal.error < 1.0);
/// // Had the kernel said 1.5, half of the 2^23 numbers from 1 to 2 would lie between.
/// let mut errors = Errors::default();
/// exp.include(&[0.0], &[1.5], &mut errors);
/// assert_eq!((errors.normal.error, errors.normal.x), (4_194_304.0, 0.0));
/// # Ok::<(), isobath_kernels::LengthError>(())
/// ```
pub struct Function {
    /// Its name in the table of [`isobath_kernels::math`].
    pub name: &'static str,
    /// The kernel over slices of one length.
    pub kernel: Kernel,
    /// f64 with a relative error below 1e-12: tells the points where the oracle must be asked. NaN asks always.
    fast: fn(f64) -> f64,
    /// The oracle.
    exact: fn(DoubleDouble) -> DoubleDouble,
}

/// Smaller errors are not looked at: rounding alone makes half a unit, and 0 stands for all below this.
const UNSEEN: f64 = 0.45;

/// A largest error and where it is.
///
/// ```
/// use isobath::accuracy::Worst;
///
/// // Rounded up, so that what is stated holds.
/// let worst = Worst { error: 0.5121, x: -3.0 };
/// assert_eq!(worst.rounded(), 0.513);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst {
    /// In units in the last place.
    pub error: f64,
    /// The argument.
    pub x: f32,
}

impl Worst {
    /// The error rounded up to three decimals, as the stated ones are.
    pub fn rounded(self) -> f64 {
        (self.error * 1000.0).ceil() / 1000.0
    }

    fn include(&mut self, other: Self) {
        if other.error > self.error {
            *self = other;
        }
    }
}

/// The largest errors of a function, apart for results that are normal and subnormal numbers.
///
/// ```
/// use isobath::accuracy::{Errors, Worst};
///
/// let here = Errors { normal: Worst { error: 0.5, x: 1.0 }, subnormal: Worst { error: 0.7, x: -90.0 } };
/// let there = Errors { normal: Worst { error: 0.6, x: 2.0 }, subnormal: Worst::default() };
/// let both = here.max(there);
/// assert_eq!((both.normal.x, both.subnormal.x), (2.0, -90.0));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Errors {
    /// Where the exact result is at least 2^-126.
    pub normal: Worst,
    /// Where it is less, in units of 2^-149.
    pub subnormal: Worst,
}

impl Errors {
    /// The larger of each.
    pub fn max(mut self, other: Self) -> Self {
        self.normal.include(other.normal);
        self.subnormal.include(other.subnormal);
        self
    }
}

impl Function {
    /// Enlarges `errors` by those at the arguments `x`, of which `y` are the kernel's results. NaN must give NaN: a number
    /// is infinitely wrong.
    pub fn include(&self, x: &[f32], y: &[f32], errors: &mut Errors) {
        for (&x, &y) in x.iter().zip(y) {
            if x.is_nan() {
                if !y.is_nan() {
                    errors.normal.include(Worst { error: f64::INFINITY, x });
                }
                continue;
            }
            let fast = (self.fast)(x.into());
            // Exact, or outside the function's domain; poles and infinities included.
            if f64::from(y) == fast || y.is_nan() && fast.is_nan() {
                continue;
            }
            let is_normal = |size: f64| size.abs() >= f64::from(f32::MIN_POSITIVE);
            let known = if is_normal(fast) { errors.normal.error } else { errors.subnormal.error };
            // The estimate is good to a millionth of a unit; only what may exceed the maximum goes to the oracle.
            let estimate = (f64::from(y) - fast).abs() / ulp::spacing(fast);
            if !fast.is_finite() || estimate > known.max(UNSEEN) - 1e-3 {
                let exact = (self.exact)(f64::from(x).into());
                let error = ulp::error(y, exact);
                let class = if is_normal(exact.hi) { &mut errors.normal } else { &mut errors.subnormal };
                class.include(Worst { error, x });
            }
        }
    }

    /// The largest errors at the arguments `x`.
    ///
    /// # Errors
    /// None: the slices are of one length.
    pub fn measure(&self, level: Level, x: &[f32]) -> Result<Errors, LengthError> {
        let mut y = vec![0.0; x.len()];
        (self.kernel)(level, x, &mut y)?;
        let mut errors = Errors::default();
        self.include(x, &y, &mut errors);
        Ok(errors)
    }
}
