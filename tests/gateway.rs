//! The whole server in one process: the gateway, its spaces and the project's directory, over storage in memory.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use common::{TestHost, embedder};
use edgemem::api::{About, Backend, Gateway, KEYS_VARIABLE, Known, Received};
use edgemem::directory::{Answer, Ask, Directory, Now};
use edgemem::memory::{Moment, Problem, SpaceHash};
use edgemem::model::builtin::StaticEmbedder;
use edgemem::operation::{Operation, Reply};
use edgemem::space::{Models, Settings, Space};
use edgemem::store::MemoryStorage;
use futures_executor::block_on;
use futures_util::future::LocalBoxFuture;
use http::Request;
use serde_json::{Value, json};

const KEY: &str = "key-of-the-tests-0";
const T0: i64 = 1_767_225_600_000;

struct Server {
    gateway: Gateway,
    clock: Rc<Cell<i64>>,
    embedder: Rc<StaticEmbedder>,
    spaces: RefCell<BTreeMap<SpaceHash, Rc<Space<TestHost>>>>,
    directory: Directory<MemoryStorage>,
    /// How often a space was asked.
    asked: Cell<usize>,
    /// How often the directory was.
    consulted: Cell<usize>,
}

impl Server {
    fn new() -> Self {
        let variable = |name: &str| (name == KEYS_VARIABLE).then(|| format!("p:{KEY}"));
        Self {
            gateway: Gateway::new(variable, About::default())
                .at(Moment::from_millis(T0), Rc::new(Known::default())),
            clock: Rc::new(Cell::new(T0)),
            embedder: Rc::new(embedder()),
            spaces: RefCell::default(),
            directory: Directory::new(MemoryStorage::new(), false),
            asked: Cell::new(0),
            consulted: Cell::new(0),
        }
    }

    async fn at(&self, hash: SpaceHash) -> Rc<Space<TestHost>> {
        if let Some(space) = self.spaces.borrow().get(&hash) {
            return Rc::clone(space);
        }
        let host = TestHost {
            settings: Settings {
                notices: true,
                ..Settings::default()
            },
            storage: Rc::new(MemoryStorage::new()),
            clock: Rc::clone(&self.clock),
            random: Cell::new(7),
            warnings: Rc::default(),
        };
        let models = Models {
            chat: None,
            embedder: Rc::clone(&self.embedder) as _,
            reranker: None,
            files: None,
        };
        let space = Rc::new(Space::open(host, models, hash).await.unwrap());
        self.spaces.borrow_mut().insert(hash, Rc::clone(&space));
        space
    }

    async fn ask_space(&self, hash: SpaceHash, operation: Operation) -> Result<Reply, Problem> {
        self.asked.set(self.asked.get() + 1);
        let reply = self.at(hash).await.apply(operation).await;
        reply.map_err(|error| error.problem())
    }

    async fn ask_directory(&self, ask: Ask) -> Result<Answer, Problem> {
        self.consulted.set(self.consulted.get() + 1);
        let now = Now {
            at: Moment::from_millis(self.clock.get()),
            random: [7; 32],
        };
        let answer = self.directory.apply(ask, now).await;
        answer.map_err(|error| error.problem())
    }

    /// What the alarms of the spaces do.
    fn alarms(&self) {
        let spaces: Vec<_> = self
            .spaces
            .borrow()
            .iter()
            .map(|(h, s)| (*h, s.clone()))
            .collect();
        for (hash, space) in spaces {
            block_on(async {
                space
                    .apply(Operation::RunJobs { event: None })
                    .await
                    .unwrap();
                let asked = Operation::Notices { limit: 100 };
                let Reply::Notices(report) = space.apply(asked).await.unwrap() else {
                    panic!()
                };
                let upto = report.notices.last().map(|notice| notice.id);
                let ask = Ask::Report {
                    space: hash,
                    report,
                };
                self.ask_directory(ask).await.unwrap();
                space.apply(Operation::Noticed { upto }).await.unwrap();
            });
        }
    }

    fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.call_with(KEY, method, path, body)
    }

    fn call_with(&self, key: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Authorization", format!("Token {key}"))
            .body(body)
            .unwrap();
        let mut received = self.gateway.receive(&request);
        if let Received::Unknown(lookup) = received {
            let answer = block_on(self.ask_directory(lookup.ask()));
            received = self.gateway.receive_from(&lookup, answer, &request);
        }
        let response = match received {
            Received::Unknown(lookup) => panic!("{lookup:?}"),
            Received::Answer(response) => response,
            Received::Work(work) => block_on(self.gateway.work(*work, self)),
            Received::Call(mut call) => block_on(async {
                let mut reply = self.ask_space(call.space, call.operation.clone()).await;
                while let Some(operation) = call.next(&reply) {
                    reply = self.ask_space(call.space, operation).await;
                }
                self.gateway.answer(&call, reply)
            }),
        };
        let body = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), body)
    }

    fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, body) = self.call(method, path, body);
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {body}"
        );
        body
    }

    fn add(&self, text: &str, ids: Value) -> String {
        let mut body = ids;
        body["messages"] = json!(text);
        body["infer"] = json!(false);
        let added = self.ok("POST", "/v3/memories/add/", body);
        added["results"][0]["id"].as_str().unwrap().to_owned()
    }
}

impl Backend for Server {
    fn space(
        &self,
        space: SpaceHash,
        operation: Operation,
    ) -> LocalBoxFuture<'_, Result<Reply, Problem>> {
        Box::pin(self.ask_space(space, operation))
    }

    fn directory(&self, ask: Ask) -> LocalBoxFuture<'_, Result<Answer, Problem>> {
        Box::pin(self.ask_directory(ask))
    }
}

