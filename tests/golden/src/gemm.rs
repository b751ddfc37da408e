//! Matrix products in every form of storage, start and epilogue.

use isobath::hash::Hash;
use isobath_kernels::activation::{Gelu, Tanh};
use isobath_kernels::gemm::{
    Activate, ActivateWithDerivative, ActivateWithPreActivation, Epilogue, Gemm, Init, PackedB, SgdUpdate,
    Shape, Store,
};
use isobath_kernels::{Level, MatMut, MatRef};

use crate::line::List;
use crate::operands::{ordinary, spoilt};

/// Elements of the largest operand.
const LARGEST: usize = 6000;
/// Elements of the largest workspace: none on a microcontroller.
const WORKSPACE: usize = {
    let (mut most, mut i) = (0, 0);
    while i < 4 * SHAPES.len() {
        let (m, n, k) = SHAPES[i / 4];
        let shape = Shape { m, n, k, transpose_a: i % 2 == 1, transpose_b: i % 4 > 1 };
        let length = Gemm::workspace_len_for(shape);
        if length > most {
            most = length;
        }
        i += 1;
    }
    most
};

/// Around tiles and vectors, a single row and column, three blocks of k, and nothing at all.
const SHAPES: [(usize, usize, usize); 9] = [
    (1, 1, 1),
    (7, 5, 3),
    (13, 37, 29),
    (16, 32, 64),
    (1, 70, 61),
    (70, 1, 61),
    (9, 10, 513),
    (5, 3, 0),
    (31, 33, 40),
];

pub(crate) fn add(list: &mut List<'_>) {
    let start = ordinary::<LARGEST>(1);
    for (of, transpose_a, transpose_b) in
        [("A B", false, false), ("A B^T", false, true), ("A^T B", true, false), ("A^T B^T", true, true)]
    {
        list.add_generic("gemm::Gemm::run", of, |level, hash| {
            for (m, n, k) in SHAPES {
                let shape = Shape { m, n, k, transpose_a, transpose_b };
                for init in [Init::Zero, Init::Accumulate, Init::Bias(&start[..n])] {
                    product(level, hash, shape, init, Store);
                }
            }
        });
    }
    let plain = |(m, n, k)| Shape { m, n, k, transpose_a: false, transpose_b: false };
    list.add_generic("gemm::Gemm::run", "Store", |level, hash| {
        SHAPES.into_iter().for_each(|shape| product(level, hash, plain(shape), Init::Zero, Store));
    });
    list.add_generic("gemm::Gemm::run", "Activate", |level, hash| {
        SHAPES.into_iter().for_each(|shape| product(level, hash, plain(shape), Init::Zero, Activate(Gelu)));
    });
    list.add_generic("gemm::Gemm::run", "ActivateWithDerivative", |level, hash| {
        for shape in SHAPES {
            let mut second = [0.0; LARGEST];
            let derivative = MatMut::new(&mut second, shape.0, shape.1).unwrap();
            let epilogue = ActivateWithDerivative { activation: Tanh, derivative };
            product(level, hash, plain(shape), Init::Zero, epilogue);
            hash.f32s(&second);
        }
    });
    list.add_generic("gemm::Gemm::run", "ActivateWithPreActivation", |level, hash| {
        for shape in SHAPES {
            let mut second = [0.0; LARGEST];
            let pre_activation = MatMut::new(&mut second, shape.0, shape.1).unwrap();
            let epilogue = ActivateWithPreActivation { activation: Tanh, pre_activation };
            product(level, hash, plain(shape), Init::Zero, epilogue);
            hash.f32s(&second);
        }
    });
    list.add_generic("gemm::Gemm::run", "SgdUpdate", |level, hash| {
        for (m, n, k) in SHAPES {
            let shape = Shape { m, n, k, transpose_a: true, transpose_b: false };
            product(level, hash, shape, Init::Zero, SgdUpdate { learning_rate: 0.1 });
        }
    });
    packed(list);
}

/// One product of ordinary operands, one of spoilt ones.
fn product<E: Epilogue>(level: Level, hash: &mut Hash, shape: Shape, init: Init<'_>, mut epilogue: E) {
    let Shape { m, n, k, transpose_a, transpose_b } = shape;
    let gemm = Gemm::new(level, shape);
    let mut workspace = [0.0; WORKSPACE];
    let workspace = &mut workspace[..gemm.workspace_len()];
    for (a, b) in [(ordinary::<LARGEST>(2), ordinary::<LARGEST>(3)), (spoilt(4), spoilt(5))] {
        let (rows, columns) = if transpose_a { (k, m) } else { (m, k) };
        let a = MatRef::new(&a, rows, columns).unwrap();
        let (rows, columns) = if transpose_b { (n, k) } else { (k, n) };
        let b = MatRef::new(&b, rows, columns).unwrap();
        // One element between rows, which must stay as it is.
        let mut c = ordinary::<LARGEST>(6);
        let mut view = MatMut::with_stride(&mut c, m, n, n + 1).unwrap();
        gemm.run(a, b, &mut view, init, workspace, Again(&mut epilogue)).unwrap();
        hash.f32s(&c);
    }
}

/// An epilogue that is used more than once.
struct Again<'a, E>(&'a mut E);

impl<E: Epilogue> Epilogue for Again<'_, E> {
    const PLAIN: bool = E::PLAIN;
    const READS_C: bool = E::READS_C;

    #[inline(always)]
    fn apply<S: isobath_kernels::simd::Simd>(
        &mut self,
        simd: S,
        sum: S::F32,
        row: usize,
        column: usize,
        c: &mut [f32],
    ) {
        self.0.apply(simd, sum, row, column, c);
    }
}

fn packed(list: &mut List<'_>) {
    list.add("gemm::PackedB::new", |level, hash| {
        for transpose_b in [false, true] {
            let (m, n, k) = (3, 37, 70);
            let (a, b) = (ordinary::<LARGEST>(7), spoilt::<LARGEST>(8));
            let (rows, columns) = if transpose_b { (n, k) } else { (k, n) };
            let (a, b) = (MatRef::new(&a, m, k).unwrap(), MatRef::new(&b, rows, columns).unwrap());
            let mut space = [0.0; LARGEST];
            let packed = PackedB::new(level, b, transpose_b, &mut space).unwrap();
            let mut c = [0.0; 3 * 37];
            let mut view = MatMut::new(&mut c, m, n).unwrap();
            let shape = Shape { m, n, k, transpose_a: false, transpose_b: false };
            Gemm::new(level, shape).run(a, packed.matrix(), &mut view, Init::Zero, &mut [], Store).unwrap();
            hash.f32s(&c);
        }
    });
}
