//! [`PackedB`]: a right factor laid out once for many products.

use super::GemmError;
use super::transpose::transpose;
use crate::part::{from_mut, part, part_mut};
use crate::simd::{Level, Simd, with_token};
use crate::view::{MatMut, MatRef};

/// Elements of a cache line.
const LINE: usize = 16;
/// Elements from which on, at every multiple, rows lie in the same few sets of a cache.
const CONFLICT: usize = 256;

/// op(B) in the caller's memory as k rows of n elements, each row from a cache line on, and none so far from the next
/// that they meet in one set of the cache.
///
/// Worth its copy where weights stay the same for many products, above all where they are stored transposed and the
/// batch is small. Any level may read what another has packed.
///
/// ```
/// # use isobath_kernels::{Level, MatRef, MatMut, gemm::{Gemm, Init, PackedB, Shape, Store}};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let level = Level::detect();
/// let weights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // 3 x 2: B is stored transposed
/// let mut space = [0.0; PackedB::len_for(2, 3)];
/// let packed = PackedB::new(level, MatRef::new(&weights, 3, 2)?, true, &mut space)?;
/// let gemm = Gemm::new(level, Shape { m: 1, n: 3, k: 2, transpose_a: false, transpose_b: false });
/// let mut c = [0.0; 3];
/// gemm.run(
///     MatRef::new(&[1.0, 10.0], 1, 2)?,
///     packed.matrix(),
///     &mut MatMut::new(&mut c, 1, 3)?,
///     Init::Zero,
///     &mut [],
///     Store,
/// )?;
/// assert_eq!(c, [21.0, 43.0, 65.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PackedB<'a> {
    matrix: MatRef<'a>,
}

/// Elements from one row to the next where rows have n.
const fn stride(n: usize) -> usize {
    let whole = n.saturating_add(LINE - 1) / LINE * LINE;
    if whole.is_multiple_of(CONFLICT) { whole.saturating_add(LINE) } else { whole }
}

impl<'a> PackedB<'a> {
    /// Elements of memory for a factor with k rows and n columns as it is multiplied.
    pub const fn len_for(k: usize, n: usize) -> usize {
        // The memory may begin anywhere in a cache line.
        stride(n).saturating_mul(k).saturating_add(LINE)
    }

    /// Copies B, or its transpose where it is stored as n x k. The memory may be longer than needed.
    ///
    /// # Errors
    /// [`GemmError::Workspace`]: the memory is shorter than [`PackedB::len_for`].
    pub fn new(
        level: Level,
        b: MatRef<'_>,
        transpose_b: bool,
        space: &'a mut [f32],
    ) -> Result<Self, GemmError> {
        let (k, n) = if transpose_b { (b.columns(), b.rows()) } else { (b.rows(), b.columns()) };
        let (needed, found) = (Self::len_for(k, n), space.len());
        let too_short = GemmError::Workspace { needed, found };
        if found < needed {
            return Err(too_short);
        }
        let skip = space.as_ptr().align_offset(LINE * size_of::<f32>());
        let aligned = from_mut(space, skip);
        let mut out = MatMut::with_stride(aligned, k, n, stride(n)).map_err(|_| too_short)?;
        with_token!(level, simd => if transpose_b {
            transpose(simd, b, &mut out);
        } else {
            copy(simd, b, &mut out);
        });
        let matrix = MatRef::with_stride(aligned, k, n, stride(n)).map_err(|_| too_short)?;
        Ok(Self { matrix })
    }

    /// The factor, for [`super::Gemm::run`] of a [`super::Shape`] whose `transpose_b` is false.
    pub fn matrix(&self) -> MatRef<'a> {
        self.matrix
    }
}

#[inline(never)]
fn copy<S: Simd>(simd: S, source: MatRef<'_>, out: &mut MatMut<'_>) {
    simd.vectorize(
        #[inline(always)]
        || {
            for p in 0..source.rows() {
                let mut column = 0;
                while column < source.columns() {
                    let x = part(source.row(p), column, S::LANES);
                    simd.store(simd.load(x), part_mut(out.row_mut(p), column, S::LANES));
                    column += S::LANES;
                }
            }
        },
    );
}
