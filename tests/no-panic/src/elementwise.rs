//! Kernels over slices: functions, reductions, optimisers, clipping, residual sums; and what makes a level.

use isobath_kernels::clip::{self, ClipError, ClipReport};
use isobath_kernels::optimizer::{self, Adam, AdamCorrection, AdamState, Momentum};
use isobath_kernels::reduce::{self, Norm, Scaled};
use isobath_kernels::{LengthError, Level, MatMut, MatRef, math, residual, simd};

type Checked = Result<(), LengthError>;

macro_rules! kernels {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty = $body:expr;)*) => {$(
        #[unsafe(no_mangle)]
        pub fn $name($($argument: $type),*) -> $result {
            $body
        }
    )*};
}
pub(crate) use kernels;

kernels! {
    kernel_level_detect() -> Level = Level::detect();
    kernel_level_available() -> usize = Level::available().count();
    kernel_level_from_name(name: &str) -> Option<Level> = Level::from_name(name);
    kernel_level_name(level: Level) -> &'static str = level.name();
    kernel_level_lanes(level: Level) -> usize = level.lanes();
    kernel_fma(a: f32, b: f32, c: f32) -> f32 = simd::fma(a, b, c);
    kernel_fma_from_integers(a: f32, b: f32, c: f32) -> f32 = simd::fma_from_integers(a, b, c);

    kernel_exp(level: Level, x: &[f32], y: &mut [f32]) -> Checked = math::exp_slice(level, x, y);
    kernel_expm1(level: Level, x: &[f32], y: &mut [f32]) -> Checked = math::expm1_slice(level, x, y);
    kernel_ln(level: Level, x: &[f32], y: &mut [f32]) -> Checked = math::ln_slice(level, x, y);
    kernel_log1p(level: Level, x: &[f32], y: &mut [f32]) -> Checked = math::log1p_slice(level, x, y);
    kernel_erf(level: Level, x: &[f32], y: &mut [f32]) -> Checked = math::erf_slice(level, x, y);

    kernel_sum(level: Level, x: &[f32]) -> f32 = reduce::sum(level, x);
    kernel_dot(level: Level, x: &[f32], y: &[f32]) -> Result<f32, LengthError> = reduce::dot(level, x, y);
    kernel_max_abs(level: Level, x: &[f32]) -> f32 = reduce::max_abs(level, x);
    kernel_sum_of_squares(level: Level, x: &[f32]) -> Scaled = reduce::sum_of_squares(level, x);
    kernel_norm(level: Level, x: &[f32]) -> Norm = reduce::norm(level, x);
    kernel_norm_of_slices(level: Level, x: &[&[f32]]) -> Norm = reduce::norm_of_slices(level, x);
    kernel_scaled_new(x: f32) -> Scaled = Scaled::new(x);
    kernel_scaled_is_finite(x: Scaled) -> bool = x.is_finite();
    kernel_scaled_is_zero(x: Scaled) -> bool = x.is_zero();
    kernel_scaled_to_f32(x: Scaled) -> f32 = x.to_f32();
    kernel_scaled_is_less_than(x: Scaled, y: Scaled) -> bool = x.is_less_than(y);
    kernel_scaled_plus(x: Scaled, y: Scaled) -> Scaled = x.plus(y);
    kernel_scaled_times(x: Scaled, y: Scaled) -> Scaled = x.times(y);
    kernel_scaled_over(x: Scaled, y: Scaled) -> Scaled = x.over(y);
    kernel_scaled_sqrt(x: Scaled) -> Scaled = x.sqrt();

    kernel_scale_add(level: Level, factor: f32, x: &mut [f32], y: &[f32]) -> Checked =
        residual::scale_add(level, factor, x, y);

    kernel_sgd(level: Level, rate: f32, w: &mut [f32], g: &[f32]) -> Checked = optimizer::sgd(level, rate, w, g);
    kernel_momentum(level: Level, settings: Momentum, w: &mut [f32], v: &mut [f32], g: &[f32]) -> Checked =
        optimizer::momentum(level, settings, w, v, g);
    kernel_adam_state() -> AdamState = AdamState::new();
    kernel_adam_step(state: &AdamState) -> u64 = state.step();
    kernel_adam_powers(state: &AdamState) -> [[f32; 2]; 2] = state.powers();
    kernel_adam_resume(step: u64, powers: [[f32; 2]; 2]) -> AdamState = AdamState::resume(step, powers);
    kernel_adam_advance(state: &mut AdamState, settings: &Adam) -> AdamCorrection = state.advance(settings);
    kernel_adam(
        level: Level, settings: &Adam, correction: &AdamCorrection,
        w: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32]
    ) -> Checked = optimizer::adam(level, settings, correction, w, m, v, g);
    kernel_scale(level: Level, factor: f32, x: &mut [f32]) -> () = optimizer::scale(level, factor, x);
    kernel_add_l1(level: Level, lambda: f32, w: &[f32], g: &mut [f32]) -> Checked =
        optimizer::add_l1(level, lambda, w, g);
    kernel_add_l2(level: Level, lambda: f32, w: &[f32], g: &mut [f32]) -> Checked =
        optimizer::add_l2(level, lambda, w, g);

    kernel_clip_by_value(level: Level, g: &mut [f32], limit: f32) -> Result<ClipReport, ClipError> =
        clip::by_value(level, g, limit);
    kernel_clip_by_global_norm(level: Level, gs: &mut [&mut [f32]], max_norm: f32) -> Result<ClipReport, ClipError> =
        clip::by_global_norm(level, gs, max_norm);
    kernel_clip_scale_to_norm(level: Level, g: &mut [f32], norm: Norm, max_norm: f32) -> Result<ClipReport, ClipError> =
        clip::scale_to_norm(level, g, norm, max_norm);
    kernel_clip_adaptive(
        level: Level, w: MatRef<'_>, g: MatMut<'_>, lambda: f32, epsilon: f32
    ) -> Result<ClipReport, ClipError> = clip::adaptive(level, w, g, lambda, epsilon);
}
