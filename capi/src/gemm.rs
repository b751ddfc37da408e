//! Matrix products.

use isobath_kernels::gemm::{self, Gemm};
use isobath_kernels::{Level, MatMut, MatRef};

use crate::Status;
use crate::borrow::{Input, Output, area, borrow};
use crate::status::status;

/// The size of a product C = op(A) op(B). op(A) is m x k, op(B) is k x n, C is m x n, all stored row by row without
/// gaps. A factor that is not transposed is stored as op(A) or op(B) is.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Rows of op(A) and of C.
    pub m: usize,
    /// Columns of op(B) and of C.
    pub n: usize,
    /// Columns of op(A), rows of op(B).
    pub k: usize,
    /// Nonzero: A is stored as k x m.
    pub transpose_a: u32,
    /// Nonzero: B is stored as n x k.
    pub transpose_b: u32,
}

/// What a product is added to.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Init {
    /// Nothing: C is overwritten.
    Zero = 0,
    /// C as it is.
    Accumulate = 1,
    /// A row of n values, the same for every row of C.
    Bias = 2,
}

impl Init {
    const ALL: [Self; 3] = [Self::Zero, Self::Accumulate, Self::Bias];

    fn of(code: u32) -> Result<Self, Status> {
        Self::ALL.into_iter().find(|init| *init as u32 == code).ok_or(Status::Code)
    }
}

impl Shape {
    fn plan(self) -> Gemm {
        let Self { m, n, k, transpose_a, transpose_b } = self;
        let (transpose_a, transpose_b) = (transpose_a != 0, transpose_b != 0);
        Gemm::new(Level::detect(), gemm::Shape { m, n, k, transpose_a, transpose_b })
    }

    /// Elements of A, B and C.
    fn areas(self) -> Result<[usize; 3], Status> {
        Ok([area(self.m, self.k)?, area(self.k, self.n)?, area(self.m, self.n)?])
    }

    fn a<'a>(&self, a: &'a [f32]) -> Result<MatRef<'a>, Status> {
        let (rows, columns) = if self.transpose_a != 0 { (self.k, self.m) } else { (self.m, self.k) };
        Ok(MatRef::new(a, rows, columns)?)
    }

    fn b<'a>(&self, b: &'a [f32]) -> Result<MatRef<'a>, Status> {
        let (rows, columns) = if self.transpose_b != 0 { (self.n, self.k) } else { (self.k, self.n) };
        Ok(MatRef::new(b, rows, columns)?)
    }
}

/// The number of floats of workspace with which products of this shape are fastest. On a microcontroller it is 0;
/// elsewhere a shorter buffer is an error, but none at all (NULL, 0) is always allowed. 0 if the shape is larger than memory.
#[unsafe(no_mangle)]
pub extern "C" fn isobath_gemm_workspace_len(shape: Shape) -> usize {
    shape.areas().map_or(0, |_| shape.plan().workspace_len())
}

/// C = init + op(A) op(B).
///
/// init is a code, ISOBATH_INIT_...; bias has n elements and is read only with ISOBATH_INIT_BIAS, else it may be NULL.
/// What the workspace holds does not matter and is lost. Forward is X W + b; backward is dX = dY W^T and dW = X^T dY.
/// Each element is a chain of fused multiply-adds over k, in blocks of 256 whose sums are added in order.
/// Errors: ISOBATH_STATUS_CODE, ISOBATH_STATUS_WORKSPACE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_gemm(
    shape: Shape,
    a: *const f32,
    b: *const f32,
    init: u32,
    bias: *const f32,
    c: *mut f32,
    workspace: *mut f32,
    workspace_len: usize,
) -> Status {
    status(|| {
        let init = Init::of(init)?;
        let [a_len, b_len, c_len] = shape.areas()?;
        let bias_len = if matches!(init, Init::Bias) { shape.n } else { 0 };
        let operands = (
            Input(a, a_len),
            Input(b, b_len),
            Input(bias, bias_len),
            Output(c, c_len),
            Output(workspace, workspace_len),
        );
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (a, b, bias, c, workspace) = unsafe { borrow(operands) }?;
        let init = match init {
            Init::Zero => gemm::Init::Zero,
            Init::Accumulate => gemm::Init::Accumulate,
            Init::Bias => gemm::Init::Bias(bias),
        };
        let mut c = MatMut::new(c, shape.m, shape.n)?;
        Ok(shape.plan().run(shape.a(a)?, shape.b(b)?, &mut c, init, workspace, gemm::Store)?)
    })
}

/// W = W - learning_rate op(A) op(B), with the bits of the product followed by isobath_sgd: a step of gradient descent
/// whose gradient X^T dY is nowhere stored. W is m x n.
///
/// Errors: ISOBATH_STATUS_WORKSPACE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_gemm_sgd(
    shape: Shape,
    learning_rate: f32,
    a: *const f32,
    b: *const f32,
    w: *mut f32,
    workspace: *mut f32,
    workspace_len: usize,
) -> Status {
    status(|| {
        let [a_len, b_len, w_len] = shape.areas()?;
        let operands = (Input(a, a_len), Input(b, b_len), Output(w, w_len), Output(workspace, workspace_len));
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (a, b, w, workspace) = unsafe { borrow(operands) }?;
        let mut w = MatMut::new(w, shape.m, shape.n)?;
        let update = gemm::SgdUpdate { learning_rate };
        Ok(shape.plan().run(shape.a(a)?, shape.b(b)?, &mut w, gemm::Init::Zero, workspace, update)?)
    })
}

/// out_j = the sum over rows i of x_ij: the gradient of a bias. x is rows x columns.
///
/// Per column a chain over each block of 64 rows; the blocks' sums are added in order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_column_sums(
    x: *const f32,
    rows: usize,
    columns: usize,
    out: *mut f32,
) -> Status {
    status(|| {
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (x, out) = unsafe { borrow((Input(x, area(rows, columns)?), Output(out, columns))) }?;
        Ok(isobath_kernels::reduce::column_sums(Level::detect(), MatRef::new(x, rows, columns)?, out)?)
    })
}
