//! A synthetic study with everything that a page has to stand: divergence, gaps, shared ranks, hostile names.

use crate::study::summary::{
    Course, Data, Group, Histogram, LayerFigures, LayerHistograms, Machine, Network, Outcome, PredictedLayer,
    Row, SCHEMA_VERSION, Spectrum, Spread, Summary, Training,
};

use crate::architecture::{Architecture, Norm};
use crate::study::claim::{Check, Claim, Figure, Verdict};
use crate::study::summary::Theory;
use crate::study::sweep::{Field, Point};

const DEPTH: usize = 30;
const STEPS: usize = 1500;
const RECORDED: usize = 20;
pub(super) const HOSTILE: &str = "<script>alert('x')</script> & \"quotes\"";

/// A network of the sample: log10 of the gradient's and the input's factor per layer, accuracy, rank.
struct Net {
    name: &'static str,
    change: &'static str,
    gradient: f64,
    input: f64,
    accuracy: f64,
    rank: usize,
    outcome: Outcome,
}

fn net(
    name: &'static str,
    change: &'static str,
    gradient: f64,
    input: f64,
    accuracy: f64,
    rank: usize,
) -> Net {
    let outcome = match accuracy {
        a if a < 0.13 => Outcome::Stuck,
        a if a < 0.55 => Outcome::Partial,
        _ => Outcome::Trains,
    };
    Net { name, change, gradient, input, accuracy, rank, outcome }
}

/// A small repeatable disturbance between -1 and 1.
fn noise(i: usize, j: usize) -> f64 {
    ((i * 7919 + j * 104_729) % 2003) as f64 / 1001.0 - 1.0
}

/// Xavier's sigmoid layers at their fixed point.
fn predicted(layer: usize) -> PredictedLayer {
    let above = (DEPTH - layer) as f64;
    let (log10_delta, spread) = (Some(-0.627 * above), Some(0.02 * above.sqrt()));
    PredictedLayer { q: 0.273, log10_delta, spread, log10_x: (layer > 1).then_some(1.5) }
}

/// Of two layers: signals around 0, gradients of which a tenth is zero.
fn histograms(i: usize) -> Vec<LayerHistograms> {
    let counts = |top: usize| (0..32usize).map(|bin| (40 - bin.abs_diff(top)) as u32).collect();
    let histogram = |low: f64, high: f64, top, outside| Histogram { low, high, counts: counts(top), outside };
    let layer = |layer: usize| LayerHistograms {
        layer,
        signal: Some(histogram(-2.0 - i as f64, 2.5, 16, 0)),
        log10_delta: Some(histogram(layer as f64 - 40.0, layer as f64 - 36.5, 20, 100)),
    };
    [1, DEPTH].map(layer).to_vec()
}

/// 64 singular values over some decades.
fn spectrum(i: usize) -> Spectrum {
    let log10: Vec<f64> = (0..60).map(|k| 0.5 - 0.01 * (k * (i + 1)) as f64).collect();
    Spectrum { log10, lost: 4 }
}

