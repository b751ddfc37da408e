//! The gated recurrent unit: h' = z h + (1 - z) n, with z, r = sigma(x W + b + h U), n = tanh(x W_n + b_n + r (h U_n)).
//!
//! Back, with s = h U_n: dn = dh' (1 - z) n', dz = dh' (h - n) z', dr = dn s r'; dh = dh' z + (dz, dr, dn r) U^T. The
//! blocks of W and b lie in the order n, z, r, those of U in the order z, r, n: D is dn, dz, dr and then dn r, so that
//! what W needs of it and what U needs are each one matrix.

use isobath_kernels::Level;
use isobath_kernels::activation::{Sigmoid, Tanh, forward_with_derivative_in_place as activate};

use super::{Backward, Forward};

/// Leaves in `gates` the factors (1 - z) n', (h - n) z', s r', and in `more` z and r.
pub(super) fn forward(level: Level, step: Forward<'_>) -> Option<()> {
    let Forward { units, gates, more, recalled, before, after, scratch, .. } = step;
    let (slopes, rest) = scratch.split_at_mut_checked(2 * units)?;
    let n_slopes = rest.get_mut(..units)?;
    let rows = gates.chunks_exact_mut(3 * units).zip(recalled.chunks_exact(3 * units));
    let rows = rows.zip(more.chunks_exact_mut(2 * units));
    let states = before.chunks_exact(units).zip(after.chunks_exact_mut(units));
    for (((gates, recalled), more), (h, next)) in rows.zip(states) {
        let (n, sums) = gates.split_at_mut_checked(units)?;
        let (recalled, s) = recalled.split_at_checked(2 * units)?;
        more.iter_mut().zip(&*sums).zip(recalled).for_each(|((z, sum), recalled)| *z = sum + recalled);
        activate(level, Sigmoid, more, slopes).ok()?;
        let (z, r) = more.split_at_checked(units)?;
        n.iter_mut().zip(r).zip(s).for_each(|((n, r), s)| *n += r * s);
        activate(level, Tanh, n, n_slopes).ok()?;
        let (of_z, of_r) = sums.split_at_mut_checked(units)?;
        let (z_slopes, r_slopes) = slopes.split_at_checked(units)?;
        for k in 0..units {
            next[k] = z[k] * h[k] + (1.0 - z[k]) * n[k];
            of_z[k] = (h[k] - n[k]) * z_slopes[k];
            of_r[k] = s[k] * r_slopes[k];
            n[k] = (1.0 - z[k]) * n_slopes[k];
        }
    }
    Some(())
}

/// One step back.
pub(super) fn backward(step: Backward<'_>) -> Option<()> {
    let Backward { units, gates, more, state, deltas, .. } = step;
    let rows = gates.chunks_exact(3 * units).zip(deltas.chunks_exact_mut(4 * units));
    let rows = rows.zip(more.chunks_exact(2 * units));
    for (((factors, deltas), more), dh) in rows.zip(state.chunks_exact_mut(units)) {
        let (of_n, rest) = factors.split_at_checked(units)?;
        let (of_z, of_r) = rest.split_at_checked(units)?;
        let (dn, rest) = deltas.split_at_mut_checked(units)?;
        let (dz, rest) = rest.split_at_mut_checked(units)?;
        let (dr, recalled) = rest.split_at_mut_checked(units)?;
        let (z, r) = more.split_at_checked(units)?;
        for k in 0..units {
            dn[k] = dh[k] * of_n[k];
            dz[k] = dh[k] * of_z[k];
            dr[k] = dn[k] * of_r[k];
            recalled[k] = dn[k] * r[k];
            dh[k] *= z[k];
        }
    }
    Some(())
}
