//! What is done with the finished sums of a tile while they are still in the first-level cache.
//!
//! An epilogue is a type, not a value to branch on: firmware that uses one activation links one. Every epilogue
//! gives the bits of the product followed by the public kernel that it replaces.

use crate::activation::Activation;
use crate::part::part_mut;
use crate::simd::Simd;
use crate::view::MatMut;

/// Maps the sums of a product to what is stored in C.
///
/// ```
/// use isobath_kernels::gemm::{Epilogue, Gemm, Init, Shape};
/// use isobath_kernels::simd::Simd;
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// /// Stores the sum times a factor, as attention does with the products of queries and keys.
/// struct Scale(f32);
///
/// impl Epilogue for Scale {
///     #[inline(always)]
///     fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, _: usize, _: usize, c: &mut [f32]) {
///         simd.store(simd.mul(sum, simd.splat(self.0)), c);
///     }
/// }
///
/// let (query, keys, mut c) = ([2.0, 4.0], [1.0, 0.0, 3.0, 1.0], [0.0; 2]);
/// let gemm = Gemm::new(Level::detect(), Shape { m: 1, n: 2, k: 2, transpose_a: false, transpose_b: true });
/// let (query, keys) = (MatRef::new(&query, 1, 2)?, MatRef::new(&keys, 2, 2)?);
/// gemm.run(query, keys, &mut MatMut::new(&mut c, 1, 2)?, Init::Zero, &mut [], Scale(0.5))?;
/// assert_eq!(c, [1.0, 5.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Epilogue {
    /// Whether C receives the sums as they are, so that tiles may write to it directly.
    const PLAIN: bool = false;
    /// Whether C's old elements are read by [`Epilogue::apply`], so that nothing may be kept in C until then.
    const READS_C: bool = false;

    /// Writes to `c`, the elements (row, column), (row, column + 1), ... of C, what `sum`'s first lanes give; the lanes
    /// beyond are arbitrary. Called once per element.
    fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, row: usize, column: usize, c: &mut [f32]);
}

/// Stores the sums.
///
/// ```
/// use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// // An outer product, into columns 1 and 2 of a wider matrix.
/// let gemm = Gemm::new(Level::detect(), Shape { m: 2, n: 2, k: 1, transpose_a: false, transpose_b: false });
/// let (column, row, mut c) = (MatRef::new(&[1.0, 2.0], 2, 1)?, MatRef::new(&[3.0, 4.0], 1, 2)?, [0.0; 6]);
/// let mut part = MatMut::new(&mut c, 2, 3)?.split_columns(1).1;
/// gemm.run(column, row, &mut part, Init::Zero, &mut [], Store)?;
/// assert_eq!(c, [0.0, 3.0, 4.0, 0.0, 6.0, 8.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Store;

impl Epilogue for Store {
    const PLAIN: bool = true;

    #[inline(always)]
    fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, _: usize, _: usize, c: &mut [f32]) {
        simd.store(sum, c);
    }
}

/// Stores phi(sum).
///
/// ```
/// use isobath_kernels::activation::Relu;
/// use isobath_kernels::gemm::{Activate, Gemm, Init, Shape};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// // A hidden layer: relu(x w + b), with x w = (6, -6).
/// let gemm = Gemm::new(Level::detect(), Shape { m: 1, n: 2, k: 1, transpose_a: false, transpose_b: false });
/// let (x, w, mut y) = (MatRef::new(&[2.0], 1, 1)?, MatRef::new(&[3.0, -3.0], 1, 2)?, [0.0; 2]);
/// let mut out = MatMut::new(&mut y, 1, 2)?;
/// gemm.run(x, w, &mut out, Init::Bias(&[0.5, 0.5]), &mut [], Activate(Relu))?;
/// assert_eq!(y, [6.5, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Activate<A>(
    /// phi.
    pub A,
);

impl<A: Activation> Epilogue for Activate<A> {
    #[inline(always)]
    fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, _: usize, _: usize, c: &mut [f32]) {
        simd.store(self.0.value(simd, sum), c);
    }
}