fn row(i: usize, net: Net) -> Row {
    let diverged = matches!(net.outcome, Outcome::Diverged { .. });
    let learns = net.accuracy > 0.13 && !diverged;
    let end_rate = if learns { net.gradient * 0.35 } else { net.gradient };
    let delta = |layer: usize, progress: f64| {
        let rate = net.gradient + (end_rate - net.gradient) * progress;
        -0.6 - 0.8 * progress + rate * (DEPTH - layer) as f64 + 0.08 * noise(i, layer)
    };
    let x = |layer: usize| 0.6 + net.input * layer as f64 + 0.02 * noise(layer, i);
    let layers = (1..=DEPTH).map(|layer| LayerFigures {
        layer,
        log10_x: [Some(x(layer)), (!diverged).then(|| x(layer) + 0.1)],
        log10_delta: [Some(delta(layer, 0.0)), (!diverged).then(|| delta(layer, 1.0))],
        log10_gw: [Some(delta(layer, 0.0) + x(layer)), (!diverged).then(|| delta(layer, 1.0) + x(layer))],
        speed: [Some(10f64.powf(delta(layer, 0.0))), (!diverged).then(|| 10f64.powf(delta(layer, 1.0)))],
        dead: [Some(0.0), (!diverged).then_some(layer as f64 / 60.0)],
        saturated: [Some(0.5), (!diverged).then_some(0.5 + layer as f64 / 60.0)],
        mean: [Some(0.4), (!diverged).then_some(-0.1)],
        deviation: [Some(0.6), (!diverged).then_some(1.25)],
        moved: Some(10f64.powf(0.8 * delta(layer, 0.0).max(-12.0) - 0.2)),
        through_time: Default::default(),
    });
    let recorded = if diverged { 3 } else { RECORDED };
    let progress = |k: usize| if diverged { 0.0 } else { k as f64 / (RECORDED - 1) as f64 };
    let spread = |center: f64, width: f64| Spread::of(&[center, center - width, center + width * 0.8]);
    let per_step = |figure: &dyn Fn(usize, f64) -> f64| -> Vec<Vec<Option<f64>>> {
        let value = |k: usize, layer: usize| {
            (!(diverged && k == 2 && layer > 12)).then(|| figure(layer, progress(k)))
        };
        (0..recorded).map(|k| (1..=DEPTH).map(|layer| value(k, layer)).collect()).collect()
    };
    Row {
        name: net.name.to_owned(),
        change: net.change.to_owned(),
        equations: if i == 0 {
            vec![]
        } else {
            vec![format!("w ← w (1 − η λ), λ = {i}"), HOSTILE.to_owned()]
        },
        depth: DEPTH,
        network: None,
        accuracy: spread(net.accuracy, if learns { 0.012 } else { 0.004 }),
        rank: net.rank,
        setting: ["momentum 0.1", "momentum 0.01", "adam 0.001"][i % 3].to_owned(),
        grid_edge: (i % 4 == 1).then(|| "highest".to_owned()),
        survives: Vec::new(),
        theory: None,
        seconds_in_all: 1.0,
        accuracy_at_equal_cost: None,
        tuning: vec![
            Some(net.accuracy - 0.02),
            (i != 3).then_some(net.accuracy - 0.1),
            Some(net.accuracy - 0.04),
        ],
        steps: if diverged { 4 } else { STEPS },
        multiply_adds: 23_400_000_000 + 1_900_000_000 * (i as u64 % 4),
        ratio_start: spread(delta(1, 0.0) - delta(DEPTH, 0.0), 0.3),
        ratio_end: if diverged { None } else { spread(delta(1, 1.0) - delta(DEPTH, 1.0), 0.3) },
        noise_scale: [Some(12.5), (!diverged).then_some(340.0)],
        outcome: net.outcome,
        layers: layers.collect(),
        predicted: if i == 0 { (1..=DEPTH).map(predicted).collect() } else { Vec::new() },
        histograms: [histograms(i), if diverged { Vec::new() } else { histograms(i + 1) }],
        spectra: [Some(spectrum(i)), (!diverged).then(|| spectrum(i + 1))],
        course: Course {
            steps: (0..recorded).map(|k| if diverged { 2 * k } else { k * STEPS / (RECORDED - 1) }).collect(),
            loss: (0..recorded)
                .map(|k| {
                    let fall = if learns { 10f64.powf(-1.2 * progress(k)) } else { 1.0 };
                    (!(diverged && k == 2)).then_some(2.3 * fall + 0.03 * noise(i, k).abs())
                })
                .collect(),
            log10_gradient: (0..recorded).map(|k| Some(0.3 - progress(k) + 0.1 * noise(k, i))).collect(),
            clipped: vec![0.125 * i as f64; recorded],
            penalty: vec![Some(0.01); recorded],
            log10_w: per_step(&|layer, progress| 0.9 + 0.1 * progress + 0.01 * noise(i, layer)),
            prelu: if i == 1 {
                per_step(&|layer, progress| 0.25 - progress * layer as f64 / 60.0)
            } else {
                vec![]
            },
            log10_delta: per_step(&delta),
            speed: per_step(&|layer, progress| 10f64.powf(delta(layer, progress) - 0.2)),
        },
        hash: format!("{:016x}", 0x9f3c_0000_u64 + i as u64),
        seconds: 3.2 + i as f64 * 0.4,
        step_seconds: Some(2.5e-3),
    }
}

