// Included by examples in the documentation of the library, which need a finished study to look at. A function that runs one in a
// folder: three ReLU layers of 4 units as they are and with batch norm, two rates, ten steps, two seeds.
{
    use isobath::study::StudyError;
    use isobath::study::plan::StudyPlan;
    use isobath::study::trial::{Finished, Options, Progress, run};

    struct Silent;

    impl Progress for Silent {
        fn advance(&self, _: u64, _: u64, _: &str) {}
    }

    const TEXT: &str = r#"
name = "smallest"
title = "What does batch norm change?"
data = { source = "two-spirals", train = 40, validation = 20, test = 20 }
training = { steps = 10, batch = 8, seeds = 2, record_every = 5 }
grid = [{ optimizer = "sgd", rates = [0.1, 0.01] }]
[[group]]
name = "deep"
title = "Three ReLU layers"
sick = { name = "untreated", depth = 3, width = 4, activation = "relu", init = "he" }
[[group.remedy]]
name = "batch norm"
norm = "batch"
"#;

    fn study(folder: &std::path::Path) -> Result<Finished, StudyError> {
        let level = isobath_kernels::Level::detect();
        let options = Options { folder: folder.to_owned(), seed: 1, level, threads: 1, force: false };
        run(&StudyPlan::parse("smallest.toml", TEXT, None, false)?, &options, &false.into(), &Silent)
    }

    study
}
