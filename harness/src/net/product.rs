//! One matrix product, shared among threads by the rows or the columns of its result.

use isobath_kernels::gemm::{Gemm, GemmError, Init, Shape, Store};
use isobath_kernels::{Level, MatMut, MatRef};

use super::share::LINE;
use crate::threads::Threads;

/// What a piece of a product has to take at least, in times of handing it over: what a thread reads of the other's results
/// comes more slowly than its own.
const WORTH_HANDING_OVER: usize = 36;
/// Multiply-adds in a nanosecond, about.
const SPEED: usize = 55;

/// C = init + op(A) op(B), on as many threads as the product is worth. `workspace` is shared out among them.
pub(crate) fn multiply<T: Threads>(
    level: Level,
    threads: &T,
    shape: Shape,
    a: MatRef<'_>,
    b: MatRef<'_>,
    c: MatMut<'_>,
    init: Init<'_>,
    workspace: &mut [f32],
) -> Result<(), GemmError> {
    let product = Product { shape, a, b, c, init };
    product.share(level, threads, pieces(threads, shape), workspace)
}

/// Into how many pieces such a product is worth being cut.
pub(super) fn pieces<T: Threads>(threads: &T, shape: Shape) -> usize {
    let work = shape.m.saturating_mul(shape.n).saturating_mul(shape.k);
    let worth = (WORTH_HANDING_OVER * SPEED).saturating_mul(threads.handover().max(1));
    threads.count().min(work / worth).max(1)
}

struct Product<'a> {
    shape: Shape,
    a: MatRef<'a>,
    b: MatRef<'a>,
    c: MatMut<'a>,
    init: Init<'a>,
}

impl Product<'_> {
    fn share<T: Threads>(
        self,
        level: Level,
        threads: &T,
        pieces: usize,
        workspace: &mut [f32],
    ) -> Result<(), GemmError> {
        let of_first = pieces / 2;
        let at = if self.goes_by_columns() {
            self.shape.n * of_first / pieces / LINE * LINE
        } else {
            self.shape.m * of_first / pieces
        };
        if at == 0 {
            return self.run(level, workspace);
        }
        let (first, second) = self.cut(at);
        let (first_space, second_space) = workspace.split_at_mut(workspace.len() / pieces * of_first);
        let (mut first_done, mut second_done) = (Ok(()), Ok(()));
        threads.join(
            |team| first_done = first.share(level, team, of_first, first_space),
            |team| second_done = second.share(level, team, pieces - of_first, second_space),
        );
        first_done.and(second_done)
    }

    /// Whether C is cut by its columns, so that each thread reads its part of B and all of A, or by its rows. Cut is the
    /// factor that is larger, or has to be transposed on its way; where they are alike, as in the gradient of square
    /// weights, rows, as the optimiser shares its work.
    fn goes_by_columns(&self) -> bool {
        let Shape { m, n, transpose_a, transpose_b, .. } = self.shape;
        transpose_b || (n > m && !transpose_a)
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let by_columns = self.goes_by_columns();
        let Self { shape, a, b, c, init } = self;
        if by_columns {
            let (b, rest_of_b) = if shape.transpose_b {
                (b.sub_rows(0, at), b.sub_rows(at, shape.n))
            } else {
                (b.sub_columns(0, at), b.sub_columns(at, shape.n))
            };
            let (c, rest_of_c) = c.split_columns(at);
            let (init, rest_of_init) = match init {
                Init::Bias(bias) => {
                    let (bias, rest) = bias.split_at(at.min(bias.len()));
                    (Init::Bias(bias), Init::Bias(rest))
                }
                init => (init, init),
            };
            let rest = Shape { n: shape.n - at, ..shape };
            let first = Self { shape: Shape { n: at, ..shape }, a, b, c, init };
            return (first, Self { shape: rest, a, b: rest_of_b, c: rest_of_c, init: rest_of_init });
        }
        let (a, rest_of_a) = if shape.transpose_a {
            (a.sub_columns(0, at), a.sub_columns(at, shape.m))
        } else {
            (a.sub_rows(0, at), a.sub_rows(at, shape.m))
        };
        let (c, rest_of_c) = c.split_rows(at);
        let rest = Shape { m: shape.m - at, ..shape };
        let first = Self { shape: Shape { m: at, ..shape }, a, b, c, init };
        (first, Self { shape: rest, a: rest_of_a, b, c: rest_of_c, init })
    }

    fn run(mut self, level: Level, workspace: &mut [f32]) -> Result<(), GemmError> {
        let gemm = Gemm::new(level, self.shape);
        let workspace = workspace.get_mut(..gemm.workspace_len()).unwrap_or_default();
        gemm.run(self.a, self.b, &mut self.c, self.init, workspace, Store)
    }
}
