//! `cargo xtask`: builds, serves, tests and evaluates edgemem.

mod app;
mod bench;
mod build;
mod clients;
mod component;
mod dev;
mod eval;
mod failure;
mod http;
mod key;
mod keywords;
mod neighbours;
mod npm;
mod process;
mod sample;
mod serving;
mod settings;
mod shell;
mod stamp;
mod test;
mod tools;

use std::error::Error;
use std::process::ExitCode;

use failure::Failure;
use shell::Project;

const HELP: &str = "\
cargo xtask dev [--port N] [--fresh] [--no-sample]
    Serves the Worker on this machine and runs the sample conversation through it. Ctrl-C ends it.
    --port N      the port, or the next free one        [8787]
    --fresh       forget everything from earlier runs
    --no-sample   serve only
    Without a model configured its replies are replayed from files. With OPENAI_API_KEY (and
    OPENAI_BASE_URL) or EDGEMEM_LLM_* set, here or in .dev.vars, that model is used.

cargo xtask test [STEP...]
    Runs the tests, all or some: fmt lint docs core wasm worker web component clients
    Only when it is named: frameworks

cargo xtask build [worker] [npm] [app] [component]
    Builds the Worker into crates/worker/build, the npm package in npm, the app into www/app (with the package), and
    the WebAssembly component into crates/component/build, or some of them, and prints sizes.

cargo xtask key make NAME [--role read|write|admin] [--expires-in SECONDS]
cargo xtask key list
cargo xtask key revoke ID
    Makes, lists and ends API keys of a project. A key is printed once.
    --role R        what it may                          [read]
    --expires-in N  after how many seconds it ends       [never]
    --host URL      the server                           [http://127.0.0.1:8787, as `dev` serves it]
    EDGEMEM_API_KEY is an admin key of the project; with the default host, the one that `dev` prints.

cargo xtask eval --data FILE [...]
    Measures recall; `cargo xtask eval --help` tells more.

cargo xtask bench [--counts N,N] [--texts FILE | --vectors FILE.f32 DIMENSION] [--peers] [--hnsw]
                  [--recall | --web | --worker | --native | --keywords]
    Times the vector index as WebAssembly under Node, beside an exact scan and, if wanted, its peers.
    --texts FILE  a sentence a line; else the documentation of this project's dependencies
    --hnsw        the graph too; --ef N,N says with how many candidates
    --perturb     make up the vectors that lack, near those that are there
    --recall      whole recall instead: by all channels beside by words and vectors alone, with made-up relations
    --web         the npm package in Chromium instead: from opening to the first recall, and recall
    --worker      the Worker in workerd instead, timed from outside; with --texts and --vectors, by these vectors
    --native      criterion on this machine instead, beside hnsw_rs
    --keywords    the keyword index instead, on this machine: bytes a memory and times

Tools that are missing are installed into .tools and node_modules of the project, never elsewhere
(EDGEMEM_TOOLS_DIR names another folder for the former).";

fn main() -> ExitCode {
    shell::start_clock();
    let words: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Where the workspace is.
fn project_root() -> std::path::PathBuf {
    Project::find().root
}

fn dispatch(words: &[String]) -> Result<(), Box<dyn Error>> {
    let project = Project::find();
    let (task, rest) = words
        .split_first()
        .map_or(("help", &[][..]), |(task, rest)| (task, rest));
    match task {
        "dev" => Ok(dev::run(&project, rest)?),
        "test" => Ok(test::run(&project, rest)?),
        "build" => Ok(build::run(&project, rest)?),
        "key" => Ok(key::run(&project, rest)?),
        "eval" => eval::run(rest),
        "bench" => Ok(bench::run(&project, rest)?),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(Failure::Usage(format!("there is no task {other:?}")).into()),
    }
}
