//! The answer of a group in words: what is wrong, what cures it, what does not.

use super::format::{accuracy, baseline, divergence, fraction, list, operations, power, significant};
use super::ranking::{best, cheapest, first_rank, has_accuracy, shows_speed};
use super::{speed, time};
use crate::study::summary::{Data, Group, Outcome, Row};

/// One part of the answer.
pub(super) struct Answer {
    pub(super) topic: &'static str,
    pub(super) text: String,
}

/// The answer of a group in words, one part a line.
///
/// ```
/// use isobath::report;
/// use isobath::study::trial;
/// # use isobath::study::plan::StudyPlan;
/// # use isobath::study::trial::{Options, Progress};
/// # use isobath_kernels::Level;
/// # struct Silent;
/// # impl Progress for Silent {
/// #     fn advance(&self, _done: u64, _total: u64, _what: &str) {}
/// # }
/// # let study = r#"
/// #     name = "tiny"
/// #     title = "Do six ReLU layers learn?"
/// #     data = { source = "glyphs", train = 40, validation = 20, test = 20, linear_reference = false }
/// #     training = { steps = 4, batch = 10, seeds = 2, record_every = 2 }
/// #     grid = [{ optimizer = "sgd", rates = [0.1] }]
/// #     [[group]]
/// #     name = "relu"
/// #     title = "6 ReLU layers of 16 units"
/// #     sick = { name = "untreated", depth = 6, width = 16, activation = "relu", init = "uniform" }
/// #     remedy = [{ name = "He", change = "He's weights", init = "he" }]
/// # "#;
/// # let plan = StudyPlan::parse("tiny.toml", study, None, false)?;
/// # let folder = std::env::temp_dir().join(format!("isobath-report-verdict-{}", std::process::id()));
/// # let options = Options { folder: folder.clone(), seed: 1, level: Level::detect(), threads: 1, force: true };
/// # let stop = std::sync::atomic::AtomicBool::new(false);
///
/// // A study of two networks: six ReLU layers, untreated and with He's weights.
/// let summary = trial::run(&plan, &options, &stop, &Silent)?.summary;
/// # std::fs::remove_dir_all(&folder)?;
/// let answer = report::verdict(&summary.groups[0], &summary.data);
/// assert!(answer.contains("What is wrong: The gradient vanishes"));
/// assert!(answer.lines().last().unwrap().starts_with("To beat: "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn verdict(group: &Group, data: &Data) -> String {
    let parts = answers(group, data).into_iter().chain(yardstick(group, data));
    parts.map(|answer| format!("{}: {}", answer.topic, answer.text)).collect::<Vec<_>>().join("\n")
}

/// The parts of the answer that a group has.
pub(super) fn answers(group: &Group, data: &Data) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut add = |topic, text: Option<String>| answers.extend(text.map(|text| Answer { topic, text }));
    if shows_speed(group, data) {
        add("Speed of learning", Some(slowness(group)));
    }
    if has_accuracy(group) {
        add("What is wrong", group.rows.first().map(|sick| illness(sick, data)));
        add("Forgetting", time::forgetting_times(group));
        add("Best cure", best(group).map(|(_, row)| best_cure(group, row, data)));
        add("Cheapest cure", cheapest(group).map(|row| cheapest_cure(group, row)));
        add("Does not help", failures(group, data));
    }
    answers
}

/// What a score has to beat to mean anything.
pub(super) fn yardstick(group: &Group, data: &Data) -> Option<Answer> {
    let majority = format!("always naming {}, {}", baseline(data), fraction(data.majority_accuracy));
    let text = match data.linear_accuracy() {
        Some(linear) => format!("linear softmax with no hidden layer, {}; {majority}.", fraction(linear)),
        None => format!("{majority}."),
    };
    has_accuracy(group).then_some(Answer { topic: "To beat", text })
}

/// How the gradient changes on its way down, and what became of the untreated network.
fn illness(sick: &Row, data: &Data) -> String {
    let fate = match (&sick.outcome, &sick.accuracy) {
        (Outcome::Diverged { .. }, _) => {
            format!("diverges ({})", divergence(sick).unwrap_or_default())
        }
        (Outcome::Stuck, Some(a)) => {
            format!("stays at {}, no better than {}", fraction(a.median), baseline(data))
        }
        (_, Some(a)) => format!("reaches {}", fraction(a.median)),
        (_, None) => "has no score".to_owned(),
    };
    format!("{} Untreated, the network {fate}.", gradient(sick))
}

