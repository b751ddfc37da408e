//! Elementary functions over tokens and slices.
