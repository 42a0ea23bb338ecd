//! What JavaScript supplies, and what a space asks of it. `npm/src/host.ts` says the same in types.

use std::rc::Rc;

use edgemem::memory::Moment;
use edgemem::space::{Host as SpaceHost, Settings};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::moment;
use crate::storage::JsStorage;

#[wasm_bindgen]
extern "C" {
    /// What the engine needs of the program around it.
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

    /// A task can make another step. Not to be made from within this call.
    #[wasm_bindgen(method)]
    pub fn wake(this: &Host, task: u32);

    /// A task has its answer.
    #[wasm_bindgen(method)]
    pub fn done(this: &Host, task: u32, answer: &str);

    /// A task has failed.
    #[wasm_bindgen(method)]
    pub fn failed(this: &Host, task: u32, error: &JsValue);

    /// The tables of one space.
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

    const SERVES: bool = false;

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
