//! What a caller in C can get wrong about pointers: each is refused by its own status, and nothing is written.
//!
//! The table of operands in each test is what `isobath.h` promises, stated a second time.
#![expect(
    clippy::undocumented_unsafe_blocks,
    reason = "operands are arrays of this test, or pointers that the call refuses before it reads"
)]

use std::ptr;

use isobath_capi::Status;
use isobath_capi::activation::*;
use isobath_capi::batch_norm::*;
use isobath_capi::clip::*;
use isobath_capi::gemm::*;
use isobath_capi::loss::*;
use isobath_capi::optimizer::*;

/// An argument that is a pointer: what lies there, as words of 32 bits, and what the function does with it.
struct Operand {
    words: Vec<u32>,
    written: bool,
    /// Whether a call that succeeds must change it.
    changed: bool,
}

fn read(words: impl Into<Vec<u32>>) -> Operand {
    Operand { words: words.into(), written: false, changed: false }
}

fn ones(len: usize) -> Operand {
    read(vec![1.0_f32.to_bits(); len])
}

fn written(len: usize) -> Operand {
    Operand { words: vec![7.0_f32.to_bits(); len], written: true, changed: true }
}

fn scratch(len: usize) -> Operand {
    Operand { changed: false, ..written(len) }
}

/// Memory in which the operands lie, so far from each other that any of them fits in between.
struct Memory {
    words: Vec<u64>,
    stride: usize,
}

impl Memory {
    fn new(operands: &[Operand]) -> Self {
        let longest = operands.iter().map(|operand| operand.words.len()).max().expect("an operand");
        let stride = longest + 2;
        let mut memory = Self { words: vec![0; operands.len() * stride], stride };
        for (i, operand) in operands.iter().enumerate() {
            for (j, word) in operand.words.iter().enumerate() {
                // SAFETY: an operand is shorter than its place.
                unsafe { memory.place(i).cast::<u32>().add(j).write(*word) };
            }
        }
        memory
    }

    /// Where operand `i` lies. A place has `stride` words of 64 bits.
    fn place(&mut self, i: usize) -> *mut f32 {
        self.words[i * self.stride..].as_mut_ptr().cast()
    }

    fn places(&mut self, count: usize) -> Vec<*mut f32> {
        // One pointer to all of the memory, so that none of them ends the life of another.
        let start = self.words.as_mut_ptr();
        // SAFETY: there are `count` places.
        (0..count).map(|i| unsafe { start.add(i * self.stride) }.cast()).collect()
    }
}

/// Calls with one fault at a time. `in_place`: operand 1 may lie exactly where operand 0 does.
fn refuses(name: &str, operands: &[Operand], in_place: bool, call: impl Fn(&[*mut f32]) -> Status) {
    let attempt = |fault: &dyn Fn(&mut [*mut f32])| {
        let mut memory = Memory::new(operands);
        let before = memory.words.clone();
        let mut places = memory.places(operands.len());
        fault(&mut places);
        (call(&places), before, memory)
    };
    let refused = |status: Status, what: &str, fault: &dyn Fn(&mut [*mut f32])| {
        let (found, before, memory) = attempt(fault);
        assert_eq!(found, status, "{name}: {what}");
        assert!(before == memory.words, "{name}: {what}: something was written");
    };

    let (status, before, memory) = attempt(&|_| ());
    assert_eq!(status, Status::Ok, "{name}: without a fault");
    let stride = memory.stride;
    for (i, operand) in operands.iter().enumerate() {
        let place = i * stride..(i + 1) * stride;
        let changed = before[place.clone()] != memory.words[place];
        assert!(changed || !operand.changed, "{name}: operand {i} was not written");
        assert!(!changed || operand.written, "{name}: operand {i} was written");
    }

    for (i, one) in operands.iter().enumerate() {
        refused(Status::Null, &format!("operand {i} null"), &|places| places[i] = ptr::null_mut());
        refused(Status::Misaligned, &format!("operand {i} misaligned"), &|places| {
            places[i] = places[i].wrapping_byte_add(1);
        });
        for (j, other) in operands.iter().enumerate().filter(|(j, _)| *j != i) {
            // Of an even number of words, so that the pointer is aligned for any operand.
            let shift = (other.words.len() - 1) & !1;
            if one.written || other.written {
                if !(in_place && i + j == 1) {
                    refused(Status::Overlap, &format!("operand {i} where {j} is"), &|places| {
                        places[i] = places[j];
                    });
                }
                if shift > 0 {
                    refused(Status::Overlap, &format!("operand {i} at the end of {j}"), &|places| {
                        places[i] = places[j].wrapping_add(shift);
                    });
                }
            } else {
                let (status, ..) = attempt(&|places| places[i] = places[j]);
                assert_ne!(status, Status::Overlap, "{name}: {i} and {j} are only read");
            }
        }
    }
}

