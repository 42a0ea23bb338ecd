//! `cargo xtask test`: every check of the project, the quick ones first.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use crate::app;
use crate::build;
use crate::clients::{clients, frameworks};
use crate::component;
use crate::failure::{Failure, While};
use crate::npm;
use crate::process::handle_interrupts;
use crate::serving::build_model_server;
use crate::shell::{Project, output, run as execute, say};
use crate::tools::{self, BuildTools};

const WASM: [&str; 2] = ["--target", "wasm32-unknown-unknown"];
/// Crates that are compiled to WebAssembly, each alone: together, cargo would unify their features.
const FACES: [&str; 7] = [
    "edgemem-worker",
    "edgemem-worker-storage-test",
    "edgemem-web",
    "edgemem-component",
    "edgemem-component-storage-test",
    "edgemem-service",
    "edgemem-component-keyvalue-test",
];
const CORE: &str = "edgemem";
/// What the native tests switch on.
const FEATURES: [&str; 2] = ["--features", "edgemem/test-suite,model-server/record"];
/// A test may fail by a panic; clippy.toml says so too, but not for the functions that tests share.
const ALLOWED_IN_TESTS: [&str; 8] = [
    "-A",
    "clippy::unwrap_used",
    "-A",
    "clippy::expect_used",
    "-A",
    "clippy::panic",
    "-A",
    "clippy::indexing_slicing",
];
/// What the core may not depend on: it belongs to the faces.
const FACES_ONLY: [&str; 5] = ["worker", "wasm-bindgen", "wit-bindgen", "js-sys", "web-sys"];

type Step = fn(&Project) -> Result<(), Failure>;

const STEPS: [(&str, Step, &str); 9] = [
    ("fmt", fmt, "formatting"),
    (
        "lint",
        lint,
        "clippy, natively and each face for WebAssembly",
    ),
    ("docs", docs, "documentation builds without warnings"),
    (
        "core",
        core,
        "tests of the core, the tasks and the model server",
    ),
    (
        "wasm",
        wasm,
        "each crate alone compiles to WebAssembly; the core depends on no face",
    ),
    ("worker", worker, "the Worker in workerd"),
    (
        "web",
        web,
        "the npm package in Chromium and in Node, and the app",
    ),
    (
        "component",
        component,
        "the WebAssembly component in Node, by jco",
    ),
    (
        "clients",
        clients,
        "mem0's own clients, MCP's, agent frameworks, and the published examples, against the Worker",
    ),
];

/// What is run only when it is named: its packages are large.
const ON_DEMAND: [(&str, Step, &str); 1] = [(
    "frameworks",
    frameworks,
    "agent frameworks of half a gigabyte and more, against the Worker",
)];

/// Runs the task: the named steps, or all.
pub fn run(project: &Project, words: &[String]) -> Result<(), Failure> {
    let known = || STEPS.into_iter().chain(ON_DEMAND);
    if let Some(word) = words
        .iter()
        .find(|word| known().all(|(name, ..)| name != *word))
    {
        let names: Vec<&str> = known().map(|(name, ..)| name).collect();
        let what = format!("`test` has no step {word:?}; there are {}", names.join(" "));
        return Err(Failure::Usage(what));
    }
    handle_interrupts()?;
    let mut summary = Vec::new();
    let is_wanted = |name: &str| words.iter().any(|word| word == name);
    let all = STEPS.iter().filter(|_| words.is_empty());
    let named = known().filter(|(name, ..)| is_wanted(name));
    for (name, step, about) in all.copied().chain(named) {
        println!("\n== {name}: {about}");
        let start = Instant::now();
        let result = step(project);
        let seconds = start.elapsed().as_secs_f64();
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        summary.push(format!("  {name:<10} {verdict} {seconds:7.1} s"));
        if result.is_err() {
            println!("\n{}", summary.join("\n"));
            return result;
        }
    }
    println!("\n{}", summary.join("\n"));
    say("all passed");
    Ok(())
}

fn cargo(project: &Project, words: &[&[&str]]) -> Result<(), Failure> {
    execute(project.cargo().args(words.concat()))
}

fn natively() -> Vec<&'static str> {
    let mut words = vec!["--workspace"];
    for face in FACES {
        words.extend(["--exclude", face]);
    }
    words
}

fn fmt(project: &Project) -> Result<(), Failure> {
    cargo(project, &[&["fmt", "--all", "--check"]])
}

