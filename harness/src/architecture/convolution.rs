//! Hidden layers of convolutions instead of dense ones.
//!
//! All windows are square, of one odd side, with the padding that keeps an image's size; the layer norm of such a
//! network is over the channels of each position, its batch norm over all positions of the batch, channel by channel.
//! Where there are stages, each but the first works on an image of half the rows and columns.

use super::Architecture;
use crate::init::Init;
use crate::net::{Convolution, Layer, Window};

/// How an image is made half as high and wide.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Convolutional, Halving, Head, Top};
/// use isobath::data::Form;
/// use isobath::init::Init;
/// use isobath::net::Layer;
///
/// // Two stages of two layers: a pool between them, or a first layer that steps over every other position.
/// let layers = |halving| {
///     let convolution = Convolutional { kernel: 3, stages: Some((2, halving)), top: Top::Average };
///     let plain = Architecture::plain(4, 8, Activation::Relu, Init::HE);
///     let network = Architecture { convolution: Some(convolution), ..plain };
///     network.build(Form::Image(12, 12), Head::None).layers
/// };
/// assert_eq!(layers(Halving::MaxPool)[4], Layer::MaxPool { size: 2, stride: 2 });
/// assert!(matches!(layers(Halving::Stride)[4], Layer::Convolution(third) if third.window.stride == 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halving {
    /// By the largest of 2 x 2 positions, behind the last layer or block of a stage.
    MaxPool,
    /// By steps of two positions in the first layer of the next stage. Not for residual networks, whose shortcuts have
    /// no such layer.
    Stride,
}

/// What stands between the last hidden layer and the head.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Convolutional, Head, Top};
/// use isobath::data::Form;
/// use isobath::init::Init;
/// use isobath::net::{Place, PlanError, Signal};
///
/// // What the head sees of 8 channels on 12 x 12 positions.
/// let seen = |top| -> Result<usize, PlanError> {
///     let convolution = Some(Convolutional { kernel: 3, stages: None, top });
///     let plain = Architecture::plain(1, 8, Activation::Relu, Init::HE);
///     let network = Architecture { convolution, ..plain };
///     let built = network.build(Form::Image(12, 12), Head::Linear(10, Init::LECUN));
///     let mut places = vec![Place::default(); built.layers.len()];
///     let plan = built.plan(Signal::image(12, 12, 1), 1, &mut places, None)?;
///     Ok(plan.places()[built.top_at + 1].from.elements())
/// };
/// assert_eq!(seen(Top::Average)?, 8);
/// assert_eq!(seen(Top::Flatten)?, 8 * 12 * 12);
/// # Ok::<(), PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Top {
    /// The mean of each channel over all positions.
    Average,
    /// All positions of all channels.
    Flatten,
}

/// The windows of a network's hidden layers, and its stages.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Convolutional, Head, Top};
/// use isobath::data::Form;
/// use isobath::init::Init;
/// use isobath::net::{Layer, Window};
///
/// let convolution = Some(Convolutional { kernel: 3, stages: None, top: Top::Average });
/// let plain = Architecture::plain(2, 8, Activation::Relu, Init::HE);
/// let network = Architecture { convolution, ..plain };
/// assert_eq!(network.to_string(), "2 relu convolutions (3 x 3) of 8");
/// // A border of one pixel keeps the size of the image.
/// let built = network.build(Form::Image(12, 12), Head::Linear(10, Init::LECUN));
/// let window = Window { size: 3, stride: 1, padding: 1 };
/// assert_eq!(built.layers[built.dense_at[1]], Layer::convolution(8, window, Init::HE));
/// assert_eq!(built.layers[built.top_at], Layer::AveragePool);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolutional {
    /// Rows and columns of a window, odd.
    pub kernel: usize,
    /// Hidden layers or blocks of a stage, and how the next one's images become smaller; none: all is one stage.
    pub stages: Option<(usize, Halving)>,
    /// What the head sees.
    pub top: Top,
}

impl Convolutional {
    /// The weights of hidden layer `number` (from 1), or of a layer of its block; 0 is the stem.
    pub(super) fn layer(&self, of: &Architecture, number: usize, init: Init, weight_scale: f32) -> Layer {
        let is_first_of_later = |layers: usize| number > 1 && (number - 1).is_multiple_of(layers);
        let stride = match self.stages {
            Some((layers, Halving::Stride)) if is_first_of_later(layers) => 2,
            _ => 1,
        };
        let window = Window { size: self.kernel, stride, padding: self.kernel / 2 };
        Layer::Convolution(Convolution { channels: of.width, window, init, weight_scale })
    }

