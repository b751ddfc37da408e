//! Batch normalisation.

use isobath_kernels::batch_norm::{self, BatchStatistics};
use isobath_kernels::{Level, MatMut, MatRef};

use crate::Status;
use crate::borrow::{Input, Output, area, borrow};
use crate::status::status;

/// y = gamma (x - mean) inv_std + beta, with mean and variance of each column and inv_std = 1 / sqrt(variance + epsilon).
///
/// x and y are batch x channels, all others have an element per channel. mean, inv_std and the biased variance are written,
/// for isobath_batch_norm_backward and isobath_batch_norm_update_running. Errors: ISOBATH_STATUS_BATCH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_batch_norm_training(
    x: *const f32,
    batch: usize,
    channels: usize,
    gamma: *const f32,
    beta: *const f32,
    epsilon: f32,
    y: *mut f32,
    mean: *mut f32,
    inv_std: *mut f32,
    variance: *mut f32,
) -> Status {
    status(|| {
        let len = area(batch, channels)?;
        let operands = (
            Input(x, len),
            Input(gamma, channels),
            Input(beta, channels),
            Output(y, len),
            Output(mean, channels),
            Output(inv_std, channels),
            Output(variance, channels),
        );
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (x, gamma, beta, y, mean, inv_std, variance) = unsafe { borrow(operands) }?;
        let (x, y) = (MatRef::new(x, batch, channels)?, MatMut::new(y, batch, channels)?);
        let saved = BatchStatistics { mean, inv_std, variance };
        Ok(batch_norm::forward_training(Level::detect(), x, gamma, beta, epsilon, y, saved)?)
    })
}

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the running mean and variance of each column.
///
/// x and y are batch x channels, all others have an element per channel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_batch_norm_inference(
    x: *const f32,
    batch: usize,
    channels: usize,
    gamma: *const f32,
    beta: *const f32,
    mean: *const f32,
    variance: *const f32,
    epsilon: f32,
    y: *mut f32,
) -> Status {
    status(|| {
        let len = area(batch, channels)?;
        let operands = (
            Input(x, len),
            Input(gamma, channels),
            Input(beta, channels),
            Input(mean, channels),
            Input(variance, channels),
            Output(y, len),
        );
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (x, gamma, beta, mean, variance, y) = unsafe { borrow(operands) }?;
        let (x, y) = (MatRef::new(x, batch, channels)?, MatMut::new(y, batch, channels)?);
        Ok(batch_norm::forward_inference(Level::detect(), x, gamma, beta, mean, variance, epsilon, y)?)
    })
}

/// With x^ = (x - mean) inv_std: d_beta = sum dy, d_gamma = sum dy x^,
/// dx = gamma inv_std (dy - d_beta / batch - x^ d_gamma / batch).
///
/// x, dy and dx are batch x channels, all others have an element per channel; d_gamma and d_beta are written, not added to.
/// Errors: ISOBATH_STATUS_BATCH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_batch_norm_backward(
    x: *const f32,
    dy: *const f32,
    batch: usize,
    channels: usize,
    gamma: *const f32,
    mean: *const f32,
    inv_std: *const f32,
    dx: *mut f32,
    d_gamma: *mut f32,
    d_beta: *mut f32,
) -> Status {
    status(|| {
        let len = area(batch, channels)?;
        let operands = (
            Input(x, len),
            Input(dy, len),
            Input(gamma, channels),
            Input(mean, channels),
            Input(inv_std, channels),
            Output(dx, len),
            Output(d_gamma, channels),
            Output(d_beta, channels),
        );
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (x, dy, gamma, mean, inv_std, dx, d_gamma, d_beta) = unsafe { borrow(operands) }?;
        let (x, dy) = (MatRef::new(x, batch, channels)?, MatRef::new(dy, batch, channels)?);
        let dx = MatMut::new(dx, batch, channels)?;
        Ok(batch_norm::backward(Level::detect(), x, dy, gamma, mean, inv_std, dx, d_gamma, d_beta)?)
    })
}

/// r = fma(momentum, new - r, r) for the running mean and variance; the variance that is taken is the unbiased one,
/// batch / (batch - 1) times that of isobath_batch_norm_training. momentum is the weight of the new value; 0.1 is common.
///
/// Errors: ISOBATH_STATUS_BATCH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_batch_norm_update_running(
    running_mean: *mut f32,
    running_variance: *mut f32,
    mean: *const f32,
    variance: *const f32,
    momentum: f32,
    batch: usize,
    channels: usize,
) -> Status {
    status(|| {
        let operands = (
            Output(running_mean, channels),
            Output(running_variance, channels),
            Input(mean, channels),
            Input(variance, channels),
        );
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (running_mean, running_variance, mean, variance) = unsafe { borrow(operands) }?;
        Ok(batch_norm::update_running(
            Level::detect(),
            running_mean,
            running_variance,
            mean,
            variance,
            momentum,
            batch,
        )?)
    })
}
