//! The WebAssembly component: built, checked for what it imports, and made into JavaScript modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::{gzipped, kilobytes};
use crate::failure::{Failure, While};
use crate::shell::{Project, output, run, say};
use crate::stamp;
use crate::tools::{self, Node};

/// The component's crate.
const CRATE: (&str, &str) = ("edgemem-component", "crates/component");
/// A component for tests: the storage conformance suite.
const SUITE: (&str, &str) = ("edgemem-component-storage-test", "tests/component/storage");
/// The folder whose package.json names the tools.
const TOOLS: &str = "tests/component";

/// All that the world `library` imports. Of `types` nothing is called.
const IMPORTS: [&str; 6] = ["chat", "clock", "embed", "random", "storage", "types"];

/// What components are made of, besides their own folders.
const INPUTS: [&str; 8] = [
    "src",
    "wit",
    "crates/component/src",
    "tests/component/package-lock.json",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    ".cargo/config.toml",
];

/// A fault of jco 1.35 and how it is mended. It hands a component's lock on in a microtask, which begins anew while
/// another call has the lock; but who has it may wait for a timer, and no timer fires between microtasks: calls at
/// the same time could end in an endless loop. Whoever releases the lock hands it on anyway.
const MEND: [&str; 2] = [
    "if (this.#lockHolderTaskID !== null) {
            this.#scheduleLockHandoff();
            return;
          }",
    "if (this.#lockHolderTaskID !== null) { return; }",
];

/// The component's file.
pub fn file() -> String {
    format!("{}/build/edgemem.wasm", CRATE.1)
}

/// Builds the component into `crates/component/build`, and beside it the modules by which Node runs it.
pub fn build(project: &Project) -> Result<Node, Failure> {
    let node = tools(project)?;
    component(project, &node, CRATE, "edgemem")?;
    check(project, &node)?;
    Ok(node)
}

/// Builds the storage suite.
pub fn suite(project: &Project, node: &Node) -> Result<(), Failure> {
    component(project, node, SUITE, "storage")
}

fn tools(project: &Project) -> Result<Node, Failure> {
    tools::wasm_target(project)?;
    let node = Node::with_suspending_calls(project)?;
    node.packages(project, &project.root.join(TOOLS))?;
    Ok(node)
}

/// A program of the tools' packages.
fn tool(project: &Project, node: &Node, name: &str) -> Command {
    let program = project
        .root
        .join(TOOLS)
        .join("node_modules/.bin")
        .join(name);
    let mut command = project.command(&node.program);
    command.arg(program).env("PATH", node.path());
    command
}

fn component(
    project: &Project,
    node: &Node,
    (krate, folder): (&str, &str),
    name: &str,
) -> Result<(), Failure> {
    let out = project.root.join(folder).join("build");
    let stamp = out.join(".edgemem");
    let sources = format!("{folder}/src");
    let inputs: Vec<&str> = INPUTS.into_iter().chain([sources.as_str()]).collect();
    let digest = stamp::digest(&project.root, &inputs, &MEND)?;
    let made = out.join(format!("{name}.wasm"));
    if stamp::says(&stamp, &digest) && made.is_file() {
        say(format!("{krate} is up to date"));
        return Ok(());
    }
    say(format!("building {krate} into {folder}/build"));
    // What describes the world is in sections that the linker would strip; the optimizer strips the names instead.
    run(project
        .cargo()
        .args(["build", "--release", "--package", krate])
        .args(["--target", "wasm32-unknown-unknown"])
        .env("CARGO_PROFILE_RELEASE_STRIP", "none"))?;
    let module = format!("{}.wasm", krate.replace('-', "_"));
    let module = target(project)
        .join("wasm32-unknown-unknown/release")
        .join(module);
    fs::create_dir_all(&out).trying(format!("making {}", out.display()))?;
    let small = out.join("module.wasm");
    run(tool(project, node, "wasm-opt")
        .args([
            "-Oz",
            "--all-features",
            "--strip-debug",
            "--strip-producers",
        ])
        .arg(&module)
        .arg("-o")
        .arg(&small))?;
    run(tool(project, node, "jco")
        .arg("new")
        .arg(&small)
        .arg("-o")
        .arg(&made))?;
    fs::remove_file(&small).trying(format!("removing {}", small.display()))?;
    run(tool(project, node, "jco")
        .arg("transpile")
        .arg(&made)
        .args(["--instantiation", "async", "--quiet", "--name", name, "-o"])
        .arg(out.join("node")))?;
    mend(&out.join(format!("node/{name}.js")))?;
    let modules = out.join("node/package.json");
    fs::write(&modules, "{\"type\": \"module\"}\n")
        .trying(format!("writing {}", modules.display()))?;
    stamp::write(&stamp, &digest)
}

/// Mends what jco made, see [`MEND`].
fn mend(file: &Path) -> Result<(), Failure> {
    let made = fs::read_to_string(file).trying(format!("reading {}", file.display()))?;
    let [fault, mended] = MEND;
    if !made.contains(fault) {
        return Err(Failure::Missing {
            what: format!("{} does not have the fault of jco that is mended", file.display()),
            advice: "see whether tests/component passes without `mend` in xtask/src/component.rs, and remove it".into(),
        });
    }
    fs::write(file, made.replace(fault, mended)).trying(format!("writing {}", file.display()))
}

/// Sees that the component imports nothing that its world does not.
fn check(project: &Project, node: &Node) -> Result<(), Failure> {
    let world = output(tool(project, node, "jco").arg("wit").arg(file())).unwrap_or_default();
    let imports = world
        .lines()
        .filter_map(|line| line.trim().strip_prefix("import "));
    let known = |import: &str| {
        let name = import.strip_prefix("edgemem:memory/");
        name.is_some_and(|name| {
            IMPORTS
                .iter()
                .any(|known| name.starts_with(&format!("{known}@")))
        })
    };
    let mut count = 0;
    for import in imports {
        count += 1;
        if !known(import) {
            return Err(Failure::Missing {
                what: format!("the component imports {import}"),
                advice: "its world, wit/world.wit, does not".into(),
            });
        }
    }
    if count == 0 {
        return Err(Failure::Missing {
            what: format!("{} names no imports", file()),
            advice: "`jco wit` shows what it is".into(),
        });
    }
    Ok(())
}

/// Where cargo puts what it builds.
fn target(project: &Project) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => project.root.join(folder),
        None => project.root.join("target"),
    }
}

/// Prints how large it is.
pub fn sizes(project: &Project) -> Result<(), Failure> {
    let path = file();
    let bytes = fs::read(project.root.join(&path)).trying(format!("reading {path}"))?;
    let (raw, packed) = (kilobytes(bytes.len()), kilobytes(gzipped(&bytes)?));
    println!(
        "  {:<24} {raw:>8.1} KB, {packed:>8.1} KB gzipped   {path}",
        "the component"
    );
    Ok(())
}