const SHAPE: Shape = Shape { m: 3, n: 4, k: 5, transpose_a: 0, transpose_b: 0 };

#[test]
fn products() {
    let operands = [ones(15), ones(20), ones(4), written(12)];
    refuses("gemm with a bias", &operands, false, |p| unsafe {
        isobath_gemm(SHAPE, p[0], p[1], Init::Bias as u32, p[2], p[3], ptr::null_mut(), 0)
    });
    let operands = [ones(15), ones(20), written(12)];
    refuses("gemm", &operands, false, |p| unsafe {
        isobath_gemm(SHAPE, p[0], p[1], Init::Accumulate as u32, ptr::null(), p[2], ptr::null_mut(), 0)
    });
    refuses("gemm_sgd", &operands, false, |p| unsafe {
        isobath_gemm_sgd(SHAPE, 0.5, p[0], p[1], p[2], ptr::null_mut(), 0)
    });
    refuses("column_sums", &[ones(12), written(4)], false, |p| unsafe {
        isobath_column_sums(p[0], 3, 4, p[1])
    });
}

/// A shape for which the level of this machine wants a workspace, and its length.
fn workspace() -> (Shape, usize) {
    let shape = Shape { m: 40, n: 70, k: 300, transpose_a: 1, transpose_b: 1 };
    (shape, isobath_gemm_workspace_len(shape))
}

#[test]
fn a_workspace_is_whole_or_none() {
    let (shape, len) = workspace();
    let operands =
        [ones(shape.m * shape.k), ones(shape.k * shape.n), written(shape.m * shape.n), scratch(len.max(2))];
    refuses("gemm with a workspace", &operands, false, |p| unsafe {
        isobath_gemm(shape, p[0], p[1], Init::Zero as u32, ptr::null(), p[2], p[3], len.max(1))
    });
    if len > 0 {
        let mut memory = Memory::new(&operands);
        let before = memory.words.clone();
        let p = memory.places(4);
        let status =
            unsafe { isobath_gemm(shape, p[0], p[1], Init::Zero as u32, ptr::null(), p[2], p[3], len - 1) };
        assert_eq!(status, Status::Workspace);
        assert!(before == memory.words, "something was written");
    }
}

#[test]
fn activations() {
    for code in 0..11 {
        refuses("activation_forward", &[ones(9), written(9)], true, |p| unsafe {
            isobath_activation_forward(code, 0.5, p[0], p[1], 9)
        });
        let changed = code != Activation::Identity as u32 && code != Activation::Relu as u32;
        let changed = changed && code != Activation::LeakyRelu as u32 && code != Activation::Elu as u32;
        let dy = Operand { changed, ..written(9) };
        refuses("activation_backward", &[ones(9), dy], false, |p| unsafe {
            isobath_activation_backward(code, 0.5, p[0], p[1], 9)
        });
    }
}

#[test]
fn losses() {
    refuses("softmax", &[ones(12), written(12)], false, |p| unsafe { isobath_softmax(p[0], 3, 4, p[1]) });
    let operands = [ones(12), read([0, 3, 1]), written(12), written(1)];
    refuses("softmax_cross_entropy", &operands, false, |p| unsafe {
        isobath_softmax_cross_entropy(p[0], p[1].cast(), 3, 4, p[2], p[3])
    });
}

