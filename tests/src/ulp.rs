//! Distance in units in the last place.
