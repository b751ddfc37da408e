//! Matrix products with each kind of epilogue. What an activation does there is what it does over slices.

use isobath_kernels::activation::{Gelu, Sigmoid};
use isobath_kernels::gemm::{
    Activate, ActivateWithDerivative, ActivateWithPreActivation, Gemm, GemmError, Init, PackedB, SgdUpdate, Shape,
    Store,
};
use isobath_kernels::{Level, MatMut, MatRef, peak};

use crate::elementwise::kernels;

type Product = Result<(), GemmError>;

kernels! {
    kernel_gemm_new(level: Level, shape: Shape) -> Gemm = Gemm::new(level, shape);
    kernel_gemm_workspace_len(gemm: &Gemm) -> usize = gemm.workspace_len();
    kernel_gemm_workspace_len_for(shape: Shape) -> usize = Gemm::workspace_len_for(shape);
    kernel_packed_b_len_for(k: usize, n: usize) -> usize = PackedB::len_for(k, n);
    kernel_packed_b(
        level: Level, b: MatRef<'_>, transpose_b: bool, space: &mut [f32]
    ) -> Result<(), GemmError> = PackedB::new(level, b, transpose_b, space).map(|_| ());
    kernel_packed_b_matrix(packed: PackedB<'_>) -> MatRef<'_> = packed.matrix();
    kernel_gemm(
        gemm: &Gemm, a: MatRef<'_>, b: MatRef<'_>, c: &mut MatMut<'_>, init: Init<'_>, workspace: &mut [f32]
    ) -> Product = gemm.run(a, b, c, init, workspace, Store);
    kernel_gemm_activate(
        gemm: &Gemm, a: MatRef<'_>, b: MatRef<'_>, c: &mut MatMut<'_>, init: Init<'_>, workspace: &mut [f32]
    ) -> Product = gemm.run(a, b, c, init, workspace, Activate(Gelu));
    kernel_gemm_activate_with_derivative(
        gemm: &Gemm, a: MatRef<'_>, b: MatRef<'_>, c: &mut MatMut<'_>, init: Init<'_>, workspace: &mut [f32],
        derivative: MatMut<'_>
    ) -> Product = {
        gemm.run(a, b, c, init, workspace, ActivateWithDerivative { activation: Sigmoid, derivative })
    };
    kernel_gemm_activate_with_pre_activation(
        gemm: &Gemm, a: MatRef<'_>, b: MatRef<'_>, c: &mut MatMut<'_>, init: Init<'_>, workspace: &mut [f32],
        pre_activation: MatMut<'_>
    ) -> Product = {
        gemm.run(a, b, c, init, workspace, ActivateWithPreActivation { activation: Sigmoid, pre_activation })
    };
    kernel_gemm_sgd_update(
        gemm: &Gemm, a: MatRef<'_>, b: MatRef<'_>, c: &mut MatMut<'_>, workspace: &mut [f32], learning_rate: f32
    ) -> Product = gemm.run(a, b, c, Init::Zero, workspace, SgdUpdate { learning_rate });
    kernel_peak_multiply_adds(level: Level, steps: usize) -> f32 = peak::multiply_adds(level, steps);
    kernel_peak_chained_multiply_adds(level: Level, steps: usize) -> f32 = {
        peak::chained_multiply_adds(level, steps)
    };
    kernel_peak_lanes(level: Level) -> usize = peak::lanes(level);
    kernel_peak_flops_per_step(level: Level) -> usize = peak::flops_per_step(level);
    kernel_peak_read(level: Level, x: &[f32]) -> f32 = peak::read(level, x);
}
