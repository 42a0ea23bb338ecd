//! `cargo xtask test`: every check of the project, the quick ones first.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::app;
use crate::build;
use crate::component;
use crate::failure::{Failure, While};
use crate::http::Api;
use crate::npm;
use crate::process::handle_interrupts;
use crate::serving::{Serving, build_model_server, forget, free_port, model_server};
use crate::settings::{SPARE_KEY, Settings};
use crate::shell::{Project, output, run as execute, say, which};
use crate::stamp;
use crate::tools::{self, BuildTools, Node};

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

/// Runs the task: the named steps, or all.
pub fn run(project: &Project, words: &[String]) -> Result<(), Failure> {
    if let Some(word) = words
        .iter()
        .find(|word| STEPS.iter().all(|(name, ..)| name != word))
    {
        let names: Vec<&str> = STEPS.iter().map(|(name, ..)| *name).collect();
        let what = format!("`test` has no step {word:?}; there are {}", names.join(" "));
        return Err(Failure::Usage(what));
    }
    handle_interrupts()?;
    let mut summary = Vec::new();
    for (name, step, about) in STEPS {
        if !words.is_empty() && !words.iter().any(|word| word == name) {
            continue;
        }
        println!("\n== {name}: {about}");
        let start = Instant::now();
        let result = step(project);
        let seconds = start.elapsed().as_secs_f64();
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        summary.push(format!("  {name:<9} {verdict} {seconds:7.1} s"));
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
    app::build(project)?;
    npm::suite(project)?;
    npm::sizes(project)?;
    app::sizes(project)?;
    let node = Node::ready(project)?;
    let models = build_model_server(project)?;
    let mut command = project.command(&node.program);
    command
        .args(["--test", "--test-reporter=spec", "--test-timeout=300000"])
        .args(files(project, "tests/web", ".test.mjs")?);
    execute(
        command
            .env("PATH", node.path())
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

fn clients(project: &Project) -> Result<(), Failure> {
    let tools = BuildTools::ready(project)?;
    let newest = python(project, "python", "tests/clients/python/requirements.txt")?;
    let older = python(
        project,
        "python-1",
        "tests/clients/python/requirements-1.txt",
    )?;
    let python_mcp = python(project, "python-mcp", "tests/clients/mcp/requirements.txt")?;
    let frameworks = "tests/clients/integrations";
    let python_frameworks = python(
        project,
        "python-integrations",
        "tests/clients/integrations/requirements.txt",
    )?;
    let typescript = project.root.join("tests/clients/typescript");
    let mcp = project.root.join("tests/clients/mcp");
    let integrations = project.root.join(frameworks);
    for folder in [&typescript, &mcp, &integrations] {
        tools.node.packages(project, folder)?;
    }
    build::worker(project, &tools, build::WORKER)?;
    build::table(project)?;

    let (_models, base) = model_server(project, &["tests/cassettes"])?;
    let mut settings = Settings::for_tests();
    settings.use_replayed(&base);
    settings.fetch_from(&base);
    let state = project.tools.join("test-state");
    forget(&state)?;
    let port = free_port(0)?;
    let env_file = settings.write(&project.tools.join("test.env"))?;
    let serving = Serving {
        port,
        state: &state,
        env_file: &env_file,
    };
    let mut worker = serving.start(project, &tools.node)?;
    let url = format!("http://127.0.0.1:{port}");
    serving.wait_until_healthy(&mut worker, &Api::new(url.clone(), settings.key.clone()))?;

    let tested = |command: &mut Command| {
        command
            .env("EDGEMEM_URL", &url)
            .env("EDGEMEM_FILES_URL", format!("{base}/files"))
            .env("EDGEMEM_API_KEY", &settings.key)
            .env("EDGEMEM_SPARE_API_KEY", SPARE_KEY)
            .env("OPENAI_BASE_URL", format!("{base}/v1"))
            .env("OPENAI_API_KEY", "replayed")
            .env("MEM0_TELEMETRY", "False");
        execute(command)
    };
    let in_python = |program: &Path, folder: &str| {
        let discover = ["-m", "unittest", "discover", "--start-directory", folder];
        tested(project.command(program).args(discover))
    };
    let in_node = |folder: &Path| {
        tested(
            Command::new(&tools.node.program)
                .current_dir(folder)
                .env("PATH", tools.node.path())
                .args(["--test", "--test-reporter=spec"]),
        )
    };
    say("the Python client");
    let clients = in_python(&newest, "tests/clients/python");
    say("the Python client of version 1");
    let every_method = ["tests/clients/python/test_every_method.py"];
    let clients = clients.and(tested(project.command(older).args(every_method)));
    say("the TypeScript client");
    let clients = clients.and(in_node(&typescript));
    say("MCP's Python client");
    let clients = clients.and(in_python(&python_mcp, "tests/clients/mcp"));
    say("MCP's TypeScript clients and its inspector, and the examples of the published API");
    let clients = clients.and(in_node(&mcp));
    say("agent frameworks: the programs of docs/integrations.md, and n8n's node");
    let clients = clients.and(in_python(&python_frameworks, frameworks));
    let clients = clients.and(in_node(&integrations));
    clients.inspect_err(|_| eprint!("{}", worker.log()))
}

/// Python with the packages that these requirements name, in a folder of the tools.
fn python(project: &Project, name: &str, requirements: &str) -> Result<PathBuf, Failure> {
    let folder = project.tools.join(name);
    let program = folder.join("bin/python");
    let digest = stamp::digest(&project.root, &[requirements], &[])?;
    let stamp = folder.join(".edgemem");
    if stamp::says(&stamp, &digest) && program.exists() {
        return Ok(program);
    }
    let missing = |error: Failure| Failure::Missing {
        what: format!("Python cannot make a virtual environment ({error})"),
        advice: "install Python 3.10 or newer with its module venv (Debian: python3-venv)".into(),
    };
    say(format!("installing a Python client into .tools/{name}"));
    let system = which("python3").unwrap_or_else(|| "python3".into());
    execute(
        project
            .command(system)
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )
    .map_err(missing)?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        requirements,
    ];
    execute(project.command(&program).args(pip))?;
    stamp::write(&stamp, &digest)?;
    Ok(program)
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
        for (name, ..) in STEPS {
            assert!(crate::HELP.contains(name), "{name}");
        }
    }
}
