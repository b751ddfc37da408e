//! What is done with the finished sums of a tile while they are still in the first-level cache.
//!
//! An epilogue is a type, not a value to branch on: firmware that uses one activation links one. Every epilogue
//! gives the bits of the product followed by the public kernel that it replaces.

use crate::activation::Activation;
use crate::part::part_mut;
use crate::simd::Simd;
use crate::view::MatMut;

/// Maps the sums of a product to what is stored in C.
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