fn group(name: &str, title: &str, nets: Vec<Net>) -> Group {
    let rows = nets.into_iter().enumerate().map(|(i, net)| row(i, net)).collect();
    Group { name: name.to_owned(), title: title.to_owned(), data: None, sweep: None, budget: 0, rows }
}

/// A network of 30 layers of 64 units, with or without batch norm.
pub(super) fn network(activation: &str, init: &str, normed: bool) -> Option<Network> {
    let plain = Architecture::plain(DEPTH, 64, activation.parse().unwrap(), init.parse().unwrap());
    Network::of(&Architecture { norm: if normed { Norm::Batch } else { Norm::None }, ..plain })
}

/// Three groups of four to six rows, thirty layers deep.
pub(crate) fn remedies() -> Summary {
    let sigmoid = vec![
        net("sigmoid", "", -0.627, 0.0, 0.091, 6),
        net("batch norm", "Batch normalisation before each activation.", 0.007, 0.0, 0.801, 2),
        net("residual", "Identity shortcuts around every layer.", -0.02, 0.01, 0.823, 1),
        net("residual + batch norm", "Both of the above.", 0.006, 0.01, 0.836, 1),
        net("pre-training", "Stacked denoising autoencoders, 300 steps per layer.", -0.11, 0.0, 0.52, 4),
        net("layer norm", "Layer normalisation before each activation.", -0.408, 0.0, 0.112, 5),
    ];
    let tanh = vec![
        net("tanh uniform", "", -0.2386, -0.2, 0.185, 3),
        net("Xavier", "Weights of variance 1 / n.", -0.06, -0.02, 0.768, 2),
        net("critical orthogonal", "Orthogonal weights at the edge of chaos.", -0.002, 0.0, 0.819, 1),
    ];
    let mut relu = vec![
        net("relu uniform", "", -0.389, -0.389, 0.099, 5),
        net("He", "Weights of variance 2 / n.", 0.0, 0.0, 0.677, 2),
        net("ELU", "ELU in place of ReLU.", 0.008, 0.0, 0.834, 1),
        net(HOSTILE, "A name that <b>must</b> not reach the page as it is.", 0.084, 0.0, 0.411, 3),
        net("exploding, clipped never", "Weights of variance 3 / n.", 0.3, 0.12, 0.1, 4),
    ];
    if let Some(last) = relu.last_mut() {
        last.outcome = Outcome::Diverged { step: 4, layer: 13, seeds: 2 };
    }
    let mut groups = vec![
        group("sigmoid", "Sigmoid, Xavier initialisation", sigmoid),
        group("tanh", "Tanh, uniform initialisation", tanh),
        group("relu", "ReLU, uniform initialisation", relu),
    ];
    for (group, row, activation, init, normed) in [
        (0, 0, "sigmoid", "xavier", false),
        (0, 1, "sigmoid", "xavier", true),
        (1, 0, "tanh", "uniform", false),
        (1, 1, "tanh", "xavier", false),
        (2, 0, "relu", "uniform", false),
        (2, 2, "selu", "lecun", true),
        (2, 3, "gelu", "article", false),
    ] {
        groups[group].rows[row].network = network(activation, init, normed);
    }
    Summary {
        schema_version: SCHEMA_VERSION,
        name: "remedies".to_owned(),
        title: "Which remedy makes a 30-layer network train?".to_owned(),
        seed: 1,
        data: Data {
            source: "glyphs".to_owned(),
            train: 4000,
            validation: 1000,
            test: 2000,
            features: 144,
            classes: 10,
            answers: 1,
            majority_accuracy: 0.109,
            linear: Some(Row {
                depth: 0,
                layers: Vec::new(),
                course: Course::default(),
                ratio_start: None,
                ratio_end: None,
                ..row(2, net("linear softmax", "No hidden layer.", 0.0, 0.0, 0.52, 1))
            }),
        },
        training: Training {
            steps: STEPS,
            batch: 64,
            seeds: 3,
            grid: ["momentum 0.1", "momentum 0.01", "adam 0.001"].map(str::to_owned).to_vec(),
            loss: "cross-entropy".to_owned(),
        },
        claims: Vec::new(),
        groups,
        hash: "9f3c5a7e01b2d468".to_owned(),
        machine: Machine {
            level: "avx2".to_owned(),
            threads: 2,
            cpu: "Sample CPU".to_owned(),
            version: "0.1.0".to_owned(),
            numerics_version: 1,
            seconds: 96.4,
        },
    }
}