fn texts(page: &Value) -> Vec<String> {
    let results = page["results"].as_array().unwrap().iter();
    results
        .map(|it| it["memory"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_search_of_one_owner_asks_one_space_once() {
    let server = Server::new();
    server.add("I keep bees", json!({"user_id": "ann"}));
    server.alarms();
    server.asked.set(0);
    let found = server.ok(
        "POST",
        "/v3/memories/search/",
        json!({"query": "bees", "filters": {"user_id": "ann"}}),
    );
    assert_eq!(
        (texts(&found), server.asked.get()),
        (vec!["I keep bees".to_owned()], 1)
    );
}

#[test]
fn with_a_key_or_a_token_that_is_known_a_search_asks_one_space_and_nobody_else() {
    let server = Server::new();
    server.add("I keep bees", json!({"user_id": "ann"}));
    let key = server.ok("POST", "/v1/keys/", json!({"name": "Bot", "role": "read"}));
    let token = server.ok("POST", "/v1/tokens/", json!({"user_id": "ann"}));
    assert_eq!(token["expires_at"], "2026-01-01T01:00:00Z");
    for secret in [&key["key"], &token["token"]] {
        let secret = secret.as_str().unwrap();
        for consulted in [1, 0] {
            server.asked.set(0);
            server.consulted.set(0);
            let search = json!({"query": "bees", "filters": {"user_id": "ann"}});
            let (status, found) = server.call_with(secret, "POST", "/v3/memories/search/", search);
            assert_eq!(
                (status, texts(&found)),
                (200, vec!["I keep bees".to_owned()])
            );
            assert_eq!((server.asked.get(), server.consulted.get()), (1, consulted));
        }
        let (status, body) = server.call_with(secret, "GET", "/v1/keys/", Value::Null);
        assert_eq!((status, &body["code"]), (403, &json!("role_required")));
    }
    let listed = server.ok("GET", "/v1/keys/", Value::Null);
    let [listed] = listed["results"].as_array().unwrap().as_slice() else {
        panic!("{listed}")
    };
    assert_eq!(listed["name"], "Bot");
    assert_eq!(listed.get("key"), None);
    let path = format!("/v1/keys/{}/", listed["id"].as_str().unwrap());
    server.ok("DELETE", &path, Value::Null);
    assert_eq!(server.call("DELETE", &path, Value::Null).0, 404);
}

#[test]
fn what_a_key_or_a_token_is_to_be_is_checked() {
    let server = Server::new();
    for (path, body, code) in [
        ("/v1/keys/", json!({"role": "read"}), "missing_field"),
        ("/v1/keys/", json!({"name": "x"}), "missing_field"),
        (
            "/v1/keys/",
            json!({"name": "x", "role": "owner"}),
            "bad_value",
        ),
        (
            "/v1/keys/",
            json!({"name": "x", "role": "read", "expires_in": 1}),
            "out_of_range",
        ),
        ("/v1/tokens/", json!({}), "missing_field"),
        ("/v1/tokens/", json!({"user_id": " "}), "missing_field"),
        ("/v1/tokens/", json!({"user_id": "x".repeat(257)}), "bad_id"),
        (
            "/v1/tokens/",
            json!({"user_id": "u", "role": "admin"}),
            "bad_value",
        ),
        (
            "/v1/tokens/",
            json!({"user_id": "u", "expires_in": 86_401}),
            "out_of_range",
        ),
    ] {
        let (status, answer) = server.call("POST", path, body);
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{answer}");
    }
}

#[test]
fn pages_over_all_owners_hold_every_memory_once_even_while_more_come() {
    let server = Server::new();
    for n in 0..9 {
        server.clock.set(server.clock.get() + 1_000);
        server.add(
            &format!("Note {n}"),
            json!({"user_id": format!("u{}", n % 4)}),
        );
    }
    server.alarms();
    let mut seen = Vec::new();
    for page in 1..=5 {
        let path = format!("/v3/memories/?page={page}&page_size=2");
        let body = json!({"filters": {"user_id": "*"}});
        let page = server.ok("POST", &path, body);
        assert_eq!(page["count"], 9);
        seen.extend(texts(&page));
    }
    seen.sort();
    let all: Vec<String> = (0..9).map(|n| format!("Note {n}")).collect();
    assert_eq!(seen, all);
}

#[test]
fn what_was_said_under_an_agent_is_found_and_erased_in_every_space() {
    let server = Server::new();
    server.add("I row", json!({"user_id": "ann", "agent_id": "tutor"}));
    server.add("I sail", json!({"user_id": "bob", "agent_id": "tutor"}));
    server.add("I swim", json!({"user_id": "bob"}));
    server.add("Lessons begin at nine", json!({"agent_id": "tutor"}));
    server.alarms();
    let filters = json!({"filters": {"AND": [{"user_id": "*"}, {"agent_id": "tutor"}]}});
    server.asked.set(0);
    assert_eq!(
        server.ok("POST", "/v3/memories/", filters.clone())["count"],
        2
    );
    let either = json!({"query": "lessons, rowing, sailing", "threshold": 0,
                        "filters": {"OR": [{"user_id": "ann"}, {"agent_id": "tutor"}]}});
    assert_eq!(
        texts(&server.ok("POST", "/v3/memories/search/", either)).len(),
        2
    );
    server.ok("DELETE", "/v2/entities/agent/tutor/", Value::Null);
    server.alarms();
    let left = server.ok(
        "POST",
        "/v3/memories/",
        json!({"filters": {"user_id": "*"}}),
    );
    assert_eq!(texts(&left), ["I swim"]);
    let entities = server.ok("GET", "/v1/entities/", Value::Null);
    assert_eq!(entities["count"], 1);
    assert_eq!(entities["results"][0]["name"], "bob");
}

#[test]
fn four_stars_erase_everything_and_less_does_not() {
    let server = Server::new();
    server.add("I row", json!({"user_id": "ann"}));
    server.add("Lessons begin at nine", json!({"agent_id": "tutor"}));
    server.alarms();
    let count = |server: &Server| server.ok("GET", "/memories", Value::Null)["count"].clone();
    server.ok("DELETE", "/v1/memories/?user_id=*&agent_id=*", Value::Null);
    assert_eq!(count(&server), 2);
    let everybody = "/v1/memories/?user_id=*&agent_id=*&app_id=*&run_id=*";
    server.ok("DELETE", everybody, Value::Null);
    assert_eq!(count(&server), 0);
}

#[test]
fn one_declared_is_listed_before_anything_is_known_of_it() {
    let server = Server::new();
    let declared = json!({"user_id": "ann", "metadata": {"plan": "free"}});
    let (status, body) = server.call("POST", "/v1/users/", declared);
    assert_eq!((status, &body["user_id"]), (201, &json!("ann")));
    let found = server.ok("GET", "/v2/entities/user/ann/", Value::Null);
    let found = &found[0];
    assert_eq!(found["metadata"], json!({"plan": "free"}));
    server.add("I row", json!({"user_id": "ann"}));
    server.alarms();
    let listed = server.ok("GET", "/v1/entities/", Value::Null);
    assert_eq!(listed["results"][0]["total_memories"], 1);
    assert_eq!(server.call("POST", "/v1/users/", json!({})).0, 400);
}

#[test]
fn a_batch_may_not_be_of_too_many_or_of_nothing() {
    let server = Server::new();
    for (body, code) in [
        (json!({}), "missing_field"),
        (json!({"memories": [{}]}), "missing_field"),
        (json!({"memories": [3]}), "bad_value"),
        (json!({"memories": [{"memory_id": "x"}]}), "bad_memory_id"),
    ] {
        let (status, answer) = server.call("DELETE", "/v1/batch/", body);
        assert_eq!((status, &answer["code"]), (400, &json!(code)));
    }
}
