//! What this machine is called, how large its caches are, how much memory it can still give, and whether its arithmetic
//! keeps subnormal numbers.

use std::hint::black_box;

/// Whether operations on this thread take and give subnormal numbers. A program or a library built for fast mathematics may
/// have told the processor to flush them to zero, on x86 by FTZ and DAZ in MXCSR; threads inherit that from the one that
/// starts them.
///
/// ```
/// use isobath::machine::keeps_subnormals;
///
/// // Rust leaves the processor as IEEE 754 has it, so that half of the least normal number is not 0.
/// assert!(keeps_subnormals());
/// ```
pub fn keeps_subnormals() -> bool {
    // The first product is subnormal, the second one has a subnormal factor.
    let given = black_box(f32::MIN_POSITIVE) * black_box(0.5);
    let taken = black_box(f32::from_bits(1)) * black_box(2.0_f32.powi(100));
    given.to_bits() != 0 && taken.to_bits() != 0
}

/// The processor's name as the operating system gives it, or its architecture.
///
/// ```
/// println!("measured on {}", isobath::machine::cpu());
/// # assert!(!isobath::machine::cpu().is_empty());
/// ```
pub fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        info.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split(':').nth(1));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |name| name.trim().to_owned())
}

/// Bytes that can be had without swapping, where the operating system says so.
pub(crate) fn available_memory() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = kibibytes.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Bytes of the data caches that a core sees, fastest first: as the operating system gives them, or sizes that are common.
pub(crate) fn caches() -> Vec<usize> {
    const COMMON: [usize; 3] = [32 << 10, 512 << 10, 8 << 20];
    let read = |index: usize, file: &str| {
        std::fs::read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{file}")).ok()
    };
    let mut caches: Vec<(u32, usize)> = (0..8)
        .filter_map(|index| {
            let holds_data = read(index, "type")?.trim() != "Instruction";
            let level = read(index, "level")?.trim().parse().ok()?;
            holds_data.then_some((level, size(read(index, "size")?.trim())?))
        })
        .collect();
    caches.sort_unstable();
    // Each must be larger than the one before, or the sizes are not to be trusted.
    let sizes: Vec<usize> = caches.into_iter().map(|(_, size)| size).collect();
    let grow = sizes.windows(2).all(|pair| pair[0] < pair[1]);
    if sizes.is_empty() || !grow { COMMON.to_vec() } else { sizes }
}

/// A size such as `512K` or `32M`.
fn size(text: &str) -> Option<usize> {
    let (number, factor) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 1 << 10),
        b'M' => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(
            ["512K", "32M", "64", "", "K", "x"].map(size),
            [Some(512 << 10), Some(32 << 20), Some(64), None, None, None]
        );
    }

    #[test]
    fn caches_grow() {
        let caches = caches();
        assert!(!caches.is_empty() && caches.windows(2).all(|pair| pair[0] < pair[1]), "{caches:?}");
    }
}
