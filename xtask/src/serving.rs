//! The Worker in workerd and the model server, as services.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::{Failure, While};
use crate::http::Api;
use crate::process::Service;
use crate::settings::Settings;
use crate::shell::{Project, run, say};
use crate::tools::Node;

const READY_WITHIN: Duration = Duration::from_secs(120);

/// How the Worker is served.
#[derive(Debug)]
pub struct Serving<'a> {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The folder of the Durable Objects' databases.
    pub state: &'a Path,
    /// The name of the file that its variables are written to, among the tools.
    pub env_file: &'a str,
}

impl Serving<'_> {
    /// Starts wrangler on the built Worker, and waits until it answers.
    pub fn start(
        &self,
        project: &Project,
        node: &Node,
        settings: &Settings,
    ) -> Result<(Service, Api), Failure> {
        let env_file = settings.write(&project.tools.join(self.env_file))?;
        say(format!("starting wrangler on port {}", self.port));
        let mut command = project.command(&node.program);
        command.arg("node_modules/wrangler/bin/wrangler.js");
        command.args([
            "dev",
            "--local",
            "--ip",
            "127.0.0.1",
            "--inspector-port",
            "0",
        ]);
        command.args(["--port", &self.port.to_string()]);
        command
            .arg("--persist-to")
            .arg(self.state)
            .arg("--env-file")
            .arg(env_file);
        command
            .env("PATH", node.path())
            .env("WRANGLER_SEND_METRICS", "false")
            .env("CI", "1");
        let mut worker = Service::start("worker", &mut command)?;
        let api = Api::new(
            format!("http://127.0.0.1:{}", self.port),
            settings.key.clone(),
        );
        worker.wait_for(READY_WITHIN, |_| api.healthy().then_some(()))?;
        Ok((worker, api))
    }
}

/// The local server that replays the recorded replies of some folders, and its URL.
pub fn model_server(project: &Project, cassettes: &[&str]) -> Result<(Service, String), Failure> {
    let program = build_model_server(project)?;
    let mut command = project.command(program);
    command.args(["--port", "0", "--files", "tests/attachments"]);
    for folder in cassettes {
        command.args(["--cassettes", folder]);
    }
    let mut server = Service::start("models", &mut command)?;
    let base = server.wait_for(READY_WITHIN, |lines| {
        lines
            .iter()
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
    })?;
    Ok((server, base))
}

/// Builds the model server; its program.
pub fn build_model_server(project: &Project) -> Result<PathBuf, Failure> {
    say("building the model server");
    run(project.cargo().args(["build", "--package", "model-server"]))?;
    // Cargo puts it where it put this program.
    let own = std::env::current_exe().trying("finding the model server")?;
    Ok(own.with_file_name("model-server"))
}

/// This port, or the next that nobody uses; for 0 any.
pub fn free_port(wanted: u16) -> Result<u16, Failure> {
    for port in (wanted..=u16::MAX).take(100) {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return Ok(listener.local_addr().map_or(port, |address| address.port()));
        }
    }
    Err(Failure::Missing {
        what: format!("port {wanted} is taken, and the hundred after it"),
        advice: "--port takes another one; --port 0 any".into(),
    })
}

/// Removes the state of earlier runs; whether there was any.
pub fn forget(state: &Path) -> Result<bool, Failure> {
    let known = state.exists();
    if known {
        fs::remove_dir_all(state).trying(format!("removing {}", state.display()))?;
    }
    Ok(known)
}
