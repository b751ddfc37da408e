//! Runs over samples with several labels each, and with numbers as labels: which label goes with which step, and what
//! counts as right.

use isobath::descent::{Descent, DescentError, Memory, Samples};
use isobath::init::Init;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{Cell, Layer, Mode, Pass, Place, Plan, Recurrent, Shown, Signal, Unwatched};
use isobath::threads::Serial;
use isobath_kernels::Level;
use isobath_tests::case::normals;

const SAMPLES: usize = 11;
const BATCH: usize = 4;
const STEPS: usize = 3;

/// Runs `test` on a network that names `classes` at each of the last `answers` steps, over samples whose first number
/// is their own.
fn with_descent(
    answers: usize,
    classes: usize,
    labels: &[u32],
    test: impl FnOnce(&mut Descent<'_, Serial>, &[f32]),
) {
    let recurrent = Recurrent { shown: Shown::Last(answers), ..Recurrent::new(Cell::Gru, 5, Init::LECUN) };
    let layers = [Layer::Recurrent(recurrent), Layer::dense(classes, Init::LECUN)];
    let mut places = [Place::default(); 2];
    let plan = Plan::new(Signal::sequence(STEPS, 2), BATCH, &layers, &mut places).unwrap();
    let mut inputs = normals(1, SAMPLES * STEPS * 2);
    for (sample, input) in inputs.chunks_mut(STEPS * 2).enumerate() {
        input[0] = sample as f32;
    }
    let mut arena = vec![0.0; plan.arena_len(0, 1).unwrap()];
    let (mut order, mut batch) = (vec![0; SAMPLES], vec![0; BATCH * answers]);
    let mut gradient = vec![0.0; BATCH * answers * classes];
    let memory = Memory { arena: &mut arena, order: &mut order, labels: &mut batch, gradient: &mut gradient };
    let update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
    let samples = Samples { inputs: &inputs, labels };
    let mut descent = Descent::new(plan, Level::detect(), &Serial, update, samples, memory, 1).unwrap();
    test(&mut descent, &inputs);
}

#[test]
fn every_sample_keeps_its_labels() {
    let labels: Vec<u32> = (0..2 * SAMPLES as u32).collect();
    with_descent(2, 3, &labels, |descent, _| {
        let mut seen = vec![0; SAMPLES];
        for _ in 0..SAMPLES {
            let mut found = Vec::new();
            let loss = |outputs: &[f32], labels: &[u32], gradient: &mut [f32]| -> Result<f32, DescentError> {
                assert_eq!((outputs.len(), gradient.len()), (BATCH * 2 * 3, BATCH * 2 * 3));
                found = labels.to_vec();
                gradient.fill(0.0);
                Ok(0.0)
            };
            descent.measure(loss, &mut Unwatched).unwrap();
            for (row, labels) in descent.arena().values.chunks(STEPS * 2).zip(found.chunks(2)) {
                let sample = row[0] as u32;
                assert_eq!(labels, [2 * sample, 2 * sample + 1]);
                seen[sample as usize] += 1;
            }
        }
        assert!(seen.iter().all(|count| *count == BATCH), "each sample is drawn equally often: {seen:?}");
    });
}

/// The outputs over all samples, from batches of their own.
fn outputs(descent: &Descent<'_, Serial>, inputs: &[f32], answers: usize, classes: usize) -> Vec<f32> {
    let recurrent = Recurrent { shown: Shown::Last(answers), ..Recurrent::new(Cell::Gru, 5, Init::LECUN) };
    let layers = [Layer::Recurrent(recurrent), Layer::dense(classes, Init::LECUN)];
    isobath_tests::case::Case::new("all samples", Signal::sequence(STEPS, 2), SAMPLES, layers.to_vec()).run(
        |plan, arena| {
            arena.parameters.copy_from_slice(descent.arena().parameters);
            arena.input_mut(&plan, SAMPLES).copy_from_slice(inputs);
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: SAMPLES };
            pass.forward(arena, Mode::Inference, &mut Unwatched).unwrap();
            arena.output(&plan, SAMPLES).to_vec()
        },
    )
}

#[test]
fn every_answer_is_counted() {
    let labels: Vec<u32> = (0..2 * SAMPLES as u32).map(|i| i * i % 3).collect();
    with_descent(2, 3, &labels, |descent, inputs| {
        let named = outputs(descent, inputs, 2, 3);
        let largest = |row: &[f32]| (0..3).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap() as u32;
        let right = named.chunks(3).zip(&labels).filter(|(row, label)| largest(row) == **label).count();
        assert!(right > 0 && right < labels.len(), "{right} would be told by anything");
        assert_eq!(descent.correct(Samples { inputs, labels: &labels }).unwrap(), right);
    });
}

#[test]
fn numbers_are_right_within_the_tolerance() {
    let nothing = vec![0; SAMPLES];
    with_descent(1, 1, &nothing, |descent, inputs| {
        let found = outputs(descent, inputs, 1, 1);
        // Off by 0, 0.01, 0.02, ... either way: with a tolerance of 0.045, five are right.
        let off = |i: usize| if i.is_multiple_of(2) { 0.01 * i as f32 } else { -0.01 * i as f32 };
        let labels: Vec<u32> = found.iter().enumerate().map(|(i, y)| (y + off(i)).to_bits()).collect();
        let samples = Samples { inputs, labels: &labels };
        assert_eq!(descent.close(samples, 0.045).unwrap(), 5);
        assert_eq!(descent.close(samples, 0.105).unwrap(), SAMPLES);
        let nan = vec![f32::NAN.to_bits(); SAMPLES];
        assert_eq!(descent.close(Samples { inputs, labels: &nan }, 1.0).unwrap(), 0);
    });
}
