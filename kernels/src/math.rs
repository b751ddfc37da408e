//! Elementary functions over tokens and slices.

pub(crate) mod double_word;
pub(crate) mod exp;
mod ln;
pub(crate) mod logistic;
pub(crate) mod map;

pub use exp::{exp, exp_slice};
pub use ln::{ln, ln_slice};
