//! stub
use crate::study::summary::Summary;
pub fn html(_: &Summary) -> String {
    String::new()
}
pub fn table(s: &Summary, _: usize) -> String {
    let mut t = String::new();
    for g in &s.groups {
        t += &format!("{}\n", g.title);
        for r in &g.rows {
            t += &format!(
                "{:2} {:16} {:?} {} {:?} {:?} {:?} {:.2}s {:?}\n",
                r.rank,
                r.name,
                r.accuracy.as_ref().map(|a| (a.median, a.min, a.max)),
                r.setting,
                r.grid_edge,
                r.ratio_start.as_ref().map(|s| s.median),
                r.ratio_end.as_ref().map(|s| s.median),
                r.seconds,
                r.outcome
            );
        }
    }
    t
}
