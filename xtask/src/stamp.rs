//! Knowing that nothing changed since a thing was made.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, While};

/// A digest of files and folders (their names and contents, build output left out) and of some words.
pub fn digest(root: &Path, paths: &[&str], words: &[&str]) -> Result<String, Failure> {
    let mut files = Vec::new();
    for path in paths {
        collect(&root.join(path), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    for file in files {
        file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file)
            .trying(format!("reading {}", file.display()))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if path.is_file() {
        files.push(path.to_path_buf());
    } else if path.is_dir()
        && !["build", "target", "node_modules"]
            .iter()
            .any(|name| path.ends_with(name))
    {
        let entries = fs::read_dir(path).trying(format!("reading {}", path.display()))?;
        for entry in entries.flatten() {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// Whether a stamp file says this.
pub fn says(stamp: &Path, digest: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|text| text == digest)
}

/// Writes a stamp file.
pub fn write(stamp: &Path, digest: &str) -> Result<(), Failure> {
    fs::write(stamp, digest).trying(format!("writing {}", stamp.display()))
}
