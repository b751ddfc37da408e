//! The pages and tables that show a study.
