//! Matrix products with each kind of epilogue. What an activation does there is what it does over slices.

use isobath_kernels::activation::{Gelu, Sigmoid};
use isobath_kernels::gemm::{Activate, ActivateWithDerivative, Gemm, GemmError, Init, Shape, Store};
use isobath_kernels::{MatMut, MatRef};

use crate::elementwise::kernels;

type Product = Result<(), GemmError>;

kernels! {
    kernel_gemm_workspace_len(gemm: &Gemm) -> usize = gemm.workspace_len();
    kernel_gemm_workspace_len_for(shape: Shape) -> usize = Gemm::workspace_len_for(shape);
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
}
