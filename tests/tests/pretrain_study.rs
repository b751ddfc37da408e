//! The built-in study of pre-training compares what it says it does.

use isobath::net::{Place, Plan};
use isobath::pretrain::stack::Stack;
use isobath::study::plan::StudyPlan;

/// Multiply-adds of a run of a row on 12 x 12 pixels and ten classes, pre-training included.
fn cost(study: &StudyPlan, name: &str) -> u64 {
    let row = study.groups[0].rows.iter().find(|row| row.name == name).expect(name);
    let recipe = study.recipe(row, &study.grid[0]);
    let built = recipe.build(144, 10);
    let mut places = vec![Place::default(); built.layers.len()];
    let plan = Plan::new(144, recipe.batch, &built.layers, &mut places).unwrap();
    let pretraining = recipe.pretraining.map_or(0, |pretraining| {
        Stack::new(pretraining, plan).unwrap().multiply_adds(study.data.sizes.train)
    });
    3 * plan.multiply_adds() * (recipe.batch * recipe.steps) as u64 + pretraining
}

#[test]
fn the_longer_run_has_the_budget_of_pretraining() {
    let study = StudyPlan::load("pretraining", None, false).unwrap();
    let (pretrained, longer) = (cost(&study, "autoencoder"), cost(&study, "longer"));
    assert!(longer >= pretrained && longer - pretrained < pretrained / 1000, "{longer}, not {pretrained}");
    assert!(pretrained > cost(&study, "untreated") * 5 / 4);
    assert_eq!(cost(&study, "shuffled"), pretrained);
}
