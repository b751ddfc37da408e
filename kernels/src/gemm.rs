//! Matrix products: C = epilogue(init + op(A) op(B)), op being none or transpose.
//!
//! Shapes: op(A) is m x k, op(B) is k x n, C is m x n, all row-major with free row strides.
//! Forward is X W + b, backward is dX = dY W^T and dW = X^T dY; none needs a transposed copy.
//!
//! Numerics: k is cut into blocks of [`K_BLOCK`] = 256. Within a block each element of C is one chain of fused
//! multiply-adds with k increasing, from +0.0; the blocks' sums are added in order, after the initial value if
//! there is one: ((init + p0) + p1) + ... So no tile, cache block, instruction set or thread count shows in a bit,
//! row i of C depends on row i of op(A) alone, and the error grows like that of a blocked sum:
//! |error| <= (min(k, 256) + ceil(k / 256)) u |A| |B| with u = 2^-24. Nothing is padded along k and no product is
//! skipped, so 0 x infinity is NaN as it must be. k = 0 gives the initial value, or +0.0.
//!
//! Cost: 2 m n k flops. Without [`Init::Accumulate`] C is never read.

mod epilogue;
// Cortex-M with a floating-point unit has loops and a tile of its own. Of the bare targets with a hard-float
// ABI, the M profile alone has no 64-bit atomics; its target features are not visible to stable Rust.
#[cfg_attr(
    all(target_arch = "arm", target_os = "none", target_abi = "eabihf", not(target_has_atomic = "64")),
    path = "gemm/cortex_m/loops.rs"
)]
mod loops;
mod packed_b;
mod transpose;

use core::fmt;

pub use epilogue::{Activate, ActivateWithDerivative, ActivateWithPreActivation, Epilogue, SgdUpdate, Store};
pub use packed_b::PackedB;

use crate::simd::with_token;
use crate::{Level, MatMut, MatRef};

/// Length of the blocks that k is cut into. Part of the definition of the result.
pub const K_BLOCK: usize = 256;

/// The size of a product and which operands are stored transposed.
///
/// ```
/// use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// // A layer whose weights are stored as outputs x inputs: Y = X W^T for 1 sample, 2 inputs, 3 outputs.
/// let shape = Shape { m: 1, n: 3, k: 2, transpose_a: false, transpose_b: true };
/// let (x, w, mut y) = ([1.0, 10.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0; 3]);
/// let (x, w, mut out) = (MatRef::new(&x, 1, 2)?, MatRef::new(&w, 3, 2)?, MatMut::new(&mut y, 1, 3)?);
/// Gemm::new(Level::detect(), shape).run(x, w, &mut out, Init::Zero, &mut [], Store)?;
/// assert_eq!(y, [21.0, 43.0, 65.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of op(A) and of C.
    pub m: usize,
    /// Columns of op(B) and of C.
    pub n: usize,
    /// Columns of op(A), rows of op(B).
    pub k: usize,
    /// A is stored as k x m.
    pub transpose_a: bool,
    /// B is stored as n x k.
    pub transpose_b: bool,
}

/// What the product is added to.
///
/// ```
/// use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// let gemm = Gemm::new(Level::detect(), Shape { m: 1, n: 1, k: 1, transpose_a: false, transpose_b: false });
/// let (two, three) = (MatRef::new(&[2.0], 1, 1)?, MatRef::new(&[3.0], 1, 1)?);
/// let mut c = [f32::NAN]; // not read by the first product
/// for (init, expected) in [(Init::Zero, 6.0), (Init::Accumulate, 12.0), (Init::Bias(&[0.5]), 6.5)] {
///     gemm.run(two, three, &mut MatMut::new(&mut c, 1, 1)?, init, &mut [], Store)?;
///     assert_eq!(c, [expected]);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Init<'a> {
    /// Nothing: C is overwritten.
    Zero,
    /// C itself.
    Accumulate,
    /// A row of n values, the same for every row of C.
    Bias(&'a [f32]),
}

/// Which argument of a product has the wrong shape.
///
/// ```
/// use isobath_kernels::gemm::{Gemm, GemmError, Init, Operand, Shape, Store};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// let gemm = Gemm::new(Level::detect(), Shape { m: 1, n: 1, k: 2, transpose_a: false, transpose_b: false });
/// let (row, mut c) = (MatRef::new(&[1.0, 2.0], 1, 2)?, [0.0]);
/// let error = gemm.run(row, row, &mut MatMut::new(&mut c, 1, 1)?, Init::Zero, &mut [], Store).unwrap_err();
/// // A may be a row of 2, B has to be a column.
/// assert_eq!(error, GemmError::Shape { operand: Operand::B, expected: (2, 1), found: (1, 2) });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The left factor as stored.
    A,
    /// The right factor as stored.
    B,
    /// The result.
    C,
}

