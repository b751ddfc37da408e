//! Elementary functions over tokens and slices.

pub(crate) mod double_word;
mod erf;
pub(crate) mod exp;
mod expm1;
pub(crate) mod ln;
mod log1p;
pub(crate) mod logistic;
pub(crate) mod map;
pub(crate) mod normal;
mod normal_table;
mod piecewise;
pub(crate) mod zero;

pub use erf::{erf, erf_slice};
pub use exp::{exp, exp_slice};
pub use expm1::{expm1, expm1_slice};
pub use ln::{ln, ln_slice};
pub use log1p::{log1p, log1p_slice};
