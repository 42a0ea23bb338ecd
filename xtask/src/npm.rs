//! The npm package: the engine as WebAssembly, and the TypeScript around it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::build::{self, gzipped, kilobytes};
use crate::failure::{Failure, While};
use crate::neighbours;
use crate::shell::{Project, run, say};
use crate::stamp;
use crate::tools::{self, Node};

/// The package's folder.
pub const NPM: &str = "npm";
/// Where the tests find an engine that can run the storage suite.
pub const SUITE: &str = "tests/web/build";
const CRATE: &str = "edgemem-web";

/// The most that a page loads before it remembers anything, in bytes gzipped: WebAssembly and scripts.
const LIMIT: usize = 600_000;

/// The standard library, made for size: its sort alone is a fifth of the engine otherwise.
const STD: [&str; 2] = [
    "-Zbuild-std=std,panic_abort",
    "-Zbuild-std-features=optimize_for_size",
];

/// A panic ends the engine at once and says nothing, so that no code need be there to say it; a new engine reads
/// what is stored. These flags replace those of `.cargo/config.toml`.
const RUSTFLAGS: &str =
    "-Ctarget-feature=+simd128 -Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=shallow";

/// The folders of the package's scripts.
const SCRIPTS: [&str; 4] = ["dist", "dist/storage", "dist/models", "dist/entry"];

/// How scripts are made small.
const SQUEEZE: [&str; 2] = ["--minify-whitespace", "--minify-syntax"];

/// What makes the engine small, and smaller still once it is compressed: constants stay in one piece, and so, in the second round,
/// do [functions that are alike](neighbours). `-O1` would save 1.5 % more, but what is not yet compiled well runs at half the
/// speed, and that is what opens a memory.
const SHRINK: [&str; 4] = [
    "-Oz",
    "--skip-pass=memory-packing",
    "--strip-debug",
    "--strip-producers",
];
const REORDER: &str = "--reorder-functions-by-name";

/// What the engine is made of.
const INPUTS: [&str; 6] = [
    "src",
    "crates/web",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    ".cargo/config.toml",
];

/// Builds the package, unless nothing changed.
pub fn build(project: &Project) -> Result<(), Failure> {
    let node = Node::ready(project)?;
    engine(project, &node, &format!("{NPM}/wasm"), &[])?;
    let (from, to) = (build::TABLE, format!("{NPM}/wasm/builtin.bin"));
    fs::copy(project.root.join(from), project.root.join(to)).trying(format!("copying {from}"))?;
    let folder = project.root.join(NPM);
    node.packages(project, &folder)?;
    let digest = stamp::digest(
        &folder,
        &["src", "tsconfig.json", "package.json", "wasm/edgemem.d.ts"],
        &SQUEEZE,
    )?;
    let stamp = folder.join("dist/.edgemem");
    if stamp::says(&stamp, &digest) {
        return Ok(());
    }
    say("compiling the npm package");
    if folder.join("dist").exists() {
        fs::remove_dir_all(folder.join("dist")).trying("removing npm/dist")?;
    }
    let tsc = folder.join("node_modules/.bin/tsc");
    run(project
        .command(tsc)
        .current_dir(&folder)
        .env("PATH", node.path()))?;
    let mut scripts = Vec::new();
    for part in SCRIPTS {
        let entries = fs::read_dir(folder.join(part)).trying(format!("reading {part}"))?;
        scripts.extend(entries.flatten().map(|entry| entry.path()));
    }
    scripts.retain(|path| is_script(path));
    squeeze(project, &node, &scripts)?;
    stamp::write(&stamp, &digest)
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "js")
}

/// Leaves out comments and blanks, which a page that loads the scripts as they are would load too. Names stay, for
/// traces.
fn squeeze(project: &Project, node: &Node, scripts: &[PathBuf]) -> Result<(), Failure> {
    let scripts = scripts.iter().map(|script| {
        let mut esbuild = project.command(project.root.join("node_modules/.bin/esbuild"));
        let quietly = ["--log-level=warning", "--allow-overwrite"];
        esbuild
            .arg(script)
            .args(SQUEEZE)
            .args(quietly)
            .arg(format!("--outfile={}", script.display()))
            .env("PATH", node.path());
        run(&mut esbuild)
    });
    scripts.collect()
}