fn lint(project: &Project) -> Result<(), Failure> {
    let strict = ["--", "-D", "warnings"];
    let native = |targets: &[&str], lints: &[&str]| {
        let words = [
            &["clippy"],
            &natively()[..],
            &FEATURES,
            targets,
            &strict,
            lints,
        ];
        cargo(project, &words)
    };
    native(&[], &[])?;
    native(&["--all-targets"], &ALLOWED_IN_TESTS)?;
    tools::wasm_target(project)?;
    for krate in std::iter::once(CORE).chain(FACES) {
        cargo(project, &[&["clippy", "-p", krate], &WASM, &strict])?;
    }
    Ok(())
}

fn docs(project: &Project) -> Result<(), Failure> {
    let doc = |words: &[&[&str]]| {
        let mut command = project.cargo();
        command.args(["doc", "--no-deps"]).args(words.concat());
        execute(command.env("RUSTDOCFLAGS", "-Dwarnings"))
    };
    doc(&[&natively()])?;
    tools::wasm_target(project)?;
    FACES
        .into_iter()
        .try_for_each(|face| doc(&[&["-p", face], &WASM]))
}

fn core(project: &Project) -> Result<(), Failure> {
    cargo(project, &[&["test"], &natively(), &FEATURES])
}

fn wasm(project: &Project) -> Result<(), Failure> {
    tools::wasm_target(project)?;
    for krate in std::iter::once(CORE).chain(FACES) {
        cargo(project, &[&["check", "-p", krate], &WASM])?;
    }
    let tree = ["tree", "-p", CORE, "--edges", "normal", "--prefix", "none"];
    let tree = output(project.cargo().args(tree).args(WASM)).ok_or_else(|| Failure::Command {
        command: "cargo tree -p edgemem".into(),
        status: "no output".into(),
    })?;
    let packages = tree.lines().filter_map(|line| line.split(' ').next());
    match packages.into_iter().find(|name| FACES_ONLY.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::Missing {
            what: format!("the core depends on {name}"),
            advice:
                "`cargo tree -p edgemem --target wasm32-unknown-unknown -i` with its name tells why"
                    .into(),
        }),
    }
}

fn worker(project: &Project) -> Result<(), Failure> {
    let tools = BuildTools::ready(project)?;
    for krate in [build::WORKER, build::STORAGE_TEST] {
        build::worker(project, &tools, krate)?;
    }
    build::table(project)?;
    app::build(project)?;
    let models = build_model_server(project)?;
    let mut command = project.command(&tools.node.program);
    command.args(["--test", "--test-reporter=spec"]).args(files(
        project,
        "tests/worker",
        ".test.mjs",
    )?);
    execute(
        command
            .env("PATH", tools.node.path())
            .env("EDGEMEM_MODEL_SERVER", models),
    )
}

fn web(project: &Project) -> Result<(), Failure> {
    let tools = BuildTools::ready(project)?;
    build::worker(project, &tools, build::WORKER)?;
    build::table(project)?;
    app::build(project)?;
    npm::suite(project)?;
    npm::sizes(project)?;
    app::sizes(project)?;
    let models = build_model_server(project)?;
    let mut command = project.command(&tools.node.program);
    command
        .args(["--test", "--test-reporter=spec", "--test-timeout=300000"])
        .args(files(project, "tests/web", ".test.mjs")?);
    execute(
        command
            .env("PATH", tools.node.path())
            .env("EDGEMEM_CHROMIUM", tools::chromium()?)
            .env("EDGEMEM_MODEL_SERVER", models),
    )
}

fn component(project: &Project) -> Result<(), Failure> {
    cargo(project, &[&["test", "-p", "edgemem-service"]])?;
    let node = component::build(project)?;
    component::suites(project, &node)?;
    component::sizes(project)?;
    for folder in ["examples/component/service", "tests/clients/typescript"] {
        node.packages(project, &project.root.join(folder))?;
    }
    let models = build_model_server(project)?;
    let mut command = project.command(&node.program);
    command
        .args(["--test", "--test-reporter=spec", "--test-timeout=120000"])
        .args(files(project, "tests/component", ".test.mjs")?);
    execute(
        command
            .env("PATH", node.path())
            .env("EDGEMEM_MODEL_SERVER", models),
    )
}

/// The files of a folder with this ending.
fn files(project: &Project, folder: &str, ending: &str) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(project.root.join(folder)).trying(format!("reading {folder}"))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(ending));
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_named_and_nothing_runs() {
        let refused = run(&Project::find(), &["tpyo".to_owned()]);
        assert!(
            matches!(refused, Err(Failure::Usage(text)) if text.contains("tpyo") && text.contains("clients"))
        );
    }

    #[test]
    fn every_step_is_in_the_help() {
        for (name, ..) in STEPS.into_iter().chain(ON_DEMAND) {
            assert!(crate::HELP.contains(name), "{name}");
        }
    }
}