    /// What follows hidden layer or block `number` of `depth`.
    pub(super) fn behind(&self, number: usize, depth: usize) -> Option<Layer> {
        match self.stages {
            Some((layers, Halving::MaxPool)) if number < depth && number.is_multiple_of(layers) => {
                Some(Layer::MaxPool { size: 2, stride: 2 })
            }
            _ => None,
        }
    }

    /// What leads to the head.
    pub(super) fn top(&self) -> Layer {
        match self.top {
            Top::Average => Layer::AveragePool,
            Top::Flatten => Layer::Flatten,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::architecture::{Head, Norm, Residual};
    use crate::data::Form;
    use crate::net::{Place, Plan, Signal};

    const FORM: Form = Form::Image(12, 10);
    const IMAGE: Signal = Signal::image(12, 10, 1);

    fn network(depth: usize, stages: Option<(usize, Halving)>, top: Top) -> Architecture {
        let convolution = Some(Convolutional { kernel: 3, stages, top });
        Architecture { convolution, ..Architecture::plain(depth, 8, Activation::Relu, Init::HE) }
    }

    /// What a sample is at the first layer of each hidden layer or block, at the top of them, and at the output.
    fn signals(architecture: &Architecture) -> Vec<Signal> {
        let built = architecture.build(FORM, Head::Linear(10, Init::LECUN));
        let mut places = vec![Place::default(); built.layers.len()];
        let plan = Plan::new(IMAGE, 2, &built.layers, &mut places).unwrap();
        assert_eq!((built.dense_at.len(), built.delta_at.len()), (architecture.depth, architecture.depth));
        for at in &built.dense_at {
            assert!(matches!(built.layers[*at], Layer::Convolution(_)));
        }
        let seen = built.dense_at.iter().chain([&built.top_at]).map(|at| plan.places()[*at].from);
        seen.chain([plan.output_signal()]).collect()
    }

    #[test]
    fn plain_layers_in_stages() {
        let (full, half, quarter) =
            (Signal::image(12, 10, 8), Signal::image(6, 5, 8), Signal::image(3, 3, 8));
        let out = Signal::vector(10);
        assert_eq!(signals(&network(3, None, Top::Average)), [IMAGE, full, full, full, out]);
        let by = |halving| network(5, Some((2, halving)), Top::Flatten);
        assert_eq!(signals(&by(Halving::Stride)), [IMAGE, full, full, half, half, quarter, out]);
        let quarter = Signal::image(3, 2, 8);
        assert_eq!(signals(&by(Halving::MaxPool)), [IMAGE, full, half, half, quarter, quarter, out]);
        // Nothing is halved behind the last layer.
        let one_stage = network(2, Some((2, Halving::MaxPool)), Top::Average);
        assert_eq!(signals(&one_stage), [IMAGE, full, full, out]);
    }

    #[test]
    fn residual_blocks_have_a_stem_and_pools_between_them() {
        let residual = Some(Residual::new(0.5, 2, true));
        let plain = network(3, Some((1, Halving::MaxPool)), Top::Average);
        let network = Architecture { residual, norm: Norm::Batch, ..plain };
        let (full, half, quarter) =
            (Signal::image(12, 10, 8), Signal::image(6, 5, 8), Signal::image(3, 2, 8));
        assert_eq!(signals(&network), [full, half, quarter, quarter, Signal::vector(10)]);
        let built = network.build(FORM, Head::Linear(10, Init::LECUN));
        assert!(matches!(built.layers[0], Layer::Convolution(stem) if stem.init == Init::LECUN));
        for at in &built.delta_at {
            assert_eq!(built.layers[*at], Layer::SkipStart);
        }
        assert_eq!(built.layers[built.top_at], Layer::AveragePool);
    }

    #[test]
    fn a_planted_defect_is_in_its_layer() {
        let network = Architecture { scale_layer: Some((2, 7.0)), ..network(3, None, Top::Average) };
        let built = network.build(FORM, Head::None);
        let scales = built.dense_at.iter().map(|at| match built.layers[*at] {
            Layer::Convolution(layer) => layer.weight_scale,
            _ => panic!("no convolution"),
        });
        assert_eq!(scales.collect::<Vec<f32>>(), [1.0, 7.0, 1.0]);
    }

    #[test]
    fn names() {
        let plain = network(20, None, Top::Average);
        assert_eq!(plain.to_string(), "20 relu convolutions (3 x 3) of 8");
        let residual = Some(Residual::new(1.0, 2, true));
        let residual = Architecture { residual, norm: Norm::Batch, ..plain };
        assert_eq!(
            residual.to_string(),
            "20 relu residual blocks of convolutions (3 x 3) of 8 with batch norm"
        );
    }
}
