//! A step of training or pre-training allocates nothing. The allocator counts, so this test has a program to itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use isobath::activation::Activation;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{Layer, Mode, Pass, Shown, Signal, Unwatched, Window};
use isobath::pretrain::stack::{Memory, Stack};
use isobath::pretrain::{Model, Pretraining};
use isobath::threads::Serial;
use isobath_tests::case::{Case, INIT, normals};
use isobath_tests::levels;

struct Counting;

thread_local! {
    /// Of this thread: the test runner's own threads allocate when they like.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged. Counting neither allocates nor panics: the counter is
// initialised at compile time and has no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get().wrapping_add(1)));
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract, and `pointer` came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> usize {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn a_training_step_allocates_nothing() {
    let before = allocations();
    drop(std::hint::black_box(vec![1.0_f32; 100]));
    assert_eq!(allocations(), before + 1, "the allocator counts");

    let dense = Layer::dense(20, INIT);
    let mut layers = vec![Layer::SkipStart, dense, Layer::BATCH_NORM];
    layers.extend(isobath_tests::zoo::ACTIVATIONS.map(Layer::Activation));
    layers.extend([Layer::SkipEnd { scale: 0.5 }, Layer::LAYER_NORM, dense]);
    layers.push(Layer::Activation(Activation::Sigmoid));
    layers.extend(
        isobath_tests::zoo::CELLS
            .map(|cell| Layer::Recurrent(isobath_tests::zoo::recurrent(cell, 20, Shown::All))),
    );
    let images = vec![
        Layer::convolution(6, Window { size: 3, stride: 1, padding: 1 }, INIT),
        Layer::MaxPool { size: 2, stride: 2 },
        Layer::AveragePool,
        Layer::Flatten,
        dense,
    ];
    let all = Case::new("all kinds of layer", Signal::sequence(3, 20), 8, layers);
    let images = Case::new("layers of images", Signal::image(7, 6, 3), 8, images);
    for case in [all, images] {
        assert_no_allocation(&case);
        assert_no_allocation(&case.with_checkpoints(2));
    }
}

fn assert_no_allocation(case: &Case) {
    let clippings = [
        Clipping::GlobalNorm { max_norm: 0.1 },
        Clipping::Value { limit: 0.1 },
        Clipping::Adaptive { lambda: 0.01 },
    ];
    for level in levels::all() {
        for clipping in clippings {
            let optimizer = Optimizer::Adam { weight_decay: 0.01 };
            case.run_in(optimizer.moments(), f32::NAN, |plan, arena| {
                let mut update = Update::new(optimizer, clipping, Penalty::L2 { lambda: 1e-3 });
                let input = normals(1, plan.batch() * plan.input());
                let gradient = normals(2, plan.batch() * plan.output());
                let before = allocations();
                for step in 0..10 {
                    // The last batch is ragged.
                    let rows = if step == 9 { 5 } else { plan.batch() };
                    let pass = Pass { plan, level, threads: &Serial, rows };
                    arena.input_mut(&plan, rows).copy_from_slice(&input[..rows * plan.input()]);
                    let forward = pass.forward(arena, Mode::Training, &mut Unwatched);
                    let backward = pass.backward(arena, &gradient, true, &mut Unwatched);
                    let updated = update.apply(level, &Serial, &plan, arena, 1e-3);
                    assert!(forward.is_ok() && backward.is_ok() && updated.is_ok());
                }
                assert_eq!(allocations(), before, "{}, {}", case.name, level.name());
            });
        }
    }
}

#[test]
fn pretraining_allocates_nothing() {
    let (dense, sigmoid) = (Layer::dense(20, INIT), Layer::Activation(Activation::Sigmoid));
    let case = Case::new("two hidden layers", 30, 8, vec![dense, sigmoid, dense, sigmoid, dense]);
    let models = [
        Model::Autoencoder { noise: 0.1 },
        Model::Rbm { gibbs_steps: 2, persistent: false },
        Model::Rbm { gibbs_steps: 1, persistent: true },
    ];
    for level in levels::all() {
        for model in models {
            case.run_in(0, f32::NAN, |plan, arena| {
                let pretraining = Pretraining { model, steps: 10, rate: 0.01, shuffled: true };
                let stack = Stack::new(pretraining, plan).expect("sigmoid layers");
                let inputs = normals(1, 20 * plan.input());
                let (mut values, mut order) = (vec![0.0; stack.memory_len(20, 1)], vec![0; 20]);
                let memory = Memory { values: &mut values, order: &mut order };
                let before = allocations();
                let finished = stack.train(arena.parameters, &inputs, memory, 1, level, &Serial, || true);
                assert_eq!(allocations(), before, "{}, {model:?}", level.name());
                assert_eq!(finished, Ok(true));
            });
        }
    }
}
