//! The digits 0 to 9 as bitmaps of 5 x 7 cells in three styles, drawn for this project.

/// Cells across a digit.
pub(super) const WIDTH: usize = 5;
/// Cells down a digit.
pub(super) const HEIGHT: usize = 7;
/// How many ways of writing each digit there are.
pub(super) const STYLES: usize = 3;

/// Rows of each style; a digit and the gap after it take six columns.
const ROWS: [[&[u8]; HEIGHT]; STYLES] = [
    [
        b" ###    #    ###  #####    #  #####  ###  #####  ###   ###  ",
        b"#   #  ##   #   #    #    ##  #     #         # #   # #   # ",
        b"#   #   #       #   #    # #  ####  #        #  #   # #   # ",
        b"#   #   #      #     #  #  #      # ####    #    ###   #### ",
        b"#   #   #     #       # #####     # #   #   #   #   #     # ",
        b"#   #   #    #    #   #    #  #   # #   #   #   #   #     # ",
        b" ###   ###  #####  ###     #   ###   ###    #    ###   ###  ",
    ],
    [
        b"##### ##    ##### ##### #   # ##### #     ##### ##### ##### ",
        b"#   #  #        #     # #   # #     #         # #   # #   # ",
        b"#   #  #        #     # #   # #     #         # #   # #   # ",
        b"#   #  #    #####  #### ##### ##### #####    #  ##### ##### ",
        b"#   #  #    #         #     #     # #   #    #  #   #     # ",
        b"#   #  #    #         #     #     # #   #    #  #   #     # ",
        b"##### ##### ##### #####     # ##### #####    #  #####     # ",
    ],
    [
        b"  ##     #   ###  ####   #     ####    ## #####   ##   ###  ",
        b" #  #   #   #   #     # #      #      #       #  #  # #  ## ",
        b"#   #  ##       #    #  #  #  #      #       #   #  # #   # ",
        b"#   #   #     ##    ##  #  #  ####  # ##   ####   ##   ###  ",
        b"#   #   #    #        # #####     # ##  #   #    #  #    #  ",
        b"#  #    #   #         #    #      # #   #  #    #   #   #   ",
        b" ##     #    #### ####     #   ###   ###  #      ###  ##    ",
    ],
];

/// Ink in a cell: 1 where the digit is drawn, 0 elsewhere and outside the bitmap.
pub(super) fn ink(style: usize, digit: usize, x: i32, y: i32) -> f32 {
    let inside = (0..WIDTH as i32).contains(&x) && (0..HEIGHT as i32).contains(&y);
    let cell = || ROWS.get(style)?.get(y as usize)?.get(digit * (WIDTH + 1) + x as usize);
    if inside && cell() == Some(&b'#') { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_holds_ten_digits_with_empty_gaps() {
        for row in ROWS.iter().flatten() {
            assert_eq!(row.len(), 10 * (WIDTH + 1));
            assert!(row.chunks_exact(WIDTH + 1).all(|cells| cells[WIDTH] == b' '));
            assert!(row.iter().all(|cell| b" #".contains(cell)));
        }
    }

    #[test]
    fn all_bitmaps_differ_by_at_least_three_cells() {
        let bitmaps: Vec<Vec<f32>> = (0..STYLES * 10)
            .map(|i| (0..35).map(|cell| ink(i / 10, i % 10, cell % 5, cell / 5)).collect())
            .collect();
        for (i, a) in bitmaps.iter().enumerate() {
            for b in &bitmaps[..i] {
                assert!(a.iter().zip(b).filter(|(a, b)| a != b).count() >= 3);
            }
        }
    }

    #[test]
    fn there_is_no_ink_outside() {
        assert_eq!(ink(0, 0, -1, 1), 0.0);
        assert_eq!(ink(0, 1, 5, 0), 0.0);
        assert_eq!(ink(0, 3, 0, 7), 0.0);
        assert_eq!(ink(STYLES, 0, 1, 0), 0.0);
        assert_eq!(ink(0, 0, 1, 0), 1.0);
    }
}
