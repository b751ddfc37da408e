//! Fixed points, rates, depth scales and correlations of plain networks, and the rates measured at width 256, depth 20.

use isobath_kernels::Level;

use super::networks::{measured_chi, plain, predict_and_measure};
use super::{Check, Table, VerifyError};
use crate::activation::Activation::{self, Elu, Relu, Selu, Sigmoid, Tanh};
use crate::init::Init;

/// One ensemble: phi, how it starts, q* and chi in the limit, its depth scale, and the chi that 19 factors of width 256
/// were found to show in an independent simulation: transients and the width move it away from the limit.
type Row = (&'static str, Activation, Init, Option<f64>, f64, Option<f64>, Option<f64>);

const ROWS: [Row; 13] = [
    ("sigmoid uniform", Sigmoid, Init::UNIFORM, Some(0.0850338), 0.0200078, Some(0.256), Some(0.01996)),
    ("sigmoid Xavier", Sigmoid, Init::XAVIER, Some(0.2646869), 0.0557207, Some(0.346), Some(0.05533)),
    ("sigmoid article", Sigmoid, Init::ARTICLE, Some(1.3021340), 0.0419597, Some(0.315), Some(0.04164)),
    ("tanh uniform", Tanh, Init::UNIFORM, Some(0.0), 1.0 / 3.0, Some(0.910), Some(0.3146)),
    ("tanh (1, .05)", Tanh, Init::gaussian(1.0, 0.05), Some(0.1935925), 0.7590316, Some(3.627), Some(0.7555)),
    ("tanh critical", Tanh, Init::gaussian(1.760_954_6, 0.05), Some(0.5700479), 1.0, None, Some(0.9955)),
    ("tanh (2.5, .05)", Tanh, Init::gaussian(2.5, 0.05), Some(1.0639584), 1.1335157, Some(7.979), Some(1.14)),
    ("tanh (16, .09)", Tanh, Init::gaussian(16.0, 0.09), Some(12.604150), 2.3672610, Some(1.16035), None),
    ("relu uniform", Relu, Init::UNIFORM, Some(0.0), 1.0 / 6.0, Some(0.558), Some(0.16703)),
    ("relu Xavier", Relu, Init::XAVIER, Some(0.0), 0.5, Some(1.443), Some(0.4966)),
    ("relu He", Relu, Init::HE, None, 1.0, None, Some(0.9932)),
    (
        "elu (1.55, 0)",
        Elu(1.0),
        Init::gaussian(1.55, 0.0),
        Some(0.9969357),
        1.0358566,
        Some(28.4),
        Some(1.0347),
    ),
    ("selu", Selu, Init::LECUN, Some(1.0), 1.0715750, Some(14.47), Some(1.0697)),
];

/// c* and its depth scale in the chaotic phase: name of the row above, c*, layers.
const CHAOTIC: [(&str, f64, f64); 2] =
    [("tanh (2.5, .05)", 0.446804, 11.796), ("tanh (16, .09)", 0.0296959, 3.639)];

pub(super) fn table(level: Level) -> Result<Table, VerifyError> {
    let mut checks = Vec::new();
    for (name, activation, init, q, chi, depth_scale, measured) in ROWS {
        let (theory, figures) = predict_and_measure(&plain(activation, init, 20, 256), level)?;
        if let Some(q) = q {
            checks.push(Check::absolute(format!("{name}: q*"), q, theory.q_star, 2e-6 * q.max(1e-6)));
        }
        checks.push(Check::relative(format!("{name}: chi"), chi, theory.chi, 2e-6));
        checks.push(Check::relative(format!("{name}: sqrt chi"), chi.sqrt(), theory.sqrt_chi, 1e-6));
        if let Some(layers) = depth_scale {
            checks.push(Check::relative(format!("{name}: depth scale"), layers, theory.depth_scale, 2e-3));
        }
        if let Some((_, c_star, layers)) = CHAOTIC.iter().find(|(row, ..)| *row == name) {
            checks.push(Check::absolute(format!("{name}: c*"), *c_star, theory.c_star, 1e-6));
            let scale = theory.correlation_depth_scale;
            checks.push(Check::relative(format!("{name}: correlation depth scale"), *layers, scale, 2e-4));
        }
        if let Some(measured) = measured {
            checks.push(measured_chi(name, measured, &figures));
        }
    }
    Ok(Table { subject: "mean field", checks })
}
