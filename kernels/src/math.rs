//! Elementary functions over tokens and slices.
//!
//! Each file is one function: its formula, numerics and cost. All run the same correctly rounded operations in the same
//! order on every token, without branches that could change a bit, so their results are the same bits everywhere.
//!
//! The largest errors in units in the last place, over all 2^32 arguments, rounded up. `isobath verify --exhaustive`
//! measures them against double-double arithmetic, and tests read this table. Subnormal results are
//! counted in units of 2^-149; 0 stands for less than 0.45. A prime marks a derivative; `elu` has alpha = 1.3. The
//! derivative of softplus is `sigmoid`.
//!
//! | function | normal results | subnormal results |
//! |---|---|---|
//! | `exp` | 0.880 | 0.748 |
//! | `expm1` | 0.966 | 0.000 |
//! | `ln` | 0.643 | 0.000 |
//! | `log1p` | 0.656 | 0.000 |
//! | `erf` | 0.628 | 0.751 |
//! | `sigmoid` | 0.907 | 0.748 |
//! | `sigmoid'` | 0.907 | 0.748 |
//! | `tanh` | 0.844 | 0.000 |
//! | `tanh'` | 0.869 | 0.749 |
//! | `elu` | 0.865 | 0.500 |
//! | `elu'` | 0.752 | 0.794 |
//! | `selu` | 0.974 | 1.000 |
//! | `selu'` | 0.667 | 0.788 |
//! | `gelu` | 0.902 | 0.803 |
//! | `gelu'` | 0.967 | 0.824 |
//! | `gelu_tanh` | 0.980 | 0.788 |
//! | `gelu_tanh'` | 0.699 | 0.807 |
//! | `silu` | 0.981 | 0.807 |
//! | `silu'` | 0.692 | 0.824 |
//! | `softplus` | 0.713 | 0.771 |

pub(crate) mod double_word;
mod erf;
pub(crate) mod exp;
mod expm1;
pub(crate) mod exponential;
pub(crate) mod limit;
pub(crate) mod ln;
mod log1p;
pub(crate) mod logistic;
pub(crate) mod map;
pub(crate) mod normal;
pub(crate) mod normal_far;
mod normal_table;
pub(crate) mod one_plus;
mod piecewise;
pub(crate) mod shares;
pub(crate) mod zero;

pub use erf::{erf, erf_slice};
pub use exp::{exp, exp_slice};
pub use expm1::{expm1, expm1_slice};
pub use ln::{ln, ln_slice};
pub use log1p::{log1p, log1p_slice};
