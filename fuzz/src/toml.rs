//! Files of `isobath study` and `isobath train`, from any text: an error that says what is wrong, or a plan whose networks state
//! what they cost and need, or refuse, before anything is allocated. No panic, whatever the sizes.

use std::fs;

use isobath::architecture::Architecture;
use isobath::data::{Form, Target};
use isobath::study::plan::StudyPlan;
use isobath::study::single::Single;
use isobath::train::Recipe;

use crate::folder::folder;

/// Deeper networks, in hidden layers, take the fuzzer too long.
const DEEPEST: usize = 2000;

/// Reads the text as both kinds of file.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match StudyPlan::parse("study.toml", text, None, false) {
        Ok(plan) => {
            for row in plan.groups.iter().flat_map(|group| &group.rows) {
                for setting in &plan.grid {
                    measure(&plan.recipe(row, setting));
                }
            }
        }
        Err(error) => assert!(error.to_string().starts_with("study.toml: ")),
    }
    let folder = folder();
    let path = folder.join("train.toml");
    fs::write(&path, text).expect("the folder takes files");
    match Single::load(&path) {
        Ok(single) => measure(&single.recipe),
        Err(error) => assert!(error.to_string().starts_with(&path.display().to_string())),
    }
}

/// What a network needs, for samples of every form.
fn measure(recipe: &Recipe) {
    let Architecture { depth, residual, .. } = recipe.architecture;
    if depth.saturating_mul(residual.map_or(1, |residual| residual.layers)) > DEEPEST {
        return;
    }
    let sequence = Form::Sequence { steps: 20, features: 3, answers: 1 };
    let forms = [
        (Form::Vector(5), Target::Classes(3)),
        (Form::Image(12, 12), Target::Classes(10)),
        (sequence, Target::Classes(4)),
        (sequence, Target::Number),
    ];
    for (form, target) in forms {
        let (bytes, cost) = (recipe.memory_bytes(form, target, 100), recipe.cost(form, target, 100));
        if let (Ok(bytes), Ok(cost)) = (bytes, cost) {
            assert!(bytes > 0);
            assert!(cost.of(recipe.steps) >= cost.of(0));
        }
    }
}
