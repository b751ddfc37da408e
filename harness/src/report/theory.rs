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
use crate::study::summary::{Network, Summary};
use crate::study::sweep::{Field, Point};
use crate::theory::Ensemble;
use crate::theory::phase::{Limit, PhaseDiagram};

/// Size of a panel, in units of the page.
const PANEL: (u32, u32) = (340, 240);
/// Cells of a phase diagram: a cell is some 6 pixels wide.
const CELLS: (usize, usize) = (48, 32);

/// A network of a study, as it starts.
pub(super) struct Named<'a> {
    /// Its group, or what the points of a sweep have in common.
    pub(super) group: &'a str,
    /// Its name there.
    pub(super) name: &'a str,
    network: Network,
}

/// The networks that theory speaks of. One that a sweep only makes deeper or wider stands for all its points, as deep as
/// it becomes.
fn networks(summary: &Summary) -> Vec<Named<'_>> {
    let mut found: Vec<Named<'_>> = Vec::new();
    for group in &summary.groups {
        let of = match &group.sweep {
            Some(Point { of, field: Field::Depth | Field::Width, .. }) => of,
            _ => &group.name,
        };
        for row in &group.rows {
            let Some(network) = &row.network else { continue };
            let same = |known: &&mut Named<'_>| {
                let Network { activation, deviations, .. } = known.network;
                (known.group, known.name, activation, deviations)
                    == (of, &row.name, network.activation, network.deviations)
            };
            match found.iter_mut().find(same) {
                Some(known) => known.network.layers = known.network.layers.max(network.layers),
                None => found.push(Named { group: of, name: &row.name, network: network.clone() }),
            }
        }
    }
    found
}

/// Networks at one place of a phase diagram.
pub(super) struct Place<'a> {
    pub(super) activation: Activation,
    /// s_w and s_b.
    pub(super) deviations: (f64, f64),
    pub(super) limit: Limit,
    pub(super) networks: Vec<&'a Named<'a>>,
}

/// Networks by their names, those of a group together: `a: untreated, L2; b: he`.
fn names(networks: &[&Named<'_>]) -> String {
    let group = |of: &[&Named<'_>]| {
        let names: Vec<&str> = of.iter().map(|network| network.name).collect();
        format!("{}: {}", of[0].group, names.join(", "))
    };
    let groups = networks.chunk_by(|one, other| one.group == other.group);
    groups.map(group).collect::<Vec<_>>().join("; ")
}

/// The section; empty without networks.
pub(super) fn html(summary: &Summary) -> String {
    section(&summary.name, &networks(summary))
}

fn section(study: &str, networks: &[Named<'_>]) -> String {
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
fn activations<'a>(networks: impl Iterator<Item = &'a Named<'a>>) -> Vec<Activation> {
    let mut found = Vec::new();
    for network in networks {
        if !found.contains(&network.network.activation) {
            found.push(network.network.activation);
        }
    }
    found
}

/// Each activation with its slope.
fn slopes(study: &str, networks: &[Named<'_>]) -> Option<Figure> {
    let activations = activations(networks.iter());
    let one = |activation: &Activation| {
        let users = networks.iter().filter(|network| network.network.activation == *activation);
        let layers = users.map(|network| network.network.layers).max().unwrap_or_default();
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
fn phases(study: &str, networks: &[Named<'_>]) -> Option<Figure> {
    let places = places(networks);
    let mut panels = String::new();
    for (i, activation) in activations(networks.iter().filter(|network| network.network.deviations.is_some()))
        .into_iter()
        .enumerate()
    {
        let here: Vec<&Place<'_>> = places.iter().filter(|place| place.activation == activation).collect();
        panels += &panel(&activation.to_string(), &map(activation, &format!("hatch-{i}"), &here));
    }
    let others: Vec<&Named<'_>> =
        networks.iter().filter(|network| network.network.deviations.is_none()).collect();
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
fn places<'a>(networks: &'a [Named<'a>]) -> Vec<Place<'a>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for network in networks {
        let Some(deviations) = network.network.deviations else { continue };
        let activation = network.network.activation;
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
    use crate::architecture::{Architecture, Residual};
    use crate::report::sample::{network, swept};

    fn named(
        group: &'static str,
        name: &'static str,
        activation: &str,
        init: &str,
        normed: bool,
    ) -> Named<'static> {
        Named { group, name, network: network(activation, init, normed).unwrap() }
    }

    #[test]
    fn networks_at_one_place_share_a_dot_and_others_are_named() {
        let networks = [
            named("a", "untreated", "sigmoid", "xavier", false),
            named("a", "clipped", "sigmoid", "lecun", false),
            named("a", "batch norm", "sigmoid", "xavier", true),
            named("b", "he", "relu", "he", false),
            named("b", "normed", "gelu", "he", true),
        ];
        let places = places(&networks);
        assert_eq!(places.len(), 2);
        assert_eq!(names(&places[0].networks), "a: untreated, clipped");
        assert_eq!(places[0].deviations, (1.0, 0.0));
        assert!((places[0].limit.chi.unwrap() - 0.0557207).abs() < 1e-6);
        assert!((places[1].limit.chi.unwrap() - 1.0).abs() < 1e-6);

        let page = section("study", &networks);
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
        assert_eq!(section("study", &[]), "");
        let page = section("study", &[named("a", "normed", "tanh", "xavier", true)]);
        assert!(page.contains("The activation tanh") && !page.contains("Phase diagram"));
    }

    #[test]
    fn a_residual_network_has_an_activation_per_branch_layer_that_has_one() {
        let plain = Architecture::plain(30, 64, "tanh".parse().unwrap(), "xavier".parse().unwrap());
        let residual = Architecture { residual: Some(Residual::new(1.0, 3, true)), ..plain };
        let expected =
            Network { activation: "tanh".parse().unwrap(), layers: 60, deviations: None, orthogonal: false };
        assert_eq!(Network::of(&residual), Some(expected));
    }

    #[test]
    fn a_network_that_is_only_made_deeper_is_named_once() {
        let mut study = swept();
        for (group, layers) in study.groups.iter_mut().zip([3, 10, 30]) {
            for row in &mut group.rows {
                row.network = network("relu", "he", false).map(|network| Network { layers, ..network });
            }
        }
        let found = networks(&study);
        assert_eq!(found.len(), study.groups[0].rows.len());
        assert!(found.iter().all(|named| named.group == "sigmoid" && named.network.layers == 30));
        for group in &mut study.groups {
            group.sweep.as_mut().unwrap().field = Field::WeightVariance;
        }
        let rows = study.groups[0].rows.len();
        assert_eq!(networks(&study).len(), 3 * rows, "other weights are another place");
    }
}
