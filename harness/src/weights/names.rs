//! What each tensor of a file is called, its shape, and where its elements lie in the arena.
//!
//! An element with indices i, j, ... lies at start + i stride_0 + j stride_1 + ...: a transpose is a choice of strides.

use crate::architecture::Built;
use crate::net::{Layer, Place, Plan};

/// The region of the arena that a tensor lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Region {
    Parameters,
    Statistics,
}

/// One tensor of a network.
///
/// ```
/// use isobath::architecture::{Architecture, Head};
/// use isobath::net::{Place, Signal};
/// use isobath::weights::tensors;
///
/// let built = Architecture::plain(1, 2, "tanh".parse()?, "xavier".parse()?).build(3, Head::None);
/// let mut places = vec![Place::default(); built.layers.len()];
/// let plan = built.plan(Signal::vector(3), 1, &mut places, None)?;
/// let weight = &tensors(&plan, &built)[0];
/// assert_eq!((weight.name.as_str(), &weight.shape[..]), ("hidden.1.weight", &[2, 3][..]));
/// assert!(weight.elements() == 6 && weight.is_trained());
/// // The file has a row per unit, the arena a column.
/// assert!(weight.places().eq([0, 2, 4, 1, 3, 5]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name in the file.
    pub name: String,
    /// Its shape in the file.
    pub shape: Vec<usize>,
    pub(super) region: Region,
    start: usize,
    strides: Vec<usize>,
}

impl Tensor {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it is trained; running statistics are not.
    pub fn is_trained(&self) -> bool {
        self.region == Region::Parameters
    }

    /// Where the elements lie in their region, in the order of the file.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        (0..self.elements()).map(|element| {
            let mut rest = element;
            let dimensions = self.shape.iter().zip(&self.strides).rev();
            dimensions.fold(self.start, |at, (length, stride)| {
                let index = rest % length;
                rest /= length;
                at + index * stride
            })
        })
    }
}

/// The tensors of a network from the input to the output.
///
/// ```
/// use isobath::architecture::{Architecture, Head, Norm};
/// use isobath::net::{Place, Signal};
/// use isobath::weights::tensors;
///
/// let plain = Architecture::plain(2, 4, "relu".parse()?, "he".parse()?);
/// let built = Architecture { norm: Norm::Layer, ..plain }.build(3, Head::Linear(2, "lecun".parse()?));
/// let mut places = vec![Place::default(); built.layers.len()];
/// let tensors = tensors(&built.plan(Signal::vector(3), 1, &mut places, None)?, &built);
/// let names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
/// assert_eq!(names[..4], ["hidden.1.weight", "hidden.1.bias", "hidden.1.norm.weight", "hidden.1.norm.bias"]);
/// assert_eq!(names[8..], ["output.weight", "output.bias"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn tensors(plan: &Plan<'_>, built: &Built) -> Vec<Tensor> {
    let mut names = Names { tensors: Vec::new(), prefix: String::new() };
    let mut branch = None;
    for (at, (layer, place)) in plan.layers().iter().zip(plan.places()).enumerate() {
        let hidden = built.dense_at.iter().filter(|dense| **dense <= at).count();
        let part = match hidden {
            _ if at >= built.top_at => "output".to_owned(),
            0 => "stem".to_owned(),
            _ => format!("hidden.{hidden}"),
        };
        match layer {
            Layer::SkipStart => branch = Some(0),
            Layer::SkipEnd { .. } | Layer::LearnedSkipEnd { .. } => branch = None,
            Layer::Dense(_) | Layer::Standardised(_) | Layer::Convolution(_) => {
                branch = branch.map(|k: usize| k + 1);
            }
            _ => {}
        }
        names.prefix = match branch {
            Some(k) => format!("{part}.branch.{k}"),
            None => part,
        };
        names.layer(layer, place);
    }
    names.tensors
}

struct Names {
    tensors: Vec<Tensor>,
    /// What the names of the layer's tensors begin with.
    prefix: String,
}