/// Why a product cannot be computed. Nothing has been written then.
///
/// ```
/// use isobath_kernels::gemm::{Gemm, GemmError, Init, Shape, Store};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// let gemm = Gemm::new(Level::detect(), Shape { m: 1, n: 1, k: 1, transpose_a: false, transpose_b: false });
/// let (one, mut c, bias) = (MatRef::new(&[1.0], 1, 1)?, [9.0], [0.5, 0.5]);
/// let run = gemm.run(one, one, &mut MatMut::new(&mut c, 1, 1)?, Init::Bias(&bias), &mut [], Store);
/// let error = run.unwrap_err();
/// assert_eq!(error, GemmError::Bias { expected: 1, found: 2 });
/// assert_eq!(error.to_string(), "the bias has 2 elements but the product has 1 columns");
/// assert_eq!(c, [9.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GemmError {
    /// A matrix does not have the shape that the plan was made for.
    Shape {
        /// Which one.
        operand: Operand,
        /// Rows and columns of the plan.
        expected: (usize, usize),
        /// Rows and columns of the argument.
        found: (usize, usize),
    },
    /// The bias does not have n elements.
    Bias {
        /// n.
        expected: usize,
        /// Length of the bias.
        found: usize,
    },
    /// The workspace is neither empty nor as long as [`Gemm::workspace_len`] says, or the memory of a [`PackedB`] is
    /// too short.
    Workspace {
        /// Elements needed.
        needed: usize,
        /// Elements given.
        found: usize,
    },
}

impl fmt::Display for GemmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { operand, expected, found } => write!(
                f,
                "matrix {operand:?} is {} x {} but the product needs {} x {}",
                found.0, found.1, expected.0, expected.1
            ),
            Self::Bias { expected, found } => {
                write!(f, "the bias has {found} elements but the product has {expected} columns")
            }
            Self::Workspace { needed, found } => {
                write!(
                    f,
                    "the workspace has {found} elements but {needed} are needed (or none, which is slower)"
                )
            }
        }
    }
}

impl core::error::Error for GemmError {}

/// The plan of a product: its shape, the level it runs on, and with them its blocking and workspace.
///
/// ```
/// use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// let gemm = Gemm::new(Level::detect(), Shape { m: 2, n: 2, k: 2, transpose_a: false, transpose_b: false });
/// let (a, b, mut c) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [0.0; 4]);
/// let (a, b, mut out) = (MatRef::new(&a, 2, 2)?, MatRef::new(&b, 2, 2)?, MatMut::new(&mut c, 2, 2)?);
/// gemm.run(a, b, &mut out, Init::Zero, &mut [], Store)?;
/// assert_eq!(c, [19.0, 22.0, 43.0, 50.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gemm {
    level: Level,
    shape: Shape,
}

