//! Numbers that are none and sizes beyond any machine, wherever a file or a flag takes a number: refused with the name of the field,
//! what was found and what is allowed, before anything is allocated or written. And text of users is no markup.

#[path = "common/program.rs"]
mod program;

use std::fs;
use std::sync::atomic::AtomicBool;

use isobath::data::{Form, Sizes, Source, Target};
use isobath::study::StudyError;
use isobath::study::plan::StudyPlan;
use isobath::study::trial::{Options, Progress, run};
use isobath::train::Recipe;
use isobath_kernels::Level;
use program::isobath;
use tempfile::TempDir;

/// A sick network and a remedy.
const STUDY: &str = r#"
name = "s"
title = "?"
[data]
source = "glyphs"
train = 10
validation = 10
test = 10
[training]
steps = 4
batch = 5
seeds = 1
record_every = 2
[[grid]]
optimizer = "adamw"
rates = [0.1]
weight_decay = 0.5
[[group]]
name = "g"
title = "G"
[group.sick]
name = "a"
depth = 3
width = 4
activation = "sigmoid"
init = "xavier"
[[group.remedy]]
name = "r"
decay = 0.0
"#;

/// The line of the study that a remedy's own line replaces.
const REMEDY: &str = "decay = 0.0";

fn parse(old: &str, new: &str) -> Result<StudyPlan, String> {
    assert!(STUDY.contains(old), "{old}");
    StudyPlan::parse("s.toml", &STUDY.replacen(old, new, 1), None, false).map_err(|error| error.to_string())
}

/// Fails unless a command was refused with exit code 2, all words and nothing on standard output.
#[track_caller]
fn assert_refused(arguments: &[&str], words: &[&str]) {
    let output = isobath(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    for word in words {
        assert!(message.contains(word), "{arguments:?}: no `{word}` in {message}");
    }
}

#[test]
fn every_field_of_a_study_refuses_what_is_no_number() {
    // What is replaced, by what, and the words that an error has beside the value.
    let fields: [(&str, &str, &[&str]); 17] = [
        ("rates = [0.1]", "rates = [0.1, #]", &["grid: the rate of adamw", "positive number"]),
        ("weight_decay = 0.5", "weight_decay = #", &["grid: weight_decay", "0 or positive"]),
        (REMEDY, "weight_variance = #", &["network `r` of group `g`: weight_variance", "positive number"]),
        (REMEDY, "init = \"uniform\"\nbias_variance = #", &["bias_variance", "0 or positive"]),
        (
            REMEDY,
            "residual = { scale = #, layers = 2, last = \"linear\" }",
            &["residual.scale", "positive number"],
        ),
        (REMEDY, "clip = { kind = \"value\", limit = # }", &["clip.limit", "positive number"]),
        (REMEDY, "clip = { kind = \"global-norm\", limit = # }", &["clip.limit", "positive number"]),
        (REMEDY, "clip = { kind = \"adaptive\", limit = # }", &["clip.limit", "positive number"]),
        (REMEDY, "penalty = { kind = \"l1\", lambda = # }", &["penalty.lambda", "positive number"]),
        (REMEDY, "penalty = { kind = \"l2\", lambda = # }", &["penalty.lambda", "positive number"]),
        (REMEDY, "decay = #", &["network `r` of group `g`: decay", "0 or positive"]),
        (REMEDY, "max_norm = #", &["max_norm", "positive number"]),
        (REMEDY, "cell = { kind = \"lstm\", forget_bias = # }", &["cell.forget_bias", "finite number"]),
        (REMEDY, "cell = { kind = \"gru\", clip = # }", &["cell.clip", "positive number"]),
        (
            REMEDY,
            "pretrain = { kind = \"autoencoder\", steps = 1, rate = # }",
            &["pretrain.rate", "positive number"],
        ),
        (
            REMEDY,
            "pretrain = { kind = \"autoencoder\", steps = 1, noise = # }",
            &["pretrain.noise", "below 1"],
        ),
        (
            "[[group]]",
            "[sweep]\nfield = \"weight_variance\"\nvalues = [#]\n[[group]]",
            &["sweep.values: weight_variance", "positive number"],
        ),
    ];
    for (old, new, words) in fields {
        // The last one is a number of TOML's, but none of f32's.
        for (value, found) in [("nan", "NaN"), ("inf", "inf"), ("-inf", "-inf"), ("1e39", "inf")] {
            let new = new.replace('#', value);
            let error = parse(old, &new).expect_err(&new);
            for word in words.iter().chain(&[found]) {
                assert!(error.contains(word), "{new}: no `{word}` in {error}");
            }
        }
    }
    let error = parse("steps = 4", "steps = 4\ncheckpoints = 0").expect_err("no step");
    assert!(error.contains("training.checkpoints is 0; it must be at least 1"), "{error}");
    for field in ["depth", "width"] {
        for value in ["nan", "inf", "1.5", "1e300"] {
            let sweep = format!("[sweep]\nfield = \"{field}\"\nvalues = [{value}]\n[[group]]");
            let error = parse("[[group]]", &sweep).expect_err(&sweep);
            assert!(error.contains(&format!("sweep.values: {field}")) && error.contains("whole"), "{error}");
        }
    }
    for activation in ["leaky", "prelu", "elu"] {
        for value in ["nan", "inf", "-inf", "1e39"] {
            let error = parse("activation = \"sigmoid\"", &format!("activation = \"{activation}:{value}\""));
            let error = error.expect_err(value);
            let text = format!("`{activation}:{value}`");
            assert!(error.contains(&text) && error.contains("finite number"), "{error}");
        }
    }
}

#[test]
fn train_and_flags_refuse_what_is_no_number() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("network.toml");
    let path = path.to_str().unwrap();
    let spirals = include_str!("../../tests/golden/spirals.toml");
    for (value, found) in [("nan", "NaN"), ("inf", "inf"), ("-inf", "-inf"), ("1e39", "inf")] {
        fs::write(path, spirals.replace("rate = 0.01", &format!("rate = {value}"))).unwrap();
        assert_refused(&["train", path], &["network.toml", "optimizer.rate", found, "positive number"]);
        fs::write(path, spirals.replace("limit = 1.0", &format!("limit = {value}"))).unwrap();
        assert_refused(&["train", path], &["network.toml", "clip.limit", found, "positive number"]);
    }
    for value in ["nan", "inf", "-inf", "1e39"] {
        for (command, flag, words) in [
            ("probe", "--weight-var=", "1e-30 to 1e30"),
            ("theory", "--bias-var=", "0 to 1e30"),
            ("probe", "--activation=leaky:", "finite"),
            ("theory", "--activation=elu:", "finite"),
            ("diagnose", "--scale-layer=2:", "finite"),
        ] {
            let flag = format!("{flag}{value}");
            let name = flag.split('=').next().unwrap();
            assert_refused(&[command, &flag], &[name, words]);
        }
        let flag = format!("--branch-scale={value}");
        assert_refused(&["probe", "--residual", "identity", &flag], &["--branch-scale", "finite"]);
        let flag = format!("--forget-bias={value}");
        assert_refused(&["probe", "--cell", "lstm", &flag], &["--forget-bias", "finite"]);
        let flag = format!("--pair-correlation={value}");
        assert_refused(&["probe", &flag], &["--pair-correlation", "-1 to 1"]);
        let flag = format!("--seconds={value}");
        assert_refused(&["bench", "gemm", &flag], &["--seconds"]);
    }
}

