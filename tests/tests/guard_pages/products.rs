//! Matrix products: every tile edge with its neighbours, every transpose, stride, initial value, epilogue and path. Each
//! operand is exactly as long as its rows and stride need, the workspace and the packed factor as long as asked for.

use isobath_kernels::activation::{Gelu, Tanh};
use isobath_kernels::gemm::{
    Activate, ActivateWithDerivative, ActivateWithPreActivation, Gemm, Init, PackedB, SgdUpdate, Shape, Store,
};
use isobath_kernels::{MatMut, MatRef};

use crate::Runs;

/// Tiles have 1 to 14 rows; two tiles, and one row more.
const ROWS: [usize; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 29];
/// Vectors have 1 to 16 lanes, tiles up to 8 vectors.
const COLUMNS: [usize; 27] =
    [1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 129];
/// Around the steps of k that are unrolled or turned at a time.
const DEPTHS: [usize; 11] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17];
/// Around blocks of k.
const LONG_DEPTHS: [usize; 5] = [63, 65, 255, 256, 257];
/// Elements between the end of a row and the next row, of A, B and C.
const GAPS: [[usize; 3]; 4] = [[0, 0, 0], [1, 1, 1], [0, 5, 16], [16, 0, 3]];
/// Large enough for copies of strips of B, of rows and of panels of A, half strips included.
const IN_BLOCKS: [((usize, usize, usize), [usize; 3]); 5] = [
    ((130, 530, 12), [0, 0, 0]),
    ((70, 273, 300), [1, 600, 0]),
    ((133, 280, 270), [4000, 1, 3]),
    ((200, 281, 513), [2700, 700, 1]),
    ((390, 265, 40), [14_000, 400, 0]),
];

#[derive(Clone, Copy, Debug)]
enum End {
    Store,
    Activate,
    WithDerivative,
    WithPreActivation,
    Update,
}

#[derive(Clone, Copy, Debug)]
struct Product {
    shape: Shape,
    gaps: [usize; 3],
    workspace: bool,
    /// 0, C, or a bias.
    start: usize,
    end: End,
}

/// Elements of a matrix whose last row ends it.
fn length(rows: usize, columns: usize, stride: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { (rows - 1) * stride + columns }
}

impl Product {
    fn run(self, runs: &mut Runs) {
        let Shape { m, n, k, transpose_a, transpose_b } = self.shape;
        let (a_rows, a_columns) = if transpose_a { (k, m) } else { (m, k) };
        let (b_rows, b_columns) = if transpose_b { (n, k) } else { (k, n) };
        let [a_stride, b_stride, c_stride] =
            [a_columns + self.gaps[0], b_columns + self.gaps[1], n + self.gaps[2]];
        let (level, c_length) = (runs.level, length(m, n, c_stride));
        let gemm = Gemm::new(level, self.shape);
        let workspace = if self.workspace { gemm.workspace_len() } else { 0 };
        let of = |length: usize| &runs.values[..length];
        let [a, b, c, second, bias, workspace] = runs.operands.place([
            of(length(a_rows, a_columns, a_stride)),
            of(length(b_rows, b_columns, b_stride)),
            of(c_length),
            of(c_length),
            of(n),
            of(workspace),
        ]);
        let a = MatRef::with_stride(a, a_rows, a_columns, a_stride).expect("its shape");
        let b = MatRef::with_stride(b, b_rows, b_columns, b_stride).expect("its shape");
        let mut c = MatMut::with_stride(c, m, n, c_stride).expect("its shape");
        let second = MatMut::with_stride(second, m, n, c_stride).expect("its shape");
        let init = [Init::Zero, Init::Accumulate, Init::Bias(bias)][self.start];
        let c = &mut c;
        match self.end {
            End::Store => gemm.run(a, b, c, init, workspace, Store),
            End::Activate => gemm.run(a, b, c, init, workspace, Activate(Gelu)),
            End::WithDerivative => {
                let epilogue = ActivateWithDerivative { activation: Tanh, derivative: second };
                gemm.run(a, b, c, init, workspace, epilogue)
            }
            End::WithPreActivation => {
                let epilogue = ActivateWithPreActivation { activation: Tanh, pre_activation: second };
                gemm.run(a, b, c, init, workspace, epilogue)
            }
            End::Update => gemm.run(a, b, c, init, workspace, SgdUpdate { learning_rate: 0.1 }),
        }
        .unwrap_or_else(|error| panic!("{self:?}: {error}"));
        runs.count("gemm::Gemm::run");
    }

