//! The part of the page on theory: each activation of a study with its slope, and where its plain networks lie in the
//! phase diagram. It needs no run: activation, depth and the variances of weights and biases say it all.
//!
//! Cost: one diagram for each activation of a plain network, 10 to 160 microseconds per cell and core.

use super::activation;
use super::figure::{Figure, panel};
use super::files;
use super::format::{concise, escape, plural};
use super::mark::legend;
use super::phase::{self, Dot, KEY};
use crate::activation::Activation;
use crate::architecture::{Architecture, Norm};
use crate::init::WeightVariance;
use crate::theory::Ensemble;
use crate::theory::phase::{Limit, PhaseDiagram};

/// Size of a panel, in units of the page.
const PANEL: (u32, u32) = (340, 240);
/// Cells of a phase diagram: a cell is some 6 pixels wide.
const CELLS: (usize, usize) = (48, 32);

/// A network of a study, as it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Its group.
    pub group: String,
    /// Its name there.
    pub name: String,
    /// What it is.
    pub architecture: Architecture,
}

impl Network {
    /// Activations that a signal passes one after the other.
    fn layers(&self) -> usize {
        let Architecture { depth, residual, .. } = self.architecture;
        depth * residual.map_or(1, |residual| residual.layers - usize::from(residual.last_is_linear))
    }

    /// s_w and s_b of a hidden layer, where the phase diagram speaks of it: without normalisation or shortcuts, and
    /// dense, as windows at an image's edge see padding, of which the theory knows nothing.
    fn deviations(&self) -> Option<(f64, f64)> {
        let Architecture { width, init, norm, residual, convolution, standardised, .. } = self.architecture;
        let plain = !standardised
            && norm == Norm::None
            && residual.is_none()
            && convolution.is_none()
            && init.weight_variance != WeightVariance::Data;
        let deviation = |variance: f32| f64::from(variance).sqrt();
        plain.then(|| (deviation(init.weight_variance(width, width)), deviation(init.bias_variance)))
    }
}

/// Networks at one place of a phase diagram.
pub(super) struct Place<'a> {
    pub(super) activation: Activation,
    /// s_w and s_b.
    pub(super) deviations: (f64, f64),
    pub(super) limit: Limit,
    pub(super) networks: Vec<&'a Network>,
}

/// Networks by their names, those of a group together: `a: untreated, L2; b: he`.
fn names(networks: &[&Network]) -> String {
    let group = |of: &[&Network]| {
        let names: Vec<&str> = of.iter().map(|network| network.name.as_str()).collect();
        format!("{}: {}", of[0].group, names.join(", "))
    };
    let groups = networks.chunk_by(|one, other| one.group == other.group);
    groups.map(group).collect::<Vec<_>>().join("; ")
}

/// The section; empty without networks.
pub(super) fn html(study: &str, networks: &[Network]) -> String {
    let figures: Vec<Figure> =
        [slopes(study, networks), phases(study, networks)].into_iter().flatten().collect();
    if figures.is_empty() {
        return String::new();
    }
    format!(
        "<section class=\"group\" id=\"theory\" aria-labelledby=\"title-theory\">\n\
         <h2 id=\"title-theory\">Theory</h2>\n<p class=\"lead\">What can be said of these networks before any of them \
         runs.</p>\n{}</section>\n",
        figures.iter().map(Figure::html).collect::<String>()
    )
}

/// The activations in the order in which they appear.
fn activations<'a>(networks: impl Iterator<Item = &'a Network>) -> Vec<Activation> {
    let mut found = Vec::new();
    for network in networks {
        if !found.contains(&network.architecture.activation) {
            found.push(network.architecture.activation);
        }
    }
    found
}

/// Each activation with its slope.
fn slopes(study: &str, networks: &[Network]) -> Option<Figure> {
    let activations = activations(networks.iter());
    let one = |activation: &Activation| {
        let users = networks.iter().filter(|network| network.architecture.activation == *activation);
        let layers = users.map(Network::layers).max().unwrap_or_default();
        let note = escape(&activation::note(*activation, layers));
        let picture = activation::picture(*activation, PANEL).html();
        panel(&activation.to_string(), &format!("{picture}<p class=\"note\">{note}</p>\n"))
    };
    (!activations.is_empty()).then(|| Figure {
        title: "Activations and their slopes".to_owned(),
        caption: "On its way down a gradient is multiplied by a slope in each layer. Where the dashed line runs below \
                  the dotted one, at 1, the layer makes it smaller; a ring marks the steepest place. The product is for \
                  the deepest network with that activation, weights, normalisation and shortcuts apart: where even the \
                  steepest slope is below 1, depth alone makes the gradient vanish unless they make up for it."
            .to_owned(),
        body: legend(&activation::marks()[..3])
            + &format!("<div class=\"panels\">\n{}</div>\n", activations.iter().map(one).collect::<String>()),
        data: vec![files::activations(study, &activations)],
    })
}

