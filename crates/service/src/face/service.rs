//! The service: a request to its answer, and the work that it leaves.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use edgemem::api::{About, Backend, Call, Gateway, Known, Project, Received, problem_response};
use edgemem::directory::{Answer, Ask};
use edgemem::memory::{Problem, SpaceHash};
use edgemem::operation::{Operation, Reply};
use edgemem::space::Settings;
use futures_util::future::LocalBoxFuture;
use wasip2::http::types::IncomingRequest;

use super::directory::Directories;
use super::host::{internal, log, now, variables};
use super::http::read;
use super::keyvalue::HostBucket;
use super::models::{about, models};
use super::space::{BUSY, Place, Spaces};
use crate::bucket::Bucket;

const OPENAPI: &str = include_str!("../../../../www/openapi.json");
const DOCS: &str = include_str!("../../../../www/docs.html");

/// Notices that the directory is told at a time.
const NOTICES_AT_ONCE: usize = 200;

thread_local! {
    /// The service of this instance: a host may send it one request, or many.
    static RUNNING: RefCell<Option<Rc<Service>>> = const { RefCell::new(None) };
}

/// The service of this instance.
pub fn running() -> Rc<Service> {
    RUNNING.with_borrow_mut(|running| {
        running
            .get_or_insert_with(|| Rc::new(Service::new()))
            .clone()
    })
}

/// The door, and what is behind it.
pub struct Service {
    variables: HashMap<String, String>,
    about: About,
    /// What directories said of keys.
    known: Rc<Known>,
    /// Why there is nothing behind it, when there is not.
    inner: Result<Inner, Problem>,
}

struct Inner {
    spaces: Spaces,
    directories: Directories,
    /// Spaces that were asked something, and may have more to do.
    touched: RefCell<HashMap<Project, BTreeSet<SpaceHash>>>,
}

impl Service {
    fn new() -> Self {
        let variables = variables();
        let variable = |name: &str| variables.get(name).cloned();
        let mut about = about(&variable);
        let inner = Inner::new(&variable);
        if let Err(problem) = &inner {
            about.problems.push(problem.message.clone());
        }
        Self {
            variables,
            about,
            known: Rc::default(),
            inner,
        }
    }

    /// Answers a request.
    pub async fn answer(&self, request: IncomingRequest) -> http::Response<Vec<u8>> {
        let request = match read(request).await {
            Ok(request) => request,
            Err(problem) => return problem_response(&problem),
        };
        if let Some(published) = published(&request) {
            return published;
        }
        let gateway = Gateway::new(|name| self.variables.get(name).cloned(), self.about.clone());
        let gateway = gateway.at(now(), self.known.clone());
        let received = gateway.receive(&request);
        if let Received::Answer(answer) = received {
            return answer;
        }
        match &self.inner {
            Ok(inner) => inner.answer(&gateway, received, &request).await,
            Err(problem) => problem_response(problem),
        }
    }

    /// Does what the requests so far left to do. What fails is left to later requests.
    pub async fn work(&self) {
        let Ok(inner) = &self.inner else { return };
        for (project, mut spaces) in inner.touched.take() {
            match inner.directories.sleeping(&project).await {
                Ok(sleeping) => {
                    let due = sleeping.into_iter().filter(|(_, due)| *due <= now());
                    spaces.extend(due.map(|(space, _)| space));
                }
                Err(problem) => log(&problem.message),
            }
            for space in spaces {
                let place = (project.clone(), space);
                if let Err(problem) = inner.finish(&place).await {
                    log(&format!(
                        "work of a space is left for later: {}",
                        problem.message
                    ));
                }
            }
            if let Err(problem) = inner.directories.deliver(&project).await {
                log(&format!("webhooks are called later: {}", problem.message));
            }
        }
    }
}

impl Inner {
    fn new(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let settings = Settings::from_env(variable);
        let bad = |reason: String| Problem::new(500, "bad_configuration", reason);
        let settings = Settings {
            notices: true,
            ..settings.map_err(|error| bad(error.to_string()))?
        };
        let bucket: Rc<dyn Bucket> = Rc::new(HostBucket::open(variable).map_err(bad)?);
        Ok(Self {
            spaces: Spaces::new(bucket.clone(), models(variable)?, settings),
            directories: Directories::new(bucket, variable),
            touched: RefCell::default(),
        })
    }

    async fn answer(
        &self,
        gateway: &Gateway,
        mut received: Received,
        request: &http::Request<Vec<u8>>,
    ) -> http::Response<Vec<u8>> {
        if let Received::Unknown(lookup) = &received {
            let answer = self.directories.ask(&lookup.project, lookup.ask()).await;
            received = gateway.receive_from(lookup, answer, request);
        }
        match received {
            Received::Answer(answer) => answer,
            Received::Call(call) => self.call(gateway, *call).await,
            Received::Work(work) => {
                let project = work.project.clone();
                let backend = OfProject {
                    inner: self,
                    project: &project,
                };
                gateway.work(*work, &backend).await
            }
            Received::Unknown(_) => problem_response(&internal("nobody knows who calls")),
        }
    }

