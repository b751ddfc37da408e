//! The singular values of the hidden layers' Jacobian of each network, before training and after it, beside the density
//! that theory expects of a wide network, if it knows one.

use super::chart::{Chart, Line, Scales};
use super::figure::{Figure, panel};
use super::figures::{PANEL, panels_of};
use super::files;
use super::histogram::MOMENTS;
use super::mark::{Mark, legend};
use super::points::Points;
use crate::study::summary::{Group, Row, Spectrum};
use crate::theory::spectrum::Layers;

/// The fewest and the most bins over the range of a network's singular values.
const BINS: (usize, usize) = (6, 24);
/// Places in a bin at which the expected density is computed.
const PLACES: usize = 4;

fn marks() -> [Mark; 3] {
    [
        Mark::plain(0, 0, MOMENTS[0].to_owned()),
        Mark::plain(1, 0, MOMENTS[1].to_owned()),
        Mark {
            attributes: "class=\"series predicted ink\"".to_owned(),
            title: "expected before the first step".to_owned(),
        },
    ]
}

/// The figure of a group; none where no row has a spectrum.
pub(super) fn figure(group: &Group) -> Option<Figure> {
    let panels: String = group
        .rows
        .iter()
        .filter(|row| row.spectra.iter().flatten().any(|spectrum| !spectrum.log10.is_empty()))
        .map(|row| panel(&row.name, &picture(row)))
        .collect();
    (!panels.is_empty()).then(|| Figure {
        title: "Singular values of the Jacobian".to_owned(),
        caption: "How the hidden layers stretch small changes on their way from h of layer 1 to the output of the last one, \
                  and gradients on their way back: the density of the singular values s of dxᴸ/dh¹ per power of ten, at one \
                  training sample. A network passes gradients on in every direction where all s lie near 1; those far to the left \
                  are directions that vanish. Batch norm has the statistics of the first 128 training samples, held fixed; of a \
                  recurrent network it is the topmost layer's dh/dh from the first step to the last, of an LSTM dh/dc. Dotted: what \
                  theory expects of wide plain networks with Gaussian or orthogonal weights; of normalised, residual and \
                  recurrent ones it knows no density. Values below 10⁻¹³ of the largest are lost in rounding and left out. \
                  None of convolutions, whose Jacobian is too large to take beside a run. First fresh seed."
            .to_owned(),
        body: legend(&marks()) + &panels_of(&panels),
        data: vec![files::spectra(group)],
    })
}

fn picture(row: &Row) -> String {
    let all: Vec<f64> = row.spectra.iter().flatten().flat_map(|spectrum| &spectrum.log10).copied().collect();
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // The expected density reaches beyond what was found.
    let pad = 0.1 * (largest - least).max(0.5);
    // About as many bins as there are values in each.
    let most = row.spectra.iter().flatten().map(|spectrum| spectrum.log10.len()).max().unwrap_or(0);
    let count = most.isqrt().saturating_mul(2).clamp(BINS.0, BINS.1);
    let bins = Bins { low: least - pad, width: (largest - least + 2.0 * pad) / count as f64, count };
    let [start, end, expected] = marks();
    let found =
        |which: usize| row.spectra[which].as_ref().map_or(Vec::new(), |spectrum| bins.density(spectrum));
    let label = format!("Singular values of the Jacobian of {}", row.name);
    let lines = vec![
        Line { mark: start, points: found(0) },
        Line { mark: end, points: found(1) },
        Line { mark: expected, points: bins.expected(row) },
    ];
    let x = "singular value s, log scale";
    Chart { label: &label, x, size: PANEL, scales: Scales::DENSITY, holds: &[0.0], bands: &[], lines }.svg()
}

/// Bins of equal width in log10 s.
struct Bins {
    low: f64,
    width: f64,
    count: usize,
}

impl Bins {
    fn middle(&self, bin: usize) -> f64 {
        self.low + self.width * (bin as f64 + 0.5)
    }

    /// The share of all singular values in each bin, per decade.
    fn density(&self, spectrum: &Spectrum) -> Points {
        let mut counts = vec![0usize; self.count];
        for value in &spectrum.log10 {
            counts[(((value - self.low) / self.width).max(0.0) as usize).min(self.count - 1)] += 1;
        }
        let all = (spectrum.log10.len() + spectrum.lost) as f64 * self.width;
        counts.iter().enumerate().map(|(bin, count)| (self.middle(bin), Some(*count as f64 / all))).collect()
    }

    /// The mean of the expected density over each bin; empty where theory knows none.
    fn expected(&self, row: &Row) -> Points {
        let Some(layers) = layers(row) else { return Vec::new() };
        let place = |i: usize| self.low + self.width * (i as f64 + 0.5) / PLACES as f64;
        let density = layers.density(&(0..self.count * PLACES).map(place).collect::<Vec<_>>());
        let mean = |(bin, places): (usize, &[Option<f64>])| {
            let sum = places.iter().try_fold(0.0, |sum, place| Some(sum + (*place)?));
            (self.middle(bin), sum.map(|sum| sum / PLACES as f64))
        };
        density.chunks(PLACES).enumerate().map(mean).collect()
    }
}

/// A plain network as theory sees it; a layer that is not shown has the length of the one below it.
fn layers(row: &Row) -> Option<Layers> {
    let network = row.network.as_ref()?;
    let (weights, _) = network.deviations?;
    row.spectra[0].as_ref()?;
    if row.predicted.is_empty() || row.predicted.len() != row.layers.len() {
        return None;
    }
    let next = row.layers.iter().skip(1).map(|layer| layer.layer).chain([row.depth + 1]);
    let lengths = row.layers.iter().zip(next).zip(&row.predicted);
    let lengths: Vec<f64> =
        lengths.flat_map(|((layer, next), of)| (layer.layer..next).map(move |_| of.q)).collect();
    Layers::new(network.activation, &lengths, weights * weights, network.orthogonal)
}
