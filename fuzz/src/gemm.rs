//! Matrix products of any small shape, strides, transposes, initial values and epilogues: on every level the bits of three
//! nested loops over an integer multiply-add, followed by the public kernel that the epilogue replaces. Nothing outside C is
//! written, and C is not read unless it is accumulated into or updated.

use arbitrary::{Arbitrary, Result, Unstructured};
use isobath_kernels::activation::{self, Gelu, Relu, Sigmoid, Tanh};
use isobath_kernels::gemm::{
    Activate, ActivateWithDerivative, ActivateWithPreActivation, Epilogue, Gemm, GemmError, Init, PackedB,
    SgdUpdate, Shape, Store,
};
use isobath_kernels::{Level, MatMut, MatRef, optimizer};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;
use isobath_tests::naive_gemm::{self, Operand, Start};

use crate::bits::{POISON, Pool};

/// Depths around the blocks of k; others are up to 40.
const DEPTHS: [usize; 6] = [255, 256, 257, 511, 512, 513];

/// What is done with the sums.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum After {
    Store,
    Sigmoid,
    Relu,
    TanhWithDerivative,
    GeluWithPreActivation,
    Sgd,
}

/// Where the product starts.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Origin {
    Zero,
    Accumulate,
    Bias,
}

/// How much workspace there is.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Space {
    None,
    Enough,
    More,
    TooLittle,
}

/// A product without its numbers.
#[derive(Clone, Copy, Debug)]
struct Case {
    shape: Shape,
    gaps: [usize; 3],
    offsets: [usize; 3],
    after: After,
    from: Origin,
    space: Space,
    packed: bool,
}

impl Case {
    fn draw(input: &mut Unstructured<'_>) -> Result<(Self, Pool)> {
        let k = match input.int_in_range(0..=46)? {
            small @ 0..=40 => small,
            block => DEPTHS[block - 41],
        };
        let shape = Shape {
            m: input.int_in_range(0..=30)?,
            n: input.int_in_range(0..=70)?,
            k,
            transpose_a: input.arbitrary()?,
            transpose_b: input.arbitrary()?,
        };
        let mut three = |largest| -> Result<[usize; 3]> {
            Ok([
                input.int_in_range(0..=largest)?,
                input.int_in_range(0..=largest)?,
                input.int_in_range(0..=largest)?,
            ])
        };
        let (gaps, offsets) = (three(17)?, three(15)?);
        let (after, from, space) = (input.arbitrary()?, input.arbitrary()?, input.arbitrary()?);
        let (packed, moderate) = (input.arbitrary()?, input.arbitrary()?);
        Ok((Self { shape, gaps, offsets, after, from, space, packed }, Pool::new(input, moderate)?))
    }
}

/// The operands: memory, and how far into it each begins.
struct Operands {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
    bias: Vec<f32>,
}

/// Runs one product on every level.
pub fn run(bytes: &[u8]) {
    let Ok((case, mut pool)) = Case::draw(&mut Unstructured::new(bytes)) else { return };
    let Shape { m, n, k, transpose_a, transpose_b } = case.shape;
    let (a_rows, a_columns) = if transpose_a { (k, m) } else { (m, k) };
    let (b_rows, b_columns) = if transpose_b { (n, k) } else { (k, n) };
    let strides = [a_columns + case.gaps[0], b_columns + case.gaps[1], n + case.gaps[2]];
    let operands = Operands {
        a: pool.matrix(a_rows, a_columns, strides[0], case.offsets[0]),
        b: pool.matrix(b_rows, b_columns, strides[1], case.offsets[1]),
        c: pool.matrix(m, n, strides[2], case.offsets[2]),
        bias: pool.vector(n, case.offsets[1]),
    };
    let expected = expected(&case, &operands, strides);
    for level in levels::all() {
        let found = computed(&case, level, &operands, strides);
        let Some(found) = found else { continue };
        for (what, expected, found) in
            [("C", &expected.0, &found.0), ("the second matrix", &expected.1, &found.1)]
        {
            assert_same_bits(expected, found, &format!("{what} of {case:?} at {}", level.name()));
        }
    }
}

