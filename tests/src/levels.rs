//! Every level that this CPU has, so that no test passes by not running.

use isobath_kernels::Level;

/// The levels a test must run on. Fails if the CPU has an instruction set that [`Level::available`] leaves out, by
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
    levels
}
