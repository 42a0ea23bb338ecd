//! The WebAssembly components: built, checked for what they import, and made into JavaScript modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::{gzipped, kilobytes};
use crate::failure::{Failure, While};
use crate::shell::{Project, output, run, say};
use crate::stamp;
use crate::tools::{self, Node};

/// A component that is built.
struct Component {
    /// What it is, for people.
    what: &'static str,
    krate: &'static str,
    folder: &'static str,
    /// The name of its file.
    name: &'static str,
    /// Files that it is made of besides those of every component.
    inputs: &'static [&'static str],
    /// All that its world imports.
    imports: &'static [&'static str],
    /// How its JavaScript is instantiated.
    instantiation: &'static str,
}

/// The world `library`. Of `types` nothing is called.
const LIBRARY: Component = Component {
    what: "the component",
    krate: "edgemem-component",
    folder: "crates/component",
    name: "edgemem",
    inputs: &[],
    imports: &[
        "edgemem:memory/chat",
        "edgemem:memory/clock",
        "edgemem:memory/embed",
        "edgemem:memory/random",
        "edgemem:memory/storage",
        "edgemem:memory/types",
    ],
    instantiation: "async",
};

/// The world `service`, with what its interfaces use.
const SERVICE: Component = Component {
    what: "the service",
    krate: "edgemem-service",
    folder: "crates/service",
    name: "service",
    inputs: &["models/builtin.bin", "www/openapi.json", "www/docs.html"],
    imports: &[
        "wasi:cli/environment",
        "wasi:cli/stderr",
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/wall-clock",
        "wasi:http/outgoing-handler",
        "wasi:http/types",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:keyvalue/atomics",
        "wasi:keyvalue/batch",
        "wasi:keyvalue/store",
        "wasi:random/random",
    ],
    instantiation: "sync",
};

/// Components for tests: the storage conformance suite, on each world's storage.
const SUITE: Component = Component {
    what: "the storage suite",
    krate: "edgemem-component-storage-test",
    folder: "tests/component/storage",
    name: "storage",
    inputs: &["crates/component/src"],
    ..LIBRARY
};
const KEYVALUE_SUITE: Component = Component {
    what: "the storage suite on a key-value store",
    krate: "edgemem-component-keyvalue-test",
    folder: "tests/component/keyvalue",
    name: "keyvalue",
    inputs: &["crates/service/src"],
    ..SERVICE
};

/// The folder whose package.json names the tools.
const TOOLS: &str = "tests/component";

/// What components are made of, besides their own folders.
const INPUTS: [&str; 7] = [
    "src",
    "wit",
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

impl Component {
    fn file(&self) -> String {
        format!("{}/build/{}.wasm", self.folder, self.name)
    }
}

/// Builds the components into `build` in their crates' folders, and beside each the modules by which Node runs it.
pub fn build(project: &Project) -> Result<Node, Failure> {
    let node = tools(project)?;
    for made in [&LIBRARY, &SERVICE] {
        component(project, &node, made)?;
        check(project, &node, made)?;
    }
    Ok(node)
}

/// Builds the storage suites.
pub fn suites(project: &Project, node: &Node) -> Result<(), Failure> {
    component(project, node, &SUITE)?;
    component(project, node, &KEYVALUE_SUITE)
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

fn component(project: &Project, node: &Node, asked: &Component) -> Result<(), Failure> {
    let Component {
        krate,
        folder,
        name,
        ..
    } = asked;
    let out = project.root.join(folder).join("build");
    let stamp = out.join(".edgemem");
    let sources = format!("{folder}/src");
    let own = asked.inputs.iter().copied().chain([sources.as_str()]);
    let inputs: Vec<&str> = INPUTS.into_iter().chain(own).collect();
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
        .args(["--instantiation", asked.instantiation])
        .args(["--quiet", "--name", name, "-o"])
        .arg(out.join("node")))?;
    // Only who waits in the middle of a call has a lock to hand on.
    if asked.instantiation == "async" {
        mend(&out.join(format!("node/{name}.js")))?;
    }
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

/// Sees that a component imports nothing that its world does not.
fn check(project: &Project, node: &Node, made: &Component) -> Result<(), Failure> {
    let file = made.file();
    let world = output(tool(project, node, "jco").arg("wit").arg(&file)).unwrap_or_default();
    let imports = world
        .lines()
        .filter_map(|line| line.trim().strip_prefix("import "));
    let mut count = 0;
    for import in imports {
        count += 1;
        let name = import.split('@').next().unwrap_or(import);
        if !made.imports.contains(&name) {
            return Err(Failure::Missing {
                what: format!("{} imports {import}", made.what),
                advice: "its world, wit/world.wit, does not".into(),
            });
        }
    }
    if count == 0 {
        return Err(Failure::Missing {
            what: format!("{file} names no imports"),
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

/// Prints how large they are.
pub fn sizes(project: &Project) -> Result<(), Failure> {
    for made in [LIBRARY, SERVICE] {
        let path = made.file();
        let bytes = fs::read(project.root.join(&path)).trying(format!("reading {path}"))?;
        let (raw, packed) = (kilobytes(bytes.len()), kilobytes(gzipped(&bytes)?));
        println!(
            "  {:<24} {raw:>8.1} KB, {packed:>8.1} KB gzipped   {path}",
            made.what
        );
    }
    Ok(())
}