impl Names {
    fn layer(&mut self, layer: &Layer, place: &Place) {
        let (start, out) = (place.parameters, place.width);
        let biases = start + place.weight_count;
        match layer {
            Layer::Dense(_) => {
                self.matrix("weight", start, [out, place.fan_in]);
                self.vector("bias", biases, out);
            }
            Layer::Standardised(_) => {
                self.matrix("weight", start, [out, place.fan_in]);
                self.vector("bias", biases, out);
                self.vector("gain", biases + out, out);
            }
            Layer::Convolution(convolution) => {
                let (size, channels) = (convolution.window.size, place.from.channels);
                let shape = vec![out, channels, size, size];
                self.add("weight", shape, start, vec![1, out, size * channels * out, channels * out]);
                self.vector("bias", biases, out);
            }
            Layer::BatchNorm { .. } => {
                self.vector("norm.weight", start, out);
                self.vector("norm.bias", start + out, out);
                let first = self.tensors.len();
                self.vector("norm.running_mean", place.statistics + 3 * out, out);
                self.vector("norm.running_var", place.statistics + 4 * out, out);
                self.tensors.iter_mut().skip(first).for_each(|tensor| tensor.region = Region::Statistics);
            }
            Layer::LayerNorm { .. } => {
                self.vector("norm.weight", start, out);
                self.vector("norm.bias", start + out, out);
            }
            Layer::Activation(_) if place.parameter_count == 1 => self.vector("activation.weight", start, 1),
            Layer::LearnedSkipEnd { .. } => self.vector("scale", start, 1),
            Layer::Recurrent(recurrent) => {
                let units = recurrent.units;
                // One bias per unit of each gate.
                let gates = place.parameter_count - place.weight_count;
                let inputs = (place.weight_count / gates).saturating_sub(units);
                self.matrix("weight_ih", start, [gates, inputs]);
                self.matrix("weight_hh", start + inputs * gates, [gates, units]);
                self.vector("bias", biases, gates);
            }
            Layer::Activation(_)
            | Layer::MaxPool { .. }
            | Layer::AveragePool
            | Layer::Flatten
            | Layer::SkipStart
            | Layer::SkipEnd { .. } => {}
        }
    }

    /// The transpose of an in x out matrix.
    fn matrix(&mut self, name: &str, start: usize, [out, inputs]: [usize; 2]) {
        self.add(name, vec![out, inputs], start, vec![1, out]);
    }

    fn vector(&mut self, name: &str, start: usize, length: usize) {
        self.add(name, vec![length], start, vec![1]);
    }

