//! The `bench` command: exit codes, messages, and the shape of the JSON; no test of a time.

use std::process::{Command, Output};

use serde_json::Value;

fn isobath(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.args(arguments.split_whitespace()).output().unwrap()
}

#[test]
fn bad_input_is_named_and_exits_with_2() {
    for (arguments, words) in [
        ("bench", ["gemm", "Usage"]),
        ("bench gemm --shapes 8,8", ["8,8", "m,n,k"]),
        ("bench gemm --shapes 8,0,8", ["8,0,8", "sizes from 1"]),
        ("bench gemm --shapes 8,8,8,XX", ["8,8,8,XX", "NN, NT, TN, TT"]),
        ("bench gemm --shapes 8,8,8,NN,1", ["8,8,8,NN,1", "m,n,k"]),
        ("bench gemm --shapes 99999999999,1,99999999999", ["more than", "elements"]),
        ("bench gemm --seconds 0", ["--seconds is 0", "more than 0"]),
        ("bench gemm --seconds NaN", ["--seconds is NaN", "more than 0"]),
        ("bench gemm --level mmx", ["--level", "scalar"]),
        ("bench gemm --threads 0", ["--threads", "1 to 1024"]),
        ("bench elementwise --kernels rleu", ["rleu", "'relu'"]),
        ("bench elementwise --seconds 0", ["--seconds is 0", "more than 0"]),
        ("bench elementwise --level mmx", ["--level", "scalar"]),
        ("bench elementwise --threads 2", ["--threads is 2", "one"]),
        ("bench probes --width 4096", ["4096", "2048"]),
        ("bench probes --depth 0", ["--depth", "0"]),
        ("bench probes --activation sigmod", ["sigmod", "tanh"]),
        ("bench probes --seconds 0", ["--seconds is 0", "more than 0"]),
        ("bench probes --threads 2", ["--threads is 2", "one"]),
    ] {
        let output = isobath(arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {message}");
        assert!(output.stdout.is_empty(), "{arguments}");
        for word in words {
            assert!(message.contains(word), "{arguments}: `{word}` is not in: {message}");
        }
    }
}

#[test]
fn the_json_has_every_figure_of_the_table() {
    let shapes = ["8,8,8", "1,64,64,NT", "20,10,300,TN"];
    for threads in [1, 2] {
        let command = format!("bench gemm --seconds 0.001 --threads {threads} --json --shapes");
        let output = isobath(&format!("{command} {}", shapes.join(" ")));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["threads"], threads);
        let positive = |value: &Value| value.as_f64().is_some_and(|value| value > 0.0 && value.is_finite());
        for limit in
            ["peak_gflops", "fma_latency_ns", "read_16_kib_gb_s", "read_512_kib_gb_s", "read_64_mib_gb_s"]
        {
            assert!(positive(&json["limits"][limit]), "{limit}: {json}");
        }
        let products = json["products"].as_array().unwrap();
        assert_eq!(products.len(), shapes.len());
        assert_eq!(products[1]["transpose_b"], true);
        assert_eq!(products[2]["transpose_a"], true);
        assert_eq!(products[2]["k"], 300);
        for product in products {
            for figure in [
                "hot_gflops",
                "hot_median_gflops",
                "rotating_gflops",
                "hot_percent",
                "rotating_percent",
                "limit_percent",
            ] {
                assert!(positive(&product[figure]), "{figure}: {product}");
            }
            // One vector of C cannot do better than its chain of multiply-adds.
            assert!(product["limit_percent"].as_f64().unwrap() <= 100.0);
        }
    }
}