/// C and what an epilogue adds, by the definition.
fn expected(case: &Case, operands: &Operands, strides: [usize; 3]) -> (Vec<f32>, Vec<f32>) {
    let Shape { m, n, k, transpose_a, transpose_b } = case.shape;
    let [a_offset, b_offset, c_offset] = case.offsets;
    let mut whole = operands.c.clone();
    let c = &mut whole[c_offset..];
    let mut extra = vec![POISON; m * n];
    let start = match case.from {
        Origin::Zero => Start::Zero,
        Origin::Accumulate => Start::Accumulate,
        Origin::Bias => Start::Bias(&operands.bias[b_offset..]),
    };
    naive_gemm::product(
        (m, n, k),
        Operand { data: &operands.a[a_offset..], stride: strides[0], transposed: transpose_a },
        Operand { data: &operands.b[b_offset..], stride: strides[1], transposed: transpose_b },
        c,
        strides[2],
        start,
    );
    let level = Level::SCALAR;
    for row in 0..m {
        let start = row * strides[2];
        let c = &mut c[start..start + n];
        let extra = &mut extra[row * n..(row + 1) * n];
        match case.after {
            After::Store => {}
            After::Sigmoid => activation::forward_in_place(level, Sigmoid, c),
            After::Relu => activation::forward_in_place(level, Relu, c),
            After::TanhWithDerivative => {
                activation::forward_with_derivative_in_place(level, Tanh, c, extra).expect("of one length");
            }
            After::GeluWithPreActivation => {
                extra.copy_from_slice(c);
                activation::forward_in_place(level, Gelu, c);
            }
            After::Sgd => {
                let mut weights = operands.c[c_offset + start..c_offset + start + n].to_vec();
                optimizer::sgd(level, 0.01, &mut weights, c).expect("of one length");
                c.copy_from_slice(&weights);
            }
        }
    }
    (whole, extra)
}

/// C and what an epilogue adds, from the kernel; none where it rightly refuses the workspace.
fn computed(
    case: &Case,
    level: Level,
    operands: &Operands,
    strides: [usize; 3],
) -> Option<(Vec<f32>, Vec<f32>)> {
    let Shape { m, n, k, .. } = case.shape;
    let mut whole = operands.c.clone();
    let is_read = matches!(case.from, Origin::Accumulate) || matches!(case.after, After::Sgd);
    if !is_read {
        whole.fill(POISON);
    }
    let mut extra = vec![POISON; m * n];
    let c = MatMut::with_stride(&mut whole[case.offsets[2]..], m, n, strides[2]).expect("C fits");
    let second = MatMut::new(&mut extra, m, n).expect("it fits");
    let mut product = Product { case, level, operands, strides, c };
    let result = match case.after {
        After::Store => product.run(Store),
        After::Sigmoid => product.run(Activate(Sigmoid)),
        After::Relu => product.run(Activate(Relu)),
        After::TanhWithDerivative => {
            product.run(ActivateWithDerivative { activation: Tanh, derivative: second })
        }
        After::GeluWithPreActivation => {
            product.run(ActivateWithPreActivation { activation: Gelu, pre_activation: second })
        }
        After::Sgd => product.run(SgdUpdate { learning_rate: 0.01 }),
    };
    if let Err(error) = result {
        let needed = Gemm::new(level, case.shape).workspace_len();
        let is_due = matches!(case.space, Space::TooLittle) && !(case.packed && k * n > 0);
        assert!(is_due, "{case:?} at {}: {error}", level.name());
        assert_eq!(error, GemmError::Workspace { needed, found: needed - 1 });
        let before: Vec<f32> = if is_read { operands.c.clone() } else { vec![POISON; whole.len()] };
        assert_same_bits(&before, &whole, "C of a product that was refused");
        return None;
    }
    Some((whole, extra))
}

/// A product that only lacks its epilogue.
struct Product<'a> {
    case: &'a Case,
    level: Level,
    operands: &'a Operands,
    strides: [usize; 3],
    c: MatMut<'a>,
}

impl Product<'_> {
    fn run(&mut self, epilogue: impl Epilogue) -> std::result::Result<(), GemmError> {
        let Case { shape, offsets, .. } = *self.case;
        let view = |data, rows, columns, stride| {
            MatRef::with_stride(data, rows, columns, stride).expect("the operand fits")
        };
        let (a_rows, a_columns) = if shape.transpose_a { (shape.k, shape.m) } else { (shape.m, shape.k) };
        let (b_rows, b_columns) = if shape.transpose_b { (shape.n, shape.k) } else { (shape.k, shape.n) };
        let a = view(&self.operands.a[offsets[0]..], a_rows, a_columns, self.strides[0]);
        let b = view(&self.operands.b[offsets[1]..], b_rows, b_columns, self.strides[1]);
        let init = match self.case.from {
            Origin::Zero => Init::Zero,
            Origin::Accumulate => Init::Accumulate,
            Origin::Bias => Init::Bias(&self.operands.bias[offsets[1]..]),
        };
        if self.case.packed {
            let mut space = vec![POISON; PackedB::len_for(shape.k, shape.n)];
            let packed = PackedB::new(self.level, b, shape.transpose_b, &mut space)?;
            let gemm = Gemm::new(self.level, Shape { transpose_b: false, ..shape });
            return gemm.run(a, packed.matrix(), &mut self.c, init, &mut [], epilogue);
        }
        let gemm = Gemm::new(self.level, shape);
        let needed = gemm.workspace_len();
        let length = match self.case.space {
            Space::None => 0,
            Space::Enough => needed,
            Space::More => needed + 5,
            Space::TooLittle => needed.saturating_sub(1),
        };
        gemm.run(a, b, &mut self.c, init, &mut vec![POISON; length], epilogue)
    }
}
