//! The prompts, as constants. A snapshot test shows every change of them.

/// Instructions of the extraction (phase 1).
pub const EXTRACT: &str = include_str!("extract.md");

/// Instructions of the update (phase 2).
pub const UPDATE: &str = include_str!("update.md");

/// Instructions of the running summary.
pub const SUMMARY: &str = include_str!("summary.md");

/// Instructions of an export: memories as values of a schema.
pub const EXPORT: &str = include_str!("export.md");

/// Instructions for saying what an image or a document shows.
pub const DESCRIBE: &str = include_str!("describe.md");

/// What a model is told when its reply could not be read.
pub const REPAIR: &str = "Your last reply could not be read. Answer again, with nothing but what was \
                          asked for, in exactly the form that was asked for.";