#[test]
fn the_table_fits_a_terminal() {
    let output = isobath("bench gemm --seconds 0.001 --shapes 8,8,8 1024,1,1024,NT");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("1024,1,1024 NT"));
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn kernels_are_measured_in_every_memory() {
    let names = "sigmoid gelu sgd momentum adam penalty batch-norm clip max-abs";
    let output = isobath(&format!("bench elementwise --seconds 0.0001 --json --kernels {names}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["schema_version"], 1);
    let kernels = json["kernels"].as_array().unwrap();
    let find = |name: &str, form: &str| {
        kernels.iter().find(|row| row["kernel"] == name && row["form"] == form).unwrap()
    };
    // Bytes as the kernels' documentation states them: x and y; w, g; w, v, g; w, m, v, g; x twice and y.
    for (name, form, bytes) in [
        ("sigmoid", "forward", 8),
        ("sigmoid", "both", 12),
        ("gelu", "backward", 12),
        ("sgd", "", 12),
        ("momentum", "", 20),
        ("adam", "", 28),
        ("penalty", "l1", 12),
        ("batch-norm", "training", 12),
        ("batch-norm", "backward", 20),
        ("clip", "by-norm", 12),
        ("max-abs", "", 4),
    ] {
        assert_eq!(find(name, form)["bytes_per_element"], bytes, "{name} {form}");
    }
    let memories = |row: &Value| -> Vec<String> {
        row["memories"].as_array().unwrap().iter().map(|place| place["memory"].to_string()).collect()
    };
    for row in kernels {
        assert_eq!(memories(row), memories(&kernels[0]));
        assert!(memories(row).len() >= 2);
        for place in row["memories"].as_array().unwrap() {
            for figure in ["bytes", "elements", "ns_per_element", "gb_s", "loop_gb_s", "percent"] {
                assert!(place[figure].as_f64().is_some_and(|x| x > 0.0 && x.is_finite()), "{figure}: {row}");
            }
            // All arrays together fill the memory meant, but for a row of each.
            let [bytes, elements] = ["bytes", "elements"].map(|key| place[key].as_u64().unwrap());
            let arrays = row["arrays"].as_u64().unwrap();
            assert!((bytes - 1024 * arrays..=bytes).contains(&(4 * elements * arrays)), "{row}");
        }
    }
}

#[test]
fn the_table_of_element_wise_kernels_fits_a_terminal() {
    let output = isobath("bench elementwise --seconds 0.0001 --kernels batch-norm gelu-tanh sum sgd");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\ngelu-tanh derivative") && text.contains("\nsgd "), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn every_probe_has_a_cost_with_an_interval() {
    let output =
        isobath("bench probes --depth 3 --width 8 --batch 1 --activation prelu:0.25 --seconds 0.01 --json");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["schema_version"], 1);
    let networks = json["networks"].as_array().unwrap();
    assert_eq!(networks.len(), 1);
    let network = &networks[0];
    assert_eq!((&network["depth"], &network["width"], &network["batch"]), (&3.into(), &8.into(), &1.into()));
    assert_eq!(network["activation"], "prelu:0.25");
    let ordered = |interval: &Value| {
        let [low, median, high] = ["low", "median", "high"].map(|name| interval[name].as_f64().unwrap());
        low <= median && median <= high
    };
    assert!(
        ordered(&network["step_microseconds"]) && network["step_microseconds"]["low"].as_f64() > Some(0.0)
    );
    let probes = network["probes"].as_array().unwrap();
    let names: Vec<&str> = probes.iter().map(|probe| probe["probe"].as_str().unwrap()).collect();
    for name in ["norms", "slopes", "saturation", "correlation", "jacobian"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    for probe in probes {
        assert!(ordered(&probe["microseconds"]) && ordered(&probe["percent"]), "{probe}");
        assert!(probe["pairs"].as_u64() >= Some(6), "{probe}");
    }
}

#[test]
fn the_table_of_probes_has_a_line_for_each_and_fits_80_columns() {
    let output = isobath("bench probes --depth 2 --width 4 --batch 2 --seconds 0.01");
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["\nnorms ", "\njacobian ", "\nprobe ", "2 sigmoid layers of 4, batch 2\n"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80 && line.trim_end() == line), "{text}");
}

/// Values that are computed again take time of their own and spare memory.
#[test]
fn training_with_checkpoints_takes_less_memory() {
    let measure = |flags: &str| {
        let line = "bench train --depth 40 --width 16 --batch 4 --norm batch --seconds 0.001 --json ";
        let output = isobath(&format!("{line}{flags}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        json["networks"][0].clone()
    };
    let (all, few) = (measure(""), measure("--checkpoints 5"));
    assert!(all["checkpoints"].is_null() && few["checkpoints"] == 5);
    let bytes = [&all, &few].map(|network| network["arena_bytes"].as_u64().unwrap());
    // Of 40 layers with 3 arrays each, 5 layers are left, 8 checkpoints, and twice the input, as large as 4 arrays.
    assert!(bytes[0] - bytes[1] > 4 * (16 * 4) * (3 * 35 - 16 - 3), "{bytes:?}");
    let again = [&all, &few].map(|network| network["phases"]["recomputation"].as_f64().unwrap());
    assert!(again[0] == 0.0 && again[1] > 0.0, "{again:?}");
    let output = isobath("bench train --depth 3 --width 4 --batch 2 --seconds 0.001 --checkpoints 1");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\nvalues kept once per layer, the others computed again\n"), "{text}");
    let output = isobath("bench train --checkpoints 0");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--checkpoints"));
}