/// A study that scores nothing and looks at the speed of learning.
pub(super) fn depth() -> Summary {
    let mut summary = remedies();
    summary.name = "depth".to_owned();
    summary.title = "How fast does each layer of a sigmoid network learn?".to_owned();
    summary.data.linear = None;
    summary.training.grid.truncate(1);
    let shallow = |depth: usize, name: &'static str| {
        let mut row = row(depth, net(name, "", -0.7, 0.0, 0.9, 1));
        row.depth = depth;
        row.accuracy = None;
        row.layers.drain(..DEPTH - depth);
        for (i, layer) in row.layers.iter_mut().enumerate() {
            layer.layer = i + 1;
        }
        for figures in row.course.log10_delta.iter_mut().chain(&mut row.course.speed) {
            figures.drain(..DEPTH - depth);
        }
        row
    };
    let rows =
        vec![shallow(2, "2 hidden layers"), shallow(3, "3 hidden layers"), shallow(4, "4 hidden layers")];
    summary.groups = vec![Group {
        name: "sigmoid".to_owned(),
        title: "Sigmoid, 30 units per layer".to_owned(),
        data: None,
        sweep: None,
        budget: 0,
        rows,
    }];
    summary
}

/// The same networks at three depths, and two claims about them.
pub(super) fn swept() -> Summary {
    let mut summary = remedies();
    let group = summary.groups.remove(0);
    let at = |value: f64| Group {
        name: format!("{} depth {value}", group.name),
        sweep: Some(Point { of: group.name.clone(), field: Field::Depth, value }),
        ..group.clone()
    };
    summary.groups = [3.0, 10.0, 30.0].map(at).to_vec();
    for row in &mut summary.groups[2].rows {
        row.theory = Some(Theory {
            factor: Some(0.236),
            depth_scale: Some(0.346),
            correlation_depth_scale: None,
            one_decade: Some(2),
        });
    }
    let check = |figure, found, holds| Check {
        figure,
        of: HOSTILE.to_owned(),
        found,
        wanted: "above 0.5".to_owned(),
        holds,
    };
    let claim =
        |verdict, checks| Claim { says: HOSTILE.to_owned(), note: HOSTILE.to_owned(), verdict, checks };
    summary.claims = vec![
        claim(Verdict::Confirmed, vec![check(Figure::Accuracy, Some(0.75), true)]),
        claim(
            Verdict::InPart,
            vec![check(Figure::Factor, None, false), check(Figure::Factor, Some(0.6), true)],
        ),
    ];
    summary
}

/// One group of so many networks, as deep, and with so many recorded steps.
pub(crate) fn large(networks: usize, depth: usize, records: usize) -> Summary {
    let mut summary = remedies();
    summary.groups.truncate(1);
    let group = &mut summary.groups[0];
    let model = group.rows[1].clone();
    let row = |i: usize| {
        let mut row = Row { name: format!("network {i}"), depth, ..model.clone() };
        let figure =
            |step: usize, layer: usize| Some(-0.02 * layer as f64 * noise(i, step) + noise(layer, i + step));
        let layers = (1..=depth).map(|layer| LayerFigures {
            layer,
            log10_delta: [figure(0, layer), figure(records, layer)],
            ..model.layers[0].clone()
        });
        row.layers = layers.collect();
        let per_layer = |step: usize| (1..=depth).map(|layer| figure(step, layer)).collect::<Vec<_>>();
        let course = &mut row.course;
        course.steps = (0..records).map(|step| step * 10).collect();
        course.loss = (0..records).map(|step| Some(2.0 + noise(i, step))).collect();
        course.log10_delta = (0..records).map(per_layer).collect();
        for figures in [&mut course.penalty, &mut course.log10_gradient] {
            figures.resize(records, Some(-1.25));
        }
        course.clipped.resize(records, 0.5);
        for figures in [&mut course.log10_w, &mut course.speed] {
            *figures = vec![vec![Some(0.5); depth]; records];
        }
        row
    };
    group.rows = (0..networks).map(row).collect();
    summary
}
