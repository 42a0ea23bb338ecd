//! Tells every story of `tests/stories` to a real space and compares what it remembers with what the story
//! expects. Prints a table; `STORY=part-of-an-id` tells only those stories, with everything that differs.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod check;
mod replay;
mod story;
mod tell;

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use edgemem::model::builtin::StaticEmbedder;
use story::Story;

fn project(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The stories in the order of their files.
fn stories() -> Vec<Story> {
    let folder = project("tests/stories");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("tests/stories")
        .map(|file| file.expect("a file").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("a story");
        let story: Story =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let stem = path.file_stem().expect("a name").to_string_lossy();
        assert_eq!(story.id, stem, "a story is called like its file");
        story
    };
    paths.iter().map(read).collect()
}

#[test]
fn every_story_is_remembered_as_it_expects() {
    let wanted = std::env::var("STORY").ok();
    let is_wanted = |story: &Story| wanted.as_ref().is_none_or(|part| story.id.contains(part));
    let bytes = std::fs::read(project("models/builtin.bin")).expect("the builtin embedder");
    let embedder = Rc::new(StaticEmbedder::from_bytes(bytes).expect("the builtin embedder"));
    let (mut told, mut failed) = (0, 0);
    println!("The model's replies are replayed: they were written by hand for these stories.\n");
    for story in stories().into_iter().filter(is_wanted) {
        let differences = tell::tell(&story, &embedder);
        told += 1;
        let result = match differences.first() {
            None => "pass".to_owned(),
            Some(first) if wanted.is_none() => format!("FAIL  {first}"),
            Some(_) => format!("FAIL\n  {}", differences.join("\n  ")),
        };
        failed += usize::from(!differences.is_empty());
        println!("{:<34} {:<3} {result}", story.id, story.language);
    }
    println!("\n{told} stories, {} pass, {failed} fail", told - failed);
    assert!(told > 0, "no story is called so");
    assert_eq!(failed, 0, "stories fail; the table above tells which");
}

#[test]
fn the_stories_are_many_and_of_many_languages() {
    let stories = stories();
    let languages: BTreeSet<&str> = stories.iter().map(|s| s.language.as_str()).collect();
    assert!(stories.len() >= 30, "{} stories", stories.len());
    assert!(languages.len() >= 5, "{languages:?}");
    for story in &stories {
        assert!(!story.about.is_empty(), "{}: about what?", story.id);
        let label = story.replies.to_lowercase();
        assert!(
            label.contains("replayed") && label.contains("by hand"),
            "{}",
            story.id
        );
    }
}