#[test]
fn optimizers() {
    refuses("sgd", &[written(9), ones(9)], false, |p| unsafe { isobath_sgd(0.5, p[0], p[1], 9) });
    refuses("momentum", &[written(9), written(9), ones(9)], false, |p| unsafe {
        isobath_momentum(0.5, 0.25, p[0], p[1], p[2], 9)
    });
    let start = Operand { words: vec![0; 8], written: true, changed: true };
    refuses("adam_advance", &[start], false, |p| unsafe { isobath_adam_advance(ADAM, p[0].cast()) });
    let half = 0.5_f32.to_bits();
    let begun = read([1, u32::from(cfg!(target_endian = "big")), half, 0, half, 0, half, half]);
    refuses("adam", &[begun, written(9), written(9), written(9), ones(9)], false, |p| unsafe {
        isobath_adam(ADAM, p[0].cast(), p[1], p[2], p[3], p[4], 9)
    });
}

#[test]
fn batch_norm() {
    let operands = [ones(12), ones(4), ones(4), written(12), written(4), written(4), written(4)];
    refuses("batch_norm_training", &operands, false, |p| unsafe {
        isobath_batch_norm_training(p[0], 3, 4, p[1], p[2], 1e-5, p[3], p[4], p[5], p[6])
    });
    let operands = [ones(12), ones(4), ones(4), ones(4), ones(4), written(12)];
    refuses("batch_norm_inference", &operands, false, |p| unsafe {
        isobath_batch_norm_inference(p[0], 3, 4, p[1], p[2], p[3], p[4], 1e-5, p[5])
    });
    let operands = [ones(12), ones(12), ones(4), ones(4), ones(4), written(12), written(4), written(4)];
    refuses("batch_norm_backward", &operands, false, |p| unsafe {
        isobath_batch_norm_backward(p[0], p[1], 3, 4, p[2], p[3], p[4], p[5], p[6], p[7])
    });
    refuses("batch_norm_update_running", &[written(4), written(4), ones(4), ones(4)], false, |p| unsafe {
        isobath_batch_norm_update_running(p[0], p[1], p[2], p[3], 0.1, 3, 4)
    });
}

/// Two gradients and the norm, of which a list is made.
#[test]
fn gradients_of_a_list() {
    refuses("clip_by_global_norm", &[written(9), written(5), written(1)], false, |p| {
        let list = [Gradient { data: p[0], len: 9 }, Gradient { data: p[1], len: 5 }];
        unsafe { isobath_clip_by_global_norm(list.as_ptr(), 2, 1.0, p[2]) }
    });
    // The list itself: it must not lie where a gradient or the norm does.
    let mut g = [7.0; 8];
    let mut norm = 7.0;
    let list = [Gradient { data: g.as_mut_ptr(), len: 8 }];
    let status = |list: *const Gradient, norm| unsafe { isobath_clip_by_global_norm(list, 1, 1.0, norm) };
    assert_eq!(status(ptr::null(), &mut norm), Status::Null);
    assert_eq!(status(list.as_ptr().wrapping_byte_add(1), &mut norm), Status::Misaligned);
    assert_eq!(status(list.as_ptr(), list.as_ptr().cast_mut().cast()), Status::Overlap);
    let mut list = [Gradient { data: ptr::null_mut(), len: 2 }];
    list[0].data = list.as_mut_ptr().cast();
    assert_eq!(status(list.as_ptr(), &mut norm), Status::Overlap);
    assert_eq!((g, norm), ([7.0; 8], 7.0));
}

const ADAM: AdamSettings = AdamSettings {
    learning_rate: 0.01,
    beta1: 0.9,
    one_minus_beta1: 0.1,
    beta2: 0.999,
    one_minus_beta2: 0.001,
    epsilon: 1e-8,
    weight_decay: 0.0,
};

