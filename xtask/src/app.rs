//! The app of `www/`, bundled into a folder that is a page by itself, and one of the Worker's assets.

use std::fs;

use crate::build::{gzipped, kilobytes};
use crate::failure::{Failure, While};
use crate::npm;
use crate::shell::{Project, run, say};
use crate::stamp;
use crate::tools::Node;

/// Its source, with the packages that it is made of.
const WWW: &str = "www";
/// Where it is built.
const APP: &str = "www/app";

/// The most that its own scripts and styles may take, in bytes gzipped; the engine comes with the npm package.
const LIMIT: usize = 60_000;

/// What is served as it is: from, and under which name.
const FILES: [(&str, &str); 5] = [
    ("www/src/index.html", "index.html"),
    ("www/src/style.css", "style.css"),
    ("www/src/icon.svg", "icon.svg"),
    ("npm/wasm/edgemem_bg.wasm", "edgemem_bg.wasm"),
    ("npm/wasm/builtin.bin", "builtin.bin"),
];

/// What it is made of.
const INPUTS: [&str; 7] = [
    "www/src",
    "www/tsconfig.json",
    "www/package.json",
    "www/package-lock.json",
    "npm/dist",
    "npm/wasm",
    "samples",
];

/// Builds the npm package and the app around it, unless nothing changed.
pub fn build(project: &Project) -> Result<(), Failure> {
    npm::build(project)?;
    let node = Node::ready(project)?;
    let folder = project.root.join(WWW);
    node.packages(project, &folder)?;
    let out = project.root.join(APP);
    let stamp = out.join(".edgemem");
    let digest = stamp::digest(&project.root, &INPUTS, &[])?;
    if stamp::says(&stamp, &digest) {
        return Ok(());
    }
    say(format!("bundling the app into {APP}"));
    if out.exists() {
        fs::remove_dir_all(&out).trying(format!("removing {APP}"))?;
    }
    fs::create_dir_all(&out).trying(format!("making {APP}"))?;
    run(project
        .command(folder.join("node_modules/.bin/tsc"))
        .current_dir(&folder)
        .env("PATH", node.path()))?;
    run(project
        .command(project.root.join("node_modules/.bin/esbuild"))
        .current_dir(&folder)
        .args(["src/main.tsx", "--outdir=app", "--bundle", "--splitting"])
        .args(["--format=esm", "--target=es2022", "--minify"])
        .args(["--jsx=automatic", "--jsx-import-source=preact"])
        .args(["--legal-comments=none", "--log-level=warning"])
        .env("PATH", node.path()))?;
    for (from, name) in FILES {
        fs::copy(project.root.join(from), out.join(name)).trying(format!("copying {from}"))?;
    }
    stamp::write(&stamp, &digest)
}

/// Prints what the page adds to the package, and sees that it is not too much.
pub fn sizes(project: &Project) -> Result<(), Failure> {
    let out = project.root.join(APP);
    let mut bytes = Vec::new();
    for path in fs::read_dir(&out)
        .trying(format!("reading {APP}"))?
        .flatten()
        .map(|entry| entry.path())
    {
        let counts = path
            .extension()
            .is_some_and(|extension| extension == "js" || extension == "css");
        if counts {
            bytes.extend(fs::read(&path).trying(format!("reading {}", path.display()))?);
        }
    }
    let packed = gzipped(&bytes)?;
    println!(
        "  {:<24} {:>8.1} KB, {:>8.1} KB gzipped   {APP}",
        "the app's scripts",
        kilobytes(bytes.len()),
        kilobytes(packed)
    );
    if packed > LIMIT {
        return Err(Failure::Missing {
            what: format!(
                "the app's scripts and styles are {:.1} KB gzipped, more than {:.0}",
                kilobytes(packed),
                kilobytes(LIMIT)
            ),
            advice: "see what grew: `esbuild --analyze` tells which files".into(),
        });
    }
    Ok(())
}
