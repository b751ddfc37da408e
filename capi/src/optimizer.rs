//! Steps of optimisers.

use isobath_kernels::{Level, optimizer};

use crate::Status;
use crate::borrow::{Input, Output, Plain, borrow};
use crate::status::status;

/// w = fma(-learning_rate, g, w).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_sgd(learning_rate: f32, w: *mut f32, g: *const f32, len: usize) -> Status {
    status(|| {
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (w, g) = unsafe { borrow((Output(w, len), Input(g, len))) }?;
        Ok(optimizer::sgd(Level::detect(), learning_rate, w, g)?)
    })
}

/// v = fma(momentum, v, g), then w = fma(-learning_rate, v, w). v starts as zeros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_momentum(
    learning_rate: f32,
    momentum: f32,
    w: *mut f32,
    v: *mut f32,
    g: *const f32,
    len: usize,
) -> Status {
    status(|| {
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (w, v, g) = unsafe { borrow((Output(w, len), Output(v, len), Input(g, len))) }?;
        let settings = optimizer::Momentum { learning_rate, momentum, nesterov: false };
        Ok(optimizer::momentum(Level::detect(), settings, w, v, g)?)
    })
}

/// How Adam steps. 1 - beta is given beside beta, because 1 - 0.999f is 3e-5 away from 0.001f.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AdamSettings {
    /// Step size; 0.001 in the paper.
    pub learning_rate: f32,
    /// What is kept of the mean gradient; 0.9.
    pub beta1: f32,
    /// 1 - beta1, rounded on its own; 0.1.
    pub one_minus_beta1: f32,
    /// What is kept of the mean square; 0.999.
    pub beta2: f32,
    /// 1 - beta2, rounded on its own; 0.001.
    pub one_minus_beta2: f32,
    /// Added to the root of the mean square; 1e-8.
    pub epsilon: f32,
    /// Decoupled decay: each step multiplies w by 1 - learning_rate weight_decay. 0 is Adam, more is AdamW.
    pub weight_decay: f32,
}

/// The steps that Adam has made. All zero is the start.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AdamState {
    /// Steps begun.
    pub step: u64,
    /// beta1^step, as the sum of two floats.
    pub power1: [f32; 2],
    /// beta2^step, as the sum of two floats.
    pub power2: [f32; 2],
    /// 1 - beta1^step and 1 - beta2^step, which make up for the start of m and v at zero.
    pub correction: [f32; 2],
}

// SAFETY: any pattern is so many numbers.
unsafe impl Plain for AdamState {}

impl From<AdamSettings> for optimizer::Adam {
    fn from(settings: AdamSettings) -> Self {
        let AdamSettings {
            learning_rate,
            beta1,
            one_minus_beta1,
            beta2,
            one_minus_beta2,
            epsilon,
            weight_decay,
        } = settings;
        Self { learning_rate, beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon, weight_decay }
    }
}

/// Begins a step: call it once, then isobath_adam for each tensor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_adam_advance(settings: AdamSettings, state: *mut AdamState) -> Status {
    status(|| {
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (state,) = unsafe { borrow((Output(state, 1),)) }?;
        for state in state {
            let mut steps = match state.step {
                0 => optimizer::AdamState::new(),
                step => optimizer::AdamState::resume(step, [state.power1, state.power2]),
            };
            let correction = steps.advance(&settings.into());
            let [power1, power2] = steps.powers();
            let correction = [correction.first, correction.second];
            *state = AdamState { step: steps.step(), power1, power2, correction };
        }
        Ok(())
    })
}

/// m = fma(beta1, m, (1 - beta1) g), v = fma(beta2, v, ((1 - beta2) g) g),
/// w = fma(-learning_rate / c1, m / (sqrt(v / c2) + epsilon), (1 - learning_rate weight_decay) w), with c = 1 - beta^step.
///
/// m and v start as zeros. Errors: ISOBATH_STATUS_STEP.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_adam(
    settings: AdamSettings,
    state: *const AdamState,
    w: *mut f32,
    m: *mut f32,
    v: *mut f32,
    g: *const f32,
    len: usize,
) -> Status {
    status(|| {
        let operands = (Input(state, 1), Output(w, len), Output(m, len), Output(v, len), Input(g, len));
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (state, w, m, v, g) = unsafe { borrow(operands) }?;
        let begun = state.first().filter(|state| state.step > 0).ok_or(Status::Step)?;
        let [first, second] = begun.correction;
        let correction = optimizer::AdamCorrection { first, second };
        Ok(optimizer::adam(Level::detect(), &settings.into(), &correction, w, m, v, g)?)
    })
}