/// The rate of the gradient before the first step, as a sentence.
fn gradient(row: &Row) -> String {
    let Some(ratio) = row.ratio_start.as_ref().map(|spread| spread.median) else {
        return "At the start the gradient is zero or not finite, so that it has no rate.".to_owned();
    };
    let (unit, count) = time::steps(row).map_or(("layer", row.depth), |steps| ("step", steps));
    let rate = significant(10f64.powf(ratio / count.saturating_sub(1).max(1) as f64));
    let way = if unit == "step" { "back in time" } else { "down" };
    let end = |word| format!("{} times {word} at {unit} 1 than at {unit} {count}", power(ratio.abs()));
    match ratio {
        r if r < -1.0 => format!(
            "The gradient vanishes: each {unit} multiplies its norm by {rate} on the way {way}, until it is \
             {}.",
            end("smaller")
        ),
        r if r > 1.0 => format!(
            "The gradient explodes: each {unit} multiplies its norm by {rate} on the way {way}, until it is \
             {}.",
            end("larger")
        ),
        r => format!(
            "The gradient neither vanishes nor explodes: each {unit} multiplies its norm by {rate}, in all by {}.",
            significant(10f64.powf(r))
        ),
    }
}

/// The best remedy and those that cannot be told from it.
fn best_cure(group: &Group, row: &Row, data: &Data) -> String {
    let score = format!("{} with {}", row.name, accuracy(row.accuracy.as_ref()));
    if matches!(row.outcome, Outcome::Stuck | Outcome::Diverged { .. }) {
        return format!("none: no remedy gets beyond {}.", baseline(data));
    }
    if row.outcome != Outcome::Trains {
        return format!("none. The closest is {score}.");
    }
    if group.rows.first().is_some_and(|sick| sick.rank == 1) {
        return format!("{score}, but the untreated network is level with it.");
    }
    let others = group.rows.iter().filter(|other| other.rank == 1 && other.name != row.name);
    let level: Vec<String> = others.map(|other| other.name.clone()).collect();
    match level.len() {
        0 => format!("{score}, ahead of all others with every seed."),
        1..=3 => format!("{score}; level with it: {}.", list(&level)),
        count => format!("{score}; {count} others are level with it."),
    }
}

/// The cheapest of the remedies that share the first rank.
fn cheapest_cure(group: &Group, row: &Row) -> String {
    let rivals = first_rank(group).count();
    let cost = operations(row.multiply_adds);
    if rivals == 1 {
        return format!("the same, {cost} multiply-adds; no other that trains is on its rank.");
    }
    let dearest = first_rank(group).map(|r| r.multiply_adds).max().unwrap_or_default();
    let tie = if dearest == row.multiply_adds { "as many as each" } else { "the fewest" };
    format!("{} with {cost} multiply-adds, {tie} of the {rivals} on the first rank.", row.name)
}

/// The remedies that let the network diverge, leave it stuck, or do not lift it above the untreated one.
fn failures(group: &Group, data: &Data) -> Option<String> {
    let stuck = format!("stuck at {}", baseline(data));
    let (sick, remedies) = group.rows.split_first()?;
    let diverged = remedies.iter().filter_map(|r| Some(format!("{} (diverged: {})", r.name, divergence(r)?)));
    let ground = |row: &Row| match row.outcome {
        Outcome::Diverged { .. } => None,
        Outcome::Stuck => Some(stuck.as_str()),
        _ if row.rank > sick.rank => Some("worse than untreated"),
        _ if row.rank == sick.rank => Some("level with untreated"),
        _ => None,
    };
    let grounds = [stuck.as_str(), "worse than untreated", "level with untreated"];
    let others = grounds.iter().filter_map(|wanted| {
        let names = remedies.iter().filter(|row| ground(row) == Some(*wanted)).map(|row| row.name.clone());
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| format!("{} ({wanted})", list(&names)))
    });
    let parts: Vec<String> = diverged.chain(others).collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join("; ")))
}

/// How much slower the first layer of each network learns than its last.
fn slowness(group: &Group) -> String {
    let compared = group.rows.iter().filter_map(|row| {
        let speeds = speed::at_start(row);
        let (first, last) = speed::first_to_last(&speeds)?;
        let slower = first.slowdown >= 1.0;
        let times = if slower { first.slowdown } else { 1.0 / first.slowdown };
        Some(format!(
            "{} times {} in {} ({} and {})",
            power(times.log10()),
            if slower { "slower" } else { "faster" },
            row.name,
            significant(first.speed),
            significant(last.speed),
        ))
    });
    let compared = list(&compared.collect::<Vec<_>>());
    format!("Compared with the last hidden layer, before the first step, the first one learns {compared}.")
}
