//! Sources of data: generated (glyphs, spirals, teacher, gaussian) and files (IDX, CSV).