    fn add(&mut self, name: &str, shape: Vec<usize>, start: usize, strides: Vec<usize>) {
        let name = format!("{}.{name}", self.prefix);
        self.tensors.push(Tensor { name, shape, region: Region::Parameters, start, strides });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::architecture::{Architecture, Convolutional, Head, Norm, Recurrence, Residual, Top};
    use crate::data::Form;
    use crate::init::Init;
    use crate::net::{Cell, ForgetBias, Signal};

    /// The tensors of a network, and how many parameters it has.
    fn named(architecture: &Architecture, form: Form, input: Signal) -> (Vec<Tensor>, usize) {
        let built = architecture.build(form, Head::Linear(3, Init::LECUN));
        let mut places = vec![Place::default(); built.layers.len()];
        let plan = Plan::new(input, 4, &built.layers, &mut places).unwrap();
        (tensors(&plan, &built), plan.parameters())
    }

    /// Of every kind of network: its form, what it makes of a sample, and itself.
    fn zoo() -> Vec<(Architecture, Form, Signal)> {
        let plain = Architecture::plain(3, 5, Activation::Prelu(0.25), Init::XAVIER);
        let vector = (Form::Vector(7), Signal::vector(7));
        let residual =
            Residual { scale_is_learned: true, activated_sum: true, ..Residual::new(1.0, 2, true) };
        let normed = Architecture { norm: Norm::Batch, ..plain };
        let blocks = Architecture { residual: Some(residual), norm: Norm::Layer, ..plain };
        let standardised = Architecture { standardised: true, ..plain };
        let convolution = Convolutional { kernel: 3, stages: None, top: Top::Flatten };
        let images = Architecture { convolution: Some(convolution), ..plain };
        let cell = |cell| {
            let recurrence = Recurrence { cell, forget_bias: ForgetBias::Fixed(1.0), clip: None };
            Architecture { cell: Some(recurrence), ..plain }
        };
        let sequence = Form::Sequence { steps: 6, features: 2, answers: 1 };
        let mut zoo: Vec<_> = [plain, normed, blocks, standardised].map(|a| (a, vector.0, vector.1)).into();
        zoo.push((images, Form::Image(6, 4), Signal::image(6, 4, 1)));
        for kind in [Cell::Lstm, Cell::Gru, Cell::Rnn(Activation::Tanh)] {
            zoo.push((cell(kind), sequence, Signal::sequence(6, 2)));
        }
        zoo
    }

    #[test]
    fn every_parameter_is_in_exactly_one_tensor_and_every_name_is_its_own() {
        for (architecture, form, input) in zoo() {
            let (tensors, parameters) = named(&architecture, form, input);
            let trained = tensors.iter().filter(|tensor| tensor.is_trained());
            let mut places: Vec<usize> = trained.flat_map(Tensor::places).collect();
            places.sort_unstable();
            assert!(places.into_iter().eq(0..parameters), "{architecture}");
            let mut names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{architecture}: {names:?}");
        }
    }

    #[test]
    fn names_and_shapes_are_those_that_pytorch_has() {
        let [(plain, form, input), (normed, ..), (blocks, ..), ..] = &zoo()[..] else { panic!("no zoo") };
        let list = |architecture| -> Vec<(String, Vec<usize>)> {
            named(architecture, *form, *input).0.into_iter().map(|t| (t.name, t.shape)).collect()
        };
        let expected = |name: &str, shape: &[usize]| (name.to_owned(), shape.to_owned());
        assert_eq!(
            list(plain)[..4],
            [
                expected("hidden.1.weight", &[5, 7]),
                expected("hidden.1.bias", &[5]),
                expected("hidden.1.activation.weight", &[1]),
                expected("hidden.2.weight", &[5, 5]),
            ]
        );
        assert_eq!(list(plain).last(), Some(&expected("output.bias", &[3])));
        assert!(list(normed).contains(&expected("hidden.3.norm.running_var", &[5])));
        let names = list(blocks);
        for (name, shape) in [
            ("stem.weight", &[5, 7][..]),
            ("hidden.1.branch.2.weight", &[5, 5]),
            ("hidden.3.branch.1.norm.bias", &[5]),
            ("hidden.2.scale", &[1]),
            ("hidden.2.activation.weight", &[1]),
        ] {
            assert!(names.contains(&expected(name, shape)), "{name} is not in {names:?}");
        }
    }

    /// A convolution's element by its definition: row (y k + x) C + c of W, column c'.
    #[test]
    fn a_convolution_is_turned_to_out_in_rows_columns() {
        let (architecture, form, input) = zoo()[4];
        let tensor = named(&architecture, form, input).0.into_iter().find(|t| t.name == "hidden.2.weight");
        let tensor = tensor.unwrap();
        assert_eq!(tensor.shape, [5, 5, 3, 3]);
        let places: Vec<usize> = tensor.places().collect();
        let first = places[0];
        for (out, channel, y, x) in [(0, 0, 0, 1), (0, 0, 1, 0), (0, 1, 0, 0), (1, 0, 0, 0), (4, 3, 2, 1)] {
            let in_file = ((out * 5 + channel) * 3 + y) * 3 + x;
            assert_eq!(places[in_file] - first, ((y * 3 + x) * 5 + channel) * 5 + out);
        }
    }
}
