//! Other people's programs against the Worker: mem0's clients, MCP's, and agent frameworks.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build;
use crate::failure::Failure;
use crate::process::Service;
use crate::serving::{Serving, forget, free_port, model_server};
use crate::settings::{SPARE_KEY, Settings};
use crate::shell::{Project, run as execute, say, which};
use crate::stamp;
use crate::tools::{BuildTools, Node};

const FRAMEWORKS: &str = "tests/clients/integrations";

/// The frameworks of Python that are too large to be installed on every run: what their environments are called, and the
/// parts of docs/integrations.md that are for them.
const LARGE: [(&str, &str); 2] = [("crewai", "CrewAI"), ("langflow", "Langflow")];

/// A Worker whose model is the model server.
struct Served<'a> {
    project: &'a Project,
    node: &'a Node,
    worker: Service,
    url: String,
    /// The model server's.
    models: String,
    settings: Settings,
}

impl<'a> Served<'a> {
    /// Hands one to `test`, and shows what it said when that fails.
    fn with(
        project: &'a Project,
        tools: &'a BuildTools,
        test: impl FnOnce(&Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        build::worker(project, tools, build::WORKER)?;
        build::table(project)?;
        let (_models, models) = model_server(project, &["tests/cassettes"])?;
        let mut settings = Settings::for_tests();
        settings.use_replayed(&models);
        settings.fetch_from(&models);
        let state = project.tools.join("test-state");
        forget(&state)?;
        let port = free_port(0)?;
        let serving = Serving {
            port,
            state: &state,
            env_file: "test.env",
        };
        let (worker, _) = serving.start(project, &tools.node, &settings)?;
        let url = format!("http://127.0.0.1:{port}");
        let served = Self {
            project,
            node: &tools.node,
            worker,
            url,
            models,
            settings,
        };
        test(&served).inspect_err(|_| eprint!("{}", served.worker.log()))
    }

    fn test(&self, command: &mut Command) -> Result<(), Failure> {
        command
            .env("EDGEMEM_URL", &self.url)
            .env("EDGEMEM_FILES_URL", format!("{}/files", self.models))
            .env("EDGEMEM_API_KEY", &self.settings.key)
            .env("EDGEMEM_SPARE_API_KEY", SPARE_KEY)
            .env("OPENAI_BASE_URL", format!("{}/v1", self.models))
            .env("OPENAI_API_KEY", "replayed")
            .env("MEM0_TELEMETRY", "False")
            .env("CREWAI_DISABLE_TELEMETRY", "true")
            .env("MASTRA_TELEMETRY_DISABLED", "1");
        execute(command)
    }

    /// All tests of a folder.
    fn in_python(&self, program: &Path, folder: &str) -> Result<(), Failure> {
        let discover = ["-m", "unittest", "discover", "--start-directory", folder];
        self.test(self.project.command(program).args(discover))
    }

    /// The programs of docs/integrations.md under these headings.
    fn documented(&self, program: &Path, headings: &[&str]) -> Result<(), Failure> {
        let test = format!("{FRAMEWORKS}/test_documented.py");
        self.test(self.project.command(program).arg(test).args(headings))
    }

    fn in_node(&self, folder: &Path) -> Result<(), Failure> {
        self.test(
            Command::new(&self.node.program)
                .current_dir(folder)
                .env("PATH", self.node.path())
                .args(["--test", "--test-reporter=spec"]),
        )
    }
}

/// The clients of mem0 and MCP, and the frameworks that are soon installed.
pub fn clients(project: &Project) -> Result<(), Failure> {
    let tools = BuildTools::ready(project)?;
    let newest = python(project, "python", "tests/clients/python/requirements.txt")?;
    let older = python(
        project,
        "python-1",
        "tests/clients/python/requirements-1.txt",
    )?;
    let python_mcp = python(project, "python-mcp", "tests/clients/mcp/requirements.txt")?;
    let python_frameworks = framework(project, "integrations", "requirements.txt")?;
    let adk = framework(project, "adk", "requirements-adk.txt")?;
    let typescript = project.root.join("tests/clients/typescript");
    let mcp = project.root.join("tests/clients/mcp");
    let integrations = project.root.join(FRAMEWORKS);
    for folder in [&typescript, &mcp, &integrations] {
        tools.node.packages(project, folder)?;
    }
    Served::with(project, &tools, |served| {
        say("the Python client");
        let clients = served.in_python(&newest, "tests/clients/python");
        say("the Python client of version 1");
        let every_method = ["tests/clients/python/test_every_method.py"];
        let clients = clients.and(served.test(project.command(older).args(every_method)));
        say("the TypeScript client");
        let clients = clients.and(served.in_node(&typescript));
        say("MCP's Python client");
        let clients = clients.and(served.in_python(&python_mcp, "tests/clients/mcp"));
        say("MCP's TypeScript clients and its inspector, and the examples of the published API");
        let clients = clients.and(served.in_node(&mcp));
        say("agent frameworks: the programs of docs/integrations.md, and n8n's node");
        let clients = clients.and(served.documented(&python_frameworks, &[]));
        let clients = clients.and(served.documented(&adk, &["Google ADK"]));
        clients.and(served.in_node(&integrations))
    })
}

/// The frameworks that are large: run when they are asked for.
pub fn frameworks(project: &Project) -> Result<(), Failure> {
    let tools = BuildTools::ready(project)?;
    let flowise = project.root.join("tests/clients/flowise");
    tools.node.packages(project, &flowise)?;
    let environments = LARGE.map(|(name, heading)| {
        let requirements = format!("requirements-{name}.txt");
        Ok((framework(project, name, &requirements)?, heading))
    });
    Served::with(project, &tools, |served| {
        let mut tested = Ok(());
        for environment in environments {
            let (program, heading) = environment?;
            say(heading);
            tested = tested.and(served.documented(&program, &[heading]));
        }
        say("Flowise's node");
        tested.and(served.in_node(&flowise))
    })
}

fn framework(project: &Project, name: &str, requirements: &str) -> Result<PathBuf, Failure> {
    let requirements = format!("{FRAMEWORKS}/{requirements}");
    python(project, &format!("python-{name}"), &requirements)
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
