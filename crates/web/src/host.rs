//! What JavaScript supplies, and what a space asks of it.

use std::rc::Rc;

use edgemem::memory::Moment;
use edgemem::space::{Host as SpaceHost, Settings};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::moment;
use crate::storage::JsStorage;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What the engine needs of the program around it. */
export interface Host {
  /** The storage of a space, by the 16 hex digits of its hash. */
  storage(space: string): Promise<Backend>;
  /** Sends a request of a model and reads the whole answer; rejects with the code `timeout` after that time. */
  send(model: string, method: string, url: string, headers: string[], body: Uint8Array, timeout: number): Promise<Answer>;
  /** Waits, in milliseconds. */
  sleep(milliseconds: number): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** 64 random bits. */
  random(): bigint;
  /** Tells of something that mended itself. */
  warn(message: string): void;
}

/** Status, header names and values in turn, body. */
export type Answer = [status: number, headers: string[], body: Uint8Array];

/** One change to a table. `clear` without a table removes everything. */
export type Write =
  | ["put", table: string, key: string, record: Uint8Array]
  | ["delete", table: string, key: string]
  | ["clear", table?: string];

/** Ordered tables with an atomic commit. Keys are ordered by the bytes of their UTF-8. */
export interface Backend {
  /** One record. */
  get(table: string, key: string): Promise<Uint8Array | undefined>;
  /** Up to so many records in the order of their keys, from a key on, or after it: keys and records in turn. */
  scan(table: string, from: string | undefined, inclusive: boolean, limit: number): Promise<(string | Uint8Array)[]>;
  /** Applies the writes in order: all of them, or none. An error with the code `storage_full` means that no room is left. */
  commit(writes: Write[]): Promise<void>;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// What the engine needs of the program around it.
    #[wasm_bindgen(typescript_type = "Host")]
    pub type Host;

    #[wasm_bindgen(method, catch)]
    pub async fn storage(this: &Host, space: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub async fn send(
        this: &Host,
        model: &str,
        method: &str,
        url: &str,
        headers: Array,
        body: Uint8Array,
        timeout: f64,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub async fn sleep(this: &Host, milliseconds: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    pub fn now(this: &Host) -> f64;

    #[wasm_bindgen(method)]
    pub fn random(this: &Host) -> u64;

    #[wasm_bindgen(method)]
    pub fn warn(this: &Host, message: &str);

    /// The tables of one space.
    #[wasm_bindgen(typescript_type = "Backend")]
    pub type Backend;

    #[wasm_bindgen(method, catch)]
    pub async fn get(this: &Backend, table: &str, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub async fn scan(
        this: &Backend,
        table: &str,
        from: Option<&str>,
        inclusive: bool,
        limit: f64,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub async fn commit(this: &Backend, writes: Array) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = console)]
    pub fn error(message: &str);
}

/// The code of an error that JavaScript threw, if it has one, and its message.
pub fn described(error: &JsValue) -> (Option<String>, String) {
    let property = |name: &str| {
        let value = js_sys::Reflect::get(error, &name.into()).ok();
        value.and_then(|value| value.as_string())
    };
    let message = property("message").or_else(|| error.as_string());
    let message = message.unwrap_or_else(|| format!("{error:?}"));
    (property("code"), message)
}

/// What the program supplies to one space.
pub struct WebHost {
    host: Rc<Host>,
    storage: JsStorage,
    settings: Settings,
}

impl WebHost {
    pub fn new(host: Rc<Host>, storage: JsStorage, settings: Settings) -> Self {
        Self {
            host,
            storage,
            settings,
        }
    }
}

impl SpaceHost for WebHost {
    type Storage = JsStorage;

    fn storage(&self) -> &JsStorage {
        &self.storage
    }

    fn now(&self) -> Moment {
        moment(self.host.now())
    }

    fn random(&self) -> u64 {
        self.host.random()
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    /// WebAssembly never gives any memory back.
    fn memory(&self) -> Option<usize> {
        Some(core::arch::wasm32::memory_size::<0>() << 16)
    }

    fn warn(&self, message: &str) {
        self.host.warn(message);
    }
}
