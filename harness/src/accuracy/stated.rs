//! The largest errors as the documentation of the kernels states them: one table, for readers and for programs.

/// The source of [`isobath_kernels::math`], which has the table. A link, so that a packaged crate contains it.
const SOURCE: &str = include_str!("table.txt");

/// The largest errors stated for a function, of normal and of subnormal results; none if the table has no such row.
///
/// ```
/// use isobath::accuracy::stated;
///
/// // Rounding alone makes half a unit, and the documentation promises less than one.
/// let (normal, _) = stated("exp").expect("it has a row");
/// assert!(0.5 < normal && normal < 1.0);
/// assert_eq!(stated("sine"), None);
/// ```
pub fn stated(name: &str) -> Option<(f64, f64)> {
    SOURCE.lines().find_map(|line| {
        let mut cells = line.strip_prefix("//! |")?.split('|').map(str::trim);
        if cells.next()?.trim_matches('`') != name {
            return None;
        }
        Some((cells.next()?.parse().ok()?, cells.next()?.parse().ok()?))
    })
}
