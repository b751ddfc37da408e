//! The smallest study, for tests of what a file may say.

use super::plan::StudyPlan;

/// A sick network and a remedy; behind it a test writes what it is about.
pub(super) const SMALLEST: &str = r#"
name = "s"
title = "?"
[data]
source = "glyphs"
train = 10
validation = 10
test = 10
[training]
steps = 1
batch = 5
seeds = 1
record_every = 1
[[grid]]
optimizer = "sgd"
rates = [0.1]
[[group]]
name = "g"
title = "G"
sick = { name = "a", depth = 3, width = 4, activation = "tanh", init = "xavier" }
"#;

/// The plan of the smallest study and of `rest`, in which a text is replaced, or the error.
pub(super) fn plan(rest: &str, from: &str, to: &str) -> Result<StudyPlan, String> {
    assert!(rest.contains(from), "{from}");
    let text = format!("{SMALLEST}{}", rest.replacen(from, to, 1));
    StudyPlan::parse("s", &text, None, false).map_err(|error| error.to_string())
}
