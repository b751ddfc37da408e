//! The `probe` and `theory` commands: exit codes, messages, and the shape of the JSON.

use std::process::{Command, Output};

use serde_json::Value;

fn isobath(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.args(arguments.split_whitespace()).output().unwrap()
}

fn json(arguments: &str) -> Value {
    let output = isobath(arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn bad_input_is_named_and_exits_with_2() {
    for (arguments, words) in [
        ("probe --depth 0", ["--depth", "1 to 10000"]),
        ("probe --depth ten", ["--depth", "1 to 10000"]),
        ("probe --width 0", ["--width", "1 to 65536"]),
        ("probe --input-width 0", ["--input-width", "1 to 65536"]),
        ("probe --nets 0", ["--nets", "1 to 1000000"]),
        ("probe --batch 0", ["--batch", "1 to 65536"]),
        ("probe --norm batch --batch 1", ["--batch is 1", "2 to 65536"]),
        ("probe --weight-var -1", ["--weight-var", "1e-30 to 1e30"]),
        ("probe --weight-var NaN", ["--weight-var", "1e-30 to 1e30"]),
        ("probe --weight-var 0", ["--weight-var", "1e-30 to 1e30"]),
        ("probe --bias-var -0.1", ["--bias-var", "0 to 1e30"]),
        ("probe --init he --weight-var 2", ["--weight-var 2", "--init orthogonal"]),
        ("probe --init article --bias-var 2", ["--bias-var 2", "--init uniform"]),
        ("probe --init glorot", ["--init", "xavier, he"]),
        ("probe --activation swish", ["--activation", "sigmoid, tanh"]),
        ("probe --activation leaky:inf", ["--activation", "finite"]),
        ("probe --branch-scale 1", ["--branch-scale", "--residual identity"]),
        ("probe --branch-layers 2", ["--branch-layers", "--residual identity"]),
        ("probe --branch-last linear", ["--branch-last", "--residual identity"]),
        ("probe --residual identity --branch-scale inf", ["--branch-scale", "1/sqrt(L)"]),
        ("probe --norm-position post", ["--norm-position", "--norm batch"]),
        ("probe --scale-layer 31:2", ["--scale-layer", "1 to 30"]),
        ("probe --scale-layer 0:2", ["--scale-layer", "from 1"]),
        ("probe --scale-layer 3", ["--scale-layer", "K:F"]),
        ("probe --depth 10000 --width 65536", ["--width", "MiB"]),
        ("probe --data moons", ["--data", "spirals"]),
        ("probe --data glyphs --input-width 10", ["--input-width is 10", "144"]),
        ("probe --level mmx", ["--level", "scalar"]),
        ("probe --threads 0", ["--threads", "1 to 1024"]),
        ("probe --jacobian --norm batch", ["--jacobian", "without batch norm"]),
        ("probe --jacobian --cotangent loss", ["--jacobian", "Gaussian cotangent"]),
        ("probe --jacobian --depth 1 --width 4096", ["--jacobian", "up to 2048 x 2048"]),
        ("probe --pair-correlation -1.01", ["--pair-correlation is -1.01", "-1 to 1"]),
        ("probe --pair-correlation 0.5 --norm batch", ["--pair-correlation", "without batch norm"]),
        ("probe --pair-correlation 0.5 --data glyphs", ["--pair-correlation", "Gaussian inputs"]),
        ("probe --cell transformer", ["--cell", "lstm, gru, rnn"]),
        ("probe --cell lstm --depth 3", ["--cell", "--depth"]),
        ("probe --cell lstm --norm layer", ["--cell", "--norm"]),
        ("probe --cell lstm --activation relu", ["--activation relu", "--cell rnn"]),
        ("probe --cell rnn --forget-bias 1", ["--forget-bias", "--cell lstm"]),
        ("probe --cell lstm --steps 0", ["--steps", "1 to 1000000"]),
        ("probe --cell lstm --forget-bias inf", ["--forget-bias", "finite"]),
        ("probe --cell lstm --width 65536 --steps 1000000", ["--width", "address space"]),
        ("probe --steps 3", ["--steps", "--cell"]),
        ("probe --forget-bias 3", ["--forget-bias", "--cell"]),
        ("diagnose --cell lstm", ["--cell", "isobath probe"]),
        ("theory --cell lstm --map m.svg", ["--map", "without --cell"]),
        ("theory --map", ["--map", "FILE.svg"]),
        ("theory --map m.svg --norm layer", ["--map", "without --norm"]),
        ("theory --cell rnn --plot p.svg", ["--plot", "without --cell"]),
        ("theory --plot", ["--plot", "FILE.svg"]),
        ("theory --pair-correlation 1.5", ["--pair-correlation is 1.5", "-1 to 1"]),
    ] {
        let output = isobath(arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {message}");
        assert!(output.stdout.is_empty(), "{arguments}");
        for word in words {
            assert!(message.contains(word), "{arguments}: no `{word}` in {message}");
        }
    }
    assert_eq!(isobath("probe --data csv:/there/is/none.csv").status.code(), Some(3));
}

#[test]
fn check_says_by_its_exit_code_who_is_sick() {
    assert_eq!(isobath("probe --depth 10 --check").status.code(), Some(1));
    assert_eq!(isobath("probe --depth 10").status.code(), Some(0));
    assert_eq!(isobath("probe --depth 10 --activation relu --init he --check").status.code(), Some(0));
}

#[test]
fn the_report_fits_a_terminal() {
    for arguments in
        ["probe", "probe --depth 100 --activation tanh --init he", "theory --norm batch --batch 4"]
    {
        let text = String::from_utf8(isobath(arguments).stdout).unwrap();
        assert!(text.lines().count() < 60, "{arguments}");
        // A command to be copied stands on one line, however long.
        for line in text.lines().filter(|line| !line.contains("isobath probe")) {
            assert!(line.chars().count() <= 80, "{arguments}: {line}");
        }
    }
    let text = String::from_utf8(isobath("probe").stdout).unwrap();
    assert!(text.starts_with("vanishing: ") && text.contains("isobath probe --norm batch"), "{text}");
}

#[test]
fn json_has_its_shape() {
    let report = json("probe --depth 6 --json");
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["measured"]["factors"], 5);
    for field in ["chi", "log10_delta_ratio", "log10_gw_ratio"] {
        assert!(report["measured"][field]["mean"].is_f64() && report["measured"][field]["ci95"][1].is_f64());
    }
    assert!(report["measured"]["log_gain"]["var"].is_f64());
    assert_eq!(report["measured"]["zero_gradient_fraction"], 0.0);
    let layers = report["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 7);
    assert_eq!(layers[0].as_object().unwrap().len(), 2);
    for field in
        ["x_rms", "log10_delta", "log10_gw", "factor", "predicted_factor", "z", "slope_rms", "weight_gain"]
    {
        assert!(layers[1][field].is_f64(), "{field}");
    }
    assert!(layers[6]["factor"].is_null());
    assert!(report["jacobian"].is_null() && report["measured"]["gradient_correlation"].is_null());
    let verdict = &report["verdict"];
    assert_eq!((&verdict["kind"], &verdict["where"]), (&"vanishing".into(), &"uniform".into()));
    assert!(verdict["layer"].is_null() && verdict["cause"] == "slope");
    assert_eq!(report["hash"].as_str().unwrap().len(), 16);
    assert_eq!(report["theory"]["source"], "mean-field");

    let more = json("probe --depth 2 --activation relu --init he --pair-correlation 0.9 --jacobian --json");
    assert!(more["measured"]["gradient_correlation"]["mean"].as_f64().unwrap() < 1.0);
    assert!((more["theory"]["gradient_correlation"].as_f64().unwrap() - 0.7396).abs() < 1e-3);
    assert_eq!(more["jacobian"]["singular_values"].as_array().unwrap().len(), 64);
    // What is looked at besides does not change what is measured.
    let less = json("probe --depth 2 --activation relu --init he --json");
    assert_eq!((&less["hash"], &less["layers"]), (&more["hash"], &more["layers"]));
}

#[test]
fn the_fix_is_a_command_that_does_what_it_says() {
    for arguments in [
        "probe --depth 12 --activation tanh --init uniform",
        "probe --depth 20 --activation relu --norm batch --width 48",
        "probe --depth 12 --activation relu --init he --residual identity --seed 3 --nets 4",
        "probe --depth 12 --activation relu --scale-layer 5:30 --cotangent loss --input-width 20",
        "probe --depth 12 --activation leaky:0.2 --init orthogonal --weight-var 0.3",
    ] {
        let report = json(&format!("{arguments} --json"));
        let fix = &report["verdict"]["fix"];
        let command = fix["command"].as_str().unwrap().replace('\'', "");
        let cured = json(&format!("{} --json", command.strip_prefix("isobath ").unwrap()));
        assert_eq!(cured["verdict"]["factor_per_layer"], fix["measured_factor"], "{command}");
        assert_eq!(cured["verdict"]["kind"], "healthy", "{command}");
    }
}

#[test]
fn threads_and_levels_do_not_show() {
    let levels = isobath("probe --level none");
    let levels = String::from_utf8_lossy(&levels.stderr).into_owned();
    let reference = json("probe --depth 5 --width 32 --activation tanh --level scalar --threads 1 --json");
    for level in
        ["scalar", "portable", "neon", "avx2", "avx512"].iter().filter(|level| levels.contains(**level))
    {
        for threads in [1, 2] {
            let found = json(&format!(
                "probe --depth 5 --width 32 --activation tanh --level {level} --threads {threads} --json"
            ));
            assert_eq!(found, reference, "{level} on {threads} threads");
        }
    }
}

#[test]
fn theory_has_a_value_or_a_reason_for_everything() {
    for arguments in [
        "theory --json",
        "theory --activation relu --init he --json",
        "theory --residual identity --json",
        "theory --norm batch --batch 4 --json",
    ] {
        let theory = json(arguments);
        assert_eq!(theory["schema_version"], 1);
        for (name, value) in theory.as_object().unwrap() {
            assert_eq!(value.is_null(), theory["reasons"].get(name).is_some(), "{arguments}: {name}");
        }
    }
    let correlated = json("theory --activation relu --init he --depth 10 --pair-correlation 0.9 --json");
    assert!((correlated["gradient_correlation"].as_f64().unwrap() - 0.2839).abs() < 1e-3);
}

#[test]
fn figures_are_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, flag, parts) in [
        ("--activation tanh --weight-var 2", "--map", ["<circle ", "edge of chaos", "s_w"]),
        (
            "--activation elu:1.5 --depth 7",
            "--plot",
            ["elu:1.5", "just below h = 0: |φ′| = 1.5", "Over 7 layers"],
        ),
        ("--activation prelu:0.25 --norm layer", "--plot", ["prelu:0.25", "at every h &gt; 0", "φ′(h)"]),
    ] {
        let path = folder.path().join("figure.svg");
        assert!(isobath(&format!("theory {flags} {flag} {}", path.display())).status.success());
        let svg = std::fs::read_to_string(&path).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        for part in parts {
            assert!(svg.contains(part), "`{part}` is not in {svg}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("none").join("figure.svg");
        let refused = isobath(&format!("theory {flag} {}", nowhere.display()));
        assert_eq!(refused.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(flag));
    }
}

#[test]
fn cells_are_deep_in_time() {
    let zero = json("probe --cell lstm --weight-var 1e-30 --forget-bias 1 --steps 300 --json");
    assert!((zero["measured"]["chi"]["mean"].as_f64().unwrap().sqrt() - 0.731059).abs() < 1e-5);
    assert!((zero["theory"]["rate_norm"].as_f64().unwrap() - 0.731059).abs() < 1e-6);
    assert_eq!((&zero["measured"]["factors"], &zero["verdict"]["kind"]), (&300.into(), &"vanishing".into()));
    let fix = &zero["verdict"]["fix"];
    let again =
        json(&format!("{} --json", fix["command"].as_str().unwrap().strip_prefix("isobath ").unwrap()));
    assert_eq!(again["verdict"]["factor_per_layer"], fix["measured_factor"]);

    let orthogonal = "--cell rnn --activation identity --init orthogonal --weight-var 1.21 --steps 50 --json";
    assert!((json(&format!("theory {orthogonal}"))["rate_norm"].as_f64().unwrap() - 1.1).abs() < 1e-6);
    let rate = json(&format!("probe {orthogonal}"))["verdict"]["factor_per_layer"].as_f64().unwrap();
    assert!((rate - 1.1).abs() < 1e-5, "{rate}");
    assert!(json("theory --cell gru --json")["rate_norm"].is_null());
    assert_eq!(isobath("probe --cell lstm --check").status.code(), Some(1));
    let text = String::from_utf8(isobath("probe --cell gru --init uniform").stdout).unwrap();
    assert!(text.lines().all(|line| line.contains("isobath probe") || line.chars().count() <= 80), "{text}");
}
