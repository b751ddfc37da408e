//! Long short-term memory: c' = f c + i g and h' = o tanh c', with i, f, o = sigma and g = tanh of x W + b + h U.
//!
//! Back, with y = tanh c': dc' += dh' o y'; then di = dc' g i', df = dc' c f', do = dh' y o', dg = dc' i g', each a
//! product with a factor that the forward pass has left; dc = dc' f; dh = D U^T. Gates lie in the order i, f, o, g.

use isobath_kernels::Level;
use isobath_kernels::activation::{Sigmoid, Tanh, forward_with_derivative_in_place as activate};

use super::{Backward, Forward};

/// Leaves in `gates` the factors g i', c f', y o', i g', and in `more` f and o y'.
pub(super) fn forward(level: Level, step: Forward<'_>) -> Option<()> {
    let Forward { units, gates, more, recalled, after, memory, scratch, .. } = step;
    let (slopes, rest) = scratch.split_at_mut_checked(4 * units)?;
    let (bounded, rest) = rest.split_at_mut_checked(units)?;
    let bounded_slopes = rest.get_mut(..units)?;
    let rows = gates.chunks_exact_mut(4 * units).zip(recalled.chunks_exact(4 * units));
    let rows = rows.zip(more.chunks_exact_mut(2 * units));
    let states = after.chunks_exact_mut(units).zip(memory.chunks_exact_mut(units));
    for (((gates, recalled), more), (h, c)) in rows.zip(states) {
        gates.iter_mut().zip(recalled).for_each(|(sum, recalled)| *sum += recalled);
        let (sigmoids, g) = gates.split_at_mut_checked(3 * units)?;
        let (sigmoid_slopes, g_slopes) = slopes.split_at_mut_checked(3 * units)?;
        activate(level, Sigmoid, sigmoids, sigmoid_slopes).ok()?;
        activate(level, Tanh, g, g_slopes).ok()?;
        let (i, rest) = sigmoids.split_at_mut_checked(units)?;
        let (f, o) = rest.split_at_mut_checked(units)?;
        let (i_slopes, rest) = sigmoid_slopes.split_at_checked(units)?;
        let (f_slopes, o_slopes) = rest.split_at_checked(units)?;
        let (kept_f, inner) = more.split_at_mut_checked(units)?;
        kept_f.copy_from_slice(f);
        for k in 0..units {
            bounded[k] = f[k] * c[k] + i[k] * g[k];
            f[k] = c[k] * f_slopes[k];
            c[k] = bounded[k];
            let input = i[k];
            i[k] = g[k] * i_slopes[k];
            g[k] = input * g_slopes[k];
        }
        activate(level, Tanh, bounded, bounded_slopes).ok()?;
        for k in 0..units {
            h[k] = o[k] * bounded[k];
            inner[k] = o[k] * bounded_slopes[k];
            o[k] = bounded[k] * o_slopes[k];
        }
    }
    Some(())
}

/// dc' += dh' o y': all of the gradient of c' that does not come from the step after.
pub(super) fn show(units: usize, more: &[f32], state: &[f32], memory: &mut [f32]) {
    let rows = more.chunks_exact(2 * units).zip(state.chunks_exact(units));
    for ((more, dh), dc) in rows.zip(memory.chunks_exact_mut(units)) {
        let inner = more.iter().skip(units);
        dc.iter_mut().zip(dh).zip(inner).for_each(|((dc, dh), inner)| *dc += dh * inner);
    }
}

/// One step back, after [`show`].
pub(super) fn backward(step: Backward<'_>) -> Option<()> {
    let Backward { units, gates, more, state, memory, deltas } = step;
    let rows = gates.chunks_exact(4 * units).zip(deltas.chunks_exact_mut(4 * units));
    let rows = rows.zip(more.chunks_exact(2 * units));
    let states = state.chunks_exact_mut(units).zip(memory.chunks_exact_mut(units));
    for (((factors, deltas), more), (dh, dc)) in rows.zip(states) {
        for (gate, (deltas, factors)) in
            deltas.chunks_exact_mut(units).zip(factors.chunks_exact(units)).enumerate()
        {
            // The output gate alone hears of h and not of c.
            let from = if gate == 2 { &*dh } else { &*dc };
            deltas.iter_mut().zip(factors).zip(from).for_each(|((d, factor), from)| *d = factor * from);
        }
        dc.iter_mut().zip(more).for_each(|(dc, f)| *dc *= f);
        dh.fill(0.0);
    }
    Some(())
}