/// Sizes whose products overflow 32 bits, 64 bits, or both.
fn huge() -> Vec<usize> {
    let mut sizes = vec![u32::MAX as usize, usize::MAX / 2];
    #[cfg(target_pointer_width = "64")]
    sizes.extend([1 << 32, (1 << 32) + 1, 1 << 40]);
    sizes
}

/// The bytes of every network of a plan, or the first refusal.
fn needed(plan: &StudyPlan) -> Result<u64, String> {
    let setting = &plan.grid[0];
    let recipes = plan.groups.iter().flat_map(|group| &group.rows).map(|row| plan.recipe(row, setting));
    let bytes = |recipe: Recipe| {
        let (form, target) = (Form::Image(12, 12), Target::Classes(10));
        // What a run costs is asked for as well, and may not overflow.
        let _ = recipe.cost(form, target, 10).map(|cost| cost.of(recipe.steps));
        recipe.memory_bytes(form, target, 10).map_err(|error| error.to_string())
    };
    recipes.map(bytes).try_fold(0, |most: u64, bytes| Ok(most.max(bytes?)))
}

#[test]
fn sizes_beyond_the_machine_are_refused_before_anything_is_allocated() {
    // The fields that a file checks by themselves.
    let bounded = [
        ("depth = 3", "depth = #", "depth is #"),
        ("seeds = 1", "seeds = #", "training.seeds is #"),
        (REMEDY, "residual = { scale = 1.0, layers = #, last = \"linear\" }", "residual.layers is #"),
    ];
    for (old, new, word) in bounded {
        for size in huge() {
            let size = size.to_string();
            let error = parse(old, &new.replace('#', &size)).expect_err(new);
            assert!(error.contains(&word.replace('#', &size)), "{error}");
        }
    }
    // And those that the plan of the network refuses, or finds to need more than any machine has.
    let planned = [
        ("width = 4", "width = #"),
        ("batch = 5", "batch = #"),
        (REMEDY, "width = #"),
        (REMEDY, "residual = { scale = 1.0, layers = 2, last = \"linear\" }\nwidth = #"),
        (REMEDY, "norm = \"batch\"\nwidth = #"),
        (REMEDY, "cell = { kind = \"lstm\" }\nwidth = #"),
        (REMEDY, "convolution = { kernel = 3 }\nwidth = #"),
        (REMEDY, "weights = \"standardised\"\nwidth = #"),
        (REMEDY, "pretrain = { kind = \"autoencoder\", steps = 1 }\nwidth = #"),
        (REMEDY, "pretrain = { kind = \"rbm\", steps = 1, gibbs_steps = # }\nwidth = #"),
    ];
    for (old, new) in planned {
        for size in huge() {
            let plan = parse(old, &new.replace('#', &size.to_string())).expect(new);
            match needed(&plan) {
                Ok(bytes) => assert!((1 << 32..1 << 63).contains(&bytes), "{new}, {size}: {bytes} bytes"),
                Err(error) => assert!(error.contains("address space"), "{new}, {size}: {error}"),
            }
        }
    }
    // Steps take no memory, only time.
    for size in huge() {
        let plan = parse("steps = 4", &format!("steps = {size}")).expect("any number of steps");
        assert!(needed(&plan).expect("small") < 1 << 20);
    }
}

