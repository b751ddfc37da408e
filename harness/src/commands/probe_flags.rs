//! The flags that describe networks and what is sent through them, shared by `probe` and `theory`, and the [`Setup`]
//! that they make.

use clap::{Args, ValueEnum};

use super::common::{BAD_INPUT, Failure, INPUT_OUTPUT};
use super::probe_values::{
    BranchScale, activation, bias_variance, branch_scale, finite, init, inverse_root, scaled_layer, up_to,
    weight_variance,
};
use crate::activation::Activation;
use crate::architecture::{Architecture, Norm, NormPosition, Residual};
use crate::data::{DataError, Dataset, Sizes, Source};
use crate::init::{Family, Init, WeightVariance};
use crate::probe::{Cell, CellSetup, Cotangent, NORM_BATCH, SURVEY_ROWS, Setup};

/// Training samples that are loaded, at least.
const SAMPLES: usize = 1024;
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum NormFlag {
    #[default]
    None,
    Batch,
    Layer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PositionFlag {
    Pre,
    Post,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ResidualFlag {
    #[default]
    None,
    Identity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BranchLast {
    Linear,
    Activation,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum CotangentFlag {
    #[default]
    Gaussian,
    Loss,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CellFlag {
    Lstm,
    Gru,
    Rnn,
}

/// Flags that describe networks.
#[derive(Clone, Debug, Args)]
pub(super) struct NetworkFlags {
    /// Hidden layers, or residual blocks
    #[arg(long, value_name = "L", default_value_t = 30, value_parser = up_to(10_000))]
    depth: usize,
    /// Units per hidden layer
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = up_to(65_536))]
    width: usize,
    /// Columns of the input; the width, or the data's own, by default
    #[arg(long, value_name = "N", value_parser = up_to(65_536))]
    input_width: Option<usize>,
    /// sigmoid, tanh, relu, leaky:0.01, prelu:0.25, elu, elu:1.5, selu, gelu, gelu-tanh, silu, softplus, identity
    #[arg(long, value_name = "NAME", default_value = "sigmoid", value_parser = activation)]
    activation: Activation,
    /// xavier, he, lecun, uniform, orthogonal, article [default: xavier]
    #[arg(long, value_name = "NAME", value_parser = init)]
    init: Option<Init>,
    /// s_w^2: Gaussian weights of variance V / fan-in, or the scale of `--init orthogonal` and `uniform`
    #[arg(long, value_name = "V", value_parser = weight_variance, allow_hyphen_values = true)]
    weight_var: Option<f32>,
    /// s_b^2: Gaussian biases of variance V
    #[arg(long, value_name = "V", value_parser = bias_variance, allow_hyphen_values = true)]
    bias_var: Option<f32>,
    /// The normalisation
    #[arg(long, value_enum, default_value_t)]
    norm: NormFlag,
    /// Before or after the activation [default: pre]
    #[arg(long, value_enum)]
    norm_position: Option<PositionFlag>,
    /// Identity skip connections
    #[arg(long, value_enum, default_value_t)]
    residual: ResidualFlag,
    /// The factor on a branch: a number or 1/sqrt(L) [default: 1]
    #[arg(long, value_name = "S", value_parser = branch_scale, allow_hyphen_values = true)]
    branch_scale: Option<BranchScale>,
    /// Dense layers per branch [default: 2]
    #[arg(long, value_name = "K", value_parser = up_to(64))]
    branch_layers: Option<usize>,
    /// What a branch ends with: linear (default for two layers and more) or activation (default for one)
    #[arg(long, value_enum)]
    branch_last: Option<BranchLast>,
    /// A planted defect: layer K's weights times F
    #[arg(long, value_name = "K:F", value_parser = scaled_layer)]
    scale_layer: Option<(usize, f32)>,
    /// Samples per network [default: 1, as theory assumes; 128 with batch norm]
    #[arg(long, value_name = "B", value_parser = up_to(65_536))]
    batch: Option<usize>,
    /// Networks to average over
    #[arg(long, value_name = "R", default_value_t = 8, value_parser = up_to(1_000_000))]
    nets: usize,
    /// What is sent down: a Gaussian gradient, or the loss's through a linear head
    #[arg(long, value_enum, default_value_t)]
    cotangent: CotangentFlag,
    /// Inputs from glyphs, spirals, teacher, gaussian, idx:DIR or csv:FILE instead of Gaussian ones scaled to theory's
    /// fixed point
    #[arg(long, value_name = "SOURCE")]
    data: Option<Source>,
    /// Compare the gradients of two inputs with this correlation, from -1 to 1
    #[arg(long, value_name = "RHO", allow_hyphen_values = true)]
    pair_correlation: Option<f64>,
    /// Compute the singular values of the Jacobian of output to input
    #[arg(long)]
    jacobian: bool,
    /// Recurrent cells, deep in time, instead of layers
    #[arg(long, value_enum, conflicts_with_all = LAYERED)]
    cell: Option<CellFlag>,
    /// Steps in time [default: 100]
    #[arg(long, value_name = "T", requires = "cell", value_parser = up_to(1_000_000))]
    steps: Option<usize>,
    /// The bias of the gate that keeps the state, of lstm and gru [default: 0]
    #[arg(long, value_name = "B", requires = "cell", allow_hyphen_values = true, value_parser = finite)]
    forget_bias: Option<f32>,
}

/// What a cell does not have.
const LAYERED: [&str; 13] = [
    "depth",
    "input_width",
    "norm",
    "norm_position",
    "residual",
    "branch_scale",
    "branch_layers",
    "branch_last",
    "scale_layer",
    "cotangent",
    "data",
    "pair_correlation",
    "jacobian",
];

/// Steps in time where none are given.
pub(super) const STEPS: usize = 100;

/// What the flags describe.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) setup: Setup,
    pub(super) source: Option<Source>,
    /// The training split of the source.
    pub(super) data: Option<Dataset>,
}

impl NetworkFlags {
    /// Checks the flags against each other and loads the data.
    pub(super) fn request(&self, seed: u64) -> Result<Request, Failure> {
        if self.cell.is_some() {
            return Err(Failure::bad_input("--cell: `isobath probe` and `isobath theory` take cells"));
        }
        let norm = match self.norm {
            NormFlag::None => Norm::None,
            NormFlag::Batch => Norm::Batch,
            NormFlag::Layer => Norm::Layer,
        };
        let batch = self.batch.unwrap_or(if norm == Norm::Batch { NORM_BATCH } else { 1 });
        if norm == Norm::Batch && batch < 2 {
            return Err(Failure::bad_input("--batch is 1; with --norm batch it must be 2 to 65536"));
        }
        if norm == Norm::None && self.norm_position.is_some() {
            return Err(Failure::bad_input("--norm-position needs --norm batch or --norm layer"));
        }
        let norm_position = match self.norm_position {
            Some(PositionFlag::Post) => NormPosition::Post,
            Some(PositionFlag::Pre) | None => NormPosition::Pre,
        };
        if let Some((layer, _)) = self.scale_layer
            && layer > self.depth
        {
            let depth = self.depth;
            return Err(Failure::bad_input(format!(
                "--scale-layer: there is no layer {layer}; K must be 1 to {depth}"
            )));
        }
        let architecture = Architecture {
            norm,
            norm_position,
            residual: self.residual()?,
            standardised: false,
            scale_layer: self.scale_layer,
            ..Architecture::plain(self.depth, self.width, self.activation, self.init()?)
        };
        let data = self.load(batch, seed)?;
        let input_width = data.as_ref().map(Dataset::features).or(self.input_width).unwrap_or(self.width);
        let cotangent = match self.cotangent {
            CotangentFlag::Gaussian => Cotangent::Gaussian,
            CotangentFlag::Loss => Cotangent::Loss,
        };
        if let Some(rho) = self.pair_correlation
            && !(-1.0..=1.0).contains(&rho)
        {
            return Err(Failure::bad_input(format!("--pair-correlation is {rho}; allowed is -1 to 1")));
        }
        let Self { nets, pair_correlation, jacobian, .. } = *self;
        let setup =
            Setup { architecture, input_width, batch, nets, cotangent, pair_correlation, jacobian, seed };
        Ok(Request { setup, source: self.data.clone(), data })
    }

    /// The recurrent cells that the flags describe, if they describe cells.
    pub(super) fn cells(&self, seed: u64) -> Result<Option<CellSetup>, Failure> {
        let Some(cell) = self.cell else { return Ok(None) };
        let cell = match cell {
            CellFlag::Lstm => Cell::Lstm,
            CellFlag::Gru => Cell::Gru,
            CellFlag::Rnn => Cell::Rnn,
        };
        if cell == Cell::Rnn && self.forget_bias.is_some() {
            return Err(Failure::bad_input("--forget-bias goes with --cell lstm or gru; an rnn has no gate"));
        }
        if cell != Cell::Rnn && self.activation != Activation::Sigmoid {
            return Err(Failure::bad_input(format!(
                "--activation {} goes with --cell rnn; lstm and gru have sigmoid gates and tanh",
                self.activation
            )));
        }
        Ok(Some(CellSetup {
            cell,
            width: self.width,
            steps: self.steps.unwrap_or(STEPS),
            forget_bias: self.forget_bias.unwrap_or(0.0),
            activation: self.activation,
            init: self.init()?,
            batch: self.batch.unwrap_or(1),
            nets: self.nets,
            seed,
        }))
    }

    fn init(&self) -> Result<Init, Failure> {
        let base = match self.init {
            None if self.weight_var.is_some() => Init::LECUN,
            None => Init::XAVIER,
            Some(init) => init,
        };
        if self.init.is_some() && base.family == Family::Gaussian {
            for (flag, given) in [("--weight-var", self.weight_var), ("--bias-var", self.bias_var)] {
                if let Some(value) = given {
                    return Err(Failure::bad_input(format!(
                        "{flag} {value}: the named initialiser sets the variances itself; {flag} goes without --init, or \
                         with --init orthogonal or --init uniform"
                    )));
                }
            }
        }
        let weight_variance = self.weight_var.map_or(base.weight_variance, WeightVariance::Fixed);
        Ok(Init { weight_variance, bias_variance: self.bias_var.unwrap_or(base.bias_variance), ..base })
    }

    fn residual(&self) -> Result<Option<Residual>, Failure> {
        if self.residual == ResidualFlag::None {
            let flags = [
                ("--branch-scale", self.branch_scale.is_some()),
                ("--branch-layers", self.branch_layers.is_some()),
                ("--branch-last", self.branch_last.is_some()),
            ];
            return match flags.iter().find(|(_, given)| *given) {
                Some((flag, _)) => Err(Failure::bad_input(format!("{flag} needs --residual identity"))),
                None => Ok(None),
            };
        }
        let layers = self.branch_layers.unwrap_or(2);
        let scale = match self.branch_scale.unwrap_or(BranchScale::Fixed(1.0)) {
            BranchScale::Fixed(scale) => scale,
            BranchScale::InverseRootDepth => inverse_root(self.depth),
        };
        let last_is_linear = match self.branch_last {
            Some(last) => last == BranchLast::Linear,
            None => layers >= 2,
        };
        Ok(Some(Residual::new(scale, layers, last_is_linear)))
    }

    fn load(&self, batch: usize, seed: u64) -> Result<Option<Dataset>, Failure> {
        let Some(source) = &self.data else { return Ok(None) };
        let sizes = Sizes { train: SAMPLES.max(batch).max(SURVEY_ROWS), validation: 1, test: 1 };
        let splits = source
            .load(&sizes, seed)
            .map_err(|error| Failure { code: data_code(&error), message: format!("--data: {error}") })?;
        let (features, samples) = (splits.train.features(), splits.train.len());
        if let Some(width) = self.input_width
            && width != features
        {
            return Err(Failure::bad_input(format!(
                "--input-width is {width}, but the data of --data {source} has {features} columns"
            )));
        }
        if samples < batch {
            return Err(Failure::bad_input(format!(
                "--batch is {batch}; with --data {source} it must be 1 to {samples}, its training samples"
            )));
        }
        Ok(Some(splits.train))
    }
}

/// The exit code of data that cannot be had.
fn data_code(error: &DataError) -> u8 {
    match error {
        DataError::Read { .. } | DataError::Memory { .. } => INPUT_OUTPUT,
        _ => BAD_INPUT,
    }
}