/// Builds an engine for the tests: it can run the storage suite as well.
pub fn suite(project: &Project) -> Result<(), Failure> {
    let node = Node::ready(project)?;
    engine(project, &node, SUITE, &["test-suite"])
}

fn engine(project: &Project, node: &Node, into: &str, features: &[&str]) -> Result<(), Failure> {
    let bindgen = tools::wasm_bindgen(project)?;
    node.packages(project, &project.root)?;
    let out = project.root.join(into);
    let stamp = out.join(".edgemem");
    let words = [features, &STD, &[RUSTFLAGS, REORDER], &SQUEEZE, &SHRINK].concat();
    let digest = stamp::digest(&project.root, &INPUTS, &words)?;
    if stamp::says(&stamp, &digest) && out.join("edgemem_bg.wasm").is_file() {
        return Ok(());
    }
    say(format!("building {CRATE} into {into}"));
    let mut cargo = project.cargo();
    cargo
        .args(["build", "--profile", "web", "--package", CRATE])
        .args(["--target", "wasm32-unknown-unknown"])
        .args(["--features", &features.join(",")])
        // wasm-bindgen reads sections that the linker would strip.
        .env("CARGO_PROFILE_WEB_STRIP", "none");
    if tools::rust_src(project) {
        cargo
            .args(STD)
            .env("RUSTFLAGS", RUSTFLAGS)
            .env("RUSTC_BOOTSTRAP", "1");
    } else {
        eprintln!(
            "warning: without the source of Rust's standard library the npm package is larger"
        );
    }
    run(&mut cargo)?;
    let wasm = target(project).join("wasm32-unknown-unknown/web/edgemem_web.wasm");
    fs::create_dir_all(&out).trying(format!("making {}", out.display()))?;
    run(project
        .command(bindgen)
        .args(["--target", "web", "--out-name", "edgemem", "--out-dir"])
        .arg(&out)
        .arg(wasm))?;
    squeeze(project, node, &[out.join("edgemem.js")])?;
    let built = out.join("edgemem_bg.wasm");
    let shrink = |more: &[&str]| {
        run(project
            .command(project.root.join("node_modules/.bin/wasm-opt"))
            .args(SHRINK)
            .args(more)
            .arg("-o")
            .args([&built, &built])
            .env("PATH", node.path()))
    };
    shrink(&[])?;
    let wasm = fs::read(&built).trying(format!("reading {}", built.display()))?;
    let named = neighbours::named(&wasm).map_err(|error| Failure::Unreadable {
        file: built.clone(),
        reason: error.to_string(),
    })?;
    fs::write(&built, named).trying(format!("writing {}", built.display()))?;
    shrink(&[REORDER])?;
    stamp::write(&stamp, &digest)
}

/// Where cargo puts what it builds.
fn target(project: &Project) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => project.root.join(folder),
        None => project.root.join("target"),
    }
}

/// Prints what a page loads, and sees that it is not too much.
pub fn sizes(project: &Project) -> Result<(), Failure> {
    let folder = project.root.join(NPM);
    let read = |path: PathBuf| fs::read(&path).trying(format!("reading {}", path.display()));
    let wasm = read(folder.join("wasm/edgemem_bg.wasm"))?;
    let mut scripts = read(folder.join("wasm/edgemem.js"))?;
    for part in SCRIPTS {
        let entries = fs::read_dir(folder.join(part)).trying(format!("reading {part}"))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let elsewhere = ["node.js", "workerd.js", "slim.js", "sqlite.js"];
            if is_script(&path) && !elsewhere.iter().any(|name| path.ends_with(name)) {
                scripts.extend(read(path)?);
            }
        }
    }
    let mut total = 0;
    for (what, bytes) in [
        ("npm: the engine's wasm", &wasm),
        ("npm: its scripts", &scripts),
    ] {
        let packed = gzipped(bytes)?;
        total += packed;
        let (raw, packed) = (kilobytes(bytes.len()), kilobytes(packed));
        println!("  {what:<24} {raw:>8.1} KB, {packed:>8.1} KB gzipped");
    }
    if total > LIMIT {
        return Err(Failure::Missing {
            what: format!(
                "a page loads {:.1} KB gzipped, more than {:.0}",
                kilobytes(total),
                kilobytes(LIMIT)
            ),
            advice: "see what grew: `cargo xtask build` prints sizes".into(),
        });
    }
    Ok(())
}