    async fn call(&self, gateway: &Gateway, mut call: Call) -> http::Response<Vec<u8>> {
        let place = (call.project.clone(), call.space);
        loop {
            let mut reply = self.ask(&place, call.operation.clone()).await;
            // What was to be remembered is stored: its job can be done after the answer.
            if matches!(call.operation, Operation::RunJobs { .. })
                && reply.as_ref().is_err_and(|problem| problem.code == BUSY)
            {
                reply = Ok(Reply::Ran { next_due: None });
            }
            if call.next(&reply).is_none() {
                return gateway.answer(&call, reply);
            }
        }
    }

    async fn ask(&self, place: &Place, operation: Operation) -> Result<Reply, Problem> {
        let (project, space) = place;
        if matches!(operation, Operation::RunJobs { .. }) {
            self.learn_settings(project).await;
        }
        {
            let mut touched = self.touched.borrow_mut();
            touched.entry(project.clone()).or_default().insert(*space);
        }
        self.spaces.ask(place, operation).await
    }

    /// Runs the jobs of a space that are due, tells the directory what happened, and sees to it that the space is
    /// woken for what is left.
    async fn finish(&self, place: &Place) -> Result<(), Problem> {
        let (project, space) = place;
        let loaded = self.spaces.open(place).await?;
        if loaded.space.next_due().is_some_and(|due| due <= now()) {
            self.learn_settings(project).await;
            let run = Operation::RunJobs { event: None };
            self.spaces.ask(place, run).await?;
        }
        self.tell(place).await?;
        let due = self.spaces.open(place).await?.space.next_due();
        let sleeping = self.directories.sleeping(project).await?;
        let known = sleeping.into_iter().find(|(other, _)| other == space);
        if known.map(|(_, due)| due) != due {
            self.directories.wake(project, *space, due).await?;
        }
        Ok(())
    }

    /// Tells the directory what it does not know yet.
    async fn tell(&self, place: &Place) -> Result<(), Problem> {
        let (project, space) = place;
        while self
            .spaces
            .open(place)
            .await?
            .space
            .untold_since()
            .is_some()
        {
            let asked = Operation::Notices {
                limit: NOTICES_AT_ONCE,
            };
            let Reply::Notices(report) = self.spaces.ask(place, asked).await? else {
                return Err(internal("a space did not give its notices"));
            };
            let upto = report.notices.last().map(|notice| notice.id);
            let ask = Ask::Report {
                space: *space,
                report,
            };
            self.directories.ask(project, ask).await?;
            self.spaces.ask(place, Operation::Noticed { upto }).await?;
        }
        Ok(())
    }

    /// Asks the directory what a project wants extracted; when it does not answer, what was known holds.
    async fn learn_settings(&self, project: &Project) {
        if !self.spaces.extract() {
            return;
        }
        match self.directories.ask(project, Ask::Settings).await {
            Ok(Answer::Settings(settings)) => self.spaces.learn(project, *settings),
            Ok(_) => log("the directory answered what was not asked"),
            Err(problem) => log(&format!(
                "the project's settings are not known: {}",
                problem.message
            )),
        }
    }
}

/// What is published of the API, which needs no key.
fn published(request: &http::Request<Vec<u8>>) -> Option<http::Response<Vec<u8>>> {
    let (kind, header, value, text) = match (request.method().as_str(), request.uri().path()) {
        ("GET", "/openapi.json") => (
            "application/json",
            "access-control-allow-origin",
            "*",
            OPENAPI,
        ),
        ("GET", "/docs" | "/docs/") => (
            "text/html; charset=utf-8",
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            DOCS,
        ),
        _ => return None,
    };
    let answer = http::Response::builder()
        .header("content-type", kind)
        .header(header, value);
    answer.body(text.into()).ok()
}

/// The spaces and the directory of one project.
struct OfProject<'a> {
    inner: &'a Inner,
    project: &'a Project,
}

impl Backend for OfProject<'_> {
    fn space(
        &self,
        space: SpaceHash,
        operation: Operation,
    ) -> LocalBoxFuture<'_, Result<Reply, Problem>> {
        Box::pin(async move {
            let place = (self.project.clone(), space);
            self.inner.ask(&place, operation).await
        })
    }

    fn directory(&self, ask: Ask) -> LocalBoxFuture<'_, Result<Answer, Problem>> {
        Box::pin(self.inner.directories.ask(self.project, ask))
    }
}