/// All samples are counted together: three sets that fit each by itself may not fit beside each other.
#[test]
fn more_samples_than_memory_holds_are_refused_before_they_are_made() {
    // The first is not too much for every machine.
    for size in huge().into_iter().skip(1) {
        for sizes in [
            Sizes { train: 10, validation: size, test: 5 },
            Sizes { train: size, validation: size, test: size },
        ] {
            let all = sizes.train.saturating_add(sizes.validation).saturating_add(sizes.test);
            for source in ["glyphs", "spirals", "two-spirals", "teacher", "gaussian", "copy:10", "adding:10"]
            {
                let error = source.parse::<Source>().unwrap().load(&sizes, 1).unwrap_err().to_string();
                assert!(error.starts_with(&format!("{all} samples of ")), "{source}: {error}, not {all}");
                assert!(error.contains("do not fit into memory"), "{source}: {error}");
            }
        }
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.toml");
    fs::write(&path, STUDY.replacen("validation = 10", &format!("validation = {}", 1_u64 << 40), 1)).unwrap();
    let output = isobath(&["study", path.to_str().unwrap(), "--out", "nowhere"]);
    assert_eq!(output.status.code(), Some(3));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("do not fit into memory; ask for fewer"), "{message}");
}

/// Asked to stop before its first step.
struct Silent;

impl Progress for Silent {
    fn advance(&self, _: u64, _: u64, _: &str) {}
}

#[test]
fn a_study_whose_steps_overflow_when_added_up_can_be_begun() {
    let folder = TempDir::new().unwrap();
    let text = STUDY.replacen("steps = 4", &format!("steps = {}", usize::MAX / 2), 1);
    let text = text.replacen("seeds = 1", "seeds = 9", 1);
    let plan = StudyPlan::parse("s.toml", &text, None, false).unwrap();
    let options = Options {
        folder: folder.path().join("out"),
        seed: 1,
        level: Level::detect(),
        threads: 1,
        force: false,
    };
    let error = run(&plan, &options, &AtomicBool::new(true), &Silent).unwrap_err();
    assert!(matches!(error, StudyError::Interrupted), "{error}");
}

#[cfg(unix)]
#[test]
fn a_folder_whose_name_is_markup_is_text_in_the_page() {
    const NAME: &str = "<script>alert(1)<script>&\"'";
    let folder = TempDir::new().unwrap();
    let data = folder.path().join(NAME);
    fs::create_dir(&data).unwrap();
    let rows: String = (0..40).map(|i| format!("{},{},{}\n", i % 7, i % 5, i % 2)).collect();
    fs::write(data.join("table.csv"), format!("a,b,label\n{rows}")).unwrap();
    let file = folder.path().join("s.toml");
    fs::write(&file, STUDY).unwrap();
    let out = folder.path().join("out");
    let source = format!("csv:{}", data.join("table.csv").display());
    let arguments =
        ["study", file.to_str().unwrap(), "--out", out.to_str().unwrap(), "--data", &source, "--quiet"];
    let output = isobath(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert(1)&lt;script&gt;&amp;"));
}
