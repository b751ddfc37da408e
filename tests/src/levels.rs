//! Every level that this CPU has, so that no test passes by not running.

use std::io::Write;
use std::sync::Once;

use isobath_kernels::Level;

/// The environment variable that names the one level to test, for machines so slow that the others cannot be afforded.
pub const ONLY: &str = "ISOBATH_ONLY_LEVEL";

/// The levels a test must run on: all, unless [`ONLY`] names one, which is said on standard error. Fails if the CPU has an instruction set that [`Level::available`] leaves out, by
/// asking the standard library's own detection.
pub fn all() -> Vec<Level> {
    let levels: Vec<Level> = Level::available().collect();
    let has = |name: &str| levels.iter().any(|level| level.name() == name);
    assert!(has("scalar") && has("portable"), "the scalar and portable levels exist everywhere");
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        assert_eq!(has("avx2"), avx2, "avx2 level and CPU disagree");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq");
        assert_eq!(has("avx512"), avx512, "avx512 level and CPU disagree");
    }
    #[cfg(target_arch = "aarch64")]
    assert!(has("neon"), "every aarch64 CPU has NEON");
    match std::env::var(ONLY) {
        Ok(name) => only(&levels, &name),
        Err(_) => levels,
    }
}

/// The level of this name alone. Says so past the test runner, which shows nothing that a passing test prints.
fn only(levels: &[Level], name: &str) -> Vec<Level> {
    static SAID: Once = Once::new();
    let (named, left_out): (Vec<Level>, Vec<Level>) = levels.iter().partition(|level| level.name() == name);
    let names = |levels: &[Level]| levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(", ");
    assert!(!named.is_empty(), "{ONLY}={name}: this CPU has the levels {}", names(levels));
    SAID.call_once(|| {
        let what = format!("\nNOT A FULL TEST: {ONLY}={name} leaves out {}\n", names(&left_out));
        std::io::stderr().write_all(what.as_bytes()).expect("a test that leaves out levels must say so");
    });
    named
}