    /// The same with B packed first.
    fn run_packed(self, runs: &mut Runs) {
        let Shape { m, n, k, transpose_b, .. } = self.shape;
        let (rows, columns) = if transpose_b { (n, k) } else { (k, n) };
        let (b_stride, c_stride) = (columns + self.gaps[1], n + self.gaps[2]);
        let of = |length: usize| &runs.values[..length];
        let [a, b, c, space] = runs.operands.place([
            of(m * k),
            of(length(rows, columns, b_stride)),
            of(length(m, n, c_stride)),
            of(PackedB::len_for(k, n)),
        ]);
        let a = MatRef::new(a, m, k).expect("its shape");
        let b = MatRef::with_stride(b, rows, columns, b_stride).expect("its shape");
        let mut c = MatMut::with_stride(c, m, n, c_stride).expect("its shape");
        let packed = PackedB::new(runs.level, b, transpose_b, space).expect("enough space");
        let shape = Shape { m, n, k, transpose_a: false, transpose_b: false };
        let product =
            Gemm::new(runs.level, shape).run(a, packed.matrix(), &mut c, Init::Zero, &mut [], Store);
        product.unwrap_or_else(|error| panic!("{self:?}: {error}"));
        runs.count("gemm::PackedB::new");
    }
}

/// A B, A B^T, A^T B and A^T B^T.
fn transposed((m, n, k): (usize, usize, usize)) -> impl Iterator<Item = Shape> {
    [(false, false), (false, true), (true, false), (true, true)]
        .into_iter()
        .map(move |(transpose_a, transpose_b)| Shape { m, n, k, transpose_a, transpose_b })
}

fn sizes(depths: &[usize]) -> impl Iterator<Item = (usize, usize, usize)> {
    let with_rows = move |m| COLUMNS.into_iter().flat_map(move |n| depths.iter().map(move |k| (m, n, *k)));
    ROWS.into_iter().flat_map(with_rows)
}

pub(crate) fn run(runs: &mut Runs) {
    let plain = |shape, gaps| Product { shape, gaps, workspace: true, start: 0, end: End::Store };
    for (i, size) in sizes(&DEPTHS).enumerate() {
        for (j, shape) in transposed(size).enumerate() {
            // Every size meets every transpose, and over its neighbours every stride and start.
            let product = Product { start: i % 3, ..plain(shape, GAPS[(i + j) % 4]) };
            product.run(runs);
            Product { workspace: false, ..product }.run(runs);
        }
    }
    for (i, (m, n, k)) in sizes(&LONG_DEPTHS).enumerate().filter(|(_, (m, n, _))| m * n < 600) {
        for (j, shape) in transposed((m, n, k)).enumerate() {
            Product { workspace: i % 2 == 0, ..plain(shape, GAPS[(i + j) % 4]) }.run(runs);
        }
    }
    for size in sizes(&[9]) {
        for (j, shape) in transposed(size).enumerate() {
            for (e, end) in [End::Activate, End::WithDerivative, End::WithPreActivation, End::Update]
                .into_iter()
                .enumerate()
            {
                for start in 0..3 {
                    Product { start, end, ..plain(shape, GAPS[(j + e + start) % 4]) }.run(runs);
                }
            }
        }
    }
    for (i, size) in sizes(&[1, 3, 8, 17]).enumerate() {
        transposed(size).take(2).for_each(|shape| plain(shape, GAPS[i % 4]).run_packed(runs));
    }
    // The scalar level has the paths of the portable one, and is the slowest.
    let vectors = runs.level.lanes() > 1;
    for (size, gaps) in IN_BLOCKS.into_iter().filter(|_| vectors) {
        for shape in transposed(size) {
            plain(shape, gaps).run(runs);
            Product { end: End::Update, ..plain(shape, gaps) }.run(runs);
        }
    }
}