#[test]
fn sizes_beyond_memory() {
    let (x, mut y) = ([1.0_f32; 4], [7.0_f32; 4]);
    let (x, p) = (x.as_ptr(), y.as_mut_ptr());
    // Half of all addresses, all of them, and products that wrap to 0.
    for len in [isize::MAX as usize / 4 + 1, usize::MAX / 4, usize::MAX] {
        assert_eq!(unsafe { isobath_sgd(0.5, p, x, len) }, Status::TooLarge);
    }
    let half = 1 << (usize::BITS / 2);
    assert_eq!(unsafe { isobath_softmax(x, half, half, p) }, Status::TooLarge);
    assert_eq!(unsafe { isobath_column_sums(x, half, half, p) }, Status::TooLarge);
    for (m, n, k) in [(half, 1, half), (1, half, half), (half, half, 1)] {
        let shape = Shape { m, n, k, transpose_a: 0, transpose_b: 0 };
        let none = ptr::null_mut();
        assert_eq!(unsafe { isobath_gemm(shape, x, x, 0, none, p, none, 0) }, Status::TooLarge);
        assert_eq!(unsafe { isobath_gemm_sgd(shape, 0.5, x, x, p, none, 0) }, Status::TooLarge);
        assert_eq!(isobath_gemm_workspace_len(shape), 0);
    }
    assert_eq!(y, [7.0; 4]);
}

#[test]
fn null_is_as_good_as_any_pointer_to_nothing() {
    let (null, shape) = (ptr::null_mut(), Shape { m: 0, n: 0, k: 0, transpose_a: 0, transpose_b: 0 });
    assert_eq!(unsafe { isobath_sgd(0.5, null, null, 0) }, Status::Ok);
    assert_eq!(unsafe { isobath_activation_forward(1, 0.0, null, null, 0) }, Status::Ok);
    assert_eq!(unsafe { isobath_gemm(shape, null, null, 2, null, null, null, 0) }, Status::Ok);
    let (mut loss, mut norm) = (7.0, 7.0);
    assert_eq!(
        unsafe { isobath_softmax_cross_entropy(null, ptr::null(), 0, 3, null, &mut loss) },
        Status::Ok
    );
    assert!(loss.is_nan());
    assert_eq!(unsafe { isobath_clip_by_global_norm(ptr::null(), 0, 1.0, &mut norm) }, Status::Ok);
    assert_eq!(norm, 0.0);
}

#[test]
fn values_that_no_call_may_have() {
    let (x, mut y, mut one) = ([1.0_f32; 4], [7.0_f32; 4], 7.0);
    let (x, p) = (x.as_ptr(), y.as_mut_ptr());
    let none = ptr::null_mut();
    for code in [11, u32::MAX] {
        assert_eq!(unsafe { isobath_activation_forward(code, 0.0, x, p, 4) }, Status::Code);
        assert_eq!(unsafe { isobath_activation_backward(code, 0.0, x, p, 4) }, Status::Code);
        assert_eq!(unsafe { isobath_gemm(SHAPE, x, x, code, none, p, none, 0) }, Status::Code);
    }
    let labels = [0, 2];
    let status = unsafe { isobath_softmax_cross_entropy(x, labels.as_ptr(), 2, 2, p, &mut one) };
    assert_eq!(status, Status::Label);
    for bound in [-1.0, f32::NAN] {
        let list = [Gradient { data: p, len: 4 }];
        assert_eq!(unsafe { isobath_clip_by_global_norm(list.as_ptr(), 1, bound, &mut one) }, Status::Bound);
    }
    let mut rows = [[7.0; 4]; 3];
    let [mean, inv_std, variance] = rows.each_mut().map(|row| row.as_mut_ptr());
    let status = unsafe { isobath_batch_norm_training(x, 1, 4, x, x, 1e-5, p, mean, inv_std, variance) };
    assert_eq!(status, Status::Batch);
    let status = unsafe { isobath_batch_norm_backward(x, x, 1, 4, x, x, x, p, mean, inv_std) };
    assert_eq!(status, Status::Batch);
    assert_eq!(unsafe { isobath_batch_norm_update_running(p, mean, x, x, 0.1, 1, 4) }, Status::Batch);
    let start = AdamState { step: 0, power1: [0.0; 2], power2: [0.0; 2], correction: [0.0; 2] };
    assert_eq!(unsafe { isobath_adam(ADAM, &start, p, mean, variance, x, 4) }, Status::Step);
    assert_eq!((y, one, rows), ([7.0; 4], 7.0, [[7.0; 4]; 3]));
}