impl Gemm {
    /// Plans products of this shape.
    ///
    /// ```
    /// use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
    /// use isobath_kernels::{Level, MatMut, MatRef};
    ///
    /// // A dot product of 300 terms, over two blocks of k: not exact, but the same bits on every level.
    /// let x: Vec<f32> = (1..=300).map(|i| 1.0 / i as f32).collect();
    /// let (row, column) = (MatRef::new(&x, 1, 300)?, MatRef::new(&x, 300, 1)?);
    /// let mut sums = Vec::new();
    /// for level in Level::available() {
    ///     let plan = Gemm::new(level, Shape { m: 1, n: 1, k: 300, transpose_a: false, transpose_b: false });
    ///     let mut c = [0.0_f32];
    ///     plan.run(row, column, &mut MatMut::new(&mut c, 1, 1)?, Init::Zero, &mut [], Store)?;
    ///     sums.push(c[0].to_bits());
    /// }
    /// assert!(sums.iter().all(|bits| *bits == sums[0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(level: Level, shape: Shape) -> Self {
        Self { level, shape }
    }

    /// Elements of workspace with which [`Gemm::run`] is fastest. An empty workspace is legal too.
    ///
    /// ```
    /// use isobath_kernels::gemm::{Gemm, GemmError, Init, Shape, Store};
    /// use isobath_kernels::{Level, MatMut, MatRef};
    ///
    /// let gemm = Gemm::new(Level::detect(), Shape { m: 1, n: 1, k: 1, transpose_a: false, transpose_b: false });
    /// let (two, mut c) = (MatRef::new(&[2.0], 1, 1)?, [0.0]);
    /// let mut out = MatMut::new(&mut c, 1, 1)?;
    /// let mut square = |space: &mut [f32]| gemm.run(two, two, &mut out, Init::Zero, space, Store);
    /// let mut workspace = vec![0.0; gemm.workspace_len()];
    /// // All of it or none; anything in between is taken for a mistake.
    /// assert_eq!((square(&mut workspace), square(&mut [])), (Ok(()), Ok(())));
    /// let (needed, found) = (workspace.len(), workspace.len() - 1);
    /// assert_eq!(square(&mut workspace[1..]), Err(GemmError::Workspace { needed, found }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn workspace_len(&self) -> usize {
        Self::workspace_len_for(self.shape)
    }

    /// The same for any level of the target, as a constant for static buffers.
    ///
    /// ```
    /// use isobath_kernels::Level;
    /// use isobath_kernels::gemm::{Gemm, Shape};
    ///
    /// const SHAPE: Shape = Shape { m: 8, n: 16, k: 16, transpose_a: false, transpose_b: false };
    /// static WORKSPACE: [f32; Gemm::workspace_len_for(SHAPE)] = [0.0; Gemm::workspace_len_for(SHAPE)];
    /// assert_eq!(WORKSPACE.len(), Gemm::new(Level::detect(), SHAPE).workspace_len());
    /// ```
    pub const fn workspace_len_for(shape: Shape) -> usize {
        loops::workspace_len(&shape)
    }

    /// Computes C = epilogue(init + op(A) op(B)). The workspace's contents do not matter and are lost.
    ///
    /// # Errors
    /// A matrix or the bias is not of the planned shape, or the workspace is too small and not empty.
    ///
    /// ```
    /// use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
    /// use isobath_kernels::{Level, MatMut, MatRef};
    ///
    /// // The gradient of a layer's weights, dW = X^T dY, for a batch of 3 rows, 2 inputs and 1 output. X is stored by rows.
    /// let (x, dy, mut dw) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, -1.0], [0.0; 2]);
    /// let gemm = Gemm::new(Level::detect(), Shape { m: 2, n: 1, k: 3, transpose_a: true, transpose_b: false });
    /// let mut workspace = vec![0.0; gemm.workspace_len()];
    /// let (x, dy) = (MatRef::new(&x, 3, 2)?, MatRef::new(&dy, 3, 1)?);
    /// gemm.run(x, dy, &mut MatMut::new(&mut dw, 2, 1)?, Init::Zero, &mut workspace, Store)?;
    /// assert_eq!(dw, [1.0 - 5.0, 2.0 - 6.0]);
    ///
    /// // A wrong shape is an error value that says what was expected, and nothing is written.
    /// let error = gemm.run(dy, x, &mut MatMut::new(&mut dw, 2, 1)?, Init::Zero, &mut workspace, Store).unwrap_err();
    /// assert!(error.to_string().contains("3 x 2"), "{error}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<E: Epilogue>(
        &self,
        a: MatRef<'_>,
        b: MatRef<'_>,
        c: &mut MatMut<'_>,
        init: Init<'_>,
        workspace: &mut [f32],
        mut epilogue: E,
    ) -> Result<(), GemmError> {
        // Everything goes on by reference, as structures that are copied word by word have to be in memory first.
        self.check(&a, &b, c, &init, workspace.len())?;
        // Tiles and epilogues are compiled for the instruction set each by itself: small products have no time for more.
        with_token!(self.level, simd => {
            loops::run(simd, &self.shape, &a, &b, c, &init, workspace, &mut epilogue);
        });
        Ok(())
    }

    #[inline(always)]
    fn check(
        &self,
        a: &MatRef<'_>,
        b: &MatRef<'_>,
        c: &MatMut<'_>,
        init: &Init<'_>,
        workspace: usize,
    ) -> Result<(), GemmError> {
        let Shape { m, n, k, transpose_a, transpose_b } = self.shape;
        let expect = |operand, expected, found| {
            if expected == found { Ok(()) } else { Err(GemmError::Shape { operand, expected, found }) }
        };
        expect(Operand::A, if transpose_a { (k, m) } else { (m, k) }, (a.rows(), a.columns()))?;
        expect(Operand::B, if transpose_b { (n, k) } else { (k, n) }, (b.rows(), b.columns()))?;
        expect(Operand::C, (m, n), (c.rows(), c.columns()))?;
        if let Init::Bias(bias) = init
            && bias.len() != n
        {
            return Err(GemmError::Bias { expected: n, found: bias.len() });
        }
        let needed = self.workspace_len();
        if workspace != 0 && workspace < needed {
            return Err(GemmError::Workspace { needed, found: workspace });
        }
        Ok(())
    }
}