/// Stores phi(sum) in C and phi'(sum) in a second matrix of C's shape: what training keeps of a layer.
///
/// ```
/// use isobath_kernels::activation::LeakyRelu;
/// use isobath_kernels::gemm::{ActivateWithDerivative, Gemm, Init, Shape};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// let gemm = Gemm::new(Level::detect(), Shape { m: 1, n: 2, k: 1, transpose_a: false, transpose_b: false });
/// let (x, w) = (MatRef::new(&[4.0], 1, 1)?, MatRef::new(&[1.0, -1.0], 1, 2)?);
/// let (mut y, mut slope) = ([0.0; 2], [0.0; 2]);
/// let (mut out, derivative) = (MatMut::new(&mut y, 1, 2)?, MatMut::new(&mut slope, 1, 2)?);
/// let epilogue = ActivateWithDerivative { activation: LeakyRelu { slope: 0.25 }, derivative };
/// gemm.run(x, w, &mut out, Init::Zero, &mut [], epilogue)?;
/// assert_eq!((y, slope), ([4.0, -1.0], [1.0, 0.25]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ActivateWithDerivative<'a, A> {
    /// phi.
    pub activation: A,
    /// Receives phi'; elements beyond its shape are dropped.
    pub derivative: MatMut<'a>,
}

impl<A: Activation> Epilogue for ActivateWithDerivative<'_, A> {
    #[inline(always)]
    fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, row: usize, column: usize, c: &mut [f32]) {
        let (value, derivative) = self.activation.value_and_derivative(simd, sum);
        simd.store(derivative, part_mut(self.derivative.row_mut(row), column, c.len()));
        simd.store(value, c);
    }
}

/// Stores phi(sum) in C and the sum, the pre-activation, in a second matrix of C's shape.
///
/// ```
/// use isobath_kernels::activation::Relu;
/// use isobath_kernels::gemm::{ActivateWithPreActivation, Gemm, Init, Shape};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// let gemm = Gemm::new(Level::detect(), Shape { m: 2, n: 1, k: 1, transpose_a: false, transpose_b: false });
/// let (x, w) = (MatRef::new(&[1.0, -1.0], 2, 1)?, MatRef::new(&[5.0], 1, 1)?);
/// let (mut y, mut h) = ([0.0; 2], [0.0; 2]);
/// let (mut out, pre_activation) = (MatMut::new(&mut y, 2, 1)?, MatMut::new(&mut h, 2, 1)?);
/// let epilogue = ActivateWithPreActivation { activation: Relu, pre_activation };
/// gemm.run(x, w, &mut out, Init::Zero, &mut [], epilogue)?;
/// assert_eq!((y, h), ([5.0, 0.0], [5.0, -5.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ActivateWithPreActivation<'a, A> {
    /// phi.
    pub activation: A,
    /// Receives the sums; elements beyond its shape are dropped.
    pub pre_activation: MatMut<'a>,
}

impl<A: Activation> Epilogue for ActivateWithPreActivation<'_, A> {
    #[inline(always)]
    fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, row: usize, column: usize, c: &mut [f32]) {
        simd.store(sum, part_mut(self.pre_activation.row_mut(row), column, c.len()));
        simd.store(self.activation.value(simd, sum), c);
    }
}

/// Takes the sum for a gradient g and C for the weights: w = fma(-learning rate, g, w), the bits of the product
/// followed by [`crate::optimizer::sgd`]. The gradient never touches memory.
///
/// ```
/// use isobath_kernels::gemm::{Gemm, Init, SgdUpdate, Shape};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// // W = W - 0.5 x^T dy for one sample of 2 inputs and 1 output.
/// let gemm = Gemm::new(Level::detect(), Shape { m: 2, n: 1, k: 1, transpose_a: true, transpose_b: false });
/// let (x, dy, mut w) = (MatRef::new(&[1.0, 2.0], 1, 2)?, MatRef::new(&[4.0], 1, 1)?, [10.0, 10.0]);
/// let mut weights = MatMut::new(&mut w, 2, 1)?;
/// gemm.run(x, dy, &mut weights, Init::Zero, &mut [], SgdUpdate { learning_rate: 0.5 })?;
/// assert_eq!(w, [8.0, 6.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SgdUpdate {
    /// The learning rate.
    pub learning_rate: f32,
}

impl Epilogue for SgdUpdate {
    const READS_C: bool = true;

    #[inline(always)]
    fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, _: usize, _: usize, c: &mut [f32]) {
        let weights = simd.load(c);
        simd.store(simd.neg_mul_add(simd.splat(self.learning_rate), sum, weights), c);
    }
}
