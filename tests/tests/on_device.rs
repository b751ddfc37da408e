//! The example for microcontrollers learns, and what it refuses.

use isobath_tests::case::normals;

#[expect(unused_attributes, unreachable_pub, reason = "written as the root of a crate")]
#[path = "../../kernels/examples/on_device.rs"]
mod on_device;

use on_device::{CLASSES, Error, INPUTS, Network};

/// A wave of one to three periods with noise.
fn sample(class: usize, noise: &[f32]) -> [f32; INPUTS] {
    std::array::from_fn(|i| {
        let phase = (class + 1) as f32 * i as f32 / INPUTS as f32;
        libm::sinf(2.0 * std::f32::consts::PI * phase) + 0.3 * noise[i]
    })
}

#[test]
fn the_network_of_the_example_learns() {
    let noise = normals(7, 2000 * INPUTS);
    let samples: Vec<_> = noise.chunks(INPUTS).enumerate().map(|(i, noise)| (i % CLASSES, noise)).collect();
    let (train, test) = samples.split_at(1700);
    let mut network = Network::default();
    network.initialise(1);
    let losses: Vec<f32> = train
        .iter()
        .map(|(class, noise)| network.learn(&sample(*class, noise), *class as u32).unwrap())
        .collect();
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..10]), mean(&losses[1600..]));
    assert!(first > 0.8 && last < 0.01, "{first} {last}");
    let right =
        test.iter().filter(|(class, noise)| network.classify(&sample(*class, noise)).unwrap() == *class);
    assert!(right.count() > 290);
}

#[test]
fn a_label_that_is_no_class_changes_nothing() {
    let mut network = Network::new();
    network.initialise(1);
    let x = sample(0, &[0.0; INPUTS]);
    let before = network.learn(&x, 0).unwrap();
    let second = network.learn(&x, 0).unwrap();
    let mut network = Network::new();
    network.initialise(1);
    assert_eq!(network.learn(&x, 0).unwrap().to_bits(), before.to_bits());
    assert!(matches!(network.learn(&x, CLASSES as u32), Err(Error::Loss(_))));
    assert_eq!(network.learn(&x, 0).unwrap().to_bits(), second.to_bits());
}
