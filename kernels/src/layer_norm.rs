//! Layer normalisation: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per row.
//!
//! x is rows x features, row-major; mean, inv_std have one element per row, gamma, beta and their gradients one per
//! feature. No workspace. Rows do not depend on each other.
//!
//! Order: the row sums are reductions of a slice, see [`crate::reduce`]: the mean, then d = x - mean, s1 = sum d,
//! s2 = sum d^2; the mean is corrected by s1 / n, the variance is (s2 - s1^2 / n) / n, biased and not below 0.
//! x^ = (x - mean) inv_std, y = fma(x^, gamma, beta). d_gamma and d_beta are sums over columns.
//! Numerics, u = 2^-24: relative error of the variance at most 150 u for rows of up to 4096, of x - mean u |mean|
//! absolute. A constant row gives y = beta. NaN or infinity in a row makes the row NaN, and no other.
//! Cost: forward 9 flops, reads x once from memory and twice more from cache; backward 17 flops likewise.
//! Source: Ba, Kiros and Hinton 2016.

mod backward;
mod forward;

pub use backward::backward;
pub use forward::forward;