/// The phase diagram of each activation of a plain network.
fn phases(study: &str, networks: &[Network]) -> Option<Figure> {
    let places = places(networks);
    let mut panels = String::new();
    for (i, activation) in
        activations(networks.iter().filter(|network| network.deviations().is_some())).into_iter().enumerate()
    {
        let here: Vec<&Place<'_>> = places.iter().filter(|place| place.activation == activation).collect();
        panels += &panel(&activation.to_string(), &map(activation, &format!("hatch-{i}"), &here));
    }
    let others: Vec<&Network> = networks.iter().filter(|network| network.deviations().is_none()).collect();
    let others = match others.len() {
        0 => String::new(),
        count => format!(
            " It speaks of plain networks; {} with normalisation, shortcuts, or weights standardised or scaled by data {} not drawn: {}.",
            plural(count, "network"),
            if count == 1 { "is" } else { "are" },
            names(&others)
        ),
    };
    (!places.is_empty()).then(|| Figure {
        title: "Phase diagrams".to_owned(),
        caption: format!("{KEY} Dots: the networks as they start, numbered as listed.{others}"),
        body: format!("<div class=\"panels\">\n{panels}</div>\n"),
        data: vec![files::phases(study, &places)],
    })
}

/// Where the plain networks lie, in the order in which they appear; those at one place together.
fn places(networks: &[Network]) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for network in networks {
        let Some(deviations) = network.deviations() else { continue };
        let activation = network.architecture.activation;
        let known = places.iter_mut().find(|p| p.activation == activation && p.deviations == deviations);
        if let Some(place) = known {
            place.networks.push(network);
            continue;
        }
        // Variances that are none are no network, and none was trained with them.
        let Ok(ensemble) = Ensemble::new(activation, deviations.0.powi(2), deviations.1.powi(2)) else {
            continue;
        };
        places.push(Place { activation, deviations, limit: Limit::of(ensemble), networks: vec![network] });
    }
    places
}

/// The diagram of one activation and the names of its dots.
fn map(activation: Activation, hatch: &str, places: &[&Place<'_>]) -> String {
    let deviations: Vec<(f64, f64)> = places.iter().map(|place| place.deviations).collect();
    let diagram = match PhaseDiagram::around(activation, &deviations, CELLS) {
        Ok(diagram) => diagram,
        Err(error) => return format!("<p class=\"none\">Not drawn: {}</p>\n", escape(&error.to_string())),
    };
    let figures = |place: &Place<'_>| {
        let (weights, biases) = place.deviations;
        let chi = place.limit.chi.map_or(String::new(), |chi| format!(", χ = {}", concise(chi)));
        let lengths = if place.limit.diverges { ", lengths diverge" } else { "" };
        format!("s_w = {}, s_b = {}{chi}{lengths}", concise(weights), concise(biases))
    };
    let dot = |(i, place): (usize, &&Place<'_>)| Dot {
        place: place.deviations,
        number: (i + 1).to_string(),
        title: format!("{}; {}", names(&place.networks), figures(place)),
    };
    let dots: Vec<Dot> = places.iter().enumerate().map(dot).collect();
    let item = |place: &&Place<'_>| {
        format!("<li>{} <small>{}</small></li>\n", escape(&names(&place.networks)), escape(&figures(place)))
    };
    format!(
        "{}<ol class=\"note\">\n{}</ol>\n",
        phase::picture(&diagram, &activation.to_string(), PANEL, hatch, &dots).html(),
        places.iter().map(item).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::network;

    #[test]
    fn networks_at_one_place_share_a_dot_and_others_are_named() {
        let networks = [
            network("a", "untreated", "sigmoid", "xavier", false),
            network("a", "clipped", "sigmoid", "lecun", false),
            network("a", "batch norm", "sigmoid", "xavier", true),
            network("b", "he", "relu", "he", false),
            network("b", "normed", "gelu", "he", true),
        ];
        let places = places(&networks);
        assert_eq!(places.len(), 2);
        assert_eq!(names(&places[0].networks), "a: untreated, clipped");
        assert_eq!(places[0].deviations, (1.0, 0.0));
        assert!((places[0].limit.chi.unwrap() - 0.0557207).abs() < 1e-6);
        assert!((places[1].limit.chi.unwrap() - 1.0).abs() < 1e-6);

        let page = html("study", &networks);
        // Three activations, of which GELU has no plain network.
        assert_eq!(page.matches("The activation ").count(), 3);
        assert_eq!(page.matches("Phase diagram of ").count(), 2);
        assert_eq!(page.matches("class=\"dot\"").count(), 2);
        assert!(
            page.contains(
                "2 networks with normalisation, shortcuts, or weights standardised or scaled by data are not drawn: a: batch norm; b: normed."
            )
        );
        assert!(page.contains("Over 30 layers"));
        // Every pattern is defined once.
        assert_eq!(page.matches("id=\"hatch-0\"").count(), 1);
        assert_eq!(page.matches("id=\"hatch-1\"").count(), 1);
    }

    #[test]
    fn without_networks_or_plain_ones_nothing_is_invented() {
        assert_eq!(html("study", &[]), "");
        let page = html("study", &[network("a", "normed", "tanh", "xavier", true)]);
        assert!(page.contains("The activation tanh") && !page.contains("Phase diagram"));
    }

    #[test]
    fn a_residual_network_has_an_activation_per_branch_layer_that_has_one() {
        let mut residual = network("a", "residual", "tanh", "xavier", false);
        residual.architecture.residual = Some(crate::architecture::Residual::new(1.0, 3, true));
        assert_eq!(residual.layers(), 60);
        assert_eq!(residual.deviations(), None);
    }
}
