//! Elementary functions over tokens and slices.
//!
//! Each file is one function: its formula, numerics and cost. All run the same correctly rounded operations in the same
//! order on every token, without branches that could change a bit, so their results are the same bits everywhere.
//!
//! The largest errors in units in the last place, over all 2^32 arguments, rounded up. They are measured against
//! double-double arithmetic by the test crate's example `exhaustive`, and its tests read this table. Subnormal results are counted in units of 2^-149;
//! a prime marks a derivative; `elu` has alpha = 1.3. The derivative of softplus is `sigmoid`.
//!
//! | function | normal results | subnormal results |
//! |---|---|---|
//! | `exp` | 1.000 | 1.000 |
//! | `expm1` | 1.000 | 1.000 |
//! | `ln` | 1.000 | 1.000 |
//! | `log1p` | 1.000 | 1.000 |
//! | `erf` | 1.000 | 1.000 |
//! | `sigmoid` | 1.000 | 1.000 |
//! | `sigmoid'` | 1.000 | 1.000 |
//! | `tanh` | 1.000 | 1.000 |
//! | `tanh'` | 1.000 | 1.000 |
//! | `elu` | 1.000 | 1.000 |
//! | `elu'` | 1.000 | 1.000 |
//! | `selu` | 1.000 | 1.000 |
//! | `selu'` | 1.000 | 1.000 |
//! | `gelu` | 1.000 | 1.000 |
//! | `gelu'` | 1.000 | 1.000 |
//! | `gelu_tanh` | 1.000 | 1.000 |
//! | `gelu_tanh'` | 1.000 | 1.000 |
//! | `silu` | 1.000 | 1.000 |
//! | `silu'` | 1.000 | 1.000 |
//! | `softplus` | 1.000 | 1.000 |

pub(crate) mod double_word;
mod erf;
mod exp;
mod expm1;
pub(crate) mod exponential;
pub(crate) mod limit;
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
