//! The page and the tables on a synthetic study.

use super::sample::{HOSTILE, depth, large, remedies, swept};
use super::{format, html, table, verdict};
use crate::study::summary::{Outcome, Spread, Summary};

/// The elements of a page in order, scripts and styles without their content.
fn tags(page: &str) -> Vec<&str> {
    let tag = |part: &'_ str| part.find('>').map(|end| end + 1);
    page.match_indices('<').filter_map(|(at, _)| tag(&page[at..]).map(|end| &page[at..at + end])).collect()
}

fn assert_balanced(page: &str) {
    const VOID: [&str; 2] = ["meta", "!DOCTYPE"];
    let mut open = Vec::new();
    for tag in tags(page) {
        let name = tag.trim_matches(['<', '>', '/']).split([' ', '/']).next().unwrap();
        if tag.starts_with("</") {
            assert_eq!(open.pop(), Some(name), "{tag} closes another element");
        } else if !tag.ends_with("/>") && !VOID.contains(&name) {
            open.push(name);
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert!(open.is_empty(), "{open:?} left open");
}

/// The page without its style sheet and script, which hold no data.
fn body(page: &str) -> String {
    page.replace(include_str!("style.css"), "").replace(include_str!("script.js"), "")
}

#[test]
fn the_page_is_well_formed() {
    for study in [remedies(), depth(), swept()] {
        let page = html(&study);
        assert_balanced(&body(&page));
        assert!(!page.contains("NaN") && !page.contains("inf,"));
    }
}

/// The first group as one of single recurrent layers over 40 steps, which halve and grow the gradient by turns.
fn recurrent() -> Summary {
    let mut study = remedies();
    for (i, row) in study.groups[0].rows.iter_mut().enumerate() {
        row.depth = 1;
        row.layers.truncate(1);
        let rate = if i % 2 == 0 { 0.5_f64 } else { 1.1 };
        let curve = |rate: f64| (0..40).map(|t| Some(rate.log10() * f64::from(39 - t))).collect();
        row.layers[0].through_time = [curve(rate), curve(1.0)];
        row.ratio_start = Spread::of(&[39.0 * rate.log10()]);
    }
    study
}

#[test]
fn recurrent_rows_are_shown_through_time() {
    let study = recurrent();
    let page = html(&study);
    assert_balanced(&body(&page));
    assert!(page.contains("Back through time") && !html(&remedies()).contains("Back through time"));
    let group = &study.groups[0];
    let name = &group.rows[0].name;
    // Four halvings make a sixteenth.
    assert!(page.contains(&format!("{name},1,{:.4}", 39.0 * 0.5_f64.log10())), "the file has step 1");
    let text = verdict(group, &study.data);
    assert!(text.contains(&format!("{name} (4 → over 39)")), "{text}");
    assert!(text.contains(&format!("{} (over 39 → over 39)", group.rows[1].name)), "{text}");
    assert!(text.contains("each step multiplies its norm by 0.500 on the way back in time"), "{text}");
    assert!(text.contains("at step 1 than at step 40"), "{text}");
    assert!(!verdict(&remedies().groups[0], &remedies().data).contains("Forgetting"));
    // The table speaks of time too; the first figure does where no layers stand beside the steps.
    let first = "Gradient of the state after each step in time, before training";
    assert!(!page.contains(first) && page.contains("‖δ‖ in each hidden layer before the first step"));
    let mut all_recurrent = study.clone();
    all_recurrent.groups.truncate(1);
    assert!(html(&all_recurrent).contains(first));
    assert!(page.contains("log10 ratio of the state"));
    let words = table(&study, 80).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("that of the last layer, or of the state's gradient"), "both kinds: {words}");
    assert!(!html(&remedies()).contains("log10 ratio of the state"));
    // Single layers have nothing to compare, and layers with a cell no units.
    let mut alone = study;
    alone.groups.truncate(1);
    let page = html(&alone);
    assert_balanced(&body(&page));
    for layered in
        ["Layer by layer", "over layers and training", "How far the weights moved", "What the units do"]
    {
        assert!(!page.contains(layered) && html(&remedies()).contains(layered), "{layered}");
    }
    assert!(page.contains("Price and noise of a step") && page.contains("<td class=\"number\">12.5</td>"));
}

#[test]
fn the_page_needs_no_network() {
    for study in [remedies(), depth(), swept()] {
        let page = html(&study);
        // The policy itself says `http-equiv`, and hashes that may have two slashes; without exception nothing is fetched.
        let (before, rest) =
            page.split_once("<meta http-equiv=\"Content-Security-Policy\" content=\"").unwrap();
        let (policy, after) = rest.split_once('"').unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        let page = format!("{before}{after}");
        assert!(
            !page.contains("http")
                && !page.contains("//")
                && !page.contains("@import")
                && !page.replace("url(#", "").contains("url(")
        );
        for attribute in ["src=\"", "href=\""] {
            for (at, _) in page.match_indices(attribute) {
                let value = &page[at + attribute.len()..];
                assert!(value.starts_with('#') || value.starts_with("data:"), "{}", &value[..40]);
            }
        }
    }
}

#[test]
fn every_row_is_shown_and_names_are_escaped() {
    let study = remedies();
    let (page, text) = (html(&study), table(&study, 200));
    assert!(!page.contains(HOSTILE) && !page.contains("<b>must"));
    for row in study.groups.iter().flat_map(|group| &group.rows) {
        assert!(page.contains(&format::escape(&row.name)), "{}", row.name);
        assert!(page.contains(&format::escape(&row.change)), "{}", row.name);
        assert!(text.contains(&row.name), "{}", row.name);
    }
}

#[test]
fn a_remedy_shows_its_equations_and_what_it_did_to_units_weights_and_steps() {
    let page = html(&remedies());
    assert!(page.contains("<small class=\"equation\">w ← w (1 − η λ), λ\u{a0}=\u{a0}1</small>"));
    for title in ["What the units do", "PReLU's slope over training", "What was held back"] {
        assert!(page.contains(&format!("<h3>{}</h3>", format::escape(title))), "{title}");
    }
    for title in ["Fraction of the gradient that clipping changed", "Penalty in the loss"] {
        assert!(page.contains(title), "{title}");
    }
    assert!(page.contains("2.50 ms per step"));
    // Dead units after the last step: layer / 60 over 30 layers, in the mean .258.
    assert!(page.contains("<td class=\"number\">.258</td>"));
    // Without a clipped gradient there is no panel of it.
    let mut study = remedies();
    for row in study.groups.iter_mut().flat_map(|group| &mut group.rows) {
        row.course.clipped.fill(0.0);
        row.course.prelu.clear();
    }
    let page = html(&study);
    assert!(!page.contains("that clipping changed") && !page.contains("slope over training"));
}

#[test]
fn what_theory_expects_stands_beside_what_was_measured() {
    let study = remedies();
    let page = html(&study);
    let group = page.split("<section class=\"group\" id=\"group-0\"").nth(1).unwrap();
    let group = group.split("</section>").next().unwrap();
    // Of the untreated network alone: a band and a line of gradients, a line of inputs.
    assert_eq!(group.matches("class=\"band ink\" data-row=\"0\"").count(), 1);
    assert_eq!(group.matches("class=\"series predicted ink\" data-row=\"0\"").count(), 2);
    // Layer 1 is expected at what was measured in layer 30, 29 layers further down.
    let top = study.groups[0].rows[0].layers[29].log10_delta[0].unwrap();
    let expected = format::exactly(top - 29.0 * 0.627);
    let line = group.split("class=\"series predicted ink\" data-row=\"0\"").nth(1).unwrap();
    let values = line.split("data-values=\"").nth(1).unwrap();
    assert_eq!(values.split(' ').next(), Some(expected.as_str()));
    // Its spectrum has a density, those of networks with batch norm have none.
    let spectra = group.split("Singular values of the Jacobian of ").skip(1);
    let dotted: Vec<bool> = spectra.map(|panel| panel.contains("series predicted ink\" data-at")).collect();
    assert_eq!((dotted.len(), dotted[0]), (6, true));
    assert!(dotted[1..].iter().all(|dotted| !dotted));
    // Every point of a line has its place and its figure in words.
    for run in page.split("data-at=\"").skip(1) {
        let (at, rest) = run.split_once("\" data-values=\"").unwrap();
        let values = rest.split('"').next().unwrap();
        assert!(at.split(' ').all(|word| !word.is_empty()), "{at}");
        assert_eq!(at.split(' ').count(), values.split(' ').count(), "{at}: {values}");
    }
}

#[test]
fn histograms_are_drawn_layer_by_layer_with_their_shares() {
    let page = html(&remedies());
    let panel = page.split("Histograms of signal and gradient in layers of sigmoid").nth(1).unwrap();
    let panel = panel.split("</svg>").next().unwrap();
    // Two layers, two kinds, two moments.
    assert_eq!(panel.matches("<polyline").count(), 8);
    let shares = panel.split("data-values=\"").nth(1).unwrap().split('"').next().unwrap();
    let sum: f64 = shares.split(' ').map(|share| share.trim_end_matches('%').parse::<f64>().unwrap()).sum();
    assert!((sum - 100.0).abs() < 0.5, "{sum}");
    assert!(panel.contains("% zero or not finite") && panel.contains(">30</text>"));
    let none = {
        let mut study = remedies();
        study.groups.iter_mut().flat_map(|group| &mut group.rows).for_each(|row| {
            row.histograms = Default::default();
            row.spectra = Default::default();
        });
        html(&study)
    };
    assert!(!none.contains("Signals and gradients, unit") && !none.contains("Singular values"));
}

#[test]
fn no_text_of_a_study_becomes_markup() {
    let mut study = remedies();
    let hostile = || HOSTILE.to_owned();
    (study.name, study.title, study.hash) = (hostile(), hostile(), hostile());
    (study.data.source, study.training.loss, study.training.grid[0]) = (hostile(), hostile(), hostile());
    (study.machine.cpu, study.machine.level, study.machine.version) = (hostile(), hostile(), hostile());
    for group in &mut study.groups {
        (group.name, group.title) = (hostile(), hostile());
        for row in &mut group.rows {
            (row.name, row.change, row.setting) = (hostile(), hostile(), hostile());
            row.grid_edge = Some(hostile());
            row.equations = vec![hostile()];
        }
    }
    let page = html(&study);
    assert!(!page.contains("<script>alert") && !page.contains("\"quotes\""));
    assert_balanced(&body(&page));
}

#[test]
fn the_page_stays_small() {
    let mut study = remedies();
    for group in &mut study.groups {
        let rows = group.rows.clone();
        group.rows.extend((0..25 - rows.len()).map(|i| rows[i % rows.len()].clone()));
    }
    let size = html(&study).len();
    // Half of them are the values that show under the pointer and the files.
    assert!(size < 5_500_000, "{size} bytes for 75 rows");
}

#[test]
fn the_page_of_a_large_study_stays_below_20_megabytes_and_says_what_it_leaves_out() {
    // A record every 250 of 10,000 steps.
    let study = large(100, 1000, 41);
    let page = html(&study);
    assert!((5_000_000..20_000_000).contains(&page.len()), "{} bytes", page.len());
    assert_balanced(&body(&page));
    assert!(page.contains("class=\"left-out\"") && page.contains("isobath export"));
    // The first and the last layer are there, and the words are those of the whole study.
    assert!(page.contains("network 99,1,") && page.contains("network 99,1000,"));
    assert!(page.contains(",layer_1,") && page.contains(",layer_1000\n"));
    assert!(
        page.contains(&format::escape(&verdict(&study.groups[0], &study.data).lines().next().unwrap()[15..]))
    );
    assert!(!html(&remedies()).contains("class=\"left-out\""));
}

#[test]
fn the_table_fits_the_terminal() {
    for study in [remedies(), depth()] {
        for width in [80, 100] {
            for line in table(&study, width).lines() {
                assert!(line.chars().count() <= width, "{} columns: {line}", line.chars().count());
            }
        }
    }
}

#[test]
fn the_verdict_names_illness_cure_cost_and_failures() {
    let study = remedies();
    let words = verdict(&study.groups[0], &study.data);
    for part in [
        "The gradient vanishes: each layer multiplies its norm by 0.235",
        "10¹⁸ times smaller at layer 1 than at layer 30",
        "Untreated, the network stays at .091",
        "Best cure: residual + batch norm with .836 [.824-.846]; level with it: residual.",
        "Cheapest cure: residual with 27.2 G multiply-adds, the fewest of the 2 on the first rank.",
        "Does not help: layer norm (stuck at the commonest class).",
        "linear softmax with no hidden layer, .520",
        "commonest class, .109",
    ] {
        assert!(words.contains(part), "{part}\n{words}");
    }
    assert!(
        verdict(&study.groups[2], &study.data)
            .contains("exploding, clipped never (diverged: step 4, layer 13)")
    );
}

#[test]
fn a_remedy_that_stays_at_the_commonest_class_is_no_closest() {
    let mut study = remedies();
    study.groups[0].rows.retain(|row| row.outcome == Outcome::Stuck);
    let words = verdict(&study.groups[0], &study.data);
    assert!(words.contains("Best cure: none: no remedy gets beyond the commonest class."), "{words}");
    study.data.classes = 1;
    assert!(verdict(&study.groups[0], &study.data).contains("beyond the mean."));
    assert!(table(&study, 80).contains("– mean"));
}

#[test]
fn equal_cost_has_a_column_where_it_changes_a_score() {
    let mut study = remedies();
    assert!(html(&study).contains("<th scope=\"col\" role=\"columnheader\">at equal cost</th>"));
    for row in study.groups.iter_mut().flat_map(|group| &mut group.rows) {
        row.accuracy_at_equal_cost = row.accuracy.clone();
    }
    let page = html(&study);
    assert!(!page.contains("at equal cost") && !page.contains("At equal cost"));
    assert_balanced(&body(&page));
}

#[test]
fn noise_below_zero_is_no_scale() {
    let mut study = remedies();
    study.groups[0].rows[0].noise_scale = [Some(-1.99), Some(-0.5)];
    assert!(!html(&study).contains("−1.99"));
}

#[test]
fn the_verdict_admits_that_nothing_trains() {
    let mut study = remedies();
    for row in &mut study.groups[0].rows {
        row.outcome = Outcome::Partial;
    }
    let words = verdict(&study.groups[0], &study.data);
    assert!(words.contains("Best cure: none. The closest is residual + batch norm with .836"), "{words}");
    assert!(!words.contains("Cheapest cure") && !words.contains("Does not help"), "{words}");
}

#[test]
fn a_study_of_depth_speaks_of_speed() {
    let study = depth();
    let words = verdict(&study.groups[0], &study.data);
    assert!(words.contains("119 times slower in 4 hidden layers (0.00202 and 0.242)"), "{words}");
    assert!(!words.contains("cure") && !words.contains("To beat"), "{words}");
    assert!(html(&study).contains("layer from the output"));
    assert!(table(&study, 80).contains("from the output"));
}

#[test]
fn an_empty_study_is_no_accident() {
    let mut study = remedies();
    for row in study.groups.iter_mut().flat_map(|group| &mut group.rows) {
        row.accuracy = None;
        row.ratio_start = None;
        row.layers.clear();
        row.course = Default::default();
        row.step_seconds = None;
        row.network = None;
    }
    let bare = |study: &Summary| (html(study), table(study, 80));
    assert_balanced(&body(&bare(&study).0));
    study.groups.iter_mut().for_each(|group| group.rows.clear());
    assert_balanced(&body(&bare(&study).0));
    study.groups.clear();
    assert_balanced(&body(&bare(&study).0));
}

#[test]
fn figures_are_written_as_people_read_them() {
    assert_eq!(format::fraction(0.8534), ".853");
    assert_eq!(format::fraction(1.0), "1.000");
    assert_eq!(format::power_of_ten(-18.0), "10⁻¹⁸");
    assert_eq!(format::power(2.4955), "313");
    assert_eq!(format::significant(0.23605), "0.236");
    assert_eq!(format::decades(Some(-18.18)), "-18");
    assert_eq!(format::decades(Some(-0.31)), "-0.3");
    assert_eq!(format::operations(12_340_000_000), "12.3 G");
    assert_eq!(
        [0.25, -4.0, -1e-17, 2e4, -1.5e5, 2e38].map(format::tick),
        ["0.25", "−4", "0", "2e4", "−1.5e5", "2e38"]
    );
    assert_eq!([0.25, 1.0, 300.0, 2.26e7].map(format::concise), ["0.25", "1", "300", "2.26e7"]);
}

#[test]
fn a_sweep_is_a_table_with_what_theory_expects_and_its_groups_are_folded_away() {
    let study = swept();
    let families = super::sweep::families(&study);
    assert_eq!(families.len(), 1);
    let family = &families[0];
    assert_eq!(family.points.iter().map(|(value, _)| *value).collect::<Vec<_>>(), [3.0, 10.0, 30.0]);
    assert_eq!(family.predicted(0)[0], Some(2.0));
    assert!((family.predicted(0)[1].unwrap() - 6.0 * 0.346).abs() < 1e-12);
    for (place, row) in study.groups[0].rows.iter().enumerate() {
        let expected = if row.outcome == Outcome::Trains { "3–30" } else { "–" };
        assert_eq!(family.trains(place), expected, "{}", row.name);
    }
    let page = html(&study);
    assert_eq!(page.matches("Over the depth").count(), 1);
    // The first screen is about the sweep, with one line for each network.
    let first = page.split("</section>").next().unwrap();
    assert_eq!(first.matches("<li data-row=").count(), study.groups[0].rows.len());
    assert!(first.contains("Test accuracy against depth"));
    let answers: Vec<String> =
        family.answers().into_iter().map(|answer| format!("{}: {}", answer.topic, answer.text)).collect();
    assert_eq!(answers[0], "Untreated: sigmoid trains at no depth.");
    assert!(answers[1].starts_with("Widest range: batch norm (at depth 3–30), "), "{answers:?}");
    assert!(answers[1].ends_with(": 3 of 3 values.") && first.contains(&answers[1][14..]), "{answers:?}");
    assert!(page.matches("<details><summary>").count() >= 3);
    assert!(page.contains("confirmed") && page.contains("in part") && !page.contains(HOSTILE));
    let text = table(&study, 80);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let timings = super::timings(&study, 80);
    assert!(timings.lines().all(|line| line.chars().count() <= 80) && timings.contains("100.0"), "{timings}");
    assert!(text.contains("6 xi") && text.contains("accuracy of <script>"));
}
